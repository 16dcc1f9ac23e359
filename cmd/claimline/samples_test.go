package main

import (
	"bytes"
	"encoding/csv"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/encoding/charmap"

	"github.com/claimline/claimline/schema"
)

// TestEditedSample compares what the program says of samples/edited.csv with what its makers meant, row by
// row: first as a plan, then as an import, then as an import of what was corrected.
func TestEditedSample(t *testing.T) {
	t.Parallel()
	s := newSite(t, filepath.Join(samples, "org"))
	file := filepath.Join(samples, "edited.csv")
	expected := readCSV(t, sample(t, "edited.expected.csv"), ',')[1:]

	got := s.run(t, "validate", "--format", "jsonl", file)
	assert.Equal(t, exitProblems, got.code)
	planned := got.results(t)
	assertExpected(t, expected, planned, schema.Ready)

	got = s.run(t, "import", "--accept-permanent", "--format", "jsonl", file)
	assert.Equal(t, exitProblems, got.code)
	claimed := got.results(t)
	assertExpected(t, expected, claimed, schema.Claimed)
	ids := map[string]bool{}
	for i, r := range claimed {
		if r.Outcome == schema.Claimed {
			assert.NotEmpty(t, r.ClaimID)
			assert.False(t, ids[r.ClaimID], "claim ids are unique")
			ids[r.ClaimID] = true
			r.Outcome, r.ClaimID = schema.Ready, ""
		}
		assert.Equal(t, planned[i], r, "what was shown is what was done")
	}
	assert.Equal(t, len(claimed), s.run(t, "status", "--json").summary(t).Rows)

	again := s.run(t, "validate", "--format", "jsonl", file).results(t)
	for i, r := range claimed {
		want := r.Reason
		if r.Outcome == schema.Claimed {
			want = schema.CodeAlreadyClaimed
		}
		assert.Equal(t, want, again[i].Reason)
	}
}

// assertExpected compares results with edited.expected.csv, in which every row that will be claimed is ready.
func assertExpected(t *testing.T, expected [][]string, results []schema.Result, ready schema.Outcome) {
	t.Helper()
	require.Len(t, results, len(expected))
	for i, want := range expected {
		if want[2] == string(schema.Ready) {
			want = append([]string(nil), want...)
			want[2] = string(ready)
		}
		r := results[i]
		reasons := make([]string, len(r.Reasons))
		for i, reason := range r.Reasons {
			reasons[i] = string(reason)
		}
		got := []string{strconv.Itoa(r.Line), r.Email, string(r.Outcome), strings.Join(reasons, ";"), string(r.ClaimType), strings.Join(r.Warnings, ";")}
		assert.Equal(t, want, got)
		if len(reasons) > 0 {
			assert.Equal(t, reasons[0], string(r.Reason))
			assert.NotEmpty(t, r.Message)
			assert.NotEmpty(t, r.Fix)
		} else {
			assert.Empty(t, r.Reason)
		}
	}
}

// TestReportGivesEveryCellBack writes one file in every delimiter, encoding and line end, and reads the
// report of its import.
func TestReportGivesEveryCellBack(t *testing.T) {
	const notes = "Anteckning"
	rows := [][]string{
		{emailHeader, "Display Name", notes, "", "Phone Number"},
		{"nobody@acme.example", "Åsa \"Å\" Öberg", "två\nrader;,\t|", "", "'+46701740666"},
		{" nobody2@acme.example\u00a0", "'=1", "''=1+1", " blanks ", ""},
		{"nobody3@acme.example", " x", "'quote", "'", "070"},
		{"short"},
		{"nobody4@acme.example", "", "", "", "", "surplus", "more"},
	}
	s := newSite(t, filepath.Join(samples, "org"))
	encodings := map[string]func(string) string{
		"UTF-8":    func(s string) string { return s },
		"BOM":      func(s string) string { return "\ufeff" + s },
		"UTF-16LE": func(s string) string { return utf16Text(t, "\ufeff"+s, false) },
		"UTF-16BE": func(s string) string { return utf16Text(t, "\ufeff"+s, true) },
		"Windows-1252": func(s string) string {
			encoded, err := charmap.Windows1252.NewEncoder().String(s)
			require.NoError(t, err)
			return encoded
		},
	}
	for name, encode := range encodings {
		for _, delimiter := range ",;\t|" {
			for _, crlf := range []bool{false, true} {
				t.Run(name+" "+strconv.QuoteRune(delimiter)+" "+strconv.FormatBool(crlf), func(t *testing.T) {
					var text bytes.Buffer
					w := csv.NewWriter(&text)
					w.Comma, w.UseCRLF = delimiter, crlf
					require.NoError(t, w.WriteAll(rows))
					file := write(t, "users.csv", encode(text.String()))

					claim := []string{"import", "--accept-permanent", "--format", "csv", file}
					if name == "Windows-1252" { // no account is there to compare with
						claim = append(claim, "--encoding", name)
					}
					imported := s.run(t, claim...)
					assert.Equal(t, exitProblems, imported.code, imported.stderr)
					report := s.run(t, "report", "--format", "csv").stdout
					assert.Equal(t, imported.stdout, report)
					assertReport(t, rows, report, delimiter, crlf, name != "UTF-8" && name != "Windows-1252")

					// A report of the report has the same cells, and the six columns once.
					file = write(t, "report.csv", report)
					again := s.run(t, "import", "--accept-permanent", "--format", "csv", file).stdout
					assertReport(t, rows, again, delimiter, crlf, name != "UTF-8" && name != "Windows-1252")
					assert.Equal(t, []string{notes}, s.run(t, "status", "--json").summary(t).UnknownColumns)
				})
			}
		}
	}
}

