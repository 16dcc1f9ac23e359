package usersfile

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/claimline/claimline/schema"
)

func TestCompare(t *testing.T) {
	own := schema.Profile{FirstName: "Håkan", LastName: "Öberg", DisplayName: "Adam", Title: "Kock", Department: "Försäljning", Phone: "+46701740666", PreferredLanguage: "sv-SE"}
	for name, c := range map[string]struct {
		field Field
		cell  string
		edit  string // blank: none
		doubt bool
	}{
		"blank":                   {FirstName, "", "", false},
		"same":                    {FirstName, "Håkan", "", false},
		"decomposed":              {FirstName, "Ha\u030akan", "", false},
		"invisible":               {FirstName, "Hå\u200bkan\u00ad", "", false},
		"only invisible":          {FirstName, "\u2060", "", false},
		"blanks":                  {DisplayName, "Adam\u00a0", "", false},
		"another":                 {FirstName, "Åke", "Åke", false},
		"case":                    {DisplayName, "ADAM", "ADAM", false},
		"hidden in another":       {FirstName, "Å\u200bke", "Åke", false},
		"date":                    {Title, "2026-11-25", "2026-11-25", false},
		"boolean":                 {Title, "TRUE", "TRUE", false},
		"question in name":        {DisplayName, "?ukasz", "", true},
		"question in title":       {Title, "Sprzeda?", "Sprzeda?", false},
		"question, umlauts":       {Department, "F?rs?ljning", "", true},
		"replacement":             {Title, "K\ufffdck", "", true},
		"null":                    {DisplayName, "null", "", true},
		"(null)":                  {Title, "(null)", "", true},
		"None":                    {Title, "None", "", true},
		"NaN":                     {Title, "NaN", "", true},
		"N/A":                     {Title, "n/a", "", true},
		`\N`:                      {Title, `\N`, "", true},
		"mojibake":                {FirstName, "HÃ¥kan", "", true},
		"mojibake twice":          {LastName, "Ãƒâ€“berg", "", true},
		"mojibake of others":      {DisplayName, "HÃ¥kan", "HÃ¥kan", false},
		"entities":                {FirstName, "H&aring;kan", "", true},
		"numeric entity":          {LastName, "&#214;berg", "", true},
		"twice":                   {LastName, "&amp;Ouml;berg", "", true},
		"encoded word":            {FirstName, "=?UTF-8?Q?H=C3=A5kan?=", "", true},
		"base64 word":             {FirstName, "=?utf-8?B?SMOla2Fu?=", "", true},
		"escape":                  {LastName, `\u00d6berg`, "", true},
		"percent":                 {Department, "F%C3%B6rs%C3%A4ljning", "", true},
		"quoted-printable":        {FirstName, "H=C3=A5kan", "", true},
		"read as macintosh":       {FirstName, "HŒkan", "", true},
		"read as 1250":            {FirstName, "Hĺkan", "", true},
		"read as 1251":            {FirstName, "Hеkan", "", true},
		"read as cp850":           {FirstName, "HÕkan", "", true},
		"encoded word of another": {DisplayName, "=?UTF-8?Q?=C3=85sa?=", "=?UTF-8?Q?=C3=85sa?=", false},
		"entity of another":       {DisplayName, "&Aring;sa", "&Aring;sa", false},
		"phone":                   {Phone, "+46701740647", "+46701740647", false},
		"language":                {PreferredLanguage, "en-US", "en-US", false},
	} {
		t.Run(name, func(t *testing.T) {
			var values Values
			values[c.field] = c.cell
			edits, doubtful := Compare(&own, &values)
			assert.Equal(t, c.doubt, len(doubtful) == 1)
			if c.edit == "" {
				assert.Empty(t, edits)
				return
			}
			assert.Equal(t, []Edit{{Field: c.field, Old: *part(&own, c.field), New: c.edit}}, edits)
			assert.Equal(t, c.edit, *part(NewProfile(edits), c.field))
			assert.Equal(t, schema.Edits{c.field.Name(): {*part(&own, c.field), c.edit}}, InColumns(edits))
			assert.Equal(t, c.field <= DisplayName, Rename(edits))
		})
	}
}

