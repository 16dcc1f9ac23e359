package store

import (
	"cmp"
	"context"
	"slices"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/schema"
)

// Batch is one part of a listing of accounts.
type Batch struct {
	Keys  []string // address keys, one per account of Facts
	Facts claim.Facts
}

// Selection narrows who could be eligible. Zero values leave everybody in.
type Selection struct {
	Domain string           // of the address
	Type   schema.ClaimType // that a claim would have (see R11)
	// Search leaves only users in whose address and names every word of it occurs, whatever the case and the
	// accents. The database leaves out most of the others.
	Search string
}

// Candidates hands over, in batches ordered by address key, every account whose domain the organization has
// verified or claimed and that is neither its own nor under its claim, with the facts to decide on: all who
// could be eligible. Members and claimed accounts for whom time may have changed that are among them, and
// some whom the selection leaves out. An error of each ends the listing and is returned. Refused with
// CodeOrganizationUnknown.
func (s *Store) Candidates(ctx context.Context, rules claim.Rules, id string, selection Selection, each func(Batch) error) error {
	return s.read(ctx, "list candidates", func(tx Tx) error {
		c, err := candidatesOf(ctx, tx, rules, id, selection)
		if err != nil || len(c.filter.Domains) == 0 {
			return err
		}
		after := ""
		return eachPage(func(size int) (batch Batch, more bool, err error) {
			batch, err = c.page(ctx, after, size)
			if len(batch.Keys) > 0 {
				after = batch.Keys[len(batch.Keys)-1]
			}
			return batch, len(batch.Keys) == size, err
		}, each)
	})
}

// CandidatesAfter returns up to limit candidates behind an address key, as Candidates does; fewer: there are
// no more.
func (s *Store) CandidatesAfter(ctx context.Context, rules claim.Rules, id string, selection Selection, after string, limit int) (batch Batch, err error) {
	err = s.read(ctx, "list candidates", func(tx Tx) error {
		c, err := candidatesOf(ctx, tx, rules, id, selection)
		if err != nil || len(c.filter.Domains) == 0 {
			return err
		}
		batch, err = c.page(ctx, after, limit)
		return err
	})
	return batch, err
}

// CountEligible counts the accounts that the organization may claim now: those among Candidates that are
// ready (see R1 to R8). It does not look at each: the rules are asked once about all that they cannot tell
// apart, and about every account of which something is due. Refused with CodeOrganizationUnknown.
func (s *Store) CountEligible(ctx context.Context, rules claim.Rules, id string, selection Selection) (n int, err error) {
	err = s.read(ctx, "count candidates", func(tx Tx) error {
		n = 0
		c, err := candidatesOf(ctx, tx, rules, id, selection)
		if err != nil || len(c.filter.Domains) == 0 {
			return err
		}
		groups, err := tx.CountUnclaimed(ctx, c.filter.Domains)
		if err != nil {
			return err
		}
		for i := range groups {
			if c.ready(c.facts.Domains[groups[i].Domain], typical(groups[i].Organization)) {
				n += groups[i].Accounts
			}
		}
		return due{tx: tx, rules: rules}.each(ctx, func(v *claim.View) {
			domain := schema.KeyDomain(v.Key)
			if !slices.Contains(c.filter.Domains, domain) {
				return
			}
			if v.Account.Claim == nil && c.ready(c.facts.Domains[domain], typical(v.Account.Organization)) {
				n--
			}
			if c.ready(c.facts.Domains[domain], v.Account) {
				n++
			}
		})
	})
	return n, err
}

// firstPage is how many accounts are looked at before anything is shown.
const firstPage = 256

// eachPage hands over what fetch finds among so many accounts at a time, until there are no more: few at
// first, so that a listing starts at once. While a page is worked on, the next one is fetched; but not while
// the first is, for most listings end with that.
func eachPage[P any](fetch func(size int) (page P, more bool, err error), each func(P) error) error {
	type fetched struct {
		page P
		more bool
		err  error
	}
	size := firstPage
	next := func() (f fetched) {
		f.page, f.more, f.err = fetch(size)
		size = min(2*size, batchSize)
		return f
	}
	for page, first := next(), true; ; first = false {
		if page.err != nil {
			return page.err
		}
		ahead := make(chan fetched, 1)
		if page.more && !first {
			go func() { ahead <- next() }()
		}
		err := each(page.page)
		switch {
		case !page.more:
			return err
		case !first:
			page = <-ahead
		case err == nil:
			page = next()
		}
		if err != nil {
			return err
		}
	}
}

