package dialect

import (
	"math"
	"math/bits"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/claimline/claimline/schema"
)

// Block is a run of whole records, the unit in which a file is read. A block put together again from Line and
// Text parses to the same records.
type Block struct {
	Line int    // physical line of its first byte, the file's first being 1; of a workbook, the row
	Text string // UTF-8, but for bytes that could not be decoded, which are kept as they are

	origin *origin // nil: a block put together again, which has been checked before
	nul    bool    // there may be a NUL in it
}

// origin is the file that blocks come from.
type origin struct {
	file    string
	columns int      // the most a record may have
	header  []string // cleaned; nil while it is not read
}

// Parse splits the block into records, in place of what into held. The error is a *schema.Error that names
// file, line and column: schema.CodeCSVMalformed at the first place that is not as in RFC 4180 (for a quoted
// cell that is not properly closed, the place where it opens), schema.CodeLimitExceeded for a record with too
// many columns, or schema.CodeEncodingUnknown for a NUL. Several blocks may be parsed at the same time, each
// into Records of its own.
//
// A byte order mark before a record is no part of it. Blank cells beyond the header's are not kept.
func (c Block) Parse(format schema.Format, into *Records) error {
	into.reset(c.Text)
	s := splitter{text: c.Text, line: c.Line, delimiter: delimiterOf(format), width: format.Columns, sheet: format.Workbook, into: into, cells: into.cells[:0]}
	if c.origin != nil {
		s.limit = c.origin.columns
	}
	refusal := s.split()
	into.cells = s.cells
	if c.origin == nil {
		if refusal != nil {
			return refusal
		}
		return nil
	}
	if c.nul || refusal != nil || strings.Count(c.Text, "\r") != s.returns {
		refusal = c.earlier(refusal)
	}
	if refusal == nil {
		return nil
	}
	refusal.File = c.origin.file
	if refusal.Column > 0 && refusal.Column <= len(c.origin.header) {
		refusal.Header = c.origin.header[refusal.Column-1]
	}
	return refusal
}

// earlier returns what is wrong with the block before the place that was refused, if any was, or else that.
func (c Block) earlier(refusal *schema.Error) *schema.Error {
	at := loneCR(c.Text)
	nul := strings.IndexByte(c.Text, 0)
	if nul >= 0 && (at < 0 || nul < at) {
		at = nul
	}
	if at < 0 {
		return refusal
	}
	line := c.Line + strings.Count(c.Text[:at], "\n")
	switch {
	case refusal != nil && refusal.Line < line:
		return refusal
	case at == nul:
		return schema.Refuse(schema.CodeEncodingUnknown, "There are NUL characters in the middle of the file, so it is damaged or no text.").
			WithFix("Export the file again as CSV UTF-8.").At("", line, 0)
	default:
		return macLineEnd(line)
	}
}

func macLineEnd(line int) *schema.Error {
	return schema.Refuse(schema.CodeCSVMalformed, "A line ends with a carriage return (CR) alone, as on old Macs.").
		WithFix("Save the file again as CSV UTF-8, with the line ends of Windows or Unix.").At("", line, 0)
}

// splitter splits text into records.
type splitter struct {
	text      string
	line      int // physical
	delimiter byte
	width     int  // cells of the header; 0: not known
	sheet     bool // every record is one line: see schema.Format.Workbook
	limit     int  // the most cells a record may have, blank ones at its end apart; 0: no limit
	into      *Records
	cells     []span
	returns   int // carriage returns at the ends of lines, and in quoted cells of several lines

	begin, first int // where the record begins: in text, and in cells
	begins       int // the line of that
}

