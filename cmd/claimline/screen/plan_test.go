package screen

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/claimline/claimline/schema"
)

var now = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

var reasons = []schema.Code{
	schema.CodeFieldCount, schema.CodeBooleanInvalid, schema.CodeClaimFalse, schema.CodeEmailMissing, schema.CodeEmailTooLong,
	schema.CodeEmailInvalid, schema.CodeTextTooLong, schema.CodeTextInvalid, schema.CodePhoneInvalid, schema.CodeLanguageInvalid,
	schema.CodeClaimTypeInvalid, schema.CodeDuplicateRow, schema.CodeUserNotFound, schema.CodeAlreadyClaimed,
	schema.CodeAlreadyMember, schema.CodeClaimedElsewhere, schema.CodeDomainNotVerified, schema.CodeDomainClaimedElsewhere, schema.CodeDomainVerifiedElsewhere,
	schema.CodeSourceSSO, schema.CodeSourceDirectorySync, schema.CodeStaleClaimType,
}

// word is text as files have it: long, wide, combining, and what would steer a terminal.
var word = rapid.OneOf(rapid.String(), rapid.StringOfN(rapid.RuneFrom([]rune("aåe\u0301漢한😀\x1b[\u202e\u200b\u009b, ")), 0, 120, -1))

// somePlan makes up a plan as a file with all kinds of trouble may have it.
func somePlan(t *rapid.T) *schema.Plan {
	number := rapid.OneOf(rapid.IntRange(0, 3), rapid.IntRange(0, 9_999_999))
	plan := &schema.Plan{
		File: word.Draw(t, "file"), UnknownColumns: rapid.SliceOfN(word, 0, 40).Draw(t, "unknown"),
		Types:    map[schema.ClaimType]int{schema.Immediate: number.Draw(t, "immediate"), schema.Delayed: number.Draw(t, "delayed")},
		Repairs:  rapid.MapOf(rapid.SampledFrom(schema.Repairs), number).Draw(t, "repairs"),
		Problems: map[schema.Code][]int{},
		Tally:    schema.Tally{Outcomes: map[schema.Outcome]int{}, Reasons: map[schema.Code]int{}, Foreseen: map[schema.Code]int{}},
	}
	for _, service := range rapid.SliceOfNDistinct(word, 0, 12, rapid.ID).Draw(t, "services") {
		plan.Services = append(plan.Services, service)
		plan.Licenses = append(plan.Licenses, schema.LicenseNeed{
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
		if rapid.Bool().Draw(t, "a cause") {
			plan.Causes = append(plan.Causes, schema.Cause{
				Reason: reason, Column: word.Draw(t, "column"), Value: word.Draw(t, "value"), Count: n, Lines: plan.Problems[reason],
			})
		}
	}
	for _, column := range schema.Columns[:rapid.IntRange(0, 3).Draw(t, "edited columns")] {
		plan.Edits = append(plan.Edits, schema.ColumnEdits{
			Column: column, Count: number.Draw(t, "edits") + 1, Line: 2, Email: word.Draw(t, "email"), Old: word.Draw(t, "old"), New: word.Draw(t, "new"),
		})
		plan.NameEdits = number.Draw(t, "names")
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
		v := Plan{
			Plan: somePlan(t), Organization: schema.Organization{Name: word.Draw(t, "name"), ActivationEmails: rapid.Bool().Draw(t, "mails")},
			Order: schema.Order{AllOrNothing: rapid.Bool().Draw(t, "all or nothing")}, Policy: schema.DefaultPolicy(), Now: now,
		}
		p := Page{Width: rapid.IntRange(60, 200).Draw(t, "width"), Height: rapid.IntRange(10, 100).Draw(t, "height")}
		var out bytes.Buffer
		require.NoError(t, v.Write(&out, p))
		lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
		if p.Height >= 45 {
			assert.LessOrEqual(t, len(lines), p.Height-below, out.String())
		}
		harmless(t, lines, p.Width)
		for _, outcome := range schema.Outcomes {
			n := v.Plan.Tally.Outcomes[outcome]
			assert.Equal(t, n > 0, regexp.MustCompile(`\n  `+string(outcome)+` +[0-9,]+  `).MatchString(out.String()), "%s: %d rows", outcome, n)
		}
		if v.Plan.Tally.Outcomes[schema.Ready] > 0 && v.Plan.Tally.Foreseen[schema.CodeContentNotTransferred] > 0 {
			assert.Contains(t, strings.Join(strings.Fields(out.String()), " "), "Keep the original organization until they have chosen")
		}
	})
}

// harmless insists that no line is too wide, or holds what steers a terminal.
func harmless(t assert.TestingT, lines []string, width int) {
	for _, line := range lines {
		assert.LessOrEqual(t, text.StringWidth(line), width, line)
		for _, r := range line {
			assert.True(t, unicode.IsPrint(r) || unicode.IsSpace(r), "%q in %q", r, line)
		}
	}
}

func TestPlanWithoutATerminalIsWhole(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		v := Plan{Plan: somePlan(t), Policy: schema.DefaultPolicy(), Now: now}
		var out bytes.Buffer
		require.NoError(t, v.Write(&out, Page{}))
		for reason := range v.Plan.Tally.Reasons {
			assert.Contains(t, out.String(), "  "+string(reason)+" ")
			assert.Contains(t, out.String(), reason.Message(""))
		}
		for _, name := range v.Plan.UnknownColumns {
			assert.Contains(t, out.String(), schema.Printable(name))
		}
		for kind, n := range v.Plan.Repairs {
			if n > 0 {
				assert.Contains(t, out.String(), Repair(kind, n).String())
			}
		}
		for _, e := range v.Plan.Edits {
			assert.Contains(t, out.String(), "  "+e.Column)
		}
		assert.NotContains(t, out.String(), "\x1b")
	})
}

