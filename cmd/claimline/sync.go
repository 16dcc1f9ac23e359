package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/claimline/claimline/cmd/claimline/screen"
	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/pipeline/directory"
	"github.com/claimline/claimline/pipeline/people"
	"github.com/claimline/claimline/schema"
)

func (a *app) syncCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "sync",
		Short: "Compare the members with your own directory's list, or synchronize them with it",
		Example: `  claimline sync preview --org acme directory.csv
  claimline sync run --org acme directory.csv`,
		Args: cobra.ArbitraryArgs,
		RunE: groupOnly,
	}
	cmd.AddCommand(a.syncPreviewCommand(), a.syncRunCommand())
	return cmd
}

const syncList = `FILE is the directory's full list as it was exported: a CSV file or a workbook of Active Directory (Get-ADUser, csvde), Entra, Microsoft 365 or
Google, or LDIF (ldifde, ldapsearch). The addresses are in the column that --address names, or in the first that it has of email,
"User ID/Email (Required)" and its other names, mail, EmailAddress, "Email Address [Required]", userPrincipalName and proxyAddresses
(its SMTP:). Rows without an address, guests, and objects that are no persons are left out and counted. It may be - for stdin.`

func (a *app) syncPreviewCommand() *cobra.Command {
	var missing, address, sheet string
	cmd := &cobra.Command{
		Use:   "preview FILE",
		Short: "Say what a directory run would do to each user, and change nothing",
		Long: `Says what a directory run would do to each user, and changes nothing: how many of each kind, and first of all who is at risk.
` + syncList,
		Example: `  claimline sync preview --org acme directory.csv
  claimline sync preview --org acme --address mail directory.csv
  claimline sync preview --org acme --missing missing.csv directory.csv`,
		Args: oneArg("file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withOrganization(cmd.Context(), reads, func(p *session, organization schema.Organization) error {
				return a.withSource(args[0], func(source dialect.Source) error {
					plan, err := p.people.PreviewSync(cmd.Context(), organization.ID, dialect.InSheet(source, sheet), address)
					if err != nil {
						return err
					}
					if err := a.tellSync(source.Name(), missing, plan); err != nil {
						return err
					}
					return a.answerSync(plan)
				})
			})
		},
	}
	addListFlags(cmd, &missing, &address)
	addSheetFlag(cmd, &sheet)
	return cmd
}

func (a *app) syncRunCommand() *cobra.Command {
	var missing, address, sheet string
	var allowMass, yes bool
	cmd := &cobra.Command{
		Use:   "run FILE",
		Short: "Synchronize the members with your directory's list",
		Long: `Synchronizes the members with your directory's list: members it lacks become inactive, and are removed 30 days later; those who
are back in it are active again. It shows that first, asks where somebody is there to answer, and says what was done.
` + syncList,
		Example: `  claimline sync run --org acme directory.csv
  claimline sync run --org acme --yes --allow-mass-deactivate directory.csv`,
		Args: oneArg("file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			defer a.readsStdin(args[0])()
			return a.withOrganization(cmd.Context(), writes, func(p *session, organization schema.Organization) error {
				return a.withSource(args[0], func(source dialect.Source) error {
					plan, err := p.people.PlanSync(cmd.Context(), organization.ID, dialect.InSheet(source, sheet), address, allowMass)
					if err != nil {
						return err
					}
					if err := a.tellSync(source.Name(), missing, plan); err != nil {
						return err
					}
					if err := a.agreeSync(cmd.Context(), plan, yes); err != nil {
						return err
					}
					for more := true; more; {
						if more, err = p.people.SyncStep(cmd.Context(), plan); err != nil {
							return err
						}
					}
					return a.answerSync(plan)
				})
			})
		},
	}
	addListFlags(cmd, &missing, &address)
	addSheetFlag(cmd, &sheet)
	cmd.Flags().BoolVar(&allowMass, "allow-mass-deactivate", false, "deactivate more than a tenth of the members, if it comes to that")
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return cmd
}

func addListFlags(cmd *cobra.Command, missing, address *string) {
	cmd.Flags().StringVar(address, "address", "", "column of the addresses (default: the first that is known)")
	cmd.Flags().StringVar(missing, "missing", "", "file to write the claimed users to whom the directory lacks, for its administrator")
}

// tellSync writes whom the directory's file lacks to the file called missing, where that is named, and says
// what else there is to know before anything is done.
func (a *app) tellSync(file, missing string, plan *people.SyncPlan) error {
	if missing != "" {
		if err := a.writeOutput(missing, plan.WriteMissing, file); err != nil {
			return err
		}
	}
	a.sayList(file, plan.List)
	a.warnCase(plan)
	a.warnBeside(plan)
	return nil
}

