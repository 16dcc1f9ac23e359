package dialect_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/ianaindex"
	"golang.org/x/text/encoding/unicode"
	"pgregory.net/rapid"

	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/schema"
)

// encoded returns a text in an encoding.
func encoded(t require.TestingT, text, encoding string) string {
	e, err := ianaindex.IANA.Encoding(encoding)
	require.NoError(t, err)
	bytes, err := e.NewEncoder().String(text)
	require.NoError(t, err, "%s: %s", encoding, text)
	return bytes
}

func openAs(t *testing.T, file string, options dialect.Options) (*dialect.Reader, error) {
	t.Helper()
	options.Names = []string{"email"}
	return dialect.NewReader(t.Context(), dialect.Text("users.csv", file), options)
}

func firstRow(t *testing.T, r *dialect.Reader) []string {
	t.Helper()
	block, err := r.Next(t.Context())
	require.NoError(t, err)
	var records dialect.Records
	require.NoError(t, block.Parse(r.Format(), &records))
	return records.Cells(0)
}

func TestEncodingAsTheUserSays(t *testing.T) {
	for _, c := range []struct{ encoding, name, text string }{
		{"macintosh", "macintosh", "Håkan"}, {"windows-1251", "Windows-1251", "Иван"}, {"IBM850", "ibm850", "Åsa"}, {"IBM850", "cp850", "Åsa"}, {"windows-1252", "latin1", "Åsa"},
		{"windows-1250", " windows-1250 ", "Łukasz"}, {"Shift_JIS", "shift_jis", "山田"}, {"GB18030", "gbk", "王"}, {"UTF-16LE", "utf-16le", "Åsa"}, {"UTF-16BE", "utf-16be", "Åsa"},
		{"KOI8-R", "koi8-r", "Иван"}, {"ISO-8859-2", "iso-8859-2", "Žofie"}, {"IBM037", "IBM037", "Asa"}, {"windows-1252", "windows-1252", "Åsa"},
	} {
		file := encoded(t, "email,n\na@x.example,"+c.text+"\n", c.encoding)
		for _, tail := range []string{"", "\x00\x00"} {
			r, err := openAs(t, file+tail, dialect.Options{Encoding: c.name})
			require.NoError(t, err, c.name)
			assert.Equal(t, []string{"a@x.example", c.text}, firstRow(t, r), c.name)
			assert.Equal(t, 1, r.Repairs()[schema.RepairEncoding], c.name)
			assert.False(t, r.Format().BOM)
		}
	}
	r, err := openAs(t, "\ufeffemail\nå\n", dialect.Options{Encoding: "macintosh"})
	require.NoError(t, err)
	assert.Equal(t, []string{"å"}, firstRow(t, r), "a mark wins")
	assert.Equal(t, repairs{schema.RepairBOM: 1}, r.Repairs())

	r, err = openAs(t, "email\nå\n", dialect.Options{Encoding: "UTF-8"})
	require.NoError(t, err)
	assert.Equal(t, repairs{}, r.Repairs())

	for name, fix := range map[string]string{"windows-1521": "windows-1251", "macintsh": "macintosh", "klingon": "windows-1252", "replacement": "CSV UTF-8", "": ""} {
		_, err := openAs(t, "email\nx\n", dialect.Options{Encoding: name})
		if name == "" {
			require.NoError(t, err)
			continue
		}
		var refusal *schema.Error
		require.ErrorAs(t, err, &refusal, name)
		assert.Equal(t, schema.CodeUsage, refusal.Code)
		assert.Contains(t, refusal.Remedy(), fix)
	}
}

