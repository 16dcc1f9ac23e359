package handoff

import (
	"context"
	"encoding/hex"
	"maps"
	"slices"
	"strings"

	"github.com/claimline/claimline/pipeline/controlhub"
	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/pipeline/usersfile"
	"github.com/claimline/claimline/schema"
)

// kind is what Control Hub does with a column.
type kind int

const (
	textKind     kind = iota // it is written to the account
	addressKind              // it says whose row it is
	nameKind                 // it is written to the account, and always part of a file
	claimKind                // it says whether the row is a claim, where a template has such a column
	readOnlyKind             // it only tells
	serviceKind              // it gives or takes a licence
)

// column is a column of a template.
type column struct {
	header    string // as it must be written: Control Hub refuses a file with a header that it does not know
	name      string // as it is read, without the mark of a suspended service
	kind      kind
	field     usersfile.Field // -1: it is none that every users file has
	other     int             // its place among the names of such; -1: it is a field
	suspended bool            // Control Hub takes no file with TRUE in it
	calling   bool            // a Calling licence
}

// template is what Control Hub knows of headers: the truth, for there is no list of ours.
type template struct {
	file, sheet, sha256 string
	columns             []column
	names               []string // of the columns that are no fields
}

// The headers that Claimline speaks of by name, beside those of schema.Columns.
const (
	locationHeader  = "Location"
	extensionHeader = "Extension"
)

// readTemplate reads the headers of a template, and in its rows, if it has any, which columns hold
// booleans. own says that the file is no template but the one to be handed off: columns that Claimline
// added to it are left out. Refused with the codes of files.
func readTemplate(ctx context.Context, source dialect.Source, options dialect.Options, own bool) (*template, error) {
	options.Names = slices.Concat(usersfile.EmailNames, options.Names)
	reader, err := dialect.NewReader(ctx, source, options)
	if err != nil {
		return nil, err
	}
	if !reader.Found() {
		return nil, usersfile.EmailColumnMissing(ctx, source.Name(), reader)
	}
	t := &template{file: source.Name(), sheet: dialect.SheetOf(source)}
	if err := t.readHeader(reader, own); err != nil {
		return nil, err.At(source.Name(), reader.HeaderLine(), err.Column)
	}
	if err := t.findServices(ctx, reader, own); err != nil {
		return nil, err
	}
	sum := reader.SHA256()
	t.sha256 = hex.EncodeToString(sum[:])
	return t, nil
}

// readHeader finds out what the columns are, but for the services that only their cells tell.
func (t *template) readHeader(reader *dialect.Reader, own bool) *schema.Error {
	header, written := reader.Header(), reader.HeaderCells()
	last := len(written) - 1
	written[last] = dialect.Uncut(written[last], reader.Format())
	for i, name := range header {
		known, field := controlhub.Field(name)
		if name == "" || own && (usersfile.AddedByReport(name) || field == usersfile.Claim || field == usersfile.ClaimType || field == usersfile.SourceOrganization) {
			t.columns = append(t.columns, column{field: -1, other: -1, kind: readOnlyKind})
			continue
		}
		c := column{header: written[i], name: name, field: field, other: -1}
		c.name, c.suspended = controlhub.WithoutMark(name)
		if first := slices.IndexFunc(t.columns, func(other column) bool {
			return other.name != "" && (dialect.SameHeader(other.name, c.name) || field >= 0 && other.field == field)
		}); first >= 0 {
			return schema.Refuse(schema.CodeHeaderDuplicate, "The column %q stands in the header twice: as column %d, %q, and as column %d, %q.",
				known, first+1, t.columns[first].name, i+1, name).At("", 0, i+1).In(name)
		}
		c.kind = kindOf(c.name, field)
		if field < 0 {
			c.other = len(t.names)
			bare, _ := controlhub.WithoutMark(strings.TrimRight(written[i], " ")) // as written, so that it is no other spelling
			if !c.suspended {
				bare = written[i]
			}
			t.names = append(t.names, bare)
		}
		c.calling = c.kind == serviceKind && strings.Contains(strings.ToLower(c.name), "webex calling")
		t.columns = append(t.columns, c)
	}
	return nil
}

