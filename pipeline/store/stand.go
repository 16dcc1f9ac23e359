package store

import (
	"context"
	"maps"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/schema"
)

// Stand is how far a domain is that an organization has verified or claimed: what the rules say of each
// account with an address in it (see R1 to R8).
type Stand struct {
	Domain    schema.Domain
	Claimed   int                      // under an open claim of the organization
	Members   int                      // the organization's own, also those that another has claimed
	Claimable map[schema.ClaimType]int // by the type that a claim would have
	Cannot    map[schema.Code]int      // the others, by the first reason
}

// Ready counts those that can be claimed by a claim of this type; blank: of any.
func (s *Stand) Ready(t schema.ClaimType) (n int) {
	for of, count := range s.Claimable {
		if t == "" || t == of {
			n += count
		}
	}
	return n
}

// Stands tells how far each domain is that the organization has verified or claimed, by name. Like
// CountEligible it asks the rules once about all that they cannot tell apart. Refused with
// CodeOrganizationUnknown.
func (s *Store) Stands(ctx context.Context, rules claim.Rules, id string) (list []Stand, err error) {
	err = s.read(ctx, "count accounts by domain", func(tx Tx) error {
		list = nil
		claiming, err := organization(ctx, tx, id)
		if err != nil {
			return err
		}
		held, err := tx.Domains(ctx, id)
		if err != nil {
			return err
		}
		var names []string
		for _, d := range held {
			if d.Status != schema.DomainPending {
				names = append(names, d.Domain)
				list = append(list, Stand{Domain: d, Claimable: map[schema.ClaimType]int{}, Cannot: map[schema.Code]int{}})
			}
		}
		if len(names) == 0 {
			return nil
		}
		count := stands{rules: rules, claiming: &claiming, of: map[string]*Stand{}}
		for i := range list {
			count.of[list[i].Domain.Domain] = &list[i]
		}
		if count.domains, err = domains(ctx, tx, id, names); err != nil {
			return err
		}
		return count.all(ctx, tx, names)
	})
	return list, err
}

// stands counts the accounts of one organization's domains.
type stands struct {
	rules    claim.Rules
	claiming *schema.Organization
	domains  map[string]claim.Domain
	of       map[string]*Stand // by domain
}

func (c *stands) all(ctx context.Context, tx Tx, names []string) error {
	groups, err := tx.CountUnclaimed(ctx, names)
	if err != nil {
		return err
	}
	own, err := tx.CountClaimed(ctx, c.claiming.ID)
	if err != nil {
		return err
	}
	for _, name := range names {
		c.of[name].Claimed = own[name]
		c.of[name].Cannot[schema.CodeClaimedElsewhere] -= own[name]
	}
	for i := range groups {
		g := &groups[i]
		if g.Organization.ID == c.claiming.ID {
			c.of[g.Domain].Members += g.All
			continue
		}
		c.add(g.Domain, typical(g.Organization), g.Accounts)
		c.of[g.Domain].Cannot[schema.CodeClaimedElsewhere] += g.All - g.Accounts
	}
	err = due{tx: tx, rules: c.rules}.each(ctx, func(v *claim.View) {
		domain := schema.KeyDomain(v.Key)
		if c.of[domain] == nil {
			return
		}
		written := typical(v.Account.Organization)
		if written.Claim = v.Account.Claim; written.Claim != nil {
			written.Claim = &schema.Claim{OrganizationID: written.Claim.OrganizationID, Type: written.Claim.Type, ClaimedAt: c.rules.Now} // nothing is due of it
		}
		c.add(domain, written, -1)
		c.add(domain, v.Account, 1)
	})
	for _, stand := range c.of {
		maps.DeleteFunc(stand.Cannot, func(_ schema.Code, n int) bool { return n == 0 })
	}
	return err
}

// add counts so many accounts like this one.
func (c *stands) add(domain string, a claim.Account, n int) {
	stand := c.of[domain]
	now := c.rules.AsOf(a)
	switch {
	case now.ID == 0: // it is gone
	case now.Claim != nil && now.Claim.OrganizationID == c.claiming.ID:
		stand.Claimed += n
	case now.User.OrganizationID == c.claiming.ID:
		stand.Members += n
	default:
		decision := c.rules.Decide(c.claiming, c.domains[domain], a, "")
		if decision.Outcome == schema.Ready {
			stand.Claimable[decision.Type] += n
		} else {
			stand.Cannot[decision.Reasons[0]] += n
		}
	}
}
