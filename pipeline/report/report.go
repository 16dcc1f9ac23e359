package report

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/claimline/claimline/pipeline/kept"
	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/pipeline/usersfile"
	"github.com/claimline/claimline/pipeline/words"
	"github.com/claimline/claimline/pipeline/workbook"
	"github.com/claimline/claimline/schema"
)

// Report says how rows are reported, and where to. It is the last stage of a dry run; of an import it is
// written as often as somebody asks.
type Report struct {
	To     io.Writer // a Rewinder, best: then Plan reads a file once that nothing contradicts
	Format Format
	// Only, where there is some, leaves the rows that one of these holds for: OnlyProblems, OnlyEdits,
	// OnlyWarnings, or an outcome.
	Only []string
	// Reason, where it is not blank, leaves of these the rows that have it among their reasons.
	Reason schema.Code
	// Outcome, where it is not blank, leaves of these the rows that have it.
	Outcome schema.Outcome
	// Search, where it is not blank, leaves of these, in Page, the rows in whose address it occurs, whatever
	// the case.
	Search string
	Parts  bool // the rows were handed off in parts, and have origins
	// Language is what people are told in: the zero value is English. JSON Lines are English in any case.
	Language words.Language

	start int64 // where it begins in a Rewinder
	begun bool  // has been written to
}

// What Report.Only can be, besides an outcome.
const (
	OnlyProblems = "problems" // rows that want somebody's attention: see schema.Result.Problem
	OnlyEdits    = "edits"    // rows that change an account (see R17)
	OnlyWarnings = "warnings"
)

// picks reports whether a row is to be reported.
func (r *Report) picks(v *kept.Verdict) bool {
	if !v.IsRow() || r.Reason != "" && !slices.Contains(v.Reasons, r.Reason) || r.Outcome != "" && v.Outcome != r.Outcome {
		return false
	}
	return len(r.Only) == 0 || slices.ContainsFunc(r.Only, func(only string) bool {
		switch only {
		case OnlyProblems:
			return v.Problem()
		case OnlyEdits:
			return len(v.Edits) > 0
		case OnlyWarnings:
			return len(v.Warnings) > 0
		}
		return string(v.Outcome) == only
	})
}

// mayPick reports whether there may be a row to be reported among those that were counted.
func (r *Report) mayPick(t schema.Tally) bool {
	if r.Reason != "" && len(t.Reasons) == 0 || r.Outcome != "" && t.Outcomes[r.Outcome] == 0 {
		return false
	}
	return len(r.Only) == 0 || slices.ContainsFunc(r.Only, func(only string) bool {
		switch only {
		case OnlyProblems:
			return counted(t.Reasons, schema.Code.Problem) || counted(t.Outcomes, schema.Outcome.Unfinished) ||
				t.Warnings[schema.CodeLicenseMissing]+t.Warnings[schema.CodeLicenseKept] > 0
		case OnlyEdits:
			return len(t.Edits)+len(t.ForeseenEdits) > 0
		case OnlyWarnings:
			return len(t.Warnings)+len(t.Foreseen) > 0
		}
		return t.Outcomes[schema.Outcome(only)] > 0
	})
}

// counted reports whether something was counted that is so.
func counted[K comparable](of map[K]int, is func(K) bool) bool {
	for key := range of {
		if is(key) {
			return true
		}
	}
	return false
}

// Format is a form in which rows are reported.
type Format string

// The forms of a report.
const (
	CSV   Format = "csv"   // the file's own columns, every cell as it was, and schema.ReportHeaders
	JSONL Format = "jsonl" // one schema.Result a line
	Text  Format = "text"  // one line a row, for people
	HTML  Format = "html"  // one self-contained page: counts, a chart, problems, the rows
	XLSX  Format = "xlsx"  // what CSV has, as a workbook
)

// Media returns the media type of a form.
func (f Format) Media() string {
	return map[Format]string{
		CSV: "text/csv; charset=utf-8", JSONL: "application/jsonl", Text: "text/plain; charset=utf-8", HTML: "text/html; charset=utf-8", XLSX: workbook.Media,
	}[f]
}

// rowReporter writes rows as they come by, in file order.
type rowReporter interface {
	rows(c *kept.Rows, numbers []int) error
	end(w Whole) error
}

// Whole is what a report knows of the import, or the dry run, beside its rows.
type Whole struct {
	schema.Summary
	Order   schema.Order
	Import  schema.Import // blank: a dry run
	Handoff *Handoff      // nil: the rows are those of an import
}

// Handoff is what a report on rows that were handed off says beside them.
type Handoff struct {
	Folder   string
	Verified bool // fresh exports were looked at, and not only what Control Hub said
}

