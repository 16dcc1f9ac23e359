package storetest

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/schema"
)

// RunListings runs the part of the suite that is about listings: a database that finds few accounts in
// another way than many is to show that the two are alike.
func RunListings(t *testing.T, fresh func(t *testing.T) (open func() store.DB)) {
	t.Helper()
	run(t, fresh, listingTests, factsTests)
}

// Statements propose and count; what they say is held against the rules, asked about every account there is.
var listingTests = map[string]func(*suite){
	"listings/a search leaves nobody out who might be meant": func(s *suite) {
		named := func(id int, address, organization string, names schema.Profile) store.LoadUser {
			u := user(id, address, organization)
			u.Profile = names
			return u
		}
		s.load(world(
			named(1, "Ann.Lee@acme.example", "acme", schema.Profile{FirstName: "Ann", LastName: `O"Neil`}),
			named(2, "bo@acme.example", "free", schema.Profile{DisplayName: "Bo 100%_sure"}),
			named(3, "cy@acme.example", "acme", schema.Profile{FirstName: "Ôneil", Title: "ann lee"}),
			named(4, "di@acme.example", "acme", schema.Profile{}),
		))
		keys := []string{"bo@acme.example"}
		c := &claimer{rules: s.rules(), keys: keys, edits: schema.Profile{LastName: `d'Oneil "the` + "\\" + `"`}}
		require.NoError(s, s.ApplyChunk(s.ctx(), s.importing("acme", keys), s.rules(), 1, store.Known{}, asked(keys...), c.decide))
		for search, want := range map[string][]string{
			"":             {"ann.lee@acme.example", "bo@acme.example", "cy@acme.example", "di@acme.example"},
			"oneil":        {"bo@acme.example", "cy@acme.example"},
			`o"neil ann`:   {"ann.lee@acme.example"},
			"lee":          {"ann.lee@acme.example"},
			"100%_sure":    {"bo@acme.example"},
			`"the` + "\\":  {"bo@acme.example"},
			"acme.example": {"ann.lee@acme.example", "bo@acme.example", "cy@acme.example", "di@acme.example"},
		} {
			got := []string{}
			require.NoError(s, s.Members(s.ctx(), s.rules(), "acme", store.MemberFilter{Search: search}, func(page []claim.View) error {
				for i := range page {
					got = append(got, page[i].Key)
				}
				return nil
			}))
			require.Equal(s, want, got, search)
		}
		for search, want := range map[string][]string{"oneil": {"ed@acme.example"}, "acme ED": {"ed@acme.example"}, "bo": nil} {
			s.load(world(named(5, "ed@acme.example", "free", schema.Profile{LastName: "Ôneil"})))
			var got []string
			require.NoError(s, s.Candidates(s.ctx(), s.rules(), "acme", store.Selection{Search: search}, func(batch store.Batch) error {
				got = append(got, batch.Keys...)
				return nil
			}))
			require.Equal(s, want, got, search)
		}
	},

	"listings/as the rules have it": func(s *suite) {
		random := rand.New(rand.NewPCG(7, 11))
		in := s.crowd(random)
		all := keysOf(in.users)
		organizations := []string{"acme", "umbrella", "free", "home", "closed"}
		imports := map[string]int64{}
		for _, id := range organizations[:2] {
			owner := s.importing(id, all)
			s.apply(owner, 1, all)
			imports[id] = owner.ImportID
		}
		for round := range 14 {
			if round%4 == 2 { // an account under a claim gets another status than it had when it was claimed
				in.claims = nil
				for i := range in.users {
					if in.users[i].Status != schema.Inactive && random.IntN(2) == 0 {
						in.users[i].Status = []schema.Status{schema.Active, schema.Verified, schema.Pending}[random.IntN(3)]
					}
				}
				s.load(in)
			}
			for _, id := range organizations {
				s.checkMembers(id, all)
				s.checkEligible(id, all)
				s.checkStands(id, all)
				s.checkByClaim(id, all)
				s.checkDeadlines(id, all)
			}
			s.checkMade(imports)
			s.now = s.now.Add(time.Duration(random.IntN(8*24)) * time.Hour)
			s.happen(random, all)
		}
		s.swept()
		for _, id := range organizations {
			s.checkMembers(id, all)
			s.checkEligible(id, all)
			s.checkDeadlines(id, all)
		}
		s.checkMade(imports)
	},

	"listings/page by page": func(s *suite) {
		s.crowd(rand.New(rand.NewPCG(3, 5)))
		var whole, paged []string
		for key := range s.members("acme") {
			whole = append(whole, key)
		}
		for after := ""; ; {
			page, next, err := s.MembersAfter(s.ctx(), s.rules(), "acme", store.MemberFilter{}, after, 3)
			require.NoError(s, err)
			for i := range page {
				paged = append(paged, page[i].Key)
			}
			if next == "" {
				break
			}
			after = next
		}
		require.ElementsMatch(s, whole, paged)
		require.IsIncreasing(s, paged)
		_, err := s.CountMembers(s.ctx(), s.rules(), "nobody")
		s.refused(err, schema.CodeOrganizationUnknown)
		_, err = s.CountEligible(s.ctx(), s.rules(), "nobody", store.Selection{})
		s.refused(err, schema.CodeOrganizationUnknown)
	},
}

