// Package testdb gives tests databases of their own: SQLite files, or, where CLAIMLINE_TEST_ON says postgres,
// databases in PostgreSQL. make test runs the tests once on each.
package testdb

import (
	"context"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/stretchr/testify/require"

	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/pipeline/store/postgres"
	"github.com/claimline/claimline/pipeline/store/postgres/postgrestest"
	"github.com/claimline/claimline/pipeline/store/sqlite"
)

// OnPostgres reports whether tests use databases in PostgreSQL.
func OnPostgres() bool { return os.Getenv("CLAIMLINE_TEST_ON") == "postgres" }

// Without leaves tests out where the others use PostgreSQL: those that are about a file, and those that have
// no database. Every other test of the package runs on both. TestMain calls it.
func Without(tests ...string) {
	if !OnPostgres() {
		return
	}
	if err := flag.Set("test.skip", "^("+strings.Join(tests, "|")+")$"); err != nil {
		panic(err) // this is no test
	}
}

// Template makes databases that are all alike.
type Template struct {
	// Prepare makes the first ready, at an address as --db takes it; afterwards nobody uses it. It is called
	// once.
	Prepare func(ctx context.Context, address string) error

	postgres postgrestest.Template
	once     sync.Once
	file     []byte
	err      error
}

// Copy returns the address of a new copy, which is gone after the test.
func (p *Template) Copy(t postgrestest.T) (address string) {
	p.once.Do(func() {
		p.err = errors.New("it could not be made")
		p.postgres.Prepare = p.Prepare
		if OnPostgres() {
			p.err = nil
		} else {
			p.file, p.err = p.make(context.WithoutCancel(t.Context()))
		}
	})
	require.NoError(t, p.err)
	if OnPostgres() {
		return p.postgres.Copy(t)
	}
	path := filepath.Join(folder(t), "claimline.db")
	require.NoError(t, os.WriteFile(path, p.file, 0o600))
	return "sqlite:" + path
}

// make returns the file that is copied.
func (p *Template) make(ctx context.Context) (file []byte, err error) {
	folder, err := os.MkdirTemp("", "claimline-template-*")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	path := filepath.Join(folder, "claimline.db")
	if err := p.Prepare(ctx, "sqlite:"+path); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
}

// folder returns a folder that is gone after the test.
func folder(t postgrestest.T) string {
	if whole, ok := t.(interface{ TempDir() string }); ok {
		return whole.TempDir()
	}
	folder, err := os.MkdirTemp("", "claimline-*")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(folder)) })
	return folder
}

// empty has the schema, which takes longer to create than most tests.
var empty = Template{Prepare: func(ctx context.Context, address string) error {
	db, err := Open(ctx, address)
	if err != nil {
		return err
	}
	return db.Close()
}}

// Empty returns the address of a new database with the schema, into which nothing has been loaded. It is gone
// after the test.
func Empty(t postgrestest.T) (address string) { return empty.Copy(t) }

// Open opens the database at an address, and creates it where there is none.
func Open(ctx context.Context, address string) (store.DB, error) {
	if path, isFile := strings.CutPrefix(address, "sqlite:"); isFile {
		return sqlite.Open(ctx, path, sqlite.Options{Create: true})
	}
	return postgres.Open(ctx, address, postgres.Options{Create: true})
}
