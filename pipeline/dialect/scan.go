package dialect

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"

	"github.com/claimline/claimline/schema"
)

// bom is the byte order mark in UTF-8, and doubleBOM the same taken for Windows-1252 and encoded again.
const (
	bom       = "\ufeff"
	doubleBOM = "ï»¿"
)

// beginsWithMark reports whether text begins with a byte order mark.
func beginsWithMark(text []byte) bool {
	return len(text) >= len(bom) && text[0] == bom[0] && text[1] == bom[1] && text[2] == bom[2]
}

// countLines counts the lines of whole records.
func (r *Reader) countLines(text []byte) int {
	if r.sheet == nil {
		return bytes.Count(text, []byte("\n"))
	}
	lines, quoted := 0, false
	for len(text) > 0 { // of a sheet, those that are not in quotes
		cell, rest, quote := bytes.Cut(text, []byte(`"`))
		if !quoted {
			lines += bytes.Count(cell, []byte("\n"))
		}
		text, quoted = rest, quoted != quote
	}
	return lines
}

// errTooLong says that a record is over the limit; data holds more of it than that.
var errTooLong = errors.New("record over the limit")

// record finds the end of the record that begins at data[from], and returns its length with its line end. At
// the end of the file that is what is left; if nothing is, the error is io.EOF.
func (r *Reader) record(from int) (int, error) {
	pos, line, quoted := from, -1, false // line: a position before which there is no line feed
	for {
		if quoted {
			if i := bytes.IndexByte(r.data[pos:], '"'); i >= 0 {
				pos += i + 1
				quoted = false
				continue
			}
		} else {
			if line < pos {
				line = indexFrom(r.data, pos, '\n')
			}
			if r.quote < pos {
				r.quote = indexFrom(r.data, pos, '"')
			}
			if r.quote < line {
				pos = r.quote + 1
				quoted = true
				continue
			}
			if line < len(r.data) {
				return r.checked(from, line+1-from)
			}
		}
		pos = len(r.data)
		if pos-from > r.limits.RecordBytes+len("\r\n") || r.ended {
			return r.checked(from, pos-from)
		}
		if err := r.fill(); err != nil {
			return 0, err
		}
		line, r.quote = -1, -1
	}
}

// checked returns the length of the record at data[from], or the error that it is none.
func (r *Reader) checked(from, length int) (int, error) {
	if length == 0 {
		return 0, io.EOF
	}
	if length > r.limits.RecordBytes {
		record := bytes.TrimSuffix(r.data[from:from+length], []byte("\n"))
		if len(bytes.TrimSuffix(record, []byte("\r"))) > r.limits.RecordBytes {
			r.quote = -1 // the record will be looked at again
			return length, errTooLong
		}
	}
	return length, nil
}

// indexFrom returns the position of the first c in data from pos on, len(data) where there is none.
func indexFrom(data []byte, pos int, c byte) int {
	if i := bytes.IndexByte(data[pos:], c); i >= 0 {
		return pos + i
	}
	return len(data)
}

// tooLong returns the refusal of the record at the beginning of data, which is over the limit: malformed,
// where that is why. It reads on, keeping nothing, to see whether a quoted cell that is open at the limit is
// properly closed.
func (r *Reader) tooLong(ctx context.Context, format schema.Format) error {
	cut, records := r.limits.RecordBytes, new(Records)
	limit := schema.Refuse(schema.CodeLimitExceeded, "A row is longer than %d bytes.", cut).At("", r.line, 0)
	delimiter := delimiterOf(format)
	if bytes.HasSuffix(r.data[:cut], bytes.Repeat([]byte{delimiter}, min(cut, blankTail))) {
		limit = limit.WithFix(deleteBlankColumns)
	}
	err := r.peek(cut).Parse(format, records)
	if err == nil && r.data[cut-1] == '"' { // which may be the first of a pair: that is seen further on
		cut--
		err = r.peek(cut).Parse(format, records)
	}
	if err == nil {
		return limit
	}
	if !errors.Is(err, errUnclosed) {
		return err
	}
	for r.data = r.data[cut:]; ; {
		i := bytes.IndexByte(r.data, '"')
		if i < 0 {
			r.data = r.data[:0]
		} else {
			r.data = r.data[i:]
		}
		for !r.ended && len(r.data) < len("\"\r\n") {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := r.fill(); err != nil {
				return err
			}
		}
		switch rest := r.data; {
		case len(rest) == 0:
			return err
		case rest[0] != '"':
		case len(rest) == 1, rest[1] == delimiter, lineEnd(string(rest[1:min(3, len(rest))])) != "":
			return limit
		case rest[1] == '"':
			r.data = rest[2:]
		default:
			return err
		}
	}
}

// blankTail is how many delimiters at the limit show that it is blank columns that make a row long.
const blankTail = 64

const deleteBlankColumns = "Delete the blank columns behind the last one that has content, and save the file again."

// readSize is how many bytes are read at a time.
const readSize = 256 << 10

// fill reads more into data, or finds that the file has ended.
func (r *Reader) fill() error {
	if cap(r.data)-len(r.data) < readSize {
		if len(r.buf)-len(r.data) < readSize {
			r.buf = make([]byte, len(r.data)+4*readSize)
		}
		r.data = r.buf[:copy(r.buf, r.data)]
	}
	n, err := r.text.Read(r.data[len(r.data) : len(r.data)+readSize])
	read := r.data[len(r.data) : len(r.data)+n]
	r.nul = r.nul || bytes.IndexByte(read, 0) >= 0
	r.data = r.data[:len(r.data)+n]
	if errors.Is(err, io.EOF) {
		r.ended = true
		return nil
	}
	return err
}

// loneCR returns the position of the first carriage return outside quotes that ends a line by itself, or -1.
func loneCR(text string) int {
	if strings.IndexByte(text, '\r') < 0 {
		return -1
	}
	quoted := false
	for i := range len(text) - 1 {
		switch {
		case text[i] == '"':
			quoted = !quoted
		case text[i] == '\r' && !quoted && text[i+1] != '\n' && text[i+1] != '\r':
			return i
		}
	}
	return -1
}
