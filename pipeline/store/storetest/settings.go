package storetest

import (
	"errors"
	"sync"

	"github.com/stretchr/testify/require"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/schema"
)

var settingsTests = map[string]func(*suite){
	"an organization's settings are changed, and nothing else of it": func(s *suite) {
		s.load(world())
		before, err := s.Organization(s.ctx(), "acme")
		require.NoError(s, err)
		changed, err := s.SetOrganization(s.ctx(), s.rules(), "acme", func(o *schema.Organization) error {
			require.Equal(s, before, *o)
			o.BringConversations, o.DirectorySync, o.ActivationEmails, o.RetentionDays = false, true, false, 7
			return nil
		})
		require.NoError(s, err)
		before.BringConversations, before.DirectorySync, before.ActivationEmails, before.RetentionDays = false, true, false, 7
		require.Equal(s, before, changed)
		after, err := s.another().Organization(s.ctx(), "acme")
		require.NoError(s, err)
		require.Equal(s, before, after)
		other, err := s.Organization(s.ctx(), "umbrella")
		require.NoError(s, err)
		require.True(s, other.BringConversations)
	},
	"settings are not changed when that is refused": func(s *suite) {
		s.load(world())
		stop := errors.New("stop")
		_, err := s.SetOrganization(s.ctx(), s.rules(), "acme", func(o *schema.Organization) error {
			o.DirectorySync = true
			return stop
		})
		require.ErrorIs(s, err, stop)
		after, err := s.Organization(s.ctx(), "acme")
		require.NoError(s, err)
		require.False(s, after.DirectorySync)
		_, err = s.SetOrganization(s.ctx(), s.rules(), "nobody", func(*schema.Organization) error { return nil })
		s.refused(err, schema.CodeOrganizationUnknown)
	},
	"what is due when settings change is done under the old ones": func(s *suite) {
		in := world(user(1, "ann@acme.example", "home"))
		in.claims = append(in.claims, restored(2, "ann@acme.example", "acme", schema.Delayed, s.now.Add(-15*day)))
		s.load(in)
		_, err := s.SetOrganization(s.ctx(), s.rules(), "acme", func(o *schema.Organization) error {
			o.ActivationEmails = false
			return nil
		})
		require.NoError(s, err)
		ann := s.accounts("acme", "ann@acme.example")[0]
		require.Nil(s, ann.Claim)
		require.Equal(s, "acme", ann.User.OrganizationID)
	},
	"a change of settings sees the one before it": func(s *suite) {
		s.load(world())
		const times = 8
		var all sync.WaitGroup
		errs := make([]error, times)
		for i := range times {
			handle := s.another()
			all.Go(func() {
				_, errs[i] = handle.SetOrganization(s.ctx(), s.rules(), "acme", func(o *schema.Organization) error {
					o.RetentionDays++
					return nil
				})
			})
		}
		all.Wait()
		require.NoError(s, errors.Join(errs...))
		after, err := s.Organization(s.ctx(), "acme")
		require.NoError(s, err)
		require.Equal(s, 90+times, after.RetentionDays)
	},
	"a domain is held pending, then verified, claimed and released": func(s *suite) {
		s.load(world())
		const token = "secret"
		set := func(status schema.DomainStatus) {
			s.Helper()
			held, err := s.SetDomain(s.ctx(), "acme", "new.example", func(d *schema.Domain, claimedBy string) error {
				require.Equal(s, "acme", d.OrganizationID)
				require.Equal(s, "new.example", d.Domain)
				require.Equal(s, d.Status == schema.DomainClaimed, claimedBy == "acme")
				d.Status, d.Token = status, token
				return nil
			})
			require.NoError(s, err)
			require.Equal(s, schema.Domain{Domain: "new.example", OrganizationID: "acme", Status: status, Token: token}, held)
			list, err := s.Domains(s.ctx(), "acme")
			require.NoError(s, err)
			require.Contains(s, list, held)
		}
		ours := func() claim.Domain {
			facts, err := s.Facts(s.ctx(), "acme", []string{"ann@new.example"})
			require.NoError(s, err)
			return facts.Domains["new.example"]
		}
		set(schema.DomainPending)
		require.Equal(s, claim.Domain{}, ours(), "a pending domain is not ours yet")
		set(schema.DomainVerified)
		require.Equal(s, claim.Domain{Ours: true}, ours())
		set(schema.DomainClaimed)
		require.Equal(s, claim.Domain{Ours: true, ClaimedBy: "acme"}, ours())
		set(schema.DomainVerified)
		require.Equal(s, claim.Domain{Ours: true}, ours())
	},
	"who changes a domain is told who has claimed it": func(s *suite) {
		s.load(world())
		stop := errors.New("stop")
		_, err := s.SetDomain(s.ctx(), "acme", "umbrella.example", func(d *schema.Domain, claimedBy string) error {
			require.Empty(s, d.Status)
			require.Equal(s, "umbrella", claimedBy)
			d.Status = schema.DomainVerified
			return stop
		})
		require.ErrorIs(s, err, stop)
		list, err := s.Domains(s.ctx(), "acme")
		require.NoError(s, err)
		require.Len(s, list, 2, "nothing is changed after an error")
		_, err = s.SetDomain(s.ctx(), "nobody", "umbrella.example", func(*schema.Domain, string) error { return nil })
		s.refused(err, schema.CodeOrganizationUnknown)
	},
}
