package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"github.com/claimline/claimline/cmd/claimline/web/api"
	"github.com/claimline/claimline/schema"
)

func TestClaimingFromAList(t *testing.T) {
	s := start(t, options{})
	v := s.signedIn(schema.RoleOperator, "en").open("/claim")
	assert.Equal(t, http.StatusOK, v.status)
	assert.Contains(t, v.says(), "users can be claimed.")
	assert.Contains(t, v.says(), "The first 250 are listed.")
	v.press("Go on with the chosen users")
	assert.Equal(t, http.StatusBadRequest, v.status)
	assert.Contains(t, v.says(), "Nobody was chosen.")

	chosen := url.Values{"address": {"angla.noren@acme.test", "nobody@acme.test"}}
	v.send("/claim", chosen)
	assert.Equal(t, "Which services should they get?", v.heading())
	v.press("Show what would happen")
	assert.Equal(t, "Confirm the claim", v.heading())
	assert.Contains(t, v.says(), "1 user would be claimed.")
	assert.Nil(t, s.account("angla.noren@acme.test").Claim)
	v.press("Claim 1 user")
	assert.Equal(t, http.StatusUnprocessableEntity, v.status, "the box is not ticked")
	assert.Nil(t, s.account("angla.noren@acme.test").Claim)
	v.press("Claim 1 user", "accept_permanent=yes", "claims=2")
	assert.Equal(t, http.StatusConflict, v.status)
	assert.Nil(t, s.account("angla.noren@acme.test").Claim)
	v.send("/claim", url.Values{"address": chosen["address"], "step": {"claim"}, "claims": {"1"}, "accept_permanent": {"yes"}})
	assert.Equal(t, http.StatusOK, v.status, v.says())
	assert.Regexp(t, `^/imports/\d+$`, v.at.Path)
	require.NotNil(t, s.account("angla.noren@acme.test").Claim)

	v.open("/claim?why=angla.noren@acme.test")
	assert.Contains(t, v.says(), "already claimed this user")
	viewer := s.signedIn(schema.RoleViewer, "sv").open("/claim")
	assert.NotContains(t, viewer.text, `name="address"`)
	assert.Equal(t, http.StatusForbidden, viewer.send("/claim", chosen).status)
}

func TestUserPages(t *testing.T) {
	s := start(t, options{})
	owners := s.owners()
	v := s.signedIn(schema.RoleOperator, "en").open("/users")
	assert.Contains(t, v.says(), "More users")
	o := owners[schema.Delayed][0]
	path := "/users/" + url.PathEscape(o.email())
	v.open("/users?claim_type=delayed&retractable=yes&search=" + url.QueryEscape(strings.Split(o.email(), "@")[0]))
	assert.Contains(t, v.says(), o.email())
	v.open(path)
	assert.Equal(t, o.email(), v.heading())
	v.press("Mail the owner again")
	assert.Contains(t, v.says(), "The owner is mailed again.")
	v.press("Take the claim back")
	assert.Equal(t, "/users", v.at.Path)
	assert.Nil(t, s.account(o.email()).Claim)
	assert.Equal(t, http.StatusNotFound, v.open("/users/nobody@acme.test").status)
}

func TestSettingsPages(t *testing.T) {
	s := start(t, options{})
	v := s.signedIn(schema.RoleAdmin, "en").open("/settings")
	v.press("Save", "retention_days=90", "directory_sync=yes")
	assert.Equal(t, http.StatusOK, v.status)
	assert.Contains(t, v.says(), "The settings are saved.")
	o, err := s.store.Organization(t.Context(), "acme")
	require.NoError(t, err)
	assert.True(t, o.DirectorySync)
	assert.Equal(t, 90, o.RetentionDays)
	assert.Contains(t, v.open("/claim").says(), "Directory synchronization is on")
	v.open("/settings").press("Save", "retention_days=many", "directory_sync=")
	assert.Equal(t, http.StatusBadRequest, v.status)
	assert.Equal(t, "many", v.value("retention_days"), "what was typed is kept")
	assert.Contains(t, v.wrong("retention"), "The number of days")

	viewer := s.signedIn(schema.RoleViewer, "en").open("/settings")
	for _, hidden := range []string{"/settings/domains", "/settings/tokens", "Save", "Claim …"} {
		assert.NotContains(t, viewer.text, hidden)
	}
	assert.Contains(t, viewer.says(), "on, so nobody can be claimed")
	for _, path := range []string{"/settings", "/settings/domains", "/settings/tokens", "/settings/tokens/revoke", "/schedules"} {
		assert.Equal(t, http.StatusForbidden, viewer.send(path, url.Values{"token": {"viewer"}, "confirm": {"yes"}}).status, path)
	}
	for path, heading := range map[string]string{"/directory": "Directory", "/schedules": "Schedules", "/": "Overview"} {
		assert.Equal(t, heading, viewer.open(path).heading())
	}
}

