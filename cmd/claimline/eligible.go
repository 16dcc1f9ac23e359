package main

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/claimline/claimline/cmd/claimline/screen"
	"github.com/claimline/claimline/pipeline/people"
	"github.com/claimline/claimline/pipeline/usersfile"
	"github.com/claimline/claimline/schema"
)

func (a *app) eligibleCommand() *cobra.Command {
	var selection selectionFlags
	var why bool
	cmd := &cobra.Command{
		Use:   "eligible",
		Short: "List the users that can be claimed, or why one cannot be",
		Long: `Lists the users that can be claimed now: the first of them, and how many there are. For all of them, export a CSV file.
With --why it answers for the addresses given: whether each can be claimed, why not, and what would change it.`,
		Example: `  claimline eligible --org acme
  claimline eligible --org acme --domain acme.example --type delayed
  claimline eligible --org acme --why adam.ahmed@acme.example ann@ett.example`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			narrowed, err := selection.selection()
			if err != nil {
				return err
			}
			persons := usersfile.ParsePeople(args...)
			switch {
			case !why && len(args) > 0:
				return usage("%s takes addresses only with --why.", cmd.CommandPath()).WithFix("Write: %s --why %s.", cmd.CommandPath(), args[0])
			case why && len(persons) == 0:
				return usage("--why needs an address.").WithFix("Write: %s --why ADDRESS.", cmd.CommandPath())
			case why && narrowed != (people.Selection{}):
				return usage("--why answers for any address; --domain and --type mean nothing to it.").WithFix("Leave them out.")
			}
			return a.withOrganization(cmd.Context(), reads, func(p *session, organization schema.Organization) error {
				defer a.warnDirectorySync(organization)
				if why {
					addresses := make([]string, len(persons))
					for i, person := range persons {
						addresses[i] = person.Email
					}
					answers, err := p.people.Explain(cmd.Context(), organization.ID, addresses)
					if err != nil {
						return err
					}
					return a.showAnswers(answers)
				}
				if a.flags.json {
					list, err := p.people.ListEligible(cmd.Context(), organization.ID, narrowed, p.Policy.ScreenLimit)
					if err != nil {
						return err
					}
					return a.answer(list)
				}
				list, more, err := p.people.FirstEligible(cmd.Context(), organization.ID, narrowed, p.Policy.ScreenLimit)
				if err != nil {
					return err
				}
				return a.showEligible(list, selection.words(), func() (int, error) {
					if !more {
						return len(list), nil
					}
					return p.people.CountEligible(cmd.Context(), organization.ID, narrowed)
				})
			})
		},
	}
	selection.add(cmd)
	cmd.Flags().BoolVar(&why, "why", false, "say of each address given whether it can be claimed, and why not")
	return cmd
}

// showEligible lists the first eligible users, and then says how many there are; words are the flags that
// narrowed the list, for the next command.
func (a *app) showEligible(list []people.Eligible, words []string, count func() (total int, err error)) error {
	if len(list) == 0 {
		if err := a.printLine(a.language().Say("Nobody can be claimed.")); err != nil {
			return err
		}
		a.say("To learn why for one address: claimline eligible --why ADDRESS")
		return nil
	}
	t := screen.NewTable(screen.Address("Address"), screen.Text("Name"), screen.Whole("Status"), screen.Whole("Claim"), screen.Text("Organization"))
	for _, e := range list {
		name := e.User.FullName()
		if err := t.Add(schema.Printable(e.User.Email), schema.Printable(name), string(e.User.Status), string(e.Type), schema.Printable(e.Organization.Name)); err != nil {
			return err
		}
	}
	if err := a.writeTable(a.stdout, t); err != nil {
		return err
	}
	total, err := count()
	if err != nil {
		return err
	}
	if total > len(list) {
		if err := a.printLine(a.language().Say("These are %s of %s that can be claimed.", schema.Number(len(list)), users(total))); err != nil {
			return err
		}
		a.say("For all of them: %s", a.command(append([]string{"export", "-o", "users.csv"}, words...)...))
		return nil
	}
	if err := a.printLine(a.language().Count(total, "%s user can be claimed.", "%s users can be claimed.")); err != nil {
		return err
	}
	a.say("Claim them: %s", a.command(append([]string{"claim", "--listed"}, words...)...))
	return nil
}

func (a *app) showAnswers(answers []people.Eligibility) error {
	if a.flags.json {
		return a.answer(answers)
	}
	l := a.language()
	var lines []string
	for _, answer := range answers {
		email := schema.Printable(answer.Email)
		if answer.Eligible {
			lines = append(lines, l.Say("%s: can be claimed (%s)", email, answer.Type))
		} else {
			lines = append(lines, l.Say("%s: cannot be claimed", email))
		}
		for _, code := range slices.Concat(answer.Reasons, answer.Warnings) {
			message := code.Wrong("")
			if code == schema.CodeDomainVerifiedElsewhere {
				message = code.Wrong(answer.Elsewhere)
			}
			lines = append(lines, fmt.Sprintf("  %s: %s", code, message.In(l)), "    "+fixFor(code, answer.Email).In(l))
		}
	}
	return a.writeLines(lines...)
}

// fixFor returns a code's fix with the domain of the address it is about.
func fixFor(code schema.Code, address string) schema.Text {
	if key, problem := schema.ParseAddress(address); problem == "" {
		return code.Cure(schema.KeyDomain(key))
	}
	return code.Cure()
}
