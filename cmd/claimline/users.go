package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/claimline/claimline/cmd/claimline/screen"
	"github.com/claimline/claimline/pipeline/people"
	"github.com/claimline/claimline/schema"
)

// userFlags narrow and order a listing of users.
type userFlags struct {
	status, claimType, search, sort string
	retractable                     bool
	limit                           int
}

var (
	listedStatuses = func() []string {
		names := []string{string(schema.DelayedClaim)}
		for _, status := range schema.Statuses {
			names = append(names, string(status))
		}
		return names
	}()
	memberOrders = []string{string(people.ByEmail), string(people.ByStatus), string(people.ByDaysLeft)}
)

func (f *userFlags) filter() (filter people.MemberFilter, order people.MemberOrder, err error) {
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
	if f.limit < 0 {
		return filter, "", usage("--limit %d is no number of users.", f.limit).WithFix("Write --limit %d, or --limit 0 for all.", -f.limit)
	}
	filter.Status, filter.Retractable, filter.Search = schema.Status(f.status), f.retractable, f.search
	return filter, people.MemberOrder(f.sort), nil
}

func (a *app) usersCommand() *cobra.Command {
	var flags userFlags
	cmd := &cobra.Command{
		Use:   "users",
		Short: "List the users of your organization, and those it has claimed",
		Long: `Lists the users of your organization and those it has claimed: name, status, claim type, days left, and whether and why not a
claim can be retracted. The first 250 are shown, and how many there are. A user whom another organization has claimed is shown
with ` + schema.ConvertSuffix + ` behind the address.`,
		Example: `  claimline users --org acme
  claimline users --org acme --status delayed_claim --sort days_left
  claimline users --org acme --search lundqvist
  claimline users --org acme --retractable --limit 0`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			filter, order, err := flags.filter()
			if err != nil {
				return err
			}
			return a.withOrganization(cmd.Context(), reads, func(p *session, organization schema.Organization) error {
				list := func(each func(*schema.Listing) error) error {
					return eachUser(cmd.Context(), p, organization.ID, filter, order, each)
				}
				if !a.flags.json {
					if !cmd.Flags().Changed("limit") {
						flags.limit = p.Policy.ScreenLimit
					}
					return a.showUsers(list, flags.limit)
				}
				return a.writeOutput("", func(to io.Writer) error { // as they come, however many they are
					return writeList(to, func(each func(*schema.Listing) error) error {
						shown := 0
						return list(func(l *schema.Listing) error {
							if shown++; flags.limit > 0 && shown > flags.limit {
								return nil
							}
							return each(l)
						})
					})
				})
			})
		},
	}
	cmd.Flags().StringVar(&flags.status, "status", "", "only users with this status")
	cmd.Flags().StringVar(&flags.claimType, "claim-type", "", "only users with an immediate, or a delayed claim")
	cmd.Flags().BoolVar(&flags.retractable, "retractable", false, "only users whose claim can be retracted now")
	cmd.Flags().StringVar(&flags.search, "search", "", "only users with this `text` in the address or a name, whatever the case and accents")
	cmd.Flags().IntVar(&flags.limit, "limit", 0, "list so many users at most; 0: all (default: 250 as text, all as JSON)")
	cmd.Flags().StringVar(&flags.sort, "sort", string(people.ByEmail), "email, status or days_left")
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

// eachUser hands over users in the order wanted. Those that must be sorted first wait in a file, and not in memory.
func eachUser(ctx context.Context, p *session, organization string, filter people.MemberFilter, order people.MemberOrder, each func(*schema.Listing) error) (err error) {
	if order == people.ByEmail {
		return p.people.EachMember(ctx, organization, filter, func(l schema.Listing) error { return each(&l) })
	}
	type named struct {
		Name    string         `json:"name"`
		Listing schema.Listing `json:"listing"`
	}
	var spool screen.Spool
	defer func() { err = errors.Join(err, spool.Close()) }()
	err = p.people.EachMember(ctx, organization, filter, func(l schema.Listing) error {
		data, err := json.Marshal(named{l.Name, l})
		if err != nil {
			return fmt.Errorf("keep a user: %w", err)
		}
		return spool.Add(order.Key(&l), data)
	})
	if err != nil {
		return err
	}
	spool.Sort()
	return spool.Each(func(data []byte) error {
		var user named
		if err := json.Unmarshal(data, &user); err != nil {
			return fmt.Errorf("read a user: %w", err)
		}
		user.Listing.Name = user.Name
		return each(&user.Listing)
	})
}

// showUsers lists the first users of a listing, and says how many there are; limit 0: all.
func (a *app) showUsers(list func(each func(*schema.Listing) error) error, limit int) (err error) {
	t := screen.NewTable(screen.Address("Address"), screen.Text("Name"), screen.Whole("Status"), screen.Whole("Claim"), screen.When("Claimed"),
		screen.Numeric("Days"), screen.Whole("Retract"), screen.Text("Why not"))
	defer func() { err = errors.Join(err, t.Close()) }()
	total := 0
	err = list(func(l *schema.Listing) error {
		if total++; limit > 0 && total > limit {
			return nil
		}
		days, retract, why := "", "", ""
		if l.DaysLeft != nil {
			days = strconv.Itoa(*l.DaysLeft)
		}
		switch {
		case l.Retractable:
			retract = "yes"
		case l.ClaimType != "":
			retract, why = "no", string(l.RetractReason)
		}
		return t.Add(schema.Printable(l.Email), schema.Printable(l.Name), string(l.Status), string(l.ClaimType), screen.Stamp(l.ClaimedAt), days, retract, why)
	})
	if err != nil {
		return err
	}
	if total == 0 {
		a.say("There are no such users.")
		return nil
	}
	if err := a.writeTable(a.stdout, t); err != nil {
		return err
	}
	if total > t.Len() {
		a.say("%s of %s; --limit 0 shows all.", screen.Number(t.Len()), users(total))
	} else {
		a.say("%s.", users(total))
	}
	return nil
}
