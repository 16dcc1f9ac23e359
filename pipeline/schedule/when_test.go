package schedule_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/claimline/claimline/pipeline/schedule"
	"github.com/claimline/claimline/schema"
)

// shown is what a clock shows.
type shown struct {
	minute, hour, day int
	month             time.Month
	weekday           time.Weekday
}

// due are expressions, and what they mean.
var due = map[string]func(shown) bool{
	"30 2 * * *":       func(s shown) bool { return s.hour == 2 && s.minute == 30 },
	"@hourly":          func(s shown) bool { return s.minute == 0 },
	"*/20 0-3 * * SUN": func(s shown) bool { return s.minute%20 == 0 && s.hour <= 3 && s.weekday == time.Sunday },
	"0 0 1,15,31 * *":  func(s shown) bool { return s.hour == 0 && s.minute == 0 && (s.day == 1 || s.day == 15 || s.day == 31) },
	"59 1 13 * fri":    func(s shown) bool { return s.hour == 1 && s.minute == 59 && (s.day == 13 || s.weekday == time.Friday) },
	"5-6 23,0 29 feb *": func(s shown) bool {
		return (s.minute == 5 || s.minute == 6) && (s.hour == 23 || s.hour == 0) && s.day == 29 && s.month == time.February
	},
}

// zones change their clocks at night by an hour, or by half of one, at midnight, or leave a whole day out.
var zones = []string{"Europe/Stockholm", "America/New_York", "America/Sao_Paulo", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Beirut"}

// TestTwelveYears looks at the clock on the wall once a minute for twelve years, in which these zones change
// it some two hundred times. Whatever it shows for the first time, or has skipped, is due.
func TestTwelveYears(t *testing.T) {
	t.Parallel()
	begin := time.Date(2009, 12, 31, 23, 59, 0, 0, time.UTC)
	end := begin.AddDate(12, 0, 0)
	for _, name := range zones {
		t.Run(strings.ReplaceAll(name, "/", "-"), func(t *testing.T) {
			t.Parallel()
			zone, err := time.LoadLocation(name)
			require.NoError(t, err)
			want := map[string][]int64{}
			offset := 0
			wall := func(at int64) int64 {
				if at%900 == 0 || offset == 0 { // no clock is changed within a quarter of an hour
					_, offset = time.Unix(at, 0).In(zone).Zone()
				}
				return at + int64(offset)
			}
			seen, changes := wall(begin.Unix()), 0
			var s shown
			today := int64(-1)
			for at := begin.Unix() + 60; at <= end.Unix(); at += 60 {
				shows := wall(at)
				if shows != seen+60 {
					changes++
				}
				for seen < shows {
					seen += 60
					if day := seen / 86400; day != today {
						date := time.Unix(seen, 0).UTC()
						today, s.day, s.month, s.weekday = day, date.Day(), date.Month(), date.Weekday()
					}
					s.hour, s.minute = int(seen/3600%24), int(seen/60%60)
					for expression, is := range due {
						if list := want[expression]; is(s) && (len(list) == 0 || list[len(list)-1] != at) {
							want[expression] = append(list, at)
						}
					}
				}
			}
			require.Greater(t, changes, 10)
			for expression := range due {
				when, err := schedule.NewWhen(expression, name)
				require.NoError(t, err)
				var got []int64
				for next := when.Next(begin); !next.After(end); next = when.Next(next) {
					require.Equal(t, time.UTC, next.Location())
					got = append(got, next.Unix())
				}
				require.NotEmpty(t, got, expression)
				require.Equal(t, want[expression], got, expression)
			}
		})
	}
}

func TestNextFromAnyMoment(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ expression, zone, after, want string }{
		{"30 2 * * *", "Europe/Stockholm", "2026-03-29T00:59:59Z", "2026-03-29T01:00:00Z"}, // the clock goes from 2 to 3
		{"30 2 * * *", "Europe/Stockholm", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"},
		{"30 2 * * *", "Europe/Stockholm", "2026-10-25T00:29:59.9Z", "2026-10-25T00:30:00Z"}, // and from 3 to 2
		{"30 2 * * *", "Europe/Stockholm", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"},
		{"30 2 * * *", "Europe/Stockholm", "2026-10-25T01:15:00Z", "2026-10-26T01:30:00Z"}, // 2:15 for the second time
		{"0 0 29 2 *", "UTC", "2096-03-01T00:00:00Z", "2104-02-29T00:00:00Z"},
		{" 0\t12  * * 1-5 ", "UTC", "2026-11-27T12:00:00+01:00", "2026-11-27T12:00:00Z"},
		{"@weekly", "America/New_York", "2026-11-25T00:00:00Z", "2026-11-29T05:00:00Z"},
	} {
		when, err := schedule.NewWhen(test.expression, test.zone)
		require.NoError(t, err)
		after, err := time.Parse(time.RFC3339, test.after)
		require.NoError(t, err)
		assert.Equal(t, test.want, when.Next(after).Format(time.RFC3339), "%s after %s", test.expression, test.after)
	}
}

func TestWhenRefused(t *testing.T) {
	t.Parallel()
	for _, expression := range []string{
		"", " ", "0", "0 3 * *", "0 3 * * * *", "0 0 30 2 *", "0 0 31 4,6,9,11 *", "@every 5m", "@every", "@reboot", "@", "60 * * * *", "* 24 * * *",
		"0 0 0 * *", "0 0 * 13 *", "0 0 * * 7", "0 0 * * -1", "a b c d e", "*/0 * * * *", "5-1 * * * *", "TZ=UTC 0 3 * * *", "TZ=", "CRON_TZ=UTC",
		"TZ=UTC", "0 3 * * mon=", "1e1 * * * *", "99999999999999999999 * * * *", "\x00 * * * *", strings.Repeat("*,", 5000),
	} {
		_, err := schedule.NewWhen(expression, "UTC")
		assert.Equal(t, schema.CodeCronInvalid, schema.CodeOf(err), "%q: %v", expression, err)
	}
	for _, zone := range []string{"", "Local", "local", "Europe/Stockhlm", "../../etc/passwd", "/etc/localtime", "GMT+25", "\x00"} {
		_, err := schedule.NewWhen("@daily", zone)
		assert.Equal(t, schema.CodeZoneUnknown, schema.CodeOf(err), "%q: %v", zone, err)
	}
}

// FuzzWhen: what is not refused comes, and comes again.
func FuzzWhen(f *testing.F) {
	for expression := range due {
		f.Add(expression, "Europe/Stockholm", int64(1_800_000_000))
	}
	f.Add("TZ=", "UTC", int64(0))
	f.Add("0 0 31 2 1", "Pacific/Apia", int64(1_325_200_000))
	f.Fuzz(func(t *testing.T, expression, zone string, seconds int64) {
		when, err := schedule.NewWhen(expression, zone)
		if err != nil {
			code := schema.CodeOf(err)
			require.Contains(t, []schema.Code{schema.CodeCronInvalid, schema.CodeZoneUnknown}, code)
			return
		}
		after := time.Unix(seconds%4_000_000_000, 0)
		first := when.Next(after)
		require.True(t, first.After(after))
		require.True(t, when.Next(first).After(first))
		require.Zero(t, first.Nanosecond())
	})
}

// What Clock says in lists is what Next does.
func TestClock(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		field := func(name string, first, last int) string {
			n := rapid.IntRange(first, last)
			switch rapid.IntRange(0, 3).Draw(t, name) {
			case 0:
				return "*"
			case 1:
				return fmt.Sprintf("*/%d", rapid.IntRange(1, 7).Draw(t, "step"))
			case 2:
				a, b := n.Draw(t, "from"), n.Draw(t, "to")
				return fmt.Sprintf("%d-%d", min(a, b), max(a, b))
			}
			return fmt.Sprint(n.Draw(t, "one"))
		}
		expression := strings.Join([]string{field("minute", 0, 59), field("hour", 0, 23), field("day", 1, 31), field("month", 1, 12), field("weekday", 0, 6)}, " ")
		when, err := schedule.NewWhen(expression, "UTC")
		if err != nil {
			t.Skip(err)
		}
		clock := when.Clock()
		at := time.Date(2024, 1, 1, 0, rapid.IntRange(0, 2*366*24*60).Draw(t, "at"), 0, 0, time.UTC)
		if rapid.Bool().Draw(t, "due") {
			at = when.Next(at)
		}
		day := len(clock.Days) == 0 && len(clock.Weekdays) == 0 || slices.Contains(clock.Days, at.Day()) || slices.Contains(clock.Weekdays, at.Weekday())
		due := slices.Contains(clock.Minutes, at.Minute()) && slices.Contains(clock.Hours, at.Hour()) && day && (clock.Months == nil || slices.Contains(clock.Months, at.Month()))
		if got := when.Next(at.Add(-time.Minute)).Equal(at); got != due {
			t.Fatalf("%s: %s is due: %t, and by its clock: %t", expression, at, got, due)
		}
	})
}
