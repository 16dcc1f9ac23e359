package main

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/pipeline/people"
	"github.com/claimline/claimline/pipeline/report"
	"github.com/claimline/claimline/pipeline/usersfile"
	"github.com/claimline/claimline/schema"
)

// byHand is the file of a claim by hand, in plans and in the list of imports.
const byHand = "claim by hand"

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
			order := schema.Order{Organization: a.config.Org, NoEdits: reading.noEdits}
			if order.ActivationEmails, err = parseMails(mails); err != nil {
				return err
			}
			persons := usersfile.ParsePeople(args...)
			if err := a.checkPeople(cmd, persons, listed, narrowed); err != nil {
				return err
			}
			return a.withOrganization(cmd.Context(), writes, func(p *session, organization schema.Organization) error {
				assigned, err := findServices(cmd.Context(), p, organization.ID, services)
				if schema.CodeOf(err) == schema.CodeServiceUnknown {
					return usageError{err}
				}
				if err != nil {
					return err
				}
				if listed {
					if persons, err = listedPeople(cmd.Context(), p, organization, narrowed); err != nil {
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

// listedPeople returns the users that eligible lists, refused where it cannot list them all (see R14).
func listedPeople(ctx context.Context, p *session, organization schema.Organization, selection people.Selection) ([]usersfile.Person, error) {
	if err := claim.CheckMayClaim(&organization); err != nil {
		return nil, err
	}
	list, more, err := p.people.FirstEligible(ctx, organization.ID, selection, p.Policy.ScreenLimit)
	if err != nil {
		return nil, err
	}
	if more {
		total, err := p.people.CountEligible(ctx, organization.ID, selection)
		if err != nil {
			return nil, err
		}
		return nil, claim.CheckListed(max(total, len(list)+1), p.Policy)
	}
	persons := make([]usersfile.Person, len(list))
	for i, e := range list {
		persons[i].Email = e.User.Email
	}
	return persons, nil
}

// nobodyListed answers where there is nobody to claim.
func (a *app) nobodyListed(p *session, order schema.Order, flags importFlags) error {
	a.say("Nobody can be claimed. To learn why for one address: claimline eligible --why ADDRESS")
	if flags.format != formatJSON {
		return nil
	}
	plan := schema.Plan{File: byHand}
	summary := plan.Summary(order, p.Now(), p.Now())
	summary.DryRun = false // it was meant
	return a.answer(summary)
}

// findServices finds the services by name, whatever the case. Refused with CodeServiceUnknown.
func findServices(ctx context.Context, p *session, organization string, names []string) ([]string, error) {
	if len(names) == 0 {
		return nil, nil
	}
	known, err := p.people.Services(ctx, organization)
	if err != nil {
		return nil, err
	}
	var found []string
	for _, name := range names {
		i := slices.IndexFunc(known, func(service string) bool { return schema.SameHeader(service, name) })
		if i < 0 {
			refused := schema.Refuse(schema.CodeServiceUnknown, "Your organization has no service %q.", name)
			if near, ok := schema.Nearest([]string{name}, known); ok {
				return nil, refused.WithFix("Did you mean --service %q?", near)
			}
			if len(known) == 0 {
				return nil, refused.WithFix("Leave out --service: there are no services to assign.")
			}
			return nil, refused.WithFix("The services are: %s.", strings.Join(known, ", "))
		}
		if !slices.Contains(found, known[i]) {
			found = append(found, known[i])
		}
	}
	return found, nil
}

func (a *app) claimPeople(ctx context.Context, p *session, organization schema.Organization, persons []usersfile.Person, services []string, order schema.Order, flags importFlags) (err error) {
	source, err := usersfile.HandSource(byHand, persons, services)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	if flags.format == formatText && len(flags.only) == 0 { // they are few: of each that is not claimed it is said why
		flags.only = []string{report.OnlyProblems}
	}
	return a.runImport(ctx, p, organization, source, order, flags)
}