// kindOf returns what a column is, as far as its header tells.
func kindOf(name string, field usersfile.Field) kind {
	switch {
	case field == usersfile.Email:
		return addressKind
	case field >= 0 && slices.Contains(usersfile.Names[:], field):
		return nameKind
	case field == usersfile.Claim:
		return claimKind
	case field == usersfile.Status, field == usersfile.LastAccess, field == usersfile.SourceOrganization:
		return readOnlyKind
	case controlhub.IsReadOnly(name):
		return readOnlyKind
	case controlhub.IsService(name):
		return serviceKind
	}
	return textKind
}

// findServices finds the services without a subscription in their header: columns behind Title whose
// filled cells are booleans, or at least most of them: the others are mistakes, and told. In a template
// without rows every column there is one.
func (t *template) findServices(ctx context.Context, reader *dialect.Reader, own bool) error {
	names := make([]string, len(t.columns))
	for i, c := range t.columns {
		names[i] = c.name
	}
	open := controlhub.MayBeServices(names)
	filled, err := controlhub.Fill(ctx, reader, open)
	if err != nil {
		return err
	}
	for i, at := range open {
		c, cells := &t.columns[at], filled[i]
		if cells.Booleans > cells.Others || cells.Booleans+cells.Others == 0 && !own {
			c.kind = serviceKind
			c.calling = strings.Contains(strings.ToLower(c.name), "webex calling")
		}
	}
	return nil
}

// layoutOf reads the header of the file to be handed off by the template: fields by what every users file
// calls them, all other columns of the template as they are named there.
func (t *template) layoutOf(file string, reader *dialect.Reader, options usersfile.Options) (*usersfile.Layout, error) {
	columns := maps.Clone(options.Columns)
	for _, header := range reader.HeaderCells() {
		name, suspended := controlhub.WithoutMark(dialect.CleanHeader(header))
		known := slices.IndexFunc(t.names, func(known string) bool { return dialect.SameHeader(known, name) })
		if !suspended || known < 0 {
			continue
		}
		// A service may have been suspended, or renewed, since the file was exported.
		if columns == nil {
			columns = map[string]string{}
		}
		columns[header] = t.names[known]
	}
	options.Columns = columns
	l, err := usersfile.NewLayout(file, reader.HeaderLine(), reader.HeaderCells(), t.names, options)
	if err != nil {
		return nil, err
	}
	if refused := t.unclear(l, options.Ignore); refused != nil {
		return nil, refused.At(file, reader.HeaderLine(), refused.Column)
	}
	return l, nil
}

// unclear refuses columns that may be one of the template that the file lacks: what is within two letters
// of it, or the same service of another subscription. They would vanish silently.
func (t *template) unclear(l *usersfile.Layout, ignored []string) *schema.Error {
	var doubts []usersfile.Doubt
	for at, header := range l.Header {
		nothing := slices.ContainsFunc(ignored, func(name string) bool { return dialect.SameHeader(name, header) })
		if header == "" || nothing || l.Known(at) || l.Added(at) {
			continue
		}
		for i := range t.columns {
			c := &t.columns[i]
			if c.name == "" || c.place(l) >= 0 || c.kind == readOnlyKind {
				continue
			}
			const most = 2 // letters
			d := schema.Distance(header, c.name)
			if d <= most && 2*d < len([]rune(c.name)) || c.kind == serviceKind && sameService(header, c.name) {
				doubts = append(doubts, usersfile.Doubt{Column: at, Header: header, Known: c.name})
				break
			}
		}
	}
	return usersfile.RefuseDoubts(doubts, usersfile.MayBe)
}

// sameService reports whether two headers may name one service: apart from the subscription they are the
// same, or one has all words of the other, as Webex Calling of Webex Calling Professional.
func sameService(a, b string) bool {
	words := func(header string) string {
		name, _, _ := strings.Cut(strings.ToLower(header), "[")
		return " " + strings.Join(strings.Fields(name), " ") + " "
	}
	x, y := words(a), words(b)
	return strings.TrimSpace(x) != "" && (strings.Contains(x, y) || strings.Contains(y, x))
}

// place returns where a column of the template stands in a file; -1: nowhere.
func (c *column) place(l *usersfile.Layout) int {
	switch {
	case c.field >= 0:
		return l.Place(c.field)
	case c.other >= 0:
		return l.PlaceOfService(c.other)
	}
	return -1
}
