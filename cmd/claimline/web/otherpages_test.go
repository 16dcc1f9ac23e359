package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

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
	v.open("/deadlines")
	assert.Equal(t, "Deadlines", v.heading())
	assert.Contains(t, v.says(), "The next is on")
}

func TestSettingsPages(t *testing.T) {
	s := start(t, options{})
	v := s.signedIn(schema.RoleAdmin, "en").open("/settings")
	v.press("Save", "retention_days=90", "directory_sync=yes")
	assert.Equal(t, http.StatusOK, v.status)
	o, err := s.store.Organization(t.Context(), "acme")
	require.NoError(t, err)
	assert.True(t, o.DirectorySync)
	assert.Equal(t, 90, o.RetentionDays)
	assert.Contains(t, v.open("/claim").says(), "Directory synchronization is on")
	v.open("/settings").press("Save", "retention_days=many")
	assert.Equal(t, http.StatusBadRequest, v.status)
	v.open("/settings").press("Show its TXT record", "domain=new.example")
	assert.Contains(t, v.says(), "claimline-domain-verification=")
	v.press("Check new.example")
	assert.GreaterOrEqual(t, v.status, 400)
	v.press("Show its TXT record", "domain=not a domain")
	assert.Equal(t, http.StatusBadRequest, v.status)

	viewer := s.signedIn(schema.RoleViewer, "en").open("/settings")
	assert.NotContains(t, viewer.text, "/settings/domains")
	assert.Equal(t, http.StatusForbidden, viewer.send("/settings", url.Values{"retention_days": {"1"}}).status)
	for path, heading := range map[string]string{"/directory": "Directory", "/schedules": "Schedules", "/": "Overview"} {
		assert.Equal(t, heading, viewer.open(path).heading())
	}
}
