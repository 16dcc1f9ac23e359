package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/claimline/claimline/cmd/claimline/screen"
	"github.com/claimline/claimline/pipeline"
	"github.com/claimline/claimline/pipeline/people"
	"github.com/claimline/claimline/schema"
)

func (a *app) retractCommand() *cobra.Command {
	var importID string
	var dryRun, yes bool
	cmd := &cobra.Command{
		Use:   "retract ADDRESS | --import ID",
		Short: "Take a claim back: the user is again what it was before",
		Long: `Takes a claim back, within 14 days and as long as the owner has not signed in: the user is again what it was in the original
organization. With --import it takes back every claim of an import that can be, one by one, and says so of each; at a
terminal it asks before.`,
		Example: `  claimline retract --org acme dalia.haggstrom@acme.example
  claimline retract --import 1 --dry-run
  claimline retract --import 1`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if importID == "" {
				if dryRun {
					return usage("--dry-run is for --import.").WithFix("To see whether one user can be retracted: claimline users --retractable.")
				}
				if err := oneArg("address")(cmd, args); err != nil {
					return err
				}
				return a.retractOne(cmd.Context(), args[0])
			}
			if len(args) > 0 {
				return usage("--import retracts the users of an import, and takes no address.").WithFix("Leave out the address, or --import.")
			}
			return a.retractImport(cmd.Context(), importID, dryRun, yes)
		},
	}
	cmd.Flags().StringVar(&importID, "import", "", "id of an import, to take back all its claims")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "with --import: say what would happen, and change nothing")
	cmd.Flags().BoolVar(&yes, "yes", false, "with --import: do not ask")
	return cmd
}

// retractOne retracts one claim; with --json a refusal is answered as well as told.
func (a *app) retractOne(ctx context.Context, address string) error {
	return a.withOrganization(ctx, writes, func(p *session, organization schema.Organization) error {
		address = strings.TrimSpace(address)
		refused := p.people.Retract(ctx, organization.ID, address)
		result := schema.Retraction{Email: address, Retracted: refused == nil}
		if refused != nil {
			if result.Reason = schema.CodeOf(refused); !retractReason(result.Reason) {
				return refused
			}
		}
		if a.flags.json {
			if err := a.answer([]schema.Retraction{result}); err != nil {
				return err
			}
		} else if refused == nil {
			a.say("The claim on %s is retracted: the user is what it was.", schema.Printable(address))
		}
		return refused
	})
}

// retractReason reports whether a code is one of R22: an answer, and not a failure.
func retractReason(code schema.Code) bool {
	switch code {
	case schema.CodeUserNotFound, schema.CodeNotClaimed, schema.CodeNotClaimingOrg, schema.CodeClaimClosed, schema.CodeUserSignedIn,
		schema.CodeRetractWindowPassed, schema.CodeDomainClaimed:
		return true
	}
	return false
}

func (a *app) retractImport(ctx context.Context, importID string, dryRun, yes bool) error {
	id, err := pipeline.ParseImportID(importID)
	if err != nil {
		return err
	}
	how := writes
	if dryRun {
		how = reads
	}
	return a.withStore(ctx, how, func(p *session) error {
		imp, err := a.importOf(ctx, p, id)
		if err != nil {
			return err
		}
		results := []schema.Retraction{}
		retracted, refused := 0, 0
		var before people.Retractable
		var unwritten error // the work is done whole, whatever becomes of its answer
		err = p.people.RetractImport(ctx, imp.OrganizationID, id, dryRun, func(n people.Retractable) error {
			before = n
			a.tellRetract(id, n)
			return a.agrees(ctx, yes || dryRun || n.Can == 0, "Retract %s?", users(n.Can))
		}, func(r schema.Retraction) {
			if r.Retracted {
				retracted++
			} else {
				refused++
			}
			if a.flags.json {
				results = append(results, r)
			} else if unwritten == nil {
				unwritten = a.printLine(retractLine(r, dryRun))
			}
		})
		if err != nil {
			if retracted > 0 && !dryRun {
				a.say("Retracted %s of %s before it stopped. For the rest: claimline retract --import %d", screen.Number(retracted), users(before.Can), id)
			}
			return err
		}
		if refused > 0 {
			a.exit = exitProblems
		}
		for _, domain := range before.Domains {
			a.say("%s is claimed. To retract its users: %s", domain, people.ReleaseAndRetract(domain, fmt.Sprintf("--import %d", id)))
		}
		if a.flags.json {
			unwritten = a.answer(results)
		} else if !dryRun { // else what was said before still holds
			a.say("Retracted %s; %s could not be retracted.", users(retracted), screen.Number(refused))
		}
		if unwritten != nil && !dryRun {
			// Without its cause, for a reader that has had enough must be told, too, that all of it was done.
			return schema.Refuse(schema.CodeOutputUnwritable, "%s retracted, but: %s", have(retracted), troubleText(unwritten)).
				WithFix("Nothing needs to be retracted again. To see how the claims stand: claimline retract --import %d --dry-run.", id)
		}
		return unwritten
	})
}

// tellRetract says before anything is done what will be.
func (a *app) tellRetract(id int64, n people.Retractable) {
	cannot := 0
	for _, count := range n.Cannot {
		cannot += count
	}
	a.say("Import %d: %s can be retracted, %s cannot.", id, users(n.Can), screen.Number(cannot))
	for _, code := range screen.ByCount(n.Cannot) {
		a.say("  %-26s %6s  %s", code, screen.Number(n.Cannot[code]), code.Message(""))
	}
}

func retractLine(r schema.Retraction, dryRun bool) string {
	email := schema.Printable(first(r.Email, "(account gone)"))
	switch {
	case !r.Retracted:
		return fmt.Sprintf("%s: no: %s", email, r.Reason)
	case dryRun:
		return email + ": would be retracted"
	}
	return email + ": retracted"
}
