package people

import (
	"cmp"
	"context"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/pipeline/usersfile"
	"github.com/claimline/claimline/schema"
)

// directoryColumns returns the columns of a directory's list that may hold the address; the first that is
// present does.
func directoryColumns() []string {
	return slices.Concat([]string{"email"}, usersfile.EmailNames, []string{"mail", "EmailAddress", "Email Address [Required]", principalName, "User principal name"})
}

// principalName is the column of the names with which people sign in to a directory; those of guests have
// guestMark.
const (
	principalName = "userPrincipalName"
	guestMark     = "#ext#" // folded
)

// disabledColumns returns the columns that say whether the directory has disabled an account, each with the
// value that does.
func disabledColumns() []disabledColumn {
	return []disabledColumn{
		{"Enabled", isBool(false)}, {"accountEnabled", isBool(false)}, {"Block credential", isBool(true)},
		{"Status [READ ONLY]", func(cell string) bool { return strings.EqualFold(cell, "Suspended") }},
	}
}

type disabledColumn struct {
	name     string
	disables func(cell string) bool
}

func isBool(wanted bool) func(string) bool {
	return func(cell string) bool {
		value, _, ok := schema.ReadBool(cell)
		return ok && value == wanted
	}
}

// DirectoryNotes says how a directory's list was read.
type DirectoryNotes struct {
	Column         string   // header of the addresses
	Others         []string // headers of columns that could have held them too
	NoAddress      int      // rows without an address, which were left out
	Guests         int      // rows of guests, which were left out
	Disabled       int      // accounts in the list that the directory has disabled; they are in it all the same
	DisabledColumn string   // header of the column that says so
	Repairs        map[schema.Repair]int
}

// directory is the full list of an employer's own directory.
type directory struct {
	entries []directoryEntry // by key, then by email
	notes   DirectoryNotes
	header  []string
	line    int // of the header
	column  int // of the addresses
}

type directoryEntry struct{ key, email string }

const exportDirectory = "Export the directory again, with all its people."

// directoryReader opens a directory's list. Whatever is no UTF is read as Windows-1252: of a list only
// addresses count.
func (p *People) directoryReader(ctx context.Context, source dialect.Source, address string) (*dialect.Reader, error) {
	names := directoryColumns()
	if address != "" {
		names = append([]string{address}, names...)
	}
	reader, err := dialect.NewReader(ctx, source, dialect.Options{Limits: p.Limits, SingleByte: dialect.Windows1252, Names: names})
	if refused, ok := errors.AsType[*schema.Error](err); ok && refused.Code == schema.CodeFileEmpty {
		return nil, refused.WithFix(exportDirectory)
	}
	return reader, err
}

// readDirectory reads a directory's list; address is the column of the addresses, blank: the first that is
// known. Refused as a whole, with file, line and column, where it is empty or a row cannot be read: whoever
// stands there would be taken for absent (see R23).
func (p *People) readDirectory(ctx context.Context, source dialect.Source, address string) (*directory, error) {
	reader, err := p.directoryReader(ctx, source, address)
	if err != nil {
		return nil, err
	}
	d := &directory{line: reader.HeaderLine(), notes: DirectoryNotes{Repairs: map[schema.Repair]int{}}}
	d.header = reader.Header()
	if d.column, err = d.addressColumn(source.Name(), address); err != nil {
		return nil, err
	}
	if d.column < 0 {
		return nil, p.withoutAddresses(ctx, source, d.header, d.line)
	}
	if _, cleaned := dialect.MatchHeader(reader.HeaderCells()[d.column], d.notes.Column); cleaned {
		d.notes.Repairs[schema.RepairHeaderCleaned]++
	}
	rows := d.rows(source.Name())
	if err := eachRecord(ctx, reader, d.column+1, d.notes.Repairs, rows.read); err != nil {
		return nil, err
	}
	for kind, n := range reader.Repairs() {
		d.notes.Repairs[kind] += n
	}
	if len(d.entries) == 0 {
		return nil, schema.Refuse(schema.CodeFileEmpty, "The list has nobody with an address: every member would be taken for absent.").
			At(source.Name(), d.line, 0).WithFix(exportDirectory)
	}
	slices.SortFunc(d.entries, func(a, b directoryEntry) int {
		return cmp.Or(strings.Compare(a.key, b.key), strings.Compare(a.email, b.email))
	})
	return d, nil
}

