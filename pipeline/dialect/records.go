package dialect

import (
	"math"
	"strings"

	"github.com/claimline/claimline/schema"
)

// Records are the records of one block. The zero value is ready for Parse; used again, it keeps its memory.
type Records struct {
	BlankRows int // rows without any content, which are no records

	text      string
	rows      []row
	cells     []span
	unescaped []string // cells in which quotes were doubled
	record    []string // memory for Cells
}

type row struct {
	begin   int // in the text
	end     int // of its cells
	line    int
	surplus bool // blank cells beyond the header's have been left out
}

// span is a cell: where it stands in the text, counted from where its record begins; or, with the end
// unescapedCell, its place in Records.unescaped. Half as large as a string, it is nothing that the garbage
// collector has to look at.
type span struct{ start, end uint32 }

const unescapedCell = math.MaxUint32

func (r *Records) reset(text string) {
	clear(r.unescaped)
	r.text, r.rows, r.unescaped, r.BlankRows = text, r.rows[:0], r.unescaped[:0], 0
}

// Len returns the number of records.
func (r *Records) Len() int { return len(r.rows) }

// Line returns the physical line on which record i starts.
func (r *Records) Line(i int) int { return r.rows[i].line }

// Cells returns the cells of record i as they stand in the file, unquoted. They share the memory of the
// block's text; the slice is the Records' own, and valid until the next call.
func (r *Records) Cells(i int) []string {
	start := 0
	if i > 0 {
		start = r.rows[i-1].end
	}
	text := r.text[r.rows[i].begin:]
	r.record = r.record[:0]
	for _, cell := range r.cells[start:r.rows[i].end] {
		r.record = append(r.record, r.cell(text, cell))
	}
	return r.record
}

// cell returns the cell at a place in the text from where its record begins.
func (r *Records) cell(text string, at span) string {
	if at.end == unescapedCell {
		return r.unescaped[at.start]
	}
	return text[at.start:at.end]
}

// Fitted says how a record was made as wide as the header.
type Fitted uint8

// What Fit did. Surplus and Missing are schema.RepairCellsSurplus and schema.RepairCellsMissing.
const (
	Surplus Fitted = 1 << iota // blank cells beyond the header's are left out, or Format.Cut is cut off the last one
	Missing                    // last cells that the row does not have are blank
	Ragged                     // it has too many cells or too few, and is as it was
)

// Count adds what was mended of the record.
func (f Fitted) Count(repairs map[schema.Repair]int) {
	if f&Surplus != 0 {
		repairs[schema.RepairCellsSurplus]++
	}
	if f&Missing != 0 {
		repairs[schema.RepairCellsMissing]++
	}
}

// Fit returns the cells of record i, as many as the header has where that is meant: blank cells beyond those
// are left out, what was cut off the header's end is cut off the row's, and cells from index mayLack on may
// be missing, and are blank then. The slice is the Records' own, and valid until the next call.
func (r *Records) Fit(i int, format schema.Format, mayLack int) (cells []string, fitted Fitted) {
	cells = r.Cells(i)
	if r.rows[i].surplus {
		fitted = Surplus
	}
	switch {
	case format.Workbook && len(cells) < format.Columns: // blank cells are not in a sheet
		for len(cells) < format.Columns {
			cells = append(cells, "")
		}
		r.record = cells
	case len(cells) > format.Columns || len(cells) < min(mayLack, format.Columns):
		return cells, fitted | Ragged
	case len(cells) < format.Columns && OtherDelimiter(format, cells) != 0:
		return cells, fitted | Ragged
	case len(cells) < format.Columns:
		for len(cells) < format.Columns {
			cells = append(cells, "")
		}
		r.record = cells
		return cells, fitted | Missing
	case format.Cut != "":
		last := &cells[len(cells)-1]
		if rest := Uncut(*last, format); rest != *last {
			*last = rest
			fitted |= Surplus
		}
	}
	return cells, fitted
}

// Uncut returns a row's last cell without the surplus delimiters that were cut off the header's end too.
func Uncut(cell string, format schema.Format) string {
	if format.Cut == "" {
		return cell
	}
	if rest, found := strings.CutSuffix(trimBehind(cell), format.Cut); found {
		return rest
	}
	return cell
}
