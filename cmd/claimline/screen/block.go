package screen

import (
	"io"
	"regexp"
	"strings"

	"github.com/claimline/claimline/schema"
)

// block is a part of what is shown: lines that belong together, and items below them that can be cut where
// there is no room.
type block struct {
	head  []string
	items [][]string  // each its lines
	more  schema.Text // what is said behind "and 3 more"
	least int         // items that stay
	none  []string    // what is said where no item has room
}

// lines returns the block with so many of its items.
func (b *block) lines(p Page, items int) []string {
	if items == 0 && len(b.none) > 0 && len(b.items) > 0 {
		return b.none
	}
	lines := append([]string{}, b.head...)
	for _, item := range b.items[:items] {
		lines = append(lines, item...)
	}
	if more := len(b.items) - items; more > 0 {
		lines = append(lines, Wrap("  "+p.Say("and %s more%s", schema.Number(more), b.more), p.Width, 4)...)
	}
	return lines
}

// fitted returns the blocks line by line. Where there are more lines than room, items go: from the last block
// first, then from the one before. No room is any.
func fitted(p Page, blocks []block, room int) []string {
	shown := make([]int, len(blocks))
	for i := range blocks {
		shown[i] = len(blocks[i].items)
	}
	render := func() (lines []string) {
		for i := range blocks {
			lines = append(lines, blocks[i].lines(p, shown[i])...)
		}
		return lines
	}
	lines := render()
	for i := len(blocks) - 1; i >= 0 && room > 0; i-- {
		for len(lines) > room && shown[i] > min(blocks[i].least, len(blocks[i].items)) {
			shown[i]--
			lines = render()
		}
	}
	return lines
}

// write writes lines, the first and the outcomes in colour where there is one; colour never says anything
// that the words do not.
func write(to io.Writer, p Page, lines []string) error {
	for i, line := range lines {
		lines[i] = p.paint(i, line)
	}
	_, err := io.WriteString(to, strings.Join(lines, "\n")+"\n")
	return err //nolint:wrapcheck // who calls knows what was written
}

// countLine is a line that says how many rows end how.
var countLine = regexp.MustCompile(`^  ([a-z_]+) +[0-9,\x{a0}]+  `)

func (p Page) paint(line int, s string) string {
	if !p.Colour {
		return s
	}
	const bold, red, green, yellow, reset = "\x1b[1m", "\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[0m"
	if line == 0 {
		return bold + s + reset
	}
	counted := countLine.FindStringSubmatch(s)
	if counted == nil {
		return s
	}
	switch schema.Outcome(counted[1]) {
	case schema.Ready, schema.Claimed:
		return green + s + reset
	case schema.Invalid, schema.Failed:
		return red + s + reset
	case schema.Ineligible, schema.NotAttempted:
		return yellow + s + reset
	}
	return s
}
