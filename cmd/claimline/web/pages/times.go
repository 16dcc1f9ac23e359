package pages

import (
	"html/template"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/claimline/claimline/pipeline/schedule"
)

// mostTimes is how many times of a day are named one by one.
const mostTimes = 6

// due says in words when something is due.
func (w *words) due(c schedule.Clock) template.HTML {
	days, at := w.dueDays(c), ""
	if len(c.Minutes)*len(c.Hours) <= mostTimes {
		var times []string
		for _, hour := range c.Hours {
			for _, minute := range c.Minutes {
				times = append(times, w.clock(hour, minute))
			}
		}
		at = w.and(times)
	}
	switch {
	case at != "" && days == "":
		return w.say("every day at %s", at)
	case at != "":
		return w.say("%s at %s", days, at)
	case days == "":
		return w.dueOften(c)
	}
	return w.say("%s, %s", days, w.dueOften(c))
}

// dueOften says at which times of a day something is due that is due many times.
func (w *words) dueOften(c schedule.Clock) template.HTML {
	hour, steady := step(c.Hours)
	first, last := c.Hours[0], c.Hours[len(c.Hours)-1]
	from, to := w.clock(first, c.Minutes[0]), w.clock(last, c.Minutes[len(c.Minutes)-1])
	every, even := step(c.Minutes)
	even = even && (c.Minutes[0] == 0 && every*len(c.Minutes) == 60)
	const day = 24
	switch whole := len(c.Hours) == day; {
	case len(c.Minutes) == 1 && whole && c.Minutes[0] == 0:
		return w.say("every hour, on the hour")
	case len(c.Minutes) == 1 && whole:
		return w.count(c.Minutes[0], "%d minute past every hour", "%d minutes past every hour")
	case len(c.Minutes) == 1 && steady:
		return w.count(hour, "every hour from %[2]s to %[3]s", "every %d hours from %s to %s", from, to)
	case even && whole:
		return w.count(every, "every minute", "every %d minutes")
	case even && steady && hour == 1:
		return w.count(every, "every minute from %[2]s to %[3]s", "every %d minutes from %s to %s", from, to)
	case whole:
		return w.say("at the minutes %s of every hour", w.and(numbers(c.Minutes)))
	}
	return w.say("at the minutes %s of the hours %s", w.and(numbers(c.Minutes)), w.and(numbers(c.Hours)))
}

// step returns by how much each number is more than the one before, where that is the same for all.
func step(list []int) (by int, steady bool) {
	if len(list) < 2 {
		return 0, false
	}
	by = list[1] - list[0]
	for i := range list[1:] {
		if list[i+1]-list[i] != by {
			return 0, false
		}
	}
	return by, true
}

// dueDays says on which days something is due; blank: on every one.
func (w *words) dueDays(c schedule.Clock) string {
	var said template.HTML
	days := w.and(numbers(c.Days))
	weekdays := w.weekdays(c.Weekdays)
	switch {
	case days != "" && weekdays != "":
		said = w.count(len(c.Days), "on day %[2]s of the month and %[3]s", "on the days %[2]s of the month and %[3]s", days, weekdays)
	case days != "" && len(c.Months) == 0:
		said = w.count(len(c.Days), "on day %[2]s of every month", "on the days %[2]s of every month", days)
	case days != "":
		said = w.count(len(c.Days), "on day %[2]s", "on the days %[2]s", days)
	case weekdays != "":
		said = template.HTML(weekdays) //nolint:gosec // G203: its own words
	case len(c.Months) > 0:
		said = w.say("every day")
	}
	if len(c.Months) > 0 {
		var months []string
		for _, month := range c.Months {
			months = append(months, w.language.Month(month))
		}
		said = w.say("%s in %s", said, w.and(months))
	}
	return string(said)
}

// weekdays names days of the week, the first being Monday; blank: every one.
func (w *words) weekdays(of []time.Weekday) string {
	const week = 7
	days := make([]int, len(of))
	for i, day := range of {
		days[i] = (int(day) + week - 1) % week
	}
	slices.Sort(days)
	var names []string
	for _, day := range days {
		names = append(names, w.language.Weekday(time.Weekday((day+1)%week)))
	}
	switch by, steady := step(days); {
	case len(days) == 0:
		return ""
	case steady && by == 1 && len(days) > 2:
		return string(w.say("%s to %s", names[0], names[len(names)-1]))
	}
	return string(w.say("every %s", w.and(names)))
}

// clock returns a time of the day.
func (w *words) clock(hour, minute int) string {
	return time.Date(0, 1, 1, hour, minute, 0, 0, time.UTC).Format(w.language.Hour())
}

// and joins words to a list.
func (w *words) and(list []string) string {
	if len(list) < 2 {
		return strings.Join(list, "")
	}
	last := len(list) - 1
	return string(w.say("%s and %s", template.HTML(strings.Join(list[:last], ", ")), template.HTML(list[last]))) //nolint:gosec // G203: numbers and its own words
}

func numbers(list []int) (texts []string) {
	for _, n := range list {
		texts = append(texts, strconv.Itoa(n))
	}
	return texts
}

// wall returns a time as the clock on the wall of a zone shows it, with the day of the week, wherever its
// reader is.
func (w *words) wall(at time.Time, zone *time.Location) template.HTML {
	there := at.In(zone)
	return w.time(at, "wall", w.language.Weekday(there.Weekday())+"\u00a0"+w.language.LongMoment(there, there.Format("MST")))
}
