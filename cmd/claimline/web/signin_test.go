package web_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/claimline/claimline/cmd/claimline/web/auth"
	"github.com/claimline/claimline/schema"
)

// signedIn returns a visitor who has signed in.
func (s *service) signedIn(role schema.Role, language string) *visitor {
	s.Helper()
	v := s.visit(language).open("/sign-in").send("/sign-in", url.Values{"token": {s.tokens[role]}})
	require.Equal(s, http.StatusOK, v.status)
	require.Equal(s, "/", v.at.Path)
	return v
}

func TestSignIn(t *testing.T) {
	now := time.Now()
	s := start(t, options{idle: true, now: func() time.Time { return now }})
	v := s.visit("en").open("/?x=1&y=2")
	assert.Equal(t, "/sign-in", v.at.Path)
	assert.Equal(t, "/?x=1&y=2", v.at.Query().Get("next"))
	assert.Equal(t, "Sign in", v.heading())

	v.press("Sign in", "token=clm_wrong")
	assert.Equal(t, http.StatusUnauthorized, v.status)
	assert.Contains(t, v.says(), "Copy the whole token again")
	v.press("Sign in", "token= "+s.tokens[schema.RoleViewer]+"\n")
	assert.Equal(t, http.StatusOK, v.status)
	assert.Equal(t, "/?x=1&y=2", v.at.RequestURI())
	assert.Contains(t, v.text, "viewer")

	for _, elsewhere := range []string{"https://evil.example/", "//evil.example/", `/\evil.example`, "evil", "javascript:alert(1)", "/\t/evil.example"} {
		v := s.visit("en").send("/sign-in", url.Values{"token": {s.tokens[schema.RoleViewer]}, "next": {elsewhere}})
		assert.Equal(t, s.url+"/", v.at.String(), elsewhere)
	}

	v.press("Sign out")
	assert.Equal(t, "/sign-in", v.at.Path)
	assert.Equal(t, "/sign-in", v.open("/").at.Path)
}

func TestSessions(t *testing.T) {
	now := time.Now()
	s := start(t, options{idle: true, now: func() time.Time { return now }})
	v := s.visit("en").open("/sign-in")
	v.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	v.send("/sign-in", url.Values{"token": {s.tokens[schema.RoleViewer]}})
	assert.Equal(t, http.StatusSeeOther, v.status)
	assert.Regexp(t, `^claimline=[\w-]{43}; Path=/; Expires=.*; Max-Age=60480\d; HttpOnly; SameSite=Lax$`, v.header.Get("Set-Cookie"))
	open := func() int { return v.open("/").status }
	assert.Equal(t, http.StatusOK, open())
	v.send("/sign-out", nil)
	assert.Equal(t, http.StatusSeeOther, open())
	short := s.token("acme", schema.RoleViewer, "short", now.Add(time.Hour))
	v.send("/sign-in", url.Values{"token": {short}})
	assert.Equal(t, http.StatusOK, open())
	now = now.Add(2 * time.Hour)
	assert.Equal(t, http.StatusSeeOther, open(), "its token has expired")
	v.send("/sign-in", url.Values{"token": {s.tokens[schema.RoleAdmin]}})
	assert.Equal(t, http.StatusOK, open())
	require.NoError(t, s.store.RevokeToken(t.Context(), "acme", string(schema.RoleAdmin)))
	assert.Equal(t, http.StatusSeeOther, open(), "its token was revoked")

	// Of scs, the clock is the real one: from here on, time has passed.
	v.send("/sign-in", url.Values{"token": {s.tokens[schema.RoleViewer]}})
	now = now.Add(12*time.Hour - time.Minute)
	assert.Equal(t, http.StatusOK, open())
	now = now.Add(12 * time.Hour)
	assert.Equal(t, http.StatusSeeOther, open(), "idle for too long")
	v.send("/sign-in", url.Values{"token": {s.tokens[schema.RoleViewer]}})
	for range 11 { // used again and again, it lasts
		now = now.Add(11 * time.Hour)
		require.Equal(t, http.StatusOK, open())
	}
	for range 4 {
		now = now.Add(11 * time.Hour)
		open()
	}
	assert.Equal(t, http.StatusSeeOther, open(), "seven days at most")
}

func TestGuessingAtSignIn(t *testing.T) {
	s := start(t, options{idle: true})
	v := s.visit("en")
	for i := range 11 {
		v.send("/sign-in", url.Values{"token": {auth.NewToken()}})
		if i < 10 {
			assert.Equal(t, http.StatusUnauthorized, v.status)
		}
	}
	assert.Equal(t, http.StatusTooManyRequests, v.status)
	assert.NotEmpty(t, v.header.Get("Retry-After"))
	v.send("/sign-in", url.Values{"token": {s.tokens[schema.RoleViewer]}})
	assert.Equal(t, http.StatusOK, v.status)
}

func TestPagesOfOtherSites(t *testing.T) {
	s := start(t, options{idle: true})
	v := s.signedIn(schema.RoleViewer, "en")
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/sign-out", nil)
	require.NoError(t, err)
	v.at = nil
	request.Header.Set("Origin", "https://evil.example")
	v.do(request)
	assert.Equal(t, http.StatusForbidden, v.status)
	assert.Contains(t, v.says(), "another site")
	assert.Equal(t, "/", v.open("/").at.Path, "still signed in")

	v.open("/nothing-here")
	assert.Equal(t, http.StatusNotFound, v.status)
	assert.Equal(t, "Page not found", v.heading())
	assert.Equal(t, "Sidan finns inte", s.visit("sv").open("/nothing-here").heading())
}
