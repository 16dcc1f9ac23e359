package words

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/language"

	"github.com/claimline/claimline/schema"
)

// Language is a language that people are told things in; the zero value is English.
type Language string

// The languages.
const (
	English Language = "en"
	Swedish Language = "sv"
)

// Languages are all there are, the usual one first.
var Languages = []Language{English, Swedish}

var matcher = language.NewMatcher([]language.Tag{language.English, language.Swedish})

// Match returns the language that suits a list of preferences best, each as in sv-SE or in a header
// Accept-Language; the first that says something counts. ok is false where none does.
func Match(preferences ...string) (l Language, ok bool) {
	for _, preference := range preferences {
		tags, _, err := language.ParseAcceptLanguage(preference)
		if err != nil || len(tags) == 0 {
			continue
		}
		if _, index, confidence := matcher.Match(tags...); confidence > language.No {
			return Languages[index], true
		}
	}
	return English, false
}

// OfLocale returns the language of a locale as systems name it, such as sv_SE.UTF-8; English where it has
// none of ours.
func OfLocale(locale string) Language {
	name, _, _ := strings.Cut(locale, ".")
	name, _, _ = strings.Cut(name, "@")
	l, _ := Match(strings.ReplaceAll(name, "_", "-"))
	return l
}

// Format returns a sentence in the language, with the places of its values. One that the catalogue does not
// have is returned as it is.
func (l Language) Format(english string) string {
	if l != Swedish {
		return english
	}
	for _, part := range swedish {
		if said, found := part[english]; found {
			return said
		}
	}
	return english
}

// Kept says what was kept in English of a refusal: the sentence where the catalogue has it, else what its
// code says, with what was kept behind it where that says more.
func (l Language) Kept(code schema.Code, message string) string {
	said := l.Format(message)
	if l == English || said != message {
		return said
	}
	said = code.Wrong("").In(l)
	if message == "" || message == code.Message("") {
		return said
	}
	return said + " (" + message + ")"
}

// Say returns a sentence with its values in their places; those that are a schema.Text, a schema.Number or
// the like are said in the language, too.
func (l Language) Say(format string, values ...any) string {
	return schema.Say(format, values...).In(l)
}

// Count says how many there are of something: the number comes first among the values.
func (l Language) Count(n int, one, several string, values ...any) string {
	return schema.SayCount(n, one, several, values...).In(l)
}

// Number returns a number with its digits in groups.
func (l Language) Number(n int) string {
	if l == Swedish {
		return schema.Number(n).Grouped("\u00a0")
	}
	return schema.Number(n).String()
}

// Percent returns a share of a hundred with one decimal, or none where that is 0.
func (l Language) Percent(share float64) string {
	digits := strings.TrimSuffix(strconv.FormatFloat(share, 'f', 1, 64), ".0")
	if l == Swedish {
		return l.decimal(digits) + "\u00a0%"
	}
	return digits + "%"
}

func (l Language) decimal(digits string) string {
	if l == Swedish {
		return strings.Replace(digits, ".", ",", 1)
	}
	return digits
}

var months = [...]string{"jan.", "feb.", "mars", "april", "maj", "juni", "juli", "aug.", "sep.", "okt.", "nov.", "dec."}

// Day returns the day of a time in the zone that it has.
func (l Language) Day(t time.Time) string {
	if l == Swedish {
		return fmt.Sprintf("%d %s %d", t.Day(), months[t.Month()-1], t.Year())
	}
	return schema.Day(t).String()
}

var longMonths = [...]string{
	"januari", "februari", "mars", "april", "maj", "juni", "juli", "augusti", "september", "oktober", "november", "december",
}

// Month returns the whole name of a month.
func (l Language) Month(m time.Month) string {
	if l == Swedish {
		return longMonths[m-1]
	}
	return m.String()
}

var weekdays = [...]string{"söndag", "måndag", "tisdag", "onsdag", "torsdag", "fredag", "lördag"}

// Weekday returns the name of a day of the week.
func (l Language) Weekday(d time.Weekday) string {
	if l == Swedish {
		return weekdays[d]
	}
	return d.String()
}

// LongDay returns the day of a time with the month's whole name.
func (l Language) LongDay(t time.Time) string {
	return fmt.Sprintf("%d %s %d", t.Day(), l.Month(t.Month()), t.Year())
}

// Clock returns the layout of the time of day behind a day.
func (l Language) Clock() string {
	if l == Swedish {
		return " kl. " + l.Hour()
	}
	return ", " + l.Hour()
}

// LongMoment returns a time with the month's whole name, as a clock of the zone that it has shows it, with a
// name of that zone. Its line may break between the day and the clock only.
func (l Language) LongMoment(t time.Time, zone string) string {
	const glue = "\u00a0"
	before, clock, _ := strings.Cut(t.Format(l.Clock())+" "+zone, " ")
	return strings.ReplaceAll(l.LongDay(t)+before, " ", glue) + " " + strings.ReplaceAll(clock, " ", glue)
}

// Hour returns the layout of a time of day alone.
func (l Language) Hour() string {
	if l == Swedish {
		return "15.04"
	}
	return "15:04"
}

// Moment returns a time as a clock of the zone that it has shows it, with that zone.
func (l Language) Moment(t time.Time) string {
	if l == Swedish {
		return l.Day(t) + t.Format(l.Clock()+" MST")
	}
	return schema.Instant(t).String()
}

// Span returns how long something took or will take, in the unit that fits.
func (l Language) Span(d time.Duration) string {
	switch {
	case d < 10*time.Second:
		return l.decimal(strconv.FormatFloat(max(d, 100*time.Millisecond).Round(100*time.Millisecond).Seconds(), 'f', 1, 64)) + " s"
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	}
	return l.Say("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
}
