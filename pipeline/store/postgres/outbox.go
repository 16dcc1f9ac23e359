package postgres

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/schema"
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

// InsertMail implements store.Outbox. Its number is that of a place in the line which nobody has.
func (t *tx) InsertMail(ctx context.Context, m store.Mail) (err error) {
	var organization *int64
	var news *string
	if m.Organization != "" {
		number, err := t.number(ctx, m.Organization)
		if err != nil {
			return err
		}
		organization = &number
	}
	if m.News != nil {
		news = new(encode(m.News))
	}
	return t.exec(ctx, `INSERT INTO deliveries (id, kind, claim, organization, recipient, news, written_at, state)
		VALUES (nextval(pg_get_serial_sequence('outbox', 'id')), $1, $2, $3, $4, $5, $6, $7)`,
		string(m.Kind), nonzero(m.Claim), organization, m.To, news, m.WrittenAt.Unix(), string(m.State))
}

// TakeUp implements store.Outbox.
func (t *tx) TakeUp(ctx context.Context, id int64) (store.Mail, bool, error) {
	which := "$1"
	if id == 0 {
		which = "(SELECT b.id FROM outbox b WHERE $1::bigint = 0 ORDER BY b.id LIMIT 1 FOR UPDATE SKIP LOCKED)"
	}
	err := t.QueryRow(ctx, `WITH taken AS (DELETE FROM outbox WHERE id = `+which+` RETURNING id, kind, claim, written_at)
		INSERT INTO deliveries (id, kind, claim, written_at) SELECT id, kind, claim, written_at FROM taken RETURNING id`, id).Scan(&id)
	if errors.Is(err, pgx.ErrNoRows) {
		return store.Mail{}, false, nil
	}
	if err != nil {
		return store.Mail{}, false, err
	}
	return t.FindMail(ctx, id)
}

const mailColumns = `m.id, m.kind, m.claim, coalesce(o.external_id, ''), m.recipient, m.news, m.written_at, m.state, m.attempts, m.lost, m.tried_since,
	m.pause, m.next_attempt_at, m.taken_at, m.lease_until, m.sent_at, m.error, m.away, m.message_id`

const mailQuery = "SELECT " + mailColumns + " FROM deliveries m LEFT JOIN organizations o ON o.id = m.organization "

// mailRow reads mailColumns.
type mailRow struct {
	m                                store.Mail
	claim, since, taken, lease, sent *int64
	written, pause, next             int64
	news                             *string
}

func (r *mailRow) fields() []any {
	m := &r.m
	return []any{
		&m.ID, &m.Kind, &r.claim, &m.Organization, &m.To, &r.news, &r.written, &m.State, &m.Attempts, &m.Lost, &r.since,
		&r.pause, &r.next, &r.taken, &r.lease, &r.sent, &m.Error, &m.Away, &m.MessageID,
	}
}

func (r *mailRow) mail() (store.Mail, error) {
	m := r.m
	if r.claim != nil {
		m.Claim = *r.claim
	}
	m.Pause = time.Duration(r.pause) * time.Second
	m.WrittenAt, m.TriedSince, m.TakenAt, m.LeaseUntil, m.SentAt = timeOf(&r.written), timeOf(r.since), timeOf(r.taken), timeOf(r.lease), timeOf(r.sent)
	if r.next != 0 {
		m.NextAttemptAt = timeOf(&r.next)
	}
	if r.news != nil {
		if err := json.Unmarshal([]byte(*r.news), &m.News); err != nil {
			return m, fmt.Errorf("news of a mail: %w", err)
		}
	}
	return m, nil
}

// oneMail runs a query for a mail, which is held where the transaction writes.
func (t *tx) oneMail(ctx context.Context, query, hold string, args ...any) (store.Mail, bool, error) {
	if t.writes {
		query += hold
	}
	var r mailRow
	err := t.QueryRow(ctx, mailQuery+query, args...).Scan(r.fields()...)
	if errors.Is(err, pgx.ErrNoRows) {
		return store.Mail{}, false, nil
	}
	if err != nil {
		return store.Mail{}, false, err
	}
	m, err := r.mail()
	return m, err == nil, err
}

