//go:build linux

package main

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/claimline/claimline/pipeline/store/postgres/postgrestest"
	"github.com/claimline/claimline/pipeline/store/testdb"
	"github.com/claimline/claimline/schema"
)

// labUsers is how many users can be claimed in the lab: six transactions of its configurations.
const labUsers = 30_000

// patience is how long a test waits for what a process will do at once.
const patience = time.Minute

// lab is the program itself, built without the race detector, and a big organization that it has loaded.
type lab struct {
	folder, program string
	generator       string
	users           string // the file that claims everybody
	config          string // transactions are small, and a frozen process keeps its import however long a test takes
	shortLease      string // transactions are small, and a dead process is soon given up
}

// theLab is built once, for all tests that want it.
var theLab = sync.OnceValues(func() (l lab, err error) {
	l.folder, err = os.MkdirTemp("", "claimline-lab-*")
	if err != nil {
		return l, err
	}
	shared = l.folder
	l.program, l.generator = filepath.Join(l.folder, "claimline"), filepath.Join(l.folder, "claimline-bench")
	l.users = filepath.Join(l.folder, "users.csv")
	l.config, l.shortLease = filepath.Join(l.folder, "claimline.yaml"), filepath.Join(l.folder, "short-lease.yaml")
	commands := [][]string{
		{"go", "build", "-o", l.folder, ".", "../claimline-bench"},
		{l.generator, "generate", "-users", strconv.Itoa(labUsers), "-shuffle", l.folder},
	}
	for _, command := range commands {
		cmd := exec.CommandContext(context.Background(), command[0], command[1:]...)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			return l, fmt.Errorf("%v: %w\n%s", command, err, out)
		}
	}
	const small = "transaction_rows: 1000\n" // many chunks, so that there are many moments between two
	return l, errors.Join(os.Chmod(l.folder, 0o755), os.WriteFile(l.config, []byte(small+"lease: 5m\n"), 0o600),
		os.WriteFile(l.shortLease, []byte(small+"lease: 300ms\n"), 0o600))
})

func openLab(t *testing.T) lab {
	t.Helper()
	l, err := theLab()
	require.NoError(t, err)
	return l
}

// labTemplate is a database with the lab's organization, and labOnPostgres one that is in PostgreSQL always.
var (
	labTemplate   = testdb.Template{Prepare: loadLab}
	labOnPostgres = postgrestest.Template{Prepare: loadLab}
)

// loadLab loads the lab's organization.
func loadLab(ctx context.Context, address string) error {
	l, err := theLab()
	if err != nil {
		return err
	}
	out, err := exec.CommandContext(ctx, l.program, "load", "--db", address, filepath.Join(l.folder, "org")).CombinedOutput()
	if err != nil {
		return fmt.Errorf("load the lab's organization: %w\n%s", err, out)
	}
	return nil
}

// site returns a copy of the lab's database.
func (l lab) site(t *testing.T, flags ...string) *site {
	t.Helper()
	s := siteIn(labTemplate.Copy(t))
	s.program, s.global = l.program, append(append(s.global, "--config", l.config), flags...)
	return s
}

// process is the program at work.
type process struct {
	cmd            *exec.Cmd
	stdout, stderr bytes.Buffer
	done           chan struct{} // closed when it has ended
}

// start starts a command on the site, in a process of its own, which does not outlive the test.
func (s *site) start(t *testing.T, args ...string) *process {
	t.Helper()
	p := &process{cmd: exec.CommandContext(t.Context(), s.program, append(s.global, args...)...), done: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr, p.cmd.Env = &p.stdout, &p.stderr, cleanEnv()
	require.NoError(t, p.cmd.Start())
	go func() {
		_ = p.cmd.Wait() // the state says how it ended
		close(p.done)
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		<-p.done
		assertKeepsSecrets(t, p.stderr.String())
	})
	return p
}

// wait waits for the end of the process.
func (p *process) wait(t *testing.T) answer {
	t.Helper()
	select {
	case <-p.done:
	case <-time.After(patience):
		require.Fail(t, "the process does not end", p.stderr.String())
	}
	return answer{code: p.cmd.ProcessState.ExitCode(), stdout: p.stdout.String(), stderr: p.stderr.String()}
}

// ended reports whether the process has ended; no process never does.
func (p *process) ended() bool {
	if p == nil {
		return false
	}
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// kill ends the process as a power failure would, and reports whether it was still there to be killed.
func (p *process) kill() bool {
	_ = p.cmd.Process.Kill()
	<-p.done
	status, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus)
	return ok && status.Signaled()
}

func (p *process) signal(t *testing.T, signal syscall.Signal) {
	t.Helper()
	require.NoError(t, p.cmd.Process.Signal(signal))
}

