package handoff

import (
	"context"
	"encoding/binary"
	"errors"
	"hash/maphash"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/claimline/claimline/pipeline/controlhub"
	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/pipeline/directory"
	"github.com/claimline/claimline/pipeline/usersfile"
	"github.com/claimline/claimline/schema"
)

// exportFile is a fresh export of Control Hub, open at its first row.
type exportFile struct {
	reader   *dialect.Reader
	header   []string // without marks of suspended services
	email    int      // the column of the addresses
	mojibake bool
}

// openExport opens an export. Refused with the codes of files.
func openExport(ctx context.Context, source dialect.Source, limits dialect.Limits) (*exportFile, error) {
	reader, err := dialect.NewReader(ctx, source, dialect.Options{Limits: limits, Names: usersfile.EmailNames})
	if err != nil {
		return nil, err
	}
	if !reader.Found() {
		return nil, usersfile.EmailColumnMissing(ctx, source.Name(), reader)
	}
	e := &exportFile{reader: reader, header: reader.Header(), email: -1, mojibake: reader.Mojibake()}
	for i, name := range e.header {
		if _, field := controlhub.Field(name); field == usersfile.Email {
			if e.email >= 0 {
				return nil, schema.Refuse(schema.CodeHeaderDuplicate, "The column of the addresses stands in the header twice: as column %d and as column %d.",
					e.email+1, i+1).At(source.Name(), reader.HeaderLine(), i+1).In(name)
			}
			e.email = i
		}
		e.header[i], _ = controlhub.WithoutMark(name)
	}
	return e, nil
}

// place returns the column of this name; -1: the export has none.
func (e *exportFile) place(name string) int {
	return slices.IndexFunc(e.header, func(header string) bool { return dialect.SameHeader(header, name) })
}

// cell returns a cell as it is read.
func (e *exportFile) cell(raw string) string {
	if e.mojibake {
		if undone, ok := dialect.Undo(raw); ok {
			raw = undone
		}
	}
	value, _ := dialect.Clean(raw)
	return value
}

// each hands over every row with a valid address, and its address key. Rows without one belong to nobody.
func (e *exportFile) each(ctx context.Context, hand func(key string, cells []string)) error {
	var records dialect.Records
	for {
		err := e.reader.NextRecords(ctx, &records)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		for i := range records.Len() {
			cells, fitted := records.Fit(i, e.reader.Format(), e.email+1)
			if fitted&dialect.Ragged != 0 {
				return schema.Refuse(schema.CodeFieldCount, "The row has %d cells, and the header has %d.", len(cells), len(e.header)).
					At(e.reader.Name(), records.Line(i), 0).WithFix("Export the users again: whoever cannot be read would be taken for absent.")
			}
			if key, problem := schema.ParseAddress(e.cell(cells[e.email])); problem == "" {
				hand(key, cells)
			}
		}
	}
}

// users are the cells of a fresh users export that rows are compared with. They are kept in one piece of
// memory, so a million users cost little more than their text.
type users struct {
	seed   maphash.Seed
	index  usersfile.Index
	starts []int
	cells  []byte // each behind its length
	stored []int  // columns of the template, in the order in which a user's cells are kept
}

// readUsers reads the columns of an export that are wanted, numbers of columns of the template; those that
// it has not are not compared.
func readUsers(ctx context.Context, source dialect.Source, t *template, wanted []int, seed maphash.Seed, limits dialect.Limits) (*users, error) {
	file, err := openExport(ctx, source, limits)
	if err != nil {
		return nil, err
	}
	u := &users{seed: seed}
	var places []int
	for _, at := range wanted {
		if place := file.place(t.columns[at].name); place >= 0 {
			u.stored, places = append(u.stored, at), append(places, place)
		}
	}
	err = file.each(ctx, func(key string, cells []string) {
		if _, known := u.index.Add(maphash.String(seed, key), len(u.starts)); known {
			return
		}
		u.starts = append(u.starts, len(u.cells))
		for _, place := range places {
			cell := file.cell(cells[place])
			u.cells = append(binary.AppendUvarint(u.cells, uint64(len(cell))), cell...)
		}
	})
	return u, err
}

// find returns the cells of a user, one per column of the template, in the memory of into; ok is false
// where the export does not list the address. A column that the export has not is not known.
func (u *users) find(hash uint64, into []userCell) (ok bool) {
	number, ok := u.index.Find(hash)
	if !ok {
		return false
	}
	clear(into)
	rest := u.cells[u.starts[number]:]
	for _, at := range u.stored {
		length, n := binary.Uvarint(rest)
		into[at] = userCell{text: string(rest[n : n+int(length)]), known: true}
		rest = rest[n+int(length):]
	}
	return true
}

// userCell is what an export says of one user in one column.
type userCell struct {
	text  string
	known bool // the export has the column
}

// people are the addresses of an employer's directory.
type people struct {
	seed   maphash.Seed
	keys   usersfile.Index
	spelt  usersfile.Index   // by spelling, where that is not the key
	spells map[uint64]string // the first spelling of a key that is not the key itself

	beside usersfile.Index // by key, the lines of other addresses of people
	apart  usersfile.Index // likewise, of those of guests, of objects, and of people without an address that counts
}

// readPeople reads a directory's list.
func readPeople(ctx context.Context, source dialect.Source, address string, seed maphash.Seed, limits dialect.Limits) (*people, *directory.List, error) {
	p := &people{seed: seed, spells: map[uint64]string{}}
	options := directory.Options{Limits: limits, Address: address, Beside: func(b directory.Beside) {
		into := &p.apart
		if b.Why == directory.OtherAddress {
			into = &p.beside
		}
		into.Add(maphash.String(seed, b.Key), b.Line)
	}}
	list, err := directory.Read(ctx, source, options, func(e directory.Entry) {
		hash := maphash.String(seed, e.Key)
		p.keys.Add(hash, 0)
		spelling := directory.Readable(e.Email)
		p.spelt.Add(maphash.String(seed, spelling), 0)
		if spelling != e.Key && p.spells[hash] == "" {
			p.spells[hash] = strings.Clone(e.Email)
		}
	})
	return p, list, err
}

// otherwise says how the directory has an address all the same that it does not list, and on which line.
func (p *people) otherwise(hash uint64) (how schema.Hint, line string) {
	if number, ok := p.beside.Find(hash); ok {
		return schema.HintOtherAddress, strconv.Itoa(number)
	}
	if number, ok := p.apart.Find(hash); ok {
		return schema.HintListedApart, strconv.Itoa(number)
	}
	return "", ""
}

// look compares an address with the directory: whether it lists it, and if so only in another spelling,
// which.
func (p *people) look(hash uint64, key, email string) (listed bool, other string) {
	if _, listed = p.keys.Find(hash); !listed {
		return false, ""
	}
	if _, same := p.spelt.Find(maphash.String(p.seed, directory.Readable(email))); same {
		return true, ""
	}
	if other = p.spells[hash]; other == "" {
		other = key
	}
	return true, other
}
