package main

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/claimline/claimline/cmd/claimline/screen"
	"github.com/claimline/claimline/pipeline"
	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/pipeline/handoff/folder"
	"github.com/claimline/claimline/pipeline/handoff/results"
	"github.com/claimline/claimline/pipeline/report"
	"github.com/claimline/claimline/schema"
)

// follower returns what follows hand-offs.
func (a *app) follower() *results.Follower {
	h := a.handoff()
	return &results.Follower{Policy: h.Policy, Workers: h.Workers, Limits: h.Limits}
}

// outcomeFlags returns the flags of a report on rows that were handed off.
func outcomeFlags(cmd *cobra.Command) *reportFlags {
	f := &reportFlags{outcomes: schema.HandoffOutcomes}
	cmd.Flags().StringVar(&f.format, "format", "", "text, json (the summary), jsonl, csv or xlsx (every row), or html (one page)")
	cmd.Flags().StringSliceVar(&f.only, "only", nil, "only some `rows`: problems (those that want attention), warnings, or an outcome; several with commas")
	cmd.Flags().StringVar(&f.reason, "reason", "", "only the rows that have this `code` among their reasons")
	cmd.Flags().StringVarP(&f.output, "output", "o", "", "file to write the answer to (default: stdout)")
	return f
}

func (a *app) handoffResultsCommand() *cobra.Command {
	var named []string
	var firstRow int
	var sheets sheetsFlag
	cmd := &cobra.Command{
		Use:   "results DIR [ERRORS...]",
		Short: "Join what Control Hub said in errors.csv to the rows of a hand-off",
		Long: `Joins what Control Hub said, in the errors.csv that it offers when a task is complete, to the rows of a hand-off: one report of all
rows, with the reason of each that was refused, and retry.csv with those that can be uploaded again. A row of which nothing is said
is accepted. Which part a file is about, and whether the header counts as row 1, the file tells by the addresses in it and its
numbers; where it does not, you are asked. Of a part that no file is about, what an earlier run said still holds.
Exit code 3 tells that some row was refused.`,
		Example: `  claimline handoff results claim-1 errors.csv
  claimline handoff results claim-1 --part 1=errors.csv --first-row 2
  claimline handoff results claim-1 errors.csv --only problems --format csv`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usage("%s takes a folder, and files of errors.", cmd.CommandPath()).WithFix("Write: %s.", cmd.UseLine())
			}
			return nil
		},
	}
	rows := outcomeFlags(cmd)
	cmd.Flags().StringArrayVar(&named, "part", nil, "the errors of one part, as `N=ERRORS.csv`; repeat the flag for more")
	sheets.add(cmd)
	cmd.Flags().IntVar(&firstRow, "first-row", 0, "`number` of the first user's row in the files: 1, or 2 where the header counts")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := rows.check(a.flags.json, reportFormats...); err != nil {
			return err
		}
		if cmd.Flags().Changed("first-row") && firstRow != 1 && firstRow != 2 {
			return usage("--first-row %d is neither 1 nor 2.", firstRow)
		}
		var inputs []string
		var parts []int
		for _, name := range args[1:] {
			inputs, parts = append(inputs, name), append(parts, 0)
		}
		for _, given := range named {
			number, name, found := strings.Cut(given, "=")
			part, err := strconv.Atoi(strings.TrimSpace(number))
			if !found || err != nil || part < 1 || strings.TrimSpace(name) == "" {
				return usage("--part %q does not say which file is which part's.", given).WithFix("Write the number of the part, = and the file: --part 1=errors.csv.")
			}
			inputs, parts = append(inputs, name), append(parts, part)
		}
		return a.withSources(inputs, &sheets, func(sources []dialect.Source) error {
			files := make([]results.Errors, len(sources))
			for i, source := range sources {
				files[i] = results.Errors{Source: source, Part: parts[i]}
			}
			return a.reportOutcome(cmd, args[0], rows, inputs, func(f *results.Follower, to *report.Report) (*results.Outcome, error) {
				return f.Results(cmd.Context(), args[0], files, firstRow, to)
			})
		})
	}
	return cmd
}

// withSources opens files for the work, and closes them again.
func (a *app) withSources(names []string, sheet *sheetsFlag, work func([]dialect.Source) error) error {
	if err := onceStdin(names...); err != nil {
		return err
	}
	sheets, err := sheet.by("", names...)
	if err != nil {
		return err
	}
	var open func(sources []dialect.Source) error
	open = func(sources []dialect.Source) error {
		if len(sources) == len(names) {
			return work(sources)
		}
		return a.withSource(names[len(sources)], func(source dialect.Source) error {
			return open(append(sources, dialect.Beside(source, sheets[source.Name()])))
		})
	}
	return open(nil)
}

