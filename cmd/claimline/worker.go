package main

import (
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"github.com/claimline/claimline/pipeline/jobs"
	"github.com/claimline/claimline/pipeline/schedule"
	"github.com/claimline/claimline/schema"
)

func (a *app) workerCommand() *cobra.Command {
	var workers int
	cmd := &cobra.Command{
		Use:   "worker",
		Short: "Do the work that waits, beside others on other machines",
		Long: `Does the work that waits, until it is stopped: imports that were agreed to and that nobody at a terminal drives, schedules, and what
time makes due. Any number of workers share a PostgreSQL database; each import is worked on by one of them at a time, and organizations take turns. On
SQLite, serve does all this. SIGTERM and Ctrl-C finish what is in hand, and give the imports back: another worker, or the next start, goes
on with them.`,
		Example: `  claimline worker --db postgres://db.acme.example/claimline
  claimline worker --workers 4`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !cmd.Flags().Changed("workers") {
				workers = defaultWorkers()
			}
			if workers < 1 {
				return usage("--workers %d is too few: at least one must do the work.", workers).WithFix("Write --workers %d, or leave it out.", defaultWorkers())
			}
			if strings.HasPrefix(a.config.DB, "sqlite:") {
				return &schema.Error{Code: schema.CodeDatabaseSingle}
			}
			return a.withStore(cmd.Context(), writes, func(p *session) error {
				work, err := a.work(p, workers)
				if err != nil {
					return err
				}
				a.say("Working on %s at once. Stop with Ctrl-C.", schema.SayCount(workers, "%s import", "%s imports"))
				work.Run(cmd.Context())
				return nil
			})
		},
	}
	cmd.Flags().IntVar(&workers, "workers", 0, "imports worked on at once (default: one per processor, at least 2)")
	return cmd
}

// defaultWorkers returns on how many imports a process works at once where nobody says.
func defaultWorkers() int { return max(2, runtime.NumCPU()) }

// schedulesLoop is the name of the loop that runs schedules.
const schedulesLoop = "schedules"

// work returns what drives all that is due, on so many imports at once, and with it what other loops there
// are. With no workers it does nothing but tell the other processes, where there can be some.
func (a *app) work(p *session, workers int, more ...jobs.Loop) (*jobs.Dispatcher, error) {
	config := jobs.Config{Now: a.now, Log: a.log, Pool: p.pool}
	if workers == 0 {
		return jobs.New(config)
	}
	flow := *p.Flow
	flow.Retry = a.config.Service.Retry
	mails, err := a.mailLoop(p)
	if err != nil {
		return nil, err
	}
	schedules := &schedule.Scheduler{Flow: &flow, Folders: a.config.Service.Folders}
	config.Loops = append([]jobs.Loop{
		jobs.Imports(&flow, workers, a.config.Service.ImportsPerOrganization), jobs.Upkeep(&flow), jobs.Removals(&flow),
		mails, {Name: schedulesLoop, RunOnce: schedules.RunOnce},
	}, more...)
	return jobs.New(config)
}