// candidates lists the accounts that one organization might claim.
type candidates struct {
	tx        Tx
	rules     claim.Rules
	facts     claim.Facts // common to all of them
	selection Selection
	filter    CandidateFilter
}

// candidatesOf finds out where there can be candidates: in which domains, and in which organizations.
func candidatesOf(ctx context.Context, tx Tx, rules claim.Rules, id string, selection Selection) (candidates, error) {
	c := candidates{tx: tx, rules: rules, selection: selection, filter: CandidateFilter{Search: schema.Fold(selection.Search)}}
	var err error
	if c.facts.Claiming, err = organization(ctx, tx, id); err != nil {
		return c, err
	}
	own, err := tx.Domains(ctx, id)
	if err != nil {
		return c, err
	}
	var names []string
	for _, d := range own {
		if d.Status != schema.DomainPending && (selection.Domain == "" || selection.Domain == d.Domain) {
			names = append(names, d.Domain)
		}
	}
	if len(names) == 0 {
		return c, nil
	}
	if c.facts.Domains, err = domains(ctx, tx, id, names); err != nil {
		return c, err
	}
	if c.facts.Licenses, err = tx.Licenses(ctx, false, id); err != nil {
		return c, err
	}
	organizations, err := tx.ListOrganizations(ctx)
	if err != nil {
		return c, err
	}
	c.choose(names, organizations)
	return c, nil
}

// choose leaves out domains and organizations in which the rules find nobody ready.
func (c *candidates) choose(names []string, organizations []schema.Organization) {
	kinds := map[claim.Domain][]string{} // few: what is to be known of a domain
	for _, name := range names {
		kind := c.facts.Domains[name]
		if kind.Overlapping != "" {
			kind.Overlapping = "." // whichever it is
		}
		kinds[kind] = append(kinds[kind], name)
	}
	sources, without := make([]string, 0, len(organizations)), []string{}
	for i := range organizations {
		if o := &organizations[i]; c.someReady(kinds, o) {
			sources = append(sources, o.ID)
		} else {
			without = append(without, o.ID)
		}
	}
	switch { // the fewer are named, for every page looks them up
	case len(without) <= 1: // the claiming one
	case len(sources) <= len(without):
		c.filter.Sources = sources
	default:
		c.filter.Sources, c.filter.Except = without, true
	}
	for domain, list := range kinds {
		if slices.ContainsFunc(organizations, func(o schema.Organization) bool { return c.ready(domain, typical(&o)) }) {
			c.filter.Domains = append(c.filter.Domains, list...)
		}
	}
	slices.Sort(c.filter.Domains)
}

// someReady reports whether an account of an organization can be ready in domains of some kind.
func (c *candidates) someReady(kinds map[claim.Domain][]string, o *schema.Organization) bool {
	for domain := range kinds {
		if c.ready(domain, typical(o)) {
			return true
		}
	}
	return false
}

// typical returns an account that stands for all of an organization that are under no claim, and of which
// nothing is due.
func typical(o *schema.Organization) claim.Account {
	return claim.Account{ID: 1, User: schema.User{OrganizationID: o.ID, Status: schema.Active}, Organization: o}
}

// ready reports whether the rules find an account ready, and the selection leaves it in.
func (c *candidates) ready(domain claim.Domain, a claim.Account) bool {
	decision := c.rules.Decide(&c.facts.Claiming, domain, a, "")
	return decision.Outcome == schema.Ready && (c.selection.Type == "" || decision.Type == c.selection.Type)
}

