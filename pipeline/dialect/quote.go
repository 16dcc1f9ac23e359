package dialect

import (
	"errors"
	"strings"

	"github.com/claimline/claimline/schema"
)

// errUnclosed is the cause of an error at a quoted cell that is still open where the text ends.
var errUnclosed = errors.New("quote not closed")

// malformed returns the refusal of text that is not CSV; a place beyond the last column that is allowed is
// too wide first.
func (s *splitter) malformed(column int, format string, args ...any) *schema.Error {
	if s.limit > 0 && column > s.limit {
		return tooManyColumns(s.limit)
	}
	return schema.Refuse(schema.CodeCSVMalformed, format, args...)
}

func tooManyColumns(limit int) *schema.Error {
	return schema.Refuse(schema.CodeLimitExceeded, "A row has more than %d columns.", limit).
		WithFix("Delete the columns and cells that do not belong in the file, then save it again.")
}

// strayQuote returns the refusal of the quote at open, in a cell that began at start with something else.
func (s *splitter) strayQuote(start, open, column int) *schema.Error {
	before := s.text[start:open]
	if column == 1 {
		before = strings.TrimLeft(before, bom)
	}
	switch other := s.otherDelimiter(start, open); {
	case other != 0:
		return s.malformed(column, "The header's cells are separated by %s, and those of this row by %s.", schema.Word(NameDelimiter(s.delimiter)), schema.Word(NameDelimiter(other))).
			WithFix("Save the file again with the same delimiter in header and rows.").At("", s.line, column)
	case blank(before):
		return s.malformed(column, "A blank stands before the opening quote of a cell.").
			WithFix("Delete the blank: a quoted cell begins with its quote.").At("", s.line, column)
	default:
		return s.malformed(column, "There is a quote in a cell that does not begin with one.").
			WithFix("Put the whole cell in quotes, and double each quote inside it, as in \"Ann \"\"Annie\"\" Lee\".").At("", s.line, column)
	}
}

// otherDelimiter returns the delimiter that stands before the quote at open, where the line has it as often
// as the header has its own, and has not that one; else 0.
func (s *splitter) otherDelimiter(start, open int) byte {
	if s.width < 2 || len(s.cells) > s.first {
		return 0
	}
	line, _, _ := strings.Cut(s.text[start:], "\n")
	for _, other := range []byte(delimiters) {
		if other != s.delimiter && open > start && s.text[open-1] == other && strings.Count(line, string(rune(other))) >= s.width-1 &&
			strings.Count(line, string(rune(s.delimiter))) < s.width-1 {
			return other
		}
	}
	return 0
}

// quoted reads the quoted cell that opens at text[open]; after is where what follows its closing quote
// begins, -1 where it is not closed; escaped says that a quote is doubled in it.
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

// lineEnd returns the line end with which s begins: LF, CRLF, or the CR that ends a text; at the end of a
// text there is none.
func lineEnd(s string) string {
	switch {
	case strings.HasPrefix(s, "\n"), s == "\r":
		return s[:1]
	case strings.HasPrefix(s, "\r\n"):
		return s[:2]
	}
	return ""
}
