package sqlite

import (
	"context"

	"github.com/claimline/claimline/pipeline/claim"
)

// AddMails implements store.Outbox.
func (t *tx) AddMails(ctx context.Context, kind claim.Mail, claims []int64) error {
	return t.exec(ctx, "INSERT INTO outbox (claim, kind) SELECT value, ? FROM json_each(?)", string(kind), encodeNumbers(claims))
}
