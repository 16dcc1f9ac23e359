package dialect

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"maps"
	"slices"

	"github.com/claimline/claimline/schema"
)

// Limits are what a file may not exceed, and the size of the blocks it is read in. A zero is the default.
type Limits struct {
	RecordBytes int // of one record in UTF-8, without its line end; default 1 MiB
	Columns     int // of the header, or of any record, blank cells at its end apart; default 1,000
	BlockRows   int // a block ends after that many records, blank rows included; default 5,000
	BlockBytes  int // and with the record that reaches that many bytes, whichever comes first; default 2 MiB
}

func (l Limits) withDefaults() Limits {
	for _, limit := range []struct {
		value    *int
		standard int
	}{{&l.RecordBytes, 1 << 20}, {&l.Columns, 1000}, {&l.BlockRows, 5000}, {&l.BlockBytes, 2 << 20}} {
		if *limit.value <= 0 {
			*limit.value = limit.standard
		}
	}
	return l
}

// Windows1252 is the encoding that most files have which are neither UTF-8 nor UTF-16.
const Windows1252 = "windows-1252"

// Options say how a file is to be read, where the file itself leaves it open.
type Options struct {
	Limits

	// Encoding is the one that the user names, any that golang.org/x/text knows; empty: it is found out. A
	// byte order mark wins over it.
	Encoding string
	// SingleByte is the encoding of text that is neither UTF-8 nor UTF-16. Empty: such a file is refused with
	// schema.CodeEncodingUnclear. After Windows1252 Reread reads a cell again, without loss.
	SingleByte string
	// Names are the headers by which the header is known: it is the first of the first 20 records that has
	// one of them.
	Names []string
}

// Reader reads one file from its beginning to its end. Its memory is bounded by the limits, whatever the
// file.
type Reader struct {
	source   Source
	limits   Limits
	raw      *rawReader
	sheet    *sheetText // of a workbook; nil: the file is text
	text     io.Reader  // raw, decoded
	charset  charset
	format   schema.Format
	repairs  map[schema.Repair]int
	opening  opening
	mojibake bool

	written    []string // the header, cell by cell as in the file
	header     []string // the same, cleaned
	headerLine int
	origin     *origin // shared by all blocks

	buf   []byte // holds data
	data  []byte // read, and not yet handed out
	taken int64  // bytes of text before data
	line  int    // physical line on which data begins
	quote int    // a position in data before which, from where records are looked for, there is no quote
	nul   bool   // a NUL has been read
	ended bool   // data is all that is left
	err   error  // what every further Next returns
}

// NewReader finds out how the file is written, and reads its header. The delimiter is the one with which the
// header has one of the names, else the most frequent.
//
// Every refusal is a *schema.Error: schema.CodeFileEmpty (no header), schema.CodeEncodingUnknown,
// schema.CodeEncodingUnclear, schema.CodeCSVMalformed, schema.CodeLimitExceeded, schema.CodeFileChanged,
// schema.CodeFileUnreadable, and schema.CodeUsage for an encoding that nobody knows. Of a workbook also
// schema.CodeSheetUnclear and schema.CodeFormulaNotCalculated.
func NewReader(ctx context.Context, source Source, options Options) (*Reader, error) {
	r := &Reader{source: source, limits: options.withDefaults(), repairs: map[schema.Repair]int{}, line: 1, quote: -1}
	r.origin = &origin{file: source.Name(), columns: r.limits.Columns}
	sheet, err := openSheet(ctx, source, options)
	if err != nil {
		return nil, r.named(err)
	}
	if r.sheet = sheet; sheet != nil {
		r.raw = &rawReader{f: sheet.from, size: sheet.size, end: sheet.size, hash: sha256.New()}
		err = r.openSheet(ctx, options)
	} else {
		r.raw = &rawReader{f: source, size: source.Size(), end: source.Size(), hash: sha256.New()}
		err = r.open(ctx, options)
	}
	if err != nil {
		return nil, r.named(err)
	}
	return r, nil
}

// Name returns the name of the file, as refusals call it.
func (r *Reader) Name() string { return r.source.Name() }

// Header returns the header, its cells cleaned (see CleanHeader), without blank ones at its end.
func (r *Reader) Header() []string { return slices.Clone(r.header) }

// HeaderCells returns the same cells exactly as written.
func (r *Reader) HeaderCells() []string { return slices.Clone(r.written) }

// HeaderLine returns the physical line on which the header starts.
func (r *Reader) HeaderLine() int { return r.headerLine }

// Found reports whether the header has one of the names looked for. If not, the header is the first record
// that has content, and Seems tells what that is.
func (r *Reader) Found() bool { return r.opening.found }

// Format returns how the file's records are parsed, and how a report of it is written.
func (r *Reader) Format() schema.Format { return r.format }

// Mojibake reports whether the text behind the header is UTF-8 that was taken for Windows-1252 and encoded
// again: there are characters that are not ASCII, and all of them decode back (see Undo).
func (r *Reader) Mojibake() bool { return r.mojibake }

