package sqlite

import (
	"context"
	"database/sql"
	"time"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/pipeline/store"
)

// AddMails implements store.Outbox.
func (t *tx) AddMails(ctx context.Context, kind claim.Mail, at time.Time, claims []int64) error {
	return t.exec(ctx, "INSERT INTO outbox (claim, kind, written_at) SELECT value, ?, ? FROM json_each(?)", string(kind), seconds(at), encodeNumbers(claims))
}

// Mails implements store.Outbox. It reads the outbox through: an index would cost every import more than it
// saves here.
func (t *tx) Mails(ctx context.Context, claims []int64) (mails []store.WaitingMail, err error) {
	err = t.collect(ctx, func(rows *sql.Rows) error {
		var m store.WaitingMail
		var at sql.NullInt64
		err := rows.Scan(&m.Claim, &m.Kind, &at)
		m.At = timeOf(at)
		mails = append(mails, m)
		return err
	}, `SELECT b.claim, b.kind, ifnull(b.written_at, c.claimed_at) FROM outbox b CROSS JOIN claims c ON c.id = b.claim
		WHERE b.claim IN (SELECT value FROM json_each(?)) ORDER BY 3, b.id`, encodeNumbers(claims))
	return mails, err
}
