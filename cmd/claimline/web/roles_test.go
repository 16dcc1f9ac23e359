package web_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/claimline/claimline/cmd/claimline/web/api"
	"github.com/claimline/claimline/cmd/claimline/web/auth"
	"github.com/claimline/claimline/schema"
)

// roles is what each operation needs, as the contract has it.
var roles = map[string]schema.Role{
	"GET /me":                        schema.RoleViewer,
	"POST /imports":                  schema.RoleOperator,
	"GET /imports":                   schema.RoleViewer,
	"GET /imports/{id}":              schema.RoleViewer,
	"GET /imports/{id}/rows":         schema.RoleViewer,
	"GET /imports/{id}/report":       schema.RoleViewer,
	"GET /imports/{id}/events":       schema.RoleViewer,
	"POST /imports/{id}/consent":     schema.RoleOperator,
	"POST /imports/{id}/decline":     schema.RoleOperator,
	"POST /imports/{id}/cancel":      schema.RoleOperator,
	"POST /imports/{id}/resume":      schema.RoleOperator,
	"POST /imports/{id}/retract":     schema.RoleOperator,
	"GET /eligible":                  schema.RoleViewer,
	"GET /eligible.csv":              schema.RoleViewer,
	"GET /eligible.xlsx":             schema.RoleViewer,
	"GET /eligible/{email}":          schema.RoleViewer,
	"POST /claims":                   schema.RoleOperator,
	"GET /users":                     schema.RoleViewer,
	"GET /users/{email}":             schema.RoleViewer,
	"POST /users/{email}/retract":    schema.RoleOperator,
	"POST /users/{email}/remind":     schema.RoleOperator,
	"DELETE /users/{email}":          schema.RoleOperator,
	"GET /deadlines":                 schema.RoleViewer,
	"GET /deadlines.ics":             schema.RoleViewer,
	"GET /organization":              schema.RoleViewer,
	"PATCH /organization":            schema.RoleAdmin,
	"GET /domains":                   schema.RoleViewer,
	"POST /domains/{domain}/verify":  schema.RoleAdmin,
	"POST /domains/{domain}/claim":   schema.RoleAdmin,
	"POST /domains/{domain}/release": schema.RoleAdmin,
	"GET /licenses":                  schema.RoleViewer,
	"GET /outbox":                    schema.RoleViewer,
	"GET /schedules":                 schema.RoleViewer,
	"POST /schedules":                schema.RoleAdmin,
	"GET /schedules/{name}":          schema.RoleViewer,
	"PATCH /schedules/{name}":        schema.RoleAdmin,
	"DELETE /schedules/{name}":       schema.RoleAdmin,
	"POST /schedules/{name}/run":     schema.RoleAdmin,
	"GET /schedules/{name}/runs":     schema.RoleViewer,
	"POST /directory/preview":        schema.RoleViewer,
}

// operations lists the operations that the description has.
func (s *service) operations() (list []string) {
	s.Helper()
	for path, methods := range s.document().at("paths").(map[string]any) {
		for method := range methods.(map[string]any) {
			list = append(list, strings.ToUpper(method)+" "+strings.TrimPrefix(path, api.Prefix))
		}
	}
	return list
}

// Every operation wants a token, and one whose role is high enough, before it looks at anything else.
func TestEveryOperationWantsItsRole(t *testing.T) {
	s := start(t, options{idle: true})
	described := s.operations()
	var known []string
	for operation := range roles {
		known = append(known, operation)
	}
	require.ElementsMatch(t, known, described)

	fill := strings.NewReplacer("{id}", "99", "{email}", "nobody@nowhere.example", "{domain}", "nowhere.example", "{name}", "nothing")
	expired := s.token("acme", schema.RoleAdmin, "expired", time.Now().Add(-time.Second))
	for operation, needed := range roles {
		method, path, _ := strings.Cut(operation, " ")
		path = api.Prefix + fill.Replace(path)
		ask := func(token string) answered {
			return s.ask(method, path, asked{token: token, media: "application/json", body: strings.NewReader("{")})
		}
		assert.Equal(t, schema.CodeTokenMissing, ask("none").code(), operation)
		assert.Equal(t, schema.CodeTokenInvalid, ask(expired).code(), operation)
		for _, role := range schema.Roles {
			out := ask(s.tokens[role])
			if role.May(needed) {
				assert.NotContains(t, []int{http.StatusUnauthorized, http.StatusForbidden}, out.status, "%s as %s", operation, role)
				assert.Less(t, out.status, http.StatusInternalServerError, "%s as %s: %s", operation, role, out.body)
			} else {
				assert.Equal(t, schema.CodeRoleTooLow, out.code(), "%s as %s", operation, role)
			}
		}
	}
}

