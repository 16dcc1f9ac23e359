package dialect_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/encoding/unicode"

	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/schema"
)

func TestFit(t *testing.T) {
	type fitted struct {
		cells []string
		did   dialect.Fitted
	}
	for header, rows := range map[string]map[string]fitted{
		"Email,Claim,Calling": {
			"a,TRUE,x":               {[]string{"a", "TRUE", "x"}, 0},
			"a,TRUE":                 {[]string{"a", "TRUE", ""}, dialect.Missing},
			"a":                      {[]string{"a"}, dialect.Ragged},
			"a,TRUE,x,":              {[]string{"a", "TRUE", "x"}, dialect.Surplus},
			"a,TRUE,x, ,\u00a0,\"\"": {[]string{"a", "TRUE", "x"}, dialect.Surplus},
			"a,TRUE,,":               {[]string{"a", "TRUE", ""}, dialect.Surplus},
			"a,TRUE,x,,y":            {[]string{"a", "TRUE", "x", "", "y"}, dialect.Ragged},
			"a,TRUE,x;":              {[]string{"a", "TRUE", "x;"}, 0},
			"a;TRUE;x":               {[]string{"a;TRUE;x"}, dialect.Ragged},
			"a;TRUE,x;y":             {[]string{"a;TRUE", "x;y"}, dialect.Ragged}, // as many semicolons as the header has commas
		},
		"Email,Claim,Calling,,":     {"a,TRUE,x": {[]string{"a", "TRUE", "x"}, 0}, "a,TRUE,x,,": {[]string{"a", "TRUE", "x"}, dialect.Surplus}, "a,TRUE": {[]string{"a", "TRUE", ""}, dialect.Missing}},
		"Email,Claim,Calling;;;":    {"a,TRUE,x;;;": {[]string{"a", "TRUE", "x"}, dialect.Surplus}, "a,TRUE,;;;\u00a0": {[]string{"a", "TRUE", ""}, dialect.Surplus}, "a,TRUE,x;": {[]string{"a", "TRUE", "x;"}, 0}, "a,TRUE,x": {[]string{"a", "TRUE", "x"}, 0}},
		"Email;Claim;\"Calling,,\"": {"a;TRUE;\"x,,\"": {[]string{"a", "TRUE", "x"}, dialect.Surplus}},
		"Email":                     {"a": {[]string{"a"}, 0}, "a,,": {[]string{"a"}, dialect.Surplus}, "a,b": {[]string{"a", "b"}, dialect.Ragged}},
		"Claim,Email":               {"TRUE": {[]string{"TRUE"}, dialect.Ragged}},
	} {
		for row, want := range rows {
			r := open(t, header+"\n"+row+"\n")
			block, err := r.Next(t.Context())
			require.NoError(t, err)
			var records dialect.Records
			require.NoError(t, block.Parse(r.Format(), &records))
			cells, did := records.Fit(0, r.Format(), 2)
			assert.Equal(t, want, fitted{cells, did}, "%q below %q", row, header)
		}
	}
	assert.Equal(t, ";;;", open(t, "Email,Claim;;;\r\na,TRUE;;;\r\n").Format().Cut)
	assert.Equal(t, 1, open(t, "Email,Claim,,\na,TRUE\n").Repairs()[schema.RepairCellsSurplus])
}

func TestFitAllocatesNothing(t *testing.T) {
	r := open(t, "Email,Claim,Calling\n"+strings.Repeat("a,TRUE,x\n", 100))
	block, err := r.Next(t.Context())
	require.NoError(t, err)
	var records dialect.Records
	require.NoError(t, block.Parse(r.Format(), &records))
	records.Fit(0, r.Format(), 2)
	assert.Zero(t, testing.AllocsPerRun(10, func() {
		for i := range records.Len() {
			records.Fit(i, r.Format(), 2)
		}
	}))
}

