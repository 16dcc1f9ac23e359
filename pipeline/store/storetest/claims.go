package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/schema"
)

// one returns an effect on the first of the keys.
func one(effect claim.Effect) func([]claim.View) ([]claim.Effect, error) {
	return func([]claim.View) ([]claim.Effect, error) { return []claim.Effect{effect}, nil }
}

// choose makes an owner's choice.
func (s *suite) choose(key string, choice schema.Choice, to ...string) {
	s.Helper()
	keys := append([]string{key}, to...)
	require.NoError(s, s.Change(s.ctx(), s.rules(), "", keys, func(cases []claim.View) ([]claim.Effect, error) {
		address := claim.NewAddress{}
		if len(to) > 0 {
			address = claim.NewAddress{Email: to[0], Key: to[0], Taken: cases[1].Account.ID != 0, Domain: cases[1].Domain}
		}
		effect, refused := s.rules().Choose(&cases[0], choice, address)
		require.Empty(s, refused)
		return []claim.Effect{effect}, nil
	}))
	s.checkHeld()
}

// retracted takes an organization's claim back.
func (s *suite) retracted(organization, key string) {
	s.Helper()
	k := s.one(organization, key)
	require.Empty(s, s.rules().Retract(&k))
	require.NoError(s, s.Change(s.ctx(), s.rules(), organization, []string{key}, one(s.rules().Retracted(&k))))
	s.checkHeld()
}

// synced lets a directory run have this effect on members.
func (s *suite) synced(organization string, effect schema.SyncEffect, keys ...string) {
	s.Helper()
	require.NoError(s, s.Change(s.ctx(), s.rules(), organization, keys, func(cases []claim.View) ([]claim.Effect, error) {
		effects := make([]claim.Effect, len(cases))
		for i := range cases {
			effects[i] = s.rules().Synced(&cases[i], effect)
		}
		return effects, nil
	}))
	s.checkHeld()
}

// swept writes all that is due.
func (s *suite) swept() schema.Swept {
	s.Helper()
	swept, err := s.Sweep(s.ctx(), s.rules())
	require.NoError(s, err)
	s.checkHeld()
	return swept
}

// removed removes a member, or its claim.
func (s *suite) removed(organization, key string) {
	s.Helper()
	k := s.one(organization, key)
	effect, refused := s.rules().Remove(&k)
	require.Empty(s, refused)
	require.NoError(s, s.Change(s.ctx(), s.rules(), organization, []string{key}, one(effect)))
}

// members returns the members of an organization, by address key.
func (s *suite) members(organization string) map[string]claim.View {
	s.Helper()
	members := map[string]claim.View{}
	before := ""
	require.NoError(s, s.Members(s.ctx(), s.rules(), organization, store.MemberFilter{}, func(cases []claim.View) error {
		for _, k := range cases {
			require.Less(s, before, k.Key, "by address key")
			before = k.Key
			members[k.Key] = k
		}
		return nil
	}))
	return members
}

// one returns the case of one account, as Change finds it.
func (s *suite) one(organization, key string) (k claim.View) {
	s.Helper()
	require.NoError(s, s.Change(s.ctx(), s.rules(), organization, []string{key}, func(cases []claim.View) ([]claim.Effect, error) {
		require.Len(s, cases, 1)
		k = cases[0]
		return nil, nil
	}))
	return k
}

// made lists the claims of an import, by pages of a size, and what retracting it would do.
func (s *suite) made(organization string, importID int64, limit int) (list []store.ImportClaim, n store.Retractable) {
	s.Helper()
	claims, n, err := s.ImportClaims(s.ctx(), s.rules(), organization, importID)
	require.NoError(s, err)
	for {
		page, err := claims.Next(s.ctx(), s.rules(), limit)
		require.NoError(s, err)
		require.LessOrEqual(s, len(page), limit)
		if len(page) == 0 {
			return list, n
		}
		list = append(list, page...)
	}
}

const ann, bo, cy = "ann@acme.example", "bo@acme.example", "cy@acme.example"

