package pipeline

import (
	"strconv"

	"github.com/claimline/claimline/schema"
)

// ParseImportID reads the id of an import; CodeImportNotFound for what cannot be one.
func ParseImportID(id string) (int64, error) {
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil || n <= 0 {
		return 0, schema.Refuse(schema.CodeImportNotFound, "There is no import %q.", schema.Shorten(id))
	}
	return n, nil
}
