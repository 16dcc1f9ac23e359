package main

import (
	"github.com/spf13/cobra"

	"github.com/claimline/claimline/pipeline/usersfile"
	"github.com/claimline/claimline/schema"
)

func (a *app) remindCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "remind ADDRESS...",
		Short: "Record one more mail to owners of delayed claims, with their personal link",
		Example: `  claimline remind --org acme ali.ek@acme.test
  claimline remind --org acme ali.ek@acme.test bjorn.lundqvist@acme.example`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			persons := usersfile.ParsePeople(args...)
			if len(persons) == 0 {
				return usage("%s needs an address.", cmd.CommandPath()).WithFix("Write: %s.", cmd.UseLine())
			}
			return a.withOrganization(cmd.Context(), writes, func(p *session, organization schema.Organization) error {
				results := make([]schema.Reminder, len(persons))
				refused := 0
				for i, person := range persons {
					err := p.people.Remind(cmd.Context(), organization.ID, person.Email)
					results[i] = schema.Reminder{Email: person.Email, Reminded: err == nil}
					switch {
					case err != nil && schema.CodeOf(err) == schema.CodeInternal:
						return err
					case err != nil:
						results[i].Reason = schema.CodeOf(err)
						refused++
						a.showError(err)
					case !a.flags.json:
						if a.config.mailed() {
							a.say("A reminder to %s is mailed by the service.", schema.Printable(person.Email))
						} else {
							a.say("A reminder to %s is recorded; it will be mailed once mail is set up.", schema.Printable(person.Email))
						}
					}
				}
				switch refused {
				case 0:
				case len(persons):
					a.exit = exitFailed
				default:
					a.exit = exitProblems
				}
				if a.flags.json {
					return a.answer(results)
				}
				return nil
			})
		},
	}
}
