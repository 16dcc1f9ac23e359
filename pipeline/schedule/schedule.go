package schedule

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/claimline/claimline/pipeline"
	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/schema"
)

// Scheduler keeps schedules, and runs them.
type Scheduler struct {
	*pipeline.Flow
	Folders []string // below which schedules may name files that are not added at a terminal; see schema.Schedule.Confined
}

// Add adds a schedule to which ConsentedBy has agreed, now. Zone must be named. Refused with
// CodeScheduleInvalid, CodeCronInvalid, CodeZoneUnknown, CodeUsage (Reading), CodeEmailInvalid (Notify),
// CodePathNotAllowed, CodeScheduleExists, CodeOrganizationUnknown. The file may be missing.
func (s *Scheduler) Add(ctx context.Context, schedule schema.Schedule) (schema.Schedule, error) {
	schedule.ConsentedAt = s.Now().UTC()
	when, err := s.check(&schedule)
	if err != nil {
		return schedule, err
	}
	schedule.NextRunAt = when.Next(s.Now())
	if err := s.Store.AddSchedule(ctx, schedule); err != nil {
		return schedule, err
	}
	return s.Store.Schedule(ctx, schedule.OrganizationID, schedule.Name)
}

// Change changes a schedule: what change leaves alone stays. Where the schedule could claim more then, or
// others, whoever changes it has to agree to that: agreedBy names who does, and is empty where nobody does,
// which is refused with CodeConsentMissing (see R13). Refused as Add is, too, and with CodeScheduleNotFound.
func (s *Scheduler) Change(ctx context.Context, organization, name, agreedBy string, change func(*schema.Schedule)) (schema.Schedule, error) {
	return s.Store.ChangeSchedule(ctx, organization, name, func(schedule *schema.Schedule, _ time.Time) error {
		was := *schedule
		change(schedule)
		if ClaimsMore(was, *schedule) {
			if agreedBy == "" {
				return schema.Refuse(schema.CodeConsentMissing, "The schedule %q would claim other users, or more of them, and nobody has agreed to that.", name)
			}
			schedule.ConsentedBy, schedule.ConsentedAt = agreedBy, s.Now().UTC()
		}
		when, err := s.check(schedule)
		switch {
		case err != nil:
			return err
		case schedule.Paused: // what is left of a run is given up
			schedule.NextRunAt, schedule.RunSince = time.Time{}, time.Time{}
		case was.Paused || was.Cron != schedule.Cron || was.Zone != schedule.Zone:
			schedule.NextRunAt = when.Next(s.Now())
		}
		return nil
	})
}

// ClaimsMore reports whether a schedule could claim users that it could not claim before: somebody has to
// agree to that (see R13).
func ClaimsMore(was, is schema.Schedule) bool {
	return is.MaxClaims > was.MaxClaims || is.File != was.File || is.Dir != was.Dir || is.AcceptEdits && !was.AcceptEdits ||
		was.AllOrNothing && !is.AllOrNothing || !is.Reading.Equal(&was.Reading)
}

// Pause stops a schedule from being due, or lets it be due again, from now on. Refused with
// CodeScheduleNotFound.
func (s *Scheduler) Pause(ctx context.Context, organization, name string, paused bool) (schema.Schedule, error) {
	return s.Change(ctx, organization, name, "", func(schedule *schema.Schedule) { schedule.Paused = paused })
}

// RunSoon lets a schedule be due now. Refused with CodeScheduleNotFound, and as schema.Schedule's Hasten is.
func (s *Scheduler) RunSoon(ctx context.Context, organization, name string) (schema.Schedule, error) {
	return s.Store.ChangeSchedule(ctx, organization, name, func(schedule *schema.Schedule, now time.Time) (err error) {
		*schedule, err = schedule.Hasten(now, s.Now())
		return err
	})
}

// Part is a part of a schedule.
type Part string

// The parts that may be wrong.
const (
	PartName      Part = "name"
	PartCron      Part = "cron"
	PartZone      Part = "zone"
	PartMaxClaims Part = "max_claims"
	PartPath      Part = "path" // the file or the folder
	PartEncoding  Part = "encoding"
	PartColumns   Part = "columns" // what they are, and which mean nothing
	PartNotify    Part = "notify"
)

// Fault is why a part of a schedule cannot be kept as it is.
type Fault struct {
	Part Part
	Err  error // a refusal of Add
}

// check checks a schedule, writes it as it is kept, and returns when it is due.
func (s *Scheduler) check(schedule *schema.Schedule) (When, error) {
	when, faults := s.Check(schedule)
	if len(faults) > 0 {
		return When{}, faults[0].Err
	}
	return when, nil
}

