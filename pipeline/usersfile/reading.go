package usersfile

import (
	"cmp"
	"strings"

	"github.com/claimline/claimline/schema"
)

// Reading is what somebody says of how a users file is to be read, where that is not certain.
type Reading struct {
	Encoding      string
	Columns       []string // what columns are, each as Header=Column
	IgnoreColumns []string // headers of those that mean nothing
	EveryRow      bool
	NoEdits       bool
}

// Into puts it into an order. Refused with CodeUsage where it contradicts itself; what is wrong is called by
// its name in what was said, behind a prefix, as in --column.
func (r *Reading) Into(order *schema.Order, prefix string) error {
	order.Encoding, order.EveryRow, order.NoEdits = strings.TrimSpace(r.Encoding), r.EveryRow, r.NoEdits
	for _, given := range r.Columns {
		at := strings.LastIndexByte(given, '=') // a header may have one, a column has none
		if at < 0 || strings.TrimSpace(given[:at]) == "" || strings.TrimSpace(given[at+1:]) == "" {
			header := cmp.Or(strings.Trim(given, " ="), "Header")
			return schema.Refuse(schema.CodeUsage, "%scolumn %q does not say which column is what.", prefix, given).
				WithFix("Write the header, = and what it is: %scolumn %q.", prefix, header+"="+schema.ClaimHeader)
		}
		header, column := strings.TrimSpace(given[:at]), strings.TrimSpace(given[at+1:])
		for other := range order.Columns {
			if schema.SameHeader(other, header) {
				return schema.Refuse(schema.CodeUsage, "%scolumn says twice what %q is.", prefix, header).WithFix("Leave one of the two out.")
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
			return schema.Refuse(schema.CodeUsage, "%s%s names no column.", prefix, ignore).
				WithFix("Write the header of a column, as in %s%s Notes.", prefix, ignore)
		}
		for other := range order.Columns {
			if schema.SameHeader(other, header) {
				return schema.Refuse(schema.CodeUsage, "%q cannot be a column and be ignored.", header).
					WithFix("Leave out %scolumn or %s%s for it.", prefix, prefix, ignore)
			}
		}
		order.IgnoreColumns = append(order.IgnoreColumns, header)
	}
	return nil
}
