package dialect

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"hash"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/claimline/claimline/schema"
)

// Limits are what a file may not exceed, and the size of the chunks it is read in. A zero is the default.
type Limits struct {
	RecordBytes int // of one record in UTF-8, without its line end; default 1 MiB
	Columns     int // of the header, or of any record; default 1,000
	ChunkRows   int // a chunk ends after that many records, blank rows included; default 5,000
	ChunkBytes  int // and with the record that reaches that many bytes, whichever comes first; default 2 MiB
}

func (l Limits) withDefaults() Limits {
	for _, limit := range []struct {
		value    *int
		standard int
	}{{&l.RecordBytes, 1 << 20}, {&l.Columns, 1000}, {&l.ChunkRows, 5000}, {&l.ChunkBytes, 2 << 20}} {
		if *limit.value <= 0 {
			*limit.value = limit.standard
		}
	}
	return l
}

// Reader reads one file from its beginning to its end. Its memory is bounded by the limits, whatever the file.
type Reader struct {
	name    string
	limits  Limits
	raw     *rawReader
	text    io.Reader // raw, decoded
	format  Format
	repairs map[schema.Repair]int

	header     []string
	headerLine int

	buf    []byte // holds data
	data   []byte // read, and not yet handed out
	line   int    // physical line on which data begins
	quote  int    // a position in data before which, from where records are looked for, there is no quote
	number int    // of the next chunk
	ended  bool   // data is all that is left
	err    error  // what every further Next returns
}

// NewReader finds out how the file is written, and reads its header. size is the file's size in bytes, name what
// errors call it. emailHeaders are names of which the header is expected to hold one: the delimiter is the one with which
// it does, else the one that is most frequent in the header.
//
// Every refusal is a *schema.Error: schema.CodeFileEmpty (no header), schema.CodeEncodingUnknown,
// schema.CodeCSVMalformed, schema.CodeLimitExceeded, schema.CodeFileChanged, schema.CodeFileUnreadable.
func newReader(ctx context.Context, name string, f io.ReaderAt, size int64, limits Limits, emailHeaders ...string) (*Reader, error) {
	r := &Reader{
		name: name, limits: limits.withDefaults(), repairs: map[schema.Repair]int{}, line: 1, quote: -1,
		raw: &rawReader{f: f, size: size, hash: sha256.New()},
	}
	if err := r.open(ctx, emailHeaders); err != nil {
		return nil, r.named(err)
	}
	return r, nil
}

// Header is the cells of the header, read like cells of known columns (see Clean).
func (r *Reader) Header() []string {
	cells := slices.Clone(r.header)
	for i := range cells {
		cells[i], _ = Clean(cells[i])
	}
	return cells
}

// HeaderCells is the cells of the header exactly as written.
func (r *Reader) HeaderCells() []string { return slices.Clone(r.header) }

// HeaderLine is the physical line on which the header starts: 1, unless blank rows come before it.
func (r *Reader) HeaderLine() int { return r.headerLine }

// Format is how a report of this file is to be written.
func (r *Reader) Format() Format { return r.format }

// Repairs is what was tolerated up to the header, counted: schema.RepairBOM, RepairUTF16, RepairWindows1252,
// RepairDelimiter, once each, and as RepairBlankRow the blank rows before the header.
func (r *Reader) Repairs() map[schema.Repair]int { return maps.Clone(r.repairs) }

// SHA256 is the hash of the file's bytes as they were read; of the whole file once Next has returned io.EOF.
func (r *Reader) SHA256() [sha256.Size]byte { return [sha256.Size]byte(r.raw.hash.Sum(nil)) }

// Next returns the next chunk, and io.EOF after the last. Any other error but that of ctx is a *schema.Error, and
// stays: schema.CodeLimitExceeded or schema.CodeCSVMalformed for the record after the last chunk,
// schema.CodeFileChanged where the file was cut short, schema.CodeFileUnreadable. An error in an earlier chunk,
// which Parse finds, comes first. Next must not be called by several goroutines at the same time.
func (r *Reader) Next(ctx context.Context) (*Chunk, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	end := 0
	for rows := 0; r.err == nil && rows < r.limits.ChunkRows && end < r.limits.ChunkBytes; rows++ {
		length, err := r.record(end)
		if errors.Is(err, errTooLong) {
			if end > 0 {
				break // the records before it first
			}
			err = r.tooLong(ctx, r.format.delimiter())
		}
		if err != nil {
			r.err = r.named(err)
			break
		}
		end += length
	}
	if end == 0 {
		return nil, r.err
	}
	chunk := r.take(end)
	chunk.Number = r.number
	r.number++
	return &chunk, nil
}

// open finds the character set, the header and the delimiter.
func (r *Reader) open(ctx context.Context, emailHeaders []string) error {
	if r.raw.size == 0 {
		return schema.Refuse(schema.CodeFileEmpty, "The file is empty.")
	}
	charset, err := inspect(r.raw.f, r.raw.size)
	if err != nil {
		return err
	}
	if charset.repair != "" {
		r.repairs[charset.repair] = 1
	}
	r.format.BOM = charset.mark > 0
	if _, err := io.CopyN(io.Discard, r.raw, int64(charset.mark)); err != nil {
		return err
	}
	r.text = r.raw
	if charset.decoder != nil {
		r.text = charset.decoder.Reader(r.raw)
	}
	if err := r.readHeader(ctx, emailHeaders); err != nil {
		return err
	}
	if r.format.Delimiter != ',' {
		r.repairs[schema.RepairDelimiter] = 1
	}
	return nil
}

