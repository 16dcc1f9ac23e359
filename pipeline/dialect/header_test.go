package dialect_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/schema"
)

// open opens a file that is expected to be read.
func open(t *testing.T, file string) *dialect.Reader {
	t.Helper()
	reader, err := tryOpen(file)
	require.NoError(t, err, "%q", file)
	return reader
}

func tryOpen(file string) (*dialect.Reader, error) {
	return dialect.NewReader(context.Background(), dialect.Text("users.csv", file),
		dialect.Options{SingleByte: "windows-1252", Names: []string{emailHeader, "email", "E-mail", "Mail"}})
}

func TestPreamble(t *testing.T) {
	const rows = "Email,First Name\r\nann@x.example,Ann\r\n"
	semicolons, tabs := strings.ReplaceAll(rows, ",", ";"), strings.ReplaceAll(rows, ",", "\t")
	cover := func(lines int) string { return "Users of Acme\r\n" + strings.Repeat("more of it,,\r\n", lines-1) }
	for name, c := range map[string]struct {
		file      string
		lines     int
		delimiter byte
		bom       int
	}{
		"none":                       {rows, 0, ',', 0},
		"#TYPE":                      {"#TYPE Selected.System.String\r\n" + rows, 1, ',', 0},
		"sep":                        {"sep=;\r\n" + semicolons, 1, ';', 0},
		"sep with a comma":           {"SEP=,\n" + rows, 1, ',', 0},
		"sep with a tab":             {"sep=\t\n" + tabs, 1, '\t', 0},
		"sep with a tab in letters":  {"sep=\\t\n" + tabs, 1, '\t', 0},
		"sep with a bar":             {"sep=|\n" + strings.ReplaceAll(rows, ",", "|"), 1, '|', 0},
		"sep with another":           {"sep=^\n" + strings.ReplaceAll(rows, ",", "^"), 1, '^', 0},
		"sep with a colon":           {"sep=:\n" + strings.ReplaceAll(rows, ",", ":"), 1, ':', 0},
		"sep in quotes":              {"\"sep=;\"\n" + semicolons, 1, ';', 0},
		"sep padded with delimiters": {"sep=;;\n" + semicolons, 1, ';', 0},
		"sep behind a mark":          {"\ufeffsep=;\n" + semicolons, 1, ';', 1},
		"sep, then a title":          {"sep=;\nUsers, all of them\n" + semicolons, 2, ';', 0},
		"sep that says nothing":      {"sep=\n" + semicolons, 1, ';', 0},
		"version":                    {"version:v1.0\n" + rows, 1, ',', 0},
		"title":                      {"Users of Acme AB 2026-11-25,\n,\n" + rows, 2, ',', 0},
		"title in a ; file":          {"Users; of Acme\n\n" + semicolons, 2, ';', 0},
		"title with a quote":         {"Users of 5\" Acme\n" + rows, 1, ',', 0},
		"title with an open quote":   {"\"Users of Acme\n" + rows, 1, ',', 0},
		"title with an @":            {"Users @ Acme\n" + rows, 1, ',', 0},
		"title of two lines":         {"\"Users\nof Acme\"\n" + rows, 2, ',', 0},
		"blank rows":                 {"\n,\n \n" + rows, 3, ',', 0},
		"many blank rows":            {strings.Repeat("\n", 50) + rows, 50, ',', 0},
		"up to the twentieth record": {cover(19) + rows, 19, ',', 0},
		"blank rows, then a cover":   {strings.Repeat("\n", 9) + cover(19) + rows, 28, ',', 0},
	} {
		got, err := read([]byte(c.file), dialect.Limits{})
		require.NoError(t, err, name)
		r := got.reader
		assert.True(t, r.Found(), name)
		assert.Equal(t, []string{"Email", "First Name"}, r.Header(), name)
		assert.Equal(t, c.lines+1, r.HeaderLine(), name)
		assert.Equal(t, [][]string{{"ann@x.example", "Ann"}}, got.rows, name)
		assert.Equal(t, c.delimiter, r.Format().Delimiter, name)
		want := repairs{}
		for kind, n := range map[schema.Repair]int{schema.RepairPreamble: c.lines, schema.RepairBOM: c.bom} {
			if n > 0 {
				want[kind] = n
			}
		}
		if c.delimiter != ',' {
			want[schema.RepairDelimiter] = 1
		}
		assert.Equal(t, want, r.Repairs(), name)
	}
}

