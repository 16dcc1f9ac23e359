package sqlite

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/claimline/claimline/schema"
)

// A text in which a search is found has all the bigrams of the search.
func TestBigramsLeaveNothingOut(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		u := &schema.User{Email: rapid.StringMatching(`[A-Za-z.+]{1,12}@[a-zåß.]{1,9}`).Draw(t, "email")}
		u.FirstName, u.LastName, u.DisplayName = rapid.String().Draw(t, "first"), rapid.String().Draw(t, "last"), rapid.String().Draw(t, "display")
		text := []rune(schema.Fold(strings.Join([]string{u.Email, u.FirstName, u.LastName, u.DisplayName}, "\n")))
		at := rapid.IntRange(0, len(text)).Draw(t, "at")
		words := string(text[at:rapid.IntRange(at, len(text)).Draw(t, "end")])
		for part := range strings.FieldsSeq(words) {
			bits := bigrams(part)
			require.Equal(t, bits, bigramsOf(u)&bits, part)
		}
	})
}
