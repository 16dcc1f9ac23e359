//go:build linux

package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/claimline/claimline/schema"
)

// TestKilledImports kills imports, and those that resume them, fifty times at moments drawn from a seed, half
// of them while a transaction is written to the disk; in PostgreSQL half as often. At every stop the counts
// add up; at the end each row is claimed once.
func TestKilledImports(t *testing.T) {
	const lanes = 5
	killsPerLane := 10
	if onPostgres() {
		killsPerLane /= 2
	}
	l := openLab(t)
	var imports, inPlanning, inCommit atomic.Int64
	t.Run("lanes", func(t *testing.T) {
		for lane := range lanes {
			t.Run(strconv.Itoa(lane), func(t *testing.T) {
				t.Parallel()
				k := &killer{random: rand.New(rand.NewPCG(uint64(lane), 50)), inPlanning: &inPlanning, inCommit: &inCommit}
				for ; k.kills < killsPerLane; imports.Add(1) {
					k.importUntilDone(t, l, killsPerLane)
				}
			})
		}
	})
	t.Logf("%d kills in %d imports: %d hit the planning, %d a commit of claims", lanes*killsPerLane, imports.Load(), inPlanning.Load(), inCommit.Load())
	assert.Positive(t, inCommit.Load(), "some kills hit a commit")
}

// killer kills processes at random moments.
type killer struct {
	random               *rand.Rand
	kills                int
	inPlanning, inCommit *atomic.Int64
}

// importUntilDone imports the lab's file into a new copy of its database, killing whoever works on it until
// enough are killed or the work is done all the same.
func (k *killer) importUntilDone(t *testing.T, l lab, enough int) {
	t.Helper()
	s := l.site(t, "--config", l.shortLease)
	claimed := 0
	for {
		command := []string{"import", "--accept-permanent", l.users}
		before := s.latest(t)
		if before != nil && before.State != schema.StatePlanning && before.State != schema.StateFailed {
			command = []string{"resume", "--accept-permanent", before.ID}
			if before.State == schema.StateApplying {
				s.waitFor(t, nil, abandoned)
				require.Equal(t, schema.StateInterrupted, s.latest(t).State)
			}
		}
		p := s.start(t, command...)
		writing := false
		if k.kills < enough {
			if k.random.IntN(4) > 0 { // not all in the first pass
				s.waitFor(t, p, applying)
			}
			if k.random.IntN(2) == 0 {
				<-time.After(time.Duration(k.random.IntN(200)) * time.Millisecond) // any moment
			} else {
				writing = s.writes(t, p, 1+k.random.IntN(8))
			}
			if p.kill() {
				k.kills++
			}
		}
		got := p.wait(t)

		now := s.latest(t)
		if now == nil {
			continue // killed before there was an import
		}
		require.GreaterOrEqual(t, now.Claimed, claimed, "what is claimed stays claimed")
		claimed = now.Claimed
		switch now.State {
		case schema.StatePlanning, schema.StateFailed: // failed, once the lease has run out: there is no plan to go on with
			k.inPlanning.Add(1)
			assert.Zero(t, claimed)
		case schema.StateAwaitingConsent:
			assert.Zero(t, claimed)
			assert.Equal(t, labUsers, now.NotAttempted)
		case schema.StateApplying, schema.StateInterrupted:
			assert.Equal(t, labUsers, now.Claimed+now.NotAttempted)
			if writing {
				k.inCommit.Add(1)
			}
		case schema.StateCompleted:
			if got.code != exitDone && got.code != -1 {
				require.Fail(t, "not done", got.stderr)
			}
			s.assertAllClaimed(t, l, now.ID)
			return
		default:
			require.Fail(t, "unexpected state", "%s: %s", now.State, got.stderr)
		}
	}
}

// abandoned is true when the lease on the latest import has run out.
const abandoned = "SELECT lease_until <= unixepoch() FROM imports ORDER BY id DESC LIMIT 1"

// inPostgres says what SQLite says, in PostgreSQL's words.
var inPostgres = strings.NewReplacer("unixepoch()", "extract(epoch FROM now())")

