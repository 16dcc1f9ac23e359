package screen

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/claimline/claimline/schema"
)

// someImport returns an import with these counts, as its rows ended.
func someImport(state schema.ImportState, outcomes map[schema.Outcome]int) *Import {
	rows := 0
	for _, n := range outcomes {
		rows += n
	}
	return &Import{
		Import: schema.Import{
			ID: 3, File: "users.csv", SHA256: "00", OrganizationID: "acme", State: state, StartedAt: now, ConsentedAt: now.Add(time.Minute),
			FinishedAt: now.Add(time.Minute + 42*time.Second), CreatedBy: "terminal:ann", ConsentedBy: "terminal:bo", Tally: schema.Tally{Rows: rows, Outcomes: outcomes},
		},
		Summary: schema.Summary{
			ID: "3", File: "users.csv", State: state, Rows: rows, Claimed: outcomes[schema.Claimed], Unchanged: outcomes[schema.Unchanged],
			Skipped: outcomes[schema.Skipped], Invalid: outcomes[schema.Invalid], Ineligible: outcomes[schema.Ineligible], Failed: outcomes[schema.Failed],
			NotAttempted: outcomes[schema.NotAttempted] + outcomes[schema.Ready],
		},
		Plan: &schema.Plan{Types: map[schema.ClaimType]int{schema.Delayed: 8}}, Policy: schema.DefaultPolicy(),
	}
}

func TestTheSummaryIsOneSentenceFirst(t *testing.T) {
	t.Parallel()
	done := map[schema.Outcome]int{schema.Claimed: 1138, schema.Skipped: 22, schema.Invalid: 40, schema.Ineligible: 5}
	half := map[schema.Outcome]int{schema.Claimed: 500, schema.Ready: 638, schema.Invalid: 1}
	none := map[schema.Outcome]int{schema.Ready: 20, schema.Invalid: 1}
	quick := someImport(schema.StateCompletedWithErrors, done)
	quick.Took = 300 * time.Millisecond
	rejected := someImport(schema.StateRejected, none)
	rejected.Import.Reason = schema.CodeAllOrNothing
	unread := someImport(schema.StateFailed, nil)
	unread.Import.SHA256 = ""
	for want, v := range map[string]*Import{
		"Claimed 1,138 of 1,205 users in 0.3 s; 45 rows to correct.":                                              quick,
		"Claimed 1,138 of 1,205 users in 42 s; 45 rows to correct.":                                               someImport(schema.StateCompletedWithErrors, done),
		"Claimed 2 of 2 users in 42 s.":                                                                           someImport(schema.StateCompleted, map[schema.Outcome]int{schema.Claimed: 2}),
		"Nothing was claimed: 20 users were members, or claimed, before; the file leaves 1 user alone.":           someImport(schema.StateCompleted, map[schema.Outcome]int{schema.Unchanged: 20, schema.Skipped: 1}),
		"Nothing was claimed: 1 row to correct.":                                                                  someImport(schema.StateCompletedWithErrors, map[schema.Outcome]int{schema.Invalid: 1}),
		"Claiming: 500 of 1,139 users so far, 638 to go; 1 row to correct.":                                       someImport(schema.StateApplying, half),
		"Claimed 500 of 1,139 users, then the import was interrupted; 638 users not attempted; 1 row to correct.": someImport(schema.StateInterrupted, half),
		"Claimed 500 of 1,139 users, then the import was cancelled; 638 users not attempted; 1 row to correct.":   someImport(schema.StateCancelled, half),
		"Claimed 500 of 1,139 users, then something broke; 638 users not attempted; 1 row to correct.":            someImport(schema.StateFailed, half),
		"Nothing was claimed: the file was not read to its end.":                                                  unread,
		"Nothing was claimed: it was all or nothing, and 1 row has to be corrected.":                              rejected,
		"Nothing was claimed: nobody agreed to the plan; 1 row to correct.":                                       someImport(schema.StateRejected, none),
		"Nothing is claimed yet: 20 users can be, and nobody has agreed to it; 1 row to correct.":                 someImport(schema.StateAwaitingConsent, none),
		"Nothing is claimed yet: the file is being read.":                                                         someImport(schema.StatePlanning, nil),
	} {
		var out bytes.Buffer
		require.NoError(t, v.Write(&out, Page{}))
		first, _, _ := strings.Cut(out.String(), "\n")
		assert.Equal(t, want, first)
	}
}

func TestTheSummarySaysWhoAndUntilWhen(t *testing.T) {
	t.Parallel()
	v := someImport(schema.StateCompletedWithErrors, map[schema.Outcome]int{schema.Claimed: 1138, schema.Invalid: 1200})
	v.Summary.Reasons = map[schema.Code]int{schema.CodeBooleanInvalid: 1200}
	v.Summary.Warnings = map[schema.Code]int{schema.CodeContentNotTransferred: 7}
	v.Summary.Edits = map[string]int{"Last Name": 1100, "Title": 1}
	v.Plan.Causes = []schema.Cause{{Reason: schema.CodeBooleanInvalid, Column: "Claim", Value: `"FALSKT"`, Count: 1200, Lines: []int{2, 3}}}
	var out bytes.Buffer
	require.NoError(t, v.Write(&out, Page{}))
	until := now.Add(time.Minute + 14*24*time.Hour)
	for _, want := range []string{
		"Import 3 of users.csv for acme: completed with errors. Started " + Moment(now).String() + " by terminal:ann, agreed to " + Moment(now.Add(time.Minute)).String() + " by terminal:bo",
		"Claims can be retracted until " + Moment(until).String(), "Delayed ones complete by themselves on " + Date(until).String(), `1,200 × "FALSKT" in Claim`,
		"What changes in accounts: 1,101 values (Last Name 1,100, Title 1).", "  claimed       1,138", "content_not_transferred",
	} {
		assert.Contains(t, out.String(), want)
	}
	assert.NotContains(t, out.String(), "skipped", "no lines of zeros")
	for _, width := range []int{60, 80, 100, 140} {
		for _, height := range []int{15, 24, 50} {
			var out bytes.Buffer
			require.NoError(t, v.Write(&out, Page{Width: width, Height: height}))
			harmless(t, strings.Split(out.String(), "\n"), width)
		}
	}
}

func TestTheProblemsFileIsNamedAfterTheImportedOne(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]string{
		"users.csv": "users-problems.csv", "/data/Users 2026.csv": "problems.csv", "-": "problems.csv", "a.b.csv": "a.b-problems.csv", "claim by hand": "problems.csv",
		"a\x1b.csv": "problems.csv", "åkeri.csv": "åkeri-problems.csv",
	} {
		assert.Equal(t, want, ProblemsFile(file))
	}
}
