package dialect_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"

	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/schema"
)

type repairs = map[schema.Repair]int

func utf16(t *testing.T, order unicode.Endianness, text string) string {
	t.Helper()
	encoded, err := unicode.UTF16(order, unicode.ExpectBOM).NewEncoder().String(text)
	require.NoError(t, err)
	return encoded
}

func windows1252(t *testing.T, text string) string {
	t.Helper()
	encoded, err := charmap.Windows1252.NewEncoder().String(text)
	require.NoError(t, err)
	return encoded
}

func TestEncodings(t *testing.T) {
	const text = "email,Förnamn\nann@x.example,Åsa\nbo@x.example,\"Bo\n€ 𝄞\"\n"
	const swedish = "email;Förnamn\nann@x.example;Åsa €\n"
	straddling := "email," + strings.Repeat("x", 256<<10-len("email,")-1) + "é\n" // one sequence, over the buffer's edge
	for name, c := range map[string]struct {
		file    string
		repairs repairs
		bom     bool
		rows    [][]string
	}{
		"UTF-8":                         {text, repairs{}, false, [][]string{{"ann@x.example", "Åsa"}, {"bo@x.example", "Bo\n€ 𝄞"}}},
		"BOM":                           {"\ufeff" + text, repairs{"bom": 1}, true, [][]string{{"ann@x.example", "Åsa"}, {"bo@x.example", "Bo\n€ 𝄞"}}},
		"UTF-16LE":                      {utf16(t, unicode.LittleEndian, text), repairs{"utf16": 1}, true, [][]string{{"ann@x.example", "Åsa"}, {"bo@x.example", "Bo\n€ 𝄞"}}},
		"UTF-16BE":                      {utf16(t, unicode.BigEndian, text), repairs{"utf16": 1}, true, [][]string{{"ann@x.example", "Åsa"}, {"bo@x.example", "Bo\n€ 𝄞"}}},
		"Windows-1252":                  {windows1252(t, swedish), repairs{"windows1252": 1, "delimiter": 1}, false, [][]string{{"ann@x.example", "Åsa €"}}},
		"half UTF-8":                    {"email\nann@x.example\nÅ\n\xc5\n", repairs{}, false, [][]string{{"ann@x.example"}, {"Å"}, {"\xc5"}}},
		"BOM, but not UTF-8":            {"\ufeffemail\n\xc5\n", repairs{"bom": 1}, true, [][]string{{"\xc5"}}},
		"cut sequence at the end":       {"email\nÅ\nx\xe2\x82", repairs{}, false, [][]string{{"Å"}, {"x\xe2\x82"}}},
		"only a cut sequence":           {"email\nx\xe2\x82", repairs{"windows1252": 1}, false, [][]string{{"xâ‚"}}},
		"sequence over a buffer's edge": {straddling + "\xff\n", repairs{}, false, [][]string{{"\xff"}}},
		"half a surrogate pair":         {"\xff\xfee\x00m\x00a\x00i\x00l\x00\n\x00x\x00\x00\xd8\n\x00", repairs{"utf16": 1}, true, [][]string{{"x\ufffd"}}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := read([]byte(c.file), dialect.Limits{})
			require.NoError(t, err)
			assert.Equal(t, c.rows, got.rows)
			assert.Equal(t, c.repairs, got.repairs)
			assert.Equal(t, c.bom, got.reader.Format().BOM)
			assert.Equal(t, sha256.Sum256([]byte(c.file)), got.reader.SHA256())
		})
	}
}

func TestDelimiter(t *testing.T) {
	for _, c := range []struct {
		file      string
		delimiter byte
		header    []string
	}{
		{"email\nx\n", ',', []string{"email"}},
		{"email,name\nx,y\n", ',', []string{"email", "name"}},
		{"email;name\nx;y\n", ';', []string{"email", "name"}},
		{"email\tname\nx\ty\n", '\t', []string{"email", "name"}},
		{"email|name\nx|y\n", '|', []string{"email", "name"}},
		{"a,b,c;EMAIL ;d\n", ';', []string{"a,b,c", "EMAIL", "d"}},
		{"\"a;b;c;d\",x\n", ',', []string{"a;b;c;d", "x"}},
		{"\"email\";\"a,b,c\"\n", ';', []string{"email", "a,b,c"}},
		{"a;b;c,d\n", ';', []string{"a", "b", "c,d"}},
		{"x;y;z,\" user id/email (required)\"\n", ',', []string{"x;y;z", "user id/email (required)"}},
		{" email , '=Sum \n", ',', []string{"email", "=Sum"}},
	} {
		got, err := read([]byte(c.file), dialect.Limits{})
		require.NoError(t, err, "%q", c.file)
		assert.Equal(t, c.header, got.header, "%q", c.file)
		assert.Equal(t, c.delimiter, got.reader.Format().Delimiter, "%q", c.file)
		want := repairs{}
		if c.delimiter != ',' {
			want[schema.RepairDelimiter] = 1
		}
		assert.Equal(t, want, got.repairs, "%q", c.file)
	}
}