// waitFor waits until the query, of one truth value, is true, or the process ends.
func (s *site) waitFor(t *testing.T, p *process, query string) {
	t.Helper()
	conn := s.connect(t)
	defer func() { _ = conn.Close() }()
	if onPostgres() {
		query = inPostgres.Replace(query)
	}
	eventually(t, query, func() (yes bool) {
		require.NoError(t, conn.QueryRowContext(t.Context(), query).Scan(&yes))
		return yes || p.ended()
	})
}

// writes waits until the process is found writing or syncing a file for the nth time, or ends. In PostgreSQL
// it is the server that is found at it, half of a chunk's statements.
func (s *site) writes(t *testing.T, p *process, n int) bool {
	t.Helper()
	writing := func() bool { return writing(p.cmd.Process.Pid) }
	if onPostgres() {
		conn := s.connect(t)
		defer func() { _ = conn.Close() }()
		writing = func() (yes bool) {
			require.NoError(t, conn.QueryRowContext(t.Context(), `SELECT EXISTS (SELECT FROM pg_stat_activity
				WHERE datname = current_database() AND application_name = 'claimline' AND state <> 'idle' AND query ~* '^(copy|commit|update import_chunks)')`).Scan(&yes))
			return yes
		}
	}
	inside := false
	for !p.ended() {
		before := inside
		if inside = writing(); inside && !before {
			if n--; n == 0 {
				return true
			}
		}
	}
	return false
}

// writing reports whether a thread of the process is in the middle of writing a page or syncing a file. The
// program's own output is written otherwise.
func writing(pid int) bool {
	folder := fmt.Sprintf("/proc/%d/task/", pid)
	threads, _ := os.ReadDir(folder)
	for _, thread := range threads {
		data, err := os.ReadFile(folder + thread.Name() + "/syscall")
		if err != nil {
			continue // the thread is gone
		}
		number, _, _ := strings.Cut(string(data), " ")
		switch number {
		case strconv.Itoa(syscall.SYS_FSYNC), strconv.Itoa(syscall.SYS_FDATASYNC), strconv.Itoa(syscall.SYS_PWRITE64):
			return true
		}
	}
	return false
}

// TestKilledWhilePlanning leaves an import that cannot be resumed, and is in nobody's way.
func TestKilledWhilePlanning(t *testing.T) {
	t.Parallel()
	l := openLab(t)
	s := l.site(t, "--config", l.shortLease)
	p := s.start(t, "import", "--accept-permanent", l.users)
	p.freezeBetweenChunks(t, s, halfwayRead)
	require.True(t, p.kill())

	now := s.latest(t)
	require.NotNil(t, now)
	assert.Zero(t, now.Claimed)
	got := s.execute(t, "resume", "--accept-permanent", "--json", now.ID)
	assert.Equal(t, exitFailed, got.code)
	assert.Contains(t, got.stderr, schema.CodeImportIncomplete)
	got = s.execute(t, "report", "--json", now.ID)
	assert.Equal(t, exitFailed, got.code)
	assert.Equal(t, schema.CodeImportIncomplete, got.refusal(t).Code)

	got = s.execute(t, "import", "--accept-permanent", "--json", l.users)
	assert.Equal(t, exitDone, got.code, got.stderr)
	s.assertAllClaimed(t, l, got.summary(t).ID)
}

// TestFrozenRunner freezes the process that works on an import until another has taken it over and finished
// it. When it wakes up it changes nothing.
func TestFrozenRunner(t *testing.T) {
	t.Parallel()
	l := openLab(t)
	s := l.site(t, "--config", l.shortLease)
	p := s.start(t, "import", "--accept-permanent", "--json", "--log-level", "error", l.users)
	p.freezeBetweenChunks(t, s, halfway)

	got := s.execute(t, "resume", "1")
	require.Equal(t, exitDone, got.code, got.stderr)
	s.assertAllClaimed(t, l, "1")
	status, report := s.execute(t, "status", "--json", "1").stdout, s.execute(t, "report", "--format", "jsonl", "1").stdout

	p.thaw(t)
	got = p.wait(t)
	assert.Equal(t, exitFailed, got.code)
	assert.Contains(t, got.stderr, `"code":"import_taken_over"`)
	assert.Equal(t, status, s.execute(t, "status", "--json", "1").stdout)
	assert.Equal(t, report, s.execute(t, "report", "--format", "jsonl", "1").stdout)
	s.assertAllClaimed(t, l, "1")
}
