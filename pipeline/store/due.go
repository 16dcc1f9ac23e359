package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/schema"
)

// What is due is written in the order of time, for licences go to who comes first (see R17), and the answer
// must not depend on who writes it, or when. An effect needs its place in the order of every organization
// whose licences it touches; so whoever writes what is due for one organization writes for the others that
// those effects touch as well, and leaves the rest of the world alone.

// dueBatch is how many accounts are settled in one transaction.
const dueBatch = 500

// Due is an account of which something is due, with its place in the order of time.
type Due struct {
	Account int64
	Delayed bool      // a delayed claim completes; else somebody inactive is removed
	Since   time.Time // when the claim was made, or since when somebody is inactive
	// Import and Line say where a delayed claim was made; 0 where it was not made by an import, and for
	// removals.
	Import int64
	Line   int
}

// place is where something stands in the order of time: what falls due in the same second is in the order in
// which it was claimed, after what frees licences.
type place struct {
	at      time.Time
	made    int64
	line    int
	account int64
}

func (p place) compare(other place) int {
	return cmp.Or(p.at.Compare(other.at), cmp.Compare(p.made, other.made), cmp.Compare(p.line, other.line), cmp.Compare(p.account, other.account))
}

// placeOf returns the place of an effect of time.
func placeOf(e *claim.Effect) place {
	p := place{at: e.At, account: e.Before.ID}
	if e.Moves {
		p.made, p.line = e.Before.Claim.ImportID, e.Before.Claim.Line
	}
	return p
}

// Sweep writes all that time has made due, in all organizations, a few accounts per transaction: stopped
// half-way, it can be run again. It counts what it wrote; imports are not its business (see RemoveImports).
func (s *Store) Sweep(ctx context.Context, rules claim.Rules) (swept schema.Swept, err error) {
	for {
		var organizations []string
		err := s.read(ctx, "find what is due", func(tx Tx) error {
			organizations, err = due{tx: tx, rules: rules}.organizations(ctx)
			return err
		})
		if err != nil || len(organizations) == 0 {
			return swept, err
		}
		for _, id := range organizations {
			n, err := s.settle(ctx, rules, id)
			swept.Transferred += n.Transferred
			swept.Removed += n.Removed
			if err != nil {
				return swept, err
			}
		}
	}
}

// settle writes what is due for an organization, a few accounts per transaction, so that nobody waits for
// long however much there is.
func (s *Store) settle(ctx context.Context, rules claim.Rules, id string) (swept schema.Swept, err error) {
	const doing = "settle what is due"
	for {
		var found bool
		err := s.read(ctx, doing, func(tx Tx) error {
			found, err = due{tx: tx, rules: rules, limit: 1}.any(ctx, id)
			return err
		})
		if err != nil || !found {
			return swept, err
		}
		var n schema.Swept
		err = s.write(ctx, doing, func(tx Tx) error {
			if err := tx.LockSettings(ctx, false); err != nil {
				return err
			}
			n, err = due{tx: tx, rules: rules, limit: dueBatch}.write(ctx, id)
			return err
		})
		if err != nil {
			return swept, err
		}
		swept.Transferred += n.Transferred
		swept.Removed += n.Removed
	}
}

// due finds and writes what is due, in a transaction.
type due struct {
	tx    Tx
	rules claim.Rules
	limit int // accounts at a time; 0: all
}

// thresholds returns until when claims were made, and people inactive, of whom something is due now.
func (d due) thresholds() (decided, inactive time.Time) {
	return d.rules.Now.Add(-d.rules.Policy.DecisionTime()), d.rules.Now.Add(-d.rules.Policy.InactiveTime())
}

func (d due) organizations(ctx context.Context) ([]string, error) {
	decided, inactive := d.thresholds()
	return d.tx.DueOrganizations(ctx, decided, inactive)
}

// any reports whether anything is due for an organization.
func (d due) any(ctx context.Context, id string) (bool, error) {
	decided, inactive := d.thresholds()
	found, err := d.tx.Due(ctx, id, decided, inactive, 1)
	return len(found) > 0, err
}

// each hands over the view of every account of which something is due, in all organizations, as it is
// written.
func (d due) each(ctx context.Context, do func(*claim.View)) error {
	organizations, err := d.organizations(ctx)
	if err != nil {
		return err
	}
	decided, inactive := d.thresholds()
	seen := map[int64]struct{}{}
	var ids []int64
	for _, id := range organizations {
		list, err := d.tx.Due(ctx, id, decided, inactive, 0)
		if err != nil {
			return err
		}
		for _, found := range list {
			if _, twice := seen[found.Account]; !twice {
				seen[found.Account] = struct{}{}
				ids = append(ids, found.Account)
			}
		}
	}
	for part := range slices.Chunk(ids, batchSize) {
		views, err := d.tx.ViewsByID(ctx, part)
		if err != nil {
			return err
		}
		for i := range views {
			do(&views[i])
		}
	}
	return nil
}

