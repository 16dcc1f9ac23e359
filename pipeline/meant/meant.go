// Package meant finds out how a users file was meant where its bytes leave that open: in which encoding it
// is, and whether it was decoded wrongly before. What accounts say whose names are in it tells.
package meant

import (
	"cmp"
	"context"
	"errors"
	"io"
	"slices"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/pipeline/usersfile"
	"github.com/claimline/claimline/schema"
)

// File is a file whose bytes leave open how it was meant.
type File struct {
	Source   dialect.Source
	Order    schema.Order
	Services []string // of the organization
	Limits   dialect.Limits
	// Facts looks up accounts by address key; nil: nobody knows any.
	Facts func(ctx context.Context, keys []string) (claim.Facts, error)
}

// foreignRow is a row with a cell that is not ASCII, beside the account that it names.
type foreignRow struct {
	line    int
	raw     usersfile.Values // as they stand in the file: what is a blank in one encoding may be a letter in another
	values  usersfile.Values
	account claim.Account // the zero Account where there is none
}

// foreign hands over, in file order, every row that has a cell of an account's data that is not ASCII. each
// returns whether it wants more.
func (f *File) foreign(ctx context.Context, reader *dialect.Reader, l *usersfile.Layout, each func(*foreignRow) (more bool)) error {
	var records dialect.Records
	for {
		err := reader.NextRecords(ctx, &records)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return nil //nolint:nilerr // what is wrong with the file is told when it is read for good
		}
		var rows []foreignRow
		var keys []string
		for i := range records.Len() {
			record, fitted := l.Fit(&records, i, reader.Format())
			if fitted&dialect.Ragged != 0 || !slices.ContainsFunc(record, notASCII) {
				continue
			}
			row := foreignRow{line: records.Line(i)}
			l.Read(record, &row.values, &usersfile.Repairs{})
			for _, field := range usersfile.Names {
				if column := l.Place(field); column >= 0 {
					row.raw[field] = record[column]
				}
			}
			rows = append(rows, row)
			if key, problem := schema.ParseAddress(row.values[usersfile.Email]); problem == "" {
				keys = append(keys, key)
			}
		}
		slices.Sort(keys)
		keys = slices.Compact(keys)
		facts := claim.Facts{}
		if len(keys) > 0 && f.Facts != nil {
			if facts, err = f.Facts(ctx, keys); err != nil {
				return err
			}
		}
		for i := range rows {
			key, _ := schema.ParseAddress(rows[i].values[usersfile.Email])
			if at, found := slices.BinarySearch(keys, key); found && f.Facts != nil {
				rows[i].account = facts.Accounts[at]
			}
			if !each(&rows[i]) {
				return nil
			}
		}
	}
}

// options returns how the file is opened.
func (f *File) options() dialect.Options {
	return dialect.Options{Limits: f.Limits, Encoding: f.Order.Encoding, Names: usersfile.OptionsOf(f.Order, false).EmailHeaders()}
}

// Open opens the file as it was meant, at its first row, and reads what its columns mean; mojibake tells that
// cells are to be decoded once more, which the layout does. Refused with the codes of files:
// CodeEmailColumnMissing and CodeEncodingUnclear among them.
func (f *File) Open(ctx context.Context) (reader *dialect.Reader, l *usersfile.Layout, mojibake bool, err error) {
	if reader, err = f.read(ctx); err != nil {
		return nil, nil, false, err
	}
	if l, err = f.layout(reader, false); err != nil {
		return nil, nil, false, err
	}
	if mojibake, err = f.isMojibake(ctx, reader, l); err == nil && mojibake {
		l, err = f.layout(reader, true)
	}
	return reader, l, mojibake, err
}

func (f *File) layout(reader *dialect.Reader, mojibake bool) (*usersfile.Layout, error) {
	return usersfile.NewLayout(f.Source.Name(), reader.HeaderLine(), reader.HeaderCells(), f.Services, usersfile.OptionsOf(f.Order, mojibake))
}

