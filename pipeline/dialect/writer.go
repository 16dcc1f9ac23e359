package dialect

import (
	"io"
	"strings"

	"github.com/claimline/claimline/schema"
)

// delimiters are those that a file may have without saying so.
const delimiters = ",;\t|"

// delimiterOf returns the delimiter of a format.
func delimiterOf(f schema.Format) byte {
	if f.Delimiter == 0 {
		return ','
	}
	return f.Delimiter
}

// OtherDelimiter returns the delimiter that a record of too few cells has instead of the header's, as often
// as the header has its own; 0 where there is none.
func OtherDelimiter(f schema.Format, cells []string) byte {
	if f.Columns < 2 || len(cells) >= f.Columns {
		return 0
	}
	for _, other := range []byte(delimiters) {
		count := 0
		for _, cell := range cells {
			count += strings.Count(cell, string(rune(other)))
		}
		if other != delimiterOf(f) && count >= f.Columns-1 {
			return other
		}
	}
	return 0
}

// NameDelimiter returns a delimiter in words.
func NameDelimiter(delimiter byte) string {
	switch delimiter {
	case 0, ',':
		return "commas"
	case ';':
		return "semicolons"
	case '\t':
		return "tabs"
	case '|':
		return "bars (|)"
	}
	return showSeparator(rune(delimiter))
}

// writeSize is how many bytes a Writer collects before it writes them.
const writeSize = 64 << 10

// Writer writes records as in RFC 4180, quoting only the cells that need it. What it writes, NewReader, Next
// and Parse read back cell by cell as it was.
type Writer struct {
	w       io.Writer
	buf     []byte
	err     error
	lineEnd string
	comma   byte
	quote   [256]bool // the bytes for which a cell is quoted
}

// NewWriter returns a Writer of the given format, the byte order mark already taken care of.
func NewWriter(w io.Writer, format schema.Format) *Writer {
	writer := &Writer{w: w, buf: make([]byte, 0, writeSize+writeSize/4), lineEnd: "\n", comma: delimiterOf(format)}
	for _, c := range []byte{writer.comma, '"', '\r', '\n'} {
		writer.quote[c] = true
	}
	if format.CRLF {
		writer.lineEnd = "\r\n"
	}
	if format.BOM {
		writer.buf = append(writer.buf, bom...)
	}
	return writer
}

// Write writes one record, every cell guarded (see Guard), so that no spreadsheet runs it as a formula. The
// error is that of the underlying writer, and stays.
func (w *Writer) Write(cells []string) error { return w.write(cells, true) }

// WriteRaw does what Write does for cells that are guarded already, as Restore returns them.
func (w *Writer) WriteRaw(cells []string) error { return w.write(cells, false) }

func (w *Writer) write(cells []string, guard bool) error {
	if len(cells) == 0 || len(cells) == 1 && cells[0] == "" {
		w.buf = append(w.buf, `""`...) // else it would be a blank line
	}
	for i, cell := range cells {
		if i > 0 {
			w.buf = append(w.buf, w.comma)
		}
		// A record's first cell must not be taken for a byte order mark.
		quote := w.special(cell) || i == 0 && cell != "" && cell[0] > 0x7f && (strings.HasPrefix(cell, bom) || strings.HasPrefix(cell, doubleBOM))
		if quote {
			w.buf = append(w.buf, '"')
		}
		if guard && guarded(cell) {
			w.buf = append(w.buf, '\'')
		}
		if !quote {
			w.buf = append(w.buf, cell...)
			continue
		}
		for {
			before, after, found := strings.Cut(cell, `"`)
			w.buf = append(w.buf, before...)
			if !found {
				break
			}
			w.buf = append(w.buf, `""`...)
			cell = after
		}
		w.buf = append(w.buf, '"')
	}
	w.buf = append(w.buf, w.lineEnd...)
	if len(w.buf) >= writeSize {
		return w.Flush()
	}
	return w.err
}

// blankLines writes so many lines without anything on them.
func (w *Writer) blankLines(n int) {
	for ; n > 0; n-- {
		if w.buf = append(w.buf, w.lineEnd...); len(w.buf) >= writeSize {
			_ = w.Flush() // the error stays
		}
	}
}

func (w *Writer) special(cell string) bool {
	for i := range len(cell) {
		if w.quote[cell[i]] {
			return true
		}
	}
	return false
}

// Flush writes what has been collected. It must be called after the last record.
func (w *Writer) Flush() error {
	if w.err == nil {
		_, w.err = w.w.Write(w.buf)
	}
	w.buf = w.buf[:0]
	return w.err
}
