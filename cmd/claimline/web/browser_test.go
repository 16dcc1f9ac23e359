package web_test

import (
	"context"
	_ "embed" // the checks of accessibility
	"encoding/json"
	"fmt"
	"net/http"
	"net/mail"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/claimline/claimline/cmd/claimline/browsertest"
	"github.com/claimline/claimline/pipeline/notify"
	"github.com/claimline/claimline/pipeline/people"
	"github.com/claimline/claimline/schema"
)

//go:embed testdata/axe-4.14.1.min.js
var axe string

// scripts lets pages run their scripts, or not.
func scripts(on bool) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !on})
		return err
	})
}

// violations says what axe finds wrong with the page.
const violations = `axe.run(document, {resultTypes: ["violations"]}).then((r) => JSON.stringify(r.violations.map((v) =>
	v.id + ": " + v.help + " " + v.nodes.map((n) => n.target.join(" ") + " " + (n.any[0]?.message ?? "")).join("; "))))`

// show opens a page, and looks at it in every way that people have.
func (s *service) show(ctx context.Context, name, path string) {
	s.Helper()
	require.NoError(s, chromedp.Do(ctx, chromedp.Navigate(s.url+path)))
	s.look(ctx, name)
}

// look requires the page that is shown to be right at every width, light and dark: it fits, axe finds
// nothing. Pictures go where CLAIMLINE_PICTURES says.
func (s *service) look(ctx context.Context, name string) {
	s.Helper()
	folder := os.Getenv("CLAIMLINE_PICTURES")
	for _, view := range []struct {
		scheme  string
		width   int64
		checked bool // by axe: each scheme and each layout once
	}{{"light", 360, true}, {"light", 800, false}, {"light", 1400, false}, {"dark", 360, false}, {"dark", 1400, true}} {
		if view.scheme == "dark" && !view.checked && folder == "" {
			continue
		}
		require.NoError(s, chromedp.Do(ctx, browsertest.Colours(view.scheme), chromedp.EmulateViewport(view.width, 900)))
		over, err := chromedp.Run(ctx, chromedp.Evaluate[int](`document.documentElement.scrollWidth - document.documentElement.clientWidth`))
		require.NoError(s, err)
		assert.LessOrEqual(s, over, 0, "%s is too wide at %d pixels", name, view.width)
		if folder != "" {
			picture, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
			require.NoError(s, err)
			require.NoError(s, os.WriteFile(filepath.Join(folder, fmt.Sprintf("%s-%s-%d.png", name, view.scheme, view.width)), picture, 0o600))
		}
		if !view.checked {
			continue
		}
		text, err := chromedp.Run(ctx, chromedp.Evaluate[string](axe+"\n;"+violations, chromedp.EvalAwaitPromise))
		require.NoError(s, err)
		var wrong []string
		require.NoError(s, json.Unmarshal([]byte(text), &wrong))
		assert.Empty(s, wrong, "%s, %s, %d pixels", name, view.scheme, view.width)
	}
}

// play is somebody at a browser.
type play struct {
	*service
	ctx    context.Context              //nolint:containedctx // it is the browser
	owners map[schema.ClaimType][]owner // of the first import
}

func (p *play) do(actions ...chromedp.Action[chromedp.Void]) {
	p.Helper()
	require.NoError(p, chromedp.Do(p.ctx, actions...))
}

// click clicks, and waits for what is to come.
func (p *play) click(selector, then string) {
	p.Helper()
	p.do(chromedp.Click(chromedp.CSS(selector)), chromedp.WaitVisible(chromedp.CSS(then)))
}

// says returns what the page says.
func (p *play) says() string {
	p.Helper()
	text, err := chromedp.Run(p.ctx, chromedp.Text(chromedp.CSS("main")))
	require.NoError(p, err)
	return text
}

func (p *play) open(path string) {
	p.Helper()
	p.do(chromedp.Navigate(p.url + path))
}

func (p *play) signIn(next string) {
	p.Helper()
	p.open("/sign-in?next=" + next)
	p.do(chromedp.SendKeys(chromedp.CSS("#token"), p.tokens[schema.RoleAdmin]))
	p.click("main button", "nav.pages")
}

// upload sends a file of this name and content, and waits for its plan.
func (p *play) upload(name, content string) string {
	p.Helper()
	file := filepath.Join(p.TempDir(), name)
	require.NoError(p, os.WriteFile(file, []byte(content), 0o600))
	p.open("/imports/new")
	p.do(chromedp.SetUploadFiles(chromedp.CSS("#file"), []string{file}))
	p.click("main button", "#next")
	return p.says()
}

// agree types the number, and waits for the end.
func (p *play) agree(claims string) string {
	p.Helper()
	p.do(chromedp.SendKeys(chromedp.CSS("#claims"), claims))
	p.click("section.decide button", ".state.completed, .state.completed_with_errors")
	return p.says()
}