func (c *candidates) page(ctx context.Context, after string, limit int) (Batch, error) {
	list, err := c.tx.Candidates(ctx, c.facts.Claiming.ID, c.filter, after, limit)
	batch := Batch{Keys: make([]string, len(list)), Facts: c.facts}
	batch.Facts.Accounts = make([]claim.Account, len(list))
	for i := range list {
		batch.Keys[i], batch.Facts.Accounts[i] = list[i].Key, list[i].Account
	}
	return batch, err
}

// Members hands over, in batches ordered by address key, the view of every account that belongs to the
// organization or is under its open claim, and that the filter might leave in: whether it does is for
// claim.Rules.List to say. An error of each ends the listing and is returned. Refused with
// CodeOrganizationUnknown.
func (s *Store) Members(ctx context.Context, rules claim.Rules, id string, filter MemberFilter, each func([]claim.View) error) error {
	return s.read(ctx, "list members", func(tx Tx) error {
		m, err := membersOf(ctx, tx, rules, id)
		if err != nil {
			return err
		}
		after := ""
		return eachPage(func(size int) (page []claim.View, more bool, err error) {
			page, after, err = m.page(ctx, filter, after, size)
			return page, after != "", err
		}, each)
	})
}

// MembersAfter returns members behind an address key, as Members does, out of limit accounts looked at; next
// is the key to go on behind, blank where there are no more.
func (s *Store) MembersAfter(ctx context.Context, rules claim.Rules, id string, filter MemberFilter, after string, limit int) (page []claim.View, next string, err error) {
	err = s.read(ctx, "list members", func(tx Tx) error {
		m, err := membersOf(ctx, tx, rules, id)
		if err != nil {
			return err
		}
		page, next, err = m.page(ctx, filter, after, limit)
		return err
	})
	return page, next, err
}

// ClaimedMember is a member with the place of the open claim that made it one.
type ClaimedMember struct {
	ClaimMark
	View claim.View
}

// MembersByClaim returns members under open claims of the organization, as Members does, by when they were
// claimed, up to limit of those behind a mark, the zero one being before all; newest: the last claimed first.
// more says that there may be others.
func (s *Store) MembersByClaim(ctx context.Context, rules claim.Rules, id string, filter MemberFilter, after ClaimMark, limit int, newest bool) (page []ClaimedMember, more bool, err error) {
	err = s.read(ctx, "list members by claim", func(tx Tx) error {
		m, err := membersOf(ctx, tx, rules, id)
		if err != nil {
			return err
		}
		found, err := tx.MembersByClaim(ctx, id, filter, after, limit, newest)
		if err != nil {
			return err
		}
		more = len(found) == limit
		ids := make([]int64, len(found))
		for i := range found {
			ids[i] = found[i].Account
		}
		views, err := tx.ViewsByID(ctx, ids)
		if err != nil {
			return err
		}
		place := make(map[int64]int, len(views)) // before time makes other accounts of them
		for i := range views {
			place[views[i].Account.ID] = i
		}
		if err := m.complete(ctx, views); err != nil {
			return err
		}
		page = make([]ClaimedMember, len(found))
		for i, f := range found {
			page[i] = ClaimedMember{f.ClaimMark, views[place[f.Account]]}
		}
		return nil
	})
	return page, more, err
}

// CountMembers counts the accounts that Members lists without a filter. It looks only at those of which
// something is due. Refused with CodeOrganizationUnknown.
func (s *Store) CountMembers(ctx context.Context, rules claim.Rules, id string) (n int, err error) {
	err = s.read(ctx, "count members", func(tx Tx) error {
		o, err := organization(ctx, tx, id)
		if err != nil {
			return err
		}
		if n, err = tx.CountMembers(ctx, id); err != nil {
			return err
		}
		return due{tx: tx, rules: rules}.each(ctx, func(v *claim.View) {
			v.Organization = &o
			if v.Belongs() {
				n--
			}
			if now := rules.ViewAsOf(*v); now.Belongs() {
				n++
			}
		})
	})
	return n, err
}

// members lists the members of one organization as they stand now.
type members struct {
	tx           Tx
	rules        claim.Rules
	organization *schema.Organization
	services     map[int64][]string // of accounts that have joined, though that is not written; nil: nobody has asked
}

