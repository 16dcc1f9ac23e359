package pipeline

import (
	"bytes"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/pipeline/report"
	"github.com/claimline/claimline/pipeline/workbook"
	"github.com/claimline/claimline/schema"
)

var lineNumber = regexp.MustCompile(`"line":\d+,|, line \d+|on line \d+|line \d+`)

// TestAWorkbookHasTheSameOutcomes writes the same rows as CSV and as a workbook: every row ends in the same
// way, and so do those of a report that is a workbook. Only the lines differ, where cells have several.
func TestAWorkbookHasTheSameOutcomes(t *testing.T) {
	cell := rapid.SampledFrom([]string{
		"", "TRUE", "false", "SANT", "maybe", "ann@acme.example", "Bo@acme.example", "bo@ACME.example", "+46701740600", "070-174 06 00", "46701740600", "=1+1",
		`="Adam"`, "two\nlines", "#N/A", "é", "HÃ¥kan", " Ann ", "'=x", "sv_SE", "a,b;c", "\x01", "immediate",
	})
	header := []string{schema.EmailHeader, "First Name", "Claim", "Phone Number", "Notes", "Preferred Language"}
	rapid.Check(t, func(t *rapid.T) {
		rows := rapid.SliceOfN(rapid.SliceOfN(cell, len(header), len(header)), 1, 6).Draw(t, "rows")
		var text, book bytes.Buffer
		csv := dialect.NewWriter(&text, schema.Format{})
		require.NoError(t, csv.Write(header))
		columns := make([]workbook.Column, len(header))
		for i := range header {
			columns[i].Header = header[i]
		}
		sheet, err := workbook.NewWriter(&book, columns)
		require.NoError(t, err)
		for _, row := range rows {
			require.NoError(t, csv.Write(row))
			cells := make([]string, len(row))
			for i := range row {
				cells[i] = dialect.SheetCell(row[i])
			}
			require.NoError(t, sheet.Write(cells))
		}
		require.NoError(t, csv.Flush())
		require.NoError(t, sheet.Close())

		said := func(file string, format report.Format) (string, *schema.Plan, error) {
			var out bytes.Buffer
			plan, err := offline().Validate(t.Context(), dialect.Text("f", file), schema.Order{Offline: true}, &report.Report{To: &out, Format: format}, Watch{})
			return lineNumber.ReplaceAllString(out.String(), ""), plan, err
		}
		want, wantPlan, err := said(text.String(), report.JSONL)
		if err != nil { // nothing but blank rows
			_, _, bookErr := said(book.String(), report.JSONL)
			require.Equal(t, schema.CodeOf(err), schema.CodeOf(bookErr))
			return
		}
		got, gotPlan, err := said(book.String(), report.JSONL)
		require.NoError(t, err)
		require.Equal(t, want, got)
		require.Equal(t, wantPlan.Tally, gotPlan.Tally)
		require.Equal(t, wantPlan.Repairs, gotPlan.Repairs)

		var again [2]string // what a report on the report says
		for i, format := range []report.Format{report.CSV, report.XLSX} {
			var reported bytes.Buffer
			_, err = offline().Validate(t.Context(), dialect.Text("f", text.String()), schema.Order{Offline: true}, &report.Report{To: &reported, Format: format}, Watch{})
			require.NoError(t, err)
			again[i], _, err = said(reported.String(), report.JSONL)
			require.NoError(t, err)
		}
		require.Equal(t, again[0], again[1])
	})
}
