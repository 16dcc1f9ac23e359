package schema

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var (
	lifeNow  = time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
	lifeTime = 10 * time.Second // of a lease
)

// lifeStates returns imports in every state: as they are written, and as time and ownership make them.
func lifeStates() map[string]Import {
	ready := Tally{Rows: 2, Outcomes: map[Outcome]int{Ready: 2}}
	imp := func(state ImportState, change func(*Import)) Import {
		i := Import{ID: 7, State: state, Planned: state != StatePlanning, Epoch: 3, StartedAt: lifeNow.Add(-time.Hour), Tally: ready}
		if i.Planned && state != StateAwaitingConsent && state != StateRejected {
			i.ConsentedAt = i.StartedAt
		}
		if state.Ended() {
			i.FinishedAt = lifeNow
		}
		if change != nil {
			change(&i)
		}
		return i
	}
	owned := func(i *Import) { i.Runner, i.LeaseUntil = "somebody", lifeNow.Add(time.Second) }
	died := func(i *Import) { i.Runner, i.LeaseUntil = "somebody", lifeNow }
	given := func(i *Import) { i.LeaseUntil = lifeNow.Add(-time.Minute) }
	attended := func(change func(*Import)) func(*Import) {
		return func(i *Import) { i.Attended = true; change(i) }
	}
	return map[string]Import{
		"planning":              imp(StatePlanning, owned),
		"planning, died":        imp(StatePlanning, died),
		"awaiting":              imp(StateAwaitingConsent, nil),
		"queued":                imp(StateQueued, given),
		"applying":              imp(StateApplying, owned),
		"applying, given back":  imp(StateApplying, given),
		"applying, died":        imp(StateApplying, died),
		"attended, given back":  imp(StateApplying, attended(func(i *Import) { i.LeaseUntil = lifeNow.Add(time.Second) })),
		"attended, left":        imp(StateApplying, attended(given)),
		"attended, died":        imp(StateApplying, attended(died)),
		"interrupted":           imp(StateInterrupted, attended(given)),
		"cancelled":             imp(StateCancelled, nil),
		"cancelled, not agreed": imp(StateCancelled, func(i *Import) { i.ConsentedAt = time.Time{} }),
		"completed":             imp(StateCompleted, nil),
		"with errors":           imp(StateCompletedWithErrors, nil),
		"rejected":              imp(StateRejected, func(i *Import) { i.Reason = CodeConsentDeclined }),
	}
}

// lifeEvents returns the events, as the methods of an import.
func lifeEvents() map[string]func(Import) (Import, error) {
	consent := Consent{By: "ann", At: lifeNow, Claims: 2}
	return map[string]func(Import) (Import, error){
		"seal":      func(i Import) (Import, error) { return i.Seal(StateAwaitingConsent, "", lifeNow) },
		"agree":     func(i Import) (Import, error) { return i.Agree(lifeNow, lifeTime, consent) },
		"decline":   func(i Import) (Import, error) { return i.Decline(lifeNow, lifeNow) },
		"discard":   func(i Import) (Import, error) { return i, i.CheckDiscard(lifeNow) },
		"take":      func(i Import) (Import, error) { return i.Take(lifeNow, "me", lifeTime) },
		"release":   func(i Import) (Import, error) { return i.Release(lifeNow, lifeTime, lifeNow) },
		"interrupt": func(i Import) (Import, error) { return i.Interrupt(lifeNow, lifeNow) },
		"cancel":    func(i Import) (Import, error) { return i.Cancel(lifeNow, lifeNow) },
		"end":       func(i Import) (Import, error) { return i.End(StateCompleted, "", lifeNow) },
		"reopen":    func(i Import) (Import, error) { return i.Reopen(lifeNow, lifeTime, false, true) },
		"attend":    func(i Import) (Import, error) { return i.Reopen(lifeNow, lifeTime, true, true) },
	}
}

