package snapshot

import (
	"context"
	"path/filepath"
	"slices"
	"strings"

	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/schema"
)

// The files of a snapshot, in the order in which the store takes them.
const (
	organizations = iota
	licenses
	domains
	users
	claims

	tables = iota
)

// table is what one file of a snapshot has.
type table struct {
	name     string
	optional bool
	columns  []string // all that are known
	needed   []string // of these, those that must be there
}

// describe returns what the five files have.
func describe() [tables]table {
	return [tables]table{
		organizations: {
			name:    "organizations.csv",
			columns: []string{"id", "name", "kind", "created", "sso", "directory_sync", "bring_conversations", "activation_emails", "retention_days"},
			needed:  []string{"id", "name", "kind", "created", "sso", "directory_sync", "bring_conversations", "activation_emails"},
		},
		licenses: {
			name: "licenses.csv", optional: true,
			columns: []string{"organization_id", "service", "quantity", "auto_assign"},
			needed:  []string{"organization_id", "service", "quantity"},
		},
		domains: {
			name:    "domains.csv",
			columns: []string{"domain", "organization_id", "status"},
			needed:  []string{"domain", "organization_id", "status"},
		},
		users: {
			name: "users.csv",
			columns: []string{
				"id", "email", "first_name", "last_name", "display_name", "organization_id", "status", "inactive_since", "last_sign_in",
				"conversations", "title", "department", "phone", "preferred_language", "services",
			},
			needed: []string{"id", "email", "organization_id", "status"},
		},
		claims: {
			name: "claims.csv", optional: true,
			columns: []string{"email", "organization_id", "type", "claimed_at", "signed_in_at"},
			needed:  []string{"email", "organization_id", "type", "claimed_at"},
		},
	}
}

// Files returns the names of the five files.
func Files() []string {
	all := describe()
	names := make([]string, len(all))
	for i := range all {
		names[i] = all[i].name
	}
	return names
}

// workbooks returns the names that a workbook may have instead of a CSV file of this name.
func workbooks(name string) []string {
	stem := strings.TrimSuffix(name, ".csv")
	return []string{stem + ".xlsx", stem + ".xlsm"}
}

// Paths returns under which names the files of a snapshot can lie in a folder.
func Paths(folder string) (paths []string) {
	for _, name := range Files() {
		for _, file := range append([]string{name}, workbooks(name)...) {
			paths = append(paths, filepath.Join(folder, file))
		}
	}
	return paths
}

// opened is a file of the folder whose header has been read.
type opened struct {
	table
	known   string // its name as a CSV file, by which the store knows it
	order   int    // among the five
	path    string
	source  dialect.Source
	file    *dialect.File // nil: it was opened elsewhere, and is closed there
	reader  *dialect.Reader
	header  []string       // as it is read: see dialect.CleanHeader
	columns map[string]int // where each known column stands
	mayLack int            // the first column whose cells a row may lack, as spreadsheets write blank ones
	repairs map[schema.Repair]int
	unknown []string // headers not understood
	ended   bool     // it has been read to its end
	unsure  bool     // of some row it is not known what it names
}

func newOpened(t table, order int, source dialect.Source) *opened {
	return &opened{table: t, known: t.name, order: order, path: source.Name(), source: source, columns: map[string]int{}, repairs: map[schema.Repair]int{}}
}

// whole reports whether everything is known that the file names.
func (o *opened) whole() bool { return o.ended && !o.unsure }

// open opens a file and finds its columns. What is wrong with it is a problem of the loading.
func (l *loading) open(ctx context.Context, t table, order int, path string) error {
	file, err := dialect.OpenFile(path)
	if err != nil {
		return l.add(order, err)
	}
	o := newOpened(t, order, dialect.Beside(file, l.options.Sheets[path]))
	o.name, o.file = filepath.Base(path), file
	l.files[order] = o
	if o.reader, err = l.reader(ctx, o.source, t.columns); err != nil {
		return l.add(order, err)
	}
	l.readHeader(o)
	return nil
}

// reader reads a file whose header has one of these names, in the encoding that was named where it needs one.
func (l *loading) reader(ctx context.Context, source dialect.Source, names []string) (*dialect.Reader, error) {
	options := dialect.Options{Limits: l.options.Limits, Names: names}
	reader, err := dialect.NewReader(ctx, source, options)
	if schema.CodeOf(err) == schema.CodeEncodingUnclear && l.options.Encoding != "" {
		options.Encoding = l.options.Encoding
		return dialect.NewReader(ctx, source, options)
	}
	return reader, err
}

// readHeader finds the table's columns.
func (l *loading) readHeader(o *opened) {
	written := o.reader.HeaderCells()
	o.header = make([]string, len(written))
	at := func(column int, refused *schema.Error) {
		l.problems = append(l.problems, problem{refused.At(o.path, o.reader.HeaderLine(), column+1).In(o.header[column]), o.order})
	}
	var unknown []int
	for i, cell := range written {
		name := dialect.CleanHeader(cell)
		o.header[i] = name
		cleaned := false
		known := slices.IndexFunc(o.table.columns, func(column string) (same bool) {
			same, cleaned = dialect.MatchHeader(cell, column)
			return same
		})
		switch {
		case name == "":
		case known < 0:
			unknown = append(unknown, i)
		default:
			column := o.table.columns[known]
			if first, twice := o.columns[column]; twice {
				at(i, schema.Refuse(schema.CodeHeaderDuplicate, "The column %q stands in the header twice: as column %d and as column %d.", name, first+1, i+1))
				continue
			}
			o.columns[column] = i
			if cleaned {
				o.repairs[schema.RepairHeaderCleaned]++
			}
		}
	}
	var missing, doubtful []string
	for _, column := range o.table.columns {
		if _, there := o.columns[column]; !there {
			missing = append(missing, column)
		} else if column != "services" {
			o.mayLack = max(o.mayLack, o.columns[column]+1)
		}
	}
	for _, i := range unknown {
		name := o.header[i]
		meant := ""
		if !l.passes(func(ignored string) bool { return dialect.SameHeader(ignored, name) }) {
			meant = meaning(name, missing)
		}
		if meant == "" {
			o.unknown = append(o.unknown, name)
			continue
		}
		doubtful = append(doubtful, meant)
		at(i, schema.Refuse(schema.CodeColumnUnclear, "The column %q may be %s, which %s does not have otherwise.", name, meant, o.name).
			WithFix("Call it %s if that is what it is. If it is nothing, add --ignore %q.", meant, name))
	}
	missing = slices.DeleteFunc(missing, func(column string) bool {
		return !slices.Contains(o.needed, column) || slices.Contains(doubtful, column)
	})
	if len(missing) > 0 {
		named := slices.DeleteFunc(slices.Clone(o.header), func(header string) bool { return header == "" })
		refused := schema.Refuse(schema.CodeColumnMissing, "%s has no column %s. Its columns are: %s.", o.name, strings.Join(missing, ", "), schema.QuoteSome(named)).
			At(o.path, o.reader.HeaderLine(), 0).WithFix("Add to the file: %s.", strings.Join(missing, ", "))
		l.problems = append(l.problems, problem{refused, o.order})
	}
}
