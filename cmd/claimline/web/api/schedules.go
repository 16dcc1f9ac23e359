package api

import (
	"context"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"github.com/claimline/claimline/cmd/claimline/web/auth"
	"github.com/claimline/claimline/schema"
)

const schedules = "schedules" // the tag

func (a *API) registerSchedules() {
	op := func(id, method, path, summary string) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: "/schedules" + path, Summary: summary, Tags: []string{schedules}}
	}
	register(a, schema.RoleViewer, op("list-schedules", http.MethodGet, "", "List the schedules"), a.listSchedules)
	add := op("add-schedule", http.MethodPost, "", "Add a schedule, and agree to its claims: they are permanent")
	add.DefaultStatus = http.StatusCreated
	add.Description = "It may only name what lies below the folders that the service is set up with."
	register(a, schema.RoleAdmin, add, a.addSchedule)
	register(a, schema.RoleViewer, op("get-schedule", http.MethodGet, "/{name}", "Show a schedule"), a.getSchedule)
	register(a, schema.RoleAdmin, op("change-schedule", http.MethodPatch, "/{name}", "Change a schedule; what is not there stays"), a.changeSchedule)
	remove := op("remove-schedule", http.MethodDelete, "/{name}", "Remove a schedule with its list of runs; its imports stay")
	remove.DefaultStatus = http.StatusNoContent
	register(a, schema.RoleAdmin, remove, a.removeSchedule)
	run := op("run-schedule", http.MethodPost, "/{name}/run", "Let a schedule be due now")
	run.DefaultStatus = http.StatusAccepted
	register(a, schema.RoleAdmin, run, a.runSchedule)
	register(a, schema.RoleViewer, op("list-runs", http.MethodGet, "/{name}/runs", "List the runs of a schedule, the newest first"), a.listRuns)
}

// SchedulePath names a schedule.
type SchedulePath struct {
	Name string `path:"name" doc:"name of the schedule"`
}

// Schedules is a list of schedules.
type Schedules struct {
	Schedules []schema.ScheduleView `json:"schedules"`
	Next      *string               `json:"next"`
}

// SchedulesRequest asks for schedules.
type SchedulesRequest struct{ Page }

func (a *API) listSchedules(ctx context.Context, in *SchedulesRequest) (*Answer[Schedules], error) {
	all, err := a.Flow.Store.Schedules(ctx, organization(ctx))
	if err != nil {
		return nil, err
	}
	part, next, err := paged(all, in.Page)
	list := Schedules{Schedules: make([]schema.ScheduleView, len(part)), Next: next}
	for i := range part {
		list.Schedules[i] = part[i].View()
	}
	return answer(list), err
}

// ScheduleRequest adds a schedule.
type ScheduleRequest struct {
	Body struct {
		Name             string   `json:"name"`
		Cron             string   `json:"cron" doc:"minute, hour, day, month and weekday, or a name such as @daily"`
		Zone             string   `json:"zone" required:"false" doc:"whose clock counts, as Europe/Stockholm; the service's where nothing is said"`
		File             *string  `json:"file" required:"false" nullable:"true" doc:"to import; it may be missing yet"`
		Dir              *string  `json:"dir" required:"false" nullable:"true" doc:"folder whose *.csv and *.xlsx files are imported"`
		MaxClaims        int      `json:"max_claims" doc:"users that one run may claim at most"`
		AllOrNothing     bool     `json:"all_or_nothing" required:"false" doc:"claim nobody of a file if any row has a problem"`
		ActivationEmails *bool    `json:"activation_emails" required:"false" nullable:"true" doc:"null: as the organization has it"`
		Notify           []string `json:"notify" required:"false" doc:"addresses that are told how each run ended"`
		Paused           bool     `json:"paused" required:"false"`
		AcceptPermanent  bool     `json:"accept_permanent" required:"false" doc:"the claims of every run are permanent"`
		AcceptEdits      bool     `json:"accept_edits" required:"false" doc:"many accounts get another name"`
		Encoding         *string  `json:"encoding" required:"false" nullable:"true" doc:"of the files, as windows-1252 or macintosh; null: it has to be certain"`
		Sheet            *string  `json:"sheet" required:"false" nullable:"true" doc:"of workbooks, its name; null: it has to be certain"`
		Column           []string `json:"column" required:"false" doc:"what columns are, each as Header=Column"`
		IgnoreColumn     []string `json:"ignore_column" required:"false" doc:"headers of columns that mean nothing"`
		EveryRow         bool     `json:"every_row" required:"false" doc:"a file without a column Claim claims every row"`
		NoEdits          bool     `json:"no_edits" required:"false" doc:"leave the accounts' data as it is"`
	}
}

func (a *API) addSchedule(ctx context.Context, in *ScheduleRequest) (*Stated[schema.ScheduleDetails], error) {
	body := &in.Body
	if !body.AcceptPermanent {
		return nil, (&schema.Error{Code: schema.CodeConsentMissing}).WithFix(`Say "accept_permanent": true, if you agree to the claims of every run.`)
	}
	s := schema.Schedule{
		OrganizationID: organization(ctx), Name: body.Name, Cron: body.Cron, Zone: body.Zone, MaxClaims: body.MaxClaims, AllOrNothing: body.AllOrNothing,
		ActivationEmails: body.ActivationEmails, Notify: body.Notify, AcceptEdits: body.AcceptEdits, Paused: body.Paused, Confined: true,
		ConsentedBy: auth.Of(ctx).Name,
		Reading:     schema.Reading{Columns: body.Column, IgnoreColumns: body.IgnoreColumn, EveryRow: body.EveryRow, NoEdits: body.NoEdits},
	}
	set(&s.Reading.Encoding, body.Encoding)
	set(&s.Reading.Sheet, body.Sheet)
	set(&s.File, body.File)
	set(&s.Dir, body.Dir)
	if s.Zone == "" {
		s.Zone = a.Location.String()
	}
	added, err := a.Schedules.Add(ctx, s)
	if err != nil {
		return nil, err
	}
	return &Stated[schema.ScheduleDetails]{Status: http.StatusCreated, Location: Prefix + "/schedules/" + added.Name, Body: added.Details()}, nil
}

