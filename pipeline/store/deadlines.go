package store

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/schema"
)

// Upcoming is a kind of thing that time will make due. The database finds accounts by it; what is due of
// them, and when, is for claim.Rules.Deadlines to say.
type Upcoming int

// The kinds.
const (
	UpcomingDecision Upcoming = iota // an open delayed claim of the organization, since it was made
	UpcomingRetract                  // an open immediate claim whose owner has not signed in, since it was made
	UpcomingRemoval                  // a member, or a user claimed immediately, since when it is inactive
	UpcomingJoined                   // an open delayed claim on an inactive account, since it was made: it is removed after it has joined
	upcomingKinds
)

// span returns how long after its beginning something falls due.
func (u Upcoming) span(policy schema.Policy) time.Duration {
	switch u {
	case UpcomingRemoval:
		return policy.InactiveTime()
	case UpcomingJoined:
		return policy.DecisionTime() + policy.InactiveTime()
	}
	return policy.DecisionTime()
}

// FirstDeadlines returns what falls due first in an organization (see R21 to R23), at most limit of it, and
// reports whether there is more. What falls due in the same second is by address key. Refused with
// CodeOrganizationUnknown.
func (s *Store) FirstDeadlines(ctx context.Context, rules claim.Rules, id string, limit int) (list []schema.Deadline, more bool, err error) {
	err = s.read(ctx, "list deadlines", func(tx Tx) error {
		m, err := membersOf(ctx, tx, rules, id)
		if err != nil {
			return err
		}
		const further = 4 // times as many, where the rules leave too few
		for looked := limit + 1; ; looked *= further {
			found, whole, err := m.deadlines(ctx, looked)
			if err != nil {
				return err
			}
			if more = len(found) > limit; more || whole {
				list = found[:min(limit, len(found))]
				return nil
			}
		}
	})
	return list, more, err
}

// deadlines returns the first deadlines among so many accounts of each kind; whole says that those are all.
func (m *members) deadlines(ctx context.Context, looked int) (list []schema.Deadline, whole bool, err error) {
	seen := map[int64]struct{}{}
	var ids []int64
	var until time.Time // what comes later is not known in full
	for kind := range upcomingKinds {
		span := kind.span(m.rules.Policy)
		found, err := m.tx.Upcoming(ctx, m.organization.ID, kind, m.rules.Now.Add(-span), looked)
		if err != nil {
			return nil, false, err
		}
		if len(found) == looked {
			if last := found[len(found)-1].Since.Add(span); until.IsZero() || last.Before(until) {
				until = last
			}
		}
		for _, d := range found {
			if _, twice := seen[d.Account]; !twice {
				seen[d.Account] = struct{}{}
				ids = append(ids, d.Account)
			}
		}
	}
	type keyed struct {
		schema.Deadline
		key string
	}
	var sorted []keyed
	for part := range slices.Chunk(ids, batchSize) {
		views, err := m.tx.ViewsByID(ctx, part)
		if err != nil {
			return nil, false, err
		}
		if err := m.complete(ctx, views); err != nil {
			return nil, false, err
		}
		for i := range views {
			for _, d := range m.rules.Deadlines(&views[i]) {
				if until.IsZero() || !d.DueAt.After(until) {
					sorted = append(sorted, keyed{d, views[i].Key})
				}
			}
		}
	}
	slices.SortStableFunc(sorted, func(a, b keyed) int { return cmp.Or(a.DueAt.Compare(b.DueAt), strings.Compare(a.key, b.key)) })
	list = make([]schema.Deadline, len(sorted))
	for i := range sorted {
		list[i] = sorted[i].Deadline
	}
	return list, until.IsZero(), nil
}
