package sqlite

import (
	"database/sql/driver"
	"strings"
	"sync"

	"modernc.org/sqlite"

	"github.com/claimline/claimline/schema"
)

// registerHolds lets statements search as the program does: holds(words, text, …) is 1 where every word,
// folded already, occurs in the texts.
var registerHolds = sync.OnceFunc(func() {
	sqlite.MustRegisterDeterministicScalarFunction("holds", -1, func(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) {
		words, _ := args[0].(string)
		var b strings.Builder
		for _, arg := range args[1:] {
			if text, ok := arg.(string); ok {
				b.WriteString(text)
				b.WriteByte('\n')
			}
		}
		text := schema.Fold(b.String())
		for word := range strings.FieldsSeq(words) {
			if !strings.Contains(text, word) {
				return int64(0), nil
			}
		}
		return int64(1), nil
	})
})
