package main

import (
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/claimline/claimline/pipeline"
	"github.com/claimline/claimline/schema"
)

func (a *app) deadlinesCommand() *cobra.Command {
	var within, calendar string
	cmd := &cobra.Command{
		Use:   "deadlines",
		Short: "List what is due, soonest first",
		Long: `Lists what is due, soonest first: delayed claims that complete (decision), immediate claims that can be retracted until then
(retract), inactive users who will be removed (removal). With --within, exit code 3 tells that there is something.`,
		Example: `  claimline deadlines --org acme
  claimline deadlines --org acme --within 3d
  claimline deadlines --org acme --ics deadlines.ics`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var until time.Time
			if cmd.Flags().Changed("within") {
				span, ok := parseSpan(within)
				if !ok {
					return usage("--within %q is no length of time.", within).WithFix("Write days or hours, as in --within 3d or --within 36h.")
				}
				until = a.now().Add(span)
			}
			return a.withOrganization(cmd.Context(), reads, func(p *pipeline.Pipeline, organization schema.Organization) error {
				list, err := p.Deadlines(cmd.Context(), organization.ID, until)
				if err != nil {
					return err
				}
				if calendar != "" {
					err := a.writeOutput(calendar, func(to io.Writer) error { return writeCalendar(to, organization, list, p.Now()) })
					if err != nil {
						return err
					}
				}
				if !until.IsZero() && len(list) > 0 {
					a.exit = exitProblems
				}
				switch {
				case calendar == "-":
					return nil
				case a.flags.json:
					return a.answer(list)
				}
				return a.showDeadlines(list)
			})
		},
	}
	cmd.Flags().StringVar(&within, "within", "", "only what is due within that time, as 3d or 36h")
	cmd.Flags().StringVar(&calendar, "ics", "", "write a calendar file too; - for stdout, instead of the list")
	return cmd
}

// parseSpan reads a length of time: 3d, 36h, 1d12h.
func parseSpan(s string) (span time.Duration, ok bool) {
	const day = 24 * time.Hour
	const mostDays = 36500
	if number, rest, found := strings.Cut(s, "d"); found {
		days, err := strconv.Atoi(number)
		if err != nil || days < 0 || days > mostDays {
			return 0, false
		}
		span, s = time.Duration(days)*day, rest
		if s == "" {
			return span, true
		}
	}
	rest, err := time.ParseDuration(s)
	if err != nil || rest < 0 || rest > mostDays*day {
		return 0, false
	}
	return span + rest, true
}

func (a *app) showDeadlines(list []schema.Deadline) error {
	if len(list) == 0 {
		a.say("Nothing is due.")
		return nil
	}
	t := newTable("Due", "Kind", "Address")
	for _, d := range list {
		t.AppendRow([]any{localTime(&d.DueAt), d.Kind, schema.Printable(d.Email)})
	}
	return writeTable(a.stdout, t)
}
