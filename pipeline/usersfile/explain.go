package usersfile

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/language"
	"golang.org/x/text/language/display"
	"golang.org/x/text/unicode/norm"
	"golang.org/x/text/unicode/runenames"

	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/schema"
)

// explain finds out what in particular is wrong with a row, where its first reason does not say it.
func (l *Layout) explain(record []string, values *Values, f *schema.Finding) {
	if line, ok := NoUser(record, values[Email]); ok {
		f.Explain(schema.HintNoUser, schema.Quote(line))
		return
	}
	switch f.Reasons[0] {
	case schema.CodeBooleanInvalid:
		if l.columns[Claim] >= 0 && f.Column == l.Header[l.columns[Claim]] {
			f.Explain(schema.HintClaimWord, f.Details...)
		}
	case schema.CodeEmailInvalid:
		if hint, details := EmailHint(values[Email]); hint != "" {
			f.Explain(hint, details...)
		}
	case schema.CodeTextInvalid:
		for _, field := range textFields {
			if f.Column == l.Column(field) && !ValidText(values[field]) {
				explainText(values[field], f)
				return
			}
		}
		f.Explain(schema.HintUndecodable, f.Details...)
	case schema.CodePhoneInvalid:
		explainPhone(values[Phone], f)
	case schema.CodeLanguageInvalid:
		if tag := LanguageTag(values[PreferredLanguage]); tag != "" {
			f.Explain(schema.HintLanguageName, schema.Quote(values[PreferredLanguage]), tag)
		}
	}
}

func explainText(cell string, f *schema.Finding) {
	switch {
	case schema.SpreadsheetError(cell):
		f.Explain(schema.HintSpreadsheetError, schema.Quote(cell))
	case !utf8.ValidString(cell):
		f.Explain(schema.HintUndecodable, schema.Quote(cell))
	}
}

// shortened is a long number as a spreadsheet shows it in a narrow column, and then saves it.
var shortened = regexp.MustCompile(`^\+?[0-9][.,]?[0-9]*[eE]\+?[0-9]+$`)

// Shortened reports whether a cell is a number of which a spreadsheet has left the first digits only.
func Shortened(cell string) bool {
	return cell != "" && cell[0] <= '9' && strings.ContainsAny(cell, "eE") && shortened.MatchString(cell) // few get as far as that
}

func explainPhone(cell string, f *schema.Finding) {
	switch {
	case shortened.MatchString(cell):
		f.Explain(schema.HintPhoneShortened, schema.Quote(cell))
	case strings.Contains(cell, "(0"):
		f.Explain(schema.HintPhoneTrunk, schema.Quote(cell))
	case strings.HasPrefix(cell, "0") && !strings.HasPrefix(cell, "00"):
		f.Explain(schema.HintPhoneNational, schema.Quote(cell))
	case schema.UnsignedPhone(cell):
		f.Explain(schema.HintPhoneNoPlus, cell)
	}
}

// LanguageTag returns the tag of a language that is called by its name, in English, in Swedish or in itself;
// blank where it is none.
func LanguageTag(name string) string {
	if len(name) < 3 || len(name) > 40 {
		return ""
	}
	return languageTags()[strings.ToLower(name)]
}

// languageTags are the tags of languages by their names, in lower case.
var languageTags = sync.OnceValue(func() map[string]string {
	tags := map[string]string{}
	english, swedish, self := display.English.Languages(), display.Swedish.Languages(), display.Self
	for _, tag := range display.Supported.Tags() {
		if base, confidence := tag.Base(); confidence == language.No || base.String() != tag.String() {
			continue
		}
		for _, name := range []string{english.Name(tag), swedish.Name(tag), self.Name(tag)} {
			if name = strings.ToLower(name); tags[name] == "" {
				tags[name] = tag.String()
			}
		}
	}
	return tags
})

// NoUser reports whether a record is a line that programs print around rows, and no user: rules of dashes,
// counts of rows.
func NoUser(record []string, address string) (line string, ok bool) {
	if strings.Contains(address, "@") {
		return "", false
	}
	line = strings.TrimSpace(strings.Join(record, " "))
	if strings.Trim(line, "-=_+*~. |\t") == "" {
		return line, line != ""
	}
	return line, rowCount.MatchString(line)
}

// rowCount is how databases and reports end their answers.
var rowCount = regexp.MustCompile(`(?i)^\(?\s*[0-9][0-9 .,\x{00a0}]*\s+(row|record|line|rader|rad|zeile|ligne|fila|riga|rekord|wiersz|user|entries|entry)\w*\b.*$` +
	`|^(query ok|end of (file|report|data)|total|summe|summa|totalt|\(end\))\b.*$`)

