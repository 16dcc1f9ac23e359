package usersfile

import (
	"encoding/hex"
	"html"
	"mime"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/unicode/norm"

	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/schema"
)

// Edit is one cell that says something else than the account.
type Edit struct {
	Field    Field
	Old, New string // what the account has; what it gets
}

// editable are the fields that apply to an account (see R17), in the order of the columns.
var editable = [...]Field{FirstName, LastName, DisplayName, Title, Department, Phone, PreferredLanguage}

// Compare returns what a row would change of an account, and names the fields that are doubtful: those are
// not written (see R17).
func Compare(account *schema.Profile, values *Values) (edits []Edit, doubtful []Field) {
	for _, field := range editable {
		cell, own := values[field], *part(account, field)
		if cell == "" || cell == own {
			continue
		}
		value := visible(cell)
		if value == "" || SameText(value, own) {
			continue
		}
		if damaged(field, cell, own) {
			doubtful = append(doubtful, field)
			continue
		}
		edits = append(edits, Edit{Field: field, Old: own, New: value})
	}
	return edits, doubtful
}

// Editable reports whether a row may change what an account has in this field (see R17).
func (f Field) Editable() bool { return slices.Contains(editable[:], f) }

// part returns the part of a profile that a field is.
func part(p *schema.Profile, field Field) *string {
	switch field {
	case FirstName:
		return &p.FirstName
	case LastName:
		return &p.LastName
	case DisplayName:
		return &p.DisplayName
	case Title:
		return &p.Title
	case Department:
		return &p.Department
	case Phone:
		return &p.Phone
	case PreferredLanguage:
		return &p.PreferredLanguage
	}
	panic("no editable field: " + field.Name())
}

// Names are the fields that hold a person's name.
var Names = [...]Field{FirstName, LastName, DisplayName}

// Part returns what an account has in an editable field.
func Part(account *schema.Profile, field Field) string { return *part(account, field) }

// SameText reports whether two texts are the same to somebody who reads them.
func SameText(a, b string) bool { return a == b || readable(a) == readable(b) }

// Contradicts reports whether what an account has shows that the row's cells are no mojibake: they say what
// the account says as they stand, or undone they are the account's value but for letters that are not ASCII.
func Contradicts(account *schema.Profile, values *Values) bool {
	for _, field := range editable {
		cell, own := values[field], Part(account, field)
		undone, ok := dialect.Undo(cell)
		if !ok || own == "" {
			continue
		}
		if SameText(cell, own) || !SameText(undone, own) && sameBut(visible(undone), visible(own)) {
			return true
		}
	}
	return false
}

// sameBut reports whether two texts differ only in letters of which neither is ASCII.
func sameBut(a, b string) bool {
	one, other := []rune(a), []rune(b)
	if len(one) != len(other) {
		return false
	}
	for i := range one {
		if one[i] != other[i] && (one[i] < utf8.RuneSelf || other[i] < utf8.RuneSelf) {
			return false
		}
	}
	return true
}

// NewProfile returns what edits write; nil where they write nothing.
func NewProfile(edits []Edit) *schema.Profile {
	if len(edits) == 0 {
		return nil
	}
	var p schema.Profile
	for _, edit := range edits {
		*part(&p, edit.Field) = edit.New
	}
	return &p
}

// Rename reports whether edits replace a name that the account has.
func Rename(edits []Edit) bool {
	for _, edit := range edits {
		if edit.Field <= DisplayName && edit.Old != "" {
			return true
		}
	}
	return false
}

// InColumns returns edits by the name of their column; nil where there are none.
func InColumns(edits []Edit) schema.Edits {
	if len(edits) == 0 {
		return nil
	}
	columns := make(schema.Edits, len(edits))
	for _, edit := range edits {
		columns[edit.Field.Name()] = [2]string{edit.Old, edit.New}
	}
	return columns
}

// visible returns a text in NFC, without what nobody can see.
func visible(s string) string {
	if dialect.IsASCII(s) {
		return s
	}
	return norm.NFC.String(strings.Map(func(r rune) rune {
		if hidden(r) && r != '\u200c' && r != '\u200d' { // joiners shape the letters of some scripts
			return -1
		}
		return r
	}, s))
}

// hidden reports whether a character has neither a shape nor a width.
func hidden(r rune) bool {
	return unicode.Is(unicode.Cf, r) || r == '\u180e' || r == '\u034f' || r >= '\ufe00' && r <= '\ufe0f'
}

// readable returns a text in NFC, without invisible characters, white space of any kind counted as one blank.
func readable(s string) string {
	if !dialect.IsASCII(s) {
		s = norm.NFC.String(strings.Map(func(r rune) rune {
			if hidden(r) {
				return -1
			}
			return r
		}, s))
	}
	return strings.Join(strings.Fields(s), " ")
}

