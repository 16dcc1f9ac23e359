package pipeline_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/claimline/claimline/pipeline"
	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/pipeline/report"
	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/pipeline/store/sqlite"
	"github.com/claimline/claimline/schema"
)

// benchRows is the size that most files have.
const benchRows = 20_000

// benchSnapshot writes a snapshot of benchRows users that acme may claim, and the users file for them.
func benchSnapshot(b *testing.B) (folder, file string) {
	b.Helper()
	folder = b.TempDir()
	write := func(name, content string) {
		require.NoError(b, os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600))
	}
	write("organizations.csv", organizationsHeader+"acme,Acme,enterprise,2015-01-01,,,,\nfree,Free,consumer,2015-01-01,,,,\n")
	write("domains.csv", "domain,organization_id,status\nacme.example,acme,verified\n")
	write("licenses.csv", "organization_id,service,quantity,auto_assign\nacme,Messaging,,TRUE\n")
	users, rows := &strings.Builder{}, &strings.Builder{}
	users.WriteString("id,email,first_name,last_name,organization_id,status\n")
	rows.WriteString("First Name,Last Name,User ID/Email (Required),Department,Phone Number,Preferred Language,Claim,Messaging\n")
	for i := range benchRows {
		fmt.Fprintf(users, "%d,user.%06d@acme.example,Åsa,Öberg,free,active\n", i, i)
		fmt.Fprintf(rows, "Åsa,Öberg,user.%06d@acme.example,Lager,'+46701740%03d,sv-SE,TRUE,\n", i, i%1000)
	}
	write("users.csv", users.String())
	file = filepath.Join(b.TempDir(), "file.csv") // beside the snapshot it would be taken for a part of it
	require.NoError(b, os.WriteFile(file, []byte(rows.String()), 0o600))
	return folder, file
}

// perRow reports time and allocations per row of what work does.
func perRow(b *testing.B, work func()) {
	b.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	rows := 0
	for b.Loop() {
		work()
		rows += benchRows
	}
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(after.Mallocs-before.Mallocs)/float64(rows), "allocs/row")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(rows), "ns/row")
}

func benchFlow(b *testing.B, folder string) *pipeline.Flow {
	b.Helper()
	db, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "claimline.db"), sqlite.Options{Create: true})
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, db.Close()) })
	p := newFlow(b, pipeline.Config{
		Store: store.New(db), Now: time.Now, Policy: schema.DefaultPolicy(), Workers: runtime.NumCPU(), Lease: time.Minute, Runner: "bench",
	})
	_, err = load(b.Context(), p, folder)
	require.NoError(b, err)
	return p
}

func benchSource(b *testing.B, file string) *dialect.File {
	b.Helper()
	source, err := dialect.OpenFile(file)
	require.NoError(b, err)
	return source
}

// BenchmarkValidate makes the row checks alone, the fast and the strict ones, and with the rules.
func BenchmarkValidate(b *testing.B) {
	folder, file := benchSnapshot(b)
	for _, c := range []struct {
		name            string
		offline, strict bool
	}{{"offline", true, false}, {"strict", true, true}, {"rules", false, false}} {
		b.Run(c.name, func(b *testing.B) {
			p := benchFlow(b, folder)
			p.Strict = c.strict
			source := benchSource(b, file)
			defer func() { require.NoError(b, source.Close()) }()
			perRow(b, func() {
				_, err := p.Validate(b.Context(), source, schema.Order{Organization: "acme", Offline: c.offline}, nil, pipeline.Watch{})
				require.NoError(b, err)
			})
		})
	}
}

// BenchmarkApply imports a file end to end, each time into a database of its own, which is made outside the
// time taken.
func BenchmarkApply(b *testing.B) {
	folder, file := benchSnapshot(b)
	for b.Loop() {
		b.StopTimer()
		p := benchFlow(b, folder)
		source := benchSource(b, file)
		b.StartTimer()
		imp, err := imports(b.Context(), p, source, schema.Order{Organization: "acme"}, agreed, pipeline.Watch{})
		require.NoError(b, err)
		require.Equal(b, schema.StateCompleted, imp.State)
		b.StopTimer()
		require.NoError(b, source.Close())
		b.StartTimer()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*benchRows), "ns/row")
}

func agreed(context.Context, schema.Import, *schema.Plan) error { return nil }

// BenchmarkReport writes the report of an import, in each form.
func BenchmarkReport(b *testing.B) {
	folder, file := benchSnapshot(b)
	p := benchFlow(b, folder)
	source := benchSource(b, file)
	imp, err := imports(b.Context(), p, source, schema.Order{Organization: "acme"}, agreed, pipeline.Watch{})
	require.NoError(b, err)
	require.NoError(b, source.Close())
	for _, format := range []report.Format{report.CSV, report.JSONL, report.HTML} {
		b.Run(string(format), func(b *testing.B) {
			perRow(b, func() {
				require.NoError(b, (&report.Report{To: io.Discard, Format: format}).OfImport(b.Context(), p.Store, p.Policy, imp))
			})
		})
	}
}
