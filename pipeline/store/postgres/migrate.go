package postgres

import (
	"context"
	"embed"
	"errors"
	"io/fs"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"github.com/claimline/claimline/schema"
)

//go:embed migrations/*.sql
var migrations embed.FS

const (
	schemaVersion = 12 // of the last migration
	versionTable  = "schema_versions"
)

// readVersion returns the version of the schema, 0 where there is none. Refused with CodeDatabaseInvalid
// where the tables are not ours, or text is not kept as Unicode.
func (db *DB) readVersion(ctx context.Context) (version int64, err error) {
	var encoding string
	var versions, ours, foreign bool
	if err := db.pool.QueryRow(ctx, `SELECT current_setting('server_encoding'), to_regclass($1) IS NOT NULL,
		to_regclass('import_chunks') IS NOT NULL, to_regclass('users') IS NOT NULL OR to_regclass('organizations') IS NOT NULL`, versionTable).
		Scan(&encoding, &versions, &ours, &foreign); err != nil {
		return 0, err
	}
	switch {
	case encoding != "UTF8":
		return 0, refuse(schema.CodeDatabaseInvalid, "The database keeps text as %s.", encoding).
			WithFix("Create one with: createdb --encoding UTF8 --template template0 NAME.")
	case !ours && foreign:
		return 0, refuse(schema.CodeDatabaseInvalid, "The database has tables of another program.").WithFix("Create a database of its own: createdb NAME.")
	case !versions || !ours:
		return 0, nil // what goose creates before the first migration is all there is while another process creates the schema
	}
	err = db.pool.QueryRow(ctx, "SELECT max(version_id) FROM "+versionTable+" WHERE is_applied").Scan(&version)
	return version, err
}

// Check implements store.DB.
func (db *DB) Check(ctx context.Context) error {
	version, err := db.readVersion(ctx)
	switch {
	case err != nil:
		return db.wrap(err)
	case version > schemaVersion:
		return refused(schema.CodeDatabaseNewer)
	case version < schemaVersion:
		return refused(schema.CodeDatabaseInvalid)
	}
	return nil
}

// migrate brings the schema to this version. Of processes that start at the same time one does it, and the
// others wait.
func (db *DB) migrate(ctx context.Context) (err error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	conn, err := pgx.ConnectConfig(ctx, db.config.ConnConfig.Copy())
	if err != nil {
		return err
	}
	// The lock goes with the connection.
	defer func() { err = errors.Join(err, conn.Close(context.WithoutCancel(ctx))) }()
	if _, err := conn.Exec(ctx, "SELECT pg_advisory_lock($1)", migrationLock); err != nil {
		return err
	}
	handle := stdlib.OpenDB(*db.config.ConnConfig)
	defer func() { err = errors.Join(err, handle.Close()) }()
	provider, err := goose.NewProvider(goose.DialectPostgres, handle, files,
		goose.WithTableName(versionTable), goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
	if err != nil {
		return err
	}
	_, err = provider.Up(ctx)
	return err
}
