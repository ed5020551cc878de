package main

import "fmt"

type configCmd struct {
	Print configPrint `cmd:"" help:"Print it as YAML, secrets masked."`
}

type configPrint struct{}

func (configPrint) Run(c *cli) error {
	cfg, err := c.config(nil)
	if err != nil {
		return err
	}
	text, err := cfg.Print()
	if err != nil {
		return err
	}
	fmt.Fprint(c.out, text)
	return nil
}
