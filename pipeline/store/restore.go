package store

import (
	"context"
	"time"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/schema"
)

// restore restores some claims of a snapshot.
func (l *loader) restore(ctx context.Context, part []LoadClaim) error {
	var keys []string // each once, though a file may name an account twice
	places := map[string]int{}
	for i := range part {
		if _, seen := places[part[i].Key]; !seen {
			places[part[i].Key] = len(keys)
			keys = append(keys, part[i].Key)
		}
	}
	accounts, err := l.tx.Accounts(ctx, keys, true)
	if err != nil {
		return err
	}
	past, err := l.past(ctx, keys, accounts)
	if err != nil {
		return err
	}
	var restored []RestoredClaim
	var renewed []claim.Effect
	for i := range part {
		c, a := &part[i], &accounts[places[part[i].Key]]
		if err := checkTimes(fileClaims, c.Line, c.ClaimedAt, c.SignedInAt); err != nil {
			return err
		}
		if a.ID == 0 {
			if !past.staged[c.Key] { // it had the address in this snapshot, and has been removed, or has another by now
				return (&schema.Error{Code: schema.CodeUserNotFound}).At(fileClaims, c.Line, 0)
			}
			continue
		}
		if _, twice := l.claims[a.ID]; twice {
			return schema.Refuse(schema.CodeIDDuplicate, "There is already a claim on this account in the file.").At(fileClaims, c.Line, 0)
		}
		l.claims[a.ID] = struct{}{}
		switch {
		case a.Claim != nil && a.Claim.OrganizationID == c.OrganizationID:
			if wanted := renew(*a.Claim, c); wanted != nil {
				renewed = append(renewed, claim.Effect{Before: *a, Claim: wanted})
			}
		case a.User.OrganizationID == c.OrganizationID, past.closed(a.ID, c):
			// It has been completed, chosen or retracted since; others may have claimed the account by now.
			if c.Undated && a.User.OrganizationID != c.OrganizationID {
				l.notice(c.Line, "A claim of the organization on this account was closed here, so this one was left out.")
			}
		case a.Claim != nil:
			return schema.Refuse(schema.CodeClaimedElsewhere, "Organization %q has an open claim on this account.", a.Claim.OrganizationID).
				WithFix("Delete the row, or name that organization.").At(fileClaims, c.Line, 0)
		case c.ClaimedAt.Before(past.since[a.ID]):
			l.notice(c.Line, "The claim is older than what has become of the account here, and was left out.")
		default:
			made := RestoredClaim{Claim: c.Claim, Account: a.ID}
			made.StatusBefore = a.User.Status
			restored = append(restored, made)
		}
	}
	if err := l.tx.InsertRestored(ctx, restored); err != nil || len(renewed) == 0 {
		return err
	}
	return l.tx.WriteEffects(ctx, renewed)
}

// notice tells something about a claim.
func (l *loader) notice(line int, message schema.Word) {
	if len(l.notices) < maxNotices {
		l.notices = append(l.notices, Notice{fileClaims, line, schema.Say("%s", message)})
	}
}

// past is what has happened here to accounts that a snapshot speaks of.
type past struct {
	staged    map[string]bool
	byAccount map[claimOf]time.Time // when an organization's claim was closed last
	byKey     map[keyClaimOf]time.Time
	since     map[int64]time.Time // since when an account is what it is: it joined, or a choice or completion changed it
}

type claimOf struct {
	account      int64
	organization string
}

type keyClaimOf struct{ key, organization string }

// closed reports whether the claim has been closed here since it was made, on the account or on another that
// had its address.
func (p *past) closed(account int64, c *LoadClaim) bool {
	last := latest(p.byAccount[claimOf{account, c.OrganizationID}], p.byKey[keyClaimOf{c.Key, c.OrganizationID}])
	return !last.Before(c.ClaimedAt) || c.Undated && !last.IsZero()
}

func latest(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// past finds what has happened here to accounts.
func (l *loader) past(ctx context.Context, keys []string, accounts []claim.Account) (*past, error) {
	var ids []int64
	for i := range accounts {
		if accounts[i].ID != 0 {
			ids = append(ids, accounts[i].ID)
		}
	}
	p := &past{byAccount: map[claimOf]time.Time{}, byKey: map[keyClaimOf]time.Time{}}
	var err error
	if p.staged, err = l.tx.Staged(ctx, keys); err != nil {
		return nil, err
	}
	if p.since, err = l.tx.JoinedAt(ctx, ids); err != nil {
		return nil, err
	}
	closed, err := l.tx.ClosedClaims(ctx, ids, keys)
	for _, c := range closed {
		account, key := claimOf{c.Account, c.Organization}, keyClaimOf{c.Key, c.Organization}
		p.byAccount[account] = latest(p.byAccount[account], c.ClosedAt)
		p.byKey[key] = latest(p.byKey[key], c.ClosedAt)
		if c.ClosedBy != schema.ClosedRetracted && c.ClosedBy != schema.ClosedRemoved {
			p.since[c.Account] = latest(p.since[c.Account], c.ClosedAt)
		}
	}
	return p, err
}

// renew returns an open claim as a snapshot has it; nil: it is so already. All of it is renewed where it came
// from a snapshot, and otherwise only that the owner has signed in. A sign-in that was recorded here stays.
func renew(open schema.Claim, c *LoadClaim) *schema.Claim {
	if c.Undated {
		return nil
	}
	wanted := open
	if open.ImportID == 0 {
		wanted.Type, wanted.ClaimedAt = c.Type, c.ClaimedAt
		if wanted.Type == schema.Delayed { // no member, whom a directory run could have made inactive
			wanted.Status, wanted.InactiveSince = wanted.StatusBefore, time.Time{}
		}
	}
	if !c.SignedInAt.IsZero() && (open.ImportID == 0 || open.SignedInAt.IsZero()) {
		wanted.SignedInAt = c.SignedInAt
	}
	if wanted.Type == open.Type && wanted.ClaimedAt.Equal(open.ClaimedAt) && wanted.SignedInAt.Equal(open.SignedInAt) &&
		wanted.Status == open.Status && wanted.InactiveSince.Equal(open.InactiveSince) {
		return nil
	}
	return &wanted
}
