package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/pipeline/store"
)

// AddMails implements store.Outbox.
func (t *tx) AddMails(ctx context.Context, kind claim.Mail, at time.Time, claims []int64) error {
	row := []any{nil, string(kind), at.Unix()}
	_, err := t.CopyFrom(ctx, pgx.Identifier{"outbox"}, []string{"claim", "kind", "written_at"}, pgx.CopyFromSlice(len(claims), func(i int) ([]any, error) {
		row[0] = claims[i]
		return row, nil
	}))
	return err
}

// Mails implements store.Outbox.
func (t *tx) Mails(ctx context.Context, claims []int64) (mails []store.WaitingMail, err error) {
	err = t.collect(ctx, func(rows pgx.Rows) error {
		var m store.WaitingMail
		var at *int64
		err := rows.Scan(&m.Claim, &m.Kind, &at)
		m.At = timeOf(at)
		mails = append(mails, m)
		return err
	}, "SELECT claim, kind, written_at FROM outbox WHERE claim = ANY($1) ORDER BY written_at, id", claims)
	return mails, err
}
