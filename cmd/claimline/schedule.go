package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/claimline/claimline/cmd/claimline/screen"
	"github.com/claimline/claimline/pipeline/schedule"
	"github.com/claimline/claimline/schema"
)

func (a *app) scheduleCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "schedule",
		Short: "Import a file, or the files of a folder, at times you name",
		Long: `Imports a file, or the files of a folder, at times you name. A service runs what is due; without one, schedule run does, from cron
for example. Content whose import completed is not imported again by the same schedule.`,
		Example: `  claimline schedule list --org acme
  claimline schedule run --org acme nightly`,
		Args: cobra.ArbitraryArgs,
		RunE: groupOnly,
	}
	cmd.AddCommand(a.scheduleAddCommand(), a.scheduleListCommand(), a.scheduleShowCommand(), a.scheduleRunsCommand(), a.schedulePauseCommand(),
		a.scheduleUnpauseCommand(), a.scheduleRunCommand(), a.scheduleRemoveCommand())
	return cmd
}

func (a *app) scheduleAddCommand() *cobra.Command {
	var s schema.Schedule
	var accept bool
	var mails string
	var reading readingFlags
	cmd := &cobra.Command{
		Use:   "add NAME",
		Short: "Add a schedule, and agree to its claims",
		Long: `Adds a schedule, and agrees to its claims: they are permanent, and nobody is asked again as long as one run claims --max-claims
users at most. A plan beyond that waits for somebody to agree, and so does one that would give many accounts another name, unless
--accept-edits accepts that.

--cron is minute, hour, day, month and weekday, or @hourly, @daily, @weekly, @monthly, @yearly, by the clock of --tz. A time that the
clock skips in spring is the next minute there is; one that it shows twice in autumn is the first.

--dir takes every *.csv and *.xlsx in the folder, the oldest first, once it has not changed for 10 seconds. Files are neither moved nor changed.
--encoding, --sheet, --column, --ignore-column, --every-row and --no-edits say how every file is read, as they do for import.`,
		Example: `  claimline schedule add weekdays --org acme --cron "0 3 * * mon-fri" \
    --tz Europe/Stockholm --dir samples --max-claims 100 --accept-permanent
  claimline schedule add daily --org acme --cron @daily --tz UTC \
    --file good.csv --max-claims 50 --accept-permanent`,
		Args: oneArg("name"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			s.Name = args[0]
			if err := needsFlags(cmd, "cron", "max-claims"); err != nil {
				return err
			}
			if s.ActivationEmails, err = parseMails(mails); err != nil {
				return err
			}
			if s.Reading, err = reading.said(cmd); err != nil {
				return err
			}
			for _, path := range []*string{&s.File, &s.Dir} {
				if *path == "" {
					continue
				}
				if *path, err = filepath.Abs(*path); err != nil {
					return fmt.Errorf("find the folder that relative paths begin in: %w", err)
				}
			}
			if s.Zone = first(s.Zone, a.config.Service.Zone); s.Zone == "" {
				if s.Zone, err = systemZone(a.env); err != nil {
					return err
				}
			}
			if !accept {
				return schema.Refuse(schema.CodeConsentMissing, "The schedule would claim up to %s in each run. A claim is permanent, and nobody has agreed to it.",
					users(s.MaxClaims)).WithFix("Add --accept-permanent, if you agree to the claims of every run.")
			}
			s.ConsentedBy = byTerminal()
			return a.withOrganization(cmd.Context(), writes, func(p *session, organization schema.Organization) error {
				s.OrganizationID = organization.ID
				added, err := p.schedules.Add(cmd.Context(), s)
				if schema.CodeOf(err) == schema.CodeEmailInvalid || schema.CodeOf(err) == schema.CodeEmailTooLong {
					err = usageError{err}
				}
				if err != nil {
					return err
				}
				if a.flags.json {
					return a.answer(added.View())
				}
				a.say("The schedule %s is added. It claims up to %s in each run, and is due next on %s.",
					added.Name, users(added.MaxClaims), screen.Moment(added.NextRunAt))
				a.next(a.command("schedule", "run", added.Name))
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&s.Cron, "cron", "", "when it is due: minute, hour, day, month and weekday, or a name such as @daily")
	cmd.Flags().StringVar(&s.Zone, "tz", "", "time `zone` whose clock counts, as in Europe/Stockholm (default: service.zone, or the system's)")
	cmd.Flags().StringVar(&s.File, "file", "", "file to import; it may be missing yet")
	cmd.Flags().StringVar(&s.Dir, "dir", "", "`folder` whose *.csv and *.xlsx files are imported")
	cmd.Flags().IntVar(&s.MaxClaims, "max-claims", 0, "users that one run may claim at most")
	cmd.Flags().BoolVar(&accept, "accept-permanent", false, "agree that the claims of every run are permanent")
	cmd.Flags().BoolVar(&s.AcceptEdits, "accept-edits", false, "agree that many accounts get another name")
	cmd.Flags().BoolVar(&s.AllOrNothing, "all-or-nothing", false, "claim nobody of a file if any row has a problem")
	cmd.Flags().StringVar(&mails, "activation-emails", "", "on or off, for its imports (default: as the organization has it)")
	cmd.Flags().StringArrayVar(&s.Notify, "notify", nil, "`address` that is told how each run ended; repeat the flag for more")
	reading.add(cmd)
	return cmd
}

// needsFlags refuses a command without flags that it needs.
func needsFlags(cmd *cobra.Command, flags ...string) error {
	for _, flag := range flags {
		if !cmd.Flags().Changed(flag) {
			return usage("%s needs --%s.", cmd.CommandPath(), flag).WithFix("See %s --help.", cmd.CommandPath())
		}
	}
	return nil
}

func (a *app) scheduleListCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "List the schedules of the organization",
		Example: `  claimline schedule list --org acme`,
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withOrganization(cmd.Context(), reads, func(p *session, organization schema.Organization) error {
				schedules, err := p.Store.Schedules(cmd.Context(), organization.ID)
				if err != nil {
					return err
				}
				if a.flags.json {
					views := make([]schema.ScheduleView, len(schedules))
					for i, s := range schedules {
						views[i] = s.View()
					}
					return a.answer(views)
				}
				return a.listSchedules(schedules)
			})
		},
	}
}

