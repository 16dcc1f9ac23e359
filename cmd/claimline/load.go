package main

import (
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/claimline/claimline/cmd/claimline/screen"
	"github.com/claimline/claimline/pipeline"
	"github.com/claimline/claimline/pipeline/snapshot"
	"github.com/claimline/claimline/schema"
)

func (a *app) loadCommand() *cobra.Command {
	var options snapshot.Options
	cmd := &cobra.Command{
		Use:   "load DIR",
		Short: "Take in a snapshot of organizations, domains, licences, users and claims",
		Long: `Takes in a snapshot: a folder with organizations.csv, domains.csv, users.csv and, where there are any, licenses.csv and
claims.csv. All of it is taken in, or nothing. Loading it again updates what has changed; what was done here stays.

What was mended is told per file. What is not understood is refused, many problems at once: a column that may be another one, a
file that may be one of the five, a service that nobody has licences for. --ignore lets it pass: the column and the file are not
read, the service is taken as it is.`,
		Example: `  claimline load samples/org
  claimline load --ignore "Cost centre" samples/org
  claimline load --encoding windows-1252 samples/org`,
		Args: oneArg("folder"),
		RunE: func(cmd *cobra.Command, args []string) error {
			err := a.withStore(cmd.Context(), creates, func(p *session) error {
				options.Limits = p.Limits
				progress, clearProgress := a.counting(pipeline.Loading)
				defer clearProgress()
				options.Loaded = progress
				loaded, err := snapshot.Load(cmd.Context(), p.Store, p.people.Rules(), args[0], options)
				clearProgress()
				if err != nil {
					return err
				}
				a.sayLoaded(args[0], loaded)
				if a.flags.json {
					return a.answer(loaded)
				}
				return nil
			})
			if refused, ok := errors.AsType[snapshot.Errors](err); ok {
				a.exit = exitFailed
				return a.showErrors(refused)
			}
			return err
		},
	}
	cmd.Flags().StringVar(&options.Encoding, "encoding", "", "encoding of the files that are neither UTF-8 nor UTF-16, as in windows-1252")
	cmd.Flags().StringArrayVar(&options.Ignore, "ignore", nil, "let a column, a file or a service pass that is not understood (repeatable)")
	return cmd
}

// sayLoaded says what a snapshot held, and per file what was mended and not understood.
func (a *app) sayLoaded(folder string, loaded *snapshot.Loaded) {
	a.say("Loaded %s: %s, %s, %s, %s, %s.", schema.Printable(folder), schema.SayCount(loaded.Organizations, "%s organization", "%s organizations"), users(loaded.Users),
		schema.SayCount(loaded.Domains, "%s domain", "%s domains"), schema.SayCount(loaded.Licenses, "%s licence", "%s licences"),
		schema.SayCount(loaded.Claims, "%s open claim", "%s open claims"))
	for _, file := range snapshot.Files() {
		a.sayMended(file, loaded.Repairs[file])
		if unknown := loaded.UnknownColumns[file]; len(unknown) > 0 {
			names := make([]string, len(unknown))
			for i, name := range unknown {
				names[i] = schema.Printable(name)
			}
			a.say("%s: Columns not understood, and not read: %s.", file, strings.Join(names, ", "))
		}
	}
	const shown = 20
	for _, notice := range loaded.Notices[:min(len(loaded.Notices), shown)] {
		a.say("%s:%d: %s", notice.File, notice.Line, notice.Message)
	}
	if more := len(loaded.Notices) - shown; more > 0 {
		a.say("%s", schema.SayCount(more, "And %s notice like these; --json has all of them.", "And %s notices like these; --json has all of them."))
	}
	for _, name := range loaded.Unused {
		a.say("--ignore %q let nothing pass: there is nothing of this name that is not understood.", name)
	}
}

// showErrors tells everything that is wrong with a snapshot: as JSON the first as any error, and all of them
// as a list.
func (a *app) showErrors(all snapshot.Errors) error {
	if !a.flags.json {
		if len(all) > 1 {
			a.say("Nothing was loaded: %s to correct.", problems(len(all)))
		}
		for _, refused := range all {
			a.showError(refused)
		}
		return nil
	}
	list := make([]map[string]string, len(all))
	for i, refused := range all {
		list[i] = jsonError(placed(refused).String(), refused.Code, refused.Remedy())
	}
	return writeJSON(a.stderr, map[string]any{"error": list[0], "errors": list})
}

func problems(n int) schema.Text {
	if n == snapshot.MostErrors {
		return schema.Say("at least %s problems", schema.Number(n))
	}
	return schema.SayCount(n, "%s problem", "%s problems")
}

// sayMended says what was mended in a file, one sentence for each kind.
func (a *app) sayMended(file string, repairs map[schema.Repair]int) {
	for _, kind := range schema.Repairs {
		switch n := repairs[kind]; {
		case n == 0:
		case kind == schema.RepairWindows1252: // there were no accounts to agree with it
			a.say("%s: It was read as Windows-1252, for it is not UTF-8.", schema.Printable(file))
		default:
			a.say("%s: %s", schema.Printable(file), screen.Repair(kind, n))
		}
	}
}
