package pipeline_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/claimline/claimline/pipeline"
	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/pipeline/people"
	"github.com/claimline/claimline/pipeline/report"
	"github.com/claimline/claimline/schema"
)

// rowReasons are all reasons that a plan can give a row, and some warnings.
var rowReasons = []string{
	"field_count", "boolean_invalid", "claim_false", "claim_blank", "email_missing", "email_too_long", "email_invalid", "text_too_long", "text_invalid", "phone_invalid",
	"language_invalid", "claim_type_invalid", "duplicate_row", "claim_contradicted",
	"user_not_found", "already_claimed", "already_member", "claimed_elsewhere", "domain_not_verified", "domain_claimed_elsewhere", "domain_verified_elsewhere", "source_sso",
	"source_directory_sync", "stale_claim_type",
	"content_not_transferred", "license_unavailable", "edit_doubtful",
}

// Whatever the organizations and the file: every row ends as the model says, validate's ready rows are
// import's claimed rows, the summaries add up, the reports give the file back, and importing again claims
// nobody.
func TestImportDoesWhatWasShown(t *testing.T) {
	base := t.TempDir()
	came := countsOf(rowReasons...)
	checkUntil(t, 40, came, func(t *rapid.T) {
		w := drawWorld(t)
		f := drawUsersFile(t, w, 1)
		r := newRun(t, base, w)
		if len(f.rows) == 0 {
			return
		}

		planned, text, summary := r.validate(f.bytes, f.order())
		require.Equal(t, f.wanted(), seenAsAll(planned))
		addUp(t, summary, planned)
		require.Equal(t, f.repairs, stringKeys(summary.Repairs))
		require.ElementsMatch(t, f.unknown, summary.UnknownColumns)
		f.givenBack(t, text, planned, false)
		for _, p := range planned {
			for _, reason := range p.Reasons {
				came[string(reason)]++
			}
			for _, warning := range p.Warnings {
				code, _, _ := strings.Cut(warning, ":")
				came[code]++
			}
		}

		imp, results := r.importing(f.bytes, f.order())
		require.Len(t, results, len(planned))
		for i, result := range results {
			if planned[i].Outcome == schema.Ready {
				planned[i].Outcome = schema.Claimed
				planned[i].ClaimID = result.ClaimID
			}
		}
		require.Equal(t, planned, results, "import does what validate showed")
		shown, err := json.Marshal(r.plan)
		require.NoError(t, err)
		require.JSONEq(t, string(shown), string(imp.Plan))
		imported, err := imp.Summary()
		require.NoError(t, err)
		addUp(t, imported, results)
		require.Equal(t, summary.Ready, imported.Claimed)
		require.Equal(t, summary.SHA256, imported.SHA256)
		require.Equal(t, summary.Repairs, imported.Repairs)
		require.Equal(t, summary.UnknownColumns, imported.UnknownColumns)
		state := schema.StateCompleted
		if imported.Invalid+imported.Ineligible > 0 {
			state = schema.StateCompletedWithErrors
		}
		require.Equal(t, state, imp.State)
		f.claimed(r, imp.ID, results)
		f.givenBack(t, r.reported(imp, report.CSV, false), results, false)
		f.givenBack(t, r.reported(imp, report.CSV, true), results, true)
		require.Equal(t, problemsOf(results), decodeResults(t, r.reported(imp, report.JSONL, true)))

		again, second := r.importing(f.bytes, f.order())
		for i := range results {
			if results[i].Outcome == schema.Claimed {
				require.Equal(t, schema.Unchanged, second[i].Outcome)
				require.Equal(t, []schema.Code{schema.CodeAlreadyClaimed}, second[i].Reasons)
			} else {
				require.Equal(t, results[i], second[i])
			}
		}
		require.Zero(t, again.Tally.Outcomes[schema.Claimed])
	})
}

