package workbook

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"
	"pgregory.net/rapid"

	"github.com/claimline/claimline/schema"
)

// tricky are cells in which a spreadsheet program would like to see something else.
var tricky = [][]string{
	{"Åsa-Zoë", "'O’Neill & <Söner>", "=SUM(A1)", "007", "1E5", "TRUE", "SANT"},
	{"2024-05-01", "3/4", "+46701740666", "-1", "@x", "46701740666", "#N/A"},
	{"_x0041_", "a\tb", "two\nlines", " blanks ", `"quoted"`, `="Adam"`, "1,5"},
	{"", "", "", "", "", "", "last"},
	{"1.5", "true", "WAHR", "0,00 %", "12:30", "5. Mai 2024", "\U0001F600"},
}

var trickyColumns = []Column{
	{Header: "First Name", Width: 18}, {Header: "Last Name"}, {Header: "Title"}, {Header: "Department"}, {Header: "User Status", ReadOnly: true},
	{Header: "Claim", Choices: []string{"TRUE", "FALSE"}}, {Header: "Webex <Calling>", Choices: []string{"TRUE", "FALSE"}},
}

func expect(t *testing.T, columns []Column, rows [][]string, got map[int][]string) {
	t.Helper()
	want := map[int][]string{1: {}}
	for _, c := range columns {
		want[1] = append(want[1], c.Header)
	}
	for i, row := range rows {
		for len(row) > 0 && row[len(row)-1] == "" {
			row = row[:len(row)-1]
		}
		if len(row) > 0 {
			want[i+2] = row
		}
	}
	assert.Equal(t, want, got)
}

func TestWhatIsWrittenIsReadBack(t *testing.T) {
	rows, _, notes, err := readAll(t, write(t, trickyColumns, tricky), 0)
	require.NoError(t, err)
	expect(t, trickyColumns, tricky, rows)
	assert.Equal(t, &Notes{}, notes)
}

// TestLibreOfficeChangesNothing reads what LibreOffice saved after it had opened a workbook of ours, in
// Swedish, German and English: testdata/README.md says how.
func TestLibreOfficeChangesNothing(t *testing.T) {
	for _, language := range []string{"sv", "de", "en"} {
		file, err := os.ReadFile("testdata/saved-" + language + ".xlsx")
		require.NoError(t, err)
		rows, hidden, notes, err := readAll(t, string(file), 0)
		require.NoError(t, err)
		expect(t, trickyColumns, tricky, rows)
		assert.Empty(t, hidden)
		assert.Equal(t, &Notes{}, notes)
	}
}

func TestAnyCellIsReadBack(t *testing.T) {
	cell := rapid.OneOf(
		rapid.SampledFrom([]string{"", "_x000D_", "_x005F_", "_x_", "__x0041_", " ", "\n", "\r\n", "&amp;", "]]>", "<a>", "'=1", "\x01", "\ufffe"}),
		rapid.StringOf(rapid.RuneFrom([]rune("a_x0041D\r\n\t &<>\"'é\x02\U0001F600"))),
		rapid.String(),
	).Filter(func(s string) bool { return !strings.ContainsRune(s, 0) })
	rapid.Check(t, func(t *rapid.T) {
		rows := rapid.SliceOf(rapid.SliceOfN(cell, 0, 5)).Draw(t, "rows")
		got, _, _, err := readAll(t, write(t, trickyColumns, rows), 0)
		if err != nil {
			t.Fatal(err)
		}
		for i, row := range rows {
			for len(row) > 0 && row[len(row)-1] == "" {
				row = row[:len(row)-1]
			}
			if !slices.Equal(row, got[i+2]) {
				t.Fatalf("row %d: %q instead of %q", i+2, got[i+2], row)
			}
		}
	})
}

// TestOthersReadWhatIsWritten reads a workbook of ours with another program's eyes.
func TestOthersReadWhatIsWritten(t *testing.T) {
	file, err := excelize.OpenReader(strings.NewReader(write(t, trickyColumns, tricky)))
	require.NoError(t, err)
	rows, err := file.GetRows("Users")
	require.NoError(t, err)
	got := map[int][]string{}
	for i, row := range rows {
		got[i+1] = row
	}
	expect(t, trickyColumns, tricky, got)

	panes, err := file.GetPanes("Users")
	require.NoError(t, err)
	assert.True(t, panes.Freeze)
	assert.Equal(t, 1, panes.YSplit)
	choices, err := file.GetDataValidations("Users")
	require.NoError(t, err)
	require.Len(t, choices, 2)
	assert.Equal(t, "list", choices[0].Type)
	assert.Equal(t, `"TRUE,FALSE"`, choices[0].Formula1)
	assert.Equal(t, fmt.Sprintf("F2:F%d", mostRows), choices[0].Sqref)
	width, err := file.GetColWidth("Users", "A")
	require.NoError(t, err)
	assert.InDelta(t, 18, width, 0.01)
	for _, at := range []struct {
		cell    string
		pattern int // of its fill: 1 is one colour
	}{{"A2", 0}, {"E3", 1}, {"F2", 0}} {
		style, err := file.GetCellStyle("Users", at.cell)
		require.NoError(t, err)
		s, err := file.GetStyle(style)
		require.NoError(t, err)
		assert.Equal(t, 49, s.NumFmt, "%s is text", at.cell)
		assert.Equal(t, at.pattern, s.Fill.Pattern, at.cell)
	}
	column, err := file.GetColStyle("Users", "B")
	require.NoError(t, err)
	s, err := file.GetStyle(column)
	require.NoError(t, err)
	assert.Equal(t, 49, s.NumFmt, "what somebody writes into a blank cell is text")
}

func TestWhatNoWorkbookHoldsIsRefused(t *testing.T) {
	var b strings.Builder
	w, err := NewWriter(&b, trickyColumns)
	require.NoError(t, err)
	require.NoError(t, w.Write([]string{strings.Repeat("å", mostCharacters)}))
	err = w.Write([]string{"", strings.Repeat("\U0001F600", mostCharacters/2+1)})
	refused := &schema.Error{}
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, schema.CodeLimitExceeded, refused.Code)
	assert.Equal(t, []any{3, 2, "Last Name"}, []any{refused.Line, refused.Column, refused.Header})

	w.rows = mostRows - 1
	require.NoError(t, w.Write(nil))
	err = w.Write(nil)
	assert.Equal(t, schema.CodeTooManyRows, schema.CodeOf(err))
}
