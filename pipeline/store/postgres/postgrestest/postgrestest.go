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
func Empty(t T) (address string) { return Copy(t, "") }

// Copy returns the address of a copy of a database that nobody is using; blank: an empty one.
func Copy(t T, of string) (address string) {
	name := "test_" + strings.ToLower(rand.Text())
	template := "template0"
	if of != "" {
		template = strings.TrimPrefix(parse(t, of).Path, "/")
	}
	run(t, t.Context(), "CREATE DATABASE "+name+" TEMPLATE "+template)
	t.Cleanup(func() { run(t, context.WithoutCancel(t.Context()), "DROP DATABASE "+name+" WITH (FORCE)") })
	u := parse(t, server(t))
	u.Path = "/" + name
	return u.String()
}

func parse(t T, address string) *url.URL {
	u, err := url.Parse(address)
	require.NoError(t, err)
	return u
}

func run(t T, ctx context.Context, statement string) {
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
