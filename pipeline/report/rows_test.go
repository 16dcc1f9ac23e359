package report

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"github.com/claimline/claimline/pipeline/kept"
	"github.com/claimline/claimline/pipeline/usersfile"
	"github.com/claimline/claimline/schema"
)

// A chunk is left out by what it counted only where it has no row to report.
func TestNoRowIsLeftOut(t *testing.T) {
	t.Parallel()
	reasons := []schema.Code{schema.CodeEmailInvalid, schema.CodeClaimedElsewhere, schema.CodeAlreadyMember, schema.CodeClaimFalse, schema.CodeCancelled}
	warnings := []string{string(schema.CodeLicenseMissing) + ":Calling", string(schema.CodeContentNotTransferred), string(schema.CodeLicenseKept)}
	outcomes := slices.Concat(schema.Outcomes, schema.HandoffOutcomes)
	rapid.Check(t, func(t *rapid.T) {
		var verdicts []kept.Verdict
		for range rapid.IntRange(0, 3).Draw(t, "rows") {
			v := kept.Verdict{Finding: &schema.Finding{Outcome: rapid.SampledFrom(outcomes).Draw(t, "outcome")}}
			v.Reasons = rapid.SliceOfN(rapid.SampledFrom(reasons), 0, 2).Draw(t, "reasons")
			v.Warnings = rapid.SliceOfN(rapid.SampledFrom(warnings), 0, 1).Draw(t, "warnings")
			if rapid.Bool().Draw(t, "edited") {
				v.Edits = []usersfile.Edit{{Field: usersfile.FirstName}}
			}
			verdicts = append(verdicts, v)
		}
		r := &Report{
			Only:   rapid.SliceOfN(rapid.SampledFrom([]string{OnlyProblems, OnlyEdits, OnlyWarnings, string(schema.Ineligible), string(schema.Ready)}), 0, 2).Draw(t, "only"),
			Reason: rapid.SampledFrom(append(reasons, "")).Draw(t, "reason"), Outcome: rapid.SampledFrom(append(outcomes, "")).Draw(t, "of"),
		}
		if slices.ContainsFunc(verdicts, func(v kept.Verdict) bool { return r.picks(&v) }) {
			assert.True(t, r.mayPick(kept.Tally(verdicts)))
		}
	})
}
