package web_test

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/pipeline/notify"
	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/schema"
)

// owner is somebody whose account was claimed.
type owner struct {
	store.LinkedMail
	path string // of the owner's page
}

// owners claims the users of a file, and returns their owners, by the type of the claim.
func (s *service) owners() map[schema.ClaimType][]owner {
	s.Helper()
	imp := s.agree(s.planned("", good(s.T)))
	require.Positive(s, imp.Claimed)
	list := map[schema.ClaimType][]owner{}
	rules := claim.RulesAt(time.Now(), schema.DefaultPolicy())
	linked, _, err := s.store.LinkMails(s.Context(), rules, "acme", 0, 1000, false, func() (string, []byte) { return notify.NewLink("") })
	require.NoError(s, err)
	for _, l := range linked {
		if l.Made.ImportID != 0 {
			list[l.Made.Type] = append(list[l.Made.Type], owner{l, l.Link})
		}
	}
	require.Greater(s, len(list[schema.Immediate]), 5)
	return list
}

func (o owner) email() string { return o.Account.User.Email }

// account returns the account with an address.
func (s *service) account(email string) claim.Account {
	s.Helper()
	key, problem := schema.ParseAddress(email)
	require.Empty(s, problem)
	a, err := s.store.Account(s.Context(), key)
	require.NoError(s, err)
	return a
}

func TestOwnersPage(t *testing.T) {
	s := start(t, options{})
	owners := s.owners()
	immediate := owners[schema.Immediate]
	v := s.visit("en").open(immediate[0].path)
	if v.heading() != "Acme AB has claimed your account" {
		v.press("In English")
	}
	before := s.account(immediate[0].email())

	v.open(immediate[0].path)
	assert.Equal(t, http.StatusOK, v.status)
	assert.Equal(t, "Acme AB has claimed your account", v.heading())
	assert.Contains(t, v.says(), immediate[0].email())
	assert.Contains(t, v.says(), "There is no date.")
	assert.Equal(t, before, s.account(immediate[0].email()), "opening the page changes nothing")

	v.press("Continue")
	assert.Equal(t, http.StatusOK, v.status)
	assert.Equal(t, "Choose what happens to your account", v.heading())
	assert.NotZero(t, s.account(immediate[0].email()).Claim.SignedInAt)
	assert.NotContains(t, v.text, "transfer_content")

	for address, want := range map[string]string{
		"": "not a valid e-mail address", immediate[0].email(): "already has", immediate[1].email(): "Another account", "new@acme.example": "belongs to an organization",
		"<script>": "not a valid e-mail address",
	} {
		v.press("Keep it under this address", "new_email="+address)
		assert.GreaterOrEqual(t, v.status, 400, address)
		assert.Contains(t, v.says(), "Your choice was not made", address)
		assert.Contains(t, v.says(), want, address)
		assert.NotContains(t, v.text, "<script>")
	}
	v.press("Keep it under this address", "new_email=mine@private.example")
	assert.Equal(t, http.StatusOK, v.status)
	assert.Equal(t, "Your choice is made", v.heading())
	assert.Contains(t, v.says(), "mine@private.example")
	assert.Equal(t, before.User.OrganizationID, s.account("mine@private.example").User.OrganizationID)
	assert.Equal(t, "acme", s.account(immediate[0].email()).User.OrganizationID)
	v.open(immediate[0].path)
	assert.Equal(t, http.StatusNotFound, v.status)

	v.open(immediate[2].path).press("Continue").press("Delete the old account …")
	assert.Equal(t, "Do you want to delete the old account?", v.heading())
	assert.NotNil(t, s.account(immediate[2].email()).Claim, "it was asked for once")
	v.press("Yes, delete the old account")
	assert.Equal(t, "Your choice is made", v.heading())
	assert.Equal(t, "acme", s.account(immediate[2].email()).User.OrganizationID)

	v.send(immediate[3].path, url.Values{"choice": {"transfer_content"}})
	assert.Equal(t, http.StatusConflict, v.status)
	v.send(immediate[3].path, url.Values{"choice": {"anything"}})
	assert.Equal(t, http.StatusConflict, v.status)
}

