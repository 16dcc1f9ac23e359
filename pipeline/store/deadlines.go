package store

import (
	"cmp"
	"context"
	"maps"
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

// DeadlineMark is a place among deadlines, as they are listed.
type DeadlineMark struct {
	DueAt time.Time
	Key   string // address key
	Kind  schema.DeadlineKind
}

func (m DeadlineMark) compare(o DeadlineMark) int {
	return cmp.Or(m.DueAt.Compare(o.DueAt), strings.Compare(m.Key, o.Key), strings.Compare(string(m.Kind), string(o.Kind)))
}

// FirstDeadlines returns what falls due first in an organization (see R21 to R23) behind a mark, the zero one
// being before all, at most limit of it, and reports whether there is more, behind the mark that is returned.
// What falls due in the same second is by address key. Refused with CodeOrganizationUnknown.
func (s *Store) FirstDeadlines(ctx context.Context, rules claim.Rules, id string, after DeadlineMark, limit int) (list []schema.Deadline, last DeadlineMark, more bool, err error) {
	err = s.read(ctx, "list deadlines", func(tx Tx) error {
		m, err := membersOf(ctx, tx, rules, id)
		if err != nil {
			return err
		}
		const further = 4                              // times as many, where the rules leave too few
		for looked := limit + 2; ; looked *= further { // of the last one it is not certain that all is known
			found, whole, err := m.deadlines(ctx, after, looked)
			if err != nil {
				return err
			}
			if more = len(found) > limit; !more && !whole {
				continue
			}
			list = make([]schema.Deadline, min(limit, len(found)))
			for i := range list {
				list[i], last = found[i].Deadline, found[i].mark()
			}
			return nil
		}
	})
	return list, last, more, err
}

// upcomingAs is what members and open claims fall due as, of which nothing is due yet.
var upcomingAs = map[Upcoming]schema.DeadlineKind{
	UpcomingDecision: schema.DeadlineDecision, UpcomingRetract: schema.DeadlineRetract, UpcomingRemoval: schema.DeadlineRemoval,
}

// CountDeadlines counts what falls due in an organization from each of these times up to the next, by kind.
// Like CountEligible it looks only at accounts of which something is due. Refused with
// CodeOrganizationUnknown.
func (s *Store) CountDeadlines(ctx context.Context, rules claim.Rules, id string, bounds []time.Time) (counts []map[schema.DeadlineKind]int, err error) {
	err = s.read(ctx, "count deadlines", func(tx Tx) error {
		counts = make([]map[schema.DeadlineKind]int, len(bounds)-1)
		for i := range counts {
			counts[i] = map[schema.DeadlineKind]int{}
		}
		count := func(at time.Time, kind schema.DeadlineKind, n int) {
			i, _ := slices.BinarySearchFunc(bounds, at, func(bound, at time.Time) int { return cmp.Or(bound.Compare(at), -1) }) // the first bound behind
			if at.After(rules.Now) && i > 0 && i < len(bounds) {
				counts[i-1][kind] += n
			}
		}
		m, err := membersOf(ctx, tx, rules, id)
		if err != nil {
			return err
		}
		claimed, err := m.claimedDomains(ctx)
		if err != nil {
			return err
		}
		from := bounds[0].Add(-time.Second)
		if from.Before(rules.Now) {
			from = rules.Now
		}
		for kind, as := range upcomingAs {
			span := kind.span(rules.Policy)
			begun, err := tx.CountUpcoming(ctx, id, kind, from.Add(-span), bounds[len(bounds)-1].Add(-span), claimed)
			if err != nil {
				return err
			}
			for _, b := range begun {
				count(b.Since.Add(span), as, b.Count)
			}
		}
		return due{tx: tx, rules: rules}.each(ctx, func(v *claim.View) {
			v.Organization = m.organization
			if slices.Contains(claimed, schema.KeyDomain(v.Key)) {
				v.Domain.ClaimedBy = id
			}
			for _, d := range rules.Deadlines(v) {
				count(d.DueAt, d.Kind, -1)
			}
			now := rules.ViewAsOf(*v)
			for _, d := range rules.Deadlines(&now) {
				count(d.DueAt, d.Kind, 1)
			}
		})
	})
	for i := range counts {
		maps.DeleteFunc(counts[i], func(_ schema.DeadlineKind, n int) bool { return n == 0 })
	}
	return counts, err
}

// keyedDeadline is a deadline with the address key of its account.
type keyedDeadline struct {
	schema.Deadline
	key string
}

func (d *keyedDeadline) mark() DeadlineMark {
	return DeadlineMark{DueAt: d.DueAt, Key: d.key, Kind: d.Kind}
}

// deadlines returns the first deadlines behind a mark among so many accounts of each kind; whole says that
// those are all.
func (m *members) deadlines(ctx context.Context, after DeadlineMark, looked int) (list []keyedDeadline, whole bool, err error) {
	from := BegunMark{Since: m.rules.Now.Add(time.Second)}
	if after.DueAt.After(m.rules.Now) {
		from = BegunMark{Since: after.DueAt, Key: after.Key} // the mark's own account too: more may be due of it
	}
	seen := map[int64]struct{}{}
	var ids []int64
	var until *DeadlineMark // what comes then or later is not known in full; nil: all is
	for kind := range upcomingKinds {
		span := kind.span(m.rules.Policy)
		found, err := m.tx.Upcoming(ctx, m.organization.ID, kind, BegunMark{from.Since.Add(-span), from.Key}, looked)
		if err != nil {
			return nil, false, err
		}
		if len(found) == looked {
			last := found[looked-1]
			if end := (DeadlineMark{DueAt: last.Since.Add(span), Key: last.Key}); until == nil || end.compare(*until) < 0 {
				until = &end
			}
		}
		for _, d := range found {
			if _, twice := seen[d.Account]; !twice {
				seen[d.Account] = struct{}{}
				ids = append(ids, d.Account)
			}
		}
	}
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
				keyed := keyedDeadline{d, views[i].Key}
				if mark := keyed.mark(); (until == nil || mark.compare(*until) < 0) && mark.compare(after) > 0 {
					list = append(list, keyed)
				}
			}
		}
	}
	slices.SortFunc(list, func(a, b keyedDeadline) int { return a.mark().compare(b.mark()) })
	return list, until == nil, nil
}