// crowd loads accounts of every kind, and returns what was loaded.
func (s *suite) crowd(random *rand.Rand) snapshot {
	s.Helper()
	in := world()
	in.organizations = append(in.organizations, schema.Organization{ID: "closed", Name: "Closed", Kind: schema.Personal, Created: in.organizations[0].Created, SSO: true})
	in.domains = append(in.domains, schema.Domain{Domain: "taken.example", OrganizationID: "acme", Status: schema.DomainVerified},
		schema.Domain{Domain: "taken.example", OrganizationID: "umbrella", Status: schema.DomainClaimed})
	domains := []string{"acme.example", "acme.example", "claimed.example", "umbrella.example", "taken.example", "elsewhere.example"}
	for i := range 150 {
		u := user(i+1, fmt.Sprintf("u%d@%s", i*7919%1000, domains[random.IntN(len(domains))]), []string{"acme", "umbrella", "free", "home", "home", "closed"}[random.IntN(6)])
		u.Status = schema.Statuses[random.IntN(len(schema.Statuses))]
		if u.Status == schema.Inactive && random.IntN(3) > 0 {
			u.InactiveSince = s.now.Add(-time.Duration(random.IntN(40)) * day)
		}
		if random.IntN(3) == 0 && u.OrganizationID == "umbrella" {
			u.Services = []string{"Calling"}
		}
		in.users = append(in.users, u)
		made := []schema.ClaimType{schema.Delayed, schema.Immediate}[random.IntN(2)]
		claiming := []string{"acme", "umbrella"}[random.IntN(2)]
		if random.IntN(2) == 0 && claiming != u.OrganizationID {
			in.claims = append(in.claims, restored(len(in.claims)+2, u.Key, claiming, made, s.now.Add(-time.Duration(random.IntN(20*24))*time.Hour)))
		}
	}
	in.licenses[2].Quantity = schema.Unlimited
	s.load(in)
	return in
}

// happen lets owners and administrators do something to a few accounts.
func (s *suite) happen(random *rand.Rand, keys []string) {
	s.Helper()
	for range 12 {
		key, id := keys[random.IntN(len(keys))], []string{"acme", "umbrella"}[random.IntN(2)]
		require.NoError(s, s.Change(s.ctx(), s.rules(), id, []string{key}, func(views []claim.View) ([]claim.Effect, error) {
			v, r := &views[0], s.rules()
			var effect claim.Effect
			var refused schema.Code
			switch random.IntN(5) {
			case 0:
				effect, refused = r.Choose(v, schema.DeleteAccount, claim.NewAddress{})
			case 1:
				effect, refused = r.SignIn(v)
			case 2:
				effect, refused = r.Remove(v)
			case 3:
				effect, refused = r.Synced(v, schema.SyncDeactivate), ""
				if !v.Member() {
					return nil, nil
				}
			default:
				if refused = r.Retract(v); refused == "" {
					effect = r.Retracted(v)
				}
			}
			if refused != "" {
				return nil, nil
			}
			return []claim.Effect{effect}, nil
		}))
	}
}

// checkMembers holds a listing of members, with every filter, and their number, against the rules.
func (s *suite) checkMembers(id string, keys []string) {
	s.Helper()
	views := s.views(id, keys)
	filters := []store.MemberFilter{{}, {Retractable: true}, {ClaimType: schema.Immediate}, {ClaimType: schema.Delayed}, {Status: schema.DelayedClaim},
		{Status: schema.Active, ClaimType: schema.Delayed}, {Status: schema.DelayedClaim, Retractable: true}}
	for _, status := range schema.Statuses {
		filters = append(filters, store.MemberFilter{Status: status})
	}
	for _, filter := range filters {
		left := func(v *claim.View) bool {
			l, ok := s.rules().List(v)
			return ok && (filter.Status == "" || l.Status == filter.Status) && (filter.ClaimType == "" || l.ClaimType == filter.ClaimType) &&
				(!filter.Retractable || l.Retractable)
		}
		want, got := []string{}, []string{}
		for key := range views {
			if v := views[key]; left(&v) {
				want = append(want, key)
			}
		}
		require.NoError(s, s.Members(s.ctx(), s.rules(), id, filter, func(page []claim.View) error {
			for i := range page {
				if left(&page[i]) {
					got = append(got, page[i].Key)
				}
			}
			return nil
		}))
		require.ElementsMatch(s, want, got, "%s %+v", id, filter)
		filter.NoProfile = true
		var listed []schema.Listing
		require.NoError(s, s.Members(s.ctx(), s.rules(), id, filter, func(page []claim.View) error {
			for i := range page {
				if left(&page[i]) {
					l, _ := s.rules().List(&page[i])
					listed = append(listed, l)
				}
			}
			return nil
		}))
		require.Len(s, listed, len(want))
		for i, key := range got {
			v := views[key]
			l, _ := s.rules().List(&v)
			l.Name, listed[i].Name = "", ""
			require.Equal(s, l, listed[i])
		}
		filter.NoProfile = false
		if filter == (store.MemberFilter{}) {
			n, err := s.CountMembers(s.ctx(), s.rules(), id)
			require.NoError(s, err)
			require.Len(s, want, n, id)
		}
	}
}