func TestEncodingUnclear(t *testing.T) {
	for _, c := range []struct {
		encoding string
		cells    string
		first    string // of the candidates shown
		all      []string
	}{
		{"windows-1251", "Иван,Петров,Продажи", "--encoding windows-1251 (Иван)", nil},
		{"windows-1251", "Борис,x,y", "--encoding windows-1251 (Борис)", nil},
		{"windows-1250", "Łukasz,Wiśniewski,Sprzedaż", "--encoding windows-1250 (Łukasz)", nil},
		{"macintosh", "Håkan,Öberg,Kundtjänst", "--encoding macintosh (Håkan)", nil},
		{"macintosh", "Zoë,Müller,Büro", "--encoding macintosh (Zoë)", nil},
		{"windows-1252", "Håkan,Öberg,Försäljning", "--encoding windows-1252 (Håkan)", nil},
		{"windows-1252", "Zoë,Müller,São João", "--encoding windows-1252 (Zoë)", nil},
		{"IBM850", "Håkan,Öberg,Åsa", "--encoding IBM850 (Håkan)", nil},
		{"KOI8-R", "Иван,Смирнова,Кадры", "--encoding koi8-r (Иван)", nil},
		{"IBM866", "Иван,Иванов,x", "--encoding IBM866 (Иван)", nil},
		{"windows-1253", "Γιώργος,Παπαδόπουλος,Πωλήσεις", "--encoding windows-1253 (Γιώργος)", nil},
		{"windows-1254", "Ayşe,Yıldız,Satış", "", []string{"--encoding windows-1254 (Ayşe)"}},
		{"windows-1257", "Jānis,Bērziņš,x", "", []string{"--encoding windows-1257 (Jānis)"}},
		{"ISO-8859-2", "Łukasz,Wiśniewski,Žofie", "", []string{"--encoding iso-8859-2 (Łukasz)"}},
	} {
		file := "email,First Name,b,c\nann@x.example,Ann,x,y\nbo@x.example," + encoded(t, c.cells, c.encoding) + "\n"
		_, err := openAs(t, file, dialect.Options{})
		var refusal *schema.Error
		require.ErrorAs(t, err, &refusal, c.encoding)
		assert.Equal(t, schema.CodeEncodingUnclear, refusal.Code)
		assert.Equal(t, `users.csv:3, column "First Name"`, refusal.Place())
		for _, shown := range append(c.all, c.first) {
			assert.Contains(t, refusal.Text(), shown)
		}
		if c.first != "" {
			assert.Contains(t, refusal.Text(), "may be: "+c.first, c.encoding)
		}
		r, err := openAs(t, file, dialect.Options{SingleByte: "windows-1252"})
		require.NoError(t, err)
		assert.Equal(t, 1, r.Repairs()[schema.RepairWindows1252])
		r, err = openAs(t, file, dialect.Options{Encoding: c.encoding})
		require.NoError(t, err)
		assert.Equal(t, 1, r.Repairs()[schema.RepairEncoding])
	}
	_, err := openAs(t, "email,F\xf6rnamn\nann@x.example,Ann\n", dialect.Options{})
	assert.Equal(t, schema.CodeEncodingUnclear, schema.CodeOf(err), "only the header")
	_, err = openAs(t, "email,n\nann@x.example,\x81\x8d\xff\x9f\n", dialect.Options{})
	assert.Equal(t, schema.CodeEncodingUnclear, schema.CodeOf(err))
	_, err = openAs(t, "email,n\nann@x.example,Ann\n", dialect.Options{})
	assert.NoError(t, err)
}

func TestRereadLosesNothing(t *testing.T) {
	var all strings.Builder
	for c := byte(' '); c < 0xff; c++ {
		if c != '"' && c != ',' && c != 0x7f {
			all.WriteByte(c)
		}
	}
	r, err := openAs(t, "email,n\na,"+all.String()+"\n", dialect.Options{SingleByte: "windows-1252"})
	require.NoError(t, err)
	cell := firstRow(t, r)[1]
	for _, encoding := range []string{"windows-1251", "koi8-r", "macintosh", "IBM437"} {
		e, err := ianaindex.IANA.Encoding(encoding)
		require.NoError(t, err)
		want, err := e.NewDecoder().String(all.String())
		require.NoError(t, err)
		got, ok := dialect.Reread(cell, encoding)
		assert.Equal(t, !strings.Contains(want, "\ufffd"), ok, encoding)
		if ok {
			assert.Equal(t, want, got, encoding)
		}
	}
	_, ok := dialect.Reread("日本", "koi8-r")
	assert.False(t, ok)
	_, ok = dialect.Reread("x", "klingon")
	assert.False(t, ok)
	assert.Empty(t, dialect.Candidates())
}

