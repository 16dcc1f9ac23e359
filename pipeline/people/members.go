package people

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/schema"
)

// MemberFilter narrows who is listed. Zero values leave everybody in.
type MemberFilter struct {
	Status      schema.Status
	ClaimType   schema.ClaimType
	Retractable bool // only users whose claim can be retracted now (see R22)
	// Search leaves only users in whose address and names every word of it occurs, whatever the case and the
	// accents.
	Search string
	// NoNames leaves the names of those who are listed blank, which is quicker.
	NoNames bool
}

// stored returns what the store can leave out.
func (f MemberFilter) stored() store.MemberFilter {
	return store.MemberFilter{
		Status: f.Status, ClaimType: f.ClaimType, Retractable: f.Retractable, Search: schema.Fold(f.Search), NoProfile: f.NoNames && f.Search == "",
	}
}

// EachMember hands over the users of an organization as it lists them, by address key: its own, and those it
// has claimed (see R15, R16).
func (p *People) EachMember(ctx context.Context, organization string, filter MemberFilter, each func(schema.Listing) error) error {
	rules := p.Rules()
	words := strings.Fields(schema.Fold(filter.Search))
	err := p.Store.Members(ctx, rules, organization, filter.stored(), func(views []claim.View) error {
		for i := range views {
			if l, ok := filter.list(rules, &views[i], words); ok {
				if err := each(l); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("list the users: %w", err)
	}
	return nil
}

// lookedAt is how many accounts are looked at a time for a page of users.
const lookedAt = 500

// MembersAfter returns users of EachMember behind an address key, at most limit of them; next is the key to
// go on behind, blank where there are no more.
func (p *People) MembersAfter(ctx context.Context, organization string, filter MemberFilter, after string, limit int) (list []schema.Listing, next string, err error) {
	list, last, more, err := p.membersAfter(ctx, organization, filter, filter.stored(), after, limit)
	if more {
		next = last
	}
	return list, next, err
}

// membersAfter returns users of MembersAfter whom the store finds by its own filter, and the key of the last
// that it has looked at; more says that there are others behind.
func (p *People) membersAfter(ctx context.Context, organization string, filter MemberFilter, stored store.MemberFilter, after string, limit int) (list []schema.Listing, last string, more bool, err error) {
	rules := p.Rules()
	words := strings.Fields(schema.Fold(filter.Search))
	for last = after; ; {
		page, next, err := p.Store.MembersAfter(ctx, rules, organization, stored, last, lookedAt)
		if err != nil {
			return nil, "", false, fmt.Errorf("list the users: %w", err)
		}
		for i := range page {
			l, ok := filter.list(rules, &page[i], words)
			if ok && len(list) == limit {
				return list, last, true, nil
			}
			if last = page[i].Key; ok {
				list = append(list, l)
			}
		}
		if next == "" {
			return list, last, false, nil
		}
		last = next
	}
}

// DaysLeftMark is a place in a listing of MembersByDaysLeft; the zero one is before all.
type DaysLeftMark struct {
	Claim store.ClaimMark
	Rest  bool   // all under open claims are listed
	Key   string // of the others
}

// MembersByDaysLeft returns users of EachMember behind a mark, at most limit of them: those under open claims
// of the organization by when these run out, longest: the last first, and then the others by address key. It
// looks at no more of them than it must. more says that there are others behind next.
func (p *People) MembersByDaysLeft(ctx context.Context, organization string, filter MemberFilter, after DaysLeftMark, limit int, longest bool) (list []schema.Listing, next DaysLeftMark, more bool, err error) {
	rules := p.Rules()
	words := strings.Fields(schema.Fold(filter.Search))
	for next = after; !next.Rest; {
		page, others, err := p.Store.MembersByClaim(ctx, rules, organization, filter.stored(), next.Claim, lookedAt, longest)
		if err != nil {
			return nil, next, false, fmt.Errorf("list the users by claim: %w", err)
		}
		for i := range page {
			l, ok := filter.list(rules, &page[i].View, words)
			if ok && len(list) == limit {
				return list, next, true, nil
			}
			if next.Claim = page[i].ClaimMark; ok {
				list = append(list, l)
			}
		}
		next.Rest = !others
	}
	unclaimed := filter.stored()
	unclaimed.Unclaimed = true
	rest, last, more, err := p.membersAfter(ctx, organization, filter, unclaimed, next.Key, limit-len(list))
	next.Key = last
	return append(list, rest...), next, more, err
}

// list returns a user as the organization lists it, where the filter leaves it in.
func (f MemberFilter) list(rules claim.Rules, v *claim.View, words []string) (l schema.Listing, ok bool) {
	if !matches(&v.Account, words) {
		return l, false
	}
	l, ok = rules.List(v)
	return l, ok && (f.Status == "" || l.Status == f.Status) && (f.ClaimType == "" || l.ClaimType == f.ClaimType) &&
		(!f.Retractable || l.Retractable)
}

// CheckListed refuses, with CodeUserNotFound, an address that is nobody's whom the organization lists.
func (p *People) CheckListed(ctx context.Context, organization, email string) error {
	_, err := p.Member(ctx, organization, email)
	return err
}

// errEnough ends a listing of which no more is wanted.
var errEnough = errors.New("enough")

// FirstMembers hands over the first users of EachMember, at most limit of them; 0: all. It reports whether
// there are more.
func (p *People) FirstMembers(ctx context.Context, organization string, filter MemberFilter, limit int, each func(schema.Listing) error) (more bool, err error) {
	n := 0
	err = p.EachMember(ctx, organization, filter, func(l schema.Listing) error {
		if n == limit && limit > 0 {
			return errEnough
		}
		n++
		return each(l)
	})
	if errors.Is(err, errEnough) {
		return true, nil
	}
	return false, err
}

// CountMembers counts the users that EachMember hands over. Where a filter is set, it looks at all of those
// who might pass it.
func (p *People) CountMembers(ctx context.Context, organization string, filter MemberFilter) (n int, err error) {
	filter.NoNames = true
	if filter != (MemberFilter{NoNames: true}) {
		err = p.EachMember(ctx, organization, filter, func(schema.Listing) error { n++; return nil })
		return n, err
	}
	n, err = p.Store.CountMembers(ctx, p.Rules(), organization)
	if err != nil {
		return 0, fmt.Errorf("count the users: %w", err)
	}
	return n, nil
}

// matches reports whether every word, folded, occurs in the address or the names of the account, edited or
// not.
func matches(a *claim.Account, words []string) bool {
	if len(words) == 0 {
		return true
	}
	names := []string{a.User.Email, a.User.FirstName, a.User.LastName, a.User.DisplayName}
	if a.Claim != nil {
		names = append(names, a.Claim.Edits.FirstName, a.Claim.Edits.LastName, a.Claim.Edits.DisplayName)
	}
	text := schema.Fold(strings.Join(names, "\n"))
	for _, word := range words {
		if !strings.Contains(text, word) {
			return false
		}
	}
	return true
}

// RetractableIn counts the organization's claims on users of a domain that can be retracted: claiming the
// domain ends that (see R22).
func (p *People) RetractableIn(ctx context.Context, organization, domain string) (n int, err error) {
	err = p.EachMember(ctx, organization, MemberFilter{Retractable: true, NoNames: true}, func(l schema.Listing) error {
		if key, problem := schema.ParseAddress(l.Email); problem == "" && schema.KeyDomain(key) == domain {
			n++
		}
		return nil
	})
	return n, err
}

// FirstDeadlines returns what time will make due first in an organization behind a mark, at most limit of it,
// and reports whether there is more, behind the mark that is returned.
func (p *People) FirstDeadlines(ctx context.Context, organization string, after store.DeadlineMark, limit int) (list []schema.Deadline, last store.DeadlineMark, more bool, err error) {
	list, last, more, err = p.Store.FirstDeadlines(ctx, p.Rules(), organization, after, limit)
	if err != nil {
		return nil, last, false, fmt.Errorf("list the deadlines: %w", err)
	}
	return list, last, more, nil
}

// CountDeadlines counts what time will make due in an organization from each of these times up to the next,
// by kind. It does not look at each.
func (p *People) CountDeadlines(ctx context.Context, organization string, bounds []time.Time) ([]map[schema.DeadlineKind]int, error) {
	counts, err := p.Store.CountDeadlines(ctx, p.Rules(), organization, bounds)
	if err != nil {
		return nil, fmt.Errorf("count the deadlines: %w", err)
	}
	return counts, nil
}

// EachDeadline hands over, by address key, what time will make due in an organization until a moment; the
// zero time: whenever.
func (p *People) EachDeadline(ctx context.Context, organization string, until time.Time, each func(schema.Deadline) error) error {
	rules := p.Rules()
	err := p.Store.Members(ctx, rules, organization, store.MemberFilter{NoProfile: true}, func(views []claim.View) error {
		for i := range views {
			for _, d := range rules.Deadlines(&views[i]) {
				if !until.IsZero() && d.DueAt.After(until) {
					continue
				}
				if err := each(d); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("list the deadlines: %w", err)
	}
	return nil
}

// MemberOrder is an order in which users are listed.
type MemberOrder string

// The orders of a listing of users.
const (
	ByEmail    MemberOrder = "email"
	ByStatus   MemberOrder = "status"
	ByDaysLeft MemberOrder = "days_left"
)

// Key returns what users are sorted by who are in the order of their address keys otherwise; those without a
// deadline come last.
func (by MemberOrder) Key(l *schema.Listing) int64 {
	switch by {
	case ByStatus:
		return int64(slices.Index(statusOrder, l.Status))
	case ByDaysLeft:
		if l.DaysLeft == nil {
			return math.MaxInt64
		}
		return int64(*l.DaysLeft)
	}
	return 0
}

// statusOrder is every status that a user is listed with, by name.
var statusOrder = slices.Sorted(slices.Values(append([]schema.Status{schema.DelayedClaim}, schema.Statuses...)))