// TestLife goes through the table of an import's life cell by cell: the state after each event, or the code
// that refuses it.
func TestLife(t *testing.T) {
	const running, finished, incomplete, missing, stopped = CodeImportRunning, CodeImportFinished, CodeImportIncomplete, CodeConsentMissing, CodeInterrupted
	type row = map[string]any
	table := map[string]row{
		"planning": {
			"seal": StateAwaitingConsent, "agree": running, "decline": running, "discard": running, "take": running, "release": running,
			"interrupt": running, "cancel": StatePlanning, "end": running, "reopen": running, "attend": running,
		},
		"planning, died": {
			"seal": StateAwaitingConsent, "agree": incomplete, "decline": incomplete, "discard": incomplete, "take": incomplete, "release": running,
			"interrupt": running, "cancel": finished, "end": running, "reopen": incomplete, "attend": incomplete,
		},
		"awaiting": {
			"seal": missing, "agree": StateQueued, "decline": StateRejected, "discard": StateAwaitingConsent, "take": missing, "release": missing,
			"interrupt": missing, "cancel": StateCancelled, "end": missing, "reopen": StateAwaitingConsent, "attend": StateAwaitingConsent,
		},
		"queued": {
			"seal": running, "agree": running, "decline": running, "discard": running, "take": StateApplying, "release": running,
			"interrupt": running, "cancel": StateCancelled, "end": running, "reopen": StateQueued, "attend": StateApplying,
		},
		"applying": {
			"seal": running, "agree": running, "decline": running, "discard": running, "take": running, "release": StateApplying,
			"interrupt": StateInterrupted, "cancel": StateApplying, "end": StateCompleted, "reopen": running, "attend": running,
		},
		"applying, given back": {
			"seal": running, "agree": running, "decline": running, "discard": running, "take": StateApplying, "release": StateApplying,
			"interrupt": StateInterrupted, "cancel": StateCancelled, "end": StateCompleted, "reopen": StateQueued, "attend": StateApplying,
		},
		"applying, died": {
			"seal": running, "agree": stopped, "decline": stopped, "discard": stopped, "take": StateApplying, "release": StateApplying,
			"interrupt": StateInterrupted, "cancel": StateCancelled, "end": StateCompleted, "reopen": StateQueued, "attend": StateApplying,
		},
		"attended, given back": {
			"seal": running, "agree": running, "decline": running, "discard": running, "take": StateApplying, "release": StateApplying,
			"interrupt": StateInterrupted, "cancel": StateCancelled, "end": StateCompleted, "reopen": StateQueued, "attend": StateApplying,
		},
		"attended, left": {
			"seal": running, "agree": stopped, "decline": stopped, "discard": stopped, "take": stopped, "release": StateApplying,
			"interrupt": StateInterrupted, "cancel": StateCancelled, "end": StateCompleted, "reopen": StateQueued, "attend": StateApplying,
		},
		"attended, died": {
			"seal": running, "agree": stopped, "decline": stopped, "discard": stopped, "take": stopped, "release": StateApplying,
			"interrupt": StateInterrupted, "cancel": StateCancelled, "end": StateCompleted, "reopen": StateQueued, "attend": StateApplying,
		},
		"interrupted": {
			"seal": stopped, "agree": stopped, "decline": stopped, "discard": stopped, "take": stopped, "release": stopped,
			"interrupt": stopped, "cancel": StateCancelled, "end": stopped, "reopen": StateQueued, "attend": StateApplying,
		},
		"cancelled": {
			"seal": finished, "agree": finished, "decline": finished, "discard": finished, "take": finished, "release": finished,
			"interrupt": finished, "cancel": finished, "end": finished, "reopen": StateQueued, "attend": StateApplying,
		},
		"cancelled, not agreed": {
			"seal": finished, "agree": finished, "decline": finished, "discard": finished, "take": finished, "release": finished,
			"interrupt": finished, "cancel": finished, "end": finished, "reopen": StateAwaitingConsent, "attend": StateAwaitingConsent,
		},
		"completed": {
			"seal": finished, "agree": finished, "decline": finished, "discard": finished, "take": finished, "release": finished,
			"interrupt": finished, "cancel": finished, "end": StateCompleted, "reopen": finished, "attend": finished,
		},
		"with errors": {
			"seal": finished, "agree": finished, "decline": finished, "discard": finished, "take": finished, "release": finished,
			"interrupt": finished, "cancel": finished, "end": finished, "reopen": StateQueued, "attend": StateApplying,
		},
		"rejected": {
			"seal": finished, "agree": finished, "decline": finished, "discard": finished, "take": finished, "release": finished,
			"interrupt": finished, "cancel": finished, "end": finished, "reopen": finished, "attend": finished,
		},
	}
	states, events := lifeStates(), lifeEvents()
	require.Len(t, table, len(states))
	for name, imp := range states {
		require.Len(t, table[name], len(events), name)
		for event, want := range table[name] {
			t.Run(fmt.Sprint(name, "/", event), func(t *testing.T) {
				got, err := events[event](imp)
				if code, refused := want.(Code); refused {
					require.Error(t, err)
					assert.Equal(t, code, CodeOf(err), "%v", err)
					refusal, _ := errors.AsType[*Error](err)
					assert.NotEmpty(t, refusal.Text())
					assert.NotEmpty(t, refusal.Remedy())
					return
				}
				require.NoError(t, err)
				assert.Equal(t, want, got.State)
				assert.Equal(t, got.State.Ended(), !got.FinishedAt.IsZero())
				assert.GreaterOrEqual(t, got.Epoch, imp.Epoch)
				if event == "take" {
					assert.True(t, got.Owned(lifeNow))
					assert.Greater(t, got.Epoch, imp.Epoch)
				} else if event != "cancel" && event != "discard" {
					assert.False(t, got.Owned(lifeNow), "only a taker owns it")
				}
			})
		}
	}
}

