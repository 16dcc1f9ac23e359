package main

import (
	"context"
	"errors"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/claimline/claimline/cmd/claimline/calendar"
	"github.com/claimline/claimline/cmd/claimline/screen"
	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/schema"
)

func (a *app) deadlinesCommand() *cobra.Command {
	var within, file string
	var limit int
	cmd := &cobra.Command{
		Use:   "deadlines",
		Short: "List what is due, soonest first",
		Long: `Lists what is due, soonest first: delayed claims that complete (decision), immediate claims that can be retracted until then
(retract), inactive users who will be removed (removal). The first 250 are shown; --json and the calendar have all. With --within,
exit code 3 tells that there is something. The calendar file has one event for each day and kind, with an alarm on the morning
before.`,
		Example: `  claimline deadlines --org acme
  claimline deadlines --org acme --within 3d
  claimline deadlines --org acme --ics deadlines.ics`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var until time.Time
			if cmd.Flags().Changed("within") {
				span, ok := schema.ParseSpan(within)
				if !ok {
					return usage("--within %q is no length of time.", within).WithFix("Write days or hours, as in --within 3d or --within 36h.")
				}
				until = a.now().Add(span)
			}
			if limit < 0 {
				return notALimit(limit, "things")
			}
			return a.withOrganization(cmd.Context(), reads, func(p *session, organization schema.Organization) (err error) {
				if !cmd.Flags().Changed("limit") {
					limit = p.Policy.ScreenLimit
				}
				if limit > 0 && !a.flags.json && file == "" {
					return a.showFirstDeadlines(cmd.Context(), p, organization.ID, until, limit)
				}
				list, err := calendar.Collect(cmd.Context(), p.people, organization.ID, until)
				if err != nil {
					return err
				}
				defer func() { err = errors.Join(err, list.Close()) }()
				if !until.IsZero() && list.Len() > 0 {
					a.exit = exitProblems
				}
				if file != "" {
					err := a.writeOutput(file, func(to io.Writer) error {
						return calendar.Write(to, organization, list.Each, p.Now(), time.Local, a.language())
					})
					if err != nil || file == "-" {
						return err
					}
				}
				if a.flags.json {
					return a.writeOutput("", func(to io.Writer) error { return writeList(to, list.Each) })
				}
				return a.showDeadlines(list.Each)
			})
		},
	}
	cmd.Flags().StringVar(&within, "within", "", "only what is due within that time, as 3d or 36h")
	cmd.Flags().IntVar(&limit, "limit", 0, "how many are shown as text; 0: all (default 250)")
	cmd.Flags().StringVar(&file, "ics", "", "write a calendar file too; - for stdout, instead of the list")
	return cmd
}

// showFirstDeadlines lists what is due first, at most limit of it and not after until; the zero time:
// whenever.
func (a *app) showFirstDeadlines(ctx context.Context, p *session, organization string, until time.Time, limit int) error {
	list, _, more, err := p.people.FirstDeadlines(ctx, organization, store.DeadlineMark{}, limit)
	if err != nil {
		return err
	}
	if !until.IsZero() {
		due := slices.IndexFunc(list, func(d schema.Deadline) bool { return d.DueAt.After(until) })
		if due >= 0 {
			list, more = list[:due], false
		}
		if len(list) > 0 {
			a.exit = exitProblems
		}
	}
	err = a.showDeadlines(func(each func(schema.Deadline) error) error {
		for _, d := range list {
			if err := each(d); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil && more {
		a.say("These are the first %s; --limit 0 shows all.", schema.Number(len(list)))
	}
	return err
}

func (a *app) showDeadlines(list func(each func(schema.Deadline) error) error) (err error) {
	t := screen.NewTable(screen.When("Due"), screen.Whole("Kind"), screen.Address("Address"))
	defer func() { err = errors.Join(err, t.Close()) }()
	err = list(func(d schema.Deadline) error {
		return t.Add(screen.Stamp(&d.DueAt), string(d.Kind), schema.Printable(d.Email))
	})
	if err != nil {
		return err
	}
	if t.Len() == 0 {
		a.say("Nothing is due.")
		return nil
	}
	return a.writeTable(a.stdout, t)
}