const header = "User ID/Email (Required)\n"

func TestPagesInABrowser(t *testing.T) {
	folder, err := filepath.EvalSymlinks(t.TempDir())
	require.NoError(t, err)
	s := start(t, options{folders: []string{folder}})
	p := &play{s, browsertest.Start(t), s.owners()}
	var asked browsertest.Requests
	require.NoError(t, chromedp.Listen(p.ctx, asked.Listen))
	p.signIn("/")
	p.corrects()
	p.claimsFromTheList()
	p.chooses()
	p.withoutScripts()
	p.tour()
	p.signIn("/")
	s.playSchedule(p.ctx, folder)
	s.playSettings(p.ctx)
	s.playDirectory(p.ctx)
	for _, url := range asked.URLs() {
		assert.True(t, strings.HasPrefix(url, s.url) || strings.HasPrefix(url, "data:"), url)
	}
}

// corrects imports a file with problems, and then the file of those, corrected.
func (p *play) corrects() {
	p.Helper()
	var eligible people.EligibleList
	p.get("/eligible?domain=acme.test", &eligible)
	right, mended := eligible.Users[0].Email, eligible.Users[1].Email
	broken := strings.Replace(mended, "@", " at ", 1)
	plan := p.upload("faulty.csv", header+right+"\n"+broken+"\nnobody@acme.test\n")
	assert.Contains(p, plan, "1 of 3 users would be claimed.")
	assert.Contains(p, plan, "To correct in your file")
	p.look(p.ctx, "consent")
	assert.Contains(p, p.agree("1"), "The import claimed 1 of 3 users;")
	path, err := chromedp.Run(p.ctx, chromedp.Evaluate[string](`location.pathname`))
	require.NoError(p, err)
	problems := p.signedIn(schema.RoleViewer, "en").open(path + "/report?format=csv&only=problems").text
	assert.Contains(p, problems, broken)
	again := p.upload("problems.csv", strings.Replace(problems, broken, mended, 1))
	assert.Contains(p, again, "1 of 2 users would be claimed.")
	assert.Contains(p, p.agree("1"), "The import claimed 1 of 2 users;")
	assert.NotNil(p, p.account(mended).Claim)
}

// claimsFromTheList claims by list, in three steps, and takes it back.
func (p *play) claimsFromTheList() {
	p.Helper()
	p.open("/claim?domain=acme.example&type=immediate")
	p.click("td.pick input", "[data-chosen]")
	assert.Contains(p, p.says(), "1 chosen")
	p.click(".go button", "fieldset")
	p.look(p.ctx, "services")
	p.click("fieldset input", "fieldset input:checked")
	p.click("main form button", `input[name="accept_permanent"]`)
	assert.Contains(p, p.says(), "1 user would be claimed.")
	p.look(p.ctx, "confirm-claim")
	p.do(chromedp.Click(chromedp.CSS(`input[name="accept_permanent"]`)))
	p.click("main form button", ".state.completed")
	assert.Contains(p, p.says(), "The import claimed 1 of 1 user.")
	p.click(`a[href$="/retract"]`, "button.danger")
	assert.Contains(p, p.says(), "1 claim can be taken back")
	p.click("button.danger", `main a[role="button"]`)
	assert.Contains(p, p.says(), "1 claim was taken back")
	p.look(p.ctx, "retracted")
}

// chooses makes an owner's choice from the mail that was sent.
func (p *play) chooses() {
	p.Helper()
	o := p.users("claim_type=delayed&retractable=true")[0]
	mails := &post{}
	templates, err := notify.LoadTemplates("")
	require.NoError(p, err)
	sender, err := notify.New(notify.Config{
		Store: p.store, Policy: schema.DefaultPolicy(), BaseURL: p.url, Templates: templates, Zone: time.UTC, Lease: 10 * time.Second, Persist: p.flow.Persist,
		SMTP: notify.SMTP{Host: "127.0.0.1", Port: mails.listen(p.T), Security: notify.Clear, From: &mail.Address{Address: "it@acme.example"}, PerMinute: 1000},
	})
	require.NoError(p, err)
	for more := true; more; {
		more, err = sender.RunOnce(p.Context(), time.Now())
		require.NoError(p, err)
	}
	link := mails.link(p.T, o.Email)
	require.True(p, strings.HasPrefix(link, p.url+"/choose/"), link)
	p.do(chromedp.Navigate(link))
	p.look(p.ctx, "choose-delayed")
	p.click("main form button", "#new_email")
	p.look(p.ctx, "choose-delayed-choices")
	p.do(chromedp.SendKeys(chromedp.CSS("#new_email"), o.Email))
	p.click("section:has(#new_email) button", `[role="alert"]`)
	p.look(p.ctx, "choose-refused")
	p.do(chromedp.SetValue(chromedp.CSS("#new_email"), "mine@elsewhere.example"))
	p.click("section:has(#new_email) button", "dl.facts dd")
	p.do(chromedp.WaitNotPresent(chromedp.CSS("#new_email")))
	p.look(p.ctx, "chosen")
	p.account("mine@elsewhere.example")
}

