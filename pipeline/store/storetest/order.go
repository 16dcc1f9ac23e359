package storetest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/schema"
)

// standing is what licences and members look like.
type standing struct {
	held     map[string]map[string]int      // by organization and service
	services map[string]map[string][]string // by organization and address key
}

// standing returns how the organizations stand now, written or not.
func (s *suite) standing(organizations ...string) standing {
	s.Helper()
	all := standing{held: map[string]map[string]int{}, services: map[string]map[string][]string{}}
	for _, organization := range organizations {
		all.held[organization] = s.held(organization)
		all.services[organization] = map[string][]string{}
		for key, v := range s.members(organization) {
			services := v.Account.User.Services
			if made := v.Account.Claim; made != nil && made.OrganizationID == organization {
				services = made.Services
			}
			all.services[organization][key] = append([]string{}, services...)
		}
	}
	return all
}

// touched lets an organization change nothing about an account, which writes what is due and concerns the
// two.
func (s *suite) touched(organization, key string) {
	s.Helper()
	require.NoError(s, s.Change(s.ctx(), s.rules(), organization, []string{key}, one(claim.Effect{})))
	s.checkHeld()
}

// unwritten counts the accounts of which something is due that is not written.
func (s *suite) unwritten(keys ...string) (n int) {
	s.Helper()
	for _, a := range s.accounts("acme", keys...) {
		if len(s.rules().Due(a)) > 0 {
			n++
		}
	}
	return n
}

