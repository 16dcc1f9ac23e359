package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// line is a line of the table: what a job took, and what that is held against.
type line struct {
	job    *job
	checks []check
}

// check holds one figure against a target.
type check struct {
	against string
	value   float64
	unit    string  // follows the value
	least   bool    // the value should be at least the target, not at most
	target  float64 // 0: none, the figure is for information
	dream   float64 // 0: none
	digits  int     // behind the decimal point
}

// met reports whether the value reaches a limit.
func (c *check) met(limit float64) bool {
	if c.least {
		return c.value >= limit
	}
	return c.value <= limit
}

func (c *check) show(value float64) string {
	return strconv.FormatFloat(value, 'f', c.digits, 64) + c.unit
}

// limit shows a limit and whether it was reached.
func (c *check) limit(limit float64) string {
	if limit == 0 {
		return ""
	}
	sign, mark := "≤ ", " ✗"
	if c.least {
		sign = "≥ "
	}
	if c.met(limit) {
		mark = " ✓"
	}
	return sign + strconv.FormatFloat(limit, 'f', -1, 64) + c.unit + mark
}

var columns = []string{"what", "runs", "wall", "rows/s", "memory", "against", "ratio", "target", "dream"}

// render writes the lines as a table in Markdown, its columns aligned for those who read it as text.
func render(lines []line) string {
	cells := [][]string{columns}
	for _, l := range lines {
		if !l.job.measured() {
			continue
		}
		wall := l.job.wall()
		first := []string{l.job.name, strconv.Itoa(len(l.job.samples)), showTime(wall), showRate(l.job.rows, wall), showMemory(l.job.memory())}
		for _, c := range l.checks {
			cells = append(cells, append(first, c.against, c.show(c.value), c.limit(c.target), c.limit(c.dream)))
			first = make([]string, 5, len(columns))
		}
		if len(l.checks) == 0 {
			cells = append(cells, append(first, "", "", "", ""))
		}
	}
	widths := make([]int, len(columns))
	for _, row := range cells {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	var b strings.Builder
	for n, row := range cells {
		for i, cell := range row {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if numeric(i) {
				cell, pad = pad+cell, ""
			}
			b.WriteString("| " + cell + pad + " ")
		}
		b.WriteString("|\n")
		if n > 0 {
			continue
		}
		for i, width := range widths {
			if numeric(i) {
				b.WriteString("|" + strings.Repeat("-", width+1) + ":")
			} else {
				b.WriteString("|" + strings.Repeat("-", width+2))
			}
		}
		b.WriteString("|\n")
	}
	return b.String()
}

// numeric reports whether a column is flush right.
func numeric(column int) bool { return column >= 1 && column <= 4 || column == 6 }

// missed counts the targets that were not reached.
func missed(lines []line) int {
	n := 0
	for _, l := range lines {
		for _, c := range l.checks {
			if c.target != 0 && !c.met(c.target) {
				n++
			}
		}
	}
	return n
}

func showTime(d time.Duration) string {
	if d < time.Second {
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return fmt.Sprintf("%.2f s", d.Seconds())
}

func showRate(rows int, d time.Duration) string {
	rate := float64(rows) / d.Seconds()
	if rate >= 1e6 {
		return fmt.Sprintf("%.2f M", rate/1e6)
	}
	return fmt.Sprintf("%.0f k", rate/1e3)
}

// showMemory writes what a job had; nothing where the system does not tell.
func showMemory(n int64) string {
	if n == 0 {
		return ""
	}
	return showBytes(n)
}

func showBytes(n int64) string { return fmt.Sprintf("%.0f MB", megabytes(n)) }

// megabytes returns millions of bytes.
func megabytes(n int64) float64 { return float64(n) / 1e6 }

// showCount writes a number with a comma at every thousand.
func showCount(n int) string {
	digits := strconv.Itoa(n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
