package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// helpWidth is how wide help is.
const helpWidth = 80

// helpText is the help of a command: examples first.
func helpText(cmd *cobra.Command) string {
	var b strings.Builder
	if cmd.Example != "" {
		fmt.Fprintf(&b, "Examples:\n%s\n\n", cmd.Example)
	}
	fmt.Fprintf(&b, "%s\n\n", wrapParagraphs(first(cmd.Long, cmd.Short)))
	line := cmd.UseLine()
	if cmd.HasAvailableSubCommands() {
		line += " [COMMAND]"
	}
	fmt.Fprintf(&b, "Usage:\n  %s\n", line)
	if cmd.HasAvailableSubCommands() {
		fmt.Fprint(&b, "\nCommands:\n")
		width := 0
		for _, sub := range cmd.Commands() {
			width = max(width, len(sub.Name()))
		}
		for _, sub := range cmd.Commands() {
			if sub.IsAvailableCommand() || sub.Name() == "help" {
				indent := "\n" + strings.Repeat(" ", width+4)
				fmt.Fprintf(&b, "  %-*s  %s\n", width, sub.Name(), strings.Join(wrapLines(sub.Short, helpWidth-width-4), indent))
			}
		}
	}
	flags := func(heading string, set *pflag.FlagSet) {
		if set.HasAvailableFlags() {
			fmt.Fprintf(&b, "\n%s:\n%s\n", heading, strings.TrimRight(set.FlagUsagesWrapped(helpWidth), " \n"))
		}
	}
	flags("Flags", cmd.LocalFlags())
	flags("Global flags", cmd.InheritedFlags())
	return b.String()
}

// wrapParagraphs breaks the lines of each paragraph anew; what is indented stays as it is.
func wrapParagraphs(s string) string {
	paragraphs := strings.Split(s, "\n\n")
	for i, paragraph := range paragraphs {
		if strings.HasPrefix(paragraph, " ") {
			continue
		}
		paragraphs[i] = strings.Join(wrapLines(strings.ReplaceAll(paragraph, "\n", " "), helpWidth), "\n")
	}
	return strings.Join(paragraphs, "\n\n")
}