// FieldCount says of a record how its count of cells is wrong. next is the line on which the next record
// begins; 0: there is none, and the file ends without a line end.
func (l *Layout) FieldCount(record []string, format schema.Format, next int) *schema.Finding {
	cells, width := strconv.Itoa(len(record)), strconv.Itoa(len(l.Header))
	f := schema.NewFinding(schema.CodeFieldCount, "", cells, width)
	email, other := l.columns[Email], dialect.OtherDelimiter(format, record)
	switch line, ok := NoUser(record, ""); {
	case ok, len(record) < len(l.Header) && len(record) == 1 && sentence(line):
		f.Explain(schema.HintNoUser, schema.Quote(line))
	case other != 0:
		f.Explain(schema.HintOtherDelimiter, dialect.NameDelimiter(other), dialect.NameDelimiter(format.Delimiter))
	case email >= 0 && len(record) == len(l.Header)+1 && isAddress(l.clean(record[email+1])) && !isAddress(l.clean(record[email])):
		f.Explain(schema.HintRowNames, cells, width)
	case len(record) > len(l.Header):
		f.Explain(schema.HintTooManyCells, cells, width)
	case next == 0:
		f.Explain(schema.HintCutOff, cells, width)
	case email >= 0 && email < len(record) && !isAddress(l.clean(record[email])) && email == len(record)-1, len(record) == 1 && !strings.Contains(record[0], "@"):
		f.Explain(schema.HintBrokeOff, cells, width, strconv.Itoa(next))
	}
	return f
}

// sentence reports whether a line has several words and no address.
func sentence(line string) bool {
	return !strings.Contains(line, "@") && len(strings.Fields(line)) > 1
}

func isAddress(cell string) bool {
	_, problem := schema.ParseAddress(cell)
	return problem == ""
}

var (
	prefixed = regexp.MustCompile(`^\s*([A-Za-z][A-Za-z0-9+.-]*:)(/*)(.+)$`)
	brackets = regexp.MustCompile(`[<\[({«‹＜]\s*([^<>\[\](){}«»‹›＜＞\s]+@[^<>\[\](){}«»‹›＜＞\s]+?)\s*[>\])}»›＞]`)
)

// bracketed is a remark behind an address.
var bracketed = regexp.MustCompile(`^\s*[(\[{<].*[)\]}>]\s*$`)

// EmailHint says what in particular is wrong with an address that is not valid; blank: nothing that is known.
func EmailHint(cell string) (hint schema.Hint, details []string) {
	if m := prefixed.FindStringSubmatch(cell); len(m) > 3 && isAddress(strings.TrimSpace(m[3])) {
		return schema.HintEmailPrefix, []string{m[1] + m[2], schema.Quote(cell)}
	}
	if several(cell) {
		return schema.HintEmailSeveral, []string{schema.Quote(cell)}
	}
	if m := brackets.FindStringSubmatch(cell); m != nil {
		if address := strings.TrimPrefix(m[1], "mailto:"); isAddress(address) {
			return schema.HintEmailBrackets, []string{schema.Quote(cell), address}
		}
	}
	if address, rest, found := strings.Cut(strings.TrimSpace(cell), " "); found && isAddress(address) && bracketed.MatchString(rest) {
		return schema.HintEmailBrackets, []string{schema.Quote(cell), address}
	}
	if !strings.ContainsAny(cell, "@\uff20\ufe6b") || !utf8.ValidString(cell) {
		return "", nil
	}
	for _, r := range cell {
		if unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsDigit(r) || strings.ContainsRune("!#$%&'*+-/=?^_`{|}~.@", r) {
			continue
		}
		return schema.HintEmailCharacter, []string{runeName(r), schema.Quote(cell)}
	}
	if trimmed := strings.Trim(cell, "'`"); trimmed != cell && isAddress(trimmed) {
		return schema.HintEmailCharacter, []string{"an apostrophe", schema.Quote(cell)}
	}
	return "", nil
}

// several reports whether a cell holds more than one address and nothing else.
func several(cell string) bool {
	parts := strings.FieldsFunc(cell, func(r rune) bool { return strings.ContainsRune(",;|/", r) || unicode.IsSpace(r) })
	addresses := 0
	for _, part := range parts {
		part = strings.Trim(part, "<>()[]\"'")
		if isAddress(part) {
			addresses++
		} else if strings.Contains(part, "@") {
			return false
		}
	}
	return addresses > 1
}

// runeName names a character, as in U+2019 (’, right single quotation mark).
func runeName(r rune) string {
	if r == ' ' {
		return "a blank"
	}
	name := strings.ToLower(runenames.Name(r))
	if !unicode.IsGraphic(r) || unicode.IsSpace(r) {
		return fmt.Sprintf("U+%04X (%s)", r, name)
	}
	return fmt.Sprintf("U+%04X (%c, %s)", r, r, name)
}

// Suspicion is why an address that no account has may be meant for another.
type Suspicion struct {
	Hint   schema.Hint
	Letter string // named, of HintLookAlike
	Key    string // the address key that may be meant; blank: unknown
}

