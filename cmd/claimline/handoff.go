package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/claimline/claimline/cmd/claimline/screen"
	"github.com/claimline/claimline/pipeline"
	"github.com/claimline/claimline/pipeline/controlhub"
	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/pipeline/handoff"
	"github.com/claimline/claimline/pipeline/handoff/folder"
	"github.com/claimline/claimline/pipeline/report"
	"github.com/claimline/claimline/schema"
)

func (a *app) handoffCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "handoff",
		Short: "Claim with Control Hub by files alone: make what is uploaded there, and follow what becomes of it",
		Long: `Claims users with Webex Control Hub by files alone: no database, no token. From the export of claimable users to the verified
result: check the file, make the parts to upload, read what Control Hub said of them, verify with fresh exports.`,
		Example: `  claimline handoff check claimable.csv --template template.csv
  claimline handoff make claimable.csv -o claim-1 --template template.csv
  claimline handoff results claim-1 errors.csv
  claimline handoff verify claim-1 --users users.csv
  claimline handoff status claim-1`,
		Args: cobra.ArbitraryArgs,
		RunE: groupOnly,
	}
	cmd.AddCommand(a.handoffCheckCommand(), a.handoffMakeCommand(), a.handoffResultsCommand(), a.handoffVerifyCommand(), a.handoffStatusCommand())
	return cmd
}

// handoff returns what makes hand-offs.
func (a *app) handoff() *handoff.Handoff {
	return &handoff.Handoff{
		Now: a.now, Policy: a.config.Policy, Workers: a.config.Workers, By: byTerminal(), Version: version,
		Limits: dialect.Limits{RecordBytes: a.config.Limits.RecordBytes, Columns: a.config.Limits.Columns},
	}
}

// handoffFlags are the flags of check and make: what a file is held against.
type handoffFlags struct {
	template, users, directory, address, mode string
	domains                                   []string
	reading                                   readingFlags
	sheets                                    sheetsFlag
}

func (f *handoffFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.template, "template", "", "`file` with the headers that Control Hub knows: your organization's template, or a fresh export")
	cmd.Flags().StringVar(&f.users, "users", "", "fresh users export, to show what would change, as a `file`")
	cmd.Flags().StringVar(&f.directory, "directory", "", "full list of your own directory, as a `file` (CSV or LDIF): who is not in it is left out")
	cmd.Flags().StringVar(&f.address, "address", "", "`column` of the directory's list that holds the addresses")
	cmd.Flags().StringVar(&f.mode, "mode", string(folder.AddOnly), "what FALSE does to a service: nothing (add), or it removes it (add-remove)")
	cmd.Flags().StringSliceVar(&f.domains, "domains", nil, "`domains` that are yours, with commas: addresses in others are left out")
	f.reading.addColumns(cmd)
	f.sheets.add(cmd)
}

// onceStdin refuses stdin in more than one place: it can be read once.
func onceStdin(names ...string) error {
	first := slices.Index(names, "-")
	if first >= 0 && slices.Contains(names[first+1:], "-") {
		return usage("Stdin (-) can be one file, and not several.").WithFix("Name the others.")
	}
	return nil
}

// inputs returns the files that the flags name.
func (f *handoffFlags) inputs() []string { return []string{f.template, f.users, f.directory} }

// with opens the files that the flags name, and does the work with them.
func (f *handoffFlags) with(a *app, cmd *cobra.Command, file string, work func(handoff.Request) error) error {
	if modes := names(folder.Modes); !slices.Contains(modes, f.mode) {
		return notOneOf("--mode", f.mode, modes)
	}
	request := handoff.Request{Mode: folder.Mode(f.mode), Address: f.address}
	sheets, err := f.sheets.by(file, f.inputs()...)
	if err != nil {
		return err
	}
	f.reading.Sheet = sheets[file]
	if err := f.reading.order(cmd, &request.Order); err != nil {
		return err
	}
	if request.Domains, err = controlhub.ParseDomains(f.domains); err != nil {
		return usageError{err}
	}
	if f.address != "" && f.directory == "" {
		return usage("--address names a column of the directory's list, and there is none.").WithFix("Add --directory FILE.")
	}
	if err := onceStdin(file, f.template, f.users, f.directory); err != nil {
		return err
	}
	open := func(name string, into *dialect.Source, next func() error) func() error {
		if name == "" {
			return next
		}
		return func() error {
			return a.withSource(name, func(source dialect.Source) error {
				if *into = source; into != &request.Source {
					*into = dialect.Beside(source, sheets[name])
				}
				return next()
			})
		}
	}
	chain := func() error { return work(request) }
	for _, input := range []struct {
		name string
		into *dialect.Source
	}{{f.directory, &request.Directory}, {f.users, &request.Users}, {f.template, &request.Template}, {file, &request.Source}} {
		chain = open(input.name, input.into, chain)
	}
	return chain()
}