func TestOwnersPageOfADelayedClaim(t *testing.T) {
	s := start(t, options{})
	delayed := s.owners()[schema.Delayed]
	if len(delayed) == 0 {
		t.Fatal("the sample has no delayed claim")
	}
	o := delayed[0]
	v := s.visit("en").open(o.path)
	until := o.Made.ClaimedAt.Add(schema.DefaultPolicy().DecisionTime()).UTC()
	assert.Contains(t, v.says(), "14 days left")
	assert.Contains(t, v.says(), until.Format("2 January 2006"))
	v.press("Continue").press("Take the account along")
	assert.Equal(t, "Your choice is made", v.heading())
	moved := s.account(o.email())
	assert.Equal(t, "acme", moved.User.OrganizationID)
	assert.Equal(t, o.Account.ID, moved.ID)
}

func TestOwnersLanguage(t *testing.T) {
	s := start(t, options{})
	var swedish, other owner
	for _, o := range s.owners()[schema.Immediate] {
		if strings.HasPrefix(o.Account.User.PreferredLanguage, "sv") {
			swedish = o
		} else {
			other = o
		}
	}
	require.NotEmpty(t, swedish.path)
	v := s.visit("en").open(swedish.path)
	assert.Equal(t, "Acme AB har gjort anspråk på ditt konto", v.heading(), "the account's language goes before the browser's")
	assert.Contains(t, v.text, `<html lang="sv">`)
	v.press("In English")
	assert.Equal(t, "Acme AB has claimed your account", v.heading(), "and what was chosen before both")
	assert.Equal(t, swedish.path, v.at.Path)
	v.press("På svenska")
	assert.Equal(t, "Acme AB har gjort anspråk på ditt konto", v.heading())
	if other.path != "" && other.Account.User.PreferredLanguage == "" {
		assert.Equal(t, "Acme AB har gjort anspråk på ditt konto", s.visit("sv-SE,en;q=0.5").open(other.path).heading())
		assert.Equal(t, "Acme AB has claimed your account", s.visit("de, fr").open(other.path).heading())
	}
}

// variable is what differs from one answer to the next in any case.
var variable = regexp.MustCompile(`(?m)^(X-Request-Id|Date): .*\n`)

// Nobody learns from a dead link whether it ever lived.
func TestDeadLinks(t *testing.T) {
	s := start(t, options{})
	ended := s.owners()[schema.Immediate][0]
	s.visit("en").open(ended.path).send(ended.path, url.Values{"choice": {"delete_account"}, "confirm": {"yes"}})
	never, _ := notify.NewLink("")
	seen := map[string]bool{}
	for _, path := range []string{ended.path, never, "/choose/x", ended.path + "x"} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			v := s.visit("en")
			began := time.Now()
			if method == http.MethodGet {
				v.open(path)
			} else {
				v.send(path, url.Values{"choice": {"delete_account"}})
			}
			assert.GreaterOrEqual(t, time.Since(began), 250*time.Millisecond)
			assert.Equal(t, http.StatusNotFound, v.status)
			assert.Equal(t, "There is nothing to choose here", v.heading())
			var header strings.Builder
			require.NoError(t, v.header.Write(&header))
			seen[variable.ReplaceAllString(header.String(), "")+v.text] = true
		}
	}
	assert.Len(t, seen, 1)

	// Who goes on guessing has to wait; who has a link that lives has not.
	v := s.visit("en")
	for range 12 {
		v.open("/choose/guess")
	}
	assert.Equal(t, http.StatusTooManyRequests, v.status)
	assert.NotEmpty(t, v.header.Get("Retry-After"))
	alive := s.ownersOf(ended.Made.ImportID)
	assert.Equal(t, http.StatusOK, v.open(alive).status)
	assert.NotContains(t, s.log.String(), strings.TrimPrefix(alive, "/choose/"), "no link is logged")
}

// ownersOf returns a link of an import that is alive.
func (s *service) ownersOf(imp int64) string {
	s.Helper()
	rules := claim.RulesAt(time.Now(), schema.DefaultPolicy())
	linked, _, err := s.store.LinkMails(s.Context(), rules, "acme", 0, 1000, false, func() (string, []byte) { return notify.NewLink("") })
	require.NoError(s, err)
	for _, l := range linked {
		if l.Made.ImportID == imp {
			return l.Link
		}
	}
	require.Fail(s, fmt.Sprintf("import %d has no link", imp))
	return ""
}
