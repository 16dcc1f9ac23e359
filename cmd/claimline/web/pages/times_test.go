package pages

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/claimline/claimline/pipeline/schedule"
	catalogue "github.com/claimline/claimline/pipeline/words"
)

func TestDueInWords(t *testing.T) {
	for cron, want := range map[string][2]string{
		"0 3 * * *":            {"every day at 03:00", "varje dag kl. 03.00"},
		"@daily":               {"every day at 00:00", "varje dag kl. 00.00"},
		"30 6 * * mon-fri":     {"Monday to Friday at 06:30", "måndag till fredag kl. 06.30"},
		"0 9,15 * * sun":       {"every Sunday at 09:00 and 15:00", "varje söndag kl. 09.00 och 15.00"},
		"5 4 * * 0,1,3":        {"every Monday, Wednesday and Sunday at 04:05", "varje måndag, onsdag och söndag kl. 04.05"},
		"0 8-17 * * mon-fri":   {"Monday to Friday, every hour from 08:00 to 17:00", "måndag till fredag, varje timme från kl. 08.00 till kl. 17.00"},
		"*/15 * * * *":         {"every 15 minutes", "med 15 minuters mellanrum"},
		"*/20 8-17 * * *":      {"every 20 minutes from 08:00 to 17:40", "med 20 minuters mellanrum från kl. 08.00 till kl. 17.40"},
		"* * * * *":            {"every minute", "varje minut"},
		"* 0-6 * * *":          {"every minute from 00:00 to 06:59", "varje minut från kl. 00.00 till kl. 06.59"},
		"@hourly":              {"every hour, on the hour", "varje hel timme"},
		"1 * * * *":            {"1 minute past every hour", "1 minut över varje hel timme"},
		"5 */2 * * *":          {"every 2 hours from 00:05 to 22:05", "med 2 timmars mellanrum från kl. 00.05 till kl. 22.05"},
		"1,2,7 * * * *":        {"at the minutes 1, 2 and 7 of every hour", "vid minuterna 1, 2 och 7 i varje timme"},
		"1,2,7 3,4,9 * * *":    {"at the minutes 1, 2 and 7 of the hours 3, 4 and 9", "vid minuterna 1, 2 och 7 i timmarna 3, 4 och 9"},
		"0 5 1 * *":            {"on day 1 of every month at 05:00", "den 1 i varje månad kl. 05.00"},
		"0 5 1,15 1,7 *":       {"on the days 1 and 15 in January and July at 05:00", "den 1 och 15 i januari och juli kl. 05.00"},
		"0 0 13 * fri":         {"on day 13 of the month and every Friday at 00:00", "den 13 i månaden och varje fredag kl. 00.00"},
		"0 0 13 5 fri":         {"on day 13 of the month and every Friday in May at 00:00", "den 13 i månaden och varje fredag i maj kl. 00.00"},
		"0 0 1-31 * fri":       {"every day at 00:00", "varje dag kl. 00.00"},
		"0 0 13 * 0-6":         {"every day at 00:00", "varje dag kl. 00.00"},
		"0 12 * feb *":         {"every day in February at 12:00", "varje dag i februari kl. 12.00"},
		"0,30 0-23/6 * jun 6":  {"every Saturday in June, at the minutes 0 and 30 of the hours 0, 6, 12 and 18", "varje lördag i juni, vid minuterna 0 och 30 i timmarna 0, 6, 12 och 18"},
		"0,30 9,12,17 * * wed": {"every Wednesday at 09:00, 09:30, 12:00, 12:30, 17:00 and 17:30", "varje onsdag kl. 09.00, 09.30, 12.00, 12.30, 17.00 och 17.30"},
	} {
		when, err := schedule.NewWhen(cron, "UTC")
		require.NoError(t, err, cron)
		for i, lang := range catalogue.Languages {
			assert.Equal(t, want[i], string(newWords(lang, time.UTC).due(when.Clock())), cron)
		}
	}
}

func TestNamesOfDomains(t *testing.T) {
	for name, want := range map[string]string{
		"acme.example":          "acme.example",
		"Acme.EXAMPLE":          "Acme.EXAMPLE",
		"xn--bcher-kva.example": `<bdi>bücher.example</bdi> <small class="ascii">xn--bcher-kva.example</small>`,
		"BÜCHER.example":        `<bdi>bücher.example</bdi> <small class="ascii">xn--bcher-kva.example</small>`,
		"аcme.example":          `<bdi>аcme.example</bdi> <small class="ascii">xn--cme-5cd.example</small>`, // its first letter is Cyrillic
		"xn--a.example":         "xn--a.example",
		"<b>":                   "&lt;b&gt;",
		"\u202egro.example":     `<bdi>�gro.example</bdi>`,
		"":                      "",
	} {
		assert.Equal(t, want, string(domainName(name)), name)
	}
	assert.Equal(t, "ann@acme.example", string(emailAddress("ann@acme.example")))
	assert.Equal(t, `<bdi>åke@bücher.example</bdi> <small class="ascii">xn--bcher-kva.example</small>`, string(emailAddress("åke@xn--bcher-kva.example")))
	assert.Equal(t, `<bdi>åke@acme.example</bdi>`, string(emailAddress("åke@acme.example")))
	assert.Equal(t, "/users/a%2Fb%3F%23@x.example", userPath("a/b?#@x.example"))
}

// Where clocks are put forward at midnight, a day begins an hour later, and every day begins once.
func TestDaysBeginOnce(t *testing.T) {
	for _, name := range []string{"UTC", "Europe/Stockholm", "Africa/Cairo", "Asia/Beirut", "America/Santiago", "America/Havana"} {
		where, err := time.LoadLocation(name)
		require.NoError(t, err)
		for date := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC); date.Year() == 2026; date = date.AddDate(0, 0, 1) {
			begins, next := dayIn(date, 0, where), dayIn(date, 1, where)
			require.Equal(t, date.Format(time.DateOnly), begins.Format(time.DateOnly), name)
			require.NotEqual(t, begins.Day(), begins.Add(-time.Second).Day(), name)
			require.Equal(t, next, dayIn(date.AddDate(0, 0, 1), 0, where), name)
		}
	}
}

// A calendar has every day of its month once, and the weeks around it whole.
func TestCalendarsAreWhole(t *testing.T) {
	for _, name := range []string{"UTC", "Africa/Cairo", "America/Havana"} {
		where, err := time.LoadLocation(name)
		require.NoError(t, err)
		for month := time.January; month <= time.December; month++ {
			page := monthPage{Month: dayIn(time.Date(2026, month, 1, 0, 0, 0, 0, time.UTC), 0, where)}
			page.lay(nil, page.Month)
			var days []string
			for _, week := range page.Weeks {
				require.Len(t, week, 7)
				require.Equal(t, time.Monday, week[0].Day.Weekday())
				for _, day := range week {
					if !day.Outside {
						days = append(days, day.Key())
					}
				}
			}
			require.Len(t, slices.Compact(slices.Clone(days)), time.Date(2026, month+1, 0, 0, 0, 0, 0, time.UTC).Day(), name)
			require.True(t, slices.IsSorted(days))
		}
	}
}
