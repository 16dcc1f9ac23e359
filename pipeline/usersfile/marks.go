package usersfile

import (
	"slices"

	"github.com/claimline/claimline/schema"
)

// Marks is what the cells of columns not understood could say of who is meant, in a file without the column
// Claim.
type Marks struct {
	filled, other []bool // per column watched: some cell has content; some cell is no boolean
}

// Mark looks at the record's cells in the columns not understood.
func (l *Layout) Mark(record []string, m *Marks) {
	if m.filled == nil {
		m.filled, m.other = make([]bool, len(l.marks)), make([]bool, len(l.marks))
	}
	for i, column := range l.marks {
		if m.other[i] {
			continue
		}
		cell := l.clean(record[column])
		if cell == "" {
			continue
		}
		m.filled[i] = true
		if _, _, boolean := schema.ReadBool(cell); !boolean {
			m.other[i] = true
		}
	}
}

// Watches reports whether Mark has anything to look at.
func (l *Layout) Watches() bool { return len(l.marks) > 0 }

// Add takes over what was seen in another part of the file.
func (m *Marks) Add(other Marks) {
	if m.filled == nil {
		m.filled, m.other = slices.Clone(other.filled), slices.Clone(other.other)
	}
	for i := range other.filled {
		m.filled[i] = m.filled[i] || other.filled[i]
		m.other[i] = m.other[i] || other.other[i]
	}
}

// Judge refuses, with CodeColumnUnclear, columns all of whose cells are booleans: they could be marks of who
// is to be claimed.
func (l *Layout) Judge(m Marks) *schema.Error {
	var doubts []Doubt
	for i, column := range l.marks {
		if len(m.filled) > 0 && m.filled[i] && !m.other[i] {
			doubts = append(doubts, Doubt{Column: column, Header: l.Header[column], Known: schema.ClaimHeader})
		}
	}
	refused := RefuseDoubts(doubts, "The column %q has nothing but TRUE, FALSE or words for them: it may be %s, which the file does not have.")
	if refused != nil {
		refused = refused.WithFix("%s If every row is to be claimed, whatever it says: --every-row.", refused.Fix)
	}
	return refused
}