func TestBlankColumnsToTheEnd(t *testing.T) {
	blanks := strings.Repeat(",", 16_384)
	got, err := read([]byte("Email,Claim"+blanks+"\na,TRUE"+blanks+"\nb,TRUE\n"), dialect.Limits{})
	require.NoError(t, err)
	assert.Equal(t, []string{"Email", "Claim"}, got.header)
	assert.Equal(t, [][]string{{"a", "TRUE"}, {"b", "TRUE"}}, got.rows)

	_, err = read([]byte("Email,Claim\na,TRUE"+blanks+"x\n"), dialect.Limits{})
	var refusal *schema.Error
	require.ErrorAs(t, err, &refusal)
	assert.Equal(t, schema.CodeLimitExceeded, refusal.Code)
	assert.NotContains(t, refusal.Remedy(), "quote")

	_, err = read([]byte("Email,Claim\na,TRUE"+strings.Repeat(",", 2<<20)+"\n"), dialect.Limits{})
	require.ErrorAs(t, err, &refusal)
	assert.Equal(t, schema.CodeLimitExceeded, refusal.Code)
	assert.Contains(t, refusal.Remedy(), "blank columns")
}

func TestMarks(t *testing.T) {
	for name, c := range map[string]struct {
		file string
		bom  int
	}{
		"one":                 {"\ufeffEmail,Claim\na,1\nb,2\n", 1},
		"several":             {"\ufeff\ufeff\ufeffEmail,Claim\na,1\nb,2\n", 1},
		"before a quote":      {"\ufeff\ufeff\"Email\",Claim\na,1\nb,2\n", 1},
		"in a ; file":         {"\ufeff\ufeffEmail;Claim\na;1\nb;2\n", 1},
		"in the middle":       {"Email,Claim\na,1\n\ufeffb,2\n", 1},
		"middle, quoted":      {"\ufeff\"Email\",\"Claim\"\r\n\"a\",\"1\"\r\n\ufeff\"b\",\"2\"\r\n", 1},
		"middle, several":     {"Email,Claim\n\ufeff\ufeff\"a\",1\n\ufeff\ufeffb,2\n", 1},
		"middle, blank row":   {"Email,Claim\na,1\n\ufeff\nb,2\n", 1},
		"middle, quoted cell": {"Email,Claim\na,1\n\ufeffb,\"2\"\n", 1},
		"encoded twice":       {"ï»¿Email,Claim\na,1\nb,2\n", 1},
		"above a title":       {"\ufeffUsers\nEmail,Claim\na,1\nb,2\n", 1},
		"not at a line":       {"Email,Claim\na,1\nb,\ufeff2\n", 0},
	} {
		for _, limits := range []dialect.Limits{{}, {BlockRows: 1}} {
			got, err := read([]byte(c.file), limits)
			require.NoError(t, err, name)
			last := "2"
			if c.bom == 0 {
				last = "\ufeff2"
			}
			assert.Equal(t, [][]string{{"a", "1"}, {"b", last}}, got.rows, name)
			assert.Equal(t, c.bom, got.repairs[schema.RepairBOM], name)
		}
	}
	got, err := read([]byte(utf16(t, unicode.LittleEndian, "\ufeffEmail\na\n\ufeffb\n")), dialect.Limits{})
	require.NoError(t, err)
	assert.Equal(t, repairs{schema.RepairUTF16: 1}, got.repairs)
	assert.Equal(t, [][]string{{"a"}, {"b"}}, got.rows)
}

func TestEndMarks(t *testing.T) {
	const file = "Email,Claim\r\na,TRUE\r\n"
	for name, tail := range map[string]string{
		"0x1A": "\x1a", "a NUL": "\x00", "both": "\x1a\x00\x00\x00", "and a line end": "\x1a\r\n", "line ends between": "\r\n\x00\r\n\x1a\n",
		"2,000 NULs": strings.Repeat("\x00", 2000), "millions": strings.Repeat("\x00", 3<<20), "just a buffer": strings.Repeat("\x00", 64<<10),
	} {
		for _, text := range []string{file, strings.TrimRight(file, "\r\n")} {
			got, err := read([]byte(text+tail), dialect.Limits{})
			require.NoError(t, err, name)
			assert.Equal(t, [][]string{{"a", "TRUE"}}, got.rows, name)
			assert.Equal(t, 1, got.repairs[schema.RepairEndMark], name)
		}
	}
	for _, order := range []unicode.Endianness{unicode.LittleEndian, unicode.BigEndian} {
		for name, tail := range map[string]string{"odd": "\n", "odd NUL": "\x00", "NULs": "\x00\x00\x00\x00", "odd NULs": strings.Repeat("\x00", 70_001)} {
			for _, text := range []string{file, strings.TrimRight(file, "\r\n")} {
				got, err := read([]byte(utf16(t, order, text)+tail), dialect.Limits{})
				require.NoError(t, err, name)
				assert.Equal(t, [][]string{{"a", "TRUE"}}, got.rows, name)
				assert.Equal(t, repairs{schema.RepairUTF16: 1, schema.RepairEndMark: 1}, got.repairs, name)
			}
		}
		got, err := read([]byte(utf16(t, order, file+"\x1a")), dialect.Limits{})
		require.NoError(t, err)
		assert.Equal(t, 1, got.repairs[schema.RepairEndMark])
	}
	_, err := read([]byte(file+"\x00\x00b,TRUE\r\n"), dialect.Limits{})
	assert.Equal(t, "users.csv:3: There are NUL characters in the middle of the file, so it is damaged or no text. (encoding_unknown)", err.Error())
}

