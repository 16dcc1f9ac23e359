package snapshot

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/schema"
)

// Options say how somebody wants a snapshot read, and with what.
type Options struct {
	Encoding string            // of files that are neither UTF-8 nor UTF-16; blank: such a file is refused
	Ignore   []string          // columns, files and services that may pass although they are not understood
	Sheets   map[string]string // of workbooks in a folder, by the file's path: the sheet that is meant

	Limits dialect.Limits
	Loaded func(rows int) // nil, or is told now and then how many rows are through
}

// Store is what a snapshot needs of a *store.Store.
type Store interface {
	Load(ctx context.Context, rules claim.Rules, fill func(store.Loader) error) error
	Organizations(ctx context.Context) ([]schema.Organization, error)
	Domains(ctx context.Context, organization string) ([]schema.Domain, error)
	Licenses(ctx context.Context, rules claim.Rules, organization string) ([]schema.License, error)
}

// Loaded says what a snapshot held, and how its files were read.
type Loaded struct {
	Organizations int `json:"organizations"`
	Licenses      int `json:"licenses"`
	Domains       int `json:"domains"`
	Users         int `json:"users"`
	Claims        int `json:"claims"`

	Repairs        map[string]map[schema.Repair]int `json:"repairs"`           // what was mended, by file
	UnknownColumns map[string][]string              `json:"unknown_columns"`   // headers not understood, by file
	Notices        []store.Notice                   `json:"notices,omitempty"` // what was left out, or is likely to be a mistake

	// Of Control Hub's files: how many columns are not read, and cells of a column left out, by file.
	OtherColumns map[string]int            `json:"other_columns,omitempty"`
	LeftOut      map[string]map[string]int `json:"left_out,omitempty"`

	Files  []string `json:"-"` // that were read, in order
	Unused []string `json:"-"` // of Options.Ignore, what there was nothing to let pass for
}

// loading is one snapshot that is being taken in.
type loading struct {
	folder   string
	options  Options
	store    Store
	rules    claim.Rules
	files    []*opened // in the order in which the store takes them; nil: not there
	known    known
	used     map[string]bool // of options.Ignore
	problems []problem
	rows     int
	loaded   Loaded
}

// Load takes in the snapshot in a folder, all or nothing. What is wrong with it is Errors: up to MostErrors
// of them, with file, line and column. They are CodeFileUnreadable, CodeFileUnclear, the codes of files and
// of rows, CodeColumnUnclear, CodeColumnMissing, CodeValueMissing, CodeValueInvalid, CodeDomainInvalid,
// CodeOrganizationUnknown, CodeServiceUnknown, and those of store.Loader. An encoding that nobody knows is
// refused with CodeUsage.
func Load(ctx context.Context, s Store, rules claim.Rules, folder string, options Options) (loaded *Loaded, err error) {
	if err := checkEncoding(ctx, options.Encoding); err != nil {
		return nil, err
	}
	open := func() (*loading, error) {
		l := newLoading(s, rules, options, tables)
		l.folder = folder
		err := l.survey(ctx)
		if err == nil {
			err = l.refused()
		}
		return l, err
	}
	return takeIn(ctx, s, rules, open, (*loading).read)
}

// takeIn opens files, and hands what they hold to the store. A database that had a conflict begins again, and
// so do the files.
func takeIn(ctx context.Context, s Store, rules claim.Rules, open func() (*loading, error), read func(*loading, context.Context, store.Loader) error) (loaded *Loaded, err error) {
	l, err := open()
	defer func() { err = errors.Join(err, l.close()) }()
	if err != nil {
		return nil, err
	}
	tried := false
	err = s.Load(ctx, rules, func(into store.Loader) error {
		if tried {
			if err := l.close(); err != nil {
				return err
			}
			var err error
			if l, err = open(); err != nil {
				return err
			}
		}
		tried = true
		return read(l, ctx, into)
	})
	if refused := l.refused(); refused != nil {
		return nil, refused
	}
	if err != nil {
		return nil, fmt.Errorf("load a snapshot: %w", err)
	}
	l.tell()
	return &l.loaded, nil
}

func newLoading(s Store, rules claim.Rules, options Options, files int) *loading {
	return &loading{
		options: options, store: s, rules: rules, files: make([]*opened, files), known: newKnown(), used: map[string]bool{},
	}
}

// close closes the files that were opened here.
func (l *loading) close() (err error) {
	for i, o := range l.files {
		if o != nil && o.file != nil {
			err = errors.Join(err, o.file.Close())
		}
		l.files[i] = nil
	}
	return err
}

// checkEncoding refuses an encoding that nobody knows, whether or not a file needs it.
func checkEncoding(ctx context.Context, name string) error {
	if name == "" {
		return nil
	}
	_, err := dialect.NewReader(ctx, dialect.Text("", "id"), dialect.Options{Encoding: name})
	if schema.CodeOf(err) == schema.CodeUsage {
		return err
	}
	return nil
}