var claimsTests = map[string]func(*suite){
	"claims/a case is the account with all that belongs to it": func(s *suite) {
		s.load(world(user(1, "Ann@acme.example", "free", "Mail"), user(2, "bo@claimed.example", "acme")))
		made := s.claimed("acme", ann, "Calling")
		k := s.one("acme", ann)
		require.Equal(s, ann, k.Key)
		require.Equal(s, "acme", k.Organization.ID)
		require.Equal(s, made, k.Account.Claim)
		require.Equal(s, "acme", k.Account.Claiming.ID)
		require.Equal(s, "free", k.Account.Organization.ID)
		require.Equal(s, claim.Domain{Ours: true, Elsewhere: true}, k.Domain)
		require.Nil(s, k.Closed)
		require.Equal(s, claim.Domain{Ours: true, ClaimedBy: "acme"}, s.one("acme", "bo@claimed.example").Domain)
		require.Equal(s, claim.Domain{ClaimedBy: "acme", Elsewhere: true}, s.one("umbrella", "bo@claimed.example").Domain)

		nobody := s.one("acme", "nobody@claimed.example")
		require.Zero(s, nobody.Account)
		require.Equal(s, claim.Domain{Ours: true, ClaimedBy: "acme"}, nobody.Domain)

		// Nobody named: who has the claim, or the account.
		require.Equal(s, "acme", s.one("", ann).Organization.ID)
		require.Equal(s, "acme", s.one("", "bo@claimed.example").Organization.ID)
		require.Zero(s, s.one("", "nobody@acme.example").Account)
		s.refused(s.Change(s.ctx(), s.rules(), "nobody", []string{ann}, one(claim.Effect{})), schema.CodeOrganizationUnknown)
	},

	"claims/what is refused changes nothing": func(s *suite) {
		s.load(world(user(1, ann, "free", "Mail")))
		s.claimed("acme", ann, "Calling")
		before, held := s.accounts("acme", ann), s.held("acme")
		stop := errors.New("stop")
		err := s.Change(s.ctx(), s.rules(), "acme", []string{ann}, func(cases []claim.View) ([]claim.Effect, error) {
			return []claim.Effect{s.rules().Retracted(&cases[0])}, stop
		})
		require.ErrorIs(s, err, stop)
		require.Equal(s, before, s.accounts("acme", ann))
		require.Equal(s, held, s.held("acme"))
	},

	"claims/a retracted user is what it was": func(s *suite) {
		in := world(user(1, ann, "free", "Mail"))
		in.users[0].Title, in.users[0].Status = "Clerk", schema.NotVerified
		s.load(in)
		before, held := s.accounts("acme", ann), s.held("acme")
		for range 2 { // it can be claimed again
			s.now = s.now.Add(time.Hour)
			owner := s.importing("acme", []string{ann})
			c := &claimer{rules: s.rules(), keys: []string{ann}, services: []string{"Calling", "Meetings"}, edits: schema.Profile{Title: "Boss"}}
			require.NoError(s, s.ApplyChunk(s.ctx(), owner, s.rules(), 1, store.Known{}, asked(ann), c.decide))
			require.Equal(s, 1, s.held("acme")["Calling"])
			k := s.one("acme", ann)
			require.NoError(s, s.Change(s.ctx(), s.rules(), "acme", []string{ann}, one(s.rules().Retracted(&k))))
			require.Equal(s, before, s.accounts("acme", ann))
			require.Equal(s, held, s.held("acme"))
			require.Nil(s, s.one("acme", ann).Closed)
			require.Empty(s, s.members("acme"))
		}
	},

	"claims/a retracted claim of a snapshot is not restored": func(s *suite) {
		in := world(user(1, ann, "free"))
		in.claims = []store.LoadClaim{restored(2, ann, "acme", schema.Immediate, s.now)}
		s.load(in)
		k := s.one("acme", ann)
		require.NotNil(s, k.Account.Claim)
		require.NoError(s, s.Change(s.ctx(), s.rules(), "acme", []string{ann}, one(s.rules().Retracted(&k))))
		s.load(in)
		require.Nil(s, s.one("acme", ann).Account.Claim)
	},

	"claims/another address": func(s *suite) {
		in := world(user(1, "Ann@acme.example", "free", "Mail"))
		in.users[0].Status, in.users[0].FirstName, in.users[0].Conversations = schema.Pending, "Ann", 4
		s.load(in)
		made := s.claimed("acme", ann, "Calling")
		s.now = s.now.Add(time.Hour)
		s.choose(ann, schema.ChangeEmail, "ann@home.example")
		check := func() {
			old, joined := s.one("acme", "ann@home.example"), s.one("acme", ann)
			require.Equal(s, "free", old.Account.User.OrganizationID)
			require.Equal(s, schema.Pending, old.Account.User.Status)
			require.Equal(s, 4, old.Account.User.Conversations)
			require.Equal(s, []string{"Mail"}, old.Account.User.Services)
			require.Nil(s, old.Closed)
			require.NotEqual(s, old.Account.ID, joined.Account.ID)
			u := joined.Account.User
			require.Equal(s, "acme", u.OrganizationID)
			require.Equal(s, "Ann@acme.example", u.Email)
			require.Equal(s, "Ann", u.FirstName)
			require.Equal(s, schema.Active, u.Status)
			require.Zero(s, u.Conversations)
			require.Equal(s, []string{"Calling"}, u.Services)
			require.Equal(s, schema.Closing(schema.ChangeEmail), joined.Closed.ClosedBy)
			require.Equal(s, s.now, joined.Closed.ClosedAt)
			require.Equal(s, made.ClaimedAt, joined.Closed.ClaimedAt)
			require.Equal(s, made.ImportID, joined.Closed.ImportID)
			require.Equal(s, 1, s.held("acme")["Calling"])
		}
		check()
		s.load(in)
		check()
	},

	"claims/deleted": func(s *suite) {
		in := world(user(1, ann, "umbrella", "Calling"))
		s.load(in)
		s.claimed("acme", ann)
		require.Equal(s, 1, s.held("umbrella")["Calling"])
		id := s.one("acme", ann).Account.ID
		s.choose(ann, schema.DeleteAccount)
		check := func() {
			k := s.one("acme", ann)
			require.NotEqual(s, id, k.Account.ID)
			require.Equal(s, "acme", k.Account.User.OrganizationID)
			require.Equal(s, 0, s.held("umbrella")["Calling"])
		}
		check()
		s.load(in)
		check()
	},

	"claims/moved": func(s *suite) {
		in := world(user(1, ann, "home", "Mail"), user(2, bo, "home"), user(3, cy, "home"))
		s.load(in)
		for _, key := range []string{ann, bo, cy} {
			s.claimed("acme", key, "Calling", "Meetings")
		}
		require.Zero(s, s.held("acme")["Calling"], "delayed claims hold nothing")
		id := s.one("acme", ann).Account.ID
		s.now = s.now.Add(time.Hour)
		s.choose(ann, schema.TransferContent)
		s.choose(bo, schema.DeleteAccount)
		s.choose(cy, schema.ChangeEmail, "cy@home.example")
		check := func() {
			for key, services := range map[string][]string{ann: {"Calling", "Meetings"}, bo: {"Calling", "Meetings"}, cy: {"Meetings"}} {
				k := s.one("acme", key)
				require.Equal(s, "acme", k.Account.User.OrganizationID)
				require.Equal(s, services, k.Account.User.Services, "as far as they last")
			}
			require.Equal(s, id, s.one("acme", ann).Account.ID)
			require.Equal(s, map[string]int{"Calling": 2, "Meetings": 3}, s.held("acme"))
		}
		check()
		s.load(in)
		check()
	},

	"claims/nobody's address is given to two": func(s *suite) {
		s.load(world(user(1, ann, "free"), user(2, bo, "free")))
		s.claimed("acme", ann)
		before := s.accounts("acme", ann, bo)
		k := s.one("acme", ann)
		effect, refused := s.rules().Choose(&k, schema.ChangeEmail, claim.NewAddress{Email: bo, Key: bo})
		require.Empty(s, refused)
		require.Error(s, s.Change(s.ctx(), s.rules(), "acme", []string{ann}, one(effect)))
		require.Equal(s, before, s.accounts("acme", ann, bo))
	},

	"claims/a sign-in is noted": func(s *suite) {
		s.load(world(user(1, ann, "free")))
		s.claimed("acme", ann)
		s.now = s.now.Add(time.Hour)
		k := s.one("acme", ann)
		effect, _ := s.rules().SignIn(&k)
		require.NoError(s, s.Change(s.ctx(), s.rules(), "", []string{ann}, one(effect)))
		require.Equal(s, s.now, s.one("acme", ann).Account.Claim.SignedInAt)
	},

	"claims/a directory run": func(s *suite) {
		in := world(user(1, ann, "acme", "Calling"), user(2, bo, "free"))
		in.users[0].Status = schema.Pending
		s.load(in)
		s.claimed("acme", bo)
		keys := []string{bo, ann}
		run := func(effect schema.SyncEffect) {
			require.NoError(s, s.Change(s.ctx(), s.rules(), "acme", keys, func(cases []claim.View) ([]claim.Effect, error) {
				effects := make([]claim.Effect, len(cases))
				for i := range cases {
					require.Equal(s, keys[i], cases[i].Key)
					effects[i] = s.rules().Synced(&cases[i], effect)
				}
				return effects, nil
			}))
		}
		run(schema.SyncDeactivate)
		member, claimed := s.one("acme", ann), s.one("acme", bo)
		require.Equal(s, schema.Inactive, member.Account.User.Status)
		require.Equal(s, s.now, member.Account.User.InactiveSince)
		require.Equal(s, schema.Pending, member.Former)
		require.Equal(s, schema.Inactive, claimed.Account.Claim.Status)
		require.Equal(s, s.now, claimed.Account.Claim.InactiveSince)
		require.Equal(s, schema.Active, claimed.Account.User.Status)
		run(schema.SyncReactivate)
		member, claimed = s.one("acme", ann), s.one("acme", bo)
		require.Equal(s, schema.Pending, member.Account.User.Status)
		require.Zero(s, member.Account.User.InactiveSince)
		require.Empty(s, member.Former)
		require.Equal(s, schema.Active, claimed.Account.Claim.Status)

		// A snapshot says anew what the status is, and then nothing is left of the old one.
		run(schema.SyncDeactivate)
		s.load(in)
		require.Empty(s, s.one("acme", ann).Former)

		// Thirty days later they are gone: the member for good, the claimed account from here.
		run(schema.SyncDeactivate)
		s.now = s.now.Add(30 * day)
		require.Empty(s, s.members("acme"))
		swept, err := s.Sweep(s.ctx(), s.rules())
		require.NoError(s, err)
		require.Equal(s, schema.Swept{Removed: 2}, swept)
		require.Zero(s, s.held("acme")["Calling"])
		require.Zero(s, s.one("acme", ann).Account)
		require.Equal(s, "free", s.one("acme", bo).Account.User.OrganizationID)
		require.Nil(s, s.one("acme", bo).Account.Claim)
		s.load(in)
		require.Zero(s, s.one("acme", ann).Account)
	},

	"claims/a removed member does not come back": func(s *suite) {
		in := world(user(1, ann, "acme", "Calling"))
		s.load(in)
		s.removed("acme", ann)
		require.Zero(s, s.held("acme")["Calling"])
		s.load(in)
		require.Zero(s, s.one("acme", ann).Account)
	},

	"claims/members": func(s *suite) {
		in := world(user(1, "Zoe@acme.example", "acme"), user(2, ann, "free"), user(3, bo, "home"), user(4, cy, "free"), user(5, "di@acme.example", "free"))
		in.claims = []store.LoadClaim{restored(2, "di@acme.example", "umbrella", schema.Immediate, s.now)}
		s.load(in)
		s.claimed("acme", ann, "Calling")
		s.claimed("acme", bo, "Calling")
		keys := func(organization string) []string {
			var found []string
			for key := range s.members(organization) {
				found = append(found, key)
			}
			slices.Sort(found)
			return found
		}
		require.Equal(s, []string{ann, bo, "zoe@acme.example"}, keys("acme"))
		require.Equal(s, []string{ann, cy, "di@acme.example"}, keys("free"))
		require.Equal(s, []string{"di@acme.example"}, keys("umbrella"))
		require.Equal(s, []string{bo}, keys("home"))

		// What is due is done, and the licences with it.
		s.now = s.now.Add(14 * day)
		require.Empty(s, keys("home"))
		moved := s.members("acme")[bo]
		require.Equal(s, "acme", moved.Account.User.OrganizationID)
		require.Equal(s, []string{"Calling"}, moved.Account.User.Services)
		require.Equal(s, schema.ClosedCompleted, moved.Closed.ClosedBy)
		swept, err := s.Sweep(s.ctx(), s.rules())
		require.NoError(s, err)
		require.Equal(s, schema.Swept{Transferred: 1}, swept)
		after := s.members("acme")[bo]
		require.Equal(s, moved.Account.User, after.Account.User)
		require.Equal(s, moved.Closed.ClosedAt, after.Closed.ClosedAt)
		require.Equal(s, moved.Closed.ImportID, after.Closed.ImportID)

		stop := errors.New("stop")
		require.ErrorIs(s, s.Members(s.ctx(), s.rules(), "acme", store.MemberFilter{}, func([]claim.View) error { return stop }), stop)
		s.refused(s.Members(s.ctx(), s.rules(), "nobody", store.MemberFilter{}, func([]claim.View) error { return nil }), schema.CodeOrganizationUnknown)
	},

	"claims/many members": func(s *suite) {
		in := world()
		for i := range 4500 {
			in.users = append(in.users, user(i, fmt.Sprintf("u%d@acme.example", i), "acme"))
		}
		s.load(in)
		require.Len(s, s.members("acme"), 4500)
	},

	"claims/the claims of an import": func(s *suite) {
		s.load(world(user(1, ann, "free"), user(2, bo, "free"), user(3, cy, "home")))
		keys := []string{cy, ann, bo}
		owner := s.importing("acme", keys)
		s.apply(owner, 1, keys)
		listed := func() (list []store.ImportClaim) {
			list, n := s.made("acme", owner.ImportID, 2)
			counted := store.Retractable{Cannot: map[schema.Code]int{}}
			for i := range list {
				if reason := s.rules().RetractMade(&list[i].Case, owner.ImportID); reason == "" {
					counted.Can++
				} else {
					counted.Cannot[reason]++
				}
			}
			require.Equal(s, counted, n)
			return list
		}
		require.Len(s, listed(), 3)
		k := s.one("acme", ann)
		require.NoError(s, s.Change(s.ctx(), s.rules(), "acme", []string{ann}, one(s.rules().Retracted(&k))))
		s.choose(bo, schema.ChangeEmail, "bo@home.example")
		list := listed()
		require.Len(s, list, 3)
		for i, c := range list {
			require.Equal(s, i+2, c.Line)
			require.Equal(s, keys[i], c.Case.Key, "whoever joined has the address")
			require.Equal(s, "acme", c.Case.Organization.ID)
		}
		require.NotNil(s, list[0].Case.Account.Claim)
		require.Nil(s, list[1].Case.Account.Claim)
		require.Equal(s, owner.ImportID, list[2].Case.Closed.ImportID)

		s.removed("free", ann)
		s.now = s.now.Add(15 * day)
		list = listed()
		require.Equal(s, schema.ClosedCompleted, list[0].Case.Closed.ClosedBy)
		require.Zero(s, list[1].Case.Account)
		_, _, err := s.ImportClaims(s.ctx(), s.rules(), "acme", 99)
		s.refused(err, schema.CodeImportNotFound)
		_, _, err = s.ImportClaims(s.ctx(), s.rules(), "umbrella", owner.ImportID)
		s.refused(err, schema.CodeImportNotFound)
	},

	"claims/the claims of an import, by pages in the order of the file": func(s *suite) {
		var in []store.LoadUser
		for i := range 60 {
			in = append(in, user(i+1, numbered(i), []string{"free", "home"}[i%2]))
		}
		in = append(in, user(100, "zoe@claimed.example", "free"))
		s.load(world(append(in, user(101, "other@acme.example", "free"))...))
		keys := keysOf(in)
		chunks := [][]string{keys[:25], keys[25:30], keys[30:]}
		owner := s.importing("acme", chunks...)
		lines := 0
		for i, chunk := range chunks { // services that differ: the ids of one chunk are not in the order of its lines
			c := &claimer{rules: s.rules(), keys: chunk}
			require.NoError(s, s.ApplyChunk(s.ctx(), owner, s.rules(), i+1, store.Known{}, asked(chunk...), func(facts claim.Facts) (store.Applied, error) {
				applied, err := c.decide(facts)
				for n := range applied.Claims {
					applied.Claims[n].Line += lines
				}
				return applied, err
			}))
			lines += len(chunk)
			if i == 0 {
				s.claimed("umbrella", "other@acme.example") // ids do not follow on each other
			}
		}
		for _, limit := range []int{1, 7, 100} {
			list, n := s.made("acme", owner.ImportID, limit)
			require.Len(s, list, len(in))
			for i, c := range list {
				require.Equal(s, i+2, c.Line, "with pages of %d", limit)
				require.Equal(s, keys[i], c.Case.Key)
			}
			require.Equal(s, store.Retractable{Can: 60, Cannot: map[schema.Code]int{schema.CodeDomainClaimed: 1}, Domains: []string{"claimed.example"}}, n)
		}
	},

	"claims/the claims of an import are counted as they are listed": func(s *suite) {
		fay := user(6, "fay@acme.example", "home")
		fay.Status = schema.Inactive
		s.load(world(user(1, ann, "free"), user(2, bo, "free"), user(3, cy, "home"), user(4, "di@acme.example", "home"), user(5, "ed@acme.example", "free"), fay))
		keys := []string{cy, ann, bo, "di@acme.example", "ed@acme.example", fay.Key}
		owner := s.importing("acme", keys)
		s.apply(owner, 1, keys)
		same := func(want map[schema.Code]int) {
			s.Helper()
			list, n := s.made("acme", owner.ImportID, 3)
			counted := map[schema.Code]int{}
			for i := range list {
				counted[s.rules().RetractMade(&list[i].Case, owner.ImportID)]++
			}
			require.Equal(s, want, counted)
			require.Equal(s, counted[""], n.Can)
			delete(counted, "")
			require.Equal(s, counted, n.Cannot)
		}
		same(map[schema.Code]int{"": 6})
		for _, key := range []string{"ed@acme.example", "di@acme.example"} {
			v := s.one("acme", key)
			effect, _ := s.rules().SignIn(&v)
			require.NoError(s, s.Change(s.ctx(), s.rules(), "acme", []string{key}, one(effect)))
		}
		s.synced("acme", schema.SyncDeactivate, ann)
		same(map[schema.Code]int{"": 4, schema.CodeUserSignedIn: 2})
		s.now = s.now.Add(14*day - 1)
		same(map[schema.Code]int{"": 4, schema.CodeUserSignedIn: 2})
		s.now = s.now.Add(1)
		same(map[schema.Code]int{schema.CodeClaimClosed: 3, schema.CodeRetractWindowPassed: 2, schema.CodeUserSignedIn: 1})
		s.now = s.now.Add(20 * day)
		same(map[schema.Code]int{schema.CodeClaimClosed: 3, schema.CodeRetractWindowPassed: 1, schema.CodeNotClaimed: 1, schema.CodeUserSignedIn: 1})
		s.now = s.now.Add(11 * day) // the inactive one has joined, and was removed
		gone := map[schema.Code]int{schema.CodeClaimClosed: 2, schema.CodeUserNotFound: 1, schema.CodeRetractWindowPassed: 1, schema.CodeNotClaimed: 1, schema.CodeUserSignedIn: 1}
		same(gone)
		_, err := s.Sweep(s.ctx(), s.rules())
		require.NoError(s, err)
		same(gone)
	},

	"claims/a sweep that is stopped can be run again": func(s *suite) {
		in := world()
		for i := range 1300 {
			in.users = append(in.users, user(i, fmt.Sprintf("u%d@acme.example", i), "home"))
			in.claims = append(in.claims, restored(i+2, in.users[i].Key, "acme", schema.Delayed, s.now))
		}
		s.load(in)
		s.now = s.now.Add(14 * day)
		ctx, cancel := context.WithCancel(s.ctx())
		cancel()
		_, err := s.Sweep(ctx, s.rules())
		require.ErrorIs(s, err, context.Canceled)

		// Two at the same time do everything once.
		var sums [2]schema.Swept
		var errs [2]error
		var both sync.WaitGroup
		for i, handle := range []*store.Store{s.Store, s.another()} {
			both.Go(func() { sums[i], errs[i] = handle.Sweep(s.ctx(), s.rules()) })
		}
		both.Wait()
		require.NoError(s, errors.Join(errs[:]...))
		require.Equal(s, 1300, sums[0].Transferred+sums[1].Transferred)
		for _, k := range s.members("acme") {
			require.NotNil(s, k.Closed)
		}
	},
}
