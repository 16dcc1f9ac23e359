package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"time"

	ics "github.com/arran4/golang-ical"

	"github.com/claimline/claimline/schema"
)

// writeCalendar writes deadlines as a calendar file, one event each. A deadline keeps its identity from one file to the
// next, so that a calendar program that takes in both has it once.
func writeCalendar(to io.Writer, organization schema.Organization, list []schema.Deadline, now time.Time) error {
	calendar := ics.NewCalendarFor("Claimline")
	calendar.SetMethod(ics.MethodPublish)
	calendar.SetXWRCalName("Claimline: " + schema.Printable(organization.Name))
	for _, d := range list {
		sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%s\n%s\n%d", organization.ID, d.Email, d.Kind, d.DueAt.Unix()))
		event := calendar.AddEvent(hex.EncodeToString(sum[:16]) + "@claimline")
		event.SetDtStampTime(now)
		event.SetStartAt(d.DueAt)
		event.SetSummary(schema.Printable(d.Email) + ": " + deadlineText(d.Kind))
		event.SetTimeTransparency(ics.TransparencyTransparent)
	}
	// SerializeTo does not tell of a disk that is full.
	if _, err := io.WriteString(to, calendar.Serialize(ics.WithNewLineWindows)); err != nil {
		return fmt.Errorf("write the calendar: %w", err)
	}
	return nil
}

func deadlineText(kind schema.DeadlineKind) string {
	switch kind {
	case schema.DeadlineDecision:
		return "the delayed claim completes"
	case schema.DeadlineRetract:
		return "the claim can no longer be retracted"
	default:
		return "the inactive user is removed"
	}
}
