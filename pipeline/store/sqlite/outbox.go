package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/schema"
)

// AddMails implements store.Outbox. Mails about claims that follow each other stand in the line together.
func (t *tx) AddMails(ctx context.Context, kind claim.Mail, at time.Time, claims []int64) error {
	sorted := slices.Sorted(slices.Values(claims))
	var list [][3]int64 // mails up to and with the stretch, its last claim, and how many there are in it
	for i, id := range sorted {
		if i == 0 || id != sorted[i-1]+1 {
			list = append(list, [3]int64{})
		}
		stretch := &list[len(list)-1]
		stretch[0], stretch[1], stretch[2] = int64(i)+1, id, stretch[2]+1
	}
	return t.exec(ctx, `INSERT INTO outbox (id, claim, mails, kind, written_at)
		SELECT ifnull((SELECT seq FROM sqlite_sequence WHERE name = 'outbox'), 0) + (value ->> 0), value ->> 1, value ->> 2, ?, ? FROM json_each(?)`,
		string(kind), seconds(at), encode(list))
}

// InsertMail implements store.Outbox. It gets its number in the line, which it leaves at once.
func (t *tx) InsertMail(ctx context.Context, m store.Mail) error {
	done, err := t.ExecContext(ctx, "INSERT INTO outbox (claim, kind) VALUES (0, '')")
	if err != nil {
		return err
	}
	id, err := done.LastInsertId()
	if err != nil {
		return err
	}
	if err := t.exec(ctx, "DELETE FROM outbox WHERE id = ?", id); err != nil {
		return err
	}
	var organization, news any
	if m.Organization != "" {
		if organization, err = t.number(ctx, m.Organization); err != nil {
			return err
		}
	}
	if m.News != nil {
		news = encode(m.News)
	}
	return t.exec(ctx, "INSERT INTO deliveries (id, kind, claim, organization, recipient, news, written_at, state) VALUES (?, ?, nullif(?, 0), ?, ?, ?, ?, ?)",
		id, string(m.Kind), m.Claim, organization, m.To, news, seconds(m.WrittenAt), string(m.State))
}

// TakeUp implements store.Outbox.
func (t *tx) TakeUp(ctx context.Context, id int64) (store.Mail, bool, error) {
	var last, mails int64
	err := t.QueryRowContext(ctx, "SELECT id, mails FROM outbox WHERE id >= ? ORDER BY id LIMIT 1", id).Scan(&last, &mails)
	if errors.Is(err, sql.ErrNoRows) {
		return store.Mail{}, false, nil
	}
	if err != nil {
		return store.Mail{}, false, err
	}
	first := last - mails + 1
	if id == 0 {
		id = first
	}
	if id < first {
		return store.Mail{}, false, nil
	}
	if err := t.exec(ctx, `INSERT INTO deliveries (id, kind, claim, written_at)
		SELECT ?1, b.kind, b.about, coalesce(b.written_at, c.claimed_at, 0)
		FROM (SELECT kind, written_at, claim - (id - ?1) AS about FROM outbox WHERE id = ?2) b LEFT JOIN claims c ON c.id = b.about`, id, last); err != nil {
		return store.Mail{}, false, err
	}
	if before := id - first; before > 0 {
		if err := t.exec(ctx, `INSERT INTO outbox (id, claim, mails, kind, written_at)
			SELECT ?1 - 1, claim - (id - ?1) - 1, ?2, kind, written_at FROM outbox WHERE id = ?3`, id, before, last); err != nil {
			return store.Mail{}, false, err
		}
	}
	rest := "DELETE FROM outbox WHERE id = ?1"
	if id < last {
		rest = "UPDATE outbox SET mails = ?1 - ?2 WHERE id = ?1"
	}
	if err := t.exec(ctx, rest, last, id); err != nil {
		return store.Mail{}, false, err
	}
	return t.FindMail(ctx, id)
}

const mailColumns = `m.id, m.kind, m.claim, ifnull(o.external_id, ''), m.recipient, m.news, m.written_at, m.state, m.attempts, m.lost, m.tried_since,
	m.pause, m.next_attempt_at, m.taken_at, m.lease_until, m.sent_at, m.error, m.away, m.message_id`

const mailQuery = "SELECT " + mailColumns + " FROM deliveries m LEFT JOIN organizations o ON o.id = m.organization "

