package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/schema"
)

// The stage is a temporary table, on disk.
const createStage = `CREATE TEMP TABLE load_users (
	line INTEGER, external_id TEXT, key TEXT, email TEXT, organization INTEGER, status TEXT, inactive_since INTEGER,
	last_sign_in INTEGER, conversations INTEGER, first_name TEXT, last_name TEXT, display_name TEXT, title TEXT, department TEXT,
	phone TEXT, preferred_language TEXT, services TEXT, bigrams INTEGER)`

// The columns of a user that a snapshot brings: those that a closed claim may have changed, and the others.
const (
	claimedColumns = "key, email, organization, status, inactive_since, first_name, last_name, display_name, title, department, phone, preferred_language, services, bigrams"
	otherColumns   = "last_sign_in, conversations"
	userColumns    = claimedColumns + ", " + otherColumns
)

// stage is where a transaction stands with its stage.
type stage struct {
	in    *inserter
	empty bool // there are no users yet: the stage is all there will be
}

// staging returns the stage, which it makes first where there is none.
func (t *tx) staging(ctx context.Context) (*stage, error) {
	if t.stage != nil {
		return t.stage, nil
	}
	t.stage = &stage{in: &inserter{tx: t, columns: 18, head: "INSERT INTO temp.load_users (line, external_id, " + userColumns + ")"}}
	if err := t.exec(ctx, createStage); err != nil {
		return nil, err
	}
	return t.stage, t.QueryRowContext(ctx, "SELECT NOT EXISTS (SELECT 1 FROM users)").Scan(&t.stage.empty)
}

// staged returns staging with every user in the table, and in indexes where they are looked up. A broken
// index is store.ErrTwice.
func (t *tx) staged(ctx context.Context) (*stage, error) {
	s, err := t.staging(ctx)
	if err != nil || s.in == nil {
		return s, err
	}
	if err := s.in.flush(ctx); err != nil {
		return nil, err
	}
	s.in = nil
	if s.empty {
		return s, nil
	}
	for _, index := range []string{
		"CREATE UNIQUE INDEX temp.load_users_key ON load_users (key)",
		"CREATE UNIQUE INDEX temp.load_users_external_id ON load_users (external_id)",
	} {
		if err := t.exec(ctx, index); err != nil {
			return nil, twice(err)
		}
	}
	return s, nil
}

// StageUsers implements store.Snapshots.
func (t *tx) StageUsers(ctx context.Context, users []store.LoadUser) error {
	s, err := t.staging(ctx)
	if err != nil {
		return err
	}
	if s.in == nil {
		return errors.New("the stage has ended")
	}
	for i := range users {
		u := &users[i]
		number, err := t.number(ctx, u.OrganizationID)
		if err != nil {
			return err
		}
		if err := s.in.add(ctx, u.Line, u.ID, u.Key, u.Email, number, string(u.Status), seconds(u.InactiveSince),
			u.FirstName, u.LastName, u.DisplayName, u.Title, u.Department, u.Phone, u.PreferredLanguage, encodeList(u.Services),
			bigramsOf(&u.User), seconds(u.LastSignIn), known(u.Conversations)); err != nil {
			return err
		}
	}
	return nil
}

// StagedTwice implements store.Snapshots.
func (t *tx) StagedTwice(ctx context.Context) (found store.Twice, err error) {
	for _, column := range []string{"external_id", "key"} {
		err := t.QueryRowContext(ctx, `SELECT before, line FROM (SELECT line, lag(line) OVER (PARTITION BY `+column+` ORDER BY line) AS before FROM temp.load_users)
			WHERE before IS NOT NULL ORDER BY line LIMIT 1`).Scan(&found.First, &found.Line)
		if !errors.Is(err, sql.ErrNoRows) {
			found.ID = column == "external_id"
			return found, err
		}
	}
	return store.Twice{}, nil
}

// StagedTaken implements store.Snapshots.
func (t *tx) StagedTaken(ctx context.Context) (line int, err error) {
	s, err := t.staged(ctx)
	if err != nil || s.empty {
		return 0, err
	}
	err = t.QueryRowContext(ctx, `SELECT s.line FROM temp.load_users s CROSS JOIN users u ON u.key = s.key
		WHERE u.external_id <> s.external_id
		AND (u.pinned OR NOT EXISTS (SELECT 1 FROM temp.load_users t WHERE t.external_id = u.external_id))
		AND NOT EXISTS (SELECT 1 FROM users o WHERE o.external_id = s.external_id AND o.pinned)
		AND NOT EXISTS (SELECT 1 FROM removed_users r WHERE r.external_id = s.external_id)
		ORDER BY s.line LIMIT 1`).Scan(&line)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return line, err
}

