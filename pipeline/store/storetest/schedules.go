package storetest

import (
	"errors"
	"strconv"
	"sync"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/schema"
)

// nightly returns a schedule that says something of everything.
func (s *suite) nightly() schema.Schedule {
	off := false
	return schema.Schedule{
		OrganizationID: "acme", Name: "nightly", Cron: "0 3 * * *", Zone: "Europe/Stockholm", Dir: "/in", MaxClaims: 10, AcceptEdits: true,
		AllOrNothing: true, ActivationEmails: &off, Notify: []string{"ann@acme.example", "bo@acme.example"}, Confined: true,
		Reading:     schema.Reading{Encoding: "macintosh", Columns: []string{"Krav=Claim", "\x00=a"}, IgnoreColumns: []string{"Ö"}, EveryRow: true, NoEdits: true},
		ConsentedBy: "terminal:ann", ConsentedAt: s.now, NextRunAt: s.now.Add(time.Hour),
	}
}

// scheduled adds a schedule, and takes it.
func (s *suite) scheduled() schema.Schedule {
	s.Helper()
	require.NoError(s, s.AddSchedule(s.ctx(), s.nightly()))
	taken := s.takeSchedule()
	taken, err := s.BeginRun(s.ctx(), taken, s.now)
	require.NoError(s, err)
	return taken
}

func (s *suite) takeSchedule() schema.Schedule {
	s.Helper()
	taken, left, err := s.TakeSchedule(s.ctx(), "acme", "nightly", "first", lease)
	require.NoError(s, err)
	require.Empty(s, left)
	return taken
}

func (s *suite) release(taken schema.Schedule) {
	s.Helper()
	require.NoError(s, s.ReleaseSchedule(s.ctx(), taken, true, func(as schema.Schedule) time.Time { return as.NextRunAt }))
}

// noted notes a run of an import that waits, or was agreed to.
func (s *suite) noted(taken schema.Schedule, sha256 string, id int64) schema.ScheduleRun {
	s.Helper()
	run := schema.ScheduleRun{At: s.now, File: "/in/a.csv", SHA256: sha256}.After(s.imported(id))
	run, err := s.NoteRun(s.ctx(), taken, run, 0)
	require.NoError(s, err)
	return run
}

func (s *suite) runs() []schema.ScheduleRun {
	s.Helper()
	runs, err := s.Runs(s.ctx(), "acme", "nightly", 0, 0)
	require.NoError(s, err)
	return runs
}

// states returns the states of the runs, the newest first.
func (s *suite) states() (states []schema.RunState) {
	s.Helper()
	for _, run := range s.runs() {
		states = append(states, run.State)
	}
	return states
}

// told tells of runs, and returns their states.
func (s *suite) told() (states []schema.RunState) {
	s.Helper()
	told, err := s.TellRuns(s.ctx(), 10, func(_ store.Tx, schedule schema.Schedule, run schema.ScheduleRun) error {
		require.Equal(s, "nightly", schedule.Name)
		states = append(states, run.State)
		return nil
	})
	require.NoError(s, err)
	require.Len(s, states, told)
	return states
}