// twice returns UTF-8 that was taken for Windows-1252 and encoded again.
func twice(text string) string {
	var b strings.Builder
	for i := range len(text) {
		if r := charmap.Windows1252.DecodeByte(text[i]); r != '\ufffd' {
			b.WriteRune(r)
		} else {
			b.WriteRune(rune(text[i]))
		}
	}
	return b.String()
}

func TestMojibake(t *testing.T) {
	names := "a@x.example,Håkan,Öberg\nb@x.example,Åsa,Ängström\nc@x.example,Zoë,O’Brien àÁÝ Иван\n"
	plain := strings.Repeat("d@x.example,Dan,Lee\n", 30_000)
	for name, c := range map[string]struct {
		rows string
		want bool
	}{
		"all of it":               {twice(names), true},
		"late":                    {plain + twice(names), true},
		"late, and not all":       {twice(names) + plain + "e@x.example,Åsa,\n", false},
		"some not":                {twice(names) + "e@x.example,Åsa,x\n", false},
		"none of it":              {names, false},
		"ASCII":                   {plain, false},
		"cut off in a character":  {"a@x.example,H\u00c3,x\n", false},
		"not letters":             {"a@x.example," + twice("5 €") + ",x\n", false},
		"cut off at the end":      {"a@x.example,x,\u00c3", false},
		"undecodable bytes":       {twice(names) + "e@x.example,\xff,x\n", false},
		"as Latin-1":              {"a@x.example,\u00c3\u0085sa,x\n", true},
		"character over a buffer": {strings.Repeat("x", 64<<10-40) + strings.Repeat(twice("å"), 100) + ",x,y\n", true},
	} {
		for form, file := range map[string]string{
			"plain": "email,First Name,Förnamn\n" + c.rows, "mark": "\ufeffemail,a,b\n" + c.rows, "semicolons": strings.ReplaceAll("email,a,b\n"+c.rows, ",", ";"),
			"UTF-16": utf16(t, unicode.LittleEndian, strings.ToValidUTF8("email,a,Förnamn\n"+c.rows, "\ufffd")), "twice marked": twice("\ufeff") + "email,a,b\n" + c.rows,
		} {
			assert.Equal(t, c.want, open(t, file).Mojibake(), "%s, %s", name, form)
		}
	}
	r, err := openAs(t, encoded(t, "email,n\na,Åsa\n", "windows-1252"), dialect.Options{SingleByte: "windows-1252"})
	require.NoError(t, err)
	assert.False(t, r.Mojibake())
	r, err = openAs(t, "email,n\na,Åsa\n", dialect.Options{Encoding: "windows-1252"})
	require.NoError(t, err)
	assert.True(t, r.Mojibake(), "the encoding said is what did it")
}

func TestUndo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOf(rapid.SampledFrom([]rune("aZ å\u00a0ÄÖéÝàñŁżИванΩ山\u2019“–\u0301"))).Draw(t, "text")
		meant, ok := dialect.Undo(twice(text))
		if ascii := strings.Trim(text, "aZ ") == ""; ascii {
			require.False(t, ok)
			return
		}
		require.True(t, ok)
		require.Equal(t, text, meant)
		_, ok = dialect.Undo(text + twice(text) + "å")
		require.False(t, ok)
	})
	for _, cell := range []string{"", "Ann", "Åsa", "Ã", "Ã¥Å", "â‚¬", "\xff", "Ã\xa5", "Ã©\U0001f600", "\u00c3 ", "Â\u0080"} {
		_, ok := dialect.Undo(cell)
		assert.False(t, ok, "%q", cell)
	}
}
