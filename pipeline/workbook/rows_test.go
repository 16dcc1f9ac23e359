package workbook

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"github.com/claimline/claimline/schema"
)

// TestCellsAreReadAsTheyAreShown reads what LibreOffice made of the same table typed in Swedish, German and
// English: testdata/README.md says how.
func TestCellsAreReadAsTheyAreShown(t *testing.T) {
	for _, language := range []struct{ name, title, date string }{
		{"sv", "Användare att göra anspråk på", "2024/05/01"},
		{"de", "Zu beanspruchende Benutzer", "01/05/24"},
		{"en", "Users to claim", "05/01/24"},
	} {
		file, err := os.ReadFile("testdata/typed-" + language.name + ".xlsx")
		require.NoError(t, err)
		rows, hidden, notes, err := readAll(t, string(file), 0)
		require.NoError(t, err)
		assert.Equal(t, map[int][]string{
			1: {language.title},
			2: {"First Name", "Last Name", "User ID/Email (Required)", "Title", "Phone Number", "Claim", "Webex Calling"},
			3: {"Åsa", "Öberg", "asa.oberg@acme.example", language.date, "46701740600", "TRUE", "FALSE"},
			4: {"Per", "Ärlig", "per.arlig@acme.example", "1.5", "701740601", "FALSE", "TRUE"},
			5: {"Zoë", "Müller", "zoe.muller@acme.example", "1234.5", "46701740602", "TRUE"},
			6: {"Bo", "Nu", "bo.nu@acme.example", "#DIV/0!", "467017406031", "TRUE"},
		}, rows)
		assert.Empty(t, hidden)
		assert.Equal(t, &Notes{}, notes)
	}
}

func TestDatesWithoutALanguageAreReadAsISO8601HasThem(t *testing.T) {
	file := excelize.NewFile()
	for i, format := range []int{14, 22, 27} {
		cell := name(i+1, 1)
		require.NoError(t, file.SetCellValue("Sheet1", cell, 45413.5))
		style, err := file.NewStyle(&excelize.Style{NumFmt: format})
		require.NoError(t, err)
		require.NoError(t, file.SetCellStyle("Sheet1", cell, cell, style))
	}
	b, err := file.WriteToBuffer()
	require.NoError(t, err)
	rows, _, _, err := readAll(t, b.String(), 0)
	require.NoError(t, err)
	assert.Equal(t, map[int][]string{1: {"2024-05-01"}, 2: {"2024-05-01 12:00"}, 3: {"2024-05-01"}}, rows)

	yes := true
	require.NoError(t, file.SetWorkbookProps(&excelize.WorkbookPropsOptions{Date1904: &yes}))
	b, err = file.WriteToBuffer()
	require.NoError(t, err)
	rows, _, _, err = readAll(t, b.String(), 0)
	require.NoError(t, err)
	assert.Equal(t, []string{"2028-05-02"}, rows[1], "days are counted from 1904")
}

func TestWhatIsHiddenOrMergedIsNoted(t *testing.T) {
	file := excelize.NewFile()
	_, err := file.NewSheet("Secret")
	require.NoError(t, err)
	require.NoError(t, file.SetSheetVisible("Secret", false))
	require.NoError(t, file.SetSheetRow("Sheet1", "A1", &[]string{"Email", "Claim", "Notes"}))
	require.NoError(t, file.SetSheetRow("Sheet1", "A3", &[]string{"ann@acme.example", "TRUE"}))
	require.NoError(t, file.SetSheetRow("Sheet1", "B7", &[]any{true, 1.5, "x"}))
	require.NoError(t, file.SetRowVisible("Sheet1", 3, false))
	require.NoError(t, file.SetRowVisible("Sheet1", 5, false))
	require.NoError(t, file.SetColVisible("Sheet1", "B:C", false))
	require.NoError(t, file.MergeCell("Sheet1", "A7", "A9"))
	require.NoError(t, file.SetCellRichText("Sheet1", "E9", []excelize.RichTextRun{{Text: "two "}, {Text: "fonts", Font: &excelize.Font{Bold: true}}}))
	b, err := file.WriteToBuffer()
	require.NoError(t, err)
	book, err := Open(strings.NewReader(b.String()), int64(b.Len()))
	require.NoError(t, err)
	assert.Equal(t, []string{"Sheet1 false", "Secret true"}, []string{
		fmt.Sprint(book.Sheets[0].Name, " ", book.Sheets[0].Hidden), fmt.Sprint(book.Sheets[1].Name, " ", book.Sheets[1].Hidden),
	})
	rows, hidden, notes, err := readAll(t, b.String(), 0)
	require.NoError(t, err)
	assert.Equal(t, map[int][]string{
		1: {"Email", "Claim", "Notes"}, 3: {"ann@acme.example", "TRUE"}, 7: {"", "TRUE", "1.5", "x"}, 9: {"", "", "", "", "two fonts"},
	}, rows)
	assert.Equal(t, []int{3}, hidden, "a hidden row without content is none")
	assert.Equal(t, &Notes{
		Merged: []Area{{FirstRow: 7, LastRow: 9, FirstColumn: 1, LastColumn: 1}}, HiddenColumns: []Area{{FirstRow: 1, LastRow: mostRows, FirstColumn: 2, LastColumn: 3}},
	}, notes)
}

