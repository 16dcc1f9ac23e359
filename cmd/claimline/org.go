package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/claimline/claimline/cmd/claimline/screen"
	"github.com/claimline/claimline/pipeline/words"
	"github.com/claimline/claimline/schema"
)

// settings are what org shows and org set changes, in the order they are shown.
var settings = []struct {
	key     string
	meaning schema.Word
	get     func(*schema.Organization) string
	set     func(*schema.Organization, string) bool // false: not a value it can have
	values  schema.Word
}{
	{
		"bring_conversations", "some users bring content (delayed claims)",
		func(o *schema.Organization) string { return onOff(o.BringConversations) },
		func(o *schema.Organization, value string) bool { return setSwitch(&o.BringConversations, value) }, "on or off",
	},
	{
		"directory_sync", "while it is on, nobody can be claimed",
		func(o *schema.Organization) string { return onOff(o.DirectorySync) },
		func(o *schema.Organization, value string) bool { return setSwitch(&o.DirectorySync, value) }, "on or off",
	},
	{
		"activation_emails", "users get a mail when their account joins",
		func(o *schema.Organization) string { return onOff(o.ActivationEmails) },
		func(o *schema.Organization, value string) bool { return setSwitch(&o.ActivationEmails, value) }, "on or off",
	},
	{
		"retention_days", "days for which content is kept; 0: no limit",
		func(o *schema.Organization) string { return strconv.Itoa(o.RetentionDays) },
		func(o *schema.Organization, value string) bool { return setDays(&o.RetentionDays, value) }, "0 to 36500",
	},
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

func setSwitch(to *bool, value string) bool {
	switch strings.ToLower(value) {
	case "on", "true":
		*to = true
	case "off", "false":
		*to = false
	default:
		return false
	}
	return true
}

func setDays(to *int, value string) bool {
	const most = 36500
	days, err := strconv.Atoi(value)
	if err != nil || days < 0 || days > most {
		return false
	}
	*to = days
	return true
}

func (a *app) orgCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "org",
		Short: "Show the settings of your organization, or change them",
		Example: `  claimline org --org acme
  claimline org set --org acme activation_emails=off retention_days=90`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownCommand(cmd, args[0])
			}
			return a.withOrganization(cmd.Context(), reads, func(_ *session, organization schema.Organization) error {
				return a.showOrganization(organization)
			})
		},
	}
	cmd.AddCommand(a.orgSetCommand())
	return cmd
}

func (a *app) orgSetCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "set KEY=VALUE...",
		Short: "Change settings of your organization",
		Long:  settingsHelp(words.English),
		Example: `  claimline org set --org acme activation_emails=off
  claimline org set --org acme bring_conversations=on retention_days=90`,
		ValidArgsFunction: completeSettings,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usage("%s needs a setting.", cmd.CommandPath()).WithFix("Write for example: %s activation_emails=off.", cmd.CommandPath())
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			change, err := parseSettings(args)
			if err != nil {
				return err
			}
			return a.withOrganization(cmd.Context(), writes, func(p *session, organization schema.Organization) error {
				organization, err := p.Store.SetOrganization(cmd.Context(), p.people.Rules(), organization.ID, change)
				if err != nil {
					return err
				}
				return a.showOrganization(organization)
			})
		},
	}
	cmd.SetHelpFunc(func(cmd *cobra.Command, args []string) {
		cmd.Long = settingsHelp(a.language())
		cmd.Root().HelpFunc()(cmd, args)
	})
	return cmd
}

func settingsHelp(l words.Language) string {
	var b strings.Builder
	fmt.Fprintln(&b, l.Say("Changes settings of your organization, all of those given or none:"))
	for _, s := range settings {
		fmt.Fprintf(&b, "\n  %-20s %s: %s", s.key, l.Format(string(s.values)), l.Format(string(s.meaning)))
	}
	return b.String()
}

// parseSettings reads KEY=VALUE...; nothing is changed where one of them is wrong.
func parseSettings(args []string) (change func(*schema.Organization) error, err error) {
	var keys []string
	for _, s := range settings {
		keys = append(keys, s.key)
	}
	var changes []func(*schema.Organization)
	for _, arg := range args {
		key, value, found := strings.Cut(arg, "=")
		key, value = strings.ToLower(strings.TrimSpace(key)), strings.TrimSpace(value)
		i := slices.Index(keys, key)
		switch {
		case i < 0:
			refused := usage("There is no setting %q.", key)
			if near, ok := schema.Nearest([]string{key}, keys); ok {
				return nil, refused.WithFix("Did you mean %s?", near)
			}
			return nil, refused.WithFix("The settings are: %s.", strings.Join(keys, ", "))
		case !found:
			return nil, usage("The setting %s has no value.", key).WithFix("Write %s=VALUE, where VALUE is %s.", key, settings[i].values)
		case !settings[i].set(&schema.Organization{}, value):
			return nil, usage("%q is not a value for %s.", value, key).WithFix("Write %s.", settings[i].values)
		}
		changes = append(changes, func(o *schema.Organization) { settings[i].set(o, value) })
	}
	return func(o *schema.Organization) error {
		for _, change := range changes {
			change(o)
		}
		return nil
	}, nil
}

func (a *app) showOrganization(organization schema.Organization) error {
	if a.flags.json {
		return a.answer(organization)
	}
	t := screen.NewTable(screen.Whole("Setting"), screen.Whole("Value"), screen.Text("What it does"))
	for _, s := range settings {
		if err := t.Add(s.key, s.get(&organization), a.language().Format(string(s.meaning))); err != nil {
			return err
		}
	}
	a.say("%s (%s)", schema.Printable(organization.Name), schema.Printable(organization.ID))
	return a.writeTable(a.stdout, t)
}