// What is due is done in the order of time, whoever writes it.
var orderTests = map[string]func(*suite){
	"order/whoever comes first": func(s *suite) {
		for i, write := range []func(){
			func() { s.swept() },
			func() { s.touched("umbrella", "x@umbrella.example") },
			func() { s.touched("acme", bo) },
			func() { s.touched("umbrella", cy) },
		} {
			s.now = start.Add(time.Duration(100*i) * day)
			member, mover := fmt.Sprintf("member%d@acme.example", i), fmt.Sprintf("mover%d@acme.example", i)
			in := world(user(10*i+1, member, "acme", "Calling"), user(10*i+2, mover, "home"), user(3, bo, "acme"), user(4, cy, "umbrella"))
			in.licenses[0].Quantity = 1
			s.load(in)
			require.Equal(s, schema.Delayed, s.claimed("acme", mover, "Calling").Type)
			in.users[1].OrganizationID, in.users[1].Services = "umbrella", []string{"Calling"} // so that its source has a stake in it
			s.load(in)
			s.now = s.now.Add(-17 * day)
			s.synced("acme", schema.SyncDeactivate, member) // removed on day 13
			s.now = s.now.Add(17*day + 15*day)

			before := s.standing("acme", "umbrella", "home")
			require.Equal(s, []string{"Calling"}, before.services["acme"][mover])
			write()
			require.Equal(s, before, s.standing("acme", "umbrella", "home"), "%d", i)
			s.swept()
			require.Equal(s, before, s.standing("acme", "umbrella", "home"), "%d", i)
			s.removed("acme", mover)
		}
	},

	"order/many at a time": func(s *suite) {
		in := world(user(1, ann, "home"), user(2, bo, "home"))
		in.licenses[0].Quantity = 1
		in.users[0].Status = schema.Inactive
		crowd := []string{}
		for i := range 600 {
			key := fmt.Sprintf("u%d@acme.example", i)
			in.users = append(in.users, user(i+10, key, "home"))
			crowd = append(crowd, key)
		}
		s.load(in)
		s.claimed("acme", ann, "Calling") // completes on day 14, and is removed on day 44, for it was inactive
		s.now = start.Add(6 * day)
		s.apply(s.importing("acme", crowd), 1, crowd)
		s.now = start.Add(31 * day)
		s.claimed("acme", bo, "Calling") // completes on day 45
		s.now = start.Add(60 * day)
		before := s.standing("acme", "home")
		require.Equal(s, []string{"Calling"}, before.services["acme"][bo])
		require.Equal(s, schema.Swept{Transferred: 1, Removed: 1}, s.swept(), "most were written when somebody was claimed")
		require.Equal(s, before, s.standing("acme", "home"))
	},

	"order/a sweep of many": func(s *suite) {
		in := world()
		in.licenses[0].Quantity = 1
		in.users = []store.LoadUser{user(1, ann, "home"), user(2, bo, "home")}
		in.users[0].Status = schema.Inactive
		for i := range 600 {
			in.users = append(in.users, user(i+10, fmt.Sprintf("u%d@acme.example", i), "home"))
			in.claims = append(in.claims, restored(i+2, in.users[i+2].Key, "acme", schema.Delayed, s.now.Add(6*day)))
		}
		s.load(in)
		owner := s.importing("acme", []string{ann}, []string{bo})
		s.apply(owner, 1, []string{ann}, "Calling") // removed on day 44
		s.now = start.Add(13 * day)
		require.NoError(s, s.RenewImport(s.ctx(), owner, lease))
		s.apply(owner, 2, []string{bo}, "Calling") // completes on day 27: none is left
		s.now = start.Add(60 * day)
		before := s.standing("acme", "home")
		require.Empty(s, before.services["acme"][bo])
		require.Equal(s, schema.Swept{Transferred: 602, Removed: 1}, s.swept())
		require.Equal(s, before, s.standing("acme", "home"))
	},

	"order/as they were claimed": func(s *suite) {
		var users []store.LoadUser
		for i := range 6 {
			users = append(users, user(i, fmt.Sprintf("u%d@acme.example", i), "home"))
		}
		s.load(world(users...))
		keys := keysOf(users)
		slices.Reverse(keys) // the line, not the number of the account
		s.apply(s.importing("acme", keys), 1, keys, "Calling")
		s.now = s.now.Add(14 * day)
		for range 2 {
			for i, key := range keys {
				v := s.members("acme")[key]
				require.Equal(s, i < 2, len(v.Account.User.Services) == 1, key)
			}
			s.swept()
		}
	},

	"order/only what concerns the organization and the account": func(s *suite) {
		in := world(user(1, ann, "acme"))
		var others []string
		for i := range 20 {
			u := user(i+10, fmt.Sprintf("u%d@acme.example", i), "free", "Mail")
			in.users = append(in.users, u)
			in.claims = append(in.claims, restored(i+2, u.Key, "umbrella", schema.Delayed, s.now.Add(-20*day)))
			others = append(others, u.Key)
		}
		s.now = s.now.Add(-15 * day)
		s.load(in)
		s.now = start
		require.Equal(s, 20, s.unwritten(others...))
		s.touched("acme", ann)
		require.Equal(s, 20, s.unwritten(others...))
		s.touched("acme", others[0])
		require.Less(s, s.unwritten(others...), 20)
	},

	"order/reactivated, then deactivated": func(s *suite) {
		in := world(user(1, ann, "free"))
		in.users[0].Status, in.users[0].InactiveSince = schema.Inactive, s.now.Add(-5*day)
		s.load(in)
		s.claimed("acme", ann, "Calling")
		s.synced("acme", schema.SyncReactivate, ann)
		s.now = s.now.Add(day)
		s.synced("acme", schema.SyncDeactivate, ann)
		s.now = s.now.Add(30 * day)
		require.Empty(s, s.members("acme"))
		require.Zero(s, s.held("acme")["Calling"])
		swept := s.swept()
		require.Equal(s, 1, min(1, swept.Removed))
		require.Zero(s, s.swept())
		require.Zero(s, s.held("acme")["Calling"])
	},

	"order/uncovered, and gone": func(s *suite) {
		in := world(user(1, "a@acme.example", "umbrella", "Calling"), user(2, "b@acme.example", "home"))
		in.users[0].Status, in.users[0].InactiveSince = schema.Inactive, s.now.Add(-10*day)
		in.claims = []store.LoadClaim{restored(2, "a@acme.example", "acme", schema.Immediate, s.now.Add(-20*day))}
		s.load(in)
		s.synced("acme", schema.SyncReactivate, "a@acme.example")
		s.synced("acme", schema.SyncDeactivate, "a@acme.example")
		s.now = s.now.Add(40 * day)
		before := s.standing("acme", "umbrella")
		require.Zero(s, before.held["umbrella"]["Calling"])
		s.touched("umbrella", "x@umbrella.example")
		require.Equal(s, before, s.standing("acme", "umbrella"))
		require.Zero(s, s.unwritten("a@acme.example"))
	},

	"order/anything at all": func(s *suite) {
		random := rand.New(rand.NewPCG(11, 17))
		organizations := []string{"acme", "umbrella", "free", "home"}
		services := [][]string{nil, nil, {"Calling"}, {"Calling", "Meetings"}, {"Mail"}}
		var all []string
		for round := range 8 {
			in := world()
			in.licenses[0].Quantity, in.licenses[2].Quantity = random.IntN(4), random.IntN(3)
			var keys []string
			for i := range 24 {
				u := user(1000*round+i, fmt.Sprintf("r%d.u%d@acme.example", round, i), organizations[random.IntN(4)], services[random.IntN(len(services))]...)
				if random.IntN(3) == 0 {
					u.Status = schema.Inactive
					u.InactiveSince = s.now.Add(-time.Duration(random.IntN(29)) * day)
				}
				in.users = append(in.users, u)
				keys = append(keys, u.Key)
				if by := organizations[random.IntN(2)]; random.IntN(3) == 0 && by != u.OrganizationID {
					kind := []schema.ClaimType{schema.Delayed, schema.Immediate}[random.IntN(2)]
					in.claims = append(in.claims, restored(i+2, u.Key, by, kind, s.now.Add(-time.Duration(random.IntN(13))*day)))
				}
			}
			all = append(all, keys...)
			s.load(in)
			for range 6 {
				s.now = s.now.Add(time.Duration(random.IntN(5*24)) * time.Hour)
				by := organizations[random.IntN(2)]
				some := []string{}
				for _, i := range random.Perm(len(keys))[:5] {
					some = append(some, keys[i])
				}
				if members := s.membersAmong(by, some); random.IntN(3) == 0 && len(members) > 0 {
					s.synced(by, schema.SyncDeactivate, members...)
					continue
				}
				c := s.apply(s.importing(by, some), 1, some, services[random.IntN(4)]...)
				require.NotNil(s, c.outcomes)
			}
			s.now = s.now.Add(time.Duration(random.IntN(50*24)) * time.Hour)

			s.compareDue(organizations, all)
			before := s.standing(organizations...)
			s.touched(organizations[random.IntN(4)], keys[random.IntN(len(keys))])
			require.Equal(s, before, s.standing(organizations...), "round %d", round)
			s.compareDue(organizations, all)
			s.swept()
			require.Equal(s, before, s.standing(organizations...), "round %d", round)
			require.Zero(s, s.unwritten(all...))
		}
	},
}

