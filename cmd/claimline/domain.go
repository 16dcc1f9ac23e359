package main

import (
	"slices"

	"github.com/spf13/cobra"
	"golang.org/x/net/idna"

	"github.com/claimline/claimline/cmd/claimline/screen"
	"github.com/claimline/claimline/pipeline/domains"
	"github.com/claimline/claimline/schema"
)

// domainAnswer is a domain as --json shows it.
type domainAnswer struct {
	Domain string              `json:"domain"`
	Status schema.DomainStatus `json:"status"`
	Record string              `json:"record,omitempty"` // of a pending domain: the TXT record to publish
}

func (a *app) domainCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "domain",
		Short: "List, verify, claim and release e-mail domains",
		Example: `  claimline domain list --org acme
  claimline domain claim --org acme acme.test`,
		Args: cobra.ArbitraryArgs,
		RunE: groupOnly,
	}
	cmd.AddCommand(a.domainListCommand(), a.domainVerifyCommand(), a.domainClaimCommand(), a.domainReleaseCommand())
	return cmd
}

func (a *app) domainListCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "List the domains of your organization",
		Example: `  claimline domain list --org acme`,
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withOrganization(cmd.Context(), reads, func(p *session, organization schema.Organization) error {
				held, err := p.Store.Domains(cmd.Context(), organization.ID)
				if err != nil {
					return err
				}
				answers := make([]domainAnswer, len(held))
				for i, d := range held {
					answers[i] = domainAnswer{Domain: d.Domain, Status: d.Status}
				}
				if a.flags.json {
					return a.answer(answers)
				}
				if len(answers) == 0 {
					a.say("Your organization has no domains yet. Verify one: claimline domain verify DOMAIN")
					return nil
				}
				t := screen.NewTable(screen.Address("Domain"), screen.Whole("Status"))
				for _, d := range answers {
					if err := t.Add(domainName(d.Domain), string(d.Status)); err != nil {
						return err
					}
				}
				return a.writeTable(a.stdout, t)
			})
		},
	}
}

// domainName returns a domain with, where it has one, its form in other letters.
func domainName(key string) string {
	if unicode, err := idna.Lookup.ToUnicode(key); err == nil && unicode != key {
		return key + " (" + schema.Printable(unicode) + ")"
	}
	return key
}

// onDomain makes a command that works on one domain.
func (a *app) onDomain(cmd *cobra.Command, work func(cmd *cobra.Command, p *session, organization schema.Organization, domain string) error) *cobra.Command {
	cmd.Args = oneArg("domain")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		domain, err := parseDomain(args[0])
		if err != nil {
			return err
		}
		return a.withOrganization(cmd.Context(), writes, func(p *session, organization schema.Organization) error {
			return work(cmd, p, organization, domain)
		})
	}
	return cmd
}

func parseDomain(name string) (string, error) {
	domain, ok := schema.DomainKey(name)
	if !ok {
		return "", schema.Refuse(schema.CodeDomainInvalid, "%q is not a domain name.", name)
	}
	return domain, nil
}

func (a *app) domainVerifyCommand() *cobra.Command {
	return a.onDomain(&cobra.Command{
		Use:   "verify DOMAIN",
		Short: "Prove that a domain is yours, by a record in DNS",
		Long: `Prints the TXT record to publish in DNS for the domain, and looks for it. Once it is there, the domain is verified.
Until then the domain is pending: run the command again after publishing the record.`,
		Example: `  claimline domain verify --org acme acme.example`,
	}, func(cmd *cobra.Command, p *session, organization schema.Organization, domain string) error {
		held, err := domains.BeginVerification(cmd.Context(), p.Store, organization.ID, domain)
		if err != nil {
			return err
		}
		if held.Status == schema.DomainPending {
			if err := a.showRecord(held); err != nil {
				return err
			}
			resolver := domains.Resolver{Address: a.config.Resolver, Timeout: a.config.ResolverTimeout}
			if held, err = domains.Verify(cmd.Context(), p.Store, held, resolver); err != nil {
				return a.stillPending(held, err)
			}
		}
		return a.showDomain(held, "%s is verified. Its users can be claimed: claimline eligible --domain %s", held.Domain, held.Domain)
	})
}

// showRecord prints the record to publish; with --json the answer holds it.
func (a *app) showRecord(pending schema.Domain) error {
	if a.flags.json {
		return nil
	}
	a.say("Publish this TXT record in the DNS of %s:", domainName(pending.Domain))
	return a.printLine(domains.TXTRecord(pending))
}

// stillPending answers, with --json, with the record as well as with the error.
func (a *app) stillPending(pending schema.Domain, err error) error {
	if a.flags.json {
		answer := domainAnswer{Domain: pending.Domain, Status: pending.Status, Record: domains.TXTRecord(pending)}
		if writeErr := a.answer(answer); writeErr != nil {
			return writeErr
		}
	}
	return err
}

// showDomain answers with a domain: as JSON, or in the words given.
func (a *app) showDomain(held schema.Domain, format string, args ...any) error {
	if a.flags.json {
		return a.answer(domainAnswer{Domain: held.Domain, Status: held.Status})
	}
	a.say(format, args...)
	return nil
}

func (a *app) domainClaimCommand() *cobra.Command {
	var yes bool
	cmd := a.onDomain(&cobra.Command{
		Use:   "claim DOMAIN",
		Short: "Claim a verified domain, so that no other organization can claim its users",
		Long: `Claims a domain that your organization has verified. Other organizations can then claim neither it nor its users.
It ends retracting: claims on users of the domain cannot be taken back until it is released. At a terminal it asks before.`,
		Example: `  claimline domain claim --org acme acme.test`,
	}, func(cmd *cobra.Command, p *session, organization schema.Organization, domain string) error {
		ends, err := p.people.RetractableIn(cmd.Context(), organization.ID, domain)
		if err != nil {
			return err
		}
		list, err := p.Store.Domains(cmd.Context(), organization.ID)
		if err != nil {
			return err
		}
		verified := slices.ContainsFunc(list, func(d schema.Domain) bool { return d.Domain == domain && d.Status == schema.DomainVerified })
		can := schema.SayCount(ends, "%s claim on its users that can be retracted now cannot be then", "%s claims on its users that can be retracted now cannot be then")
		if err := a.agrees(cmd.Context(), yes || !verified, "Claim %s? No other organization can claim its users then; %s.", domainName(domain), can); err != nil {
			return err
		}
		held, err := domains.Claim(cmd.Context(), p.Store, organization.ID, domain)
		if err != nil {
			return err
		}
		return a.showDomain(held, `%s is claimed: no other organization can claim its users.
Claims on its users, %s of which could be until now, can no longer be retracted. To retract one, release the domain first: claimline domain release %s`,
			held.Domain, schema.Number(ends), held.Domain)
	})
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return cmd
}

func (a *app) domainReleaseCommand() *cobra.Command {
	return a.onDomain(&cobra.Command{
		Use:     "release DOMAIN",
		Short:   "Undo the claim of a domain; it stays verified",
		Example: `  claimline domain release --org acme acme-labs.example`,
	}, func(cmd *cobra.Command, p *session, organization schema.Organization, domain string) error {
		held, err := domains.Release(cmd.Context(), p.Store, organization.ID, domain)
		if err != nil {
			return err
		}
		return a.showDomain(held, "%s is released, and still verified. Other organizations that have verified it can claim its users now.", held.Domain)
	})
}