func TestHeaderThatIsNotFound(t *testing.T) {
	const user = "Ann,Lee,ann@x.example\n"
	quoted := "\"Email,\"\"First Name\"\",Claim\"\n\"ann@x.example,\"\"Ann\"\",TRUE\"\n"
	for name, c := range map[string]struct {
		file string
		want dialect.Seeming
	}{
		"a user":                      {user + "Bo,Ek,bo@x.example\n", dialect.Seeming{Kind: dialect.SeemsUser, Line: 1}},
		"a user below a blank row":    {"\n" + user, dialect.Seeming{Kind: dialect.SeemsUser, Line: 2}},
		"a list":                      {"ann@x.example\nbo@x.example\n", dialect.Seeming{Kind: dialect.SeemsUser, Line: 1}},
		"a user with a name":          {"Ann Lee <ann@x.example>;TRUE\n", dialect.Seeming{Kind: dialect.SeemsUser, Line: 1}},
		"sorted along":                {user + "First Name,Last Name,Email\n" + user, dialect.Seeming{Kind: dialect.SeemsBelow, Line: 2}},
		"sorted along, far below":     {strings.Repeat(user, 500) + "First Name,Last Name,Email\n" + user, dialect.Seeming{Kind: dialect.SeemsBelow, Line: 501}},
		"sorted to the end":           {strings.Repeat(user, 500) + "First Name,Last Name,Email", dialect.Seeming{Kind: dialect.SeemsBelow, Line: 501}},
		"beyond the twentieth":        {strings.Repeat("x,y\n", 20) + "First Name,Email\nAnn,ann@x.example\n", dialect.Seeming{Kind: dialect.SeemsBelow, Line: 21}},
		"a title and a user":          {"Users\n" + user + "Email,Claim,x\n", dialect.Seeming{Kind: dialect.SeemsBelow, Line: 3}},
		"another language":            {"Vorname,Nachname,\"Benutzer-ID/E-Mail (erforderlich)\"\n" + user, dialect.Seeming{Kind: dialect.SeemsOtherHeader, Line: 1, Column: "Benutzer-ID/E-Mail (erforderlich)"}},
		"another language, semicolon": {"Förnamn;E-postadress\nAnn;ann@x.example\n", dialect.Seeming{Kind: dialect.SeemsOtherHeader, Line: 1, Column: "E-postadress"}},
		"another language, a cover":   {"Användare 2026\n\nFörnamn;E-postadress\nAnn;ann@x.example\n", dialect.Seeming{Kind: dialect.SeemsOtherHeader, Line: 3, Column: "E-postadress"}},
		"first users have none":       {"Navn\tE-post\nAnn\t\nBo\tbo@x.example\n", dialect.Seeming{Kind: dialect.SeemsOtherHeader, Line: 1, Column: "E-post"}},
		"a name in a row's cell":      {"Adresse,Abteilung\nann@x.example,Mail\n", dialect.Seeming{Kind: dialect.SeemsOtherHeader, Line: 1, Column: "Adresse"}},
		"whole lines in quotes":       {quoted, dialect.Seeming{Kind: dialect.SeemsQuoted, Line: 1}},
		"the same with semicolons":    {strings.ReplaceAll(quoted, ",", ";"), dialect.Seeming{Kind: dialect.SeemsQuoted, Line: 1}},
		"another delimiter than sep=": {"sep=;\nEmail,First Name\nann@x.example,Ann\n", dialect.Seeming{Kind: dialect.SeemsDelimiter, Line: 2, Delimiter: ','}},
		"a title":                     {"Users of Acme\n", dialect.Seeming{Kind: dialect.SeemsTitle, Line: 1}},
		"something else":              {"Name,Department\nAnn,Sales\n", dialect.Seeming{Kind: dialect.SeemsUnknown, Line: 1}},
	} {
		r := open(t, c.file)
		assert.False(t, r.Found(), name)
		got, err := r.Seems(t.Context())
		require.NoError(t, err, name)
		assert.Equal(t, c.want, got, name)
	}
}

