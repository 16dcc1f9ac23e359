package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/pipeline/people"
	"github.com/claimline/claimline/pipeline/report"
	"github.com/claimline/claimline/pipeline/usersfile"
	"github.com/claimline/claimline/schema"
)

func (a *app) claimCommand() *cobra.Command {
	var flags importFlags
	var selection selectionFlags
	var listed bool
	var services []string
	var mails string
	var reading readingFlags
	cmd := &cobra.Command{
		Use:   "claim ADDRESS...",
		Short: "Claim a few users by hand",
		Long: `Claims a few users by hand: plans it, shows the plan, asks, claims, and reports every user, as import does with a file.
A name given with an address becomes the account's name. With --listed it claims the users that eligible lists.`,
		Example: `  claimline claim --org acme --accept-permanent adam.ahmed@acme.example
  claimline claim --org acme --accept-permanent --service "Webex Meetings" \
    "Stina Dahl <stina.dahl@partner.example>"
  claimline claim --org acme --accept-permanent --listed --domain acme.test`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := flags.check(a.flags.json, reportFormats...); err != nil {
				return err
			}
			narrowed, err := selection.selection()
			if err != nil {
				return err
			}
			order := schema.Order{Organization: a.config.Org, NoEdits: reading.NoEdits}
			if order.ActivationEmails, err = parseMails(mails); err != nil {
				return err
			}
			persons := usersfile.ParsePeople(args...)
			if err := a.checkPeople(cmd, persons, listed, narrowed); err != nil {
				return err
			}
			return a.withOrganization(cmd.Context(), writes, func(p *session, organization schema.Organization) error {
				assigned, err := p.people.FindServices(cmd.Context(), organization.ID, services, "--service ")
				if schema.CodeOf(err) == schema.CodeServiceUnknown {
					return usageError{err}
				}
				if err != nil {
					return err
				}
				if listed {
					if persons, err = p.people.Listed(cmd.Context(), organization.ID, narrowed); err != nil {
						return err
					}
					if len(persons) == 0 {
						return a.nobodyListed(p, order, flags)
					}
				}
				return a.claimPeople(cmd.Context(), p, organization, persons, assigned, order, flags)
			})
		},
	}
	flags.add(cmd)
	reading.addNoEdits(cmd)
	selection.add(cmd)
	cmd.Flags().BoolVar(&listed, "listed", false, "claim all users that eligible lists")
	cmd.Flags().StringArrayVar(&services, "service", nil, "`service` to assign; repeat the flag for more")
	cmd.Flags().StringVar(&mails, "activation-emails", "", "on or off, for these claims (default: as the organization has it)")
	return cmd
}

// checkPeople refuses what no claim by hand can be (see R14).
func (a *app) checkPeople(cmd *cobra.Command, persons []usersfile.Person, listed bool, narrowed people.Selection) error {
	switch {
	case listed && len(persons) > 0:
		return usage("--listed claims the users that eligible lists, and takes no addresses.").WithFix("Leave out the addresses, or --listed.")
	case !listed && narrowed != (people.Selection{}):
		return usage("--domain and --type narrow what --listed claims.").WithFix("Leave them out, or add --listed.")
	case !listed && len(persons) == 0:
		return usage("%s needs an address.", cmd.CommandPath()).WithFix("Write: %s ann@acme.example.", cmd.CommandPath())
	}
	return claim.CheckByHand(len(persons), a.config.Policy)
}

// nobodyListed answers where there is nobody to claim.
func (a *app) nobodyListed(p *session, order schema.Order, flags importFlags) error {
	a.say("Nobody can be claimed. To learn why for one address: claimline eligible --why ADDRESS")
	if flags.format != formatJSON {
		return nil
	}
	plan := schema.Plan{File: schema.ByHand}
	summary := plan.Summary(order, p.Now(), p.Now())
	summary.DryRun = false // it was meant
	return a.answer(summary)
}

func (a *app) claimPeople(ctx context.Context, p *session, organization schema.Organization, persons []usersfile.Person, services []string, order schema.Order, flags importFlags) (err error) {
	source, err := usersfile.HandSource(schema.ByHand, persons, services)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	if flags.format == formatText && len(flags.only) == 0 { // they are few: of each that is not claimed it is said why
		flags.only = []string{report.OnlyProblems}
	}
	return a.runImport(ctx, p, organization, source, order, flags)
}
