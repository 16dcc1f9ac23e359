package pipeline

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/schema"
)

// MemberFilter narrows who is listed. Zero values leave everybody in.
type MemberFilter struct {
	Status      schema.Status
	ClaimType   schema.ClaimType
	Retractable bool // only users whose claim can be retracted now (R22)
}

// EachMember hands over the users of an organization as it lists them, by address key: its own, and those it has claimed
// (R15, R16).
func (p *Pipeline) EachMember(ctx context.Context, organization string, filter MemberFilter, each func(schema.Listing) error) error {
	clock := p.clock()
	err := p.Store.Members(ctx, clock, organization, func(cases []claim.Case) error {
		for i := range cases {
			l, ok := clock.List(&cases[i])
			if !ok || filter.Status != "" && l.Status != filter.Status || filter.ClaimType != "" && l.ClaimType != filter.ClaimType ||
				filter.Retractable && !l.Retractable {
				continue
			}
			if err := each(l); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("list the users: %w", err)
	}
	return nil
}

// Deadlines is what time will make due in an organization until a moment, soonest first; the zero time: whenever.
func (p *Pipeline) Deadlines(ctx context.Context, organization string, until time.Time) ([]schema.Deadline, error) {
	clock := p.clock()
	list := []schema.Deadline{}
	err := p.Store.Members(ctx, clock, organization, func(cases []claim.Case) error {
		for i := range cases {
			for _, d := range clock.Deadlines(&cases[i]) {
				if until.IsZero() || !d.DueAt.After(until) {
					list = append(list, d)
				}
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list the deadlines: %w", err)
	}
	slices.SortStableFunc(list, func(a, b schema.Deadline) int { return a.DueAt.Compare(b.DueAt) })
	return list, nil
}

// Sweep writes what time has made due in all organizations, and removes file and rows of imports past their keeping
// time. Stopped half-way, it can be run again.
func (p *Pipeline) Sweep(ctx context.Context) (schema.Swept, error) {
	swept, err := p.Store.Sweep(ctx, p.clock())
	if err != nil {
		return swept, fmt.Errorf("settle what is due: %w", err)
	}
	swept.ImportsRemoved, err = p.Store.RemoveImports(ctx, p.now().Add(-p.Policy.KeepTime()))
	if err != nil {
		return swept, fmt.Errorf("remove old imports: %w", err)
	}
	return swept, nil
}

// SortMembers sorts users that are in the order of their address keys by something else.
func SortMembers(list []schema.Listing, by MemberOrder) {
	switch by {
	case ByStatus:
		slices.SortStableFunc(list, func(a, b schema.Listing) int { return strings.Compare(string(a.Status), string(b.Status)) })
	case ByDaysLeft: // those without a deadline last
		slices.SortStableFunc(list, func(a, b schema.Listing) int { return daysLeft(&a) - daysLeft(&b) })
	}
}

// MemberOrder is an order in which users are listed.
type MemberOrder string

// The orders of a listing of users.
const (
	ByEmail    MemberOrder = "email"
	ByStatus   MemberOrder = "status"
	ByDaysLeft MemberOrder = "days_left"
)

func daysLeft(l *schema.Listing) int {
	if l.DaysLeft == nil {
		return 1 << 30
	}
	return *l.DaysLeft
}
