package web_test

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/claimline/claimline/cmd/claimline/web/api"
	"github.com/claimline/claimline/cmd/claimline/web/desk"
	"github.com/claimline/claimline/pipeline"
	"github.com/claimline/claimline/pipeline/people"
	"github.com/claimline/claimline/schema"
)

// by is people as the commands ask them.
func (s *service) people() *people.People {
	return &people.People{Store: s.store, Now: s.flow.Now, Policy: s.flow.Policy, Persist: s.flow.Persist}
}

// Lists, page by page, are what the commands list.
func TestListsAreTheCommands(t *testing.T) {
	s := start(t, options{idle: true})
	for query, filter := range map[string]people.MemberFilter{
		"": {}, "status=delayed_claim&": {Status: schema.DelayedClaim}, "claim_type=immediate&retractable=true&": {ClaimType: schema.Immediate, Retractable: true},
		"search=LUNDQVIST&": {Search: "lundqvist"}, "search=nobody%20at%20all&": {Search: "nobody at all"},
	} {
		want := []schema.Listing{}
		require.NoError(t, s.people().EachMember(t.Context(), "acme", filter, func(l schema.Listing) error { want = append(want, l); return nil }))
		for _, limit := range []string{"3", "1000"} {
			if limit == "3" && len(want) > 100 {
				limit = "97"
			}
			found := []json.RawMessage{}
			for after := ""; ; {
				var list struct {
					Users []json.RawMessage
					Next  *string
				}
				s.get("/users?"+query+"limit="+limit+"&after="+after, &list)
				found = append(found, list.Users...)
				if list.Next == nil {
					break
				}
				after = *list.Next
			}
			assert.JSONEq(t, asJSON(t, want), asJSON(t, found), "%s, %s at a time", query, limit)
		}
	}

	want := []schema.Deadline{}
	for after := ""; ; {
		var list struct {
			Deadlines []schema.Deadline
			Next      *string
		}
		s.get("/deadlines?limit=7&after="+after, &list)
		want = append(want, list.Deadlines...)
		if list.Next == nil {
			break
		}
		after = *list.Next
	}
	for i := 1; i < len(want); i++ {
		assert.False(t, want[i].DueAt.Before(want[i-1].DueAt))
	}
	calendar := s.ask(http.MethodGet, api.Prefix+"/deadlines.ics", asked{})
	assert.Equal(t, "text/calendar; charset=utf-8", calendar.header.Get("Content-Type"))
	assert.Contains(t, string(calendar.body), "BEGIN:VCALENDAR")

	claimed := s.planned("?activation_emails=true", good(t))
	s.post("/imports/"+claimed.ID+"/consent", `{"accept_permanent":true,"claims":20}`)
	for more := true; more; {
		var err error
		number, _ := strconv.ParseInt(claimed.ID, 10, 64)
		more, err = s.flow.Step(t.Context(), number, 0, pipeline.Watch{})
		require.NoError(t, err)
	}
	var mails []schema.OutboxEntry
	for after := ""; ; {
		var list api.Outbox
		s.get("/outbox?state=waiting&limit=7&after="+after, &list)
		mails = append(mails, list.Outbox...)
		if list.Next == nil {
			break
		}
		after = *list.Next
	}
	kinds := map[string]int{}
	for _, mail := range mails {
		kinds[mail.Kind]++
	}
	assert.Equal(t, 20, kinds["claim"])
	assert.Positive(t, kinds["activation"])
	var theirs api.Outbox
	s.ask(http.MethodGet, api.Prefix+"/outbox", asked{token: s.theirs}).into(t, &theirs)
	assert.Empty(t, theirs.Outbox)

	var eligible people.EligibleList
	s.get("/eligible?domain=acme.example", &eligible)
	command, err := s.people().ListEligible(t.Context(), "acme", people.Selection{Domain: "acme.example"}, 250)
	require.NoError(t, err)
	assert.Equal(t, command, eligible)
	assert.Len(t, eligible.Users, 250)
	var exported strings.Builder
	_, err = s.people().Export(t.Context(), "acme", people.Selection{Type: schema.Delayed}, schema.Format{}, &exported, nil)
	require.NoError(t, err)
	assert.Equal(t, exported.String(), string(s.get("/eligible.csv?type=delayed", nil).body))
	var why people.Eligibility
	s.get("/eligible/nobody@acme.example", &why)
	assert.Equal(t, people.Eligibility{Email: "nobody@acme.example", Reasons: []schema.Code{schema.CodeUserNotFound}}, why)
}

func asJSON(t *testing.T, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	require.NoError(t, err)
	return string(text)
}

