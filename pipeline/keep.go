package pipeline

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/klauspost/compress/zstd"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/schema"
)

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

// keeper is the last stage of planning an import: it keeps the file, with the verdicts and what was prepared. What it keeps
// as one chunk, and what is applied in one transaction, is several of those in which the file is read: the more rows a
// transaction has, the less does a file pay that is in no order; the fewer are on their way, the less memory it takes.
type keeper struct {
	store   *store.Store
	owner   store.Owner
	persist func(ctx context.Context, watch Watch, do func() error) error
	watch   Watch

	// How much a kept chunk has; the last part that comes may go beyond.
	maxRows, maxBytes int

	number   int
	data     []byte // the line on which the text begins, and the text
	verdicts []verdict
	prepared
	wishes []claim.Wish // of the rows prepared
}

// keptBytes is how much text a transaction applies.
const keptBytes = 4 << 20

func (p *Pipeline) newKeeper(owner store.Owner, order Order, watch Watch) *keeper {
	k := &keeper{store: p.Store, owner: owner, persist: p.persist, watch: watch, maxRows: DefaultTransactionRows, maxBytes: keptBytes}
	if p.TransactionRows != 0 {
		k.maxRows = p.TransactionRows
	}
	if order.AllOrNothing { // one chunk, for it is one transaction
		k.maxRows, k.maxBytes = math.MaxInt, math.MaxInt
	}
	return k
}

// chunk takes one more part.
func (k *keeper) chunk(ctx context.Context, c *chunk) error {
	if len(k.verdicts) == 0 { // what came before is blank rows, if anything
		k.data = binary.AppendUvarint(k.data[:0], uint64(c.text.Line))
		k.prepared = prepared{rows: k.rows[:0]}
		k.wishes = k.wishes[:0]
	}
	k.prepare(c, len(k.verdicts))
	k.data = append(k.data, c.text.Text...)
	k.verdicts = append(k.verdicts, c.verdicts...)
	if len(k.verdicts) < k.maxRows && len(k.data) < k.maxBytes {
		return nil
	}
	return k.end(ctx)
}

// end keeps what there is.
func (k *keeper) end(ctx context.Context) error {
	if len(k.verdicts) == 0 {
		return nil
	}
	kept := k.pack()
	if err := k.persist(ctx, k.watch, func() error { return k.store.KeepChunk(ctx, k.owner, kept) }); err != nil {
		return fmt.Errorf("keep chunk %d: %w", k.number, err)
	}
	k.number++
	k.verdicts = k.verdicts[:0]
	return nil
}

// pack is what there is, as it is kept.
func (k *keeper) pack() store.Chunk {
	counts := tally(k.verdicts)
	kept := store.Chunk{
		Number: k.number, Data: pack(k.data), Verdicts: pack(encodeVerdicts(k.verdicts)), Planned: counts,
		Done: counts.Outcomes[schema.Ready] == 0,
	}
	if !kept.Done {
		kept.Prepared = pack(k.prepared.encode())
	}
	return kept
}

var errChunkDamaged = errors.New("the kept chunk is damaged")

// unpackChunk is the rows of a kept chunk with the packed verdicts given, its own or its results.
func unpackChunk(kept store.Chunk, format dialect.Format, packed []byte) (*chunk, error) {
	c, err := unpackRows(kept, format)
	if err != nil {
		return nil, err
	}
	if c.verdicts, err = unpackVerdicts(packed); err != nil {
		return nil, err
	}
	if len(c.verdicts) != c.records.Len() {
		return nil, errVerdictsDamaged
	}
	return c, nil
}

func unpackVerdicts(packed []byte) ([]verdict, error) {
	verdicts, err := unpack(packed)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errVerdictsDamaged, err)
	}
	return decodeVerdicts(verdicts)
}

// unpackPrepared is what was prepared of exactly the rows that these verdicts find ready.
func unpackPrepared(packed []byte, verdicts []verdict) (*prepared, error) {
	data, err := unpack(packed)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errPreparedDamaged, err)
	}
	p, err := decodePrepared(data)
	if err != nil {
		return nil, err
	}
	next := 0 // ready row
	for i := range verdicts {
		if verdicts[i].Outcome != schema.Ready {
			continue
		}
		if next == len(p.rows) || p.rows[next].row != i {
			return nil, errPreparedDamaged
		}
		next++
	}
	if next != len(p.rows) {
		return nil, errPreparedDamaged
	}
	return p, nil
}

// unpackRows is the rows of a kept chunk.
func unpackRows(kept store.Chunk, format dialect.Format) (*chunk, error) {
	data, err := unpack(kept.Data)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errChunkDamaged, err)
	}
	line, size := binary.Uvarint(data)
	if size <= 0 {
		return nil, errChunkDamaged
	}
	c := &chunk{text: dialect.Chunk{Number: kept.Number, Line: int(line), Text: string(data[size:])}}
	if err := c.text.Parse(format, &c.records); err != nil {
		return nil, fmt.Errorf("%w: %w", errChunkDamaged, err)
	}
	return c, nil
}
