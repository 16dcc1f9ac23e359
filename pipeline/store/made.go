package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/schema"
)

// ImportClaim is a claim that an import made, with the view of the account it is on; no Key where that is
// gone.
type ImportClaim struct {
	Line int // of the row in the import's file
	Case claim.View
}

// ImportClaims lists the claims that one import made, page by page, in the order of its file.
type ImportClaims struct {
	store        *Store
	organization string
	importID     int64
	last         int64       // claims made later are not listed
	after        int64       // claims up to this one are listed, or in rest
	chunk        int         // chunks up to this one are listed, or in rest
	rest         []MadeClaim // of a chunk, in the order of the file
	mark         claimsMark
}

// claimsMark is a place among the claims of an import: behind so many of those of a chunk.
type claimsMark struct {
	chunk  int
	after  int64
	listed int
}

// Mark returns the place before the last so many claims of the page that was listed last, for
// ResumeImportClaims.
func (c *ImportClaims) Mark(last int) string {
	return fmt.Sprintf("%d-%d-%d-%d", c.mark.chunk, c.mark.after, c.mark.listed-last, c.last)
}

// ResumeImportClaims returns the claims of an import behind a mark of ImportClaims. Refused with
// CodeRequestInvalid where that is none.
func (s *Store) ResumeImportClaims(organization string, importID int64, mark string) (*ImportClaims, error) {
	c := &ImportClaims{store: s, organization: organization, importID: importID}
	if n, _ := fmt.Sscanf(mark, "%d-%d-%d-%d", &c.mark.chunk, &c.mark.after, &c.mark.listed, &c.last); n != 4 || c.mark.chunk < 0 || c.mark.listed < 0 {
		return nil, schema.Refuse(schema.CodeRequestInvalid, "There is no such place among the claims of an import.")
	}
	c.chunk, c.after = c.mark.chunk, c.mark.after
	return c, nil
}

// Retractable counts what retracting an import would do (see R22).
type Retractable struct {
	Can     int
	Cannot  map[schema.Code]int // by reason
	Domains []string            // claimed ones that are all that is in the way, sorted
}

// ImportClaims counts what retracting an import would do now, and returns its claims, to be listed. The rules
// are asked once about all that they cannot tell apart, and about each claim that has ended. Refused with
// CodeImportNotFound.
func (s *Store) ImportClaims(ctx context.Context, rules claim.Rules, organization string, importID int64) (list *ImportClaims, n Retractable, err error) {
	err = s.read(ctx, "count the claims of an import", func(tx Tx) error {
		n = Retractable{Cannot: map[schema.Code]int{}}
		imp, err := findImport(ctx, tx, organization, importID, false)
		if err != nil {
			return err
		}
		m, err := membersOf(ctx, tx, rules, imp.OrganizationID)
		if err != nil {
			return err
		}
		list = &ImportClaims{store: s, organization: imp.OrganizationID, importID: importID}
		if list.last, err = tx.LastClaim(ctx, importID); err != nil {
			return err
		}
		open, err := n.addOpen(ctx, m, importID)
		if err != nil {
			return err
		}
		tallies, err := tx.Tallies(ctx, []int64{importID})
		if err != nil || sum(tallies[importID]).Outcomes[schema.Claimed] == open {
			return err
		}
		return n.addEnded(ctx, m, importID)
	})
	if err == nil {
		slices.Sort(n.Domains)
		n.Domains = slices.Compact(n.Domains)
	}
	return list, n, err
}

// addOpen counts open claims of an import, and returns how many they are.
func (n *Retractable) addOpen(ctx context.Context, m *members, importID int64) (open int, err error) {
	claimed, err := m.claimedDomains(ctx)
	if err != nil {
		return 0, err
	}
	made, err := m.tx.CountOpen(ctx, importID, claimed, m.rules.Now.Add(-UpcomingJoined.span(m.rules.Policy)))
	if err != nil {
		return 0, err
	}
	seen, err := domains(ctx, m.tx, m.organization.ID, claimed)
	if err != nil {
		return 0, err
	}
	for i := range made {
		group := &made[i]
		v := claim.View{Key: "@" + group.Domain, Organization: m.organization, Domain: seen[group.Domain], Account: typical(m.organization)}
		v.Account.Claim, v.Account.Claiming = &group.Claim, m.organization
		group.Claim.OrganizationID = m.organization.ID
		if v.Account.User.InactiveSince = group.InactiveSince; !group.InactiveSince.IsZero() {
			v.Account.User.Status = schema.Inactive
		}
		v = m.rules.ViewAsOf(v)
		n.add(m.rules, &v, importID, group.Claims)
		open += group.Claims
	}
	return open, nil
}

