// Package sqlite keeps everything in one SQLite file: the store for one machine, with nothing to set up.
//
// One connection writes, a few read beside it (WAL). Several processes may use the file at the same time;
// their writes go one after the other, so a transaction that has begun to write sees the truth until it ends.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"time"

	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/schema"
)

// DB is a store.DB on a SQLite file.
type DB struct {
	write *sql.DB // one connection; nil where the database is read-only
	read  *sql.DB
	path  string
	file  fs.FileInfo // what was opened

	many          int // see manyAccounts
	organizations organizationCache
}

var _ store.DB = (*DB)(nil)

// Options say how Open opens.
type Options struct {
	Create   bool // create the file where there is none
	ReadOnly bool // nothing will be written, but for an upgrade: the file and its folder need not be writable
}

const (
	busyTimeout = 30 * time.Second
	maxUpgrades = 10                    // tries of one that somebody else may be doing
	openAgain   = 20 * time.Millisecond // between two tries to open what somebody else is making

	// Pages that a shuffled import dirties again and again are written to the file once per checkpoint, so
	// checkpoints are far apart: 64 MiB of 4 KiB pages.
	checkpointPages = 16384

	// Cache per connection, in KiB; it is twice as much, for the driver rounds every page up to the next
	// power of two. The one that writes holds the index of open claims of a million accounts, all pages of
	// which a shuffled import changes in each transaction. For those that read the system has a cache: more
	// than the inner pages of the trees made shuffled imports slower.
	writeCache = 16 << 10
	readCache  = 512

	// Connections that read, at least: with one per processor, requests that take a moment wait in line
	// behind files that are planned, whose questions take longer.
	readers = 8
)

// Open opens the database at path, and brings it to this version's schema. Whoever else is making it at the
// same time is waited for. Refused with CodeDatabaseMissing, CodeDatabaseNewer, CodeDatabaseInvalid,
// CodeDatabaseReadOnly, CodeDatabaseBusy, CodeDatabaseFull, CodeDatabaseFailing. The file can be read by its
// owner only, from then on too.
func Open(ctx context.Context, path string, options Options) (*DB, error) {
	registerFunctions()
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("find the database: %w", err)
	}
	if err := findFile(path, options); err != nil {
		return nil, err
	}
	for tries, upgrades := 0, 0; ; tries++ {
		db, err := open(ctx, path, options)
		switch {
		case err == nil:
			return db, nil
		case errors.Is(err, errUpgrade) && upgrades < maxUpgrades:
			upgrades++
		case schema.CodeOf(err) != schema.CodeDatabaseBusy, tries == int(busyTimeout/openAgain): // SQLite itself does not always wait
			return nil, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(openAgain):
		}
	}
}

// errUpgrade is a failed upgrade of the schema: somebody else may have been faster.
var errUpgrade = errors.New("upgrade the database")

// open opens the database once.
func open(ctx context.Context, path string, options Options) (_ *DB, err error) {
	db := &DB{path: path, many: manyAccounts}
	defer func() {
		if err != nil {
			_ = db.Close()
		}
	}()
	if db.file, err = os.Stat(path); err != nil {
		return nil, missing(path)
	}
	version, err := db.openRead(ctx, path)
	if err != nil {
		return nil, err
	}
	switch {
	case version > schemaVersion:
		return nil, refused(schema.CodeDatabaseNewer)
	case version == 0 && !options.Create:
		return nil, missing(path) // an empty file: whoever created it got no further
	}
	if err := private(path, options.ReadOnly); err != nil {
		return nil, err
	}
	if options.ReadOnly && version == schemaVersion {
		return db, nil
	}
	if err := db.openWrite(ctx, path); err != nil {
		if options.ReadOnly && schema.CodeOf(err) == schema.CodeDatabaseReadOnly {
			err = refuse(schema.CodeDatabaseReadOnly, "The database was written by an older version, and must be upgraded first, which you are not allowed to.").
				WithFix("Have any command run once by somebody who may write to the database, such as: claimline imports.").Because(err)
		}
		return nil, err
	}
	if version < schemaVersion {
		if err := db.migrate(ctx); err != nil {
			return nil, wrap(fmt.Errorf("%w: %w", errUpgrade, err))
		}
	}
	if !options.ReadOnly {
		return db, nil
	}
	writer := db.write
	db.write = nil
	return db, wrap(writer.Close())
}

// private makes the file, and those beside it, readable by their owner only, as new ones are.
func private(path string, readOnly bool) error {
	const others = 0o077
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(path + suffix)
		if err != nil || !info.Mode().IsRegular() || info.Mode().Perm()&others == 0 {
			continue
		}
		if err := os.Chmod(path+suffix, info.Mode().Perm()&^others); err != nil && !readOnly {
			return refuse(schema.CodeDatabaseReadOnly, "Others may read %s, and you are not allowed to change that.", path+suffix).
				WithFix("Have its owner run: chmod 600 %s.", path+suffix).Because(err)
		}
	}
	return nil
}