var scheduleTests = map[string]func(*suite){
	"a schedule is kept whole": func(s *suite) {
		s.load(world())
		want := s.nightly()
		require.NoError(s, s.AddSchedule(s.ctx(), want))
		got, err := s.another().Schedule(s.ctx(), "acme", "nightly")
		require.NoError(s, err)
		want.ID = got.ID
		require.Equal(s, want, got)

		plain := schema.Schedule{OrganizationID: "acme", Name: "Åsa's", Cron: "@daily", Zone: "UTC", File: "/f.csv", MaxClaims: 1, Paused: true, ConsentedAt: s.now}
		require.NoError(s, s.AddSchedule(s.ctx(), plain))
		theirs := s.nightly()
		theirs.OrganizationID = "umbrella"
		require.NoError(s, s.AddSchedule(s.ctx(), theirs), "a name is one organization's")
		list, err := s.Schedules(s.ctx(), "acme")
		require.NoError(s, err)
		require.Len(s, list, 2)
		require.Equal(s, want, list[0])
		plain.ID = list[1].ID
		require.Equal(s, plain, list[1])

		changed, err := s.ChangeSchedule(s.ctx(), "acme", "nightly", func(found *schema.Schedule, _ time.Time) error {
			require.Equal(s, want, *found)
			found.Paused, found.MaxClaims, found.Notify, found.NextRunAt = true, 7, nil, time.Time{}
			found.Reading = schema.Reading{}
			return nil
		})
		require.NoError(s, err)
		want.Paused, want.MaxClaims, want.Notify, want.NextRunAt, want.Reading = true, 7, nil, time.Time{}, schema.Reading{}
		require.Equal(s, want, changed)
		stop := errors.New("stop")
		_, err = s.ChangeSchedule(s.ctx(), "acme", "nightly", func(found *schema.Schedule, _ time.Time) error {
			found.MaxClaims = 1000
			return stop
		})
		require.ErrorIs(s, err, stop)
		got, err = s.Schedule(s.ctx(), "acme", "nightly")
		require.NoError(s, err)
		require.Equal(s, want, got)

		require.NoError(s, s.RemoveSchedule(s.ctx(), "acme", "nightly"))
		_, err = s.Schedule(s.ctx(), "acme", "nightly")
		s.refused(err, schema.CodeScheduleNotFound)
		_, err = s.Schedule(s.ctx(), "umbrella", "nightly")
		require.NoError(s, err)
	},
	"schedules that are not there": func(s *suite) {
		s.load(world())
		require.NoError(s, s.AddSchedule(s.ctx(), s.nightly()))
		s.refused(s.AddSchedule(s.ctx(), s.nightly()), schema.CodeScheduleExists)
		nobodys := s.nightly()
		nobodys.OrganizationID = "nobody"
		s.refused(s.AddSchedule(s.ctx(), nobodys), schema.CodeOrganizationUnknown)
		_, err := s.Schedules(s.ctx(), "nobody")
		s.refused(err, schema.CodeOrganizationUnknown)
		for _, look := range []func(organization, name string) error{
			func(o, n string) error { _, err := s.Schedule(s.ctx(), o, n); return err },
			func(o, n string) error { _, err := s.Runs(s.ctx(), o, n, 0, 0); return err },
			func(o, n string) error { return s.RemoveSchedule(s.ctx(), o, n) },
			func(o, n string) error { _, _, err := s.TakeSchedule(s.ctx(), o, n, "x", lease); return err },
			func(o, n string) error {
				_, err := s.ChangeSchedule(s.ctx(), o, n, func(*schema.Schedule, time.Time) error { return nil })
				return err
			},
		} {
			s.refused(look("umbrella", "nightly"), schema.CodeScheduleNotFound)
			s.refused(look("acme", "Nightly"), schema.CodeScheduleNotFound)
		}
	},
	"of many who add a schedule of one name one does": func(s *suite) {
		s.load(world())
		var wait sync.WaitGroup
		errs := make([]error, 6)
		for i := range errs {
			handle := s.another()
			wait.Go(func() { errs[i] = handle.AddSchedule(s.ctx(), s.nightly()) })
		}
		wait.Wait()
		added := 0
		for _, err := range errs {
			if err == nil {
				added++
				continue
			}
			s.refused(err, schema.CodeScheduleExists)
		}
		require.Equal(s, 1, added)
	},
	"a schedule is one runner's at a time": func(s *suite) {
		s.load(world())
		first := s.scheduled()
		require.Equal(s, "first", first.Runner)
		other := s.another()
		_, _, err := other.TakeSchedule(s.ctx(), "acme", "nightly", "second", lease)
		s.refused(err, schema.CodeScheduleRunning)
		s.refused(s.RemoveSchedule(s.ctx(), "acme", "nightly"), schema.CodeScheduleRunning)
		due, err := other.DueSchedules(s.ctx(), s.now.Add(day))
		require.NoError(s, err)
		require.Empty(s, due)

		s.now = s.now.Add(lease - time.Second)
		require.NoError(s, s.RenewSchedule(s.ctx(), first, lease))
		s.now = s.now.Add(lease - time.Second)
		_, _, err = other.TakeSchedule(s.ctx(), "acme", "nightly", "second", lease)
		s.refused(err, schema.CodeScheduleRunning)
		s.now = s.now.Add(time.Second)
		second, _, err := other.TakeSchedule(s.ctx(), "acme", "nightly", "second", lease)
		require.NoError(s, err)
		for _, late := range []error{
			s.RenewSchedule(s.ctx(), first, lease),
			s.ReleaseSchedule(s.ctx(), first, true, func(schema.Schedule) time.Time { return s.now }),
			func() error { _, err := s.BeginRun(s.ctx(), first, s.now); return err }(),
			func() error { _, err := s.NoteRun(s.ctx(), first, schema.ScheduleRun{At: s.now}, 5); return err }(),
			func() error { _, err := s.RepeatWaiting(s.ctx(), first, s.now); return err }(),
		} {
			s.refused(late, schema.CodeScheduleRunning)
		}
		require.Empty(s, s.runs())
		require.NoError(s, other.ReleaseSchedule(s.ctx(), second, true, func(as schema.Schedule) time.Time {
			require.Equal(s, "0 3 * * *", as.Cron)
			return s.now.Add(time.Minute)
		}))
		free, err := s.Schedule(s.ctx(), "acme", "nightly")
		require.NoError(s, err)
		require.Equal(s, s.now.Add(time.Minute), free.NextRunAt)
		require.Zero(s, free.RunSince)
		s.release(s.takeSchedule())
	},
	"the first due comes first": func(s *suite) {
		s.load(world())
		for i, after := range []time.Duration{2 * time.Hour, time.Hour, 3 * time.Hour, 0, time.Hour} {
			schedule := s.nightly()
			schedule.Name, schedule.NextRunAt = strconv.Itoa(i), s.now.Add(after)
			if i == 4 {
				schedule.Paused = true
			}
			if i == 3 {
				schedule.NextRunAt, schedule.OrganizationID = time.Time{}, "umbrella"
			}
			require.NoError(s, s.AddSchedule(s.ctx(), schedule))
		}
		due, err := s.DueSchedules(s.ctx(), s.now.Add(2*time.Hour))
		require.NoError(s, err)
		require.Len(s, due, 2)
		require.Equal(s, "1", due[0].Name)
		require.Equal(s, "0", due[1].Name)
	},
	"what became of each file is kept": func(s *suite) {
		s.load(world())
		taken := s.scheduled()
		id := s.planned("acme", []string{"a@acme.example"})
		waiting := s.noted(taken, "aa", id)
		require.Equal(s, schema.RunWaiting, waiting.State)
		refused, err := s.NoteRun(s.ctx(), taken, schema.ScheduleRun{At: s.now, File: "/in/b.csv", SHA256: "bb"}.Failed(schema.CodeFileEmpty, "It is empty."), 0)
		require.NoError(s, err)
		require.Equal(s, []schema.ScheduleRun{refused, waiting}, s.runs())
		require.Equal(s, taken.Run, refused.Number)
		last, err := s.Schedule(s.ctx(), "acme", "nightly")
		require.NoError(s, err)
		require.Equal(s, &refused, last.LastRun)
		older, err := s.Runs(s.ctx(), "acme", "nightly", refused.ID, 5)
		require.NoError(s, err)
		require.Equal(s, []schema.ScheduleRun{waiting}, older)
		so, err := s.RunSoFar(s.ctx(), taken)
		require.NoError(s, err)
		require.Len(s, so, 2)

		for sha, want := range map[string]store.Content{"aa": {Taken: true}, "bb": {Taken: true, Refused: schema.CodeFileEmpty}, "cc": {}} {
			content, err := s.Content(s.ctx(), taken, sha)
			require.NoError(s, err)
			require.Equal(s, want, content, sha)
		}
		later, err := s.BeginRun(s.ctx(), taken, s.now)
		require.NoError(s, err)
		content, err := s.Content(s.ctx(), later, "bb")
		require.NoError(s, err)
		require.Equal(s, store.Content{Refused: schema.CodeFileEmpty}, content)
	},
	"claims that a run agrees to are counted": func(s *suite) {
		s.load(world())
		taken := s.scheduled()
		for i, want := range []int{3, 7} {
			_, err := s.NoteRun(s.ctx(), taken, schema.ScheduleRun{At: s.now, State: schema.RunDone}, 3+i)
			require.NoError(s, err)
			found, err := s.Schedule(s.ctx(), "acme", "nightly")
			require.NoError(s, err)
			require.Equal(s, want, found.RunClaims)
		}
		taken, err := s.BeginRun(s.ctx(), taken, s.now)
		require.NoError(s, err)
		require.Zero(s, taken.RunClaims)
	},
	"a plan that waits is repeated, and its end noted in the newest run": func(s *suite) {
		s.load(world())
		taken := s.scheduled()
		id := s.planned("acme", []string{"a@acme.example"})
		first := s.noted(taken, "aa", id)
		require.Equal(s, []schema.RunState{schema.RunWaiting}, s.told())
		taken, err := s.BeginRun(s.ctx(), taken, s.now.Add(day))
		require.NoError(s, err)
		again, err := s.RepeatWaiting(s.ctx(), taken, s.now.Add(day))
		require.NoError(s, err)
		require.Len(s, again, 1)
		require.Equal(s, id, again[0].ImportID)
		require.Greater(s, again[0].Number, first.Number)
		require.Empty(s, s.told(), "that has been told")
		s.release(taken)

		_, err = s.Decline(s.ctx(), "acme", id, s.now)
		require.NoError(s, err)
		require.Equal(s, []schema.RunState{schema.RunFailed, schema.RunWaiting}, s.states(), "also before it is written down")
		require.NoError(s, s.SettleRuns(s.ctx()))
		require.NoError(s, s.SettleRuns(s.ctx()))
		require.Equal(s, []schema.RunState{schema.RunFailed, schema.RunWaiting}, s.states())
		require.Equal(s, schema.CodeConsentDeclined, s.runs()[0].Code)
		require.Equal(s, []schema.RunState{schema.RunFailed}, s.told())
		content, err := s.Content(s.ctx(), taken, "aa")
		require.NoError(s, err)
		require.False(s, content.Completed)
	},
	"nobody works on a schedule whose import is under way": func(s *suite) {
		s.load(world(user(1, "a@acme.example", "free")))
		taken := s.scheduled()
		id := s.planned("acme", []string{"a@acme.example"})
		run := s.noted(taken, "aa", id)
		run.State, run.Told = schema.RunRunning, true
		_, err := s.NoteRun(s.ctx(), taken, run, 1)
		require.NoError(s, err)
		_, err = s.Agree(s.ctx(), "acme", id, lease, schema.Consent{By: "schedule:nightly", At: s.now, Claims: 1})
		require.NoError(s, err)
		s.release(taken)
		_, _, err = s.TakeSchedule(s.ctx(), "acme", "nightly", "second", lease)
		s.refused(err, schema.CodeScheduleRunning)
		due, err := s.DueSchedules(s.ctx(), s.now.Add(day))
		require.NoError(s, err)
		require.Empty(s, due)
		require.NoError(s, s.SettleRuns(s.ctx()))
		require.Empty(s, s.told())

		owner := s.take(id)
		s.apply(owner, 1, []string{"a@acme.example"})
		require.NoError(s, s.FinishImport(s.ctx(), owner, store.ImportEnd{State: schema.StateCompleted, At: s.now}))
		require.Equal(s, []schema.RunState{schema.RunDone}, s.states())
		require.NoError(s, s.SettleRuns(s.ctx()))
		require.Equal(s, []schema.RunState{schema.RunDone}, s.told())
		require.Empty(s, s.told(), "once")
		content, err := s.Content(s.ctx(), taken, "aa")
		require.NoError(s, err)
		require.True(s, content.Completed)
		s.release(s.takeSchedule())
	},
	"who died before it agreed leaves nothing behind": func(s *suite) {
		s.load(world())
		taken := s.scheduled()
		noted := s.planned("acme", []string{"a@acme.example"})
		run := s.noted(taken, "aa", noted)
		run.State = schema.RunRunning
		_, err := s.NoteRun(s.ctx(), taken, run, 1)
		require.NoError(s, err)
		waiting := s.noted(taken, "cc", s.planned("acme", []string{"c@acme.example"}))
		owner, err := s.CreateImport(s.ctx(), schema.Import{OrganizationID: "acme", CreatedBy: "schedule:nightly", StartedAt: s.now}, "first", lease)
		require.NoError(s, err)
		s.seal(owner)
		s.planned("acme", []string{"b@acme.example"}) // somebody else's

		s.now = s.now.Add(lease)
		require.NoError(s, s.SettleRuns(s.ctx()))
		require.Equal(s, []schema.RunState{schema.RunWaiting, schema.RunRunning}, s.states())
		due, err := s.DueSchedules(s.ctx(), s.now.Add(day))
		require.NoError(s, err)
		require.Len(s, due, 1)
		_, left, err := s.TakeSchedule(s.ctx(), "acme", "nightly", "second", lease)
		require.NoError(s, err)
		require.ElementsMatch(s, []int64{noted, owner.ImportID}, left)
		require.Equal(s, []schema.ScheduleRun{waiting}, s.runs())
	},
	"old runs are removed, and what the next one needs is not": func(s *suite) {
		s.load(world(user(1, "a@acme.example", "free")))
		taken := s.scheduled()
		begin := func() {
			s.now = s.now.Add(time.Hour)
			var err error
			taken, err = s.BeginRun(s.ctx(), taken, s.now)
			require.NoError(s, err)
		}
		note := func(run schema.ScheduleRun) schema.ScheduleRun {
			run.At = s.now
			run, err := s.NoteRun(s.ctx(), taken, run, 0)
			require.NoError(s, err)
			return run
		}
		nothing := func() schema.ScheduleRun { return note(schema.ScheduleRun{State: schema.RunNothing, Told: true}) }
		refused := func(file, sha256 string) schema.ScheduleRun {
			return note(schema.ScheduleRun{File: file, SHA256: sha256}.Failed(schema.CodeFileEmpty, "It is empty."))
		}

		id := s.planned("acme", []string{"a@acme.example"})
		s.noted(taken, "aa", id)
		nothing()
		begin()
		again, err := s.RepeatWaiting(s.ctx(), taken, s.now)
		require.NoError(s, err)
		require.Len(s, again, 1)
		_, err = s.Agree(s.ctx(), "acme", id, lease, schema.Consent{By: "bo", At: s.now, Claims: 1})
		require.NoError(s, err)
		owner := s.take(id)
		s.apply(owner, 1, []string{"a@acme.example"})
		require.NoError(s, s.FinishImport(s.ctx(), owner, store.ImportEnd{State: schema.StateCompleted, At: s.now}))
		begin()
		refused("/in/b.csv", "b1")
		newest := refused("/in/b.csv", "b2")
		other := refused("/in/a.csv", "a2") // no import came of this content
		waiting := s.noted(taken, "cc", s.planned("acme", []string{"b@acme.example"}))
		begin()
		before := nothing()
		begin()
		last := nothing()
		s.release(taken)
		require.NoError(s, s.SettleRuns(s.ctx()))
		done := again[0]
		done.State, done.Open, done.Told, done.Code, done.Message = schema.RunDone, false, true, "", ""

		n, err := s.RemoveRuns(s.ctx(), s.now.Add(time.Hour))
		require.NoError(s, err)
		require.Equal(s, 1, n, "of nothing is nothing to tell; the others have not been told")
		s.told()
		newest.Told, other.Told, waiting.Told = true, true, true
		n, err = s.RemoveRuns(s.ctx(), s.now.Add(-100*time.Hour))
		require.NoError(s, err)
		require.Zero(s, n, "nothing is so old")
		n, err = s.RemoveRuns(s.ctx(), s.now.Add(time.Hour))
		require.NoError(s, err)
		require.Equal(s, 2, n)
		require.Equal(s, []schema.ScheduleRun{last, before, waiting, other, newest, done}, s.runs())
		n, err = s.RemoveRuns(s.ctx(), s.now.Add(time.Hour))
		require.NoError(s, err)
		require.Zero(s, n)

		for sha, want := range map[string]store.Content{"aa": {Completed: true}, "b2": {Refused: schema.CodeFileEmpty}, "a2": {Refused: schema.CodeFileEmpty}} {
			content, err := s.Content(s.ctx(), taken, sha)
			require.NoError(s, err)
			require.Equal(s, want, content, sha)
		}
	},
	"runs of an import that is gone": func(s *suite) {
		s.load(world())
		taken := s.scheduled()
		id := s.planned("acme", []string{"a@acme.example"})
		s.noted(taken, "aa", id)
		require.NoError(s, s.DiscardImport(s.ctx(), "acme", id))
		require.NoError(s, s.SettleRuns(s.ctx()))
		runs := s.runs()
		require.Len(s, runs, 1)
		require.Equal(s, schema.RunFailed, runs[0].State)
		require.Zero(s, runs[0].ImportID)
	},
	"what is told and what is written for it go together": func(s *suite) {
		s.load(world())
		taken := s.scheduled()
		_, err := s.NoteRun(s.ctx(), taken, schema.ScheduleRun{At: s.now}.Failed(schema.CodeFileUnreadable, "gone"), 0)
		require.NoError(s, err)
		stop := errors.New("stop")
		_, err = s.TellRuns(s.ctx(), 10, func(store.Tx, schema.Schedule, schema.ScheduleRun) error { return stop })
		require.ErrorIs(s, err, stop)
		require.Equal(s, []schema.RunState{schema.RunFailed}, s.told())
	},
}