func membersOf(ctx context.Context, tx Tx, rules claim.Rules, id string) (*members, error) {
	o, err := organization(ctx, tx, id)
	return &members{tx: tx, rules: rules, organization: &o}, err
}

// page lists the members among so many accounts behind an address key.
func (m *members) page(ctx context.Context, filter MemberFilter, after string, limit int) (views []claim.View, next string, err error) {
	views, err = m.tx.Members(ctx, m.organization.ID, filter, after, limit)
	if err != nil || len(views) == 0 {
		return nil, "", err
	}
	if len(views) == limit {
		next = views[len(views)-1].Key
	}
	if err := m.complete(ctx, views); err != nil {
		return nil, "", err
	}
	return slices.DeleteFunc(views, func(v claim.View) bool { return !v.Belongs() }), next, nil
}

// complete fills in what the organization sees, and makes the views what they are now.
func (m *members) complete(ctx context.Context, views []claim.View) error {
	if err := complete(ctx, m.tx, m.organization, views); err != nil {
		return err
	}
	for i := range views {
		if !m.rules.AnyDue(&views[i].Account) { // which is nearly always so, and a view is much to copy
			continue
		}
		made := views[i].Account.Claim
		views[i] = m.rules.ViewAsOf(views[i])
		now := &views[i].Account
		if made == nil || made.Type != schema.Delayed || len(made.Services) == 0 || now.Claim != nil || now.User.OrganizationID != m.organization.ID {
			continue
		}
		given, err := m.given(ctx)
		if err != nil {
			return err
		}
		now.User.Services = given[now.ID]
	}
	return nil
}

// given returns the services of accounts that have joined, though that is not written. Who else has joined
// decides what one got: all that is due is followed, once, and only where somebody asks.
func (m *members) given(ctx context.Context) (map[int64][]string, error) {
	if m.services != nil {
		return m.services, nil
	}
	effects, _, err := due{tx: m.tx, rules: m.rules}.find(ctx, m.organization.ID)
	if err != nil {
		return nil, err
	}
	m.services = map[int64][]string{}
	for i := range effects {
		if e := &effects[i]; e.Moves {
			m.services[e.Before.ID] = e.User.Services
		}
	}
	return m.services, nil
}

// History is all that is kept about one account that concerns an organization.
type History struct {
	View   claim.View    // as it stands now; no Account: there is none
	Closed []ClosedClaim // of the organization, the oldest first
	Mails  []Mail        // about its claims, in the order in which they were written; not those that nobody wants any more
}

// History finds the account with an address key, with what was done to it. Refused with
// CodeOrganizationUnknown.
func (s *Store) History(ctx context.Context, rules claim.Rules, id, key string) (h History, err error) {
	err = s.read(ctx, "look up an account", func(tx Tx) error {
		h = History{}
		m, err := membersOf(ctx, tx, rules, id)
		if err != nil {
			return err
		}
		views, err := tx.Views(ctx, []string{key})
		if err != nil || len(views) == 0 {
			return err
		}
		var claims []int64
		if made := views[0].Account.Claim; made != nil && made.OrganizationID == id {
			claims = append(claims, made.ID)
		}
		if h.Closed, err = tx.ClosedClaims(ctx, []int64{views[0].Account.ID}, []string{key}); err != nil {
			return err
		}
		h.Closed = closedOf(h.Closed, id)
		for _, c := range h.Closed {
			claims = append(claims, c.ID)
		}
		if h.Mails, err = wantedMails(ctx, tx, rules, claims); err != nil {
			return err
		}
		err = m.complete(ctx, views)
		h.View = views[0]
		return err
	})
	return h, err
}

// closedOf returns the closed claims of an organization, each once, in the order of time.
func closedOf(list []ClosedClaim, id string) []ClosedClaim {
	list = slices.DeleteFunc(list, func(c ClosedClaim) bool { return c.Organization != id })
	slices.SortFunc(list, func(a, b ClosedClaim) int { return cmp.Or(a.ClosedAt.Compare(b.ClosedAt), cmp.Compare(a.ID, b.ID)) })
	return slices.CompactFunc(list, func(a, b ClosedClaim) bool { return a.ID == b.ID })
}