// eachRecord hands over every record, as wide as the header where it can be made so: cells from mayLack on
// may be missing.
func eachRecord(ctx context.Context, reader *dialect.Reader, mayLack int, repairs map[schema.Repair]int, each func(line int, cells []string) error) error {
	header := reader.Header()
	var records dialect.Records
	for {
		err := reader.NextRecords(ctx, &records)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if records.BlankRows > 0 {
			repairs[schema.RepairBlankRow] += records.BlankRows
		}
		for i := range records.Len() {
			cells, fitted := records.Fit(i, reader.Format(), mayLack)
			if dialect.IsHeader(header, cells) {
				repairs[schema.RepairHeaderRepeated]++
				continue
			}
			fitted.Count(repairs)
			if err := each(records.Line(i), cells); err != nil {
				return err
			}
		}
	}
}

// addressColumn finds the column of the addresses; -1: it is none that is known.
func (d *directory) addressColumn(file, address string) (int, error) {
	names := directoryColumns()
	if address != "" {
		names = []string{address}
	}
	found := -1
	for _, name := range names {
		matches := func(header string) bool { return dialect.SameHeader(header, name) }
		first := slices.IndexFunc(d.header, matches)
		if first < 0 || first == found {
			continue
		}
		if found >= 0 {
			if !slices.Contains(d.notes.Others, d.header[first]) {
				d.notes.Others = append(d.notes.Others, d.header[first])
			}
			continue
		}
		if second := slices.IndexFunc(d.header[first+1:], matches); second >= 0 {
			second += first + 1
			return 0, schema.Refuse(schema.CodeHeaderDuplicate, "The column %q stands in the header twice: as column %d and as column %d.",
				d.header[second], first+1, second+1).At(file, d.line, second+1).In(d.header[second])
		}
		found = first
	}
	if found < 0 && address != "" {
		refused := schema.Refuse(schema.CodeEmailColumnMissing, "The list has no column %q, which --address names. Its columns are: %s.", address, schema.QuoteSome(d.header)).At(file, d.line, 0)
		if near, ok := schema.Nearest([]string{address}, d.header); ok {
			return 0, refused.WithFix("Did you mean --address %q?", near)
		}
		return 0, refused.WithFix("Name one of its columns.")
	}
	if found >= 0 {
		d.notes.Column = d.header[found]
	}
	return found, nil
}

// directoryRows reads the rows of a list.
type directoryRows struct {
	d         *directory
	file      string
	principal int // the column principalName; -1: none
	disabled  int // the column that tells; -1: none
	disables  func(cell string) bool
}

func (d *directory) rows(file string) *directoryRows {
	r := &directoryRows{d: d, file: file, disabled: -1}
	find := func(name string) int {
		return slices.IndexFunc(d.header, func(header string) bool { return dialect.SameHeader(header, name) })
	}
	if r.principal = find(principalName); r.principal < 0 {
		r.principal = find("User principal name")
	}
	for _, column := range disabledColumns() {
		if r.disabled = find(column.name); r.disabled >= 0 {
			r.disables = column.disables
			d.notes.DisabledColumn = d.header[r.disabled]
			break
		}
	}
	return r
}