// readHeader reads up to the first record that has content.
func (r *Reader) readHeader(ctx context.Context, emailHeaders []string) error {
	for records := (Records{}); ; {
		length, err := r.record(0)
		if errors.Is(err, io.EOF) {
			return schema.Refuse(schema.CodeFileEmpty, "The file is blank: it has no header.")
		}
		if err != nil && !errors.Is(err, errTooLong) {
			return err
		}
		text := string(r.data[:min(length, r.limits.RecordBytes)])
		if first, _, _ := strings.Cut(text, "\n"); strings.IndexByte(first, 0) >= 0 {
			return noText(first) // said before it is called malformed, or long
		}
		if loneCR(text) {
			return schema.Refuse(schema.CodeCSVMalformed, "The file's lines end with a carriage return alone, as on old Macs.").
				WithFix("Save it again as CSV UTF-8.").At("", r.line, 0)
		}
		r.format.Delimiter = findDelimiter(text, emailHeaders)
		if err != nil {
			return r.tooLong(ctx, r.format.Delimiter)
		}
		chunk := r.peek(length)
		if err := chunk.Parse(r.format, &records); err != nil {
			return err
		}
		if records.Len() == 0 {
			r.take(length)
			r.repairs[schema.RepairBlankRow]++
			continue
		}
		r.take(length)
		r.header, r.headerLine = slices.Clone(records.Cells(0)), records.Line(0)
		r.format.CRLF = strings.HasSuffix(chunk.Text, "\r\n")
		return nil
	}
}

// findDelimiter finds the delimiter of a header.
func findDelimiter(header string, emailHeaders []string) byte {
	var counts [256]int
	quoted := false
	for i := range len(header) {
		if c := header[i]; c == '"' {
			quoted = !quoted
		} else if !quoted {
			counts[c]++
		}
	}
	best := byte(',')
	var records Records
	for _, delimiter := range []byte(",;\t|") {
		if counts[delimiter] > counts[best] {
			best = delimiter
		}
		if counts[delimiter] == 0 || (Chunk{Text: header}).Parse(Format{Delimiter: delimiter}, &records) != nil || records.Len() == 0 {
			continue
		}
		if slices.ContainsFunc(records.Cells(0), func(cell string) bool { return isOneOf(cell, emailHeaders) }) {
			return delimiter
		}
	}
	return best
}

func isOneOf(cell string, names []string) bool {
	cell, _ = Clean(cell)
	return slices.ContainsFunc(names, func(name string) bool { return strings.EqualFold(cell, name) })
}

// errTooLong says that a record is over the limit; data holds more of it than that.
var errTooLong = errors.New("record over the limit")

// record finds the end of the record that begins at data[from], and returns its length with its line end. At the end of
// the file that is what is left; if nothing is, the error is io.EOF.
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

// indexFrom is the position of the first c in data from pos on, len(data) where there is none.
func indexFrom(data []byte, pos int, c byte) int {
	if i := bytes.IndexByte(data[pos:], c); i >= 0 {
		return pos + i
	}
	return len(data)
}

// tooLong is the refusal of the record at the beginning of data, which is over the limit: malformed, where that is
// why. It reads on, keeping nothing, to see whether a quoted cell that is open at the limit is properly closed.
func (r *Reader) tooLong(ctx context.Context, delimiter byte) error {
	limit := schema.Refuse(schema.CodeLimitExceeded, "A row is longer than %d bytes.", r.limits.RecordBytes).At("", r.line, 0)
	cut, format, records := r.limits.RecordBytes, Format{Delimiter: delimiter}, new(Records)
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

// peek is the first n bytes of data as a chunk.
func (r *Reader) peek(n int) Chunk {
	return Chunk{Line: r.line, Text: string(r.data[:n]), columns: r.limits.Columns}
}

// take is peek, and takes them away.
func (r *Reader) take(n int) Chunk {
	chunk := r.peek(n)
	r.line += bytes.Count(r.data[:n], []byte("\n"))
	r.data = r.data[n:]
	r.quote -= n
	return chunk
}

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
	r.data = r.data[:len(r.data)+n]
	if errors.Is(err, io.EOF) {
		r.ended = true
		return nil
	}
	return err
}

// named is err with the name of the file.
func (r *Reader) named(err error) error {
	if refusal, ok := errors.AsType[*schema.Error](err); ok {
		refusal.File = r.name
	}
	return err
}

// rawReader reads the bytes of a file, and hashes them.
type rawReader struct {
	f         io.ReaderAt
	off, size int64
	hash      hash.Hash
}

func (r *rawReader) Read(p []byte) (int, error) {
	if r.off >= r.size {
		return 0, io.EOF
	}
	n, err := r.f.ReadAt(p[:min(int64(len(p)), r.size-r.off)], r.off)
	r.off += int64(n)
	r.hash.Write(p[:n])
	switch {
	case n > 0:
		return n, nil
	case errors.Is(err, io.EOF):
		return 0, schema.Refuse(schema.CodeFileChanged, "The file became shorter while it was read.")
	default:
		return 0, unreadable(err)
	}
}
