package dialect

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"
	"pgregory.net/rapid"

	"github.com/claimline/claimline/pipeline/workbook"
	"github.com/claimline/claimline/schema"
)

// workbookOf writes a header and rows as a workbook.
func workbookOf(t require.TestingT, header []string, rows [][]string) string {
	var b bytes.Buffer
	columns := make([]workbook.Column, len(header))
	for i, name := range header {
		columns[i].Header = name
	}
	w, err := workbook.NewWriter(&b, columns)
	require.NoError(t, err)
	for _, row := range rows {
		cells := make([]string, len(row))
		for i, cell := range row {
			cells[i] = SheetCell(cell)
		}
		require.NoError(t, w.Write(cells))
	}
	require.NoError(t, w.Close())
	return b.String()
}

// readSource reads a file to its end: the values of its records, each behind its line.
func readSource(ctx context.Context, source Source, options Options) (reader *Reader, values [][]string, lines []int, err error) {
	reader, err = NewReader(ctx, source, options)
	if err != nil {
		return nil, nil, nil, err
	}
	var records Records
	for {
		err := reader.NextRecords(ctx, &records)
		if errors.Is(err, io.EOF) {
			return reader, values, lines, nil
		}
		if err != nil {
			return nil, nil, nil, err
		}
		for i := range records.Len() {
			cells, _ := records.Fit(i, reader.Format(), 1)
			record := make([]string, len(cells))
			for j, cell := range cells {
				record[j], _ = Clean(cell)
			}
			values, lines = append(values, record), append(lines, records.Line(i))
		}
	}
}

// TestAWorkbookSaysWhatCSVSays writes the same rows as CSV and as a workbook, and reads both.
func TestAWorkbookSaysWhatCSVSays(t *testing.T) {
	cell := rapid.OneOf(
		rapid.SampledFrom([]string{"", "TRUE", "+46701740600", "=1+1", "'=1", "''+1", `="Adam"`, "two\nlines", "a,b", `"`, " a ", "\t=1", "-", "é", "ï»¿x", "\ufeffx", "x;;;", "|", "'"}),
		rapid.StringOf(rapid.RuneFrom([]rune("a'=+-@\t \n\"é,;"))),
	).Filter(func(s string) bool { return s == "" || !blank(s) })
	rapid.Check(t, func(t *rapid.T) {
		width := rapid.IntRange(1, 5).Draw(t, "width")
		header := []string{"Email", "Name", "x", "Claim", "Note"}[:width]
		rows := rapid.SliceOf(rapid.SliceOfN(cell, width, width)).Draw(t, "rows")
		var b bytes.Buffer
		w := NewWriter(&b, schema.Format{})
		require.NoError(t, w.Write(header))
		for _, row := range rows {
			require.NoError(t, w.Write(row))
		}
		require.NoError(t, w.Flush())
		limits := Limits{BlockRows: rapid.IntRange(1, 3).Draw(t, "block")}
		options := Options{Limits: limits, Names: []string{"email"}}
		_, want, _, err := readSource(t.Context(), Text("f", b.String()), options)
		if schema.CodeOf(err) == schema.CodeCSVMalformed { // a cell of several lines that could be a quote left open
			return
		}
		require.NoError(t, err)
		file := workbookOf(t, header, rows)
		reader, got, lines, err := readSource(t.Context(), Text("f", file), options)
		require.NoError(t, err)
		require.Equal(t, want, got)
		at := 0
		for i, row := range rows {
			if strings.TrimFunc(strings.Join(row, ""), isBlank) == "" {
				continue
			}
			if at < len(lines) {
				require.Equal(t, i+2, lines[at], "the line is the row of the sheet")
			}
			at++
		}
		require.Equal(t, sha256.Sum256([]byte(file)), reader.SHA256())
	})
}

