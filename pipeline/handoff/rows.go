package handoff

import (
	"context"
	"hash/maphash"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/pipeline/directory"
	"github.com/claimline/claimline/pipeline/handoff/folder"
	"github.com/claimline/claimline/pipeline/kept"
	"github.com/claimline/claimline/pipeline/usersfile"
	"github.com/claimline/claimline/schema"
)

// pair is a column of the template that the file has, too.
type pair struct {
	*column
	at      int // the column of the file
	number  int // the column of the template
	service int // its place among the services of the file; -1: none
}

// quoteHeader shows a header in a message: as a whole, for services of two subscriptions differ at its end.
func quoteHeader(header string) string {
	const most = 200
	if utf8.RuneCountInString(header) > most {
		return schema.Quote(header)
	}
	return strconv.Quote(header)
}

// headerIn returns the header under which the column stands in the file.
func (p *pair) headerIn(l *usersfile.Layout) string { return l.Header[p.at] }

// block is what travels through the stages of a survey: whole rows in file order, and what is known of
// them.
type block struct {
	number int // from 0
	text   dialect.Block
	kept.Rows
	rows     []row
	carries  []uint64 // per record, a bit for each pair: the cell carries a change
	actions  []action // per record, one for each service of the file
	repairs  usersfile.Repairs
	marks    usersfile.Marks
	missing  int   // rows that lack blank cells at their end
	surplus  int   // rows with blank cells beyond the header's
	repeated int   // records that are the header once more
	falses   int   // cells FALSE that the mode ignores
	err      error // what ends the file here
}

// action is what a row does to one service.
type action uint8

const (
	leaves action = iota
	adds
	removes
)

// row is what later stages need of a record.
type row struct {
	hash      uint64 // of the address key; 0: the row counts for no duplicate
	spelling  uint64 // of the address as it is written; 0: it is its key
	leftAlone bool
	member    bool  // the users export lists it
	doubtful  []int // pairs whose cells are not written
}

// checker is the second stage: it checks every row by itself.
type checker struct {
	template  *template
	layout    *usersfile.Layout
	format    schema.Format
	pairs     []pair
	callings  []int // those that are Calling licences
	services  int   // of the file
	words     int   // of carries, per record
	mode      folder.Mode
	seed      maphash.Seed
	domains   map[string]bool // keys; nil: any
	users     *users          // nil: none were given
	directory *people         // likewise
}

// pairsOf finds the columns of the template that a file has.
func pairsOf(t *template, l *usersfile.Layout) (pairs []pair, services int) {
	for i := range t.columns {
		c := &t.columns[i]
		at := c.place(l)
		if at < 0 {
			continue
		}
		p := pair{column: c, at: at, number: i, service: -1}
		if c.kind == serviceKind {
			p.service = services
			services++
		}
		pairs = append(pairs, p)
	}
	return pairs, services
}

// check checks one block; several may be under way at once.
func (c *checker) check(_ context.Context, b *block) error {
	if b.err != nil {
		return b.err
	}
	if err := b.text.Parse(c.format, &b.Records); err != nil {
		return err
	}
	n := b.Records.Len()
	b.repairs, b.marks, b.missing, b.surplus, b.repeated, b.falses = usersfile.Repairs{}, usersfile.Marks{}, 0, 0, 0, 0
	b.rows, b.Verdicts = cleared(b.rows, n), cleared(b.Verdicts, n)
	b.carries, b.actions = cleared(b.carries, n*c.words), cleared(b.actions, n*c.services)
	s := rowCheck{
		checker: c, block: b, cells: make([]string, len(c.pairs)), values: make([]bool, c.services),
		user: make([]userCell, len(c.template.columns)),
	}
	for i := range n {
		record, fitted := c.layout.Fit(&b.Records, i, c.format)
		if fitted&dialect.Ragged != 0 {
			b.Verdicts[i].Finding = c.fieldCount(b, i)
			continue
		}
		if fitted&dialect.Missing != 0 {
			b.missing++
		}
		if fitted&dialect.Surplus != 0 {
			b.surplus++
		}
		s.check(i, record)
	}
	return nil
}

