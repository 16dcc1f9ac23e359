package dialect

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/claimline/claimline/schema"
)

// encodingNames are the encodings that people's files have, in the order of how many do.
var encodingNames = []string{
	"windows-1252", "windows-1250", "windows-1251", "macintosh", "windows-1253", "windows-1254", "windows-1257", "IBM850", "IBM437",
	"IBM852", "IBM866", "IBM855", "koi8-r", "koi8-u", "x-mac-cyrillic", "iso-8859-2", "iso-8859-5", "iso-8859-7", "iso-8859-13",
	"iso-8859-15", "windows-1255", "windows-1256", "windows-1258", "windows-874", "shift_jis", "euc-jp", "gb18030", "big5", "euc-kr",
}

// Candidate is an encoding under which bytes that are no UTF-8 say something.
type Candidate struct {
	Encoding string // its name, as Options.Encoding takes it
	Text     string // the first cell under it
}

// maxCandidates is how many candidates there are at most: nobody reads more.
const maxCandidates = 6

// Candidates returns the encodings under which cells are letters as names have them, the likeliest first. The
// cells are those of a file that was read as "windows-1252"; all of them are judged, and the first is shown.
// Encodings under which they say the same are named once.
func Candidates(cells ...string) []Candidate {
	type rated struct {
		Candidate
		all   string
		score float64
	}
	var found []rated
	for _, name := range encodingNames {
		texts := make([]string, len(cells))
		readable := len(cells) > 0
		for i := range cells {
			var ok bool
			texts[i], ok = Reread(cells[i], name)
			readable = readable && ok
		}
		all := strings.Join(texts, "\n")
		if !readable || slices.ContainsFunc(found, func(other rated) bool { return other.all == all }) {
			continue
		}
		if score, ok := naturalness(all); ok {
			found = append(found, rated{Candidate{name, texts[0]}, all, score})
		}
	}
	slices.SortStableFunc(found, func(a, b rated) int { return cmp.Compare(b.score, a.score) })
	var candidates []Candidate
	for _, c := range found[:min(len(found), maxCandidates)] {
		if c.score < found[0].score-0.8 {
			break
		}
		candidates = append(candidates, c.Candidate)
	}
	return candidates
}

// Reread reads a cell of a file that was read as "windows-1252" in another encoding; ok is false where its
// bytes are nothing in that one.
func Reread(cell, encoding string) (text string, ok bool) {
	bytes := make([]byte, 0, len(cell))
	for _, r := range cell {
		b, ok := byte1252(r)
		if !ok {
			return "", false
		}
		bytes = append(bytes, b)
	}
	e, err := findEncoding(encoding)
	if err != nil {
		return "", false
	}
	decoded, err := io.ReadAll(charset{encoding: e}.reader(strings.NewReader(string(bytes))))
	if err != nil || slices.Contains([]rune(string(decoded)), utf8.RuneError) {
		return "", false
	}
	return string(decoded), true
}

// EncodingUnclear returns the refusal of a file of which nobody knows in which encoding it is: it shows a
// cell under each of the candidates, in their order.
func EncodingUnclear(candidates []Candidate) *schema.Error {
	if len(candidates) == 0 {
		return schema.Refuse(schema.CodeEncodingUnclear, "The file is neither UTF-8 nor UTF-16, and says nothing in any other encoding that is common.").
			WithFix("Save the file as CSV UTF-8. Or say in which encoding it is: --encoding NAME.")
	}
	var shown []string
	for _, c := range candidates {
		shown = append(shown, fmt.Sprintf("--encoding %s (%s)", c.Encoding, schema.Printable(shorten(c.Text))))
	}
	return schema.Refuse(schema.CodeEncodingUnclear, "The file is neither UTF-8 nor UTF-16, and it is not certain in which encoding it is. This cell may be: %s.",
		strings.Join(shown, ", ")).
		WithFix("Say the encoding under which the cell reads as it should: --encoding %s. Or save the file as CSV UTF-8.", candidates[0].Encoding).
		Because(CandidatesError(candidates))
}

// CandidatesError is the cause of a refusal where the encoding may be one of several: whoever can ask offers
// them.
type CandidatesError []Candidate

func (CandidatesError) Error() string { return "several encodings fit" }

func shorten(text string) string {
	const most = 40
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}

