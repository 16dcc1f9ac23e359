package sqlite

import (
	"database/sql/driver"
	"strings"
	"sync"

	"modernc.org/sqlite"

	"github.com/claimline/claimline/schema"
)

// registerFunctions lets statements search as the program does: holds(words, text) is 1 where every word,
// folded already, occurs in the text; bigrams(text) are the bits that users keep of a text.
var registerFunctions = sync.OnceFunc(func() {
	sqlite.MustRegisterDeterministicScalarFunction("holds", 2, func(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) {
		words, _ := args[0].(string)
		text, _ := args[1].(string)
		text = schema.Fold(text)
		for word := range strings.FieldsSeq(words) {
			if !strings.Contains(text, word) {
				return int64(0), nil
			}
		}
		return int64(1), nil
	})
	sqlite.MustRegisterDeterministicScalarFunction("bigrams", 1, func(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) {
		text, _ := args[0].(string)
		return bigrams(schema.Fold(text)), nil
	})
})

// bigrams returns which pairs of bytes stand side by side in the words of a folded text, each as one of 64
// bits: a text in which words occur has all the bits that they have. Looking at them spares looking at most
// texts. Who changes what they are, or how texts are folded, fills users.bigrams anew in a migration.
func bigrams(folded string) int64 {
	const spread, kept = 0x9e3779b97f4a7c15, 64 - 6 // the first bits of a product are mixed best
	var bits uint64
	for word := range strings.FieldsSeq(folded) {
		for i := 1; i < len(word); i++ {
			pair := uint64(word[i-1])<<8 | uint64(word[i])
			bits |= 1 << (pair * spread >> kept)
		}
	}
	return int64(bits)
}

// bigramsOf returns bigrams of all in an account that is searched, but for edits of a claim.
func bigramsOf(u *schema.User) int64 {
	return bigrams(schema.Fold(u.Email + "\n" + u.FirstName + "\n" + u.LastName + "\n" + u.DisplayName))
}
