package pipeline

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

// foreignRow is a row with a cell that is not ASCII, beside the account that it names.
type foreignRow struct {
	line    int
	raw     usersfile.Values // as they stand in the file: what is a blank in one encoding may be a letter in another
	values  usersfile.Values
	account claim.Account // the zero Account where there is none
}

// foreign hands over, in file order, every row that has a cell of an account's data that is not ASCII. each
// returns whether it wants more.
func (p *Flow) foreign(ctx context.Context, order schema.Order, reader *dialect.Reader, l *usersfile.Layout, each func(*foreignRow) (more bool)) error {
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
		if len(keys) > 0 && !order.Offline {
			if facts, err = p.Store.Facts(ctx, order.Organization, keys); err != nil {
				return err
			}
		}
		for i := range rows {
			key, _ := schema.ParseAddress(rows[i].values[usersfile.Email])
			if at, found := slices.BinarySearch(keys, key); found && !order.Offline {
				rows[i].account = facts.Accounts[at]
			}
			if !each(&rows[i]) {
				return nil
			}
		}
	}
}

// settleEncoding finds out whether a file that is neither UTF-8 nor UTF-16 is certain to be Windows-1252: at
// least nine in ten of its names that are not ASCII, where the account's is not either, say what the account
// says. Otherwise it refuses the file, with what the first such name is in each encoding that fits.
func (p *Flow) settleEncoding(ctx context.Context, source dialect.Source, order schema.Order, services []string, options dialect.Options, unclear error) error {
	options.SingleByte = dialect.Windows1252
	reader, err := dialect.NewReader(ctx, source, options)
	if err != nil {
		return err
	}
	if !reader.Found() {
		return usersfile.EmailColumnMissing(ctx, source.Name(), reader)
	}
	l, err := usersfile.NewLayout(source.Name(), reader.HeaderLine(), reader.HeaderCells(), services, usersfile.OptionsOf(order, false))
	if err != nil {
		return err
	}
	var (
		compared, agree int
		pairs           []namePair // some that can be compared
		first           foreignName
	)
	const enough, judged = 500, 100
	err = p.foreign(ctx, order, reader, l, func(row *foreignRow) bool {
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
	return first.refuse(source.Name(), pairs)
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

// mojibake reports whether the file's cells are UTF-8 that was taken for Windows-1252 and saved as UTF-8
// again: everything that is not ASCII decodes back, and no account's own value contradicts what it becomes.
func (p *Flow) mojibake(ctx context.Context, source dialect.Source, order schema.Order, reader *dialect.Reader, l *usersfile.Layout) (bool, error) {
	if !reader.Mojibake() || order.Encoding != "" {
		return false, nil
	}
	if order.Offline {
		return true, nil
	}
	again, err := dialect.NewReader(ctx, source, dialect.Options{Limits: p.blockLimits(), Names: usersfile.OptionsOf(order, false).EmailHeaders()})
	if err != nil {
		return false, err
	}
	meant := true
	err = p.foreign(ctx, order, again, l, func(row *foreignRow) bool {
		meant = !usersfile.Contradicts(&row.account.User.Profile, &row.values)
		return meant
	})
	return meant, err
}

func notASCII(s string) bool { return !dialect.IsASCII(s) }
