package pipeline_test

import (
	"context"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/claimline/claimline/pipeline"
	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/pipeline/report"
	"github.com/claimline/claimline/schema"
)

// Cancelled between two chunks, or stopped because directory synchronization was turned on in the middle
// (R10), an import keeps what it did, says why the rest was not attempted, and does it when it is resumed.
func TestStoppedInTheMiddle(t *testing.T) {
	for _, reason := range []schema.Code{schema.CodeCancelled, schema.CodeDirectorySyncEnabled} {
		t.Run(string(reason), func(t *testing.T) {
			base, came := t.TempDir(), countsOf("not attempted")
			checkUntil(t, 10, came, func(t *rapid.T) { came["not attempted"] += stoppedInTheMiddle(t, base, reason) })
		})
	}
}

// stoppedInTheMiddle returns how many rows were not attempted at first.
func stoppedInTheMiddle(t *rapid.T, base string, reason schema.Code) (rest int) {
	w := drawWorld(t)
	f := drawUsersFile(t, w, 20)
	if len(f.rows) == 0 {
		return 0
	}
	r := newRun(t, base, w)
	r.TransactionRows = 1 + choices{t}.upTo(3) // so that there is a middle
	planned, _, summary := r.validate(f.bytes, f.order())
	after := choices{t}.upTo(summary.Ready / 2)

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var trouble error
	synchronized := func(on bool) {
		w.organizations[0].sync = on
		_, trouble = r.load(w)
	}
	r.watch.Progress = func(phase pipeline.Phase, done, _ int) {
		switch {
		case phase != pipeline.Applying || done < after || w.organizations[0].sync || ctx.Err() != nil:
		case reason == schema.CodeCancelled:
			cancel()
		default:
			synchronized(true)
		}
	}
	var imp schema.Import
	r.with(f.bytes, func(source dialect.Source) {
		var err error
		imp, err = imports(ctx, r.Flow, source, f.order(), agree, r.watch)
		require.NoError(t, err)
	})
	require.NoError(t, trouble)
	r.watch.Progress = nil
	results := decodeResults(t, r.reported(imp, report.JSONL, false))
	rest = f.sameOrNotAttempted(t, planned, results, reason)
	s, err := imp.Summary()
	require.NoError(t, err)
	addUp(t, s, results)
	require.GreaterOrEqual(t, s.Claimed, min(after, 1))
	if rest == 0 {
		return 0
	}
	state := schema.StateCancelled
	if reason == schema.CodeDirectorySyncEnabled {
		state = schema.StateCompletedWithErrors
		synchronized(false)
		require.NoError(t, trouble)
	}
	require.Equal(t, state, imp.State)

	imp, err = resumes(t.Context(), r.Flow, imp.ID, agree, r.watch)
	require.NoError(t, err)
	results = decodeResults(t, r.reported(imp, report.JSONL, false))
	require.Zero(t, f.sameOrNotAttempted(t, planned, results, reason))
	_, err = resumes(t.Context(), r.Flow, imp.ID, agree, r.watch)
	require.Equal(t, schema.CodeImportFinished, schema.CodeOf(err))
	return rest
}

// sameOrNotAttempted checks that rows became what was planned, or were not attempted for a reason; it returns
// how many of these there are.
func (f *usersFile) sameOrNotAttempted(t require.TestingT, planned, results []schema.Result, reason schema.Code) (rest int) {
	require.Len(t, results, len(planned))
	for i, result := range results {
		want := planned[i]
		switch {
		case want.Outcome != schema.Ready:
			require.Equal(t, want, result)
		case result.Outcome == schema.NotAttempted:
			require.Equal(t, []schema.Code{reason}, result.Reasons)
			rest++
		default:
			want.Outcome, want.ClaimID = schema.Claimed, result.ClaimID
			require.Equal(t, want, result)
		}
	}
	return rest
}

// Settings and claims that change in the middle of an import can only make fewer claims: each row whose turn
// comes after the change is decided on what then holds, and claimed only if it is still as it was shown
// (promise 1).
func TestChangedInTheMiddle(t *testing.T) {
	for reason, change := range map[schema.Code]func(*world, choices){
		schema.CodeStaleClaimType: func(w *world, _ choices) { w.organizations[0].bring = !w.organizations[0].bring },
		schema.CodeDomainClaimedElsewhere: func(w *world, c choices) {
			for _, domain := range domainNames {
				if held := w.domains[domain]; !slices.Contains(slices.Collect(maps.Values(held)), "claimed") && c.chance(80) {
					held[pick(c, w.organizations[1:]...).id] = "claimed"
				}
			}
		},
		schema.CodeSourceSSO: func(w *world, c choices) {
			for _, o := range w.organizations[1:] {
				o.sso = o.sso || c.chance(90)
			}
		},
		schema.CodeSourceDirectorySync: func(w *world, c choices) {
			for _, o := range w.organizations[1:] {
				o.sync = o.sync || c.chance(90)
			}
		},
		schema.CodeClaimedElsewhere: func(w *world, c choices) {
			for _, p := range w.ready() {
				if by := pick(c, w.organizations[1:]...).id; p.claimedBy == "" && p.organization != by && c.chance(60) {
					p.claimedBy, p.claimType, p.claimedFor = by, "immediate", 0
				}
			}
		},
	} {
		t.Run(string(reason), func(t *testing.T) {
			base, came := t.TempDir(), countsOf("refused")
			checkUntil(t, 10, came, func(t *rapid.T) { came["refused"] += changedInTheMiddle(t, base, reason, change) })
		})
	}
}

// changedInTheMiddle returns how many rows were refused for the reason.
func changedInTheMiddle(t *rapid.T, base string, reason schema.Code, change func(*world, choices)) (refused int) {
	w := drawWorld(t)
	f := drawUsersFile(t, w, 20)
	if len(f.rows) == 0 {
		return 0
	}
	r := newRun(t, base, w)
	r.TransactionRows = 1 + choices{t}.upTo(3) // so that there is a middle
	planned, _, summary := r.validate(f.bytes, f.order())
	c := choices{t}
	after, changed := c.upTo(summary.Ready/2), -1
	r.watch.Progress = func(phase pipeline.Phase, done, _ int) {
		if phase != pipeline.Applying || done < after || changed >= 0 {
			return
		}
		changed = done
		turn := 0
		for i, p := range planned {
			if p.Outcome == schema.Ready && turn < done {
				w.claim(f.rows[i].want.person, string(p.ClaimType), p.Licenses)
				turn++
			}
		}
		change(w, c)
		_, err := r.load(w)
		require.NoError(t, err)
	}
	imp, results := r.importing(f.bytes, f.order())
	s, err := imp.Summary()
	require.NoError(t, err)
	addUp(t, s, results)

	turn := 0
	for i, result := range results {
		if planned[i].Outcome != schema.Ready {
			require.Equal(t, planned[i], result)
			continue
		}
		outcome, reasons := "claimed", []string(nil)
		if changed >= 0 && turn >= changed {
			now, why, claimType, _ := w.rules(f.rows[i].want.person, "")
			switch {
			case now != "ready":
				outcome, reasons = now, why
			case claimType != string(planned[i].ClaimType):
				outcome, reasons = "ineligible", []string{"stale_claim_type"}
			}
		}
		turn++
		require.Equal(t, outcome, string(result.Outcome))
		require.Equal(t, reasons, seenAs(result).reasons)
		if outcome == "claimed" {
			require.Equal(t, planned[i].ClaimType, result.ClaimType)
		}
		if slices.Contains(result.Reasons, reason) {
			refused++
		}
	}
	return refused
}
