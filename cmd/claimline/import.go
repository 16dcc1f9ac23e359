package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/claimline/claimline/cmd/claimline/screen"
	"github.com/claimline/claimline/pipeline"
	"github.com/claimline/claimline/schema"
)

// importFlags are the flags of commands that claim.
type importFlags struct {
	reportFlags
	accept bool
}

func (f *importFlags) add(cmd *cobra.Command) {
	f.reportFlags.add(cmd)
	cmd.Flags().BoolVar(&f.accept, "accept-permanent", false, "agree, without being asked, that the claims are permanent")
}

func (a *app) importCommand() *cobra.Command {
	var flags importFlags
	var allOrNothing bool
	var workers int
	var mails string
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
			order := pipeline.Order{Organization: a.config.Org, AllOrNothing: allOrNothing}
			var err error
			if order.ActivationEmails, err = parseMails(mails); err != nil {
				return err
			}
			return a.withOrganization(cmd.Context(), writes, func(p *pipeline.Pipeline, organization schema.Organization) error {
				return a.withSource(args[0], func(source *pipeline.Source) error {
					return a.runImport(cmd.Context(), p, organization, source, order, flags)
				})
			})
		},
	}
	flags.add(cmd)
	cmd.Flags().BoolVar(&allOrNothing, "all-or-nothing", false, "claim nobody if any row has a problem")
	cmd.Flags().IntVar(&workers, "workers", 0, "chunks worked on at once (default: one per processor)")
	cmd.Flags().StringVar(&mails, "activation-emails", "", "on or off, for this import (default: as the organization has it)")
	return cmd
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

// runImport imports one source, after consent.
func (a *app) runImport(ctx context.Context, p *pipeline.Pipeline, organization schema.Organization, source *pipeline.Source, order pipeline.Order, flags importFlags) error {
	clearProgress := a.follow(p)
	defer clearProgress()
	defer a.sayStopping(ctx, clearProgress)()
	consent := a.consent(organization, order, p.Policy, flags.accept, clearProgress)
	if !flags.accept && !a.asks() {
		// Nobody can be asked: show what would be asked about, without writing anything.
		plan, err := p.Plan(ctx, source, order, nil)
		if err != nil {
			return err
		}
		if plan.Tally.Outcomes[schema.Ready] > 0 {
			return consent(ctx, schema.Import{}, plan)
		}
	}
	imp, err := p.Import(ctx, source, order, a.timed(consent))
	clearProgress()
	if err != nil {
		return a.withHint(err, imp)
	}
	return a.showImport(ctx, p, imp, flags.reportFlags)
}

// consent shows the plan and asks (R13).
func (a *app) consent(organization schema.Organization, order pipeline.Order, policy schema.Policy, accepted bool, clearProgress func()) pipeline.Consent {
	return func(ctx context.Context, _ schema.Import, plan *pipeline.Plan) error {
		clearProgress()
		if asks := !accepted && a.asks(); asks || !a.flags.quiet && !a.flags.json {
			if err := a.writePlan(a.stderr, a.page(a.stderr), plan, organization, order, policy); err != nil {
				return err
			}
		}
		ready := plan.Tally.Outcomes[schema.Ready]
		switch {
		case accepted:
			return nil
		case !a.asks():
			return schema.Refuse(schema.CodeConsentMissing, "%s would be claimed. A claim is permanent, and nobody has agreed to it.", users(ready))
		}
		yes, err := a.ask(ctx, fmt.Sprintf("Claim %s? This is permanent. Type yes to go on: ", users(ready)))
		if err != nil {
			return err
		}
		if !yes {
			return schema.Refuse(schema.CodeConsentDeclined, "")
		}
		return nil
	}
}

// ask asks on the terminal; yes must be spelt out. It ends with the context.
func (a *app) ask(ctx context.Context, question string) (yes bool, err error) {
	fmt.Fprint(a.stderr, question)
	answer := make(chan string, 1)
	go func() { // ends with the process at the latest: a read of a terminal cannot be called back
		line, _ := bufio.NewReader(a.stdin).ReadString('\n')
		answer <- strings.TrimSpace(line)
	}()
	select {
	case line := <-answer:
		return strings.EqualFold(line, "yes"), nil
	case <-ctx.Done():
		fmt.Fprintln(a.stderr)
		return false, ctx.Err()
	}
}

