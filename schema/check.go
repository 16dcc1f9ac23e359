package schema

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/language"
)

// MaxTextRunes is the length limit of names, titles and departments, in characters.
const MaxTextRunes = 64

// ValidText reports whether s can be shown on one line: UTF-8 without control characters or line breaks.
// The replacement character counts as damage: it is what undecodable bytes become.
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
		if r == utf8.RuneError || r == '\u2028' || r == '\u2029' || unicode.IsControl(r) {
			return false
		}
	}
	return true
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

// maxLanguageBytes is far beyond any language tag in use; the parser's time grows with the square of the length.
const maxLanguageBytes = 255

// ValidLanguage reports whether s is a BCP 47 language tag of known subtags, such as sv or zh-Hant-TW.
func ValidLanguage(s string) bool {
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
