package controlhub

import (
	"slices"
	"strings"
	"time"

	"github.com/claimline/claimline/pipeline/usersfile"
	"github.com/claimline/claimline/schema"
)

// statuses are the words, folded, with which Control Hub says what an account is, in English and in Swedish.
var statuses = map[string]schema.Status{
	"active": schema.Active, "aktiv": schema.Active,
	"verified": schema.Verified, "verifierad": schema.Verified,
	"not verified": schema.NotVerified, "unverified": schema.NotVerified,
	"ej verifierad": schema.NotVerified, "inte verifierad": schema.NotVerified, "icke verifierad": schema.NotVerified, "overifierad": schema.NotVerified,
	"pending": schema.Pending, "invite pending": schema.Pending, "invitation pending": schema.Pending, "väntande": schema.Pending, "väntar": schema.Pending,
	"inbjudan väntar": schema.Pending, "väntande inbjudan": schema.Pending, "inbjudan väntande": schema.Pending,
	"inactive": schema.Inactive, "inaktiv": schema.Inactive,
	"delayed claim": schema.DelayedClaim, "delayed": schema.DelayedClaim,
	"fördröjt anspråk": schema.DelayedClaim, "fördröjd": schema.DelayedClaim, "fördröjt": schema.DelayedClaim,
}

// Status returns the status that a word of Control Hub's means, schema.DelayedClaim where a claim waits for
// its owner; ok is false for other words.
func Status(word string) (status schema.Status, ok bool) {
	status, ok = statuses[fold(word)]
	return status, ok
}

// fold returns a word in lower case, its parts one blank apart.
func fold(word string) string {
	return strings.ToLower(strings.Join(strings.FieldsFunc(word, func(r rune) bool { return r == ' ' || r == '_' || r == '-' }), " "))
}

// languages are the names of languages, folded, that stand for more than a language by itself.
var languages = map[string]string{
	"english (us)": "en-US", "english (united states)": "en-US", "us english": "en-US", "american english": "en-US",
	"engelska (usa)": "en-US", "engelska (förenta staterna)": "en-US", "engelska (us)": "en-US", "english us": "en-US",
	"english (uk)": "en-GB", "english (united kingdom)": "en-GB", "uk english": "en-GB", "british english": "en-GB", "english uk": "en-GB",
	"engelska (storbritannien)": "en-GB", "engelska (uk)": "en-GB",
	"chinese (simplified)": "zh-CN", "simplified chinese": "zh-CN", "chinese simplified": "zh-CN", "kinesiska (förenklad)": "zh-CN", "förenklad kinesiska": "zh-CN",
	"chinese (traditional)": "zh-TW", "traditional chinese": "zh-TW", "chinese traditional": "zh-TW", "kinesiska (traditionell)": "zh-TW", "traditionell kinesiska": "zh-TW",
	"spanish (latin america)": "es-419", "latin american spanish": "es-419", "spanska (latinamerika)": "es-419",
	"spanish (colombia)": "es-CO", "spanska (colombia)": "es-CO", "spanish (spain)": "es-ES", "spanska (spanien)": "es-ES",
	"portuguese (brazil)": "pt-BR", "portuguese (brazilian)": "pt-BR", "brazilian portuguese": "pt-BR", "portugisiska (brasilien)": "pt-BR",
	"portuguese (portugal)": "pt-PT", "portugisiska (portugal)": "pt-PT",
	"french (canada)": "fr-CA", "french (canadian)": "fr-CA", "canadian french": "fr-CA", "franska (kanada)": "fr-CA",
	"french (france)": "fr-FR", "franska (frankrike)": "fr-FR", "german (germany)": "de-DE", "tyska (tyskland)": "de-DE",
	"swedish (sweden)": "sv-SE", "svenska (sverige)": "sv-SE",
	"norwegian bokmål": "nb", "norwegian (bokmål)": "nb", "norska (bokmål)": "nb",
}

// Language returns the BCP 47 tag of a language as Control Hub has it: a tag, en_US, or a name, English; ok
// is false where it is neither.
func Language(word string) (tag string, ok bool) {
	if schema.ValidLanguage(word) {
		return word, true
	}
	if tag, ok = schema.SpellLanguage(word); ok {
		return tag, true
	}
	name := strings.ToLower(strings.Join(strings.Fields(word), " "))
	if tag, ok = languages[name]; ok {
		return tag, true
	}
	tag = usersfile.LanguageTag(name)
	return tag, tag != ""
}

// moments are the forms of a time that can be read for certain: the year first, or the month as a word.
var moments = []string{
	"2006-01-02T15:04:05.999999999Z07:00", "2006-01-02T15:04:05.999999999Z0700", "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02",
	"2006-01-02 15:04:05.999999999", "2006-01-02 15:04", "2006-01-02 15:04:05 MST", "2006-01-02 15:04 MST", "2006-01-02 15:04:05 Z07:00", "2006-01-02 15:04:05 Z0700",
	"2006/01/02 15:04:05", "2006/01/02 15:04", "2006/01/02",
	"Jan 2, 2006 3:04:05 PM", "Jan 2, 2006, 3:04:05 PM", "Jan 2, 2006 3:04 PM", "Jan 2, 2006, 3:04 PM", "Jan 2, 2006 15:04:05", "Jan 2, 2006 15:04", "Jan 2, 2006",
	"January 2, 2006", "2 Jan 2006 15:04:05", "2 Jan 2006", "2 January 2006",
}

// Moment reads a time, in UTC where it names no zone. ok is false for others, such as 03/04/2026, of which
// nobody knows whether March or April is meant, and for years that no account can have.
func Moment(text string) (t time.Time, ok bool) {
	for _, form := range moments {
		t, err := time.ParseInLocation(form, text, time.UTC)
		if err != nil {
			continue
		}
		if name, offset := t.Zone(); offset == 0 && name != "" && name != "UTC" && name != "GMT" {
			return time.Time{}, false // the name of a zone, of which it is not known where it is
		}
		const first, last = 1970, 9999
		t = t.UTC()
		return t, t.Year() >= first && t.Year() <= last
	}
	return time.Time{}, false
}

// ParseDomains reads a list of domains, each once. Refused with CodeDomainInvalid.
func ParseDomains(names []string) ([]string, error) {
	var keys []string
	for _, name := range names {
		key, ok := schema.DomainKey(strings.TrimPrefix(strings.TrimSpace(name), "@"))
		if !ok {
			return nil, schema.Refuse(schema.CodeDomainInvalid, "This is not a domain name: %s.", schema.Quote(name))
		}
		if !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	return keys, nil
}
