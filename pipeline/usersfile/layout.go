package usersfile

import (
	"fmt"
	"slices"

	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/schema"
)

// Options say how somebody wants the columns of a file read.
type Options struct {
	Columns  map[string]string `json:"columns,omitempty"`   // what a column is, by header
	Ignore   []string          `json:"ignore,omitempty"`    // headers of columns that are nothing
	EveryRow bool              `json:"every_row,omitempty"` // a file without the column Claim claims every row
	Offline  bool              `json:"-"`                   // the services are not known: columns not understood are text
	Mojibake bool              `json:"mojibake,omitempty"`  // the cells are UTF-8 that was taken for Windows-1252
}

// OptionsOf returns how an order has the columns of its file read; mojibake is what the file itself tells.
func OptionsOf(order schema.Order, mojibake bool) Options {
	return Options{Columns: order.Columns, Ignore: order.IgnoreColumns, EveryRow: order.EveryRow, Offline: order.Offline, Mojibake: mojibake}
}

// LayoutOf returns the layout of a file that was planned.
func LayoutOf(plan *schema.Plan, order schema.Order) (*Layout, error) {
	l, err := NewLayout(plan.File, 1, plan.Header, plan.Services, OptionsOf(order, plan.Mojibake))
	if err != nil {
		return nil, fmt.Errorf("read the kept header: %w", err)
	}
	return l, nil
}

// EmailHeaders returns the headers under which the addresses may stand in a file that is read with these
// options.
func (o Options) EmailHeaders() []string {
	names := slices.Clone(EmailNames)
	for header, name := range o.Columns {
		if known, _ := KnownName(name, nil); known == schema.EmailHeader {
			names = append(names, header)
		}
	}
	return names
}

// Layout says which column of a file means what.
type Layout struct {
	Written []string // the header, every cell as it is in the file
	Header  []string // the header as it is read: see dialect.CleanHeader
	Unknown []string // headers not understood, as read
	Cleaned int      // headers that match only once cleaned

	fields   []Field     // per column
	services []int       // per column: index into names, or -1
	report   []bool      // per column: one that an earlier report added
	columns  [Fields]int // per field: its column, or -1
	names    []string    // of the services
	mayLack  int         // the first column whose cells a row may lack, as spreadsheets write blank ones
	marks    []int       // columns not understood that could say who is claimed
	options  Options
}

// NewLayout reads a header, its cells as they are in the file. Refused with CodeUsage (options that name no
// column there is), CodeColumnMissing (an option names a header that the file has not), CodeHeaderDuplicate,
// and CodeColumnUnclear: a column could be one that decides who is claimed, or gets what, and is not known
// for certain. A file without addresses is not this function's business.
func NewLayout(file string, line int, header, services []string, options Options) (*Layout, error) {
	l := &Layout{
		Written: header, Header: make([]string, len(header)), names: services, options: options,
		fields: make([]Field, len(header)), services: make([]int, len(header)), report: make([]bool, len(header)),
	}
	for i := range l.columns {
		l.columns[i] = -1
	}
	for column, cell := range header {
		l.Header[column] = dialect.CleanHeader(cell)
		l.fields[column], l.services[column] = none, -1
	}
	at := func(err *schema.Error, column int) error {
		return err.At(file, line, column+1).In(l.Header[column])
	}
	called, ignored, err := l.resolve()
	if err != nil {
		return nil, err.At(file, line, 0)
	}
	var unknown []int
	for column, name := range l.Header {
		if ignored[column] {
			l.Unknown = append(l.Unknown, name)
			continue
		}
		known, ok := called[column], true
		if known == "" {
			known, ok = KnownName(name, services)
		}
		switch {
		case ok:
			if first := l.take(column, known); first >= 0 {
				return nil, at(schema.Refuse(schema.CodeHeaderDuplicate, "The column %q stands in the header twice: as column %d, %q, and as column %d, %q.",
					known, first+1, l.Header[first], column+1, name), column)
			}
		case AddedByReport(name):
			l.report[column] = true
		default:
			unknown = append(unknown, column)
			if name != "" {
				l.Unknown = append(l.Unknown, name)
			}
		}
	}
	if err := l.unclear(unknown); err != nil {
		return nil, err.At(file, line, err.Column)
	}
	l.mayLack = l.columns[Claim] + 1
	if l.columns[Claim] < 0 {
		l.mayLack = slices.Max(l.columns[:]) + 1
		if !options.EveryRow && !options.Offline {
			l.marks = unknown
		}
	}
	return l, nil
}

