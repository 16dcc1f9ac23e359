package pages

import (
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/claimline/claimline/pipeline/schedule"
	catalogue "github.com/claimline/claimline/pipeline/words"
	"github.com/claimline/claimline/schema"
)

// A schedule is added in two steps: a form, and its answers to check, with the box that agrees to the claims
// of every run. Names of schedules are all that follows /schedules/, so the form has no path of its own.
func (p *Pages) registerSchedules() {
	p.handle("GET /schedules", func(e *exchange) error {
		if e.r.URL.Query().Has("add") {
			return p.admit(schema.RoleAdmin, p.newSchedule)(e)
		}
		return p.admit(schema.RoleViewer, p.listSchedules)(e)
	})
	p.page("POST /schedules", schema.RoleAdmin, p.addSchedule)
	p.page("GET /schedules/{name}", schema.RoleViewer, func(e *exchange) error { return p.showSchedule(e, http.StatusOK, nil) })
	p.page("POST /schedules/{name}/run", schema.RoleAdmin, p.onSchedule("run", func(e *exchange, name string) error {
		_, err := p.Schedules.RunSoon(e.r.Context(), e.organization.ID, name)
		return err
	}))
	for what, paused := range map[string]bool{"pause": true, "unpause": false} {
		p.page("POST /schedules/{name}/"+what, schema.RoleAdmin, p.onSchedule(what, func(e *exchange, name string) error {
			_, err := p.Schedules.Pause(e.r.Context(), e.organization.ID, name, paused)
			return err
		}))
	}
	p.page("GET /schedules/{name}/remove", schema.RoleAdmin, p.askRemoveSchedule)
	p.page("POST /schedules/{name}/remove", schema.RoleAdmin, p.removeSchedule)
}

// scheduleView is a schedule as pages show it.
type scheduleView struct {
	schema.Schedule
	Due template.HTML // when, in words
}

// Path returns the path of the schedule's page.
func (v scheduleView) Path() string { return schedulePath(v.Name) }

// Place returns the file or folder.
func (v scheduleView) Place() string { return v.File + v.Dir }

func schedulePath(name string) string { return "/schedules/" + url.PathEscape(name) }

// viewSchedule returns a schedule as pages show it. What it was when it was added it may not be any more: a
// zone that the system forgot leaves no times to tell of.
func (e *exchange) viewSchedule(s schema.Schedule) scheduleView {
	v := scheduleView{Schedule: s}
	if when, err := schedule.NewWhen(s.Cron, s.Zone); err == nil {
		v.Due = e.words.due(when.Clock())
	}
	return v
}

// schedulesPage is the list of schedules.
type schedulesPage struct {
	Schedules []scheduleView
	Removed   string // the name of the one that has just been removed
}

func (p *Pages) listSchedules(e *exchange) error {
	found, err := p.Flow.Store.Schedules(e.r.Context(), e.organization.ID)
	if err != nil {
		return err
	}
	page := schedulesPage{Removed: e.r.URL.Query().Get("removed")}
	for i := range found {
		page.Schedules = append(page.Schedules, e.viewSchedule(found[i]))
	}
	return e.show(http.StatusOK, "schedules", page)
}

// schedulePage is all about one schedule.
type schedulePage struct {
	scheduleView
	Next    []template.HTML // when it is due, the next times
	Runs    []runView
	Older   string // what to ask for to see older runs; blank: there are none
	Later   bool   // the runs are not the newest
	Done    string // what has just been done
	Waits   bool   // a plan waits for somebody's decision
	Refused *refusal
}

// runView is a run as pages show it.
type runView struct {
	schema.ScheduleRun
	Why     string
	English bool // so it is said, on a page in another language
}

const (
	runsShown  = 25
	timesShown = 3
)