// cleared returns n zero values, in the memory of old ones where that is large enough.
func cleared[T any](old []T, n int) []T {
	if cap(old) < n {
		return make([]T, n)
	}
	clear(old[:n])
	return old[:n]
}

// fieldCount says how a record's count of cells is wrong.
func (c *checker) fieldCount(b *block, i int) *schema.Finding {
	next := b.Records.Line(i) + 1
	switch last := b.Records.Len() - 1; {
	case i < last:
		next = b.Records.Line(i + 1)
	case !strings.HasSuffix(b.text.Text, "\n"):
		next = 0 // the file ends here
	}
	return c.layout.FieldCount(b.Records.Cells(i), c.format, next)
}

// rowCheck checks the rows of a block, one after the other.
type rowCheck struct {
	*checker
	block  *block
	cells  []string   // of the row, one per pair, as they are read
	values []bool     // of its services, where they are TRUE
	user   []userCell // what the users export says, one per column of the template
	known  bool       // the users export lists the user
	email  string
	found  schema.Finding
}

// check makes the checks of one row, all but those on other rows with the same address.
func (s *rowCheck) check(i int, record []string) {
	b, r := s.block, &s.block.rows[i]
	before := b.repairs
	var values usersfile.Values
	var base usersfile.Row
	s.layout.Read(record, &values, &b.repairs)
	s.found = schema.Finding{}
	s.email = values[usersfile.Email]
	if s.layout.Watches() {
		s.layout.Mark(record, &b.marks)
	}
	if !s.layout.CheckClaim(&values, &base, &b.repairs, &s.found) {
		r.leftAlone = base.LeftAlone
		if base.Key != "" {
			r.hash = maphash.String(s.seed, base.Key)
		}
		s.end(i)
		return
	}
	key, problem := schema.ParseAddress(s.email)
	if problem != "" {
		if dialect.IsHeader(s.layout.Header, record) {
			b.repeated++
			b.repairs = before
			b.Verdicts[i].Finding = kept.NoRow
			return
		}
		s.found.Add(problem, s.layout.Column(usersfile.Email), schema.Quote(s.email))
	} else {
		r.hash = maphash.String(s.seed, key)
		if s.email != key { // most addresses are written as their key
			if spelling := directory.Readable(s.email); spelling != key {
				r.spelling = maphash.String(s.seed, spelling)
			}
		}
	}
	s.known = s.users != nil && r.hash != 0 && s.users.find(r.hash, s.user)
	r.member = s.known
	for n := range s.pairs {
		p := &s.pairs[n]
		s.cells[n] = ""
		switch {
		case p.field >= 0:
			s.cells[n] = values[p.field]
		case record[p.at] != "":
			s.cells[n] = s.layout.Cell(record[p.at])
		}
	}
	s.texts(i, r)
	s.services(i)
	s.calling(i)
	if s.found.Outcome == "" {
		s.place(r, key)
	}
	if s.found.Outcome != "" {
		s.explain(record)
	}
	s.end(i)
}

// end gives the row its verdict.
func (s *rowCheck) end(i int) {
	v := &s.block.Verdicts[i]
	switch {
	case s.found.Outcome != "":
		v.Finding, v.Edits = new(s.found), nil
	case len(s.found.Warnings) > 0:
		f := s.found
		f.Outcome = schema.Ready
		v.Finding = &f
	default:
		v.Finding = readyFinding
	}
}

// readyFinding is what most rows find.
var readyFinding = &schema.Finding{Outcome: schema.Ready}

