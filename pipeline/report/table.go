package report

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/pipeline/kept"
	"github.com/claimline/claimline/pipeline/usersfile"
	"github.com/claimline/claimline/pipeline/words"
	"github.com/claimline/claimline/pipeline/workbook"
	"github.com/claimline/claimline/schema"
)

// tableReporter writes the file again with six columns more, or eight where its rows were handed off in
// parts: as CSV, or as a workbook.
type tableReporter struct {
	to     *bufio.Writer
	table  table
	layout *usersfile.Layout
	format schema.Format
	added  []string // headers
	cells  []string

	language words.Language
}

// table is a form of a table.
type table interface {
	restore(cell string, known bool) string // a cell of the file as it is written
	text(text string) string                // a text of ours as it is written
	begin(header []string) error
	write(cells []string) error
	end() error
}

func newTableReporter(to *bufio.Writer, l *usersfile.Layout, format schema.Format, parts, sheet bool, language words.Language) *tableReporter {
	r := &tableReporter{to: to, layout: l, format: format, added: schema.ReportHeaders, language: language}
	if parts {
		r.added = slices.Concat(r.added, schema.PartHeaders)
	}
	r.table = csvTable{dialect.NewWriter(to, format)}
	if sheet {
		r.table = &sheetTable{to: to, columns: slices.Concat(l.SheetColumns(), usersfile.ReportColumns(r.added))}
	}
	return r
}

// csvTable is a table as CSV.
type csvTable struct{ *dialect.Writer }

func (csvTable) restore(cell string, known bool) string { return dialect.Restore(cell, known) }
func (csvTable) text(text string) string                { return dialect.Guard(text) }
func (t csvTable) begin(header []string) error          { return t.WriteRaw(header) }
func (t csvTable) write(cells []string) error           { return t.WriteRaw(cells) }
func (t csvTable) end() error                           { return t.Flush() }

// sheetTable is a table as a workbook.
type sheetTable struct {
	to      io.Writer
	columns []workbook.Column
	writer  *workbook.Writer
}

func (*sheetTable) restore(cell string, known bool) string { return dialect.RestoreSheet(cell, known) }
func (*sheetTable) text(text string) string                { return dialect.SheetCell(text) }
func (t *sheetTable) write(cells []string) error           { return t.writer.Write(cells) }
func (t *sheetTable) end() error                           { return t.writer.Close() }

func (t *sheetTable) begin(header []string) (err error) {
	for i := range header {
		t.columns[i].Header = header[i]
	}
	t.writer, err = workbook.NewWriter(t.to, t.columns)
	return err
}

// header writes the header, once.
func (r *tableReporter) header() error {
	if r.cells != nil {
		return nil
	}
	r.cells = make([]string, 0, len(r.layout.Header)+len(r.added))
	for column, cell := range r.layout.Written {
		if !r.layout.Added(column) {
			if column == len(r.layout.Header)-1 {
				cell = dialect.Uncut(cell, r.format)
			}
			r.cells = append(r.cells, decodable(r.table.restore(cell, true)))
		}
	}
	return r.table.begin(append(r.cells, r.added...))
}

func (r *tableReporter) rows(c *kept.Rows, numbers []int) error {
	if err := r.header(); err != nil {
		return err
	}
	var said []string
	for _, i := range numbers {
		v := &c.Verdicts[i]
		result := told(c, i, r.language, "")
		said = append(said[:0], strconv.Itoa(result.Line), string(result.Outcome), string(result.Reason), result.Message, result.Fix, editsText(result.Edits))
		if len(r.added) > len(schema.ReportHeaders) {
			said = append(said, strconv.Itoa(result.Part), strconv.Itoa(result.Row))
		}
		unclaimed := -1
		if slices.ContainsFunc(v.Reasons, func(reason schema.Code) bool {
			return reason == schema.CodeFieldCount || reason == schema.CodeClaimContradicted
		}) {
			unclaimed = r.layout.Place(usersfile.Claim) // imported again it claims nobody until somebody says so
		}
		if err := r.write(c.Records.Cells(i), unclaimed, said); err != nil {
			return err
		}
	}
	return nil
}

// editsText shows edits in one cell, in the order of the columns.
func editsText(edits schema.Edits) string {
	if len(edits) == 0 {
		return ""
	}
	var parts []string
	for _, column := range schema.Columns {
		if edit, ok := edits[column]; ok {
			parts = append(parts, fmt.Sprintf("%s: %s → %s", column, edit[0], edit[1]))
		}
	}
	return strings.Join(parts, "; ")
}

// write writes one record: its own cells, all but those an earlier report added and with the one left out
// blank, then ours, then those that are too many for the header.
func (r *tableReporter) write(record []string, leaveOut int, said []string) error {
	r.cells = r.cells[:0]
	for column := range r.layout.Header {
		switch {
		case r.layout.Added(column):
		case column < len(record) && column != leaveOut:
			cell := record[column]
			if column == len(r.layout.Header)-1 { // no longer the last one, where surplus delimiters are known for what they are
				cell = dialect.Uncut(cell, r.format)
			}
			r.cells = append(r.cells, decodable(r.table.restore(cell, r.layout.Known(column))))
		default:
			r.cells = append(r.cells, "")
		}
	}
	for _, text := range said {
		r.cells = append(r.cells, r.table.text(text))
	}
	for column := len(r.layout.Header); column < len(record); column++ {
		r.cells = append(r.cells, decodable(r.table.restore(record[column], false)))
	}
	return r.table.write(r.cells)
}

// decodable returns a cell in UTF-8: each byte that could not be decoded becomes the replacement character.
// As it was, it would have the report taken for Windows-1252, and the row for one in order.
func decodable(cell string) string {
	if utf8.ValidString(cell) {
		return cell
	}
	return string([]rune(cell))
}

func (r *tableReporter) end(Whole) error {
	if err := r.header(); err != nil {
		return err
	}
	if err := r.table.end(); err != nil {
		return err
	}
	return r.to.Flush()
}