func (a *app) handoffVerifyCommand() *cobra.Command {
	var users, claimable string
	var sheets sheetsFlag
	cmd := &cobra.Command{
		Use:   "verify DIR",
		Short: "Find out with fresh exports what has become of every row of a hand-off",
		Long: `Finds out with fresh exports what has become of every row of a hand-off: claimed, delayed, still claimable, not found, or taken by
another organization; who lacks a licence that was asked for, and who still has one that was to be removed. retry.csv has the rows
to upload again.
Exit code 3 tells that something is not as it was asked.`,
		Example: `  claimline handoff verify claim-1 --users users.csv
  claimline handoff verify claim-1 --users users.csv \
    --claimable claimable.csv --only problems --format csv`,
		Args: oneArg("folder"),
	}
	rows := outcomeFlags(cmd)
	cmd.Flags().StringVar(&users, "users", "", "fresh users export, as a `file`")
	cmd.Flags().StringVar(&claimable, "claimable", "", "fresh export of claimable users, as a `file`")
	sheets.add(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := rows.check(a.flags.json, reportFormats...); err != nil {
			return err
		}
		if users == "" {
			return usage("Nothing says who is a member now.").WithFix("Export the users from Control Hub, and add --users FILE.")
		}
		inputs := []string{users}
		if claimable != "" {
			inputs = append(inputs, claimable)
		}
		return a.withSources(inputs, &sheets, func(sources []dialect.Source) error {
			var listed dialect.Source
			if len(sources) > 1 {
				listed = sources[1]
			}
			return a.reportOutcome(cmd, args[0], rows, inputs, func(f *results.Follower, to *report.Report) (*results.Outcome, error) {
				return f.Verify(cmd.Context(), args[0], sources[0], listed, to)
			})
		})
	}
	return cmd
}

// reportOutcome lets work find out what became of the rows of a hand-off, and tells it.
func (a *app) reportOutcome(cmd *cobra.Command, folder string, flags *reportFlags, inputs []string, work func(*results.Follower, *report.Report) (*results.Outcome, error)) error {
	f := a.follower()
	saw, done := a.counting(pipeline.Planning)
	f.Saw = saw
	var outcome *results.Outcome
	if err := notWithin(folder, flags.output); err != nil {
		return err
	}
	err := a.writeOutput(flags.output, func(to io.Writer) (err error) {
		defer done()
		var rows *report.Report
		if flags.format != formatJSON && (flags.format != formatText || flags.narrows()) {
			rows = flags.report(to, a.language())
		}
		if outcome, err = work(f, rows); err != nil {
			return err
		}
		switch flags.format {
		case formatJSON:
			return writeJSON(to, outcomeAnswer(outcome))
		case formatText:
			return writeOutcome(to, a.outputPage(flags.output), outcome)
		}
		return nil
	}, inputs...)
	if err != nil {
		return err
	}
	a.sayOutcome(cmd, folder, outcome)
	if outcome.Problems() > 0 {
		a.exit = exitProblems
	}
	return nil
}

// notWithin refuses an output in the folder of a hand-off that is there already: the folder is only added
// to.
func notWithin(folder, output string) error {
	if output == "" || output == "-" || filepath.Clean(filepath.Dir(output)) != filepath.Clean(folder) {
		return nil
	}
	return mayCreate(output, false)
}

// outcomeAnswer returns what became of the rows of a hand-off as --json shows it. The counts of the
// outcomes add up to the rows.
func outcomeAnswer(o *results.Outcome) map[string]any {
	answer := map[string]any{
		"folder": o.Folder, "source": o.Source.File, "sha256": o.Source.SHA256, "mode": o.Mode, "parts": len(o.Parts), "rows": o.Tally.Rows,
		"reasons": notNil(o.Tally.Reasons), "warnings": notNil(o.Tally.Warnings), "report": o.Report, "retry": o.Retry,
	}
	for _, outcome := range schema.HandoffOutcomes {
		answer[string(outcome)] = o.Tally.Outcomes[outcome]
	}
	return answer
}

// notNil returns an empty map for none.
func notNil(counts map[schema.Code]int) map[schema.Code]int {
	if counts == nil {
		return map[schema.Code]int{}
	}
	return counts
}

// handoffMeanings say what the outcomes of a hand-off mean.
var handoffMeanings = map[schema.Outcome]schema.Word{
	schema.Accepted:       "Control Hub said nothing against them",
	schema.Claimed:        "members now",
	schema.ClaimDelayed:   "claimed, and their owners have not decided yet",
	schema.Refused:        "Control Hub refused them",
	schema.StillClaimable: "not claimed, and they can still be",
	schema.NotFound:       "in none of the fresh exports",
	schema.TakenElsewhere: "claimed by another organization",
}

