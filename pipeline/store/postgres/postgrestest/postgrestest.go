// Package postgrestest gives tests PostgreSQL databases of their own.
//
// The server is the one that CLAIMLINE_TEST_POSTGRES names, which make test starts for all tests; where there
// is none, one is started for this run of a package's tests, and ends with it.
package postgrestest

import (
	"bufio"
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
	s, err := start()
	require.NoError(t, err)
	return s.address
}

// running is a server. One that was started here ends when its input does: with this process, however that
// ends.
type running struct {
	address string
	input   io.Closer // nil: of somebody else. It is held here, for what nobody holds is closed.
}

// start returns the server, which it starts first where there is none.
var start = sync.OnceValues(func() (s running, err error) {
	if s.address = os.Getenv("CLAIMLINE_TEST_POSTGRES"); s.address != "" {
		return s, nil
	}
	root, err := moduleRoot()
	if err != nil {
		return s, err
	}
	const tell = `echo "$CLAIMLINE_TEST_POSTGRES"; exec cat >/dev/null`
	command := exec.CommandContext(context.Background(), filepath.Join(root, ".ci", "postgres"), "sh", "-c", tell) //nolint:gosec // the module's own script
	command.Stderr = os.Stderr
	if s.input, err = command.StdinPipe(); err != nil {
		return s, err
	}
	told, err := command.StdoutPipe()
	if err != nil {
		return s, err
	}
	if err := command.Start(); err != nil {
		return s, fmt.Errorf("start PostgreSQL: %w", err)
	}
	if s.address, err = bufio.NewReader(told).ReadString('\n'); err != nil {
		return s, fmt.Errorf("start PostgreSQL: %w", err)
	}
	s.address = strings.TrimSpace(s.address)
	return s, nil
})

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