func (p *Pages) showSchedule(e *exchange, status int, refused *refusal) error {
	ctx, query := e.r.Context(), e.r.URL.Query()
	s, err := p.Flow.Store.Schedule(ctx, e.organization.ID, e.r.PathValue("name"))
	if err != nil {
		return err
	}
	page := schedulePage{scheduleView: e.viewSchedule(s), Done: query.Get("done"), Refused: refused}
	before, _ := strconv.ParseInt(query.Get("before"), 10, 64) // what is no number is the newest
	page.Later = before > 0
	runs, err := p.Flow.Store.Runs(ctx, e.organization.ID, s.Name, max(before, 0), runsShown+1)
	if err != nil {
		return err
	}
	if len(runs) > runsShown {
		runs = runs[:runsShown]
		page.Older = "?before=" + strconv.FormatInt(runs[len(runs)-1].ID, 10) + "#runs"
	}
	for _, run := range runs {
		page.Runs = append(page.Runs, e.viewRun(run))
	}
	page.Waits = s.LastRun != nil && s.LastRun.State == schema.RunWaiting
	if !s.Paused {
		page.Next = e.nextTimes(s, s.NextRunAt)
	}
	return e.show(status, "schedule", page)
}

// nextTimes returns the next times at which a schedule is due, the first of which may be known.
func (e *exchange) nextTimes(s schema.Schedule, first time.Time) (times []template.HTML) {
	when, err := schedule.NewWhen(s.Cron, s.Zone)
	if err != nil {
		return nil
	}
	zone, err := time.LoadLocation(s.Zone)
	if err != nil {
		return nil
	}
	at := first
	if at.IsZero() {
		at = when.Next(e.pages.Flow.Now())
	}
	for ; len(times) < timesShown; at = when.Next(at) {
		times = append(times, e.words.wall(at, zone))
	}
	return times
}

func (e *exchange) viewRun(run schema.ScheduleRun) runView {
	v := runView{ScheduleRun: run, Why: run.Message}
	if run.Code == "" || e.words.language == catalogue.English {
		return v
	}
	if run.State == schema.RunWaiting {
		v.Why = string(e.words.say("The plan waits for somebody to agree."))
		return v
	}
	if message, _ := e.words.problem(run.Code); message != run.Code.Message("") {
		v.Why = message
	} else {
		v.English = true
	}
	return v
}

// onSchedule does something with a schedule, and shows it.
func (p *Pages) onSchedule(what string, do func(e *exchange, name string) error) handler {
	return func(e *exchange) error {
		name := e.r.PathValue("name")
		if err := do(e, name); err != nil {
			said := e.words.refusalOf(err)
			if said.Status >= http.StatusInternalServerError || said.Code == schema.CodeScheduleNotFound {
				return err
			}
			return p.showSchedule(e, said.Status, &said)
		}
		p.Wake(e.r.Context())
		return e.redirect(schedulePath(name) + "?done=" + what)
	}
}

func (p *Pages) askRemoveSchedule(e *exchange) error {
	s, err := p.Flow.Store.Schedule(e.r.Context(), e.organization.ID, e.r.PathValue("name"))
	if err != nil {
		return err
	}
	return e.ask(question{
		Back: schedulePath(s.Name), Where: e.words.say("Schedule %s", s.Name), Title: e.words.say("Do you want to remove the schedule %s?", s.Name),
		Says: []template.HTML{
			e.words.say("It does not run any more, and its list of runs is deleted. Its imports and their claims stay."),
			e.words.say("To stop it for a while only, pause it."),
		},
		Grave: true, Action: schedulePath(s.Name) + "/remove", Yes: e.words.say("Yes, remove the schedule"), No: e.words.say("No, keep the schedule"),
	})
}

func (p *Pages) removeSchedule(e *exchange) error {
	name := e.r.PathValue("name")
	if err := p.Flow.Store.RemoveSchedule(e.r.Context(), e.organization.ID, name); err != nil {
		return err
	}
	return e.redirect("/schedules?" + url.Values{"removed": {name}}.Encode())
}

// scheduleForm is a schedule that is being added: what was typed, and what it means.
type scheduleForm struct {
	Name, Cron, Zone, Kind, Path, MaxClaims, Notify, ActivationEmails string
	AcceptEdits, AllOrNothing                                         bool
	Encoding, Columns, Ignored                                        string
	EveryRow, NoEdits                                                 bool

	Folders  []string // below which files may be
	Examples []example
	Wrong    mistakes

	Schedule scheduleView // to check
	Next     []template.HTML
	Files    int  // that there are now
	Unread   bool // nobody could look
	Mails    bool // activation mails, as the organization has them
	Unagreed bool // the box was not ticked
}