// AddedByReport reports whether a header is that of a column that a report adds.
func AddedByReport(name string) bool {
	same := func(added string) bool { return dialect.SameHeader(added, name) }
	return slices.ContainsFunc(schema.ReportHeaders, same) || slices.ContainsFunc(schema.PartHeaders, same)
}

// resolve finds the columns that the options name: what each is called, and which are nothing.
func (l *Layout) resolve() (called map[int]string, ignored map[int]bool, refused *schema.Error) {
	called, ignored = map[int]string{}, map[int]bool{}
	find := func(flag, header string) (int, *schema.Error) {
		column := slices.IndexFunc(l.Header, func(name string) bool { return dialect.SameHeader(name, header) })
		if column >= 0 {
			return column, nil
		}
		refused := schema.Refuse(schema.CodeColumnMissing, "The file has no column %q, which %s names.", header, flag)
		if near, ok := schema.Nearest([]string{header}, l.Header); ok {
			return 0, refused.WithFix("Did you mean %q?", near)
		}
		return 0, refused.WithFix("Its columns are: %s.", schema.QuoteSome(l.Header))
	}
	for header, name := range l.options.Columns {
		column, refused := find("--column", header)
		if refused != nil {
			return nil, nil, refused
		}
		known, ok := KnownName(name, l.names)
		if !ok {
			all := slices.Concat(schema.Columns, l.names)
			refused := schema.Refuse(schema.CodeUsage, "--column %q says that a column is %q, and there is no such column.", header+"="+name, name)
			if near, ok := schema.Nearest([]string{name}, all); ok {
				return nil, nil, refused.WithFix("Did you mean --column %q?", header+"="+near)
			}
			return nil, nil, refused.WithFix("The columns are: %s.", schema.QuoteSome(all))
		}
		called[column] = known
	}
	for _, header := range l.options.Ignore {
		column, refused := find("--ignore-column", header)
		if refused != nil {
			return nil, nil, refused
		}
		known, _ := KnownName(l.Header[column], l.names)
		switch {
		case called[column] != "" || known == schema.EmailHeader:
			return nil, nil, schema.Refuse(schema.CodeUsage, "--ignore-column %q cannot be: the column is needed.", header).
				WithFix("Leave it out.")
		case known == schema.ClaimHeader && !l.options.EveryRow:
			return nil, nil, schema.Refuse(schema.CodeUsage, "--ignore-column %q would claim those whom the column leaves alone.", header).
				WithFix("If every row is to be claimed, add --every-row.")
		}
		ignored[column] = true
	}
	return called, ignored, nil
}

// take makes a column the one of that name, and returns the one that was; -1: none was.
func (l *Layout) take(column int, known string) (taken int) {
	if l.cleaned(column, known) {
		l.Cleaned++
	}
	if field := Field(slices.Index(schema.Columns, known)); field >= 0 {
		if first := l.columns[field]; first >= 0 {
			return first
		}
		l.fields[column], l.columns[field] = field, column
		return -1
	}
	service := slices.Index(l.names, known)
	if first := slices.Index(l.services, service); first >= 0 {
		return first
	}
	l.services[column] = service
	return -1
}

// cleaned reports whether a header is a name of this column only once it is cleaned.
func (l *Layout) cleaned(column int, known string) bool {
	names := []string{known}
	if known == schema.EmailHeader {
		names = EmailNames
	}
	for header := range l.options.Columns {
		names = append(slices.Clone(names), header)
	}
	return !slices.ContainsFunc(names, func(name string) bool {
		same, cleaned := dialect.MatchHeader(l.Written[column], name)
		return same && !cleaned
	})
}

// MayBe is the sentence that names a column, and the one that it may be.
const MayBe = "The column %q may be %s, which the file does not have otherwise."

