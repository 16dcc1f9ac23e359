package dialect_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
	"pgregory.net/rapid"

	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/schema"
)

// blankRow reports whether no cell of a row has content.
func blankRow(cells []string) bool {
	for _, cell := range cells {
		if strings.TrimFunc(cell, isBlank) != "" {
			return false
		}
	}
	return true
}

// withoutSurplus returns a row without the blank cells at its end that are beyond the header's.
func withoutSurplus(row []string, width int) []string {
	for len(row) > width && blankRow(row[len(row)-1:]) {
		row = row[:len(row)-1]
	}
	return row
}

// What a Writer writes is read back as it was, with the lines it was written on, however the file is encoded
// and cut.
func TestRoundTrip(t *testing.T) {
	parts := []string{"a", "Åsa", "é!", "€?", "\"", "\"\"", ",", ";", "\t", "|", "\n", "\r\n", "\r", " ", "\u00a0", "'", "=", "\x7f", "x", "long text of more than a block of sixty-four bytes, and then some more"}
	cell := rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(rapid.SampledFrom(parts), 0, 4).Draw(t, "parts"), "")
	})
	rapid.Check(t, func(t *rapid.T) {
		format := schema.Format{
			Delimiter: rapid.SampledFrom([]byte(",;\t|")).Draw(t, "delimiter"),
			CRLF:      rapid.Bool().Draw(t, "CRLF"),
			BOM:       rapid.Bool().Draw(t, "BOM"),
		}
		encoding := rapid.SampledFrom([]string{"UTF-8", "UTF-16LE", "UTF-16BE", "Windows-1252"}).Draw(t, "encoding")
		rows := rapid.SliceOfN(rapid.SliceOfN(cell, 1, 5), 0, 12).Draw(t, "rows")

		var b strings.Builder
		writer := dialect.NewWriter(&b, schema.Format{Delimiter: format.Delimiter, CRLF: format.CRLF, BOM: format.BOM && encoding == "UTF-8"})
		write := func(cells []string) {
			require.NoError(t, writer.WriteRaw(cells))
			require.NoError(t, writer.Flush())
		}
		line := func() int { return 1 + strings.Count(b.String(), "\n") }

		var want [][]string
		var lines []int
		blanks := 0
		for range rapid.IntRange(0, 2).Draw(t, "blank rows first") {
			write([]string{" ", ""})
		}
		headerLine := line()
		write([]string{"email", "Förnamn", "a\nb"})
		for _, row := range rows {
			for i, cell := range row { // of several lines and with as many delimiters as a row, it would be an open quote
				if strings.Contains(cell, "\n") {
					row[i] = strings.ReplaceAll(cell, string(rune(format.Delimiter)), ".")
				}
			}
			if blankRow(row) {
				blanks++
			} else {
				want, lines = append(want, withoutSurplus(row, 3)), append(lines, line())
			}
			write(row)
		}

		file, wantRepairs := b.String(), repairs{}
		var err error
		switch {
		case encoding == "UTF-16LE":
			file, err = unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String(file)
			wantRepairs[schema.RepairUTF16], format.BOM = 1, true
		case encoding == "UTF-16BE":
			file, err = unicode.UTF16(unicode.BigEndian, unicode.UseBOM).NewEncoder().String(file)
			wantRepairs[schema.RepairUTF16], format.BOM = 1, true
		case encoding == "Windows-1252":
			file, err = charmap.Windows1252.NewEncoder().String(file)
			wantRepairs[schema.RepairWindows1252], format.BOM = 1, false
		case format.BOM:
			wantRepairs[schema.RepairBOM] = 1
		}
		require.NoError(t, err)
		if format.Delimiter != ',' {
			wantRepairs[schema.RepairDelimiter] = 1
		}
		if headerLine > 1 {
			wantRepairs[schema.RepairPreamble] = headerLine - 1
		}
		format.Columns = 3
		if blanks > 0 {
			wantRepairs[schema.RepairBlankRow] = blanks
		}

		got, err := read([]byte(file), dialect.Limits{
			BlockRows:  rapid.IntRange(1, 6).Draw(t, "block rows"),
			BlockBytes: rapid.SampledFrom([]int{0, 1, 20, 200}).Draw(t, "block bytes"),
		})
		require.NoError(t, err)
		require.Equal(t, []string{"email", "Förnamn", "a b"}, got.header)
		require.Equal(t, []string{"email", "Förnamn", "a\nb"}, got.reader.HeaderCells())
		require.Equal(t, headerLine, got.reader.HeaderLine())
		require.Equal(t, want, got.rows)
		require.Equal(t, lines, got.lines)
		require.Equal(t, format, got.reader.Format())
		require.Equal(t, wantRepairs, got.repairs)
	})
}

