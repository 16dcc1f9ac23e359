package postgres_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/pipeline/store/postgres"
	"github.com/claimline/claimline/pipeline/store/postgres/postgrestest"
	"github.com/claimline/claimline/schema"
)

// benchUsers returns how many users the benchmarks have; BENCH_USERS sets another number.
func benchUsers() int {
	if n, err := strconv.Atoi(os.Getenv("BENCH_USERS")); err == nil {
		return n
	}
	return 100_000
}

// benchRows is how many rows a transaction applies.
const benchRows = 15_000

var benchRules = claim.Rules{Now: time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC), Policy: schema.DefaultPolicy()}

func benchKey(i int) string { return fmt.Sprintf("person.%07d@acme.example", i) }

// benchStore returns a store of n users whom acme may claim, and its address.
func benchStore(b *testing.B, n int) (s *store.Store, address string) {
	b.Helper()
	address = postgrestest.Empty(b)
	db, err := postgres.Open(b.Context(), address, postgres.Options{Create: true})
	require.NoError(b, err)
	s = store.New(db)
	b.Cleanup(func() { require.NoError(b, s.Close()) })
	require.NoError(b, s.Load(b.Context(), benchRules, func(l store.Loader) error { return fillBench(b.Context(), l, n) }))
	return s, address
}

func fillBench(ctx context.Context, l store.Loader, n int) error {
	created := time.Date(2019, 1, 1, 0, 0, 0, 0, time.UTC)
	if err := l.Organizations(ctx, []store.LoadOrganization{
		{Organization: schema.Organization{ID: "acme", Name: "Acme", Kind: schema.Enterprise, Created: created, ActivationEmails: true}},
		{Organization: schema.Organization{ID: "free", Name: "Free", Kind: schema.Consumer, Created: created}},
	}); err != nil {
		return err
	}
	if err := l.Licenses(ctx, []store.LoadLicense{{License: schema.License{OrganizationID: "acme", Service: "Meetings", Quantity: schema.Unlimited, AutoAssign: true}}}); err != nil {
		return err
	}
	if err := l.Domains(ctx, []store.LoadDomain{{Domain: schema.Domain{Domain: "acme.example", OrganizationID: "acme", Status: schema.DomainVerified}}}); err != nil {
		return err
	}
	for part := range slices.Chunk(rand.New(rand.NewPCG(1, 2)).Perm(n), 5000) {
		users := make([]store.LoadUser, len(part))
		for i, number := range part {
			key := benchKey(number)
			users[i] = store.LoadUser{Key: key, Line: i + 2, User: schema.User{
				ID: "id-" + strconv.Itoa(number), Email: key, OrganizationID: "free", Status: schema.Active, LastSignIn: created, Conversations: number % 7,
				Profile: schema.Profile{FirstName: "Åsa", LastName: "Person " + strconv.Itoa(number), DisplayName: "Åsa Person " + strconv.Itoa(number), Title: "Engineer", Department: "Research", PreferredLanguage: "sv-SE"},
			}}
		}
		if err := l.Users(ctx, users); err != nil {
			return err
		}
	}
	return nil
}

// BenchmarkApply applies an import, its rows in the order of the addresses or in none, decided on before or
// anew, and compares the time with that of COPY of the same claims, mails and results into empty tables like
// ours. Where the server is to wait for the disk as in earnest: DURABLE=1 .ci/postgres go test -bench Apply
// ./pipeline/store/postgres.
func BenchmarkApply(b *testing.B) {
	for _, shuffled := range []bool{false, true} {
		for _, seen := range []bool{true, false} {
			b.Run(fmt.Sprintf("shuffled=%t/seen=%t", shuffled, seen), func(b *testing.B) { benchApply(b, shuffled, seen) })
		}
	}
}

func benchApply(b *testing.B, shuffled, seen bool) {
	b.Helper()
	n := benchUsers()
	var ours, theirs time.Duration
	for b.Loop() {
		s, address := benchStore(b, n)
		keys := make([]string, n)
		for i := range keys {
			keys[i] = benchKey(i)
		}
		if shuffled {
			rand.New(rand.NewPCG(3, 4)).Shuffle(n, func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
		}
		ours += applyAll(b, s, slices.Collect(slices.Chunk(keys, benchRows)), seen)
		theirs += postgrestest.CopyAgain(b, address, time.Now)
	}
	b.ReportMetric(float64(n*b.N)/ours.Seconds(), "rows/s")
	b.ReportMetric(ours.Seconds()/theirs.Seconds(), "×COPY")
}

// applyAll applies an import of these chunks, and returns the time that it took.
func applyAll(b *testing.B, s *store.Store, chunks [][]string, seen bool) time.Duration {
	b.Helper()
	ctx := b.Context()
	owner, err := s.CreateImport(ctx, schema.Import{OrganizationID: "acme", File: "users.csv", StartedAt: benchRules.Now}, "bench", time.Hour)
	require.NoError(b, err)
	facts := make([]claim.Facts, len(chunks))
	for i, keys := range chunks {
		require.NoError(b, s.KeepChunk(ctx, owner, store.Chunk{Number: i}))
		facts[i], err = s.Facts(ctx, "acme", keys)
		require.NoError(b, err)
	}
	_, err = s.SealPlan(ctx, owner, store.Sealed{State: schema.StateAwaitingConsent, At: benchRules.Now})
	require.NoError(b, err)
	_, err = s.Agree(ctx, "acme", owner.ImportID, time.Hour, schema.Consent{By: "bench", At: benchRules.Now})
	require.NoError(b, err)
	owner, err = s.TakeImport(ctx, owner.ImportID, "bench", time.Hour)
	require.NoError(b, err)
	results := []byte(strings.Repeat("r", 8*benchRows))
	begun := time.Now()
	for i, keys := range chunks {
		var known store.Known
		if seen {
			known.Version = facts[i].Version
			for _, a := range facts[i].Accounts {
				known.Accounts = append(known.Accounts, store.Seen{Account: a.ID, Version: a.Version})
			}
		}
		require.NoError(b, s.ApplyChunk(ctx, owner, benchRules, i, known, func() ([]string, error) { return keys, nil }, func(found claim.Facts) (store.Applied, error) {
			require.Equal(b, seen, found.Unchanged)
			if seen {
				licenses := found.Licenses
				found = facts[i]
				found.Licenses = licenses
			}
			return benchDecide(found, keys, results), nil
		}))
	}
	return time.Since(begun)
}

func benchDecide(facts claim.Facts, keys []string, results []byte) store.Applied {
	pool := claim.NewLicenses(facts.Licenses)
	applied := store.Applied{ActivationMails: true, Results: func([]int64) []byte { return results }}
	for i, a := range facts.Accounts {
		decision := benchRules.Decide(&facts.Claiming, facts.Domains[schema.KeyDomain(keys[i])], a, "")
		if decision.Outcome != schema.Ready {
			panic(decision)
		}
		services, _ := pool.Assign(decision.Type, nil, nil, nil)
		applied.Claims = append(applied.Claims, store.NewClaim{AccountID: a.ID, Type: decision.Type, StatusBefore: a.User.Status, Services: services, Line: i})
	}
	return applied
}