// Check returns when a schedule is due and all that is wrong with it, and writes it as it is kept. Whether
// there is one of its name is for Add to say.
func (s *Scheduler) Check(schedule *schema.Schedule) (when When, faults []Fault) {
	note := func(part Part, err error) {
		if err != nil {
			faults = append(faults, Fault{part, err})
		}
	}
	note(PartName, checkName(schedule.Name))
	schedule.Cron = strings.Join(strings.Fields(schedule.Cron), " ")
	when, err := NewWhen(schedule.Cron, schedule.Zone)
	if schema.CodeOf(err) == schema.CodeZoneUnknown {
		note(PartZone, err)
		_, err = NewWhen(schedule.Cron, time.UTC.String())
	}
	if err != nil {
		note(PartCron, err)
	}
	if schedule.MaxClaims < 1 {
		note(PartMaxClaims, schema.Refuse(schema.CodeScheduleInvalid, "A schedule that may claim %d users claims nobody.", schedule.MaxClaims).
			WithFix("Say how many users one run may claim at most, as in --max-claims 100."))
	}
	note(PartPath, s.checkPath(schedule))
	var order schema.Order
	note(PartColumns, schedule.Reading.Into(&order, ""))
	if order.Encoding != "" {
		note(PartEncoding, dialect.CheckEncoding(order.Encoding))
	}
	note(PartNotify, checkNotify(schedule.Notify))
	return when, faults
}

// checkPath checks the file or folder of a schedule, and writes it as it is kept.
func (s *Scheduler) checkPath(schedule *schema.Schedule) error {
	if (schedule.File == "") == (schedule.Dir == "") {
		return schema.Refuse(schema.CodeScheduleInvalid, "A schedule imports a file, or the files of a folder.").
			WithFix("Name the one or the other: --file FILE, or --dir FOLDER.")
	}
	path := &schedule.File
	if schedule.File == "" {
		path = &schedule.Dir
	}
	if schedule.Confined {
		if _, err := Confine(s.Folders, *path); err != nil {
			return err
		}
	}
	if !filepath.IsAbs(*path) || strings.ContainsRune(*path, 0) {
		return schema.Refuse(schema.CodeScheduleInvalid, "%s is not the whole path of a file or folder.", schema.Quote(*path)).
			WithFix("Write the path from the root of the file system on.")
	}
	*path = filepath.Clean(*path)
	return nil
}

// checkNotify checks the addresses that are told.
func checkNotify(addresses []string) error {
	for i, address := range addresses {
		key, problem := schema.ParseAddress(address)
		if problem == schema.CodeEmailMissing {
			problem = schema.CodeEmailInvalid
		}
		if problem != "" {
			return schema.Refuse(problem, "%s", problem.Wrong(schema.Quote(address)))
		}
		if slices.ContainsFunc(addresses[:i], func(other string) bool { k, _ := schema.ParseAddress(other); return k == key }) {
			return schema.Refuse(schema.CodeScheduleInvalid, "%s is to be told twice.", schema.Quote(address)).WithFix("Name each address once.")
		}
	}
	return nil
}

// Look returns how many files a run of a schedule would look at now; those that it has imported before are
// among them. Refused with CodeFileUnreadable where its folder cannot be read.
func Look(schedule schema.Schedule) (int, error) {
	list, err := candidates(schedule, false)
	if err == nil && schedule.Dir == "" && list[0].info == nil {
		return 0, nil
	}
	return len(list), err
}

// maxName is how many characters the name of a schedule may have.
const maxName = 64

// checkName refuses, with CodeScheduleInvalid, a name that would not look as it is, or that no address of a
// page can have.
func checkName(name string) error {
	why := schema.Word("")
	switch {
	case strings.TrimSpace(name) == "":
		why = "is blank"
	case utf8.RuneCountInString(name) > maxName:
		why = "is longer than 64 characters"
	case strings.TrimSpace(name) != name:
		why = "begins or ends with a blank"
	case !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool { return r != ' ' && !unicode.IsGraphic(r) || unicode.Is(unicode.Zs, r) && r != ' ' }):
		why = "has a character that cannot be seen"
	case strings.ContainsAny(name, `/\`) || name == "." || name == "..":
		why = "looks like a path"
	}
	if why == "" {
		return nil
	}
	return schema.Refuse(schema.CodeScheduleInvalid, "The name %s %s.", schema.Quote(name), why).
		WithFix("Choose a name of letters, digits, blanks and -_. as in nightly.")
}
