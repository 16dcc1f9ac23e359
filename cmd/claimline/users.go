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
	claimTypes   = []string{string(schema.Immediate), string(schema.Delayed)}
	memberOrders = []string{string(people.ByEmail), string(people.ByStatus), string(people.ByDaysLeft)}
)

func (f *userFlags) filter() (filter people.MemberFilter, order people.MemberOrder, err error) {
	if f.status != "" && !slices.Contains(listedStatuses, f.status) {
		return filter, "", notOneOf("--status", f.status, listedStatuses)
	}
	if f.claimType != "" {
		var ok bool
		if filter.ClaimType, ok = schema.ParseClaimType(f.claimType); !ok {
			return filter, "", notOneOf("--claim-type", f.claimType, claimTypes)
		}
	}
	if !slices.Contains(memberOrders, f.sort) {
		return filter, "", notOneOf("--sort", f.sort, memberOrders)
	}
	if f.limit < 0 {
		return filter, "", notALimit(f.limit, "users")
	}
	filter.Status, filter.Retractable, filter.Search = schema.Status(f.status), f.retractable, f.search
	return filter, people.MemberOrder(f.sort), nil
}

// notALimit refuses a limit below 0.
func notALimit(limit int, of schema.Word) error {
	return usage("--limit %d is no number of %s.", limit, of).WithFix("Write --limit %d, or --limit 0 for all.", -limit)
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
				if !a.flags.json && !cmd.Flags().Changed("limit") {
					flags.limit = p.Policy.ScreenLimit
				}
				filter.NoNames = a.flags.json
				list := userList{p: p, organization: organization.ID, filter: filter, order: order, limit: flags.limit}
				if !a.flags.json {
					return a.showUsers(cmd.Context(), list)
				}
				return a.writeOutput("", func(to io.Writer) error { // one by one, however many they are
					return writeList(to, func(each func(*schema.Listing) error) error {
						_, err := list.each(cmd.Context(), each)
						return err
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
	return cmd
}

// writeList writes values as one JSON list, one by one.
func writeList[V any](to io.Writer, all func(each func(V) error) error) error {
	setGCPercent(streamPercent)
	defer setGCPercent(gcPercent)
	buffered := bufio.NewWriterSize(to, 1<<16)
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

// userList is the first users of an organization in the order wanted; limit 0: all.
type userList struct {
	p            *session
	organization string
	filter       people.MemberFilter
	order        people.MemberOrder
	limit        int
}

// unknownTotal is the number of users where there are more than were handed over.
const unknownTotal = -1

// each hands over the users, and returns how many there are with those beyond the limit, as far as that is
// known by then.
func (u *userList) each(ctx context.Context, each func(*schema.Listing) error) (total int, err error) {
	if u.order != people.ByEmail {
		return u.eachSorted(ctx, each)
	}
	more, err := u.p.people.FirstMembers(ctx, u.organization, u.filter, u.limit, func(l schema.Listing) error {
		total++
		return each(&l)
	})
	if more {
		total = unknownTotal
	}
	return total, err
}

// eachSorted does what each does, for users that must be sorted first: they wait in a file, and not in
// memory.
func (u *userList) eachSorted(ctx context.Context, each func(*schema.Listing) error) (total int, err error) {
	type named struct {
		Name    string         `json:"name"`
		Listing schema.Listing `json:"listing"`
	}
	var spool screen.Spool
	defer func() { err = errors.Join(err, spool.Close()) }()
	err = u.p.people.EachMember(ctx, u.organization, u.filter, func(l schema.Listing) error {
		data, err := json.Marshal(named{l.Name, l})
		if err != nil {
			return fmt.Errorf("keep a user: %w", err)
		}
		return spool.Add(u.order.Key(&l), data)
	})
	if err != nil {
		return 0, err
	}
	spool.Sort()
	return spool.Len(), spool.First(u.limit, func(data []byte) error {
		var user named
		if err := json.Unmarshal(data, &user); err != nil {
			return fmt.Errorf("read a user: %w", err)
		}
		user.Listing.Name = user.Name
		return each(&user.Listing)
	})
}

// showUsers lists users, and then says how many there are.
func (a *app) showUsers(ctx context.Context, list userList) (err error) {
	t := screen.NewTable(screen.Address("Address"), screen.Text("Name"), screen.Whole("Status"), screen.Whole("Claim"), screen.When("Claimed"),
		screen.Numeric("Days"), screen.Whole("Retract"), screen.Text("Why not"))
	defer func() { err = errors.Join(err, t.Close()) }()
	yes, no := a.language().Say("yes"), a.language().Say("no")
	total, err := list.each(ctx, func(l *schema.Listing) error {
		days, retract, why := "", "", ""
		if l.DaysLeft != nil {
			days = strconv.Itoa(*l.DaysLeft)
		}
		switch {
		case l.Retractable:
			retract = yes
		case l.ClaimType != "":
			retract, why = no, string(l.RetractReason)
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
	if total == unknownTotal {
		if total, err = list.p.people.CountMembers(ctx, list.organization, list.filter); err != nil {
			return err
		}
	}
	if total > t.Len() {
		a.say("%s of %s; --limit 0 shows all.", schema.Number(t.Len()), users(total))
	} else {
		a.say("%s.", users(total))
	}
	return nil
}
