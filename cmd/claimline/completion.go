package main

import (
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/claimline/claimline/pipeline/words"
	"github.com/claimline/claimline/schema"
)

// shells are those for which completion can be written.
var shells = []string{"bash", "zsh", "fish"}

func (a *app) completionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "completion SHELL",
		Short: "Write the completion script for bash, zsh or fish",
		Long: `Writes the script that lets a shell complete commands, flags and their values. To use it:

  bash  claimline completion bash > /etc/bash_completion.d/claimline
  zsh   claimline completion zsh > "${fpath[1]}/_claimline"
  fish  claimline completion fish > ~/.config/fish/completions/claimline.fish`,
		Example: `  claimline completion bash
  claimline completion zsh
  claimline completion fish`,
		ValidArgs:         shells,
		Args:              oneArg("shell"),
		PersistentPreRunE: withoutConfig,
		RunE: func(cmd *cobra.Command, args []string) error {
			root := cmd.Root()
			var err error
			switch args[0] {
			case "bash":
				err = root.GenBashCompletionV2(a.stdout, true)
			case "zsh":
				err = root.GenZshCompletion(a.stdout)
			case "fish":
				err = root.GenFishCompletion(a.stdout, true)
			default:
				return notOneOf(cmd.CommandPath(), args[0], shells)
			}
			if err != nil {
				return unwritable(schema.Word("The script"), err)
			}
			return nil
		},
	}
}

// helpCommand returns help [COMMAND].
func (a *app) helpCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]",
		Short: "Explain a command",
		Example: `  claimline help import
  claimline help domain verify`,
		ValidArgsFunction: completeCommands,
		PersistentPreRunE: withoutConfig,
		RunE: func(cmd *cobra.Command, args []string) error {
			about := cmd.Root()
			for _, name := range args {
				sub := subcommand(about, name)
				if sub == nil {
					return unknownCommand(about, name)
				}
				about = sub
			}
			about.InitDefaultHelpFlag()
			about.InitDefaultVersionFlag()
			return about.Help()
		},
	}
}

func subcommand(cmd *cobra.Command, name string) *cobra.Command {
	i := slices.IndexFunc(cmd.Commands(), func(sub *cobra.Command) bool { return sub.Name() == name })
	if i < 0 {
		return nil
	}
	return cmd.Commands()[i]
}

