package pipeline_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"

	"github.com/claimline/claimline/pipeline/store/testdb"
)

// This file makes up worlds: an organization that claims, others, their domains, people and claims, as a
// snapshot. It also holds a model of the rules that is as plain as can be, and shares nothing with the
// program.

var now = time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)

const (
	us  = "acme" // the claiming organization
	day = 24 * time.Hour

	// plain is an organization about which there is nothing special: its people in the first domain can be
	// claimed.
	plain = "umbrella"
)

// choices draws from rapid in few words, and evenly: rapid itself likes small numbers much better than
// others.
type choices struct{ *rapid.T }

// upTo returns a number from 0 to n.
func (c choices) upTo(n int) int {
	spread := rapid.Uint32().Draw(c.T, "choice") * 2654435769
	return int(uint64(spread) * uint64(n+1) >> 32)
}

// chance draws true in so many of a hundred cases.
func (c choices) chance(percent int) bool { return c.upTo(99) >= 100-percent }

func pick[T any](c choices, from ...T) T { return from[c.upTo(len(from)-1)] }

type organization struct {
	id, name, kind, created       string
	old                           bool // created on or before 2020-05-05 UTC
	sso, sync, bring, activations bool
}

type service struct {
	name      string
	quantity  int // negative: unlimited
	automatic bool
}

type person struct {
	id, email, key     string
	local, domain      string // of key, before IDNA
	organization       string
	status             string
	inactiveFor        time.Duration // negative: nobody knows
	conversations      string
	texts              [5]string // first, last and display name, title, department
	phone, language    string
	lastSignIn         string
	services           []string
	claimedBy          string // blank: nobody has an open claim
	claimType          string
	claimedFor         time.Duration
	claimServices      []string // of an open immediate claim of ours
	signedInAfterwards bool
}

type world struct {
	organizations []*organization              // ours first
	domains       map[string]map[string]string // domain → organization → verified or claimed
	services      []service                    // ours, by name
	people        []*person
	strict        string // policy.domain_elsewhere
	offline       bool   // nobody can be looked up
}

var createds = []struct {
	text string
	old  bool
}{
	{"2014-02-01", true}, {"2020-05-05", true}, {"2020-05-05T23:59:59Z", true}, {"2020-05-06T01:30:00+02:00", true},
	{"2020-05-06", false}, {"2020-05-05T20:00:00-04:30", false}, {"2024-10-11T12:13:14Z", false},
}

var (
	goodTexts     = []string{"", "Ann", "Åsa Öberg", "=1+1", "'=1", "'quoted'", `say "hi"`, "a;b,c|d", "-x", "李小龙", strings.Repeat("å", 64), "O'Neil", "@home", "NULL"}
	goodPhones    = []string{"", "", "+46701234567", "+12"}
	goodLanguages = []string{"", "", "sv", "en-US", "zh-Hant-TW", "SV-se"}
	domainNames   = []string{"acme.example", "åkeri.example", "labs.acme.example", "shared.example", "other.example", "lost.example", "sub.shared.example"}
	asciiDomains  = map[string]string{"åkeri.example": "xn--keri-poa.example"}
	locals        = []string{"ann.lee", "åsa", "o'neil", "+support", "=sum", "'=x", "-dash", "a_b", "李"}
)

