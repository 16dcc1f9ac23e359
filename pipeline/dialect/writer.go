package dialect

import (
	"io"
	"strings"
)

// bom is the byte order mark in UTF-8.
const bom = "\ufeff"

// Format is how a report of a file is written: always as UTF-8, otherwise as the file was.
type Format struct {
	Delimiter byte `json:"delimiter"` // 0 is a comma
	CRLF      bool `json:"crlf"`      // lines end with CR LF, not LF
	BOM       bool `json:"bom"`       // a byte order mark comes first; true for a file that was UTF-16
}

func (f Format) delimiter() byte {
	if f.Delimiter == 0 {
		return ','
	}
	return f.Delimiter
}

// writeSize is how many bytes a Writer collects before it writes them.
const writeSize = 64 << 10

// Writer writes records as in RFC 4180, quoting only the cells that need it. What it writes, NewReader, Next and Parse
// read back cell by cell as it was. It does not guard cells: see Guard and Restore.
type Writer struct {
	w       io.Writer
	buf     []byte
	err     error
	begun   bool
	lineEnd string
	comma   byte
	quote   [256]bool // the bytes for which a cell is quoted
}

// NewWriter returns a Writer of the given format, the byte order mark already taken care of.
func NewWriter(w io.Writer, format Format) *Writer {
	writer := &Writer{w: w, buf: make([]byte, 0, writeSize+writeSize/4), lineEnd: "\n", comma: format.delimiter()}
	for _, c := range []byte{writer.comma, '"', '\r', '\n'} {
		writer.quote[c] = true
	}
	if format.CRLF {
		writer.lineEnd = "\r\n"
	}
	if format.BOM {
		writer.buf, writer.begun = append(writer.buf, bom...), true
	}
	return writer
}

// Write writes one record. Cells are written as they are, their own line breaks too. The error is that of the
// underlying writer, and stays.
func (w *Writer) Write(cells []string) error {
	if len(cells) == 0 || len(cells) == 1 && cells[0] == "" {
		w.buf = append(w.buf, `""`...) // else it would be a blank line
	}
	for i, cell := range cells {
		if i > 0 {
			w.buf = append(w.buf, w.comma)
		}
		// A file's first cell must not be taken for a byte order mark.
		if w.special(cell) || !w.begun && strings.HasPrefix(cell, bom) {
			w.writeQuoted(cell)
		} else {
			w.buf = append(w.buf, cell...)
		}
		w.begun = true
	}
	w.buf = append(w.buf, w.lineEnd...)
	if len(w.buf) >= writeSize {
		return w.Flush()
	}
	return w.err
}

func (w *Writer) special(cell string) bool {
	for i := range len(cell) {
		if w.quote[cell[i]] {
			return true
		}
	}
	return false
}

func (w *Writer) writeQuoted(cell string) {
	w.buf = append(w.buf, '"')
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

// Flush writes what has been collected. It must be called after the last record.
func (w *Writer) Flush() error {
	if w.err == nil {
		_, w.err = w.w.Write(w.buf)
	}
	w.buf = w.buf[:0]
	return w.err
}
