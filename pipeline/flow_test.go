package pipeline_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/claimline/claimline/pipeline"
	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/schema"
)

// What would block or panic later is refused when a flow is set up.
func TestNew(t *testing.T) {
	works := pipeline.Config{Now: time.Now, Workers: 1, Lease: time.Second, Store: store.New(nil)}
	_, err := pipeline.New(works)
	require.NoError(t, err)
	for name, spoil := range map[string]func(*pipeline.Config){
		"no clock":           func(c *pipeline.Config) { c.Now = nil },
		"no worker":          func(c *pipeline.Config) { c.Workers = 0 },
		"no lease":           func(c *pipeline.Config) { c.Lease = 0 },
		"fewer than no rows": func(c *pipeline.Config) { c.TransactionRows = -1 },
	} {
		c := works
		spoil(&c)
		_, err := pipeline.New(c)
		require.Error(t, err, name)
	}
}

// A flow without a store checks rows, and nothing more.
func TestNewWithoutStore(t *testing.T) {
	p, err := pipeline.New(pipeline.Config{Now: time.Now, Workers: 1})
	require.NoError(t, err)
	file := dialect.Text("users.csv", "Email,Claim\nann@x.example,TRUE\n")
	plan, err := p.Validate(t.Context(), file, schema.Order{Offline: true}, nil, pipeline.Watch{})
	require.NoError(t, err)
	require.Equal(t, 1, plan.Tally.Outcomes[schema.Ready])
	_, err = p.Validate(t.Context(), file, schema.Order{Organization: "acme"}, nil, pipeline.Watch{})
	require.ErrorContains(t, err, "no store")
}
