package schedule_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/claimline/claimline/pipeline"
	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/pipeline/schedule"
	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/pipeline/store/testdb"
	"github.com/claimline/claimline/schema"
)

// site is a database with users that can be claimed, u1@acme.example and so on, a folder, and a scheduler.
type site struct {
	*testing.T
	*schedule.Scheduler
	db     string
	folder string
	now    time.Time
}

const people = 60

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{T: t, folder: t.TempDir(), db: testdb.Empty(t), now: time.Now().UTC().Truncate(time.Second)}
	s.Scheduler = s.scheduler(time.Minute)
	created := time.Date(2021, 1, 1, 0, 0, 0, 0, time.UTC)
	err := s.Store.Load(t.Context(), claim.Rules{Now: s.now, Policy: schema.DefaultPolicy()}, func(into store.Loader) error {
		organizations := []store.LoadOrganization{
			{Organization: schema.Organization{ID: "acme", Name: "Acme", Kind: schema.Enterprise, Created: created}, Line: 2},
			{Organization: schema.Organization{ID: "free", Name: "Free", Kind: schema.Consumer, Created: created}, Line: 3},
		}
		domains := []store.LoadDomain{{Domain: schema.Domain{Domain: "acme.example", OrganizationID: "acme", Status: schema.DomainVerified}, Line: 2}}
		var users []store.LoadUser
		for i := 1; i <= people; i++ {
			address := "u" + strconv.Itoa(i) + "@acme.example"
			users = append(users, store.LoadUser{Key: address, Line: i + 1, User: schema.User{
				ID: strconv.Itoa(i), Email: address, OrganizationID: "free", Status: schema.Active, Profile: schema.Profile{FirstName: "Ann", LastName: "Lee"},
			}})
		}
		if err := into.Organizations(t.Context(), organizations); err != nil {
			return err
		}
		if err := into.Domains(t.Context(), domains); err != nil {
			return err
		}
		return into.Users(t.Context(), users)
	})
	require.NoError(t, err)
	return s
}

// scheduler returns one more process on the database.
func (s *site) scheduler(lease time.Duration) *schedule.Scheduler {
	s.Helper()
	db, err := testdb.Open(s.Context(), s.db)
	require.NoError(s, err)
	opened := store.New(db)
	s.Cleanup(func() { require.NoError(s, opened.Close()) })
	flow, err := pipeline.New(pipeline.Config{
		Store: opened, Now: func() time.Time { return s.now }, Policy: schema.DefaultPolicy(), Workers: 1, Lease: lease, Runner: "test", Log: zerolog.Nop(),
	})
	require.NoError(s, err)
	return &schedule.Scheduler{Flow: flow}
}

// rows returns a file that claims users.
func rows(from, to int) string {
	var b strings.Builder
	b.WriteString("User ID/Email (Required),First Name,Claim\n")
	for i := from; i <= to; i++ {
		b.WriteString("u" + strconv.Itoa(i) + "@acme.example,,TRUE\n")
	}
	return b.String()
}

// put writes a file in the folder that changed so long ago.
func (s *site) put(name, text string, ago time.Duration) string {
	s.Helper()
	path := filepath.Join(s.folder, name)
	require.NoError(s, os.WriteFile(path, []byte(text), 0o600))
	s.age(path, ago)
	return path
}

func (s *site) age(path string, ago time.Duration) {
	s.Helper()
	require.NoError(s, os.Chtimes(path, s.now.Add(-ago), s.now.Add(-ago)))
}

