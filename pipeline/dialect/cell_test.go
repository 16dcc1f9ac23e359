package dialect_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/claimline/claimline/pipeline/dialect"
)

func TestClean(t *testing.T) {
	for _, c := range []struct {
		cell, value string
		trimmed     bool
	}{
		{"", "", false},
		{"Ann", "Ann", false},
		{"Åsa Ö", "Åsa Ö", false},
		{" Ann\t", "Ann", true},
		{"\u00a0Ann\u202f", "Ann", true},
		{"\u200b\ufeffAnn\u2060\u200d", "Ann", true},
		{"\u200eAnn\u200f", "Ann", true},
		{"\u202a\u202b\u202d\u202eAnn\u202c", "Ann", true},
		{"\u2066\u2067\u2068Ann\u2069", "Ann", true},
		{"\u061cAnn\u00ad", "Ann", true},
		{"A\u202enn", "A\u202enn", false},
		{" \r\n", "", true},
		{"Ann Lee", "Ann Lee", false},
		{"'Ann", "'Ann", false},
		{"'", "'", false},
		{"'=1", "=1", false},
		{"''=1", "'=1", false},
		{" '=1 ", "=1", true},
		{"'\t x", "\t x", false}, // not trimmed again
		{"'\r", "'", true},
		{"=1", "=1", false},
		{"\tx", "x", true},
		{"\xa0x\x85", "\xa0x\x85", false}, // undecodable bytes are no blanks
		{"\x00", "\x00", false},
	} {
		value, did := dialect.Clean(c.cell)
		trimmed := did&dialect.Trimmed != 0
		assert.Equal(t, c.value, value, "%q", c.cell)
		assert.Equal(t, c.trimmed, trimmed, "%q", c.cell)
		assert.Zero(t, did&dialect.Formula, "%q", c.cell)
	}
}

func TestCleanTextFormula(t *testing.T) {
	for _, c := range []struct {
		cell, value string
		did         dialect.Cleaned
		restored    string
	}{
		{`="Adam"`, "Adam", dialect.Formula, "Adam"},
		{` ="Adam" `, "Adam", dialect.Formula | dialect.Trimmed, "Adam"},
		{"\u00a0=\"Adam\"", "Adam", dialect.Formula | dialect.Trimmed, "Adam"},
		{`=" Adam "`, "Adam", dialect.Formula, "Adam"},
		{`="Adam ""Addy"" A, B"`, `Adam "Addy" A, B`, dialect.Formula, `Adam "Addy" A, B`},
		{`=""`, "", dialect.Formula, ""},
		{`="+46701740666"`, "+46701740666", dialect.Formula, "'+46701740666"},
		{`="'=1"`, "'=1", dialect.Formula, "''=1"},
		{`="=""x"""`, `="x"`, dialect.Formula, `'="x"`},
		{`'="Adam"`, `="Adam"`, 0, `'="Adam"`}, // it is what it says
		{`''="Adam"`, `'="Adam"`, 0, `''="Adam"`},
		{`=T("Adam")`, `=T("Adam")`, 0, `'=T("Adam")`},
		{`="a"&"b"`, `="a"&"b"`, 0, `'="a"&"b"`},
		{`="a`, `="a`, 0, `'="a`},
		{`="`, `="`, 0, `'="`},
		{`=B3`, `=B3`, 0, `'=B3`},
	} {
		value, did := dialect.Clean(c.cell)
		assert.Equal(t, c.value, value, "%q", c.cell)
		assert.Equal(t, c.did, did, "%q", c.cell)
		assert.Equal(t, c.restored, dialect.Restore(c.cell, true), "%q", c.cell)
		back, _ := dialect.Clean(dialect.Restore(c.cell, true))
		assert.Equal(t, c.value, back, "%q", c.cell)
		assert.Equal(t, c.cell, unguard(dialect.Guard(c.cell)))
	}
}

func TestGuard(t *testing.T) {
	for _, c := range [][2]string{
		{"", ""}, {"Ann", "Ann"}, {"'Ann", "'Ann"}, {"'", "'"}, {" =1", " =1"}, {"1-2", "1-2"},
		{"=1", "'=1"}, {"+46", "'+46"}, {"-", "'-"}, {"@x", "'@x"}, {"\tx", "'\tx"}, {"\rx", "'\rx"}, {"'=1", "''=1"}, {"''@", "'''@"},
	} {
		assert.Equal(t, c[1], dialect.Guard(c[0]), "%q", c[0])
	}
}