// Whoever corrects what --only problems lists, and imports that, has claimed everybody whom the file could
// claim.
func TestProblemsAreFixed(t *testing.T) {
	base := t.TempDir()
	check(t, 20, func(t *rapid.T) {
		w := drawWorld(t)
		f := drawUsersFile(t, w, 1)
		if len(f.rows) == 0 {
			return
		}
		r := newRun(t, base, w)
		imp, results := r.importing(f.bytes, f.order())
		for i, result := range results {
			if result.Outcome == schema.Claimed {
				w.claim(f.rows[i].want.person, string(result.ClaimType), result.Licenses)
			}
		}

		listed := strings.TrimPrefix(r.reported(imp, report.CSV, true), "\ufeff")
		records := parseCSV(t, listed, f.delimiter)
		fixed, problems := [][]string{records[0]}, records[1:]
		claims := map[string]string{} // key → type
		seen := map[string]bool{}
		for i, row := range f.rows {
			if !results[i].Outcome.Problem() {
				continue
			}
			record := problems[0]
			problems = problems[1:]
			person := w.person(f.key(row.good))
			outcome, _, claimType, _ := w.rules(person, "")
			if seen[person.key] || outcome == "ineligible" {
				continue // deleted: nothing in the file can help
			}
			seen[person.key] = true
			if outcome == "ready" {
				claims[person.key] = claimType
			}
			n := 0
			for i := range f.columns {
				if !f.is(i, addedColumns...) {
					record[n] = row.good[i]
					n++
				}
			}
			fixed = append(fixed, record[:len(records[0])])
		}
		require.Empty(t, problems)
		if len(fixed) == 1 {
			return
		}

		var text strings.Builder
		for _, record := range fixed {
			text.WriteString(f.written(choices{t}, record))
		}
		_, results = r.importing([]byte(text.String()), schema.Order{})
		claimed := map[string]string{}
		for _, result := range results {
			require.Contains(t, []schema.Outcome{schema.Claimed, schema.Unchanged}, result.Outcome, result.Reason)
			if result.Outcome == schema.Claimed {
				claimed[keyOf(result.Email)] = string(result.ClaimType)
			}
		}
		require.Equal(t, claims, claimed)
	})
}

// What is exported is exactly who is eligible, sorted, ready when it is validated, and claimed when it is
// imported.
func TestExportIsReady(t *testing.T) {
	base := t.TempDir()
	check(t, 20, func(t *rapid.T) {
		w := drawWorld(t)
		r := newRun(t, base, w)
		c := choices{t}
		format := schema.Format{BOM: c.chance(30), CRLF: c.chance(30)}
		var out bytes.Buffer
		n, err := peopleOf(r.Flow).Export(t.Context(), us, people.Selection{}, format, &out, nil)
		require.NoError(t, err)

		ready := w.ready()
		slices.SortFunc(ready, func(a, b *person) int { return strings.Compare(a.key, b.key) })
		require.Equal(t, len(ready), n)
		text := out.String()
		require.Equal(t, format.BOM, strings.HasPrefix(text, "\ufeff"))
		records := parseCSV(t, strings.TrimPrefix(text, "\ufeff"), ',')
		header := []string{
			"First Name", "Last Name", "Display Name", emailColumn, "User Status", "Last Service Accessed Time", "Title", "Department", "Phone Number",
			"Preferred Language", "Source Organization", "Claim Type", "Claim",
		}
		for _, s := range w.services {
			header = append(header, guard(s.name))
		}
		require.Equal(t, header, records[0])
		require.Len(t, records, n+1)
		for i, p := range ready {
			_, _, claimType, _ := w.rules(p, "")
			source := w.organization(p.standing().organization)
			signIn := map[string]string{"2026-01-02": "2026-01-02T00:00:00Z", "2026-01-02T03:04:05+01:00": "2026-01-02T02:04:05Z"}[p.lastSignIn]
			want := []string{
				p.texts[0], p.texts[1], p.texts[2], p.email, p.status, signIn, p.texts[3], p.texts[4], p.phone, p.language, source.name, claimType, "TRUE",
			}
			for j := range want {
				want[j] = guard(want[j])
			}
			require.Equal(t, append(want, make([]string, len(w.services))...), records[i+1])
		}

		results, _, summary := r.validate(out.Bytes(), schema.Order{Organization: us})
		require.Equal(t, n, summary.Ready)
		require.Equal(t, n, summary.Rows)
		for i, result := range results {
			_, _, claimType, _ := w.rules(ready[i], "")
			require.Equal(t, claimType, string(result.ClaimType))
			require.Equal(t, ready[i].email, result.Email)
		}
		imp, _ := r.importing(out.Bytes(), schema.Order{})
		require.Equal(t, schema.StateCompleted, imp.State)
		require.Equal(t, n, imp.Tally.Outcomes[schema.Claimed])

		out.Reset()
		n, err = peopleOf(r.Flow).Export(t.Context(), us, people.Selection{}, format, &out, nil)
		require.NoError(t, err)
		require.Zero(t, n, "nobody is left")
	})
}

