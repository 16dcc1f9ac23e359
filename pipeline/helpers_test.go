package pipeline_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/claimline/claimline/pipeline"
	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/pipeline/people"
	"github.com/claimline/claimline/pipeline/report"
	"github.com/claimline/claimline/pipeline/snapshot"
	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/schema"
)

// run is one pipeline on a database of its own, and a folder for files.
type run struct {
	t *rapid.T
	*pipeline.Flow
	folder string
	files  int
	plan   *schema.Plan   // what was validated last
	watch  pipeline.Watch // of imports
}

// newFolder returns a folder that goes away with base.
func newFolder(t require.TestingT, base string) string {
	folder, err := os.MkdirTemp(base, "")
	require.NoError(t, err)
	return folder
}

// newRun opens a database in a folder of its own, with the world in it.
func newRun(t *rapid.T, base string, w *world) *run {
	folder := newFolder(t, base)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(folder)) })
	c := choices{t}
	policy := schema.DefaultPolicy()
	policy.DomainElsewhere = schema.DomainElsewhere(w.strict)
	r := &run{t: t, folder: folder, Flow: newFlow(t, pipeline.Config{
		Store: store.New(newDB(t)), Now: func() time.Time { return now }, Policy: policy, Workers: 1 + c.upTo(3),
		Lease: time.Minute, Runner: "test", TransactionRows: 1 + c.upTo(20),
	})}
	loaded, err := r.load(w)
	require.NoError(t, err)
	require.Equal(t, len(w.people), loaded.Users)
	return r
}

// load takes the world in, from a folder of its own.
func (r *run) load(w *world) (*snapshot.Loaded, error) {
	folder := filepath.Join(r.folder, "snapshot")
	require.NoError(r.t, os.MkdirAll(folder, 0o700))
	w.snapshot(r.t, folder)
	return load(r.t.Context(), r.Flow, folder)
}

// with opens a file of these bytes.
func (r *run) with(file []byte, do func(dialect.Source)) {
	r.files++
	path := filepath.Join(r.folder, "users-"+string(rune('a'+r.files))) // no file of a snapshot
	require.NoError(r.t, os.WriteFile(path, file, 0o600))
	source, err := dialect.OpenFile(path)
	require.NoError(r.t, err)
	do(source)
	require.NoError(r.t, source.Close())
}

// validate returns what would become of a file: in JSON Lines, and in CSV.
func (r *run) validate(file []byte, order schema.Order) (results []schema.Result, text string, summary schema.Summary) {
	r.with(file, func(source dialect.Source) {
		var out bytes.Buffer
		plan, err := r.Validate(r.t.Context(), source, order, &report.Report{To: &out, Format: report.JSONL}, pipeline.Watch{})
		require.NoError(r.t, err)
		results, summary, r.plan = decodeResults(r.t, out.String()), plan.Summary(order, now, now), plan
		foretells(r.t, plan, results)
	})
	r.with(file, func(source dialect.Source) { // into a file, which is rewound where a buffer is not
		out, err := os.Create(filepath.Join(r.folder, "report"))
		require.NoError(r.t, err)
		_, err = r.Validate(r.t.Context(), source, order, &report.Report{To: out, Format: report.CSV}, pipeline.Watch{})
		require.NoError(r.t, err)
		require.NoError(r.t, out.Close())
		written, err := os.ReadFile(out.Name())
		require.NoError(r.t, err)
		text = string(written)
	})
	return results, text, summary
}

