package kept

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

// Ready is what claiming the ready rows of a chunk takes, as found while planning. What was decided then
// stands while nobody changes anything, time included; the rules are asked again where somebody has.
type Ready struct {
	Version int64     // of the facts decided on; 0: the rules must be asked again
	Until   time.Time // when time itself first changes one of the accounts; zero: never
	Rows    []ReadyRow
}

// ReadyRow is a row that was planned ready.
type ReadyRow struct {
	Row         int // in the chunk
	Line        int
	Assignments []claim.Assignment // per service of the plan; nil: the file has no service columns
	Target
}

// Target is the account that a row claims.
type Target struct {
	store.Seen
	Status  schema.Status
	Leaving bool // as store.NewClaim has it
}

// NewTarget returns an account that a row claims.
func NewTarget(a *claim.Account) Target {
	return Target{Seen: store.Seen{Account: a.ID, Version: a.Version}, Status: a.User.Status, Leaving: len(a.User.Services) > 0}
}

// Claim returns the claim to be made.
func (r *ReadyRow) Claim(claimType schema.ClaimType, services []string, edits []usersfile.Edit) store.NewClaim {
	return store.NewClaim{
		AccountID: r.Account, Leaving: r.Leaving, Type: claimType, StatusBefore: r.Status, Line: r.Line, Services: services, Edits: usersfile.NewProfile(edits),
	}
}

// Known returns what the rows were decided on, at this time; nothing, where they must be decided on anew.
func (r *Ready) Known(now time.Time) store.Known {
	if r.Version == 0 || !r.Until.IsZero() && !now.Before(r.Until) {
		return store.Known{}
	}
	known := store.Known{Version: r.Version, Accounts: make([]store.Seen, len(r.Rows))}
	for i := range r.Rows {
		known.Accounts[i] = r.Rows[i].Seen
	}
	return known
}

// Expire lets what was decided stand until a time at the latest; the zero time: for ever.
func (r *Ready) Expire(at time.Time) {
	if r.Until.IsZero() || !at.IsZero() && at.Before(r.Until) {
		r.Until = at
	}
}

// encode packs what claiming the rows takes: the numbers of each row as differences to the row before, what
// else is known of its account as a number into a table, and the assignments at the end.
func (r *Ready) encode() []byte {
	var last ReadyRow
	var table readyTable
	kinds := map[Target]uint64{}
	rows := make([]byte, 0, 8*len(r.Rows))
	var assignments []byte
	for i := range r.Rows {
		row := &r.Rows[i]
		kind, known := kinds[Target{Status: row.Status, Leaving: row.Leaving}]
		if !known {
			kind = uint64(len(table.Statuses))
			kinds[Target{Status: row.Status, Leaving: row.Leaving}] = kind
			table.Statuses, table.Leaving = append(table.Statuses, row.Status), append(table.Leaving, row.Leaving)
		}
		rows = binary.AppendUvarint(rows, uint64(row.Row-last.Row))
		rows = binary.AppendUvarint(rows, uint64(row.Line-last.Line))
		rows = binary.AppendVarint(rows, row.Account-last.Account)
		rows = binary.AppendVarint(rows, row.Seen.Version-last.Seen.Version)
		rows = binary.AppendUvarint(rows, kind)
		for _, assignment := range row.Assignments {
			assignments = append(assignments, byte(assignment))
		}
		last = *row
	}
	table.Version = r.Version
	if !r.Until.IsZero() {
		table.Until = r.Until.Unix()
	}
	table.Rows = len(r.Rows)
	if table.Rows > 0 {
		table.Services = len(r.Rows[0].Assignments)
	}
	head, err := json.Marshal(table)
	if err != nil {
		panic(err) // strings and numbers alone: cannot happen
	}
	packed := binary.AppendUvarint(make([]byte, 0, len(head)+len(rows)+len(assignments)+binary.MaxVarintLen64), uint64(len(head)))
	return append(append(append(packed, head...), rows...), assignments...)
}

// readyTable is what stands once, ahead of the rows.
type readyTable struct {
	Version  int64           `json:"version"`
	Until    int64           `json:"until,omitempty"` // in seconds since 1970
	Rows     int             `json:"rows"`
	Services int             `json:"services,omitempty"` // assignments of each row
	Statuses []schema.Status `json:"statuses,omitempty"`
	Leaving  []bool          `json:"leaving,omitempty"` // per status; programs before 2026-11-25 did not say
}

var errReadyDamaged = errors.New("what claiming the ready rows takes is damaged")

// decodeReady undoes encode.
func decodeReady(packed []byte) (*Ready, error) {
	in := packedReader{rest: packed}
	head := in.bytes(in.uvarint())
	var table readyTable
	if err := json.Unmarshal(head, &table); err != nil {
		return nil, fmt.Errorf("%w: %w", errReadyDamaged, err)
	}
	const least = 5 // bytes that a row takes, without its assignments
	if table.Rows < 0 || table.Services < 0 || table.Services > len(in.rest) || table.Rows > len(in.rest)/(least+table.Services) {
		return nil, errReadyDamaged
	}
	r := &Ready{Version: table.Version, Rows: make([]ReadyRow, table.Rows)}
	if table.Until != 0 {
		r.Until = time.Unix(table.Until, 0).UTC()
	}
	said := len(table.Leaving) == len(table.Statuses)
	if !said {
		r.Version = 0
	}
	var last ReadyRow
	for i := range r.Rows {
		row := &r.Rows[i]
		row.Row, row.Line, row.Account = last.Row+int(in.uvarint()), last.Line+int(in.uvarint()), last.Account+in.varint()
		row.Seen.Version = last.Seen.Version + in.varint()
		kind := in.uvarint()
		if kind >= uint64(len(table.Statuses)) {
			return nil, errReadyDamaged
		}
		row.Status, row.Leaving = table.Statuses[kind], said && table.Leaving[kind]
		last = *row
	}
	if table.Services > 0 {
		assignments := make([]claim.Assignment, len(in.rest))
		for i, assignment := range in.rest {
			assignments[i] = claim.Assignment(assignment)
		}
		for i := range r.Rows {
			n := min(table.Services, len(assignments))
			r.Rows[i].Assignments, assignments = assignments[:n:n], assignments[n:]
		}
		in.bad = in.bad || len(in.rest) != table.Rows*table.Services
		in.rest = nil
	}
	if in.bad || len(in.rest) > 0 {
		return nil, errReadyDamaged
	}
	return r, nil
}