func completeCommands(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	about := cmd.Root()
	for _, name := range args {
		if about = subcommand(about, name); about == nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
	}
	var names []string
	for _, sub := range about.Commands() {
		if sub.IsAvailableCommand() {
			names = append(names, sub.Name())
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

func completeSettings(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	var words []string
	for _, s := range settings {
		if s.values == "on or off" {
			words = append(words, s.key+"=on", s.key+"=off")
		} else {
			words = append(words, s.key+"=")
		}
	}
	return words, cobra.ShellCompDirectiveNoFileComp
}

// addCompletions lets shells complete the values of flags, wherever a flag of that name occurs.
func (a *app) addCompletions(root *cobra.Command) {
	fixed := map[string][]string{
		"format":            reportFormats,
		"only":              onlyValues(schema.Outcomes),
		"from":              {controlHub},
		"type":              claimTypes,
		"claim-type":        claimTypes,
		"status":            listedStatuses,
		"sort":              memberOrders,
		"choice":            choices,
		"activation-emails": {"on", "off"},
		"state":             mailStates,
		"language":          names(words.Languages),
		"log-level":         {"debug", "info", "warn", "error"},
	}
	looked := map[string]func(*cobra.Command) ([]string, error){
		"org":     a.knownOrganizations,
		"service": a.knownServices,
		"domain":  a.knownDomains,
		"import":  a.knownImports,
	}
	arguments := map[string]func(*cobra.Command) ([]string, error){
		"status": a.knownImports, "report": a.knownImports, "cancel": a.knownImports, "resume": a.knownImports,
		"schedule show": a.knownSchedules, "schedule runs": a.knownSchedules, "schedule run": a.knownSchedules,
		"schedule pause": a.knownSchedules, "schedule unpause": a.knownSchedules, "schedule remove": a.knownSchedules,
		"domain verify": a.knownDomains, "domain claim": a.knownDomains, "domain release": a.knownDomains,
	}
	var visit func(cmd *cobra.Command)
	visit = func(cmd *cobra.Command) {
		register := func(f *pflag.Flag) {
			switch {
			case fixed[f.Name] != nil:
				_ = cmd.RegisterFlagCompletionFunc(f.Name, cobra.FixedCompletions(fixed[f.Name], cobra.ShellCompDirectiveNoFileComp))
			case looked[f.Name] != nil:
				_ = cmd.RegisterFlagCompletionFunc(f.Name, a.completeFrom(looked[f.Name]))
			}
		}
		cmd.PersistentFlags().VisitAll(register)
		cmd.LocalNonPersistentFlags().VisitAll(register)
		if find := arguments[strings.TrimPrefix(cmd.CommandPath(), root.Name()+" ")]; find != nil {
			cmd.ValidArgsFunction = firstArgument(a.completeFrom(find))
		}
		for _, sub := range cmd.Commands() {
			visit(sub)
		}
	}
	visit(root)
}

// completeFrom completes with what is found in the database; without one, there is nothing to say.
func (a *app) completeFrom(find func(*cobra.Command) ([]string, error)) cobra.CompletionFunc {
	return func(cmd *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
		var err error
		if a.config, err = a.readConfig(); err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		found, err := find(cmd)
		if err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		found = slices.DeleteFunc(found, func(word string) bool { return !strings.HasPrefix(word, begun) })
		return found, cobra.ShellCompDirectiveNoFileComp
	}
}

// firstArgument completes the first argument only.
func firstArgument(complete cobra.CompletionFunc) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return complete(cmd, args, begun)
	}
}

// knownImports returns the imports of the organization, the newest first, with state and file.
func (a *app) knownImports(cmd *cobra.Command) (ids []string, err error) {
	err = a.withOrganization(cmd.Context(), reads, func(p *session, organization schema.Organization) error {
		imports, err := p.Store.ListImports(cmd.Context(), organization.ID, completedImports)
		for _, imp := range imports {
			ids = append(ids, strconv.FormatInt(imp.ID, 10)+"\t"+string(imp.State)+", "+schema.Printable(imp.File))
		}
		return err
	})
	return ids, err
}

// completedImports is how many imports completion offers.
const completedImports = 50

func (a *app) knownOrganizations(cmd *cobra.Command) (ids []string, err error) {
	err = a.withStore(cmd.Context(), reads, func(p *session) error {
		organizations, err := p.Store.Organizations(cmd.Context())
		for _, o := range organizations {
			if o.Kind == schema.Enterprise { // the others do not claim
				ids = append(ids, o.ID+"\t"+schema.Printable(o.Name))
			}
		}
		return err
	})
	return ids, err
}

func (a *app) knownServices(cmd *cobra.Command) (names []string, err error) {
	err = a.withOrganization(cmd.Context(), reads, func(p *session, organization schema.Organization) error {
		names, err = p.people.Services(cmd.Context(), organization.ID)
		return err
	})
	return names, err
}

func (a *app) knownDomains(cmd *cobra.Command) (names []string, err error) {
	err = a.withOrganization(cmd.Context(), reads, func(p *session, organization schema.Organization) error {
		held, err := p.Store.Domains(cmd.Context(), organization.ID)
		for _, d := range held {
			names = append(names, d.Domain)
		}
		return err
	})
	return names, err
}

func (a *app) knownSchedules(cmd *cobra.Command) (names []string, err error) {
	err = a.withOrganization(cmd.Context(), reads, func(p *session, organization schema.Organization) error {
		schedules, err := p.Store.Schedules(cmd.Context(), organization.ID)
		for _, s := range schedules {
			names = append(names, s.Name+"\t"+s.Cron)
		}
		return err
	})
	return names, err
}