// freezeWhen stops the process at a moment when the condition holds.
func (p *process) freezeWhen(t *testing.T, condition func() bool) {
	t.Helper()
	eventually(t, "the process is where the test wants it", func() bool {
		require.False(t, p.ended(), "the process ended too soon: %s%s", &p.stdout, &p.stderr)
		return condition()
	})
	p.freeze(t)
}

func (p *process) freeze(t *testing.T) {
	t.Helper()
	p.signal(t, syscall.SIGSTOP)
	eventually(t, "the process is stopped", func() bool { return p.status(t, "State") == "T (stopped)" })
}

// freezeBetweenChunks stops the process when it is not writing, in a state of the database in which the
// query, of one truth value, is true. It holds the write lock meanwhile, so that nothing moves.
func (p *process) freezeBetweenChunks(t *testing.T, s *site, query string) {
	t.Helper()
	conn := s.connect(t)
	defer func() { _ = conn.Close() }()
	s.waitFor(t, p, "SELECT EXISTS (SELECT 1 FROM imports)") // now there is an index, of which nextInLine locks a byte
	eventually(t, query, func() (yes bool) {
		require.False(t, p.ended(), "the process ended too soon: %s%s", &p.stdout, &p.stderr)
		release := s.nextInLine(t) // always, for between two chunks there is no time to look first
		defer release()
		require.NoError(t, conn.QueryRowContext(t.Context(), query).Scan(&yes))
		if yes {
			p.freeze(t)
		}
		return yes
	})
}

// nextInLine takes the write lock as soon as whoever writes has committed. SQLite itself does not queue: it
// would only try now and then. In PostgreSQL it is the imports that it locks.
func (s *site) nextInLine(t *testing.T) (release func()) {
	t.Helper()
	if onPostgres() {
		return s.hold(t, "imports")
	}
	const (
		setAndWait = 38  // F_OFD_SETLKW
		writeLock  = 120 // the byte of the index that a writer locks
	)
	index, err := os.OpenFile(s.db+"-shm", os.O_RDWR, 0)
	require.NoError(t, err)
	lock := syscall.Flock_t{Type: syscall.F_WRLCK, Whence: io.SeekStart, Start: writeLock, Len: 1}
	for err = syscall.EINTR; errors.Is(err, syscall.EINTR); {
		err = syscall.FcntlFlock(index.Fd(), setAndWait, &lock)
	}
	require.NoError(t, err)
	return func() { assert.NoError(t, index.Close()) }
}

// hold keeps others from writing to a table of a database in PostgreSQL.
func (s *site) hold(t *testing.T, table string) (release func()) {
	t.Helper()
	conn := s.connect(t)
	require.NoError(t, execute(t, conn, "BEGIN; LOCK TABLE "+table+" IN EXCLUSIVE MODE"))
	return func() { assert.NoError(t, errors.Join(execute(t, conn, "ROLLBACK"), conn.Close())) }
}

// States of the database in which a process is stopped.
const (
	applying     = "SELECT EXISTS (SELECT 1 FROM imports WHERE state = 'applying')"
	halfway      = "SELECT count(*) BETWEEN 1 AND 25 FROM import_chunks WHERE done"
	halfwayRead  = "SELECT EXISTS (SELECT 1 FROM import_chunks c JOIN imports i ON i.id = c.import WHERE i.state = 'planning')"
	firstClaims  = "SELECT EXISTS (SELECT 1 FROM imports WHERE id = 1 AND state = 'applying') AND (SELECT count(*) FROM import_chunks WHERE import = 1 AND done) < 20"
	secondClaims = "SELECT EXISTS (SELECT 1 FROM imports WHERE id = 2 AND state = 'applying') AND (SELECT count(*) FROM import_chunks WHERE import = 2 AND done) < 20"
)

func (p *process) thaw(t *testing.T) {
	t.Helper()
	p.signal(t, syscall.SIGCONT)
}

// status returns a field of what the system says of the process.
func (p *process) status(t *testing.T, field string) string {
	t.Helper()
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	require.NoError(t, err)
	for line := range strings.Lines(string(data)) {
		if name, value, _ := strings.Cut(line, ":"); name == field {
			return strings.TrimSpace(value)
		}
	}
	require.Fail(t, "no field "+field)
	return ""
}

// eventually asks again and again whether the condition holds, until it does.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	for deadline := time.Now().Add(patience); !condition(); <-ticker.C {
		require.True(t, time.Now().Before(deadline), "not in time: "+what)
	}
}

// execute runs a command in a process of its own, to its end.
func (s *site) execute(t *testing.T, args ...string) answer {
	t.Helper()
	return s.start(t, args...).wait(t)
}

