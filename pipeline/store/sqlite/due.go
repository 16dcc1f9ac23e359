package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"time"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/schema"
)

// What time has made due is decided by claim.Clock.AsOf alone. Here it is found, put into the order in which it fell due,
// for licences go to who comes first, and either written (settle) or only added up (addDue).

const (
	// dueLimit is how many accounts are settled in one go.
	dueLimit = 500

	// everyOrganization is no organization's number.
	everyOrganization = 0
)

// dueQueries find, each in its own index and by time, what has something due that concerns an organization: its claims
// that complete, its claims that end in a removal, its accounts that are removed. An inactive account under an open claim
// is not due: the claim lies over it.
var dueQueries = []struct {
	query string
	after func(schema.Policy) time.Duration // when it is due, from the time the query speaks of
}{
	{`SELECT c.user, c.claimed_at FROM claims c INDEXED BY claims_delayed CROSS JOIN users u ON u.id = c.user
		WHERE c.delayed AND c.closed_at IS NULL AND c.claimed_at <= ?2 AND ?1 IN (0, c.organization, u.organization)
		ORDER BY c.claimed_at, c.id LIMIT ?3`, schema.Policy.DecisionTime},
	{`SELECT c.user, c.inactive_since FROM claims c INDEXED BY claims_inactive
		WHERE c.inactive_since <= ?2 AND c.closed_at IS NULL AND c.status = 'inactive' AND ?1 IN (0, c.organization)
		ORDER BY c.inactive_since, c.id LIMIT ?3`, schema.Policy.InactiveTime},
	{`SELECT u.id, u.inactive_since FROM users u INDEXED BY users_inactive
		WHERE u.inactive_since <= ?2 AND u.status = 'inactive' AND ?1 IN (0, u.organization)
		AND NOT EXISTS (SELECT 1 FROM claims c WHERE c.user = u.id AND c.closed_at IS NULL)
		ORDER BY u.inactive_since, u.id LIMIT ?3`, schema.Policy.InactiveTime},
}

// dueAccounts finds up to limit accounts with something due that concerns an organization, as their own or as the
// claiming one (everyOrganization: whose it is does not matter), the first due first; limit -1: all.
func dueAccounts(ctx context.Context, q querier, clock claim.Clock, organization int64, limit int) ([]int64, error) {
	type due struct{ id, at int64 }
	var list []due
	for _, kind := range dueQueries {
		after := kind.after(clock.Policy)
		err := collect(ctx, q, func(rows *sql.Rows) error {
			var d due
			err := rows.Scan(&d.id, &d.at)
			d.at += int64(after / time.Second)
			list = append(list, d)
			return err
		}, kind.query, organization, clock.Now.Add(-after).Unix(), limit)
		if err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(list, func(a, b due) int { return cmp.Compare(a.at, b.at) })
	if limit >= 0 {
		list = list[:min(limit, len(list))]
	}
	ids := make([]int64, len(list))
	for i := range list {
		ids[i] = list[i].id
	}
	return ids, nil
}

// step is one thing that fell due: what the account was until then, and what it is since. A before with a claim and
// an after without has had it closed; an after without ID is removed.
type step struct {
	at            time.Time
	before, after claim.Account
}

// completes reports whether the account joins the claiming organization in this step (R21).
func (s *step) completes() bool {
	return s.before.Claim != nil && s.before.Claim.Type == schema.Delayed
}

// dueSteps is what fell due of these accounts, in the order of time.
func dueSteps(clock claim.Clock, accounts []claim.Account) []step {
	var steps []step
	for _, a := range accounts {
		for a.ID != 0 {
			at := clock.NextDue(a)
			if at.IsZero() || at.After(clock.Now) {
				break
			}
			after := claim.Clock{Now: at, Policy: clock.Policy}.AsOf(a)
			steps = append(steps, step{at: at, before: a, after: after})
			a = after
		}
	}
	slices.SortStableFunc(steps, func(a, b step) int { return a.at.Compare(b.at) })
	return steps
}

// ledger follows the licences of organizations through steps (R17).
type ledger struct {
	organizations map[string][]schema.License // by id; as they were read, with what the steps changed
}

// take reads the licences of every organization that the steps concern.
func (l *ledger) take(ctx context.Context, q querier, steps []step) error {
	l.organizations = map[string][]schema.License{}
	for i := range steps {
		for _, o := range []*schema.Organization{steps[i].before.Organization, steps[i].before.Claiming} {
			if o == nil {
				continue
			}
			if _, taken := l.organizations[o.ID]; taken {
				continue
			}
			id, _, err := organization(ctx, q, o.ID)
			if err != nil {
				return err
			}
			list, err := licenses(ctx, q, id, o.ID)
			if err != nil {
				return err
			}
			l.organizations[o.ID] = list
		}
	}
	return nil
}

// follow takes one step, and returns the services of the account after it.
func (l *ledger) follow(s *step) []string {
	before := &s.before
	if s.completes() {
		l.release(before.User.OrganizationID, before.User.Services)
		return l.assign(s.after.User.OrganizationID, s.after.User.Services)
	}
	if before.Claim != nil {
		l.release(before.Claim.OrganizationID, before.Claim.Services)
	}
	if s.after.ID == 0 {
		l.release(before.User.OrganizationID, before.User.Services)
	}
	return s.after.User.Services
}

func (l *ledger) release(organization string, services []string) {
	for _, service := range services {
		if license := l.find(organization, service); license != nil {
			license.Held--
		}
	}
}

// assign gives out the services as far as licences last.
func (l *ledger) assign(organization string, services []string) []string {
	var assigned []string
	for _, service := range services {
		license := l.find(organization, service)
		if license == nil || license.Quantity >= 0 && license.Held >= license.Quantity {
			continue
		}
		license.Held++
		assigned = append(assigned, service)
	}
	return assigned
}

func (l *ledger) find(organization, service string) *schema.License {
	list := l.organizations[organization]
	for i := range list {
		if list[i].Service == service {
			return &list[i]
		}
	}
	return nil
}

// addDue brings licences that were read of an organization to where they stand now, without writing anything.
func addDue(ctx context.Context, q querier, clock claim.Clock, id int64, list []schema.License) error {
	l, _, err := followDue(ctx, q, clock, id)
	if err != nil {
		return err
	}
	for i := range list {
		if license := l.find(list[i].OrganizationID, list[i].Service); license != nil {
			list[i].Held = license.Held
		}
	}
	return nil
}

// followDue follows what is due for an organization, without writing anything: what becomes of licences, and which
// services the accounts have that join.
func followDue(ctx context.Context, q querier, clock claim.Clock, id int64) (l ledger, services map[int64][]string, err error) {
	ids, err := dueAccounts(ctx, q, clock, id, -1)
	if err != nil || len(ids) == 0 {
		return l, nil, err
	}
	accounts, err := accountsByID(ctx, q, ids)
	if err != nil {
		return l, nil, err
	}
	steps := dueSteps(clock, accounts)
	if err := l.take(ctx, q, steps); err != nil {
		return l, nil, err
	}
	services = map[int64][]string{}
	for i := range steps {
		services[steps[i].before.ID] = l.follow(&steps[i])
	}
	return l, services, nil
}
