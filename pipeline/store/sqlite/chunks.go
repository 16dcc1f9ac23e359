package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/schema"
)

// KeepChunk implements store.Imports.
func (s *Store) KeepChunk(ctx context.Context, owner store.Owner, chunk store.Chunk) error {
	planned := encode(chunk.Planned)
	var applied sql.NullString
	if chunk.Results != nil {
		applied = sql.NullString{String: encode(chunk.Applied), Valid: true}
	}
	return s.owning(ctx, owner, "keep a chunk", func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "INSERT INTO import_chunks (import, number, done, planned, applied) VALUES (?, ?, ?, ?, ?)",
			owner.ImportID, chunk.Number, chunk.Done, planned, applied); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "INSERT INTO chunk_rows (import, number, data, verdicts, prepared) VALUES (?, ?, ?, ?, ?)",
			owner.ImportID, chunk.Number, blob(chunk.Data), blob(chunk.Verdicts), chunk.Prepared); err != nil {
			return err
		}
		if chunk.Results == nil {
			return nil
		}
		return keepResults(ctx, tx, owner.ImportID, chunk.Number, chunk.Results)
	})
}

func keepResults(ctx context.Context, tx *sql.Tx, id int64, number int, results []byte) error {
	_, err := tx.ExecContext(ctx, "INSERT INTO chunk_results (import, number, results) VALUES (?, ?, ?)", id, number, blob(results))
	return err
}

// blob is data as something that is not NULL.
func blob(data []byte) []byte {
	if data == nil {
		return []byte{}
	}
	return data
}

// Chunks implements store.Imports.
func (s *Store) Chunks(ctx context.Context, id int64, pending bool) ([]int, error) {
	var numbers []int
	err := collect(ctx, s.read, func(rows *sql.Rows) error {
		var number int
		err := rows.Scan(&number)
		numbers = append(numbers, number)
		return err
	}, "SELECT number FROM import_chunks WHERE import = ? AND NOT (? AND done) ORDER BY number", id, pending)
	return numbers, wrap(err, "list the chunks of an import")
}

// Chunk implements store.Imports.
func (s *Store) Chunk(ctx context.Context, id int64, number int) (store.Chunk, error) {
	chunk := store.Chunk{Number: number}
	var planned, applied string
	err := s.read.QueryRowContext(ctx, `SELECT r.data, r.verdicts, r.prepared, c.done, c.planned, ifnull(c.applied, CASE WHEN c.done THEN c.planned ELSE '{}' END), e.results
		FROM import_chunks c JOIN chunk_rows r USING (import, number) LEFT JOIN chunk_results e USING (import, number)
		WHERE c.import = ? AND c.number = ?`, id, number).
		Scan(&chunk.Data, &chunk.Verdicts, &chunk.Prepared, &chunk.Done, &planned, &applied, &chunk.Results)
	if errors.Is(err, sql.ErrNoRows) {
		return chunk, s.chunkMissing(ctx, id, number)
	}
	if err == nil {
		chunk.Planned, err = decodeTally(planned)
	}
	if err == nil {
		chunk.Applied, err = decodeTally(applied)
	}
	return chunk, wrap(err, "read a chunk")
}

// chunkMissing says why a chunk is not there.
func (s *Store) chunkMissing(ctx context.Context, id int64, number int) error {
	var removed bool
	err := s.read.QueryRowContext(ctx, "SELECT rows_removed FROM imports WHERE id = ?", id).Scan(&removed)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return notFound(id)
	case err != nil:
		return wrap(err, "read a chunk")
	case removed:
		return &schema.Error{Code: schema.CodeImportRemoved}
	}
	return schema.Refuse(schema.CodeImportNotFound, "Import %d has no part %d.", id, number)
}
