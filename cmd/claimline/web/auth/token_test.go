package auth

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/claimline/claimline/schema"
)

func TestTokens(t *testing.T) {
	first, second := NewToken(), NewToken()
	assert.NotEqual(t, first, second)
	assert.Regexp(t, `^clm_[A-Za-z0-9_-]{48}$`, first)
	one, err := Digest(first)
	require.NoError(t, err)
	assert.Len(t, one, 32)
	other, err := Digest(second)
	require.NoError(t, err)
	assert.NotEqual(t, one, other)
}

// One character that is wrong, missing or too many is a typing error, and so is whatever else is no token.
func TestTypingErrors(t *testing.T) {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_ =é"
	rapid.Check(t, func(t *rapid.T) {
		token := NewToken()
		at := rapid.IntRange(0, len(token)-1).Draw(t, "at")
		character := string(rapid.RuneFrom([]rune(alphabet)).Draw(t, "character"))
		wrong := rapid.SampledFrom([]string{
			token[:at] + character + token[at+1:], token[:at] + token[at+1:], token[:at] + character + token[at:], token[:at], "",
			strings.ToLower(token), token + token,
		}).Draw(t, "wrong")
		if wrong == token {
			return
		}
		_, err := Digest(wrong)
		assert.Equal(t, schema.CodeTokenInvalid, schema.CodeOf(err), wrong)
		assert.NotContains(t, err.Error(), "crc")
	})
}