func (a *app) handoffCheckCommand() *cobra.Command {
	var flags handoffFlags
	var rows reportFlags
	cmd := &cobra.Command{
		Use:   "check FILE",
		Short: "Say what Control Hub would make of a file, and change nothing",
		Long: `Says what Control Hub would make of a file, row by row and as a whole, and changes nothing. FILE is an export of claimable users,
edited or not, a users file of claimline, or any list with addresses; it may be - for stdin. Headers are held against the template,
which is the truth about them. The effect on each service is counted for the mode of the upload.
Exit code 3 tells that something is not right.`,
		Example: `  claimline handoff check claimable.csv --template template.csv
  claimline handoff check --template template.csv --users users.csv \
    --domains acme.example claimable.csv`,
		Args: oneArg("file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := rows.check(a.flags.json, reportFormats...); err != nil {
				return err
			}
			return flags.with(a, cmd, args[0], func(request handoff.Request) error {
				return a.checkHandoff(cmd.Context(), request, &rows, append(flags.inputs(), args[0])...)
			})
		},
	}
	flags.add(cmd)
	rows.add(cmd)
	return cmd
}

func (a *app) checkHandoff(ctx context.Context, request handoff.Request, flags *reportFlags, inputs ...string) error {
	h := a.handoff()
	saw, done := a.counting(pipeline.Planning)
	h.Saw = saw
	var survey *handoff.Survey
	err := a.writeOutput(flags.output, func(to io.Writer) (err error) {
		defer done()
		var rows *report.Report
		if flags.format != formatJSON && (flags.format != formatText || flags.narrows()) {
			rows = flags.report(to, a.language())
		}
		if survey, err = h.Check(ctx, request, rows); err != nil {
			return err
		}
		switch flags.format {
		case formatJSON:
			return writeJSON(to, surveyAnswer(survey))
		case formatText:
			return a.writeSurvey(to, a.outputPage(flags.output), survey)
		}
		return nil
	}, inputs...)
	if err != nil {
		return err
	}
	a.sayHandoffFiles(request, survey)
	if survey.Wrong() > 0 {
		a.exit = exitProblems
	}
	return nil
}

// sayHandoffFiles says how the files were read that rows were held against, and what could not be checked.
func (a *app) sayHandoffFiles(request handoff.Request, survey *handoff.Survey) {
	if survey.Directory != nil {
		a.sayList(request.Directory.Name(), survey.Directory.Notes)
	}
	if survey.Template == "" {
		a.say("Headers were not checked: --template names a file with those that Control Hub knows.")
	}
	if survey.Ignored > 0 {
		a.say("%s FALSE: mode add ignores that, and the parts leave them blank. To remove services: --mode add-remove.",
			schema.SayCount(survey.Ignored, "%s cell says", "%s cells say"))
	}
}

// surveyJSON is the answer of check and make under --json.
type surveyJSON struct {
	File           string                `json:"file"`
	SHA256         string                `json:"sha256"`
	Mode           folder.Mode           `json:"mode"`
	Rows           int                   `json:"rows"`
	Ready          int                   `json:"ready"`
	Skipped        int                   `json:"skipped"`
	Invalid        int                   `json:"invalid"`
	Ineligible     int                   `json:"ineligible"`
	Members        int                   `json:"members"` // ready, and in the users export
	Reasons        map[schema.Code]int   `json:"reasons"`
	Warnings       map[schema.Code]int   `json:"warnings"`
	Edits          map[string]int        `json:"edits"`
	Repairs        map[schema.Repair]int `json:"repairs"`
	UnknownColumns []string              `json:"unknown_columns"`
	MissingColumns []string              `json:"missing_columns"`
	Columns        []string              `json:"columns"` // that the parts have
	Services       []folder.Effect       `json:"services"`
	Notices        []handoff.Notice      `json:"notices"`

	Folder string   `json:"folder,omitempty"`
	Parts  []string `json:"parts,omitempty"`
}

