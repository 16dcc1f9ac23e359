package pipeline

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/pipeline/usersfile"
	"github.com/claimline/claimline/schema"
)

// prepared is what claiming the ready rows of a chunk takes, as found while planning. What was decided then stands while
// nobody changes anything, time included; the rules are asked again where somebody has.
type prepared struct {
	epoch   int64     // of the owner that planned: the policy of another may differ
	version int64     // of the facts decided on; 0: the rules must be asked again
	until   time.Time // when time itself first changes one of the accounts; zero: never
	rows    []readyRow
}

// readyRow is a row that was planned ready.
type readyRow struct {
	row    int // in the chunk
	line   int
	wishes []claim.Wish // per service of the plan; nil: the file has no service columns
	target
}

// target is the account that a row claims.
type target struct {
	store.Seen
	status schema.Status
}

// claim is the claim to be made.
func (r *readyRow) claim(claimType schema.ClaimType, services []string, edits []usersfile.Edit) store.NewClaim {
	return store.NewClaim{
		AccountID: r.Account, Type: claimType, StatusBefore: r.status, Line: r.line, Services: services, Edits: usersfile.NewProfile(edits),
	}
}

// known returns what the rows were decided on, for this owner at this time; nothing, where they must be decided on anew.
func (p *prepared) known(owner store.Owner, now time.Time) store.Known {
	if p.version == 0 || p.epoch != owner.Epoch || !p.until.IsZero() && !now.Before(p.until) {
		return store.Known{}
	}
	known := store.Known{Version: p.version, Accounts: make([]store.Seen, len(p.rows))}
	for i := range p.rows {
		known.Accounts[i] = p.rows[i].Seen
	}
	return known
}

// earliest is the earlier of two times, of which zero stands for never.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// prepare gathers what claiming the ready rows of one more part takes, of which the first has this number in the chunk.
func (k *keeper) prepare(c *chunk, first int) {
	before := len(k.rows)
	for i := range c.rows {
		if c.verdicts[i].Outcome != schema.Ready {
			continue
		}
		r := readyRow{row: first + i, line: c.records.Line(i), target: c.rows[i].target}
		if n := len(k.wishes); c.rows[i].Assignments != nil {
			k.wishes = append(k.wishes, c.rows[i].Assignments...)
			r.wishes = k.wishes[n:len(k.wishes):len(k.wishes)]
		}
		k.rows = append(k.rows, r)
	}
	if len(k.rows) == before {
		return
	}
	if before == 0 {
		k.version = c.version
	}
	k.version = min(k.version, c.version) // the oldest counts
	k.until = earliest(k.until, c.until)
}

// encode packs what is prepared: the numbers of each row as differences to the row before, its status as a
// number into a table, and the wishes at the end.
func (p *prepared) encode() []byte {
	var last readyRow
	var table preparedTable
	statuses := map[schema.Status]uint64{}
	rows := make([]byte, 0, 8*len(p.rows))
	var wishes []byte
	for i := range p.rows {
		r := &p.rows[i]
		status, known := statuses[r.status]
		if !known {
			status = uint64(len(table.Statuses))
			statuses[r.status] = status
			table.Statuses = append(table.Statuses, r.status)
		}
		rows = binary.AppendUvarint(rows, uint64(r.row-last.row))
		rows = binary.AppendUvarint(rows, uint64(r.line-last.line))
		rows = binary.AppendVarint(rows, r.Account-last.Account)
		rows = binary.AppendVarint(rows, r.Version-last.Version)
		rows = binary.AppendUvarint(rows, status)
		for _, wish := range r.wishes {
			wishes = append(wishes, byte(wish))
		}
		last = *r
	}
	table.Epoch, table.Version = p.epoch, p.version
	if !p.until.IsZero() {
		table.Until = p.until.Unix()
	}
	table.Rows = len(p.rows)
	if table.Rows > 0 {
		table.Services = len(p.rows[0].wishes)
	}
	head, err := json.Marshal(table)
	if err != nil {
		panic(err) // strings and numbers alone: cannot happen
	}
	packed := binary.AppendUvarint(make([]byte, 0, len(head)+len(rows)+len(wishes)+binary.MaxVarintLen64), uint64(len(head)))
	return append(append(append(packed, head...), rows...), wishes...)
}

// preparedTable is what stands once, ahead of the rows.
type preparedTable struct {
	Epoch    int64           `json:"epoch"`
	Version  int64           `json:"version"`
	Until    int64           `json:"until,omitempty"` // in seconds since 1970
	Rows     int             `json:"rows"`
	Services int             `json:"services,omitempty"` // wishes of each row
	Statuses []schema.Status `json:"statuses,omitempty"`
}

var errPreparedDamaged = errors.New("what was prepared of a chunk is damaged")

// decodePrepared is the inverse of encode.
func decodePrepared(packed []byte) (*prepared, error) {
	in := packedReader{rest: packed}
	head := in.bytes(in.uvarint())
	var table preparedTable
	if err := json.Unmarshal(head, &table); err != nil {
		return nil, fmt.Errorf("%w: %w", errPreparedDamaged, err)
	}
	const least = 5 // bytes that a row takes, without its wishes
	if table.Rows < 0 || table.Services < 0 || table.Services > len(in.rest) || table.Rows > len(in.rest)/(least+table.Services) {
		return nil, errPreparedDamaged
	}
	p := &prepared{epoch: table.Epoch, version: table.Version, rows: make([]readyRow, table.Rows)}
	if table.Until != 0 {
		p.until = time.Unix(table.Until, 0).UTC()
	}
	var last readyRow
	for i := range p.rows {
		r := &p.rows[i]
		r.row, r.line, r.Account = last.row+int(in.uvarint()), last.line+int(in.uvarint()), last.Account+in.varint()
		r.Version = last.Version + in.varint()
		status := in.uvarint()
		if status >= uint64(len(table.Statuses)) {
			return nil, errPreparedDamaged
		}
		r.status = table.Statuses[status]
		last = *r
	}
	if table.Services > 0 {
		wishes := make([]claim.Wish, len(in.rest))
		for i, wish := range in.rest {
			wishes[i] = claim.Wish(wish)
		}
		for i := range p.rows {
			n := min(table.Services, len(wishes))
			p.rows[i].wishes, wishes = wishes[:n:n], wishes[n:]
		}
		in.bad = in.bad || len(in.rest) != table.Rows*table.Services
		in.rest = nil
	}
	if in.bad || len(in.rest) > 0 {
		return nil, errPreparedDamaged
	}
	return p, nil
}