// TestACellOfTheFileIsRestoredInAWorkbook writes cells of a CSV file into a workbook, as a report does.
func TestACellOfTheFileIsRestoredInAWorkbook(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cell := rapid.StringOf(rapid.RuneFrom([]rune("a'=+-@\t \n\"é"))).Draw(t, "cell")
		want, _ := Clean(cell)
		got, _ := Clean(RestoreSheet(cell, true))
		require.Equal(t, want, got)
		require.Equal(t, unguard(cell), unguard(RestoreSheet(cell, false)))
	})
}

// sheets makes a workbook with sheets that have these rows.
func sheets(t *testing.T, named map[string][][]any, order ...string) *excelize.File {
	t.Helper()
	file := excelize.NewFile()
	for i, name := range order {
		if i == 0 {
			require.NoError(t, file.SetSheetName("Sheet1", name))
		} else {
			_, err := file.NewSheet(name)
			require.NoError(t, err)
		}
		for row, cells := range named[name] {
			require.NoError(t, file.SetSheetRow(name, fmt.Sprintf("A%d", row+1), &cells))
		}
	}
	return file
}

func asText(t *testing.T, file *excelize.File) string {
	t.Helper()
	b, err := file.WriteToBuffer()
	require.NoError(t, err)
	return b.String()
}

func TestTheSheetThatIsMeantIsRead(t *testing.T) {
	users := [][]any{{"Users to claim"}, {}, {"Email", "Claim"}, {"ann@acme.example", true}}
	others := map[string][][]any{
		"Users": users, "More": {{"E-mail", "Claim"}, {"bo@acme.example", true}}, "Notes": {{"Read this"}, {"ann@acme.example is away"}}, "Blank": nil,
	}
	options := Options{Names: []string{"Email", "E-mail"}}
	for _, c := range []struct {
		order []string
		named string
		first string // address; blank: it is refused
		says  string
	}{
		{[]string{"Users"}, "", "ann@acme.example", ""},
		{[]string{"Notes", "Users", "Blank"}, "", "ann@acme.example", ""},
		{[]string{"Users", "More"}, "", "", `several sheets with a column of addresses: "Users", "More".`},
		{[]string{"Users", "More"}, "More", "bo@acme.example", ""},
		{[]string{"Users", "More"}, " users", "ann@acme.example", ""},
		{[]string{"Users", "More"}, "Moer", "", `no sheet "Moer". It has: "Users", "More".`},
		{[]string{"Notes", "Other"}, "", "", ""}, // the only one with content: what it seems to be is told
	} {
		text := asText(t, sheets(t, others, c.order...))
		_, values, lines, err := readSource(t.Context(), InSheet(Text("f.xlsx", text), c.named), options)
		if c.says != "" {
			refused := &schema.Error{}
			require.ErrorAs(t, err, &refused)
			assert.Equal(t, schema.CodeSheetUnclear, refused.Code)
			assert.Contains(t, refused.Text(), c.says)
			assert.Contains(t, refused.Remedy(), "--sheet")
			continue
		}
		require.NoError(t, err)
		if c.first != "" {
			assert.Equal(t, []string{c.first, "TRUE"}, values[0])
		}
		if c.first == "ann@acme.example" {
			assert.Equal(t, []int{4}, lines)
		}
	}
	_, err := NewReader(t.Context(), InSheet(Text("f.xlsx", asText(t, sheets(t, others, "Notes", "Users", "More"))), ""), options)
	names, ok := errors.AsType[SheetsError](err)
	assert.True(t, ok)
	assert.Equal(t, SheetsError{"Users", "More"}, names)
}