func drawWorld(t *rapid.T) *world {
	c := choices{t}
	w := &world{domains: map[string]map[string]string{}, strict: pick(c, "claimed", "claimed", "verified", "overlapping")}
	for _, id := range []string{us, "globex", "hooli", "initech", "umbrella", "consumer"} {
		created := pick(c, createds...)
		o := &organization{
			id: id, name: pick(c, "Acme AB", "=Hooli", "'+Globex", "Åkeri, \"Norr\"; Syd", id), kind: pick(c, "personal", "personal", "enterprise", "consumer"),
			created: created.text, old: created.old, bring: c.chance(60), activations: c.chance(50),
		}
		switch id {
		case us:
			o.sso = c.chance(20)
		case plain:
			o.kind, o.created, o.old = "personal", "2019-01-01", true
		default:
			o.sso, o.sync = c.chance(20), c.chance(20)
		}
		w.organizations = append(w.organizations, o)
	}
	for i, domain := range domainNames {
		held := map[string]string{}
		w.domains[domain] = held
		claimed := false
		for _, o := range w.organizations {
			chance := 15
			if o.id == us {
				chance = []int{100, 100, 80, 80, 20, 0, 50}[i]
			}
			// Under each setting many are to be claimable: in the first domain nobody else hinders that.
			hinders := i == 0 && w.strict != "claimed" || domain == "labs.acme.example" && w.strict == "overlapping"
			if !c.chance(chance) || hinders && o.id != us {
				continue
			}
			held[o.id] = "verified"
			claims := 60 // often enough that some row of a few files is refused for it
			if o.id == us {
				claims = 30
			}
			if !claimed && i > 0 && c.chance(claims) {
				held[o.id], claimed = "claimed", true
			}
		}
	}
	for _, name := range []string{"=Rooms", "Calling", "Möten"} {
		if c.chance(70) {
			w.services = append(w.services, service{name: name, quantity: pick(c, -1, 0, 1, 4, 1000), automatic: c.chance(50)})
		}
	}
	for i := range 8 + c.upTo(25) {
		w.people = append(w.people, w.drawPerson(c, i))
	}
	return w
}

func (w *world) drawPerson(c choices, i int) *person {
	p := &person{
		id: "u" + strconv.Itoa(i), local: pick(c, locals...) + strconv.Itoa(i), organization: pick(c, w.organizations...).id,
		domain: pick(c, domainNames...), status: pick(c, "active", "active", "verified", "not_verified", "pending", "inactive", "inactive"),
		conversations: pick(c, "", "0", "17"), phone: pick(c, goodPhones...), language: pick(c, goodLanguages...),
		lastSignIn: pick(c, "", "2026-01-02", "2026-01-02T03:04:05+01:00"), inactiveFor: -1,
	}
	if c.chance(40) { // many are to be claimable
		p.organization, p.domain = pick(c, w.organizations[1:]...).id, domainNames[0]
	}
	for i := range p.texts {
		p.texts[i] = pick(c, goodTexts...)
	}
	if i < 6 { // some can be claimed in every world
		p.organization, p.domain, p.status = plain, domainNames[0], "active"
	}
	p.key = p.local + "@" + p.domain
	if ascii, ok := asciiDomains[p.domain]; ok {
		p.key = p.local + "@" + ascii
	}
	p.email = p.spelling(c)
	if c.chance(40) {
		p.inactiveFor = pick(c, 0, 30*day-time.Second, 30*day, 100*day)
	}
	if p.organization == us {
		for _, s := range w.services {
			if c.chance(30) {
				p.services = append(p.services, s.name)
			}
		}
	}
	if i >= 6 && c.chance(35) {
		by := pick(c, w.organizations...).id
		if c.chance(40) {
			by = us
		}
		if by != p.organization {
			p.claimedBy, p.claimType = by, pick(c, "immediate", "delayed")
			p.claimedFor = pick(c, 0, 5*day, 14*day-time.Second, 14*day, 44*day-time.Second, 44*day, 300*day)
			p.signedInAfterwards = c.chance(20)
		}
	}
	return p
}

// spelling returns the person's address in one of the ways in which people write it.
func (p *person) spelling(c choices) string {
	local, domain := p.local, p.domain
	if c.chance(20) {
		local = strings.ToUpper(local)
	}
	if c.chance(20) {
		local = norm.NFD.String(local)
	}
	if ascii, ok := asciiDomains[domain]; ok && c.chance(40) {
		domain = ascii
	}
	if c.chance(20) {
		domain = strings.ToUpper(domain)
	}
	return local + "@" + domain
}

var formula = regexp.MustCompile(`^'*[=+\-@\t\r]`)

// own returns what a person's account has in a column.
func (p *person) own(column string) string {
	switch column {
	case "Phone Number":
		return p.phone
	case "Preferred Language":
		return p.language
	}
	return p.texts[slices.Index(textColumns, column)]
}

// guard returns how a cell is written so that no spreadsheet runs it.
func guard(s string) string {
	if formula.MatchString(s) {
		return "'" + s
	}
	return s
}

func truth(b bool) string { return strings.ToUpper(strconv.FormatBool(b)) }

