package kept

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sort"
	"strconv"

	"github.com/klauspost/compress/zstd"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/schema"
)

// Rows are rows of a file, in its order, each with what is known of it.
type Rows struct {
	Records  dialect.Records
	Verdicts []Verdict // one per record
	Origins  []Origin  // of rows that were handed off, one per record
}

// Origin is where a row that was handed off stood in the source, and where it stands among the parts.
type Origin struct{ Line, Part, Row int }

// Line returns the line on which record i starts; of a row that was handed off, in the source.
func (r *Rows) Line(i int) int {
	if r.Origins != nil {
		return r.Origins[i].Line
	}
	return r.Records.Line(i)
}

// Result puts the verdict on record i, with this address, into words.
func (r *Rows) Result(i int, email string) schema.Result {
	result := r.Verdicts[i].Result(r.Line(i), email)
	if r.Origins != nil {
		result.Part, result.Row = r.Origins[i].Part, r.Origins[i].Row
	}
	return result
}

// Chunk is rows on their way into the store: some blocks of the file together. Its memory serves one chunk
// after another.
type Chunk struct {
	Number int // of the chunk among those of the import

	data        []byte // the line on which the text begins, and the text
	verdicts    []Verdict
	ready       Ready
	assignments []claim.Assignment // of the ready rows
}

// Len returns how many rows the chunk has.
func (c *Chunk) Len() int { return len(c.verdicts) }

// Bytes returns how much text the chunk has.
func (c *Chunk) Bytes() int { return len(c.data) }

// Add takes in a copy of the next rows: their text, what is known of each, and what claiming those takes that
// are ready, whose numbers are those among these rows.
func (c *Chunk) Add(text *dialect.Block, verdicts []Verdict, ready *Ready) {
	if len(c.verdicts) == 0 { // what came before is blank rows, if anything
		c.data = binary.AppendUvarint(c.data[:0], uint64(text.Line))
		c.ready = Ready{Rows: c.ready.Rows[:0]}
		c.assignments = c.assignments[:0]
	}
	if len(ready.Rows) > 0 {
		if len(c.ready.Rows) == 0 {
			c.ready.Version = ready.Version
		}
		c.ready.Version = min(c.ready.Version, ready.Version) // the oldest counts
		c.ready.Expire(ready.Until)
	}
	for _, r := range ready.Rows {
		r.Row += len(c.verdicts)
		if n := len(c.assignments); r.Assignments != nil {
			c.assignments = append(c.assignments, r.Assignments...)
			r.Assignments = c.assignments[n:len(c.assignments):len(c.assignments)]
		}
		c.ready.Rows = append(c.ready.Rows, r)
	}
	c.data = append(c.data, text.Text...)
	c.verdicts = append(c.verdicts, verdicts...)
}

// Pack returns the chunk as the store keeps it. It is done where none of its rows is ready.
func (c *Chunk) Pack() store.Chunk {
	counts := Tally(c.verdicts)
	packed := store.Chunk{
		Number: c.Number, Data: pack(c.data), Verdicts: PackVerdicts(c.verdicts), Planned: counts,
		Done: counts.Outcomes[schema.Ready] == 0,
	}
	if !packed.Done {
		packed.Prepared = pack(c.ready.encode())
	}
	return packed
}

// Next makes the chunk the empty one that follows.
func (c *Chunk) Next() {
	c.Number++
	c.verdicts = c.verdicts[:0]
}

// PackVerdicts returns what is known of the rows of a chunk as the store keeps it.
func PackVerdicts(verdicts []Verdict) []byte { return pack(encodeVerdicts(verdicts)) }

// UnpackVerdicts undoes PackVerdicts.
func UnpackVerdicts(packed []byte) ([]Verdict, error) {
	verdicts, err := unpack(packed)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errVerdictsDamaged, err)
	}
	return decodeVerdicts(verdicts)
}

// UnpackReady returns what claiming takes of exactly the rows that these verdicts find ready, in a file whose
// plan knows so many services.
func UnpackReady(packed []byte, verdicts []Verdict, services int) (*Ready, error) {
	data, err := unpack(packed)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errReadyDamaged, err)
	}
	ready, err := decodeReady(data)
	if err != nil {
		return nil, err
	}
	next := 0 // ready row
	for i := range verdicts {
		if verdicts[i].Outcome != schema.Ready {
			continue
		}
		if next == len(ready.Rows) || ready.Rows[next].Row != i {
			return nil, errReadyDamaged
		}
		next++
	}
	if next != len(ready.Rows) || next > 0 && ready.Rows[0].Assignments != nil && len(ready.Rows[0].Assignments) != services {
		return nil, errReadyDamaged
	}
	return ready, nil
}

// firstLine returns the line on which the text of a kept chunk begins.
func firstLine(packed store.Chunk) (int, error) {
	decoder, err := zstd.NewReader(bytes.NewReader(packed.Data), zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true))
	if err != nil {
		return 0, fmt.Errorf("%w: %w", errChunkDamaged, err)
	}
	defer decoder.Close()
	line, err := binary.ReadUvarint(bufio.NewReaderSize(decoder, binary.MaxVarintLen64))
	if err != nil {
		return 0, fmt.Errorf("%w: %w", errChunkDamaged, err)
	}
	return int(line), nil
}

var errChunkDamaged = errors.New("the kept chunk is damaged")

// UnpackRecords returns the records of a kept chunk, one for each of its verdicts.
func UnpackRecords(packed store.Chunk, format schema.Format, verdicts int) (*dialect.Records, error) {
	text, err := unpackText(packed)
	if err != nil {
		return nil, err
	}
	return parse(text, format, verdicts)
}