func TestWhatAWorkbookHidesIsTold(t *testing.T) {
	file := sheets(t, map[string][][]any{"A": {{"Title"}, {"Email", "Name", "Claim"}, {"ann@acme.example", "Ann", true}, {}, {"bo@acme.example", "Bo\nNu", false}}}, "A", "B")
	require.NoError(t, file.SetRowVisible("A", 1, false)) // no row of a user
	require.NoError(t, file.SetRowVisible("A", 5, false))
	require.NoError(t, file.SetColVisible("A", "C", false))
	require.NoError(t, file.SetColVisible("A", "F", false)) // has no header
	require.NoError(t, file.MergeCell("A", "A1", "C1"))     // a title
	require.NoError(t, file.MergeCell("A", "C5", "C6"))
	file.SetActiveSheet(1)
	require.NoError(t, file.SetSheetVisible("A", false))
	reader, values, lines, err := readSource(t.Context(), Text("f", asText(t, file)), Options{Names: []string{"Email"}})
	require.NoError(t, err)
	assert.Equal(t, map[schema.Repair]int{
		schema.RepairHiddenSheet: 1, schema.RepairHiddenRow: 1, schema.RepairHiddenColumn: 1, schema.RepairMergedCells: 1, schema.RepairPreamble: 1,
	}, reader.Repairs())
	assert.Equal(t, [][]string{{"ann@acme.example", "Ann", "TRUE"}, {"bo@acme.example", "Bo\nNu", "FALSE"}}, values)
	assert.Equal(t, []int{3, 5}, lines)
	assert.Equal(t, schema.Format{Delimiter: ',', BOM: true, CRLF: true, Columns: 3, Workbook: true}, reader.Format())
}

// TestAWorkbookIsUnpackedOnce reads a file several times, as a plan does.
func TestAWorkbookIsUnpackedOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "users.xlsx")
	text := workbookOf(t, []string{"Email", "Claim"}, [][]string{{"ann@acme.example", "TRUE"}})
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	file, err := OpenFile(path)
	require.NoError(t, err)
	defer func() { require.NoError(t, file.Close()) }()
	options := Options{Names: []string{"Email"}}
	for range 2 {
		_, values, _, err := readSource(t.Context(), InSheet(file, "Users"), options)
		require.NoError(t, err)
		assert.Equal(t, [][]string{{"ann@acme.example", "TRUE"}}, values)
	}
	kept := file.sheet.text
	_, _, _, err = readSource(t.Context(), file, options)
	require.NoError(t, err)
	assert.NotSame(t, kept, file.sheet.text, "another sheet may be meant")

	require.NoError(t, os.WriteFile(path, []byte(text+"x"), 0o600))
	_, _, _, err = readSource(t.Context(), file, options)
	assert.Equal(t, schema.CodeFileChanged, schema.CodeOf(err))
}

func TestRefusalsOfWorkbooks(t *testing.T) {
	options := Options{Limits: Limits{RecordBytes: 50, Columns: 4}, Names: []string{"Email"}}
	for title, c := range map[string]struct {
		rows [][]any
		code schema.Code
		line int
		says string
	}{
		"blank":          {nil, schema.CodeFileEmpty, 0, "blank"},
		"a long row":     {[][]any{{"Email"}, {}, {strings.Repeat("x", 60)}}, schema.CodeLimitExceeded, 3, "longer than 50"},
		"a wide row":     {[][]any{{"Email"}, {"a", "", "", "", "b"}}, schema.CodeLimitExceeded, 2, "more than 4 columns"},
		"a wide header":  {[][]any{{"Email", "b", "c", "d", "e"}}, schema.CodeLimitExceeded, 1, "more than 4 columns"},
		"users above it": {[][]any{{"ann@acme.example"}, {"Email"}}, "", 0, ""},
	} {
		t.Run(title, func(t *testing.T) {
			reader, _, _, err := readSource(t.Context(), Text("f.xlsx", asText(t, sheets(t, map[string][][]any{"A": c.rows}, "A"))), options)
			if c.code == "" {
				require.NoError(t, err)
				assert.False(t, reader.Found())
				return
			}
			refused := &schema.Error{}
			require.ErrorAs(t, err, &refused)
			assert.Equal(t, []any{c.code, "f.xlsx", c.line}, []any{refused.Code, refused.File, refused.Line}, refused.Message)
			assert.Contains(t, refused.Text(), c.says)
		})
	}
}
