package main

import (
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/claimline/claimline/cmd/claimline/screen"
	"github.com/claimline/claimline/cmd/claimline/web/auth"
	"github.com/claimline/claimline/schema"
)

// tokenAnswer is a token as --json shows it. The token itself is there only where it was made.
type tokenAnswer struct {
	Name       string      `json:"name"`
	Role       schema.Role `json:"role"`
	CreatedAt  *time.Time  `json:"created_at"`
	CreatedBy  string      `json:"created_by"`
	LastUsedAt *time.Time  `json:"last_used_at"`
	ExpiresAt  *time.Time  `json:"expires_at"`
	Token      string      `json:"token,omitempty"`
}

func answerOf(t schema.Token) tokenAnswer {
	return tokenAnswer{
		Name: t.Name, Role: t.Role, CreatedAt: schema.Moment(t.CreatedAt), CreatedBy: t.CreatedBy, LastUsedAt: schema.Moment(t.LastUsedAt),
		ExpiresAt: schema.Moment(t.ExpiresAt),
	}
}

func (a *app) tokenCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "token",
		Short: "Create, list and revoke tokens, with which programs and people use the service",
		Example: `  claimline token create --org acme --role operator --name nightly
  claimline token list --org acme`,
		Args: cobra.ArbitraryArgs,
		RunE: groupOnly,
	}
	cmd.AddCommand(a.tokenCreateCommand(), a.tokenListCommand(), a.tokenRevokeCommand())
	return cmd
}

func (a *app) tokenCreateCommand() *cobra.Command {
	var role, name, expires string
	cmd := &cobra.Command{
		Use:   "create --role ROLE",
		Short: "Make a token for the service, and print it, once",
		Long: `Makes a token for the service, and prints it. It is for your organization alone. It is printed once: what is kept tells
whether a token is right, and not what it was.

  viewer    looks
  operator  claims, imports, retracts and removes too
  admin     changes settings, domains and schedules too`,
		Example: `  claimline token create --org acme --role operator --name nightly
  claimline token create --org acme --role viewer --expires 90d`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			roles := names(schema.Roles)
			if role == "" {
				return usage("Nothing says what the token may do.").WithFix("Add --role viewer, operator or admin.")
			}
			if !slices.Contains(roles, role) {
				return notOneOf("--role", role, roles)
			}
			made := schema.Token{Role: schema.Role(role), CreatedAt: a.now(), CreatedBy: byTerminal()}
			if cmd.Flags().Changed("expires") {
				span, ok := schema.ParseSpan(expires)
				if !ok || span <= 0 {
					return usage("--expires %q is no length of time.", expires).WithFix("Write days or hours, as in --expires 90d or --expires 36h.")
				}
				made.ExpiresAt = a.now().Add(span)
			}
			if cmd.Flags().Changed("name") && name == "" {
				return usage("--name is blank.").WithFix("Leave it out, or write a name, as in --name nightly.")
			}
			return a.withOrganization(cmd.Context(), writes, func(p *session, organization schema.Organization) error {
				made.OrganizationID, made.Name = organization.ID, name
				made, token, err := auth.Create(cmd.Context(), p.Store, made)
				if err != nil {
					return err
				}
				a.say("The token %q is for %s, as %s. It is shown this once:", made.Name, schema.Printable(organization.ID), made.Role)
				if a.flags.json {
					answer := answerOf(made)
					answer.Token = token
					return a.answer(answer)
				}
				return a.printLine(token)
			})
		},
	}
	cmd.Flags().StringVar(&role, "role", "", "viewer, operator or admin")
	cmd.Flags().StringVar(&name, "name", "", "what the token is called in lists, and in what is done with it (default: the role and a number)")
	cmd.Flags().StringVar(&expires, "expires", "", "for how long it is valid, as 90d or 36h (default: until it is revoked)")
	return cmd
}

// names returns the words that values are.
func names[T ~string](values []T) []string {
	list := make([]string, len(values))
	for i, value := range values {
		list[i] = string(value)
	}
	return list
}

func (a *app) tokenListCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "List the tokens of your organization, which are not shown themselves",
		Example: `  claimline token list --org acme`,
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withOrganization(cmd.Context(), reads, func(p *session, organization schema.Organization) error {
				list, err := p.Store.Tokens(cmd.Context(), organization.ID)
				if err != nil {
					return err
				}
				answers := make([]tokenAnswer, len(list))
				for i, token := range list {
					answers[i] = answerOf(token)
				}
				if a.flags.json {
					return a.answer(answers)
				}
				if len(answers) == 0 {
					a.say("There are no tokens yet. Make one: claimline token create --role viewer")
					return nil
				}
				t := screen.NewTable(screen.Text("Name"), screen.Whole("Role"), screen.When("Created"), screen.Text("By"), screen.When("Last used"), screen.When("Expires"))
				for _, token := range answers {
					err := t.Add(schema.Printable(token.Name), string(token.Role), screen.Stamp(token.CreatedAt), schema.Printable(token.CreatedBy),
						screen.Stamp(token.LastUsedAt), screen.Stamp(token.ExpiresAt))
					if err != nil {
						return err
					}
				}
				return a.writeTable(a.stdout, t)
			})
		},
	}
}

func (a *app) tokenRevokeCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "revoke NAME",
		Short:   "Revoke a token: it is refused from now on",
		Example: `  claimline token revoke --org acme nightly`,
		Args:    oneArg("name"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withOrganization(cmd.Context(), writes, func(p *session, organization schema.Organization) error {
				if err := p.Store.RevokeToken(cmd.Context(), organization.ID, args[0]); err != nil {
					return err
				}
				a.say("The token %q is revoked.", schema.Printable(args[0]))
				return nil
			})
		},
	}
}
