package pipeline

import (
	"bytes"
	"context"
	"hash/maphash"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/pipeline/report"
	"github.com/claimline/claimline/pipeline/snapshot"
	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/pipeline/store/testdb"
	"github.com/claimline/claimline/pipeline/usersfile"
	"github.com/claimline/claimline/schema"
)

// What many rows share, their findings, and what many accounts share, their organizations, stays as it was
// when the first of them had it.
func TestWhatIsSharedIsNotChanged(t *testing.T) {
	const samples = "../samples"
	db, err := testdb.Open(t.Context(), testdb.Empty(t))
	require.NoError(t, err)
	p, err := New(Config{
		Store: store.New(db), Now: func() time.Time { return time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC) },
		Policy: schema.DefaultPolicy(), Workers: 2, Lease: time.Minute, Limits: dialect.Limits{BlockRows: 50},
	})
	require.NoError(t, err)
	defer func() { require.NoError(t, p.Store.Close()) }()
	_, err = snapshot.Load(t.Context(), p.Store, p.rules(), filepath.Join(samples, "org"), snapshot.Options{})
	require.NoError(t, err)
	file, err := dialect.OpenFile(filepath.Join(samples, "edited.csv"))
	require.NoError(t, err)
	defer func() { require.NoError(t, file.Close()) }()

	findings := map[*schema.Finding]schema.Finding{}
	organizations := map[*schema.Organization]schema.Organization{}
	note := func(f *schema.Finding) {
		if _, known := findings[f]; known || f == nil {
			return
		}
		copied := *f
		copied.Reasons, copied.Details = slices.Clone(f.Reasons), slices.Clone(f.Details)
		copied.Warnings, copied.Licenses = slices.Clone(f.Warnings), slices.Clone(f.Licenses)
		findings[f] = copied
	}
	for _, f := range readyFindings {
		note(f)
	}
	shares := func(ctx context.Context, b *block) error {
		var keys []string
		for i := range b.Verdicts {
			note(b.Verdicts[i].Finding)
			if key := b.checked[i].Key; key != "" {
				keys = append(keys, key)
			}
		}
		slices.Sort(keys)
		facts, err := p.Store.Facts(ctx, "acme", slices.Compact(keys))
		for _, a := range facts.Accounts {
			for _, o := range []*schema.Organization{a.Organization, a.Claiming} {
				if o != nil && organizations[o].ID == "" {
					organizations[o] = *o
				}
			}
		}
		return err
	}
	pass, err := p.open(t.Context(), file, schema.Order{Organization: "acme"}, maphash.MakeSeed(), &usersfile.Seen{}, Watch{})
	require.NoError(t, err)
	plan, err := p.plan(t.Context(), pass, func(*planPass) (func(context.Context, *block) error, error) { return shares, nil })
	require.NoError(t, err)
	require.Less(t, len(findings), plan.Tally.Rows, "rows share")
	for f, then := range findings {
		require.Equal(t, then, *f)
	}
	require.NotEmpty(t, organizations)
	for o, then := range organizations {
		require.Equal(t, then, *o)
	}
}

// Blocks are used again once they have been reported: what a report is still to say of their rows it has
// copied.
func TestReportsCopyWhatTheySayLater(t *testing.T) {
	file, err := dialect.OpenFile("../samples/edited.csv")
	require.NoError(t, err)
	defer func() { require.NoError(t, file.Close()) }()
	for _, format := range []report.Format{report.HTML, report.Text, report.CSV, report.JSONL} {
		var said [2]bytes.Buffer
		for i, rows := range []int{2, 5000} {
			p := offline()
			p.Limits.BlockRows = rows
			_, err := p.Validate(t.Context(), file, schema.Order{Offline: true}, &report.Report{To: &said[i], Format: format}, Watch{})
			require.NoError(t, err)
		}
		require.NotEmpty(t, said[0].String())
		if said[1].String() != said[0].String() { // without both in the message
			t.Errorf("as %s the report depends on the size of blocks", format)
		}
	}
}
