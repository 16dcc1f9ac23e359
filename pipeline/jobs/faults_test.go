//go:build linux

package jobs

import (
	"bytes"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/claimline/claimline/pipeline/store/postgres/postgrestest"
	"github.com/claimline/claimline/schema"
)

// What can happen to many machines and the database between them. Whatever it is, nothing is lost, nothing is
// done twice, every import ends, and no row fails because of it.

// torture multiplies how often or how much of it happens.
func torture(often, asTorture int) int {
	if os.Getenv("CLAIMLINE_TORTURE") != "" {
		return asTorture
	}
	return often
}

// assertHonest checks that so many claims were made, each on an account of its own and with a mail of its
// own, and that nothing failed in these imports.
func (s *site) assertHonest(want int, ids ...int64) {
	s.Helper()
	var open, accounts, mails, mailed int
	require.NoError(s, s.pool.QueryRow(s.Context(), `SELECT count(*), count(DISTINCT account), (SELECT count(*) FROM outbox WHERE kind = 'claim'),
		(SELECT count(DISTINCT claim) FROM outbox WHERE kind = 'claim') FROM claims WHERE closed_at IS NULL`).Scan(&open, &accounts, &mails, &mailed))
	assert.Equal(s, []int{want, want, want, want}, []int{open, accounts, mails, mailed})
	for _, id := range ids {
		imp := s.found(id)
		assert.True(s, imp.State.Ended(), "%d is %s", id, imp.State)
		assert.Zero(s, imp.Tally.Outcomes[schema.Failed])
		assert.Zero(s, imp.Tally.Outcomes[schema.NotAttempted])
	}
}

// quick returns an address whose sessions are ended as soon as those of the program, but for the scale.
func (s *site) quick() string { return s.address + "&idle_in_transaction_session_timeout=1s" }

// Of three workers the leader of River's is killed, and then one of the others, both in the middle of
// imports.
func TestWorkersKilled(t *testing.T) {
	t.Parallel()
	const each = 500
	for range torture(1, 10) {
		s := newSiteIn(t, template.Copy(t), 3*each)
		var ids []int64
		for i := range 3 {
			ids = append(ids, s.agreed("acme", each*i, each*(i+1), false), s.agreed("umbrella", each*i, each*(i+1), false))
		}
		workers := map[int]*exec.Cmd{}
		for range 3 {
			p := s.spawn(s.address)
			workers[p.Process.Pid] = p
		}
		s.until(ids[0], halfway)
		leader := s.leader()
		kill(workers[leader])
		delete(workers, leader)
		s.until(ids[1], func(schema.Import) bool {
			for _, id := range ids {
				if p := workers[pid(s.found(id).Runner)]; p != nil {
					kill(p)
					return true
				}
			}
			return false
		})
		for _, id := range ids {
			s.until(id, ended)
			s.completed(id, each)
		}
		s.assertHonest(6*each, ids...)
	}
}

// leader returns the process that leads River's work.
func (s *site) leader() (pid int) {
	s.Helper()
	var id string
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for deadline := time.Now().Add(waiting); s.pool.QueryRow(s.Context(), "SELECT leader_id FROM river_leader").Scan(&id) != nil; <-ticker.C {
		require.True(s, time.Now().Before(deadline), "nobody leads")
	}
	parts := strings.Split(id, "/")
	_, err := fmt.Sscan(parts[len(parts)-2], &pid)
	require.NoError(s, err)
	return pid
}

// pid returns the process of a runner; 0: nobody's.
func pid(runner string) (pid int) {
	_, _ = fmt.Sscanf(runner, "process %d", &pid)
	return pid
}

