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