// texts checks the cells that are no services: for damage, for what a spreadsheet would run, and for what
// they would change.
func (s *rowCheck) texts(i int, r *row) {
	v := &s.block.Verdicts[i]
	for n := range s.pairs {
		p, cell := &s.pairs[n], s.cells[n]
		if cell == "" || p.kind == serviceKind || p.kind == claimKind {
			continue
		}
		own := s.user[p.number]
		if !s.known {
			own = userCell{}
		}
		if p.kind == readOnlyKind {
			if own.known && own.text != "" && !usersfile.SameText(cell, own.text) {
				s.found.Warnings = append(s.found.Warnings, schema.Warning(schema.CodeReadOnlyChanged, p.headerIn(s.layout)))
			}
			continue
		}
		header := p.headerIn(s.layout)
		if cell[0] == '=' || cell[0] == '@' {
			s.found.Add(schema.CodeFormulaCell, header, schema.Quote(cell))
		}
		if p.kind == addressKind {
			s.carry(i, n)
			continue
		}
		switch {
		case p.field >= 0 && p.field.Editable() && usersfile.Damaged(p.field, cell, own.text):
			r.doubtful = append(r.doubtful, n)
			s.cells[n] = ""
			s.found.Warnings = append(s.found.Warnings, schema.Warning(schema.CodeEditDoubtful, header))
			continue
		case !usersfile.ValidText(cell), strings.ContainsRune(cell, utf8.RuneError):
			s.found.Add(schema.CodeTextInvalid, header, schema.Quote(cell))
		case usersfile.Shortened(cell):
			s.found.Add(schema.CodeTextInvalid, header, schema.Quote(cell))
			if s.found.Column == header {
				s.found.Explain(schema.HintCellShortened, schema.Quote(cell))
			}
		}
		if own.known && usersfile.SameText(cell, own.text) {
			continue
		}
		s.carry(i, n)
		if s.known && own.known && p.field >= 0 && p.field.Editable() {
			v.Edits = append(v.Edits, usersfile.Edit{Field: p.field, Old: own.text, New: strings.Clone(cell)})
		}
	}
}

// carry notes that a cell carries a change.
func (s *rowCheck) carry(i, pair int) {
	s.block.carries[i*s.words+pair/64] |= 1 << (pair % 64)
}

// services reads the cells of the services.
func (s *rowCheck) services(i int) {
	for n := range s.pairs {
		p, cell := &s.pairs[n], s.cells[n]
		if p.kind != serviceKind {
			continue
		}
		s.values[p.service] = false
		if cell == "" {
			continue
		}
		value, word, ok := schema.ReadBool(cell)
		if word {
			s.block.repairs.Booleans++
		}
		if !ok {
			s.found.Add(schema.CodeBooleanInvalid, p.headerIn(s.layout), schema.Quote(cell))
			continue
		}
		s.values[p.service] = value
		has, _, known := schema.ReadBool(s.user[p.number].text)
		gets, loses := !s.known || !known || !has, !s.known || !known || has
		do := leaves
		switch {
		case value && p.suspended:
			s.found.Add(schema.CodeServiceSuspended, p.headerIn(s.layout))
		case value && gets:
			do = adds
		case !value && s.mode == folder.AddOnly:
			s.block.falses++
		case !value && loses:
			do = removes
		}
		if do != leaves {
			s.block.actions[i*s.checker.services+p.service] = do
			s.carry(i, n)
		}
	}
}

// The limits of the names of users with a Calling licence.
const (
	callingNameRunes = 30
	callingNameSigns = `%#<>\/"`
)

// calling checks what a Calling licence needs. A cell that changes nothing leaves a user what the users
// export says.
func (s *rowCheck) calling(i int) {
	first, asked := "", false
	for _, n := range s.callings {
		p := &s.pairs[n]
		has := s.values[p.service]
		asked = asked || has
		if keeps := s.cells[n] == "" || s.mode == folder.AddOnly; !has && keeps && s.known {
			has, _, _ = schema.ReadBool(s.user[p.number].text)
		}
		if !has {
			continue
		}
		if first != "" && asked {
			s.found.Add(schema.CodeServiceConflict, p.headerIn(s.layout), quoteHeader(first), quoteHeader(p.name))
			return
		}
		first = p.name
	}
	if first == "" {
		return
	}
	if asked {
		if s.value(locationHeader) == "" {
			s.found.Add(schema.CodeLocationMissing, locationHeader, first)
		}
		if s.value(usersfile.Phone.Name()) == "" && s.value(extensionHeader) == "" {
			s.found.Add(schema.CodeNumberMissing, usersfile.Phone.Name(), first)
		}
		for n := range s.pairs { // what the licence needs goes with it, though the user has it already
			if s.cells[n] != "" && neededForCalling(s.pairs[n].name) {
				s.carry(i, n)
			}
		}
	}
	for i := range s.template.columns {
		c := &s.template.columns[i]
		if c.kind != nameKind {
			continue
		}
		header, name := c.name, s.value(c.name)
		if n := slices.IndexFunc(s.pairs, func(p pair) bool { return p.number == i }); n >= 0 {
			header = s.pairs[n].headerIn(s.layout)
		}
		if own := s.user[i]; asked || !s.known || !own.known || !usersfile.SameText(name, own.text) {
			s.callingName(header, name)
		}
	}
}

