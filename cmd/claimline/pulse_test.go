package main

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/claimline/claimline/pipeline/jobs"
	"github.com/claimline/claimline/schema"
)

// Work is stuck where a loop does not come round in its time.
func TestPulse(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	p := &pulse{now: func() time.Time { return now }}
	once := func(context.Context, time.Time) (bool, error) { return false, nil }
	loops := []jobs.Loop{{Name: "often", Every: time.Second, RunOnce: once}, {Name: "rarely", Every: time.Hour, RunOnce: once}}
	p.listen(loops)
	now = now.Add(pulseTime)
	require.NoError(t, p.stuck(t.Context()))
	now = now.Add(time.Second)
	assert.Equal(t, schema.CodeWorkStuck, schema.CodeOf(p.stuck(t.Context())))
	_, err := loops[0].RunOnce(t.Context(), now)
	require.NoError(t, err)
	require.NoError(t, p.stuck(t.Context()), "the other one has time")
	now = now.Add(2 * time.Hour)
	_, err = loops[0].RunOnce(t.Context(), now)
	require.NoError(t, err)
	err = p.stuck(t.Context())
	assert.Equal(t, schema.CodeWorkStuck, schema.CodeOf(err))
	assert.Equal(t, 503, schema.CodeOf(err).Status())
}