// assertReport checks that a report has the cells of the rows and the dialect of their file.
func assertReport(t *testing.T, rows [][]string, report string, delimiter rune, crlf, bom bool) {
	t.Helper()
	assert.Equal(t, bom, strings.HasPrefix(report, "\ufeff"))
	assert.Equal(t, crlf, strings.HasSuffix(report, "\r\n"))
	got := readCSV(t, strings.TrimPrefix(report, "\ufeff"), delimiter)
	require.Len(t, got, len(rows))
	columns := len(rows[0])
	assert.Equal(t, schema.ReportHeaders, got[0][columns:])
	for i, want := range rows {
		if got := got[i]; assert.GreaterOrEqual(t, len(got), columns+len(schema.ReportHeaders)) {
			for len(want) < columns {
				want = append(want, "")
			}
			cells := append(append([]string(nil), got[:columns]...), got[columns+len(schema.ReportHeaders):]...)
			assert.Equal(t, want, cells)
		}
	}
}

// TestOnlyProblemsCanBeCorrected corrects what --only problems lists, and imports that: the rest is claimed.
func TestOnlyProblemsCanBeCorrected(t *testing.T) {
	t.Parallel()
	s := newSite(t, filepath.Join(samples, "org"))
	good := readCSV(t, sample(t, "good.csv"), ',')
	phone := columnOf(t, good[0], "Phone Number")
	for i := 1; i < len(good); i += 4 {
		good[i][phone] = "070-" + strconv.Itoa(i)
	}
	var text bytes.Buffer
	require.NoError(t, csv.NewWriter(&text).WriteAll(good))
	problems := filepath.Join(t.TempDir(), "problems.csv")
	got := s.run(t, "import", "--accept-permanent", "--only", "problems", "--format", "csv", "-o", problems, write(t, "users.csv", text.String()))
	assert.Equal(t, exitProblems, got.code)

	data, err := os.ReadFile(problems)
	require.NoError(t, err)
	listed := readCSV(t, string(data), ',')
	require.Len(t, listed, 1+5)
	for _, row := range listed[1:] {
		assert.Equal(t, "invalid", row[columnOf(t, listed[0], "Claimline Result")])
		assert.Equal(t, "phone_invalid", row[columnOf(t, listed[0], "Claimline Reason")])
		row[phone] = "'+46701740666"
	}
	text.Reset()
	require.NoError(t, csv.NewWriter(&text).WriteAll(listed))
	got = s.run(t, "import", "--accept-permanent", "--json", write(t, "corrected.csv", text.String()))
	assert.Equal(t, exitDone, got.code)
	assert.Equal(t, 5, got.summary(t).Claimed)
	assert.Equal(t, 20, s.run(t, "validate", "--json", filepath.Join(samples, "good.csv")).summary(t).Unchanged)
}

// TestExportCanBeImported claims exactly whom the export lists, and then nobody is left to export.
func TestExportCanBeImported(t *testing.T) {
	t.Parallel()
	for _, flags := range [][]string{nil, {"--excel"}} {
		s := newSite(t, filepath.Join(samples, "org"))
		file := filepath.Join(t.TempDir(), "users.csv")
		require.Zero(t, s.run(t, append([]string{"export", "-o", file}, flags...)...).code)
		got := s.run(t, "import", "--accept-permanent", "--json", file)
		assert.Equal(t, exitDone, got.code)
		summary := got.summary(t)
		assert.Equal(t, 1200, summary.Rows)
		assert.Equal(t, 1200, summary.Claimed)
		assert.Empty(t, summary.UnknownColumns)
		assert.Empty(t, summary.Repairs[schema.RepairBlanksTrimmed])
		assert.Len(t, readCSV(t, s.run(t, "export").stdout, ','), 1)
	}
}

func columnOf(t *testing.T, header []string, name string) int {
	t.Helper()
	for i, column := range header {
		if column == name {
			return i
		}
	}
	require.Fail(t, "no column "+name)
	return -1
}

func readCSV(t *testing.T, text string, delimiter rune) [][]string {
	t.Helper()
	r := csv.NewReader(strings.NewReader(text))
	r.Comma, r.FieldsPerRecord = delimiter, -1
	rows, err := r.ReadAll()
	require.NoError(t, err)
	return rows
}
