//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/claimline/claimline/schema"
)

// TestOverlappingImports lets two processes import files that share a third of their users, both planned
// before either has claimed any of those.
func TestOverlappingImports(t *testing.T) {
	t.Parallel()
	const each, shared = 20_000, 10_000
	l := openLab(t)
	s := l.site(t)
	lines := strings.SplitAfter(readFile(t, l.users), "\n")
	header, lines := lines[0], lines[1:]
	first := write(t, "first.csv", header+strings.Join(lines[:each], ""))
	second := write(t, "second.csv", header+strings.Join(lines[shared:shared+each], ""))

	a := s.start(t, "import", "--accept-permanent", "--json", first)
	a.freezeBetweenChunks(t, s, firstClaims)
	b := s.start(t, "import", "--accept-permanent", "--json", second)
	b.freezeBetweenChunks(t, s, secondClaims)
	a.thaw(t)
	b.thaw(t)

	claimed, unchanged := 0, 0
	users := map[string]bool{}
	for _, p := range []*process{a, b} {
		got := p.wait(t)
		require.Equal(t, exitDone, got.code, got.stderr)
		summary := got.summary(t)
		assert.Equal(t, each, summary.Rows)
		assert.Equal(t, schema.StateCompleted, summary.State)
		assert.Equal(t, each, summary.Claimed+summary.Unchanged)
		claimed, unchanged = claimed+summary.Claimed, unchanged+summary.Unchanged
		for _, r := range s.execute(t, "report", "--format", "jsonl", summary.ID).results(t) {
			if r.Outcome == schema.Claimed {
				assert.False(t, users[r.Email], "claimed twice")
				users[r.Email] = true
			} else {
				require.Equal(t, schema.CodeAlreadyClaimed, r.Reason)
			}
		}
	}
	assert.Equal(t, labUsers, claimed)
	assert.Equal(t, shared, unchanged)
	assert.Len(t, users, labUsers)
	s.assertClaims(t, labUsers)
}

// TestSettingsChangeDuringAnImport changes what claims depend on when an import has made some of its claims.
// It makes fewer than were planned, never others, and says why.
func TestSettingsChangeDuringAnImport(t *testing.T) {
	t.Parallel()
	const (
		organizations = "id,name,kind,created,directory_sync,bring_conversations,activation_emails,sso\n"
		acme          = "acme,Acme AB,enterprise,2015-03-02,FALSE,TRUE,TRUE,\n"
		domains       = "domain,organization_id,status\n"
		acmeTest      = "@acme.test"
	)
	for _, c := range []struct {
		name                   string
		organizations, domains string
		reason                 func(planned schema.Result) schema.Code // of a row whose turn comes after the change
		outcome                schema.Outcome
	}{
		{
			"directory synchronization is switched on", "acme,Acme AB,enterprise,2015-03-02,TRUE,TRUE,TRUE,\n", "",
			func(schema.Result) schema.Code { return schema.CodeDirectorySyncEnabled }, schema.NotAttempted,
		},
		{
			"a domain is claimed elsewhere", acme, "acme.test,globex,claimed\n",
			func(r schema.Result) schema.Code {
				if strings.HasSuffix(r.Email, acmeTest) {
					return schema.CodeDomainClaimedElsewhere
				}
				return ""
			}, schema.Ineligible,
		},
		{
			"conversations may not be brought any more", "acme,Acme AB,enterprise,2015-03-02,FALSE,FALSE,TRUE,\n", "",
			func(r schema.Result) schema.Code {
				if r.ClaimType == schema.Delayed {
					return schema.CodeStaleClaimType
				}
				return ""
			}, schema.Ineligible,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			l := openLab(t)
			s := l.site(t)
			changed := t.TempDir()
			for name, content := range map[string]string{
				"organizations.csv": organizations + c.organizations, "domains.csv": domains + c.domains, "users.csv": "id,email,organization_id,status\n",
			} {
				require.NoError(t, os.WriteFile(filepath.Join(changed, name), []byte(content), 0o600))
			}
			planned := s.execute(t, "validate", "--format", "jsonl", l.users).results(t)
			require.Len(t, planned, labUsers)

			p := s.start(t, "import", "--accept-permanent", "--json", l.users)
			p.freezeBetweenChunks(t, s, halfway)
			before := s.latest(t).Claimed
			loaded := s.execute(t, "load", changed)
			require.Zero(t, loaded.code, loaded.stderr)
			p.thaw(t)
			got := p.wait(t)
			assert.Equal(t, exitProblems, got.code, got.stderr)
			summary := got.summary(t)
			assert.Equal(t, schema.StateCompletedWithErrors, summary.State)

			reasons := map[schema.Code]int{}
			claimed := 0
			for i, r := range s.execute(t, "report", "--format", "jsonl").results(t) {
				reason := c.reason(planned[i])
				if i < before {
					reason = ""
				}
				require.Equal(t, reason, r.Reason, "line %d", r.Line)
				if reason == "" {
					require.Equal(t, schema.Claimed, r.Outcome)
					require.Equal(t, planned[i].ClaimType, r.ClaimType)
					claimed++
				} else {
					require.Equal(t, c.outcome, r.Outcome)
					require.NotEmpty(t, r.Message)
					require.NotEmpty(t, r.Fix)
					require.Empty(t, r.ClaimID)
					reasons[reason]++
				}
			}
			assert.Equal(t, reasons, summary.Reasons)
			assert.NotEmpty(t, reasons)
			assert.Equal(t, claimed, summary.Claimed)
			s.assertClaims(t, claimed)

			if c.outcome != schema.NotAttempted {
				return
			}
			// Refused as long as it is on; once it is off again, the import goes on.
			resumed := s.execute(t, "resume", "--json", summary.ID)
			assert.Equal(t, exitFailed, resumed.code)
			assert.Contains(t, resumed.stderr, schema.CodeDirectorySyncEnabled)
			loaded = s.execute(t, "load", filepath.Join(l.folder, "org"))
			require.Zero(t, loaded.code, loaded.stderr)
			resumed = s.execute(t, "resume", summary.ID)
			assert.Equal(t, exitDone, resumed.code, resumed.stderr)
			s.assertAllClaimed(t, l, summary.ID)
		})
	}
}

