package sqlite

import (
	"database/sql/driver"
	"strings"
	"sync"

	"modernc.org/sqlite"

	"github.com/claimline/claimline/schema"
)

// registerHolds lets statements search as the program does: holds(words, text) is 1 where every word, folded
// already, occurs in the text.
var registerHolds = sync.OnceFunc(func() {
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
})