// StagedMoves implements store.Snapshots.
func (t *tx) StagedMoves(ctx context.Context, limit int) ([]int, error) {
	s, err := t.staging(ctx)
	if err != nil || s.empty {
		return nil, err
	}
	if s.in != nil {
		if err := s.in.flush(ctx); err != nil {
			return nil, err
		}
	}
	return list[int](ctx, t, `SELECT s.line FROM temp.load_users s CROSS JOIN users u ON u.external_id = s.external_id
		JOIN claims c ON c.user = u.id AND c.closed_at IS NULL
		WHERE u.organization <> s.organization AND NOT u.pinned ORDER BY s.line LIMIT ?`, limit)
}

// KnownUsers implements store.Snapshots.
func (t *tx) KnownUsers(ctx context.Context, keys []string) (map[string]store.KnownUser, error) {
	known := map[string]store.KnownUser{}
	err := t.collect(ctx, func(rows *sql.Rows) error {
		var key string
		var u store.KnownUser
		err := rows.Scan(&key, &u.ID, &u.Organization, &u.Claiming)
		known[key] = u
		return err
	}, `SELECT u.key, u.external_id, o.external_id, ifnull(p.external_id, '') FROM json_each(?) j CROSS JOIN users u ON u.key = j.value
		CROSS JOIN organizations o ON o.id = u.organization `+openClaim+` LEFT JOIN organizations p ON p.id = c.organization
		WHERE u.external_id <> u.key OR c.id IS NOT NULL`, encode(keys))
	return known, err
}

// Staged implements store.Snapshots.
func (t *tx) Staged(ctx context.Context, keys []string) (map[string]bool, error) {
	found := map[string]bool{}
	if _, err := t.staging(ctx); err != nil {
		return nil, err
	}
	// From an empty database nobody can have been removed, and the stage has no index.
	if t.stage.empty {
		return found, nil
	}
	there, err := list[string](ctx, t, "SELECT s.key FROM json_each(?) j CROSS JOIN temp.load_users s ON s.key = j.value", encode(keys))
	for _, key := range there {
		found[key] = true
	}
	return found, err
}

// fillStatements merge into an empty table. The indexes in another order are built afterwards, at once. Users
// are inserted in the order of their addresses, in which they will be looked up and listed. OR FAIL, since an
// error undoes everything anyway.
var fillStatements = []string{
	"DROP INDEX users_external_id",
	"DROP INDEX users_organization",
	`INSERT OR FAIL INTO users (external_id, ` + userColumns + `)
		SELECT external_id, ` + userColumns + ` FROM temp.load_users s
		WHERE NOT EXISTS (SELECT 1 FROM removed_users r WHERE r.external_id = s.external_id)
		ORDER BY s.key`,
	"CREATE UNIQUE INDEX users_external_id ON users (external_id)",
	"CREATE INDEX users_organization ON users (organization, substr(key, instr(key, '@') + 1))",
}

// mergeStatements merge into a table with users in it. Nothing is written for a user who has not changed.
// Addresses that change are put aside first, so that users can exchange them. What a claim says of the
// account's organization follows.
var mergeStatements = []string{
	`UPDATE users SET key = char(0) || id WHERE id IN (
		SELECT u.id FROM temp.load_users s CROSS JOIN users u ON u.external_id = s.external_id WHERE u.key <> s.key AND NOT u.pinned)`,
	`UPDATE users SET (` + userColumns + `, former_status) = (SELECT ` + userColumns + `,
			CASE s.status WHEN 'inactive' THEN users.former_status END FROM temp.load_users s WHERE s.external_id = users.external_id)
		WHERE id IN (SELECT u.id FROM temp.load_users s CROSS JOIN users u ON u.external_id = s.external_id
			WHERE NOT u.pinned AND (` + prefixed("u.", userColumns) + `) IS NOT (` + prefixed("s.", userColumns) + `))`,
	`UPDATE users SET (` + otherColumns + `) = (SELECT ` + otherColumns + ` FROM temp.load_users s WHERE s.external_id = users.external_id)
		WHERE id IN (SELECT u.id FROM temp.load_users s CROSS JOIN users u ON u.external_id = s.external_id
			WHERE u.pinned AND (` + prefixed("u.", otherColumns) + `) IS NOT (` + prefixed("s.", otherColumns) + `))`,
	`INSERT OR FAIL INTO users (external_id, ` + userColumns + `)
		SELECT external_id, ` + userColumns + ` FROM temp.load_users s
		WHERE NOT EXISTS (SELECT 1 FROM users u WHERE u.external_id = s.external_id)
		AND NOT EXISTS (SELECT 1 FROM removed_users r WHERE r.external_id = s.external_id)
		ORDER BY s.key`,
	`UPDATE claims SET source = (SELECT u.organization FROM users u WHERE u.id = claims.user AND u.services IS NOT NULL)
		WHERE delayed AND closed_at IS NULL
		AND source IS NOT (SELECT u.organization FROM users u WHERE u.id = claims.user AND u.services IS NOT NULL)`,
}

