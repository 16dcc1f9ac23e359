package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/schema"
)

// The stage is a temporary table, of this transaction alone.
const createStage = `CREATE TEMP TABLE load_users (
	line bigint, external_id text COLLATE "C", key text COLLATE "C", email text, organization bigint, status text, inactive_since bigint,
	last_sign_in bigint, conversations bigint, first_name text, last_name text, display_name text, title text, department text,
	phone text, preferred_language text, services text[]) ON COMMIT DROP`

// The columns of a user that a snapshot brings: those that a closed claim may have changed, and the others.
const (
	claimedColumns = "key, email, organization, status, inactive_since, first_name, last_name, display_name, title, department, phone, preferred_language, services"
	otherColumns   = "last_sign_in, conversations"
	userColumns    = claimedColumns + ", " + otherColumns
)

var stageColumns = []string{
	"line", "external_id", "key", "email", "organization", "status", "inactive_since", "first_name", "last_name", "display_name", "title",
	"department", "phone", "preferred_language", "services", "last_sign_in", "conversations",
}

// stage makes the stage, where there is none.
func (t *tx) stage(ctx context.Context) error {
	if t.staging {
		return nil
	}
	t.staging = true
	return t.exec(ctx, createStage)
}

// index makes the stage ready to be looked up, when every user is in it. A broken index is store.ErrTwice.
func (t *tx) index(ctx context.Context) error {
	if err := t.stage(ctx); err != nil || t.staged {
		return err
	}
	err := t.within(ctx, func() error {
		return t.exec(ctx, "CREATE UNIQUE INDEX load_users_key ON load_users (key); CREATE UNIQUE INDEX load_users_external_id ON load_users (external_id); ANALYZE load_users")
	})
	t.staged = err == nil
	return twice(err)
}

// StageUsers implements store.Snapshots.
func (t *tx) StageUsers(ctx context.Context, users []store.LoadUser) error {
	if t.staged {
		return errors.New("the stage has ended")
	}
	if err := t.stage(ctx); err != nil {
		return err
	}
	numbers := make([]int64, len(users))
	for i := range users {
		var err error
		if numbers[i], err = t.number(ctx, users[i].OrganizationID); err != nil {
			return err
		}
	}
	row := make([]any, len(stageColumns))
	_, err := t.CopyFrom(ctx, pgx.Identifier{"load_users"}, stageColumns, pgx.CopyFromSlice(len(users), func(i int) ([]any, error) {
		u := &users[i]
		return append(row[:0], int64(u.Line), u.ID, u.Key, u.Email, numbers[i], string(u.Status), seconds(u.InactiveSince),
			u.FirstName, u.LastName, u.DisplayName, u.Title, u.Department, u.Phone, u.PreferredLanguage, array(u.Services),
			seconds(u.LastSignIn), known(u.Conversations)), nil
	}))
	return err
}

// StagedTwice implements store.Snapshots.
func (t *tx) StagedTwice(ctx context.Context) (found store.Twice, err error) {
	for _, column := range []string{"external_id", "key"} {
		err := t.QueryRow(ctx, `SELECT before, line FROM (SELECT line, lag(line) OVER (PARTITION BY `+column+` ORDER BY line) AS before FROM load_users) s
			WHERE before IS NOT NULL ORDER BY line LIMIT 1`).Scan(&found.First, &found.Line)
		if !errors.Is(err, pgx.ErrNoRows) {
			found.ID = column == "external_id"
			return found, err
		}
	}
	return store.Twice{}, nil
}

// StagedTaken implements store.Snapshots.
func (t *tx) StagedTaken(ctx context.Context) (line int, err error) {
	if err := t.index(ctx); err != nil {
		return 0, err
	}
	err = t.QueryRow(ctx, `SELECT s.line FROM load_users s JOIN users u ON u.key = s.key
		WHERE u.external_id <> s.external_id
		AND (u.pinned OR NOT EXISTS (SELECT 1 FROM load_users t WHERE t.external_id = u.external_id))
		AND NOT EXISTS (SELECT 1 FROM users o WHERE o.external_id = s.external_id AND o.pinned)
		AND NOT EXISTS (SELECT 1 FROM removed_users r WHERE r.external_id = s.external_id)
		ORDER BY s.line LIMIT 1`).Scan(&line)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, nil
	}
	return line, err
}

// StagedMoves implements store.Snapshots.
func (t *tx) StagedMoves(ctx context.Context, limit int) ([]int, error) {
	if err := t.stage(ctx); err != nil {
		return nil, err
	}
	return list[int](ctx, t, `SELECT s.line FROM load_users s JOIN users u ON u.external_id = s.external_id
		JOIN claims c ON c.account = u.id AND c.closed_at IS NULL
		WHERE u.organization <> s.organization AND NOT u.pinned ORDER BY s.line LIMIT $1`, limit)
}

// KnownUsers implements store.Snapshots.
func (t *tx) KnownUsers(ctx context.Context, keys []string) (map[string]store.KnownUser, error) {
	known := map[string]store.KnownUser{}
	err := t.collect(ctx, func(rows pgx.Rows) error {
		var key string
		var u store.KnownUser
		err := rows.Scan(&key, &u.ID, &u.Organization, &u.Claiming)
		known[key] = u
		return err
	}, `SELECT u.key, u.external_id, o.external_id, coalesce(p.external_id, '') FROM users u JOIN organizations o ON o.id = u.organization
		`+openClaim+" LEFT JOIN organizations p ON p.id = c.organization WHERE u.key = ANY($1) AND (u.external_id <> u.key OR c.id IS NOT NULL)", keys)
	return known, err
}