func (a *app) listSchedules(schedules []schema.Schedule) error {
	if len(schedules) == 0 {
		a.say("There are no schedules yet. Add one: claimline schedule add --help")
		return nil
	}
	t := screen.NewTable(screen.Whole("Name"), screen.Whole("When"), screen.Whole("Zone"), screen.Numeric("Max claims"), screen.When("Next"),
		screen.When("Last"), screen.Whole("Ended"), screen.Address("File or folder"))
	for _, s := range schedules {
		next, last, ended := screen.Stamp(schema.Moment(s.NextRunAt)), "", ""
		if s.Paused {
			next = a.language().Say("paused")
		}
		if s.LastRun != nil {
			last, ended = screen.Stamp(&s.LastRun.At), string(s.LastRun.State)
		}
		err := t.Add(schema.Printable(s.Name), s.Cron, s.Zone, a.number(s.MaxClaims), next, last, ended, schema.Printable(first(s.File, s.Dir)))
		if err != nil {
			return err
		}
	}
	return a.writeTable(a.stdout, t)
}

func (a *app) scheduleShowCommand() *cobra.Command {
	return a.onSchedule(&cobra.Command{
		Use:     "show NAME",
		Short:   "Show all about one schedule",
		Example: `  claimline schedule show --org acme nightly`,
	}, reads, func(ctx context.Context, p *session, organization, name string) error {
		s, err := p.Store.Schedule(ctx, organization, name)
		if err != nil {
			return err
		}
		if a.flags.json {
			return a.answer(s.Details())
		}
		return a.writeSchedule(s)
	})
}

// writeSchedule says all about one schedule, one thing a line.
func (a *app) writeSchedule(s schema.Schedule) error {
	page := a.page(a.stdout)
	lines := []string{page.Say("%s: %s in %s", schema.Printable(s.Name), s.Cron, s.Zone)}
	line := func(what schema.Word, format string, args ...any) {
		lines = append(lines, screen.Beside(page, fmt.Sprintf("  %-10s ", page.Format(string(what))), schema.Printable(page.Say(format, args...)))...)
	}
	if s.File != "" {
		line("file", "%s", s.File)
	} else {
		line("folder", "%s", s.Dir)
	}
	line("claims", "up to %s in each run, agreed to by %s on %s", users(s.MaxClaims), s.ConsentedBy, screen.Moment(s.ConsentedAt))
	if s.AcceptEdits {
		line("names", "many accounts may get another name")
	}
	if s.AllOrNothing {
		line("problems", "any in a file, and nobody of it is claimed")
	}
	if s.ActivationEmails != nil {
		line("mails", "activation mails are %s", schema.Word(onOff(*s.ActivationEmails)))
	}
	reads, err := readingWords(s.Reading)
	if err != nil {
		return err
	}
	for _, what := range reads {
		line("reads", "%s", what)
	}
	if len(s.Notify) > 0 {
		line("tells", "%s", strings.Join(s.Notify, ", "))
	}
	if s.Paused {
		line("next", "paused: %s", a.command("schedule", "unpause", s.Name))
	} else {
		line("next", "%s", screen.Moment(s.NextRunAt))
	}
	if s.LastRun != nil {
		line("last", "%s: %s", screen.Moment(s.LastRun.At), runWords(*s.LastRun))
		if s.LastRun.Code != "" {
			line("", "%s", a.language().Kept(s.LastRun.Code, s.LastRun.Message))
		}
	}
	return a.printLine(strings.Join(lines, "\n"))
}