// What another organization has is answered as what there is not, to the byte.
func TestOtherOrganizationsAreNotThere(t *testing.T) {
	s := start(t, options{idle: true})
	imp := s.planned("", good(t))
	const theirs, nobody = "ida.kjaer@acme-labs.example", "nobody@acme-labs.example" // one of acme's members
	require.Equal(t, http.StatusOK, s.get("/users/"+theirs, nil).status)
	bodies := map[string]string{
		"POST /imports/{id}/consent": `{"accept_permanent":true,"claims":20}`, "POST /imports/{id}/retract": `{"dry_run":true}`,
	}
	for operation := range roles {
		method, path, _ := strings.Cut(operation, " ")
		var there, missing string
		switch {
		case strings.Contains(path, "{id}"):
			there, missing = strings.ReplaceAll(path, "{id}", imp.ID), strings.ReplaceAll(path, "{id}", "99")
		case strings.Contains(path, "/users/{email}"):
			there, missing = strings.ReplaceAll(path, "{email}", theirs), strings.ReplaceAll(path, "{email}", nobody)
		default:
			continue
		}
		ask := func(path string) string {
			in := asked{token: s.theirs}
			if body, ok := bodies[operation]; ok {
				in.media, in.body = "application/json", strings.NewReader(body)
			}
			out := s.ask(method, api.Prefix+path, in)
			assert.Equal(t, http.StatusNotFound, out.status, operation)
			text := strings.ReplaceAll(string(out.body), "import "+imp.ID, "import 99")
			return strings.ReplaceAll(text, theirs, nobody)
		}
		assert.Equal(t, ask(missing), ask(there), operation)
	}
	// Lists are their own.
	for path, list := range map[string]string{"/imports": "imports", "/domains": "domains"} {
		var found map[string]json.RawMessage
		s.ask(http.MethodGet, api.Prefix+path, asked{token: s.theirs}).into(t, &found)
		assert.NotContains(t, string(found[list]), "acme")
	}
	var state struct{ State schema.ImportState }
	s.get("/imports/"+imp.ID, &state)
	assert.Equal(t, schema.StateAwaitingConsent, state.State, "nothing has happened to it")
}

func TestTokens(t *testing.T) {
	s := start(t, options{idle: true})
	me := func(header ...string) answered {
		in := asked{token: "none", header: http.Header{}}
		for _, value := range header {
			in.header.Add("Authorization", value)
		}
		return s.ask(http.MethodGet, api.Prefix+"/me", in)
	}
	token := s.tokens[schema.RoleViewer]
	out := me("bearer " + token)
	require.Equal(t, http.StatusOK, out.status)
	assert.JSONEq(t, `{"organization":{"id":"acme","name":"Acme AB"},"role":"viewer","token":"viewer"}`, string(out.body))
	for _, wrong := range []string{"", "Basic " + token, token} {
		out := me(wrong)
		assert.Equal(t, schema.CodeTokenMissing, out.code(), wrong)
		assert.Contains(t, out.header.Get("WWW-Authenticate"), "Bearer")
	}
	assert.Equal(t, schema.CodeTokenMissing, me("Bearer "+token, "Bearer "+token).code())

	typo := me("Bearer " + token[:20] + "x" + token[21:])
	assert.Equal(t, schema.CodeTokenInvalid, typo.code())
	assert.Contains(t, string(typo.body), "typing error")
	other := me("Bearer " + auth.NewToken())
	assert.Equal(t, schema.CodeTokenInvalid, other.code())
	assert.NotContains(t, string(other.body), "typing error")

	require.NoError(t, s.store.RevokeToken(t.Context(), "acme", "viewer"))
	assert.Equal(t, schema.CodeTokenInvalid, me("Bearer "+token).code(), "at once")
}