func surveyAnswer(s *handoff.Survey) surveyJSON {
	t := s.Plan.Tally
	summary := s.Summary(schema.Order{}, time.Time{}, time.Time{})
	return surveyJSON{
		File: s.File, SHA256: s.SHA256, Mode: s.Mode, Rows: t.Rows, Ready: t.Outcomes[schema.Ready], Skipped: t.Outcomes[schema.Skipped],
		Invalid: t.Outcomes[schema.Invalid], Ineligible: t.Outcomes[schema.Ineligible], Members: s.Members,
		Reasons: summary.Reasons, Warnings: summary.Warnings, Edits: summary.Edits, Repairs: summary.Repairs, UnknownColumns: summary.UnknownColumns,
		MissingColumns: append([]string{}, s.Missing...), Columns: append([]string{}, s.Written...),
		Services: append([]folder.Effect{}, s.Services...), Notices: append([]handoff.Notice{}, s.Notices...),
	}
}

// writeSurvey shows what a hand-off would do: the rows, what of the file as a whole is not right, and the
// effect on each service.
func (a *app) writeSurvey(to io.Writer, p screen.Page, s *handoff.Survey) error {
	p.Height = 0 // a survey is read as a whole
	plan := screen.Plan{Plan: s.Plan, Order: schema.Order{Offline: true}, Policy: a.config.Policy, Now: a.now()}
	if err := plan.Write(to, p); err != nil {
		return unwritable(schema.Word("The answer"), err)
	}
	var lines []string
	if n := s.Members; n > 0 {
		lines = append(lines, p.Count(n, "%s row is in the users export already: the upload changes their data and services.",
			"%s rows are in the users export already: the upload changes their data and services."))
	}
	for _, notice := range s.Notices {
		lines = append(lines, p.Say("%s: %s Fix: %s", notice.Code, notice.Message, notice.Fix))
	}
	for _, code := range []schema.Code{schema.CodeReadOnlyChanged} {
		if n := s.Plan.Tally.Foreseen[code]; n > 0 {
			lines = append(lines, p.Count(n, "%[2]s: %[1]s cell differs from the users export. %[3]s",
				"%[2]s: %[1]s cells differ from the users export. %[3]s", code, code.Cure()))
		}
	}
	if len(s.Missing) > 0 {
		lines = append(lines, p.Count(len(s.Missing), "The template has %s more column that the file has not; what is not there is not changed.",
			"The template has %s more columns that the file has not; what is not there is not changed."))
	}
	if len(s.Written) > 0 && s.Template != "" {
		lines = append(lines, p.Say("Columns of the parts: %s.", strings.Join(s.Written, ", ")))
	}
	for _, line := range lines {
		for _, part := range screen.Wrap(schema.Printable(line), p.Width, 2) {
			if _, err := fmt.Fprintln(to, part); err != nil {
				return unwritable(schema.Word("The answer"), err)
			}
		}
	}
	return a.writeEffects(to, p, s)
}

// writeEffects shows the effect on each service that the file has.
func (a *app) writeEffects(to io.Writer, p screen.Page, s *handoff.Survey) error {
	table := screen.NewTable(screen.Text(p.Say("Service (mode %s)", s.Mode)), screen.Numeric("Adds"), screen.Numeric("Removes"), screen.Numeric("Leaves"))
	for _, e := range s.Services {
		if !e.Given {
			continue
		}
		name := e.Service
		if e.Suspended {
			name = p.Say("%s (suspended)", name)
		}
		if err := table.Add(schema.Printable(name), p.Number(e.Adds), p.Number(e.Removes), p.Number(e.Leaves)); err != nil {
			return err
		}
	}
	if table.Len() == 0 {
		return nil
	}
	if _, err := fmt.Fprintln(to); err != nil {
		return unwritable(schema.Word("The answer"), err)
	}
	if err := table.Write(to, p); err != nil {
		return unwritable(schema.Word("The answer"), err)
	}
	return nil
}

