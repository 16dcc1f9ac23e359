package calendar

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-ical"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/claimline/claimline/pipeline/words"
	"github.com/claimline/claimline/schema"
)

// deadlines hands over a list.
func deadlines(list ...schema.Deadline) func(func(schema.Deadline) error) error {
	return func(each func(schema.Deadline) error) error {
		for _, d := range list {
			if err := each(d); err != nil {
				return err
			}
		}
		return nil
	}
}

// The calendar is read by another library than the one that writes it, one that insists on what the standard
// demands.
func TestCalendarIsWellFormed(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	long := strings.Repeat("å", 30) + "@" + strings.Repeat("long.", 30) + "example"
	list := deadlines(
		schema.Deadline{Email: "ann@acme.example", Kind: schema.DeadlineDecision, DueAt: now},
		schema.Deadline{Email: "bo@acme.example", Kind: schema.DeadlineDecision, DueAt: now.Add(time.Minute)},
		schema.Deadline{Email: "ann@acme.example", Kind: schema.DeadlineRemoval, DueAt: now.Add(time.Minute)},
		schema.Deadline{Email: "o'neil,;\\{}@acme.example", Kind: schema.DeadlineRetract, DueAt: now.Add(48 * time.Hour)},
		schema.Deadline{Email: long, Kind: schema.DeadlineRetract, DueAt: now.Add(48 * time.Hour)},
	)
	var written bytes.Buffer
	require.NoError(t, Write(&written, schema.Organization{ID: "acme", Name: "Åkeri, \"Norr\"; Syd\nBEGIN:VEVENT"}, list, now, time.Local, words.English))
	for line := range strings.SplitSeq(strings.TrimSuffix(written.String(), "\r\n"), "\r\n") {
		assert.LessOrEqual(t, len(line), 75, line)
		assert.NotContains(t, line, "\n")
	}

	calendar, err := ical.NewDecoder(bytes.NewReader(written.Bytes())).Decode()
	require.NoError(t, err)
	events := calendar.Events()
	require.Len(t, events, 3, "one for each day and kind")
	var summaries, days []string
	ids := map[string]bool{}
	for _, event := range events {
		start, err := event.DateTimeStart(time.Local)
		require.NoError(t, err)
		days = append(days, start.Format(time.DateOnly))
		summary, err := event.Props.Text(ical.PropSummary)
		require.NoError(t, err)
		summaries = append(summaries, summary)
		ids[event.Props.Get(ical.PropUID).Value] = true
		require.Len(t, event.Children, 1)
		alarm := event.Children[0]
		assert.Equal(t, ical.CompAlarm, alarm.Name)
		assert.Equal(t, "DISPLAY", alarm.Props.Get(ical.PropAction).Value)
		assert.Equal(t, "-PT15H", alarm.Props.Get(ical.PropTrigger).Value)
	}
	assert.Equal(t, []string{"2 delayed claims complete", "1 inactive user is removed", "2 claims can no longer be retracted"}, summaries)
	first, second := now.Local().Format(time.DateOnly), now.Add(48*time.Hour).Local().Format(time.DateOnly)
	assert.Equal(t, []string{first, first, second}, days)
	description, err := events[0].Props.Text(ical.PropDescription)
	require.NoError(t, err)
	assert.Contains(t, description, "ann@acme.example\nbo@acme.example")
	assert.Len(t, ids, 3)
	require.NoError(t, ical.NewEncoder(&bytes.Buffer{}).Encode(calendar), "the encoder checks what must be there, and only once")

	// Written again, what is due on the same days are the same events.
	var again bytes.Buffer
	one := deadlines(schema.Deadline{Email: "cy@acme.example", Kind: schema.DeadlineDecision, DueAt: now.Add(time.Second)})
	require.NoError(t, Write(&again, schema.Organization{ID: "acme"}, one, now.Add(time.Hour), time.Local, words.English))
	for id := range ids {
		if strings.Contains(again.String(), id) {
			delete(ids, id)
		}
	}
	assert.Len(t, ids, 2)
}

// However many are due, the calendar stays small.
func TestACalendarNamesTheFirstOfMany(t *testing.T) {
	due := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	var written bytes.Buffer
	require.NoError(t, Write(&written, schema.Organization{ID: "acme"}, func(each func(schema.Deadline) error) error {
		for i := range 100_000 {
			if err := each(schema.Deadline{Email: fmt.Sprintf("user%d@acme.example", i), Kind: schema.DeadlineDecision, DueAt: due}); err != nil {
				return err
			}
		}
		return nil
	}, due, time.Local, words.English))
	assert.Less(t, written.Len(), 10_000)
	unfolded := strings.ReplaceAll(written.String(), "\r\n ", "")
	assert.Contains(t, unfolded, "100\\,000 delayed claims complete")
	assert.Contains(t, unfolded, "and 99\\,950 more: claimline deadlines")
}

func TestAnEmptyCalendarIsACalendar(t *testing.T) {
	var written bytes.Buffer
	require.NoError(t, Write(&written, schema.Organization{ID: "acme"}, deadlines(), time.Time{}, time.Local, words.English))
	assert.Equal(t, 1, strings.Count(written.String(), "BEGIN:VCALENDAR\r\n"))
	assert.True(t, strings.HasSuffix(written.String(), "END:VCALENDAR\r\n"))
}