func TestHeaderCellsAreAsWritten(t *testing.T) {
	got, err := read([]byte("\r\n email ,\"a\r\nb\",'=x\r\ny\r\n"), dialect.Limits{})
	require.NoError(t, err)
	assert.Equal(t, []string{" email ", "a\r\nb", "'=x"}, got.reader.HeaderCells())
	assert.Equal(t, 2, got.reader.HeaderLine())
	assert.True(t, got.reader.Format().CRLF)
	assert.Equal(t, []int{4}, got.lines)
}

func TestLinesAndBlankRows(t *testing.T) {
	for name, c := range map[string]struct {
		file  string
		rows  [][]string
		lines []int
		blank int
	}{
		"no final line end":     {"email,n\na,b", [][]string{{"a", "b"}}, []int{2}, 0},
		"last cell empty":       {"email,n\na,", [][]string{{"a", ""}}, []int{2}, 0},
		"final CR":              {"email,n\r\na,b\r", [][]string{{"a", "b"}}, []int{2}, 0},
		"quoted, no line end":   {"email,n\na,\"b\"", [][]string{{"a", "b"}}, []int{2}, 0},
		"quoted, final CR":      {"email,n\r\na,\"b\"\r", [][]string{{"a", "b"}}, []int{2}, 0},
		"header only":           {"email\n", nil, nil, 0},
		"blank rows":            {"email,n\n\n,\n a,b\n\"\", \u00a0\n  \n\u200b,\"\n\"\nc,d\n\n", [][]string{{" a", "b"}, {"c", "d"}}, []int{4, 9}, 6},
		"blank rows first":      {"\n;;\n\"\"\nemail;n\na;b\n", [][]string{{"a", "b"}}, []int{5}, 0},
		"lines in cells":        {"email,n\r\na,\"x\r\ny\n\"\r\n\r\nb,\"\"\"\"\r\n", [][]string{{"a", "x\r\ny\n"}, {"b", `"`}}, []int{2, 6}, 1},
		"ragged":                {"email,n\na\nb,c,d\n", [][]string{{"a"}, {"b", "c", "d"}}, []int{2, 3}, 0},
		"CR is content":         {"email,n\n\"a\rb\",c\r\r\n", [][]string{{"a\rb", "c\r"}}, []int{2}, 0},
		"LF and CRLF":           {"email,n\na,b\r\nc,d\n", [][]string{{"a", "b"}, {"c", "d"}}, []int{2, 3}, 0},
		"quotes":                {"email,n\n\"a\"\"b\",\"\"\"\"\n", [][]string{{`a"b`, `"`}}, []int{2}, 0},
		"other delimiters":      {"email,n\na;b,c|d\n", [][]string{{"a;b", "c|d"}}, []int{2}, 0},
		"long row of no quotes": {"email\n" + strings.Repeat("x", 500_000) + "\ny\n", [][]string{{strings.Repeat("x", 500_000)}, {"y"}}, []int{2, 3}, 0},
	} {
		for _, limits := range []dialect.Limits{{}, {BlockRows: 1}, {BlockRows: 2}, {BlockBytes: 1}} {
			got, err := read([]byte(c.file), limits)
			require.NoError(t, err, name)
			assert.Equal(t, c.rows, got.rows, name)
			assert.Equal(t, c.lines, got.lines, name)
			assert.Equal(t, c.blank, got.repairs[schema.RepairBlankRow], name)
		}
	}
}

