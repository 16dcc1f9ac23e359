package web_test

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"
	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"github.com/claimline/claimline/cmd/claimline/web/api"
	"github.com/claimline/claimline/pipeline/people"
	"github.com/claimline/claimline/schema"
)

func TestClaimingFromAList(t *testing.T) {
	s := start(t, options{})
	v := s.signedIn(schema.RoleOperator, "en").open("/claim")
	assert.Equal(t, http.StatusOK, v.status)
	assert.Contains(t, v.says(), "users can be claimed.")
	assert.Contains(t, v.says(), "The first 250 are listed.")
	var listed people.EligibleList
	s.get("/eligible", &listed)
	assert.Contains(t, v.says(), message.NewPrinter(language.English).Sprintf("%d users can be claimed.", listed.Total))
	v.press("Filter", "search=ZETTERSTRÖM")
	last := v.says() // none of the first 250
	assert.Regexp(t, `\d+ of the users who can be claimed match\.`, last)
	assert.Contains(t, strings.ToLower(last), "zetterstrom")
	assert.Contains(t, v.open("/claim?search=nobody.at.all").says(), "None of the users who can be claimed matches.")
	v.open("/claim").press("Filter", "domain=acme.test")
	assert.NotContains(t, v.text, "checked")
	v.press("Choose all that are listed")
	assert.Greater(t, strings.Count(v.text, `name="address" value="`), 100)
	assert.Equal(t, strings.Count(v.text, `name="address" value="`), strings.Count(v.text, "checked"))
	assert.NotContains(t, v.says(), "@acme.example")
	v.press("Tell me why", "why=nobody@acme.example")
	assert.Contains(t, v.says(), "nobody@acme.example cannot be claimed")
	chosenOnes := strings.Count(v.text, "checked")
	assert.Equal(t, strings.Count(v.text, `name="address" value="`), chosenOnes, "who was chosen stays so")
	v.press("Filter", "search=lundqvist", "domain=acme.example", "type=delayed")
	assert.Contains(t, v.says(), itoa(chosenOnes)+" chosen users are not in this list")
	assert.Equal(t, chosenOnes, strings.Count(v.text, "checked"))
	assert.Greater(t, strings.Count(v.text, `name="address" value="`), chosenOnes)
	v.press("Tell me why", "why="+listed.Users[0].Email)
	v.press("Choose this user")
	assert.Equal(t, chosenOnes+1, strings.Count(v.text, "checked"))
	assert.Contains(t, v.text, `<option value="delayed" selected>`, "the filter stays too")
	v.press("Go on with the chosen users")
	assert.Contains(t, v.says(), itoa(chosenOnes+1)+" users are chosen.")
	assert.NotContains(t, v.open("/claim").says(), "not in this list")
	v.send("/claim", url.Values{"step": {"filter"}, "address": {listed.Users[0].Email, strings.ToUpper(listed.Users[0].Email), "nobody@acme.test"}})
	assert.Equal(t, 2, strings.Count(v.text, "checked"), "each is there once")
	many := url.Values{"step": {"filter"}, "search": {"nobody.at.all"}}
	for i := range 251 {
		many.Add("address", itoa(i)+"@acme.test")
	}
	assert.Equal(t, http.StatusUnprocessableEntity, v.send("/claim", many).status)
	v.open("/eligible.csv?search=zetterstrom&domain=acme.test")
	assert.NotContains(t, strings.ToLower(v.text), "lundqvist")
	v.open("/claim")
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

	// All in one go.
	other := url.Values{"address": {listed.Users[1].Email, listed.Users[2].Email}, "service": {"Webex Meetings"}}
	v.send("/claim", other)
	assert.Equal(t, "Confirm the claim", v.heading(), "services are chosen already")
	other.Set("claims", "3")
	v.send("/claim", other)
	assert.Equal(t, http.StatusUnprocessableEntity, v.status)
	other.Set("accept_permanent", "yes")
	v.send("/claim", other)
	assert.Equal(t, http.StatusConflict, v.status)
	assert.Contains(t, v.says(), "2 users would be claimed.", "it is asked again about the plan as it is")
	assert.Nil(t, s.account(listed.Users[1].Email).Claim)
	other.Del("claims")
	v.send("/claim", other)
	assert.Regexp(t, `^/imports/\d+$`, v.at.Path)
	require.NotNil(t, s.account(listed.Users[1].Email).Claim)
	assert.Contains(t, s.account(listed.Users[2].Email).Claim.Services, "Webex Meetings")

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
	assert.Contains(t, v.says(), "The owner will be mailed once mail is set up.")
	assert.Contains(t, v.says(), "The user cannot be removed. ")
	v.open(path + "/retract")
	assert.Equal(t, "Take the claim back?", v.heading())
	assert.NotNil(t, s.account(o.email()).Claim, "it is asked first")
	v.press("Take the claim back")
	assert.Equal(t, "/users", v.at.Path)
	assert.Contains(t, v.says(), "The claim was taken back.")
	assert.Nil(t, s.account(o.email()).Claim)

	immediate := owners[schema.Immediate][0]
	member := "/users/" + url.PathEscape(immediate.email())
	v.open(member + "/remove")
	assert.Equal(t, "Remove the user?", v.heading())
	assert.Contains(t, v.says(), "Your claim is closed for good.")
	v.press("Remove the user")
	assert.Contains(t, v.says(), "The user was removed.")
	assert.Equal(t, http.StatusNotFound, v.open(member).status)
	assert.Equal(t, http.StatusNotFound, v.send(member+"/remove", nil).status)
	pending := "/users/" + url.PathEscape(owners[schema.Delayed][1].email())
	assert.Equal(t, pending, v.open(pending+"/remove").at.Path, "it says why not")
	assert.Equal(t, http.StatusConflict, v.send(pending+"/remove", nil).status)
	viewer := s.signedIn(schema.RoleViewer, "sv").open(pending)
	assert.NotContains(t, viewer.text, "/retract")
	assert.Equal(t, http.StatusForbidden, viewer.open(pending+"/remove").status)
	assert.Equal(t, http.StatusNotFound, v.open("/users/nobody@acme.test").status)
}

