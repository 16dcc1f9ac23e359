package dialect

import (
	"errors"
	"math"
	"math/bits"
	"strings"

	"github.com/claimline/claimline/schema"
)

// Chunk is a run of whole records, the unit in which a file is read. Number, Line and Text are all there is to it:
// a chunk put together from them again parses to the same records.
type Chunk struct {
	Number int    // from 0
	Line   int    // physical line of its first byte, the file's first being 1
	Text   string // UTF-8, but for bytes that could not be decoded, which are kept as they are

	columns int // the most a record may have; 0: no limit
}

// Records are the records of one chunk. The zero value is ready for Parse; used again, it keeps its memory.
type Records struct {
	BlankRows int // rows without any content, which are no records

	text      string
	rows      []row
	cells     []span
	unescaped []string // cells in which quotes were doubled
	record    []string // memory for Cells
}

type row struct {
	begin int // in the text
	end   int // of its cells
	line  int
}

// span is a cell: where it stands in the text, counted from where its record begins; or, with the end unescapedCell, its
// place in Records.unescaped. Half as large as a string, it is nothing that the garbage collector has to look at.
type span struct{ start, end uint32 }

const unescapedCell = math.MaxUint32

// Len is the number of records.
func (r *Records) Len() int { return len(r.rows) }

// Line is the physical line on which record i starts.
func (r *Records) Line(i int) int { return r.rows[i].line }

// Cells are the cells of record i as they stand in the file, unquoted. They share the memory of the chunk's text;
// the slice is the Records' own, and valid until the next call.
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

// cell is the cell at a place in the text from where its record begins.
func (r *Records) cell(text string, at span) string {
	if at.end == unescapedCell {
		return r.unescaped[at.start]
	}
	return text[at.start:at.end]
}

// errUnclosed is the cause of an error at a quoted cell that is still open where the text ends.
var errUnclosed = errors.New("quote not closed")

// Parse splits the chunk into records, in place of what into held. The error is a *schema.Error without a File:
// schema.CodeCSVMalformed at the first place that is not as in RFC 4180 (for a quoted cell that is not properly
// closed, the place where it opens), or schema.CodeLimitExceeded for a record with too many columns. Several
// chunks may be parsed at the same time, each into Records of its own.
func (c Chunk) Parse(format Format, into *Records) error {
	clear(into.unescaped)
	into.text, into.rows, into.unescaped, into.BlankRows = c.Text, into.rows[:0], into.unescaped[:0], 0
	cells, refusal := c.split(format.delimiter(), into.cells[:0], into)
	into.cells = cells
	if refusal != nil {
		return refusal
	}
	return nil
}

// split appends the chunk's cells to cells. It looks at a block of bytes at a time for those that end or open a cell.
func (c Chunk) split(delimiter byte, cells []span, into *Records) ([]span, *schema.Error) {
	text := c.Text
	begin, start, first := 0, 0, 0 // where the record begins in text, the cell in text, and the record in cells
	line, begins := c.Line, c.Line // physical line, and that of the record's beginning

	var refusal *schema.Error
	for i := 0; i < len(text); {
		if c.columns > 0 && len(cells)-first > c.columns { // seen before a line of delimiters fills the memory
			return cells, tooManyColumns(c.columns).At("", begins, c.columns+1)
		}
		marks, next := marked(text[i:], delimiter), i+blockSize
		for marks != 0 {
			at := i + bits.TrailingZeros64(marks)
			marks &= marks - 1
			switch text[at] {
			case delimiter:
				cells = append(cells, span{uint32(start - begin), uint32(at - begin)})
				start = at + 1
			case '\n':
				cells = append(cells, span{uint32(start - begin), uint32(start + len(cutCR(text[start:at])) - begin)})
				if cells, refusal = c.endRow(into, cells, first, row{begin: begin, line: begins}); refusal != nil {
					return cells, refusal
				}
				line++
				first, begins, start, begin = len(cells), line, at+1, at+1
			default:
				column := len(cells) - first + 1
				if at > start {
					return cells, c.malformed(column, "There is a quote in a cell that does not begin with one.").At("", line, column)
				}
				after, escaped := quoted(text, at)
				if after < 0 {
					return cells, c.malformed(column, "A quoted cell is never closed.").At("", line, column).Because(errUnclosed)
				}
				cell := text[at+1 : after-1]
				if escaped {
					cells = append(cells, span{uint32(len(into.unescaped)), unescapedCell})
					into.unescaped = append(into.unescaped, strings.ReplaceAll(cell, `""`, `"`))
				} else {
					cells = append(cells, span{uint32(at + 1 - begin), uint32(after - 1 - begin)})
				}
				opens := line
				line += strings.Count(cell, "\n")
				switch rest := text[after:]; {
				case rest != "" && rest[0] == delimiter:
					start = after + 1
				case rest == "" || lineEnd(rest) != "":
					if cells, refusal = c.endRow(into, cells, first, row{begin: begin, line: begins}); refusal != nil {
						return cells, refusal
					}
					line++
					first, begins, start = len(cells), line, after+len(lineEnd(rest))
					begin = start
				default:
					return cells, c.malformed(column, "Text follows the closing quote of a cell, on line %d.", line).At("", opens, column)
				}
				if start < next { // what the cell holds is not looked at again
					marks &= ^uint64(0) << (start - i)
				} else {
					next, marks = start, 0
				}
			}
		}
		i = next
	}
	if start < len(text) || len(cells) > first { // the last line has no line end
		cells = append(cells, span{uint32(start - begin), uint32(start + len(cutCR(text[start:])) - begin)})
		cells, refusal = c.endRow(into, cells, first, row{begin: begin, line: begins})
	}
	return cells, refusal
}

