package kept

import (
	"cmp"
	"slices"
	"strings"

	"github.com/claimline/claimline/schema"
)

// Causes counts rows that are not claimed by what they have in common: the reason, the column, and what the
// message adds.
type Causes map[causeKey]*schema.Cause

type causeKey struct {
	reason        schema.Code
	hint          schema.Hint
	column, value string
}

const (
	mostCauses   = 2000 // different ones that are told apart; beyond, values no longer are
	listedCauses = 50   // kept with a plan
	causeLines   = 5    // lines named of each
)

// Add counts a row.
func (c Causes) Add(f *schema.Finding, line int) {
	key := causeKey{reason: f.Reasons[0], hint: f.Hint, column: f.Column}
	if f.Column != "" && len(f.Details) > 0 && ofCell(key.reason) {
		if key.value = f.Details[0]; key.value == `""` {
			key.value = "nothing"
		}
	}
	cause := c[key]
	if cause == nil && len(c) >= mostCauses {
		key.value = ""
		cause = c[key]
	}
	if cause == nil {
		key.value = strings.Clone(key.value)
		cause = &schema.Cause{Reason: key.reason, Hint: key.hint, Column: key.column, Value: key.value}
		c[key] = cause
	}
	if cause.Count++; cause.Count <= causeLines {
		cause.Lines = append(cause.Lines, line)
	}
}

// ofCell reports whether the details of a reason begin with what stands in the cell.
func ofCell(reason schema.Code) bool {
	switch reason {
	case schema.CodeDuplicateRow, schema.CodeClaimContradicted, // the other row's line
		schema.CodeStaleClaimType: // the type that the user would get
		return false
	}
	return true
}

// List lists the most frequent causes, those first that stand first in the file among equals.
func (c Causes) List() []schema.Cause {
	list := make([]schema.Cause, 0, len(c))
	for _, cause := range c {
		list = append(list, *cause)
	}
	slices.SortFunc(list, byFrequency)
	return list[:min(len(list), listedCauses)]
}

// Of returns the causes of one reason, the most frequent first.
func (c Causes) Of(reason schema.Code) []schema.Cause {
	var list []schema.Cause
	for key, cause := range c {
		if key.reason == reason {
			list = append(list, *cause)
		}
	}
	slices.SortFunc(list, byFrequency)
	return list
}

// byFrequency compares two causes: the more frequent, then the one that stands first in the file.
func byFrequency(a, b schema.Cause) int { return cmp.Or(b.Count-a.Count, a.Lines[0]-b.Lines[0]) }