func TestOverview(t *testing.T) {
	s := start(t, options{})
	v := s.signedIn(schema.RoleViewer, "en").open("/")
	assert.Contains(t, v.says(), "No import has ended yet.")
	assert.Contains(t, v.says(), "Nothing waits for you.")
	count := func(domain, what string) int { // of a domain, as the page has it
		v.Helper()
		card, _ := v.find(v.page, "li", func(li *html.Node) bool { return strings.HasPrefix(words(li), domain+" ") })
		require.NotNil(t, card, domain)
		pair, _ := v.find(card, "div", func(div *html.Node) bool { return strings.HasPrefix(words(div), what+" ") })
		require.NotNil(t, pair, what)
		n, err := strconv.Atoi(strings.ReplaceAll(strings.TrimPrefix(words(pair), what+" "), ",", ""))
		require.NoError(t, err)
		return n
	}
	before := map[string]int{}
	for _, domain := range []string{"acme.test", "acme.example"} {
		var eligible people.EligibleList
		s.get("/eligible?domain="+domain, &eligible)
		before[domain] = eligible.Total
		assert.Equal(t, eligible.Total, count(domain, "Can be claimed"))
	}
	assert.Positive(t, count("acme.example", "Cannot be claimed"))
	assert.Contains(t, v.says(), "Why they cannot be claimed")

	claimed := count("acme.test", "Claimed")
	s.agree(s.planned("?file=good.csv", good(t)))
	s.planned("?file=waits.csv", "User ID/Email (Required)\nangla.noren@acme.test\n")
	v.open("/")
	assert.Contains(t, v.says(), "waits.csv")
	assert.Contains(t, v.says(), "good.csv")
	var held struct{ Users []schema.Listing }
	s.get("/users?search=@acme.test&claim_type=immediate&limit=1000", &held)
	more := len(held.Users)
	s.get("/users?search=@acme.test&claim_type=delayed&limit=1000", &held)
	assert.Greater(t, more+len(held.Users), claimed)
	assert.Equal(t, more+len(held.Users), count("acme.test", "Claimed"))
	assert.Equal(t, before["acme.test"]+claimed-more-len(held.Users), count("acme.test", "Can be claimed"))
	assert.Contains(t, s.signedIn(schema.RoleViewer, "sv").open("/").says(), "Anspråk kan göras på ytterligare")
}

// Sorted by the days that are left, page by page, the users are those that are listed by address.
func TestUsersInOrder(t *testing.T) {
	s := start(t, options{})
	s.owners()
	v := s.signedIn(schema.RoleViewer, "en")
	all := func(query string) (addresses []string, days []int) {
		for v.open("/users?" + query); ; {
			for row := range v.page.Descendants() {
				if row.Data != "tr" {
					continue
				}
				var cells []string
				for cell := range row.ChildNodes() {
					if cell.Data == "td" {
						cells = append(cells, words(cell))
					}
				}
				if len(cells) == 0 {
					continue
				}
				left, err := strconv.Atoi(cells[3])
				if err != nil {
					left = -1
				}
				addresses, days = append(addresses, cells[0]), append(days, left)
			}
			more, _ := v.find(v.page, "a", func(a *html.Node) bool { return words(a) == "More users" })
			if more == nil {
				return addresses, days
			}
			v.open(attribute(more, "href"))
		}
	}
	for _, filter := range []string{"", "retractable=yes", "claim_type=immediate", "search=lundqvist"} {
		byAddress, _ := all(filter)
		assert.NotEmpty(t, byAddress)
		soonest, up := all(filter + "&sort=days_left")
		assert.ElementsMatch(t, byAddress, soonest, filter)
		latest, down := all(filter + "&sort=-days_left")
		assert.ElementsMatch(t, byAddress, latest, filter)
		for i := 1; i < len(up); i++ {
			assert.True(t, up[i] == -1 || up[i-1] != -1 && up[i-1] <= up[i], "%s: %d after %d", filter, up[i], up[i-1])
			assert.GreaterOrEqual(t, down[i-1], down[i], filter)
		}
	}
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