// endRow takes the cells from first on as a record, or takes them off again where none has content.
func (c Chunk) endRow(into *Records, cells []span, first int, r row) ([]span, *schema.Error) {
	if c.columns > 0 && len(cells)-first > c.columns {
		return cells, tooManyColumns(c.columns).At("", r.line, c.columns+1)
	}
	for _, cell := range cells[first:] {
		if !blank(into.cell(c.Text[r.begin:], cell)) {
			r.end = len(cells)
			into.rows = append(into.rows, r)
			return cells, nil
		}
	}
	into.BlankRows++
	return cells[:first], nil
}

// malformed is the refusal of text that is not CSV; a place beyond the last column that is allowed is too wide first.
func (c Chunk) malformed(column int, format string, args ...any) *schema.Error {
	if c.columns > 0 && column > c.columns {
		return tooManyColumns(c.columns)
	}
	return schema.Refuse(schema.CodeCSVMalformed, format, args...)
}

func tooManyColumns(limit int) *schema.Error {
	return schema.Refuse(schema.CodeLimitExceeded, "A row has more than %d columns.", limit)
}

// quoted reads the quoted cell that opens at text[open]; after is where what follows its closing quote begins, -1
// where it is not closed; escaped says that a quote is doubled in it.
func quoted(text string, open int) (after int, escaped bool) {
	for at := open + 1; ; at++ {
		n := strings.IndexByte(text[at:], '"')
		if n < 0 {
			return -1, false
		}
		at += n + 1
		if at < len(text) && text[at] == '"' {
			escaped = true
			continue
		}
		return at, escaped
	}
}

// cutCR cuts the carriage return off a record's last cell. A lone one before the end of the file is a line end cut short.
func cutCR(cell string) string {
	if n := len(cell); n > 0 && cell[n-1] == '\r' {
		return cell[:n-1]
	}
	return cell
}

// lineEnd is the line end with which s begins: LF, CRLF, or the CR that ends a text.
func lineEnd(s string) string {
	switch {
	case strings.HasPrefix(s, "\n"), s == "\r":
		return s[:1]
	case strings.HasPrefix(s, "\r\n"):
		return s[:2]
	}
	return ""
}

// blockSize is how many bytes marked looks at: one for each bit of its result.
const blockSize = 64

// marked has bit i set exactly where text[i] is the delimiter, a line feed or a quote, for the first blockSize bytes.
func marked(text string, delimiter byte) uint64 {
	if len(text) < blockSize {
		var block [blockSize]byte // zeros are none of the three
		copy(block[:], text)
		text = string(block[:])
	}
	const ones, low = 0x0101010101010101, 0x7f7f7f7f7f7f7f7f
	delimiters := ones * uint64(delimiter)
	var marks uint64
	for i := 0; i < blockSize; i += 8 {
		s := text[i : i+8]
		w := uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
			uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
		// A byte of x&low+low|x has its high bit clear exactly where that byte of x is zero.
		d, n, q := w^delimiters, w^ones*'\n', w^ones*'"'
		found := ^((d&low+low|d)&(n&low+low|n)&(q&low+low|q) | low)
		marks |= found >> 7 * 0x0102040810204080 >> 56 << i // gathers the high bits of the eight bytes
	}
	return marks
}