// FuzzParse compares Parse with encoding/csv: the same files are accepted, and the same cells are in them.
func FuzzParse(f *testing.F) {
	for _, text := range []string{
		"", "a", "a,b\n", "a,b\r\nc\n\n,,\n", "\"a\"", "\"a\"\r", "\"a\"\rb", "a\r", "a\r\r\n", "\r", "a\rb\n", "\"a\r\nb\",c", "\"a\"\"b\"\n",
		"\"\"", "\"\"\"", "\"\"\"\"", "a\"b", "\"a\"b", "\"a", "=\"a\"", "\ufeff\"a\",b\n\ufeffc,d\n", ",\"", ",", "\n\n", " \"a\"", "\"a\" ", "\xff,\"\xff\"", "\u00a0,\u200b\na",
		strings.Repeat("abcdefg,", 20) + "\n" + strings.Repeat("\"x,y\",", 30), strings.Repeat("a", 63) + "\"", strings.Repeat("a", 63) + ",\"" + strings.Repeat("b\n", 40) + "\"\nc",
	} {
		for delimiter := range byte(4) {
			f.Add(text, delimiter)
		}
	}
	f.Fuzz(func(t *testing.T, text string, delimiter byte) {
		if strings.Contains(text, "\ufeff") || strings.Contains(text, `="`) {
			t.Skip("read more tolerantly than by encoding/csv")
		}
		delimiter = ",;\t|"[delimiter%4]
		var records dialect.Records
		err := dialect.Block{Line: 1, Text: text}.Parse(schema.Format{Delimiter: delimiter}, &records)
		if err != nil {
			require.Equal(t, schema.CodeCSVMalformed, schema.CodeOf(err))
		}

		reader := csv.NewReader(strings.NewReader(text))
		reader.Comma, reader.FieldsPerRecord = rune(delimiter), -1
		for i := 0; ; {
			cells, other := reader.Read()
			if errors.Is(other, io.EOF) {
				require.NoError(t, err)
				require.Equal(t, i, records.Len())
				return
			}
			if other != nil {
				require.Equal(t, i, records.Len())
				var place *csv.ParseError
				var refusal *schema.Error
				require.ErrorAs(t, other, &place)
				require.ErrorAs(t, err, &refusal)
				require.GreaterOrEqual(t, refusal.Line, place.StartLine)
				require.LessOrEqual(t, refusal.Line, place.Line)
				return
			}
			if blankRow(cells) {
				continue
			}
			require.Less(t, i, records.Len())
			got := append([]string(nil), records.Cells(i)...)
			for j := range got {
				got[j] = strings.ReplaceAll(got[j], "\r\n", "\n") // encoding/csv changes line ends in cells
			}
			require.Equal(t, cells, got)
			line, _ := reader.FieldPos(0)
			require.Equal(t, line, records.Line(i))
			i++
		}
	})
}

