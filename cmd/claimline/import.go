package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/claimline/claimline/cmd/claimline/screen"
	"github.com/claimline/claimline/pipeline"
	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/schema"
)

// importFlags are the flags of commands that claim.
type importFlags struct {
	reportFlags
	accept, acceptEdits bool
}

func (f *importFlags) add(cmd *cobra.Command) {
	f.reportFlags.add(cmd)
	cmd.Flags().BoolVar(&f.accept, "accept-permanent", false, "agree, without being asked, that the claims are permanent")
	cmd.Flags().BoolVar(&f.acceptEdits, "accept-edits", false, "agree, without being asked, that many accounts get another name")
}

func (a *app) importCommand() *cobra.Command {
	var flags importFlags
	var reading readingFlags
	var allOrNothing bool
	var workers int
	var mails string
	var notify []string
	cmd := &cobra.Command{
		Use:   "import FILE",
		Short: "Claim the users of a file: plan, show, ask, apply, report",
		Long: `Claims the users of a file: plans it, shows the plan, asks, applies it, and reports every row. FILE may be - for stdin.
A claim is permanent, so somebody has to agree each time. Exit code 3 tells that some rows have problems.`,
		Example: `  claimline import --org acme users.csv
  claimline import --org acme --accept-permanent --format csv \
    -o report.csv users.csv`,
		Args: oneArg("file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := flags.check(a.flags.json, reportFormats...); err != nil {
				return err
			}
			if cmd.Flags().Changed("workers") {
				if workers < 1 {
					return usage("--workers %d is too few: at least one must do the work.", workers).WithFix("Write --workers %d, or leave it out.", a.config.Workers)
				}
				a.config.Workers = workers
			}
			order := schema.Order{Organization: a.config.Org, AllOrNothing: allOrNothing}
			var err error
			if order.ActivationEmails, err = parseMails(mails); err != nil {
				return err
			}
			if order.Notify, err = parseNotify(notify); err != nil {
				return err
			}
			if err := reading.order(cmd, &order); err != nil {
				return err
			}
			defer a.readsStdin(args[0])()
			return a.withOrganization(cmd.Context(), writes, func(p *session, organization schema.Organization) error {
				err := a.withSource(args[0], func(source dialect.Source) error {
					return a.runImport(cmd.Context(), p, organization, source, order, flags)
				})
				return a.tellRefused(cmd.Context(), p, order, args[0], err)
			})
		},
	}
	flags.add(cmd)
	reading.add(cmd)
	cmd.Flags().BoolVar(&allOrNothing, "all-or-nothing", false, "claim nobody if any row has a problem")
	cmd.Flags().IntVar(&workers, "workers", 0, "chunks worked on at once (default: one per processor)")
	cmd.Flags().StringVar(&mails, "activation-emails", "", "on or off, for this import (default: as the organization has it)")
	cmd.Flags().StringArrayVar(&notify, "notify", nil, "`address` that is mailed how it went (repeatable)")
	return cmd
}

// parseNotify reads --notify: addresses, each once.
func parseNotify(values []string) (addresses []string, err error) {
	seen := map[string]bool{}
	for _, value := range values {
		address := strings.TrimSpace(value)
		key, problem := schema.ParseAddress(address)
		if problem != "" {
			return nil, usage("--notify %q is not a valid address.", value).WithFix("Write it as name@example.com, once for each address.")
		}
		if !seen[key] {
			seen[key] = true
			addresses = append(addresses, address)
		}
	}
	return addresses, nil
}

