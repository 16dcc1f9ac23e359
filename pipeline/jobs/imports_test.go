package jobs

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/claimline/claimline/pipeline"
	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/pipeline/snapshot"
	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/pipeline/store/postgres"
	"github.com/claimline/claimline/pipeline/store/postgres/postgrestest"
	"github.com/claimline/claimline/pipeline/store/sqlite"
	"github.com/claimline/claimline/pipeline/store/testdb"
	"github.com/claimline/claimline/schema"
)

// workOn names, in the environment, the database that this program is to work on, in place of the tests.
const workOn = "CLAIMLINE_TEST_WORK_ON"

// Whatever the tests of this package start ends with them.
func TestMain(m *testing.M) {
	if address := os.Getenv(workOn); address != "" {
		panic(workUntilKilled(address))
	}
	testdb.Without(
		"TestGrace", "TestRefusedSetup", "TestRiverTables", "TestTrouble", "TestWhenLoopsRun", // no database
		"TestClocksOff", "TestNoSigns", "TestSameUsersAtOnce", "TestServerRestarted", "TestSigns", "TestWorkerCutOff", "TestWorkerFrozen", "TestWorkersKilled", // PostgreSQL always
	)
	goleak.VerifyTestMain(m)
}

func workUntilKilled(address string) error {
	p, err := openProcess(context.Background(), address, false)
	if err != nil {
		return err
	}
	d, err := New(Config{Now: time.Now, Log: zerolog.New(os.Stderr), Pool: p.pool, Loops: []Loop{Imports(p.Flow, 1, 0)}})
	if err != nil {
		return err
	}
	d.Run(context.Background())
	return nil
}

// process is what one process has.
type process struct {
	*pipeline.Flow
	pool *pgxpool.Pool // nil: of a file
	db   store.DB
}

// openProcess opens a database as one process does, whose death is soon noticed.
func openProcess(ctx context.Context, address string, create bool) (p process, err error) {
	if path, isFile := strings.CutPrefix(address, "sqlite:"); isFile {
		p.db, err = sqlite.Open(ctx, path, sqlite.Options{Create: create})
	} else {
		var db *postgres.DB
		if db, err = postgres.Open(ctx, address, postgres.Options{Create: create}); err == nil {
			p.pool, p.db = db.Pool(), db
		}
	}
	if err != nil {
		return p, err
	}
	p.Flow, err = pipeline.New(pipeline.Config{
		Store: store.New(p.db), Now: time.Now, Policy: schema.DefaultPolicy(), Workers: 2, Lease: 300 * time.Millisecond,
		Runner: fmt.Sprintf("process %d %s", os.Getpid(), rand.Text()), TransactionRows: 25, Retry: time.Minute,
	})
	return p, err
}

// template has the schema, which takes longer to create than most tests.
var template = postgrestest.Template{Prepare: func(ctx context.Context, address string) error {
	p, err := openProcess(ctx, address, true)
	if err != nil {
		return err
	}
	return p.db.Close()
}}

// site is a database with two organizations, and accounts that each of them can claim.
type site struct {
	testing.TB
	process
	address  string
	accounts int           // of each organization
	look     time.Duration // between two looks at what is waited for
}

func newSite(t *testing.T, accounts int) *site {
	t.Helper()
	return newSiteIn(t, testdb.Empty(t), accounts)
}

// newSiteIn does what newSite does, in an empty database.
func newSiteIn(tb testing.TB, address string, accounts int) *site {
	tb.Helper()
	folder := tb.TempDir()
	write := func(name string, lines ...string) {
		require.NoError(tb, os.WriteFile(filepath.Join(folder, name), []byte(strings.Join(lines, "\n")+"\n"), 0o600))
	}
	write("organizations.csv", "id,name,kind,created,sso,directory_sync,bring_conversations,activation_emails",
		"acme,Acme AB,enterprise,2015-01-01,,FALSE,TRUE,", "umbrella,Umbrella,enterprise,2015-01-01,,FALSE,TRUE,", "hooli,Hooli,personal,2019-01-01,,FALSE,FALSE,")
	write("domains.csv", "domain,organization_id,status", "acme.example,acme,verified", "umbrella.example,umbrella,verified")
	users := []string{"id,email,organization_id,status"}
	for i := range accounts {
		users = append(users, fmt.Sprintf("a%d,%d@acme.example,hooli,active", i, i), fmt.Sprintf("u%d,%d@umbrella.example,hooli,active", i, i))
	}
	write("users.csv", users...)

	s := &site{TB: tb, address: address, accounts: accounts, look: 3 * time.Millisecond}
	s.process = s.open(s.address, true)
	_, err := snapshot.Load(tb.Context(), s.Store, claim.RulesAt(time.Now(), s.Policy), folder, snapshot.Options{})
	require.NoError(tb, err)
	return s
}