func (a *app) handoffMakeCommand() *cobra.Command {
	var flags handoffFlags
	var output string
	var partRows int
	cmd := &cobra.Command{
		Use:   "make FILE",
		Short: "Make the files to upload to Control Hub, and a folder that knows what became of each row",
		Long: `Makes a folder with the parts to upload to Control Hub, one after the other; they have the columns that carry a change beside names
and address, and only rows that are right. left-out.csv says of every other row why; manifest.json, where each row came from.
FILE is as for check, which says before what would be left out. A folder that is there already is refused.`,
		Example: `  claimline handoff make claimable.csv -o claim-1 --template template.csv
  claimline handoff make --template template.csv --directory directory.csv \
    -o claim-2 claimable.csv`,
		Args: oneArg("file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case output == "":
				return usage("Nothing says which folder to make.").WithFix("Add -o DIR.")
			case flags.template == "":
				return usage("Nothing says which headers Control Hub knows.").
					WithFix("Add --template FILE: your organization's own template, or a fresh export.")
			case partRows < 1 || partRows > folder.MaxPartRows:
				return usage("--part-rows %d is not a number of rows from 1 to %d, which Control Hub takes in a file.", partRows, folder.MaxPartRows)
			}
			if err := mayMakeFolder(output); err != nil {
				return err
			}
			return flags.with(a, cmd, args[0], func(request handoff.Request) error {
				return a.makeHandoff(cmd.Context(), request, partRows, output)
			})
		},
	}
	flags.add(cmd)
	cmd.Flags().StringVarP(&output, "output", "o", "", "folder to make")
	cmd.Flags().IntVar(&partRows, "part-rows", folder.MaxPartRows, "`rows` of a part, at most")
	return cmd
}

func (a *app) makeHandoff(ctx context.Context, request handoff.Request, partRows int, output string) error {
	h := a.handoff()
	saw, done := a.counting(pipeline.Planning)
	h.Saw = saw
	defer done()
	var survey *handoff.Survey
	var manifest *folder.Manifest
	err := a.writeFolder(output, func(dir string) (err error) {
		manifest, survey, err = h.Make(ctx, request, partRows, dir)
		return err
	})
	done()
	if err != nil {
		return err
	}
	a.sayHandoffFiles(request, survey)
	if survey.Plan.Tally.Problems() > 0 {
		a.exit = exitProblems
	}
	if a.flags.json {
		answer := surveyAnswer(survey)
		answer.Folder = output
		for _, part := range manifest.Parts {
			answer.Parts = append(answer.Parts, part.File)
		}
		return a.answer(answer)
	}
	if err := a.writeSurvey(a.stdout, a.page(a.stdout), survey); err != nil {
		return err
	}
	left := manifest.LeftOut.Rows
	if err := a.writeLines(a.language().Say("Made %s: %s in %s; %s left out (left-out.csv).", schema.Printable(output), screen.Rows(manifest.Rows),
		inParts(manifest.Parts), schema.SayCount(left, "%s is", "%s are"))); err != nil {
		return err
	}
	a.sayUpload(output, manifest)
	return nil
}

// inParts says how many parts there are.
func inParts(parts []folder.Part) schema.Text {
	return schema.SayCount(len(parts), "%s part", "%s parts")
}

// sayUpload says what to do with the parts.
func (a *app) sayUpload(dir string, m *folder.Manifest) {
	mode := "Add services only"
	if m.Mode == folder.AddRemove {
		mode = "Add and remove services"
	}
	first := schema.Printable(m.Parts[0].File)
	if len(m.Parts) > 1 {
		a.say("Upload %s and the others to Control Hub as they are, with %q. The next one when the task of the one before is complete.", first, mode)
	} else {
		a.say("Upload %s to Control Hub as it is, with %q.", first, mode)
	}
	words := []string{"handoff", "results", dir}
	if len(m.Parts) == 1 {
		words = append(words, "errors.csv")
	} else {
		words = append(words, "--part", strconv.Itoa(1)+"=errors.csv")
	}
	a.next(a.command(words...))
}
