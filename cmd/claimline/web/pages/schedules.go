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

// registerSchedules registers the pages of schedules. One is added, and changed, in two steps: a form, and
// its answers to check, with the box that agrees to the claims of every run. Names of schedules are all that
// follows /schedules/, so the form of a new one has no path of its own.
func (p *Pages) registerSchedules() {
	p.handle("GET /schedules", func(e *exchange) error {
		if e.r.URL.Query().Has("add") {
			return p.admit(schema.RoleAdmin, p.newSchedule)(e)
		}
		return p.admit(schema.RoleViewer, p.listSchedules)(e)
	})
	p.page("POST /schedules", schema.RoleAdmin, p.addSchedule)
	p.page("GET /schedules/{name}/change", schema.RoleAdmin, p.editSchedule)
	p.page("POST /schedules/{name}/change", schema.RoleAdmin, p.changeSchedule)
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
	Why string
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

// viewRun returns a run as pages show it. Why a plan waits is kept in English only; pages in other languages
// say that it does.
func (e *exchange) viewRun(run schema.ScheduleRun) runView {
	v := runView{ScheduleRun: run, Why: run.Message}
	switch {
	case run.Code == "" || e.words.language == catalogue.English:
	case run.State == schema.RunWaiting:
		v.Why = string(e.words.say("The plan waits for somebody to agree."))
	default:
		v.Why = e.words.language.Kept(run.Code, run.Message)
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

// scheduleForm is a schedule that is being added or changed: what was typed, and what it means.
type scheduleForm struct {
	Name, Cron, Zone, Kind, Path, MaxClaims, Notify, ActivationEmails string
	AcceptEdits, AllOrNothing                                         bool
	Encoding, Sheet, Columns, Ignored                                 string
	EveryRow, NoEdits                                                 bool

	Changes  bool     // there is the schedule already
	Folders  []string // below which files may be
	Examples []example
	Wrong    mistakes

	Schedule scheduleView // to check
	Next     []template.HTML
	Files    int  // that there are now
	Unread   bool // nobody could look
	Mails    bool // activation mails, as the organization has them
	Asks     bool // it has to be agreed to
	Unagreed bool // the box was not ticked
}

// Action returns the path to which the form is posted.
func (f *scheduleForm) Action() string {
	if f.Changes {
		return schedulePath(f.Name) + "/change"
	}
	return "/schedules"
}

// texts returns the texts of the form by the names of their fields.
func (f *scheduleForm) texts() map[string]*string {
	return map[string]*string{
		"name": &f.Name, "cron": &f.Cron, "zone": &f.Zone, "kind": &f.Kind, "path": &f.Path, "max_claims": &f.MaxClaims, "notify": &f.Notify,
		"activation_emails": &f.ActivationEmails, "encoding": &f.Encoding, "sheet": &f.Sheet, "columns": &f.Columns, "ignore_columns": &f.Ignored,
	}
}

// boxes returns what is ticked in the form by the names of the boxes.
func (f *scheduleForm) boxes() map[string]*bool {
	return map[string]*bool{"accept_edits": &f.AcceptEdits, "all_or_nothing": &f.AllOrNothing, "every_row": &f.EveryRow, "no_edits": &f.NoEdits}
}

// Fields returns the form as fields that bear it on.
func (f *scheduleForm) Fields() map[string]string {
	fields := map[string]string{}
	for name, text := range f.texts() {
		fields[name] = *text
	}
	for name, ticked := range f.boxes() {
		if *ticked {
			fields[name] = "yes"
		}
	}
	return fields
}

// typedSchedule returns the form as it was typed.
func typedSchedule(typed url.Values) *scheduleForm {
	form := &scheduleForm{}
	for name, text := range form.texts() {
		*text = strings.TrimSpace(typed.Get(name))
	}
	for name, ticked := range form.boxes() {
		*ticked = typed.Get(name) != ""
	}
	return form
}

// example is an expression with what it means.
type example struct {
	Cron string
	Due  template.HTML
}

// What the form calls things: the kinds of a path, and a switch that is not left as the organization has it.
const (
	kindFile   = "file"
	kindFolder = "dir"
	switchOn   = "on"
	switchOff  = "off"
)

var examples = []string{"0 3 * * *", "30 6 * * mon-fri", "0 8-17 * * mon-fri", "0 5 1 * *"}

// The steps of the form.
const (
	stepChange = "change" // the answers
	stepAdd    = "add"    // the schedule, or what is changed of it
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
	form := typedSchedule(e.r.PostForm)
	if e.r.PostForm.Get("step") == stepChange {
		return p.askSchedule(e, form)
	}
	s := schema.Schedule{OrganizationID: e.organization.ID, Name: form.Name}
	p.readSchedule(e, form, &s)
	if _, err := p.Flow.Store.Schedule(e.r.Context(), s.OrganizationID, s.Name); err == nil {
		exists := e.words.scheduleMistake(schedule.PartName, &schema.Error{Code: schema.CodeScheduleExists}, form)
		form.Wrong = append(mistakes{exists}, form.Wrong...)
	} else if schema.CodeOf(err) != schema.CodeScheduleNotFound {
		return err
	}
	form.Asks = true
	if checked, err := p.checkSchedule(e, form, s); !checked {
		return err
	}
	s.ConsentedBy = e.token.Name
	added, err := p.Schedules.Add(e.r.Context(), s)
	if schema.CodeOf(err) == schema.CodeScheduleExists { // since it was looked for
		form.Wrong = mistakes{e.words.scheduleMistake(schedule.PartName, err, form)}
		return p.askSchedule(e, form)
	} else if err != nil {
		return err
	}
	p.Wake(e.r.Context())
	return e.redirect(schedulePath(added.Name) + "?done=add")
}

// editSchedule shows the form of a schedule, as it is.
func (p *Pages) editSchedule(e *exchange) error {
	s, err := p.Flow.Store.Schedule(e.r.Context(), e.organization.ID, e.r.PathValue("name"))
	if err != nil {
		return err
	}
	form := &scheduleForm{
		Changes: true, Name: s.Name, Cron: s.Cron, Zone: s.Zone, Path: s.File + s.Dir, MaxClaims: strconv.Itoa(s.MaxClaims), Notify: strings.Join(s.Notify, ", "),
		AcceptEdits: s.AcceptEdits, AllOrNothing: s.AllOrNothing,
		Encoding: s.Reading.Encoding, Sheet: s.Reading.Sheet, Columns: strings.Join(s.Reading.Columns, "\n"), Ignored: strings.Join(s.Reading.IgnoreColumns, "\n"),
		EveryRow: s.Reading.EveryRow, NoEdits: s.Reading.NoEdits,
	}
	if form.Kind = kindFile; s.Dir != "" {
		form.Kind = kindFolder
	}
	if s.ActivationEmails != nil {
		form.ActivationEmails = map[bool]string{true: switchOn, false: switchOff}[*s.ActivationEmails]
	}
	return p.askSchedule(e, form)
}

// changeSchedule takes the form of a schedule, has its answers checked, and changes it; where it could claim
// more then, or others, once somebody has agreed to that.
func (p *Pages) changeSchedule(e *exchange) error {
	ctx := e.r.Context()
	was, err := p.Flow.Store.Schedule(ctx, e.organization.ID, e.r.PathValue("name"))
	if err != nil {
		return err
	}
	form := typedSchedule(e.r.PostForm)
	form.Changes, form.Name = true, was.Name
	if e.r.PostForm.Get("step") == stepChange {
		return p.askSchedule(e, form)
	}
	s := was
	p.readSchedule(e, form, &s)
	form.Asks = schedule.ClaimsMore(was, s)
	if checked, err := p.checkSchedule(e, form, s); !checked {
		return err
	}
	by := ""
	if form.Asks {
		by = e.token.Name
	}
	_, err = p.Schedules.Change(ctx, s.OrganizationID, s.Name, by, func(is *schema.Schedule) { p.readSchedule(e, form, is) })
	if schema.CodeOf(err) == schema.CodeConsentMissing { // it was changed meanwhile
		form.Asks, form.Unagreed = true, true
		return p.showChecked(e, form, s)
	} else if err != nil {
		return err
	}
	p.Wake(ctx)
	return e.redirect(schedulePath(s.Name) + "?done=change")
}

// readSchedule makes a schedule what was typed, and notes what is wrong with that. A file or folder that was
// not there before has to be below a folder that schedules may read.
func (p *Pages) readSchedule(e *exchange, form *scheduleForm, s *schema.Schedule) {
	file, dir := form.Path, ""
	if form.Kind == kindFolder {
		file, dir = "", form.Path
	}
	s.Confined = s.Confined || s.ID == 0 || s.File != file || s.Dir != dir
	s.Cron, s.Zone, s.File, s.Dir, s.Notify = form.Cron, form.Zone, file, dir, addresses(form.Notify)
	s.AcceptEdits, s.AllOrNothing, s.ActivationEmails = form.AcceptEdits, form.AllOrNothing, nil
	if form.ActivationEmails != "" {
		s.ActivationEmails = new(form.ActivationEmails == switchOn)
	}
	s.Reading = schema.Reading{
		Encoding: form.Encoding, Sheet: form.Sheet, Columns: filledLines(form.Columns), IgnoreColumns: filledLines(form.Ignored), EveryRow: form.EveryRow, NoEdits: form.NoEdits,
	}
	s.MaxClaims, _ = parseCount(e, form.MaxClaims) // what is no number is too few
	_, faults := p.Schedules.Check(s)
	form.Wrong = nil
	for _, fault := range faults {
		form.Wrong = append(form.Wrong, e.words.scheduleMistake(fault.Part, fault.Err, form))
	}
}

// checkSchedule reports whether the answers of a form are right and checked, and agreed to where that is
// asked. Else it has shown what is wrong with them, or what there is to check.
func (p *Pages) checkSchedule(e *exchange, form *scheduleForm, s schema.Schedule) (checked bool, err error) {
	step, agrees := e.r.PostForm.Get("step"), e.r.PostForm.Get("accept_permanent") != ""
	switch {
	case len(form.Wrong) > 0:
		return false, p.askSchedule(e, form)
	case step == stepAdd && (agrees || !form.Asks):
		return true, nil
	}
	form.Unagreed = step == stepAdd
	return false, p.showChecked(e, form, s)
}

// Reads reports whether something is said of how files are to be read.
func (f *scheduleForm) Reads() bool {
	return f.Encoding+f.Sheet+f.Columns+f.Ignored != "" || f.EveryRow || f.NoEdits
}

// showChecked shows the answers, for somebody to agree to.
func (p *Pages) showChecked(e *exchange, form *scheduleForm, s schema.Schedule) error {
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
