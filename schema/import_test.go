package schema

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// inOrder checks a text byte by byte: the order of the keys is part of the contract.
func inOrder(t *testing.T, want string, got []byte) {
	t.Helper()
	assert.Equal(t, want, string(got))
}

func TestResultJSON(t *testing.T) {
	full, err := json.Marshal(Result{
		Line: 12, Email: "ann@acme.example", Outcome: Ineligible, Reason: CodeSourceSSO, Reasons: []Code{CodeSourceSSO}, Column: "Claim Type",
		ClaimType: Delayed, Message: "m", Fix: "f", Warnings: []string{"content_not_transferred"}, Licenses: []string{"Calling"}, ClaimID: "7",
	}.Complete())
	require.NoError(t, err)
	inOrder(t, `{"line":12,"email":"ann@acme.example","claim_type":"delayed","outcome":"ineligible","reason":"source_sso",`+
		`"reasons":["source_sso"],"column":"Claim Type","message":"m","fix":"f","warnings":["content_not_transferred"],"licenses":["Calling"],"edits":{},"claim_id":"7"}`, full)

	empty, err := json.Marshal(Result{Line: 2, Outcome: Ready}.Complete())
	require.NoError(t, err)
	inOrder(t, `{"line":2,"email":"","claim_type":"","outcome":"ready","reason":"",`+
		`"reasons":[],"column":"","message":"","fix":"","warnings":[],"licenses":[],"edits":{},"claim_id":""}`, empty)
}

func TestSummaryJSON(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	text, err := json.Marshal(Summary{
		ID: "1", File: "f.csv", SHA256: "ab", Organization: "acme", State: StateCompleted, DryRun: true, Rows: 36, Ready: 1, Claimed: 2, Unchanged: 3, Skipped: 4,
		Invalid: 5, Ineligible: 6, Failed: 7, NotAttempted: 8, Warnings: map[Code]int{CodeLicenseUnavailable: 1}, Reasons: map[Code]int{CodeSourceSSO: 6}, Edits: map[string]int{"Title": 1},
		Repairs: map[Repair]int{RepairBOM: 1}, UnknownColumns: []string{"Notes"}, StartedAt: &at,
	})
	require.NoError(t, err)
	inOrder(t, `{"id":"1","file":"f.csv","sha256":"ab","organization":"acme","state":"completed","dry_run":true,"rows":36,`+
		`"ready":1,"claimed":2,"unchanged":3,"skipped":4,"invalid":5,"ineligible":6,"failed":7,"not_attempted":8,`+
		`"warnings":{"license_unavailable":1},"reasons":{"source_sso":6},"edits":{"Title":1},"repairs":{"bom":1},"unknown_columns":["Notes"],`+
		`"started_at":"2026-01-02T03:04:05Z","finished_at":null}`, text)
}

func TestOutcomes(t *testing.T) {
	assert.Equal(t, []Outcome{"ready", "claimed", "unchanged", "skipped", "invalid", "ineligible", "failed", "not_attempted"}, Outcomes)
	var problems []Outcome
	for _, o := range Outcomes {
		if o.Problem() {
			problems = append(problems, o)
		}
	}
	assert.Equal(t, []Outcome{Invalid, Ineligible, Failed, NotAttempted}, problems)
}

func TestEnded(t *testing.T) {
	for state, ended := range map[ImportState]bool{
		"queued": false, "planning": false, "awaiting_consent": false, "applying": false, "interrupted": false,
		"completed": true, "completed_with_errors": true, "rejected": true, "cancelled": true, "failed": true,
	} {
		assert.Equal(t, ended, state.Ended(), state)
	}
}

// counted is a row as a tally counts it.
type counted struct {
	outcome  Outcome
	reasons  []Code
	warnings []string
	edits    []string
}

func drawCounted() *rapid.Generator[counted] {
	return rapid.Custom(func(t *rapid.T) counted {
		return counted{
			outcome:  rapid.SampledFrom(Outcomes).Draw(t, "outcome"),
			reasons:  rapid.SliceOfN(rapid.SampledFrom([]Code{CodeSourceSSO, CodeUserNotFound, CodeFieldCount}), 0, 2).Draw(t, "reasons"),
			warnings: rapid.SliceOfN(rapid.SampledFrom([]string{"content_not_transferred", "license_unavailable:A", "license_unavailable:B: C"}), 0, 3).Draw(t, "warnings"),
			edits:    rapid.SliceOfN(rapid.SampledFrom([]string{"Title", "First Name"}), 0, 2).Draw(t, "edits"),
		}
	})
}

func count(rows []counted) (t Tally) {
	for _, r := range rows {
		t.Count(1, r.outcome, r.reasons, r.warnings)
		for _, column := range r.edits {
			t.CountEdit(r.outcome, column)
		}
	}
	return t
}

// However rows are cut into parts, the parts add up to the same, and the outcomes to the rows.
func TestTally(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows := rapid.SliceOf(drawCounted()).Draw(t, "rows")
		cut := rapid.IntRange(0, len(rows)).Draw(t, "cut")
		whole, first, second := count(rows), count(rows[:cut]), count(rows[cut:])

		sum, turned := Tally{}, Tally{}
		sum.Add(first)
		sum.Add(second)
		turned.Add(second)
		turned.Add(first)
		require.Equal(t, whole, sum)
		require.Equal(t, whole, turned)
		require.Equal(t, count(rows[:cut]), first, "adding changes only what is added to")

		if len(rows) > 0 { // many alike at once
			r, n := rows[0], rapid.IntRange(1, 9).Draw(t, "alike")
			var alike Tally
			alike.Count(n, r.outcome, r.reasons, r.warnings)
			for range n {
				for _, column := range r.edits {
					alike.CountEdit(r.outcome, column)
				}
			}
			require.Equal(t, count(slices.Repeat(rows[:1], n)), alike)
		}

		outcomes, reasons, warnings, firsts, said := 0, 0, 0, 0, 0
		for _, n := range whole.Outcomes {
			outcomes += n
		}
		for _, n := range whole.Reasons {
			reasons += n
		}
		for _, counts := range []map[Code]int{whole.Warnings, whole.Foreseen} {
			for code, n := range counts {
				require.True(t, code.Known(), code)
				warnings += n
			}
		}
		for _, r := range rows {
			firsts += min(1, len(r.reasons))
			said += len(r.warnings)
		}
		require.Equal(t, len(rows), whole.Rows)
		require.Equal(t, len(rows), outcomes)
		require.Equal(t, firsts, reasons)
		require.Equal(t, said, warnings)
		edits, changed := 0, 0
		for _, n := range whole.Edits {
			edits += n
		}
		for _, n := range whole.ForeseenEdits {
			edits += n
		}
		for _, r := range rows {
			changed += len(r.edits)
		}
		require.Equal(t, changed, edits)
		require.Empty(t, count([]counted{{outcome: Ready, edits: []string{"Title"}}}).Edits, "a claim that is not made changes nothing")
		require.Empty(t, count([]counted{{outcome: Claimed, warnings: []string{"a"}}}).Foreseen)
		require.Empty(t, count([]counted{{outcome: Ready, warnings: []string{"a"}}}).Warnings, "a claim that is not made warns of nothing")
	})
}
