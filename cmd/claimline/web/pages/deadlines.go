package pages

import (
	"html/template"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/claimline/claimline/cmd/claimline/calendar"
	"github.com/claimline/claimline/cmd/claimline/web/desk"
	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/schema"
)

func (p *Pages) registerDeadlines() {
	p.page("GET /deadlines", schema.RoleViewer, p.showDeadlines)
	p.page("GET /deadlines.ics", schema.RoleViewer, p.downloadCalendar)
}

// monthPage is what is due in a month, day by day.
type monthPage struct {
	Month    time.Time // its first day; zero: nothing is due
	Weeks    [][]calendarDay
	Days     []calendarDay // on which something is due
	Due      int           // in the month
	Earlier  string        // month before, in which something may be due; blank: there is none
	Later    string        // month in which something is due next; blank: nothing is
	Weekdays []string
}

// calendarDay is a day of a calendar.
type calendarDay struct {
	Day     time.Time
	Outside bool // it is of another month, and there to fill a week
	Today   bool
	Kinds   []kindDue
	First   []schema.Deadline // the first few; of days on which much else is due before, none
	Count   int
}

// Key returns the day as addresses have it.
func (d calendarDay) Key() string { return d.Day.Format(time.DateOnly) }

// kindDue is how many things of a kind are due on a day.
type kindDue struct {
	Kind  schema.DeadlineKind
	Count int
}

const (
	deadlinesListed = 500 // of a month, at most, to find the first of each day
	deadlinesShown  = 100 // of a day, on a page
	firstShown      = 5   // of a day, in its month
	monthForm       = "2006-01"
)

// showDeadlines shows one day, or the month of the next deadline where the reader asks for none.
func (p *Pages) showDeadlines(e *exchange) error {
	query := e.r.URL.Query()
	if day, err := time.Parse(time.DateOnly, query.Get("day")); err == nil {
		return p.showDay(e, dayIn(day, 0, p.Location))
	}
	month, err := time.Parse(monthForm, query.Get("month"))
	if err != nil {
		next, _, _, err := p.People.FirstDeadlines(e.r.Context(), e.organization.ID, store.DeadlineMark{}, 1)
		if err != nil {
			return err
		}
		if len(next) == 0 {
			return e.show(http.StatusOK, "deadlines", &monthPage{})
		}
		month = next[0].DueAt.In(p.Location)
	}
	return p.showMonth(e, dayIn(month, 1-month.Day(), p.Location))
}

// dayIn returns when the day of a date begins, or one so many days later: at midnight, or an hour after where
// the clocks are put forward just then.
func dayIn(date time.Time, later int, where *time.Location) time.Time {
	y, m, d := date.Date()
	begins := time.Date(y, m, d+later, 0, 0, 0, 0, where)
	if begins.Day() != time.Date(y, m, d+later, 0, 0, 0, 0, time.UTC).Day() { // still the day before
		begins = begins.Add(time.Hour)
	}
	return begins
}

// before returns the mark before all that is due from a moment on.
func before(at time.Time) store.DeadlineMark {
	return store.DeadlineMark{DueAt: at.Add(-time.Nanosecond)}
}

// showMonth shows a month.
func (p *Pages) showMonth(e *exchange, month time.Time) error {
	ctx, id := e.r.Context(), e.organization.ID
	now := p.Flow.Now().In(p.Location)
	page := &monthPage{Month: month}
	bounds := []time.Time{month}
	for end := month; end.Month() == month.Month(); {
		end = dayIn(month, len(bounds), p.Location)
		bounds = append(bounds, end)
	}
	end := bounds[len(bounds)-1]
	counts, err := p.People.CountDeadlines(ctx, id, bounds)
	if err != nil {
		return err
	}
	days := map[string]*calendarDay{}
	for i, kinds := range counts {
		if len(kinds) == 0 {
			continue
		}
		day := &calendarDay{}
		for _, kind := range slices.Sorted(maps.Keys(kinds)) {
			day.Kinds = append(day.Kinds, kindDue{kind, kinds[kind]})
			day.Count += kinds[kind]
		}
		page.Due += day.Count
		days[bounds[i].Format(time.DateOnly)] = day
	}
	if page.Due > 0 {
		found, _, _, err := p.People.FirstDeadlines(ctx, id, before(month), min(page.Due, deadlinesListed))
		if err != nil {
			return err
		}
		for _, d := range found {
			day := days[d.DueAt.In(p.Location).Format(time.DateOnly)]
			if day != nil && len(day.First) < firstShown { // nil: it has become due only now
				day.First = append(day.First, d)
			}
		}
	}
	next, _, _, err := p.People.FirstDeadlines(ctx, id, before(end), 1)
	if err != nil {
		return err
	}
	if len(next) > 0 {
		page.Later = next[0].DueAt.In(p.Location).Format(monthForm)
	}
	if month.After(now) {
		page.Earlier = month.AddDate(0, -1, 0).Format(monthForm)
	}
	page.lay(days, now)
	for day := range 7 {
		page.Weekdays = append(page.Weekdays, e.words.language.Weekday(time.Weekday((day+1)%7)))
	}
	return e.show(http.StatusOK, "deadlines", page)
}

