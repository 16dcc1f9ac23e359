package schema

import (
	"cmp"
	"slices"
	"strings"
)

// Reading is what somebody says of how a users file is to be read, where that is not certain.
type Reading struct {
	Encoding      string   `json:"encoding,omitempty"`      // blank: it has to be certain
	Sheet         string   `json:"sheet,omitempty"`         // of a workbook; blank: it has to be certain
	Columns       []string `json:"column,omitempty"`        // what columns are, each as Header=Column
	IgnoreColumns []string `json:"ignore_column,omitempty"` // headers of those that mean nothing
	EveryRow      bool     `json:"every_row,omitempty"`     // a file without a column Claim claims every row
	NoEdits       bool     `json:"no_edits,omitempty"`      // the accounts' data is left as it is (R17)
}

// Equal reports whether both say the same, in the same order.
func (r *Reading) Equal(other *Reading) bool {
	return r.Encoding == other.Encoding && r.Sheet == other.Sheet && slices.Equal(r.Columns, other.Columns) && slices.Equal(r.IgnoreColumns, other.IgnoreColumns) &&
		r.EveryRow == other.EveryRow && r.NoEdits == other.NoEdits
}

// Into puts it into an order. Refused with CodeUsage where it contradicts itself; what is wrong is called by
// its name in what was said, behind a prefix, as in --column.
func (r *Reading) Into(order *Order, prefix string) error {
	order.Encoding, order.EveryRow, order.NoEdits = strings.TrimSpace(r.Encoding), r.EveryRow, r.NoEdits
	order.Sheet = strings.TrimSpace(r.Sheet)
	for _, given := range r.Columns {
		at := strings.LastIndexByte(given, '=') // a header may have one, a column has none
		if at < 0 || strings.TrimSpace(given[:at]) == "" || strings.TrimSpace(given[at+1:]) == "" {
			header := cmp.Or(strings.Trim(given, " ="), "Header")
			return Refuse(CodeUsage, "%scolumn %q does not say which column is what.", prefix, given).
				WithFix("Write the header, = and what it is: %scolumn %q.", prefix, header+"="+ClaimHeader)
		}
		header, column := strings.TrimSpace(given[:at]), strings.TrimSpace(given[at+1:])
		for other := range order.Columns {
			if SameHeader(other, header) {
				return Refuse(CodeUsage, "%scolumn says twice what %q is.", prefix, header).WithFix("Leave one of the two out.")
			}
		}
		if order.Columns == nil {
			order.Columns = map[string]string{}
		}
		order.Columns[header] = column
	}
	ignore := "ignore-column"
	if prefix == "" {
		ignore = "ignore_column"
	}
	for _, header := range r.IgnoreColumns {
		if header = strings.TrimSpace(header); header == "" {
			return Refuse(CodeUsage, "%s%s names no column.", prefix, ignore).
				WithFix("Write the header of a column, as in %s%s Notes.", prefix, ignore)
		}
		for other := range order.Columns {
			if SameHeader(other, header) {
				return Refuse(CodeUsage, "%q cannot be a column and be ignored.", header).
					WithFix("Leave out %scolumn or %s%s for it.", prefix, prefix, ignore)
			}
		}
		order.IgnoreColumns = append(order.IgnoreColumns, header)
	}
	return nil
}
