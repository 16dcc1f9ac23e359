// Package postgres keeps everything in a PostgreSQL database: the store for many machines.
//
// Any number of processes may use the database at the same time. A transaction that writes sees what others
// have committed before each of its statements (READ COMMITTED), and locks what it decides on, in the order
// that package store tells. One that reads sees one state (REPEATABLE READ) and locks nothing. Leases go by
// the clock of the server.
package postgres

import (
	"context"
	"maps"
	"net"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/schema"
)

// DB is a store.DB on a PostgreSQL database.
type DB struct {
	pool   *pgxpool.Pool
	config *pgxpool.Config
	reads  bool // nothing will be written
	many   int  // see manyAccounts
}

var _ store.DB = (*DB)(nil)

// Options say how Open opens.
type Options struct {
	Create   bool // create the schema where there is none; without it, something must have been loaded
	ReadOnly bool // nothing will be written
}

// The locks of the whole database, as the server numbers them.
const (
	settingsLock int64 = 0x436c6d6c<<8 + iota // "Clml"
	migrationLock
	outboxLock
)

// What a session has where the address does not say otherwise. A machine that was cut off in the middle of a
// transaction keeps its locks until the server finds out: within ten seconds, whether it is silent or gone.
var sessionDefaults = map[string]string{
	"application_name":                    "claimline",
	"idle_in_transaction_session_timeout": "10s",
	"lock_timeout":                        "30s",
	"tcp_keepalives_idle":                 "3",
	"tcp_keepalives_interval":             "2",
	"tcp_keepalives_count":                "3",
	"tcp_user_timeout":                    "9s",

	// Statements over thousands of rows are planned for those, and for the tables as large as they are by
	// now: a plan made for an empty table goes through the full one once for each row. Compiling them costs
	// more than it gains.
	"plan_cache_mode":  "force_custom_plan",
	"jit":              "off",
	"random_page_cost": "1.1", // no disk of today minds much where something is
}

// keepAlive finds out as soon on this side.
var keepAlive = net.KeepAliveConfig{Enable: true, Idle: 3 * time.Second, Interval: 2 * time.Second, Count: 3}

var dialer = net.Dialer{KeepAliveConfig: keepAlive, Control: giveUp}

const connectTimeout = 10 * time.Second

// Open opens the database at an address, a URL as psql takes it, and brings it to this version's schema.
// Refused with CodeUsage (the address cannot be read), CodeDatabaseMissing, CodeDatabaseNewer,
// CodeDatabaseInvalid, CodeDatabaseReadOnly, CodeDatabaseBusy, CodeDatabaseUnreachable, CodeDatabaseDenied.
// No refusal or error tells the password.
func Open(ctx context.Context, address string, options Options) (_ *DB, err error) {
	config, err := pgxpool.ParseConfig(address)
	if err != nil { // whose words are those of the address
		return nil, refuse(schema.CodeUsage, "The address of the database given with --db cannot be read.").
			WithFix("Write postgres://USER@HOST:PORT/DATABASE, every special character of a password as %%XX.")
	}
	settings := maps.Clone(sessionDefaults)
	maps.Copy(settings, config.ConnConfig.RuntimeParams)
	config.ConnConfig.RuntimeParams = settings
	if config.ConnConfig.ConnectTimeout == 0 {
		config.ConnConfig.ConnectTimeout = connectTimeout
	}
	config.ConnConfig.DialFunc = dialer.DialContext

	db := &DB{config: config, reads: options.ReadOnly, many: manyAccounts}
	if db.pool, err = pgxpool.NewWithConfig(ctx, config); err != nil {
		return nil, db.wrap(err)
	}
	if err := db.prepare(ctx, options); err != nil {
		db.pool.Close()
		return nil, db.wrap(err)
	}
	return db, nil
}

// prepare makes sure that the database is ours, and of this version.
func (db *DB) prepare(ctx context.Context, options Options) error {
	version, err := db.readVersion(ctx)
	switch {
	case err != nil:
		return err
	case version > schemaVersion:
		return refused(schema.CodeDatabaseNewer)
	case version == schemaVersion && options.Create:
		return nil
	case version == schemaVersion:
		return db.loaded(ctx)
	case version == 0 && (!options.Create || options.ReadOnly):
		return db.empty()
	case options.ReadOnly:
		return refuse(schema.CodeDatabaseReadOnly, "The database was written by an older version and must be upgraded first.").
			WithFix("Have a command run once that writes to it, such as: claimline sweep.")
	}
	return db.migrate(ctx)
}

// loaded refuses a database into which nobody has loaded anything yet: whoever created the schema got no
// further.
func (db *DB) loaded(ctx context.Context) error {
	var is bool
	err := db.pool.QueryRow(ctx, "SELECT EXISTS (SELECT FROM organizations)").Scan(&is)
	if err == nil && !is {
		err = db.empty()
	}
	return err
}

func (db *DB) empty() error {
	return refuse(schema.CodeDatabaseMissing, "Nothing has been loaded into the database %q.", db.config.ConnConfig.Database)
}

// Pool returns the connections to the database, for what keeps its own tables there; they are gone with
// Close.
func (db *DB) Pool() *pgxpool.Pool { return db.pool }

// Close implements store.DB. Transactions must have ended.
func (db *DB) Close() error {
	db.pool.Close()
	return nil
}

// Erase implements store.DB. Rows that were deleted are dropped from the tables' files; what others still
// look at is left to the next one.
func (db *DB) Erase(ctx context.Context) error {
	if db.reads {
		return refused(schema.CodeDatabaseReadOnly)
	}
	_, err := db.pool.Exec(ctx, "VACUUM (SKIP_LOCKED) chunk_rows, chunk_results")
	return db.wrap(err)
}