// The server is restarted in the middle of an import, once in order, and once as if it had crashed.
func TestServerRestarted(t *testing.T) {
	t.Parallel()
	const accounts = 2000
	server := postgrestest.Own(t)
	s := newSiteIn(t, server.Address+"&synchronous_commit=on", accounts) // as any server has it that is not there for tests
	s.work(1, 0)
	s.work(1, 0)
	ids := []int64{s.agreed("acme", 0, accounts, false), s.agreed("umbrella", 0, accounts, false)}
	modes := []string{"fast", "immediate"}
	for i := range torture(2, 8) {
		before := 0
		s.until(ids[1], func(imp schema.Import) bool {
			before = imp.Tally.Outcomes[schema.Claimed]
			return before > i*accounts/10
		})
		server.Restart(t, modes[i%2])
		require.GreaterOrEqual(t, s.found(ids[1]).Tally.Outcomes[schema.Claimed], before, "what was claimed is still claimed")
	}
	for _, id := range ids {
		s.until(id, ended)
		s.completed(id, accounts)
	}
	s.assertHonest(2*accounts, ids...)
}

// A worker is frozen in the middle of an import, for so long that another goes on with it, and wakes up.
func TestWorkerFrozen(t *testing.T) {
	t.Parallel()
	const each = 1000
	rounds := torture(1, 10)
	s := newSiteIn(t, template.Copy(t), each*rounds)
	frozen := s.spawn(s.quick())
	var ids []int64
	for i := range rounds {
		id := s.agreed("acme", each*i, each*(i+1), false)
		s.until(id, halfway)
		require.NoError(t, frozen.Process.Signal(syscall.SIGSTOP))
		other := s.work(1, 0)
		s.until(id, ended)
		other.stop()
		<-other.done
		require.NoError(t, frozen.Process.Signal(syscall.SIGCONT))
		theirs := s.agreed("umbrella", each*i, each*(i+1), false) // which nobody else works on
		s.until(theirs, ended)
		s.completed(id, each)
		s.completed(theirs, each)
		ids = append(ids, id, theirs)
	}
	s.assertHonest(2*each*rounds, ids...)
}

// A worker is cut off from the database while it has locks there. They are freed, others go on, and once the
// line is there again, so does it.
func TestWorkerCutOff(t *testing.T) {
	t.Parallel()
	const each = 500
	rounds := torture(1, 10)
	s := newSiteIn(t, template.Copy(t), each*rounds)
	line := newLine(t, s.quick())
	far := s.open(line.address, false)
	start(t, Config{Pool: far.pool, Loops: []Loop{Imports(far.Flow, 1, 0)}})
	var ids []int64
	for i := range rounds {
		line.cutInCommit()
		id := s.agreed("acme", each*i, each*(i+1), false)
		<-line.cut
		var idle int
		require.NoError(t, s.pool.QueryRow(t.Context(), `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND backend_xid IS NOT NULL
			AND state = 'idle in transaction'`).Scan(&idle))
		require.Equal(t, 1, idle, "it has locks")
		other := s.work(1, 0)
		s.until(id, ended)
		s.completed(id, each)
		other.stop()
		<-other.done
		line.mend()
		theirs := s.agreed("umbrella", each*i, each*(i+1), false) // which nobody else works on
		s.until(theirs, ended)
		s.completed(theirs, each)
		ids = append(ids, id, theirs)
	}
	s.assertHonest(2*each*rounds, ids...)
}

// line leads to the server, until it is cut: then nothing comes through, and neither end is told.
type line struct {
	address string
	cut     chan struct{} // closed once it is cut

	mu     sync.Mutex
	armed  bool
	open   chan struct{} // closed while things come through
	closed chan struct{} // for ever
}

