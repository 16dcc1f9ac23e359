//go:build linux

package main

import (
	"context"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/claimline/claimline/pipeline"
	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/pipeline/store/postgres"
	"github.com/claimline/claimline/schema"
)

// TestWorkers has two workers on a database in PostgreSQL. An import that somebody agreed to, who went away,
// is done by them; commands beside them see it, cancel it, and go on with it; each row is claimed once.
func TestWorkers(t *testing.T) {
	t.Parallel()
	l := openLab(t)
	s := siteIn(labOnPostgres.Copy(t))
	s.program, s.global = l.program, append(s.global, "--config", l.config)
	first := s.start(t, "worker", "--workers", "1")

	s.agreed(t, l.users)
	s.until(t, "some are claimed", func(imp schema.Summary) bool { return imp.Claimed > 0 })
	first.signal(t, syscall.SIGTERM)
	assert.Equal(t, exitDone, first.wait(t).code, first.stderr.String())
	imp := s.latest(t)
	require.Equal(t, schema.StateApplying, imp.State, "to stop is not to cancel")

	assert.Equal(t, exitDone, s.execute(t, "cancel", imp.ID).code)
	require.Equal(t, schema.StateCancelled, s.latest(t).State)
	second, third := s.start(t, "worker"), s.start(t, "worker")
	got := s.execute(t, "resume", "--accept-permanent", imp.ID)
	assert.Equal(t, exitDone, got.code, got.stderr)
	require.Equal(t, labUsers, s.latest(t).Claimed)

	s.agreed(t, l.users) // all claimed already: there is nothing to apply
	s.until(t, "it has ended", func(imp schema.Summary) bool { return imp.State.Ended() })
	for _, worker := range []*process{second, third} {
		worker.signal(t, syscall.SIGINT)
		assert.Equal(t, exitDone, worker.wait(t).code, worker.stderr.String())
	}
}

// agreed has a file imported whose rows the service is to claim, as somebody agrees to it and goes away.
func (s *site) agreed(t *testing.T, file string) {
	t.Helper()
	db, err := postgres.Open(t.Context(), s.db, postgres.Options{})
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	flow, err := pipeline.New(pipeline.Config{
		Store: store.New(db), Now: time.Now, Policy: schema.DefaultPolicy(), Workers: 2, Lease: time.Minute, Runner: "test", TransactionRows: 1000,
	})
	require.NoError(t, err)
	source, err := dialect.OpenFile(file)
	require.NoError(t, err)
	defer func() { require.NoError(t, source.Close()) }()
	imp, err := flow.Plan(context.WithoutCancel(t.Context()), source, schema.Order{Organization: "acme", By: "ann"}, pipeline.Watch{})
	require.NoError(t, err)
	if imp.State == schema.StateAwaitingConsent {
		_, err = flow.Agree(t.Context(), "acme", imp.ID, schema.Consent{By: "bo", Claims: imp.Tally.Outcomes[schema.Ready]})
		require.NoError(t, err)
	}
}

// until waits until something holds of the latest import.
func (s *site) until(t *testing.T, what string, holds func(schema.Summary) bool) {
	t.Helper()
	eventually(t, what, func() bool { return holds(*s.latest(t)) })
}