// open returns one more process, at an address of the site's database.
func (s *site) open(address string, create bool) process {
	s.Helper()
	p, err := openProcess(s.Context(), address, create)
	require.NoError(s, err)
	s.Cleanup(func() { require.NoError(s, p.db.Close()) })
	return p
}

// work starts one more process that works on imports, so many at once.
func (s *site) work(workers, perOrganization int) *running {
	s.Helper()
	p := s.open(s.address, false)
	return start(s.TB, Config{Pool: p.pool, Log: zerolog.New(zerolog.NewTestWriter(s.TB)), Loops: []Loop{Imports(p.Flow, workers, perOrganization)}})
}

// spawn starts one more process, which does not outlive the test, at an address of the site's database.
func (s *site) spawn(address string) *exec.Cmd {
	s.Helper()
	p := exec.CommandContext(s.Context(), os.Args[0])
	p.Env = append(os.Environ(), workOn+"="+address)
	p.Stderr = os.Stderr
	require.NoError(s, p.Start())
	s.Cleanup(func() { kill(p) })
	return p
}

func kill(p *exec.Cmd) {
	_ = p.Process.Kill()
	_ = p.Wait() // it was killed
}

// agreed returns an import of the organization's accounts from one number up to another, agreed to.
func (s *site) agreed(organization string, from, to int, attended bool) int64 {
	s.Helper()
	id := s.planned(organization, from, to, attended)
	s.agree(organization, id, to-from, attended)
	return id
}

// planned returns such an import, which waits for consent.
func (s *site) planned(organization string, from, to int, attended bool) int64 {
	s.Helper()
	lines := []string{"User ID/Email (Required)"}
	for i := from; i < to; i++ {
		lines = append(lines, fmt.Sprintf("%d@%s.example", i, organization))
	}
	path := filepath.Join(s.TempDir(), "users.csv")
	require.NoError(s, os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o600))
	source, err := dialect.OpenFile(path)
	require.NoError(s, err)
	defer func() { require.NoError(s, source.Close()) }()
	imp, err := s.Plan(s.Context(), source, schema.Order{Organization: organization, By: "ann", Attended: attended}, pipeline.Watch{})
	require.NoError(s, err)
	return imp.ID
}

// agree agrees to an import that will make so many claims.
func (s *site) agree(organization string, id int64, claims int, attended bool) {
	s.Helper()
	_, err := s.Agree(s.Context(), organization, id, schema.Consent{By: "bo", Claims: claims, Attended: attended})
	require.NoError(s, err)
}

func (s *site) found(id int64) schema.Import {
	s.Helper()
	var imp schema.Import
	require.NoError(s, s.Persist(s.Context(), func() (err error) {
		imp, err = s.Store.Import(s.Context(), "", id)
		return err
	}))
	return imp
}

func (s *site) states(ids ...int64) (states []schema.ImportState) {
	s.Helper()
	for _, id := range ids {
		states = append(states, s.found(id).State)
	}
	return states
}

// completed requires that an import has claimed so many accounts, all of its file.
func (s *site) completed(id int64, want int) {
	s.Helper()
	imp := s.found(id)
	require.Equal(s, schema.StateCompleted, imp.State)
	require.Equal(s, want, imp.Tally.Rows)
	require.Equal(s, map[schema.Outcome]int{schema.Claimed: want}, imp.Tally.Outcomes)
}

// waiting is how long a test waits for what will happen in a moment.
const waiting = 5 * time.Minute

// until waits until something is true of an import.
func (s *site) until(id int64, holds func(imp schema.Import) bool) {
	s.Helper()
	ticker := time.NewTicker(s.look)
	defer ticker.Stop()
	for deadline := time.Now().Add(waiting); ; <-ticker.C {
		imp := s.found(id)
		if holds(imp) {
			return
		}
		require.True(s, time.Now().Before(deadline), "not in time: %s, %s, %v", imp.State, imp.Runner, imp.Tally.Outcomes)
	}
}

func halfway(imp schema.Import) bool { return imp.Tally.Outcomes[schema.Claimed] > 0 }
func ended(imp schema.Import) bool   { return imp.State.Ended() }

// once runs a loop once.
func (s *site) once(l Loop) bool {
	s.Helper()
	more, err := l.RunOnce(s.Context(), time.Now())
	require.NoError(s, err)
	return more
}