func TestBlocks(t *testing.T) {
	file := "email\na\n\"b\nb\"\n\nc\nd\n"
	got, err := read([]byte(file), dialect.Limits{BlockRows: 2})
	require.NoError(t, err)
	require.Len(t, got.blocks, 3)
	for i, want := range []dialect.Block{{Line: 2, Text: "a\n\"b\nb\"\n"}, {Line: 5, Text: "\nc\n"}, {Line: 7, Text: "d\n"}} {
		assert.Equal(t, want, dialect.Block{Line: got.blocks[i].Line, Text: got.blocks[i].Text})
	}
	var records dialect.Records // a block that was kept elsewhere
	require.NoError(t, dialect.Block{Line: 5, Text: "\nc\n"}.Parse(got.reader.Format(), &records))
	assert.Equal(t, []string{"c"}, records.Cells(0))
	assert.Equal(t, 6, records.Line(0))
	assert.Equal(t, 1, records.BlankRows)
}

func TestRefusals(t *testing.T) {
	rows := strings.Repeat("ann@x.example,Ann\n", 69_998)
	wide := strings.Repeat("x,", 2999) + "x\n"
	small := dialect.Limits{RecordBytes: 64, Columns: 5, BlockRows: 3}
	for name, c := range map[string]struct {
		file         string
		limits       dialect.Limits
		code         schema.Code
		line, column int
		says         string
	}{
		"no bytes":                  {"", small, schema.CodeFileEmpty, 0, 0, "empty"},
		"a BOM":                     {"\ufeff", small, schema.CodeFileEmpty, 0, 0, "no header"},
		"a UTF-16 BOM":              {"\xff\xfe", small, schema.CodeFileEmpty, 0, 0, "no header"},
		"blank lines":               {"\ufeff\r\n \n,,\n\"\"", small, schema.CodeFileEmpty, 0, 0, "no header"},
		"workbook":                  {"PK\x03\x04\x14\x00\x06\x00[Content_Types].xml xl/workbook.xml", small, schema.CodeEncodingUnknown, 0, 0, "an Excel workbook (.xlsx)"},
		"archive":                   {"PK\x03\x04\x14\x00a.csv", small, schema.CodeEncodingUnknown, 0, 0, "a ZIP archive"},
		"old workbook":              {"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", small, schema.CodeEncodingUnknown, 0, 0, "an old Excel workbook (.xls)"},
		"PDF":                       {"%PDF-1.7\n\xe2\xe3\n", small, schema.CodeEncodingUnknown, 0, 0, "a PDF document"},
		"gzip":                      {"\x1f\x8b\x08\x00", small, schema.CodeEncodingUnknown, 0, 0, "a gzip archive"},
		"PNG":                       {"\x89PNG\r\n\x1a\n", small, schema.CodeEncodingUnknown, 0, 0, "a PNG image"},
		"UTF-32":                    {"\xff\xfe\x00\x00e\x00\x00\x00", small, schema.CodeEncodingUnknown, 0, 0, "UTF-32 text"},
		"UTF-16LE without BOM":      {utf16(t, unicode.LittleEndian, "email,n\na,b\n")[2:], small, schema.CodeEncodingUnknown, 0, 0, "UTF-16 text without a byte order mark"},
		"UTF-16BE without BOM":      {utf16(t, unicode.BigEndian, "\nemail,n\na,b\n")[2:], small, schema.CodeEncodingUnknown, 0, 0, "UTF-16 text without a byte order mark"},
		"UTF-16, quoted, no BOM":    {utf16(t, unicode.LittleEndian, "\"email\"\n\"a\"\n")[2:], small, schema.CodeEncodingUnknown, 0, 0, "UTF-16 text without a byte order mark"},
		"NUL in the header":         {"email\x00,n\na,b\n", small, schema.CodeEncodingUnknown, 0, 0, "a binary file"},
		"control characters":        {strings.Repeat("\x01\x02\x1fabc\n", 100), small, schema.CodeEncodingUnknown, 0, 0, "a binary file"},
		"old Mac":                   {"email,n\ra,b\rc,d\r", small, schema.CodeCSVMalformed, 1, 0, "(CR) alone"},
		"long old Mac":              {"email,n\r" + strings.Repeat("a,b\r", 100), small, schema.CodeCSVMalformed, 1, 0, "(CR) alone"},
		"quote in a cell":           {"email,n\na,b\nc,d\"e\n", small, schema.CodeCSVMalformed, 3, 2, "quote in a cell"},
		"text after a quote":        {"email,n\n\"a\"x,b\n", small, schema.CodeCSVMalformed, 2, 1, "closing quote"},
		"blank after a quote":       {"email,n\na,\"b\" \n", small, schema.CodeCSVMalformed, 2, 2, "closing quote"},
		"CR after a quote":          {"email,n\na,\"b\"\rc\n", small, schema.CodeCSVMalformed, 2, 0, "(CR) alone"},
		"text after lines":          {"email,n\na,\"b\n\nc\"d\n", small, schema.CodeCSVMalformed, 2, 2, "on line 4"},
		"unclosed quote":            {"email,n\na,b\nc,\"d\n\ne,f\n", small, schema.CodeCSVMalformed, 3, 2, "never closed"},
		"unclosed, line by line":    {"email,n\na,b\nc,\"d\n\ne,f\n", dialect.Limits{BlockRows: 1}, schema.CodeCSVMalformed, 3, 2, "never closed"},
		"unclosed in the header":    {"email,\"n\na,b\n", small, schema.CodeCSVMalformed, 1, 2, "never closed"},
		"only a quote":              {`"`, small, schema.CodeCSVMalformed, 1, 1, "never closed"},
		"unclosed on line 70,000":   {"email,n\n" + rows + "bo@x.example,\"Bo\n" + rows, dialect.Limits{}, schema.CodeCSVMalformed, 70_000, 2, "never closed"},
		"and closed much later":     {"email,n\n" + rows + "bo@x.example,\"Bo\n" + rows + "cy@x.example,\"Cy\"\n", dialect.Limits{}, schema.CodeCSVMalformed, 70_000, 2, "never closed"},
		"the earlier of two":        {"email,n\na\"a,b\n" + strings.Repeat("x", 99) + "\n", small, schema.CodeCSVMalformed, 2, 1, "quote in a cell"},
		"the earlier, a long one":   {"email,n\n" + strings.Repeat("x", 99) + "\na\"a,b\n", small, schema.CodeLimitExceeded, 2, 0, "longer than 64 bytes"},
		"long record":               {"email,n\na,b\n" + strings.Repeat("x", 65) + "\n", small, schema.CodeLimitExceeded, 3, 0, "longer than 64 bytes"},
		"long last record":          {"email,n\na,b\n" + strings.Repeat("x", 65), small, schema.CodeLimitExceeded, 3, 0, "longer than 64 bytes"},
		"long quoted cell":          {"email,n\na,\"" + strings.Repeat("x\n\"\"", 50) + "\"\r\nb,c\n", small, schema.CodeLimitExceeded, 2, 0, "longer than 64 bytes"},
		"long quoted last cell":     {"email,n\na,\"" + strings.Repeat("x\n\"\"", 50) + "\"", small, schema.CodeLimitExceeded, 2, 0, "longer than 64 bytes"},
		"long, unclosed":            {"email,n\na,b\n\nb,\"" + strings.Repeat("x\n", 50), small, schema.CodeCSVMalformed, 4, 2, "never closed"},
		"long, closed with garbage": {"email,n\na,b\n\nb,\"" + strings.Repeat("x\n", 50) + "c,\"d\"\n", small, schema.CodeCSVMalformed, 4, 2, "never closed"},
		"long, malformed at first":  {"email,n\na,b\"" + strings.Repeat("x\n", 50), small, schema.CodeCSVMalformed, 2, 2, "quote in a cell"},
		"quotes at the limit":       {"email,n\n\"" + strings.Repeat("x", 62) + "\"\"\"\"\"\"\nx", small, schema.CodeCSVMalformed, 2, 1, "never closed"},
		"long header":               {strings.Repeat("x", 65) + "\n", small, schema.CodeLimitExceeded, 1, 0, "longer than 64 bytes"},
		"long header, unclosed":     {"\nemail;\"" + strings.Repeat("x\n", 65), small, schema.CodeCSVMalformed, 2, 2, "never closed"},
		"3,000 columns":             {wide, dialect.Limits{}, schema.CodeLimitExceeded, 1, 1001, "more than 1000 columns"},
		"a row of 3,000 columns":    {"email,n\na,b\n" + wide, dialect.Limits{}, schema.CodeLimitExceeded, 3, 1001, "more than 1000 columns"},
		"text after blank cells":    {"email,n\na,b\n,,,,,x\n", small, schema.CodeLimitExceeded, 3, 6, "more than 5 columns"},
		"a quote too far out":       {"email,n\na,b\n1,2,3,4,5,6\"\n", small, schema.CodeLimitExceeded, 3, 6, "more than 5 columns"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := read([]byte(c.file), c.limits)
			var refusal *schema.Error
			require.ErrorAs(t, err, &refusal)
			assert.Equal(t, c.code, refusal.Code, refusal.Error())
			assert.Equal(t, c.line, refusal.Line, refusal.Error())
			assert.Equal(t, c.column, refusal.Column, refusal.Error())
			assert.Contains(t, refusal.Text(), c.says)
			assert.NotEmpty(t, refusal.Remedy())
		})
	}
}

