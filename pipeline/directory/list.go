package directory

import (
	"context"
	"slices"
	"strings"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"

	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/schema"
)

// Notes says how a directory's list was read.
type Notes struct {
	Column         string   // header of the addresses
	Others         []string // headers of columns that could have held them too
	NoAddress      int      // rows without an address, which were left out
	Objects        int      // entries that are no persons, which were left out
	ObjectColumn   string   // header of the column that says so
	Guests         int      // rows of guests, which were left out
	Several        int      // rows with several addresses in the column, of which the first was taken
	Disabled       int      // accounts in the list that the directory has disabled; they are in it all the same
	DisabledColumn string   // header of the column that says so
	Lost           string   // header of a column in which a program wrote the name of a type for several values
	Repairs        map[schema.Repair]int
}

// Options say how a list is read.
type Options struct {
	dialect.Limits
	Address string // header of the column of the addresses; blank: the first that is known

	// Beside takes what the list has beside its entries; nil: nobody asks.
	Beside func(Beside)
}

// List is a list that has been read, apart from its entries.
type List struct {
	Notes

	Header     []string
	HeaderLine int // 0: the file has no header
	Place      int // of the addresses among the columns
	file       string
}

// Field returns the number of the column of the addresses in the file, 1 for the first; 0 where the file has
// no columns.
func (l *List) Field() int {
	if l.HeaderLine == 0 {
		return 0
	}
	return l.Place + 1
}

// Entry is one row of a list: an address as it is written, and its key.
type Entry struct{ Key, Email string }

// Beside is an address that the list has, and that is no entry of it.
type Beside struct {
	Key    string
	Line   int    // where it stands
	Column string // header of its column
	Email  string // the address of the entry to which it belongs; blank: it belongs to none
	Why    Why    // it is no entry
}

// Why says why an address that a list has is no entry of it.
type Why uint8

// Why an address is no entry: somebody is in the list under another address; without an address in the column
// that counts; as a guest; or it is of an object that is no person.
const (
	OtherAddress Why = iota
	NoAddress
	Guest
	NoPerson
)

const exportDirectory = "Export the directory again, with all its people."

// Read reads a list, and hands over its entries in the order of the file; they share the memory of what
// they were read from. Refused as a whole, with file, line and column, where it is empty or a row cannot
// be read: whoever stands there would be taken for absent (see R23).
func Read(ctx context.Context, source dialect.Source, options Options, each func(Entry)) (*List, error) {
	t, err := open(ctx, source, options)
	if err != nil {
		return nil, err
	}
	l := &List{HeaderLine: t.line, Header: t.header, Notes: Notes{Repairs: map[schema.Repair]int{}}, file: source.Name()}
	if l.Place, err = l.addressColumn(options.Address); err != nil {
		return nil, err
	}
	if l.Place < 0 {
		return nil, withoutAddresses(ctx, source, options.Limits, l.Header, l.HeaderLine)
	}
	if _, cleaned := dialect.MatchHeader(t.written[l.Place], l.Column); cleaned {
		l.Repairs[schema.RepairHeaderCleaned]++
	}
	rows := l.rows(t, options.Beside, each)
	if err := t.each(ctx, rows.needs(), l.Place+1, l.Repairs, rows.read); err != nil {
		return nil, err
	}
	if rows.count == 0 {
		return nil, schema.Refuse(schema.CodeFileEmpty, "The list has nobody with an address: every member would be taken for absent.").
			At(source.Name(), l.HeaderLine, 0).WithFix(exportDirectory)
	}
	return l, nil
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

// Fullest finds the column with the most addresses that count, and how many those are; -1: no column has
// any.
func Fullest(ctx context.Context, source dialect.Source, options Options, width int, counts func(key string) bool) (best, count int, err error) {
	t, err := open(ctx, source, options)
	if err != nil {
		return 0, 0, err
	}
	found := make([]int, width)
	err = t.each(ctx, nil, 0, map[schema.Repair]int{}, func(row row) error {
		for i := range row.cells[:min(len(row.cells), width)] {
			if !strings.Contains(row.cells[i], "@") && !t.encoded(row.cells[i]) {
				continue
			}
			value, _, _ := t.address(row.cells[i], i)
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
