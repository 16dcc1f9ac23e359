package pipeline

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/pipeline/usersfile"
	"github.com/claimline/claimline/schema"
)

// Report says how rows are reported, and where to. It is the last stage of both passes, and can be run again later.
type Report struct {
	To     io.Writer // a Rewinder, best: then Plan reads a file once that nothing contradicts
	Format ReportFormat
	// Only, where there is some, leaves the rows that one of these holds for: OnlyProblems, OnlyEdits, OnlyWarnings, or an outcome.
	Only []string
	// Reason, where it is not blank, leaves of these the rows that have it among their reasons.
	Reason schema.Code

	start int64 // where it begins in a Rewinder
	begun bool  // has been written to
}

// What Report.Only can be, besides an outcome.
const (
	OnlyProblems = "problems" // rows that want somebody's attention: see schema.Result.Problem
	OnlyEdits    = "edits"    // rows that change an account (R17)
	OnlyWarnings = "warnings"
)

// picks reports whether a row is to be reported.
func (r *Report) picks(v *verdict) bool {
	if !v.isRow() || r.Reason != "" && !slices.Contains(v.Reasons, r.Reason) {
		return false
	}
	return len(r.Only) == 0 || slices.ContainsFunc(r.Only, func(only string) bool {
		switch only {
		case OnlyProblems:
			return v.problem()
		case OnlyEdits:
			return len(v.edits) > 0
		case OnlyWarnings:
			return len(v.Warnings) > 0
		}
		return string(v.Outcome) == only
	})
}

// ReportFormat is a form in which rows are reported.
type ReportFormat string

// The forms of a report.
const (
	ReportCSV   ReportFormat = "csv"   // the file's own columns, every cell as it was, and schema.ReportHeaders
	ReportJSONL ReportFormat = "jsonl" // one schema.Result a line
	ReportText  ReportFormat = "text"  // one line a row, for people
	ReportHTML  ReportFormat = "html"  // one self-contained page: counts, a chart, problems, the rows
)

// rowReporter writes rows as they come by, in file order.
type rowReporter interface {
	rows(c *chunk, numbers []int) error
	end(w whole) error
}

// whole is what a report knows of the import, or the dry run, beside its rows.
type whole struct {
	schema.Summary
	order Order
	imp   schema.Import // blank: a dry run
}

// reporting is a report under way.
type reporting struct {
	report *Report
	rows   rowReporter
}

// begin starts a report on rows of this layout; for this claiming organization, which is blank offline.
func (r *Report) begin(l *usersfile.Layout, format dialect.Format, claiming schema.Organization, policy schema.Policy) (*reporting, error) {
	if err := r.rewind(); err != nil {
		return nil, err
	}
	to := bufio.NewWriterSize(r.To, 1<<16)
	var rows rowReporter
	switch r.Format {
	case ReportJSONL:
		rows = newJSONReporter(to, l)
	case ReportText:
		rows = &textReporter{to: to, layout: l}
	case ReportHTML:
		rows = newHTMLReporter(to, l, slices.Contains(r.Only, OnlyProblems), claiming, policy)
	default:
		rows = newCSVReporter(to, l, format)
	}
	return &reporting{report: r, rows: rows}, nil
}