// foretells checks what a plan shows besides its summary.
func foretells(t require.TestingT, plan *schema.Plan, results []schema.Result) {
	types, problems, needs := map[schema.ClaimType]int{}, map[schema.Code][]int{}, map[string]schema.LicenseNeed{}
	edits, renames := map[string]schema.ColumnEdits{}, 0
	for _, r := range results {
		if r.Reason != "" && len(problems[r.Reason]) < 10 {
			problems[r.Reason] = append(problems[r.Reason], r.Line)
		}
		if r.Outcome != schema.Ready {
			continue
		}
		types[r.ClaimType]++
		renamed := false
		for column, edit := range r.Edits {
			first, seen := edits[column]
			if !seen {
				first = schema.ColumnEdits{Column: column, Line: r.Line, Email: r.Email, Old: edit[0], New: edit[1]}
			}
			first.Count++
			edits[column] = first
			renamed = renamed || edit[0] != "" && slices.Contains(nameColumns, column)
		}
		if renamed {
			renames++
		}
		for _, service := range r.Licenses {
			need := needs[service]
			if r.ClaimType == schema.Delayed {
				need.Asked++
			} else {
				need.Assigned++
			}
			needs[service] = need
		}
		for _, warning := range r.Warnings {
			if service, ok := strings.CutPrefix(warning, "license_unavailable:"); ok {
				need := needs[service]
				need.Missing++
				needs[service] = need
			}
		}
	}
	require.Equal(t, renames, plan.NameEdits)
	require.Len(t, plan.Edits, len(edits))
	for i, edit := range plan.Edits {
		require.Equal(t, edits[edit.Column], edit)
		require.True(t, i == 0 || slices.Index(schema.Columns, plan.Edits[i-1].Column) < slices.Index(schema.Columns, edit.Column))
	}
	explains(t, plan, results)
	require.Equal(t, types, plan.Types)
	require.Equal(t, problems, plan.Problems)
	for _, need := range plan.Licenses {
		want := needs[need.Service]
		require.Equal(t, []int{want.Assigned, want.Asked, want.Missing}, []int{need.Assigned, need.Asked, need.Missing})
		require.True(t, need.Unlimited || need.Assigned <= need.Left)
	}
}

// explains checks that the causes that a plan lists add up to the rows that are not ready, and tell where
// such rows are.
func explains(t require.TestingT, plan *schema.Plan, results []schema.Result) {
	at := map[int]schema.Result{}
	for _, r := range results {
		at[r.Line] = r
	}
	sum := 0
	for i, cause := range plan.Causes {
		sum += cause.Count
		require.True(t, i == 0 || plan.Causes[i-1].Count >= cause.Count)
		require.Len(t, cause.Lines, min(5, cause.Count))
		require.True(t, slices.IsSorted(cause.Lines))
		for _, line := range cause.Lines {
			require.Equal(t, cause.Reason, at[line].Reason)
			require.Equal(t, cause.Column, at[line].Column)
		}
	}
	if len(plan.Causes) < 50 { // as many as are listed
		require.Equal(t, len(results)-plan.Tally.Outcomes[schema.Ready], sum)
	}
}

// importing imports a file, and returns what became of it.
func (r *run) importing(file []byte, order schema.Order) (imp schema.Import, results []schema.Result) {
	order.Organization = us
	r.with(file, func(source dialect.Source) {
		var err error
		imp, err = imports(r.t.Context(), r.Flow, source, order, agree, r.watch)
		require.NoError(r.t, err)
	})
	return imp, decodeResults(r.t, r.reported(imp, report.JSONL, false))
}

// reported returns the report of an import.
func (r *run) reported(imp schema.Import, format report.Format, onlyProblems bool) string {
	var out bytes.Buffer
	var only []string
	if onlyProblems {
		only = []string{report.OnlyProblems}
	}
	require.NoError(r.t, (&report.Report{To: &out, Format: format, Only: only}).OfImport(r.t.Context(), r.Store, r.Policy, imp))
	return out.String()
}

func decodeResults(t require.TestingT, lines string) []schema.Result {
	results := []schema.Result{}
	for line := range strings.Lines(lines) {
		var result schema.Result
		decoder := json.NewDecoder(strings.NewReader(line))
		decoder.DisallowUnknownFields()
		require.NoError(t, decoder.Decode(&result))
		results = append(results, result)
	}
	return results
}

// addUp checks a summary against the results it sums up.
func addUp(t require.TestingT, summary schema.Summary, results []schema.Result) {
	var want schema.Tally
	claims := map[string]bool{}
	for _, r := range results {
		want.Count(1, r.Outcome, r.Reasons, r.Warnings)
		if len(r.Reasons) == 0 {
			require.Empty(t, r.Reason)
			require.Empty(t, r.Message)
			require.Empty(t, r.Fix)
		} else {
			require.Equal(t, r.Reasons[0], r.Reason)
			require.NotEmpty(t, r.Message)
			require.NotEmpty(t, r.Fix)
		}
		require.Equal(t, r.Outcome == schema.Claimed, r.ClaimID != "")
		require.Equal(t, r.Outcome == schema.Claimed || r.Outcome == schema.Ready, r.ClaimType != "")
		require.False(t, r.ClaimID != "" && claims[r.ClaimID], "two rows bear one claim")
		claims[r.ClaimID] = true
	}
	counts := map[schema.Outcome]int{
		schema.Ready: summary.Ready, schema.Claimed: summary.Claimed, schema.Unchanged: summary.Unchanged, schema.Skipped: summary.Skipped,
		schema.Invalid: summary.Invalid, schema.Ineligible: summary.Ineligible, schema.Failed: summary.Failed, schema.NotAttempted: summary.NotAttempted,
	}
	sum := 0
	for outcome, n := range counts {
		require.Equal(t, want.Outcomes[outcome], n, outcome)
		sum += n
	}
	require.Equal(t, len(results), summary.Rows)
	require.Equal(t, summary.Rows, sum, "the outcomes add up to the rows")
	require.Equal(t, nonNil(want.Reasons), summary.Reasons)
	if summary.DryRun {
		want.Warnings = want.Foreseen
	}
	require.Equal(t, nonNil(want.Warnings), summary.Warnings)
	edits := map[string]int{}
	for _, r := range results {
		for column := range r.Edits {
			edits[column]++
		}
	}
	require.Equal(t, edits, summary.Edits)
}

