package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/claimline/claimline/schema"
)

// The files in testdata/hunt are files as people really have them, and stand for the kinds of fault that they
// show. The tests TestHuntA to TestHuntL say what is right for each; TestHuntVariantsA and so on for others
// of the same kind.

type repairs = map[schema.Repair]int

// huntCase is one file, how it is read, and what is right to answer.
type huntCase struct {
	name    string   // of the subtest; without it, the file's
	file    string   // in testdata/hunt
	content string   // of a variant, which has no file
	flags   []string // how it is read
	want    []verdict
	huge    bool // too many rows for more than two looks
}

// verdict is one right answer. What it does not name is not there: no repairs, unknown columns, edits,
// doubtful cells. Whatever is said has alternatives, separated by " / ", of which one must be there, in any
// case.
type verdict struct {
	refused  schema.Code              // of the whole file
	rows     string                   // "2 ready, 3-5 invalid/field_count, 6 skipped/claim_false in Claim"; no reason: any reason
	repairs  repairs                  // where nil: none
	mended   bool                     // repairs are any
	edits    map[int]schema.Edits     // by line
	edited   bool                     // edits are any
	doubtful map[int][]string         // columns, by line
	licenses map[int][]string         // by line, where given
	types    map[int]schema.ClaimType // by line, where given
	unknown  []string                 // columns
	ignored  []string                 // columns that may be called unknown, or not
	says     []string                 // somewhere
	saysOf   map[int][]string         // in message or fix, by line
	fixOf    map[int][]string         // in the fix, by line
	never    []string                 // nowhere
}

// huntContent returns a file of testdata/hunt.
func huntContent(t *testing.T, file string) string {
	t.Helper()
	return readFile(t, filepath.Join("testdata", "hunt", file))
}

// huntFolder is where the database of all hunts lies; empty until one has made it.
var huntFolder string

// loadHuntSite loads the sample organization once.
var loadHuntSite = sync.OnceValues(func() (*site, error) {
	folder, err := os.MkdirTemp("", "claimline-hunt-")
	if err != nil {
		return nil, err
	}
	huntFolder = folder
	s := siteAt(filepath.Join(folder, "claimline.db"))
	var stderr strings.Builder
	if run(context.Background(), append(s.global, "load", filepath.Join(samples, "org")), strings.NewReader(""), io.Discard, &stderr) != exitDone {
		return nil, errors.New(stderr.String())
	}
	return s, nil
})

// huntSite returns a database with the sample organization, for what changes nothing.
func huntSite(t *testing.T) *site {
	t.Helper()
	s, err := loadHuntSite()
	require.NoError(t, err)
	return s
}

// freshHuntSite returns a database of its own with the sample organization.
func freshHuntSite(t *testing.T) *site {
	t.Helper()
	s := siteAt(filepath.Join(t.TempDir(), "claimline.db"))
	copyFile(t, huntSite(t).db, s.db)
	return s
}

// runHunt validates every file and compares the answer. Under the race detector, and on PostgreSQL, of many
// variants every eighth: make test runs all of them without it on files, too.
func runHunt(t *testing.T, cases ...huntCase) {
	t.Helper()
	for i, c := range cases {
		if (!everyVariant || onPostgres()) && i%8 != 0 {
			continue
		}
		if c.name == "" {
			c.name = c.file
		}
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if c.file != "" {
				c.content = huntContent(t, c.file)
			}
			path := write(t, "users.csv", c.content)
			o := observe(t, huntSite(t), path, c)
			all := make([][]string, len(c.want))
			for i, want := range c.want {
				if all[i] = want.differences(o); len(all[i]) == 0 {
					return
				}
			}
			for i, differences := range all {
				t.Errorf("answer %d of %d that are right:\n\t%s", i+1, len(all), strings.Join(differences, "\n\t"))
			}
		})
	}
}

// observed is all that was answered for a file.
type observed struct {
	refused refusal // no code: it was read
	results []schema.Result
	summary schema.Summary
	text    string // the plan as text, and what was said beside it
}