// unclear returns the refusal of a file that is read as Windows-1252 only for its first cells to be shown.
func (r *Reader) unclear(ctx context.Context) error {
	const most = 100
	var cells []string
	var records Records
	line, column := r.headerLine, 0
	for len(cells) == 0 {
		block, err := r.Next(ctx)
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = block.Parse(r.format, &records)
		}
		if err != nil {
			return err
		}
		for i := 0; i < records.Len() && len(cells) < most; i++ {
			for at, cell := range records.Cells(i) {
				if IsASCII(cell) {
					continue
				}
				if len(cells) == 0 {
					line, column = records.Line(i), at+1
				}
				cells = append(cells, cell)
			}
		}
	}
	if len(cells) == 0 {
		column = slices.IndexFunc(r.written, func(cell string) bool { return !IsASCII(cell) }) + 1
		cells = slices.DeleteFunc(slices.Clone(r.written), IsASCII)
	}
	refusal := EncodingUnclear(Candidates(cells...)).At(r.source.Name(), line, column)
	if column > 0 && column <= len(r.header) {
		refusal.Header = r.header[column-1]
	}
	return refusal
}

// IsASCII reports whether a text has ASCII characters only.
func IsASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// The letters that are frequent in names; of Cyrillic and Greek, where all of them are none of ASCII, only
// those.
const (
	latinLetters    = "åäöüéèáíóúñçøæßàâêôîëïãõšžčćřýěůńśźżłąęğışőűăâșțşţýòùìœ"
	cyrillicLetters = "оаеинтсрвлкмдуья"
	greekLetters    = "αοιετσνηυρκλμςόάίέ"
)

// naturalness says how much a text looks like names: 1 where every letter that is not ASCII is a frequent
// one. ok is false where there are characters that no name has, or letters of two scripts in one word.
func naturalness(text string) (score float64, ok bool) {
	var sum, count float64
	for word := range strings.FieldsFuncSeq(text, func(r rune) bool { return !unicode.In(r, unicode.L, unicode.M) }) {
		if IsASCII(word) {
			continue
		}
		rated, letters, ok := rateWord([]rune(word))
		if !ok {
			return 0, false
		}
		sum, count = sum+rated, count+letters
	}
	for _, r := range text {
		if r >= utf8.RuneSelf && !inNames(r) || unicode.IsControl(r) && r != '\n' {
			return 0, false
		}
		if r >= utf8.RuneSelf && !unicode.In(r, unicode.L, unicode.M) {
			count++
		}
	}
	if count == 0 {
		return 0, true
	}
	return sum / count, true
}

// rateWord adds up how natural the letters of a word are that are not ASCII, and counts them.
func rateWord(word []rune) (sum, count float64, ok bool) {
	lower := slices.ContainsFunc(word, unicode.IsLower)
	script := scriptOf(word[0])
	foreign := 0
	for i, r := range word {
		if s := scriptOf(r); s != script && s != unicode.Inherited {
			return 0, 0, false
		}
		if r < utf8.RuneSelf && (i == 0 || word[i-1] < utf8.RuneSelf) {
			continue
		}
		if i > 0 && lower && unicode.IsUpper(r) { // a capital in the middle of a word
			sum -= 2
		}
		if i == 0 && unicode.IsLower(r) {
			sum -= 0.3
		}
		if r < utf8.RuneSelf {
			continue
		}
		foreign++
		count++
		switch small := unicode.ToLower(r); {
		case strings.ContainsRune(latinLetters+cyrillicLetters+greekLetters, small):
			sum++
		case script != unicode.Latin && unicode.IsLetter(r):
			sum += 0.5
		}
	}
	if script == unicode.Latin && len(word) > 2 && foreign*2 > len(word)+1 { // hardly a word of a Latin alphabet
		sum -= float64(foreign)
	}
	return sum, count, true
}

// scriptOf returns the script of a letter; those that are written together are one.
func scriptOf(r rune) *unicode.RangeTable {
	for _, script := range []*unicode.RangeTable{unicode.Latin, unicode.Cyrillic, unicode.Greek, unicode.Inherited, unicode.Hebrew, unicode.Arabic, unicode.Thai} {
		if unicode.Is(script, r) {
			return script
		}
	}
	return unicode.Han // with Kana and Hangul
}