// All or nothing: one problem, and nobody is claimed, now or by looking; none, and everybody is.
func TestAllOrNothing(t *testing.T) {
	base := t.TempDir()
	came := countsOf(string(schema.StateRejected), string(schema.StateCompleted))
	checkUntil(t, 20, came, func(t *rapid.T) {
		w := drawWorld(t)
		f := drawUsersFile(t, w, 1)
		if c := (choices{t}); c.chance(50) {
			f = drawGoodFile(t, w)
		}
		if f == nil || len(f.rows) == 0 {
			return
		}
		r := newRun(t, base, w)
		planned, _, summary := r.validate(f.bytes, f.order())
		imp, results := r.importing(f.bytes, schema.Order{AllOrNothing: true, NoEdits: f.noEdits})
		came[string(imp.State)]++
		if summary.Invalid+summary.Ineligible == 0 {
			require.Equal(t, schema.StateCompleted, imp.State)
			for i, result := range results {
				if planned[i].Outcome == schema.Ready {
					require.Equal(t, schema.Claimed, result.Outcome)
				}
			}
			return
		}
		require.Equal(t, schema.StateRejected, imp.State)
		for i, result := range results {
			if planned[i].Outcome != schema.Ready {
				require.Equal(t, planned[i], result)
				continue
			}
			require.Equal(t, schema.NotAttempted, result.Outcome)
			require.Equal(t, []schema.Code{schema.CodeAllOrNothing}, result.Reasons)
		}
		rejected, err := imp.Summary()
		require.NoError(t, err)
		addUp(t, rejected, results)
		f.givenBack(t, r.reported(imp, report.CSV, false), results, false)
		again, _, _ := r.validate(f.bytes, f.order())
		require.Equal(t, planned, again, "nothing has changed")
	})
}

// drawGoodFile makes up a file without problems; nil where nobody can be claimed.
func drawGoodFile(t *rapid.T, w *world) *usersFile {
	f := &usersFile{delimiter: ',', columns: []string{emailColumn}, header: []string{emailColumn}, repairs: map[string]int{}}
	text := emailColumn + "\n"
	for i, p := range w.ready() {
		f.rows = append(f.rows, &usersRow{cells: []string{guard(p.email)}, line: i + 2})
		text += guard(p.email) + "\n"
	}
	f.expectAll(w)
	f.bytes = f.encoded(t, text)
	return f
}

// The text report says of every row the same, on one line each.
func TestTextReport(t *testing.T) {
	base := t.TempDir()
	check(t, 10, func(t *rapid.T) {
		w := drawWorld(t)
		f := drawUsersFile(t, w, 1)
		if len(f.rows) == 0 {
			return
		}
		r := newRun(t, base, w)
		r.with(f.bytes, func(source dialect.Source) {
			var out bytes.Buffer
			_, err := r.Validate(t.Context(), source, f.order(), &report.Report{To: &out, Format: report.Text}, pipeline.Watch{})
			require.NoError(t, err)
			lines := slices.Collect(strings.Lines(out.String()))
			require.Len(t, lines, len(f.rows))
			for i, row := range f.rows {
				require.Contains(t, lines[i], row.want.outcome)
				for _, reason := range row.want.reasons[:min(1, len(row.want.reasons))] {
					require.Contains(t, lines[i], reason)
				}
			}
		})
	})
}

