package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/claimline/claimline/cmd/claimline/screen"
	"github.com/claimline/claimline/schema"
)

func (a *app) showCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "show ADDRESS",
		Short: "Show all about one address",
		Long: `Shows all about one address: organization and status, the claim on it, by which import and line it was made, until when it can be
retracted or why not, what it changes, licences, the owner's choice, and what happened when.`,
		Example: `  claimline show --org acme adam.ahmed@acme.example`,
		Args:    oneArg("address"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withOrganization(cmd.Context(), reads, func(p *session, organization schema.Organization) error {
				view, err := p.people.Show(cmd.Context(), organization.ID, args[0])
				if err != nil {
					return err
				}
				if a.flags.json {
					return a.answer(view)
				}
				return a.writeView(&view, p.Policy)
			})
		},
	}
}

// writeView says all about one address, one thing a line.
func (a *app) writeView(v *schema.AccountView, policy schema.Policy) error {
	page := a.page(a.stdout)
	lines := []string{page.Say("%s: %s in %s", schema.Printable(v.Email), schema.Word(strings.ReplaceAll(string(v.Status), "_", " ")), schema.Printable(v.Organization))}
	line := func(what schema.Word, format string, args ...any) {
		lines = append(lines, screen.Beside(page, fmt.Sprintf("  %-10s ", page.Format(string(what))), schema.Printable(page.Say(format, args...)))...)
	}
	if v.Name != "" {
		line("name", "%s", v.Name)
	}
	if c := v.Claim; c != nil {
		claimed := schema.Say("%s, made %s", schema.Word(c.Type), screen.Moment(c.ClaimedAt))
		if c.Import != nil {
			claimed = schema.Say("%s by import %s", claimed, *c.Import)
		}
		if c.Line != nil {
			claimed = schema.Say("%s, line %d", claimed, *c.Line)
		}
		line("claim", "%s", claimed)
		until := screen.Moment(c.ClaimedAt.Add(policy.DecisionTime()))
		switch {
		case c.ClosedAt != nil && c.Choice != nil:
			line("closed", "%s, the owner chose %s", screen.Moment(*c.ClosedAt), *c.Choice)
		case c.ClosedAt != nil:
			line("closed", "%s", screen.Moment(*c.ClosedAt))
		case c.Type == schema.Delayed:
			line("decision", "the owner can decide until %s; then account and content move", until)
		}
		switch {
		case c.Retractable:
			line("retract", "possible until %s: %s", until, a.command("retract", v.Email))
		default:
			line("retract", "not possible (%s): %s", c.RetractReason, c.RetractReason.Wrong(""))
		}
	} else {
		line("claim", "none; whether it can be claimed: %s", a.command("eligible", "--why", v.Email))
	}
	for _, column := range slices.Sorted(maps.Keys(v.Edits)) {
		line("edit", "%s: %q → %q", column, v.Edits[column][0], v.Edits[column][1])
	}
	if len(v.Licenses) > 0 {
		line("licences", "%s", strings.Join(v.Licenses, ", "))
	}
	for _, mail := range v.Mails {
		line("mail", "%s: %s, %s", screen.Moment(mail.At), mail.Kind, mail.State)
	}
	for _, event := range v.Events {
		line("event", "%s: %s", screen.Moment(event.At), schema.Word(strings.ReplaceAll(event.What, "_", " ")))
	}
	return a.printLine(strings.Join(lines, "\n"))
}
