package snapshot

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/claimline/claimline/schema"
)

// meaning returns the column, of those that the file lacks, that a header may mean which nobody knows; blank
// where it means none of them.
func meaning(header string, missing []string) string {
	words := wordsOf(header)
	plain := strings.Join(words, "")
	best, least := "", len(plain)
	for _, name := range missing {
		d := schema.Distance(plain, strings.Join(wordsOf(name), ""))
		if near(d, plain, name) && d < least {
			best, least = name, d
		}
	}
	if best != "" {
		return best
	}
	for _, name := range missing {
		if holds(words, plain, name) && len(name) > len(best) {
			best = name
		}
	}
	return best
}

// near reports whether d letters are so few that a header may be a name misspelt: two of a name twice as
// long, or less than a third of it.
func near(d int, header, name string) bool {
	const fewLetters, part = 2, 3
	return d <= fewLetters && 2*d < len(name) || d*part < max(len(header), len(name))
}

// holds reports whether the words of a header are a name and others: SSO enabled, directory_sync_on,
// ssoEnabled, isSso.
func holds(words []string, plain, name string) bool {
	const shortest = 3 // letters of a name that is looked for inside a word
	parts := wordsOf(name)
	for i := 0; i+len(parts) <= len(words); i++ {
		if slices.Equal(words[i:i+len(parts)], parts) {
			return true
		}
	}
	whole := strings.Join(parts, "")
	return len(whole) >= shortest && (strings.HasPrefix(plain, whole) || strings.HasSuffix(plain, whole))
}

// wordsOf returns the words of a header, folded; those of camelCase apart.
func wordsOf(header string) []string {
	var spaced strings.Builder
	lower := false
	for _, r := range norm.NFKC.String(header) {
		if lower && unicode.IsUpper(r) {
			spaced.WriteByte(' ')
		}
		lower = unicode.IsLower(r)
		spaced.WriteRune(r)
	}
	return strings.FieldsFunc(strings.ToLower(spaced.String()), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r)
	})
}