// tellRefused tells those who are to know that an import could not start, and why, and returns the refusal.
func (a *app) tellRefused(ctx context.Context, p *session, order schema.Order, file string, err error) error {
	refused, ok := errors.AsType[*schema.Error](err)
	if !ok || a.importID != 0 || len(order.Notify) == 0 || ctx.Err() != nil || exitCode(err) == exitUsage {
		return err
	}
	switch refused.Code {
	case schema.CodeConsentDeclined, schema.CodeInterrupted, schema.CodeOutputUnwritable:
		return err
	}
	news := schema.News{
		Event: schema.ImportRefused, At: a.now().UTC().Truncate(time.Second), File: file, Code: refused.Code, Message: placed(refused).String(), Fix: refused.Remedy(),
	}
	if tellErr := p.Store.TellNews(ctx, order.Organization, order.Notify, news); tellErr != nil {
		return errors.Join(err, tellErr)
	}
	return err
}

// parseMails reads --activation-emails; blank is as the organization has it.
func parseMails(value string) (*bool, error) {
	switch value {
	case "":
		return nil, nil
	case "on", "off":
		on := value == "on"
		return &on, nil
	}
	return nil, notOneOf("--activation-emails", value, []string{"on", "off"})
}

// ballast returns bytes that are never touched, and so take no memory. The collector counts them, and starts
// half as often: an import takes some more memory whatever the size of the file, and not a byte more with
// every row.
var ballast = sync.OnceValue(func() []byte { return make([]byte, 24<<20) })

// runImport imports one source, after consent. What may keep the report from being written is found before
// anybody is claimed.
func (a *app) runImport(ctx context.Context, p *session, organization schema.Organization, source dialect.Source, order schema.Order, flags importFlags) error {
	ballast()
	if err := a.checkTarget(flags.output, source.Name()); err != nil {
		return err
	}
	watch, clearProgress := a.watch(p)
	defer clearProgress()
	defer a.sayStopping(ctx, clearProgress)()
	if !flags.accept && !a.asks() {
		// Nobody can be asked: show what would be asked about, without writing anything.
		plan, err := p.Validate(ctx, source, order, nil, watch)
		clearProgress()
		if err != nil {
			return err
		}
		if plan.Tally.Outcomes[schema.Ready] > 0 {
			return a.consent(ctx, plan, organization, order, p.Policy, flags)
		}
	}
	order.By, order.Attended = byTerminal(), true
	imp, err := p.Plan(ctx, source, order, watch)
	clearProgress()
	if err != nil {
		return err
	}
	if imp.State == schema.StateAwaitingConsent {
		if imp, err = a.agree(ctx, p, imp, organization, order, flags); err != nil {
			return a.withHint(err, imp)
		}
	}
	return a.finishImport(ctx, p, imp, watch, clearProgress, flags.reportFlags)
}

// agree shows the plan of an import that waits for consent, asks, and does what is answered. An import about
// which nobody can be asked is deleted; Ctrl-C cancels it.
func (a *app) agree(ctx context.Context, p *session, imp schema.Import, organization schema.Organization, order schema.Order, flags importFlags) (schema.Import, error) {
	plan, err := schema.PlanOf(imp)
	if err != nil {
		return imp, err
	}
	err = a.consent(ctx, plan, organization, order, p.Policy, flags)
	whole := context.WithoutCancel(ctx)
	switch code := schema.CodeOf(err); {
	case err == nil:
		a.agreed = a.now()
		return p.Agree(whole, imp.OrganizationID, imp.ID, schema.Consent{
			By: byTerminal(), Claims: plan.Tally.Outcomes[schema.Ready], AcceptEdits: plan.ManyNameEdits(), Attended: true,
		})
	case code == schema.CodeConsentDeclined:
		declined, declineErr := p.Decline(whole, imp.OrganizationID, imp.ID)
		return declined, errors.Join(err, declineErr)
	case code == schema.CodeConsentMissing || code == schema.CodeEditsNotAccepted:
		return schema.Import{}, errors.Join(err, p.Discard(whole, imp.OrganizationID, imp.ID))
	case ctx.Err() != nil:
		return p.Cancel(whole, imp.OrganizationID, imp.ID)
	}
	return imp, err
}

