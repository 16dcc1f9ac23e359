package schema

import (
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"
	"golang.org/x/text/cases"
	"golang.org/x/text/language"
	"golang.org/x/text/unicode/norm"
)

func TestValidText(t *testing.T) {
	for _, s := range []string{"", "Ann", "Åsa Öberg", "O'Neil", "=1+1", "👩‍💻", "李", "\ufffd", "a\u00a0b", "a\u200bb", strings.Repeat("x", 1000)} {
		assert.True(t, ValidText(s), "%q", s)
	}
	for _, s := range []string{
		"a\nb", "a\r", "\t", "a\x00b", "\x1f", "\x7f", "Å\x7f", "Å\n", "\u0085", "\u009f", "\u2028", "a\u2029b", "\xe5sa", "Å\xe5",
	} {
		assert.False(t, ValidText(s), "%q", s)
	}
}

func TestValidPhone(t *testing.T) {
	for _, s := range []string{"+46701234567", "+12", "+123456789012345"} {
		assert.True(t, ValidPhone(s), "%q", s)
	}
	for _, s := range []string{
		"", "+", "+4", "46701234567", "0701234567", "+0701234567", "+1234567890123456", "+46 70 123 45 67", "+46-70", "+46(0)70", "++4670", "+467a", "+४६७०१२", " +4670", "004670",
	} {
		assert.False(t, ValidPhone(s), "%q", s)
	}
}

func TestValidLanguage(t *testing.T) {
	for _, s := range []string{"sv", "en", "SV-se", "en-US", "zh-Hant-TW", "sr-Latn", "de-CH-1996", "x-private", "i-klingon", "und", "es-419"} {
		assert.True(t, ValidLanguage(s), "%q", s)
	}
	for _, s := range []string{"", "svenska", "sv_SE", "sv-", "-sv", "s", "sv SE", "sv-SE-", "xx-YY-zz-1", "1", "Å", "sv-\xe5", "en--US", strings.Repeat("en-", 1000), "en" + strings.Repeat("-abcde", 150_000)} {
		assert.False(t, ValidLanguage(s), "%q", s)
	}
}

func TestParseBool(t *testing.T) {
	for s, want := range map[string]bool{"TRUE": true, "true": true, "True": true, "T": true, "t": true, "FALSE": false, "false": false, "fAlSe": false, "F": false, "f": false} {
		got, ok := ParseBool(s)
		assert.True(t, ok, s)
		assert.Equal(t, want, got, s)
	}
	for _, s := range []string{"", " ", "TRUE ", "yes", "1", "0", "TRU", "FALS", "TRUEE", "FALSEE", "SANT", "ſ", "FALſE"} {
		_, ok := ParseBool(s)
		assert.False(t, ok, s)
	}
}

func TestParseClaimType(t *testing.T) {
	for s, want := range map[string]ClaimType{"immediate": Immediate, "IMMEDIATE": Immediate, "Delayed": Delayed, "delayed": Delayed} {
		got, ok := ParseClaimType(s)
		assert.True(t, ok, s)
		assert.Equal(t, want, got, s)
	}
	for _, s := range []string{"", "now", "delay", "immediately", " delayed"} {
		_, ok := ParseClaimType(s)
		assert.False(t, ok, s)
	}
}

func TestPrintable(t *testing.T) {
	for s, want := range map[string]string{
		"":                      "",
		"Åsa Öberg 李":           "Åsa Öberg 李",
		"a\tb\nc\rd":            `a\tb\nc\rd`,
		"\x1b[31mred":           "�[31mred",
		"\u202eevil":            "�evil",
		"a\u200bb":              "a�b",
		"\u2028":                "�",
		"\x00\x7f\u0085\v\f":    "�����",
		"\xe5sa":                "�sa",
		"no-break\u00a0blank":   "no-break\u00a0blank",
		"line\r\nbreak and \"'": `line\r\nbreak and "'`,
	} {
		assert.Equal(t, want, Printable(s), "%q", s)
	}
}