// membersAmong returns those of the accounts that a directory run of the organization compares.
func (s *suite) membersAmong(organization string, keys []string) (found []string) {
	s.Helper()
	for _, key := range keys {
		if k := s.one(organization, key); k.Member() && (k.Account.Claim == nil || k.Account.Claim.OrganizationID == organization) {
			found = append(found, key)
		}
	}
	return found
}

// compareDue compares what the statement of the database finds with what the rules say, of every account.
func (s *suite) compareDue(organizations, keys []string) {
	s.Helper()
	rules := s.rules()
	want, wantIn, got := map[int64]bool{}, map[string]bool{}, map[int64]bool{}
	for _, a := range s.accounts("acme", keys...) {
		if due := rules.NextDue(a); !due.IsZero() && !due.After(rules.Now) {
			want[a.ID] = true
			if a.Claim != nil {
				wantIn[a.Claim.OrganizationID] = true
			} else {
				wantIn[a.User.OrganizationID] = true
			}
		}
	}
	decided, inactive := rules.Now.Add(-rules.Policy.DecisionTime()), rules.Now.Add(-rules.Policy.InactiveTime())
	gotIn := map[string]bool{}
	require.NoError(s, s.db.Read(s.ctx(), func(tx store.Tx) error {
		for _, organization := range organizations {
			found, err := tx.Due(s.ctx(), organization, decided, inactive, 0)
			require.NoError(s, err)
			for i, d := range found {
				got[d.Account] = true
				few, err := tx.Due(s.ctx(), organization, decided, inactive, 1)
				require.NoError(s, err)
				require.NotEmpty(s, few, "%d", i)
			}
		}
		found, err := tx.DueOrganizations(s.ctx(), decided, inactive)
		for _, organization := range found {
			gotIn[organization] = true
		}
		return err
	}))
	require.Equal(s, want, got)
	require.Equal(s, wantIn, gotIn)
}
