package main

import (
	"errors"
	"io"

	"github.com/spf13/cobra"

	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/pipeline/report"
	"github.com/claimline/claimline/schema"
)

// reportFormats are the forms of the rows of validate, import and report.
var reportFormats = []string{formatText, formatJSON, string(report.JSONL), string(report.CSV), string(report.HTML), string(report.XLSX)}

func (f *reportFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.format, "format", "", "text, json (the summary), jsonl, csv or xlsx (every row), or html (one page)")
	cmd.Flags().StringSliceVar(&f.only, "only", nil, "only some `rows`: problems (those that want attention), edits, warnings, or an outcome; several with commas")
	cmd.Flags().StringVar(&f.reason, "reason", "", "only the rows that have this `code` among their reasons")
	cmd.Flags().StringVarP(&f.output, "output", "o", "", "file to write the answer to (default: stdout)")
}

func (a *app) validateCommand() *cobra.Command {
	var flags reportFlags
	var reading readingFlags
	var offline, strict bool
	cmd := &cobra.Command{
		Use:   "validate FILE",
		Short: "Say what an import would do, row by row, and change nothing",
		Long: `Says what an import of the file would do with each row, and changes nothing. FILE may be - for stdin.
Exit code 3 tells that some rows have problems.`,
		Example: `  claimline validate --org acme users.csv
  claimline validate --org acme --only problems --format csv \
    -o problems.csv users.csv
  claimline validate --offline users.csv`,
		Args: oneArg("file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := flags.check(a.flags.json, reportFormats...); err != nil {
				return err
			}
			order := schema.Order{Offline: offline}
			if err := reading.order(cmd, &order); err != nil {
				return err
			}
			validate := func(p *session, organization schema.Organization) error {
				p.Strict = strict
				order.Organization = organization.ID
				return a.withSource(args[0], func(source dialect.Source) error {
					return a.validate(cmd, p, source, order, organization, flags)
				})
			}
			if offline {
				alone, err := a.session(nil)
				if err != nil {
					return err
				}
				return validate(alone, schema.Organization{})
			}
			return a.withOrganization(cmd.Context(), reads, validate)
		},
	}
	flags.add(cmd)
	reading.add(cmd)
	cmd.Flags().BoolVar(&offline, "offline", false, "only check the rows themselves; needs no database")
	cmd.Flags().BoolVar(&strict, "strict-reader", false, "check rows the slow way, to compare")
	_ = cmd.Flags().MarkHidden("strict-reader") // for developers
	return cmd
}

func (a *app) validate(cmd *cobra.Command, p *session, source dialect.Source, order schema.Order, organization schema.Organization, flags reportFlags) error {
	var plan *schema.Plan
	started := p.Now()
	watch, clearProgress := a.follow()
	err := a.writeOutput(flags.output, func(to io.Writer) (err error) {
		defer clearProgress()
		var rows *report.Report
		if flags.format != formatJSON && (flags.format != formatText || flags.narrows()) { // text: the rows, then the plan
			rows = flags.report(to, a.language())
		}
		if plan, err = p.Validate(cmd.Context(), source, order, rows, watch); err != nil {
			return err
		}
		switch flags.format {
		case formatJSON:
			return writeJSON(to, plan.Summary(order, started, p.Now()))
		case formatText:
			return a.writePlan(to, a.outputPage(flags.output), plan, organization, order, p.Policy)
		}
		return nil
	}, source.Name())
	if err != nil {
		return err
	}
	a.exit = exitFor(plan.Tally)
	if flags.format != formatJSON && !order.Offline {
		a.sayAfterPlan(plan, order)
	}
	return nil
}

// withSource opens the file for the work, and closes it again.
func (a *app) withSource(name string, work func(dialect.Source) error) (err error) {
	open := func() (*dialect.File, error) { return dialect.OpenFile(name) }
	if name == "-" {
		open = func() (*dialect.File, error) { return dialect.Spool(name, a.stdin) }
	}
	source, err := open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	return work(source)
}

// exitFor returns the exit code of something done, by how its rows ended.
func exitFor(t schema.Tally) int {
	if t.Problems() > 0 {
		return exitProblems
	}
	return exitDone
}