// pool returns everything that was said.
func (o observed) pool() string {
	all := []string{o.refused.Message, o.refused.Fix, o.text}
	for _, r := range o.results {
		all = append(all, r.Message, r.Fix)
	}
	return strings.Join(all, "\n")
}

// observe asks validate in each of its forms and import, and insists that they say the same.
func observe(t *testing.T, s *site, path string, c huntCase) (o observed) {
	t.Helper()
	ask := func(args ...string) answer { return s.run(t, slices.Concat(args, c.flags, []string{path})...) }

	got := ask("validate", "--json")
	rows := ask("validate", "--format", "jsonl")
	assert.Equal(t, got.code, rows.code, "the exit codes of both forms")
	if got.code != exitDone && got.code != exitProblems {
		assert.Equal(t, exitFailed, got.code, got.stderr)
		assert.Empty(t, rows.stdout)
		o.refused = got.refusal(t)
		assertPrintable(t, o.refused.Message, o.refused.Fix)
		assert.NotEmpty(t, o.refused.Message)
		assert.NotEmpty(t, o.refused.Fix)
		if c.huge {
			return o
		}
		text := ask("validate")
		assert.Equal(t, exitFailed, text.code)
		assert.Empty(t, text.stdout)
		imported := ask("import", "--no-input", "--json")
		assert.Equal(t, exitFailed, imported.code, imported.stderr)
		assert.Equal(t, o.refused.Code, imported.refusal(t).Code, "import refuses what validate refuses")
		return o
	}
	o.results, o.summary = rows.results(t), got.summary(t)
	assertConsistent(t, got.code, o)
	if c.huge {
		return o
	}
	text := ask("validate")
	assert.Equal(t, got.code, text.code)
	o.text = strings.ReplaceAll(text.stdout+text.stderr, path, "FILE")
	assertShown(t, o)
	if !slices.Contains(c.flags, "--offline") {
		assertImported(t, path, c, o)
	}
	return o
}

// assertPrintable insists that a terminal can show what was said.
func assertPrintable(t *testing.T, said ...string) {
	t.Helper()
	for _, s := range said {
		assert.True(t, utf8.ValidString(s), "%q", s)
		assert.False(t, strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) && r != '\n' }), "%q", s)
	}
}

// assertConsistent insists that rows and summary fit each other, and the exit code both.
func assertConsistent(t *testing.T, code int, o observed) {
	t.Helper()
	outcomes, reasons, edits, warnings := map[schema.Outcome]int{}, map[schema.Code]int{}, map[string]int{}, map[schema.Code]int{}
	problems := false
	for _, r := range o.results {
		outcomes[r.Outcome]++
		problems = problems || r.Outcome.Problem()
		if len(o.results) < 1000 {
			assertPrintable(t, r.Message, r.Fix)
		}
		for _, w := range r.Warnings {
			code, _, _ := strings.Cut(w, ":")
			warnings[schema.Code(code)]++
		}
		for column := range r.Edits {
			edits[column]++
		}
		if r.Outcome == schema.Ready {
			assert.Empty(t, r.Reason)
			continue
		}
		reasons[r.Reason]++
		assert.Empty(t, r.Edits, "line %d", r.Line)
		if assert.NotEmpty(t, r.Reasons) {
			assert.Equal(t, r.Reason, r.Reasons[0])
		}
		assert.NotEmpty(t, r.Message)
		assert.NotEmpty(t, r.Fix)
	}
	assert.Equal(t, problems, code == exitProblems, "the exit code is %d", code)
	assert.Len(t, o.results, o.summary.Rows)
	for outcome, n := range map[schema.Outcome]int{
		schema.Ready: o.summary.Ready, schema.Unchanged: o.summary.Unchanged, schema.Skipped: o.summary.Skipped,
		schema.Invalid: o.summary.Invalid, schema.Ineligible: o.summary.Ineligible,
	} {
		assert.Equal(t, outcomes[outcome], n, outcome)
	}
	assert.Equal(t, reasons, o.summary.Reasons)
	assert.Equal(t, edits, o.summary.Edits, "the summary's edits are those of its rows")
	assert.Equal(t, warnings, o.summary.Warnings)
}

