package schema

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Fold returns a text in lower case, without accents: what a search compares.
func Fold(s string) string {
	var folded strings.Builder
	folded.Grow(len(s))
	for _, r := range s {
		switch {
		case r >= 'A' && r <= 'Z':
			folded.WriteByte(byte(r) + 'a' - 'A')
		case r < utf8.RuneSelf:
			folded.WriteByte(byte(r))
		case r < rune(len(latin)):
			folded.WriteString(latin[r])
		default:
			return fold(s)
		}
	}
	return folded.String()
}

// latin is what fold makes of the letters that most names are written in.
var latin = func() (letters [0x180]string) {
	for r := range letters {
		letters[r] = fold(string(rune(r)))
	}
	return letters
}()

// fold is Fold of any text.
func fold(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return r
	}, norm.NFKD.String(strings.ToLower(s)))
}