// TestCancelledImport cancels an import from another process, and resumes it.
func TestCancelledImport(t *testing.T) {
	t.Parallel()
	l := openLab(t)
	s := l.site(t)
	p := s.start(t, "import", "--accept-permanent", "--json", l.users)
	p.freezeBetweenChunks(t, s, halfway)
	got := s.execute(t, "cancel", "1")
	assert.Equal(t, exitDone, got.code)
	assert.Contains(t, got.stderr, "will stop after the chunk in hand")
	p.thaw(t)
	got = p.wait(t)
	assert.Equal(t, exitFailed, got.code)
	assertCancelled(t, got.summary(t))
	s.assertResumes(t, l)
}

// assertCancelled checks the summary of an import that was stopped halfway.
func assertCancelled(t *testing.T, summary schema.Summary) {
	t.Helper()
	assert.Equal(t, schema.StateCancelled, summary.State)
	assert.Positive(t, summary.Claimed)
	assert.Positive(t, summary.NotAttempted)
	assert.Equal(t, labUsers, summary.Claimed+summary.NotAttempted)
	assert.Equal(t, map[schema.Code]int{schema.CodeCancelled: summary.NotAttempted}, summary.Reasons)
}

// assertResumes checks that the import goes on where it stopped.
func (s *site) assertResumes(t *testing.T, l lab) {
	t.Helper()
	got := s.execute(t, "resume", "1")
	assert.Equal(t, exitDone, got.code, got.stderr)
	assert.Contains(t, got.stderr, "still to be claimed, as agreed on")
	s.assertAllClaimed(t, l, "1")
}

// TestInterruptedImport stops an import with Ctrl-C: the chunk in hand is finished, and the rest can be
// resumed.
func TestInterruptedImport(t *testing.T) {
	t.Parallel()
	stoppedBy(t, syscall.SIGINT)
}

// TestHangUp closes the terminal of an import, which is a stop like Ctrl-C.
func TestHangUp(t *testing.T) {
	t.Parallel()
	stoppedBy(t, syscall.SIGHUP)
}

