package main

import (
	"bytes"
	"cmp"
	"context"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/claimline/claimline/cmd/claimline/screen"
	"github.com/claimline/claimline/pipeline"
	"github.com/claimline/claimline/pipeline/people"
	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/pipeline/words"
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

// retractReason reports whether a code is a reason not to retract (see R22): an answer, and not a failure.
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
		plan, err := p.people.PlanRetract(ctx, imp.OrganizationID, id)
		if err != nil {
			return err
		}
		answered := yes || dryRun || plan.Plan.Can == 0
		if !a.flags.json || !answered && a.asks() {
			a.tellRetract(id, plan.Plan)
		}
		if err := a.agrees(ctx, answered, "Retract %s?", users(plan.Plan.Can)); err != nil {
			return err
		}
		run := retractRun{plan: plan, dryRun: dryRun}
		if a.flags.json {
			err = a.writeOutput("", func(to io.Writer) error { return run.writeJSON(ctx, to) })
		} else {
			err = run.each(ctx, run.printTo(a.stdout, a.language()))
		}
		return a.endRetract(id, &run, err)
	})
}

// retractRun is the retract of an import under way. The work is done whole, whatever becomes of its answer.
type retractRun struct {
	plan               *people.ImportRetract
	dryRun             bool
	retracted, refused int
	trouble            error // with the work
	unwritten          error // with the answer
}

// each does the work, and hands over what became of the claims, page by page. It returns trouble with the
// work.
func (r *retractRun) each(ctx context.Context, each func([]schema.Retraction) error) error {
	setGCPercent(streamPercent)
	defer setGCPercent(gcPercent)
	for {
		page, err := r.plan.Next(ctx, r.dryRun)
		for i := range page {
			if page[i].Retracted {
				r.retracted++
			} else {
				r.refused++
			}
		}
		if r.unwritten == nil && len(page) > 0 {
			r.unwritten = each(page)
		}
		if err != nil || len(page) == 0 {
			r.trouble = err
			return err
		}
	}
}

// printTo returns what writes pages as lines.
func (r *retractRun) printTo(to io.Writer, l words.Language) func([]schema.Retraction) error {
	return func(page []schema.Retraction) error {
		var lines bytes.Buffer
		for i := range page {
			lines.WriteString(r.line(l, page[i]) + "\n")
		}
		if _, err := to.Write(lines.Bytes()); err != nil {
			return unwritable(schema.Word("The answer"), err)
		}
		return nil
	}
}

// writeJSON does the work, and writes what became of the claims as one list.
func (r *retractRun) writeJSON(ctx context.Context, to io.Writer) error {
	return writeList(to, func(each func(schema.Retraction) error) error {
		err := r.each(ctx, func(page []schema.Retraction) error {
			for i := range page {
				if err := each(page[i]); err != nil {
					return err
				}
			}
			return nil
		})
		return cmp.Or(err, r.unwritten)
	})
}

// endRetract says how the retract of an import ended; err is of the work, or of delivering the answer.
func (a *app) endRetract(id int64, run *retractRun, err error) error {
	number := strconv.FormatInt(id, 10)
	if run.trouble != nil {
		if run.retracted > 0 && !run.dryRun {
			a.say("Retracted %s of %s before it stopped. For the rest: %s", schema.Number(run.retracted), users(run.plan.Plan.Can), a.command("retract", "--import", number))
		}
		return run.trouble
	}
	if run.refused > 0 {
		a.exit = exitProblems
	}
	for _, domain := range run.plan.Plan.Domains {
		a.say("%s is claimed. To retract its users: %s", domain, a.withGlobals(people.ReleaseAndRetract(domain, "--import "+number).In(a.language())))
	}
	if !a.flags.json && !run.dryRun { // else what was said before still holds
		a.say("Retracted %s; %s could not be retracted.", users(run.retracted), schema.Number(run.refused))
	}
	if err = cmp.Or(run.unwritten, err); err != nil && !run.dryRun {
		// Without its cause, for a reader that has had enough must be told, too, that all of it was done.
		return schema.Refuse(schema.CodeOutputUnwritable, "%s retracted, but: %s", have(run.retracted), troubleText(err)).
			WithFix("Nothing needs to be retracted again. To see how the claims stand: %s.", commandLine("retract", "--import", number, "--dry-run"))
	}
	return err
}

// tellRetract says before anything is done what will be.
func (a *app) tellRetract(id int64, n store.Retractable) {
	cannot := 0
	for _, count := range n.Cannot {
		cannot += count
	}
	a.say("Import %d: %s can be retracted, %s cannot.", id, users(n.Can), schema.Number(cannot))
	for _, code := range screen.ByCount(n.Cannot) {
		a.say("  %-26s %6s  %s", code, a.number(n.Cannot[code]), code.Wrong(""))
	}
}

func (r *retractRun) line(l words.Language, claim schema.Retraction) string {
	email := schema.Printable(first(claim.Email, l.Say("(account gone)")))
	switch {
	case !claim.Retracted:
		return l.Say("%s: no: %s", email, claim.Reason)
	case r.dryRun:
		return l.Say("%s: would be retracted", email)
	}
	return l.Say("%s: retracted", email)
}
