package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"github.com/claimline/claimline/pipeline"
	"github.com/claimline/claimline/schema"
)

func (a *app) importsCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "imports",
		Short:   "List the imports of the organization, the newest first",
		Example: `  claimline imports --org acme`,
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withOrganization(cmd.Context(), reads, func(p *pipeline.Pipeline, organization schema.Organization) error {
				imports, err := p.Store.ListImports(cmd.Context(), organization.ID, a.now(), 0)
				if err != nil {
					return err
				}
				summaries := make([]schema.Summary, len(imports))
				for i, imp := range imports {
					if summaries[i], err = pipeline.Summarize(imp); err != nil {
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
	t := newTable("ID", "State", "Started", "Rows", "Claimed", "Problems", "File")
	for _, s := range summaries {
		t.AppendRow(table.Row{
			s.ID, s.State, localTime(s.StartedAt), s.Rows, s.Claimed, s.Invalid + s.Ineligible + s.Failed + s.NotAttempted, schema.Printable(s.File),
		})
	}
	return writeTable(a.stdout, t)
}

func (a *app) statusCommand() *cobra.Command {
	var watch bool
	var format string
	cmd := &cobra.Command{
		Use:   "status [ID]",
		Short: "Show how an import stands; without an id, the latest",
		Example: `  claimline status --org acme
  claimline status 1 --watch`,
		Args: maxOneArg,
		RunE: func(cmd *cobra.Command, args []string) error {
			flags := reportFlags{format: format}
			if err := flags.check(a.flags.json, formatText, formatJSON); err != nil {
				return err
			}
			return a.withPipeline(cmd.Context(), reads, func(p *pipeline.Pipeline) error {
				for {
					imp, err := a.findImport(cmd.Context(), p, args)
					if err != nil {
						return err
					}
					summary, err := pipeline.Summarize(imp)
					if err != nil {
						return err
					}
					if flags.format == formatJSON {
						err = writeJSON(a.stdout, summary)
					} else {
						err = writeSummary(a.stdout, a.page(a.stdout), summary)
					}
					if err != nil || !watch || imp.State.Ended() || imp.State == schema.StateInterrupted {
						return err
					}
					select {
					case <-time.After(time.Second):
					case <-cmd.Context().Done():
						return cmd.Context().Err()
					}
				}
			})
		},
	}
	cmd.Flags().BoolVar(&watch, "watch", false, "show it again every second, until it has ended")
	cmd.Flags().StringVar(&format, "format", "", "text or json")
	return cmd
}

// findImport finds the import that the argument names; without one, the organization's latest.
func (a *app) findImport(ctx context.Context, p *pipeline.Pipeline, args []string) (schema.Import, error) {
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
	latest, err := p.Store.ListImports(ctx, organization.ID, a.now(), 1)
	if err != nil {
		return schema.Import{}, err
	}
	if len(latest) == 0 {
		return schema.Import{}, schema.Refuse(schema.CodeImportNotFound, "There are no imports yet.").WithFix("Import a file: claimline import FILE.")
	}
	return latest[0], nil
}

// importOf finds an import by its id. Where an organization is named, those of others are not to be seen.
func (a *app) importOf(ctx context.Context, p *pipeline.Pipeline, id int64) (schema.Import, error) {
	imp, err := p.Store.Import(ctx, id, a.now())
	if err == nil && a.config.Org != "" && imp.OrganizationID != a.config.Org {
		return schema.Import{}, schema.Refuse(schema.CodeImportNotFound, "%s has no import %d.", a.config.Org, id)
	}
	return imp, err
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
				flags.format = string(pipeline.ReportJSONL)
			}
			return a.withPipeline(cmd.Context(), reads, func(p *pipeline.Pipeline) error {
				imp, err := a.findImport(cmd.Context(), p, args)
				if err != nil {
					return err
				}
				return a.writeOutput(flags.output, func(to io.Writer) error {
					return p.Report(cmd.Context(), imp, flags.report(to))
				})
			})
		},
	}
	flags.add(cmd)
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
			return a.withPipeline(cmd.Context(), writes, func(p *pipeline.Pipeline) error {
				if _, err := a.importOf(cmd.Context(), p, id); err != nil {
					return err
				}
				if err := p.Store.RequestCancel(cmd.Context(), id, a.now()); err != nil {
					return err
				}
				imp, err := p.Store.Import(cmd.Context(), id, a.now())
				if err != nil {
					return err
				}
				if a.flags.json {
					summary, err := pipeline.Summarize(imp)
					if err != nil {
						return err
					}
					return a.answer(summary)
				}
				if imp.State == schema.StateCancelled {
					a.say("Import %d is cancelled. What it has done stays. Go on with it: claimline resume %d", id, id)
				} else {
					a.say("Import %d will stop after the chunk in hand. Follow it: claimline status %d --watch", id, id)
				}
				return nil
			})
		},
	}
}

func writeJSON(to io.Writer, value any) error {
	if err := schema.NewEncoder(to).Encode(value); err != nil {
		return fmt.Errorf("write the answer: %w", err)
	}
	return nil
}

func localTime(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.Local().Format("2006-01-02 15:04")
}
