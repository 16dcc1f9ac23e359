package usersfile

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/schema"
)

// EmailNames are the headers under which the users' addresses may stand.
var EmailNames = []string{schema.EmailHeader, "User ID/Email", "Email", "E-mail", "Email Address", "E-mail Address", "Mail"}

// translations are what people call the columns that decide who is meant, in their own languages. A header
// that holds one of them is not taken for the column, but asked about.
var translations = map[Field][]string{
	Claim: {
		"gör anspråk", "göra anspråk", "anspråk", "ta i anspråk", "gjør krav", "gjøre krav", "krav", "kreve", "gør krav", "gøre krav", "kræv", "hævd",
		"beanspruchen", "beansprucht", "anspruch", "in anspruch nehmen", "übernehmen", "revendiquer", "revendication", "réclamer", "réclamation",
		"reclamar", "reclamo", "reclamación", "reivindicar", "reivindicação", "rivendica", "rivendicare", "rivendicazione", "reclama", "reclamare",
		"claimen", "opeisen", "claim maken", "lunasta", "vaadi", "vaatimus", "ota haltuun", "przejmij", "przejąć", "roszczenie", "nárok", "nárokovat",
		"převzít", "prevziať", "igényel", "igénylés", "igény", "заявить", "заявка", "претендовать", "притязание", "присвоить", "иск", "talep", "talep et",
		"sahiplen", "διεκδίκηση", "revendică", "認領", "认领", "申领", "請求", "クレーム", "클레임", "청구",
	},
	ClaimType: {
		"typ av anspråk", "anspråkstyp", "kravtype", "type krav", "anspruchsart", "art des anspruchs", "anspruchstyp", "type de revendication",
		"type de réclamation", "tipo de reclamación", "tipo de reclamo", "tipo de reivindicação", "tipo di rivendicazione", "claimtype", "type claim",
		"soort claim", "vaatimuksen tyyppi", "typ roszczenia", "typ nároku", "igénylés típusa", "тип заявки", "тип иска", "talep türü", "tip revendicare",
	},
}

// KnownName returns the name of the column that somebody calls so: as export writes it, or a service's.
func KnownName(name string, services []string) (known string, ok bool) {
	matches := func(other string) bool { return dialect.SameHeader(other, name) }
	if slices.ContainsFunc(EmailNames, matches) {
		return schema.EmailHeader, true
	}
	for _, names := range [][]string{schema.Columns, services} {
		if i := slices.IndexFunc(names, matches); i >= 0 {
			return names[i], true
		}
	}
	return "", false
}

// meaning returns the column, of those that the file lacks, that a header not known may mean: within two
// letters, with its name as a word, or a translation; blank where it means none of them.
func meaning(header string, missing []string) string {
	best, least := "", 3
	for _, name := range missing {
		if d := schema.Distance(header, name); d < least && 2*d < len([]rune(name)) {
			best, least = name, d
		}
	}
	if best != "" {
		return best
	}
	words := wordsOf(header)
	for _, name := range missing {
		if holds(words, wordsOf(name)) && len(name) > len(best) {
			best = name
		}
	}
	if best != "" {
		return best
	}
	for _, field := range []Field{ClaimType, Claim} {
		if !slices.Contains(missing, field.Name()) {
			continue
		}
		for _, name := range translations[field] {
			if phrase := wordsOf(name); holds(words, phrase) || !spaced(name) && strings.Contains(strings.Join(words, ""), phrase[0]) {
				return field.Name()
			}
		}
	}
	return distinctive(words, missing)
}

// distinctive returns the service, of those that the file lacks, of whose name a header has the words that
// tell it from others: "Calling licence" may mean Webex Calling.
func distinctive(words, missing []string) string {
	count := map[string]int{}
	for _, name := range missing {
		for _, word := range wordsOf(name) {
			count[word]++
		}
	}
	found := ""
	for _, name := range missing {
		own := slices.DeleteFunc(wordsOf(name), func(word string) bool { return count[word] > 1 || len(word) < 4 })
		if name == Claim.Name() || name == ClaimType.Name() || len(own) == 0 || !holds(words, own) {
			continue
		}
		found = name
	}
	return found
}

// wordsOf returns the words of a name, folded.
func wordsOf(name string) []string {
	return strings.FieldsFunc(strings.ToLower(norm.NFC.String(name)), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r)
	})
}

// holds reports whether words hold the phrase, word after word.
func holds(words, phrase []string) bool {
	if len(phrase) == 0 {
		return false
	}
	for i := 0; i+len(phrase) <= len(words); i++ {
		if slices.Equal(words[i:i+len(phrase)], phrase) {
			return true
		}
	}
	return false
}

// spaced reports whether a name is in a script that puts blanks between words.
func spaced(name string) bool {
	return !strings.ContainsFunc(name, func(r rune) bool { return unicode.In(r, unicode.Han, unicode.Katakana, unicode.Hangul) })
}