// Imports are driven whoever planned them, small ones first, by turns; those of a terminal are left to it.
func TestImports(t *testing.T) {
	t.Parallel()
	s := newSite(t, 1200)
	loop := Imports(s.open(s.address, false).Flow, 1, 1)
	require.False(t, s.once(loop))

	terminal := s.agreed("acme", 0, 10, true)
	medium := s.agreed("acme", 0, 1100, false)
	small, theirs := s.agreed("acme", 1100, 1125, false), s.agreed("umbrella", 0, 25, false)
	require.True(t, s.once(loop))
	require.Equal(t, []schema.ImportState{schema.StateCompleted, schema.StateQueued, schema.StateQueued}, s.states(small, theirs, medium))
	require.True(t, s.once(loop))
	require.Equal(t, []schema.ImportState{schema.StateCompleted, schema.StateQueued}, s.states(theirs, medium))
	for s.once(loop) { // in as many slices as it takes
		require.Contains(t, []schema.ImportState{schema.StateApplying, schema.StateCompleted}, s.found(medium).State)
	}
	require.Zero(t, s.found(terminal).Tally.Outcomes[schema.Claimed])
	s.completed(medium, 1100)
}

// One import of an organization is worked on at once, by whomever; what was cancelled is left alone.
func TestImportsAtOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t, 50)
	running, waiting, cancelled := s.agreed("acme", 0, 20, false), s.agreed("acme", 20, 40, false), s.agreed("umbrella", 0, 10, false)
	_, err := s.Cancel(t.Context(), "umbrella", cancelled)
	require.NoError(t, err)
	owner, err := s.Store.TakeTurn(t.Context(), running, "somebody else", time.Hour, 1)
	require.NoError(t, err)
	require.False(t, s.once(Imports(s.Flow, 1, 1)))
	require.Equal(t, []schema.ImportState{schema.StateApplying, schema.StateQueued, schema.StateCancelled}, s.states(running, waiting, cancelled))
	require.True(t, s.once(Imports(s.Flow, 1, 2)))
	s.completed(waiting, 20)
	require.NoError(t, s.Store.ReleaseImport(t.Context(), owner, s.Lease, time.Now()))
	require.True(t, s.once(Imports(s.Flow, 1, 1)))
	s.completed(running, 20)
}

// Two processes with two workers each share the imports, and each row is claimed once. Stopped, they give
// back what they have in hand, which goes on where it stood.
func TestSharedAndStopped(t *testing.T) {
	t.Parallel()
	s := newSite(t, 1500)
	var ids []int64
	for i := range 3 {
		ids = append(ids, s.agreed("acme", 500*i, 500*i+500, false), s.agreed("umbrella", 500*i, 500*i+500, false))
	}
	work := func() (stop func()) {
		one, two := s.work(2, 0), s.work(2, 0)
		return func() {
			one.stop()
			two.stop()
			<-one.done
			<-two.done
		}
	}
	stop := work()
	s.until(ids[0], halfway)
	stop()
	for _, id := range ids {
		imp := s.found(id)
		assert.Contains(t, []schema.ImportState{schema.StateQueued, schema.StateApplying, schema.StateCompleted}, imp.State)
		assert.False(t, imp.Owned(time.Now()))
	}
	stop = work()
	for _, id := range ids {
		s.until(id, ended)
		s.completed(id, 500)
	}
	stop()
}

// An import whose process is killed goes on by itself; one of a terminal waits for a person.
func TestKilled(t *testing.T) {
	t.Parallel()
	const accounts = 4000
	s := newSite(t, accounts)
	terminal := s.agreed("umbrella", 0, 100, true)
	_, err := s.Store.TakeImport(t.Context(), terminal, "a terminal that dies", s.Lease)
	require.NoError(t, err)
	id := s.agreed("acme", 0, accounts, false)
	for kills, claimed := 0, 0; kills < 3; kills++ {
		p := s.spawn(s.address)
		s.until(id, func(imp schema.Import) bool { return imp.Tally.Outcomes[schema.Claimed] > claimed })
		kill(p)
		imp := s.found(id)
		require.False(t, imp.State.Ended(), "it was in the middle")
		require.GreaterOrEqual(t, imp.Tally.Outcomes[schema.Claimed], claimed)
		claimed = imp.Tally.Outcomes[schema.Claimed]
	}
	s.work(1, 1)
	s.until(id, ended)
	s.completed(id, accounts)
	s.until(terminal, func(imp schema.Import) bool { return imp.State == schema.StateInterrupted })
	require.Zero(t, s.found(terminal).Tally.Outcomes[schema.Claimed])
	_, err = s.Reopen(t.Context(), "umbrella", terminal, true)
	require.NoError(t, err)
}

// What time makes due is written, and what is old removed.
func TestUpkeep(t *testing.T) {
	t.Parallel()
	s := newSite(t, 10)
	id := s.agreed("acme", 0, 5, false)
	require.True(t, s.once(Imports(s.Flow, 1, 1)))
	later := *s.Flow
	later.Now = func() time.Time { return time.Now().Add(100 * 24 * time.Hour) }
	require.False(t, s.once(Upkeep(&later)))
	require.False(t, s.once(Removals(&later)))
	require.True(t, s.found(id).RowsRemoved)
	swept, err := later.Sweep(t.Context())
	require.NoError(t, err)
	require.Zero(t, swept, "nothing is left to do")
}