// readingWords says how files are read where that was said, one thing a line.
func readingWords(r schema.Reading) (lines []schema.Text, err error) {
	var order schema.Order
	if err := r.Into(&order, "--"); err != nil {
		return nil, err
	}
	if order.Encoding != "" {
		lines = append(lines, schema.Say("as %s", order.Encoding))
	}
	if order.Sheet != "" {
		lines = append(lines, schema.Say("the sheet %q of workbooks", order.Sheet))
	}
	for _, header := range slices.Sorted(maps.Keys(order.Columns)) {
		lines = append(lines, schema.Say("the column %q as %s", header, order.Columns[header]))
	}
	for _, header := range order.IgnoreColumns {
		lines = append(lines, schema.Say("nothing in the column %q", header))
	}
	if order.EveryRow {
		lines = append(lines, schema.Say("every row, where there is no column Claim"))
	}
	if order.NoEdits {
		lines = append(lines, schema.Say("no data: accounts keep theirs"))
	}
	return lines, nil
}

// runWords says how a run ended.
func runWords(run schema.ScheduleRun) schema.Text {
	words := schema.Say("%s", run.State)
	if run.ImportID != 0 {
		words = schema.Say("%s, import %d", words, run.ImportID)
	}
	if run.Code != "" {
		words = schema.Say("%s (%s)", words, run.Code)
	}
	return words
}

func (a *app) scheduleRunsCommand() *cobra.Command {
	var limit int
	cmd := a.onSchedule(&cobra.Command{
		Use:     "runs NAME",
		Short:   "List the runs of a schedule, the newest first",
		Example: `  claimline schedule runs --org acme nightly`,
	}, reads, func(ctx context.Context, p *session, organization, name string) error {
		if limit < 0 {
			return notALimit(limit, "runs")
		}
		runs, err := p.Store.Runs(ctx, organization, name, 0, limit)
		if err != nil {
			return err
		}
		if a.flags.json {
			views := make([]schema.RunView, len(runs))
			for i, run := range runs {
				views[i] = run.View()
			}
			return a.answer(views)
		}
		return a.listRuns(runs)
	})
	cmd.Flags().IntVar(&limit, "limit", 0, "list so many runs at most; 0: all")
	return cmd
}

func (a *app) listRuns(runs []schema.ScheduleRun) error {
	if len(runs) == 0 {
		a.say("The schedule has not run yet.")
		return nil
	}
	t := screen.NewTable(screen.When("At"), screen.Whole("State"), screen.Whole("Import"), screen.Address("File"), screen.Text("Why"))
	for _, run := range runs {
		imp, why := "", ""
		if run.ImportID != 0 {
			imp = strconv.FormatInt(run.ImportID, 10)
		}
		if run.Code != "" {
			why = fmt.Sprintf("%s: %s", run.Code, a.language().Kept(run.Code, run.Message))
		}
		if err := t.Add(screen.Stamp(&run.At), string(run.State), imp, schema.Printable(run.File), schema.Printable(why)); err != nil {
			return err
		}
	}
	return a.writeTable(a.stdout, t)
}

func (a *app) schedulePauseCommand() *cobra.Command {
	return a.onSchedule(&cobra.Command{
		Use:     "pause NAME",
		Short:   "Let a schedule rest; what runs goes on",
		Example: `  claimline schedule pause --org acme nightly`,
	}, writes, func(ctx context.Context, p *session, organization, name string) error {
		s, err := p.schedules.Pause(ctx, organization, name, true)
		if err != nil {
			return err
		}
		return a.showSchedule(s, "The schedule %s is paused. Let it go on: %s", name, a.command("schedule", "unpause", name))
	})
}

func (a *app) scheduleUnpauseCommand() *cobra.Command {
	return a.onSchedule(&cobra.Command{
		Use:     "unpause NAME",
		Short:   "Let a schedule that is paused go on; what it has missed is not made up for",
		Example: `  claimline schedule unpause --org acme nightly`,
	}, writes, func(ctx context.Context, p *session, organization, name string) error {
		s, err := p.schedules.Pause(ctx, organization, name, false)
		if err != nil {
			return err
		}
		return a.showSchedule(s, "The schedule %s is due next on %s.", name, screen.Moment(s.NextRunAt))
	})
}

// showSchedule answers with a schedule: as JSON, or in the words given.
func (a *app) showSchedule(s schema.Schedule, format string, args ...any) error {
	if a.flags.json {
		return a.answer(s.View())
	}
	a.say(format, args...)
	return nil
}

