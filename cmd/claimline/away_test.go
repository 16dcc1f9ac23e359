//go:build linux

package main

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/claimline/claimline/pipeline/store/postgres/postgrestest"
	"github.com/claimline/claimline/schema"
)

// door leads to a database in PostgreSQL. While it is shut, the database is away.
type door struct {
	address string
	socket  string

	mu       sync.Mutex
	listener net.Listener
	open     []net.Conn
	pumps    sync.WaitGroup
}

// newDoor opens a door to a database.
func newDoor(t *testing.T, address string) *door {
	t.Helper()
	u, err := url.Parse(address)
	require.NoError(t, err)
	query := u.Query()
	d := &door{socket: filepath.Join(query.Get("host"), ".s.PGSQL.5432")}
	d.listen(t, "127.0.0.1:0")
	query.Del("host")
	query.Set("sslmode", "disable")
	u.Host, u.RawQuery = d.listener.Addr().String(), query.Encode()
	d.address = u.String()
	t.Cleanup(func() { d.shut(); d.pumps.Wait() })
	return d
}

func (d *door) listen(t *testing.T, at string) {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", at)
	require.NoError(t, err)
	d.listener = listener
	d.pumps.Go(func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			far, err := new(net.Dialer).DialContext(t.Context(), "unix", d.socket)
			if err != nil {
				_ = near.Close()
				continue
			}
			d.mu.Lock()
			d.open = append(d.open, near, far)
			d.mu.Unlock()
			pump := func(to, from net.Conn) {
				_, _ = io.Copy(to, from)
				_ = to.Close()
				_ = from.Close()
			}
			d.pumps.Go(func() { pump(near, far) })
			d.pumps.Go(func() { pump(far, near) })
		}
	})
}

// shut breaks all connections, and lets no new ones through.
func (d *door) shut() {
	d.mu.Lock()
	defer d.mu.Unlock()
	_ = d.listener.Close()
	for _, connection := range d.open {
		_ = connection.Close()
	}
	d.open = nil
}

// reopen lets connections through again.
func (d *door) reopen(t *testing.T) {
	t.Helper()
	d.listen(t, d.listener.Addr().String())
}

// at asks the service for a page, and reads the answer.
func (s *served) at(t *testing.T, path string) (status int, code schema.Code) {
	t.Helper()
	request := s.request(t, http.MethodGet, path, "", nil)
	var err error
	request.URL, err = url.Parse(s.url + path)
	require.NoError(t, err)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	var answer struct {
		Code schema.Code `json:"code"`
	}
	require.NoError(t, json.NewDecoder(response.Body).Decode(&answer))
	return response.StatusCode, answer.Code
}

// A database that is away in the middle of an import, and while mails go out, is told as such. Once it is
// back, all of it goes on by itself: no row has failed, and each mail is sent.
func TestServeWhileTheDatabaseIsAway(t *testing.T) {
	c := &catcher{}
	s, files := postSite(t, siteIn(postgrestest.Empty(t)), 1, c.listen(t))
	door := newDoor(t, s.db)
	token := s.labToken(t)
	near := *s
	near.global = slices.Clone(s.global)
	near.global[slices.Index(near.global, s.db)] = door.address
	p := near.serve(t, token)
	first, second := p.planned(t, files[0]), p.planned(t, files[1])
	p.agree(t, first)
	db := openSQL(t, s.db)
	done := func() (n int) {
		require.NoError(t, db.QueryRowContext(t.Context(), "SELECT count(*) FROM import_chunks WHERE import = 1 AND done").Scan(&n))
		return n
	}
	eventually(t, "some are claimed", func() bool { return done() > 0 })
	door.shut()
	require.Less(t, done(), postedUsers/3, "it is in the middle")

	for path, want := range map[string]schema.Code{"/readyz": schema.CodeDatabaseUnreachable, "/api/v1/imports": schema.CodeDatabaseUnreachable} {
		status, code := p.at(t, path)
		assert.Equal(t, http.StatusServiceUnavailable, status, path)
		assert.Equal(t, want, code, path)
	}
	status, _ := p.at(t, "/healthz")
	assert.Equal(t, http.StatusOK, status, "the process is well")
	file, err := os.Open(files[2])
	require.NoError(t, err)
	defer func() { _ = file.Close() }()
	var refused struct{ Code schema.Code }
	assert.Equal(t, http.StatusServiceUnavailable, p.ask(t, http.MethodPost, "/imports", "text/csv", file, &refused))
	assert.Equal(t, schema.CodeDatabaseUnreachable, refused.Code)

	eventually(t, "the import waits for it", func() bool { return strings.Contains(p.log.String(), `"message":"trying again"`) })

	door.reopen(t)
	eventually(t, "it is ready again", func() bool { status, _ := p.at(t, "/readyz"); return status == http.StatusOK })
	p.agree(t, second)
	for _, imp := range []schema.Summary{first, second} {
		ended := p.until(t, imp.ID)
		assert.Equal(t, schema.StateCompleted, ended.State)
		assert.Equal(t, postedUsers/3, ended.Claimed)
	}
	eventually(t, "all mails are sent", func() (sent bool) {
		require.NoError(t, db.QueryRowContext(t.Context(), "SELECT NOT EXISTS (SELECT 1 FROM outbox) AND NOT EXISTS (SELECT 1 FROM deliveries WHERE state = 'waiting')").Scan(&sent))
		return sent
	})
	require.NoError(t, db.Close())
	p.signal(t, syscall.SIGTERM)
	assert.Equal(t, exitDone, p.wait(t).code)
	assert.GreaterOrEqual(t, len(c.mails), 2*postedUsers/3)
}
