package dialect

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// headerEnds are what is cut off the ends of a header: quotes of any kind, and delimiters.
const headerEnds = "\"'`\u00ab\u00bb\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\u2039\u203a" + delimiters + " "

// CleanHeader returns how a header is read, so that it matches whatever happened to it: white space and line
// breaks of any kind are one blank; characters without width or with direction are gone, and at the ends
// quotes and delimiters too. What is left is in NFC.
func CleanHeader(cell string) string {
	value, _ := Clean(cell)
	var b strings.Builder
	blank := false
	for _, r := range strings.ToValidUTF8(value, string(utf8.RuneError)) {
		switch {
		case isHidden(r):
		case unicode.IsSpace(r):
			blank = true
		default:
			if blank {
				b.WriteByte(' ')
			}
			blank = false
			b.WriteRune(r)
		}
	}
	return norm.NFC.String(strings.Trim(b.String(), headerEnds))
}

// isClean reports whether a text is certain to be what CleanHeader makes of it.
func isClean(text string) bool {
	last := byte(' ')
	for i := range len(text) {
		switch c := text[i]; {
		case '0' <= c && c <= '9', 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z':
		case c == ' ' && last != ' ' && i < len(text)-1:
		default:
			return false
		}
		last = text[i]
	}
	return true
}

// SameHeader reports whether two headers match once they are cleaned, whatever their case.
func SameHeader(a, b string) bool {
	same, _ := MatchHeader(a, b)
	return same
}

// MatchHeader compares like SameHeader a header as it is written and a name; cleaned tells whether they match
// only once cleaned (schema.RepairHeaderCleaned), case and the guard apart.
func MatchHeader(cell, name string) (same, cleaned bool) {
	switch {
	case strings.EqualFold(unguard(cell), name):
		return true, false
	case isClean(cell) && isClean(name): // soon told, for IsHeader asks about every row
		return false, false
	}
	same = strings.EqualFold(CleanHeader(cell), CleanHeader(name))
	return same, same
}

// IsHeader reports whether a record is the header once more (schema.RepairHeaderRepeated).
func IsHeader(header, cells []string) bool { return slices.EqualFunc(cells, header, SameHeader) }

// surplusDelimiters returns the delimiters at the end of a header.
func surplusDelimiters(cell string) string {
	cell = trimBehind(cell)
	return cell[len(strings.TrimRight(cell, delimiters)):]
}

// trimBehind cuts off the blanks at the end of a cell that are no delimiters.
func trimBehind(cell string) string {
	return strings.TrimRightFunc(cell, func(r rune) bool { return r != '\t' && isBlank(r) })
}
