package dialect

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/claimline/claimline/schema"
)

// Cleaned says what Clean did to a cell.
type Cleaned uint8

// What Clean did: schema.RepairBlanksTrimmed and schema.RepairTextFormula.
const (
	Trimmed Cleaned = 1 << iota
	Formula
)

// Count adds what was mended of the cell.
func (c Cleaned) Count(repairs map[schema.Repair]int) {
	if c&Trimmed != 0 {
		repairs[schema.RepairBlanksTrimmed]++
	}
	if c&Formula != 0 {
		repairs[schema.RepairTextFormula]++
	}
}

// Clean returns how a cell of a known column is read: leading and trailing white space, no-break and
// zero-width characters and direction marks are cut off, then one ' is taken off where it stands guard (see
// Guard); what is left is not trimmed again. A formula that is nothing but text, ="Adam", is that text.
func Clean(cell string) (value string, did Cleaned) {
	if cell == "" || plain[cell[0]] && plain[cell[len(cell)-1]] {
		return cell, 0
	}
	value = strings.TrimFunc(cell, isBlank)
	if len(value) < len(cell) {
		did = Trimmed
	}
	if text, ok := textFormula(value); ok {
		return text, did | Formula
	}
	return unguard(value), did
}

// textFormula returns the text of a formula that is nothing but text; quotes in it are doubled.
func textFormula(value string) (text string, ok bool) {
	if len(value) < len(`=""`) || value[:2] != `="` || value[len(value)-1] != '"' {
		return "", false
	}
	text = value[2 : len(value)-1]
	if strings.IndexByte(text, '"') >= 0 {
		if strings.Contains(strings.ReplaceAll(text, `""`, ""), `"`) {
			return "", false // ="a"&"b"
		}
		text = strings.ReplaceAll(text, `""`, `"`)
	}
	return strings.TrimFunc(text, isBlank), true
}

// Guard returns how a value is written so that no spreadsheet takes it for a formula: where it matches
// ^'*[=+\-@\t\r] it gets one more leading '. Clean takes that off again.
func Guard(value string) string {
	if guarded(value) {
		return "'" + value
	}
	return value
}

// Restore returns how a report writes a cell of the original file: guarded, and yet the cell as it was,
// blanks included, when it is read back. known tells whether the cell's column is one that is read with
// Clean: there, the value that Clean reads stays the same even where guarding the cell as a whole would
// change it ("\t=1"), and a text formula is written as its text.
func Restore(cell string, known bool) string {
	if cell == "" || cell[0] > '@' && (cell[0] < utf8.RuneSelf || !strings.Contains(cell, `="`)) {
		return cell
	}
	written := Guard(unguard(cell))
	if !known {
		return written
	}
	value, did := Clean(cell)
	if did&Formula != 0 {
		return Guard(value)
	}
	if written == cell {
		return written
	}
	if back, _ := Clean(written); back != value {
		return Guard(value)
	}
	return written
}

// SheetCell returns how a value is written into a cell of a workbook: as it is, for there it is text, unless
// Clean would read another value from that.
func SheetCell(value string) string {
	if back, _ := Clean(value); back == value {
		return value
	}
	return Guard(value)
}

// RestoreSheet returns how a report that is a workbook writes a cell of the original file: without the guard
// that a CSV file needs, and yet the cell as it was when it is read back; see Restore.
func RestoreSheet(cell string, known bool) string {
	if cell == "" || plain[cell[0]] && plain[cell[len(cell)-1]] {
		return cell
	}
	text := unguard(cell)
	if !known {
		if unguard(text) != text {
			return Guard(text)
		}
		return text
	}
	value, did := Clean(cell)
	if back, _ := Clean(text); back == value && did&Formula == 0 {
		return text
	}
	return SheetCell(value)
}

// plain are the bytes with which a cell begins and ends that has neither blanks nor a guard nor a formula to
// take off.
var plain = func() (set [256]bool) {
	for c := byte(' ' + 1); c < 0x7f; c++ {
		set[c] = c != '\'' && c != '='
	}
	return set
}()

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

// isBlank reports whether r is cut off the ends of a cell: white space, or a character that nobody sees.
func isBlank(r rune) bool { return isHidden(r) || unicode.IsSpace(r) }

// isHidden reports whether r has no width, or only says in which direction text runs.
func isHidden(r rune) bool {
	switch {
	case r < 0xad:
		return false
	case r == 0xad, r == 0x34f, r == 0x61c, r == 0x180e, r == 0xfeff:
		return true
	}
	return r >= 0x200b && r <= 0x200f || r >= 0x202a && r <= 0x202e || r >= 0x2060 && r <= 0x206f
}

// blank reports whether a cell has no content.
func blank(cell string) bool {
	if cell == "" {
		return true
	}
	if plain[cell[0]] {
		return false
	}
	return strings.TrimLeftFunc(cell, isBlank) == ""
}
