package handoff

import (
	"context"
	"encoding/binary"
	"hash/maphash"
	"strconv"
	"strings"

	"github.com/claimline/claimline/pipeline/controlhub"
	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/pipeline/directory"
	"github.com/claimline/claimline/pipeline/usersfile"
	"github.com/claimline/claimline/schema"
)

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
	file, err := controlhub.OpenExport(ctx, source, limits)
	if err != nil {
		return nil, err
	}
	u := &users{seed: seed}
	var places []int
	for _, at := range wanted {
		if place := file.Place(t.columns[at].name); place >= 0 {
			u.stored, places = append(u.stored, at), append(places, place)
		}
	}
	err = file.Each(ctx, func(key string, cells []string) {
		if _, known := u.index.Add(maphash.String(seed, key), len(u.starts)); known {
			return
		}
		u.starts = append(u.starts, len(u.cells))
		for _, place := range places {
			cell := file.Cell(cells[place])
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
