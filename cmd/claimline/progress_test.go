package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"github.com/claimline/claimline/pipeline"
)

func TestProgressLine(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		phase       pipeline.Phase
		done, total int
		elapsed     time.Duration
		want        string
	}{
		{pipeline.Planning, 5000, 0, 2 * time.Second, "Reading the file: 5000 rows, 2500/s"},
		{pipeline.Loading, 5000, 0, 2 * time.Second, "Loading: 5000 rows, 2500/s"},
		{pipeline.Exporting, 5000, 0, 2 * time.Second, "Exporting: 5000 rows, 2500/s"},
		{pipeline.Applying, 0, 1000, time.Second, "Claiming [....................]   0%  0 of 1000, 0/s"},
		{pipeline.Applying, 250, 1000, time.Second, "Claiming [#####...............]  25%  250 of 1000, 250/s, 3 s left"},
		{pipeline.Applying, 1000, 61000, time.Second, "Claiming [....................]   1%  1000 of 61000, 1000/s, 1 min left"},
		{pipeline.Applying, 1, 7201, time.Second, "Claiming [....................]   0%  1 of 7201, 1/s, 2 h left"},
		{pipeline.Applying, 1000, 1000, time.Second, "Claiming [####################] 100%  1000 of 1000, 1000/s, 0 s left"},
	} {
		assert.Equal(t, test.want, progressLine(test.phase, test.done, test.total, test.elapsed))
	}
	rapid.Check(t, func(t *rapid.T) {
		total := rapid.IntRange(1, 3_000_000).Draw(t, "total")
		line := progressLine(pipeline.Applying, rapid.IntRange(0, total).Draw(t, "done"), total,
			time.Duration(rapid.Int64Range(int64(progressDelay), int64(time.Hour)).Draw(t, "elapsed")))
		assert.Less(t, len(line), 80, line)
	})
}

func TestProgressIsDrawnSeldomAndCleared(t *testing.T) {
	t.Parallel()
	var screen bytes.Buffer
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	bar := &progress{to: &screen, now: func() time.Time { return now }}
	bar.clear()
	bar.update(pipeline.Applying, 1, 100)
	now = now.Add(progressDelay / 2)
	bar.update(pipeline.Applying, 2, 100)
	bar.clear()
	assert.Empty(t, screen.String(), "what takes no time shows nothing")

	bar.update(pipeline.Applying, 2, 100)
	for i := range 100 {
		now = now.Add(10 * time.Millisecond)
		bar.update(pipeline.Applying, i, 100)
	}
	drawn := strings.Count(screen.String(), "Claiming")
	assert.Greater(t, drawn, 3)
	assert.Less(t, drawn, 11)
	bar.clear()
	assert.True(t, strings.HasSuffix(screen.String(), clearLine))
	length := screen.Len()
	bar.clear()
	assert.Equal(t, length, screen.Len(), "there is nothing left to clear")
}