func TestAtTheLimits(t *testing.T) {
	for _, end := range []string{"", "\n", "\r\n"} {
		file := "email,n\n" + strings.Repeat("x", 62) + ",y" + end
		got, err := read([]byte(file), dialect.Limits{RecordBytes: 64, Columns: 2})
		require.NoError(t, err)
		assert.Len(t, got.rows, 1)
	}
}

func TestErrorsNameTheFileAndStay(t *testing.T) {
	_, err := read(nil, dialect.Limits{})
	assert.Equal(t, "users.csv: The file is empty. (file_empty)", err.Error())

	file := []byte("email\na\n" + strings.Repeat("x", 100) + "\nb\n")
	reader, err := dialect.NewReader(t.Context(), dialect.Text("users.csv", string(file)), dialect.Options{Limits: dialect.Limits{RecordBytes: 10}})
	require.NoError(t, err)
	block, err := reader.Next(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "a\n", block.Text, "what comes before an error is read first")
	for range 2 {
		_, err = reader.Next(t.Context())
		assert.EqualError(t, err, "users.csv:3: A row is longer than 10 bytes. (limit_exceeded)")
	}
}

func TestNextObeysItsContext(t *testing.T) {
	file := []byte("email\na\n")
	reader, err := dialect.NewReader(t.Context(), dialect.Text("users.csv", string(file)), dialect.Options{})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = reader.Next(ctx)
	assert.ErrorIs(t, err, context.Canceled)
}

