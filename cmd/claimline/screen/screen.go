// Package screen says how things look on a terminal: tables, a plan before it is agreed to, an import as a
// whole, progress.
//
// Everything fits the width there is. Lines are wrapped at words; where a table is too wide, what tells least
// is shortened first, and never a number or a status. Where nobody looks, everything is written whole, in
// plain lines. Text of files and accounts is made printable here, so that none of it reaches a terminal raw.
package screen

import (
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/claimline/claimline/pipeline/words"
	"github.com/claimline/claimline/schema"
)

// Page is how much can be shown at once.
type Page struct {
	Width  int // columns; 0: any number
	Height int // lines; 0: any number
	Colour bool

	words.Language
}

// Users says how many users there are.
func Users(n int) schema.Text { return schema.SayCount(n, "%s user", "%s users") }

// Rows says how many rows there are.
func Rows(n int) schema.Text { return schema.SayCount(n, "%s row", "%s rows") }

// Days says how many days there are.
func Days(n int) schema.Text { return schema.SayCount(n, "%s day", "%s days") }

// Values says how many values there are.
func Values(n int) schema.Text { return schema.SayCount(n, "%s value", "%s values") }

// Moment returns a time as the reader's clock shows it, with its zone.
func Moment(t time.Time) schema.Instant { return schema.Instant(t.Local()) }

// Date returns the reader's day of a time.
func Date(t time.Time) schema.Day { return schema.Day(t.Local()) }

// Wrap breaks a text at blanks into lines of so many columns at most, those behind the first indented; 0
// columns: any number. A word that is wider than a line is shortened in its middle.
func Wrap(s string, width, indent int) []string {
	if width <= 0 || widthOf(s) <= width {
		return []string{s}
	}
	var lines []string
	lead := len(s) - len(strings.TrimLeft(s, " "))
	line, used := s[:lead], lead
	for word := range strings.FieldsSeq(s[lead:]) {
		wide := widthOf(word)
		blank := 0
		if used > lead {
			blank = 1
		}
		if used+blank+wide > width && blank > 0 {
			lines = append(lines, line)
			lead = indent
			line, used, blank = strings.Repeat(" ", lead), lead, 0
		}
		if used+blank+wide > width {
			word = Middle(word, width-used-blank)
			wide = widthOf(word)
		}
		line += strings.Repeat(" ", blank) + word
		used += blank + wide
	}
	return append(lines, line)
}

// widthOf returns how many columns a printable text takes. Most text is ASCII, which needs no tables.
func widthOf(s string) int {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return text.StringWidth(s)
		}
	}
	return len(s)
}

// End shortens a text to a width at its end.
func End(s string, width int) string {
	if width <= 0 || widthOf(s) <= width {
		return s
	}
	return head(s, width-1) + "…"
}

// Middle shortens a text to a width in its middle. Of an address the domain stays, as far as it leaves room
// for the name.
func Middle(s string, width int) string {
	if width <= 0 || widthOf(s) <= width {
		return s
	}
	keep := (width - 1) / 2
	if at := strings.LastIndexByte(s, '@'); at >= 0 {
		const fewest = 4 // columns of the name
		if domain := widthOf(s[at:]); domain < width-fewest {
			keep = domain
		}
	}
	return head(s, width-1-keep) + "…" + tail(s, keep)
}

// head returns as much of the beginning of a text as fits.
func head(s string, width int) string {
	used := 0
	for i, r := range s {
		if used += widthOf(string(r)); used > width {
			return s[:i]
		}
	}
	return s
}

// tail returns as much of the end of a text as fits.
func tail(s string, width int) string {
	runes := []rune(s)
	used := 0
	for i, r := range slices.Backward(runes) {
		if used += widthOf(string(r)); used > width {
			return string(runes[i+1:])
		}
	}
	return s
}

// quoted returns a value of a file or an account in quotes, short enough for a line.
func quoted(value string) string {
	const widest = 40
	return `"` + End(schema.Printable(value), widest) + `"`
}
