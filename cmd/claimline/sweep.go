package main

import (
	"github.com/spf13/cobra"

	"github.com/claimline/claimline/schema"
)

func (a *app) sweepCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "sweep",
		Short: "Write what time has made due, in all organizations",
		Long: `Writes what time has made due, in all organizations: delayed claims that complete, users who have been inactive for 30 days,
imports past their keeping time. All of it counts as done before; run this daily, to have it done.`,
		Example: `  claimline sweep`,
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withStore(cmd.Context(), writes, func(p *session) error {
				swept, err := p.Sweep(cmd.Context())
				if err != nil {
					return err
				}
				if a.flags.json {
					return a.answer(swept)
				}
				a.say("Wrote what was due: %s transferred, %s removed for being inactive, the rows of %s removed.",
					users(swept.Transferred), schema.Number(swept.Removed), schema.SayCount(swept.ImportsRemoved, "%s import", "%s imports"))
				return nil
			})
		},
	}
}