// sayList says how the list was read, one sentence for each thing to know.
func (a *app) sayList(file string, list directory.Notes) {
	column := schema.Printable(list.Column)
	if len(list.Others) > 0 {
		others := make([]string, len(list.Others))
		for i, other := range list.Others {
			others[i] = fmt.Sprintf("%q", other)
		}
		a.say("The addresses are those of the column %q; --address names another (%s).", column, strings.Join(others, ", "))
	}
	a.sayMended(file, list.Repairs)
	if n := list.NoAddress; n > 0 {
		a.say("%s", schema.SayCount(n, "%s row has no address and was left out.", "%s rows have no address and were left out."))
	}
	if n := list.Objects; n > 0 {
		a.say("%s", schema.SayCount(n, "%s object is no person (column %q) and was left out.", "%s objects are no persons (column %q) and were left out.", schema.Printable(list.ObjectColumn)))
	}
	if n := list.Several; n > 0 {
		a.say("%s", schema.SayCount(n, "%s row has several addresses in the column %q, and the first was taken.",
			"%s rows have several addresses in the column %q, and the first was taken.", column))
	}
	if list.Lost != "" {
		a.say("The column %q has the name of a type instead of addresses, as Export-Csv writes it, so other addresses of people are not known.", schema.Printable(list.Lost))
	}
	if n := list.Guests; n > 0 {
		a.say("%s", schema.SayCount(n, "%s guest (#EXT#) was left out.", "%s guests (#EXT#) were left out."))
	}
	if n := list.Disabled; n > 0 {
		a.say("%s", schema.SayCount(n, "%s account is disabled in the directory (column %q), and in the list all the same.",
			"%s accounts are disabled in the directory (column %q), and in the list all the same.", list.DisabledColumn))
	}
}

// syncShown is how many users of one kind are listed on screen.
const syncShown = 250

// warnCase names the users whose address a case-sensitive connector would not find.
func (a *app) warnCase(plan *people.SyncPlan) {
	shown := 0
	for _, row := range plan.Rows {
		if row.Effect != schema.SyncCaseMismatch {
			continue
		}
		if shown++; shown > syncShown {
			a.say("Warning: and %d more.", plan.Counts[schema.SyncCaseMismatch]-syncShown)
			return
		}
		a.say("Warning: %s is %s in the list; a connector that minds case would deactivate the user (%s).",
			schema.Printable(row.Email), schema.Printable(row.Listed), row.Effect)
	}
}

// warnBeside names the members that the list lacks, though it has them otherwise.
func (a *app) warnBeside(plan *people.SyncPlan) {
	for _, b := range plan.Beside[:min(len(plan.Beside), syncShown)] {
		email, place := schema.Printable(b.Email), schema.Say("line %d, column %q", b.Line, schema.Printable(b.Column))
		switch b.Why {
		case directory.OtherAddress:
			a.say("Warning: %s is in the directory under another address, %s (%s); the address itself is in nobody's column %q.",
				email, schema.Printable(b.Beside.Email), place, schema.Printable(plan.List.Column))
		case directory.NoAddress:
			a.say("Warning: %s is in the directory (%s), without an address in the column %q.", email, place, schema.Printable(plan.List.Column))
		case directory.Guest:
			a.say("Warning: %s is in the directory as a guest (%s).", email, place)
		case directory.NoPerson:
			a.say("Warning: %s is in the directory (%s), but as an object that is no person.", email, place)
		}
	}
	if more := len(plan.Beside) - syncShown; more > 0 {
		a.say("Warning: and %d more who are in the directory otherwise.", more)
	}
}

// agreeSync shows the plan and asks, where somebody is there to answer.
func (a *app) agreeSync(ctx context.Context, plan *people.SyncPlan, yes bool) error {
	deactivate, reactivate := plan.Counts[schema.SyncDeactivate], plan.Counts[schema.SyncReactivate]
	if yes || !a.asks() || deactivate+reactivate == 0 {
		return nil
	}
	if err := a.writeSync(a.stderr, plan); err != nil {
		return err
	}
	return a.agrees(ctx, yes, "Deactivate %s, and reactivate %s?", users(deactivate), schema.Number(reactivate))
}

func (a *app) answerSync(plan *people.SyncPlan) error {
	if !a.flags.json {
		return a.writeSync(a.stdout, plan)
	}
	return a.writeOutput("", func(to io.Writer) error {
		return writeList(to, func(each func(schema.SyncRow) error) error {
			for _, row := range plan.Rows {
				if err := each(row); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

// writeSync shows the counts, and then who is concerned, those at risk first. Who simply stays is only
// counted.
func (a *app) writeSync(to io.Writer, plan *people.SyncPlan) error {
	counts := screen.NewTable(screen.Whole("Effect"), screen.Numeric("Users"))
	for _, effect := range schema.SyncEffects {
		if n := plan.Counts[effect]; n > 0 {
			if err := counts.Add(string(effect), a.number(n)); err != nil {
				return err
			}
		}
	}
	if err := a.writeTable(to, counts); err != nil {
		return err
	}
	concerned := screen.NewTable(screen.Whole("Effect"), screen.Address("Address"), screen.Address("In the list"))
	shown := map[schema.SyncEffect]int{}
	for _, row := range plan.Rows {
		if row.Effect == schema.SyncKeep {
			continue
		}
		if shown[row.Effect]++; shown[row.Effect] > syncShown {
			continue
		}
		listed := ""
		if row.Listed != row.Email {
			listed = row.Listed
		}
		if err := concerned.Add(string(row.Effect), schema.Printable(row.Email), schema.Printable(listed)); err != nil {
			return err
		}
	}
	if concerned.Len() == 0 {
		return nil
	}
	if _, err := fmt.Fprintln(to); err != nil {
		return unwritable(schema.Word("The answer"), err)
	}
	if err := a.writeTable(to, concerned); err != nil {
		return err
	}
	for _, effect := range schema.SyncEffects {
		if more := shown[effect] - syncShown; more > 0 {
			a.say("%s: %d more; all of them with --json.", effect, more)
		}
	}
	return nil
}