func TestUnknownDelimiter(t *testing.T) {
	for _, c := range []struct{ delimiter, says string }{
		{"^", `"^"`}, {"~", `"~"`}, {":", `":"`}, {"!", `"!"`}, {"\x1f", "U+001F"}, {"\x01", "U+0001"}, {"¦", `"¦"`}, {"；", `"；"`}, {"::", `":"`},
	} {
		for _, header := range []string{"Email*First Name*Claim\n", "First Name*" + emailHeader + "*Claim\n", "A title\nFirst Name*Last, Name*Mail\n"} {
			_, err := tryOpen(strings.ReplaceAll(header, "*", c.delimiter) + strings.ReplaceAll("ann@x.example*Ann*TRUE\n", "*", c.delimiter))
			var refusal *schema.Error
			require.ErrorAs(t, err, &refusal, "%q", c.delimiter)
			assert.Equal(t, schema.CodeEncodingUnknown, refusal.Code)
			assert.Contains(t, refusal.Text(), "separated by ")
			assert.Contains(t, refusal.Text(), c.says)
			assert.Positive(t, refusal.Line)
		}
	}
	r := open(t, "User Email/Login\nann@x.example\n")
	assert.False(t, r.Found(), "a column of another name is not two of them")
}

func TestCleanHeader(t *testing.T) {
	for _, c := range []struct{ cell, name string }{
		{"Claim", "Claim"}, {" Claim\t", "Claim"}, {"Claim\u00a0Type", "Claim Type"}, {"Claim\n Type", "Claim Type"}, {"Claim\r\nType", "Claim Type"},
		{"Claim\u2028Type", "Claim Type"}, {"Claim\u0085\u3000Type", "Claim Type"}, {"Claim\vType\f", "Claim Type"}, {"\ufeff\u200bClaim\u200e", "Claim"},
		{"Cla\u200bim", "Claim"}, {"Cla\u00adim", "Claim"}, {"\u2066Claim\u2069", "Claim"}, {`"Claim"`, "Claim"}, {"“Claim”", "Claim"}, {"„Claim“", "Claim"},
		{"«Claim»", "Claim"}, {"'Claim'", "Claim"}, {"Claim;;;", "Claim"}, {"Claim,,", "Claim"}, {"Claim;\u00a0;", "Claim"}, {";Claim|", "Claim"},
		{`"Claim;"`, "Claim"}, {`="Claim"`, "Claim"}, {"'=Rooms", "=Rooms"}, {"''=Rooms", "=Rooms"}, {"Go\u0308r", "Gör"}, {"", ""}, {";;;", ""}, {"R&D (x)", "R&D (x)"},
	} {
		assert.Equal(t, c.name, dialect.CleanHeader(c.cell), "%q", c.cell)
		assert.Equal(t, c.name, dialect.CleanHeader(dialect.CleanHeader(c.cell)), "%q", c.cell)
		assert.True(t, dialect.SameHeader(c.cell, strings.ToUpper(c.name)), "%q", c.cell)
	}
	for _, c := range []struct {
		cell, name    string
		same, cleaned bool
	}{
		{"claim", "Claim", true, false}, {"'=Rooms", "=rooms", true, false}, {" Claim", "Claim", true, true}, {"Claim;", "Claim", true, true},
		{"Claims", "Claim", false, false}, {"Claim Type", "Claim", false, false},
	} {
		same, cleaned := dialect.MatchHeader(c.cell, c.name)
		assert.Equal(t, []bool{c.same, c.cleaned}, []bool{same, cleaned}, "%q", c.cell)
	}
}

// Headers match where they are the same once cleaned, also where that is told without cleaning them.
func TestSameHeader(t *testing.T) {
	text := rapid.StringOfN(rapid.SampledFrom([]rune("aAb1 '=;\u00a0\u200bö\u0308")), 0, 4, -1)
	rapid.Check(t, func(t *rapid.T) {
		a, b := text.Draw(t, "a"), text.Draw(t, "b")
		require.Equal(t, strings.EqualFold(dialect.CleanHeader(a), dialect.CleanHeader(b)), dialect.SameHeader(a, b), "%q and %q", a, b)
	})
}

func TestEmailHeaderIsFoundHoweverItIsWritten(t *testing.T) {
	for _, header := range []string{
		"User\u00a0ID/Email\u2009(Required)", "\"User ID/Email\n(Required)\"", "\"User ID/Email\r\n(Required)\"", "\u200bUser ID/Email (Required)\u200f", "user id/email  (REQUIRED)",
		"\"\"\"Email\"\"\"", "e-MAIL", "=\"Email\"", "\u2068Mail\u2069", "\"Email;\"",
	} {
		for _, delimiter := range []string{",", ";", "\t", "|"} {
			r := open(t, fmt.Sprintf("First Name%[1]s%[2]s%[1]sClaim\nAnn%[1]sann@x.example%[1]s\n", delimiter, header))
			assert.True(t, r.Found(), "%q", header)
			assert.Equal(t, delimiter[0], r.Format().Delimiter, "%q", header)
		}
	}
}
