// Package storetest is the conformance suite of stores: what the comments of store.Store promise, checked
// through its interface alone.
package storetest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/schema"
)

// Run runs the suite. For each test fresh prepares an empty database and returns a function that opens it:
// every call is one more handle, such as another process would have.
func Run(t *testing.T, fresh func(t *testing.T) (open func() store.DB)) {
	t.Helper()
	run(t, fresh, loadTests, restoreTests, factsTests, licenseTests, importTests, applyTests, dueTests, orderTests, concurrencyTests, settingsTests,
		claimsTests, listingTests, queueTests, scheduleTests, outboxTests, tokenTests, sessionTests)
}

func run(t *testing.T, fresh func(t *testing.T) (open func() store.DB), groups ...map[string]func(*suite)) {
	t.Helper()
	for _, group := range groups {
		for name, test := range group {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				s := &suite{T: t, open: fresh(t), now: start}
				s.db = s.open()
				s.Store = store.New(clocked{s.db, s})
				s.Cleanup(func() { require.NoError(s, s.Close()) })
				test(s)
				s.checkHeld()
			})
		}
	}
}

// start is when the tests begin.
var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

const (
	day   = 24 * time.Hour
	lease = 10 * time.Second
)

// suite is one test on a database of its own.
type suite struct {
	*testing.T
	*store.Store
	db   store.DB // of Store
	open func() store.DB
	now  time.Time
}

// clocked is a database whose clock the test moves.
type clocked struct {
	store.DB
	s *suite
}

func (c clocked) Read(ctx context.Context, do func(store.Tx) error) error {
	return c.DB.Read(ctx, func(tx store.Tx) error { return do(clockedTx{tx, c.s}) })
}

func (c clocked) Write(ctx context.Context, do func(store.Tx) error) error {
	return c.DB.Write(ctx, func(tx store.Tx) error { return do(clockedTx{tx, c.s}) })
}

type clockedTx struct {
	store.Tx
	s *suite
}

func (t clockedTx) Now(context.Context) (time.Time, error) { return t.s.now, nil }

// another opens one more handle on the database.
func (s *suite) another() *store.Store {
	handle := store.New(clocked{s.open(), s})
	s.Cleanup(func() { require.NoError(s, handle.Close()) })
	return handle
}

func (s *suite) ctx() context.Context { return s.Context() }

// rules returns those of the present, which tests move by setting now.
func (s *suite) rules() claim.Rules { return claim.Rules{Now: s.now, Policy: schema.DefaultPolicy()} }

// refused requires an error with this code.
func (s *suite) refused(err error, code schema.Code) {
	s.Helper()
	_ = s.refusal(err, code)
}

// refusal requires an error with this code, and returns it.
func (s *suite) refusal(err error, code schema.Code) *schema.Error {
	s.Helper()
	var refusal *schema.Error
	require.ErrorAs(s, err, &refusal)
	require.Equal(s, code, refusal.Code, "%v", err)
	return refusal
}

// snapshot is what Load takes in.
type snapshot struct {
	organizations []schema.Organization
	licenses      []schema.License
	domains       []schema.Domain
	users         []store.LoadUser
	claims        []store.LoadClaim
}

func (s *suite) tryLoad(in snapshot) error {
	return s.Load(s.ctx(), s.rules(), func(into store.Loader) error {
		if err := into.Organizations(s.ctx(), loadOrganizations(in.organizations)); err != nil {
			return err
		}
		if err := into.Licenses(s.ctx(), loadLicenses(in.licenses)); err != nil {
			return err
		}
		if err := into.Domains(s.ctx(), loadDomains(in.domains)); err != nil {
			return err
		}
		for part := range slices.Chunk(in.users, 3) { // they come in parts
			if err := into.Users(s.ctx(), part); err != nil {
				return err
			}
		}
		return into.Claims(s.ctx(), in.claims)
	})
}

func (s *suite) load(in snapshot) {
	s.Helper()
	require.NoError(s, s.tryLoad(in))
	s.checkHeld()
}

// checkHeld requires that what is held of licences, as it is written, is what members and open immediate
// claims have.
func (s *suite) checkHeld() {
	s.Helper()
	require.NoError(s, s.db.Read(s.ctx(), func(tx store.Tx) error {
		organizations, err := tx.ListOrganizations(s.ctx())
		require.NoError(s, err)
		licenses, err := tx.Licenses(s.ctx(), false)
		require.NoError(s, err)
		given := map[[2]string]int{}
		for _, o := range organizations {
			for after := ""; ; {
				views, err := tx.Members(s.ctx(), o.ID, store.MemberFilter{}, after, 1000)
				require.NoError(s, err)
				if len(views) == 0 {
					break
				}
				after = views[len(views)-1].Key
				for _, v := range views {
					if v.Account.User.OrganizationID == o.ID {
						for _, service := range v.Account.User.Services {
							given[[2]string{o.ID, strings.ToLower(service)}]++
						}
					}
					if made := v.Account.Claim; made != nil && made.OrganizationID == o.ID && made.Type == schema.Immediate {
						for _, service := range made.Services {
							given[[2]string{o.ID, strings.ToLower(service)}]++
						}
					}
				}
			}
		}
		for _, l := range licenses {
			require.Equal(s, given[[2]string{l.OrganizationID, strings.ToLower(l.Service)}], l.Held, "%s of %s", l.Service, l.OrganizationID)
		}
		return nil
	}))
}