// Staged implements store.Snapshots.
func (t *tx) Staged(ctx context.Context, keys []string) (map[string]bool, error) {
	found := map[string]bool{}
	if err := t.stage(ctx); err != nil {
		return nil, err
	}
	there, err := list[string](ctx, t, "SELECT key FROM load_users WHERE key = ANY($1)", keys)
	for _, key := range there {
		found[key] = true
	}
	return found, err
}

// mergeStatements bring the stage in. Nothing is written for a user who has not changed. Addresses that
// change are put aside first, so that users can exchange them. What a claim says of the account's
// organization follows. Users are inserted in the order of their addresses, in which they will be looked up
// and listed.
var mergeStatements = []string{
	`UPDATE users u SET key = chr(1) || u.id FROM load_users s WHERE u.external_id = s.external_id AND u.key <> s.key AND NOT u.pinned`,
	`UPDATE users u SET (version, ` + userColumns + `, former_status) = (u.version + 1, ` + prefixed("s.", userColumns) + `,
			CASE s.status WHEN 'inactive' THEN u.former_status END) FROM load_users s
		WHERE u.external_id = s.external_id AND NOT u.pinned AND (` + prefixed("u.", userColumns) + `) IS DISTINCT FROM (` + prefixed("s.", userColumns) + `)`,
	`UPDATE users u SET (version, ` + otherColumns + `) = (u.version + 1, ` + prefixed("s.", otherColumns) + `) FROM load_users s
		WHERE u.external_id = s.external_id AND u.pinned AND (` + prefixed("u.", otherColumns) + `) IS DISTINCT FROM (` + prefixed("s.", otherColumns) + `)`,
	`INSERT INTO users (external_id, ` + userColumns + `)
		SELECT external_id, ` + userColumns + ` FROM load_users s
		WHERE NOT EXISTS (SELECT 1 FROM users u WHERE u.external_id = s.external_id)
		AND NOT EXISTS (SELECT 1 FROM removed_users r WHERE r.external_id = s.external_id)
		ORDER BY s.key`,
	`UPDATE claims c SET source = CASE WHEN u.services IS NOT NULL THEN u.organization END FROM users u
		WHERE u.id = c.account AND c.delayed AND c.closed_at IS NULL
		AND c.source IS DISTINCT FROM CASE WHEN u.services IS NOT NULL THEN u.organization END`,
	// The planner knows nothing yet of what is new.
	"ANALYZE users",
}

// MergeStaged implements store.Snapshots. The table stays until the transaction ends, to answer Staged and
// StagedTwice.
func (t *tx) MergeStaged(ctx context.Context) error {
	if err := t.changes(ctx); err != nil {
		return err
	}
	if err := t.index(ctx); err != nil {
		return err
	}
	return twice(t.within(ctx, func() error {
		for _, statement := range mergeStatements {
			if err := t.exec(ctx, statement); err != nil {
				return err
			}
		}
		return nil
	}))
}

// ClaimedTwice implements store.Snapshots.
func (t *tx) ClaimedTwice(ctx context.Context) (domain, one, other string, err error) {
	err = t.QueryRow(ctx, `SELECT d.domain, min(o.external_id), max(o.external_id) FROM domains d JOIN organizations o ON o.id = d.organization
		WHERE d.status = 'claimed' GROUP BY d.domain HAVING count(*) > 1 ORDER BY d.domain LIMIT 1`).Scan(&domain, &one, &other)
	if errors.Is(err, pgx.ErrNoRows) {
		err = nil
	}
	return domain, one, other, err
}

// InsertRestored implements store.Snapshots.
func (t *tx) InsertRestored(ctx context.Context, claims []store.RestoredClaim) error {
	if len(claims) == 0 {
		return nil
	}
	ids := make([]int64, len(claims))
	numbers := make([]int64, len(claims))
	for i := range claims {
		ids[i] = claims[i].Account
		var err error
		if numbers[i], err = t.number(ctx, claims[i].OrganizationID); err != nil {
			return err
		}
	}
	columns := []string{"account", "organization", "delayed", "claimed_at", "signed_in_at", "status_before"}
	row := make([]any, len(columns))
	if _, err := t.CopyFrom(ctx, pgx.Identifier{"claims"}, columns, pgx.CopyFromSlice(len(claims), func(i int) ([]any, error) {
		c := &claims[i]
		return append(row[:0], c.Account, numbers[i], c.Type == schema.Delayed, seconds(c.ClaimedAt), seconds(c.SignedInAt), string(c.StatusBefore)), nil
	})); err != nil {
		return twice(err)
	}
	return t.exec(ctx, `UPDATE claims c SET source = u.organization FROM users u
		WHERE c.account = ANY($1) AND c.delayed AND c.closed_at IS NULL AND u.id = c.account AND u.services IS NOT NULL`, ids)
}

// JoinedAt implements store.Snapshots.
func (t *tx) JoinedAt(ctx context.Context, accounts []int64) (map[int64]time.Time, error) {
	joined := map[int64]time.Time{}
	err := t.collect(ctx, func(rows pgx.Rows) error {
		var id int64
		var at *int64
		err := rows.Scan(&id, &at)
		joined[id] = timeOf(at)
		return err
	}, "SELECT id, joined_at FROM users WHERE id = ANY($1) AND joined_at IS NOT NULL", accounts)
	return joined, err
}