func nonNil(counts map[schema.Code]int) map[schema.Code]int {
	if counts == nil {
		return map[schema.Code]int{}
	}
	return counts
}

// seenAs returns a result as the model expects it.
func seenAs(r schema.Result) expected {
	e := expected{line: r.Line, email: r.Email, outcome: string(r.Outcome), column: r.Column, claimType: string(r.ClaimType)}
	for _, reason := range r.Reasons {
		e.reasons = append(e.reasons, string(reason))
	}
	e.warnings = append(e.warnings, r.Warnings...)
	e.licenses = append(e.licenses, r.Licenses...)
	if len(r.Edits) > 0 {
		e.edits = r.Edits
	}
	if other := lineNamed.FindStringSubmatch(r.Message); other != nil && (r.Reason == schema.CodeDuplicateRow || r.Reason == schema.CodeClaimContradicted) {
		e.other, _ = strconv.Atoi(other[1])
	}
	return e
}

var lineNamed = regexp.MustCompile(`line (\d+)`)

// wanted returns what the model expects of the file's rows.
func (f *usersFile) wanted() (all []expected) {
	for _, row := range f.rows {
		e := row.want
		e.person = nil
		all = append(all, e)
	}
	return all
}

func seenAsAll(results []schema.Result) (all []expected) {
	for _, r := range results {
		all = append(all, seenAs(r))
	}
	return all
}

// claimed checks that the claims in the store are those that were reported, with the edits of their rows
// (R17).
func (f *usersFile) claimed(r *run, id int64, results []schema.Result) {
	var keys []string
	rows := map[string]int{}
	for i, result := range results {
		if result.Outcome == schema.Claimed {
			key := f.key(f.rows[i].cells)
			keys, rows[key] = append(keys, key), i
		}
	}
	facts, err := r.Store.Facts(r.t.Context(), us, keys)
	require.NoError(r.t, err)
	for n, key := range keys {
		row, result, account := f.rows[rows[key]], results[rows[key]], facts.Accounts[n]
		require.NotNil(r.t, account.Claim)
		require.Equal(r.t, result.ClaimID, strconv.FormatInt(account.Claim.ID, 10))
		require.Equal(r.t, us, account.Claim.OrganizationID)
		require.Equal(r.t, result.ClaimType, account.Claim.Type)
		require.Equal(r.t, result.Line, account.Claim.Line)
		require.Equal(r.t, id, account.Claim.ImportID)
		require.Equal(r.t, now, account.Claim.ClaimedAt)
		require.ElementsMatch(r.t, result.Licenses, account.Claim.Services)
		p := row.want.person
		require.Equal(r.t, p.status, string(account.Claim.StatusBefore))
		has := func(column string) string {
			if edit, ok := result.Edits[column]; ok {
				require.Equal(r.t, p.own(column), edit[0])
				return edit[1]
			}
			return p.own(column)
		}
		require.Equal(r.t, schema.Profile{
			FirstName: has("First Name"), LastName: has("Last Name"), DisplayName: has("Display Name"), Title: has("Title"), Department: has("Department"),
			Phone: has("Phone Number"), PreferredLanguage: has("Preferred Language"),
		}, account.User.Edit(account.Claim.Edits))
	}
}

func stringKeys(repairs map[schema.Repair]int) map[string]int {
	counts := map[string]int{}
	for kind, n := range repairs {
		counts[string(kind)] = n
	}
	return counts
}