// mailRow reads mailColumns.
type mailRow struct {
	m                                                      store.Mail
	claim, written, since, pause, next, taken, lease, sent sql.NullInt64
	news                                                   sql.NullString
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
	m.Claim, m.Pause = r.claim.Int64, time.Duration(r.pause.Int64)*time.Second
	m.WrittenAt, m.TriedSince, m.TakenAt, m.LeaseUntil, m.SentAt = timeOf(r.written), timeOf(r.since), timeOf(r.taken), timeOf(r.lease), timeOf(r.sent)
	if r.next.Int64 != 0 {
		m.NextAttemptAt = timeOf(r.next)
	}
	if r.news.Valid {
		if err := json.Unmarshal([]byte(r.news.String), &m.News); err != nil {
			return m, fmt.Errorf("news of a mail: %w", err)
		}
	}
	return m, nil
}

// oneMail runs a query for a mail.
func (t *tx) oneMail(ctx context.Context, query string, args ...any) (store.Mail, bool, error) {
	var r mailRow
	err := t.QueryRowContext(ctx, mailQuery+query, args...).Scan(r.fields()...)
	if errors.Is(err, sql.ErrNoRows) {
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
	return t.oneMail(ctx, `WHERE m.state = 'waiting' AND m.next_attempt_at <= ?1 AND ifnull(m.lease_until, 0) <= ?2
		AND CASE WHEN m.kind = 'webhook' THEN ?3 ELSE ?4 AND (m.attempts > 0 OR NOT ?5) END ORDER BY m.next_attempt_at, m.id LIMIT 1`,
		due.Now.Unix(), due.Free.Unix(), due.Hooks, due.Mails, due.Tried)
}

// FindMail implements store.Outbox.
func (t *tx) FindMail(ctx context.Context, id int64) (store.Mail, bool, error) {
	return t.oneMail(ctx, "WHERE m.id = ?", id)
}

// ClaimMail implements store.Outbox.
func (t *tx) ClaimMail(ctx context.Context, made int64) (store.Mail, bool, error) {
	return t.oneMail(ctx, "WHERE m.claim = ? AND m.kind = 'claim'", made)
}

// UpdateMail implements store.Outbox. A lease ends in a whole second, never too early.
func (t *tx) UpdateMail(ctx context.Context, m store.Mail) error {
	var next int64
	if !m.NextAttemptAt.IsZero() {
		next = m.NextAttemptAt.Unix()
	}
	return t.exec(ctx, `UPDATE deliveries SET recipient = ?, state = ?, attempts = ?, lost = ?, tried_since = ?, pause = ?, next_attempt_at = ?,
		taken_at = ?, lease_until = ?, sent_at = ?, error = ?, away = ?, message_id = ? WHERE id = ?`,
		m.To, string(m.State), m.Attempts, m.Lost, seconds(m.TriedSince), int64(m.Pause/time.Second), next,
		seconds(m.TakenAt), roundedUp(m.LeaseUntil), seconds(m.SentAt), m.Error, m.Away, m.MessageID, m.ID)
}

// roundedUp returns a time in whole seconds, not before it.
func roundedUp(t time.Time) sql.NullInt64 {
	if t.IsZero() {
		return sql.NullInt64{}
	}
	return seconds(t.Add(time.Second - 1))
}

// DeleteMail implements store.Outbox.
func (t *tx) DeleteMail(ctx context.Context, id int64) error {
	return t.exec(ctx, "DELETE FROM deliveries WHERE id = ?", id)
}

// RetryMails implements store.Outbox.
func (t *tx) RetryMails(ctx context.Context, organization string, ids []int64) (int, error) {
	if err := t.exec(ctx, "UPDATE deliveries SET away = 0 WHERE state = 'waiting' AND away"); err != nil {
		return 0, err
	}
	var number int64
	if organization != "" {
		var err error
		if number, err = t.number(ctx, organization); err != nil {
			return 0, err
		}
	}
	done, err := t.ExecContext(ctx, `UPDATE deliveries SET state = 'waiting', next_attempt_at = 0, pause = 0, lost = 0, tried_since = NULL
		WHERE state IN ('waiting', 'failed') AND lease_until IS NULL AND (recipient <> '' OR claim IS NOT NULL)
		AND (?1 = 0 OR id IN (SELECT value FROM json_each(?2)))
		AND (?3 = 0 OR ifnull(organization, (SELECT c.organization FROM claims c WHERE c.id = claim)) = ?3)`, len(ids), encodeNumbers(ids), number)
	if err != nil {
		return 0, err
	}
	n, err := done.RowsAffected()
	return int(n), err
}

// MailsTaken implements store.Outbox.
func (t *tx) MailsTaken(ctx context.Context, since time.Time) (n int, err error) {
	err = t.QueryRowContext(ctx, "SELECT count(*) FROM deliveries WHERE taken_at >= ? AND kind <> 'webhook'", since.Unix()).Scan(&n)
	return n, err
}

// Lined implements store.Outbox.
func (t *tx) Lined(ctx context.Context) (waits bool, err error) {
	err = t.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM outbox)").Scan(&waits)
	return waits, err
}