// Without a store the row checks alone are made, and say what they say with one; the tags of schema.Row
// agree.
func TestOffline(t *testing.T) {
	base := t.TempDir()
	check(t, 40, func(t *rapid.T) {
		w := drawWorld(t)
		w.services, w.offline = nil, true
		f := drawUsersFile(t, w, 1)
		if len(f.rows) == 0 {
			return
		}
		want := f.wanted()
		for i := range want {
			if e := &want[i]; e.outcome != "invalid" && e.outcome != "skipped" {
				*e = expected{line: e.line, email: e.email, outcome: "ready"}
				cells, _, _ := f.fitted(f.rows[i].cells)
				e.claimType = strings.ToLower(f.value(cells, "Claim Type"))
			}
		}
		folder := newFolder(t, base)
		c := choices{t}
		r := &run{t: t, folder: folder, Flow: newFlow(t, pipeline.Config{
			Now: func() time.Time { return now }, Policy: schema.DefaultPolicy(), Workers: 1 + c.upTo(3), TransactionRows: 1 + c.upTo(12),
		})}
		for _, r.Strict = range []bool{false, true} {
			r.with(f.bytes, func(source dialect.Source) {
				var out bytes.Buffer
				plan, err := r.Validate(t.Context(), source, schema.Order{Offline: true}, &report.Report{To: &out, Format: report.JSONL}, pipeline.Watch{})
				require.NoError(t, err)
				require.Equal(t, want, seenAsAll(decodeResults(t, out.String())))
				require.Equal(t, f.repairs, stringKeys(plan.Repairs))
			})
		}
	})
}

// In whatever order rows stand: a row is contradicted or it is not, and becomes the same, but for what the
// rows before it with its address, or of its licences, leave it.
func TestOrderOfRows(t *testing.T) {
	base := t.TempDir()
	came := countsOf("contradicted")
	checkUntil(t, 20, came, func(t *rapid.T) {
		w := drawWorld(t)
		f := drawUsersFile(t, w, 10)
		if len(f.rows) == 0 {
			return
		}
		r := newRun(t, base, w)
		planned, _, _ := r.validate(f.bytes, f.order())
		shuffled := rapid.Permutation(f.rows).Draw(t, "rows")
		text, places := f.above, map[*usersRow]int{}
		for i, row := range shuffled {
			text += row.text
			places[row] = i
		}
		again, _, _ := r.validate(f.encoded(t, text), f.order())
		require.Len(t, again, len(planned))

		alike := map[string]int{} // rows of one address
		for _, row := range f.rows {
			alike[f.key(row.cells)]++
		}
		without := func(r schema.Result) schema.Result {
			r.Line, r.Message, r.Licenses = 0, "", nil
			r.Warnings = slices.DeleteFunc(r.Warnings, func(w string) bool { return strings.HasPrefix(w, "license_unavailable:") })
			return r
		}
		for i, row := range f.rows {
			was, is := planned[i], again[places[row]]
			require.Equal(t, slices.Contains(was.Reasons, schema.CodeClaimContradicted), slices.Contains(is.Reasons, schema.CodeClaimContradicted))
			if slices.Contains(is.Reasons, schema.CodeClaimContradicted) {
				came["contradicted"]++
			}
			if key := f.key(row.cells); key == "" || alike[key] == 1 {
				require.Equal(t, without(was), without(is))
			}
		}
	})
}

// Whoever imports the report of a file as it is claims those whom the file could claim, and gives them what
// it could; rows that are ragged or contradicted claim nobody.
func TestReportsDoNoHarm(t *testing.T) {
	base := t.TempDir()
	came := countsOf("unclaimed")
	checkUntil(t, 20, came, func(t *rapid.T) {
		w := drawWorld(t)
		f := drawUsersFile(t, w, 10)
		if len(f.rows) == 0 || f.spoilsText { // what no text is becomes some in a report
			return
		}
		r := newRun(t, base, w)
		planned, text, _ := r.validate(f.bytes, f.order())
		again, _, _ := r.validate([]byte(text), f.order())
		require.Len(t, again, len(planned))
		for i, is := range again {
			was := planned[i]
			ragged := was.Reason == schema.CodeFieldCount
			switch {
			case f.at("Claim") >= 0 && (ragged || slices.Contains(was.Reasons, schema.CodeClaimContradicted)):
				require.NotEqual(t, schema.Ready, is.Outcome)
				came["unclaimed"]++
			case is.Outcome == schema.Ready && !ragged:
				require.Equal(t, schema.Ready, was.Outcome)
				require.Equal(t, was.Edits, is.Edits)
			case was.Outcome == schema.Ready: // the cells of a ragged row may name its address too
				require.Contains(t, []schema.Code{schema.CodeClaimContradicted, schema.CodeDuplicateRow}, is.Reason)
			}
		}
	})
}
