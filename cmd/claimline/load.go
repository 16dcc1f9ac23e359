package main

import (
	"github.com/spf13/cobra"

	"github.com/claimline/claimline/cmd/claimline/screen"
	"github.com/claimline/claimline/pipeline"
	"github.com/claimline/claimline/schema"
)

func (a *app) loadCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "load DIR",
		Short: "Take in a snapshot of organizations, domains, licences, users and claims",
		Long: `Takes in a snapshot: a folder with organizations.csv, domains.csv, users.csv and, where there are any, licenses.csv and
claims.csv. All of it is taken in, or nothing. Loading it again updates what has changed; what was done here stays.`,
		Example: `  claimline load samples/org`,
		Args:    oneArg("folder"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withPipeline(cmd.Context(), creates, func(p *pipeline.Pipeline) error {
				clearProgress := a.follow(p)
				defer clearProgress()
				loaded, err := p.Load(cmd.Context(), args[0])
				clearProgress()
				if err != nil {
					return err
				}
				if a.flags.json {
					return a.answer(loaded)
				}
				a.say("Loaded %s: %s, %s, %s, %s, %s.", schema.Printable(args[0]), screen.Count(loaded.Organizations, "organization"), users(loaded.Users),
					screen.Count(loaded.Domains, "domain"), screen.Count(loaded.Licenses, "licence"), screen.Count(loaded.Claims, "open claim"))
				return nil
			})
		},
	}
}