// finishImport drives an import that was agreed to until nothing is left, and answers with it. To interrupt
// the command is to cancel the import.
func (a *app) finishImport(ctx context.Context, p *session, imp schema.Import, watch pipeline.Watch, clearProgress func(), flags reportFlags) error {
	whole := context.WithoutCancel(ctx)
	for more := !imp.State.Ended(); more; {
		var err error
		more, err = p.Step(ctx, imp.ID, 0, watch)
		clearProgress()
		if ctx.Err() != nil && (more || errors.Is(err, ctx.Err())) {
			_, err = p.Cancel(whole, imp.OrganizationID, imp.ID)
			if schema.CodeOf(err) == schema.CodeImportFinished { // somebody else was faster
				err = nil
			}
			more = false
		}
		if err != nil {
			return a.withHint(err, a.found(whole, p, imp))
		}
	}
	imp, err := p.Store.Import(whole, imp.OrganizationID, imp.ID)
	if err != nil {
		return err
	}
	return a.showImport(ctx, p, imp, flags)
}

// found returns an import as it stands after trouble; as far as that can be found out, interrupted.
func (a *app) found(ctx context.Context, p *session, imp schema.Import) schema.Import {
	now, err := p.Store.Import(ctx, imp.OrganizationID, imp.ID)
	if err != nil {
		imp.State = schema.StateInterrupted
		return imp
	}
	return now
}

// consent shows a plan and asks (see R13), a second time where it would replace many names (see R17). Refused
// with CodeConsentDeclined, and where nobody can be asked, with CodeConsentMissing or CodeEditsNotAccepted.
func (a *app) consent(ctx context.Context, plan *schema.Plan, organization schema.Organization, order schema.Order, policy schema.Policy, flags importFlags) error {
	if asks := !flags.accept && a.asks(); asks || !a.flags.quiet && !a.flags.json {
		if err := a.writePlan(a.stderr, a.page(a.stderr), plan, organization, order, policy); err != nil {
			return err
		}
	}
	edits := plan.ManyNameEdits() && !flags.acceptEdits
	if !a.asks() {
		return notAsked(plan, flags.accept, edits)
	}
	if !flags.accept {
		agreed, err := a.agreesTo(ctx, plan.Tally.Outcomes[schema.Ready], "Type the number of users to claim them for good")
		if err != nil {
			return err
		}
		if !agreed {
			return schema.Refuse(schema.CodeConsentDeclined, "")
		}
	}
	if edits {
		agreed, err := a.agreesTo(ctx, plan.NameEdits, "Type the number of users who get another name to accept that")
		if err != nil {
			return err
		}
		if !agreed {
			return schema.Refuse(schema.CodeConsentDeclined, "Nobody agreed to the new names, so nobody was claimed.").
				WithFix("Correct the names and import the file again, or claim and leave the accounts' data alone: --no-edits.")
		}
	}
	return nil
}

// notAsked refuses what nobody has agreed to and nobody can be asked about.
func notAsked(plan *schema.Plan, accepted, edits bool) error {
	ready := plan.Tally.Outcomes[schema.Ready]
	names := schema.Say("%s of %s would get another name", schema.Number(plan.NameEdits), users(ready))
	switch {
	case !accepted && edits:
		return schema.Refuse(schema.CodeConsentMissing, "%s would be claimed, and %s. A claim is permanent, and nobody has agreed to it.", users(ready), names).
			WithFix("Look at the plan, then run the same command with --accept-permanent and --accept-edits, or, to leave the accounts' data alone, --no-edits.")
	case !accepted:
		return schema.Refuse(schema.CodeConsentMissing, "%s would be claimed. A claim is permanent, and nobody has agreed to it.", users(ready))
	case edits:
		return schema.Refuse(schema.CodeEditsNotAccepted, "%s, and nobody has agreed to that.", names)
	}
	return nil
}

// tellTrouble says what an import waits for, once for each kind of trouble.
func (a *app) tellTrouble(retry time.Duration, clearProgress func()) func(error, time.Duration) {
	var told schema.Code
	return func(err error, _ time.Duration) {
		code := schema.CodeOf(err)
		if code == told {
			return
		}
		told = code
		clearProgress()
		a.say("%s Trying again for %s; if that does not help, the import stops, and can be resumed.", troubleText(err), retry)
	}
}

