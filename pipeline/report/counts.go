package report

import (
	"cmp"
	"slices"

	"github.com/claimline/claimline/schema"
)

// countedMost is how many different things one count tells apart, so that a file of nothing but different
// values costs no more memory than others. What comes later is counted together.
const countedMost = 10_000

// breakdown counts rows by outcome for each name: a domain, or a source organization.
type breakdown struct {
	names map[string]map[schema.Outcome]int
	rest  map[schema.Outcome]int // of names beyond countedMost
}

func (b *breakdown) add(name string, outcome schema.Outcome) {
	counts, known := b.names[name]
	switch {
	case known:
	case len(b.names) < countedMost:
		if b.names == nil {
			b.names = map[string]map[schema.Outcome]int{}
		}
		counts = map[schema.Outcome]int{}
		b.names[name] = counts
	default:
		if b.rest == nil {
			b.rest = map[schema.Outcome]int{}
		}
		counts = b.rest
	}
	counts[outcome]++
}

// part is the rows of one name, or of several.
type part struct {
	name     string
	names    int // how many names it stands for; 0: more than were told apart
	rows     int
	outcomes map[schema.Outcome]int
}

// largest returns the names with the most rows, at most so many, and one part more for all others, if there
// are any.
func (b *breakdown) largest(most int) []part {
	var parts []part
	for name, outcomes := range b.names {
		parts = append(parts, part{name: name, names: 1, rows: sum(outcomes), outcomes: outcomes})
	}
	slices.SortFunc(parts, func(x, y part) int { return cmp.Or(y.rows-x.rows, cmp.Compare(x.name, y.name)) })
	if len(parts) <= most && b.rest == nil {
		return parts
	}
	most = min(most, len(parts))
	others := part{outcomes: map[schema.Outcome]int{}}
	for _, p := range parts[most:] {
		others.names++
		others.add(p.outcomes)
	}
	if b.rest != nil {
		others.names = 0
		others.add(b.rest)
	}
	return append(parts[:most:most], others)
}

func (p *part) add(outcomes map[schema.Outcome]int) {
	for outcome, n := range outcomes {
		p.outcomes[outcome] += n
		p.rows += n
	}
}

func sum(counts map[schema.Outcome]int) (total int) {
	for _, n := range counts {
		total += n
	}
	return total
}

// columnEdits is what rows change in one column of their accounts, with the first few of them (see R17).
type columnEdits struct {
	Column string
	Count  int
	First  []schema.ColumnEdits
}

// editExamples is how many edits of a column are shown.
const editExamples = 3

// edits groups what rows change in accounts by column.
type edits map[string]*columnEdits

func (e edits) add(column string, values [2]string, line int, email string) {
	of := e[column]
	if of == nil {
		of = &columnEdits{Column: column}
		e[column] = of
	}
	of.Count++
	if len(of.First) < editExamples {
		of.First = append(of.First, schema.ColumnEdits{Column: column, Line: line, Email: email, Old: values[0], New: values[1]})
	}
}

// list returns the columns in the order of the users file.
func (e edits) list() []columnEdits {
	var list []columnEdits
	for _, column := range schema.Columns {
		if of := e[column]; of != nil {
			list = append(list, *of)
		}
	}
	return list
}