// find follows what is due for organizations, and for those whose licences that touches, without writing
// anything: the effects in the order of time, and the licences after them. With a limit it is the beginning
// of all that is due.
func (d due) find(ctx context.Context, organizations ...string) ([]claim.Effect, *claim.Licenses, error) {
	for {
		effects, err := d.effects(ctx, organizations)
		if err != nil {
			return nil, nil, err
		}
		before := len(organizations)
		for i := range effects {
			for _, holder := range effects[i].Holders() {
				if !slices.Contains(organizations, holder) {
					organizations = append(organizations, holder)
				}
			}
		}
		if len(organizations) > before {
			continue
		}
		list, err := d.tx.Licenses(ctx, true, organizations...)
		if err != nil {
			return nil, nil, err
		}
		licenses := claim.NewLicenses(list)
		licenses.Follow(effects)
		return effects, licenses, nil
	}
}

// effects returns what is due for organizations, in the order of time.
func (d due) effects(ctx context.Context, organizations []string) ([]claim.Effect, error) {
	decided, inactive := d.thresholds()
	seen := map[int64]struct{}{}
	var places []place
	limit := d.limit
	if limit > 0 {
		limit++ // one more tells that there are more
	}
	for _, id := range organizations {
		list, err := d.tx.Due(ctx, id, decided, inactive, limit)
		if err != nil {
			return nil, err
		}
		for _, found := range list {
			if _, twice := seen[found.Account]; twice {
				continue
			}
			seen[found.Account] = struct{}{}
			p := place{at: found.Since.Add(d.rules.Policy.InactiveTime()), account: found.Account}
			if found.Delayed {
				p.at, p.made, p.line = d.rules.CompletesAt(found.Since), found.Import, found.Line
			}
			places = append(places, p)
		}
	}
	if len(places) == 0 {
		return nil, nil
	}
	slices.SortFunc(places, place.compare)
	cut := d.limit > 0 && len(places) > d.limit
	if cut {
		places = places[:d.limit]
	}
	ids := make([]int64, len(places))
	for i := range places {
		ids[i] = places[i].account
	}
	accounts, err := d.tx.AccountsByID(ctx, ids, true)
	if err != nil {
		return nil, err
	}
	effects := inOrder(d.rules, accounts)
	if cut { // what comes later waits for accounts that were not looked at
		last := places[len(places)-1]
		effects = effects[:len(effects)-countAfter(effects, last)]
	}
	if len(effects) == 0 {
		return nil, fmt.Errorf("%w: accounts %v are found to be due, and are not", ErrConflict, ids[:min(3, len(ids))])
	}
	return effects, nil
}

// inOrder returns what is due of accounts, in the order of time.
func inOrder(rules claim.Rules, accounts []claim.Account) (effects []claim.Effect) {
	for _, a := range accounts {
		effects = append(effects, rules.Due(a)...)
	}
	slices.SortStableFunc(effects, func(a, b claim.Effect) int { return placeOf(&a).compare(placeOf(&b)) })
	return effects
}

// countAfter counts the effects, which are in order, that come after a place.
func countAfter(effects []claim.Effect, last place) (n int) {
	for n < len(effects) && placeOf(&effects[len(effects)-1-n]).compare(last) > 0 {
		n++
	}
	return n
}

// write writes what is due for organizations, up to the limit.
func (d due) write(ctx context.Context, organizations ...string) (swept schema.Swept, err error) {
	effects, licenses, err := d.find(ctx, organizations...)
	if err != nil {
		return swept, err
	}
	for i := range effects {
		if effects[i].Moves {
			swept.Transferred++
		} else {
			swept.Removed++
		}
	}
	return swept, writeEffects(ctx, d.tx, effects, licenses)
}

// writeAll writes everything that is due, in all organizations.
func (d due) writeAll(ctx context.Context) error {
	organizations, err := d.organizations(ctx)
	if err != nil {
		return err
	}
	for _, id := range organizations {
		for {
			found, err := d.any(ctx, id)
			if err != nil {
				return err
			}
			if !found {
				break
			}
			if _, err := d.write(ctx, id); err != nil {
				return err
			}
		}
	}
	return nil
}

// writeOf writes what is due of accounts, with what must be written before it. It reports whether there was
// anything.
func (d due) writeOf(ctx context.Context, accounts []claim.Account) (bool, error) {
	effects := inOrder(d.rules, accounts)
	var organizations []string
	var alone []claim.Account // who touch no licences, and so can be written in any order
	for i := range effects {
		holders := effects[i].Holders()
		organizations = append(organizations, holders...)
		if len(holders) == 0 {
			alone = append(alone, effects[i].Before)
		}
	}
	if len(organizations) == 0 {
		return len(effects) > 0, writeEffects(ctx, d.tx, effects, claim.NewLicenses(nil))
	}
	slices.Sort(organizations)
	if _, err := d.write(ctx, slices.Compact(organizations)...); err != nil || len(alone) == 0 {
		return true, err
	}
	ids := make([]int64, len(alone))
	for i := range alone {
		ids[i] = alone[i].ID
	}
	left, err := d.tx.AccountsByID(ctx, ids, true)
	if err != nil {
		return true, err
	}
	return true, writeEffects(ctx, d.tx, inOrder(d.rules, left), claim.NewLicenses(nil))
}