// stoppedBy stops an import in the middle, and resumes it.
func stoppedBy(t *testing.T, signal syscall.Signal) {
	t.Helper()
	l := openLab(t)
	s := l.site(t)
	p := s.start(t, "import", "--accept-permanent", "--json", l.users)
	p.freezeBetweenChunks(t, s, halfway)
	p.signal(t, signal)
	p.thaw(t)
	got := p.wait(t)
	assert.Equal(t, exitInterrupted, got.code, got.stderr)
	assertCancelled(t, got.summary(t))
	s.assertResumes(t, l)
}

// TestFileSizeLimit has a disk that does not take everything: the import stops, nothing is given up, and it
// can be gone on with.
func TestFileSizeLimit(t *testing.T) {
	t.Parallel()
	l := openLab(t)
	s := l.site(t)
	impatient := write(t, "claimline.yaml", "transaction_rows: 5000\nretry: 200ms\n")
	limited := *s
	info, err := os.Stat(s.db)
	require.NoError(t, err)
	const block = 512
	limited.program, limited.global = "sh", []string{"-c", fmt.Sprintf("ulimit -f %d; exec %q \"$@\"", info.Size()/2/block, s.program), "sh"}
	limited.global = append(append(limited.global, s.global...), "--config", impatient)
	got := limited.execute(t, "import", "--accept-permanent", "--json", l.users)
	assert.Equal(t, exitFailed, got.code, got.stderr)
	summary := s.latest(t)
	require.NotNil(t, summary, got.stderr)
	assert.Equal(t, schema.StateInterrupted, summary.State)
	assert.Zero(t, summary.Failed)
	assert.Positive(t, summary.NotAttempted)
	assert.Contains(t, got.stderr, "claimline resume 1")
	s.assertResumes(t, l)
}

// TestRowThatTheDatabaseRefuses has a database that does not take the claims of three rows: these fail, and
// no other.
func TestRowThatTheDatabaseRefuses(t *testing.T) {
	t.Parallel()
	l := openLab(t)
	s := l.site(t)
	conn := s.connect(t)
	refuses := `CREATE TRIGGER refuses BEFORE INSERT ON claims WHEN NEW.line IN (17, 18, 23456) BEGIN SELECT RAISE(ABORT, 'refused'); END`
	if onPostgres() {
		refuses = "ALTER TABLE claims ADD CONSTRAINT refuses CHECK (line NOT IN (17, 18, 23456))"
	}
	require.NoError(t, execute(t, conn, refuses))
	require.NoError(t, conn.Close())
	got := s.execute(t, "import", "--accept-permanent", "--json", l.users)
	assert.Equal(t, exitProblems, got.code, got.stderr)
	summary := got.summary(t)
	assert.Equal(t, schema.StateCompletedWithErrors, summary.State)
	assert.Equal(t, labUsers-3, summary.Claimed)
	assert.Equal(t, map[schema.Code]int{schema.CodeInternal: 3}, summary.Reasons)
	var lines []int
	for _, row := range s.execute(t, "report", "--format", "jsonl", "--only", "failed").results(t) {
		lines = append(lines, row.Line)
	}
	assert.Equal(t, []int{17, 18, 23456}, lines)
	s.assertClaims(t, labUsers-3)
}

// TestInterruptedTwice stops at once, though a chunk is in hand: it cannot be finished, for somebody else is
// writing.
func TestInterruptedTwice(t *testing.T) {
	t.Parallel()
	l := openLab(t)
	s := l.site(t, "--config", l.shortLease)
	p := s.start(t, "import", "--accept-permanent", l.users)
	p.freezeBetweenChunks(t, s, halfway)
	release := s.holdClaims(t)
	p.thaw(t)
	eventually(t, "the process stops", func() bool { // signals that come too fast are one to the system
		_ = p.cmd.Process.Signal(syscall.SIGINT)
		return p.ended()
	})
	got := p.wait(t)
	assert.Equal(t, exitInterrupted, got.code, got.stderr)
	release()
	s.assertResumes(t, l)
}

// holdClaims keeps others from claiming.
func (s *site) holdClaims(t *testing.T) (release func()) {
	t.Helper()
	if onPostgres() {
		return s.hold(t, "claims")
	}
	conn := s.connect(t)
	require.NoError(t, execute(t, conn, "BEGIN IMMEDIATE"))
	return func() { require.NoError(t, errors.Join(execute(t, conn, "ROLLBACK"), conn.Close())) }
}