func TestWhatIsNotCertainIsRefused(t *testing.T) {
	row := func(cells string) string { return `<sheetData><row r="2">` + cells + `</row></sheetData>` }
	shared := map[string]string{
		"xl/sharedStrings.xml": `<sst><si><t>a</t><rPh><t>spoken</t></rPh></si></sst>`,
		"xl/_rels/workbook.xml.rels": strings.Replace(workbookRelations, "</Relationships>",
			`<Relationship Id="rId9" Type="`+documents+`/sharedStrings" Target="/xl/sharedStrings.xml"/></Relationships>`, 1),
	}
	for title, c := range map[string]struct {
		sheet  string
		others map[string]string
		code   schema.Code // blank: it is read, and row 2 is as said
		says   string
	}{
		"text":                        {row(`<c r="B2" t="inlineStr"><is><t>x</t></is></c>`), nil, "", "|x"},
		"prefixes":                    {strings.NewReplacer("</", "</x:", "<", "<x:").Replace(row(`<c t="str"><v>x</v></c>`)), nil, "", "x"},
		"a shared text":               {row(`<c t="s"><v>0</v></c>`), shared, "", "a"},
		"a shared text that is not":   {row(`<c t="s"><v>1</v></c>`), shared, schema.CodeEncodingUnknown, "a text that is not there"},
		"no shared texts":             {row(`<c t="s"><v>0</v></c>`), nil, schema.CodeEncodingUnknown, "a text that is not there"},
		"a formula with its value":    {row(`<c><f>1+1</f><v>2</v></c>`), nil, "", "2"},
		"a formula that says nothing": {row(`<c t="str"><f>A1</f><v></v></c><c r="B2"><v>1</v></c>`), nil, "", "|1"},
		"a formula without a value":   {row(`<c r="A2"><v>1</v></c><c r="C2"><f>B2&amp;"x"</f></c>`), nil, schema.CodeFormulaNotCalculated, "formula in C2"},
		"a formula never calculated": {row(`<c><f>1+1</f><v>0</v></c>`),
			map[string]string{"xl/workbook.xml": strings.Replace(workbookPart, "</sheets>", `</sheets><calcPr fullCalcOnLoad="1"/>`, 1)}, schema.CodeFormulaNotCalculated, "formula in A2"},
		"an error":                     {row(`<c t="e"><v>#REF!</v></c>`), nil, "", "#REF!"},
		"a boolean":                    {row(`<c t="b"><v>0</v></c>`), nil, "", "FALSE"},
		"no boolean":                   {row(`<c t="b"><v>2</v></c>`), nil, schema.CodeEncodingUnknown, "neither true nor false"},
		"no number":                    {row(`<c><v>1O</v></c>`), nil, schema.CodeEncodingUnknown, "no number"},
		"infinity":                     {row(`<c><v>1e999</v></c>`), nil, schema.CodeEncodingUnknown, "no number"},
		"an unknown kind":              {row(`<c t="q"><v>1</v></c>`), nil, schema.CodeEncodingUnknown, "not known"},
		"a blank cell without a place": {row(`<c t="str"><v>x</v></c><c/><c t="str"><v>y</v></c>`), nil, "", "x||y"},
		"blank cells with a place":     {row(`<c r="B2"/><c t="str"><v>y</v></c>`), nil, "", "||y"},
		"one place twice":              {row(`<c r="B2"/><c r="B2"><v>1</v></c>`), nil, schema.CodeEncodingUnknown, "no order"},
		"cells in no order":            {row(`<c r="B2"><v>1</v></c><c r="A2"><v>1</v></c>`), nil, schema.CodeEncodingUnknown, "no order"},
		"a cell of other rows":         {row(`<c r="A3"><v>1</v></c>`), nil, schema.CodeEncodingUnknown, "no order"},
		"rows in no order":             {`<sheetData><row r="2"/><row r="2"/></sheetData>`, nil, schema.CodeEncodingUnknown, "no order"},
		"a row too far":                {`<sheetData><row r="1048577"/></sheetData>`, nil, schema.CodeEncodingUnknown, "no order"},
		"a column too far":             {row(`<c r="XFE2"><v>1</v></c>`), nil, schema.CodeEncodingUnknown, "no order"},
		"rows cut off":                 {`<sheetData><row r="2"><c><v>1</v></c>`, nil, schema.CodeEncodingUnknown, "not open"},
		"a document type": {"", map[string]string{
			"xl/workbook.xml": `<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>` + workbookPart,
		}, schema.CodeEncodingUnknown, "document type"},
		"an entity":                {row(`<c t="str"><v>&a;</v></c>`), nil, schema.CodeEncodingUnknown, "no character"},
		"UTF-16":                   {"", map[string]string{"xl/workbook.xml": `<?xml version="1.0" encoding="UTF-16"?>` + workbookPart}, schema.CodeEncodingUnknown, "not UTF-8"},
		"no sheet":                 {"", map[string]string{"xl/workbook.xml": `<workbook/>`}, schema.CodeEncodingUnknown, "no sheet"},
		"a sheet is gone":          {"", map[string]string{"xl/_rels/workbook.xml.rels": strings.Replace(workbookRelations, "sheet1", "sheet2", 1)}, schema.CodeEncodingUnknown, "is missing"},
		"two parts of a name":      {"", map[string]string{"XL/workbook.xml": workbookPart}, schema.CodeEncodingUnknown, "two parts"},
		"a tag of many attributes": {row(`<c ` + strings.Repeat(`x="" `, 100_000) + `t="str"><v>x</v></c>`), nil, "", "x"},
		"a format too long": {row(`<c s="1"><v>1</v></c>`), map[string]string{
			"xl/styles.xml": `<styleSheet><numFmts><numFmt numFmtId="200" formatCode="` + strings.Repeat("0", mostCode+1) + `"/></numFmts></styleSheet>`,
		}, schema.CodeLimitExceeded, "format"},
		"a cell too long": {row(`<c t="str"><v>` + strings.Repeat("x", mostToken+1) + `</v></c>`), nil, schema.CodeLimitExceeded, "longer than"},
		"macros":          {row(`<c t="str"><v>x</v></c>`), map[string]string{"xl/vbaProject.bin": "\x00\x01"}, "", "x"},
	} {
		t.Run(title, func(t *testing.T) {
			rows, _, _, err := readAll(t, pack(t, parts(c.sheet, c.others)), 0)
			if c.code == "" {
				require.NoError(t, err)
				assert.Equal(t, c.says, strings.Join(rows[2], "|"))
				return
			}
			refused := &schema.Error{}
			require.ErrorAs(t, err, &refused)
			assert.Equal(t, c.code, refused.Code, refused.Message)
			assert.Contains(t, refused.Text(), c.says)
			assert.NotEmpty(t, refused.Remedy())
		})
	}
}

