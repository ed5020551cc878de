package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

type completionCmd struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

func (*completionCmd) Help() string {
	return `Load it once, or from the shell's start-up file:

  bash   source <(statusbridge completion bash)
  zsh    source <(statusbridge completion zsh)
  fish   statusbridge completion fish | source`
}

func (s *completionCmd) Run(ctx *kong.Context, c *cli) error {
	lists := map[string][]string{}
	candidates(ctx.Model.Node, "", globalFlags(ctx.Model.Node), lists)
	switch s.Shell {
	case "fish":
		fmt.Fprint(c.out, fishCompletion(lists))
	case "zsh":
		// zsh understands completions written for bash.
		fmt.Fprint(c.out, "autoload -Uz compinit bashcompinit && compinit -u && bashcompinit\n"+bashCompletion(lists))
	default:
		fmt.Fprint(c.out, bashCompletion(lists))
	}
	return nil
}

func globalFlags(n *kong.Node) []string {
	var out []string
	for _, f := range n.Flags {
		if !f.Hidden {
			out = append(out, "--"+f.Name)
		}
	}
	return out
}

// candidates lists what may follow each command: commands below it, words of its
// arguments, flags. The key is the command's words, such as "rules check".
func candidates(n *kong.Node, path string, global []string, into map[string][]string) {
	var words []string
	for _, child := range n.Children {
		if child.Hidden || child.Type != kong.CommandNode {
			continue
		}
		words = append(words, child.Name)
		candidates(child, strings.TrimSpace(path+" "+child.Name), global, into)
	}
	for _, p := range n.Positional {
		for _, word := range p.EnumSlice() {
			if word != "" {
				words = append(words, word)
			}
		}
	}
	for _, f := range n.Flags {
		if !f.Hidden {
			words = append(words, "--"+f.Name)
		}
	}
	words = append(words, global...)
	slices.Sort(words)
	into[path] = slices.Compact(words)
}

func sortedPaths(lists map[string][]string) []string {
	paths := make([]string, 0, len(lists))
	for p := range lists {
		paths = append(paths, p)
	}
	slices.Sort(paths)
	return paths
}

// bashCompletion walks the words before the cursor down to the last command, and
// offers what may follow it, or files.
func bashCompletion(lists map[string][]string) string {
	var b strings.Builder
	b.WriteString("_statusbridge() {\n  local cur=${COMP_WORDS[COMP_CWORD]} path='' next word\n" +
		"  for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n    next=\"${path:+$path }$word\"\n    case \"$next\" in\n")
	for _, p := range sortedPaths(lists) {
		if p != "" {
			fmt.Fprintf(&b, "      %q) path=$next ;;\n", p)
		}
	}
	b.WriteString("    esac\n  done\n  local words=''\n  case \"$path\" in\n")
	for _, p := range sortedPaths(lists) {
		fmt.Fprintf(&b, "    %q) words=%q ;;\n", p, strings.Join(lists[p], " "))
	}
	b.WriteString("  esac\n  COMPREPLY=($(compgen -W \"$words\" -- \"$cur\") $(compgen -f -- \"$cur\"))\n  return 0\n}\n" +
		"complete -o filenames -F _statusbridge statusbridge\n")
	return b.String()
}

// fishCompletion does the same for fish.
func fishCompletion(lists map[string][]string) string {
	var b strings.Builder
	b.WriteString("function __statusbridge_at\n  set -l path\n  for word in (commandline -opc)[2..]\n    set -l next (string join -- ' ' $path $word)\n    switch $next\n")
	for _, p := range sortedPaths(lists) {
		if p != "" {
			fmt.Fprintf(&b, "      case '%s'\n        set path (string split ' ' $next)\n", p)
		}
	}
	b.WriteString("    end\n  end\n  test \"$path\" = \"$argv[1]\"\nend\n")
	for _, p := range sortedPaths(lists) {
		fmt.Fprintf(&b, "complete -c statusbridge -n '__statusbridge_at \"%s\"' -a '%s'\n", p, strings.Join(lists[p], " "))
	}
	return b.String()
}
