package main

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/claimline/claimline/cmd/claimline/screen"
	"github.com/claimline/claimline/pipeline"
	"github.com/claimline/claimline/pipeline/controlhub"
	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/pipeline/snapshot"
	"github.com/claimline/claimline/schema"
)

// controlHub is what --from calls Control Hub's exports.
const controlHub = "control-hub"

// loadFlags are what a snapshot is made of, where it is no folder.
type loadFlags struct {
	from, users, claimable, licenses, name string
	domains                                []string
	sheets                                 sheetsFlag
}

func (a *app) loadCommand() *cobra.Command {
	var options snapshot.Options
	var flags loadFlags
	cmd := &cobra.Command{
		Use:   "load DIR",
		Short: "Take in a snapshot of organizations, domains, licences, users and claims",
		Long: `Takes in a snapshot: a folder with organizations.csv, domains.csv, users.csv and, where there are any, licenses.csv and
claims.csv; each may be a workbook instead, as users.xlsx. All of it is taken in, or nothing. Loading it again updates what has
changed; what was done here stays.

What was mended is told per file. What is not understood is refused, many problems at once: a column that may be another one, a
file that may be one of the five, a service that nobody has licences for. --ignore lets it pass: the column and the file are not
read, the service is taken as it is.

With --from control-hub, what Control Hub exports is taken in instead of a folder: --users, the users of the organization --org,
and --claimable, those who can be claimed. --domains are the organization's own. --licenses is a table with the columns service and
quantity; without it there is no limit. So plan, reasons, deadlines and previews are those of the real users.`,
		Example: `  claimline load samples/org
  claimline load --from control-hub --org acme --domains acme.example \
    --users samples/control-hub/users.csv \
    --claimable samples/control-hub/claimable-after.csv
  claimline load --ignore "Cost centre" samples/org
  claimline load --encoding windows-1252 samples/org`,
		Args: func(cmd *cobra.Command, args []string) error {
			if cmd.Flags().Changed("from") {
				return noArgs(cmd, args)
			}
			return oneArg("folder")(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			load := func(p *session) (_ *snapshot.Loaded, err error) {
				if options.Sheets, err = flags.sheets.by("", snapshot.Paths(args[0])...); err != nil {
					return nil, err
				}
				return snapshot.Load(cmd.Context(), p.Store, p.people.Rules(), args[0], options)
			}
			names := args
			if cmd.Flags().Changed("from") {
				var err error
				if names, err = flags.names(cmd); err != nil {
					return err
				}
				load = func(p *session) (*snapshot.Loaded, error) { return a.loadControlHub(cmd.Context(), p, flags, options) }
			} else if err := flags.unused(cmd); err != nil {
				return err
			}
			err := a.withStore(cmd.Context(), creates, func(p *session) error {
				options.Limits = p.Limits
				progress, clearProgress := a.counting(pipeline.Loading)
				defer clearProgress()
				options.Loaded = progress
				loaded, err := load(p)
				clearProgress()
				if err != nil {
					return err
				}
				a.sayLoaded(names, loaded)
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
	cmd.Flags().StringVar(&flags.from, "from", "", "take in the exports of control-hub instead of a folder")
	cmd.Flags().StringVar(&flags.users, "users", "", "users export of Control Hub, as a `file`")
	cmd.Flags().StringVar(&flags.claimable, "claimable", "", "its export of claimable users, as a `file`")
	cmd.Flags().StringVar(&flags.licenses, "licenses", "", "how many licences there are of each service, as a `file`: service,quantity")
	cmd.Flags().StringSliceVar(&flags.domains, "domains", nil, "`domains` that the organization has verified, with commas")
	flags.sheets.add(cmd)
	cmd.Flags().StringVar(&flags.name, "name", "", "what the organization is called, if not as --org")
	return cmd
}

// names returns the files that are to be taken in, and refuses flags that are missing.
func (f *loadFlags) names(cmd *cobra.Command) ([]string, error) {
	switch {
	case f.from != controlHub:
		return nil, notOneOf("--from", f.from, []string{controlHub})
	case f.users == "":
		return nil, usage("Nothing says who belongs to the organization.").WithFix("Export the users from Control Hub, and add --users FILE.")
	case len(f.domains) == 0:
		return nil, usage("Nothing says which domains are yours.").WithFix("Add --domains with the domains that the organization has verified: --domains acme.example,acme.org.")
	case cmd.Flags().Changed("name") && strings.TrimSpace(f.name) == "":
		return nil, usage("--name is blank.").WithFix("Leave it out: then the organization is called as --org.")
	}
	names := []string{f.users}
	if f.claimable != "" {
		names = append(names, f.claimable)
	}
	return names, onceStdin(f.users, f.claimable, f.licenses)
}

// unused refuses flags that say nothing about a folder.
func (f *loadFlags) unused(cmd *cobra.Command) error {
	for _, name := range []string{"users", "claimable", "licenses", "domains", "name"} {
		if cmd.Flags().Changed(name) {
			return usage("--%s says nothing about a folder.", name).WithFix("Add --from control-hub to take in Control Hub's exports, or leave it out.")
		}
	}
	return nil
}

// loadControlHub takes in the exports of Control Hub.
func (a *app) loadControlHub(ctx context.Context, p *session, flags loadFlags, options snapshot.Options) (loaded *snapshot.Loaded, err error) {
	if a.config.Org == "" {
		return nil, usage("Nothing says whose users these are.").WithFix("Add --org with an id for the organization, or set CLAIMLINE_ORG.")
	}
	if a.config.Org == snapshot.Outside {
		return nil, usage("%q is what the organization of all claimable users is called.", snapshot.Outside).WithFix("Add --org with another id.")
	}
	from := snapshot.ControlHub{Organization: a.config.Org, Name: flags.name}
	if from.Domains, err = controlhub.ParseDomains(flags.domains); err != nil {
		return nil, usageError{err}
	}
	var names []string
	var into []*dialect.Source
	for _, file := range []struct {
		name string
		into *dialect.Source
	}{{flags.users, &from.Users}, {flags.claimable, &from.Claimable}, {flags.licenses, &from.Licenses}} {
		if file.name != "" {
			names, into = append(names, file.name), append(into, file.into)
		}
	}
	err = a.withSources(names, &flags.sheets, func(sources []dialect.Source) error {
		for i, source := range sources {
			*into[i] = source
		}
		loaded, err = snapshot.LoadControlHub(ctx, p.Store, p.people.Rules(), from, options)
		return err
	})
	return loaded, err
}

// sayLoaded says what a snapshot held, and per file what was mended and not understood.
func (a *app) sayLoaded(names []string, loaded *snapshot.Loaded) {
	from := schema.Say("%s", schema.Printable(names[0]))
	for _, name := range names[1:] {
		from = schema.Say("%s and %s", from, schema.Printable(name))
	}
	a.say("Loaded %s: %s, %s, %s, %s, %s.", from, schema.SayCount(loaded.Organizations, "%s organization", "%s organizations"), users(loaded.Users),
		schema.SayCount(loaded.Domains, "%s domain", "%s domains"), schema.SayCount(loaded.Licenses, "%s licence", "%s licences"),
		schema.SayCount(loaded.Claims, "%s open claim", "%s open claims"))
	for _, file := range loaded.Files {
		a.sayMended(file, loaded.Repairs[file])
		if n := loaded.OtherColumns[file]; n > 0 {
			a.say("%s: %s", schema.Printable(file), schema.SayCount(n, "%s Control Hub column is not read.", "%s Control Hub columns are not read."))
		}
		if unknown := loaded.UnknownColumns[file]; len(unknown) > 0 {
			names := make([]string, len(unknown))
			for i, name := range unknown {
				names[i] = schema.Printable(name)
			}
			a.say("%s: Columns not understood, and not read: %s.", schema.Printable(file), strings.Join(names, ", "))
		}
	}
	const shown = 20
	for _, notice := range loaded.Notices[:min(len(loaded.Notices), shown)] {
		place := schema.Printable(notice.File)
		if notice.Line > 0 {
			place += ":" + strconv.Itoa(notice.Line)
		}
		a.say("%s: %s", place, notice.Message)
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