// writeOutcome shows what became of the rows of a hand-off.
func writeOutcome(to io.Writer, p screen.Page, o *results.Outcome) error {
	lines := []string{p.Say("%s, made of %s: %s in %s.", schema.Printable(o.Folder), schema.Printable(o.Source.File), screen.Rows(o.Tally.Rows), inParts(o.Parts))}
	width := utf8.RuneCountInString(p.Number(o.Tally.Rows))
	for _, outcome := range schema.HandoffOutcomes {
		if n := o.Tally.Outcomes[outcome]; n > 0 {
			lines = append(lines, screen.Beside(p, fmt.Sprintf("  %-15s %*s  ", outcome, width, p.Number(n)), p.Format(string(handoffMeanings[outcome])))...)
		}
	}
	for _, code := range screen.ByCount(o.Tally.Reasons) {
		if of := code.Outcome(); of.Unfinished() && of != schema.Refused {
			continue // the outcome says it
		}
		lines = append(lines, screen.Beside(p, fmt.Sprintf("  %s %s  ", code, p.Number(o.Tally.Reasons[code])), "")...)
	}
	for _, code := range screen.ByCount(o.Tally.Warnings) {
		lines = append(lines, screen.Beside(p, fmt.Sprintf("  %s %s  ", code, p.Number(o.Tally.Warnings[code])), code.Wrong().In(p))...)
	}
	for _, line := range lines {
		if _, err := fmt.Fprintln(to, line); err != nil {
			return unwritable(schema.Word("The answer"), err)
		}
	}
	return nil
}

// sayOutcome says how the files were read, what was added to the folder, and what to do next.
func (a *app) sayOutcome(cmd *cobra.Command, folder string, o *results.Outcome) {
	for _, file := range o.Files {
		if file.FirstRow == 2 {
			a.say("%s is about part %d; the header counts as row 1: %s.", schema.Printable(file.File), file.Part, file.Why)
		} else {
			a.say("%s is about part %d; the header does not count as row 1: %s.", schema.Printable(file.File), file.Part, file.Why)
		}
	}
	if n := len(o.Silent); n > 0 && cmd.Name() == "results" {
		numbers := make([]string, n)
		for i, part := range o.Silent {
			numbers[i] = strconv.Itoa(part)
		}
		silent := strings.Join(numbers, ", ")
		if n == 1 {
			a.say("No file is about part %s: its rows count as accepted. What is not uploaded yet, verify tells.", silent)
		} else {
			a.say("No file is about parts %s: their rows count as accepted. What is not uploaded yet, verify tells.", silent)
		}
	}
	for _, service := range o.Unchecked {
		a.say("The users export has no column %q: who got that licence cannot be told.", schema.Printable(service))
	}
	if o.Both > 0 {
		a.say("%s in both exports, and counted as claimed: one of the two is older.", have(o.Both))
	}
	added := schema.Say("%s", o.Report)
	if o.Retry != "" {
		added = schema.Say("%s and %s", o.Report, o.Retry)
	}
	a.say("In %s: %s.", schema.Printable(folder), added)
	a.next(a.nextOfHandoff(cmd.Name(), folder, o.Retry, o.Manifest, o.Problems() > 0))
}

// nextOfHandoff returns what one wants to run after a step of a hand-off.
func (a *app) nextOfHandoff(step, dir, retry string, m *folder.Manifest, problems bool) string {
	switch {
	case step == "verify" && retry != "":
		return a.command(makeAgain(dir, retry, m)...)
	case step == "verify" && problems:
		return a.command("handoff", "verify", dir, "--users", "USERS.csv", "--claimable", "CLAIMABLE.csv", "--only", report.OnlyProblems)
	case step == "verify":
		return a.command("handoff", "status", dir)
	}
	return a.command("handoff", "verify", dir, "--users", "USERS.csv", "--claimable", "CLAIMABLE.csv")
}

// makeAgain returns the words that make a hand-off of the rows to upload again, with the template, the mode
// and the domains of the first one, in a folder that is not there yet.
func makeAgain(dir, retry string, m *folder.Manifest) []string {
	dir = strings.TrimRight(dir, "/")
	made := dir + "-retry"
	for n := 2; mayMakeFolder(made) != nil && n < maxRetries; n++ {
		made = fmt.Sprintf("%s-retry-%d", dir, n)
	}
	template := m.Template.File
	if template == "-" {
		template = "TEMPLATE.csv"
	}
	again := []string{"handoff", "make", dir + "/" + retry, "-o", made, "--template", template}
	if m.Template.Sheet != "" {
		again = append(again, "--sheet", m.Template.File+"="+m.Template.Sheet)
	}
	if m.Mode != folder.AddOnly {
		again = append(again, "--mode", string(m.Mode))
	}
	if len(m.Domains) > 0 {
		again = append(again, "--domains", strings.Join(m.Domains, ","))
	}
	return again
}