// read opens the file in the encoding that it is certain to have, or that somebody says it has; where nobody
// knows an account, in Windows-1252 if it is neither UTF-8 nor UTF-16.
func (f *File) read(ctx context.Context) (*dialect.Reader, error) {
	options := f.options()
	if f.Facts == nil {
		options.SingleByte = dialect.Windows1252
	}
	reader, err := dialect.NewReader(ctx, f.Source, options)
	if schema.CodeOf(err) == schema.CodeEncodingUnclear {
		options.SingleByte = dialect.Windows1252
		if err := f.settleEncoding(ctx, options, err); err != nil {
			return nil, err
		}
		reader, err = dialect.NewReader(ctx, f.Source, options)
	}
	if err != nil {
		return nil, err
	}
	if !reader.Found() {
		return nil, usersfile.EmailColumnMissing(ctx, f.Source.Name(), reader)
	}
	return reader, nil
}

// settleEncoding finds out whether a file that is neither UTF-8 nor UTF-16 is certain to be Windows-1252: at
// least nine in ten of its names that are not ASCII, where the account's is not either, say what the account
// says. Otherwise it refuses the file, with what the first such name is in each encoding that fits; where
// there is no such name, with unclear.
func (f *File) settleEncoding(ctx context.Context, options dialect.Options, unclear error) error {
	reader, err := dialect.NewReader(ctx, f.Source, options)
	if err != nil {
		return err
	}
	if !reader.Found() {
		return usersfile.EmailColumnMissing(ctx, f.Source.Name(), reader)
	}
	l, err := f.layout(reader, false)
	if err != nil {
		return err
	}
	var (
		compared, agree int
		pairs           []namePair // some that can be compared
		first           foreignName
	)
	const enough, judged = 500, 100
	err = f.foreign(ctx, reader, l, func(row *foreignRow) bool {
		for _, field := range usersfile.Names {
			cell, own := row.raw[field], usersfile.Part(&row.account.User.Profile, field)
			if !notASCII(cell) {
				continue
			}
			if len(first.cells) == 0 {
				first = foreignName{line: row.line, column: l.Column(field)}
			}
			if len(first.cells) < judged {
				first.cells = append(first.cells, cell)
			}
			if !notASCII(own) {
				continue
			}
			compared++
			if usersfile.SameText(row.values[field], own) {
				agree++
			}
			if len(pairs) < enough {
				pairs = append(pairs, namePair{cell: cell, own: own})
			}
		}
		return true
	})
	if err != nil {
		return err
	}
	const certain, of = 9, 10
	if compared > 0 && agree*of >= compared*certain && !reader.Mixed() {
		return nil
	}
	if len(first.cells) == 0 {
		return unclear
	}
	return first.refuse(f.Source.Name(), pairs)
}

type namePair struct{ cell, own string }

// foreignName is the first name of a file that is not ASCII, read as Windows-1252, with some that follow.
type foreignName struct {
	cells  []string
	column string
	line   int
}

// refuse shows the name in each encoding that fits, those first that agree with the accounts.
func (n foreignName) refuse(file string, pairs []namePair) error {
	candidates := dialect.Candidates(n.cells...)
	agrees := map[string]int{}
	for _, candidate := range candidates {
		for _, pair := range pairs {
			text, ok := dialect.Reread(pair.cell, candidate.Encoding)
			if text, _ = dialect.Clean(text); ok && usersfile.SameText(text, pair.own) {
				agrees[candidate.Encoding]++
			}
		}
	}
	slices.SortStableFunc(candidates, func(a, b dialect.Candidate) int { return cmp.Compare(agrees[b.Encoding], agrees[a.Encoding]) })
	return dialect.EncodingUnclear(candidates).At(file, n.line, 0).In(n.column)
}

// isMojibake reports whether the file's cells are UTF-8 that was taken for Windows-1252 and saved as UTF-8
// again: everything that is not ASCII decodes back, and no account's own value contradicts what it becomes.
func (f *File) isMojibake(ctx context.Context, reader *dialect.Reader, l *usersfile.Layout) (bool, error) {
	if !reader.Mojibake() || f.Order.Encoding != "" {
		return false, nil
	}
	if f.Facts == nil {
		return true, nil
	}
	again, err := dialect.NewReader(ctx, f.Source, f.options())
	if err != nil {
		return false, err
	}
	meant := true
	err = f.foreign(ctx, again, l, func(row *foreignRow) bool {
		meant = !usersfile.Contradicts(&row.account.User.Profile, &row.values)
		return meant
	})
	return meant, err
}

func notASCII(s string) bool { return !dialect.IsASCII(s) }