func TestHeaderAgain(t *testing.T) {
	got, err := read([]byte("Email,First Name,Claim;;\na,A,TRUE;;\n\ufeffEMAIL,\"First\u00a0Name\",claim;;\nEmail,First Name\nb,B,TRUE;;\n"), dialect.Limits{})
	require.NoError(t, err)
	var repeated []int
	for i, cells := range got.rows {
		if dialect.IsHeader(got.header, cells) {
			repeated = append(repeated, got.lines[i])
		}
	}
	assert.Equal(t, []int{3}, repeated)
}

func TestOpenQuotes(t *testing.T) {
	for name, c := range map[string]struct {
		file string // commas
		line int    // 0: it is read
	}{
		"two open quotes":           {"Email,Notes,Claim\na,\"left in May,FALSE\nb,see above\",TRUE\nc,,TRUE\n", 2},
		"in the last column":        {"Email,Notes,Claim\na,x,\"TRUE\nb,x,\"\nc,,TRUE\n", 2},
		"in the first column":       {"Email,Notes,Claim\n\"a,x,TRUE\nb\",x,TRUE\n", 2},
		"over three lines":          {"Email,Notes,Claim\nz,z,TRUE\na,\"x,FALSE\nb,y,TRUE\nc,z\",TRUE\n", 3},
		"two columns":               {"Email,Notes\na,\"x\nb,\"\n", 2},
		"two, in the first column":  {"Email,Claim\n\"a,FALSE\nb\",TRUE\n", 2},
		"with CRLF":                 {"Email,Notes,Claim\r\na,\"left,FALSE\r\nb,see\",TRUE\r\n", 2},
		"an honest cell":            {"Email,Notes,Claim\na,\"left\nin May, he\",FALSE\n", 0},
		"an honest cell, many rows": {"Email,Notes,Claim,x\na,\"1\n2\r\n3,\n4,\n\",FALSE,\n", 0},
		"many delimiters, one line": {"Email,Notes,Claim\na,\"1,2,3,4,5\",FALSE\n", 0},
		"one column":                {"Email\n\"a\nb\"\n", 0},
	} {
		for _, delimiter := range []string{",", ";", "\t", "|"} {
			_, err := read([]byte(strings.ReplaceAll(c.file, ",", delimiter)), dialect.Limits{})
			if c.line == 0 {
				require.NoError(t, err, name)
				continue
			}
			var refusal *schema.Error
			require.ErrorAs(t, err, &refusal, name)
			assert.Equal(t, schema.CodeCSVMalformed, refusal.Code, name)
			assert.Equal(t, c.line, refusal.Line, name)
			assert.NotEmpty(t, refusal.Header, name)
			assert.Contains(t, refusal.Text(), "swallows the next row", name)
		}
	}
}