// What reaches far is asked about before.
func TestDomainPages(t *testing.T) {
	s := start(t, options{})
	v := s.signedIn(schema.RoleAdmin, "en").open("/settings")
	status := func(domain string) schema.DomainStatus {
		held, err := s.store.Domains(t.Context(), "acme")
		require.NoError(t, err)
		for _, d := range held {
			if d.Domain == domain {
				return d.Status
			}
		}
		return ""
	}
	v.press("Show its TXT record", "domain=Bücher.example")
	assert.Equal(t, schema.DomainPending, status("xn--bcher-kva.example"))
	assert.Contains(t, v.says(), "bücher.example xn--bcher-kva.example waits for its TXT record")
	assert.Contains(t, v.says(), "claimline-domain-verification=")
	v.press("Check xn--bcher-kva.example")
	assert.GreaterOrEqual(t, v.status, 400)
	assert.Contains(t, v.wrong("domain-xn--bcher-kva.example"), "could not be asked")
	v.press("Show its TXT record", "domain=not a domain")
	assert.Equal(t, http.StatusBadRequest, v.status)
	assert.Equal(t, "not a domain", v.value("domain", "newdomain"))
	assert.Contains(t, v.wrong("newdomain"), "Write it as example.com.")

	v.open("/settings").press("Claim … acme.test")
	assert.Equal(t, "Do you want to claim acme.test?", v.heading())
	assert.Equal(t, schema.DomainVerified, status("acme.test"))
	v.press("Yes, claim the domain")
	assert.Contains(t, v.says(), "acme.test is claimed.")
	assert.Equal(t, schema.DomainClaimed, status("acme.test"))
	v.press("Release … acme.test")
	assert.Contains(t, v.says(), "Other organizations that have verified the domain")
	assert.Equal(t, schema.DomainClaimed, status("acme.test"))
	v.press("Yes, release the domain")
	assert.Equal(t, schema.DomainVerified, status("acme.test"))
	v.send("/settings/domains", url.Values{"domain": {"acme.test"}, "do": {"release"}, "confirm": {"yes"}})
	assert.Equal(t, http.StatusConflict, v.status)
	v.send("/settings/domains", url.Values{"domain": {"umbrella.example"}, "do": {"claim"}, "confirm": {"yes"}})
	assert.Equal(t, http.StatusConflict, v.status)
	assert.Empty(t, status("umbrella.example"))
	assert.Contains(t, v.wrong("newdomain"), "has not verified")
}

// A token is shown once, and one that is revoked lets nobody in, its owner neither.
func TestTokenPages(t *testing.T) {
	s := start(t, options{})
	v := s.signedIn(schema.RoleAdmin, "en").open("/settings")
	v.press("Make the token", "name=night:ly")
	assert.Equal(t, http.StatusBadRequest, v.status)
	assert.Equal(t, "night:ly", v.value("name", "token_name"))
	v.press("Make the token", "name=viewer")
	assert.Equal(t, http.StatusConflict, v.status)
	assert.Contains(t, v.wrong("token_name"), "Choose another name.")
	v.press("Make the token", "name=night #1?", "role=operator", "expires=30")
	assert.Equal(t, "The token is made", v.heading())
	secret, _ := v.find(v.page, "code", func(*html.Node) bool { return true })
	require.NotNil(t, secret)
	token := words(secret)
	out := s.ask(http.MethodGet, api.Prefix+"/me", asked{token: token})
	assert.JSONEq(t, `{"organization":{"id":"acme","name":"Acme AB"},"role":"operator","token":"night #1?"}`, string(out.body))
	list, err := s.store.Tokens(t.Context(), "acme")
	require.NoError(t, err)
	for _, made := range list {
		if made.Name == "night #1?" {
			assert.Equal(t, "admin", made.CreatedBy)
			assert.WithinDuration(t, time.Now().AddDate(0, 0, 30), made.ExpiresAt, time.Hour)
		}
	}
	v.open("/settings")
	assert.NotContains(t, v.text, token)
	v.press("Revoke … night #1?")
	assert.Equal(t, "Do you want to revoke the token night #1??", v.heading())
	require.Equal(t, http.StatusOK, s.ask(http.MethodGet, api.Prefix+"/me", asked{token: token}).status)
	v.press("Yes, revoke the token")
	assert.Contains(t, v.says(), "The token night #1? is revoked.")
	assert.Equal(t, schema.CodeTokenInvalid, s.ask(http.MethodGet, api.Prefix+"/me", asked{token: token}).code())
	v.press("Make the token", "name=")
	assert.Contains(t, v.says(), "viewer-1")

	v.open("/settings").press("Revoke … admin")
	assert.Contains(t, v.says(), "You have signed in with this token yourself")
	assert.Contains(t, v.says(), "It is the last one that may do everything.")
	v.press("Yes, revoke the token")
	assert.Equal(t, "/sign-in", v.at.Path)
	operator := s.signedIn(schema.RoleOperator, "en").open("/settings")
	assert.NotContains(t, operator.text, "night")
}
