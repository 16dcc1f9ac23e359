package words

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/claimline/claimline/schema"
)

func TestOfLocale(t *testing.T) {
	for locale, want := range map[string]Language{
		"": English, "C": English, "POSIX": English, "C.UTF-8": English, "en_US.UTF-8": English, "de_DE.UTF-8": English, "nb_NO.UTF-8": English,
		"sv": Swedish, "sv_SE": Swedish, "sv_SE.UTF-8": Swedish, "sv_FI.ISO-8859-15@euro": Swedish, "sv-SE": Swedish, "SV_se": Swedish, "%/\x00": English,
	} {
		assert.Equal(t, want, OfLocale(locale), "%q", locale)
	}
}

func TestMatch(t *testing.T) {
	for preference, want := range map[string]Language{"sv-SE,en;q=0.5": Swedish, "en,sv": English, "de,sv;q=0.2": Swedish, "de": English, "": English} {
		l, _ := Match(preference)
		assert.Equal(t, want, l, preference)
	}
	l, ok := Match(";;", "", "sv")
	assert.True(t, ok)
	assert.Equal(t, Swedish, l)
}

func TestSwedish(t *testing.T) {
	at := time.Date(2026, 3, 9, 7, 5, 0, 0, time.UTC)
	for want, said := range map[string]string{
		"20\u00a0000":               Swedish.Number(20_000),
		"-1\u00a0234\u00a0567":      Swedish.Number(-1_234_567),
		"99,9\u00a0%":               Swedish.Percent(99.9),
		"5\u00a0%":                  Swedish.Percent(5),
		"9 mars 2026":               Swedish.Day(at),
		"9 mars 2026 kl. 07.05 UTC": Swedish.Moment(at),
		"0,3 s":                     Swedish.Span(300 * time.Millisecond),
		"mars, söndag":              Swedish.Month(time.March) + ", " + Swedish.Weekday(time.Sunday),
		"9\u00a0mars\u00a02026 kl.\u00a007.05\u00a0(UTC)": Swedish.LongMoment(at, "(UTC)"),
		"1 tim 2 min":      Swedish.Span(62 * time.Minute),
		"1 användare":      Swedish.Count(1, "%s user", "%s users"),
		"1\u00a0200 rader": Swedish.Count(1200, "%s row", "%s rows"),
		"no such sentence": Swedish.Say("no such sentence"),
		"Plan för a.csv: inga anspråk skulle göras på 2 användare; 1 rad att rätta.": Swedish.Say("Plan for %s: nobody would be claimed of %s%s.", "a.csv",
			schema.SayCount(2, "%s user", "%s users"), schema.SayCount(1, "; %s row to correct", "; %s rows to correct")),
	} {
		assert.Equal(t, want, said)
	}
	assert.Equal(t, "20,000", Language("").Number(20_000), "English is the usual one")
	assert.Equal(t, "9 Mar 2026 07:05 UTC", English.Moment(at))
	assert.Equal(t, "Monday 9\u00a0March\u00a02026, 07:05\u00a0UTC", English.Weekday(at.Weekday())+" "+English.LongMoment(at, "UTC"))
	assert.Equal(t, "99.9%", English.Percent(99.9))
}

// A refusal is said in any language, with its details: what is of the file stays as it is.
func TestRefusalsInSwedish(t *testing.T) {
	refused := schema.Refuse(schema.CodeFileUnreadable, "The folder cannot be read: %s.", schema.Word("there is none of this name")).At("users.csv", 3, 2).In("Users")
	message, fix := refused.Told()
	assert.Equal(t, "Mappen kan inte läsas: det finns ingen med det namnet.", message.In(Swedish))
	assert.Equal(t, "Kontrollera filens namn, och att du får läsa den.", fix.In(Swedish))
	assert.Equal(t, `users.csv:3, kolumnen "Users"`, refused.Where().In(Swedish))
	assert.Equal(t, `users.csv:3, column "Users": The folder cannot be read: there is none of this name. (file_unreadable)`, refused.Error())

	assert.Equal(t, "Samma adress finns redan i filen, på rad 7.", schema.CodeDuplicateRow.Wrong("7").In(Swedish))
	assert.Equal(t, "Samma adress finns redan i filen.", schema.CodeDuplicateRow.Wrong().In(Swedish))
	assert.Equal(t, "Radens celler är åtskilda av komman, och rubrikradens av semikolon.", schema.HintOtherDelimiter.Wrong("commas", "semicolons").In(Swedish))
	assert.Equal(t, `Cellen är varken TRUE eller FALSE: "Users".`, schema.CodeBooleanInvalid.Wrong(`"Users"`).In(Swedish))
}