func TestQuotesInCells(t *testing.T) {
	for name, c := range map[string]struct {
		row  string
		says string
		want []string
	}{
		"in the middle":        {`a,Adam "Addy" A,TRUE`, "Put the whole cell in quotes", nil},
		"behind a number":      {`a,5" Adam,TRUE`, "Put the whole cell in quotes", nil},
		"behind a blank":       {`a, "Adam",TRUE`, "blank stands before the opening quote", nil},
		"behind a no-break":    {"a,\u00a0\"Adam\",TRUE", "blank stands before the opening quote", nil},
		"other delimiters":     {`a;"Adam";TRUE`, "separated by commas, and those of this row by semicolons", nil},
		"a text formula":       {`a,="Adam",TRUE`, "", []string{"a", `="Adam"`, "TRUE"}},
		"formula, delimiters":  {`a,="Adam ""Addy"", A",="TRUE"`, "", []string{"a", `="Adam ""Addy"", A"`, `="TRUE"`}},
		"formula, more behind": {`a,="Adam"&"x",TRUE`, "Text follows the closing quote", nil},
		"formula, open":        {`a,="Adam,TRUE`, "never closed", nil},
	} {
		got, err := read([]byte("Email,First Name,Claim\n"+c.row+"\n"), dialect.Limits{})
		if c.want != nil {
			require.NoError(t, err, name)
			assert.Equal(t, [][]string{c.want}, got.rows, name)
			continue
		}
		var refusal *schema.Error
		require.ErrorAs(t, err, &refusal, name)
		assert.Equal(t, schema.CodeCSVMalformed, refusal.Code, name)
		assert.Equal(t, 2, refusal.Line, name)
		assert.Contains(t, refusal.Text()+" "+refusal.Remedy(), c.says, name)
	}
	_, err := tryOpen("Email, \"First Name\",Claim\na,b,c\n")
	assert.Equal(t, "users.csv:1:2: A blank stands before the opening quote of a cell. (csv_malformed)", err.Error())
}

func TestOtherDelimiter(t *testing.T) {
	for _, ours := range ",;\t|" {
		for _, theirs := range ",;\t|" {
			format := schema.Format{Delimiter: byte(ours), Columns: 3}
			row := strings.Split(fmt.Sprintf("a%[1]cAdam%[1]cTRUE", theirs), string(ours))
			if ours == theirs {
				assert.Zero(t, dialect.OtherDelimiter(format, row))
			} else {
				assert.Equal(t, byte(theirs), dialect.OtherDelimiter(format, row))
			}
		}
	}
	assert.Zero(t, dialect.OtherDelimiter(schema.Format{Columns: 3}, []string{"-----"}))
	assert.Equal(t, "semicolons", dialect.NameDelimiter(';'))
}

func TestLineEnds(t *testing.T) {
	const header = "Email,First Name\r\n"
	for name, c := range map[string]struct {
		file string
		line int
		says string
	}{
		"CR after a CRLF header": {header + "a,A\rb,B\r", 2, "(CR) alone"},
		"one CR among many":      {header + strings.Repeat("a,A\r\n", 50) + "b,B\rc,C\r\n" + strings.Repeat("a,A\r\n", 50), 52, "(CR) alone"},
		"one CR among LF":        {"Email,x\na,b\nc,d\re,f\ng,h\n", 3, "(CR) alone"},
		"after a quoted cell":    {header + "a,\"x\ry\"\r\nb,\"B\"\rc,C\r\n", 3, "(CR) alone"},
		"all CR":                 {"Email,x\ra,b\rc,d\r", 1, "(CR) alone"},
		"U+2028":                 {"Email,x\u2028a@x.example,b\u2028", 1, "U+2028"},
		"U+2028, one column":     {"Email\u2028a@x.example\u2028b@x.example", 1, "U+2028"},
		"U+2029":                 {"Email,x\u2029a@x.example,b\u2029", 1, "U+2029"},
		"U+0085":                 {"Email,x\u0085a@x.example,b\u0085", 1, "U+0085"},
		"vertical tabs":          {"Email,x\va@x.example,b\v", 1, "U+000B"},
		"form feeds":             {"Email,x\fa@x.example,b\f", 1, "U+000C"},
		"without an address":     {"id,email\u2028u1,x\u2028", 1, "U+2028"},
	} {
		for _, limits := range []dialect.Limits{{}, {BlockRows: 1}} {
			_, err := read([]byte(c.file), limits)
			var refusal *schema.Error
			require.ErrorAs(t, err, &refusal, name)
			assert.Equal(t, schema.CodeCSVMalformed, refusal.Code, name)
			assert.Equal(t, c.line, refusal.Line, name)
			assert.Contains(t, refusal.Text(), c.says, name)
		}
	}
	got, err := read([]byte("\"Email\u2028Address\",E-mail\r\n\"a\r\rb\",x\r\r\nc,d\r"), dialect.Limits{})
	require.NoError(t, err, "in quotes, doubled, and at the end")
	assert.Equal(t, [][]string{{"a\r\rb", "x\r"}, {"c", "d"}}, got.rows)
}
