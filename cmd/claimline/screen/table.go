package screen

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// Column is a column of a table: its header, and what may become of its cells where the table is too wide.
type Column struct {
	header string
	fit    fit
	right  bool // aligned
}

// fit says what may become of the cells of a column that has too little room.
type fit int

const (
	whole    fit = iota
	byDate       // the time of day goes
	byMiddle     // shortened in the middle
	byEnd        // shortened at the end
)

// Whole returns a column whose cells are never shortened.
func Whole(header string) Column { return Column{header: header} }

// Numeric returns a column of numbers, which are never shortened.
func Numeric(header string) Column { return Column{header: header, right: true} }

// Text returns a column whose cells are shortened at their end.
func Text(header string) Column { return Column{header: header, fit: byEnd} }

// Address returns a column of addresses, which are shortened in their middle.
func Address(header string) Column { return Column{header: header, fit: byMiddle} }

// When returns a column of times as Stamp writes them, which lose the time of day first.
func When(header string) Column { return Column{header: header, fit: byDate} }

// Stamp writes a time for a table, as the reader's clock shows it, with its zone; blank where there is none.
func Stamp(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.Local().Format("2006-01-02 15:04 MST")
}

// Table is rows below headers, in columns as wide as what stands in them. It must be closed.
type Table struct {
	columns []Column
	widths  []int
	rows    Spool
}

// NewTable returns a table without rows.
func NewTable(columns ...Column) *Table {
	return &Table{columns: columns, widths: make([]int, len(columns))}
}

const cellEnd = "\x1f" // no printable cell has it

// Add adds a row, of one printable cell per column.
func (t *Table) Add(cells ...string) error {
	for i, cell := range cells {
		t.widths[i] = max(t.widths[i], widthOf(cell))
	}
	return t.rows.Add(0, []byte(strings.Join(cells, cellEnd)))
}

// Len returns the number of rows.
func (t *Table) Len() int { return t.rows.Len() }

// Close removes what the table keeps.
func (t *Table) Close() error { return t.rows.Close() }

const gap = 2 // columns between two columns of a table

// Write writes the table, with its headers in the language of the page, as wide as that allows.
func (t *Table) Write(to io.Writer, p Page) error {
	headers := make([]string, len(t.columns))
	for i, c := range t.columns {
		headers[i] = p.Format(c.header)
		t.widths[i] = max(t.widths[i], widthOf(headers[i]))
	}
	widths := t.fitted(p.Width)
	out := bufio.NewWriter(to)
	t.line(out, headers, widths)
	err := t.rows.Each(func(row []byte) error {
		t.line(out, strings.Split(string(row), cellEnd), widths)
		return nil
	})
	if err != nil {
		return err
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write the table: %w", err)
	}
	return nil
}

// line writes one row; an error stays with the writer until it is flushed.
func (t *Table) line(out *bufio.Writer, cells []string, widths []int) {
	var b strings.Builder
	for i, cell := range cells {
		if widths[i] == gone {
			continue
		}
		cell = shorten(cell, t.columns[i].fit, widths[i])
		pad := strings.Repeat(" ", max(0, widths[i]-widthOf(cell)))
		if t.columns[i].right {
			cell, pad = pad+cell, ""
		}
		b.WriteString(cell + pad + strings.Repeat(" ", gap))
	}
	_, _ = out.WriteString(strings.TrimRight(b.String(), " ") + "\n")
}

func shorten(cell string, how fit, width int) string {
	switch how {
	case byDate:
		if widthOf(cell) > width {
			return head(cell, width)
		}
	case byMiddle:
		return Middle(cell, width)
	case byEnd:
		return End(cell, width)
	}
	return cell
}

const dateWidth = len("2006-01-02")

// leastWidths are what columns are shortened to, at first, then where a column would have to go, then where
// none can.
var leastWidths = []map[fit]int{{byMiddle: 24, byEnd: 12}, {byMiddle: 20, byEnd: 8}, {byMiddle: 16, byEnd: 8}}

// fitted returns how wide the columns are shown: dates lose their time first, then texts and addresses are
// shortened, the widest first. Where that is not enough, whole columns go: dates, then texts, the last first.
// What is left is never cut.
func (t *Table) fitted(width int) []int {
	widths := slices.Clone(t.widths)
	if width <= 0 {
		return widths
	}
	for _, dispensable := range []fit{byDate, byEnd} {
		for i := len(t.columns) - 1; i >= 0; i-- {
			for _, least := range leastWidths[:2] {
				if fitted, ok := t.shortened(widths, width, least); ok {
					return fitted
				}
			}
			if t.columns[i].fit == dispensable {
				widths[i] = gone
			}
		}
	}
	fitted, _ := t.shortened(widths, width, leastWidths[2])
	return fitted
}

// gone is the width of a column that is not shown.
const gone = -1

// shortened takes from the columns that can give; ok reports whether that is enough.
func (t *Table) shortened(widths []int, width int, leastWidth map[fit]int) (fitted []int, ok bool) {
	fitted = slices.Clone(widths)
	over := -gap - width
	for _, w := range fitted {
		if w != gone {
			over += w + gap
		}
	}
	for i, c := range t.columns {
		if c.fit == byDate && over > 0 && fitted[i] > dateWidth {
			over -= fitted[i] - dateWidth
			fitted[i] = dateWidth
		}
	}
	for over > 0 {
		widest := -1
		for i, c := range t.columns {
			if least := leastWidth[c.fit]; least > 0 && fitted[i] > least && (widest < 0 || fitted[i] > fitted[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			return fitted, false
		}
		fitted[widest]--
		over--
	}
	return fitted, true
}
