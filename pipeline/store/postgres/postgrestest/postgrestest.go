// Package postgrestest gives tests PostgreSQL databases of their own.
//
// The server is the one that CLAIMLINE_TEST_POSTGRES names, which make test starts for all tests; where there is none, one is
// started for this run of a package's tests, and ends with it.
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
	address, err := start()
	require.NoError(t, err)
	return address
}

// lifeline is what the server reads that was started here. Were nobody to hold it, it would be closed.
var lifeline io.Closer

// start returns the address of the server, which it starts first where there is none.
var start = sync.OnceValues(func() (string, error) {
	if address := os.Getenv("CLAIMLINE_TEST_POSTGRES"); address != "" {
		return address, nil
	}
	root, err := moduleRoot()
	if err != nil {
		return "", err
	}
	// It ends when what it reads ends, which is with this process.
	server := exec.Command(filepath.Join(root, ".ci", "postgres"), "sh", "-c", `echo "$CLAIMLINE_TEST_POSTGRES"; exec cat >/dev/null`) //nolint:noctx // see above
	server.Stderr = os.Stderr
	if lifeline, err = server.StdinPipe(); err != nil {
		return "", err
	}
	told, err := server.StdoutPipe()
	if err != nil {
		return "", err
	}
	if err := server.Start(); err != nil {
		return "", fmt.Errorf("start PostgreSQL: %w", err)
	}
	address, err := bufio.NewReader(told).ReadString('\n')
	if err != nil {
		return "", fmt.Errorf("start PostgreSQL: %w", err)
	}
	return strings.TrimSpace(address), nil
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
