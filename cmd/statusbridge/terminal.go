package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/statusbridge/statusbridge/internal/alerts"
)

// A colour is the number of an SGR sequence (ECMA-48, 8.3.117).
type colour int

const (
	red    colour = 31
	green  colour = 32
	yellow colour = 33
)

// paint colours a word where a person reads it: on a terminal that can, unless
// NO_COLOR is set (https://no-color.org). Words say the same without it.
func paint(out io.Writer, c colour, text string) string {
	file, is := out.(*os.File)
	if !is || !terminal(file) || os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" {
		return text
	}
	return fmt.Sprintf("\033[%dm%s\033[0m", c, text)
}

// complain prints what ended a command.
func complain(stderr io.Writer, text string) {
	fmt.Fprintln(stderr, paint(stderr, red, "statusbridge:"), text)
}

// misread says what is wrong with a command line, what was perhaps meant, and
// whose help tells more.
func misread(parser *kong.Kong, args []string, err error) string {
	said, about := err.Error(), "statusbridge help"
	var refused *kong.ParseError
	if errors.As(err, &refused) && refused.Context != nil {
		words := []string{"statusbridge"}
		for _, p := range refused.Context.Path {
			if p.Command != nil && slices.Contains(args, p.Command.Name) { // serve is there unsaid
				words = append(words, p.Command.Name)
			}
		}
		if len(words) > 1 {
			about = strings.Join(append(words, "--help"), " ")
		}
	}
	if word, found := strings.CutPrefix(said, "unexpected argument "); found && about == "statusbridge help" {
		var names []string
		for _, n := range parser.Model.Children {
			names = append(names, n.Name)
		}
		said = fmt.Sprintf("there is no command %q", word)
		if hint := alerts.Meant(word, names); hint != "" {
			said += ", " + hint
		}
	}
	return strings.TrimSuffix(said, "?") + "; see " + about
}
