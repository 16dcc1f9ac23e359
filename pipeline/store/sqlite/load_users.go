package sqlite

import (
	"context"
	"database/sql"

	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/schema"
)

const createStage = `CREATE TEMP TABLE load_users (
	line INTEGER, external_id TEXT, key TEXT, email TEXT, organization INTEGER, status TEXT, inactive_since INTEGER,
	last_sign_in INTEGER, conversations INTEGER, first_name TEXT, last_name TEXT, display_name TEXT, title TEXT, department TEXT,
	phone TEXT, preferred_language TEXT, services TEXT)`

// The columns of a user that a snapshot brings: those that a closed claim may have changed, and the others.
const (
	claimedColumns = "key, email, organization, status, inactive_since, first_name, last_name, display_name, title, department, phone, preferred_language, services"
	otherColumns   = "last_sign_in, conversations"
	userColumns    = claimedColumns + ", " + otherColumns
)

// Users implements store.Loader.
func (l *loader) Users(ctx context.Context, users []store.LoadUser) error {
	if l.users == nil {
		l.users = &inserter{tx: l.tx, columns: 17, head: "INSERT INTO temp.load_users (line, external_id, " + userColumns + ")"}
	}
	ids, err := organizationIDs(ctx, l.tx, users, func(u *store.LoadUser) string { return u.OrganizationID })
	if err != nil {
		return wrap(err, "load users")
	}
	for i := range users {
		u := &users[i]
		organization, ok := ids[u.OrganizationID]
		if !ok {
			return unknownOrganization(u.OrganizationID).At(fileUsers, u.Line, 0)
		}
		err := l.users.add(ctx, u.Line, u.ID, u.Key, u.Email, organization, string(u.Status), seconds(u.InactiveSince),
			u.FirstName, u.LastName, u.DisplayName, u.Title, u.Department, u.Phone, u.PreferredLanguage, encodeList(u.Services),
			seconds(u.LastSignIn), sql.NullInt64{Int64: int64(u.Conversations), Valid: u.Conversations >= 0})
		if err != nil {
			return wrap(err, "load users")
		}
	}
	return nil
}

// merge brings the staged users into the table, once.
func (l *loader) merge(ctx context.Context) error {
	if l.merged || l.users == nil {
		return nil
	}
	l.merged = true
	if err := l.users.flush(ctx); err != nil {
		return wrap(err, "load users")
	}
	var empty bool
	if err := l.tx.QueryRowContext(ctx, "SELECT NOT EXISTS (SELECT 1 FROM users)").Scan(&empty); err != nil {
		return wrap(err, "load users")
	}
	statements := mergeStatements
	if empty {
		statements = fillStatements
	} else if err := l.checkAddresses(ctx); err != nil {
		return err
	}
	for _, statement := range statements {
		if _, err := l.tx.ExecContext(ctx, statement); err != nil {
			return l.explain(ctx, err)
		}
	}
	return nil
}

// insertUsers inserts the users that are not there. It does so in the order of their addresses, which is the order they
// will be looked up and listed in. OR FAIL, since an error undoes the whole load anyway.
const insertUsers = `INSERT OR FAIL INTO users (external_id, ` + userColumns + `)
	SELECT external_id, ` + userColumns + ` FROM temp.load_users s
	WHERE NOT EXISTS (SELECT 1 FROM users u WHERE u.external_id = s.external_id)
	AND NOT EXISTS (SELECT 1 FROM removed_users r WHERE r.external_id = s.external_id)
	ORDER BY s.key`

// fillStatements merge into an empty table. The index in another order is built afterwards, at once.
var fillStatements = []string{
	"DROP INDEX users_external_id",
	`INSERT OR FAIL INTO users (external_id, ` + userColumns + `)
		SELECT external_id, ` + userColumns + ` FROM temp.load_users s
		WHERE NOT EXISTS (SELECT 1 FROM removed_users r WHERE r.external_id = s.external_id)
		ORDER BY s.key`,
	"CREATE UNIQUE INDEX users_external_id ON users (external_id)",
}

// mergeStatements merge into a table with users in it. Nothing is written for a user who has not changed. Addresses that
// change are put aside first, so that users can exchange them.
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
	insertUsers,
}

// checkAddresses refuses an address that another account has and keeps: one that is not in the snapshot, or that a
// closed claim has given it.
func (l *loader) checkAddresses(ctx context.Context) error {
	for _, index := range []string{
		"CREATE UNIQUE INDEX temp.load_users_key ON load_users (key)",
		"CREATE UNIQUE INDEX temp.load_users_external_id ON load_users (external_id)",
	} {
		if _, err := l.tx.ExecContext(ctx, index); err != nil {
			return l.explain(ctx, err)
		}
	}
	err := collect(ctx, l.tx, func(rows *sql.Rows) error {
		var line int
		if err := rows.Scan(&line); err != nil {
			return err
		}
		return schema.Refuse(schema.CodeEmailDuplicate, "Another account already has this address, and it is not in this snapshot.").
			WithFix("Add that account to users.csv with its new address, or correct this one.").At(fileUsers, line, 0)
	}, `SELECT s.line FROM temp.load_users s CROSS JOIN users u ON u.key = s.key
		WHERE u.external_id <> s.external_id
		AND (u.pinned OR NOT EXISTS (SELECT 1 FROM temp.load_users t WHERE t.external_id = u.external_id))
		AND NOT EXISTS (SELECT 1 FROM users o WHERE o.external_id = s.external_id AND o.pinned)
		AND NOT EXISTS (SELECT 1 FROM removed_users r WHERE r.external_id = s.external_id)
		ORDER BY s.line LIMIT 1`)
	return wrap(err, "load users")
}

// explain finds the line that broke a unique index.
func (l *loader) explain(ctx context.Context, cause error) error {
	if !isUnique(cause) {
		return wrap(cause, "load users")
	}
	for _, check := range []struct {
		column, message string
		code            schema.Code
	}{
		{"external_id", "The id stands on line %d too.", schema.CodeIDDuplicate},
		{"key", "The address stands on line %d too.", schema.CodeEmailDuplicate},
	} {
		err := collect(ctx, l.tx, func(rows *sql.Rows) error {
			var first, line int
			if err := rows.Scan(&first, &line); err != nil {
				return err
			}
			return schema.Refuse(check.code, check.message, first).At(fileUsers, line, 0)
		}, `SELECT before, line FROM (SELECT line, lag(line) OVER (PARTITION BY `+check.column+` ORDER BY line) AS before FROM temp.load_users)
			WHERE before IS NOT NULL ORDER BY line LIMIT 1`)
		if err != nil {
			return wrap(err, "load users")
		}
	}
	return wrap(cause, "load users")
}