// latest returns how the latest import stands; nil where there is none.
func (s *site) latest(t *testing.T) *schema.Summary {
	t.Helper()
	got := s.execute(t, "status", "--json")
	if got.code != exitDone {
		assert.Equal(t, schema.CodeImportNotFound, got.refusal(t).Code)
		return nil
	}
	summary := got.summary(t)
	return &summary
}

// connect opens the database behind the program's back; what is locked is not waited for.
func (s *site) connect(t *testing.T) *sql.Conn {
	t.Helper()
	conn, err := openSQL(t, s.db).Conn(t.Context())
	require.NoError(t, err)
	if !onPostgres() {
		require.NoError(t, execute(t, conn, "PRAGMA busy_timeout = 0"))
	}
	return conn
}

func execute(t *testing.T, conn *sql.Conn, statement string) error {
	t.Helper()
	_, err := conn.ExecContext(t.Context(), statement)
	return err
}

// assertAllClaimed checks that the import claimed every row of the lab's file exactly once.
func (s *site) assertAllClaimed(t *testing.T, l lab, id string) {
	t.Helper()
	summary := s.execute(t, "status", "--json", id).summary(t)
	assert.Equal(t, schema.StateCompleted, summary.State)
	assert.Equal(t, labUsers, summary.Rows)
	assert.Equal(t, labUsers, summary.Claimed)

	// By their text, for these are many.
	ids := make(map[string]bool, labUsers)
	line := 1
	for result := range strings.Lines(s.execute(t, "report", "--format", "jsonl", id).stdout) {
		line++
		_, claim, found := strings.Cut(result, `"claim_id":"`)
		if !strings.HasPrefix(result, fmt.Sprintf(`{"line":%d,`, line)) || !strings.Contains(result, `"outcome":"claimed"`) ||
			!found || claim == "\"}\n" || ids[claim] {
			require.Fail(t, "a row is lost, double or out of order", result)
		}
		ids[claim] = true
	}
	assert.Len(t, ids, labUsers)
	header, rows, _ := strings.Cut(readFile(t, l.users), "\n")
	var want strings.Builder
	want.WriteString(header + "," + strings.Join(schema.ReportHeaders, ",") + "\n")
	line = 1
	for row := range strings.Lines(rows) {
		line++
		fmt.Fprintf(&want, "%s,%d,claimed,,,,\n", strings.TrimSuffix(row, "\n"), line)
	}
	if s.execute(t, "report", "--format", "csv", id).stdout != want.String() {
		require.Fail(t, "the report does not have the file's cells")
	}

	again := s.execute(t, "validate", "--json", l.users).summary(t)
	assert.Equal(t, map[schema.Code]int{schema.CodeAlreadyClaimed: labUsers}, again.Reasons)
	assert.Equal(t, labUsers, again.Unchanged)
	s.assertClaims(t, labUsers)
}

// assertClaims looks behind the program's back: as many claims were made as is said, each of another user,
// and each is mailed about once.
func (s *site) assertClaims(t *testing.T, want int) {
	t.Helper()
	db := openSQL(t, s.db)
	var open, users, immediate, mails, mailed, activations int
	account, inLine := "user", "(SELECT b.kind, c.id AS claim FROM outbox b JOIN claims c ON c.id > b.claim - b.mails AND c.id <= b.claim)"
	if onPostgres() {
		account, inLine = "account", "outbox"
	}
	require.NoError(t, db.QueryRowContext(t.Context(), `SELECT count(*) FILTER (WHERE closed_at IS NULL), count(DISTINCT `+account+`), count(*) FILTER (WHERE NOT delayed)
		FROM claims WHERE import IS NOT NULL`).Scan(&open, &users, &immediate))
	require.NoError(t, db.QueryRowContext(t.Context(), `SELECT count(*) FILTER (WHERE kind = 'claim'), count(DISTINCT claim) FILTER (WHERE kind = 'claim'),
		count(*) FILTER (WHERE kind = 'activation') FROM `+inLine).Scan(&mails, &mailed, &activations))
	assert.Equal(t, []int{want, want, want, want}, []int{open, users, mails, mailed})
	assert.Equal(t, immediate, activations)
	require.NoError(t, db.Close())
}

