package directory

import (
	"slices"
	"strings"

	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/pipeline/usersfile"
	"github.com/claimline/claimline/schema"
)

// rows reads the rows of a list.
type rows struct {
	list      *List
	table     *table
	each      func(Entry)
	beside    func(Beside)
	count     int
	principal int   // the column of the names to sign in with; -1: none
	kind      int   // the column that calls guests so; -1: none
	classes   int   // the column of the classes; -1: none
	disabled  int   // the column that tells who is disabled; -1: none
	others    []int // columns that may have further addresses
	disables  func(cell string) bool
}

func (l *List) rows(t *table, beside func(Beside), each func(Entry)) *rows {
	r := &rows{
		list: l, table: t, each: each, beside: beside, disabled: -1,
		principal: find(l.Header, principalNames...), kind: find(l.Header, typeNames...), classes: find(l.Header, classNames...),
	}
	if r.classes >= 0 {
		l.ObjectColumn = l.Header[r.classes]
	}
	for _, column := range disabledColumns() {
		if r.disabled = find(l.Header, column.name); r.disabled >= 0 {
			r.disables = column.disables
			l.DisabledColumn = l.Header[r.disabled]
			break
		}
	}
	for _, name := range slices.Concat(addressColumns(), otherNames) {
		if at := find(l.Header, name); at >= 0 && !slices.Contains(r.others, at) {
			r.others = append(r.others, at)
		}
	}
	return r
}

// needs returns the columns that are read.
func (r *rows) needs() []int {
	needs := []int{r.list.Place, r.principal, r.kind, r.classes, r.disabled}
	if r.beside != nil {
		needs = append(needs, r.others...)
	}
	return needs
}

const unreadable = "Correct the row, or export the directory again: whoever cannot be read would be taken for absent."

// read takes one row in.
func (r *rows) read(row row) error {
	l := r.list
	if len(row.cells) != len(l.Header) {
		return schema.Refuse(schema.CodeFieldCount, "The row has %d cells, and the header has %d.", len(row.cells), len(l.Header)).
			At(l.file, row.line, 0).WithFix(unreadable)
	}
	r.lost(&row)
	if r.classes >= 0 && !isPerson(r.cell(&row, r.classes)) {
		l.Objects++
		r.aside(&row, NoPerson, Entry{})
		return nil
	}
	email, did, several := r.table.address(row.cells[l.Place], l.Place)
	did.Count(l.Repairs)
	switch {
	case isGuest(email), isGuest(r.cell(&row, r.principal)), strings.EqualFold(r.cell(&row, r.kind), "Guest"):
		l.Guests++
		r.aside(&row, Guest, Entry{})
		return nil
	case usersfile.SaysNothing(email):
		l.NoAddress++
		r.aside(&row, NoAddress, Entry{})
		return nil
	}
	refused := func(problem schema.Code, message, fix schema.Text) error {
		return schema.Refuse(problem, "%s", message).At(l.file, row.at(l.Place), l.Field()).In(l.Header[l.Place]).WithFix("%s %s", fix, schema.Word(unreadable))
	}
	if strings.IndexByte(email, '?') >= 0 && !strings.ContainsAny(email, " :/") {
		return refused(schema.CodeEmailInvalid, schema.Say("In the address a letter was lost, and ? written for it: %s.", schema.Quote(email)),
			schema.Say("Export the list again in an encoding that has all letters: Export-Csv -Encoding UTF8, csvde -u, ldifde -u."))
	}
	key, problem := schema.ParseAddress(email)
	if problem != "" {
		message, fix := usersfile.Explain(problem, email).Told()
		return refused(problem, message, fix)
	}
	if several {
		l.Several++
	}
	if r.disabled >= 0 && r.disables(r.cell(&row, r.disabled)) {
		l.Disabled++
	}
	r.count++
	entry := Entry{Key: key, Email: email}
	r.each(entry)
	r.aside(&row, OtherAddress, entry)
	return nil
}

// cell returns a cell, cleaned; blank where there is no such column.
func (r *rows) cell(row *row, place int) string {
	if place < 0 {
		return ""
	}
	value, _ := dialect.Clean(r.table.text(row.cells[place]))
	return value
}

// lost notes a column in which there is the name of a type where addresses should be.
func (r *rows) lost(row *row) {
	if r.list.Lost != "" {
		return
	}
	for _, place := range r.others {
		if isTypeName(row.cells[place]) {
			r.list.Lost = r.list.Header[place]
			return
		}
	}
}

// aside hands over the addresses that a row has beside its entry's.
func (r *rows) aside(row *row, why Why, entry Entry) {
	if r.beside == nil {
		return
	}
	for _, place := range r.others {
		cell := r.table.text(row.cells[place])
		if strings.IndexByte(cell, '@') < 0 {
			continue
		}
		first, others := addressesIn(cell)
		for _, address := range append(first, others...) {
			if key, problem := schema.ParseAddress(address); problem == "" && key != entry.Key {
				r.beside(Beside{Key: key, Line: row.at(place), Column: r.list.Header[place], Email: entry.Email, Why: why})
			}
		}
	}
}