// MergeStaged implements store.Snapshots. The table stays until the transaction ends, to answer Staged and
// StagedTwice.
func (t *tx) MergeStaged(ctx context.Context) error {
	if err := t.changes(ctx); err != nil {
		return err
	}
	s, err := t.staged(ctx)
	if err != nil {
		return err
	}
	statements := mergeStatements
	if s.empty {
		statements = fillStatements
	}
	for _, statement := range statements {
		if err := t.exec(ctx, statement); err != nil {
			return twice(err)
		}
	}
	return nil
}

// ClaimedTwice implements store.Snapshots.
func (t *tx) ClaimedTwice(ctx context.Context) (domain, one, other string, err error) {
	err = t.QueryRowContext(ctx, `SELECT d.domain, min(o.external_id), max(o.external_id) FROM domains d JOIN organizations o ON o.id = d.organization
		WHERE d.status = 'claimed' GROUP BY d.domain HAVING count(*) > 1 ORDER BY d.domain LIMIT 1`).Scan(&domain, &one, &other)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return domain, one, other, err
}

// InsertRestored implements store.Snapshots.
func (t *tx) InsertRestored(ctx context.Context, claims []store.RestoredClaim) error {
	if len(claims) == 0 {
		return nil
	}
	if err := t.changes(ctx); err != nil {
		return err
	}
	var behind int64
	if err := t.QueryRowContext(ctx, "SELECT ifnull(max(id), 0) FROM claims").Scan(&behind); err != nil {
		return err
	}
	in := inserter{tx: t, columns: 6, head: "INSERT INTO claims (user, organization, delayed, claimed_at, signed_in_at, status_before)"}
	for i := range claims {
		c := &claims[i]
		number, err := t.number(ctx, c.OrganizationID)
		if err != nil {
			return err
		}
		if err := in.add(ctx, c.Account, number, c.Type == schema.Delayed, seconds(c.ClaimedAt), seconds(c.SignedInAt), string(c.StatusBefore)); err != nil {
			return err
		}
	}
	if err := in.flush(ctx); err != nil {
		return err
	}
	if err := t.exec(ctx, `UPDATE claims SET source = (SELECT u.organization FROM users u WHERE u.id = claims.user AND u.services IS NOT NULL)
		WHERE id > ? AND delayed`, behind); err != nil {
		return err
	}
	return t.exec(ctx, `INSERT INTO claim_spans SELECT organization, delayed, claimed_at, min(id), max(id), count(*) FROM (
			SELECT id, organization, delayed, claimed_at,
				id - row_number() OVER (PARTITION BY organization, delayed, claimed_at ORDER BY id) AS span FROM claims WHERE id > ?)
		GROUP BY organization, delayed, claimed_at, span`, behind)
}

// JoinedAt implements store.Snapshots.
func (t *tx) JoinedAt(ctx context.Context, accounts []int64) (map[int64]time.Time, error) {
	joined := map[int64]time.Time{}
	err := t.collect(ctx, func(rows *sql.Rows) error {
		var id int64
		var at sql.NullInt64
		err := rows.Scan(&id, &at)
		joined[id] = timeOf(at)
		return err
	}, "SELECT u.id, u.joined_at FROM json_each(?) j CROSS JOIN users u ON u.id = j.value WHERE u.joined_at IS NOT NULL", encodeNumbers(accounts))
	return joined, err
}
