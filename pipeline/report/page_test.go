package report

import (
	"bufio"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"github.com/claimline/claimline/pipeline/usersfile"
	"github.com/claimline/claimline/pipeline/words"
	"github.com/claimline/claimline/schema"
)

// pageOf returns a page about rows that were counted by hand, as its source.
func pageOf(t *testing.T, w Whole, counted func(*htmlReporter)) string {
	t.Helper()
	l, err := usersfile.NewLayout("users.csv", 1, []string{schema.EmailHeader, usersfile.SourceOrganization.Name(), "Claim"}, nil, usersfile.Options{})
	require.NoError(t, err)
	var page strings.Builder
	claiming := schema.Organization{ID: "acme", Name: "Acme AB"}
	r := newHTMLReporter(bufio.NewWriter(&page), l, false, claiming, schema.DefaultPolicy(), words.English)
	counted(r)
	require.NoError(t, r.end(w))
	return page.String()
}

// said returns what a reader sees of a page.
func said(t *testing.T, source string) string {
	t.Helper()
	root, err := html.Parse(strings.NewReader(source))
	require.NoError(t, err)
	var b strings.Builder
	for n := range root.Descendants() {
		if n.Type == html.TextNode && n.Parent.Data != "script" && n.Parent.Data != "style" {
			b.WriteString(n.Data + " ")
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// rows counts n rows with this outcome and first reason.
func rows(n int, outcome schema.Outcome, reason schema.Code) func(*htmlReporter) {
	return func(r *htmlReporter) {
		var reasons []schema.Code
		if reason != "" {
			reasons = []schema.Code{reason}
		}
		r.tally.Count(n, outcome, reasons, nil)
		if outcome.Problem() && reason != "" && !reason.OfImport() {
			r.own += n
		}
		if reason != "" {
			for line := range n {
				r.causes.Add(schema.NewFinding(reason, ""), line+2)
			}
		}
		if outcome == schema.Claimed || outcome == schema.Ready {
			r.types[schema.Immediate] += n
		}
	}
}

func TestPageHeadlines(t *testing.T) {
	t.Parallel()
	all := func(counts ...func(*htmlReporter)) func(*htmlReporter) {
		return func(r *htmlReporter) {
			for _, count := range counts {
				count(r)
			}
		}
	}
	wrong := rows(1, schema.Invalid, schema.CodePhoneInvalid)
	for want, test := range map[string]struct {
		state  schema.ImportState // blank: a dry run
		reason schema.Code
		rows   func(*htmlReporter)
	}{
		"1,200 of 1,200 users would be claimed.":                                       {"", "", rows(1200, schema.Ready, "")},
		"1 of 2 users would be claimed; 1 row to correct.":                             {"", "", all(rows(1, schema.Ready, ""), wrong)},
		"Nobody would be claimed: 1 row to correct.":                                   {"", "", wrong},
		"Nobody would be claimed: the users are members, or claimed, already.":         {"", "", rows(3, schema.Unchanged, schema.CodeAlreadyMember)},
		"Claimed 1 of 1 user.":                                                         {schema.StateCompleted, "", rows(1, schema.Claimed, "")},
		"Nothing has been claimed yet: the import waits for somebody to agree.":        {schema.StateAwaitingConsent, "", rows(3, schema.NotAttempted, "")},
		"Claimed 2 of 5 users so far; the import is still running.":                    {schema.StateApplying, "", all(rows(2, schema.Claimed, ""), rows(3, schema.NotAttempted, ""))},
		"Claimed 2 of 5 users, then the import was cancelled; 3 were not reached.":     {schema.StateCancelled, schema.CodeCancelled, all(rows(2, schema.Claimed, ""), rows(3, schema.NotAttempted, schema.CodeCancelled))},
		"Claimed 2 of 5 users, then the import stopped; 3 were not reached.":           {schema.StateInterrupted, "", all(rows(2, schema.Claimed, ""), rows(3, schema.NotAttempted, ""))},
		"Nothing was claimed: nobody agreed to the plan.":                              {schema.StateRejected, schema.CodeConsentDeclined, all(rows(3, schema.NotAttempted, schema.CodeConsentDeclined), wrong)},
		"Nothing was claimed: 1 row has a problem, and the import was all or nothing.": {schema.StateRejected, schema.CodeAllOrNothing, all(rows(3, schema.NotAttempted, schema.CodeAllOrNothing), wrong)},
		"Nothing was claimed: the import was cancelled first.":                         {schema.StateCancelled, schema.CodeCancelled, rows(3, schema.NotAttempted, schema.CodeCancelled)},
		"Nothing was claimed: directory synchronization was switched on.":              {schema.StateCompletedWithErrors, schema.CodeDirectorySyncEnabled, rows(3, schema.NotAttempted, schema.CodeDirectorySyncEnabled)},
	} {
		w := Whole{Summary: schema.Summary{File: "users.csv", Organization: "acme", DryRun: test.state == "", State: test.state}}
		if test.state != "" {
			w.ID = "7"
			w.Import = schema.Import{ID: 7, Reason: test.reason}
		}
		page := said(t, pageOf(t, w, test.rows))
		assert.Contains(t, page, want)
		assert.NotContains(t, page, " resume ID", "the import's own number")
	}
}

func TestPageTellsAnAuditorWhatIsKnown(t *testing.T) {
	t.Parallel()
	agreed := time.Date(2026, 3, 1, 9, 30, 0, 0, time.UTC)
	w := Whole{Summary: schema.Summary{ID: "7", File: "users.csv", Organization: "acme", State: schema.StateCompleted}}
	w.Import = schema.Import{
		ID: 7, CreatedBy: "terminal:root", ConsentedBy: "token:Nightly <b>", ConsentedAt: agreed, Version: "v1.2.3",
		StartedAt: agreed.Add(-time.Hour), FinishedAt: agreed.Add(24 * time.Hour),
	}
	off := false
	w.Order = schema.Order{
		AllOrNothing: true, ActivationEmails: &off, Encoding: "macintosh", Columns: map[string]string{"Gör anspråk": "Claim"},
		IgnoreColumns: []string{"<i>"}, EveryRow: true,
	}
	page := said(t, pageOf(t, w, rows(2, schema.Claimed, "")))
	for _, fact := range []string{
		"Started by root (terminal)", "Agreed to by Nightly <b> (token)", "Version of Claimline v1.2.3",
		"Options All or nothing: one problem, and nobody is claimed Every row claims, for the file has no column Claim " +
			"Read in the encoding macintosh The column Gör anspråk is Claim The column <i> means nothing",
		"Mails 2 claim mails recorded Activation mails were off",
		"A claim can be taken back until " + strings.Join(strings.Fields(date(words.English, agreed.Add(14*24*time.Hour))), " ") + " (the last one ",
	} {
		assert.Contains(t, page, fact)
	}
	assert.NotContains(t, page, "left alone")

	w.Import, w.Order = schema.Import{ID: 7}, schema.Order{}
	page = said(t, pageOf(t, w, rows(2, schema.Claimed, "")))
	for _, unknown := range []string{"Started by", "Agreed to", "Version", "Options"} {
		assert.NotContains(t, page, unknown, "what is not known is left out")
	}
}

func TestPageShowsEditsHarmless(t *testing.T) {
	t.Parallel()
	w := Whole{Summary: schema.Summary{File: "users.csv", Organization: "acme", DryRun: true}}
	source := pageOf(t, w, func(r *htmlReporter) {
		rows(4, schema.Ready, "")(r)
		changes := schema.Edits{"Last Name": {"Öberg", "<b>Berg</b>"}, "Title": {"", "a\u202eb"}}
		r.edited = 4
		for line := range 4 {
			for column, values := range changes {
				r.edits.add(column, values, line+2, fmt.Sprintf("ann%d@x.example", line))
			}
		}
		r.warnings["edit_doubtful:First Name"] = 3
		r.others = append(r.others, schema.Result{Line: 2, Email: "ann0@x.example", Outcome: schema.Ready, Edits: changes})
	})
	page := said(t, source)
	assert.Contains(t, page, "What would change in accounts")
	assert.Contains(t, page, "would change the data of 4 accounts")
	assert.Contains(t, page, "Last Name Öberg → <b>Berg</b> line 2 , ann0@x.example")
	assert.Contains(t, page, "(blank) → a�b")
	assert.Contains(t, page, "Last Name: Öberg → <b>Berg</b>", "in the row too")
	assert.Contains(t, page, "First Name: 3 cells")
	assert.NotContains(t, source, "<b>")
	assert.NotContains(t, page, "ann3@x.example", "the first few are enough")
	assert.Less(t, strings.Index(page, "Last Name Öberg"), strings.Index(page, "(blank) →"), "columns stand as in the file")
}

func TestBreakdownIsBounded(t *testing.T) {
	t.Parallel()
	var b breakdown
	for i := range 2 * countedMost {
		b.add(fmt.Sprintf("d%d.example", i), schema.Claimed)
	}
	for range 3 {
		b.add("d7.example", schema.Invalid)
	}
	parts := b.largest(10)
	require.Len(t, parts, 11)
	assert.Equal(t, part{name: "d7.example", names: 1, rows: 4, outcomes: map[schema.Outcome]int{schema.Claimed: 1, schema.Invalid: 3}}, parts[0])
	rows := 0
	for _, p := range parts {
		rows += p.rows
	}
	assert.Equal(t, 2*countedMost+3, rows, "every row is in some part")
	assert.Len(t, b.names, countedMost)
}

func TestShellWord(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"users.csv": "users.csv", "-": "FILE", "": "FILE", "-o.csv": "./-o.csv", "a b.csv": `"a b.csv"`, "åäö.csv": "åäö.csv",
		"$(id).csv": `'$(id).csv'`, "it's.csv": `"it's.csv"`, "it's $x": `'it'\''s $x'`, "a\nb": "FILE", "a\u202eb": "FILE", "`id`": "'`id`'",
		`C:\users\x.csv`: `"C:\users\x.csv"`, `a\`: `'a\'`, `a\\b`: `'a\\b'`, `a"b`: `'a"b'`, "a;b": "'a;b'", "a*": "'a*'", "!x": "'!x'", "%x%": "'%x%'", "#x": "'#x'", "~": "'~'",
	} {
		assert.Equal(t, want, shellWord(name), name)
	}
}

func TestRepairsAreAllToldInWords(t *testing.T) {
	t.Parallel()
	for _, kind := range schema.Repairs {
		sentence := repairSentence(kind, 2).String()
		assert.NotContains(t, sentence, string(kind)+"s", "%s has no words of its own", kind)
		assert.True(t, strings.HasSuffix(sentence, "."), sentence)
	}
}
