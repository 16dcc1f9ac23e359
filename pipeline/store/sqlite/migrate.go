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
	schemaVersion = 1          // of the last migration
	versionTable  = "schema_versions"
)

// readVersion returns the version of the schema, 0 for an empty file. Refused with CodeDatabaseInvalid where the file is
// not ours.
func readVersion(ctx context.Context, db *sql.DB) (version int64, err error) {
	var id, tables int64
	if err := db.QueryRowContext(ctx, "PRAGMA application_id").Scan(&id); err != nil {
		return 0, err
	}
	if err := db.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema").Scan(&tables); err != nil {
		return 0, err
	}
	switch {
	case tables == 0:
		return 0, nil
	case id != applicationID:
		// What goose creates before the first migration is all there is while another process creates the schema.
		var foreign int64
		err := db.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema WHERE tbl_name NOT IN (?, 'sqlite_sequence')", versionTable).Scan(&foreign)
		if err != nil || foreign == 0 {
			return 0, err
		}
		return 0, &schema.Error{Code: schema.CodeDatabaseInvalid}
	}
	err = db.QueryRowContext(ctx, "SELECT max(version_id) FROM "+versionTable+" WHERE is_applied").Scan(&version)
	return version, err
}

// migrate brings the schema to this version.
func (s *Store) migrate(ctx context.Context) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return wrap(err, "find the migrations")
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, s.write, files,
		goose.WithTableName(versionTable), goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
	if err != nil {
		return wrap(err, "read the migrations")
	}
	if _, err := provider.Up(ctx); err != nil {
		// Another process may have done it at the same time.
		if version, e := readVersion(ctx, s.write); e == nil && version == schemaVersion {
			return nil
		}
		return wrap(err, "migrate the database")
	}
	return nil
}
