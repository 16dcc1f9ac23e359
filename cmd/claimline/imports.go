package main

import (
	"context"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/claimline/claimline/cmd/claimline/screen"
	"github.com/claimline/claimline/pipeline"
	"github.com/claimline/claimline/pipeline/report"
	"github.com/claimline/claimline/schema"
)

func (a *app) importsCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "imports",
		Short:   "List the imports of the organization, the newest first",
		Example: `  claimline imports --org acme`,
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withOrganization(cmd.Context(), reads, func(p *session, organization schema.Organization) error {
				imports, err := p.Store.ListImports(cmd.Context(), organization.ID, 0)
				if err != nil {
					return err
				}
				summaries := make([]schema.Summary, len(imports))
				for i, imp := range imports {
					if summaries[i], err = imp.Summary(); err != nil {
						return err
					}
				}
				if a.flags.json {
					return a.answer(summaries)
				}
				return a.listImports(summaries)
			})
		},
	}
}

func (a *app) listImports(summaries []schema.Summary) error {
	if len(summaries) == 0 {
		a.say("There are no imports yet.")
		return nil
	}
	t := screen.NewTable(screen.Whole("ID"), screen.Whole("State"), screen.When("Started"), screen.Numeric("Rows"), screen.Numeric("Claimed"),
		screen.Numeric("Problems"), screen.Address("File"))
	for i := range summaries {
		s := &summaries[i]
		err := t.Add(s.ID, string(s.State), screen.Stamp(s.StartedAt), a.number(s.Rows), a.number(s.Claimed), a.number(s.Problems()),
			schema.Printable(s.File))
		if err != nil {
			return err
		}
	}
	return a.writeTable(a.stdout, t)
}

func (a *app) statusCommand() *cobra.Command {
	var watch, exitStatus bool
	var format string
	cmd := &cobra.Command{
		Use:   "status [ID]",
		Short: "Show how an import stands; without an id, the latest",
		Long: `Shows how an import stands; without an id, the latest. With --watch it is followed until it has ended, and shown then. With
--exit-status the exit code is that of the import: 0 where it is completed, 3 where some rows have problems, 1 otherwise.`,
		Example: `  claimline status --org acme
  claimline status 1 --watch --exit-status`,
		Args: maxOneArg,
		RunE: func(cmd *cobra.Command, args []string) error {
			flags := reportFlags{format: format}
			if err := flags.check(a.flags.json, formatText, formatJSON); err != nil {
				return err
			}
			look := func() (imp schema.Import, err error) {
				err = a.withStore(cmd.Context(), reads, func(p *session) error {
					imp, err = a.findImport(cmd.Context(), p, args)
					return err
				})
				return imp, err
			}
			if watch {
				look = a.watching(cmd.Context(), look)
			}
			imp, err := look()
			if err != nil {
				return err
			}
			if exitStatus {
				a.exit = exitOf(imp.State)
			}
			if flags.format == formatText {
				return a.writeImport(a.stdout, a.page(a.stdout), imp)
			}
			return writeSummary(a.stdout, imp)
		},
	}
	cmd.Flags().BoolVar(&watch, "watch", false, "follow it until it has ended")
	cmd.Flags().BoolVar(&exitStatus, "exit-status", false, "exit as the import did: 0, 3 or 1")
	cmd.Flags().StringVar(&format, "format", "", "text or json")
	return cmd
}

// exitOf returns the exit code of an import in this state.
func exitOf(state schema.ImportState) int {
	switch state {
	case schema.StateCompleted:
		return exitDone
	case schema.StateCompletedWithErrors:
		return exitProblems
	}
	return exitFailed
}

// watchPause is how long a watched import is left alone between two looks.
const watchPause = 500 * time.Millisecond

