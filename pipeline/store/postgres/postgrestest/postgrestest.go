// Package postgrestest gives tests PostgreSQL databases of their own.
//
// The server is the one that CLAIMLINE_TEST_POSTGRES names, which make test starts for all tests; where there
// is none, one is started for this run of a package's tests, and ends with it.
package postgrestest

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// T is a test, or part of one.
type T interface {
	require.TestingT
	Context() context.Context
	Cleanup(func())
}

// Empty returns the address of a new, empty database, which is gone after the test.
func Empty(t T) (address string) { return create(t, "template0") }

// Template makes databases that are all alike.
type Template struct {
	// Prepare makes the first ready, at an address; afterwards nobody uses it. It is called once.
	Prepare func(ctx context.Context, address string) error

	once sync.Once
	name string
	err  error
}

// Copy returns the address of a new copy, which is gone after the test.
func (p *Template) Copy(t T) (address string) {
	p.once.Do(func() {
		p.err = errors.New("it could not be made")
		p.name = newName("template")
		ctx := context.WithoutCancel(t.Context())
		run(ctx, t, "CREATE DATABASE "+p.name+" TEMPLATE template0")
		p.err = p.Prepare(ctx, addressOf(t, p.name))
	})
	require.NoError(t, p.err)
	return create(t, p.name)
}

func create(t T, template string) (address string) {
	name := newName("test")
	run(t.Context(), t, "CREATE DATABASE "+name+" TEMPLATE "+template)
	t.Cleanup(func() { run(context.WithoutCancel(t.Context()), t, "DROP DATABASE "+name+" WITH (FORCE)") })
	return addressOf(t, name)
}

func newName(prefix string) string { return prefix + "_" + strings.ToLower(rand.Text()) }

// addressOf returns the address of a database of the server.
func addressOf(t T, name string) string {
	u, err := url.Parse(server(t))
	require.NoError(t, err)
	u.Path = "/" + name
	return u.String()
}

func run(ctx context.Context, t T, statement string) {
	conn, err := pgx.Connect(ctx, server(t))
	require.NoError(t, err)
	_, err = conn.Exec(ctx, statement)
	require.NoError(t, errors.Join(err, conn.Close(ctx)))
}

func server(t T) string {
	s, err := shared()
	require.NoError(t, err)
	return s.Address
}

// shared returns the server of all tests, which it starts first where there is none.
var shared = sync.OnceValues(func() (*Server, error) {
	if address := os.Getenv("CLAIMLINE_TEST_POSTGRES"); address != "" {
		return &Server{Address: address}, nil
	}
	return start()
})

// Server is a server of PostgreSQL. One that was started here ends when its input does: with this process,
// however that ends.
type Server struct {
	Address string         // of a database in which there is nothing
	input   io.WriteCloser // nil: it is somebody else's
	told    *bufio.Reader
}

// Own starts a server for one test alone, which ends with it.
func Own(t T) *Server {
	s, err := start()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.input.Close()) })
	return s
}

// Restart stops the server, as pg_ctl's "fast" or "immediate" does, and starts it again.
func (s *Server) Restart(t T, mode string) {
	_, err := fmt.Fprintln(s.input, mode)
	require.NoError(t, err)
	_, err = s.told.ReadString('\n')
	require.NoError(t, err)
}

// start starts a server.
func start() (s *Server, err error) {
	s = &Server{}
	root, err := moduleRoot()
	if err != nil {
		return nil, err
	}
	const tell = `echo "$CLAIMLINE_TEST_POSTGRES"; while read -r mode; do $CLAIMLINE_TEST_PG_CTL --mode "$mode" restart </dev/null >&2 && echo restarted; done`
	command := exec.CommandContext(context.Background(), filepath.Join(root, ".ci", "postgres"), "sh", "-c", tell) //nolint:gosec // the module's own script
	command.Stderr = os.Stderr
	if s.input, err = command.StdinPipe(); err != nil {
		return nil, err
	}
	told, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := command.Start(); err != nil {
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	s.told = bufio.NewReader(told)
	if s.Address, err = s.told.ReadString('\n'); err != nil {
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	s.Address = strings.TrimSpace(s.Address)
	return s, nil
}

func moduleRoot() (folder string, err error) {
	if folder, err = os.Getwd(); err != nil {
		return "", err
	}
	for {
		_, err := os.Stat(filepath.Join(folder, "go.mod"))
		if err == nil || !errors.Is(err, fs.ErrNotExist) || folder == filepath.Dir(folder) {
			return folder, err
		}
		folder = filepath.Dir(folder)
	}
}

// CopyAgain copies what imports have written into empty tables like those it is in, by COPY and in one
// transaction, and returns the time that takes by a clock: the least that it could have taken.
func CopyAgain(t T, address string, now func() time.Time) time.Duration {
	ctx := t.Context()
	conn, err := pgx.Connect(ctx, address)
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close(ctx)) }()
	tables := []string{"claims", "outbox", "chunk_results"}
	rows := make([]bytes.Buffer, len(tables))
	for i, table := range tables {
		_, err := conn.PgConn().CopyTo(ctx, &rows[i], "COPY (SELECT * FROM "+table+" ORDER BY ctid) TO STDOUT")
		require.NoError(t, err)
		_, err = conn.Exec(ctx, "CREATE TABLE copied_"+table+" (LIKE "+table+" INCLUDING ALL)")
		require.NoError(t, err)
	}
	begun := now()
	tx, err := conn.Begin(ctx)
	require.NoError(t, err)
	for i, table := range tables {
		_, err := conn.PgConn().CopyFrom(ctx, &rows[i], "COPY copied_"+table+" FROM STDIN")
		require.NoError(t, err)
	}
	require.NoError(t, tx.Commit(ctx))
	return now().Sub(begun)
}