func problemsOf(results []schema.Result) []schema.Result {
	problems := []schema.Result{}
	for _, r := range results {
		if slices.Contains([]string{"invalid", "ineligible", "failed", "not_attempted"}, string(r.Outcome)) {
			problems = append(problems, r)
		}
	}
	return problems
}

// givenBack checks a CSV report: the file's own form, header and cells, in its order, and what became of each
// row.
func (f *usersFile) givenBack(t require.TestingT, report string, results []schema.Result, onlyProblems bool) {
	const mark = "\ufeff"
	require.Equal(t, f.bom, strings.HasPrefix(report, mark))
	report = strings.TrimPrefix(report, mark)
	if f.crlf {
		require.True(t, strings.HasSuffix(report, "\r\n"))
	} else {
		require.False(t, strings.HasSuffix(report, "\r\n"))
	}
	records := parseCSV(t, report, f.delimiter)

	var own []int // the file's columns that are not an earlier report's
	for i := range f.columns {
		if !f.is(i, addedColumns...) {
			own = append(own, i)
		}
	}
	require.Len(t, records[0], len(own)+len(addedColumns))
	for n, i := range own {
		sameCell(t, f.header[i], records[0][n], true)
		require.NotRegexp(t, `^[=+\-@\t\r]`, records[0][n])
	}
	require.Equal(t, addedColumns, records[0][len(own):])

	records = records[1:]
	for n, row := range f.rows {
		result := results[n]
		if onlyProblems && !result.Outcome.Problem() {
			continue
		}
		require.NotEmpty(t, records, "the report has too few rows")
		record := records[0]
		records = records[1:]
		for _, cell := range record {
			require.NotRegexp(t, `^[=+\-@\t\r]`, cell, "a formula")
		}
		nobody := slices.Contains(result.Reasons, schema.CodeFieldCount) || slices.Contains(result.Reasons, schema.CodeClaimContradicted)
		for n, i := range own {
			cell := ""
			if i < len(row.cells) && (!nobody || !f.is(i, "Claim")) {
				cell = row.cells[i]
			}
			sameCell(t, cell, record[n], f.known(i))
		}
		var edits []string
		for _, column := range editColumns {
			if edit, ok := result.Edits[column]; ok {
				edits = append(edits, column+": "+edit[0]+" → "+edit[1])
			}
		}
		added := record[len(own):]
		require.Equal(t, []string{
			strconv.Itoa(result.Line), string(result.Outcome), string(result.Reason), result.Message, result.Fix, strings.Join(edits, "; "),
		}, added[:len(addedColumns)])
		surplus := added[len(addedColumns):]
		if _, _, fits := f.fitted(row.cells); fits {
			require.Empty(t, strings.Join(surplus, ""))
			surplus = nil
		} else {
			require.Len(t, surplus, max(0, len(row.cells)-len(f.columns)))
		}
		for i, cell := range surplus {
			sameCell(t, row.cells[len(f.columns)+i], cell, false)
		}
	}
	require.Empty(t, records, "the report has too many rows")
}

// sameCell checks that a cell of a report is the cell of the file when it is read back; it is UTF-8, whatever
// that was.
func sameCell(t require.TestingT, was, is string, known bool) {
	require.True(t, utf8.ValidString(is))
	was = string([]rune(was))
	if known {
		require.Equal(t, clean(was), clean(is))
	}
	switch {
	case known && isTextFormula(strings.TrimFunc(was, isBlank)):
		require.Equal(t, guard(clean(was)), is)
	case !formula.MatchString(was) || strings.HasPrefix(was, "'"):
		require.Equal(t, was, is)
	case !known:
		require.Equal(t, "'"+was, is)
	}
}

// newFlow returns a flow that works.
func newFlow(t require.TestingT, c pipeline.Config) *pipeline.Flow {
	p, err := pipeline.New(c)
	require.NoError(t, err)
	return p
}

// peopleOf works on the accounts in a flow's store, by its clock and policy.
func peopleOf(p *pipeline.Flow) *people.People {
	return &people.People{Store: p.Store, Now: p.Now, Policy: p.Policy, Limits: p.Limits, Persist: p.Persist}
}

// load takes a snapshot in.
func load(ctx context.Context, p *pipeline.Flow, folder string) (*snapshot.Loaded, error) {
	return snapshot.Load(ctx, p.Store, peopleOf(p).Rules(), folder, snapshot.Options{Limits: p.Limits})
}