func TestContradicts(t *testing.T) {
	for _, c := range []struct {
		own, cell string
		want      bool
	}{
		{"Adam", "HÃ¥kan", false}, {"Håkan", "HÃ¥kan", false}, {"HÃ¥kan", "HÃ¥kan", true}, {"Zoé", "ZoÃ«", true}, {"Bäckström", "Ã…ngstrÃ¶m", false},
		{"", "ZoÃ«", false}, {"Zoë", "Zoë", false},
	} {
		assert.Equal(t, c.want, Contradicts(&schema.Profile{FirstName: c.own}, &Values{FirstName: c.cell}), c)
	}
}

func TestSuspect(t *testing.T) {
	for address, want := range map[string]Suspicion{
		"'adam.ahmed@acme.example":    {Hint: schema.HintApostrophe, Key: "adam.ahmed@acme.example"},
		"adam.ahmed@acme.example'":    {Hint: schema.HintApostrophe, Key: "adam.ahmed@acme.example"},
		"adаm.ahmed@acme.example":     {Hint: schema.HintLookAlike, Letter: "а (U+0430, Cyrillic)", Key: "adam.ahmed@acme.example"},
		"ａdam.backstrom@acme.example": {Hint: schema.HintLookAlike, Letter: "ａ (U+FF41, full width)", Key: "adam.backstrom@acme.example"},
		"adam@асme.example":           {Hint: schema.HintLookAlike, Letter: "а (U+0430, Cyrillic)", Key: "adam@acme.example"},
		"adαm@acme.example":           {Hint: schema.HintLookAlike, Letter: "α (U+03B1, Greek)", Key: "adam@acme.example"},
		"adam@acme\u2010labs.example": {Hint: schema.HintLookAlike, Letter: "U+2010 (\u2010, hyphen)", Key: "adam@acme-labs.example"},
	} {
		s, ok := Suspect(address)
		assert.True(t, ok, address)
		assert.Equal(t, want, s, address)
	}
	for _, address := range []string{"adam@acme.example", "åsa@åkeri.example", "o'brien@acme.example", "иван@пример.example", "łukasz@acme.example"} {
		s, ok := Suspect(address)
		assert.False(t, ok, "%s: %v", address, s)
	}
}

func TestEmailHint(t *testing.T) {
	for cell, want := range map[string]schema.Hint{
		"mailto:ann@acme.example": schema.HintEmailPrefix, "SMTP:Ann@acme.example": schema.HintEmailPrefix, "sip:ann@acme.example": schema.HintEmailPrefix,
		"Ann Lee <ann@acme.example>": schema.HintEmailBrackets, "<ann@acme.example>": schema.HintEmailBrackets, "Ann (ann@acme.example)": schema.HintEmailBrackets,
		"ann@acme.example (Ann Lee)": schema.HintEmailBrackets, "ann\uff20acme.example": schema.HintEmailCharacter,
		"[ann@acme.example](mailto:ann@acme.example)": schema.HintEmailBrackets,
		"ann@acme.example;bo@acme.example":            schema.HintEmailSeveral, "ann@acme.example, bo@acme.example": schema.HintEmailSeveral,
		"ann@acme.example bo@acme.example": schema.HintEmailSeveral, "ann@acme.example\nbo@acme.example": schema.HintEmailSeveral,
		"ann’s@acme.example": schema.HintEmailCharacter, "ann–lee@acme.example": schema.HintEmailCharacter, "ann‑lee@acme.example": schema.HintEmailCharacter,
		"ann lee@acme.example": schema.HintEmailCharacter, "“ann@acme.example”": schema.HintEmailCharacter, "'ann@acme.example'": schema.HintEmailCharacter,
		"ann": "", "": "", "@acme.example": "", "ann@localhost": "", "\xe5@\xe5.example": "",
	} {
		hint, details := EmailHint(cell)
		assert.Equal(t, want, hint, cell)
		assert.NotContains(t, hint.Message(details...)+hint.Fix(details...), "{", cell)
	}
	hint, details := EmailHint("ann’s@acme.example")
	assert.Contains(t, hint.Message(details...), "U+2019")
}
