package schema

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What becomes of a run by what becomes of its import.
func TestScheduleRunAfter(t *testing.T) {
	for name, test := range map[string]struct {
		imp   Import
		state RunState
		code  Code
	}{
		"queued":                {Import{State: StateQueued}, RunRunning, ""},
		"applying":              {Import{State: StateApplying}, RunRunning, ""},
		"its process died":      {Import{State: StateInterrupted, Runner: "x"}, RunRunning, ""},
		"waits for a person":    {Import{State: StateInterrupted, Attended: true}, RunFailed, CodeInterrupted},
		"waits for consent":     {Import{State: StateAwaitingConsent}, RunWaiting, CodeConsentMissing},
		"completed":             {Import{State: StateCompleted}, RunDone, ""},
		"with errors":           {Import{State: StateCompletedWithErrors}, RunDone, ""},
		"stopped in the middle": {Import{State: StateCompletedWithErrors, Reason: CodeDirectorySyncEnabled}, RunFailed, CodeDirectorySyncEnabled},
		"rejected":              {Import{State: StateRejected, Reason: CodeAllOrNothing}, RunFailed, CodeAllOrNothing},
		"declined":              {Import{State: StateRejected, Reason: CodeConsentDeclined}, RunFailed, CodeConsentDeclined},
		"cancelled":             {Import{State: StateCancelled, Reason: CodeCancelled}, RunFailed, CodeCancelled},
		"never planned":         {Import{State: StateFailed}, RunFailed, CodeImportIncomplete},
	} {
		test.imp.ID = 7
		was := ScheduleRun{State: RunWaiting, Code: CodeConsentMissing, Message: "21 users", Open: true, Told: true}
		is := was.After(test.imp)
		assert.Equal(t, test.state, is.State, name)
		assert.Equal(t, test.code, is.Code, name)
		assert.Equal(t, is.Code != "", is.Message != "", name)
		assert.NotContains(t, is.Message, "this row", name)
		assert.Equal(t, is.State == RunRunning || is.State == RunWaiting, is.Open, name)
		assert.Equal(t, is.Open, is.Told, "%s: an end is told", name)
		assert.Equal(t, int64(7), is.ImportID, name)
		assert.Equal(t, is, is.After(test.imp), "%s: once", name)
	}
	about := ScheduleRun{State: RunRunning, ImportID: 7, Open: true, Told: true}
	assert.Equal(t, about, about.After(Import{ID: 7, State: StateAwaitingConsent}), "it is about to be agreed to")
}

func TestScheduleLease(t *testing.T) {
	s := Schedule{Name: "a"}
	taken, err := s.Take(lifeNow, "x", lifeTime)
	require.NoError(t, err)
	assert.Equal(t, int64(1), taken.Epoch)
	_, err = taken.Take(lifeNow.Add(lifeTime-time.Second), "y", lifeTime)
	assert.Equal(t, CodeScheduleRunning, CodeOf(err))
	again, err := taken.Take(lifeNow.Add(lifeTime), "y", lifeTime)
	require.NoError(t, err)
	assert.Equal(t, int64(2), again.Epoch)
	assert.True(t, taken.Renew(lifeNow.Add(lifeTime), lifeTime).Owned(lifeNow.Add(lifeTime)))
}

func TestScheduleViews(t *testing.T) {
	data, err := json.Marshal(Schedule{Name: "a", Cron: "@daily", Zone: "UTC", Dir: "/in", MaxClaims: 5, Paused: true}.View())
	require.NoError(t, err)
	assert.JSONEq(t, `{"name":"a","cron":"@daily","zone":"UTC","file":null,"dir":"/in","max_claims":5,"all_or_nothing":false,"notify":[],"paused":true,`+
		`"next_run_at":null,"last_run":null}`, string(data))
	run := ScheduleRun{At: lifeNow, State: RunFailed, File: "/in/a.csv", ImportID: 3, Code: CodeCancelled, Message: "m"}
	data, err = json.Marshal(Schedule{File: "/f", NextRunAt: lifeNow, Notify: []string{"x"}, LastRun: &run}.View())
	require.NoError(t, err)
	assert.Contains(t, string(data), `"file":"/f","dir":null,`)
	assert.Contains(t, string(data), `"next_run_at":"2026-03-10T12:00:00Z","last_run":{"at":"2026-03-10T12:00:00Z","state":"failed","import":"3","code":"cancelled"}`)
	data, err = json.Marshal(ScheduleRun{At: lifeNow, State: RunNothing}.View())
	require.NoError(t, err)
	assert.JSONEq(t, `{"at":"2026-03-10T12:00:00Z","state":"nothing","file":null,"import":null,"code":null,"message":null}`, string(data))
}
