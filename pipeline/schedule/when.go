package schedule

import (
	"strings"
	"time"
	_ "time/tzdata" // zones are known where the system has none of its own

	"github.com/robfig/cron/v3"

	"github.com/claimline/claimline/schema"
)

// When says at which times something is due, by the clock on the wall of a zone. A time that the clock skips
// in spring is the next minute that it shows, and one that it shows twice in autumn is the first of the two.
type When struct {
	wall *cron.SpecSchedule // by the clock of UTC, which neither skips nor repeats
	zone *time.Location
}

// NewWhen reads an expression of five fields, or a name such as @daily, for the clock of a zone. Refused with
// CodeCronInvalid, also where the times never come, and with CodeZoneUnknown.
func NewWhen(expression, zone string) (When, error) {
	location, err := time.LoadLocation(zone)
	if err != nil || zone == "" || location == time.Local {
		return When{}, schema.Refuse(schema.CodeZoneUnknown, "There is no time zone %s.", schema.Quote(zone)).Because(err)
	}
	fields := strings.Fields(expression)
	for _, field := range fields {
		if strings.Contains(field, "=") { // the parser takes TZ= for a zone
			return When{}, schema.Refuse(schema.CodeCronInvalid, "The expression %s names a time zone.", schema.Quote(expression)).
				WithFix("Leave the zone out, and name it apart: --tz ZONE.")
		}
	}
	parsed, err := cron.ParseStandard(strings.Join(fields, " "))
	if err != nil {
		return When{}, schema.Refuse(schema.CodeCronInvalid, "The expression %s is not understood.", schema.Quote(expression)).Because(err)
	}
	wall, ok := parsed.(*cron.SpecSchedule)
	if !ok {
		return When{}, schema.Refuse(schema.CodeCronInvalid, "The expression %s does not name times of a clock.", schema.Quote(expression))
	}
	wall.Location = time.UTC
	if wall.Next(leapYear).IsZero() {
		return When{}, schema.Refuse(schema.CodeCronInvalid, "The expression %s names a day that never comes.", schema.Quote(expression))
	}
	return When{wall: wall, zone: location}, nil
}

// Clock is when something is due: at every one of the minutes of every one of the hours, of the days named.
// Where both days of the month and of the week are named, those of either are meant.
type Clock struct {
	Minutes, Hours []int
	Days           []int          // of the month; nil: every one
	Weekdays       []time.Weekday // nil: every one
	Months         []time.Month   // nil: every one
}

// Clock returns the times.
func (w When) Clock() Clock {
	const (
		star = 1 << 63 // the parser's mark of a field that restricts nothing
		week = 7
	)
	c := Clock{Minutes: bits(w.wall.Minute, 0, 59), Hours: bits(w.wall.Hour, 0, 23)}
	if c.Months = bits[time.Month](w.wall.Month, 1, 12); len(c.Months) == 12 {
		c.Months = nil
	}
	days, weekdays := bits(w.wall.Dom, 1, 31), bits[time.Weekday](w.wall.Dow, 0, week-1)
	either := w.wall.Dom&star == 0 && w.wall.Dow&star == 0
	if all := len(days) == 31 || len(weekdays) == week; either && all {
		return c
	}
	if len(days) < 31 {
		c.Days = days
	}
	if len(weekdays) < week {
		c.Weekdays = weekdays
	}
	return c
}

// bits lists the numbers from first to last whose bits are set.
func bits[T ~int](set uint64, first, last T) (list []T) {
	for n := first; n <= last; n++ {
		if set&(1<<n) != 0 {
			list = append(list, n)
		}
	}
	return list
}

// leapYear begins five years, which are as many as the parser looks ahead, that have every day there is.
var leapYear = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// Next returns the first time that is due after a time.
func (w When) Next(after time.Time) time.Time {
	_, offset := after.In(w.zone).Zone()
	for shown := after.UTC().Add(time.Duration(offset) * time.Second); ; {
		next := w.wall.Next(shown)
		if next.IsZero() { // no leap year in the five years to come, as after 2096
			next = w.wall.Next(shown.AddDate(5, 0, 0))
		}
		if due := reached(next, w.zone); due.After(after) {
			return due
		}
		shown = next
	}
}

// reached returns when the clock of a zone first shows a time, given in UTC, or one behind it.
func reached(shown time.Time, zone *time.Location) time.Time {
	const before = 48 * time.Hour // no clock is so far off
	for at := shown.Add(-before).In(zone); ; {
		_, offset := at.Zone()
		_, end := at.ZoneBounds()
		due := shown.Add(-time.Duration(offset) * time.Second)
		if due.Before(at) { // the clock has skipped it
			due = at
		}
		if end.IsZero() || due.Before(end) {
			return due.UTC()
		}
		at = end
	}
}
