package schema

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Printable returns s with everything that could steer a terminal, or hide in a line, shown as an escape:
// control characters, line breaks, directional overrides, zero-width characters, undecodable bytes.
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

// Quote shows a cell in a message: shortened, on one line, with everything that is not plain text escaped.
func Quote(cell string) string { return strconv.Quote(Shorten(cell)) }

// QuoteSome shows names in a message as Quote does, the first 20 of them.
func QuoteSome(names []string) Text {
	const most = 20
	shown := make([]string, min(len(names), most))
	for i := range shown {
		shown[i] = Quote(names[i])
	}
	list := strings.Join(shown, ", ")
	if more := len(names) - most; more > 0 {
		return Say("%s and %d more", list, more)
	}
	return Say("%s", list)
}

// Shorten cuts s to 40 characters.
func Shorten(s string) string {
	const most = 40
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most]) + "…"
}
