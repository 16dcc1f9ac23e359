package report

import (
	"bufio"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/pipeline/kept"
	"github.com/claimline/claimline/pipeline/usersfile"
	"github.com/claimline/claimline/pipeline/words"
	"github.com/claimline/claimline/schema"
)

// csvReporter writes the file again with six columns more, or eight where its rows were handed off in parts.
type csvReporter struct {
	to     *bufio.Writer
	writer *dialect.Writer
	layout *usersfile.Layout
	format schema.Format
	parts  bool
	cells  []string

	language words.Language
}

func newCSVReporter(to *bufio.Writer, l *usersfile.Layout, format schema.Format, parts bool, language words.Language) *csvReporter {
	return &csvReporter{to: to, writer: dialect.NewWriter(to, format), layout: l, format: format, parts: parts, language: language}
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
	added := schema.ReportHeaders
	if r.parts {
		added = slices.Concat(added, schema.PartHeaders)
	}
	return r.write(header, -1, added)
}

func (r *csvReporter) rows(c *kept.Rows, numbers []int) error {
	if err := r.header(); err != nil {
		return err
	}
	var added []string
	for _, i := range numbers {
		v := &c.Verdicts[i]
		result := told(c, i, r.language, "")
		added = append(added[:0], strconv.Itoa(result.Line), string(result.Outcome), string(result.Reason), result.Message, result.Fix, editsText(result.Edits))
		if r.parts {
			added = append(added, strconv.Itoa(result.Part), strconv.Itoa(result.Row))
		}
		unclaimed := -1
		if slices.ContainsFunc(v.Reasons, func(reason schema.Code) bool {
			return reason == schema.CodeFieldCount || reason == schema.CodeClaimContradicted
		}) {
			unclaimed = r.layout.Place(usersfile.Claim) // imported again it claims nobody until somebody says so
		}
		if err := r.write(c.Records.Cells(i), unclaimed, added); err != nil {
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
func (r *csvReporter) write(record []string, leaveOut int, said []string) error {
	r.cells = r.cells[:0]
	for column := range r.layout.Header {
		switch {
		case r.layout.Added(column):
		case column < len(record) && column != leaveOut:
			cell := record[column]
			if column == len(r.layout.Header)-1 { // no longer the last one, where surplus delimiters are known for what they are
				cell = dialect.Uncut(cell, r.format)
			}
			r.cells = append(r.cells, decodable(dialect.Restore(cell, r.layout.Known(column))))
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

// decodable returns a cell in UTF-8: each byte that could not be decoded becomes the replacement character.
// As it was, it would have the report taken for Windows-1252, and the row for one in order.
func decodable(cell string) string {
	if utf8.ValidString(cell) {
		return cell
	}
	return string([]rune(cell))
}

func (r *csvReporter) end(Whole) error {
	if err := r.header(); err != nil {
		return err
	}
	if err := r.writer.Flush(); err != nil {
		return err
	}
	return r.to.Flush()
}
