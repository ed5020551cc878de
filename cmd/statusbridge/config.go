package main

import (
	"fmt"

	"github.com/statusbridge/statusbridge/internal/app"
)

type configCmd struct {
	Print     configPrint     `cmd:"" help:"Print it as YAML, secrets masked."`
	Reference configReference `cmd:"" help:"Print what can be set, as Markdown: key, variable, flag, default, unit, meaning."`
}

type configReference struct{}

func (configReference) Run(c *cli) error {
	fmt.Fprint(c.out, app.Reference())
	return nil
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
