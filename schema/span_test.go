package schema

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestSpans(t *testing.T) {
	const day = 24 * time.Hour
	for text, want := range map[string]time.Duration{"3d": 3 * day, "36h": 36 * time.Hour, "1d12h": 36 * time.Hour, "0d": 0, "90m": 90 * time.Minute} {
		got, ok := ParseSpan(text)
		assert.True(t, ok, text)
		assert.Equal(t, want, got, text)
	}
	for _, text := range []string{"", "d", "3", "-3d", "-1h", "3d-1h", "1d1d", "soon", "999999999999d", "9999999h", "1.5d"} {
		_, ok := ParseSpan(text)
		assert.False(t, ok, text)
	}
}
