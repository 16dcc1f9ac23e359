package main

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/claimline/claimline/schema"
)

// readingFlags say how a users file is to be read where that is not certain.
type readingFlags struct{ schema.Reading }

func (f *readingFlags) add(cmd *cobra.Command) {
	f.addColumns(cmd)
	addSheetFlag(cmd, &f.Sheet)
	f.addNoEdits(cmd)
}

// addColumns adds the flags that say what the file's columns are.
func (f *readingFlags) addColumns(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.Encoding, "encoding", "", "encoding of the file, as windows-1252 or macintosh, where it is not certain")
	cmd.Flags().StringArrayVar(&f.Columns, "column", nil, "what a column is, as `\"Header=Column\"`; repeat the flag for more")
	cmd.Flags().StringArrayVar(&f.IgnoreColumns, "ignore-column", nil, "`header` of a column that means nothing; repeat the flag for more")
	cmd.Flags().BoolVar(&f.EveryRow, "every-row", false, "a file without a column Claim claims every row")
}

func addSheetFlag(cmd *cobra.Command, sheet *string) {
	cmd.Flags().StringVar(sheet, "sheet", "", "`name` of the sheet, where the file is a workbook and it is not certain")
}

// sheetsFlag says which sheets of workbooks are meant, where a command takes several files.
type sheetsFlag struct{ said []string }

func (f *sheetsFlag) add(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&f.said, "sheet", nil, "`name` of the sheet, where a file is a workbook and it is not certain; of one of several files: \"FILE=Sheet\"")
}

// by returns the sheets that are meant, by file. Without the name of a file before it, a sheet is that of the
// file that the command is about; where that is blank, of all files that are not named.
func (f *sheetsFlag) by(about string, others ...string) (map[string]string, error) {
	files := slices.DeleteFunc(append([]string{about}, others...), func(file string) bool { return file == "" })
	if len(files) == 0 && len(f.said) > 0 {
		return nil, usage("--sheet names the sheet of a file, and no file is given.").WithFix("Give the file, or leave --sheet out.")
	}
	sheets := map[string]string{}
	unnamed := ""
	for _, said := range f.said {
		of, sheet := "", said
		for _, file := range files {
			for _, spelt := range []string{file, filepath.Clean(file), "./" + filepath.Clean(file)} {
				if rest, found := strings.CutPrefix(said, spelt+"="); found && len(file) > len(of) {
					of, sheet = file, rest
				}
			}
		}
		sheet = strings.TrimSpace(sheet)
		_, twice := sheets[of]
		switch {
		case sheet == "":
			return nil, usage("--sheet names no sheet.").WithFix("Write the name of one, as in --sheet Users.")
		case of != "" && twice:
			return nil, usage("--sheet names two sheets of %s.", of).WithFix("Leave one of the two out.")
		case of != "":
			sheets[of] = sheet
		case unnamed != "":
			return nil, usage("--sheet names two sheets, and does not say of which files.").WithFix("Write the file before the sheet: --sheet %q.", files[len(files)-1]+"="+sheet)
		default:
			unnamed = sheet
		}
	}
	if about != "" {
		files = files[:1]
	}
	taken := unnamed == ""
	for _, file := range files {
		if sheets[file] == "" {
			sheets[file] = unnamed
			taken = true
		}
	}
	if !taken {
		return nil, usage("--sheet names the sheet %s, and that of %s is named apart.", schema.Quote(unnamed), strings.Join(files, ", ")).
			WithFix("Leave one of the two out.")
	}
	return sheets, nil
}

// flagsOf returns the flags that say what an order says of how a file is read, so that a command to run next
// reads it as this one did.
func flagsOf(order schema.Order) (flags []string) {
	for _, said := range []struct{ flag, value string }{{"--encoding", order.Encoding}, {"--sheet", order.Sheet}} {
		if said.value != "" {
			flags = append(flags, said.flag, said.value)
		}
	}
	for _, header := range slices.Sorted(maps.Keys(order.Columns)) {
		flags = append(flags, "--column", header+"="+order.Columns[header])
	}
	for _, header := range order.IgnoreColumns {
		flags = append(flags, "--ignore-column", header)
	}
	for _, said := range []struct {
		flag string
		set  bool
	}{{"--every-row", order.EveryRow}, {"--no-edits", order.NoEdits}, {"--all-or-nothing", order.AllOrNothing}} {
		if said.set {
			flags = append(flags, said.flag)
		}
	}
	return flags
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
	if sheet := cmd.Flags().Lookup("sheet"); sheet.Changed && strings.TrimSpace(sheet.Value.String()) == "" {
		return usage("--sheet names no sheet.").WithFix("Write the name of one, as in --sheet Users.")
	}
	return f.Into(order, "--")
}