// Writer is a report under way.
type Writer struct {
	report *Report
	rows   rowReporter
}

// Begin starts a report on rows of this layout; for this claiming organization, which is blank offline.
func (r *Report) Begin(l *usersfile.Layout, format schema.Format, claiming schema.Organization, policy schema.Policy) (*Writer, error) {
	if err := r.rewind(); err != nil {
		return nil, err
	}
	to := bufio.NewWriterSize(r.To, 1<<16)
	var rows rowReporter
	switch r.Format {
	case JSONL:
		rows = newJSONReporter(to, l)
	case Text:
		rows = &textReporter{to: to, layout: l, language: r.Language}
	case HTML:
		rows = newHTMLReporter(to, l, slices.Contains(r.Only, OnlyProblems), claiming, policy, r.Language)
	default:
		rows = newTableReporter(to, l, format, r.Parts, r.Format == XLSX, r.Language)
	}
	return &Writer{report: r, rows: rows}, nil
}

// told returns the result of a row with its message and fix in a language.
func told(c *kept.Rows, i int, l words.Language, address string) schema.Result {
	result := c.Result(i, address)
	say(&result, &c.Verdicts[i], l)
	return result
}

// say has a result say what was found in a language.
func say(result *schema.Result, v *kept.Verdict, l words.Language) {
	if l == words.Swedish { // English it is already
		message, fix := v.Told()
		result.Message, result.Fix = message.In(l), fix.In(l)
	}
}

// Rewinder is what a report is written to that can take back what it was given: a file.
type Rewinder interface {
	io.WriteSeeker
	Truncate(size int64) error
}

// Rewinds reports whether what the report is written to can take back what it was given.
func (r *Report) Rewinds() bool {
	to, _ := r.rewinder()
	return to != nil
}

// rewinder returns what the report is written to where that can take it back, else nil; and where it stands.
func (r *Report) rewinder() (to Rewinder, at int64) {
	to, ok := r.To.(Rewinder)
	if !ok {
		return nil, 0
	}
	at, err := to.Seek(0, io.SeekCurrent)
	if err != nil { // a pipe
		return nil, 0
	}
	return to, at
}

// rewind takes back what was written of a report that begins again.
func (r *Report) rewind() error {
	to, at := r.rewinder()
	if !r.begun {
		r.begun, r.start = true, at
		return nil
	}
	if to == nil {
		return errors.New("a report that begins again is written to what cannot be rewound")
	}
	_, err := to.Seek(r.start, io.SeekStart)
	if err == nil {
		err = to.Truncate(r.start)
	}
	if err != nil {
		return fmt.Errorf("begin the report again: %w", err)
	}
	return nil
}

// Write reports rows, those next in the file.
func (w *Writer) Write(rows *kept.Rows) error {
	numbers := make([]int, 0, len(rows.Verdicts))
	for i := range rows.Verdicts {
		if w.report.picks(&rows.Verdicts[i]) {
			numbers = append(numbers, i)
		}
	}
	if err := w.rows.rows(rows, numbers); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

// End ends the report.
func (w *Writer) End(whole Whole) error {
	if err := w.rows.end(whole); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

// reportable refuses an import that has no rows.
func reportable(imp schema.Import) error {
	switch {
	case imp.RowsRemoved:
		return schema.Refuse(schema.CodeImportRemoved, "The file and the rows of import %d were removed.", imp.ID)
	case len(imp.Plan) == 0:
		return schema.Refuse(schema.CodeImportIncomplete, "")
	}
	return nil
}

// OfImport writes what became of each row of an import: see kept.Each for those whose turn has not come.
// Refused with CodeImportRemoved once its rows are gone, and with CodeImportIncomplete where it was never
// planned to its end.
func (r *Report) OfImport(ctx context.Context, s *store.Store, policy schema.Policy, imp schema.Import) error {
	if err := reportable(imp); err != nil {
		return err
	}
	file, err := kept.FileOf(imp)
	if err != nil {
		return err
	}
	summary, err := imp.Summary()
	if err != nil {
		return err
	}
	claiming, err := s.Organization(ctx, imp.OrganizationID)
	if err != nil {
		return fmt.Errorf("look up the claiming organization: %w", err)
	}
	w, err := r.Begin(file.Layout, file.Plan.Format, claiming, policy)
	if err != nil {
		return err
	}
	if err := kept.Each(ctx, s, imp, file.Plan.Format, w.Write); err != nil {
		return err
	}
	return w.End(Whole{Summary: summary, Order: file.Order, Import: imp})
}