// told is how the text output may name what was mended.
var told = map[schema.Repair]string{
	"bom": "byte order mark / bom", "utf16": "utf-16 / utf16", "windows1252": "windows-1252 / windows1252", "encoding": "encoding",
	"mojibake": "mojibake / twice / two encodings", "delimiter": "delimiter / separat", "preamble": "preamble / above the header", "header_cleaned": "header",
	"header_repeated": "header", "end_mark": "end mark / end_mark / end of the file / behind the last / behind its last / nul", "blank_row": "blank row / blank_row",
	"cells_missing": "missing / lack / last cells", "cells_surplus": "surplus / too many / beyond / behind the last", "blanks_trimmed": "trimmed / blanks around",
	"boolean_words": "boolean_words / word", "text_formula": "formula / =\"text\"", "phone_spelling": "phone", "language_spelling": "language",
}

// assertShown insists that the text shows what was mended, what columns are unknown, and what would be
// written to accounts.
func assertShown(t *testing.T, o observed) {
	t.Helper()
	for kind := range o.summary.Repairs {
		assert.Contains(t, told, kind)
		assert.True(t, says(o.text, told[kind]), "the text does not tell of %s:\n%s", kind, o.text)
	}
	for _, column := range o.summary.UnknownColumns {
		if column != "" {
			assert.True(t, says(o.text, schema.Printable(column)), "the text does not tell of the column %q:\n%s", column, o.text)
		}
	}
	first := map[string]bool{}
	for _, r := range o.results {
		for column, edit := range r.Edits {
			if !first[column] {
				first[column] = true
				assert.Contains(t, o.text, column)
				assert.Contains(t, o.text, schema.Printable(edit[1]), "the first edit of %s is shown", column)
			}
		}
		for _, w := range r.Warnings {
			if column, found := strings.CutPrefix(w, "edit_doubtful:"); found {
				assert.True(t, says(o.text, "edit_doubtful / doubt / damaged"), "the text does not tell of the cell in %s", column)
			}
		}
	}
}

// assertImported imports the file into a database of its own, and insists that what was shown is what is
// done.
func assertImported(t *testing.T, path string, c huntCase, o observed) {
	t.Helper()
	s := freshHuntSite(t)
	got := s.run(t, slices.Concat([]string{"import", "--accept-permanent", "--no-input", "--format", "jsonl"}, c.flags, []string{path})...)
	want := slices.Clone(o.results)
	for i := range want {
		if want[i].Outcome == schema.Ready {
			want[i].Outcome = schema.Claimed
		}
	}
	done := got.results(t)
	for i := range done {
		done[i].ClaimID = ""
	}
	assert.Equal(t, want, done, "what import did is what validate said: %s", got.stderr)
	if got.code != exitFailed && got.code != exitUsage {
		summary := s.run(t, "status", "--json").summary(t)
		assert.Equal(t, o.summary.Repairs, summary.Repairs)
		assert.Equal(t, o.summary.Edits, summary.Edits)
		assert.Equal(t, o.summary.UnknownColumns, summary.UnknownColumns)
	}
}

// says reports whether one of the alternatives is in what was said.
func says(said, alternatives string) bool {
	said = strings.ToLower(said)
	return slices.ContainsFunc(strings.Split(alternatives, " / "), func(words string) bool { return strings.Contains(said, strings.ToLower(words)) })
}

// differences returns how an answer differs from the right one.
func (v verdict) differences(o observed) (list []string) {
	differ := func(format string, args ...any) { list = append(list, fmt.Sprintf(format, args...)) }
	same := func(what string, want, got any) {
		if !assert.ObjectsAreEqual(want, got) {
			differ("%s: %v instead of %v", what, got, want)
		}
	}
	same("refused", v.refused, o.refused.Code)
	said := o.pool()
	for _, words := range v.says {
		if !says(said, words) {
			differ("does not say %q: %s", words, said)
		}
	}
	for _, words := range v.never {
		if says(said, words) {
			differ("says %q: %s", words, said)
		}
	}
	if v.refused != "" || o.refused.Code != "" {
		if v.refused != o.refused.Code {
			differ("told: %s", said)
		}
		return list
	}
	list = append(list, v.differentRows(o.results)...)
	if !v.mended {
		want := v.repairs
		if want == nil {
			want = repairs{}
		}
		same("repairs", want, o.summary.Repairs)
	}
	unknown := slices.DeleteFunc(slices.Clone(o.summary.UnknownColumns), func(name string) bool { return slices.Contains(v.ignored, name) })
	same("unknown columns", append([]string{}, v.unknown...), append([]string{}, unknown...))
	return list
}