func newLine(t *testing.T, address string) *line {
	t.Helper()
	u, err := url.Parse(address)
	require.NoError(t, err)
	query := u.Query()
	socket := filepath.Join(query.Get("host"), ".s.PGSQL.5432")
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	query.Del("host")
	query.Set("sslmode", "disable")
	u.Host, u.RawQuery = listener.Addr().String(), query.Encode()
	l := &line{address: u.String(), open: make(chan struct{}), closed: make(chan struct{})}
	close(l.open)
	var pumps sync.WaitGroup
	pumps.Go(func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			far, err := (&net.Dialer{}).DialContext(t.Context(), "unix", socket)
			if err != nil {
				_ = near.Close()
				continue
			}
			pumps.Go(func() { l.pump(far, near, true) })
			pumps.Go(func() { l.pump(near, far, false) })
			pumps.Go(func() { <-l.closed; _ = near.Close(); _ = far.Close() })
		}
	})
	t.Cleanup(func() {
		close(l.closed)
		_ = listener.Close()
		pumps.Wait()
	})
	return l
}

// cutInCommit cuts the line at the next commit of a transaction that has inserted claims.
func (l *line) cutInCommit() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.armed, l.cut = true, make(chan struct{})
}

func (l *line) mend() {
	l.mu.Lock()
	defer l.mu.Unlock()
	close(l.open)
}

// pump passes on what one end says to the other, until either is gone.
func (l *line) pump(to, from net.Conn, toServer bool) {
	defer func() { _ = to.Close(); _ = from.Close() }()
	buffer, copied := make([]byte, 1<<16), false
	for {
		n, err := from.Read(buffer)
		said := buffer[:n]
		l.mu.Lock()
		if toServer {
			copied = copied || bytes.Contains(said, []byte("copy "))
			if commits := bytes.Contains(said, []byte("commit")); commits && copied && l.armed {
				l.armed, l.open = false, make(chan struct{})
				close(l.cut)
			} else if commits {
				copied = false
			}
		}
		open := l.open
		l.mu.Unlock()
		select {
		case <-open:
		case <-l.closed:
			return
		}
		if _, writeErr := to.Write(said); err != nil || writeErr != nil {
			return
		}
	}
}

// Twenty imports claim the same users at once.
func TestSameUsersAtOnce(t *testing.T) {
	t.Parallel()
	const imports = 20
	accounts := torture(1000, 10_000)
	s := newSiteIn(t, template.Copy(t), accounts)
	s.TransactionRows = accounts / 20
	var ids []int64
	for range imports {
		ids = append(ids, s.planned("acme", 0, accounts, false))
	}
	for range 2 {
		s.work(imports/2, 0)
	}
	for _, id := range ids {
		s.agree("acme", id, accounts, false)
	}
	claimed := 0
	for _, id := range ids {
		s.until(id, ended)
		imp := s.found(id)
		claimed += imp.Tally.Outcomes[schema.Claimed]
		assert.Equal(t, accounts, imp.Tally.Outcomes[schema.Claimed]+imp.Tally.Outcomes[schema.Unchanged])
	}
	assert.Equal(t, accounts, claimed)
	s.assertHonest(accounts, ids...)
}

// Clocks of workers are an hour off, each another way: nobody takes for dead who works.
func TestClocksOff(t *testing.T) {
	t.Parallel()
	const each = 1000
	s := newSiteIn(t, template.Copy(t), each)
	held := s.agreed("acme", 0, 10, false)
	owner, err := s.Store.TakeTurn(t.Context(), held, "somebody slow", time.Minute, 0)
	require.NoError(t, err)
	ids := []int64{s.agreed("acme", 10, each, false), s.agreed("umbrella", 0, each, false)}
	for _, off := range []time.Duration{-time.Hour, time.Hour} {
		p := s.open(s.address, false)
		p.Now = func() time.Time { return time.Now().Add(off) }
		start(t, Config{Now: p.Now, Pool: p.pool, Loops: []Loop{Imports(p.Flow, 1, 0)}})
	}
	s.until(ids[0], ended)
	s.until(ids[1], ended)
	s.completed(ids[0], each-10)
	s.completed(ids[1], each)
	require.Equal(t, owner.Runner, s.found(held).Runner)
	require.NoError(t, s.Store.ReleaseImport(t.Context(), owner, s.Lease, time.Now()))
	s.until(held, ended)
	s.assertHonest(2*each, append(ids, held)...)
}
