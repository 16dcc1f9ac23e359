package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/claimline/claimline/schema"
)

// readingFlags say how a users file is to be read where that is not certain.
type readingFlags struct{ schema.Reading }

func (f *readingFlags) add(cmd *cobra.Command) {
	f.addColumns(cmd)
	f.addNoEdits(cmd)
}

// addColumns adds the flags that say what the file's columns are.
func (f *readingFlags) addColumns(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.Encoding, "encoding", "", "encoding of the file, as windows-1252 or macintosh, where it is not certain")
	addSheetFlag(cmd, &f.Sheet)
	cmd.Flags().StringArrayVar(&f.Columns, "column", nil, "what a column is, as `\"Header=Column\"`; repeat the flag for more")
	cmd.Flags().StringArrayVar(&f.IgnoreColumns, "ignore-column", nil, "`header` of a column that means nothing; repeat the flag for more")
	cmd.Flags().BoolVar(&f.EveryRow, "every-row", false, "a file without a column Claim claims every row")
}

func addSheetFlag(cmd *cobra.Command, sheet *string) {
	cmd.Flags().StringVar(sheet, "sheet", "", "`name` of the sheet, where the file is a workbook and it is not certain")
}

func (f *readingFlags) addNoEdits(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.NoEdits, "no-edits", false, "claim, and leave the accounts' data as it is")
}

// said returns what the flags say, where they do not contradict each other.
func (f *readingFlags) said(cmd *cobra.Command) (schema.Reading, error) {
	return f.Reading, f.order(cmd, &schema.Order{})
}

// order puts what the flags say into an order.
func (f *readingFlags) order(cmd *cobra.Command, order *schema.Order) error {
	if cmd.Flags().Changed("encoding") && strings.TrimSpace(f.Encoding) == "" {
		return usage("--encoding names no encoding.").WithFix("Write the name of one, as in --encoding windows-1252.")
	}
	if cmd.Flags().Changed("sheet") && strings.TrimSpace(f.Sheet) == "" {
		return usage("--sheet names no sheet.").WithFix("Write the name of one, as in --sheet Users.")
	}
	return f.Into(order, "--")
}
