package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/schema"
)

// InsertChunk implements store.Imports.
func (t *tx) InsertChunk(ctx context.Context, importID int64, c store.Chunk) error {
	var applied *string
	if c.Results != nil {
		applied = new(encode(c.Applied))
	}
	if err := t.exec(ctx, "INSERT INTO import_chunks (import, number, done, planned, applied) VALUES ($1, $2, $3, $4, $5)",
		importID, c.Number, c.Done, encode(c.Planned), applied); err != nil {
		return err
	}
	if err := t.exec(ctx, "INSERT INTO chunk_rows (import, number, data, verdicts, prepared) VALUES ($1, $2, $3, $4, $5)",
		importID, c.Number, blob(c.Data), blob(c.Verdicts), c.Prepared); err != nil {
		return err
	}
	return t.putResults(ctx, importID, c.Number, c.Results)
}

// putResults keeps results, where there are any.
func (t *tx) putResults(ctx context.Context, importID int64, number int, results []byte) error {
	if results == nil {
		return nil
	}
	return t.exec(ctx, "INSERT INTO chunk_results (import, number, results) VALUES ($1, $2, $3)", importID, number, results)
}

// FinishChunk implements store.Imports.
func (t *tx) FinishChunk(ctx context.Context, importID int64, number int, results []byte, tally schema.Tally) error {
	if err := t.putResults(ctx, importID, number, results); err != nil {
		return err
	}
	return t.exec(ctx, "UPDATE import_chunks SET done = true, applied = $1 WHERE import = $2 AND number = $3", encode(tally), importID, number)
}

// FindChunk implements store.Imports.
func (t *tx) FindChunk(ctx context.Context, importID int64, number int) (c store.Chunk, found bool, err error) {
	c.Number = number
	var planned, applied string
	err = t.QueryRow(ctx, `SELECT r.data, r.verdicts, r.prepared, c.done, c.planned, coalesce(c.applied, CASE WHEN c.done THEN c.planned ELSE '{}' END), e.results
		FROM import_chunks c JOIN chunk_rows r USING (import, number) LEFT JOIN chunk_results e USING (import, number)
		WHERE c.import = $1 AND c.number = $2`, importID, number).
		Scan(&c.Data, &c.Verdicts, &c.Prepared, &c.Done, &planned, &applied, &c.Results)
	if errors.Is(err, pgx.ErrNoRows) {
		return c, false, nil
	}
	if err == nil {
		c.Planned, err = decodeTally(planned)
	}
	if err == nil {
		c.Applied, err = decodeTally(applied)
	}
	return c, err == nil, err
}

// ChunkDone implements store.Imports.
func (t *tx) ChunkDone(ctx context.Context, importID int64, number int) (done, found bool, err error) {
	err = t.QueryRow(ctx, "SELECT done FROM import_chunks WHERE import = $1 AND number = $2", importID, number).Scan(&done)
	if errors.Is(err, pgx.ErrNoRows) {
		return false, false, nil
	}
	return done, err == nil, err
}

// ChunkNumbers implements store.Imports.
func (t *tx) ChunkNumbers(ctx context.Context, importID int64, pending bool) ([]int, error) {
	return list[int](ctx, t, "SELECT number FROM import_chunks WHERE import = $1 AND NOT ($2 AND done) ORDER BY number", importID, pending)
}

// DeleteChunks implements store.Imports.
func (t *tx) DeleteChunks(ctx context.Context, importID int64) error {
	if err := t.DeleteRows(ctx, importID); err != nil {
		return err
	}
	return t.exec(ctx, "DELETE FROM import_chunks WHERE import = $1", importID)
}