// What is written is not always what is the case: time ends a lease.
func TestImportAt(t *testing.T) {
	want := map[string]ImportState{
		"planning": StatePlanning, "planning, died": StateFailed, "applying": StateApplying, "applying, given back": StateApplying,
		"applying, died": StateInterrupted, "attended, given back": StateApplying, "attended, left": StateInterrupted, "attended, died": StateInterrupted,
	}
	for name, imp := range lifeStates() {
		state, ok := want[name]
		if !ok {
			state = imp.State
		}
		assert.Equal(t, state, imp.At(lifeNow).State, name)
	}
}

// A consent is to one plan, and carries mails and edits.
func TestImportAgree(t *testing.T) {
	imp := lifeStates()["awaiting"]
	_, err := imp.Agree(lifeNow, lifeTime, Consent{Claims: 3})
	require.Equal(t, CodePlanChanged, CodeOf(err))
	require.ErrorContains(t, err, "2 users, and 3")
	removed := imp
	removed.RowsRemoved = true
	_, err = removed.Agree(lifeNow, lifeTime, Consent{Claims: 2})
	require.Equal(t, CodeImportRemoved, CodeOf(err))

	on := true
	got, err := imp.Agree(lifeNow, lifeTime, Consent{By: "ann", At: lifeNow, Claims: 2, ActivationEmails: &on, AcceptEdits: true, Attended: true})
	require.NoError(t, err)
	require.True(t, got.ActivationEmails && got.EditsAccepted && got.Attended)
	require.Equal(t, "ann", got.ConsentedBy)
	require.Equal(t, lifeNow, got.ConsentedAt)
	require.Equal(t, StateApplying, got.State)
	require.Equal(t, StateApplying, got.At(lifeNow.Add(lifeTime-1)).State, "a runner is expected")
	require.Equal(t, StateInterrupted, got.At(lifeNow.Add(lifeTime)).State, "none has come")
}