// unclear refuses columns that could be one that the file lacks.
func (l *Layout) unclear(unknown []int) *schema.Error {
	var missing []string
	for _, field := range []Field{Claim, ClaimType} {
		if l.columns[field] < 0 && (field != Claim || !l.options.EveryRow) {
			missing = append(missing, field.Name())
		}
	}
	for i, name := range l.names {
		if !slices.Contains(l.services, i) {
			missing = append(missing, name)
		}
	}
	var doubts []Doubt
	for _, column := range unknown {
		if known := meaning(l.Header[column], missing); known != "" && l.Header[column] != "" {
			doubts = append(doubts, Doubt{Column: column, Header: l.Header[column], Known: known})
		}
	}
	return RefuseDoubts(doubts, MayBe)
}

// Doubt is a column that may be another.
type Doubt struct {
	Column        int    // from 0
	Header, Known string // as the file has it; the one that it may be
}

// DoubtsError is the cause of a refusal where columns may be others: whoever can ask offers the choice.
type DoubtsError []Doubt

func (DoubtsError) Error() string { return "columns may be others" }

// RefuseDoubts asks, with CodeColumnUnclear, what columns are; nil where there are none. The sentence names
// the header and what it may be.
func RefuseDoubts(doubts []Doubt, sentence string) *schema.Error {
	if len(doubts) == 0 {
		return nil
	}
	var said, is, nothing []schema.Text
	for _, d := range doubts {
		if d.Header == "" {
			said = append(said, schema.Say("Column %d, which has no header, may be %s.", d.Column+1, d.Known))
			is = append(is, schema.Say("in the file, by the header %q", d.Known))
			nothing = append(nothing, schema.Say("delete the column"))
			continue
		}
		said = append(said, schema.Say(sentence, d.Header, d.Known))
		is = append(is, schema.Say("--column %q", d.Header+"="+d.Known))
		nothing = append(nothing, schema.Say("--ignore-column %q", d.Header))
	}
	refused := schema.Refuse(schema.CodeColumnUnclear, "%s", schema.Join(said, " ")).In(doubts[0].Header).
		WithFix("Say what it is: %s. Or that it is nothing: %s.", schema.Join(is, " "), schema.Join(nothing, " ")).Because(DoubtsError(doubts))
	refused.Column = doubts[0].Column + 1
	return refused
}

// Known reports whether a column is one that Claimline reads.
func (l *Layout) Known(column int) bool { return l.fields[column] != none || l.services[column] >= 0 }

// Added reports whether a column is one that an earlier report added.
func (l *Layout) Added(column int) bool { return l.report[column] }

// Services returns the names of the services; a row's assignments stand in their order.
func (l *Layout) Services() []string { return l.names }

// HasServices reports whether the file has a column of a service.
func (l *Layout) HasServices() bool {
	return slices.ContainsFunc(l.services, func(service int) bool { return service >= 0 })
}

// Has reports whether the file has a column of this field.
func (l *Layout) Has(field Field) bool { return l.columns[field] >= 0 }

// Column returns the header under which a field stands in this file.
func (l *Layout) Column(field Field) string {
	if column := l.columns[field]; column >= 0 {
		return l.Header[column]
	}
	return field.Name()
}

// Place returns the column of a field; -1: the file has none.
func (l *Layout) Place(field Field) int { return l.columns[field] }

// PlaceOfService returns the column of a service, by its place among the names; -1: the file has none.
func (l *Layout) PlaceOfService(service int) int { return slices.Index(l.services, service) }

// Cell returns a cell as it is read.
func (l *Layout) Cell(cell string) string { return l.clean(cell) }

// Fit returns record i with as many cells as the header has, where it can be made so.
func (l *Layout) Fit(records *dialect.Records, i int, format schema.Format) ([]string, dialect.Fitted) {
	return records.Fit(i, format, l.mayLack)
}

// Address returns a record's address as written in the file, trimmed.
func (l *Layout) Address(record []string) string {
	column := l.columns[Email]
	if column < 0 || column >= len(record) {
		return ""
	}
	value, _ := dialect.Clean(record[column])
	return value
}
