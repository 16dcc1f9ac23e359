package input

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Options says what Generate makes.
type Options struct {
	Users     int     // eligible users, and so rows of the users file; the snapshot has 2 % more
	Seed      uint64  // the same seed gives the same files
	Bad       float64 // share of rows with exactly one row problem, 0 to 1
	Multiline float64 // share of rows with a cell of two lines, in a column the program does not know, 0 to 1
	Shuffle   bool    // rows in random order instead of by address
	Excel     bool    // byte order mark and CRLF
}

// Stats says what the users file that Generate wrote is made of.
type Stats struct {
	Rows      int            `json:"rows"`
	Bad       int            `json:"bad"`
	Reasons   map[string]int `json:"reasons"`  // the bad rows by the code of their problem
	Services  int            `json:"services"` // the bad rows whose problem is a service cell: nobody without a store sees it
	Multiline int            `json:"multiline"`
	Bytes     int64          `json:"bytes"`
}

// Generate writes a snapshot, dir/org, and the file its users would be claimed with, dir/users.csv.
// Nearly all users are eligible for the organization acme.
// Memory does not grow with the number of users: each is made from the seed and its number alone.
func Generate(ctx context.Context, dir string, o Options) (Stats, error) {
	if o.Users < 1 || o.Bad < 0 || o.Bad > 1 || o.Multiline < 0 || o.Multiline > 1 {
		return Stats{}, errors.New("users must be positive, shares between 0 and 1")
	}
	g := newGenerator(o)
	if err := g.snapshot(ctx, filepath.Join(dir, "org")); err != nil {
		return Stats{}, err
	}
	var stats Stats
	err := writeFile(filepath.Join(dir, "users.csv"), func(w io.Writer) (err error) {
		stats, err = g.usersFile(ctx, w)
		return err
	})
	return stats, err
}

const maxPersonal = 10_000 // personal organizations in a generated snapshot

type generator struct {
	Options
	pcg      *rand.PCG
	rand     *rand.Rand // starts again with every user
	digits   int        // of the number in an address
	fixed    []*organization
	personal []*organization
}

func newGenerator(o Options) *generator {
	pcg := rand.NewPCG(o.Seed, 0)
	g := &generator{
		Options: o, pcg: pcg, rand: rand.New(pcg),
		digits: len(strconv.Itoa(o.Users/(len(firstNames)*len(lastNames)) + 1)),
		fixed: []*organization{
			{id: "acme", name: "Acme AB", kind: "enterprise", created: "2015-03-02", bring: true, activation: true, retention: "365"},
			{id: "consumer", name: "Webex Free", kind: "consumer", created: "2012-01-01"},
			{id: "globex", name: "Globex AB", kind: "enterprise", created: "2017-09-14"},
			{id: "initech", name: "Initech AB", kind: "enterprise", created: "2016-05-30", sso: true},
		},
	}
	for i := range min(maxPersonal, 2+o.Users/50) {
		created := time.Date(2016, 1, 1+i%1500, 0, 0, 0, 0, time.UTC)
		if i%3 == 0 {
			created = time.Date(2020, 5, 6+i%1500, 0, 0, 0, 0, time.UTC)
		}
		g.personal = append(g.personal, &organization{
			id: fmt.Sprintf("personal-%05d", i+1), name: "Privat " + strconv.Itoa(i+1), kind: "personal",
			created: created.Format(time.DateOnly), delayed: i%3 != 0,
		})
	}
	return g
}

// eligible returns the eligible user with this number, 0 to Users-1. Their addresses are in ascending order.
func (g *generator) eligible(n int) user {
	g.pcg.Seed(g.Seed, uint64(n))
	pairs := len(firstNames) * len(lastNames)
	pair := n * pairs / g.Users
	number := n - (pair*g.Users+pairs-1)/pairs
	u := g.person(firstNames[pair/len(lastNames)], lastNames[pair%len(lastNames)], number)
	u.id = n + 1
	switch r := g.rand.IntN(100); {
	case r < 50:
		u.org = g.fixed[1]
	case r < 55:
		u.org = g.fixed[2]
	default:
		u.org = g.personal[g.rand.IntN(len(g.personal))]
	}
	return u
}

// other returns a user who cannot be claimed: a member of acme, or of an organization with single sign-on.
func (g *generator) other(n int) user {
	g.pcg.Seed(g.Seed, uint64(g.Users+n))
	u := g.person(firstNames[g.rand.IntN(len(firstNames))], lastNames[g.rand.IntN(len(lastNames))], n)
	u.id = g.Users + n + 1
	u.email = "x." + u.email
	u.org = g.fixed[n%2*3]
	return u
}

func (g *generator) person(first, last string, number int) user {
	digits := strconv.Itoa(number)
	digits = strings.Repeat("0", max(0, g.digits-len(digits))) + digits
	u := user{
		first: first, last: last, display: first + " " + last,
		email:  fold(first) + "." + fold(last) + "." + digits + pick(g.rand, []string{"@acme.example", "@acme.test"}),
		status: pick(g.rand, statuses), title: pick(g.rand, titles), department: pick(g.rand, departments),
		phone: phone(g.rand), language: pick(g.rand, languages),
	}
	if g.rand.IntN(4) == 0 {
		u.lastSignIn = time.Unix(1_700_000_000+g.rand.Int64N(1<<26), 0).UTC().Format(time.RFC3339)
	}
	if r := g.rand.IntN(10); r < 8 {
		u.conversations = strconv.Itoa(r * r)
	}
	return u
}