// TestDamageIsNoticed cuts and changes a workbook at many places: it is refused, or read as it was.
func TestDamageIsNoticed(t *testing.T) {
	whole := write(t, trickyColumns, tricky)
	want, _, _, err := readAll(t, whole, 0)
	require.NoError(t, err)
	check := func(file, what string) {
		rows, _, _, err := readAll(t, file, 0)
		if err == nil {
			assert.Equal(t, want, rows, what)
			return
		}
		assert.NotEmpty(t, schema.CodeOf(err), "%s: %v", what, err)
	}
	for i := range len(whole) {
		if i%13 != 0 { // some of them, for it takes time
			continue
		}
		check(whole[:i], fmt.Sprintf("cut off at %d", i))
		check(whole[:i]+string(whole[i]^0x10)+whole[i+1:], fmt.Sprintf("changed at %d", i))
	}
}

func TestBombsAreRefused(t *testing.T) {
	for part, most := range map[string]int64{"xl/styles.xml": mostOther, "xl/sharedStrings.xml": 4 * mostStrings} {
		l := &limited{from: endless{}, name: part, most: most, left: 1 << 20}
		_, err := newScanner(l).next()
		assert.Equal(t, schema.CodeLimitExceeded, schema.CodeOf(err))
	}
	blank := strings.Repeat(" ", mostOther+1)
	_, err := Open(strings.NewReader(pack(t, parts("", map[string]string{"xl/styles.xml": blank}))), 0)
	require.Error(t, err)
	file := pack(t, parts("", map[string]string{"xl/styles.xml": blank}))
	require.Less(t, len(file), 64<<10)
	_, err = Open(strings.NewReader(file), int64(len(file)))
	assert.Equal(t, schema.CodeLimitExceeded, schema.CodeOf(err))
	assert.ErrorContains(t, err, "unpacks to more than 32 MiB")
}

// endless is white space without an end.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}
