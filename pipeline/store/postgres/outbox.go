package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/claimline/claimline/pipeline/claim"
)

// AddMails implements store.Outbox.
func (t *tx) AddMails(ctx context.Context, kind claim.Mail, claims []int64) error {
	row := []any{nil, string(kind)}
	_, err := t.CopyFrom(ctx, pgx.Identifier{"outbox"}, []string{"claim", "kind"}, pgx.CopyFromSlice(len(claims), func(i int) ([]any, error) {
		row[0] = claims[i]
		return row, nil
	}))
	return err
}