func (a *API) getSchedule(ctx context.Context, in *SchedulePath) (*Answer[schema.ScheduleDetails], error) {
	s, err := a.Flow.Store.Schedule(ctx, organization(ctx), in.Name)
	return answer(s.Details()), err
}

// ScheduleChange changes a schedule.
type ScheduleChange struct {
	SchedulePath
	Body struct {
		Cron            *string   `json:"cron,omitempty"`
		Zone            *string   `json:"zone,omitempty"`
		File            *string   `json:"file,omitempty" doc:"instead of the file or folder before"`
		Dir             *string   `json:"dir,omitempty" doc:"instead of the file or folder before"`
		MaxClaims       *int      `json:"max_claims,omitempty"`
		AllOrNothing    *bool     `json:"all_or_nothing,omitempty"`
		Notify          *[]string `json:"notify,omitempty"`
		Paused          *bool     `json:"paused,omitempty"`
		AcceptPermanent bool      `json:"accept_permanent" required:"false" doc:"the claims of every run are permanent: needed where it could claim other users, or more of them"`
		AcceptEdits     *bool     `json:"accept_edits,omitempty" doc:"many accounts get another name"`
		Encoding        *string   `json:"encoding,omitempty" doc:"of the files, as windows-1252 or macintosh; empty: it has to be certain"`
		Sheet           *string   `json:"sheet,omitempty" doc:"of workbooks, its name; empty: it has to be certain"`
		Column          *[]string `json:"column,omitempty" doc:"what columns are, each as Header=Column; instead of all before"`
		IgnoreColumn    *[]string `json:"ignore_column,omitempty" doc:"headers of columns that mean nothing; instead of all before"`
		EveryRow        *bool     `json:"every_row,omitempty" doc:"a file without a column Claim claims every row"`
		NoEdits         *bool     `json:"no_edits,omitempty" doc:"leave the accounts' data as it is"`
	}
}

func (a *API) changeSchedule(ctx context.Context, in *ScheduleChange) (*Answer[schema.ScheduleDetails], error) {
	body, by := &in.Body, ""
	if body.AcceptPermanent {
		by = auth.Of(ctx).Name
	}
	changed, err := a.Schedules.Change(ctx, organization(ctx), in.Name, by, func(s *schema.Schedule) {
		set(&s.Cron, body.Cron)
		set(&s.Zone, body.Zone)
		if body.File != nil || body.Dir != nil {
			s.File, s.Dir, s.Confined = "", "", true
			set(&s.File, body.File)
			set(&s.Dir, body.Dir)
		}
		set(&s.MaxClaims, body.MaxClaims)
		set(&s.AllOrNothing, body.AllOrNothing)
		set(&s.Notify, body.Notify)
		set(&s.Paused, body.Paused)
		set(&s.AcceptEdits, body.AcceptEdits)
		set(&s.Reading.Encoding, body.Encoding)
		set(&s.Reading.Sheet, body.Sheet)
		set(&s.Reading.Columns, body.Column)
		set(&s.Reading.IgnoreColumns, body.IgnoreColumn)
		set(&s.Reading.EveryRow, body.EveryRow)
		set(&s.Reading.NoEdits, body.NoEdits)
	})
	return answer(changed.Details()), err
}

func (a *API) removeSchedule(ctx context.Context, in *SchedulePath) (*struct{}, error) {
	return nil, a.Flow.Store.RemoveSchedule(ctx, organization(ctx), in.Name)
}

func (a *API) runSchedule(ctx context.Context, in *SchedulePath) (*Answer[schema.ScheduleDetails], error) {
	s, err := a.Schedules.RunSoon(ctx, organization(ctx), in.Name)
	if err != nil {
		return nil, err
	}
	a.Wake(ctx)
	return answer(s.Details()), nil
}

// Runs is a list of runs.
type Runs struct {
	Runs []schema.RunView `json:"runs"`
	Next *string          `json:"next"`
}

// RunsRequest asks for runs of a schedule.
type RunsRequest struct {
	SchedulePath
	Page
}

func (a *API) listRuns(ctx context.Context, in *RunsRequest) (*Answer[Runs], error) {
	before, err := readNumber(in.After)
	if err != nil {
		return nil, err
	}
	found, err := a.Flow.Store.Runs(ctx, organization(ctx), in.Name, before, in.limit()+1)
	if err != nil {
		return nil, err
	}
	list := Runs{Runs: []schema.RunView{}}
	if len(found) > in.limit() {
		found = found[:in.limit()]
		list.Next = cursor(strconv.FormatInt(found[len(found)-1].ID, 10))
	}
	for _, run := range found {
		list.Runs = append(list.Runs, run.View())
	}
	return answer(list), nil
}
