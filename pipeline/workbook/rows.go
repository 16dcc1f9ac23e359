package workbook

import (
	"context"
	"errors"
	"strconv"

	"github.com/claimline/claimline/schema"
)

// Row is a row of a sheet that has content.
type Row struct {
	Number int // the sheet's first being 1
	Hidden bool
	Cells  []string // as they are shown, up to the last that is not empty
}

// Notes are what else there is to say of a sheet.
type Notes struct {
	Merged        []Area // cells that are merged: only the first of them has content
	HiddenColumns []Area
}

// Area is a rectangle of cells; its numbers begin at 1.
type Area struct{ FirstRow, LastRow, FirstColumn, LastColumn int }

// mostNoted is how many areas are noted: of more, nobody is told more.
const mostNoted = 100_000

// Rows hands over the rows of a sheet that have content, in their order, until there are no more, or each has
// enough and returns ErrEnough. A row's cells are valid until each returns. Refused with CodeEncodingUnknown,
// with CodeLimitExceeded, and with CodeFormulaNotCalculated.
func (b *Book) Rows(ctx context.Context, sheet int, each func(*Row) error) (*Notes, error) {
	r := &rowReader{book: b, each: each}
	rows := 0
	err := b.scan(b.Sheets[sheet].part, mostSheet, func(s *scanner, kind token) error {
		if rows++; rows&0xffff == 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		return r.see(s, kind)
	})
	if refused, ok := errors.AsType[*schema.Error](err); ok && refused.Line == 0 {
		return nil, refused.At("", r.row.Number, 0)
	}
	return &r.notes, err
}

// rowReader puts together the rows of a sheet.
type rowReader struct {
	book  *Book
	each  func(*Row) error
	notes Notes

	inData bool // within sheetData, where the rows are
	inRow  bool
	row    Row
	cells  []cell
	text   []byte // of the cells, one behind the other

	inCell bool
	cell   cell
	inV    bool
	value  []byte // what v says of the cell
	runs   runs   // what is says of it
	kind   string // of the cell's value
	style  int
	stored bool // there is a v or an is
	called bool // the cell is a formula
}

// cell is a cell of the row that is being read.
type cell struct {
	column int    // the first being 1
	shared string // its text; blank: that from the end of the cell before it
	end    int    // of its text
}

// see takes in a tag or text.
func (r *rowReader) see(s *scanner, kind token) error {
	if r.inCell {
		return r.seeInCell(s, kind)
	}
	switch {
	case kind == startTag && r.inRow && string(s.name) == "c":
		return r.beginCell(s)
	case kind == startTag && r.inData && string(s.name) == "row":
		return r.beginRow(s)
	case kind == endTag && r.inRow && string(s.name) == "row":
		return r.endRow()
	case kind == startTag && string(s.name) == "sheetData":
		r.inData = true
	case kind == endTag && string(s.name) == "sheetData":
		r.inData = false
	case kind == startTag && !r.inData && string(s.name) == "mergeCell":
		return r.merged(s)
	case kind == startTag && !r.inData && string(s.name) == "col":
		return r.column(s)
	}
	return nil
}

func (r *rowReader) beginRow(s *scanner) (err error) {
	last := r.row.Number
	if r.row.Number, err = s.number("r", last+1); err != nil {
		return err
	}
	if r.row.Number <= last || r.row.Number > mostRows {
		return malformedError("its rows are in no order")
	}
	r.row.Hidden, err = s.flag("hidden")
	r.inRow, r.cell, r.cells, r.text = true, cell{}, r.cells[:0], r.text[:0]
	return err
}

func (r *rowReader) beginCell(s *scanner) (err error) {
	r.cell = cell{column: r.cell.column + 1}
	at, err := s.attribute("r")
	if err != nil {
		return err
	}
	if at != "" {
		row, column, ok := place(at)
		if !ok || row != r.row.Number || column < r.cell.column {
			return malformedError("its cells are in no order")
		}
		r.cell.column = column
	}
	if r.cell.column > mostColumns {
		return malformedError("it has too many columns")
	}
	if r.kind, err = s.attribute("t"); err != nil {
		return err
	}
	if r.style, err = s.number("s", 0); err != nil {
		return err
	}
	r.inCell, r.stored, r.called, r.value = true, false, false, r.value[:0]
	r.runs.text = r.runs.text[:0]
	return nil
}