// TestReadOnlyDatabase has a database that may not be written to, by somebody whom permissions bind: it can
// be read, and whatever writes is refused.
func TestReadOnlyDatabase(t *testing.T) {
	t.Parallel()
	l := openLab(t)
	s := newSite(t, filepath.Join(samples, "org"))
	folder := filepath.Dir(s.db)
	require.NoError(t, os.Chmod(filepath.Dir(folder), 0o755)) // another user has to get there
	good := filepath.Join(folder, "good.csv")
	copyFile(t, filepath.Join(samples, "good.csv"), good)
	for path, mode := range map[string]os.FileMode{good: 0o444, s.db: 0o444, folder: 0o555} {
		require.NoError(t, os.Chmod(path, mode))
	}
	t.Cleanup(func() { _ = os.Chmod(folder, 0o755) }) // to be removed
	command := func(args ...string) answer {
		cmd := exec.CommandContext(t.Context(), l.program, append(s.global, args...)...)
		cmd.Env, cmd.Dir = cleanEnv(), folder
		if os.Getuid() == 0 {
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		}
		var stdout, stderr bytes.Buffer
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		_ = cmd.Run() // the exit code says it
		return answer{code: cmd.ProcessState.ExitCode(), stdout: stdout.String(), stderr: stderr.String()}
	}
	for _, args := range [][]string{{"import", "--accept-permanent", good}, {"load", filepath.Join(l.folder, "org")}, {"cancel", "1"}, {"resume", "1"}} {
		got := command(append(args, "--json")...)
		assert.Equal(t, exitFailed, got.code)
		refused := got.refusal(t)
		assert.Equal(t, schema.CodeDatabaseReadOnly, refused.Code, refused.Message)
		assert.NotEmpty(t, refused.Fix)
	}
	got := command("validate", "--json", good)
	assert.Equal(t, exitDone, got.code, got.stderr)
	assert.Equal(t, 20, got.summary(t).Ready)
}

// TestFileChangesWhileItIsRead appends to a file when its reader has read some of it, and not yet all.
func TestFileChangesWhileItIsRead(t *testing.T) {
	t.Parallel()
	l := openLab(t)
	s := l.site(t)
	change := func(file string) {
		f, err := os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0)
		require.NoError(t, err)
		_, err = f.WriteString("\n")
		require.NoError(t, errors.Join(err, f.Close()))
	}
	assertChanged := func(p *process, file string) {
		got := p.wait(t)
		assert.Equal(t, exitFailed, got.code)
		refused := got.refusal(t)
		assert.Equal(t, schema.CodeFileChanged, refused.Code)
		assert.Contains(t, refused.Message, file)
		assert.NotEmpty(t, refused.Fix)
	}

	folder := t.TempDir()
	file, report := filepath.Join(folder, "users.csv"), filepath.Join(folder, "report.jsonl")
	copyFile(t, l.users, file)
	p := s.start(t, "validate", "--json", "--format", "jsonl", "-o", report, file)
	p.freezeWhen(t, func() bool { // some rows are reported
		unfinished, err := filepath.Glob(filepath.Join(folder, ".report.jsonl-*"))
		require.NoError(t, err)
		if len(unfinished) == 0 {
			return false
		}
		info, err := os.Stat(unfinished[0])
		return err == nil && info.Size() > 0
	})
	change(file)
	p.thaw(t)
	assertChanged(p, file)
	assert.NoFileExists(t, report)

	p = s.start(t, "import", "--accept-permanent", "--json", file)
	p.freezeBetweenChunks(t, s, halfwayRead)
	change(file)
	p.thaw(t)
	assertChanged(p, file)
	assert.Nil(t, s.latest(t), "nothing is left of it")
}

// TestMemory plans and imports a file many times larger than the memory allowed for what is not the program
// itself.
func TestMemory(t *testing.T) {
	const (
		users = 300_000
		limit = 200 << 10 // KiB
	)
	l := openLab(t)
	folder := t.TempDir()
	s := emptySite(t)
	s.program = l.program
	out, err := exec.CommandContext(t.Context(), l.generator, "generate", "-users", strconv.Itoa(users), "-shuffle", folder).CombinedOutput()
	require.NoError(t, err, string(out))
	file := filepath.Join(folder, "users.csv")
	for _, args := range [][]string{{"load", filepath.Join(folder, "org")}, {"validate", file}, {"import", "--accept-permanent", file}} {
		p := s.start(t, args...)
		// The high-water mark of the process's own memory. What wait4 tells counts the memory of the test,
		// too, from which the process was forked.
		peak := 0
		for !p.ended() {
			peak = max(peak, p.highWater())
			<-time.After(10 * time.Millisecond)
		}
		got := p.wait(t)
		require.Zero(t, got.code, got.stderr)
		assert.NotZero(t, peak)
		assert.Less(t, peak, limit, "%s: peak in KiB", args[0])
		t.Logf("%s of %d users: %d MiB at the peak", args[0], users, peak>>10)
	}
	assert.Equal(t, users, s.latest(t).Claimed)
}

// highWater returns the most memory the process has had, in KiB; 0 once it has ended.
func (p *process) highWater() (kib int) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	if _, line, found := strings.Cut(string(status), "VmHWM:"); found {
		_, _ = fmt.Sscan(line, &kib)
	}
	return kib
}

// cleanEnv returns the environment without what would configure the program.
func cleanEnv() []string {
	return slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "CLAIMLINE_") })
}