func TestFileThatShrinks(t *testing.T) {
	rows := []byte("email\n" + strings.Repeat("ann@x.example\n", 100_000))
	for _, left := range []int{0, 3, 6, 1000, len(rows) - 1} {
		_, err := readFrom(bytes.NewReader(rows[:left]), int64(len(rows)), dialect.Limits{})
		assert.Equal(t, schema.CodeFileChanged, schema.CodeOf(err), "%d bytes left: %v", left, err)
	}
}

// broken fails from a position on.
type broken struct {
	*bytes.Reader
	from int64
}

var errDisk = errors.New("disk on fire")

func (b broken) ReadAt(p []byte, off int64) (int, error) {
	if off+int64(len(p)) > b.from {
		return 0, errDisk
	}
	return b.Reader.ReadAt(p, off)
}

func TestFileThatCannotBeRead(t *testing.T) {
	for _, start := range []string{"", "\ufeff"} {
		rows := start + "email\n" + strings.Repeat("ann@x.example\n", 100_000)
		for _, from := range []int64{0, 300_000, 1_000_000} {
			_, err := readFrom(broken{bytes.NewReader([]byte(rows)), from}, int64(len(rows)), dialect.Limits{})
			assert.Equal(t, schema.CodeFileUnreadable, schema.CodeOf(err))
			assert.ErrorIs(t, err, errDisk)
		}
	}
}

// pattern is a file of any size that takes no memory: a start, and then one byte again and again.
type pattern struct {
	start string
	fill  byte
}

func (p pattern) ReadAt(b []byte, off int64) (int, error) {
	b[0] = p.fill
	for n := 1; n < len(b); n *= 2 {
		copy(b[n:], b[:n])
	}
	if off < int64(len(p.start)) {
		copy(b, p.start[off:])
	}
	return len(b), nil
}

