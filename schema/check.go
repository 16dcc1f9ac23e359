package schema

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/language"
	"golang.org/x/text/unicode/norm"
)

// MaxTextRunes is the length limit of names, titles and departments, in characters.
const MaxTextRunes = 64

// ValidText reports whether s can be shown on one line: UTF-8 without control characters or line breaks.
func ValidText(s string) bool {
	for i := range len(s) {
		c := s[i]
		if c >= utf8.RuneSelf {
			return validUnicodeText(s[i:])
		}
		if c < ' ' || c == 0x7f {
			return false
		}
	}
	return true
}

func validUnicodeText(s string) bool {
	for _, r := range s {
		if r == '\u2028' || r == '\u2029' || unicode.IsControl(r) {
			return false
		}
	}
	return utf8.ValidString(s)
}

// SpreadsheetError reports whether s is what a spreadsheet shows for a formula that failed, in any language,
// or for a column that is too narrow: #N/A, #REF!, #NAME?, #####.
func SpreadsheetError(s string) bool {
	const noEnd = "#N/A #N/D #NV #NA #I/T #GETTING_DATA" // those that end in neither ! nor ?
	if len(s) < 3 || s[0] != '#' {
		return false
	}
	if strings.Trim(s, "#") == "" {
		return len(s) >= 4
	}
	upper := strings.ToUpper(s)
	if slices.Contains(strings.Fields(noEnd), upper) {
		return true
	}
	name := upper[1 : len(upper)-1]
	return strings.ContainsAny(upper[len(upper)-1:], "!?") && !strings.ContainsFunc(name, func(r rune) bool {
		return !unicode.IsUpper(r) && !unicode.IsDigit(r) && r != '/' && r != '_'
	})
}

// ValidPhone reports whether s is a phone number as in E.164: + and up to 15 digits, the first not 0.
func ValidPhone(s string) bool {
	if len(s) < 3 || len(s) > 16 || s[0] != '+' || s[1] == '0' {
		return false
	}
	for i := 1; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// SpellPhone returns a phone number as accounts have it: without blanks and -./(), with + for 00. spelt tells
// whether that made a number of it that it was not. A zero in brackets is left: it is dialled within a
// country only.
func SpellPhone(s string) (phone string, spelt bool) {
	if ValidPhone(s) || len(s) > 64 || strings.Contains(s, "(0") {
		return s, false
	}
	phone = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || strings.ContainsRune("-./()\u2010\u2011\u2012\u2013\u202f", r) {
			return -1
		}
		return r
	}, s)
	if rest, found := strings.CutPrefix(phone, "00"); found {
		phone = "+" + rest
	}
	if !ValidPhone(phone) {
		return s, false
	}
	return phone, true
}

// UnsignedPhone reports whether s would be a phone number with a + in front: spreadsheets take it off.
func UnsignedPhone(s string) bool { return len(s) >= 7 && s[0] != '+' && ValidPhone("+"+s) }

// SpellLanguage returns a language tag with - for _.
func SpellLanguage(s string) (tag string, spelt bool) {
	tag = strings.ReplaceAll(s, "_", "-")
	if tag == s || !ValidLanguage(tag) {
		return s, false
	}
	return tag, true
}

// maxLanguageBytes is far beyond any language tag in use; the parser's time grows with the square of the
// length.
const maxLanguageBytes = 255

// ValidLanguage reports whether s is a BCP 47 language tag of known subtags, such as sv or zh-Hant-TW.
func ValidLanguage(s string) bool {
	switch s { // the plain tags of which files are full
	case "en", "sv", "en-US", "en-GB", "sv-SE", "de-DE", "fr-FR", "es-ES", "fi-FI", "da-DK", "nb-NO":
		return true
	}
	if len(s) > maxLanguageBytes || strings.Contains(s, "_") { // the parser takes sv_SE too; BCP 47 does not
		return false
	}
	_, err := language.Parse(s)
	return err == nil
}

// ParseBool reads TRUE, T, FALSE or F in any case; ok is false for everything else, a blank too.
func ParseBool(s string) (value, ok bool) {
	switch {
	case len(s) > len("FALSE"):
		return false, false
	case strings.EqualFold(s, "TRUE"), strings.EqualFold(s, "T"):
		return true, true
	case strings.EqualFold(s, "FALSE"), strings.EqualFold(s, "F"):
		return false, true
	}
	return false, false
}

// boolWords are TRUE and FALSE in the languages of spreadsheets, and marks that people make; folded. No
// others: a word that is not certain is asked about.
var boolWords = map[string]bool{
	"yes": true, "y": true, "1": true, "x": true, "no": false, "n": false, "0": false,
	"ja": true, "nej": false,
	"sant": true, "falskt": false, "wahr": true, "falsch": false, "vrai": true, "faux": false, "verdadero": true, "falso": false,
	"verdadeiro": true, "vero": true, "waar": true, "onwaar": false, "sand": true, "falsk": false, "sann": true, "usann": false,
	"tosi": true, "epätosi": false, "prawda": true, "fałsz": false, "pravda": true, "nepravda": false, "истина": true, "ложь": false,
	"doğru": true, "yanliş": false, "igaz": true, "hamis": false,
}

// ReadBool reads what ParseBool does, and the words of other languages; word tells which it was.
func ReadBool(s string) (value, word, ok bool) {
	if value, ok = ParseBool(s); ok {
		return value, false, true
	}
	if s == "" || len(s) > 24 {
		return false, false, false
	}
	value, ok = boolWords[foldBool(s)]
	return value, ok, ok
}

// foldBool makes words comparable, the Turkish letters that have other capitals too.
func foldBool(s string) string {
	return norm.NFC.String(strings.Map(func(r rune) rune {
		switch r {
		case 'ı', 'İ':
			return 'i'
		case '\u0307': // the dot of a decomposed İ
			return -1
		}
		return unicode.ToLower(r)
	}, norm.NFC.String(s)))
}

// ParseClaimType reads a claim type in any case; ok is false for everything else, a blank too.
func ParseClaimType(s string) (t ClaimType, ok bool) {
	switch {
	case strings.EqualFold(s, string(Immediate)):
		return Immediate, true
	case strings.EqualFold(s, string(Delayed)):
		return Delayed, true
	}
	return "", false
}