// sayStopping tells somebody at the terminal, once the context ends, that what is in hand is finished first. It has
// said so, or never will, once stop returns.
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

// withHint says of an import that stopped how to go on with it.
func (a *app) withHint(err error, imp schema.Import) error {
	a.importID = imp.ID
	if imp.State == schema.StateFailed && imp.Tally.Outcomes[schema.Ready] > 0 {
		a.say("Import %d stopped. What it has done stays.", imp.ID)
		a.next(a.nextCommand(imp))
	}
	return err
}

// showImport answers with an import that has ended.
func (a *app) showImport(ctx context.Context, p *pipeline.Pipeline, imp schema.Import, flags reportFlags) error {
	summary, err := pipeline.Summarize(imp)
	if err != nil {
		return err
	}
	err = a.writeOutput(flags.output, func(to io.Writer) error {
		switch flags.format {
		case formatText:
			if flags.only != "" { // the rows, then the summary
				if err := p.Report(ctx, imp, flags.report(to)); err != nil {
					return err
				}
			}
			return a.writeImport(to, a.outputPage(flags.output), imp)
		case formatJSON:
			return writeJSON(to, summary)
		}
		return p.Report(ctx, imp, flags.report(to))
	})
	if err != nil {
		return err
	}
	if flags.format != formatJSON {
		a.sayNext(imp)
	}
	switch imp.State {
	case schema.StateCancelled:
		a.exit = exitFailed
		if ctx.Err() != nil {
			a.exit = exitInterrupted
		}
	case schema.StateRejected, schema.StateFailed:
		a.exit = exitFailed
	case schema.StateCompletedWithErrors: // rows whose turn never came are among them
		a.exit = exitProblems
	}
	return nil
}

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
			ctx := cmd.Context()
			return a.withPipeline(ctx, writes, func(p *pipeline.Pipeline) error {
				imp, err := a.importOf(ctx, p, id)
				if err != nil {
					return err
				}
				if imp.State == schema.StateAwaitingConsent && !flags.accept && !a.asks() {
					return schema.Refuse(schema.CodeConsentMissing, "Nobody has agreed to import %d yet, and a claim is permanent.", id)
				}
				clearProgress := a.follow(p)
				defer clearProgress()
				defer a.sayStopping(ctx, clearProgress)()
				imp, err = p.Resume(ctx, id, func(until time.Time) {
					a.say("Import %d still belongs to the process that worked on it. Waiting until %s.", id, until.Local().Format(time.TimeOnly))
				}, a.timed(a.resumeConsent(p, flags.accept, clearProgress)))
				clearProgress()
				if err != nil {
					return a.withHint(err, imp)
				}
				return a.showImport(ctx, p, imp, flags.reportFlags)
			})
		},
	}
	flags.add(cmd)
	return cmd
}

// resumeConsent says what remains, and asks only where nobody has agreed before.
func (a *app) resumeConsent(p *pipeline.Pipeline, accepted bool, clearProgress func()) pipeline.Consent {
	return func(ctx context.Context, imp schema.Import, plan *pipeline.Plan) error {
		if imp.ConsentedAt.IsZero() {
			organization, err := p.Store.Organization(ctx, imp.OrganizationID)
			if err != nil {
				return err
			}
			order := pipeline.Order{AllOrNothing: imp.AllOrNothing, ActivationEmails: &imp.ActivationEmails}
			return a.consent(organization, order, p.Policy, accepted, clearProgress)(ctx, imp, plan)
		}
		a.say("Import %d: %s claimed, %d still to be claimed, as agreed on %s.", imp.ID,
			users(imp.Tally.Outcomes[schema.Claimed]), imp.Tally.Outcomes[schema.Ready], imp.ConsentedAt.Local().Format(time.DateTime))
		return nil
	}
}

// users is a number of users in words.
func users(n int) string { return screen.Users(n) }