// Who guesses is not listened to for a while; who has a token is.
func TestGuessingTokens(t *testing.T) {
	now := time.Now() // and no time passes
	s := start(t, options{idle: true, now: func() time.Time { return now }})
	codes := map[schema.Code]int{}
	for range auth.TokenFailures + 4 {
		out := s.ask(http.MethodGet, api.Prefix+"/me", asked{token: auth.NewToken()})
		codes[out.code()]++
		if out.code() == schema.CodeTooManyRequests {
			assert.Regexp(t, `^[1-9][0-9]?$`, out.header.Get("Retry-After"))
		}
	}
	assert.Equal(t, map[schema.Code]int{schema.CodeTokenInvalid: auth.TokenFailures, schema.CodeTooManyRequests: 4}, codes)
	s.get("/me", nil)
}

func TestOddRequests(t *testing.T) {
	s := start(t, options{idle: true})
	for path, want := range map[string]schema.Code{
		"/nothing": schema.CodeNotFound, "/imports/1/nothing": schema.CodeNotFound, "/imports?limit=0": schema.CodeLimitInvalid,
		"/imports?limit=1001": schema.CodeLimitInvalid, "/imports?limit=x": schema.CodeLimitInvalid, "/users?limit=-1": schema.CodeLimitInvalid,
		"/imports?state=odd": schema.CodeRequestInvalid, "/imports?nothing=1": schema.CodeRequestInvalid, "/imports?after=x": schema.CodeRequestInvalid,
		"/users?after=%25": schema.CodeRequestInvalid, "/deadlines?after=eA": schema.CodeRequestInvalid, "/deadlines?within=soon": schema.CodeRequestInvalid,
		"/domains?after=eA": schema.CodeRequestInvalid, "/users?retractable=perhaps": schema.CodeRequestInvalid, "/eligible?domain=" + url.QueryEscape("no domain"): schema.CodeDomainInvalid,
		"/imports/-1": schema.CodeImportNotFound, "/imports/1e9": schema.CodeImportNotFound, "/imports/99999999999999999999": schema.CodeImportNotFound,
		"/users/" + url.PathEscape("no address"): schema.CodeUserNotFound,
	} {
		assert.Equal(t, want, s.ask(http.MethodGet, api.Prefix+path, asked{}).code(), path)
	}
	out := s.ask(http.MethodPut, api.Prefix+"/imports", asked{})
	assert.Equal(t, schema.CodeMethodNotAllowed, out.code())
	assert.Equal(t, http.StatusMethodNotAllowed, out.status)
	assert.Contains(t, out.header.Get("Allow"), "POST")
	assert.Equal(t, schema.CodeNotFound, s.ask(http.MethodGet, "/elsewhere", asked{}).code())
	for _, body := range []string{"", "{", "[]", `{"dry_run":"yes"}`, `{"dry_run":true,"more":1}`, `{}`, `{"dry_run":true} {}`} {
		assert.Equal(t, schema.CodeRequestInvalid, s.post("/imports/1/retract", body).code(), body)
	}
	// A body that is hardly too long: who is still sending when the answer comes may not see it.
	assert.Equal(t, schema.CodeLimitExceeded, s.post("/claims", `{"addresses":["`+strings.Repeat("x", 1<<20)+`"]}`).code())
	assert.Equal(t, schema.CodeMediaTypeUnsupported, s.ask(http.MethodPost, api.Prefix+"/claims", asked{media: "text/plain", body: strings.NewReader("{}")}).code())
}
