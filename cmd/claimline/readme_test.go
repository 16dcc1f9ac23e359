package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the commands into README.md")

// TestReadmeOnCommands holds README.md against the commands, so that it cannot lag behind them.
func TestReadmeOnCommands(t *testing.T) {
	const begin, end = "<!-- commands -->\n", "<!-- end of commands -->"
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	before, rest, found := strings.Cut(string(readme), begin)
	require.True(t, found)
	tables, after, found := strings.Cut(rest, end)
	require.True(t, found)
	if *update {
		require.NoError(t, os.WriteFile("README.md", []byte(before+begin+commandTables()+end+after), 0o644))
		return
	}
	assert.Equal(t, commandTables(), tables, "run: go test ./cmd/claimline -run TestReadme -update")
}

// commandTables writes a table for each group of commands, and one for the global flags.
func commandTables() string {
	root := (&app{env: func(string) string { return "" }}).rootCommand()
	var b strings.Builder
	for _, group := range groups {
		fmt.Fprintf(&b, "\n### %s\n\n| command | does | flags | example |\n|---|---|---|---|\n", group.Title)
		eachCommand(root, func(cmd *cobra.Command) {
			top := cmd
			for top.HasParent() && top.Parent() != root {
				top = top.Parent()
			}
			if cmd == root || top.GroupID != group.ID {
				return
			}
			example, _, _ := strings.Cut(strings.ReplaceAll(cmd.Example, "\\\n", " "), "\n")
			fmt.Fprintf(&b, "| `%s` | %s | %s | `%s` |\n", cell(strings.TrimPrefix(strings.TrimSuffix(cmd.UseLine(), " [flags]"), "claimline ")), cell(cmd.Short),
				flagCell(cmd.LocalNonPersistentFlags()), cell(strings.Join(strings.Fields(example), " ")))
		})
	}
	b.WriteString("\n### Flags of every command\n\n| flag | does |\n|---|---|\n")
	root.PersistentFlags().VisitAll(func(f *pflag.Flag) {
		fmt.Fprintf(&b, "| `%s` | %s |\n", flagName(f), cell(f.Usage))
	})
	return b.String() + "\n"
}

// flagCell returns what a command's own flags do, one a line.
func flagCell(flags *pflag.FlagSet) string {
	var words []string
	flags.VisitAll(func(f *pflag.Flag) {
		if !f.Hidden && f.Name != "help" {
			_, usage := pflag.UnquoteUsage(f)
			words = append(words, "`"+flagName(f)+"` "+cell(usage))
		}
	})
	return strings.Join(words, "<br>")
}

func flagName(f *pflag.Flag) string {
	name := "--" + f.Name
	if f.Shorthand != "" {
		name = "-" + f.Shorthand + ", " + name
	}
	if value, _ := pflag.UnquoteUsage(f); value != "" {
		name += " " + strings.ToUpper(value)
	}
	return name
}

func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }
