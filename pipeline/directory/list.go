package directory

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"

	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/pipeline/usersfile"
	"github.com/claimline/claimline/schema"
)

// addressColumns returns the columns of a directory's list that may hold the address; the first that is
// present does.
func addressColumns() []string {
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

// Notes says how a directory's list was read.
type Notes struct {
	Column         string   // header of the addresses
	Others         []string // headers of columns that could have held them too
	NoAddress      int      // rows without an address, which were left out
	Guests         int      // rows of guests, which were left out
	Disabled       int      // accounts in the list that the directory has disabled; they are in it all the same
	DisabledColumn string   // header of the column that says so
	Repairs        map[schema.Repair]int
}

// Options say how a list is read.
type Options struct {
	dialect.Limits
	Address string // header of the column of the addresses; blank: the first that is known
}

// List is a list that has been read, apart from its entries.
type List struct {
	Notes

	Header     []string
	HeaderLine int
	Place      int // of the addresses among the columns
	file       string
}

// Entry is one row of a list: an address as it is written, and its key.
type Entry struct{ Key, Email string }

const exportDirectory = "Export the directory again, with all its people."

// open opens a list. Whatever is no UTF is read as Windows-1252: of a list only addresses count.
func open(ctx context.Context, source dialect.Source, options Options) (*dialect.Reader, error) {
	names := addressColumns()
	if options.Address != "" {
		names = append([]string{options.Address}, names...)
	}
	reader, err := dialect.NewReader(ctx, source, dialect.Options{Limits: options.Limits, SingleByte: dialect.Windows1252, Names: names})
	if refused, ok := errors.AsType[*schema.Error](err); ok && refused.Code == schema.CodeFileEmpty {
		return nil, refused.WithFix(exportDirectory)
	}
	return reader, err
}

// Read reads a list, and hands over its entries in the order of the file; they share the memory of what
// they were read from. Refused as a whole, with file, line and column, where it is empty or a row cannot
// be read: whoever stands there would be taken for absent (see R23).
func Read(ctx context.Context, source dialect.Source, options Options, each func(Entry)) (*List, error) {
	reader, err := open(ctx, source, options)
	if err != nil {
		return nil, err
	}
	l := &List{HeaderLine: reader.HeaderLine(), Header: reader.Header(), Notes: Notes{Repairs: map[schema.Repair]int{}}, file: source.Name()}
	if l.Place, err = l.addressColumn(options.Address); err != nil {
		return nil, err
	}
	if l.Place < 0 {
		return nil, withoutAddresses(ctx, source, options.Limits, l.Header, l.HeaderLine)
	}
	if _, cleaned := dialect.MatchHeader(reader.HeaderCells()[l.Place], l.Column); cleaned {
		l.Repairs[schema.RepairHeaderCleaned]++
	}
	rows := l.rows(each)
	if err := eachRecord(ctx, reader, l.Place+1, l.Repairs, rows.read); err != nil {
		return nil, err
	}
	for kind, n := range reader.Repairs() {
		l.Repairs[kind] += n
	}
	if rows.count == 0 {
		return nil, schema.Refuse(schema.CodeFileEmpty, "The list has nobody with an address: every member would be taken for absent.").
			At(source.Name(), l.HeaderLine, 0).WithFix(exportDirectory)
	}
	return l, nil
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
func (l *List) addressColumn(address string) (int, error) {
	names := addressColumns()
	if address != "" {
		names = []string{address}
	}
	found := -1
	for _, name := range names {
		matches := func(header string) bool { return dialect.SameHeader(header, name) }
		first := slices.IndexFunc(l.Header, matches)
		if first < 0 || first == found {
			continue
		}
		if found >= 0 {
			if !slices.Contains(l.Others, l.Header[first]) {
				l.Others = append(l.Others, l.Header[first])
			}
			continue
		}
		if second := slices.IndexFunc(l.Header[first+1:], matches); second >= 0 {
			second += first + 1
			return 0, schema.Refuse(schema.CodeHeaderDuplicate, "The column %q stands in the header twice: as column %d and as column %d.",
				l.Header[second], first+1, second+1).At(l.file, l.HeaderLine, second+1).In(l.Header[second])
		}
		found = first
	}
	if found < 0 && address != "" {
		refused := schema.Refuse(schema.CodeEmailColumnMissing, "The list has no column %q, which --address names. Its columns are: %s.", address, schema.QuoteSome(l.Header)).At(l.file, l.HeaderLine, 0)
		if near, ok := schema.Nearest([]string{address}, l.Header); ok {
			return 0, refused.WithFix("Did you mean --address %q?", near)
		}
		return 0, refused.WithFix("Name one of its columns.")
	}
	if found >= 0 {
		l.Column = l.Header[found]
	}
	return found, nil
}

// rows reads the rows of a list.
type rows struct {
	list      *List
	each      func(Entry)
	count     int
	principal int // the column principalName; -1: none
	disabled  int // the column that tells; -1: none
	disables  func(cell string) bool
}

func (l *List) rows(each func(Entry)) *rows {
	r := &rows{list: l, each: each, disabled: -1}
	find := func(name string) int {
		return slices.IndexFunc(l.Header, func(header string) bool { return dialect.SameHeader(header, name) })
	}
	if r.principal = find(principalName); r.principal < 0 {
		r.principal = find("User principal name")
	}
	for _, column := range disabledColumns() {
		if r.disabled = find(column.name); r.disabled >= 0 {
			r.disables = column.disables
			l.DisabledColumn = l.Header[r.disabled]
			break
		}
	}
	return r
}

// read takes one row in.
func (r *rows) read(line int, cells []string) error {
	l := r.list
	const unreadable = "Correct the row, or export the directory again: whoever cannot be read would be taken for absent."
	if len(cells) != len(l.Header) {
		return schema.Refuse(schema.CodeFieldCount, "The row has %d cells, and the header has %d.", len(cells), len(l.Header)).
			At(l.file, line, 0).WithFix(unreadable)
	}
	email, did := dialect.Clean(cells[l.Place])
	did.Count(l.Repairs)
	switch {
	case isGuest(email), r.principal >= 0 && isGuest(cells[r.principal]):
		l.Guests++
		return nil
	case usersfile.SaysNothing(email):
		l.NoAddress++
		return nil
	}
	key, problem := schema.ParseAddress(email)
	if problem != "" {
		message, fix := usersfile.Explain(problem, email).Told()
		return schema.Refuse(problem, "%s", message).At(l.file, line, l.Place+1).In(l.Header[l.Place]).WithFix("%s %s", fix, schema.Word(unreadable))
	}
	if r.disabled >= 0 {
		if cell, _ := dialect.Clean(cells[r.disabled]); r.disables(cell) {
			l.Disabled++
		}
	}
	r.count++
	r.each(Entry{Key: key, Email: email})
	return nil
}

func isGuest(name string) bool { return strings.Contains(strings.ToLower(name), guestMark) }

// Fullest finds the column with the most addresses that count, and how many those are; -1: no column has
// any.
func Fullest(ctx context.Context, source dialect.Source, options Options, width int, counts func(key string) bool) (best, count int, err error) {
	reader, err := open(ctx, source, options)
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
func withoutAddresses(ctx context.Context, source dialect.Source, limits dialect.Limits, header []string, line int) error {
	for _, cell := range header {
		if _, problem := schema.ParseAddress(cell); problem == "" {
			return schema.Refuse(schema.CodeEmailColumnMissing, "The list has no header: its first line is a user.").At(source.Name(), line, 0).
				WithFix("Put a line above it that names the columns, %q the one of the addresses.", addressColumns()[0])
		}
	}
	best, count, err := Fullest(ctx, source, Options{Limits: limits}, len(header), func(string) bool { return true })
	if err != nil {
		return err
	}
	refused := schema.Refuse(schema.CodeEmailColumnMissing, "The list has no column that is known to hold the addresses. Its columns are: %s.", schema.QuoteSome(header)).
		At(source.Name(), line, 0)
	if best < 0 {
		return refused.WithFix("Export the directory again, with the column mail; or name the column of the addresses: --address COLUMN.")
	}
	refused.Message = refused.Message.And("The column %s has addresses, in %d of its cells.", schema.Quote(header[best]), count)
	if header[best] == "" {
		return refused.WithFix("Give the column of the addresses, which has no header, the name %s.", addressColumns()[0])
	}
	return refused.WithFix("If these are the addresses, name the column: --address %q.", header[best])
}

// SameSpelling reports whether two addresses are the same but for the form of the domain, or how letters
// are composed.
func SameSpelling(a, b string) bool { return a == b || Readable(a) == Readable(b) }

// Readable returns an address with the xn-- labels of its domain decoded, composed; its case stays.
func Readable(address string) string {
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
