package pipeline

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/schema"
)

// Report says how rows are reported, and where to. It is the last stage of both passes, and can be run again later.
type Report struct {
	To     io.Writer
	Format ReportFormat
	// OnlyProblems leaves only the rows that want attention: invalid, ineligible, failed or not attempted.
	OnlyProblems bool
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
	end(schema.Summary) error
}

// reporting is a report under way.
type reporting struct {
	report *Report
	rows   rowReporter
}

// begin starts a report on rows of this layout; for this claiming organization, which is blank offline.
func (r *Report) begin(l *layout, format dialect.Format, claiming schema.Organization, policy schema.Policy) *reporting {
	to := bufio.NewWriterSize(r.To, 1<<16)
	var rows rowReporter
	switch r.Format {
	case ReportJSONL:
		rows = newJSONReporter(to, l)
	case ReportText:
		rows = &textReporter{to: to, layout: l}
	case ReportHTML:
		rows = newHTMLReporter(to, l, r.OnlyProblems, claiming, policy)
	default:
		rows = newCSVReporter(to, l, format)
	}
	return &reporting{report: r, rows: rows}
}

// chunk reports the rows of a chunk.
func (r *reporting) chunk(c *chunk) error {
	numbers := make([]int, 0, len(c.verdicts))
	for i := range c.verdicts {
		if !r.report.OnlyProblems || c.verdicts[i].Outcome.Problem() {
			numbers = append(numbers, i)
		}
	}
	if err := r.rows.rows(c, numbers); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

func (r *reporting) end(s schema.Summary) error {
	if err := r.rows.end(s); err != nil {
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
	l, err := newLayout(imp.File, 1, plan.Header, plan.Services)
	if err != nil {
		return fmt.Errorf("read the kept header: %w", err)
	}
	claiming, err := p.Store.Organization(ctx, imp.OrganizationID)
	if err != nil {
		return fmt.Errorf("look up the claiming organization: %w", err)
	}
	rows := report.begin(l, plan.Format, claiming, p.Policy)
	if err := p.eachKept(ctx, imp, plan, rows.chunk); err != nil {
		return err
	}
	return rows.end(summary)
}

// eachKept hands over every chunk of an import, in file order.
func (p *Pipeline) eachKept(ctx context.Context, imp schema.Import, plan *Plan, each func(*chunk) error) error {
	numbers, err := p.Store.Chunks(ctx, imp.ID, false)
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
	kept, err := p.Store.Chunk(ctx, imp.ID, number)
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
			v.finding = notAttempted(imp.Reason)
		}
	}
	return c, nil
}

// notAttempted is the finding of a row whose turn never came, for a reason that is blank while it may still come.
func notAttempted(reason schema.Code) *finding {
	if reason == "" {
		return &finding{Outcome: schema.NotAttempted}
	}
	f := found(reason, "", "")
	f.Outcome = schema.NotAttempted
	return f
}

// address is the row's address as written in the file, trimmed.
func (l *layout) address(record []string) string {
	if l.email >= len(record) {
		return ""
	}
	value, _ := dialect.Clean(record[l.email])
	return value
}

// jsonReporter writes JSON Lines.
type jsonReporter struct {
	to      *bufio.Writer
	encoder *json.Encoder
	layout  *layout
}

func newJSONReporter(to *bufio.Writer, l *layout) *jsonReporter {
	encoder := json.NewEncoder(to)
	encoder.SetEscapeHTML(false)
	return &jsonReporter{to: to, encoder: encoder, layout: l}
}

func (r *jsonReporter) rows(c *chunk, numbers []int) error {
	for _, i := range numbers {
		result := c.verdicts[i].result(c.records.Line(i), r.layout.address(c.records.Cells(i)))
		if err := r.encoder.Encode(result.Complete()); err != nil {
			return err
		}
	}
	return nil
}

func (r *jsonReporter) end(schema.Summary) error { return r.to.Flush() }

// csvReporter writes the file again with four columns more.
type csvReporter struct {
	to     *bufio.Writer
	writer *dialect.Writer
	layout *layout
	cells  []string
}

func newCSVReporter(to *bufio.Writer, l *layout, format dialect.Format) *csvReporter {
	return &csvReporter{to: to, writer: dialect.NewWriter(to, format), layout: l}
}

// header writes the header, once.
func (r *csvReporter) header() error {
	if r.cells != nil {
		return nil
	}
	r.cells = make([]string, 0, len(r.layout.header)+len(schema.ReportHeaders))
	header := make([]string, len(r.layout.written))
	for column, cell := range r.layout.written {
		header[column] = dialect.Restore(cell, true)
	}
	return r.write(header, schema.ReportHeaders)
}

func (r *csvReporter) rows(c *chunk, numbers []int) error {
	if err := r.header(); err != nil {
		return err
	}
	for _, i := range numbers {
		v := &c.verdicts[i]
		result := v.result(c.records.Line(i), "")
		said := [...]string{string(result.Outcome), string(result.Reason), result.Message, result.Fix}
		if err := r.write(c.records.Cells(i), said[:]); err != nil {
			return err
		}
	}
	return nil
}

// write writes one record: its own cells, all but those an earlier report added, then ours, then those that are too
// many for the header.
func (r *csvReporter) write(record, said []string) error {
	r.cells = r.cells[:0]
	for column := range r.layout.header {
		switch {
		case r.layout.report[column]:
		case column < len(record):
			r.cells = append(r.cells, decodable(dialect.Restore(record[column], r.layout.known(column))))
		default:
			r.cells = append(r.cells, "")
		}
	}
	for _, text := range said {
		r.cells = append(r.cells, dialect.Guard(text))
	}
	for column := len(r.layout.header); column < len(record); column++ {
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

func (r *csvReporter) end(schema.Summary) error {
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
	layout *layout
}

func (r *textReporter) rows(c *chunk, numbers []int) error {
	for _, i := range numbers {
		result := c.verdicts[i].result(c.records.Line(i), r.layout.address(c.records.Cells(i)))
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

func (r *textReporter) end(schema.Summary) error { return r.to.Flush() }
