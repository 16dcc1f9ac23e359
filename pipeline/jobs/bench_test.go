package jobs

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/claimline/claimline/pipeline"
	"github.com/claimline/claimline/pipeline/store/postgres/postgrestest"
	"github.com/claimline/claimline/schema"
)

// benchImports is how many large imports there are; one half is acme's, the other umbrella's.
const benchImports = 8

// benchRows returns how many rows each has; BENCH_ROWS sets another number.
func benchRows() int {
	if n, err := strconv.Atoi(os.Getenv("BENCH_ROWS")); err == nil {
		return n
	}
	return 50_000
}

// benchSmall is how many rows a small import has that comes beside them, and benchSmalls how many come.
const (
	benchSmall  = 50
	benchSmalls = 20
)

// bench is a database in which the large imports are agreed to, and nobody has begun yet.
type bench struct {
	template postgrestest.Template
	large    []int64
}

// theBench is made by the first benchmark.
var theBench bench

func newBench(b *testing.B) *bench {
	b.Helper()
	bench := &theBench
	bench.template.Prepare = func(_ context.Context, address string) error {
		return bench.prepare(b, address) //nolint:contextcheck // it is that of the benchmark
	}
	return bench
}

func (bench *bench) prepare(b *testing.B, address string) error {
	b.Helper()
	s := newSiteIn(b, address, benchImports/2*benchRows()+benchSmalls*benchSmall)
	s.measured()
	for i := range benchImports {
		organization, from := []string{"acme", "umbrella"}[i%2], i/2*benchRows()
		bench.large = append(bench.large, s.agreed(organization, from, from+benchRows(), false))
	}
	_, err := s.pool.Exec(b.Context(), "VACUUM ANALYZE")
	s.pool.Close()
	return err
}

// measured lets a process work as in earnest.
func (p *process) measured() {
	p.Lease, p.TransactionRows = 10*time.Second, pipeline.DefaultTransactionRows
}

// begin opens a copy of the database, and has processes with so many workers each begin to work there.
func (bench *bench) begin(b *testing.B, processes, workers, perOrganization int) (s *site, begun time.Time, stop func()) {
	b.Helper()
	s = &site{TB: b, address: bench.template.Copy(b), look: 20 * time.Millisecond}
	s.process = s.open(s.address, true)
	s.measured()
	var ready []process
	for range processes {
		p := s.open(s.address, false)
		p.measured()
		ready = append(ready, p)
	}
	begun = time.Now()
	var all []*running
	for _, p := range ready {
		all = append(all, start(b, Config{Pool: p.pool, Loops: []Loop{Imports(p.Flow, workers, perOrganization)}}))
	}
	return s, begun, func() {
		for _, r := range all {
			r.stop()
			<-r.done
		}
	}
}

// BenchmarkWorkers applies several imports with one, two and four processes, of one worker each, and compares
// the time with that of COPY of the same claims, mails and results into empty tables like ours. Where the
// server is to wait for the disk as in earnest: DURABLE=1 .ci/postgres go test -run '^$' -bench Workers
// -benchtime 1x ./pipeline/jobs.
func BenchmarkWorkers(b *testing.B) {
	bench := newBench(b)
	for _, processes := range []int{1, 2, 4} {
		b.Run(fmt.Sprintf("workers=%d", processes), func(b *testing.B) {
			var ours, theirs time.Duration
			connections := 0
			for b.Loop() {
				s, begun, stop := bench.begin(b, processes, 1, 0)
				for _, id := range bench.large {
					s.until(id, func(imp schema.Import) bool {
						var now int
						require.NoError(b, s.pool.QueryRow(b.Context(), `SELECT count(*) FROM pg_stat_activity
							WHERE datname = current_database() AND application_name = 'claimline'`).Scan(&now))
						connections = max(connections, now)
						return ended(imp)
					})
				}
				ours += time.Since(begun)
				stop()
				theirs += postgrestest.CopyAgain(b, s.address, time.Now)
			}
			rows := float64(benchImports * benchRows() * b.N)
			b.ReportMetric(rows/ours.Seconds(), "rows/s")
			b.ReportMetric(ours.Seconds()/theirs.Seconds(), "×COPY")
			b.ReportMetric(float64(connections), "connections")
		})
	}
}

// BenchmarkFair has small imports agreed to, one after the other, while large ones keep all workers busy, and
// tells how long each takes to its end. Two of the organizations' large imports are worked on at once, or
// one.
func BenchmarkFair(b *testing.B) {
	bench := newBench(b)
	for _, organization := range []string{"acme", "umbrella"} {
		for _, perOrganization := range []int{0, 1} {
			b.Run(fmt.Sprintf("%s/atonce=%d", organization, perOrganization), func(b *testing.B) {
				var took []time.Duration
				for b.Loop() {
					s, _, stop := bench.begin(b, 1, 2, perOrganization)
					s.until(bench.large[0], halfway)
					for i := range benchSmalls {
						from := benchImports/2*benchRows() + i*benchSmall
						id := s.planned(organization, from, from+benchSmall, false)
						begun := time.Now()
						s.agree(organization, id, benchSmall, false)
						s.until(id, ended)
						took = append(took, time.Since(begun))
						if busy := s.found(bench.large[benchImports-1]); ended(busy) {
							b.Logf("only %d small imports came beside large ones", i+1)
							break
						}
					}
					stop()
				}
				slices.Sort(took)
				b.ReportMetric(took[len(took)/2].Seconds(), "s-median")
				b.ReportMetric(took[len(took)-1].Seconds(), "s-longest")
			})
		}
	}
}

// BenchmarkShare has one worker for two organizations, of which one has many imports, and the other one, and
// tells which part of the rows claimed in the meantime is the other's.
func BenchmarkShare(b *testing.B) {
	bench := newBench(b)
	for b.Loop() {
		s, _, stop := bench.begin(b, 0, 0, 0)
		for _, id := range bench.large[2:] { // of umbrella, one import is left
			if organization := s.found(id).OrganizationID; organization == "umbrella" {
				_, err := s.Cancel(b.Context(), organization, id)
				require.NoError(b, err)
			}
		}
		p := s.open(s.address, false)
		p.measured()
		r := start(b, Config{Pool: p.pool, Loops: []Loop{Imports(p.Flow, 1, 0)}})
		s.until(bench.large[1], ended)
		r.stop()
		<-r.done
		theirs := s.found(bench.large[1]).Tally.Outcomes[schema.Claimed]
		all := 0
		for _, id := range bench.large {
			all += s.found(id).Tally.Outcomes[schema.Claimed]
		}
		b.ReportMetric(100*float64(theirs)/float64(all), "%-of-the-rows")
		stop()
	}
}