func TestRestore(t *testing.T) {
	for _, c := range []struct{ cell, known, unknown string }{
		{"", "", ""},
		{"  Ann ", "  Ann ", "  Ann "},
		{"\u00a0Ann", "\u00a0Ann", "\u00a0Ann"},
		{"=1 ", "'=1 ", "'=1 "},
		{"'=1", "'=1", "'=1"},
		{"''=1", "''=1", "''=1"},
		{" =1", " =1", " =1"},
		{" '=1", " '=1", " '=1"},
		{"'+46701234567", "'+46701234567", "'+46701234567"},
		{"\t=1", "'=1", "'\t=1"},
		{"\t'=1", "'=1", "'\t'=1"},
		{"\tAnn", "Ann", "'\tAnn"},
		{"'Ann", "'Ann", "'Ann"},
	} {
		assert.Equal(t, c.known, dialect.Restore(c.cell, true), "%q", c.cell)
		assert.Equal(t, c.unknown, dialect.Restore(c.cell, false), "%q", c.cell)
	}
}

var (
	guardable = regexp.MustCompile(`^'*[=+\-@\t\r]`)
	unguarded = regexp.MustCompile(`^'+[=+\-@\t\r]`)

	textFormula = regexp.MustCompile(`^(?s:="((?:[^"]|"")*)")$`)
)

// unguard returns what a reader that does not trim does to a cell.
func unguard(cell string) string {
	if unguarded.MatchString(cell) {
		return cell[1:]
	}
	return cell
}

func checkCell(t require.TestingT, cell string) {
	value, did := dialect.Clean(cell)
	trimmed := did&dialect.Trimmed != 0
	plain := strings.TrimFunc(cell, isBlank)
	if text := textFormula.FindStringSubmatch(plain); text != nil {
		require.Equal(t, strings.TrimFunc(strings.ReplaceAll(text[1], `""`, `"`), isBlank), value, "%q", cell)
		require.NotZero(t, did&dialect.Formula, "%q", cell)
	} else {
		require.Equal(t, unguard(plain), value, "%q", cell)
		require.Zero(t, did&dialect.Formula, "%q", cell)
	}
	require.Equal(t, strings.TrimFunc(cell, isBlank) != cell, trimmed, "%q", cell)

	for _, s := range []string{cell, value} {
		want := s
		if guardable.MatchString(s) {
			want = "'" + s
		}
		require.Equal(t, want, dialect.Guard(s), "%q", s)
		require.Equal(t, s, unguard(dialect.Guard(s)), "%q", s)
	}
	again, _ := dialect.Clean(dialect.Guard(value))
	require.Equal(t, value, again, "%q: a value that is written is read back", cell)

	for _, known := range []bool{true, false} {
		written := dialect.Restore(cell, known)
		if guardable.MatchString(written) {
			require.Equal(t, byte('\''), written[0], "%q is written as %q", cell, written)
		} else if !guardable.MatchString(cell) && did&dialect.Formula == 0 {
			require.Equal(t, cell, written, "blanks are kept")
		}
		if known {
			back, _ := dialect.Clean(written)
			require.Equal(t, value, back, "%q is written as %q", cell, written)
		} else {
			require.Equal(t, unguard(cell), unguard(written), "%q is written as %q", cell, written)
		}
	}
}

// isBlank names what is trimmed, one by one.
func isBlank(r rune) bool {
	return strings.ContainsRune("\t\n\v\f\r \u0085\u00a0\u1680\u180e\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"+
		"\u200b\u200c\u200d\u200e\u200f\u2028\u2029\u202f\u205f\u3000\ufeff"+
		"\u00ad\u034f\u061c\u202a\u202b\u202c\u202d\u202e\u2060\u2061\u2062\u2063\u2064\u2065\u2066\u2067\u2068\u2069\u206a\u206b\u206c\u206d\u206e\u206f", r) &&
		r != '\ufffd'
}

func TestCellsRoundTrip(t *testing.T) {
	parts := []string{"'", "=", "+", "-", "@", "\t", "\r", "\n", " ", "\u00a0", "\u200b", "\ufeff", "\u202e", "a", "Ö", "\xff", "\x00", "\"", "=\""}
	rapid.Check(t, func(t *rapid.T) {
		checkCell(t, strings.Join(rapid.SliceOfN(rapid.SampledFrom(parts), 0, 6).Draw(t, "parts"), ""))
	})
}

func FuzzCell(f *testing.F) {
	for _, cell := range []string{"", "Ann", " '=1 ", "\t=1", "''\t", "'\r\n=", "\u200b'@", "\xff'", "Åsa", `="a"`, ` ="a""b" `, `="`, "=\"\u202d\""} {
		f.Add(cell)
	}
	f.Fuzz(func(t *testing.T, cell string) { checkCell(t, cell) })
}