// ServerAway implements store.Outbox.
func (t *tx) ServerAway(ctx context.Context, now time.Time) (away bool, err error) {
	err = t.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM deliveries WHERE state = 'waiting' AND next_attempt_at > ? AND away)", now.Unix()).Scan(&away)
	return away, err
}

// ListMails implements store.Outbox. It lists those in the line and those outside, and puts them together.
func (t *tx) ListMails(ctx context.Context, filter store.MailFilter, after int64, limit int) (listed []store.ListedMail, err error) {
	var number int64
	if filter.Organization != "" {
		if number, err = t.number(ctx, filter.Organization); err != nil {
			return nil, err
		}
	}
	const about = ", ifnull(c.delayed, 0), c.claimed_at, c.closed_at, ifnull(c.closed_by, ''), ifnull(c.user, 0), ifnull(u.email, '') "
	scan := func(rows *sql.Rows) error {
		var r mailRow
		var l store.ListedMail
		var delayed bool
		var made, closed sql.NullInt64
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
		LEFT JOIN claims c ON c.id = m.claim LEFT JOIN users u ON u.id = c.user
		WHERE m.id > ?1 AND (?2 = '' OR m.state = ?2) AND (?3 = 0 OR ifnull(m.organization, c.organization) = ?3) ORDER BY m.id LIMIT ?4`,
		after, string(filter.State), number, limit)
	if err != nil || filter.State != "" && filter.State != schema.MailWaiting {
		return listed, err
	}
	err = t.collect(ctx, scan, `SELECT m.id - (m.claim - c.id), m.kind, c.id, '' AS organization, '' AS recipient, NULL AS news,
			coalesce(m.written_at, c.claimed_at, 0), 'waiting' AS state, 0 AS attempts, 0 AS lost, NULL AS tried_since, 0 AS pause, 0 AS next_attempt_at,
			NULL AS taken_at, NULL AS lease_until, NULL AS sent_at, '' AS error, 0 AS away, '' AS message_id`+about+
		`FROM outbox m CROSS JOIN claims c ON c.id > max(m.claim - m.mails, m.claim - (m.id - ?1)) AND c.id <= m.claim LEFT JOIN users u ON u.id = c.user
		WHERE m.id > ?1 AND (?2 = 0 OR c.organization = ?2) ORDER BY m.id, c.id LIMIT ?3`, after, number, limit)
	slices.SortFunc(listed, func(a, b store.ListedMail) int { return cmp.Compare(a.ID, b.ID) })
	return listed[:min(len(listed), limit)], err
}

// Mails implements store.Outbox.
func (t *tx) Mails(ctx context.Context, claims []int64) (mails []store.Mail, err error) {
	list := encodeNumbers(claims)
	err = t.collect(ctx, func(rows *sql.Rows) error {
		m := store.Mail{State: schema.MailWaiting}
		var at sql.NullInt64
		err := rows.Scan(&m.ID, &m.Claim, &m.Kind, &at)
		m.WrittenAt = timeOf(at)
		mails = append(mails, m)
		return err
	}, `SELECT b.id - (b.claim - c.id), c.id, b.kind, ifnull(b.written_at, c.claimed_at)
		FROM json_each(?) j CROSS JOIN outbox b ON b.claim >= j.value AND b.claim < j.value + b.mails CROSS JOIN claims c ON c.id = j.value`, list)
	if err != nil {
		return nil, err
	}
	err = t.collect(ctx, func(rows *sql.Rows) error {
		var r mailRow
		if err := rows.Scan(r.fields()...); err != nil {
			return err
		}
		m, err := r.mail()
		mails = append(mails, m)
		return err
	}, mailQuery+"WHERE m.claim IN (SELECT value FROM json_each(?))", list)
	slices.SortFunc(mails, func(a, b store.Mail) int { return cmp.Or(a.WrittenAt.Compare(b.WrittenAt), cmp.Compare(a.ID, b.ID)) })
	return mails, err
}

// ClaimsByID implements store.Outbox.
func (t *tx) ClaimsByID(ctx context.Context, ids []int64) (map[int64]store.AnyClaim, error) {
	found := map[int64]store.AnyClaim{}
	err := t.collect(ctx, func(rows *sql.Rows) error {
		c := store.AnyClaim{Claim: schema.Claim{Type: schema.Immediate}}
		var made, signedIn, closed, imported, line sql.NullInt64
		var edits sql.NullString
		var delayed bool
		err := rows.Scan(&c.ID, &c.Account, &c.OrganizationID, &delayed, &made, &signedIn, &closed, &c.ClosedBy, &imported, &line, &edits)
		if err != nil {
			return err
		}
		if delayed {
			c.Type = schema.Delayed
		}
		c.ClaimedAt, c.SignedInAt, c.ClosedAt, c.ImportID, c.Line = timeOf(made), timeOf(signedIn), timeOf(closed), imported.Int64, int(line.Int64)
		if edits.Valid {
			if err := json.Unmarshal([]byte(edits.String), &c.Edits); err != nil {
				return fmt.Errorf("edits of a claim: %w", err)
			}
		}
		found[c.ID] = c
		return nil
	}, `SELECT c.id, c.user, o.external_id, c.delayed, c.claimed_at, c.signed_in_at, c.closed_at, ifnull(c.closed_by, ''), c.import, c.line, c.edits
		FROM json_each(?) j CROSS JOIN claims c ON c.id = j.value JOIN organizations o ON o.id = c.organization`, encodeNumbers(ids))
	return found, err
}

// Undecided implements store.Outbox.
func (t *tx) Undecided(ctx context.Context, after store.Reminded, until time.Time, limit int) (found []store.Reminded, err error) {
	err = t.collect(ctx, func(rows *sql.Rows) error {
		var r store.Reminded
		var at sql.NullInt64
		err := rows.Scan(&at, &r.Claim)
		r.ClaimedAt = timeOf(at)
		found = append(found, r)
		return err
	}, `SELECT c.claimed_at, c.id FROM organizations o CROSS JOIN claim_spans s
			ON s.organization = o.id AND s.delayed = 1 AND s.claimed_at BETWEEN ?1 AND ?3 AND (s.claimed_at > ?1 OR s.last > ?2) `+spanned+`
		WHERE c.claimed_at > ?1 OR c.id > ?2 ORDER BY c.claimed_at, c.id LIMIT ?4`, after.ClaimedAt.Unix(), after.Claim, until.Unix(), limit)
	return found, err
}

// LastReminded implements store.Outbox.
func (t *tx) LastReminded(ctx context.Context, days int) (last store.Reminded, err error) {
	var at sql.NullInt64
	err = t.QueryRowContext(ctx, "SELECT claimed_at, claim FROM reminders WHERE days = ?", days).Scan(&at, &last.Claim)
	if errors.Is(err, sql.ErrNoRows) {
		return last, nil
	}
	last.ClaimedAt = timeOf(at)
	return last, err
}

// PutReminded implements store.Outbox.
func (t *tx) PutReminded(ctx context.Context, days int, last store.Reminded) error {
	return t.exec(ctx, "INSERT OR REPLACE INTO reminders (days, claimed_at, claim) VALUES (?, ?, ?)", days, last.ClaimedAt.Unix(), last.Claim)
}

// InsertLinks implements store.Outbox.
func (t *tx) InsertLinks(ctx context.Context, links []store.Link) error {
	for _, link := range links {
		if err := t.exec(ctx, "INSERT INTO links (hash, claim) VALUES (?, ?)", link.Hash, link.Claim); err != nil {
			return err
		}
	}
	return nil
}

// DeleteLink implements store.Outbox.
func (t *tx) DeleteLink(ctx context.Context, hash []byte) error {
	return t.exec(ctx, "DELETE FROM links WHERE hash = ?", hash)
}

// FindLink implements store.Outbox.
func (t *tx) FindLink(ctx context.Context, hash []byte) (made int64, found bool, err error) {
	err = t.QueryRowContext(ctx, "SELECT claim FROM links WHERE hash = ?", hash).Scan(&made)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, false, nil
	}
	return made, err == nil, err
}

// CountMails implements store.Outbox.
func (t *tx) CountMails(ctx context.Context) (map[schema.MailState]int, error) {
	counts := map[schema.MailState]int{}
	err := t.collect(ctx, func(rows *sql.Rows) error {
		var state schema.MailState
		var n int
		err := rows.Scan(&state, &n)
		counts[state] = n
		return err
	}, "SELECT state, sum(n) FROM (SELECT 'waiting' AS state, mails AS n FROM outbox UNION ALL SELECT state, 1 FROM deliveries) GROUP BY state")
	return counts, err
}