func TestClaimsByHand(t *testing.T) {
	s := start(t, options{})
	var eligible people.EligibleList
	s.get("/eligible?domain=acme.example&type=immediate&limit=2", &eligible)
	require.Len(t, eligible.Users, 2)
	first, second := eligible.Users[0].Email, eligible.Users[1].Email
	for body, want := range map[string]schema.Code{
		`{"accept_permanent":true}`: schema.CodeRequestInvalid, `{"addresses":["` + first + `"]}`: schema.CodeConsentMissing,
		`{"addresses":["` + first + `"],"listed":true,"accept_permanent":true}`:            schema.CodeRequestInvalid,
		`{"addresses":["` + first + `"],"services":["Telepathy"],"accept_permanent":true}`: schema.CodeServiceUnknown,
		`{"addresses":["` + strings.Repeat(first+" ", 26) + `"],"accept_permanent":true}`:  schema.CodeTooManyAddresses,
		`{"listed":true,"accept_permanent":true}`:                                          schema.CodeTooManyAddresses,
		`{"listed":true,"domain":"nobody.example","accept_permanent":true}`:                schema.CodeNobodyEligible,
		`{"addresses":["` + first + `"],"domain":"acme.example","accept_permanent":true}`:  schema.CodeRequestInvalid,
	} {
		out := s.post("/claims", body)
		assert.Equal(t, want, out.code(), "%.80s: %s", body, out.body)
		assert.Equal(t, want.Status(), out.status)
	}
	out := s.post("/claims", `{"addresses":["Ann Lee <`+first+`>","`+second+`"],"services":["webex meetings"],"accept_permanent":true}`)
	require.Equal(t, http.StatusCreated, out.status, string(out.body))
	var imp desk.Import
	out.into(t, &imp)
	assert.Equal(t, schema.StateCompleted, imp.State)
	assert.Equal(t, 2, imp.Claimed)
	var user schema.AccountView
	s.get("/users/"+first, &user)
	assert.Equal(t, [2]string{user.Edits["First Name"][0], "Ann"}, user.Edits["First Name"])
	assert.Contains(t, user.Licenses, "Webex Meetings")
	assert.Equal(t, imp.ID, *user.Claim.Import)

	out = s.post("/users/"+first+"/retract", "")
	require.Equal(t, http.StatusOK, out.status)
	assert.JSONEq(t, `{"email":"`+first+`","retracted":true}`, string(out.body))
	out = s.post("/users/"+first+"/retract", "")
	assert.Equal(t, http.StatusNotFound, out.status, "it is another organization's again")
	assert.Equal(t, schema.CodeNotDelayed, s.post("/users/"+second+"/remind", "").code())
	assert.Equal(t, http.StatusNoContent, s.ask(http.MethodDelete, api.Prefix+"/users/"+second, asked{}).status)
	assert.Equal(t, http.StatusNotFound, s.ask(http.MethodDelete, api.Prefix+"/users/"+second, asked{}).status)
	s.agree(s.planned("", good(t)))
	var delayed struct{ Users []schema.Listing }
	s.get("/users?status=delayed_claim&limit=1", &delayed)
	pending := delayed.Users[0].Email
	assert.Equal(t, http.StatusAccepted, s.post("/users/"+pending+"/remind", "").status)
	out = s.ask(http.MethodDelete, api.Prefix+"/users/"+pending, asked{})
	assert.Equal(t, http.StatusConflict, out.status)
	assert.Equal(t, schema.CodeClaimPending, out.code())
}

func TestSettings(t *testing.T) {
	s := start(t, options{idle: true})
	admin := s.tokens[schema.RoleAdmin]
	patch := func(body string) answered {
		return s.ask(http.MethodPatch, api.Prefix+"/organization", asked{token: admin, media: "application/json", body: strings.NewReader(body)})
	}
	var o schema.Organization
	patch(`{"bring_conversations":false,"retention_days":7}`).into(t, &o)
	assert.False(t, o.BringConversations)
	assert.Equal(t, 7, o.RetentionDays)
	assert.True(t, o.ActivationEmails, "what is not said stays")
	var after schema.Organization
	s.get("/organization", &after)
	assert.Equal(t, o, after)
	for _, body := range []string{`{"retention_days":-1}`, `{"name":"Evil AB"}`, `{"directory_sync":"on"}`} {
		assert.Equal(t, schema.CodeRequestInvalid, patch(body).code(), body)
	}
	s.get("/organization", &after)
	assert.Equal(t, o, after)

	domain := func(name, what string) answered { return s.post("/domains/"+name+"/"+what, "", admin) }
	var verified api.Verification
	domain("new.example", "verify").into(t, &verified)
	assert.Equal(t, schema.DomainPending, verified.Status)
	assert.Contains(t, *verified.Record, "claimline-domain-verification=")
	assert.Equal(t, schema.CodeDNSFailed, *verified.Code)
	assert.Equal(t, schema.CodeDomainNotVerified, domain("new.example", "claim").code())
	assert.Equal(t, schema.CodeDomainNotClaimed, domain("new.example", "release").code())
	assert.Equal(t, schema.CodeDomainInvalid, domain("-", "verify").code())
	var claimed api.Domain
	domain("acme.test", "claim").into(t, &claimed)
	assert.Equal(t, api.Domain{Domain: "acme.test", Status: schema.DomainClaimed}, claimed)
	domain("acme.test", "release").into(t, &claimed)
	assert.Equal(t, schema.DomainVerified, claimed.Status)
	var list api.Domains
	s.get("/domains", &list)
	assert.Contains(t, list.Domains, verified.Domain)
	var licenses api.Licenses
	s.get("/licenses?limit=1", &licenses)
	require.Len(t, licenses.Licenses, 1)
	require.NotNil(t, licenses.Next)
	assert.Equal(t, *licenses.Licenses[0].Quantity, licenses.Licenses[0].Held+*licenses.Licenses[0].Left)
}