// snapshot writes the world into a folder, to be loaded.
func (w *world) snapshot(t require.TestingT, folder string) {
	var organizations, licenses, domains, users, claims [][]string
	for _, o := range w.organizations {
		organizations = append(organizations, []string{
			o.id, o.name, o.kind, o.created, truth(o.sso), truth(o.sync), truth(o.bring), truth(o.activations), "90",
		})
	}
	for _, s := range w.services {
		quantity := ""
		if s.quantity >= 0 {
			quantity = strconv.Itoa(s.quantity)
		}
		licenses = append(licenses, []string{us, s.name, quantity, truth(s.automatic)})
	}
	for _, domain := range domainNames {
		for _, o := range w.organizations {
			if status := w.domains[domain][o.id]; status != "" {
				domains = append(domains, []string{domain, o.id, status})
			}
		}
	}
	for _, p := range w.people {
		since := ""
		if p.inactiveFor >= 0 {
			since = now.Add(-p.inactiveFor).Format(time.RFC3339)
		}
		users = append(users, []string{
			p.id, p.email, p.texts[0], p.texts[1], p.texts[2], p.organization, p.status, since, p.lastSignIn, p.conversations,
			p.texts[3], p.texts[4], p.phone, p.language, strings.Join(p.services, ";"),
		})
		if p.claimedBy != "" {
			signedIn := ""
			if p.signedInAfterwards {
				signedIn = now.Format(time.RFC3339)
			}
			claims = append(claims, []string{p.email, p.claimedBy, p.claimType, now.Add(-p.claimedFor).Format(time.RFC3339), signedIn})
		}
	}
	table := func(name, header string, rows [][]string) {
		text := header + "\n"
		for _, row := range rows {
			cells := make([]string, len(row))
			for i, cell := range row {
				cells[i] = `"` + strings.ReplaceAll(guard(cell), `"`, `""`) + `"`
			}
			text += strings.Join(cells, ",") + "\n"
		}
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600))
	}
	table("organizations.csv", "id,name,kind,created,sso,directory_sync,bring_conversations,activation_emails,retention_days", organizations)
	table("licenses.csv", "organization_id,service,quantity,auto_assign", licenses)
	table("domains.csv", "domain,organization_id,status", domains)
	table("users.csv", "id,email,first_name,last_name,display_name,organization_id,status,inactive_since,last_sign_in,conversations,"+
		"title,department,phone,preferred_language,services", users)
	table("claims.csv", "email,organization_id,type,claimed_at,signed_in_at", claims)
}

// standing is where a person stands now, time having done what it does.
type standing struct {
	gone         bool
	organization string
	claimedBy    string
	inactiveFor  time.Duration
	services     []string
}

func (p *person) standing() standing {
	s := standing{organization: p.organization, claimedBy: p.claimedBy, inactiveFor: p.inactiveFor, services: p.services}
	if p.claimType == "delayed" && p.claimedBy != "" && p.claimedFor >= 14*day { // R21
		s.organization, s.claimedBy, s.inactiveFor, s.services = p.claimedBy, "", p.claimedFor-14*day, nil
	}
	s.gone = s.claimedBy == "" && p.status == "inactive" && s.inactiveFor >= 30*day // R23
	return s
}

// expected is what must become of a row.
type expected struct {
	line      int
	email     string
	outcome   string
	reasons   []string
	column    string
	claimType string
	warnings  []string
	licenses  []string
	edits     map[string][2]string
	other     int     // line of the row that makes this one wrong; 0: none does
	person    *person // whose address it bears; nil: nobody's, or the row is wrong
}

func (w *world) person(key string) *person {
	for _, p := range w.people {
		if p.key == key {
			return p
		}
	}
	return nil
}

func (w *world) organization(id string) *organization {
	for _, o := range w.organizations {
		if o.id == id {
			return o
		}
	}
	return nil
}