// withoutScripts imports a file, claims from the list, takes that back and makes a choice where no script
// runs.
func (p *play) withoutScripts() {
	p.Helper()
	p.do(scripts(false))
	defer func() { p.do(scripts(true)) }()
	assert.Contains(p, p.upload("again.csv", good(p.T)), "Unchanged")
	p.open("/claim?domain=acme.example&type=immediate")
	p.do(chromedp.Click(chromedp.CSS("td.pick input")), chromedp.SendKeys(chromedp.CSS("#search"), "nobody.at.all"))
	p.click("#choose button", `details input[name="address"]:checked`)
	assert.Contains(p, p.says(), "1 chosen user is not in this list")
	p.click(".go button", "fieldset")
	p.click("main form button", `input[name="accept_permanent"]`)
	p.do(chromedp.Click(chromedp.CSS(`input[name="accept_permanent"]`)))
	p.click("main form button", ".state.completed")
	assert.Contains(p, p.says(), "The import claimed 1 of 1 user.")
	p.click(`a[href$="/retract"]`, "button.danger")
	p.click("button.danger", `main a[role="button"]`)
	assert.Contains(p, p.says(), "1 claim was taken back")
	path := p.owners[schema.Immediate][0].path
	p.open(path)
	p.click("main button", "#new_email")
	p.click("section:last-of-type button", "button.danger")
	p.do(chromedp.Click(chromedp.CSS("button.danger")), chromedp.WaitNotPresent(chromedp.CSS("form[method=post]:not([action])")))
	assert.Equal(p, http.StatusNotFound, p.visit("en").open(path).status)
}

// tour looks at every page.
func (p *play) tour() {
	p.Helper()
	text, err := os.ReadFile(filepath.Join(samples, "edited.csv"))
	require.NoError(p, err)
	p.show(p.ctx, "choose-immediate", p.owners[schema.Immediate][1].path)
	p.click("main form button", "#new_email")
	p.look(p.ctx, "choose-immediate-choices")
	p.click("section:last-of-type button", "button.danger")
	p.look(p.ctx, "choose-delete")
	p.show(p.ctx, "ended", "/choose/x")
	p.show(p.ctx, "plan", "/imports/"+p.planned("?file=edited.csv", string(text)).ID)
	claimed, delayed := p.users("claim_type=immediate&retractable=true")[0].Email, p.users("status=delayed_claim")[0].Email
	for _, page := range [][2]string{
		{"home", "/"}, {"new", "/imports/new"}, {"imports", "/imports"}, {"done", "/imports/1"}, {"retract", "/imports/1/retract"}, {"missing", "/nothing"},
		{"claim", "/claim"}, {"claim-search", "/claim?search=lundqvist"}, {"claim-nobody", "/claim?search=nobody.at.all"}, {"claim-why", "/claim?why=nobody@acme.test"},
		{"users", "/users"}, {"users-sorted", "/users?sort=days_left&retractable=yes"}, {"user", "/users/" + delayed}, {"user-immediate", "/users/" + claimed},
		{"user-retract", "/users/" + delayed + "/retract"}, {"user-remove", "/users/" + claimed + "/remove"},
		{"deadlines", "/deadlines"}, {"schedules", "/schedules"}, {"directory", "/directory"}, {"settings", "/settings"},
	} {
		p.show(p.ctx, page[0], page[1])
	}
	for name, content := range map[string]string{
		"choice-encoding": "First Name," + header + "\x80ngla,angla.noren@acme.test\n", "choice-column": "Claim this one," + header + "TRUE,angla.noren@acme.test\n", "unreadable": "a,b\n1,2\n",
	} {
		file := filepath.Join(p.TempDir(), name+".csv")
		require.NoError(p, os.WriteFile(file, []byte(content), 0o600))
		p.open("/imports/new")
		p.do(chromedp.SetUploadFiles(chromedp.CSS("#file"), []string{file}))
		p.click("main button", `[role="alert"]`)
		p.look(p.ctx, name)
	}
	p.open("/claim")
	p.click(".go button", `[role="alert"]`)
	p.look(p.ctx, "claim-refused")
	p.do(chromedp.Click(chromedp.CSS("footer form:last-of-type button")), chromedp.WaitVisible(chromedp.CSS("#token")))
	p.look(p.ctx, "sign-in")
}

// users lists users.
func (s *service) users(query string) []schema.Listing {
	s.Helper()
	var list struct{ Users []schema.Listing }
	s.get("/users?"+query, &list)
	require.NotEmpty(s, list.Users, query)
	return list.Users
}