// maxRetries is how many folders of one hand-off are looked for.
const maxRetries = 100

func (a *app) handoffStatusCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "status DIR",
		Short:   "Say how far a hand-off is, and what comes next",
		Long:    `Says how far a hand-off is: its parts, what is known of their rows, and the next command. It changes nothing.`,
		Example: `  claimline handoff status claim-1`,
		Args:    oneArg("folder"),
		RunE: func(cmd *cobra.Command, args []string) error {
			status, err := a.follower().Status(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			if a.flags.json {
				return a.answer(statusAnswer(args[0], status))
			}
			if err := a.writeHandoffStatus(args[0], status); err != nil {
				return err
			}
			step := "make"
			switch {
			case status.Checked != "":
				step = "verify"
			case status.Results != "":
				step = "results"
			}
			if step == "make" {
				a.sayUpload(args[0], status.Manifest)
				return nil
			}
			problems := notClaimed(status.Tally()) > 0
			if step == "verify" && status.Retry == "" && !problems {
				a.say("All of them are claimed: nothing is left to do.")
				return nil
			}
			a.next(a.nextOfHandoff(step, args[0], status.Retry, status.Manifest, problems))
			return nil
		},
	}
}

// notClaimed counts the rows that are not claimed.
func notClaimed(outcomes map[schema.Outcome]int) (n int) {
	for outcome, rows := range outcomes {
		if outcome.Unfinished() {
			n += rows
		}
	}
	return n
}

// statusAnswer returns how far a hand-off is as --json shows it.
func statusAnswer(folder string, s *results.Status) map[string]any {
	parts := make([]map[string]any, len(s.Parts))
	for i, part := range s.Parts {
		parts[i] = map[string]any{"file": part.File, "rows": part.Rows, "there": part.There, "outcomes": part.Outcomes}
	}
	return map[string]any{
		"folder": folder, "source": s.Source.File, "sha256": s.Source.SHA256, "mode": s.Mode, "rows": s.Rows, "left_out": s.LeftOut.Rows,
		"made_at": s.MadeAt, "made_by": s.MadeBy, "parts": parts, "outcomes": s.Tally(), "results": s.Results, "verified": s.Checked, "retry": s.Retry,
	}
}

// writeHandoffStatus shows how far a hand-off is: one sentence, and a table of the parts.
func (a *app) writeHandoffStatus(folder string, s *results.Status) error {
	what := schema.Say("nothing is known yet of what Control Hub said")
	switch tally := s.Tally(); {
	case s.Checked != "":
		what = schema.Say("%s claimed, %s not", schema.Number(tally[schema.Claimed]), schema.Number(s.Rows-tally[schema.Claimed]))
	case s.Results != "":
		what = schema.Say("%s accepted, %s refused", schema.Number(tally[schema.Accepted]), schema.Number(tally[schema.Refused]))
	}
	l := a.language()
	sentence := l.Say("%s, made of %s on %s: %s to claim in %s, %s left out; %s.", schema.Printable(folder), schema.Printable(s.Source.File),
		screen.Moment(s.MadeAt), users(s.Rows), schema.SayCount(len(s.Parts), "%s part", "%s parts"), schema.Number(s.LeftOut.Rows), what)
	if err := a.writeLines(sentence, ""); err != nil {
		return err
	}
	tally := s.Tally()
	known := slices.DeleteFunc(slices.Clone(schema.HandoffOutcomes), func(o schema.Outcome) bool { return tally[o] == 0 })
	columns := []screen.Column{screen.Whole("Part"), screen.Numeric("Rows")}
	for _, outcome := range known {
		columns = append(columns, screen.Numeric(string(outcome)))
	}
	table := screen.NewTable(columns...)
	for _, part := range s.Parts {
		name := part.File
		if !part.There {
			name = l.Say("%s (missing)", name)
		}
		cells := []string{name, l.Number(part.Rows)}
		for _, outcome := range known {
			cells = append(cells, l.Number(part.Outcomes[outcome]))
		}
		if err := table.Add(cells...); err != nil {
			return err
		}
	}
	if err := errors.Join(a.writeTable(a.stdout, table), table.Close()); err != nil {
		return err
	}
	files := []string{"left-out.csv"}
	for _, name := range []string{s.Results, s.Checked, s.Retry} {
		if name != "" {
			files = append(files, name)
		}
	}
	return a.writeLines("", l.Say("Also there: %s.", strings.Join(files, ", ")))
}