// place returns the row and the column that a reference such as B12 names.
func place(reference string) (row, column int, ok bool) {
	i := 0
	for ; i < len(reference) && i < 3 && reference[i] >= 'A' && reference[i] <= 'Z'; i++ {
		column = column*26 + int(reference[i]-'A') + 1
	}
	row, err := strconv.Atoi(reference[i:])
	return row, column, err == nil && i > 0 && row > 0 && row <= mostRows && column <= mostColumns
}

// seeInCell takes in what stands in a cell.
func (r *rowReader) seeInCell(s *scanner, kind token) error {
	if r.runs.inside || kind == startTag && string(s.name) == "is" {
		r.stored = r.runs.see(s, kind) || r.stored
		return nil
	}
	switch kind {
	case startTag:
		switch string(s.name) {
		case "v":
			r.inV, r.stored = true, true
		case "f":
			r.called = true
		}
	case endTag:
		switch string(s.name) {
		case "v":
			r.inV = false
		case "c":
			r.inCell = false
			return r.endCell()
		}
	case text:
		if r.inV {
			r.value = append(r.value, s.text...)
		}
	case endOfPart:
	}
	return nil
}

// endCell adds the cell to its row.
func (r *rowReader) endCell() error {
	if r.called && (r.book.stale || r.kind != "str" && len(r.value) == 0) {
		return schema.Refuse(schema.CodeFormulaNotCalculated, "The formula in %s has no value yet: the program that wrote the workbook did not calculate it.",
			name(r.row.Number, r.cell.column)).At("", r.row.Number, r.cell.column)
	}
	if err := r.show(); err != nil {
		return err
	}
	if r.cell.shared != "" || len(r.text) > r.textEnd() {
		r.cell.end = len(r.text)
		r.cells = append(r.cells, r.cell)
	}
	return nil
}

// textEnd returns where the text ends of the cells there are.
func (r *rowReader) textEnd() int {
	if n := len(r.cells); n > 0 {
		return r.cells[n-1].end
	}
	return 0
}

// show appends what the cell shows to the text of its row.
func (r *rowReader) show() error {
	switch r.kind {
	case "s":
		n, err := strconv.Atoi(string(r.value))
		text, ok := r.book.strings.at(n)
		if len(r.value) == 0 {
			text, ok, err = "", true, nil
		}
		if err != nil || !ok {
			return malformedError("a cell names a text that is not there")
		}
		r.cell.shared = text
	case "inlineStr":
		r.text = append(r.text, unescapeText(r.runs.text)...)
	case "str", "e", "d":
		r.text = append(r.text, unescapeText(r.value)...)
	case "b":
		switch string(r.value) {
		case "1", "true":
			r.text = append(r.text, "TRUE"...)
		case "0", "false":
			r.text = append(r.text, "FALSE"...)
		case "":
		default:
			return malformedError("a cell is neither true nor false")
		}
	case "", "n":
		if len(r.value) > 0 {
			shown, err := r.book.formats.show(string(r.value), r.style)
			if err != nil {
				return err
			}
			r.text = append(r.text, shown...)
		}
	default:
		return malformedError("a cell is of a kind that is not known")
	}
	return nil
}

// endRow hands the row over.
func (r *rowReader) endRow() error {
	r.inRow = false
	if len(r.cells) == 0 {
		return nil
	}
	text, start := string(r.text), 0
	r.row.Cells = r.row.Cells[:0]
	for _, c := range r.cells {
		for len(r.row.Cells) < c.column-1 {
			r.row.Cells = append(r.row.Cells, "")
		}
		shown := c.shared
		if shown == "" {
			shown = text[start:c.end]
		}
		r.row.Cells, start = append(r.row.Cells, shown), c.end
	}
	return r.each(&r.row)
}

// merged notes cells that are merged.
func (r *rowReader) merged(s *scanner) error {
	area, err := s.attribute("ref")
	if err != nil {
		return err
	}
	a, ok := areaOf(area)
	if !ok {
		return malformedError("merged cells are nowhere")
	}
	if len(r.notes.Merged) < mostNoted {
		r.notes.Merged = append(r.notes.Merged, a)
	}
	return nil
}

// column notes columns that are hidden.
func (r *rowReader) column(s *scanner) error {
	hidden, err := s.flag("hidden")
	if err != nil || !hidden {
		return err
	}
	a := Area{FirstRow: 1, LastRow: mostRows}
	if a.FirstColumn, err = s.number("min", 1); err != nil {
		return err
	}
	if a.LastColumn, err = s.number("max", a.FirstColumn); err != nil {
		return err
	}
	if len(r.notes.HiddenColumns) < mostNoted {
		r.notes.HiddenColumns = append(r.notes.HiddenColumns, a)
	}
	return nil
}