// ordinary returns a plan as people have it.
func ordinary() *Plan {
	return &Plan{
		Plan: &schema.Plan{
			File: "users.csv", Types: map[schema.ClaimType]int{schema.Immediate: 1000, schema.Delayed: 138},
			Repairs: map[schema.Repair]int{schema.RepairDelimiter: 1, schema.RepairBooleanWords: 1200},
			Causes:  []schema.Cause{{Reason: schema.CodeBooleanInvalid, Column: "Claim", Value: `"FALSKT"`, Count: 40, Lines: []int{2, 3, 4}}},
			Edits: []schema.ColumnEdits{
				{Column: "Last Name", Count: 1100, Line: 2, Email: "ann@acme.example", Old: "Öberg", New: "Berg"},
				{Column: "Title", Count: 1, Line: 9, Email: "bo@acme.example", New: "Clerk"},
			},
			NameEdits: 1100,
			Licenses:  []schema.LicenseNeed{{Service: "Webex Calling", Assigned: 900, Missing: 12, Left: 900, Asked: 5}, {Service: "Webex Messaging", Assigned: 1000, Unlimited: true}},
			Problems:  map[schema.Code][]int{schema.CodeUserNotFound: {11, 12}},
			Tally: schema.Tally{
				Rows: 1205, Outcomes: map[schema.Outcome]int{schema.Ready: 1138, schema.Skipped: 22, schema.Invalid: 40, schema.Ineligible: 5},
				Reasons:  map[schema.Code]int{schema.CodeBooleanInvalid: 40, schema.CodeUserNotFound: 5, schema.CodeClaimFalse: 22},
				Foreseen: map[schema.Code]int{schema.CodeContentNotTransferred: 7},
			},
		},
		Organization: schema.Organization{Name: "Acme AB", ActivationEmails: true}, Policy: schema.DefaultPolicy(), Now: now,
	}
}

func TestPlanSaysWhatMatters(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	require.NoError(t, ordinary().Write(&out, Page{}))
	plan := out.String()
	first, _, _ := strings.Cut(plan, "\n")
	assert.Equal(t, "Plan for users.csv: 1,138 of 1,205 users would be claimed for Acme AB; 45 rows to correct.", first)
	for _, want := range []string{
		"  ready         1,138  would be claimed\n", "  1,000 immediate: joins at once; can be retracted until 9 Dec 2026.\n",
		"  138 delayed: 14 days to decide, until 9 Dec 2026; then account and content move.\n", `40 × "FALSKT" in Claim, lines 2, 3, 4 and 37 more`,
		"What changes in accounts: 1,101 values", "1,100 users get another name", `"Öberg" → "Berg" (line 2, ann@acme.example)`, `(blank) → "Clerk" (line 9, bo@acme.example)`,
		"  Webex Calling       912   900              5       12\n", "Mails that will be recorded: 1,138 claim mails, 1,000 activation mails at once.", "  user_not_found                 5  lines 11, 12 and 3 more\n",
		"1,200 cells with another word for TRUE or FALSE were read as that.",
	} {
		assert.Contains(t, plan, want)
	}
	for _, never := range []string{"sent", "unchanged", "failed", "not_attempted"} {
		assert.NotContains(t, plan, never)
	}
}

// What is cut first tells least: the explanations, then what is last.
func TestPlanUsesTheHeightThereIs(t *testing.T) {
	t.Parallel()
	length := 0
	for height := 24; height <= 60; height++ {
		var out bytes.Buffer
		require.NoError(t, ordinary().Write(&out, Page{Width: 100, Height: height}))
		lines := strings.Count(out.String(), "\n")
		assert.LessOrEqual(t, lines, height-below)
		assert.GreaterOrEqual(t, lines, length, "more room never shows less")
		length = lines
		assert.Contains(t, out.String(), `"Öberg" → "Berg"`)
		assert.Contains(t, out.String(), `40 × "FALSKT" in Claim`)
	}
	var small, whole bytes.Buffer
	require.NoError(t, ordinary().Write(&small, Page{Width: 100, Height: 24}))
	require.NoError(t, ordinary().Write(&whole, Page{Width: 100, Height: 60}))
	explanation := schema.CodeUserNotFound.Message("")
	assert.NotContains(t, small.String(), explanation)
	assert.Contains(t, whole.String(), explanation)
}

func TestEveryRepairHasWords(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, kind := range schema.Repairs {
		for _, n := range []int{1, 2} {
			words := Repair(kind, n).String()
			assert.NotEmpty(t, words, kind)
			assert.NotRegexp(t, "[a-z]_[a-z]", words, kind)
			assert.True(t, strings.HasSuffix(words, "."), words)
		}
		assert.False(t, seen[Repair(kind, 2).String()], "%s says what another says", kind)
		seen[Repair(kind, 2).String()] = true
	}
}
