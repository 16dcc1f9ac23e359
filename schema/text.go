package schema

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Language says in a language what is written in English.
type Language interface {
	// Format returns a text with the places of its values; where the language does not have it, the English
	// one.
	Format(english string) string
	// Number returns a number with its digits in groups.
	Number(n int) string
	// Day returns the day of a time in the zone that it has.
	Day(t time.Time) string
	// Moment returns a time as a clock of the zone that it has shows it, with that zone.
	Moment(t time.Time) string
}

// Text is what people are told: a sentence in English with its values, which can be said in another language.
// It is put together when it is said, so its values must stay as they are. The zero value says nothing.
type Text struct {
	format  string
	values  []any    // of a format
	details []string // of a template, as a code's message is one; nil: it is a format
}

// Say returns a text that may be formatted. A value that is a Text, too, a Word, a Number, a Day or an
// Instant is said in the language of the whole.
func Say(format string, values ...any) Text {
	if false {
		_ = fmt.Sprintf(format, values...) // so that go vet knows what Say does with a format
	}
	return Text{format: format, values: values}
}

// SayCount says how many there are of something: the number comes first among the values, as a Number.
func SayCount(n int, one, several string, values ...any) Text {
	format := several
	if n == 1 {
		format = one
	}
	values = append([]any{Number(n)}, values...)
	return Text{format: format, values: values}
}

// template returns a text whose details have their places in it as fill knows them.
func template(sentence string, details []string) Text {
	if details == nil {
		details = []string{}
	}
	return Text{format: sentence, details: details}
}

// And returns the text with another sentence behind it.
func (t Text) And(format string, values ...any) Text {
	if t.IsZero() {
		return Say(format, values...)
	}
	return Say("%s %s", t, Say(format, values...))
}

// Join returns texts as one, with a separator between two.
func Join(texts []Text, separator string) Text {
	if len(texts) == 0 {
		return Text{}
	}
	values := make([]any, len(texts))
	for i, text := range texts {
		values[i] = text
	}
	separator = strings.ReplaceAll(separator, "%", "%%")
	return Say(strings.Repeat("%s"+separator, len(texts)-1)+"%s", values...)
}

// IsZero reports whether the text says nothing.
func (t Text) IsZero() bool { return t.format == "" || t.String() == "" }

// String returns the text in English.
func (t Text) String() string {
	if t.details != nil {
		return fill(t.format, t.details, nil)
	}
	return fmt.Sprintf(t.format, t.values...)
}

// MarshalText returns the text in English, as programs have it.
func (t Text) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// In returns the text in a language.
func (t Text) In(l Language) string {
	if t.details != nil {
		return fill(l.Format(t.format), t.details, l)
	}
	values := make([]any, len(t.values))
	for i, value := range t.values {
		switch v := value.(type) {
		case Text:
			values[i] = v.In(l)
		case Number:
			values[i] = l.Number(int(v))
		case Word:
			values[i] = l.Format(string(v))
		case Day:
			values[i] = l.Day(time.Time(v))
		case Instant:
			values[i] = l.Moment(time.Time(v))
		default:
			values[i] = value
		}
	}
	return fmt.Sprintf(l.Format(t.format), values...)
}

// Word is a word or a sentence of ours that is a value of a text.
type Word string

// Day is a time of which the day is shown, in the zone that it has.
type Day time.Time

// String returns the day as English has it: 9 Dec 2026.
func (d Day) String() string { return time.Time(d).Format("2 Jan 2006") }

// Instant is a time that is shown as a clock has it, in the zone that it has.
type Instant time.Time

// String returns the time as English has it: 9 Dec 2026 15:04 CET.
func (i Instant) String() string { return time.Time(i).Format("2 Jan 2006 15:04 MST") }

// Number is a number that is shown with its digits in groups.
type Number int

// String returns the number as English has it: 20,000.
func (n Number) String() string { return n.Grouped(",") }

// Grouped returns the number with something between each three digits.
func (n Number) Grouped(separator string) string {
	digits := strconv.Itoa(int(n))
	start := 0
	if n < 0 {
		start = 1
	}
	for i := len(digits) - 3; i > start; i -= 3 {
		digits = digits[:i] + separator + digits[i:]
	}
	return digits
}