// DueMail implements store.Outbox.
func (t *tx) DueMail(ctx context.Context, due store.DueMail) (store.Mail, bool, error) {
	return t.oneMail(ctx, `WHERE m.state = 'waiting' AND m.next_attempt_at <= $1 AND coalesce(m.lease_until, 0) <= $2
		AND CASE WHEN m.kind = 'webhook' THEN $3 ELSE $4 AND (m.attempts > 0 OR NOT $5) END ORDER BY m.next_attempt_at, m.id LIMIT 1`,
		" FOR NO KEY UPDATE OF m SKIP LOCKED", due.Now.Unix(), due.Free.Unix(), due.Hooks, due.Mails, due.Tried)
}

// FindMail implements store.Outbox.
func (t *tx) FindMail(ctx context.Context, id int64) (store.Mail, bool, error) {
	return t.oneMail(ctx, "WHERE m.id = $1", " FOR NO KEY UPDATE OF m", id)
}

// ClaimMail implements store.Outbox.
func (t *tx) ClaimMail(ctx context.Context, made int64) (store.Mail, bool, error) {
	return t.oneMail(ctx, "WHERE m.claim = $1 AND m.kind = 'claim'", "", made)
}

// UpdateMail implements store.Outbox. A lease ends in a whole second, never too early.
func (t *tx) UpdateMail(ctx context.Context, m store.Mail) error {
	var next int64
	if !m.NextAttemptAt.IsZero() {
		next = m.NextAttemptAt.Unix()
	}
	if !m.LeaseUntil.IsZero() {
		m.LeaseUntil = m.LeaseUntil.Add(time.Second - 1)
	}
	return t.exec(ctx, `UPDATE deliveries SET recipient = $1, state = $2, attempts = $3, lost = $4, tried_since = $5, pause = $6, next_attempt_at = $7,
		taken_at = $8, lease_until = $9, sent_at = $10, error = $11, away = $12, message_id = $13 WHERE id = $14`,
		m.To, string(m.State), m.Attempts, m.Lost, seconds(m.TriedSince), int64(m.Pause/time.Second), next,
		seconds(m.TakenAt), seconds(m.LeaseUntil), seconds(m.SentAt), m.Error, m.Away, m.MessageID, m.ID)
}

// DeleteMail implements store.Outbox.
func (t *tx) DeleteMail(ctx context.Context, id int64) error {
	return t.exec(ctx, "DELETE FROM deliveries WHERE id = $1", id)
}

// RetryMails implements store.Outbox.
func (t *tx) RetryMails(ctx context.Context, organization string, ids []int64) (int, error) {
	if err := t.exec(ctx, "UPDATE deliveries SET away = false WHERE state = 'waiting' AND away"); err != nil {
		return 0, err
	}
	number, err := t.anyNumber(ctx, organization)
	if err != nil {
		return 0, err
	}
	done, err := t.Exec(ctx, `UPDATE deliveries SET state = 'waiting', next_attempt_at = 0, pause = 0, lost = 0, tried_since = NULL
		WHERE state IN ('waiting', 'failed') AND lease_until IS NULL AND (recipient <> '' OR claim IS NOT NULL)
		AND ($1 = 0 OR id = ANY($2))
		AND ($3 = 0 OR coalesce(organization, (SELECT c.organization FROM claims c WHERE c.id = claim)) = $3)`, len(ids), ids, number)
	return int(done.RowsAffected()), err
}

// anyNumber returns the number of an organization; 0 where none is named.
func (t *tx) anyNumber(ctx context.Context, organization string) (int64, error) {
	if organization == "" {
		return 0, nil
	}
	return t.number(ctx, organization)
}

// MailsTaken implements store.Outbox.
func (t *tx) MailsTaken(ctx context.Context, since time.Time) (n int, err error) {
	if err := t.lockOutbox(ctx); err != nil {
		return 0, err
	}
	err = t.QueryRow(ctx, "SELECT count(*) FROM deliveries WHERE taken_at >= $1 AND kind <> 'webhook'", since.Unix()).Scan(&n)
	return n, err
}

// lockOutbox keeps others that write from counting what has been done with the outbox.
func (t *tx) lockOutbox(ctx context.Context) error {
	if !t.writes {
		return nil
	}
	return t.exec(ctx, "SELECT pg_advisory_xact_lock($1)", outboxLock)
}

// Lined implements store.Outbox.
func (t *tx) Lined(ctx context.Context) (waits bool, err error) {
	err = t.QueryRow(ctx, "SELECT EXISTS (SELECT 1 FROM outbox)").Scan(&waits)
	return waits, err
}

