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
	lines := []string{schema.Printable(v.Email) + ": " + strings.ReplaceAll(string(v.Status), "_", " ") + " in " + schema.Printable(v.Organization)}
	add := func(what, format string, args ...any) {
		lines = append(lines, screen.Beside(page, fmt.Sprintf("  %-10s ", what), schema.Printable(fmt.Sprintf(format, args...)))...)
	}
	if v.Name != "" {
		add("name", "%s", v.Name)
	}
	if c := v.Claim; c != nil {
		claimed := fmt.Sprintf("%s, made %s", c.Type, screen.Moment(c.ClaimedAt))
		if c.Import != nil {
			claimed += " by import " + *c.Import
		}
		if c.Line != nil {
			claimed += fmt.Sprintf(", line %d", *c.Line)
		}
		add("claim", "%s", claimed)
		until := screen.Moment(c.ClaimedAt.Add(policy.DecisionTime()))
		switch {
		case c.ClosedAt != nil && c.Choice != nil:
			add("closed", "%s, the owner chose %s", screen.Moment(*c.ClosedAt), *c.Choice)
		case c.ClosedAt != nil:
			add("closed", "%s", screen.Moment(*c.ClosedAt))
		case c.Type == schema.Delayed:
			add("decision", "the owner can decide until %s; then account and content move", until)
		}
		switch {
		case c.Retractable:
			add("retract", "possible until %s: %s", until, a.command("retract", v.Email))
		default:
			add("retract", "not possible (%s): %s", c.RetractReason, c.RetractReason.Message(""))
		}
	} else {
		add("claim", "none; whether it can be claimed: %s", a.command("eligible", "--why", v.Email))
	}
	for _, column := range slices.Sorted(maps.Keys(v.Edits)) {
		add("edit", "%s: %q → %q", column, v.Edits[column][0], v.Edits[column][1])
	}
	if len(v.Licenses) > 0 {
		add("licences", "%s", strings.Join(v.Licenses, ", "))
	}
	for _, mail := range v.Mails {
		add("mail", "%s: %s, %s", screen.Moment(mail.At), mail.Kind, mail.State)
	}
	for _, event := range v.Events {
		add("event", "%s: %s", screen.Moment(event.At), strings.ReplaceAll(event.What, "_", " "))
	}
	return a.printLine(strings.Join(lines, "\n"))
}