// Suspect looks for what keeps an address that is valid from being the one that is meant: apostrophes at its
// ends, letters that only look like others.
func Suspect(address string) (s Suspicion, ok bool) {
	if trimmed := strings.Trim(address, "'`"); trimmed != address {
		if key, problem := schema.ParseAddress(trimmed); problem == "" {
			return Suspicion{Hint: schema.HintApostrophe, Key: key}, true
		}
	}
	plain, strange := plainLetters(address)
	if strange == 0 {
		return s, false
	}
	s = Suspicion{Hint: schema.HintLookAlike, Letter: scriptOf(strange)}
	if key, problem := schema.ParseAddress(plain); problem == "" && plain != address {
		s.Key = key
	}
	return s, true
}

// lookAlikes are letters of other scripts that look like Latin ones.
var lookAlikes = map[rune]rune{
	'а': 'a', 'е': 'e', 'о': 'o', 'р': 'p', 'с': 'c', 'х': 'x', 'у': 'y', 'і': 'i', 'ј': 'j', 'ѕ': 's', 'һ': 'h', 'ԁ': 'd', 'ԛ': 'q', 'ԝ': 'w', 'ɡ': 'g',
	'в': 'b', 'к': 'k', 'м': 'm', 'н': 'h', 'т': 't', 'А': 'A', 'В': 'B', 'Е': 'E', 'К': 'K', 'М': 'M', 'Н': 'H', 'О': 'O', 'Р': 'P', 'С': 'C', 'Т': 'T',
	'Х': 'X', 'У': 'Y', 'І': 'I', 'Ј': 'J', 'Ѕ': 'S', 'α': 'a', 'ο': 'o', 'ν': 'v', 'ρ': 'p', 'ι': 'i', 'κ': 'k', 'υ': 'u', 'τ': 't', 'ε': 'e', 'χ': 'x',
	'Α': 'A', 'Β': 'B', 'Ε': 'E', 'Ζ': 'Z', 'Η': 'H', 'Ι': 'I', 'Κ': 'K', 'Μ': 'M', 'Ν': 'N', 'Ο': 'O', 'Ρ': 'P', 'Τ': 'T', 'Υ': 'Y', 'Χ': 'X',
	'ı': 'i', 'ſ': 's', 'օ': 'o', 'ո': 'n', 'ս': 'u', 'հ': 'h',
}

// plainLetters replaces letters that look like Latin ones, where a part of the address mixes them with Latin
// letters or has nothing else, and those of other widths; strange is the first of them, 0 where there is
// none.
func plainLetters(address string) (plain string, strange rune) {
	address = norm.NFC.String(address)
	var b strings.Builder
	for address != "" {
		end := strings.IndexAny(address, ".@-_+")
		if end < 0 {
			end = len(address)
		}
		part, first := plainPart(address[:end])
		if strange == 0 {
			strange = first
		}
		b.WriteString(part)
		if end < len(address) {
			b.WriteByte(address[end])
			end++
		}
		address = address[end:]
	}
	return b.String(), strange
}

// plainPart does what plainLetters does for a part between two signs.
func plainPart(part string) (plain string, strange rune) {
	latin, alike := false, true
	for _, r := range part {
		switch {
		case unicode.In(r, unicode.Latin) && norm.NFKC.String(string(r)) == string(r) && lookAlikes[r] == 0:
			latin = true
		case unicode.IsLetter(r) && lookAlikes[r] == 0 && width(r) == r:
			alike = false
		}
	}
	plain = strings.Map(func(r rune) rune {
		like := width(r)
		if strings.ContainsRune("\u2010\u2011\u2012\u2013\u2014\u2212", r) {
			like = '-'
		}
		if like == r && unicode.IsLetter(r) && (latin || alike) && lookAlikes[r] != 0 {
			like = lookAlikes[r]
		}
		foreign := latin && unicode.IsLetter(r) && !unicode.In(r, unicode.Latin)
		if strange == 0 && (like != r || foreign) {
			strange = r
		}
		return like
	}, part)
	return plain, strange
}

// width returns a letter in the width of the others.
func width(r rune) rune {
	if folded := []rune(norm.NFKC.String(string(r))); r >= utf8.RuneSelf && len(folded) == 1 && folded[0] < utf8.RuneSelf {
		return folded[0]
	}
	return r
}

// scriptOf names a letter with its script.
func scriptOf(r rune) string {
	if !unicode.IsLetter(r) {
		return runeName(r)
	}
	if r >= 0xff00 && r <= 0xffef {
		return fmt.Sprintf("%c (U+%04X, full width)", r, r)
	}
	for name, script := range unicode.Scripts {
		if unicode.Is(script, r) && name != "Common" && name != "Latin" {
			return fmt.Sprintf("%c (U+%04X, %s)", r, r, name)
		}
	}
	return runeName(r)
}