// read takes one row in.
func (r *directoryRows) read(line int, cells []string) error {
	d := r.d
	const unreadable = "Correct the row, or export the directory again: whoever cannot be read would be taken for absent."
	if len(cells) != len(d.header) {
		return schema.Refuse(schema.CodeFieldCount, "The row has %d cells, and the header has %d.", len(cells), len(d.header)).
			At(r.file, line, 0).WithFix(unreadable)
	}
	email, did := dialect.Clean(cells[d.column])
	did.Count(d.notes.Repairs)
	switch {
	case isGuest(email), r.principal >= 0 && isGuest(cells[r.principal]):
		d.notes.Guests++
		return nil
	case usersfile.SaysNothing(email):
		d.notes.NoAddress++
		return nil
	}
	key, problem := schema.ParseAddress(email)
	if problem != "" {
		message, fix := usersfile.Explain(problem, email).Words()
		return schema.Refuse(problem, "%s", message).At(r.file, line, d.column+1).In(d.header[d.column]).WithFix("%s %s", fix, unreadable)
	}
	if r.disabled >= 0 {
		if cell, _ := dialect.Clean(cells[r.disabled]); r.disables(cell) {
			d.notes.Disabled++
		}
	}
	// The cell shares the memory of its block, which need not be kept.
	d.entries = append(d.entries, directoryEntry{key: strings.Clone(key), email: strings.Clone(email)})
	return nil
}

func isGuest(name string) bool { return strings.Contains(strings.ToLower(name), guestMark) }

// checkFits refuses a list that cannot be the organization's: matched of its rows name somebody that the
// organization lists. That most of them lie in domains that it does not hold is no reason where somebody has
// said which column is meant.
func (p *People) checkFits(ctx context.Context, organization string, source dialect.Source, address string, d *directory, matched, members int) error {
	if members == 0 {
		return nil
	}
	why := "no address in the column %q is a member's"
	if matched > 0 {
		if address != "" {
			return nil
		}
		foreign, err := p.foreignDomains(ctx, organization, d)
		if err != nil || 2*foreign <= len(d.entries) {
			return err
		}
		why = "most addresses in the column %q lie in domains that your organization does not hold"
	}
	best, count, err := p.bestColumn(ctx, organization, source, address, len(d.header))
	if err != nil {
		return err
	}
	refused := schema.Refuse(schema.CodeDirectoryMismatch, "The list does not fit your organization: "+why+".", d.notes.Column).
		At(source.Name(), d.line, d.column+1).In(d.notes.Column)
	switch {
	case best >= 0 && best != d.column && count > matched:
		refused.Message += " The column " + schema.Quote(d.header[best]) + " fits better: " + strconv.Itoa(count) + " of its addresses are members'."
		return refused.WithFix("Read the addresses from there: --address %q.", d.header[best])
	case matched > 0:
		return refused.WithFix("Check that this is your own directory's list. If it is, say that the column is right: --address %q.", d.notes.Column)
	}
	return refused.WithFix("Check that this is your own directory's list, and export it again with the addresses that people have here.")
}

// foreignDomains counts the rows whose address lies in a domain that the organization does not hold; none
// where it holds no domain at all.
func (p *People) foreignDomains(ctx context.Context, organization string, d *directory) (int, error) {
	domains, err := p.Store.Domains(ctx, organization)
	if err != nil {
		return 0, err
	}
	held := map[string]bool{}
	for _, domain := range domains {
		if domain.Status != schema.DomainPending {
			held[domain.Domain] = true
		}
	}
	foreign := 0
	for _, entry := range d.entries {
		if !held[schema.KeyDomain(entry.key)] && len(held) > 0 {
			foreign++
		}
	}
	return foreign, nil
}

// bestColumn finds the column of the list with the most addresses that are members', and how many those are;
// -1: no column has any.
func (p *People) bestColumn(ctx context.Context, organization string, source dialect.Source, address string, width int) (best, count int, err error) {
	var keys []string // in order, as they come
	err = p.Store.Members(ctx, p.Rules(), organization, store.MemberFilter{NoProfile: true}, func(views []claim.View) error {
		for i := range views {
			keys = append(keys, views[i].Key)
		}
		return nil
	})
	if err != nil {
		return 0, 0, err
	}
	return p.fullest(ctx, source, address, width, func(key string) bool {
		_, found := slices.BinarySearch(keys, key)
		return found
	})
}

