package screen

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
		phase               pipeline.Phase
		done, total, lately int
		elapsed             time.Duration
		want                string
	}{
		{pipeline.Planning, 5000, 0, 5000, 2 * time.Second, "Reading the file: 5,000 rows, 2,500/s"},
		{pipeline.Loading, 5000, 0, 5000, 2 * time.Second, "Loading: 5,000 rows, 2,500/s"},
		{pipeline.Exporting, 5000, 0, 5000, 2 * time.Second, "Exporting: 5,000 rows, 2,500/s"},
		{pipeline.Applying, 0, 1000, 0, time.Second, "Claiming [....................]   0%  0 of 1,000, 0/s"},
		{pipeline.Applying, 250, 1000, 250, time.Second, "Claiming [#####...............]  25%  250 of 1,000, 250/s, 3 s left"},
		{pipeline.Applying, 500, 1000, 0, 0, "Claiming [##########..........]  50%  500 of 1,000, 0/s"},
		{pipeline.Applying, 500, 1000, 100, time.Second, "Claiming [##########..........]  50%  500 of 1,000, 100/s, 5 s left"},
		{pipeline.Applying, 1000, 61000, 1000, time.Second, "Claiming [....................]   1%  1,000 of 61,000, 1,000/s, 1 min left"},
		{pipeline.Applying, 1, 7201, 1, time.Second, "Claiming [....................]   0%  1 of 7,201, 1/s, 2 h left"},
		{pipeline.Applying, 1000, 1000, 1000, time.Second, "Claiming [####################] 100%  1,000 of 1,000, 1,000/s, 0 s left"},
	} {
		assert.Equal(t, test.want, progressLine(Page{}, test.phase, test.done, test.total, test.lately, test.elapsed))
	}
}

func TestProgressIsDrawnSeldomAndCleared(t *testing.T) {
	t.Parallel()
	var screen bytes.Buffer
	at := now
	bar := &Progress{To: &screen, Now: func() time.Time { return at }}
	bar.Clear()
	bar.Update(pipeline.Applying, 1, 100)
	at = at.Add(progressDelay / 2)
	bar.Update(pipeline.Applying, 2, 100)
	bar.Clear()
	assert.Empty(t, screen.String(), "what takes no time shows nothing")

	bar.Update(pipeline.Applying, 2, 100)
	for i := range 100 {
		at = at.Add(10 * time.Millisecond)
		bar.Update(pipeline.Applying, i, 100)
	}
	drawn := strings.Count(screen.String(), "Claiming")
	assert.Greater(t, drawn, 3)
	assert.Less(t, drawn, 11)
	bar.Clear()
	assert.True(t, strings.HasSuffix(screen.String(), clearLine))
	length := screen.Len()
	bar.Clear()
	assert.Equal(t, length, screen.Len(), "there is nothing left to clear")
}

// Of an import that another process drives, the rate is what was done since somebody looks.
func TestProgressOfAnImportThatIsWatched(t *testing.T) {
	t.Parallel()
	var screen bytes.Buffer
	at := now
	bar := &Progress{To: &screen, Now: func() time.Time { return at }, Page: Page{Width: 80}}
	bar.Watch(5000, 10_000)
	at = at.Add(2 * time.Second)
	bar.Watch(7000, 10_000)
	assert.Equal(t, clearLine+"Claiming [##########..........]  50%  5,000 of 10,000, 0/s"+
		clearLine+"Claiming [##############......]  70%  7,000 of 10,000, 1,000/s, 3 s left", screen.String())
}

func TestProgressNeverBreaksTheLine(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var screen bytes.Buffer
		at := now
		bar := &Progress{To: &screen, Now: func() time.Time { return at }, Page: Page{Width: rapid.IntRange(20, 100).Draw(t, "width")}}
		total := rapid.IntRange(1, 3_000_000).Draw(t, "total")
		bar.Update(pipeline.Applying, 0, total)
		at = at.Add(time.Duration(rapid.Int64Range(int64(progressDelay), int64(time.Hour)).Draw(t, "elapsed")))
		bar.Update(pipeline.Applying, rapid.IntRange(0, total).Draw(t, "done"), total)
		for line := range strings.SplitSeq(screen.String(), clearLine) {
			assert.Less(t, len([]rune(line)), bar.Page.Width, line)
		}
	})
}