// example is an expression with what it means.
type example struct {
	Cron string
	Due  template.HTML
}

// kindFolder is the kind of a path that is a folder.
const kindFolder = "dir"

var examples = []string{"0 3 * * *", "30 6 * * mon-fri", "0 8-17 * * mon-fri", "0 5 1 * *"}

// The steps of the form.
const (
	stepChange = "change"
	stepAdd    = "add"
)

func (p *Pages) newSchedule(e *exchange) error {
	form := scheduleForm{Kind: kindFolder}
	if p.Location != time.Local {
		form.Zone = p.Location.String()
	}
	if len(p.Schedules.Folders) == 1 {
		form.Path = p.Schedules.Folders[0]
	}
	return p.askSchedule(e, &form)
}

// askSchedule shows the form.
func (p *Pages) askSchedule(e *exchange, form *scheduleForm) error {
	form.Folders = p.Schedules.Folders
	for _, cron := range examples {
		when, err := schedule.NewWhen(cron, time.UTC.String())
		if err != nil {
			return fmt.Errorf("explain an example: %w", err)
		}
		form.Examples = append(form.Examples, example{cron, e.words.due(when.Clock())})
	}
	return e.show(form.Wrong.status(), "newschedule", form)
}

// addSchedule takes the form, has its answers checked, and adds the schedule once somebody has agreed to it.
func (p *Pages) addSchedule(e *exchange) error {
	typed := e.r.PostForm
	form := scheduleForm{
		Name: strings.TrimSpace(typed.Get("name")), Cron: strings.TrimSpace(typed.Get("cron")), Zone: strings.TrimSpace(typed.Get("zone")), Kind: typed.Get("kind"),
		Path: strings.TrimSpace(typed.Get("path")), MaxClaims: strings.TrimSpace(typed.Get("max_claims")), Notify: typed.Get("notify"),
		ActivationEmails: typed.Get("activation_emails"), AcceptEdits: typed.Get("accept_edits") != "", AllOrNothing: typed.Get("all_or_nothing") != "",
		Encoding: strings.TrimSpace(typed.Get("encoding")), Columns: typed.Get("columns"), Ignored: typed.Get("ignore_columns"),
		EveryRow: typed.Get("every_row") != "", NoEdits: typed.Get("no_edits") != "",
	}
	if typed.Get("step") == stepChange {
		return p.askSchedule(e, &form)
	}
	s, err := p.readSchedule(e, &form)
	if err != nil {
		return err
	}
	if len(form.Wrong) > 0 {
		return p.askSchedule(e, &form)
	}
	if typed.Get("step") != stepAdd || typed.Get("accept_permanent") == "" {
		form.Unagreed = typed.Get("step") == stepAdd
		return p.checkSchedule(e, &form, s)
	}
	s.ConsentedBy = e.token.Name
	added, err := p.Schedules.Add(e.r.Context(), s)
	if schema.CodeOf(err) == schema.CodeScheduleExists { // since it was looked for
		form.Wrong = mistakes{e.words.scheduleMistake(schedule.PartName, err, &form)}
		return p.askSchedule(e, &form)
	} else if err != nil {
		return err
	}
	p.Wake(e.r.Context())
	return e.redirect(schedulePath(added.Name) + "?done=add")
}