// nothings are the words for nothing that databases and programs write.
var nothings = []string{"NULL", "(null)", "<null>", "[null]", "None", "NaN", "N/A", `\N`}

// longestNothing is how long such a word is at most.
const longestNothing = len("(null)")

// Damaged reports whether what a cell says of an account in an editable field cannot be meant: see Compare.
func Damaged(field Field, cell, own string) bool {
	return damaged(field, cell, own) && !SameText(cell, own)
}

// damaged reports whether a cell that differs from what the account has cannot be meant.
func damaged(field Field, cell, own string) bool {
	foreign := !dialect.IsASCII(own)
	switch {
	case SaysNothing(cell):
		return true
	case strings.ContainsRune(cell, utf8.RuneError):
		return true
	case strings.Contains(cell, "?") && strings.Contains(encodedWord.ReplaceAllString(cell, ""), "?") && (field <= DisplayName || foreign && hasForeignLetter(own)):
		return true
	}
	return own != "" && disguised(cell, own)
}

// encodedWord is text as mail headers carry it; its question marks are no letters that were lost.
var encodedWord = regexp.MustCompile(`(?i)=\?[a-z0-9-]+\?[qb]\?[^?]*\?=`)

func hasForeignLetter(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r >= utf8.RuneSelf && unicode.IsLetter(r) })
}

// disguised reports whether a cell is the account's value, wrongly decoded or still encoded.
func disguised(cell, own string) bool {
	forms := []string{cell}
	for range 2 { // encoded twice, too
		for _, form := range forms {
			for _, decode := range decoders {
				if decoded := decode(form); decoded != form {
					if SameText(decoded, own) {
						return true
					}
					forms = append(forms, decoded)
				}
			}
		}
	}
	return !dialect.IsASCII(own) && !dialect.IsASCII(cell) && misread(cell, own)
}

// decoders undo what programs do to texts; they return what they cannot undo as it is.
var decoders = []func(string) string{
	html.UnescapeString,
	func(s string) string {
		if decoded, err := new(mime.WordDecoder).DecodeHeader(s); err == nil {
			return decoded
		}
		return s
	},
	unescape,
	func(s string) string {
		if decoded, err := url.PathUnescape(s); err == nil && utf8.ValidString(decoded) {
			return decoded
		}
		return s
	},
	func(s string) string { return strings.ReplaceAll(s, "+", " ") },
	quotedPrintable,
	undo,
}

// undo reads what was UTF-8 and was taken for Windows-1252.
func undo(s string) string {
	if undone, ok := dialect.Undo(s); ok {
		return undone
	}
	if raw, err := charmap.Windows1252.NewEncoder().String(s); err == nil && utf8.ValidString(raw) {
		return raw
	}
	return s
}

var escapes = regexp.MustCompile(`(\\u[0-9A-Fa-f]{4}|\\U[0-9A-Fa-f]{8}|\\x[0-9A-Fa-f]{2})+`)

// unescape reads \u00e5 and its kin.
func unescape(s string) string {
	return escapes.ReplaceAllStringFunc(s, func(escape string) string {
		if strings.HasPrefix(escape, `\x`) {
			if raw, err := hex.DecodeString(strings.ReplaceAll(escape, `\x`, "")); err == nil && utf8.Valid(raw) {
				return string(raw)
			}
		}
		if unquoted, err := strconv.Unquote(`"` + escape + `"`); err == nil {
			return unquoted
		}
		return escape
	})
}

var equalsHex = regexp.MustCompile(`(=[0-9A-F]{2})+`)

// quotedPrintable reads =C3=A5.
func quotedPrintable(s string) string {
	return equalsHex.ReplaceAllStringFunc(s, func(escape string) string {
		if raw, err := hex.DecodeString(strings.ReplaceAll(escape, "=", "")); err == nil && utf8.Valid(raw) {
			return string(raw)
		}
		return escape
	})
}

// pages are the encodings that text is mostly mistaken for.
var pages = []encoding.Encoding{
	charmap.Windows1252, charmap.ISO8859_1, charmap.Macintosh, charmap.CodePage850, charmap.CodePage437, charmap.Windows1250, charmap.Windows1251,
	charmap.ISO8859_2, charmap.ISO8859_15, charmap.Windows1254, charmap.Windows1257, charmap.Windows1253, charmap.KOI8R, charmap.CodePage852, charmap.CodePage866,
}

// misread reports whether a cell is what a value becomes that is written in one encoding and read in another.
func misread(cell, own string) bool {
	for _, read := range pages {
		raw, err := read.NewEncoder().String(cell)
		if err != nil {
			continue
		}
		if utf8.ValidString(raw) && SameText(raw, own) {
			return true
		}
		for _, written := range pages {
			if text, err := written.NewDecoder().String(raw); err == nil && SameText(text, own) {
				return true
			}
		}
	}
	return false
}
