// Package sqlite keeps everything in one SQLite file: the store for one machine, with nothing to set up.
//
// One connection writes, a few read beside it (WAL). Several processes may use the file at the same time; their writes
// go one after the other, so a transaction that has begun to write sees the truth until it ends.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
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

// Store is a store.Store on a SQLite file.
type Store struct {
	write *sql.DB // one connection; nil where the store is read-only
	read  *sql.DB

	organizations organizationCache
	runs          ownRun
}

var _ store.Store = (*Store)(nil)

// Options say how Open opens.
type Options struct {
	Create   bool // create the file where there is none
	ReadOnly bool // nothing will be written: the file and its folder need not be writable
}

const (
	busyTimeout = 30 * time.Second

	// Pages that a shuffled import dirties again and again are written to the file once per checkpoint, so checkpoints
	// are far apart: 64 MiB of 4 KiB pages.
	checkpointPages = 16384

	// Cache per connection, in KiB. The memory of a process is bounded by these, whatever the size of the database; it is
	// twice as much, for the driver rounds every page up to the next power of two. More made no difference.
	writeCache = 8 << 10
	readCache  = 2 << 10
)

// Open opens the database at path, and brings it to this version's schema. Refused with CodeDatabaseMissing,
// CodeDatabaseNewer, CodeDatabaseInvalid, CodeDatabaseReadOnly, CodeDatabaseBusy, CodeDatabaseFull. A file that is created
// can be read by its owner only.
func Open(ctx context.Context, path string, options Options) (_ *Store, err error) {
	path, err = filepath.Abs(path)
	if err != nil {
		return nil, wrap(err, "find the database")
	}
	if err := findFile(path, options); err != nil {
		return nil, err
	}

	s := &Store{}
	defer func() {
		if err != nil {
			_ = s.Close()
		}
	}()
	version, err := s.openRead(ctx, path)
	if err != nil {
		return nil, err
	}
	switch {
	case version > schemaVersion:
		return nil, &schema.Error{Code: schema.CodeDatabaseNewer}
	case version == 0 && !options.Create:
		return nil, missing(path) // an empty file: whoever created it got no further
	case options.ReadOnly && version < schemaVersion:
		return nil, schema.Refuse(schema.CodeDatabaseReadOnly, "The database was written by an older version and must be upgraded first.")
	case options.ReadOnly:
		return s, nil
	}
	if err := s.openWrite(ctx, path); err != nil {
		return nil, err
	}
	if version < schemaVersion {
		if err := s.migrate(ctx); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Close closes the store. Transactions must have ended.
func (s *Store) Close() error {
	var errs []error
	// The writer last: the last connection that can write clears the log away.
	for _, db := range []*sql.DB{s.read, s.write} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	return wrap(errors.Join(errs...), "close the database")
}

// findFile looks for the file, and creates it if it may.
func findFile(path string, options Options) error {
	info, err := os.Stat(path)
	switch {
	case err == nil && !info.Mode().IsRegular():
		return schema.Refuse(schema.CodeDatabaseInvalid, "%s is not a file.", path)
	case err == nil:
		return nil
	case !errors.Is(err, fs.ErrNotExist):
		return schema.Refuse(schema.CodeDatabaseReadOnly, "The database at %s cannot be opened.", path).Because(err)
	case !options.Create || options.ReadOnly:
		return missing(path)
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	switch {
	case errors.Is(err, fs.ErrExist): // somebody else was faster
		return nil
	case errors.Is(err, fs.ErrNotExist):
		return schema.Refuse(schema.CodeDatabaseMissing, "There is no folder %s for the database.", filepath.Dir(path)).
			WithFix("Create the folder, or check the path given with --db.").Because(err)
	case err != nil:
		return schema.Refuse(schema.CodeDatabaseReadOnly, "The database cannot be created at %s.", path).Because(err)
	}
	return wrap(file.Close(), "create the database")
}

func missing(path string) *schema.Error {
	return schema.Refuse(schema.CodeDatabaseMissing, "There is no database at %s.", path)
}

// openRead opens the connections that read, and returns the version of the file's schema.
func (s *Store) openRead(ctx context.Context, path string) (int64, error) {
	open := func(immutable bool) (int64, error) {
		query := url.Values{"mode": {"ro"}, "_pragma": {
			pragma("busy_timeout", busyTimeout.Milliseconds()),
			pragma("cache_size", -readCache),
			pragma("query_only", 1),
		}}
		if immutable {
			query.Set("immutable", "1")
		}
		db, err := sql.Open("sqlite", fileURL(path, query))
		if err != nil {
			return 0, err
		}
		connections := max(2, runtime.NumCPU())
		db.SetMaxOpenConns(connections)
		db.SetMaxIdleConns(connections)
		s.read = db
		return readVersion(ctx, db)
	}

	version, err := open(false)
	err = wrap(err, "open the database")
	// Reading a WAL file needs its index beside it. Where that cannot be created, the file alone will do, unless there is
	// something in a log that only the index gives access to.
	if schema.CodeOf(err) == schema.CodeDatabaseReadOnly && !hasLog(path) {
		_ = s.read.Close()
		version, err = open(true)
		err = wrap(err, "open the database")
	}
	return version, err
}

func hasLog(path string) bool {
	info, err := os.Stat(path + "-wal")
	return err == nil && info.Size() > 0
}

// openWrite opens the connection that writes, and makes sure that it can.
func (s *Store) openWrite(ctx context.Context, path string) error {
	db, err := sql.Open("sqlite", fileURL(path, url.Values{"mode": {"rw"}, "_txlock": {"immediate"}, "_pragma": {
		pragma("busy_timeout", busyTimeout.Milliseconds()),
		"journal_mode(wal)",
		"synchronous(full)",
		"foreign_keys(1)",
		pragma("cache_size", -writeCache),
		pragma("wal_autocheckpoint", checkpointPages),
		pragma("journal_size_limit", 4096*checkpointPages),
	}}))
	if err != nil {
		return wrap(err, "open the database")
	}
	db.SetMaxOpenConns(1)
	s.write = db
	return wrap(probe(ctx, db), "open the database for writing")
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
	} else if schema.CodeOf(wrap(err, "begin")) == schema.CodeDatabaseBusy {
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
