package schema

import (
	"strings"
	"unicode"
)

// Printable is s with everything that could steer a terminal, or hide in a line, shown as an escape: control
// characters, line breaks, directional overrides, zero-width characters, undecodable bytes.
func Printable(s string) string {
	s = strings.ToValidUTF8(s, "�")
	if !strings.ContainsFunc(s, unprintable) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if !unprintable(r) {
			b.WriteRune(r)
			continue
		}
		switch r {
		case '\n':
			b.WriteString(`\n`)
		case '\t':
			b.WriteString(`\t`)
		case '\r':
			b.WriteString(`\r`)
		default:
			b.WriteString("�")
		}
	}
	return b.String()
}

func unprintable(r rune) bool {
	return r != ' ' && !unicode.IsPrint(r) && !unicode.IsSpace(r) || r == '\n' || r == '\r' || r == '\t' || r == '\v' || r == '\f' || r == '\u0085' || r == '\u2028' || r == '\u2029'
}