// differentRows returns how the rows differ from the right ones.
func (v verdict) differentRows(results []schema.Result) (list []string) {
	differ := func(r schema.Result, what string, want, got any) {
		list = append(list, fmt.Sprintf("line %d: %s %v instead of %v (%s %s)", r.Line, what, got, want, r.Message, r.Fix))
	}
	want := parseRows(v.rows)
	if len(want) != len(results) {
		list = append(list, fmt.Sprintf("%d rows instead of %d", len(results), len(want)))
	}
	for i, r := range results[:min(len(want), len(results))] {
		if len(list) > 20 {
			return append(list, "…")
		}
		if got := want[i].like(r); got != want[i] {
			differ(r, "row", want[i], got)
		}
		edits, doubtful := v.edits[r.Line], []string{}
		for _, w := range r.Warnings {
			if column, found := strings.CutPrefix(w, "edit_doubtful:"); found {
				doubtful = append(doubtful, column)
			}
		}
		slices.Sort(doubtful)
		if !v.edited && !maps.Equal(edits, r.Edits) {
			differ(r, "edits", edits, r.Edits)
		}
		if wanted := slices.Sorted(slices.Values(v.doubtful[r.Line])); !slices.Equal(wanted, doubtful) {
			differ(r, "doubtful", wanted, doubtful)
		}
		if licenses, given := v.licenses[r.Line]; given && !slices.Equal(licenses, r.Licenses) {
			differ(r, "licences", licenses, r.Licenses)
		}
		if claimType, given := v.types[r.Line]; given && claimType != r.ClaimType {
			differ(r, "type", claimType, r.ClaimType)
		}
		for _, words := range v.saysOf[r.Line] {
			if !says(r.Message+"\n"+r.Fix, words) {
				differ(r, "said", words, "")
			}
		}
		for _, words := range v.fixOf[r.Line] {
			if !says(r.Fix, words) {
				differ(r, "fix", words, "")
			}
		}
	}
	return list
}

// wantedRow is what a row should become; what is empty may be anything. All reasons are separated by "+"; one
// alone is the first.
type wantedRow struct {
	line                    int
	outcome, reason, column string
}

var rowPattern = regexp.MustCompile(`^(\d+)(?:-(\d+))? (\w+)(?:/([\w+]+))?(?: in (.+))?$`)

// parseRows reads "2 ready, 3-5 invalid/field_count in Claim".
func parseRows(rows string) (list []wantedRow) {
	for row := range strings.SplitSeq(rows, ", ") {
		m := rowPattern.FindStringSubmatch(row)
		if m == nil {
			continue
		}
		first, _ := strconv.Atoi(m[1])
		last, _ := strconv.Atoi(m[2])
		for line := first; line <= max(first, last); line++ {
			list = append(list, wantedRow{line: line, outcome: m[3], reason: m[4], column: m[5]})
		}
	}
	return list
}

// like returns a result in as much detail as w is.
func (w wantedRow) like(r schema.Result) wantedRow {
	got := wantedRow{line: r.Line, outcome: string(r.Outcome), reason: string(r.Reason), column: r.Column}
	if strings.Contains(w.reason, "+") {
		reasons := make([]string, len(r.Reasons))
		for i, reason := range r.Reasons {
			reasons[i] = string(reason)
		}
		got.reason = strings.Join(reasons, "+")
	} else if w.reason == "" && w.outcome != string(schema.Ready) {
		got.reason = ""
	}
	if w.column == "" {
		got.column = ""
	}
	return got
}

