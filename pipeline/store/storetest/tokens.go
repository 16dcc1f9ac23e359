package storetest

import (
	"time"

	"github.com/stretchr/testify/require"

	"github.com/claimline/claimline/schema"
)

var tokenTests = map[string]func(*suite){
	"a token is found by its digest, until it is revoked": func(s *suite) {
		s.load(world())
		made := s.token("acme", "ci", "digest 1")
		other := s.token("umbrella", "ci", "digest 2")
		for digest, want := range map[string]schema.Token{"digest 1": made, "digest 2": other} {
			found, err := s.another().FindToken(s.ctx(), []byte(digest))
			require.NoError(s, err)
			require.NotZero(s, found.ID)
			found.ID = 0
			require.Equal(s, want, found)
		}
		_, err := s.FindToken(s.ctx(), []byte("digest"))
		s.refused(err, schema.CodeTokenInvalid)

		require.NoError(s, s.RevokeToken(s.ctx(), "acme", "ci"))
		_, err = s.another().FindToken(s.ctx(), []byte("digest 1"))
		s.refused(err, schema.CodeTokenInvalid)
		s.refused(s.RevokeToken(s.ctx(), "acme", "ci"), schema.CodeTokenNotFound)
		_, err = s.FindToken(s.ctx(), []byte("digest 2"))
		require.NoError(s, err, "the other organization's token of this name stays")
		s.refused(s.RevokeToken(s.ctx(), "nobody", "ci"), schema.CodeOrganizationUnknown)
	},
	"an organization lists its own tokens, by name": func(s *suite) {
		s.load(world())
		some, err := s.AnyTokens(s.ctx())
		require.NoError(s, err)
		require.False(s, some)
		second, first := s.token("acme", "b", "digest 1"), s.token("acme", "a", "digest 2")
		s.token("umbrella", "c", "digest 3")
		some, err = s.AnyTokens(s.ctx())
		require.NoError(s, err)
		require.True(s, some)
		list, err := s.Tokens(s.ctx(), "acme")
		require.NoError(s, err)
		for i := range list {
			list[i].ID = 0
		}
		require.Equal(s, []schema.Token{first, second}, list)
		_, err = s.Tokens(s.ctx(), "nobody")
		s.refused(err, schema.CodeOrganizationUnknown)
	},
	"a name is given once in an organization, and a digest once": func(s *suite) {
		s.load(world())
		made := s.token("acme", "ci", "digest 1")
		s.refused(s.CreateToken(s.ctx(), made, []byte("digest 2")), schema.CodeTokenExists)
		made.Name = "other"
		s.refused(s.CreateToken(s.ctx(), made, []byte("digest 1")), schema.CodeTokenExists)
		require.NoError(s, s.CreateToken(s.ctx(), made, []byte("digest 2")))
		made.OrganizationID = "nobody"
		s.refused(s.CreateToken(s.ctx(), made, []byte("digest 3")), schema.CodeOrganizationUnknown)
	},
	"the last use of a token is noted, and never goes back": func(s *suite) {
		s.load(world())
		s.token("acme", "ci", "digest 1")
		found, err := s.FindToken(s.ctx(), []byte("digest 1"))
		require.NoError(s, err)
		require.Zero(s, found.LastUsedAt)
		for _, at := range []time.Time{s.now, s.now.Add(-time.Hour)} {
			require.NoError(s, s.TouchTokens(s.ctx(), map[int64]time.Time{found.ID: at, found.ID + 99: at}))
			found, err = s.another().FindToken(s.ctx(), []byte("digest 1"))
			require.NoError(s, err)
			require.Equal(s, s.now, found.LastUsedAt)
		}
		require.NoError(s, s.TouchTokens(s.ctx(), nil))
	},
}

// token creates a token.
func (s *suite) token(organization, name, digest string) schema.Token {
	s.Helper()
	t := schema.Token{
		OrganizationID: organization, Name: name, Role: schema.RoleOperator, CreatedAt: s.now, CreatedBy: "terminal:root", ExpiresAt: s.now.Add(90 * day),
	}
	require.NoError(s, s.CreateToken(s.ctx(), t, []byte(digest)))
	return t
}