// rules applies R1 to R9 and R11, one after the other, as the contract has them.
func (w *world) rules(p *person, asked string) (outcome string, reasons []string, claimType string, warnings []string) {
	if p == nil || p.standing().gone {
		return "ineligible", []string{"user_not_found"}, "", nil
	}
	s := p.standing()
	if s.claimedBy == us {
		return "unchanged", []string{"already_claimed"}, "", nil
	}
	if s.organization == us {
		return "unchanged", []string{"already_member"}, "", nil
	}
	if s.claimedBy != "" {
		reasons = append(reasons, "claimed_elsewhere")
	}
	if w.domains[p.domain][us] == "" {
		reasons = append(reasons, "domain_not_verified")
	}
	if reason := w.elsewhere(p.domain); reason != "" {
		reasons = append(reasons, reason)
	}
	source := w.organization(s.organization)
	if source.sso {
		reasons = append(reasons, "source_sso")
	}
	if source.sync {
		reasons = append(reasons, "source_directory_sync")
	}
	claimType = "immediate"
	if w.organization(us).bring && source.kind == "personal" && source.old {
		claimType = "delayed"
	}
	if asked != "" && asked != claimType {
		reasons = append(reasons, "stale_claim_type")
	}
	if len(reasons) > 0 {
		return "ineligible", reasons, "", nil
	}
	if claimType == "immediate" && p.conversations != "0" {
		warnings = append(warnings, "content_not_transferred")
	}
	return "ready", nil, claimType, warnings
}

// elsewhere returns the reason for which others' hold on a domain, or on one that overlaps with it, hinders a
// claim (R6).
func (w *world) elsewhere(domain string) (reason string) {
	for _, other := range domainNames {
		overlaps := strings.HasSuffix(other, "."+domain) || strings.HasSuffix(domain, "."+other)
		for id, status := range w.domains[other] {
			switch {
			case id == us:
			case other == domain && status == "claimed":
				return "domain_claimed_elsewhere"
			case other == domain && w.strict != "claimed", overlaps && w.strict == "overlapping":
				reason = "domain_verified_elsewhere"
			}
		}
	}
	return reason
}

// held counts the licences of a service that are taken.
func (w *world) held(service string) (n int) {
	for _, p := range w.people {
		s := p.standing()
		if !s.gone && s.organization == us && slices.Contains(s.services, service) {
			n++
		}
		if s.claimedBy == us && slices.Contains(p.claimServices, service) {
			n++
		}
	}
	return n
}

// license gives services to a claim that is ready (R17). given counts what the rows before it took.
func (w *world) license(e *expected, assignments map[string]string, given map[string]int) {
	for _, s := range w.services {
		wanted := s.automatic
		switch assignments[s.name] {
		case "TRUE":
			wanted = true
		case "FALSE":
			wanted = false
		}
		switch {
		case !wanted:
		case e.claimType == "immediate" && s.quantity >= 0 && w.held(s.name)+given[s.name] >= s.quantity:
			e.warnings = append(e.warnings, "license_unavailable:"+s.name)
		default:
			e.licenses = append(e.licenses, s.name)
			if e.claimType == "immediate" {
				given[s.name]++
			}
		}
	}
}

// claim makes our claim on a person.
func (w *world) claim(p *person, claimType string, services []string) {
	s := p.standing()
	p.organization, p.services, p.inactiveFor = s.organization, s.services, s.inactiveFor
	p.claimedBy, p.claimType, p.claimedFor, p.claimServices = us, claimType, 0, nil
	if claimType == "immediate" {
		p.claimServices = services
	}
}

// check runs a property a share of the usual number of times, but 10 times at least: for properties that work
// on a real database. In PostgreSQL it is half of that: what the rules decide does not differ there.
func check(t *testing.T, percent int, property func(*rapid.T)) {
	t.Helper()
	if testdb.OnPostgres() {
		percent /= 2
	}
	setting := flag.Lookup("rapid.checks").Value
	n, err := strconv.Atoi(setting.String())
	require.NoError(t, err)
	require.NoError(t, setting.Set(fmt.Sprint(max(10, n*percent/100))))
	defer func() { require.NoError(t, setting.Set(strconv.Itoa(n))) }()
	rapid.Check(t, property)
}

// counts is how often properties come to what is counted, by name.
type counts map[string]int

// countsOf returns counts of what a property has to come to.
func countsOf(names ...string) counts {
	c := counts{}
	for _, name := range names {
		c[name] = 0
	}
	return c
}

// checkUntil runs a property as check does, and again where it has not come to all that is to be counted, of
// which chance alone is to blame.
func checkUntil(t *testing.T, percent int, came counts, property func(*rapid.T)) {
	t.Helper()
	var missing []string
	for range 20 {
		check(t, percent, property)
		missing = missing[:0]
		for name, n := range came {
			if n == 0 {
				missing = append(missing, name)
			}
		}
		if len(missing) == 0 {
			return
		}
	}
	require.Empty(t, missing, "never came up")
}
