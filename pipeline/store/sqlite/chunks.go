package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/schema"
)

// InsertChunk implements store.Imports.
func (t *tx) InsertChunk(ctx context.Context, importID int64, c store.Chunk) error {
	var applied sql.NullString
	if c.Results != nil {
		applied = sql.NullString{String: encode(c.Applied), Valid: true}
	}
	if err := t.exec(ctx, "INSERT INTO import_chunks (import, number, done, planned, applied) VALUES (?, ?, ?, ?, ?)",
		importID, c.Number, c.Done, encode(c.Planned), applied); err != nil {
		return err
	}
	if err := t.exec(ctx, "INSERT INTO chunk_rows (import, number, data, verdicts, prepared) VALUES (?, ?, ?, ?, ?)",
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
	return t.exec(ctx, "INSERT INTO chunk_results (import, number, results) VALUES (?, ?, ?)", importID, number, results)
}

// FinishChunk implements store.Imports.
func (t *tx) FinishChunk(ctx context.Context, importID int64, number int, results []byte, tally schema.Tally) error {
	if err := t.putResults(ctx, importID, number, results); err != nil {
		return err
	}
	return t.exec(ctx, "UPDATE import_chunks SET done = 1, applied = ? WHERE import = ? AND number = ?", encode(tally), importID, number)
}

// FindChunk implements store.Imports.
func (t *tx) FindChunk(ctx context.Context, importID int64, number int) (c store.Chunk, found bool, err error) {
	c.Number = number
	var planned, applied string
	err = t.QueryRowContext(ctx, `SELECT r.data, r.verdicts, r.prepared, c.done, c.planned, ifnull(c.applied, CASE WHEN c.done THEN c.planned ELSE '{}' END), e.results
		FROM import_chunks c JOIN chunk_rows r USING (import, number) LEFT JOIN chunk_results e USING (import, number)
		WHERE c.import = ? AND c.number = ?`, importID, number).
		Scan(&c.Data, &c.Verdicts, &c.Prepared, &c.Done, &planned, &applied, &c.Results)
	if errors.Is(err, sql.ErrNoRows) {
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
	err = t.QueryRowContext(ctx, "SELECT done FROM import_chunks WHERE import = ? AND number = ?", importID, number).Scan(&done)
	if errors.Is(err, sql.ErrNoRows) {
		return false, false, nil
	}
	return done, err == nil, err
}

// ChunkNumbers implements store.Imports.
func (t *tx) ChunkNumbers(ctx context.Context, importID int64, pending bool) ([]int, error) {
	return list[int](ctx, t, "SELECT number FROM import_chunks WHERE import = ? AND NOT (? AND done) ORDER BY number", importID, pending)
}

// DeleteChunks implements store.Imports.
func (t *tx) DeleteChunks(ctx context.Context, importID int64) error {
	if err := t.DeleteRows(ctx, importID); err != nil {
		return err
	}
	return t.exec(ctx, "DELETE FROM import_chunks WHERE import = ?", importID)
}
