package dialect

import (
	"strings"
	"unicode"
)

// Clean is how a cell of a known column, or of the header, is read: leading and trailing white space, no-break and
// zero-width characters are cut off, then one ' is taken off where it stands guard (see Guard); what is left is not
// trimmed again. trimmed tells whether blanks were cut.
func Clean(cell string) (value string, trimmed Cleaned) {
	if cell == "" || plain(cell[0]) && plain(cell[len(cell)-1]) {
		return cell, 0
	}
	value = strings.TrimFunc(cell, isBlank)
	if len(value) < len(cell) {
		trimmed = Trimmed
	}
	return unguard(value), trimmed
}

// Guard is how a value is written so that no spreadsheet takes it for a formula: where it matches ^'*[=+\-@\t\r] it
// gets one more leading '. Clean takes that off again.
func Guard(value string) string {
	if guarded(value) {
		return "'" + value
	}
	return value
}

// Restore is how a report writes a cell of the original file: guarded, and yet the cell as it was, blanks included,
// when it is read back. known tells whether the cell's column is one that is read with Clean: there, the value
// that Clean reads stays the same even where guarding the cell as a whole would change it ("\t=1").
func Restore(cell string, known bool) string {
	if cell == "" || cell[0] > '@' {
		return cell
	}
	written := Guard(unguard(cell))
	if !known || written == cell {
		return written
	}
	value, _ := Clean(cell)
	if back, _ := Clean(written); back != value {
		return Guard(value)
	}
	return written
}

// plain reports whether a cell that begins and ends with bytes like c has neither blanks nor a guard to take off.
func plain(c byte) bool { return c > ' ' && c < 0x7f && c != '\'' }

// guarded reports whether s matches ^'*[=+\-@\t\r].
func guarded(s string) bool {
	for i := range len(s) {
		switch s[i] {
		case '\'':
		case '=', '+', '-', '@', '\t', '\r':
			return true
		default:
			return false
		}
	}
	return false
}

// unguard takes one ' off where s matches ^'+[=+\-@\t\r].
func unguard(s string) string {
	if s != "" && s[0] == '\'' && guarded(s) {
		return s[1:]
	}
	return s
}

// isBlank reports whether r is cut off the ends of a cell: white space, or a character without width.
func isBlank(r rune) bool {
	switch r {
	case '\u180e', '\u200b', '\u200c', '\u200d', '\u200e', '\u200f', '\u2060', '\ufeff':
		return true
	}
	return unicode.IsSpace(r)
}

// blank reports whether a cell has no content.
func blank(cell string) bool {
	if cell == "" {
		return true
	}
	if plain(cell[0]) {
		return false
	}
	return strings.TrimLeftFunc(cell, isBlank) == ""
}