// refusedWith returns the answer to a file that is refused as a whole.
func refusedWith(code schema.Code, words ...string) []verdict {
	return []verdict{{refused: code, says: words}}
}

// readAs returns the answer to a file that is read.
func readAs(rows string, repaired repairs) []verdict {
	return []verdict{{rows: rows, repairs: repaired}}
}

// everywhere returns the same case in other places: with other delimiters, with a byte order mark and CRLF,
// in UTF-16, and with a thousand rows between the header and its rows. Its content is in UTF-8, has commas
// and LF, and no preamble; fillers is what becomes of a row that has an address without an account, and else
// blank cells.
func (c huntCase) everywhere(t *testing.T, fillers string) []huntCase {
	t.Helper()
	if c.file != "" {
		c.name, c.content, c.file = c.file, huntContent(t, c.file), ""
	}
	variant := func(name, content string, also ...schema.Repair) huntCase {
		v := c
		v.name, v.content, v.want = c.name+" "+name, content, slices.Clone(c.want)
		for i := range v.want {
			v.want[i].repairs = maps.Clone(c.want[i].repairs)
			if v.want[i].repairs == nil {
				v.want[i].repairs = repairs{}
			}
			for _, repair := range also {
				v.want[i].repairs[repair] = 1
			}
		}
		return v
	}
	crlf := strings.ReplaceAll(strings.ReplaceAll(c.content, "\r\n", "\n"), "\n", "\r\n")
	list := []huntCase{
		c,
		variant("semicolons", strings.ReplaceAll(c.content, ",", ";"), "delimiter"),
		variant("tabs", strings.ReplaceAll(c.content, ",", "\t"), "delimiter"),
		variant("bars", strings.ReplaceAll(c.content, ",", "|"), "delimiter"),
		variant("BOM and CRLF", "\ufeff"+crlf, "bom"),
		variant("UTF-16", utf16Text(t, "\ufeff"+c.content, false), "utf16"),
	}
	if fillers != "" {
		list = append(list, c.farAway(1000, fillers))
	}
	return list
}

// farAway returns the same case with so many rows between the header and its rows, each of which becomes what
// fillers says.
func (c huntCase) farAway(n int, fillers string) huntCase {
	header, rest, _ := strings.Cut(c.content, "\n")
	cells := strings.Split(header, ",")
	address := slices.IndexFunc(cells, func(cell string) bool { return strings.Contains(cell, emailHeader) })
	var text strings.Builder
	text.WriteString(header + "\n")
	for i := range n {
		row := make([]string, len(cells))
		row[address] = "nobody" + strconv.Itoa(i) + "@acme.example"
		text.WriteString(strings.Join(row, ",") + "\n")
	}
	text.WriteString(rest)

	v := c
	v.name, v.content, v.want = fmt.Sprintf("%s %d rows away", c.name, n), text.String(), slices.Clone(c.want)
	for i, want := range c.want {
		if want.refused == "" {
			rows := []string{fmt.Sprintf("2-%d %s", n+1, fillers)}
			for _, row := range parseRows(want.rows) {
				rows = append(rows, row.at(row.line+n))
			}
			want.rows = strings.Join(rows, ", ")
		}
		want.edits, want.doubtful, want.licenses = shifted(want.edits, n), shifted(want.doubtful, n), shifted(want.licenses, n)
		want.types, want.saysOf, want.fixOf = shifted(want.types, n), shifted(want.saysOf, n), shifted(want.fixOf, n)
		v.want[i] = want
	}
	return v
}

// at returns the row as verdicts write it, on another line.
func (w wantedRow) at(line int) string {
	s := fmt.Sprintf("%d %s", line, w.outcome)
	if w.reason != "" {
		s += "/" + w.reason
	}
	if w.column != "" {
		s += " in " + w.column
	}
	return s
}

func shifted[V any](byLine map[int]V, n int) map[int]V {
	moved := map[int]V{}
	for line, v := range byLine {
		moved[line+n] = v
	}
	return moved
}