func TestHugeCellTakesNoMemory(t *testing.T) {
	for name, c := range map[string]struct {
		file pattern
		code schema.Code
	}{
		"a cell":             {pattern{"\ufeffemail,n\na,b\nc,", 'x'}, schema.CodeLimitExceeded},
		"a quoted cell":      {pattern{"\ufeffemail,n\na,b\nc,\"", 'x'}, schema.CodeCSVMalformed},
		"a cell of quotes":   {pattern{"\ufeffemail,n\na,b\nc,", '"'}, schema.CodeLimitExceeded},
		"a header":           {pattern{"\ufeffemail,", 'x'}, schema.CodeLimitExceeded},
		"a header of quotes": {pattern{"\ufeffemail,x", '"'}, schema.CodeCSVMalformed},
		"an odd cell":        {pattern{"\ufeffemail,n\na,\"b", '"'}, schema.CodeCSVMalformed},
		"a row of commas":    {pattern{"\ufeffemail,n\na,b\nc,", ','}, schema.CodeLimitExceeded},
	} {
		size := int64(50<<20 + len("\ufeff"))
		if c.file.fill == '"' {
			size -= 45 << 20 // each pair is looked at
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := readFrom(c.file, size, dialect.Limits{})
		runtime.ReadMemStats(&after)
		assert.Equal(t, c.code, schema.CodeOf(err), "%s: %v", name, err)
		assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(16<<20), name)
	}
}

func TestWriteErrorsStay(t *testing.T) {
	reader, pipe := io.Pipe()
	require.NoError(t, reader.CloseWithError(errDisk))
	writer := dialect.NewWriter(pipe, schema.Format{})
	require.NoError(t, writer.WriteRaw([]string{"a"}))
	require.ErrorIs(t, writer.Flush(), errDisk)
	require.ErrorIs(t, writer.WriteRaw([]string{"a"}), errDisk)
	require.ErrorIs(t, writer.Flush(), errDisk)
}

func TestWriter(t *testing.T) {
	for _, c := range []struct {
		format schema.Format
		rows   [][]string
		want   string
	}{
		{schema.Format{}, [][]string{{"a", "b c", " d "}, {"", ""}, {""}, {}}, "a,b c, d \n,\n\"\"\n\"\"\n"},
		{schema.Format{Delimiter: ';', CRLF: true, BOM: true}, [][]string{{"a,b", "c;d"}, {"\"", "x\ny", "\r"}}, "\ufeffa,b;\"c;d\"\r\n\"\"\"\";\"x\ny\";\"\r\"\r\n"},
		{schema.Format{Delimiter: '\t'}, [][]string{{"'\tx", "a\"b\""}}, "\"'\tx\"\t\"a\"\"b\"\"\"\n"},
		{schema.Format{}, [][]string{{"\ufeffa", "\ufeffb"}, {"\ufeffc"}}, "\"\ufeffa\",\ufeffb\n\"\ufeffc\"\n"},
	} {
		var b strings.Builder
		writer := dialect.NewWriter(&b, c.format)
		for _, row := range c.rows {
			require.NoError(t, writer.WriteRaw(row))
		}
		require.NoError(t, writer.Flush())
		assert.Equal(t, c.want, b.String())
	}
}

// A file that is written to while it is read is refused at its end, whoever reads it.
func TestFileThatChanges(t *testing.T) {
	path := filepath.Join(t.TempDir(), "users.csv")
	require.NoError(t, os.WriteFile(path, []byte("email\na@x.example\n"), 0o600))
	file, err := dialect.OpenFile(path)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, file.Close()) })
	reader, err := dialect.NewReader(t.Context(), file, dialect.Options{})
	require.NoError(t, err)
	_, err = reader.Next(t.Context())
	require.NoError(t, err)

	require.NoError(t, os.WriteFile(path, []byte("email\na@x.example\nb@x.example\n"), 0o600))
	for range 2 {
		_, err = reader.Next(t.Context())
		require.Equal(t, schema.CodeFileChanged, schema.CodeOf(err))
		require.ErrorContains(t, err, path)
	}
}

// What can be read only once is read from a copy that leaves nothing behind.
func TestSpool(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	file, err := dialect.Spool("-", strings.NewReader("email\na@x.example\n"))
	require.NoError(t, err)
	require.Equal(t, "-", file.Name())
	for range 2 {
		reader, err := dialect.NewReader(t.Context(), file, dialect.Options{})
		require.NoError(t, err)
		block, err := reader.Next(t.Context())
		require.NoError(t, err)
		require.Equal(t, "a@x.example\n", block.Text)
		_, err = reader.Next(t.Context())
		require.ErrorIs(t, err, io.EOF)
	}
	require.NoError(t, file.Close())
	left, err := os.ReadDir(os.TempDir())
	require.NoError(t, err)
	require.Empty(t, left)
}
