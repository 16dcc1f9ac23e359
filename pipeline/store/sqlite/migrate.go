package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"io/fs"

	"github.com/claimline/claimline/schema"
	"github.com/pressly/goose/v3"
)

//go:embed migrations/*.sql
var migrations embed.FS

const (
	applicationID = 1131171180 // as the first migration sets it
	schemaVersion = 14         // of the last migration
	versionTable  = "schema_versions"
)

// readVersion returns the version of the schema, 0 for an empty file. Refused with CodeDatabaseInvalid where
// the file is not ours.
func readVersion(ctx context.Context, db *sql.DB) (version int64, err error) {
	// In one look, for another process may create the schema meanwhile. What goose creates before the first
	// migration is all there is for a while.
	var id, tables, foreign int64
	err = db.QueryRowContext(ctx, `SELECT (SELECT application_id FROM pragma_application_id), count(*),
		count(*) FILTER (WHERE tbl_name NOT IN (?, 'sqlite_sequence')) FROM sqlite_schema`, versionTable).Scan(&id, &tables, &foreign)
	switch {
	case err != nil || tables == 0 || id != applicationID && foreign == 0:
		return 0, err
	case id != applicationID:
		return 0, refused(schema.CodeDatabaseInvalid)
	}
	err = db.QueryRowContext(ctx, "SELECT max(version_id) FROM "+versionTable+" WHERE is_applied").Scan(&version)
	return version, err
}

// Check implements store.DB.
func (db *DB) Check(ctx context.Context) error {
	version, err := readVersion(ctx, db.read)
	switch {
	case err != nil:
		return wrap(err)
	case version > schemaVersion:
		return refused(schema.CodeDatabaseNewer)
	case version < schemaVersion:
		return refused(schema.CodeDatabaseInvalid)
	}
	return db.present()
}

// migrate brings the schema to this version. Others may be doing so at the same time: then the one that comes
// second fails, and finds at its next try that it has been done.
func (db *DB) migrate(ctx context.Context) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, db.write, files,
		goose.WithTableName(versionTable), goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
	if err != nil {
		return err
	}
	_, err = provider.Up(ctx)
	return err
}