// checkEligible holds the candidates, with every selection, and the number of those that are ready, against
// the rules.
func (s *suite) checkEligible(id string, keys []string) {
	s.Helper()
	facts, err := s.Facts(s.ctx(), id, keys)
	require.NoError(s, err)
	rules := s.rules()
	settings := []schema.DomainElsewhere{schema.ElsewhereClaimed, schema.ElsewhereVerified, schema.ElsewhereOverlapping}
	for n, selection := range []store.Selection{{}, {}, {}, {Type: schema.Delayed}, {Type: schema.Immediate}, {Domain: "claimed.example"}, {Domain: "taken.example"}, {Domain: "nowhere.example"}} {
		ready := func(facts *claim.Facts, key string, a claim.Account) bool {
			d := rules.Decide(&facts.Claiming, facts.Domains[schema.KeyDomain(key)], a, "")
			return d.Outcome == schema.Ready && (selection.Type == "" || d.Type == selection.Type) && (selection.Domain == "" || selection.Domain == schema.KeyDomain(key))
		}
		// Under each setting, who is ready by the rules is listed and counted.
		rules.Policy.DomainElsewhere = settings[n%len(settings)]
		want, got := []string{}, []string{}
		for i, key := range keys {
			if ready(&facts, key, facts.Accounts[i]) {
				want = append(want, key)
			}
		}
		require.NoError(s, s.Candidates(s.ctx(), rules, id, selection, func(batch store.Batch) error {
			for i, key := range batch.Keys {
				if ready(&batch.Facts, key, batch.Facts.Accounts[i]) {
					got = append(got, key)
				}
			}
			return nil
		}))
		require.ElementsMatch(s, want, got, "%s %+v", id, selection)
		counted, err := s.CountEligible(s.ctx(), rules, id, selection)
		require.NoError(s, err)
		require.Len(s, want, counted, "%s %+v", id, selection)
	}
}

// checkStands holds how far each domain is against what the rules say of each account.
func (s *suite) checkStands(id string, keys []string) {
	s.Helper()
	facts, err := s.Facts(s.ctx(), id, keys)
	require.NoError(s, err)
	stands, err := s.Stands(s.ctx(), s.rules(), id)
	require.NoError(s, err)
	for i := range stands {
		want := store.Stand{Domain: stands[i].Domain, Claimable: map[schema.ClaimType]int{}, Cannot: map[schema.Code]int{}}
		for k, key := range keys {
			if schema.KeyDomain(key) != stands[i].Domain.Domain {
				continue
			}
			now := s.rules().AsOf(facts.Accounts[k])
			d := s.rules().Decide(&facts.Claiming, facts.Domains[schema.KeyDomain(key)], facts.Accounts[k], "")
			switch {
			case now.ID == 0:
			case d.Outcome == schema.Ready:
				want.Claimable[d.Type]++
			case d.Reasons[0] == schema.CodeAlreadyClaimed:
				want.Claimed++
			case d.Reasons[0] == schema.CodeAlreadyMember:
				want.Members++
			default:
				want.Cannot[d.Reasons[0]]++
			}
		}
		for _, counts := range []store.Stand{want, stands[i]} {
			maps.DeleteFunc(counts.Claimable, func(_ schema.ClaimType, n int) bool { return n == 0 })
			maps.DeleteFunc(counts.Cannot, func(_ schema.Code, n int) bool { return n == 0 })
		}
		require.Equal(s, want, stands[i], id)
	}
}

