package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/claimline/claimline/schema"
)

// readingFlags say how a users file is to be read where that is not certain.
type readingFlags struct {
	encoding        string
	columns, ignore []string
	everyRow        bool
	noEdits         bool
}

func (f *readingFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.encoding, "encoding", "", "encoding of the file, as windows-1252 or macintosh, where it is not certain")
	cmd.Flags().StringArrayVar(&f.columns, "column", nil, "what a column is, as `\"Header=Column\"`; repeat the flag for more")
	cmd.Flags().StringArrayVar(&f.ignore, "ignore-column", nil, "`header` of a column that means nothing; repeat the flag for more")
	cmd.Flags().BoolVar(&f.everyRow, "every-row", false, "a file without a column Claim claims every row")
	f.addNoEdits(cmd)
}

func (f *readingFlags) addNoEdits(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.noEdits, "no-edits", false, "claim, and leave the accounts' data as it is")
}

// order puts what the flags say into an order.
func (f *readingFlags) order(cmd *cobra.Command, order *schema.Order) error {
	if cmd.Flags().Changed("encoding") && strings.TrimSpace(f.encoding) == "" {
		return usage("--encoding names no encoding.").WithFix("Write the name of one, as in --encoding windows-1252.")
	}
	order.Encoding, order.EveryRow, order.NoEdits = strings.TrimSpace(f.encoding), f.everyRow, f.noEdits
	for _, given := range f.columns {
		at := strings.LastIndexByte(given, '=') // a header may have one, a column has none
		if at < 0 || strings.TrimSpace(given[:at]) == "" || strings.TrimSpace(given[at+1:]) == "" {
			header := first(strings.Trim(given, " ="), "Header")
			return usage("--column %q does not say which column is what.", given).WithFix("Write the header, = and what it is: --column %q.", header+"="+schema.ClaimHeader)
		}
		header, column := strings.TrimSpace(given[:at]), strings.TrimSpace(given[at+1:])
		for other := range order.Columns {
			if schema.SameHeader(other, header) {
				return usage("--column says twice what %q is.", header).WithFix("Leave one of the two out.")
			}
		}
		if order.Columns == nil {
			order.Columns = map[string]string{}
		}
		order.Columns[header] = column
	}
	for _, header := range f.ignore {
		if header = strings.TrimSpace(header); header == "" {
			return usage("--ignore-column names no column.").WithFix("Write the header of a column, as in --ignore-column Notes.")
		}
		for other := range order.Columns {
			if schema.SameHeader(other, header) {
				return usage("%q cannot be a column and be ignored.", header).WithFix("Leave out --column or --ignore-column for it.")
			}
		}
		order.IgnoreColumns = append(order.IgnoreColumns, header)
	}
	return nil
}