// readSchedule returns the schedule that was typed, and notes what is wrong with it.
func (p *Pages) readSchedule(e *exchange, form *scheduleForm) (schema.Schedule, error) {
	s := schema.Schedule{
		OrganizationID: e.organization.ID, Name: form.Name, Cron: form.Cron, Zone: form.Zone, Notify: addresses(form.Notify),
		AcceptEdits: form.AcceptEdits, AllOrNothing: form.AllOrNothing, Confined: true,
		Reading: schema.Reading{
			Encoding: form.Encoding, Columns: filledLines(form.Columns), IgnoreColumns: filledLines(form.Ignored), EveryRow: form.EveryRow, NoEdits: form.NoEdits,
		},
	}
	if form.ActivationEmails != "" {
		s.ActivationEmails = new(form.ActivationEmails == "on")
	}
	if s.File = form.Path; form.Kind == kindFolder {
		s.File, s.Dir = "", form.Path
	}
	s.MaxClaims, _ = parseCount(e, form.MaxClaims) // what is no number is too few
	_, faults := p.Schedules.Check(&s)
	if _, err := p.Flow.Store.Schedule(e.r.Context(), s.OrganizationID, s.Name); err == nil {
		faults = append([]schedule.Fault{{Part: schedule.PartName, Err: &schema.Error{Code: schema.CodeScheduleExists}}}, faults...)
	} else if schema.CodeOf(err) != schema.CodeScheduleNotFound {
		return s, err
	}
	for _, fault := range faults {
		form.Wrong = append(form.Wrong, e.words.scheduleMistake(fault.Part, fault.Err, form))
	}
	return s, nil
}

// Reads reports whether something is said of how files are to be read.
func (f *scheduleForm) Reads() bool {
	return f.Encoding+f.Columns+f.Ignored != "" || f.EveryRow || f.NoEdits
}

// checkSchedule shows the answers, for somebody to agree to.
func (p *Pages) checkSchedule(e *exchange, form *scheduleForm, s schema.Schedule) error {
	form.Schedule, form.Next, form.Mails = e.viewSchedule(s), e.nextTimes(s, time.Time{}), e.organization.ActivationEmails
	var err error
	form.Files, err = schedule.Look(s)
	form.Unread = err != nil
	status := http.StatusOK
	if form.Unagreed {
		status = schema.CodeConsentMissing.Status()
	}
	return e.show(status, "checkschedule", form)
}

// scheduleMistake says what is wrong with a part of a schedule, and how to mend it.
func (w *words) scheduleMistake(part schedule.Part, err error, form *scheduleForm) mistake {
	m := mistake{Field: string(part), Code: schema.CodeOf(err)}
	switch part {
	case schedule.PartName:
		m.Fix = w.say("Choose a name of letters, digits, blanks and -_. with at most 64 characters, as in nightly.")
		switch {
		case m.Code == schema.CodeScheduleExists:
			m.Message, m.Fix = w.say("There is a schedule %s already.", form.Name), w.say("Choose another name.")
		case form.Name == "":
			m.Message = w.say("The schedule has no name.")
		default:
			m.Message = w.say("A schedule cannot have this name.")
		}
	case schedule.PartCron:
		m.Message, m.Fix = w.say("This time is not understood, or never comes."), w.say("Write minute, hour, day, month and weekday, as in 0 3 * * mon-fri; or a name such as @daily.")
		if form.Cron == "" {
			m.Message = w.say("Nothing says when it runs.")
		}
	case schedule.PartZone:
		m.Message, m.Fix = w.say("There is no such time zone."), w.say("Write it as in Europe/Stockholm, or UTC.")
	case schedule.PartMaxClaims:
		m.Message, m.Fix = w.say("A run has to be allowed to claim at least one user."), w.say("Write how many users one run may claim at most, as in 100.")
	case schedule.PartPath:
		m.Message, m.Fix = w.say("This is not below a folder that schedules may read."), w.say("Write the whole path of a file or folder below one of those named here.")
		if form.Path == "" {
			m.Message = w.say("Nothing says what it imports.")
		}
	case schedule.PartEncoding:
		m.Message, m.Fix = w.say("No encoding has this name."), w.say("Write it as in windows-1252 or macintosh, or leave it blank.")
	case schedule.PartColumns:
		m.Message, m.Fix = w.say("It is not certain what is said of the columns."), w.say("Write one column a line, each once, as in Email address=User ID/Email.")
	case schedule.PartNotify:
		m.Message, m.Fix = w.say("One of these is no e-mail address."), w.say("Write each as name@example.com, with a blank or a comma between them.")
		if m.Code == schema.CodeScheduleInvalid {
			m.Message, m.Fix = w.say("An address is there twice."), w.say("Write each address once.")
		}
	}
	return m
}
