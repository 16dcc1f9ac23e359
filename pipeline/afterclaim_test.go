package pipeline_test

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/claimline/claimline/pipeline"
	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/pipeline/domains"
	"github.com/claimline/claimline/pipeline/people"
	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/schema"
)

// lives is the program and the model, side by side.
type lives struct {
	choices
	*pipeline.Flow
	*life
	folder  string
	files   int
	imports []schema.Import
	fresh   int // addresses made up so far
	start   []account
	seeds   []claimed // of the snapshot's claims.csv, with their accounts' places in start
	seeded  []int
}

var lifeOrganizations = []string{us, "free", "globex", "home"}

// TestWhateverHappensToClaims plays random sequences of everything that can be done once claims are made,
// against the model.
func TestWhateverHappensToClaims(t *testing.T) {
	base := t.TempDir()
	check(t, 15, func(t *rapid.T) {
		l := newLives(t, base)
		for range 4 + l.upTo(26) {
			l.step()
			l.compare()
		}
	})
}

func newLives(t *rapid.T, base string) *lives {
	folder, err := os.MkdirTemp(base, "")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(folder)) })
	l := &lives{choices: choices{t}, folder: folder, life: &life{
		now: now, removed: map[string]bool{}, closedMap: map[string]time.Time{}, personal: "home",
	}}
	l.Flow = newFlow(t, pipeline.Config{
		Store: store.New(newDB(t)), Now: func() time.Time { return l.now }, Policy: schema.DefaultPolicy(), Workers: 1, Lease: time.Minute, Runner: "test",
	})
	l.quantity = map[string]int{"Calling": pick(l.choices, 0, 1, 2, 9), "Chat": schema.Unlimited}
	for i := range 5 + l.upTo(5) {
		l.start = append(l.start, l.draw(i))
	}
	for i := range l.start {
		if a := &l.start[i]; a.organization != us && domainOf(a.email) == "acme.example" && l.chance(20) {
			l.seeded = append(l.seeded, i)
			l.seeds = append(l.seeds, claimed{
				by: us, delayed: l.chance(50), at: now.Add(-time.Duration(1+l.upTo(12))*day - time.Duration(i)*time.Second), before: a.status, status: a.status,
			})
		}
	}
	l.writeSnapshot()
	l.load()
	l.compare()
	return l
}

// draw makes up one account of the snapshot. Its number is in its address, so that the order of both is the
// same.
func (l *lives) draw(i int) account {
	a := account{
		id: fmt.Sprint("u", i), email: fmt.Sprintf("%02d@%s", i, pick(l.choices, "acme.example", "acme.example", "acme.test", "else.example")),
		organization: pick(l.choices, us, "home", "home", "free", "globex"),
		status:       pick(l.choices, schema.Active, schema.NotVerified, schema.Pending, schema.Inactive), conversations: l.upTo(3), title: pick(l.choices, "", "Clerk"),
	}
	if a.status == schema.Inactive && l.chance(50) {
		a.inactiveSince = now.Add(-time.Duration(l.upTo(29))*day - time.Duration(i)*time.Second)
	}
	if l.chance(50) {
		a.email = "A" + a.email
	}
	if a.organization != "globex" && l.chance(40) { // which has no licences
		a.services = []string{"Calling"}
	}
	return a
}

func (l *lives) writeSnapshot() {
	table := func(name, header string, rows ...string) {
		content := header + "\n" + strings.Join(rows, "\n") + "\n"
		require.NoError(l.T, os.WriteFile(filepath.Join(l.folder, name), []byte(content), 0o600))
	}
	table("organizations.csv", strings.TrimSpace(organizationsHeader),
		"acme,Acme,enterprise,2015-01-01,,,TRUE,", "globex,Globex,enterprise,2015-01-01,,,FALSE,", "free,Free,consumer,2015-01-01,,,,", "home,Home,personal,2019-01-01,,,,")
	table("licenses.csv", "organization_id,service,quantity,auto_assign", fmt.Sprintf("acme,Calling,%d,", l.quantity["Calling"]), "acme,Chat,,", "home,Calling,,", "free,Calling,,")
	table("domains.csv", "domain,organization_id,status", "acme.example,acme,verified", "acme.test,acme,verified", "acme.example,globex,verified", "home.example,free,claimed")
	var users, claims []string
	stamp := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.Format(time.RFC3339)
	}
	for i := range l.start {
		a := &l.start[i]
		users = append(users, strings.Join([]string{a.id, a.email, a.organization, string(a.status), stamp(a.inactiveSince), fmt.Sprint(a.conversations), a.title, strings.Join(a.services, ";")}, ","))
	}
	for i, place := range l.seeded {
		kind := schema.Immediate
		if l.seeds[i].delayed {
			kind = schema.Delayed
		}
		claims = append(claims, strings.Join([]string{l.start[place].email, us, string(kind), stamp(l.seeds[i].at)}, ","))
	}
	table("users.csv", "id,email,organization_id,status,inactive_since,conversations,title,services", users...)
	table("claims.csv", "email,organization_id,type,claimed_at", claims...)
}