// Mixed reports whether a file that is not UTF-8 has sequences of bytes that are: then it is never certain
// what it is.
func (r *Reader) Mixed() bool { return r.charset.mixed }

// Repairs returns what was repaired, counted, as far as it concerns no row: once each schema.RepairBOM,
// RepairUTF16, RepairWindows1252, RepairEncoding, RepairDelimiter, RepairEndMark; the lines above the header
// as RepairPreamble; a header that has blank cells at its end as RepairCellsSurplus. A byte order mark in the
// middle of the file is among them once Next has come by it. Repairs must not be called while Next is.
func (r *Reader) Repairs() map[schema.Repair]int { return maps.Clone(r.repairs) }

// SHA256 returns the hash of the file's bytes as they were read; of the whole file once Next has returned
// io.EOF.
func (r *Reader) SHA256() [sha256.Size]byte {
	if r.sheet != nil {
		return r.sheet.sum
	}
	return [sha256.Size]byte(r.raw.hash.Sum(nil))
}

// NextRecords reads the next block and splits it into records, for who does one after the other. Its errors
// are those of Next and of Block.Parse.
func (r *Reader) NextRecords(ctx context.Context, records *Records) error {
	block, err := r.Next(ctx)
	if err != nil {
		return err
	}
	return block.Parse(r.format, records)
}

// Next returns the next block, and io.EOF after the last. Any other error but that of ctx is a *schema.Error,
// and stays: schema.CodeLimitExceeded or schema.CodeCSVMalformed for the record after the last block,
// schema.CodeFileUnreadable, and schema.CodeFileChanged where the file was cut short, or is at its end not
// what it was when it was opened. An error in an earlier block, which Parse finds, comes first. Next must not
// be called by several goroutines at the same time.
func (r *Reader) Next(ctx context.Context) (*Block, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	end := 0
	for rows := 0; r.err == nil && rows < r.limits.BlockRows && end < r.limits.BlockBytes; rows++ {
		length, err := r.record(end)
		if errors.Is(err, errTooLong) {
			if end > 0 {
				break // the records before it first
			}
			err = r.tooLong(ctx, r.format)
		}
		if err != nil {
			r.err = r.named(err)
			break
		}
		if beginsWithMark(r.data[end:]) && r.charset.repair != schema.RepairUTF16 {
			r.repairs[schema.RepairBOM] = 1
		}
		end += length
	}
	if end == 0 {
		if errors.Is(r.err, io.EOF) {
			if err := r.source.Unchanged(); err != nil {
				r.err = err
			}
		}
		return nil, r.err
	}
	block := r.take(end)
	return &block, nil
}

// open finds the character set, the header and the delimiter.
func (r *Reader) open(ctx context.Context, options Options) error {
	if r.raw.size == 0 {
		return schema.Refuse(schema.CodeFileEmpty, "The file is empty.")
	}
	var err error
	if r.charset, err = inspect(r.raw.f, r.raw.size, options); err != nil {
		return err
	}
	var marked bool
	if r.raw.end, marked, err = endOfText(r.raw.f, r.raw.size, r.charset); err != nil {
		return err
	}
	if r.raw.end <= int64(r.charset.mark) && marked {
		return schema.Refuse(schema.CodeEncodingUnknown, "The file is nothing but NUL and end-of-file characters: it is damaged.").WithFix("Export the file again.")
	}
	if marked {
		r.repairs[schema.RepairEndMark] = 1
	}
	if r.charset.repair != "" {
		r.repairs[r.charset.repair] = 1
	}
	r.format.BOM = r.charset.mark > 0
	if _, err := io.CopyN(io.Discard, r.raw, int64(r.charset.mark)); err != nil {
		return err
	}
	r.text = r.charset.reader(r.raw)
	if err := r.readHeader(ctx, options.Names); err != nil {
		return err
	}
	if r.format.Delimiter != ',' {
		r.repairs[schema.RepairDelimiter] = 1
	}
	if r.charset.unclear {
		return r.unclear(ctx)
	}
	r.mojibake, err = r.isMojibake()
	return err
}

// peek returns the first n bytes of data as a block.
func (r *Reader) peek(n int) Block {
	return Block{Line: r.line, Text: string(r.data[:n]), origin: r.origin, nul: r.nul}
}

// take returns what peek does, and takes it away.
func (r *Reader) take(n int) Block {
	block := r.peek(n)
	r.drop(n)
	return block
}

// drop takes the first n bytes of data away.
func (r *Reader) drop(n int) {
	r.line += r.countLines(r.data[:n])
	r.taken += int64(n)
	r.data = r.data[n:]
	r.quote -= n
}

// named returns err with the name of the file.
func (r *Reader) named(err error) error {
	if refusal, ok := errors.AsType[*schema.Error](err); ok && refusal.Code != schema.CodeUsage {
		refusal.File = r.source.Name()
	}
	return err
}