// fullest finds the column with the most addresses that count, and how many those are; -1: no column has any.
func (p *People) fullest(ctx context.Context, source dialect.Source, address string, width int, counts func(key string) bool) (best, count int, err error) {
	reader, err := p.directoryReader(ctx, source, address)
	if err != nil {
		return 0, 0, err
	}
	found := make([]int, width)
	err = eachRecord(ctx, reader, 0, map[schema.Repair]int{}, func(_ int, cells []string) error {
		for i, cell := range cells[:min(len(cells), width)] {
			value, _ := dialect.Clean(cell)
			if !strings.Contains(value, "@") {
				continue
			}
			if key, problem := schema.ParseAddress(value); problem == "" && counts(key) {
				found[i]++
			}
		}
		return nil
	})
	if err != nil {
		return 0, 0, err
	}
	best = -1
	for i, n := range found {
		if n > count {
			best, count = i, n
		}
	}
	return best, count, nil
}

// withoutAddresses refuses a list that has no column known to hold addresses, and names the one that does.
func (p *People) withoutAddresses(ctx context.Context, source dialect.Source, header []string, line int) error {
	for _, cell := range header {
		if _, problem := schema.ParseAddress(cell); problem == "" {
			return schema.Refuse(schema.CodeEmailColumnMissing, "The list has no header: its first line is a user.").At(source.Name(), line, 0).
				WithFix("Put a line above it that names the columns, %q the one of the addresses.", directoryColumns()[0])
		}
	}
	best, count, err := p.fullest(ctx, source, "", len(header), func(string) bool { return true })
	if err != nil {
		return err
	}
	refused := schema.Refuse(schema.CodeEmailColumnMissing, "The list has no column that is known to hold the addresses. Its columns are: %s.", schema.QuoteSome(header)).
		At(source.Name(), line, 0)
	if best < 0 {
		return refused.WithFix("Export the directory again, with the column mail; or name the column of the addresses: --address COLUMN.")
	}
	refused.Message += " The column " + schema.Quote(header[best]) + " has addresses, in " + strconv.Itoa(count) + " of its cells."
	if header[best] == "" {
		return refused.WithFix("Give the column of the addresses, which has no header, the name %s.", directoryColumns()[0])
	}
	return refused.WithFix("If these are the addresses, name the column: --address %q.", header[best])
}

// asSpelt returns the spellings of an address as the list has them, but for those that differ from the
// account's only in the form of the domain or in how letters are composed: they are the account's.
func asSpelt(listed []string, email string) []string {
	for i, spelling := range listed {
		if spelling != email && readable(spelling) == readable(email) {
			listed[i] = email
		}
	}
	return listed
}

// readable returns an address with the xn-- labels of its domain decoded, composed; its case stays.
func readable(address string) string {
	at := strings.LastIndexByte(address, '@')
	labels := strings.Split(address[at+1:], ".")
	for i, label := range labels {
		if strings.HasPrefix(label, "xn--") {
			if decoded, err := idna.Punycode.ToUnicode(label); err == nil {
				labels[i] = decoded
			}
		}
	}
	return norm.NFC.String(address[:at+1] + strings.Join(labels, "."))
}

// walk goes through the list by key, beside something else that is in the same order.
type walk struct {
	rest  []directoryEntry
	spelt []string
}

// upTo hands over the entries before a key, once each, and returns every spelling of the key itself.
func (w *walk) upTo(key string, before func(directoryEntry)) []string {
	for len(w.rest) > 0 && w.rest[0].key < key {
		w.skip(before)
	}
	w.spelt = w.spelt[:0]
	for len(w.rest) > 0 && w.rest[0].key == key {
		w.spelt = append(w.spelt, w.rest[0].email)
		w.rest = w.rest[1:]
	}
	return w.spelt
}

// end hands over what is left.
func (w *walk) end(left func(directoryEntry)) {
	for len(w.rest) > 0 {
		w.skip(left)
	}
}

// skip hands over the first entry, and passes by all others of its key.
func (w *walk) skip(hand func(directoryEntry)) {
	first := w.rest[0]
	hand(first)
	for len(w.rest) > 0 && w.rest[0].key == first.key {
		w.rest = w.rest[1:]
	}
}