// load takes the snapshot in, for the first time or again.
func (l *lives) load() {
	_, err := load(l.Context(), l.Flow, l.folder)
	require.NoError(l.T, err)
	l.claimed = map[string]string{"home.example": "free"}
	l.verified = map[string]map[string]bool{"acme.example": {us: true, "globex": true}, "acme.test": {us: true}, "home.example": {"free": true}}
	for i := range l.start {
		from := l.start[i]
		if l.removed[from.id] {
			continue
		}
		at := slices.IndexFunc(l.accounts, func(a *account) bool { return a.id == from.id })
		if at < 0 {
			l.accounts = append(l.accounts, &from)
			continue
		}
		a := l.accounts[at]
		a.conversations = from.conversations
		if a.pinned {
			continue
		}
		a.email, a.organization, a.status, a.inactiveSince, a.title, a.services = from.email, from.organization, from.status, from.inactiveSince, from.title, from.services
		if a.status != schema.Inactive {
			a.former = ""
		}
	}
	for i, place := range l.seeded {
		id := l.start[place].id
		at := slices.IndexFunc(l.accounts, func(a *account) bool { return a.id == id })
		if at < 0 || lowered(l.accounts[at].email) != lowered(l.start[place].email) || l.accounts[at].organization == us {
			continue
		}
		if _, closed := l.closedMap[id+"/"+us]; !closed && l.accounts[at].open == nil {
			made := l.seeds[i]
			l.accounts[at].open = &made
		}
	}
	l.settle()
}

// step does one thing, by the program and by the model, which must agree on what comes of it.
func (l *lives) step() {
	l.now = l.now.Add(time.Duration(1+l.upTo(3)) * time.Second)
	if l.chance(40) {
		l.now = l.now.Add(time.Duration(l.upTo(12*24)) * time.Hour)
	}
	l.settle()
	email := l.address()
	a := l.find(email)
	by := pick(l.choices, us, us, us, "globex", "free")
	switch pick(l.choices, "import", "import", "import", "signin", "decide", "decide", "retract", "retract", "retract import", "remove", "sync", "sync", "sweep", "domain", "load", "remind") {
	case "import":
		l.imported(pick(l.choices, us, us, "globex"))
	case "signin":
		_, err := peopleOf(l.Flow).SignIn(l.Context(), by, email)
		l.agree(l.signIn(a, by), err)
	case "decide":
		choice := pick(l.choices, schema.ChangeEmail, schema.ChangeEmail, schema.TransferContent, schema.DeleteAccount)
		to := l.newAddress(email)
		_, err := peopleOf(l.Flow).Decide(l.Context(), by, email, choice, to)
		l.agree(l.decide(a, by, choice, to), err)
	case "retract":
		refused := l.whyNotRetract(a, by)
		if refused == "" {
			l.lift(a, l.now)
		}
		l.agree(refused, peopleOf(l.Flow).Retract(l.Context(), by, email))
	case "retract import":
		l.retracted()
	case "remove":
		_, err := peopleOf(l.Flow).Remove(l.Context(), by, email)
		l.agree(l.expel(a, by), err)
	case "sync":
		l.synced()
	case "sweep":
		_, err := l.Sweep(l.Context())
		require.NoError(l.T, err)
		swept, err := l.Sweep(l.Context())
		require.NoError(l.T, err)
		require.Zero(l.T, swept)
	case "domain":
		l.domain(pick(l.choices, us, us, "globex"))
	case "load":
		l.load()
	case "remind":
		refused := l.whyNotOpen(a, by)
		if refused == "" && !a.open.delayed {
			refused = schema.CodeNotDelayed
		}
		l.agree(refused, peopleOf(l.Flow).Remind(l.Context(), by, email))
	}
}

// rules returns those of the present.
func (l *lives) rules() claim.Rules { return claim.Rules{Now: l.now, Policy: l.Policy} }

func (l *lives) agree(want schema.Code, err error) {
	if want == "" {
		require.NoError(l.T, err)
		return
	}
	require.Error(l.T, err)
	require.Equal(l.T, want, schema.CodeOf(err), err)
}