// read reads the five files and hands their rows over.
func (l *loading) read(ctx context.Context, into store.Loader) (err error) {
	n := &l.loaded
	if n.Organizations, err = rows(ctx, l, l.files[organizations], (*row).organization, noCheck[store.LoadOrganization], into.Organizations); err != nil {
		return err
	}
	if n.Licenses, err = rows(ctx, l, l.files[licenses], (*row).license, l.checkLicenses, into.Licenses); err != nil {
		return err
	}
	if n.Domains, err = rows(ctx, l, l.files[domains], (*row).domain, l.checkDomains, into.Domains); err != nil {
		return err
	}
	if n.Users, err = rows(ctx, l, l.files[users], (*row).user, l.checkUsers, into.Users); err != nil {
		return err
	}
	if n.Claims, err = rows(ctx, l, l.files[claims], (*row).claim, l.checkClaims, into.Claims); err != nil {
		return err
	}
	if err := l.refused(); err != nil {
		return err
	}
	n.Notices, err = into.Finish(ctx)
	return errors.Join(l.refuse(err), l.refused())
}

// rows reads one file and hands its rows over, many at a time, as long as nothing is wrong; then it goes on
// looking for more that is, until there are MostErrors. It returns how many rows there are.
func rows[T any](ctx context.Context, l *loading, o *opened, parse func(*row) T, check, hand func(context.Context, []T) error) (count int, err error) {
	if o == nil {
		return 0, nil
	}
	var records dialect.Records
	var values []T
	r := row{opened: o, l: l}
	for len(l.problems) < MostErrors {
		err := o.reader.NextRecords(ctx, &records)
		if errors.Is(err, io.EOF) {
			o.ended = true
			break
		}
		if err != nil {
			return count, l.add(o.order, err)
		}
		o.count(schema.RepairBlankRow, records.BlankRows)
		values = values[:0]
		for i := range records.Len() {
			if !r.take(&records, i) {
				continue
			}
			count++
			values = append(values, parse(&r))
		}
		if err := check(ctx, values); err != nil {
			return count, err
		}
		if len(l.problems) == 0 && len(values) > 0 {
			if err := l.refuse(hand(ctx, values)); err != nil {
				return count, err
			}
		}
		l.rows += records.Len()
		if l.options.Loaded != nil {
			l.options.Loaded(l.rows)
		}
	}
	return count, nil
}

func (o *opened) count(kind schema.Repair, n int) {
	if n > 0 {
		o.repairs[kind] += n
	}
}

// take makes r record i; ok is false where that is no row to be read: the header again, or one with too many
// or too few cells.
func (r *row) take(records *dialect.Records, i int) (ok bool) {
	cells, fitted := records.Fit(i, r.reader.Format(), r.mayLack)
	r.line, r.cells = records.Line(i), cells
	if dialect.IsHeader(r.header, cells) {
		r.repairs[schema.RepairHeaderRepeated]++
		return false
	}
	if fitted&dialect.Ragged != 0 {
		refused := schema.Refuse(schema.CodeFieldCount, "The row has %d cells, and the header has %d.", len(cells), len(r.header))
		switch other := dialect.OtherDelimiter(r.reader.Format(), cells); {
		case other != 0:
			refused.Message = schema.HintOtherDelimiter.Wrong(dialect.NameDelimiter(other), dialect.NameDelimiter(r.reader.Format().Delimiter))
			refused = refused.WithFix("%s", schema.HintOtherDelimiter.Cure())
		case len(cells) > len(r.header):
			refused = refused.WithFix("Put a cell that contains the delimiter in quotes, or delete the surplus cells.")
		}
		r.note("", refused)
		return false
	}
	fitted.Count(r.repairs)
	return true
}

// tell sets what was repaired, and what was not understood.
func (l *loading) tell() {
	l.loaded.Repairs, l.loaded.UnknownColumns = map[string]map[schema.Repair]int{}, map[string][]string{}
	for _, o := range l.files {
		if o == nil {
			continue
		}
		l.loaded.Files = append(l.loaded.Files, o.name)
		for kind, n := range o.reader.Repairs() {
			o.count(kind, n)
		}
		if len(o.repairs) > 0 {
			l.loaded.Repairs[o.name] = o.repairs
		}
		if len(o.unknown) > 0 {
			l.loaded.UnknownColumns[o.name] = o.unknown
		}
	}
	for _, name := range l.options.Ignore {
		if !l.used[name] {
			l.loaded.Unused = append(l.loaded.Unused, name)
		}
	}
}

// passes reports whether something that is not understood may pass.
func (l *loading) passes(is func(ignored string) bool) bool {
	i := slices.IndexFunc(l.options.Ignore, is)
	if i < 0 {
		return false
	}
	l.used[l.options.Ignore[i]] = true
	return true
}