// checkByClaim holds members by when their claim was made, and those without one, against all members.
func (s *suite) checkByClaim(id string, keys []string) {
	s.Helper()
	views := s.views(id, keys)
	want := []string{}
	for key := range views {
		if v := views[key]; v.Belongs() {
			want = append(want, key)
		}
	}
	for _, newest := range []bool{false, true} {
		got := []string{}
		var last store.ClaimMark
		for after, more := (store.ClaimMark{}), true; more; {
			var page []store.ClaimedMember
			var err error
			page, more, err = s.MembersByClaim(s.ctx(), s.rules(), id, store.MemberFilter{}, after, 7, newest)
			require.NoError(s, err)
			for i := range page {
				if after = page[i].ClaimMark; last != (store.ClaimMark{}) {
					require.NotEqual(s, newest, after.ClaimedAt.After(last.ClaimedAt) || after.ClaimedAt.Equal(last.ClaimedAt) && after.Claim > last.Claim)
				}
				if last = after; page[i].View.Belongs() {
					got = append(got, page[i].View.Key)
				}
			}
		}
		require.NoError(s, s.Members(s.ctx(), s.rules(), id, store.MemberFilter{Unclaimed: true}, func(page []claim.View) error {
			for i := range page {
				got = append(got, page[i].Key)
			}
			return nil
		}))
		require.ElementsMatch(s, want, got, id)
	}
}

// checkDeadlines holds what falls due first against what falls due of every account.
func (s *suite) checkDeadlines(id string, keys []string) {
	s.Helper()
	var all []schema.Deadline
	views := s.views(id, keys)
	for _, key := range slices.Sorted(maps.Keys(views)) {
		v := views[key]
		all = append(all, s.rules().Deadlines(&v)...)
	}
	slices.SortStableFunc(all, func(a, b schema.Deadline) int { return a.DueAt.Compare(b.DueAt) })
	bounds := []time.Time{s.now.Add(-day), s.now.Add(9 * time.Hour), s.now.Add(7 * day), s.now.Add(7*day + time.Second), s.now.Add(20 * day)}
	if len(all) > 0 { // some of it from one bound on, and some up to it
		bounds = append(bounds[:3:3], all[len(all)/2].DueAt, all[len(all)-1].DueAt)
		slices.SortFunc(bounds, time.Time.Compare)
	}
	want := make([]map[schema.DeadlineKind]int, len(bounds)-1)
	for i := range want {
		want[i] = map[schema.DeadlineKind]int{}
		for _, d := range all {
			if !d.DueAt.Before(bounds[i]) && d.DueAt.Before(bounds[i+1]) {
				want[i][d.Kind]++
			}
		}
	}
	counted, err := s.CountDeadlines(s.ctx(), s.rules(), id, bounds)
	require.NoError(s, err)
	require.Equal(s, want, counted, id)
	for _, limit := range []int{1, 5, 30, 1000} {
		first, last, more, err := s.FirstDeadlines(s.ctx(), s.rules(), id, store.DeadlineMark{}, limit)
		require.NoError(s, err)
		require.Equal(s, len(all) > limit, more)
		require.Len(s, first, min(limit, len(all)), "%s, the first %d", id, limit)
		require.Equal(s, all[:len(first):len(first)], append(all[:0:0], first...), "%s, the first %d", id, limit)
		listed := first
		for more && limit > 1 { // page by page it is the same list
			first, last, more, err = s.FirstDeadlines(s.ctx(), s.rules(), id, last, limit)
			require.NoError(s, err)
			listed = append(listed, first...)
		}
		if limit > 1 {
			require.Equal(s, all, append([]schema.Deadline(nil), listed...))
		}
	}
}

// checkMade holds what retracting imports, by the organization that made them, would do against what the
// rules say of each claim.
func (s *suite) checkMade(imports map[string]int64) {
	s.Helper()
	for id, importID := range imports {
		list, n := s.made(id, importID, 1000)
		counted := map[schema.Code]int{}
		for i := range list {
			counted[s.rules().RetractMade(&list[i].Case, importID)]++
		}
		require.NotEmpty(s, list)
		require.Equal(s, counted[""], n.Can)
		delete(counted, "")
		require.Equal(s, counted, n.Cannot, id)
	}
}

// views returns accounts as an organization sees them now, found by their address keys.
func (s *suite) views(id string, keys []string) map[string]claim.View {
	s.Helper()
	views := map[string]claim.View{}
	facts, err := s.Facts(s.ctx(), id, keys)
	require.NoError(s, err)
	require.NoError(s, s.db.Read(s.ctx(), func(tx store.Tx) error {
		list, err := tx.Views(s.ctx(), keys)
		require.NoError(s, err)
		o, found, err := tx.FindOrganization(s.ctx(), id)
		require.NoError(s, err)
		require.True(s, found)
		for _, v := range list {
			v.Organization = &o
			v.Domain = facts.Domains[schema.KeyDomain(v.Key)]
			views[v.Key] = s.rules().ViewAsOf(v)
		}
		return nil
	}))
	return views
}
