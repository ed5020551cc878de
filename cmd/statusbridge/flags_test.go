package main

import (
	"testing"

	"github.com/alecthomas/kong"

	"github.com/statusbridge/statusbridge/internal/app"
)

func TestTheFlagsOfTheConfigurationReferenceExist(t *testing.T) {
	parser, err := kong.New(&cli{})
	if err != nil {
		t.Fatal(err)
	}
	flags := map[string]bool{}
	for _, node := range append(parser.Model.Children, parser.Model.Node) {
		for _, flag := range node.Flags {
			flags[flag.Name] = true
		}
	}
	for key, flag := range app.Flags {
		if !flags[flag] {
			t.Errorf("%s: there is no flag --%s", key, flag)
		}
	}
}