// world returns two enterprises, a free organization and an old personal one. Acme has verified acme.example
// and claimed claimed.example, and Umbrella the domains of its own.
func world(users ...store.LoadUser) snapshot {
	created := time.Date(2019, 5, 1, 0, 0, 0, 0, time.UTC)
	return snapshot{
		organizations: []schema.Organization{
			{ID: "acme", Name: "Acme AB", Kind: schema.Enterprise, Created: created, BringConversations: true, ActivationEmails: true, RetentionDays: 90},
			{ID: "umbrella", Name: "Umbrella", Kind: schema.Enterprise, Created: created, BringConversations: true},
			{ID: "free", Name: "Free", Kind: schema.Consumer, Created: created},
			{ID: "home", Name: "Home", Kind: schema.Personal, Created: created},
		},
		licenses: []schema.License{
			{OrganizationID: "acme", Service: "Calling", Quantity: 2},
			{OrganizationID: "acme", Service: "Meetings", Quantity: schema.Unlimited, AutoAssign: true},
			{OrganizationID: "umbrella", Service: "Calling", Quantity: 5},
		},
		domains: []schema.Domain{
			{Domain: "acme.example", OrganizationID: "acme", Status: schema.DomainVerified},
			{Domain: "claimed.example", OrganizationID: "acme", Status: schema.DomainClaimed},
			{Domain: "acme.example", OrganizationID: "umbrella", Status: schema.DomainVerified},
			{Domain: "umbrella.example", OrganizationID: "umbrella", Status: schema.DomainClaimed},
		},
		users: users,
	}
}

// user returns an active account; its line follows from its id, which is a number.
func user(id int, address, organization string, services ...string) store.LoadUser {
	key, problem := schema.ParseAddress(address)
	if problem != "" {
		panic(problem)
	}
	return store.LoadUser{Key: key, Line: id + 1, User: schema.User{
		ID: fmt.Sprint(id), Email: address, OrganizationID: organization, Status: schema.Active, Services: services,
		Conversations: schema.UnknownConversations,
	}}
}

// restored returns a claim of a snapshot.
func restored(line int, address, organization string, kind schema.ClaimType, at time.Time) store.LoadClaim {
	key, _ := schema.ParseAddress(address)
	return store.LoadClaim{Key: key, Line: line, Claim: schema.Claim{OrganizationID: organization, Type: kind, ClaimedAt: at}}
}

// accounts returns the facts about addresses, as written in the store.
func (s *suite) accounts(organization string, keys ...string) []claim.Account {
	s.Helper()
	facts, err := s.Facts(s.ctx(), organization, keys)
	require.NoError(s, err)
	require.Len(s, facts.Accounts, len(keys))
	return facts.Accounts
}

// account returns one account as it stands now, without its version, which says how it came to that.
func (s *suite) account(key string) claim.Account {
	s.Helper()
	a := s.rules().AsOf(s.accounts("acme", key)[0])
	a.Version = 0
	return a
}

// held returns what an organization's licences hold now, by service.
func (s *suite) held(organization string) map[string]int {
	s.Helper()
	list, err := s.Licenses(s.ctx(), s.rules(), organization)
	require.NoError(s, err)
	held := map[string]int{}
	for _, license := range list {
		held[license.Service] = license.Held
	}
	return held
}

// importing returns an import of one chunk per list of keys, agreed to, and taken.
func (s *suite) importing(organization string, chunks ...[]string) store.Owner {
	s.Helper()
	id := s.planned(organization, chunks...)
	s.agree(id)
	return s.take(id)
}

// agree agrees to an import that a person at a terminal drives.
func (s *suite) agree(id int64) {
	s.Helper()
	imp := s.imported(id)
	_, err := s.Agree(s.ctx(), imp.OrganizationID, id, lease, schema.Consent{By: "ann", At: s.now, Claims: imp.Tally.Outcomes[schema.Ready], Attended: true})
	require.NoError(s, err)
}

// take takes an import for a runner.
func (s *suite) take(id int64) store.Owner {
	s.Helper()
	owner, err := s.TakeImport(s.ctx(), id, "second", lease)
	require.NoError(s, err)
	require.Equal(s, "second", owner.Runner)
	return owner
}