// troubleText returns what is wrong, in a sentence.
func troubleText(err error) schema.Text {
	refused, ok := errors.AsType[*schema.Error](err)
	if !ok {
		return schema.CodeInternal.Wrong("")
	}
	said, _ := refused.Told()
	return said
}

// sayStopping tells somebody at the terminal, once the context ends, that what is in hand is finished first.
// It has said so, or never will, once stop returns.
func (a *app) sayStopping(ctx context.Context, clearProgress func()) (stop func()) {
	said := make(chan struct{})
	unregister := context.AfterFunc(ctx, func() {
		defer close(said)
		if a.terminal(a.stderr) {
			clearProgress()
			a.say("Stopping after what is in hand. Press Ctrl-C again to stop at once.")
		}
	})
	return func() {
		if !unregister() {
			<-said
		}
	}
}

// withHint says of an import that trouble has stopped how to go on with it.
func (a *app) withHint(err error, imp schema.Import) error {
	a.importID = imp.ID
	if imp.ID == 0 || imp.State.Ended() {
		return err
	}
	code := schema.CodeOf(err)
	refused := schema.Refuse(code, "Import %d has stopped; what it has done stays. %s", imp.ID, troubleText(err)).Because(err)
	if fix := code.Cure(); !strings.Contains(fix.String(), "claimline resume ID") { // else its number takes the place of ID
		return refused.WithFix("%s Then go on: claimline resume %d.", fix, imp.ID)
	}
	return refused
}

// showImport answers with an import that has ended.
func (a *app) showImport(ctx context.Context, p *session, imp schema.Import, flags reportFlags) error {
	err := a.writeOutput(flags.output, func(to io.Writer) error {
		switch flags.format {
		case formatText:
			if flags.narrows() { // the rows, then the summary
				if err := flags.report(to, a.language()).OfImport(ctx, p.Store, p.Policy, imp); err != nil {
					return err
				}
			}
			return a.writeImport(to, a.outputPage(flags.output), imp)
		case formatJSON:
			return writeSummary(to, imp)
		}
		return flags.report(to, a.language()).OfImport(ctx, p.Store, p.Policy, imp)
	}, imp.File)
	switch {
	case schema.CodeOf(err) == schema.CodeOutputUnwritable && imp.Tally.Outcomes[schema.Claimed] > 0:
		a.showError(unreported(err, imp, flags)) // and the exit code says what became of the import
		a.flags.quiet = true                     // there is nothing more to say
	case err != nil:
		return err
	}
	if flags.format != formatJSON {
		a.sayNext(imp)
	}
	if imp.State.Ended() {
		a.exit = exitOf(imp.State)
	}
	if imp.State == schema.StateCancelled && ctx.Err() != nil {
		a.exit = exitInterrupted
	}
	return nil
}

// unreported says how to have the report of an import that could not be written when the import had ended.
func unreported(err error, imp schema.Import, flags reportFlags) error {
	id := fmt.Sprint(imp.ID)
	again := append([]string{"report", id}, flags.words()...)
	if !flags.narrows() && (flags.format == formatText || flags.format == formatJSON) {
		again = []string{"status", id, "--format", flags.format}
	} else if flags.output != "" && flags.output != "-" {
		again = append(again, "-o", flags.output)
	}
	return schema.Refuse(schema.CodeOutputUnwritable, "%s claimed, but: %s", have(imp.Tally.Outcomes[schema.Claimed]), troubleText(err)).Because(err).
		WithFix("Nothing needs to be claimed again. To have the report: %s.", commandLine(again...))
}

// have tells of a number of users of whom something is told that has been done.
func have(n int) schema.Text { return schema.SayCount(n, "%s user is", "%s users are") }

