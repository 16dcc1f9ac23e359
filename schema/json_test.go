package schema

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestJSONSteersNoTerminal(t *testing.T) {
	t.Parallel()
	word := rapid.OneOf(rapid.String(), rapid.StringOf(rapid.RuneFrom([]rune("a\"\\\n\x00\x1b\x7f\u0085\u009b\u00ad\u200b\u202e\u2028\ufeff\U000e0041å漢<&"))))
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.MapOf(word, rapid.SliceOf(word)).Draw(t, "value")
		var written, plain bytes.Buffer
		require.NoError(t, NewEncoder(&written).Encode(value))
		line, ended := strings.CutSuffix(written.String(), "\n")
		assert.True(t, ended)
		for _, r := range line {
			assert.False(t, unicode.In(r, unicode.Cc, unicode.Cf), "%q in %q", r, line)
		}
		var read, want map[string][]string
		require.NoError(t, json.Unmarshal(written.Bytes(), &read))
		require.NoError(t, json.NewEncoder(&plain).Encode(value))
		require.NoError(t, json.Unmarshal(plain.Bytes(), &want))
		assert.Equal(t, want, read, "a reader gets the same text")
	})
}

func TestJSONLeavesOrdinaryTextAlone(t *testing.T) {
	t.Parallel()
	var written bytes.Buffer
	require.NoError(t, NewEncoder(&written).Encode("Åsa <asa@åkeri.example> & 漢"))
	assert.Equal(t, "\"Åsa <asa@åkeri.example> & 漢\"\n", written.String())
}
