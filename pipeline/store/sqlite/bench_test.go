package sqlite

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/schema"
	"github.com/stretchr/testify/require"
)

// benchUsers returns how many users the benchmarks have; BENCH_USERS sets another number.
func benchUsers() int {
	if n, err := strconv.Atoi(os.Getenv("BENCH_USERS")); err == nil {
		return n
	}
	return 200_000
}

var benchClock = claim.Rules{Now: time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC), Policy: schema.DefaultPolicy()}

func benchKey(i int) string { return fmt.Sprintf("person.%07d@acme.example", i) }

// benchStore returns a store of n users whom acme may claim.
func benchStore(b *testing.B, n int) *store.Store {
	b.Helper()
	ctx := context.Background()
	db, err := Open(ctx, filepath.Join(b.TempDir(), "bench.db"), Options{Create: true})
	require.NoError(b, err)
	s := store.New(db)
	b.Cleanup(func() { require.NoError(b, s.Close()) })
	require.NoError(b, s.Load(ctx, benchClock, func(l store.Loader) error { return fillBench(ctx, l, n) }))
	return s
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
	order := rand.New(rand.NewPCG(1, 2)).Perm(n)
	for part := range slices.Chunk(order, 5000) {
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

func BenchmarkLoad(b *testing.B) {
	n := benchUsers()
	for b.Loop() {
		benchStore(b, n)
	}
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	b.ReportMetric(peakMiB(), "peak-MiB")
}

func BenchmarkFacts(b *testing.B) {
	n := benchUsers()
	s := benchStore(b, n)
	keys := benchKeys(n, true)
	b.ResetTimer()
	rows := 0
	for b.Loop() {
		for part := range slices.Chunk(keys, 5000) {
			_, err := s.Facts(context.Background(), "acme", part)
			require.NoError(b, err)
			rows += len(part)
		}
	}
	b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
}

func BenchmarkCandidates(b *testing.B) {
	s := benchStore(b, benchUsers())
	rows := 0
	b.ResetTimer()
	for b.Loop() {
		require.NoError(b, s.Candidates(context.Background(), benchClock, "acme", store.Selection{}, func(batch store.Batch) error {
			rows += len(batch.Keys)
			return nil
		}))
	}
	b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
}

func benchKeys(n int, shuffled bool) []string {
	keys := make([]string, n)
	for i := range keys {
		keys[i] = benchKey(i)
	}
	if shuffled {
		rand.New(rand.NewPCG(3, 4)).Shuffle(n, func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
	}
	return keys
}

func BenchmarkApplyChunk(b *testing.B) {
	for _, size := range []int{5000} {
		for _, shuffled := range []bool{false, true} {
			b.Run(fmt.Sprintf("rows=%d/shuffled=%t", size, shuffled), func(b *testing.B) { benchApply(b, size, shuffled) })
		}
	}
}

func benchApply(b *testing.B, size int, shuffled bool) {
	b.Helper()
	n := benchUsers()
	results := []byte(strings.Repeat("r", 8*size))
	var slowest time.Duration
	for range b.N {
		b.StopTimer()
		s := benchStore(b, n)
		chunks := slices.Collect(slices.Chunk(benchKeys(n, shuffled), size))
		ctx := context.Background()
		owner, err := s.CreateImport(ctx, schema.Import{OrganizationID: "acme", File: "users.csv", StartedAt: benchClock.Now}, "bench", time.Hour)
		require.NoError(b, err)
		for i := range chunks {
			slices.Sort(chunks[i])
			require.NoError(b, s.KeepChunk(ctx, owner, store.Chunk{Number: i}))
		}
		_, err = s.SealPlan(ctx, owner, store.Sealed{State: schema.StateAwaitingConsent})
		require.NoError(b, err)
		_, err = s.Agree(ctx, "acme", owner.ImportID, time.Hour, schema.Consent{At: benchClock.Now})
		require.NoError(b, err)
		owner, err = s.TakeImport(ctx, owner.ImportID, "bench", time.Hour)
		require.NoError(b, err)
		b.StartTimer()
		for i, keys := range chunks {
			start := time.Now()
			require.NoError(b, s.ApplyChunk(ctx, owner, benchClock, i, store.Known{}, func() ([]string, error) { return keys, nil }, func(facts claim.Facts) (store.Applied, error) {
				return benchDecide(facts, keys, results), nil
			}))
			slowest = max(slowest, time.Since(start))
		}
	}
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	b.ReportMetric(float64(slowest.Microseconds())/1000, "slowest-ms")
	b.ReportMetric(peakMiB(), "peak-MiB")
}

func benchDecide(facts claim.Facts, keys []string, results []byte) store.Applied {
	pool := claim.NewLicenses(facts.Licenses)
	applied := store.Applied{ActivationMails: true, Results: func([]int64) []byte { return results }}
	for i, a := range facts.Accounts {
		decision := benchClock.Decide(&facts.Claiming, facts.Domains[schema.KeyDomain(keys[i])], a, "")
		if decision.Outcome != schema.Ready {
			panic(decision)
		}
		services, _ := pool.Assign(decision.Type, nil, nil, nil)
		applied.Claims = append(applied.Claims, store.NewClaim{AccountID: a.ID, Type: decision.Type, StatusBefore: a.User.Status, Services: services, Line: i})
	}
	return applied
}

// peakMiB returns the most memory this process has had, where the system tells.
func peakMiB() float64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	kib, _ := strconv.ParseFloat(strings.Fields(rest)[0], 64)
	return kib / 1024
}
