package main

import (
	"context"
	"slices"

	"github.com/spf13/cobra"

	"github.com/claimline/claimline/schema"
)

var choices = []string{string(schema.ChangeEmail), string(schema.TransferContent), string(schema.DeleteAccount)}

func (a *app) decideCommand() *cobra.Command {
	var choice, newEmail string
	cmd := &cobra.Command{
		Use:   "decide ADDRESS --choice CHOICE",
		Short: "Record what the owner of a claimed account has chosen",
		Long: `Records what the owner of a claimed account has chosen, when the choice does not come through the owner's page:

  change_email      keep the old account, under another address (--new-email)
  transfer_content  move the account with its content; delayed claims only
  delete_account    delete the old account and its content

Where the old account does not move, a new, empty one joins. The choice closes the claim, and activates the account. It cannot be taken back.`,
		Example: `  claimline decide --org acme ali.ek@acme.test \
    --choice change_email --new-email ali@home.example
  claimline decide --org acme bjorn.lundqvist@acme.example \
    --choice transfer_content`,
		Args: oneArg("address"),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case choice == "":
				return usage("Nothing says what was chosen.").WithFix("Add --choice change_email, transfer_content or delete_account.")
			case !slices.Contains(choices, choice):
				return notOneOf("--choice", choice, choices)
			case choice == string(schema.ChangeEmail) && newEmail == "":
				return usage("change_email needs the address that the old account is to get.").WithFix("Add --new-email ADDRESS.")
			case choice != string(schema.ChangeEmail) && newEmail != "":
				return usage("--new-email means nothing to %s.", choice).WithFix("Leave it out, or choose change_email.")
			}
			return a.changeOne(cmd.Context(), a.anyOrganization, func(ctx context.Context, p *session, organization string) (schema.Changed, error) {
				return p.people.Decide(ctx, organization, args[0], schema.Choice(choice), newEmail)
			}, func(c schema.Changed) {
				a.say("%s has chosen %s, and is active now.", c.Email, c.Choice)
			})
		},
	}
	cmd.Flags().StringVar(&choice, "choice", "", "change_email, transfer_content or delete_account")
	cmd.Flags().StringVar(&newEmail, "new-email", "", "address that the old account gets; with change_email only")
	return cmd
}

func (a *app) signInCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "signin ADDRESS",
		Short: "Record that the owner of a claimed account has signed in without choosing",
		Long: `Records that the owner of a claimed account has signed in without choosing. The claim stays open, and can no longer be
retracted.`,
		Example: `  claimline signin --org acme dalia.haggstrom@acme.example`,
		Args:    oneArg("address"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.changeOne(cmd.Context(), a.anyOrganization, func(ctx context.Context, p *session, organization string) (schema.Changed, error) {
				return p.people.SignIn(ctx, organization, args[0])
			}, func(c schema.Changed) {
				a.say("%s has signed in: the claim can no longer be retracted.", c.Email)
			})
		},
	}
}

func (a *app) removeCommand() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:   "remove ADDRESS",
		Short: "Remove a member of your organization",
		Long: `Removes a member of your organization. The account is deleted; where your organization has claimed it, and its owner has not
chosen yet, the claim is closed instead, and the account is in its own organization what it was. At a terminal it asks before.`,
		Example: `  claimline remove --org acme josefin.wikstrom@acme.example`,
		Args:    oneArg("address"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.changeOne(cmd.Context(), a.organization, func(ctx context.Context, p *session, organization string) (schema.Changed, error) {
				closes, err := p.people.MayRemove(ctx, organization, args[0])
				if err != nil {
					return schema.Changed{}, err
				}
				removing := "The account is deleted for good."
				if closes {
					removing = "Your claim is closed for good, and the account is in its own organization what it was."
				}
				if err := a.agrees(ctx, yes, "Remove %s? %s", schema.Printable(args[0]), removing); err != nil {
					return schema.Changed{}, err
				}
				return p.people.Remove(ctx, organization, args[0])
			}, func(c schema.Changed) {
				a.say("%s is removed.", c.Email)
			})
		},
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return cmd
}

// changeOne changes one account, and answers with it: as JSON, or by what tell says.
func (a *app) changeOne(ctx context.Context, find finder, change func(context.Context, *session, string) (schema.Changed, error), tell func(schema.Changed)) error {
	return a.withStore(ctx, writes, func(p *session) error {
		organization, err := find(ctx, p.Store)
		if err != nil {
			return err
		}
		changed, err := change(ctx, p, organization.ID)
		if err != nil {
			return err
		}
		if a.flags.json {
			return a.answer(changed)
		}
		changed.Email = schema.Printable(changed.Email)
		tell(changed)
		return nil
	})
}
