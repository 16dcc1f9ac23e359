package main

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/claimline/claimline/pipeline"
	"github.com/claimline/claimline/schema"
)

// userFlags narrow and order a listing of users.
type userFlags struct {
	status, claimType, sort string
	retractable             bool
}

var (
	listedStatuses = func() []string {
		names := []string{string(schema.DelayedClaim)}
		for _, status := range schema.Statuses {
			names = append(names, string(status))
		}
		return names
	}()
	memberOrders = []string{string(pipeline.ByEmail), string(pipeline.ByStatus), string(pipeline.ByDaysLeft)}
)

func (f *userFlags) filter() (filter pipeline.MemberFilter, order pipeline.MemberOrder, err error) {
	if f.status != "" && !slices.Contains(listedStatuses, f.status) {
		return filter, "", notOneOf("--status", f.status, listedStatuses)
	}
	if f.claimType != "" {
		var ok bool
		if filter.ClaimType, ok = schema.ParseClaimType(f.claimType); !ok {
			return filter, "", notOneOf("--claim-type", f.claimType, []string{string(schema.Immediate), string(schema.Delayed)})
		}
	}
	if !slices.Contains(memberOrders, f.sort) {
		return filter, "", notOneOf("--sort", f.sort, memberOrders)
	}
	filter.Status, filter.Retractable = schema.Status(f.status), f.retractable
	return filter, pipeline.MemberOrder(f.sort), nil
}

func (a *app) usersCommand() *cobra.Command {
	var flags userFlags
	cmd := &cobra.Command{
		Use:   "users",
		Short: "List the users of your organization, and those it has claimed",
		Long: `Lists the users of your organization and those it has claimed: status, claim type, days left, and whether and why not a claim
can be retracted. A user whom another organization has claimed is shown with ` + schema.ConvertSuffix + ` behind the address.`,
		Example: `  claimline users --org acme
  claimline users --org acme --status delayed_claim --sort days_left
  claimline users --org acme --retractable`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			filter, order, err := flags.filter()
			if err != nil {
				return err
			}
			return a.withOrganization(cmd.Context(), reads, func(p *pipeline.Pipeline, organization schema.Organization) error {
				if a.flags.json && order == pipeline.ByEmail { // as they come, however many they are
					return a.writeOutput("", func(to io.Writer) error {
						return writeList(to, func(each func(schema.Listing) error) error {
							return p.EachMember(cmd.Context(), organization.ID, filter, each)
						})
					})
				}
				list := []schema.Listing{}
				err := p.EachMember(cmd.Context(), organization.ID, filter, func(l schema.Listing) error {
					list = append(list, l)
					return nil
				})
				if err != nil {
					return err
				}
				pipeline.SortMembers(list, order)
				if a.flags.json {
					return a.answer(list)
				}
				return a.showUsers(list)
			})
		},
	}
	cmd.Flags().StringVar(&flags.status, "status", "", "only users with this status")
	cmd.Flags().StringVar(&flags.claimType, "claim-type", "", "only users with an immediate, or a delayed claim")
	cmd.Flags().BoolVar(&flags.retractable, "retractable", false, "only users whose claim can be retracted now")
	cmd.Flags().StringVar(&flags.sort, "sort", string(pipeline.ByEmail), "email, status or days_left")
	_ = cmd.RegisterFlagCompletionFunc("status", cobra.FixedCompletions(listedStatuses, cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.RegisterFlagCompletionFunc("sort", cobra.FixedCompletions(memberOrders, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// writeList writes values as one JSON list, one by one.
func writeList[V any](to io.Writer, all func(each func(V) error) error) error {
	buffered := bufio.NewWriter(to)
	encoder := schema.NewEncoder(buffered)
	before := "["
	err := all(func(value V) error {
		_, _ = buffered.WriteString(before) // an error stays with the writer until Flush
		before = ","
		if err := encoder.Encode(value); err != nil {
			return fmt.Errorf("write the answer: %w", err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if before == "[" {
		_, _ = buffered.WriteString("[")
	}
	_, _ = buffered.WriteString("]\n")
	if err := buffered.Flush(); err != nil {
		return fmt.Errorf("write the answer: %w", err)
	}
	return nil
}

func (a *app) showUsers(list []schema.Listing) error {
	if len(list) == 0 {
		a.say("There are no such users.")
		return nil
	}
	t := newTable("Address", "Status", "Claim", "Claimed", "Days left", "Retract")
	for i := range list {
		l := &list[i]
		days, retract := "", "yes"
		if l.DaysLeft != nil {
			days = strconv.Itoa(*l.DaysLeft)
		}
		if !l.Retractable {
			retract = "no: " + string(l.RetractReason)
		}
		if l.ClaimType == "" {
			retract = ""
		}
		t.AppendRow([]any{schema.Printable(l.Email), l.Status, l.ClaimType, localTime(l.ClaimedAt), days, retract})
	}
	if err := writeTable(a.stdout, t); err != nil {
		return err
	}
	a.say("%s.", users(len(list)))
	return nil
}