func (a *app) scheduleRemoveCommand() *cobra.Command {
	return a.onSchedule(&cobra.Command{
		Use:     "remove NAME",
		Short:   "Remove a schedule with its list of runs; its imports stay",
		Example: `  claimline schedule remove --org acme nightly`,
	}, writes, func(ctx context.Context, p *session, organization, name string) error {
		s, err := p.Store.Schedule(ctx, organization, name)
		if err != nil {
			return err
		}
		if err := p.Store.RemoveSchedule(ctx, organization, name); err != nil {
			return err
		}
		return a.showSchedule(s, "The schedule %s is removed. Its imports stay.", name)
	})
}

// onSchedule makes a command that works on one schedule.
func (a *app) onSchedule(cmd *cobra.Command, how access, work func(ctx context.Context, p *session, organization, name string) error) *cobra.Command {
	cmd.Args = oneArg("name")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return a.withOrganization(cmd.Context(), how, func(p *session, organization schema.Organization) error {
			err := work(cmd.Context(), p, organization.ID, args[0])
			if schema.CodeOf(err) == schema.CodeScheduleNotFound {
				return a.nearSchedule(cmd.Context(), p, organization.ID, args[0], err)
			}
			return err
		})
	}
	return cmd
}

// nearSchedule says of a schedule that is not there which one may be meant.
func (a *app) nearSchedule(ctx context.Context, p *session, organization, name string, err error) error {
	schedules, listErr := p.Store.Schedules(ctx, organization)
	if listErr != nil {
		return errors.Join(err, listErr)
	}
	var names []string
	for _, s := range schedules {
		names = append(names, s.Name)
	}
	refused, ok := errors.AsType[*schema.Error](err)
	if near, found := schema.Nearest([]string{name}, names); ok && found {
		return refused.WithFix("Did you mean %s?", near)
	}
	return err
}

func (a *app) scheduleRunCommand() *cobra.Command {
	return a.onSchedule(&cobra.Command{
		Use:   "run NAME",
		Short: "Run a schedule now, whether or not it is due, and show what became of it",
		Long: `Runs a schedule now, whether or not it is due, and shows what became of each new file. The exit code is that of an import, the worst
of them where there are several: 2 tells that a plan waits for consent, 1 that a file was refused. It is 0 where there is nothing new.`,
		Example: `  claimline schedule run --org acme nightly`,
	}, writes, a.runSchedule)
}

// worse returns the exit code that tells of the greater trouble.
func worse(one, other int) int {
	for _, code := range []int{exitInterrupted, exitFailed, exitUsage, exitProblems} {
		if one == code || other == code {
			return code
		}
	}
	return exitDone
}

// runSchedule runs a schedule, file after file.
func (a *app) runSchedule(ctx context.Context, p *session, organization, name string) error {
	claiming, err := p.Store.Organization(ctx, organization)
	if err != nil {
		return err
	}
	watch, clearProgress := a.watch(p)
	defer clearProgress()
	defer a.sayStopping(ctx, clearProgress)()
	worst := exitDone
	err = p.schedules.RunNow(ctx, organization, name, schedule.Attendant{
		Watch: watch,
		Show: func(imp schema.Import) error {
			clearProgress()
			plan, err := schema.PlanOf(imp)
			if err != nil || a.flags.quiet || a.flags.json {
				return err
			}
			order, err := schema.OrderOf(imp)
			if err != nil {
				return err
			}
			a.agreed = a.now()
			return a.writePlan(a.stderr, a.page(a.stderr), plan, claiming, order, p.Policy)
		},
		Apply: func(imp schema.Import) error {
			clearProgress()
			flags := reportFlags{}
			if err := flags.check(a.flags.json, formatText, formatJSON); err != nil {
				return err
			}
			err := a.finishImport(ctx, p, imp, watch, clearProgress, flags)
			worst = worse(worst, a.exit)
			return err
		},
		Told: func(run schema.ScheduleRun, refused error) {
			clearProgress()
			switch {
			case refused != nil:
				a.importID = run.ImportID
				a.showError(refused)
				worst = worse(worst, exitCode(refused))
			case run.State == schema.RunNothing:
				a.say("There is no new file.")
			}
		},
		Left: func(path string, why schema.Code) {
			clearProgress()
			if why == schema.CodeFileChanged {
				a.say("%s is left alone: somebody may still be writing it.", schema.Printable(path))
				return
			}
			a.say("%s is left alone: it was refused before, and has not changed (%s).", schema.Printable(path), why)
		},
	})
	a.exit = worst
	if worst == exitInterrupted && ctx.Err() != nil { // what became of the import has been shown
		return nil
	}
	return err
}