func (g *generator) snapshot(ctx context.Context, dir string) error {
	file := func(name string, columns []string, fill func(*table) error) error {
		return writeTable(filepath.Join(dir, name), func(t *table) error {
			t.row(columns...)
			return fill(t)
		})
	}
	return errors.Join(
		file("organizations.csv", organizationColumns, func(t *table) error {
			for _, o := range g.fixed {
				t.row(o.cells()...)
			}
			for _, o := range g.personal {
				t.row(o.cells()...)
			}
			return nil
		}),
		file("licenses.csv", licenseColumns, func(t *table) error {
			t.row("acme", calling, "1000", "FALSE")
			t.row("acme", meetings, strconv.Itoa(g.Users), "FALSE")
			t.row("acme", messaging, "", "TRUE")
			return nil
		}),
		file("domains.csv", domainColumns, func(t *table) error {
			t.row("acme.example", "acme", "verified")
			t.row("acme.test", "acme", "verified")
			return nil
		}),
		file("users.csv", userColumns, func(t *table) error {
			for n := range g.Users {
				if n%4096 == 0 && ctx.Err() != nil {
					return ctx.Err()
				}
				u := g.eligible(n)
				t.row(u.cells()...)
			}
			for n := range g.Users / 50 {
				u := g.other(n)
				t.row(u.cells()...)
			}
			return nil
		}),
		file("claims.csv", claimColumns, func(t *table) error {
			// A quarter of those with single sign-on have been claimed by their employer before it was
			// switched on.
			for n := 1; n < g.Users/50; n += 8 {
				t.row(g.other(n).email, "acme", "immediate", "2024-05-13T08:00:00Z", "")
			}
			return nil
		}),
	)
}

func (g *generator) usersFile(ctx context.Context, w io.Writer) (Stats, error) {
	eol := "\n"
	if g.Excel {
		eol = "\r\n"
	}
	t := newTable(w, ",", eol)
	if g.Excel {
		t.write([]byte("\ufeff"))
	}
	t.row(append(slices.Clip(fileColumns), "Notes")...)
	order := newPermutation(uint64(g.Users), g.Seed)
	stats := Stats{Rows: g.Users, Reasons: map[string]int{}}
	previous := "" // the address of the row before, where that one is in order
	for i := range g.Users {
		if i%4096 == 0 && ctx.Err() != nil {
			return stats, ctx.Err()
		}
		n := i
		if g.Shuffle {
			n = int(order.at(uint64(i)))
		}
		u := g.eligible(n)
		cells := u.exported("")
		// The draws are made for every row, so that one share does not change what the other does.
		bad, multiline := g.rand.Float64() < g.Bad, g.rand.Float64() < g.Multiline
		if multiline {
			stats.Multiline++
			cells[notesCell] = "Har bytt avdelning;\n\"ny\" chef, se ärendet"
		}
		if bad {
			stats.Bad++
			var reason string
			cells, reason = spoil(cells, g.rand.IntN(spoilings), previous)
			stats.Reasons[reason]++
			if reason == "boolean_invalid" && cells[callingCell] != "" {
				stats.Services++
			}
			previous = ""
		} else {
			previous = u.email
		}
		t.row(cells...)
	}
	err := t.flush()
	stats.Bytes = t.bytes
	return stats, err
}

// The cells of the users file that are spoilt.
const (
	displayCell   = 2
	emailCell     = 3
	titleCell     = 6
	phoneCell     = 8
	languageCell  = 9
	claimTypeCell = 11
	claimCell     = 12
	callingCell   = 13
	notesCell     = 16
)

const spoilings = 12

// spoil gives the row exactly one problem, the one with this number, and returns its code.
// previous is the address of an earlier row, or blank where there is none that counts.
func spoil(cells []string, problem int, previous string) ([]string, string) {
	switch problem {
	case 0:
		return append(cells, "surplus"), "field_count"
	case 1:
		cells[claimCell] = "KANSKE"
		return cells, "boolean_invalid"
	case 2:
		cells[callingCell] = "2"
		return cells, "boolean_invalid"
	case 3:
		cells[emailCell] = ""
		return cells, "email_missing"
	case 4:
		cells[emailCell] = strings.Repeat("x", 60) + "@" + strings.Repeat("abcdefghi.", 20) + "example"
		return cells, "email_too_long"
	case 5:
		cells[displayCell] = strings.Repeat("Å", 65)
		return cells, "text_too_long"
	case 6:
		cells[titleCell] = "Chef\nför lagret"
		return cells, "text_invalid"
	case 7:
		cells[phoneCell] = "070-174 06 05"
		return cells, "phone_invalid"
	case 8:
		cells[languageCell] = "på svenska"
		return cells, "language_invalid"
	case 9:
		cells[claimTypeCell] = "omedelbar"
		return cells, "claim_type_invalid"
	case 10:
		if previous != "" {
			cells[emailCell] = strings.ToUpper(previous)
			return cells, "duplicate_row"
		}
	}
	cells[emailCell] = strings.Replace(cells[emailCell], "@", " at ", 1)
	return cells, "email_invalid"
}