// address draws an address, mostly that of an account, and most of those are under a claim.
func (l *lives) address() string {
	var all, open []string
	for _, a := range l.accounts {
		all = append(all, a.email)
		if a.open != nil {
			open = append(open, a.email)
		}
	}
	switch {
	case len(open) > 0 && l.chance(70):
		return pick(l.choices, open...)
	case len(all) > 0 && l.chance(90):
		return pick(l.choices, all...)
	}
	return "nobody@acme.example"
}

func (l *lives) newAddress(old string) string {
	l.fresh++
	made := fmt.Sprintf("Z%d@", l.fresh)
	return pick(l.choices, made+"private.example", made+"private.example", made+"home.example", made+"acme.test", made+"acme.example", made, old, l.address(), "A"+l.address())
}

// file writes a file and opens it.
func (l *lives) file(content string, do func(dialect.Source)) {
	l.files++
	path := filepath.Join(l.folder, fmt.Sprint("users-", l.files)) // no file of a snapshot
	require.NoError(l.T, os.WriteFile(path, []byte(content), 0o600))
	source, err := dialect.OpenFile(path)
	require.NoError(l.T, err)
	do(source)
	require.NoError(l.T, source.Close())
}

// imported claims a few accounts, each wanting all services, or one.
func (l *lives) imported(by string) {
	var b strings.Builder
	b.WriteString("User ID/Email (Required),Title,Claim,Calling,Chat\n")
	seen := map[string]bool{}
	type row struct {
		*account
		title  string
		wanted []string
	}
	var rows []row
	for range 1 + l.upTo(2) {
		email := l.address()
		if seen[lowered(email)] {
			continue
		}
		seen[lowered(email)] = true
		r := row{account: l.find(email), title: pick(l.choices, "", "Boss")}
		cells := []string{"FALSE", "FALSE"}
		for i, service := range []string{"Calling", "Chat"} {
			if l.chance(60) {
				cells[i] = "TRUE"
				r.wanted = append(r.wanted, service)
			}
		}
		fmt.Fprintf(&b, "%s,%s,TRUE,%s\n", email, r.title, strings.Join(cells, ","))
		rows = append(rows, r)
	}
	l.file(b.String(), func(source dialect.Source) {
		imp, err := imports(l.Context(), l.Flow, source, schema.Order{Organization: by}, agree, pipeline.Watch{})
		require.NoError(l.T, err)
		claims := 0
		for _, r := range rows {
			if l.eligible(r.account, by) {
				l.claim(r.account, by, r.title, r.wanted, imp.ID)
				claims++
			}
		}
		require.Equal(l.T, claims, imp.Tally.Outcomes[schema.Claimed])
		l.imports = append(l.imports, imp)
	})
}

// retracted retracts an import; what the dry run says comes to pass.
func (l *lives) retracted() {
	if len(l.imports) == 0 {
		return
	}
	imp := pick(l.choices, l.imports...)
	id, by := imp.ID, imp.OrganizationID
	retract := func(dryRun bool) (done []schema.Retraction, plan store.Retractable) {
		run, err := peopleOf(l.Flow).PlanRetract(l.Context(), by, id)
		require.NoError(l.T, err)
		for {
			page, err := run.Next(l.Context(), dryRun)
			require.NoError(l.T, err)
			if len(page) == 0 {
				return done, run.Plan
			}
			done = append(done, page...)
		}
	}
	dry, before := retract(true)
	l.compare()
	done, again := retract(false)
	require.Equal(l.T, dry, done)
	require.Equal(l.T, before, again)
	cannot := map[schema.Code]int{}
	for _, r := range done {
		if !r.Retracted {
			cannot[r.Reason]++
		}
	}
	require.Equal(l.T, cannot, before.Cannot)
	can := 0
	for _, r := range done {
		a := l.find(r.Email)
		made := (*claimed)(nil)
		if a != nil {
			made = cmp.Or(a.open, a.closed)
		}
		var want schema.Code
		switch {
		case a != nil && (made == nil || made.number != id):
			want = schema.CodeNotClaimed
		case a != nil:
			want = l.whyNotRetract(a, made.by)
		default:
			want = schema.CodeUserNotFound
		}
		if a == nil || want != r.Reason {
			// The account may be gone, or have another address, while somebody else has this one.
			require.Contains(l.T, []schema.Code{schema.CodeUserNotFound, schema.CodeNotClaimed}, r.Reason)
		}
		if r.Retracted {
			require.Empty(l.T, want)
			l.lift(a, l.now)
			can++
		}
	}
	require.Equal(l.T, can, before.Can)
	done, _ = retract(false)
	for _, r := range done {
		require.False(l.T, r.Retracted, "a second run changes nothing")
	}
}

