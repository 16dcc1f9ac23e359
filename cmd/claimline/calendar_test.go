package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-ical"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/claimline/claimline/schema"
)

// The calendar is read by another library than the one that writes it, one that insists on what the standard demands.
func TestCalendarIsWellFormed(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	long := strings.Repeat("å", 30) + "@" + strings.Repeat("long.", 30) + "example"
	list := []schema.Deadline{
		{Email: "ann@acme.example", Kind: schema.DeadlineDecision, DueAt: now.Add(time.Hour)},
		{Email: "ann@acme.example", Kind: schema.DeadlineRemoval, DueAt: now.Add(time.Hour)},
		{Email: "o'neil,;\\{}@acme.example", Kind: schema.DeadlineRetract, DueAt: now.Add(2 * time.Hour)},
		{Email: long, Kind: schema.DeadlineRetract, DueAt: now.Add(2 * time.Hour)},
	}
	var written bytes.Buffer
	require.NoError(t, writeCalendar(&written, schema.Organization{ID: "acme", Name: "Åkeri, \"Norr\"; Syd\nBEGIN:VEVENT"}, list, now))
	for line := range strings.SplitSeq(strings.TrimSuffix(written.String(), "\r\n"), "\r\n") {
		assert.LessOrEqual(t, len(line), 75, line)
		assert.NotContains(t, line, "\n")
	}

	calendar, err := ical.NewDecoder(bytes.NewReader(written.Bytes())).Decode()
	require.NoError(t, err)
	events := calendar.Events()
	require.Len(t, events, len(list))
	ids := map[string]bool{}
	for i, event := range events {
		start, err := event.DateTimeStart(time.UTC)
		require.NoError(t, err)
		assert.Equal(t, list[i].DueAt, start)
		summary, err := event.Props.Text(ical.PropSummary)
		require.NoError(t, err)
		assert.Equal(t, list[i].Email+": "+deadlineText(list[i].Kind), summary)
		ids[event.Props.Get(ical.PropUID).Value] = true
	}
	assert.Len(t, ids, len(list))
	require.NoError(t, ical.NewEncoder(&bytes.Buffer{}).Encode(calendar), "the encoder checks what must be there, and only once")

	// Written again, the same deadlines are the same events.
	var again bytes.Buffer
	require.NoError(t, writeCalendar(&again, schema.Organization{ID: "acme"}, list[:1], now.Add(time.Hour)))
	for id := range ids {
		if strings.Contains(again.String(), id) {
			delete(ids, id)
		}
	}
	assert.Len(t, ids, len(list)-1)
}

func TestAnEmptyCalendarIsACalendar(t *testing.T) {
	var written bytes.Buffer
	require.NoError(t, writeCalendar(&written, schema.Organization{ID: "acme"}, nil, time.Time{}))
	assert.Equal(t, 1, strings.Count(written.String(), "BEGIN:VCALENDAR\r\n"))
	assert.True(t, strings.HasSuffix(written.String(), "END:VCALENDAR\r\n"))
}

func TestSpans(t *testing.T) {
	const day = 24 * time.Hour
	for text, want := range map[string]time.Duration{"3d": 3 * day, "36h": 36 * time.Hour, "1d12h": 36 * time.Hour, "0d": 0, "90m": 90 * time.Minute} {
		got, ok := parseSpan(text)
		assert.True(t, ok, text)
		assert.Equal(t, want, got, text)
	}
	for _, text := range []string{"", "d", "3", "-3d", "-1h", "3d-1h", "1d1d", "soon", "999999999999d", "9999999h", "1.5d"} {
		_, ok := parseSpan(text)
		assert.False(t, ok, text)
	}
}