// planning returns an import that is being planned, with one chunk per list of keys.
func (s *suite) planning(organization string, chunks ...[]string) store.Owner {
	s.Helper()
	owner, err := s.CreateImport(s.ctx(), schema.Import{OrganizationID: organization, File: "users.csv", ActivationEmails: true, Attended: true, StartedAt: s.now}, "first", lease)
	require.NoError(s, err)
	for i, keys := range chunks {
		require.NoError(s, s.KeepChunk(s.ctx(), owner, store.Chunk{
			Number: i + 1, Data: fmt.Append(nil, keys), Verdicts: []byte{byte(i)},
			Planned: schema.Tally{Rows: len(keys), Outcomes: map[schema.Outcome]int{schema.Ready: len(keys)}},
		}))
	}
	return owner
}

// planned returns an import that waits for consent, and that nobody owns.
func (s *suite) planned(organization string, chunks ...[]string) int64 {
	s.Helper()
	owner := s.planning(organization, chunks...)
	s.seal(owner)
	return owner.ImportID
}

// seal ends the planning of an import.
func (s *suite) seal(owner store.Owner) schema.Import {
	s.Helper()
	imp, err := s.SealPlan(s.ctx(), owner, store.Sealed{SHA256: "abc123", Plan: []byte("plan"), State: schema.StateAwaitingConsent, At: s.now})
	require.NoError(s, err)
	return imp
}

// claimer decides by the rules and claims whoever may be claimed, wanting these services for each.
type claimer struct {
	rules    claim.Rules
	keys     []string
	services []string
	edits    schema.Profile

	facts    claim.Facts // what it was given last
	outcomes map[string]schema.Outcome
	ids      []int64
}

func (c *claimer) decide(facts claim.Facts) (store.Applied, error) {
	c.facts, c.outcomes = facts, map[string]schema.Outcome{}
	pool := claim.NewLicenses(facts.Licenses)
	assignments := make([]claim.Assignment, len(pool.Services()))
	for i, service := range pool.Services() {
		assignments[i] = claim.Withhold
		if slices.Contains(c.services, service) {
			assignments[i] = claim.Assign
		}
	}
	applied := store.Applied{ActivationMails: true}
	for i, a := range facts.Accounts {
		decision := c.rules.Decide(&facts.Claiming, facts.Domains[schema.KeyDomain(c.keys[i])], a, "")
		outcome := decision.Outcome
		if decision.Outcome == schema.Ready {
			outcome = schema.Claimed
			services, _ := pool.Assign(decision.Type, assignments, nil, nil)
			made := store.NewClaim{AccountID: a.ID, Type: decision.Type, StatusBefore: a.User.Status, Services: services, Line: i + 2}
			if c.edits != (schema.Profile{}) {
				made.Edits = &c.edits
			}
			applied.Claims = append(applied.Claims, made)
		}
		c.outcomes[c.keys[i]] = outcome
		applied.Tally.Count(1, outcome, decision.Reasons, nil)
	}
	applied.Results = func(ids []int64) []byte {
		c.ids = slices.Clone(ids)
		return fmt.Append(nil, ids)
	}
	return applied, nil
}

// asked answers what the address keys of a chunk are.
func asked(keys ...string) func() ([]string, error) {
	return func() ([]string, error) { return keys, nil }
}

// apply applies a chunk by the rules.
func (s *suite) apply(owner store.Owner, number int, keys []string, services ...string) *claimer {
	s.Helper()
	c := &claimer{rules: s.rules(), keys: keys, services: services}
	require.NoError(s, s.ApplyChunk(s.ctx(), owner, s.rules(), number, store.Known{}, asked(keys...), c.decide))
	s.checkHeld()
	return c
}

// claimed claims one account for an organization, by an import of its own.
func (s *suite) claimed(organization, key string, services ...string) *schema.Claim {
	s.Helper()
	c := s.apply(s.importing(organization, []string{key}), 1, []string{key}, services...)
	require.Equal(s, schema.Claimed, c.outcomes[key])
	return s.accounts(organization, key)[0].Claim
}

// keysOf returns address keys of users.
func keysOf(users []store.LoadUser) []string {
	keys := make([]string, len(users))
	for i := range users {
		keys[i] = users[i].Key
	}
	return keys
}

// numbered returns an address with a number in it; the order of the numbers is not that of the addresses.
func numbered(i int) string { return fmt.Sprintf("%03d.user.%d@acme.example", i*7919%1000, i) }

// The parts of a snapshot with the lines they would stand on.
func loadOrganizations(values []schema.Organization) (loaded []store.LoadOrganization) {
	for i, value := range values {
		loaded = append(loaded, store.LoadOrganization{Organization: value, Line: i + 2})
	}
	return loaded
}

func loadLicenses(values []schema.License) (loaded []store.LoadLicense) {
	for i, value := range values {
		loaded = append(loaded, store.LoadLicense{License: value, Line: i + 2})
	}
	return loaded
}

func loadDomains(values []schema.Domain) (loaded []store.LoadDomain) {
	for i, value := range values {
		loaded = append(loaded, store.LoadDomain{Domain: value, Line: i + 2})
	}
	return loaded
}