// A cancel that was asked for outlives a change of hands, until a person reopens the import.
func TestCancelIsNotLost(t *testing.T) {
	asked, err := lifeStates()["applying"].Cancel(lifeNow, lifeNow)
	require.NoError(t, err)
	require.True(t, asked.CancelRequested)
	for event, leave := range map[string]func() (Import, error){
		"release":   func() (Import, error) { return asked.Release(lifeNow, lifeTime, lifeNow) },
		"interrupt": func() (Import, error) { return asked.Interrupt(lifeNow, lifeNow) },
	} {
		left, err := leave()
		require.NoError(t, err)
		require.Equal(t, StateCancelled, left.State, event)
		require.Equal(t, CodeCancelled, left.Reason)
		require.False(t, left.CancelRequested)
	}
	later := asked.LeaseUntil
	taken, err := asked.Take(later, "me", lifeTime)
	require.NoError(t, err)
	require.True(t, taken.CancelRequested, "who had it died")
	reopened, err := asked.Reopen(later, lifeTime, true, true)
	require.NoError(t, err)
	require.False(t, reopened.CancelRequested)

	planning, err := lifeStates()["planning"].Cancel(lifeNow, lifeNow)
	require.NoError(t, err)
	planning.Planned = true
	sealed, err := planning.Seal(StateAwaitingConsent, "", lifeNow)
	require.NoError(t, err)
	require.Equal(t, StateCancelled, sealed.State)
}

// What has ended with nothing left to do stays so, and what has no rows any more cannot go on.
func TestImportReopen(t *testing.T) {
	for name, code := range map[string]Code{"cancelled": CodeImportFinished, "with errors": CodeImportFinished, "interrupted": "", "applying, died": ""} {
		_, err := lifeStates()[name].Reopen(lifeNow, lifeTime, true, false)
		if code == "" {
			require.NoError(t, err, name)
		} else {
			require.Equal(t, code, CodeOf(err), name)
		}
	}
	imp := lifeStates()["cancelled"]
	imp.RowsRemoved = true
	_, err := imp.Reopen(lifeNow, lifeTime, true, true)
	require.Equal(t, CodeImportRemoved, CodeOf(err))
	_, err = lifeStates()["rejected"].Reopen(lifeNow, lifeTime, true, true)
	require.ErrorContains(t, err, "Nobody agreed")
}

// A lease is never shorter than it is said to be.
func TestLease(t *testing.T) {
	for _, now := range []time.Time{lifeNow, lifeNow.Add(1), lifeNow.Add(time.Second - 1)} {
		for _, lease := range []time.Duration{time.Millisecond, time.Second, time.Minute + 1} {
			imp, err := lifeStates()["queued"].Take(now, "me", lease)
			require.NoError(t, err)
			require.False(t, imp.LeaseUntil.Before(now.Add(lease)))
			require.Less(t, imp.LeaseUntil.Sub(now.Add(lease)), time.Second)
			require.Equal(t, imp.LeaseUntil, imp.LeaseUntil.Truncate(time.Second))
		}
	}
	left := lifeStates()["applying, given back"]
	require.Equal(t, left.LeaseUntil, left.Left())
	require.Equal(t, lifeNow, lifeStates()["cancelled"].Left())
}

// TestLifeIsDrawn holds the table in the comment on life against life.
func TestLifeIsDrawn(t *testing.T) {
	source, err := os.ReadFile("life.go")
	require.NoError(t, err)
	_, table, _ := strings.Cut(string(source), "//\t                       ")
	header, rows, _ := strings.Cut(table, "\n")
	drawn := map[ImportState]map[Event]bool{}
	for row := range strings.Lines(rows) {
		row, inTable := strings.CutPrefix(row, "//\t")
		if !inTable {
			break
		}
		cells := regexp.MustCompile(` {2,}`).Split(strings.TrimSpace(row), -1)
		for state := range strings.SplitSeq(cells[0], ", ") {
			drawn[ImportState(state)] = map[Event]bool{}
			for i, event := range strings.Fields(header) {
				if cells[i+1] != "–" {
					drawn[ImportState(state)][Event(event)] = true
				}
			}
		}
	}
	require.Contains(t, drawn, StateFailed)
	for state, events := range drawn {
		for event := range life[state] {
			assert.True(t, events[event], "%s, %s", state, event)
		}
		assert.Len(t, life[state], len(events), state)
	}
	for state := range life {
		assert.Contains(t, drawn, state)
	}
}
