package storetest

import (
	"time"

	"github.com/stretchr/testify/require"

	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/schema"
)

// loadTold loads a snapshot, and returns what one is told.
func (s *suite) loadTold(in snapshot) (told []store.Notice) {
	s.Helper()
	require.NoError(s, s.Load(s.ctx(), s.rules(), func(into store.Loader) error {
		require.NoError(s, into.Organizations(s.ctx(), loadOrganizations(in.organizations)))
		require.NoError(s, into.Licenses(s.ctx(), loadLicenses(in.licenses)))
		require.NoError(s, into.Domains(s.ctx(), loadDomains(in.domains)))
		require.NoError(s, into.Users(s.ctx(), in.users))
		require.NoError(s, into.Claims(s.ctx(), in.claims))
		var err error
		told, err = into.Finish(s.ctx())
		return err
	}))
	s.checkHeld()
	return told
}

// What a snapshot says of claims, against what was done here since.
var restoreTests = map[string]func(*suite){
	"restore/a closed claim stays closed, whatever became of the account": func(s *suite) {
		for choice, to := range map[schema.Choice][]string{schema.DeleteAccount: nil, schema.ChangeEmail: {"ann@home.example"}} {
			key := string(choice[0]) + "nn@acme.example"
			in := world(user(int(choice[0]), key, "home"))
			in.claims = []store.LoadClaim{restored(2, key, "umbrella", schema.Delayed, s.now.Add(-14*day+time.Hour))}
			s.load(in)
			s.retracted("umbrella", key)
			s.claimed("acme", key)
			s.choose(key, choice, to...)
			s.now = s.now.Add(time.Minute)
			for range 2 {
				s.load(in)
				a := s.account(key)
				require.Equal(s, "acme", a.User.OrganizationID)
				require.Nil(s, a.Claim, "the claim of another, taken back before the account was there")
			}
			s.now = s.now.Add(20 * day)
			s.swept()
			require.Equal(s, "acme", s.account(key).User.OrganizationID)
			s.now = start
		}
	},

	"restore/a claim of which nobody knows when it was made": func(s *suite) {
		in := world(user(1, ann, "home"), user(2, bo, "home"))
		in.claims = []store.LoadClaim{restored(2, ann, "acme", schema.Delayed, s.now), restored(3, bo, "acme", schema.Delayed, s.now)}
		in.claims[0].Undated, in.claims[1].Undated = true, true
		require.Empty(s, s.loadTold(in))
		made := s.account(ann).Claim
		require.Equal(s, schema.Delayed, made.Type)

		// Seen again later, it is as old as it was, and one that was taken back does not come back.
		s.retracted("acme", bo)
		s.now = s.now.Add(day)
		in.claims[0].ClaimedAt, in.claims[1].ClaimedAt = s.now, s.now
		for range 2 {
			told := s.loadTold(in)
			require.Len(s, told, 1)
			require.Equal(s, 3, told[0].Line)
			require.Equal(s, made, s.account(ann).Claim)
			require.Nil(s, s.account(bo).Claim)
		}
		// Once it has completed, there is nothing to be told.
		s.now = s.now.Add(13 * day)
		in.claims = in.claims[:1]
		require.Empty(s, s.loadTold(in))
		require.Equal(s, "acme", s.account(ann).User.OrganizationID)
	},

	"restore/users are known again before they come in": func(s *suite) {
		in := world(user(1, ann, "home"), user(3, cy, "free"), user(4, bo, "free"))
		in.users[2].ID = bo
		s.load(in)
		s.claimed("umbrella", ann)
		in.users[0].OrganizationID = "free"
		require.NoError(s, s.Load(s.ctx(), s.rules(), func(into store.Loader) error {
			require.NoError(s, into.Users(s.ctx(), in.users))
			known, err := into.Known(s.ctx(), []string{bo, ann, cy, "nobody@acme.example"})
			require.NoError(s, err)
			require.Equal(s, map[string]store.KnownUser{
				ann: {ID: in.users[0].ID, Organization: "home", Claiming: "umbrella"}, cy: {ID: in.users[1].ID, Organization: "free"},
			}, known)
			return nil
		}))
	},

	"restore/a claim older than the account is left out, and told": func(s *suite) {
		in := world(user(1, ann, "home"))
		s.load(in)
		s.claimed("acme", ann)
		s.now = s.now.Add(day)
		s.choose(ann, schema.DeleteAccount)
		in.claims = []store.LoadClaim{restored(7, ann, "umbrella", schema.Immediate, start)}
		told := s.loadTold(in)
		require.Len(s, told, 1)
		require.Equal(s, "claims.csv", told[0].File)
		require.Equal(s, 7, told[0].Line)
		require.Nil(s, s.account(ann).Claim)

		in.claims[0].ClaimedAt = s.now.Add(time.Hour) // made since
		require.Empty(s, s.loadTold(in))
		require.Equal(s, "umbrella", s.account(ann).Claim.OrganizationID)
	},

	"restore/an account moves under an open claim": func(s *suite) {
		in := world(user(1, ann, "home"), user(2, bo, "home"), user(3, cy, "home"))
		in.licenses[0].Quantity = 1
		s.load(in)
		for _, key := range []string{ann, bo} {
			require.Equal(s, schema.Delayed, s.claimed("acme", key, "Calling").Type)
		}
		in.users[0].OrganizationID = "acme"
		told := s.loadTold(in)
		require.Len(s, told, 1)
		require.Equal(s, "users.csv", told[0].File)
		require.Equal(s, in.users[0].Line, told[0].Line)
		s.choose(ann, schema.TransferContent)
		require.Equal(s, []string{"Calling"}, s.account(ann).User.Services)
		require.Equal(s, 1, s.held("acme")["Calling"])
		s.choose(bo, schema.TransferContent)
		require.Empty(s, s.account(bo).User.Services, "there was one")
	},

	"restore/an immediate claim becomes a delayed one": func(s *suite) {
		in := world(user(1, ann, "home", "Mail"))
		in.claims = []store.LoadClaim{restored(2, ann, "acme", schema.Immediate, s.now)}
		s.load(in)
		s.synced("acme", schema.SyncDeactivate, ann)
		in.claims[0].Type = schema.Delayed
		s.load(in)
		made := s.account(ann).Claim
		require.Equal(s, schema.Delayed, made.Type)
		require.Equal(s, schema.Active, made.Status)
		require.Zero(s, made.InactiveSince)
		s.now = s.now.Add(31 * day)
		require.Equal(s, schema.Swept{Transferred: 1}, s.swept())
		require.Zero(s, s.swept())
	},

	"restore/times that cannot be are refused": func(s *suite) {
		for _, at := range []time.Time{time.Date(0, 12, 18, 0, 0, 0, 0, time.UTC), time.Date(1969, 12, 31, 23, 59, 59, 0, time.UTC), time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)} {
			in := world(user(1, ann, "free"))
			in.claims = []store.LoadClaim{restored(5, ann, "acme", schema.Delayed, at)}
			refusal := s.refusal(s.tryLoad(in), schema.CodeValueInvalid)
			require.Equal(s, "claims.csv", refusal.File)
			require.Equal(s, 5, refusal.Line)

			in = world(user(1, ann, "free"))
			in.users[0].Status, in.users[0].InactiveSince = schema.Inactive, at
			require.Equal(s, "users.csv", s.refusal(s.tryLoad(in), schema.CodeValueInvalid).File)
			in = world()
			in.organizations[1].Created = at
			require.Equal(s, 3, s.refusal(s.tryLoad(in), schema.CodeValueInvalid).Line)
		}
	},

	"restore/a service has one name": func(s *suite) {
		in := world(user(1, ann, "acme", "CALLING", "calling", "Unknown"), user(2, bo, "free"))
		s.load(in)
		require.Equal(s, []string{"Calling", "Unknown"}, s.account(ann).User.Services)
		in.licenses[0].Service, in.licenses[0].Quantity = "calling", 7
		s.load(in)
		licenses, err := s.Licenses(s.ctx(), s.rules(), "acme")
		require.NoError(s, err)
		require.Len(s, licenses, 2)
		require.Equal(s, schema.License{OrganizationID: "acme", Service: "Calling", Quantity: 7, Held: 1}, licenses[0])
		s.claimed("acme", bo, "Calling")
		require.Equal(s, 2, s.held("acme")["Calling"])

		in.licenses = append(in.licenses, schema.License{OrganizationID: "acme", Service: "CALLING"})
		require.Equal(s, "licenses.csv", s.refusal(s.tryLoad(in), schema.CodeIDDuplicate).File)
	},

	"restore/users after claims are an error": func(s *suite) {
		err := s.Load(s.ctx(), s.rules(), func(into store.Loader) error {
			require.NoError(s, into.Organizations(s.ctx(), loadOrganizations(world().organizations)))
			require.NoError(s, into.Claims(s.ctx(), nil))
			return into.Users(s.ctx(), []store.LoadUser{user(1, ann, "free")})
		})
		require.Error(s, err)
	},

	"restore/whoever is not inactive is so since no time": func(s *suite) {
		in := world(user(1, ann, "acme", "Calling"))
		in.users[0].InactiveSince = s.now.Add(-100 * day)
		s.load(in)
		require.Zero(s, s.accounts("acme", ann)[0].User.InactiveSince)
		require.Zero(s, s.swept())
		require.NotZero(s, s.account(ann))
	},
}