// ServerAway implements store.Outbox.
func (t *tx) ServerAway(ctx context.Context, now time.Time) (away bool, err error) {
	err = t.QueryRow(ctx, "SELECT EXISTS (SELECT 1 FROM deliveries WHERE state = 'waiting' AND next_attempt_at > $1 AND away)", now.Unix()).Scan(&away)
	return away, err
}

// ListMails implements store.Outbox. It lists those in the line and those outside, and puts them together.
func (t *tx) ListMails(ctx context.Context, filter store.MailFilter, after int64, limit int) (listed []store.ListedMail, err error) {
	number, err := t.anyNumber(ctx, filter.Organization)
	if err != nil {
		return nil, err
	}
	const about = ", coalesce(c.delayed, false), c.claimed_at, c.closed_at, coalesce(c.closed_by, ''), coalesce(c.account, 0), coalesce(u.email, '') "
	scan := func(rows pgx.Rows) error {
		var r mailRow
		var l store.ListedMail
		var delayed bool
		var made, closed *int64
		if err := rows.Scan(append(r.fields(), &delayed, &made, &closed, &l.Made.ClosedBy, &l.Account, &l.Address)...); err != nil {
			return err
		}
		var err error
		l.Mail, err = r.mail()
		l.Made.ID, l.Made.Type, l.Made.ClaimedAt, l.Made.ClosedAt = l.Claim, schema.Immediate, timeOf(made), timeOf(closed)
		if delayed {
			l.Made.Type = schema.Delayed
		}
		listed = append(listed, l)
		return err
	}
	err = t.collect(ctx, scan, "SELECT "+mailColumns+about+`FROM deliveries m LEFT JOIN organizations o ON o.id = m.organization
		LEFT JOIN claims c ON c.id = m.claim LEFT JOIN users u ON u.id = c.account
		WHERE m.id > $1 AND ($2 = '' OR m.state = $2) AND ($3 = 0 OR coalesce(m.organization, c.organization) = $3) ORDER BY m.id LIMIT $4`,
		after, string(filter.State), number, limit)
	if err != nil || filter.State != "" && filter.State != schema.MailWaiting {
		return listed, err
	}
	err = t.collect(ctx, scan, `SELECT m.id, m.kind, m.claim, '' AS organization, '' AS recipient, NULL::text AS news,
			m.written_at, 'waiting' AS state, 0::bigint AS attempts, 0::bigint AS lost, NULL::bigint AS tried_since, 0::bigint AS pause,
			0::bigint AS next_attempt_at, NULL::bigint AS taken_at, NULL::bigint AS lease_until, NULL::bigint AS sent_at, '' AS error,
			false AS away, '' AS message_id`+about+
		`FROM outbox m JOIN claims c ON c.id = m.claim LEFT JOIN users u ON u.id = c.account
		WHERE m.id > $1 AND ($2 = 0 OR c.organization = $2) ORDER BY m.id LIMIT $3`, after, number, limit)
	slices.SortFunc(listed, func(a, b store.ListedMail) int { return cmp.Compare(a.ID, b.ID) })
	return listed[:min(len(listed), limit)], err
}

// Mails implements store.Outbox. It reads the line through: an index would cost every import more than it
// saves here.
func (t *tx) Mails(ctx context.Context, claims []int64) (mails []store.Mail, err error) {
	err = t.collect(ctx, func(rows pgx.Rows) error {
		m := store.Mail{State: schema.MailWaiting}
		var at *int64
		err := rows.Scan(&m.ID, &m.Claim, &m.Kind, &at)
		m.WrittenAt = timeOf(at)
		mails = append(mails, m)
		return err
	}, "SELECT id, claim, kind, written_at FROM outbox WHERE claim = ANY($1)", claims)
	if err != nil {
		return nil, err
	}
	err = t.collect(ctx, func(rows pgx.Rows) error {
		var r mailRow
		if err := rows.Scan(r.fields()...); err != nil {
			return err
		}
		m, err := r.mail()
		mails = append(mails, m)
		return err
	}, mailQuery+"WHERE m.claim = ANY($1)", claims)
	slices.SortFunc(mails, func(a, b store.Mail) int { return cmp.Or(a.WrittenAt.Compare(b.WrittenAt), cmp.Compare(a.ID, b.ID)) })
	return mails, err
}

