package pipeline

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/klauspost/compress/zstd"

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

// packChunk is a planned chunk as it is kept.
func packChunk(c *chunk) store.Chunk {
	data := binary.AppendUvarint(make([]byte, 0, len(c.text.Text)+binary.MaxVarintLen64), uint64(c.text.Line))
	counts := tally(c.verdicts)
	return store.Chunk{
		Number: c.text.Number, Data: pack(append(data, c.text.Text...)), Verdicts: pack(encodeVerdicts(c.verdicts)), Planned: counts,
		Done: counts.Outcomes[schema.Ready] == 0,
	}
}

var errChunkDamaged = errors.New("the kept chunk is damaged")

// unpackChunk is the rows of a kept chunk with the packed verdicts given, its own or its results.
func unpackChunk(kept store.Chunk, format dialect.Format, packed []byte) (*chunk, error) {
	data, err := unpack(kept.Data)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errChunkDamaged, err)
	}
	line, size := binary.Uvarint(data)
	if size <= 0 {
		return nil, errChunkDamaged
	}
	c, _ := spentChunks.Get().(*chunk)
	c.text = dialect.Chunk{Number: kept.Number, Line: int(line), Text: string(data[size:])}
	if err := c.text.Parse(format, &c.records); err != nil {
		return nil, fmt.Errorf("%w: %w", errChunkDamaged, err)
	}
	verdicts, err := unpack(packed)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errVerdictsDamaged, err)
	}
	if c.verdicts, err = decodeVerdicts(verdicts); err != nil {
		return nil, err
	}
	if len(c.verdicts) != c.records.Len() {
		return nil, errVerdictsDamaged
	}
	return c, nil
}