// watching returns look for an import that is to be followed: it returns once nobody works on it any more.
// Meanwhile a terminal shows how far it is, on one line that is redrawn; what is none gets a line when
// something has changed. A database that is busy is waited for.
func (a *app) watching(ctx context.Context, look func() (schema.Import, error)) func() (schema.Import, error) {
	return func() (schema.Import, error) {
		bar := a.progress()
		if bar != nil {
			defer bar.Clear()
		}
		said := ""
		for {
			imp, err := look()
			switch {
			case ctx.Err() != nil:
				return imp, ctx.Err()
			case schema.CodeOf(err) == schema.CodeDatabaseBusy:
			case err != nil || imp.State.Ended() || imp.State == schema.StateInterrupted:
				return imp, err
			default:
				ready := imp.Tally.Outcomes[schema.Ready]
				done := imp.Tally.Outcomes[schema.Claimed]
				line := a.language().Say("Import %d: %s, %s of %s claimed.", imp.ID, screen.State(imp.State), schema.Number(done), users(done+ready))
				switch {
				case bar != nil && imp.State == schema.StateApplying:
					bar.Watch(done, done+ready)
				case line != said:
					said = line
					a.say("%s", line)
				}
			}
			select {
			case <-time.After(watchPause):
			case <-ctx.Done():
				return schema.Import{}, ctx.Err()
			}
		}
	}
}

// findImport finds the import that the argument names; without one, the organization's latest.
func (a *app) findImport(ctx context.Context, p *session, args []string) (schema.Import, error) {
	if len(args) > 0 {
		id, err := pipeline.ParseImportID(args[0])
		if err != nil {
			return schema.Import{}, err
		}
		return a.importOf(ctx, p, id)
	}
	organization, err := a.organization(ctx, p.Store)
	if err != nil {
		return schema.Import{}, err
	}
	latest, err := p.Store.ListImports(ctx, organization.ID, 1)
	if err != nil {
		return schema.Import{}, err
	}
	if len(latest) == 0 {
		return schema.Import{}, schema.Refuse(schema.CodeImportNotFound, "There are no imports yet.").WithFix("Import a file: claimline import FILE.")
	}
	a.importID = latest[0].ID
	return latest[0], nil
}

// importOf finds an import by its id. Where an organization is named, those of others are not to be seen.
func (a *app) importOf(ctx context.Context, p *session, id int64) (schema.Import, error) {
	a.importID = id
	organization, err := a.anyOrganization(ctx, p.Store)
	if err != nil {
		return schema.Import{}, err
	}
	return p.Store.Import(ctx, organization.ID, id)
}

func (a *app) reportCommand() *cobra.Command {
	var flags reportFlags
	cmd := &cobra.Command{
		Use:   "report [ID]",
		Short: "Show what became of each row of an import; without an id, of the latest",
		Example: `  claimline report --org acme --only problems
  claimline report 1 --format csv -o report.csv`,
		Args: maxOneArg,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := flags.check(a.flags.json, reportFormats...); err != nil {
				return err
			}
			if flags.format == formatJSON { // a report is rows: one object each
				flags.format = string(report.JSONL)
			}
			return a.withStore(cmd.Context(), reads, func(p *session) error {
				imp, err := a.findImport(cmd.Context(), p, args)
				if err != nil {
					return err
				}
				return a.writeOutput(flags.output, func(to io.Writer) error {
					return flags.report(to, a.language()).OfImport(cmd.Context(), p.Store, p.Policy, imp)
				}, imp.File)
			})
		},
	}
	flags.add(cmd)
	cmd.Flags().Lookup("format").Usage = string(schema.Word("text, json or jsonl (every row as an object), csv or xlsx (every row), or html (one page)"))
	return cmd
}

func (a *app) cancelCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "cancel ID",
		Short:   "Stop an import between two chunks; what it has done stays",
		Example: `  claimline cancel 2`,
		Args:    oneArg("id"),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := pipeline.ParseImportID(args[0])
			if err != nil {
				return err
			}
			return a.withStore(cmd.Context(), writes, func(p *session) error {
				imp, err := a.importOf(cmd.Context(), p, id)
				if err != nil {
					return err
				}
				if imp, err = p.Cancel(cmd.Context(), imp.OrganizationID, id); err != nil {
					return err
				}
				if a.flags.json {
					summary, err := imp.Summary()
					if err != nil {
						return err
					}
					return a.answer(summary)
				}
				if imp.State == schema.StateCancelled {
					a.say("Import %d is cancelled. What it has done stays. Go on with it: %s", id, a.command("resume", args[0]))
				} else {
					a.say("Import %d will stop after the chunk in hand. Follow it: %s", id, a.command("status", args[0], "--watch"))
				}
				return nil
			})
		},
	}
}

func writeJSON(to io.Writer, value any) error {
	if err := schema.NewEncoder(to).Encode(value); err != nil {
		return unwritable(schema.Word("The answer"), err)
	}
	return nil
}