func TestNearest(t *testing.T) {
	for _, c := range []struct {
		wanted, found []string
		near          string
	}{
		{[]string{EmailHeader}, []string{"Name", "User ID/Emial (Required)"}, "User ID/Emial (Required)"},
		{[]string{EmailHeader, "E-mail"}, []string{"Title", "e-mial"}, "e-mial"},
		{[]string{"Email"}, []string{"EMAIL ", "Emale"}, "EMAIL "},
		{[]string{"Webex Calling"}, []string{"Webex Meetings", "Webex Caling"}, "Webex Caling"},
		{[]string{"policy.max_rows"}, []string{"policy.maxrows"}, "policy.maxrows"},
		{[]string{"Email"}, []string{"", "Department", "Telephone"}, ""},
		{[]string{"Email"}, []string{strings.Repeat("Email", 1000)}, ""},
		{[]string{""}, []string{"", "a"}, ""},
		{nil, []string{"a"}, ""},
		{[]string{"a"}, nil, ""},
	} {
		near, ok := Nearest(c.wanted, c.found)
		assert.Equal(t, c.near != "", ok, "%q %q", c.wanted, c.found)
		assert.Equal(t, c.near, near)
	}
}

func TestReadBool(t *testing.T) {
	pairs := "YES/NO Y/N 1/0 JA/NEJ SANT/FALSKT WAHR/FALSCH VRAI/FAUX VERDADERO/FALSO VERDADEIRO/FALSO VERO/FALSO WAAR/ONWAAR " +
		"SAND/FALSK SANN/USANN TOSI/EPÄTOSI PRAWDA/FAŁSZ PRAVDA/NEPRAVDA ИСТИНА/ЛОЖЬ DOĞRU/YANLIŞ IGAZ/HAMIS"
	for pair := range strings.SplitSeq(pairs, " ") {
		yes, no, _ := strings.Cut(pair, "/")
		for word, want := range map[string]bool{yes: true, no: false} {
			for _, s := range []string{
				word, strings.ToLower(word), cases.Title(language.Und).String(word), norm.NFD.String(word), strings.ToLowerSpecial(unicode.TurkishCase, word),
				strings.ToUpperSpecial(unicode.TurkishCase, strings.ToLower(word)),
			} {
				value, isWord, ok := ReadBool(s)
				assert.True(t, ok && isWord, s)
				assert.Equal(t, want, value, s)
			}
		}
	}
	for s, want := range map[string]bool{"x": true, "X": true} {
		value, word, ok := ReadBool(s)
		assert.True(t, value == want && word && ok, s)
	}
	for _, s := range []string{"TRUE", "f"} {
		_, word, ok := ReadBool(s)
		assert.True(t, ok && !word, s)
	}
	for _, s := range []string{"", " ", "maybe", "oui", "nein", "2", "xx", "-", "YES!", "\u0307", strings.Repeat("yes", 99)} {
		_, _, ok := ReadBool(s)
		assert.False(t, ok, s)
	}
}

func TestSpellings(t *testing.T) {
	for s, want := range map[string]string{
		"+46 70-174 06 66": "+46701740666", "0046701740666": "+46701740666", "+1 (212) 555.0100": "+12125550100", "+46/70/1740666": "+46701740666",
		"00 46 70 174": "+4670174", "+46\u00a070\u202f174\u2011066": "+4670174066",
	} {
		phone, spelt := SpellPhone(s)
		assert.True(t, spelt, s)
		assert.Equal(t, want, phone)
	}
	for _, s := range []string{"", "+46701740666", "070-1740666", "46701740666", "4,67E+10", "+46(0)70174", "ext. 5", "+", "00", "+46 70 a", strings.Repeat("1", 99)} {
		phone, spelt := SpellPhone(s)
		assert.False(t, spelt, s)
		assert.Equal(t, s, phone)
	}
	for s, want := range map[string]string{"en_US": "en-US", "zh_Hant_TW": "zh-Hant-TW"} {
		tag, spelt := SpellLanguage(s)
		assert.True(t, spelt)
		assert.Equal(t, want, tag)
	}
	for _, s := range []string{"", "en-US", "_", "en_", "svenska", "xx_YYYYYYYYYYYY"} {
		tag, spelt := SpellLanguage(s)
		assert.False(t, spelt, s)
		assert.Equal(t, s, tag)
	}
}

func TestSpreadsheetError(t *testing.T) {
	for _, s := range []string{"#N/A", "#REF!", "#NAME?", "#VALUE!", "#DIV/0!", "#NUM!", "#NULL!", "#SPILL!", "####", "##########", "#SAKNAS!", "#NV", "#BEZUG!", "#ИМЯ?", "#n/a"} {
		assert.True(t, SpreadsheetError(s), s)
	}
	for _, s := range []string{"", "#", "###", "#1", "#1 Plumber!", "# hash", "C#", "#hashtag", "Yahoo!", "#!", "No. #4", "#N/A yet"} {
		assert.False(t, SpreadsheetError(s), s)
	}
}
