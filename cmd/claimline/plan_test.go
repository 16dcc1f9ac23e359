package main

import (
	"bytes"
	"strings"
	"testing"
	"unicode"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/claimline/claimline/pipeline"
	"github.com/claimline/claimline/schema"
)

var reasons = []schema.Code{
	schema.CodeFieldCount, schema.CodeBooleanInvalid, schema.CodeClaimFalse, schema.CodeEmailMissing, schema.CodeEmailTooLong,
	schema.CodeEmailInvalid, schema.CodeTextTooLong, schema.CodeTextInvalid, schema.CodePhoneInvalid, schema.CodeLanguageInvalid,
	schema.CodeClaimTypeInvalid, schema.CodeDuplicateRow, schema.CodeUserNotFound, schema.CodeAlreadyClaimed,
	schema.CodeAlreadyMember, schema.CodeClaimedElsewhere, schema.CodeDomainNotVerified, schema.CodeDomainClaimedElsewhere,
	schema.CodeSourceSSO, schema.CodeSourceDirectorySync, schema.CodeStaleClaimType,
}

// somePlan makes up a plan as a file with all kinds of trouble may have it.
func somePlan(t *rapid.T) *pipeline.Plan {
	number := rapid.OneOf(rapid.IntRange(0, 3), rapid.IntRange(0, 9_999_999))
	// Long, wide, combining, and what would steer a terminal.
	word := rapid.OneOf(rapid.String(), rapid.StringOfN(rapid.RuneFrom([]rune("aåe\u0301漢한😀\x1b[\u202e\u200b\u009b,")), 0, 120, -1))
	plan := &pipeline.Plan{
		File: word.Draw(t, "file"), UnknownColumns: rapid.SliceOfN(word, 0, 40).Draw(t, "unknown"),
		Types: map[schema.ClaimType]int{schema.Immediate: number.Draw(t, "immediate"), schema.Delayed: number.Draw(t, "delayed")},
		Repairs: rapid.MapOf(rapid.SampledFrom([]schema.Repair{
			schema.RepairBOM, schema.RepairUTF16, schema.RepairWindows1252, schema.RepairDelimiter, schema.RepairBlankRow, schema.RepairBlanksTrimmed,
		}), number).Draw(t, "repairs"),
		Problems: map[schema.Code][]int{},
		Tally:    schema.Tally{Outcomes: map[schema.Outcome]int{}, Reasons: map[schema.Code]int{}, Foreseen: map[schema.Code]int{}},
	}
	for _, service := range rapid.SliceOfNDistinct(word, 0, 12, rapid.ID).Draw(t, "services") {
		plan.Services = append(plan.Services, service)
		plan.Licenses = append(plan.Licenses, pipeline.LicenseNeed{
			Service: service, Assigned: number.Draw(t, "assigned"), Asked: number.Draw(t, "asked"), Missing: number.Draw(t, "missing"),
			Left: number.Draw(t, "left"), Unlimited: rapid.Bool().Draw(t, "unlimited"),
		})
	}
	for _, reason := range rapid.SliceOfDistinct(rapid.SampledFrom(reasons), rapid.ID).Draw(t, "reasons") {
		n := number.Draw(t, "rows") + 1
		plan.Tally.Reasons[reason] = n
		plan.Tally.Outcomes[reason.Outcome()] += n
		plan.Tally.Rows += n
		plan.Problems[reason] = rapid.SliceOfN(rapid.IntRange(2, 9_999_999), min(n, 5), min(n, 5)).Draw(t, "lines")
	}
	ready := plan.Types[schema.Immediate] + plan.Types[schema.Delayed]
	plan.Tally.Outcomes[schema.Ready] = ready
	plan.Tally.Rows += ready
	plan.Tally.Foreseen[schema.CodeContentNotTransferred] = number.Draw(t, "content")
	return plan
}

func TestPlanFitsTheTerminal(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		plan := somePlan(t)
		organization := schema.Organization{Name: rapid.String().Draw(t, "name"), ActivationEmails: rapid.Bool().Draw(t, "mails")}
		order := pipeline.Order{AllOrNothing: rapid.Bool().Draw(t, "all or nothing")}
		var out bytes.Buffer
		require.NoError(t, writePlan(&out, page{lines: planLines, width: planWidth}, plan, organization, order, schema.DefaultPolicy()))
		lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
		assert.LessOrEqual(t, len(lines), planLines, out.String())
		for _, line := range lines {
			assert.LessOrEqual(t, text.StringWidth(line), planWidth, line)
			for _, r := range line {
				assert.True(t, unicode.IsPrint(r) || unicode.IsSpace(r), "%q in %q", r, line)
			}
		}
		for _, outcome := range schema.Outcomes {
			if plan.Tally.Outcomes[outcome] > 0 {
				assert.Contains(t, out.String(), "  "+string(outcome)+" ")
			}
		}
		if plan.Tally.Foreseen[schema.CodeContentNotTransferred] > 0 {
			assert.Contains(t, strings.Join(strings.Fields(out.String()), " "), "Keep the original organization until they have chosen")
		}
	})
}

func TestPlanWithoutATerminalIsWhole(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		plan := somePlan(t)
		var out bytes.Buffer
		require.NoError(t, writePlan(&out, page{}, plan, schema.Organization{}, pipeline.Order{}, schema.DefaultPolicy()))
		for reason := range plan.Tally.Reasons {
			assert.Contains(t, out.String(), "  "+string(reason)+" ")
			assert.Contains(t, out.String(), reason.Message(""))
		}
		for _, name := range plan.UnknownColumns {
			assert.Contains(t, out.String(), schema.Printable(name))
		}
		assert.NotContains(t, out.String(), "\x1b")
	})
}