// unpackText returns the text of a kept chunk.
func unpackText(packed store.Chunk) (text dialect.Block, err error) {
	data, err := unpack(packed.Data)
	if err != nil {
		return text, fmt.Errorf("%w: %w", errChunkDamaged, err)
	}
	line, size := binary.Uvarint(data)
	if size <= 0 {
		return text, errChunkDamaged
	}
	return dialect.Block{Line: int(line), Text: string(data[size:])}, nil
}

// parse returns the records of a text, one for each of so many verdicts.
func parse(text dialect.Block, format schema.Format, verdicts int) (*dialect.Records, error) {
	records := &dialect.Records{}
	if err := text.Parse(format, records); err != nil {
		return nil, fmt.Errorf("%w: %w", errChunkDamaged, err)
	}
	if records.Len() != verdicts {
		return nil, errVerdictsDamaged
	}
	return records, nil
}

// Unpack returns the rows of a kept chunk: what became of them, or, as long as the chunk is not done, what
// was planned.
func Unpack(packed store.Chunk, format schema.Format) (*Rows, error) {
	text, err := unpackText(packed)
	if err != nil {
		return nil, err
	}
	return unpackRows(packed, text, format)
}

// unpackRows returns the rows of a kept chunk that has this text.
func unpackRows(packed store.Chunk, text dialect.Block, format schema.Format) (*Rows, error) {
	known := packed.Results
	if known == nil {
		known = packed.Verdicts
	}
	verdicts, err := UnpackVerdicts(known)
	if err != nil {
		return nil, err
	}
	records, err := parse(text, format, len(verdicts))
	if err != nil {
		return nil, err
	}
	return &Rows{Records: *records, Verdicts: verdicts}, nil
}

// Read returns the rows of one chunk of an import, as Unpack does.
func Read(ctx context.Context, s *store.Store, imp schema.Import, number int, format schema.Format) (*Rows, error) {
	packed, err := s.Chunk(ctx, imp.OrganizationID, imp.ID, number)
	if err != nil {
		return nil, fmt.Errorf("read chunk %d: %w", number, err)
	}
	rows, err := Unpack(packed, format)
	if err != nil {
		return nil, fmt.Errorf("unpack chunk %d: %w", number, err)
	}
	return rows, nil
}

// Wanted says which chunks may have a row that is wanted; the others are left out. A function that is nil
// leaves none out.
type Wanted struct {
	Tally   func(schema.Tally) bool // there may be a row that is wanted where this was counted
	Content func(string) bool       // there may be one in this text
}

// Each hands over the rows of an import, chunk by chunk in file order: as planned while it waits for consent;
// then rows whose turn has not come are not attempted.
func Each(ctx context.Context, s *store.Store, imp schema.Import, format schema.Format, each func(*Rows) error) error {
	return EachAfter(ctx, s, imp, format, 0, Wanted{}, each)
}

// EachAfter does what Each does from the chunk on in which the rows behind a line begin, but for chunks that
// have no row that is wanted.
func EachAfter(ctx context.Context, s *store.Store, imp schema.Import, format schema.Format, line int, wanted Wanted, each func(*Rows) error) error {
	numbers, tallies, err := s.ChunkTallies(ctx, imp.OrganizationID, imp.ID)
	if err != nil {
		return fmt.Errorf("list the chunks: %w", err)
	}
	// The last chunk that begins at or before the line may have rows behind it.
	begins := sort.Search(len(numbers), func(i int) bool {
		if err != nil || line == 0 {
			return true
		}
		var packed store.Chunk
		if packed, err = s.Chunk(ctx, imp.OrganizationID, imp.ID, numbers[i]); err != nil {
			return true
		}
		var first int
		first, err = firstLine(packed)
		return first > line
	})
	if err != nil {
		return fmt.Errorf("find a line: %w", err)
	}
	for i := max(0, begins-1); i < len(numbers); i++ {
		if wanted.Tally != nil && !wanted.Tally(tallies[i]) {
			continue
		}
		packed, err := s.Chunk(ctx, imp.OrganizationID, imp.ID, numbers[i])
		if err != nil {
			return fmt.Errorf("read chunk %d: %w", numbers[i], err)
		}
		text, err := unpackText(packed)
		if err == nil && wanted.Content != nil && !wanted.Content(text.Text) {
			continue
		}
		var rows *Rows
		if err == nil {
			rows, err = unpackRows(packed, text, format)
		}
		if err != nil {
			return fmt.Errorf("unpack chunk %d: %w", numbers[i], err)
		}
		for i := range rows.Verdicts {
			if v := &rows.Verdicts[i]; v.Outcome == schema.Ready && imp.State != schema.StateAwaitingConsent {
				v.Finding, v.Edits = notAttempted(imp), nil
			}
		}
		if err := each(rows); err != nil {
			return err
		}
	}
	return nil
}

// notAttempted returns the finding of a row whose turn never came, for a reason that is blank while it may
// still come.
func notAttempted(imp schema.Import) *schema.Finding {
	if imp.Reason == "" {
		return &schema.Finding{Outcome: schema.NotAttempted}
	}
	f := schema.NewFinding(imp.Reason, "", strconv.FormatInt(imp.ID, 10))
	f.Outcome = schema.NotAttempted
	return f
}

// Kept chunks are compressed lightly: they are written once, read twice, and removed after some months.
var (
	compressor = must(zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(2),
		zstd.WithWindowSize(1<<20), zstd.WithLowerEncoderMem(true)))
	decompressor = must(zstd.NewReader(nil, zstd.WithDecoderConcurrency(2), zstd.WithDecoderLowmem(true)))
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err) // fixed options: cannot happen
	}
	return v
}

func pack(data []byte) []byte { return compressor.EncodeAll(data, nil) }

func unpack(packed []byte) ([]byte, error) { return decompressor.DecodeAll(packed, nil) }