// Rewinder is what a report is written to that can take back what it was given: a file.
type Rewinder interface {
	io.WriteSeeker
	Truncate(size int64) error
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

// chunk reports the rows of a chunk.
func (r *reporting) chunk(c *chunk) error {
	numbers := make([]int, 0, len(c.verdicts))
	for i := range c.verdicts {
		if r.report.picks(&c.verdicts[i]) {
			numbers = append(numbers, i)
		}
	}
	if err := r.rows.rows(c, numbers); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

func (r *reporting) end(w whole) error {
	if err := r.rows.end(w); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

// Report writes what became of each row of an import; rows whose turn has not come are not attempted. Refused with
// CodeImportRemoved once its rows are gone, and with CodeImportIncomplete where it was never planned to its end.
func (p *Pipeline) Report(ctx context.Context, imp schema.Import, report *Report) error {
	switch {
	case imp.RowsRemoved:
		return schema.Refuse(schema.CodeImportRemoved, "The file and the rows of import %d were removed.", imp.ID)
	case len(imp.Plan) == 0:
		return schema.Refuse(schema.CodeImportIncomplete, "")
	}
	plan, err := PlanOf(imp)
	if err != nil {
		return err
	}
	summary, err := Summarize(imp)
	if err != nil {
		return err
	}
	order, err := OrderOf(imp)
	if err != nil {
		return err
	}
	l, err := plan.layout(order)
	if err != nil {
		return err
	}
	claiming, err := p.Store.Organization(ctx, imp.OrganizationID)
	if err != nil {
		return fmt.Errorf("look up the claiming organization: %w", err)
	}
	rows, err := report.begin(l, plan.Format, claiming, p.Policy)
	if err != nil {
		return err
	}
	if err := p.eachKept(ctx, imp, plan, rows.chunk); err != nil {
		return err
	}
	return rows.end(whole{Summary: summary, order: order, imp: imp})
}

// eachKept hands over every chunk of an import, in file order.
func (p *Pipeline) eachKept(ctx context.Context, imp schema.Import, plan *Plan, each func(*chunk) error) error {
	numbers, err := p.Store.Chunks(ctx, imp.OrganizationID, imp.ID, false)
	if err != nil {
		return fmt.Errorf("list the chunks: %w", err)
	}
	for _, number := range numbers {
		c, err := p.keptChunk(ctx, imp, plan, number)
		if err != nil {
			return err
		}
		if err := each(c); err != nil {
			return err
		}
	}
	return nil
}

// keptChunk is a chunk of an import with what became of its rows.
func (p *Pipeline) keptChunk(ctx context.Context, imp schema.Import, plan *Plan, number int) (*chunk, error) {
	kept, err := p.Store.Chunk(ctx, imp.OrganizationID, imp.ID, number)
	if err != nil {
		return nil, fmt.Errorf("read chunk %d: %w", number, err)
	}
	packed := kept.Results
	if packed == nil {
		packed = kept.Verdicts
	}
	c, err := unpackChunk(kept, plan.Format, packed)
	if err != nil {
		return nil, fmt.Errorf("unpack chunk %d: %w", number, err)
	}
	for i := range c.verdicts {
		if v := &c.verdicts[i]; v.Outcome == schema.Ready {
			v.Finding, v.edits = notAttempted(imp), nil
		}
	}
	return c, nil
}

// notAttempted is the finding of a row whose turn never came, for a reason that is blank while it may still come.
func notAttempted(imp schema.Import) *schema.Finding {
	if imp.Reason == "" {
		return &schema.Finding{Outcome: schema.NotAttempted}
	}
	f := schema.NewFinding(imp.Reason, "", strconv.FormatInt(imp.ID, 10))
	f.Outcome = schema.NotAttempted
	return f
}

// jsonReporter writes JSON Lines.
type jsonReporter struct {
	to      *bufio.Writer
	encoder *json.Encoder
	layout  *usersfile.Layout
}

func newJSONReporter(to *bufio.Writer, l *usersfile.Layout) *jsonReporter {
	return &jsonReporter{to: to, encoder: schema.NewEncoder(to), layout: l}
}

func (r *jsonReporter) rows(c *chunk, numbers []int) error {
	for _, i := range numbers {
		result := c.verdicts[i].result(c.records.Line(i), r.layout.Address(c.records.Cells(i)))
		if err := r.encoder.Encode(result.Complete()); err != nil {
			return err
		}
	}
	return nil
}

func (r *jsonReporter) end(whole) error { return r.to.Flush() }

// csvReporter writes the file again with six columns more.
type csvReporter struct {
	to     *bufio.Writer
	writer *dialect.Writer
	layout *usersfile.Layout
	cells  []string
}

func newCSVReporter(to *bufio.Writer, l *usersfile.Layout, format dialect.Format) *csvReporter {
	return &csvReporter{to: to, writer: dialect.NewWriter(to, format), layout: l}
}

// header writes the header, once.
func (r *csvReporter) header() error {
	if r.cells != nil {
		return nil
	}
	r.cells = make([]string, 0, len(r.layout.Header)+len(schema.ReportHeaders))
	header := make([]string, len(r.layout.Written))
	for column, cell := range r.layout.Written {
		header[column] = dialect.Restore(cell, true)
	}
	return r.write(header, -1, schema.ReportHeaders)
}

func (r *csvReporter) rows(c *chunk, numbers []int) error {
	if err := r.header(); err != nil {
		return err
	}
	for _, i := range numbers {
		v := &c.verdicts[i]
		result := v.result(c.records.Line(i), "")
		said := [...]string{strconv.Itoa(result.Line), string(result.Outcome), string(result.Reason), result.Message, result.Fix, editsText(result.Edits)}
		unclaimed := -1
		if slices.ContainsFunc(v.Reasons, func(reason schema.Code) bool {
			return reason == schema.CodeFieldCount || reason == schema.CodeClaimContradicted
		}) {
			unclaimed = r.layout.Place(usersfile.Claim) // imported again it claims nobody until somebody says so
		}
		if err := r.write(c.records.Cells(i), unclaimed, said[:]); err != nil {
			return err
		}
	}
	return nil
}

// editsText shows edits in one cell, in the order of the columns.
func editsText(edits schema.Edits) string {
	var parts []string
	for _, column := range schema.Columns {
		if edit, ok := edits[column]; ok {
			parts = append(parts, fmt.Sprintf("%s: %s → %s", column, edit[0], edit[1]))
		}
	}
	return strings.Join(parts, "; ")
}

// write writes one record: its own cells, all but those an earlier report added and with the one left out blank, then
// ours, then those that are too many for the header.
func (r *csvReporter) write(record []string, leaveOut int, said []string) error {
	r.cells = r.cells[:0]
	for column := range r.layout.Header {
		switch {
		case r.layout.Added(column):
		case column < len(record) && column != leaveOut:
			r.cells = append(r.cells, decodable(dialect.Restore(record[column], r.layout.Known(column))))
		default:
			r.cells = append(r.cells, "")
		}
	}
	for _, text := range said {
		r.cells = append(r.cells, dialect.Guard(text))
	}
	for column := len(r.layout.Header); column < len(record); column++ {
		r.cells = append(r.cells, decodable(dialect.Restore(record[column], false)))
	}
	return r.writer.WriteRaw(r.cells)
}

// decodable is a cell in UTF-8: each byte that could not be decoded becomes the replacement character. As it was, it
// would have the report taken for Windows-1252, and the row for one in order.
func decodable(cell string) string {
	if utf8.ValidString(cell) {
		return cell
	}
	return string([]rune(cell))
}

func (r *csvReporter) end(whole) error {
	if err := r.header(); err != nil {
		return err
	}
	if err := r.writer.Flush(); err != nil {
		return err
	}
	return r.to.Flush()
}

// textReporter writes one line a row.
type textReporter struct {
	to     *bufio.Writer
	layout *usersfile.Layout
}

func (r *textReporter) rows(c *chunk, numbers []int) error {
	for _, i := range numbers {
		result := c.verdicts[i].result(c.records.Line(i), r.layout.Address(c.records.Cells(i)))
		if _, err := r.to.WriteString(textLine(&result) + "\n"); err != nil {
			return err
		}
	}
	return nil
}

func textLine(result *schema.Result) string {
	var b strings.Builder
	fmt.Fprintf(&b, "line %d: %s: %s", result.Line, schema.Printable(result.Email), result.Outcome)
	if result.ClaimType != "" {
		fmt.Fprintf(&b, " (%s)", result.ClaimType)
	}
	for _, warning := range result.Warnings {
		b.WriteString(", " + schema.Printable(warning))
	}
	if result.Reason != "" {
		fmt.Fprintf(&b, ": %s", result.Reason)
		if result.Column != "" {
			fmt.Fprintf(&b, ` in column "%s"`, schema.Printable(result.Column))
		}
		fmt.Fprintf(&b, ": %s %s", schema.Printable(result.Message), schema.Printable(result.Fix))
	}
	return b.String()
}

func (r *textReporter) end(whole) error { return r.to.Flush() }