// hourly adds a schedule of the folder that is due at once.
func (s *site) hourly(change func(*schema.Schedule)) schema.Schedule {
	s.Helper()
	hourly := schema.Schedule{
		OrganizationID: "acme", Name: "in", Cron: "@hourly", Zone: "UTC", Dir: s.folder, MaxClaims: 10, ConsentedBy: "terminal:ann",
	}
	if change != nil {
		change(&hourly)
	}
	added, err := s.Add(s.Context(), hourly)
	require.NoError(s, err)
	require.True(s, added.NextRunAt.After(s.now))
	s.now = added.NextRunAt
	return added
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// once takes one step, and says whether there may be more to do.
func (s *site) once() bool {
	s.Helper()
	more, err := s.RunOnce(s.Context(), s.now)
	require.NoError(s, err)
	return more
}

// serve runs what is due, and drives the imports, until nothing is left to do now.
func (s *site) serve() {
	s.Helper()
	for range 100 {
		if !s.once() {
			return
		}
		s.drive()
	}
	require.Fail(s, "there is no end to it")
}

// drive applies the imports that are agreed to.
func (s *site) drive() {
	s.Helper()
	imports, err := s.Store.ListImports(s.Context(), "acme", 0)
	require.NoError(s, err)
	for _, imp := range imports {
		if imp.State == schema.StateQueued {
			more, err := s.Step(s.Context(), imp.ID, 0, pipeline.Watch{})
			require.NoError(s, err)
			require.False(s, more)
		}
	}
}

// runs returns what became of the files, the first first, as "state file import code".
func (s *site) runs() (list []string) {
	s.Helper()
	runs, err := s.Store.Runs(s.Context(), "acme", "in", 0, 0)
	require.NoError(s, err)
	for _, run := range runs {
		words := []string{string(run.State)}
		if run.File != "" {
			words = append(words, filepath.Base(run.File))
		}
		if run.ImportID != 0 {
			words = append(words, strconv.FormatInt(run.ImportID, 10))
		}
		if run.Code != "" {
			words = append(words, string(run.Code))
		}
		list = append([]string{strings.Join(words, " ")}, list...)
	}
	return list
}

// told returns the states of the runs that are told now.
func (s *site) told() (states []schema.RunState) {
	s.Helper()
	_, err := s.Store.TellRuns(s.Context(), 100, func(_ store.Tx, _ schema.Schedule, run schema.ScheduleRun) error {
		states = append(states, run.State)
		return nil
	})
	require.NoError(s, err)
	return states
}

func (s *site) next() time.Time {
	s.Helper()
	found, err := s.Store.Schedule(s.Context(), "acme", "in")
	require.NoError(s, err)
	return found.NextRunAt
}

// hour lets an hour pass.
func (s *site) hour() { s.now = s.now.Add(time.Hour) }

func (s *site) claims() (claimed int) {
	s.Helper()
	imports, err := s.Store.ListImports(s.Context(), "acme", 0)
	require.NoError(s, err)
	for _, imp := range imports {
		claimed += imp.Tally.Outcomes[schema.Claimed]
	}
	return claimed
}

func TestEveryNewFileTheOldestFirst(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.hourly(nil)
	s.put("b.csv", rows(1, 2), 3*time.Hour)
	s.put("a.CSV", rows(3, 4), 2*time.Hour)
	s.put("notes.txt", rows(5, 6), 2*time.Hour)
	s.put(".hidden.csv", rows(5, 6), 2*time.Hour)
	s.put("c.csv.tmp", rows(5, 6), 2*time.Hour)
	require.NoError(t, os.MkdirAll(filepath.Join(s.folder, "folder.csv"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(s.folder, "folder.csv", "deep.csv"), []byte(rows(7, 8)), 0o600))

	require.True(t, s.once())
	require.Equal(t, []string{"running b.csv 1"}, s.runs())
	require.False(t, s.once(), "the next file waits until the import has ended")
	require.Equal(t, s.now, s.next(), "it is due still")
	imp := must(s.Store.Import(t.Context(), "acme", 1))
	assert.Equal(t, schema.StateQueued, imp.State)
	assert.Equal(t, "schedule:in", imp.CreatedBy)
	assert.Equal(t, "schedule:in", imp.ConsentedBy)
	assert.False(t, imp.Attended)
	assert.Equal(t, filepath.Join(s.folder, "b.csv"), imp.File)
	require.Empty(t, s.told())

	s.drive()
	s.serve()
	require.Equal(t, []string{"done b.csv 1", "done a.CSV 2"}, s.runs())
	require.Equal(t, []schema.RunState{schema.RunDone, schema.RunDone}, s.told())
	require.Equal(t, s.now.Add(time.Hour), s.next())
	require.False(t, s.once())

	s.hour()
	s.serve()
	require.Equal(t, []string{"done b.csv 1", "done a.CSV 2", "nothing"}, s.runs())
	s.put("again.csv", rows(1, 2), time.Hour)
	s.put("b.csv", rows(1, 3), time.Minute)
	s.hour()
	s.serve()
	require.Equal(t, []string{"done b.csv 1", "done a.CSV 2", "nothing", "done b.csv 3"}, s.runs(), "content counts, not names")
	require.Equal(t, 4, s.claims())
	require.Equal(t, rows(1, 3), string(must(os.ReadFile(filepath.Join(s.folder, "b.csv")))))
}

func TestMissedTimesAreMadeUpForOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.hourly(nil)
	s.put("a.csv", rows(1, 2), time.Hour)
	s.now = s.now.Add(50*time.Hour + 10*time.Minute)
	s.serve()
	require.Equal(t, []string{"done a.csv 1"}, s.runs())
	require.Equal(t, s.now.Add(50*time.Minute), s.next())
}

func TestFilesBeingWrittenAreLeft(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.hourly(nil)
	path := s.put("a.csv", rows(1, 2), 4*time.Second)
	s.put("old.csv", rows(3, 3), time.Hour)
	s.serve()
	require.Equal(t, []string{"done old.csv 1"}, s.runs())
	require.Equal(t, s.now.Add(10*time.Second), s.next(), "it is looked at again soon")
	s.now = s.now.Add(10 * time.Second)
	s.put("a.csv", rows(1, 5), 0)
	s.serve()
	require.Equal(t, []string{"done old.csv 1"}, s.runs())
	s.now = s.now.Add(10 * time.Second)
	s.serve()
	require.Equal(t, []string{"done old.csv 1", "done a.csv 2"}, s.runs())
	require.Equal(t, s.now.Truncate(time.Hour).Add(time.Hour), s.next())

	s.hour()
	for range 9 {
		require.NoError(t, os.WriteFile(path, []byte(rows(1, 6)), 0o600))
		s.age(path, time.Second)
		s.serve()
		s.now = s.now.Add(8 * time.Minute)
	}
	require.Equal(t, []string{"done old.csv 1", "done a.csv 2", "nothing"}, s.runs(), "a run ends when the next is due")
}

func TestSingleFile(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	path := filepath.Join(s.folder, "users.csv")
	s.hourly(func(h *schema.Schedule) { h.Dir, h.File = "", path })
	s.serve()
	require.Equal(t, []string{"failed users.csv file_unreadable"}, s.runs())
	require.NoError(t, os.Mkdir(path, 0o700))
	s.hour()
	s.serve()
	require.NoError(t, os.Remove(path))
	s.put("users.csv", rows(1, 2), time.Minute)
	s.hour()
	s.serve()
	s.hour()
	s.serve()
	require.Equal(t, []string{"failed users.csv file_unreadable", "failed users.csv file_unreadable", "done users.csv 1", "nothing"}, s.runs())
	require.Equal(t, []schema.RunState{schema.RunFailed, schema.RunFailed, schema.RunDone}, s.told())
}

func TestFolderThatIsGone(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.hourly(func(h *schema.Schedule) { h.Dir = filepath.Join(s.folder, "gone") })
	s.serve()
	require.Equal(t, []string{"failed gone file_unreadable"}, s.runs())
	require.Equal(t, s.now.Add(time.Hour), s.next())
}

func TestPlanBeyondWhatWasAgreedToWaits(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.hourly(nil)
	s.put("a.csv", rows(1, 11), 2*time.Hour)
	s.put("b.csv", rows(20, 21), time.Hour)
	s.serve()
	require.Equal(t, []string{"waiting a.csv 1 consent_missing", "done b.csv 2"}, s.runs())
	require.Equal(t, 2, s.claims())
	require.Equal(t, []schema.RunState{schema.RunWaiting, schema.RunDone}, s.told())

	s.put("c.csv", rows(30, 31), time.Hour)
	s.hour()
	s.serve()
	require.Equal(t, []string{"waiting a.csv 1 consent_missing", "done b.csv 2", "waiting a.csv 1 consent_missing"}, s.runs())
	require.Empty(t, s.told())

	_, err := s.Agree(t.Context(), "acme", 1, schema.Consent{By: "bo", Claims: 11})
	require.NoError(t, err)
	s.hour()
	require.False(t, s.once(), "its import is under way")
	s.drive()
	s.serve()
	require.Equal(t, []string{"waiting a.csv 1 consent_missing", "done b.csv 2", "done a.csv 1", "done c.csv 3"}, s.runs())
	require.Equal(t, []schema.RunState{schema.RunDone, schema.RunDone}, s.told())
	require.Equal(t, 15, s.claims())
}

func TestFilesOfOneRunShareWhatWasAgreedTo(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.hourly(nil)
	s.put("a.csv", rows(1, 6), 3*time.Hour)
	s.put("b.csv", rows(11, 16), 2*time.Hour)
	s.put("c.csv", rows(21, 24), time.Hour)
	s.serve()
	require.Equal(t, []string{"done a.csv 1", "waiting b.csv 2 consent_missing", "done c.csv 3"}, s.runs())
	require.Equal(t, 10, s.claims())
}

func TestManyNewNamesWait(t *testing.T) {
	t.Parallel()
	for _, accepts := range []bool{false, true} {
		s := newSite(t)
		s.hourly(func(h *schema.Schedule) { h.MaxClaims, h.AcceptEdits = 100, accepts })
		s.put("a.csv", strings.ReplaceAll(rows(1, 40), ",,", ",Eve,"), time.Hour)
		s.serve()
		want := "waiting a.csv 1 edits_not_accepted"
		if accepts {
			want = "done a.csv 1"
		}
		require.Equal(t, []string{want}, s.runs())
	}
}

func TestWhatWasNotCompletedIsTriedAgain(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.hourly(func(h *schema.Schedule) { h.AllOrNothing = true })
	s.put("a.csv", rows(1, 2)+"nobody@acme.example,,TRUE\n", time.Hour)
	s.put("b.csv", rows(10, 30), time.Hour)
	s.serve()
	require.Equal(t, []string{"failed a.csv 1 all_or_nothing", "waiting b.csv 2 consent_missing"}, s.runs())
	_, err := s.Cancel(t.Context(), "acme", 2)
	require.NoError(t, err)
	s.hour()
	s.serve()
	require.Equal(t, []string{
		"failed a.csv 1 all_or_nothing", "failed b.csv 2 cancelled", "failed a.csv 3 all_or_nothing", "waiting b.csv 4 consent_missing",
	}, s.runs())
	_, err = s.Decline(t.Context(), "acme", 4)
	require.NoError(t, err)
	require.NoError(t, os.Remove(filepath.Join(s.folder, "a.csv")))
	s.hour()
	s.serve()
	require.Equal(t, []string{"failed b.csv 4 consent_declined", "waiting b.csv 5 consent_missing"}, s.runs()[3:])
}

func TestRefusedFilesAreToldOnceForTheirContent(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.hourly(nil)
	s.put("a.csv", "", 2*time.Hour)
	s.put("b.csv", rows(1, 2), time.Hour)
	s.serve()
	s.hour()
	s.serve()
	require.Equal(t, []string{"failed a.csv file_empty", "done b.csv 1", "nothing"}, s.runs())
	s.put("a.csv", "First Name\nAnn\n", 2*time.Hour)
	s.hour()
	s.serve()
	require.Equal(t, []string{"failed a.csv email_column_missing"}, s.runs()[3:])
	require.Equal(t, []schema.RunState{schema.RunFailed, schema.RunDone, schema.RunFailed}, s.told())
	runs := must(s.Store.Runs(t.Context(), "acme", "in", 0, 1))
	require.Contains(t, runs[0].Message, "a.csv:1: ")
}

func TestNothingIsClaimedWhileTheDirectoryIsSynchronized(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.hourly(nil)
	s.put("a.csv", rows(1, 2), 2*time.Hour)
	s.put("b.csv", rows(3, 4), time.Hour)
	rules := claim.Rules{Now: s.now, Policy: schema.DefaultPolicy()}
	set := func(on bool) {
		_, err := s.Store.SetOrganization(t.Context(), rules, "acme", func(o *schema.Organization) error { o.DirectorySync = on; return nil })
		require.NoError(t, err)
	}
	set(true)
	s.serve()
	require.Equal(t, []string{"failed a.csv directory_sync_enabled"}, s.runs())
	set(false)
	s.hour()
	s.serve()
	require.Equal(t, []string{"failed a.csv directory_sync_enabled", "done a.csv 1", "done b.csv 2"}, s.runs())

	s.put("c.csv", rows(5, 6), time.Hour)
	s.hour()
	require.True(t, s.once())
	set(true) // after the plan: the import stops at its first chunk
	s.drive()
	s.serve()
	require.Equal(t, "failed c.csv 3 directory_sync_enabled", s.runs()[3])
	set(false)
	s.hour()
	s.serve()
	require.Equal(t, "done c.csv 4", s.runs()[4], "it was not completed")
}

// A run takes its files in steps. Who asks for one between two of them would get the rest of that run.
func TestRunSoonWaitsForTheEndOfARun(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.hourly(nil)
	s.put("a.csv", "", time.Hour)
	require.True(t, s.once())
	require.Equal(t, []string{"failed a.csv file_empty"}, s.runs())
	_, err := s.RunSoon(t.Context(), "acme", "in")
	require.Equal(t, schema.CodeScheduleRunning, schema.CodeOf(err))
	s.serve()
	s.put("a.csv", rows(1, 2), time.Hour)
	soon := must(s.RunSoon(t.Context(), "acme", "in"))
	require.Equal(t, s.now, soon.NextRunAt)
	s.serve()
	require.Equal(t, []string{"failed a.csv file_empty", "done a.csv 1"}, s.runs())
}

func TestPausedSchedulesRest(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.hourly(nil)
	s.put("a.csv", rows(1, 2), time.Hour)
	paused := must(s.Pause(t.Context(), "acme", "in", true))
	require.Zero(t, paused.NextRunAt)
	s.hour()
	require.False(t, s.once())
	paused = must(s.Pause(t.Context(), "acme", "in", false))
	require.Equal(t, s.now.Add(time.Hour), paused.NextRunAt, "what was missed is not made up for")
	require.False(t, s.once())
	s.hour()
	s.serve()
	require.Equal(t, []string{"done a.csv 1"}, s.runs())
}

// attended runs the schedule as at a terminal.
func (s *site) attended(with *schedule.Scheduler, hook func()) error {
	s.Helper()
	return with.RunNow(s.Context(), "acme", "in", schedule.Attendant{
		Show: func(schema.Import) error { return nil },
		Apply: func(imp schema.Import) error {
			if hook != nil {
				hook()
			}
			if imp.State.Ended() {
				return nil
			}
			require.True(s, imp.Attended)
			_, err := with.Step(s.Context(), imp.ID, 0, pipeline.Watch{})
			return err
		},
		Told: func(schema.ScheduleRun, error) {},
		Left: func(string, schema.Code) {},
	})
}

func TestRunsOfOneScheduleNeverOverlap(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.hourly(nil)
	s.put("a.csv", rows(1, 2), time.Hour)
	other := s.scheduler(time.Minute)
	require.NoError(t, s.attended(s.Scheduler, func() {
		require.Equal(t, schema.CodeScheduleRunning, schema.CodeOf(s.attended(other, nil)))
		more, err := other.RunOnce(t.Context(), s.now)
		require.NoError(t, err)
		require.False(t, more)
	}))
	require.Equal(t, []string{"done a.csv 1"}, s.runs())
	require.Equal(t, s.now.Add(time.Hour), s.next(), "that made up for what was due")

	s.put("b.csv", rows(3, 4), time.Hour)
	s.hour()
	require.True(t, s.once())
	err := s.attended(other, nil)
	require.Equal(t, schema.CodeScheduleRunning, schema.CodeOf(err))
	require.ErrorContains(t, err, "Import 2 of the schedule")
}

// Many processes at once run each file once.
func TestManyProcesses(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.hourly(nil)
	for i := range 5 {
		s.put(strconv.Itoa(i)+".csv", rows(2*i+1, 2*i+2), time.Hour)
	}
	var g errgroup.Group
	for range 4 {
		process := s.scheduler(time.Minute)
		g.Go(func() error {
			for range 40 {
				if _, err := process.RunOnce(t.Context(), s.now); err != nil {
					return err
				}
				imports, err := process.Store.ListImports(t.Context(), "acme", 0)
				if err != nil {
					return err
				}
				for _, imp := range imports {
					if imp.State != schema.StateQueued {
						continue
					}
					_, err := process.Step(t.Context(), imp.ID, 0, pipeline.Watch{})
					if code := schema.CodeOf(err); err != nil && code != schema.CodeImportRunning && code != schema.CodeImportFinished {
						return err
					}
				}
			}
			return nil
		})
	}
	require.NoError(t, g.Wait())
	s.serve()
	require.Len(t, s.runs(), 5)
	require.Len(t, must(s.Store.ListImports(t.Context(), "acme", 0)), 5)
	require.Equal(t, 10, s.claims())
}

// Whoever dies between the plan and the consent leaves nothing that the next one does not clear away.
func TestDiedBeforeItAgreed(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.hourly(nil)
	s.put("a.csv", rows(1, 2), time.Hour)
	plan := func() schema.Import {
		source := must(dialect.OpenFile(filepath.Join(s.folder, "a.csv")))
		defer func() { require.NoError(t, source.Close()) }()
		return must(s.Plan(t.Context(), source, schema.Order{Organization: "acme", By: "schedule:in"}, pipeline.Watch{}))
	}
	taken, left, err := s.Store.TakeSchedule(t.Context(), "acme", "in", "dead", -time.Hour)
	require.NoError(t, err)
	require.Empty(t, left)
	taken = must(s.Store.BeginRun(t.Context(), taken, s.now))
	noted := schema.ScheduleRun{At: s.now, File: filepath.Join(s.folder, "a.csv")}.After(plan())
	noted.State, noted.Told = schema.RunRunning, true
	must(s.Store.NoteRun(t.Context(), taken, noted, 2))
	plan()
	s.serve()
	require.Equal(t, []string{"done a.csv 3"}, s.runs())
	imports := must(s.Store.ListImports(t.Context(), "acme", 0))
	require.Len(t, imports, 1)
	require.Equal(t, 2, s.claims())
}

// A process that goes on although another has taken its schedule over changes nothing.
func TestTakenOver(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.hourly(nil)
	s.put("a.csv", rows(1, 2), 2*time.Hour)
	s.put("b.csv", rows(3, 4), time.Hour)
	slow := s.scheduler(time.Minute)
	err := s.attended(slow, func() {
		_, err := slow.Store.ChangeSchedule(t.Context(), "acme", "in", func(h *schema.Schedule, _ time.Time) error { h.LeaseUntil = time.Time{}; h.Epoch++; return nil })
		require.NoError(t, err)
	})
	require.Equal(t, schema.CodeScheduleRunning, schema.CodeOf(err))
	require.Equal(t, []string{"done a.csv 1"}, s.runs())
	s.serve()
	require.Equal(t, []string{"done a.csv 1", "done b.csv 2"}, s.runs())
}

func TestChangesThatClaimMoreNeedConsent(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.hourly(nil)
	for _, change := range []func(*schema.Schedule){
		func(h *schema.Schedule) { h.MaxClaims++ },
		func(h *schema.Schedule) { h.AcceptEdits = true },
		func(h *schema.Schedule) { h.Dir = filepath.Join(s.folder, "other") },
		func(h *schema.Schedule) { h.Dir, h.File = "", filepath.Join(s.folder, "a.csv") },
	} {
		_, err := s.Change(t.Context(), "acme", "in", "", change)
		require.Equal(t, schema.CodeConsentMissing, schema.CodeOf(err))
		changed, err := s.Change(t.Context(), "acme", "in", "token:bo", change)
		require.NoError(t, err)
		require.Equal(t, "token:bo", changed.ConsentedBy)
	}
	changed, err := s.Change(t.Context(), "acme", "in", "", func(h *schema.Schedule) {
		h.MaxClaims, h.Cron, h.Zone, h.Notify = 1, "@daily", "Europe/Stockholm", []string{"x@acme.example"}
	})
	require.NoError(t, err)
	require.Equal(t, must(schedule.NewWhen("@daily", "Europe/Stockholm")).Next(s.now), changed.NextRunAt)
	_, err = s.Change(t.Context(), "acme", "in", "", func(h *schema.Schedule) { h.Cron = "@never" })
	require.Equal(t, schema.CodeCronInvalid, schema.CodeOf(err))
	_, err = s.Change(t.Context(), "acme", "out", "", func(*schema.Schedule) {})
	require.Equal(t, schema.CodeScheduleNotFound, schema.CodeOf(err))
}

func TestAddRefused(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.hourly(nil)
	for name, test := range map[string]struct {
		change func(*schema.Schedule)
		want   schema.Code
	}{
		"name taken":       {func(*schema.Schedule) {}, schema.CodeScheduleExists},
		"no name":          {func(h *schema.Schedule) { h.Name = " " }, schema.CodeScheduleInvalid},
		"long name":        {func(h *schema.Schedule) { h.Name = strings.Repeat("å", 65) }, schema.CodeScheduleInvalid},
		"blanks":           {func(h *schema.Schedule) { h.Name = "a " }, schema.CodeScheduleInvalid},
		"control":          {func(h *schema.Schedule) { h.Name = "a\x1b[2J" }, schema.CodeScheduleInvalid},
		"invisible":        {func(h *schema.Schedule) { h.Name = "a\u200bb" }, schema.CodeScheduleInvalid},
		"no text":          {func(h *schema.Schedule) { h.Name = "a\xff" }, schema.CodeScheduleInvalid},
		"path":             {func(h *schema.Schedule) { h.Name = "a/b" }, schema.CodeScheduleInvalid},
		"up":               {func(h *schema.Schedule) { h.Name = ".." }, schema.CodeScheduleInvalid},
		"cron":             {func(h *schema.Schedule) { h.Cron = "@every 1m" }, schema.CodeCronInvalid},
		"zone":             {func(h *schema.Schedule) { h.Zone = "Mars/Olympus" }, schema.CodeZoneUnknown},
		"nobody":           {func(h *schema.Schedule) { h.MaxClaims = 0 }, schema.CodeScheduleInvalid},
		"file and folder":  {func(h *schema.Schedule) { h.File = "/a.csv" }, schema.CodeScheduleInvalid},
		"neither":          {func(h *schema.Schedule) { h.Dir = "" }, schema.CodeScheduleInvalid},
		"relative":         {func(h *schema.Schedule) { h.Dir = "in" }, schema.CodeScheduleInvalid},
		"NUL":              {func(h *schema.Schedule) { h.Dir = "/in\x00" }, schema.CodeScheduleInvalid},
		"address":          {func(h *schema.Schedule) { h.Notify = []string{"ann"} }, schema.CodeEmailInvalid},
		"no address":       {func(h *schema.Schedule) { h.Notify = []string{""} }, schema.CodeEmailInvalid},
		"header":           {func(h *schema.Schedule) { h.Notify = []string{"a@b.example\r\nBcc: c@d.example"} }, schema.CodeEmailInvalid},
		"address twice":    {func(h *schema.Schedule) { h.Notify = []string{"a@b.example", "A@B.example"} }, schema.CodeScheduleInvalid},
		"organization":     {func(h *schema.Schedule) { h.Name, h.OrganizationID = "x", "nobody" }, schema.CodeOrganizationUnknown},
		"where it may not": {func(h *schema.Schedule) { h.Name, h.Confined = "x", true }, schema.CodePathNotAllowed},
	} {
		bad := schema.Schedule{OrganizationID: "acme", Name: "in", Cron: "@hourly", Zone: "UTC", Dir: s.folder, MaxClaims: 10}
		test.change(&bad)
		_, err := s.Add(t.Context(), bad)
		assert.Equal(t, test.want, schema.CodeOf(err), "%s: %v", name, err)
	}
	require.Len(t, must(s.Store.Schedules(t.Context(), "acme")), 1)
}
