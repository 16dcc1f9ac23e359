package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/claimline/claimline/cmd/claimline/screen"
	"github.com/claimline/claimline/pipeline/words"
)

// helpWidth is how wide help is.
const helpWidth = 80

// helpText returns the help of a command in a language: examples first.
func helpText(cmd *cobra.Command, l words.Language) string {
	var b strings.Builder
	if cmd.Example != "" {
		fmt.Fprintf(&b, "%s:\n%s\n\n", l.Say("Examples"), cmd.Example)
	}
	fmt.Fprintf(&b, "%s\n\n", wrapParagraphs(l.Format(first(cmd.Long, cmd.Short))))
	line := cmd.UseLine()
	if cmd.HasAvailableSubCommands() {
		line += " [COMMAND]"
	}
	fmt.Fprintf(&b, "%s:\n  %s\n", l.Say("Usage"), line)
	if cmd.HasAvailableSubCommands() {
		listCommands(&b, cmd, l)
	}
	flags := func(heading string, set *pflag.FlagSet) {
		if set.HasAvailableFlags() {
			set.VisitAll(func(f *pflag.Flag) { f.Usage = usageOf(cmd, f, l) })
			usages := strings.TrimRight(set.FlagUsagesWrapped(helpWidth), " \n")
			if preset := l.Format("default"); preset != "default" { // which the flags say themselves
				usages = strings.ReplaceAll(usages, "(default ", "("+preset+" ")
			}
			fmt.Fprintf(&b, "\n%s:\n%s\n", heading, usages)
		}
	}
	flags(l.Say("Flags"), cmd.LocalFlags())
	flags(l.Say("Global flags"), cmd.InheritedFlags())
	return b.String()
}

// usageOf returns what a flag is for.
func usageOf(cmd *cobra.Command, f *pflag.Flag, l words.Language) string {
	switch f.Name {
	case "help":
		return l.Say("help for %s", cmd.Name())
	case "version":
		return l.Say("version for %s", cmd.Name())
	}
	return l.Format(f.Usage)
}

// listCommands lists what a command groups, by what it is for.
func listCommands(b *strings.Builder, cmd *cobra.Command, l words.Language) {
	width := 0
	for _, sub := range cmd.Commands() {
		width = max(width, len(sub.Name()))
	}
	list := func(heading, group string) {
		fmt.Fprintf(b, "\n%s:\n", heading)
		for _, sub := range cmd.Commands() {
			if sub.GroupID == group && (sub.IsAvailableCommand() || sub.Name() == "help") {
				indent := "\n" + strings.Repeat(" ", width+4)
				fmt.Fprintf(b, "  %-*s  %s\n", width, sub.Name(), strings.Join(screen.Wrap(l.Format(sub.Short), helpWidth-width-4, 0), indent))
			}
		}
	}
	for _, group := range cmd.Groups() {
		list(l.Format(group.Title), group.ID)
	}
	if len(cmd.Groups()) == 0 {
		list(l.Say("Commands"), "")
	}
}

// The groups of commands, by when they are needed.
const (
	groupPrepare = "prepare"
	groupClaim   = "claim"
	groupLook    = "look"
	groupAfter   = "after"
	groupOperate = "operate"
)

// groups stand in help in this order.
var groups = []*cobra.Group{
	{ID: groupPrepare, Title: "Commands to prepare"},
	{ID: groupClaim, Title: "Commands to claim"},
	{ID: groupLook, Title: "Commands to look"},
	{ID: groupAfter, Title: "Commands for afterwards"},
	{ID: groupOperate, Title: "Commands to operate"},
}

// addTo adds commands that belong to one group.
func addTo(root *cobra.Command, group string, commands ...*cobra.Command) {
	for _, cmd := range commands {
		cmd.GroupID = group
	}
	root.AddCommand(commands...)
}

// wrapParagraphs breaks the lines of each paragraph anew; what is indented stays as it is.
func wrapParagraphs(s string) string {
	paragraphs := strings.Split(s, "\n\n")
	for i, paragraph := range paragraphs {
		if strings.HasPrefix(paragraph, " ") {
			continue
		}
		paragraphs[i] = strings.Join(screen.Wrap(strings.ReplaceAll(paragraph, "\n", " "), helpWidth, 0), "\n")
	}
	return strings.Join(paragraphs, "\n\n")
}
