package input

import (
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Samples writes the sample files: the snapshot dir/org and the files one could hand in for it, good and bad.
func Samples(dir string) error {
	s := newSample()
	if err := s.snapshot(filepath.Join(dir, "org")); err != nil {
		return err
	}
	files := badFiles()
	files["good.csv"] = s.goodFile()
	files["windows1252.csv"] = s.windows1252File()
	files["utf16.csv"] = s.utf16File()
	files["directory.csv"] = s.directoryFile()
	files["edited.csv"], files["edited.expected.csv"] = s.editedFile()
	maps.Copy(files, s.directoryFiles())
	for name, content := range files {
		err := writeFile(filepath.Join(dir, name), func(w io.Writer) error {
			_, err := w.Write(content)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// sample is the sample organization acme and the world around it. Every rule applies to somebody.
type sample struct {
	rand  *rand.Rand
	orgs  []*organization
	users []*user
	taken map[string]bool // addresses

	// Groups of users, by what the rules say of them.
	eligible          []*user // sorted by address
	members           []*user // R3
	claimed           []*user // R2
	completed         []*user // R3: delayed claims that time has completed (R21)
	claimedElsewhere  []*user // R4
	notVerified       []*user // R5
	domainElsewhere   []*user // R6
	doublyElsewhere   []*user // R5 and R6
	sso, synced, both []*user // R7, R8, R7 and R8
	everything        *user   // R4 to R8
}

func newSample() *sample {
	s := &sample{rand: rand.New(rand.NewPCG(2020, 505)), taken: map[string]bool{}}
	acme := s.organization(organization{id: "acme", name: "Acme AB", kind: "enterprise", created: "2015-03-02",
		bring: true, activation: true, retention: "365"})
	consumer := s.organization(organization{id: "consumer", name: "Webex Free", kind: "consumer", created: "2012-01-01", retention: "360"})
	globex := s.organization(organization{id: "globex", name: "Globex Sverige AB", kind: "enterprise", created: "2017-09-14", retention: "180"})
	hooli := s.organization(organization{id: "hooli", name: "Hooli AB", kind: "enterprise", created: "2014-02-01", bring: true, retention: "90"})
	initech := s.organization(organization{id: "initech", name: "Initech AB", kind: "enterprise", created: "2016-05-30", sso: true})
	umbrella := s.organization(organization{id: "umbrella", name: "Umbrella AB", kind: "enterprise", created: "2018-11-05", sync: true})
	wayne := s.organization(organization{id: "wayne", name: "Wayne, Kent & Co", kind: "enterprise", created: "2013-07-21", sso: true, sync: true})
	club := s.organization(organization{id: "personal-club", name: "Öbergs IT-klubb", kind: "personal", created: "2018-04-12", delayed: true})

	ours := []string{"acme.example", "acme.example", "acme.example", "acme.test", "acme-labs.example", "partner.example", "åkeri.example"}

	// 1,200 users that acme may claim now.
	s.eligible = slices.Concat(
		s.people(300, club, ours...),
		s.alone(220, true, ours...),
		s.alone(180, false, ours...),
		s.people(350, consumer, ours...),
		s.people(150, globex, ours...),
	)
	s.peculiar()
	slices.SortFunc(s.eligible, func(a, b *user) int { return strings.Compare(key(a.email), key(b.email)) })

	// 1,800 that it may not claim.
	s.members = s.people(500, acme, ours...)
	for i, u := range s.members {
		services := []string{messaging}
		if i%5 < 2 {
			services = append([]string{meetings}, services...)
		}
		if i%25 == 0 {
			services = append([]string{calling}, services...)
		}
		u.services = strings.Join(services, ";")
	}
	for _, u := range s.members[490:] {
		u.status, u.inactiveSince = "inactive", "2023-06-30"
	}
	s.claimed = append(s.people(30, consumer, ours...), s.alone(30, false, ours...)...)
	s.completed = s.people(10, club, "acme.example")
	s.claimedElsewhere = append(s.people(20, consumer, "partner.example"), s.alone(20, false, "partner.example")...)
	s.notVerified = append(s.people(300, consumer, "nowhere.example", "example.org"), s.alone(100, true, "mail.acme.example")...)
	s.domainElsewhere = append(s.people(60, hooli, "shared.example"), s.people(40, consumer, "shared.example")...)
	s.doublyElsewhere = s.people(100, hooli, "hooli.example")
	s.sso = s.people(150, initech, "acme.example", "acme.test")
	s.synced = s.people(150, umbrella, "acme.example", "acme.test")
	s.both = s.people(49, wayne, "acme.example")
	s.everything = s.people(1, wayne, "hooli.example")[0]
	s.people(240, globex, "globex.example")

	s.rand.Shuffle(len(s.users), func(i, j int) { s.users[i], s.users[j] = s.users[j], s.users[i] })
	for i, u := range s.users {
		u.id = i + 1
	}
	return s
}

func (s *sample) organization(o organization) *organization {
	s.orgs = append(s.orgs, &o)
	return &o
}

// people makes n users of one organization, their addresses spread over the domains.
func (s *sample) people(n int, org *organization, domains ...string) []*user {
	var users []*user
	for range n {
		users = append(users, s.person(org, domains))
	}
	return users
}

// alone makes n users, each in a personal organization of its own: created up to 2020-05-05, or later.
func (s *sample) alone(n int, old bool, domains ...string) []*user {
	var users []*user
	for i := range n {
		var created string
		switch {
		case old && i == 0:
			created = "2020-05-05"
		case old && i == 1:
			created = "2020-05-05T23:59:59Z"
		case old && i == 2:
			created = "2020-05-06T01:30:00+02:00" // still the 5th in UTC
		case old:
			created = time.Date(2016, 1, 1+s.rand.IntN(1500), 0, 0, 0, 0, time.UTC).Format(time.DateOnly)
		case i == 0:
			created = "2020-05-06"
		case i == 1:
			created = "2020-05-05T23:30:00-02:00" // the 6th in UTC
		default:
			created = time.Date(2020, 5, 6+s.rand.IntN(1500), 0, 0, 0, 0, time.UTC).Format(time.DateOnly)
		}
		u := s.person(nil, domains)
		u.org = s.organization(organization{id: fmt.Sprintf("personal-%04d", len(s.orgs)), name: u.last + ", " + u.first,
			kind: "personal", created: created, delayed: old})
		users = append(users, u)
	}
	return users
}

func (s *sample) person(org *organization, domains []string) *user {
	r := s.rand
	u := &user{first: pick(r, firstNames), last: pick(r, lastNames), org: org, status: pick(r, statuses),
		title: pick(r, titles), department: pick(r, departments), phone: phone(r), language: pick(r, languages)}
	u.display = u.first + " " + u.last
	local, domain := fold(u.first)+"."+fold(u.last), pick(r, domains)
	u.email = local + "@" + domain
	for i := 2; s.taken[u.email]; i++ {
		u.email = local + strconv.Itoa(i) + "@" + domain
	}
	s.taken[u.email] = true
	if r.IntN(20) == 0 {
		u.status = "inactive"
	}
	if r.IntN(3) > 0 {
		u.lastSignIn = time.Unix(1_650_000_000+r.Int64N(100_000_000), 0).UTC().Format(time.RFC3339)
	}
	if n := r.IntN(10); n < 8 {
		u.conversations = strconv.Itoa(n * n)
	}
	s.users = append(s.users, u)
	return u
}

// peculiar gives some of the eligible users what real data has: capitals and letters of their own in the
// address, what a spreadsheet would take for a formula, quotes, a date without a time.
func (s *sample) peculiar() {
	for i, change := range []func(*user){
		func(u *user) { u.email = "Asa.Rosenblad@Acme.Example" },
		func(u *user) { u.email = "björn.ängström@acme.example" },
		func(u *user) { u.email = "åsa@åkeri.example" },
		func(u *user) { u.email = "+support@acme.example" },
		func(u *user) { u.email = "o'neill+test@acme.example" },
		func(u *user) { u.first, u.display = "Åsa", `Åsa "Oss" Öberg` },
		func(u *user) { u.title = "=Chef" },
		func(u *user) { u.department = "-IT-" },
		func(u *user) { u.display = "@home" },
		func(u *user) { u.title = "Chef, inköp; lager" },
		func(u *user) { u.display = strings.Repeat("Å", 64) },
		func(u *user) { u.lastSignIn = "2024-02-29" },
	} {
		change(s.eligible[i*7])
	}
}

// key returns what an address is sorted by. It is right for the addresses in the sample only.
func key(address string) string {
	return strings.ReplaceAll(strings.ToLower(address), "@åkeri.example", "@xn--keri-poa.example")
}

func (s *sample) snapshot(dir string) error {
	file := func(name string, columns []string, rows [][]string) error {
		return writeTable(filepath.Join(dir, name), func(t *table) error {
			t.row(columns...)
			for _, row := range rows {
				t.row(row...)
			}
			return nil
		})
	}
	var orgs, users, claims [][]string
	for _, o := range s.orgs {
		orgs = append(orgs, o.cells())
	}
	for _, u := range s.users {
		users = append(users, u.cells())
	}
	day := time.Date(2024, 1, 8, 9, 0, 0, 0, time.UTC)
	claim := func(u *user, org, claimType, signedIn string) {
		day = day.Add(31 * time.Hour)
		claims = append(claims, []string{u.email, org, claimType, day.Format(time.RFC3339), signedIn})
	}
	for i, u := range s.claimed {
		signedIn := ""
		if i%12 == 5 {
			signedIn = "2025-01-15T07:30:00Z"
		}
		claim(u, "acme", "immediate", signedIn)
	}
	for _, u := range s.completed {
		claim(u, "acme", "delayed", "")
	}
	for _, u := range append(s.claimedElsewhere, s.everything) {
		claim(u, "globex", "immediate", "")
	}
	for _, f := range []struct {
		name    string
		columns []string
		rows    [][]string
	}{
		{"organizations.csv", organizationColumns, orgs},
		{"licenses.csv", licenseColumns, [][]string{
			{"acme", calling, "50", "FALSE"},
			{"acme", meetings, "500", "FALSE"},
			{"acme", messaging, "", "TRUE"},
			{"globex", meetings, "100", "TRUE"},
		}},
		{"domains.csv", domainColumns, [][]string{
			{"acme.example", "acme", "verified"},
			{"acme.test", "acme", "verified"},
			{"acme-labs.example", "acme", "claimed"},
			{"partner.example", "acme", "verified"},
			{"shared.example", "acme", "verified"},
			{"åkeri.example", "acme", "verified"},
			{"globex.example", "globex", "verified"},
			{"partner.example", "globex", "verified"},
			{"hooli.example", "hooli", "claimed"},
			{"shared.example", "hooli", "claimed"},
		}},
		{"users.csv", userColumns, users},
		{"claims.csv", claimColumns, claims},
	} {
		if err := file(f.name, f.columns, f.rows); err != nil {
			return err
		}
	}
	return nil
}