func (a *app) resumeCommand() *cobra.Command {
	var flags importFlags
	cmd := &cobra.Command{
		Use:     "resume ID",
		Short:   "Go on with an import where it stopped",
		Long:    `Goes on with an import where it stopped, under the consent recorded, after saying what remains.`,
		Example: `  claimline resume 2`,
		Args:    oneArg("id"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := flags.check(a.flags.json, reportFormats...); err != nil {
				return err
			}
			id, err := pipeline.ParseImportID(args[0])
			if err != nil {
				return err
			}
			return a.withStore(cmd.Context(), writes, func(p *session) error {
				return a.resume(cmd.Context(), p, id, flags)
			})
		},
	}
	flags.add(cmd)
	return cmd
}

// resume goes on with an import, after saying what remains; it asks only where nobody has agreed before.
func (a *app) resume(ctx context.Context, p *session, id int64, flags importFlags) error {
	imp, err := a.importOf(ctx, p, id)
	if err != nil {
		return err
	}
	if err := a.mayAsk(imp, flags); err != nil {
		return err
	}
	if err := a.checkTarget(flags.output, imp.File); err != nil {
		return err
	}
	watch, clearProgress := a.watch(p)
	defer clearProgress()
	defer a.sayStopping(ctx, clearProgress)()
	if imp, err = a.reopen(ctx, p, imp); err != nil {
		return a.withHint(err, imp)
	}
	if imp.State == schema.StateAwaitingConsent {
		organization, err := p.Store.Organization(ctx, imp.OrganizationID)
		if err != nil {
			return err
		}
		order, err := schema.OrderOf(imp)
		if err != nil {
			return err
		}
		if imp, err = a.agree(ctx, p, imp, organization, order, flags); err != nil {
			return a.withHint(err, imp)
		}
	} else if imp.Tally.Outcomes[schema.Ready] > 0 {
		a.say("Import %d: %s claimed, %s still to be claimed, as agreed on %s.", imp.ID,
			users(imp.Tally.Outcomes[schema.Claimed]), schema.Number(imp.Tally.Outcomes[schema.Ready]), imp.ConsentedAt.Local().Format(time.DateTime))
		a.agreed = a.now()
	}
	return a.finishImport(ctx, p, imp, watch, clearProgress, flags.reportFlags)
}

// reopen opens an import again. Right after a crash it still belongs to the process that died: its lease is
// waited out once.
func (a *app) reopen(ctx context.Context, p *session, imp schema.Import) (schema.Import, error) {
	reopened, err := p.Reopen(ctx, imp.OrganizationID, imp.ID, true)
	if schema.CodeOf(err) == schema.CodeImportRunning {
		if imp, err = p.Store.Import(ctx, imp.OrganizationID, imp.ID); err != nil {
			return schema.Import{}, err
		}
		a.say("Import %d still belongs to the process that worked on it. Waiting until %s.", imp.ID, imp.LeaseUntil.Local().Format(time.TimeOnly))
		if wait(ctx, time.Until(imp.LeaseUntil)+time.Second); ctx.Err() != nil {
			return schema.Import{}, ctx.Err()
		}
		reopened, err = p.Reopen(ctx, imp.OrganizationID, imp.ID, true)
	}
	if err != nil {
		return schema.Import{}, err
	}
	return reopened, nil
}

// mayAsk refuses, before anything is changed, to resume an import that nobody has agreed to where nobody can
// be asked.
func (a *app) mayAsk(imp schema.Import, flags importFlags) error {
	planned := len(imp.Plan) > 0 && !imp.RowsRemoved && imp.State != schema.StateRejected && imp.Tally.Outcomes[schema.Ready] > 0
	if !planned || !imp.ConsentedAt.IsZero() || a.asks() {
		return nil
	}
	plan, err := schema.PlanOf(imp)
	if err != nil {
		return err
	}
	return notAsked(plan, flags.accept, plan.ManyNameEdits() && !flags.acceptEdits)
}

// users tells a number of users in words.
func users(n int) schema.Text { return screen.Users(n) }