// ClaimsByID implements store.Outbox.
func (t *tx) ClaimsByID(ctx context.Context, ids []int64) (map[int64]store.AnyClaim, error) {
	found := map[int64]store.AnyClaim{}
	err := t.collect(ctx, func(rows pgx.Rows) error {
		c := store.AnyClaim{Claim: schema.Claim{Type: schema.Immediate}}
		var made, signedIn, closed *int64
		var edits *string
		var delayed bool
		err := rows.Scan(&c.ID, &c.Account, &c.OrganizationID, &delayed, &made, &signedIn, &closed, &c.ClosedBy, &c.ImportID, &c.Line, &edits)
		if err != nil {
			return err
		}
		if delayed {
			c.Type = schema.Delayed
		}
		c.ClaimedAt, c.SignedInAt, c.ClosedAt = timeOf(made), timeOf(signedIn), timeOf(closed)
		if edits != nil {
			if err := json.Unmarshal([]byte(*edits), &c.Edits); err != nil {
				return fmt.Errorf("edits of a claim: %w", err)
			}
		}
		found[c.ID] = c
		return nil
	}, `SELECT c.id, c.account, o.external_id, c.delayed, c.claimed_at, c.signed_in_at, c.closed_at, coalesce(c.closed_by, ''),
		coalesce(c.import, 0), coalesce(c.line, 0), c.edits FROM claims c JOIN organizations o ON o.id = c.organization WHERE c.id = ANY($1)`, ids)
	return found, err
}

// Undecided implements store.Outbox.
func (t *tx) Undecided(ctx context.Context, after store.Reminded, until time.Time, limit int) (found []store.Reminded, err error) {
	err = t.collect(ctx, func(rows pgx.Rows) error {
		var r store.Reminded
		var at *int64
		err := rows.Scan(&at, &r.Claim)
		r.ClaimedAt = timeOf(at)
		found = append(found, r)
		return err
	}, `SELECT c.claimed_at, c.id FROM organizations o JOIN LATERAL (
			SELECT claimed_at, id FROM claims WHERE organization = o.id AND claimed_at BETWEEN $1 AND $3 AND delayed AND closed_at IS NULL) c ON true
		WHERE c.claimed_at > $1 OR c.id > $2 ORDER BY c.claimed_at, c.id LIMIT $4`, after.ClaimedAt.Unix(), after.Claim, until.Unix(), limit)
	return found, err
}

// LastReminded implements store.Outbox.
func (t *tx) LastReminded(ctx context.Context, days int) (last store.Reminded, err error) {
	if err := t.lockOutbox(ctx); err != nil {
		return last, err
	}
	var at int64
	err = t.QueryRow(ctx, "SELECT claimed_at, claim FROM reminders WHERE days = $1", days).Scan(&at, &last.Claim)
	if errors.Is(err, pgx.ErrNoRows) {
		return last, nil
	}
	last.ClaimedAt = timeOf(&at)
	return last, err
}

// PutReminded implements store.Outbox.
func (t *tx) PutReminded(ctx context.Context, days int, last store.Reminded) error {
	return t.exec(ctx, `INSERT INTO reminders (days, claimed_at, claim) VALUES ($1, $2, $3)
		ON CONFLICT (days) DO UPDATE SET claimed_at = excluded.claimed_at, claim = excluded.claim`, days, last.ClaimedAt.Unix(), last.Claim)
}

// InsertLinks implements store.Outbox.
func (t *tx) InsertLinks(ctx context.Context, links []store.Link) error {
	batch := &pgx.Batch{}
	for _, link := range links {
		batch.Queue("INSERT INTO links (hash, claim) VALUES ($1, $2)", link.Hash, link.Claim)
	}
	return t.all(ctx, batch)
}

// DeleteLink implements store.Outbox.
func (t *tx) DeleteLink(ctx context.Context, hash []byte) error {
	return t.exec(ctx, "DELETE FROM links WHERE hash = $1", hash)
}

// FindLink implements store.Outbox.
func (t *tx) FindLink(ctx context.Context, hash []byte) (made int64, found bool, err error) {
	err = t.QueryRow(ctx, "SELECT claim FROM links WHERE hash = $1", hash).Scan(&made)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, false, nil
	}
	return made, err == nil, err
}

// CountMails implements store.Outbox.
func (t *tx) CountMails(ctx context.Context) (map[schema.MailState]int, error) {
	counts := map[schema.MailState]int{}
	err := t.collect(ctx, func(rows pgx.Rows) error {
		var state schema.MailState
		var n int
		err := rows.Scan(&state, &n)
		counts[state] = n
		return err
	}, "SELECT state, count(*) FROM (SELECT 'waiting' AS state FROM outbox UNION ALL SELECT state FROM deliveries) AS mails GROUP BY state")
	return counts, err
}