// synced runs acme's directory over a list, after a preview.
func (l *lives) synced() {
	list := []string{"new@acme.example"}
	for _, a := range l.accounts {
		switch {
		case l.chance(70):
			list = append(list, a.email)
		case l.chance(30):
			list = append(list, strings.ToUpper(a.email[:1])+a.email[1:], strings.ToLower(a.email))
		}
	}
	content := "email\n" + strings.Join(list, "\n") + "\n"
	effects := func(plan *people.SyncPlan) map[string]schema.SyncEffect {
		found := map[string]schema.SyncEffect{}
		for _, row := range plan.Rows {
			require.NotContains(l.T, found, row.Email)
			found[row.Email] = row.Effect
		}
		return found
	}
	if l.mismatch(list) {
		l.file(content, func(source dialect.Source) {
			_, err := peopleOf(l.Flow).PreviewSync(l.Context(), us, source, "email")
			l.agree(schema.CodeDirectoryMismatch, err)
		})
		return
	}
	l.file(content, func(source dialect.Source) {
		plan, err := peopleOf(l.Flow).PreviewSync(l.Context(), us, source, "email")
		require.NoError(l.T, err)
		require.Equal(l.T, l.synchronize(list, true), effects(plan))
	})
	l.compare()
	if l.chance(30) {
		return
	}
	on := func(on bool) {
		_, err := l.Store.SetOrganization(l.Context(), l.rules(), us, func(o *schema.Organization) error {
			o.DirectorySync = on
			return nil
		})
		require.NoError(l.T, err)
	}
	on(true)
	l.file(content, func(source dialect.Source) {
		plan, err := peopleOf(l.Flow).PlanSync(l.Context(), us, source, "email", true)
		require.NoError(l.T, err)
		for more := true; more; {
			more, err = peopleOf(l.Flow).SyncStep(l.Context(), plan)
			require.NoError(l.T, err)
		}
		require.Equal(l.T, l.synchronize(list, false), effects(plan))
	})
	on(false)
}

// domain claims or releases a domain.
func (l *lives) domain(by string) {
	domain := pick(l.choices, "acme.example", "acme.test")
	if l.chance(50) {
		_, err := domains.Claim(l.Context(), l.Store, by, domain)
		switch holder := l.claimed[domain]; {
		case !l.verified[domain][by]:
			l.agree(schema.CodeDomainNotVerified, err)
		case holder != "" && holder != by:
			l.agree(schema.CodeDomainClaimedElsewhere, err)
		default:
			require.NoError(l.T, err)
			l.claimed[domain] = by
		}
		return
	}
	_, err := domains.Release(l.Context(), l.Store, by, domain)
	if l.claimed[domain] != by {
		l.agree(schema.CodeDomainNotClaimed, err)
		return
	}
	require.NoError(l.T, err)
	delete(l.claimed, domain)
}

// compare looks at everything there is: what every organization lists, what is held of licences, and every
// account as a whole.
func (l *lives) compare() {
	l.settle() // what was just uncovered may be due
	for _, o := range lifeOrganizations {
		got := []schema.Listing{}
		require.NoError(l.T, peopleOf(l.Flow).EachMember(l.Context(), o, people.MemberFilter{}, func(s schema.Listing) error {
			s.RetentionDays = 0
			got = append(got, s)
			return nil
		}))
		want := []schema.Listing{}
		for _, a := range l.accounts {
			if s, ok := l.listing(a, o); ok {
				want = append(want, s)
			}
		}
		slices.SortFunc(want, func(a, b schema.Listing) int { return strings.Compare(lowered(a.Email), lowered(b.Email)) })
		require.Equal(l.T, want, got, o)
	}
	licenses, err := l.Store.Licenses(l.Context(), l.rules(), us)
	require.NoError(l.T, err)
	require.Len(l.T, licenses, len(l.quantity))
	for _, license := range licenses {
		require.Equal(l.T, l.held(license.Service), license.Held, license.Service)
	}
	keys := make([]string, len(l.accounts))
	for i, a := range l.accounts {
		keys[i] = lowered(a.email)
	}
	facts, err := l.Store.Facts(l.Context(), us, keys)
	require.NoError(l.T, err)
	for i, found := range facts.Accounts {
		a, got := l.accounts[i], l.rules().AsOf(found).User
		require.Equal(l.T, a.organization, got.OrganizationID)
		require.Equal(l.T, a.title, got.Title)
		require.Equal(l.T, a.conversations, got.Conversations)
		require.Equal(l.T, a.status, got.Status)
		require.True(l.T, a.inactiveSince.Equal(got.InactiveSince), "%s: %s %s", a.email, a.inactiveSince, got.InactiveSince)
	}
}