// Close implements store.DB. Transactions must have ended.
func (db *DB) Close() error {
	var errs []error
	// The writer last: the last connection that can write clears the log away.
	for _, handle := range []*sql.DB{db.read, db.write} {
		if handle != nil {
			errs = append(errs, handle.Close())
		}
	}
	return wrap(errors.Join(errs...))
}

// Erase implements store.DB. What is deleted is overwritten in the file (secure_delete), and the log is
// emptied here. It waits for those who read, and where they take too long, leaves that to the next one.
func (db *DB) Erase(ctx context.Context) error {
	if db.write == nil {
		return refused(schema.CodeDatabaseReadOnly)
	}
	_, err := db.write.ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)")
	return wrap(err)
}

// findFile looks for the file, and creates it if it may.
func findFile(path string, options Options) error {
	info, err := os.Stat(path)
	switch {
	case err == nil && !info.Mode().IsRegular():
		return refuse(schema.CodeDatabaseInvalid, "%s is not a file.", path)
	case err == nil:
		return nil
	case !errors.Is(err, fs.ErrNotExist):
		return refuse(schema.CodeDatabaseReadOnly, "The database at %s cannot be opened.", path).Because(err)
	case !options.Create || options.ReadOnly:
		return missing(path)
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	switch {
	case errors.Is(err, fs.ErrExist): // somebody else was faster
		return nil
	case errors.Is(err, fs.ErrNotExist):
		return refuse(schema.CodeDatabaseMissing, "There is no folder %s for the database.", filepath.Dir(path)).
			WithFix("Create the folder, or check the path given with --db.").Because(err)
	case err != nil:
		return refuse(schema.CodeDatabaseReadOnly, "The database cannot be created at %s.", path).Because(err)
	}
	return wrap(file.Close())
}

func missing(path string) *schema.Error {
	return refuse(schema.CodeDatabaseMissing, "There is no database at %s.", path)
}

// openRead opens the connections that read, and returns the version of the file's schema.
func (db *DB) openRead(ctx context.Context, path string) (int64, error) {
	open := func(immutable bool) (int64, error) {
		query := url.Values{"mode": {"ro"}, "_pragma": {
			pragma("busy_timeout", busyTimeout.Milliseconds()),
			pragma("cache_size", -readCache),
			pragma("query_only", 1),
		}}
		if immutable {
			query.Set("immutable", "1")
		}
		handle, err := sql.Open("sqlite", fileURL(path, query))
		if err != nil {
			return 0, err
		}
		connections := max(readers, runtime.NumCPU())
		handle.SetMaxOpenConns(connections)
		handle.SetMaxIdleConns(connections)
		db.read = handle
		return readVersion(ctx, handle)
	}

	version, err := open(false)
	err = wrap(err)
	// Reading a WAL file needs its index beside it. Where that cannot be created, the file alone will do,
	// unless there is something in a log that only the index gives access to.
	if schema.CodeOf(err) == schema.CodeDatabaseReadOnly && !hasLog(path) {
		_ = db.read.Close()
		version, err = open(true)
		err = wrap(err)
	}
	return version, err
}

func hasLog(path string) bool {
	info, err := os.Stat(path + "-wal")
	return err == nil && info.Size() > 0
}

// openWrite opens the connection that writes, and makes sure that it can.
func (db *DB) openWrite(ctx context.Context, path string) error {
	handle, err := sql.Open("sqlite", fileURL(path, url.Values{"mode": {"rw"}, "_txlock": {"immediate"}, "_pragma": {
		pragma("busy_timeout", busyTimeout.Milliseconds()),
		"journal_mode(wal)",
		"synchronous(full)",
		"foreign_keys(1)",
		"secure_delete(1)",
		pragma("cache_size", -writeCache),
		pragma("wal_autocheckpoint", checkpointPages),
		pragma("journal_size_limit", 4096*checkpointPages),
	}}))
	if err != nil {
		return wrap(err)
	}
	handle.SetMaxOpenConns(1)
	db.write = handle
	return wrap(probe(ctx, handle))
}

// probe begins to write, and lets it be. Whoever else is writing proves as well that it can be done.
func probe(ctx context.Context, db *sql.DB) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	if _, err := conn.ExecContext(ctx, "PRAGMA busy_timeout = 0"); err != nil {
		return err
	}
	if _, err = conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err == nil {
		_, err = conn.ExecContext(ctx, "ROLLBACK")
	} else if schema.CodeOf(wrap(err)) == schema.CodeDatabaseBusy {
		err = nil
	}
	if err != nil {
		return err
	}
	_, err = conn.ExecContext(ctx, "PRAGMA busy_timeout = "+strconv.FormatInt(busyTimeout.Milliseconds(), 10))
	return err
}

func pragma[N int | int64](name string, value N) string {
	return name + "(" + strconv.FormatInt(int64(value), 10) + ")"
}

func fileURL(path string, query url.Values) string {
	return (&url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: query.Encode()}).String()
}