// lay lays the days of the month out in weeks, which begin on Mondays.
func (m *monthPage) lay(days map[string]*calendarDay, now time.Time) {
	const week = 7
	before := (int(m.Month.Weekday()) + week - 1) % week // days of the month before
	for n := -before; n <= 0 || dayIn(m.Month, n, m.Month.Location()).Month() == m.Month.Month(); {
		var row []calendarDay
		for range week {
			at := dayIn(m.Month, n, m.Month.Location())
			day := calendarDay{Day: at, Outside: at.Month() != m.Month.Month(), Today: at.Format(time.DateOnly) == now.Format(time.DateOnly)}
			if due := days[day.Key()]; due != nil {
				day.Kinds, day.First, day.Count = due.Kinds, due.First, due.Count
				m.Days = append(m.Days, day)
			}
			row = append(row, day)
			n++
		}
		m.Weeks = append(m.Weeks, row)
	}
}

// dayPage is what is due on one day, page by page.
type dayPage struct {
	Day   time.Time
	Month string
	Due   []schema.Deadline
	Next  string // what to ask for to see more; blank: there is no more
	Later bool   // the page is not the first of the day
}

func (p *Pages) showDay(e *exchange, day time.Time) error {
	query := e.r.URL.Query()
	page, mark := dayPage{Day: day, Month: day.Format(monthForm)}, before(day)
	if at, err := time.Parse(time.RFC3339, query.Get("at")); err == nil && dayIn(at.In(p.Location), 0, p.Location).Equal(day) {
		mark = store.DeadlineMark{DueAt: at, Key: query.Get("key"), Kind: schema.DeadlineKind(query.Get("kind"))}
		page.Later = true
	}
	found, last, more, err := p.People.FirstDeadlines(e.r.Context(), e.organization.ID, mark, deadlinesShown)
	if err != nil {
		return err
	}
	end := dayIn(day, 1, p.Location)
	for _, d := range found {
		if !d.DueAt.Before(end) {
			more = false
			break
		}
		page.Due = append(page.Due, d)
	}
	if more {
		page.Next = "/deadlines?" + url.Values{
			"day": {day.Format(time.DateOnly)}, "at": {last.DueAt.UTC().Format(time.RFC3339)}, "key": {last.Key}, "kind": {string(last.Kind)},
		}.Encode()
	}
	return e.show(http.StatusOK, "day", page)
}

// downloadCalendar hands out what is due as a calendar file.
func (p *Pages) downloadCalendar(e *exchange) error {
	due, err := calendar.Collect(e.r.Context(), p.People, e.organization.ID, time.Time{})
	if err != nil {
		return err
	}
	defer func() { _ = due.Close() }()
	file, err := desk.NewDownload(func(to io.Writer) error {
		return calendar.Write(to, e.organization, due.Each, p.Flow.Now(), p.Location, e.words.language)
	})
	if err != nil {
		return err
	}
	defer file.Close()
	return file.Send(e.w, e.r, "text/calendar; charset=utf-8", "deadlines.ics")
}

// monthText names a month.
func (w *words) monthText(at time.Time) template.HTML {
	return w.plain(w.language.Month(at.Month()) + " " + at.Format("2006"))
}

// kinds says how many things of a kind are due.
func (w *words) kinds(k kindDue) template.HTML {
	switch k.Kind {
	case schema.DeadlineDecision:
		return w.count(k.Count, "%d delayed claim completes by itself", "%d delayed claims complete by themselves")
	case schema.DeadlineRetract:
		return w.count(k.Count, "%d claim can be taken back no longer", "%d claims can be taken back no longer")
	}
	return w.count(k.Count, "%d inactive user is removed", "%d inactive users are removed")
}
