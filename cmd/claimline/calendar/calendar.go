// Package calendar writes what is due as a calendar file.
package calendar

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"time"

	ics "github.com/arran4/golang-ical"

	"github.com/claimline/claimline/cmd/claimline/screen"
	"github.com/claimline/claimline/pipeline/words"
	"github.com/claimline/claimline/schema"
)

// dayOf is what a day of the calendar has one event for.
type dayOf struct {
	day  string // 2006-01-02, by the clock of a place
	kind schema.DeadlineKind
}

// dayEvent is what is due on one day, of one kind.
type dayEvent struct {
	dayOf

	due       time.Time // the first
	count     int
	addresses []string // the first few
}

// calendarAddresses is how many addresses an event names.
const calendarAddresses = 50

// Write writes deadlines, the soonest first, as a calendar file: one event for each day of a place and kind,
// however many are due. An event keeps its identity from one file to the next, so that a calendar program
// that takes in both has it once.
func Write(to io.Writer, organization schema.Organization, list func(each func(schema.Deadline) error) error, now time.Time, where *time.Location, l words.Language) error {
	var events []*dayEvent
	known := map[dayOf]*dayEvent{}
	err := list(func(d schema.Deadline) error {
		of := dayOf{d.DueAt.In(where).Format(time.DateOnly), d.Kind}
		event := known[of]
		if event == nil {
			event = &dayEvent{dayOf: of, due: d.DueAt}
			known[of] = event
			events = append(events, event)
		}
		if event.count++; event.count <= calendarAddresses {
			event.addresses = append(event.addresses, schema.Printable(d.Email))
		}
		return nil
	})
	if err != nil {
		return err
	}
	calendar := ics.NewCalendarFor("Claimline")
	calendar.SetMethod(ics.MethodPublish)
	calendar.SetXWRCalName("Claimline: " + schema.Printable(organization.Name))
	for _, e := range events {
		sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%s\n%s", organization.ID, e.day, e.kind))
		event := calendar.AddEvent(hex.EncodeToString(sum[:16]) + "@claimline")
		event.SetDtStampTime(now)
		event.SetAllDayStartAt(e.due.In(where))
		event.SetSummary(e.summary().In(l))
		event.SetDescription(e.description(l))
		event.SetTimeTransparency(ics.TransparencyTransparent)
		alarm := event.AddAlarm()
		alarm.SetAction(ics.ActionDisplay)
		alarm.SetTrigger("-PT15H") // nine in the morning of the day before
		alarm.SetDescription(e.summary().In(l))
	}
	// SerializeTo does not tell of a disk that is full.
	if _, err := io.WriteString(to, calendar.Serialize(ics.WithNewLineWindows)); err != nil {
		return fmt.Errorf("write the calendar: %w", err)
	}
	return nil
}

func (e *dayEvent) summary() schema.Text {
	switch e.kind {
	case schema.DeadlineDecision:
		return schema.SayCount(e.count, "%s delayed claim completes", "%s delayed claims complete")
	case schema.DeadlineRetract:
		return schema.SayCount(e.count, "%s claim can no longer be retracted", "%s claims can no longer be retracted")
	default:
		return schema.SayCount(e.count, "%s inactive user is removed", "%s inactive users are removed")
	}
}

func (e *dayEvent) description(l words.Language) string {
	text := l.Say("The first at %s.", screen.Moment(e.due)) + "\n" + strings.Join(e.addresses, "\n")
	if more := e.count - len(e.addresses); more > 0 {
		text += "\n" + l.Say("and %s more: claimline deadlines", schema.Number(more))
	}
	return text
}