// claimedDomains lists the domains that the organization has claimed, which ends that claims on their users
// can be taken back (see R22).
func (m *members) claimedDomains(ctx context.Context) (claimed []string, err error) {
	held, err := m.tx.Domains(ctx, m.organization.ID)
	for _, d := range held {
		if d.Status == schema.DomainClaimed {
			claimed = append(claimed, d.Domain)
		}
	}
	return claimed, err
}

// addEnded counts the claims of an import that have ended.
func (n *Retractable) addEnded(ctx context.Context, m *members, importID int64) error {
	for after := int64(0); ; {
		page, err := m.tx.ImportClaims(ctx, importID, true, after, batchSize)
		if err != nil || len(page) == 0 {
			return err
		}
		after = page[len(page)-1].Claim
		claims, err := m.made(ctx, page)
		if err != nil {
			return err
		}
		for i := range claims {
			n.add(m.rules, &claims[i].Case, importID, 1)
		}
	}
}

// add counts claims that are alike.
func (n *Retractable) add(rules claim.Rules, v *claim.View, importID int64, claims int) {
	switch reason := rules.RetractMade(v, importID); reason {
	case "":
		n.Can += claims
	case schema.CodeDomainClaimed:
		n.Domains = append(n.Domains, schema.KeyDomain(v.Key))
		fallthrough
	default:
		n.Cannot[reason] += claims
	}
}

// Next returns the next claims, up to limit, as they stand now; none: there are no more. A page that could
// not be had can be asked for again.
func (c *ImportClaims) Next(ctx context.Context, rules claim.Rules, limit int) (page []ImportClaim, err error) {
	err = c.store.read(ctx, "list the claims of an import", func(tx Tx) error {
		page = nil
		for len(c.rest) == 0 {
			if more, err := c.fetch(ctx, tx); err != nil || !more {
				return err
			}
		}
		m, err := membersOf(ctx, tx, rules, c.organization)
		if err != nil {
			return err
		}
		page, err = m.made(ctx, c.rest[:min(limit, len(c.rest))])
		return err
	})
	if err != nil {
		return nil, err
	}
	c.rest = c.rest[len(page):]
	c.mark.listed += len(page)
	return page, nil
}

// fetch finds the claims of the next chunk that made some. Chunks are applied in the order of the file, each
// with its claims in any order; how many those are stands in its tally.
func (c *ImportClaims) fetch(ctx context.Context, tx Tx) (more bool, err error) {
	tallies, err := tx.Tallies(ctx, []int64{c.importID})
	if err != nil {
		return false, err
	}
	chunks := tallies[c.importID]
	chunk, wanted := c.chunk, 0
	for ; chunk < len(chunks) && wanted == 0; chunk++ {
		wanted = chunks[chunk].Outcomes[schema.Claimed]
	}
	made, err := tx.ImportClaims(ctx, c.importID, false, c.after, cmp.Or(wanted, batchSize))
	if err != nil || len(made) == 0 {
		return false, err
	}
	if begin := (claimsMark{chunk: c.chunk, after: c.after}); begin.chunk != c.mark.chunk || begin.after != c.mark.after {
		c.mark = begin
	}
	c.chunk, c.after = chunk, made[len(made)-1].Claim
	made = slices.DeleteFunc(made, func(m MadeClaim) bool { return m.Claim > c.last })
	slices.SortFunc(made, func(a, b MadeClaim) int { return cmp.Compare(a.Line, b.Line) })
	c.rest = made[min(c.mark.listed, len(made)):]
	return true, nil
}

// made returns the claims with the views of their accounts.
func (m *members) made(ctx context.Context, claims []MadeClaim) ([]ImportClaim, error) {
	ids := make([]int64, len(claims))
	for i := range claims {
		ids[i] = claims[i].Account
	}
	views, err := m.tx.ViewsByID(ctx, ids)
	if err != nil {
		return nil, err
	}
	if err := m.complete(ctx, views); err != nil {
		return nil, err
	}
	byID := make(map[int64]*claim.View, len(views))
	for i := range views {
		byID[views[i].Account.ID] = &views[i]
	}
	page := make([]ImportClaim, len(claims))
	for i := range claims {
		page[i].Line = claims[i].Line
		if v := byID[claims[i].Account]; v != nil {
			page[i].Case = *v
		} else {
			page[i].Case.Organization = m.organization
		}
	}
	return page, nil
}