// neededForCalling reports whether a column is one that a Calling licence needs.
func neededForCalling(name string) bool {
	return slices.ContainsFunc([]string{locationHeader, usersfile.Phone.Name(), extensionHeader}, func(needed string) bool {
		return dialect.SameHeader(needed, name)
	})
}

// callingName checks a name of a user with a Calling licence.
func (s *rowCheck) callingName(header, name string) {
	if utf8.RuneCountInString(name) > callingNameRunes {
		s.found.Add(schema.CodeTextTooLong, header, schema.Quote(name))
		if s.found.Column == header && s.found.Reasons[0] == schema.CodeTextTooLong {
			s.found.Explain(schema.HintCallingNameLong, schema.Quote(name))
		}
	}
	if strings.ContainsAny(name, callingNameSigns) {
		s.found.Add(schema.CodeTextInvalid, header, schema.Quote(name))
		if s.found.Column == header && s.found.Reasons[0] == schema.CodeTextInvalid && s.found.Hint == "" {
			s.found.Explain(schema.HintCallingNameSign, schema.Quote(name))
		}
	}
}

// value returns what the user will have in a column: what the row says, or else what the users export does.
func (s *rowCheck) value(name string) string {
	for n := range s.pairs {
		if p := &s.pairs[n]; dialect.SameHeader(p.name, name) && s.cells[n] != "" {
			return s.cells[n]
		}
	}
	if !s.known {
		return ""
	}
	for i := range s.template.columns {
		if dialect.SameHeader(s.template.columns[i].name, name) {
			return s.user[i].text
		}
	}
	return ""
}

// place checks that the user is one of ours, and in the directory.
func (s *rowCheck) place(r *row, key string) {
	header := s.layout.Column(usersfile.Email)
	if domain := schema.KeyDomain(key); s.domains != nil && !s.domains[domain] {
		s.found.Add(schema.CodeDomainNotOurs, header, domain)
	}
	if s.directory == nil {
		return
	}
	switch listed, other := s.directory.look(r.hash, key, s.email); {
	case !listed:
		s.found.Add(schema.CodeNotInDirectory, header)
		if how, line := s.directory.otherwise(r.hash); how != "" && s.found.Reasons[0] == schema.CodeNotInDirectory {
			s.found.Explain(how, line)
		}
	case other != "":
		s.found.Add(schema.CodeCaseMismatch, header, schema.Quote(other))
	}
}

// explain finds out what in particular is wrong with a row, where its first reason does not say it.
func (s *rowCheck) explain(record []string) {
	f := &s.found
	if line, ok := usersfile.NoUser(record, s.email); ok {
		f.Explain(schema.HintNoUser, schema.Quote(line))
		return
	}
	if f.Hint != "" {
		return
	}
	switch f.Reasons[0] {
	case schema.CodeBooleanInvalid:
		if s.layout.Has(usersfile.Claim) && f.Column == s.layout.Column(usersfile.Claim) {
			f.Explain(schema.HintClaimWord, f.Details...)
		}
	case schema.CodeEmailInvalid:
		if hint, details := usersfile.EmailHint(s.email); hint != "" {
			f.Explain(hint, details...)
		}
	case schema.CodeTextInvalid:
		for n := range s.pairs {
			if s.pairs[n].headerIn(s.layout) == f.Column {
				explained := usersfile.Explain(schema.CodeTextInvalid, s.cells[n])
				f.Hint, f.Details = explained.Hint, explained.Details
				return
			}
		}
	}
}