// split looks at a stretch of bytes at a time for those that end or open a cell.
func (s *splitter) split() *schema.Error {
	text, delimiter := s.text, s.delimiter
	start := 0 // of the cell
	s.begins = s.line
	for i := 0; i < len(text); {
		if s.limit > 0 && len(s.cells)-s.first > s.limit { // seen before a line of delimiters fills the memory
			if refusal := s.narrow(); refusal != nil {
				return refusal
			}
		}
		marks, next := marked(text[i:], delimiter), i+stretchSize
		for marks != 0 {
			at := i + bits.TrailingZeros64(marks)
			marks &= marks - 1
			switch text[at] {
			case delimiter:
				s.cells = append(s.cells, span{uint32(start - s.begin), uint32(at - s.begin)})
				start = at + 1
			case '\n':
				end := at
				if end > start && text[end-1] == '\r' {
					end--
					s.returns++
				}
				s.cells = append(s.cells, span{uint32(start - s.begin), uint32(end - s.begin)})
				if refusal := s.endRow(at + 1); refusal != nil {
					return refusal
				}
				start = at + 1
			default:
				after, refusal := s.quotedCell(start, at)
				if refusal != nil {
					return refusal
				}
				switch rest := text[after:]; {
				case rest != "" && rest[0] == delimiter:
					start = after + 1
				default:
					end := lineEnd(rest)
					s.returns += strings.Count(end, "\r")
					start = after + len(end)
					if refusal := s.endRow(start); refusal != nil {
						return refusal
					}
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
	if start < len(text) || len(s.cells) > s.first { // the last line has no line end
		end := len(text)
		if end > start && text[end-1] == '\r' { // a line end cut short
			end--
			s.returns++
		}
		s.cells = append(s.cells, span{uint32(start - s.begin), uint32(end - s.begin)})
		return s.endRow(len(text))
	}
	return nil
}

// quotedCell reads the cell that begins at start and has its first quote at open; after is where what follows
// it begins.
func (s *splitter) quotedCell(start, open int) (after int, refusal *schema.Error) {
	column := len(s.cells) - s.first + 1
	formula := open == start+1 && s.text[start] == '=' // ="text", as spreadsheets keep text
	if open > start && !formula && !s.marksOnly(start, open) {
		return 0, s.strayQuote(start, open, column)
	}
	after, escaped := quoted(s.text, open)
	if after < 0 {
		return 0, s.malformed(column, "A quoted cell is never closed.").At("", s.line, column).Because(errUnclosed)
	}
	cell := s.text[open+1 : after-1]
	opens := s.line
	if lines := strings.Count(cell, "\n"); lines > 0 && !s.sheet {
		s.line += lines
		s.returns += strings.Count(cell, "\r")
		if s.width > 1 && strings.Count(cell, string(rune(s.delimiter))) >= s.width-1 {
			return 0, s.malformed(column, "A quoted cell swallows the next row: a quote is opened here and not closed before the line ends.").
				WithFix("Close the quoted cell, or take the quote away.").At("", opens, column)
		}
	}
	if rest := s.text[after:]; rest != "" && rest[0] != s.delimiter && lineEnd(rest) == "" {
		return 0, s.malformed(column, "Text follows the closing quote of a cell, on line %d.", s.line).At("", opens, column)
	}
	switch {
	case formula: // as it stands, for only who knows the column knows what is meant
		s.cells = append(s.cells, span{uint32(start - s.begin), uint32(after - s.begin)})
	case escaped:
		s.cells = append(s.cells, span{uint32(len(s.into.unescaped)), unescapedCell})
		s.into.unescaped = append(s.into.unescaped, strings.ReplaceAll(cell, `""`, `"`))
	default:
		s.cells = append(s.cells, span{uint32(open + 1 - s.begin), uint32(after - 1 - s.begin)})
	}
	return after, nil
}

// marksOnly reports whether nothing but byte order marks stands between where a record begins and a quote.
func (s *splitter) marksOnly(start, open int) bool {
	return start == s.begin && len(s.cells) == s.first && strings.Trim(s.text[start:open], bom) == "" && utf8.ValidString(s.text[start:open])
}

// narrow takes the cells beyond the limit off the record that is being read, which only blank ones may be.
func (s *splitter) narrow() *schema.Error {
	for _, cell := range s.cells[s.first+s.limit:] {
		if !s.blank(cell) {
			return tooManyColumns(s.limit).At("", s.begins, s.limit+1)
		}
	}
	s.cells = s.cells[:s.first+s.limit+1]
	return nil
}

// endRow takes the cells read since the last row as a record, unless none has content. The next begins at
// next.
func (s *splitter) endRow(next int) *schema.Error {
	for strings.HasPrefix(s.text[s.begin:], bom) {
		s.skipMark()
	}
	r := row{begin: s.begin, line: s.begins}
	if most := s.most(); len(s.cells)-s.first > most {
		for len(s.cells)-s.first > most && s.blank(s.cells[len(s.cells)-1]) {
			s.cells, r.surplus = s.cells[:len(s.cells)-1], s.width > 0
		}
		if s.limit > 0 && len(s.cells)-s.first > s.limit {
			return tooManyColumns(s.limit).At("", s.begins, s.limit+1)
		}
	}
	if slices.ContainsFunc(s.cells[s.first:], func(cell span) bool { return !s.blank(cell) }) {
		r.end = len(s.cells)
		s.into.rows = append(s.into.rows, r)
	} else {
		s.into.BlankRows++
		s.cells = s.cells[:s.first]
	}
	s.line++
	s.first, s.begins, s.begin = len(s.cells), s.line, next
	return nil
}

// most returns how many cells a record may have before its last ones are looked at.
func (s *splitter) most() int {
	switch {
	case s.width > 0:
		return s.width
	case s.limit > 0:
		return s.limit
	}
	return math.MaxInt
}

// blank reports whether a cell of the record that is being read has no content.
func (s *splitter) blank(cell span) bool { return blank(s.into.cell(s.text[s.begin:], cell)) }

// skipMark takes the byte order mark with which the record begins off it.
func (s *splitter) skipMark() {
	s.begin += len(bom)
	for i := range s.cells[s.first:] {
		cell := &s.cells[s.first+i]
		if cell.end != unescapedCell {
			cell.start, cell.end = uint32(max(0, int(cell.start)-len(bom))), uint32(max(0, int(cell.end)-len(bom)))
		}
	}
}

// stretchSize is how many bytes marked looks at: one for each bit of its result.
const stretchSize = 64

// marked has bit i set exactly where text[i] is the delimiter, a line feed or a quote, for the first
// stretchSize bytes.
func marked(text string, delimiter byte) uint64 {
	if len(text) < stretchSize {
		var stretch [stretchSize]byte // zeros are none of the three
		copy(stretch[:], text)
		text = string(stretch[:])
	}
	const ones, low = 0x0101010101010101, 0x7f7f7f7f7f7f7f7f
	delimiters := ones * uint64(delimiter)
	var marks uint64
	for i := 0; i < stretchSize; i += 8 {
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