// FuzzReader shows that no file makes the reader fail in another way than with a refusal, that no byte is
// lost between blocks, and that records, lines and errors are the same however the file is cut.
func FuzzReader(f *testing.F) {
	for _, file := range []string{
		"", "email\na\n", "\ufeffemail;n\r\na;b\r\n\r\n;\r\n\"c\r\nd\";e", "email,n\na,\"b", "email\n\"" + strings.Repeat("a\"\"", 30), "email\n\"" + strings.Repeat("a", 40) + "\"\r\nb",
		"\xff\xfee\x00m\x00a\x00i\x00l\x00\n\x00a\x00", "\xfe\xff\x00e\x00\n\x00a\xd8", "email\n\xe5\n", "email\n\xe5å\n", "PK\x03\x04", "a\rb\rc", "\n \n,\n", "email,n\n,,,,,,,,,\n", "a\x00b\n", "email\n\"" + strings.Repeat("a", 30) + "\"x\n",
	} {
		f.Add([]byte(file), uint8(3), uint8(10), uint8(32))
	}
	f.Fuzz(func(t *testing.T, file []byte, rows, size, record uint8) {
		limits := dialect.Limits{RecordBytes: int(record) + 1, Columns: 8}
		whole, err := read(file, limits)
		var refusal *schema.Error
		if err != nil {
			require.ErrorAs(t, err, &refusal)
			require.Equal(t, "users.csv", refusal.File)
		}

		limits.BlockRows, limits.BlockBytes = int(rows)+1, int(size)+1
		cut, errCut := read(file, limits)
		if err == nil {
			require.NoError(t, errCut)
		} else {
			var other *schema.Error
			require.ErrorAs(t, errCut, &other)
			require.Equal(t, refusal.Place(), other.Place())
			require.Equal(t, refusal.Code, other.Code)
		}
		require.Equal(t, whole.rows, cut.rows)
		require.Equal(t, whole.lines, cut.lines)
		require.Equal(t, whole.repairs, cut.repairs)
		require.Equal(t, whole.header, cut.header)
		if err != nil {
			return
		}

		text := ""
		again := 0 // rows of blocks that were kept, and put together again
		format := cut.reader.Format()
		for _, block := range cut.blocks {
			text += block.Text
			var records dialect.Records
			require.NoError(t, dialect.Block{Line: block.Line, Text: block.Text}.Parse(format, &records))
			for j := range records.Len() {
				require.Equal(t, cut.lines[again], records.Line(j))
				require.Equal(t, cut.rows[again], records.Cells(j))
				cells, fitted := records.Fit(j, format, 1)
				require.Equal(t, fitted&dialect.Ragged == 0, len(cells) == format.Columns)
				again++
			}
		}
		require.Len(t, cut.rows, again)
		if whole.repairs[schema.RepairUTF16]+whole.repairs[schema.RepairWindows1252] == 0 {
			if whole.repairs[schema.RepairEndMark] > 0 {
				file = bytes.TrimRight(file, "\x00\x1a\r\n")
				text = strings.TrimRight(text, "\r\n")
			}
			require.True(t, bytes.HasSuffix(file, []byte(text)))
			line := 1 + bytes.Count(file[:len(file)-len(text)], []byte("\n"))
			for _, block := range cut.blocks {
				require.Equal(t, line, block.Line)
				line += strings.Count(block.Text, "\n")
			}
		} else {
			require.True(t, utf8.ValidString(text))
		}
	})
}

// FuzzOpen shows that no file and no option makes opening fail in another way than with a refusal that has a
// fix and can be shown, and that what the beginning seems to be can be asked of every file.
func FuzzOpen(f *testing.F) {
	for _, file := range []string{
		"Namn;E-post\nAnn;a@x.example\n", "a@x.example\nemail\n", "sep=^\nemail^n\n", "email,n\nx,\xe5\n", "\"email,n\"\n", "{\"a\":1}", "email\u2028a@x.example\u2028", "title \"\nemail\nx\n",
		"\xff\xfee\x00m\x00a\x00i\x00l\x00\n\x00a\x00\n\x00\n", "email~n\na~b\n", "email\nÃ¥\n", "\x00\x1a", "email;;;\na;;;\n", "\"\"\n\",\"", "sep=;\n;;\n\"\"",
	} {
		f.Add([]byte(file), "", "")
		f.Add([]byte(file), "windows-1251", "windows-1252")
		f.Add([]byte(file), "utf-16le", "x")
	}
	f.Fuzz(func(t *testing.T, file []byte, encoding, single string) {
		reader, err := dialect.NewReader(t.Context(), dialect.Text("users.csv", string(file)),
			dialect.Options{Limits: dialect.Limits{RecordBytes: 100, Columns: 10}, Encoding: encoding, SingleByte: single, Names: []string{"email"}})
		if err == nil {
			require.Len(t, reader.HeaderCells(), len(reader.Header()))
			require.Equal(t, len(reader.Header()), reader.Format().Columns)
			if !reader.Found() {
				_, err = reader.Seems(t.Context())
			}
		}
		if err != nil {
			var refusal *schema.Error
			require.ErrorAs(t, err, &refusal)
			require.NotEmpty(t, refusal.Remedy())
			require.True(t, utf8.ValidString(refusal.Text()+refusal.Remedy()), "%q", refusal.Text())
		}
	})
}

// Blocks may be parsed in any order and at the same time.
func TestParseInParallel(t *testing.T) {
	file := usersFile(2000)
	want, err := read(file, dialect.Limits{BlockRows: 100})
	require.NoError(t, err)
	got := make([][]string, len(want.blocks))
	errs := make(chan error, len(want.blocks))
	for i, block := range want.blocks {
		go func() {
			var records dialect.Records
			err := block.Parse(want.reader.Format(), &records)
			for j := range records.Len() {
				got[i] = append(got[i], records.Cells(j)...)
			}
			errs <- err
		}()
	}
	for range want.blocks {
		require.NoError(t, <-errs)
	}
	var all, flat []string
	for i := range got {
		all = append(all, got[i]...)
	}
	for _, row := range want.rows {
		flat = append(flat, row...)
	}
	require.Equal(t, flat, all)
	_, err = want.reader.Next(context.Background())
	require.ErrorIs(t, err, io.EOF)
}
