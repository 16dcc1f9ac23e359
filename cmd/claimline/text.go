package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"golang.org/x/term"

	"github.com/claimline/claimline/schema"
)

// newTable returns a plain table: no frame, no colour, headers as they are written.
func newTable(headers ...any) table.Writer {
	t := table.NewWriter()
	style := table.StyleDefault
	style.Options = table.OptionsNoBordersAndSeparators
	style.Format.Header = text.FormatDefault
	style.Box.PaddingLeft = ""
	style.Box.PaddingRight = "  "
	t.SetStyle(style)
	t.AppendHeader(headers)
	return t
}

// writeTable writes a table; on a terminal, its lines are cut to the screen's width.
func writeTable(to io.Writer, t table.Writer) error {
	width := screenWidth(to)
	for line := range strings.SplitSeq(t.Render(), "\n") {
		if _, err := fmt.Fprintln(to, text.Snip(strings.TrimRight(line, " "), width, "…")); err != nil {
			return unwritable("The answer", err)
		}
	}
	return nil
}

// screenWidth is how many columns the terminal has that f is; 0: it is none, or does not say.
func screenWidth(f any) int {
	file, ok := f.(*os.File)
	if !ok {
		return 0
	}
	width, _, err := term.GetSize(int(file.Fd()))
	if err != nil {
		return 0
	}
	return width
}

// byCount lists codes, the most frequent first.
func byCount(counts map[schema.Code]int) []schema.Code {
	codes := make([]schema.Code, 0, len(counts))
	for code := range counts {
		codes = append(codes, code)
	}
	slices.SortFunc(codes, func(a, b schema.Code) int {
		if counts[a] != counts[b] {
			return counts[b] - counts[a]
		}
		return strings.Compare(string(a), string(b))
	})
	return codes
}

// lineList names the first lines of a problem, and says how many more there are.
func lineList(lines []int, of int) string {
	list := strings.Trim(strings.ReplaceAll(fmt.Sprint(lines), " ", ", "), "[]")
	if more := of - len(lines); more > 0 {
		list += fmt.Sprintf(" and %d more", more)
	}
	return list
}
