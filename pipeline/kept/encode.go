package kept

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/claimline/claimline/pipeline/usersfile"
	"github.com/claimline/claimline/schema"
)

// encodeVerdicts packs the verdicts of a chunk: the different findings as JSON, then for each row the number
// of its finding, with the claim id as the difference to the last one, and the edits at the end. Rows mostly
// find the same, so this is narrow.
func encodeVerdicts(verdicts []Verdict) []byte {
	var (
		findings []*schema.Finding
		numbers  = map[string]uint64{} // by key
		key      []byte
		rows     = make([]byte, 0, 4*len(verdicts))
		edits    []byte
		lastID   int64
		last     *schema.Finding
		number   uint64 // of last
	)
	for i := range verdicts {
		v := &verdicts[i]
		if v.Finding != last {
			last = v.Finding
			key = appendKey(key[:0], last)
			var known bool
			if number, known = numbers[string(key)]; !known {
				number = uint64(len(findings))
				numbers[string(key)] = number
				findings = append(findings, last)
			}
		}
		flags := number << 2
		if len(v.Edits) > 0 {
			flags |= hasEdits
			edits = appendEdits(edits, v.Edits)
		}
		if v.ClaimID == 0 {
			rows = binary.AppendUvarint(rows, flags)
			continue
		}
		rows = binary.AppendUvarint(rows, flags|hasClaim)
		rows = binary.AppendVarint(rows, v.ClaimID-lastID)
		lastID = v.ClaimID
	}
	table, err := json.Marshal(findings)
	if err != nil {
		panic(err) // strings alone: cannot happen
	}
	packed := binary.AppendUvarint(nil, uint64(len(verdicts)))
	packed = binary.AppendUvarint(packed, uint64(len(table)))
	packed = append(packed, table...)
	return append(append(packed, rows...), edits...)
}

// What follows a row's number.
const (
	hasClaim = 1 << iota
	hasEdits
)

// appendEdits packs the edits of one row.
func appendEdits(packed []byte, edits []usersfile.Edit) []byte {
	packed = binary.AppendUvarint(packed, uint64(len(edits)))
	for _, edit := range edits {
		packed = append(packed, byte(edit.Field))
		packed = appendText(appendText(packed, edit.Old), edit.New)
	}
	return packed
}

func appendText(packed []byte, s string) []byte {
	return append(binary.AppendUvarint(packed, uint64(len(s))), s...)
}

// edits reads the edits of one row.
func (r *packedReader) edits() []usersfile.Edit {
	n := r.uvarint()
	if n == 0 || n > uint64(len(schema.Columns)) {
		r.bad = true
		return nil
	}
	edits := make([]usersfile.Edit, n)
	for i := range edits {
		field := r.bytes(1)
		if r.bad || !usersfile.Field(field[0]).Editable() {
			r.bad = true
			return nil
		}
		edits[i] = usersfile.Edit{Field: usersfile.Field(field[0]), Old: string(r.bytes(r.uvarint())), New: string(r.bytes(r.uvarint()))}
	}
	return edits
}

var errVerdictsDamaged = errors.New("the kept verdicts are damaged")

// decodeVerdicts undoes encodeVerdicts.
func decodeVerdicts(packed []byte) ([]Verdict, error) {
	in := packedReader{rest: packed}
	rows := in.uvarint()
	var findings []schema.Finding
	if err := json.Unmarshal(in.bytes(in.uvarint()), &findings); err != nil {
		return nil, fmt.Errorf("%w: %w", errVerdictsDamaged, err)
	}
	if rows > uint64(len(in.rest)) { // every row takes a byte at least
		return nil, errVerdictsDamaged
	}
	verdicts := make([]Verdict, rows)
	edited := make([]int, 0, rows/8)
	var lastID int64
	for i := range verdicts {
		flags := in.uvarint()
		if flags>>2 >= uint64(len(findings)) {
			return nil, errVerdictsDamaged
		}
		verdicts[i].Finding = &findings[flags>>2]
		if flags&hasEdits != 0 {
			edited = append(edited, i)
		}
		if flags&hasClaim != 0 {
			lastID += in.varint()
			verdicts[i].ClaimID = lastID
		}
	}
	for _, i := range edited {
		verdicts[i].Edits = in.edits()
	}
	if in.bad || len(in.rest) > 0 {
		return nil, errVerdictsDamaged
	}
	return verdicts, nil
}

// packedReader reads what was packed, from the front. Once something is missing, it is bad and gives zeros.
type packedReader struct {
	rest []byte
	bad  bool
}

func (r *packedReader) uvarint() uint64 {
	n, size := binary.Uvarint(r.rest)
	r.skip(size)
	return n
}

func (r *packedReader) varint() int64 {
	n, size := binary.Varint(r.rest)
	r.skip(size)
	return n
}

// skip goes on behind a number of this size; there is none where that is not positive.
func (r *packedReader) skip(size int) {
	if size <= 0 {
		r.bad, r.rest = true, nil
		return
	}
	r.rest = r.rest[size:]
}

// bytes returns the next n bytes.
func (r *packedReader) bytes(n uint64) []byte {
	if n > uint64(len(r.rest)) {
		r.bad, r.rest = true, nil
		return nil
	}
	next := r.rest[:n]
	r.rest = r.rest[n:]
	return next
}

// appendKey appends what makes f differ from other findings, every part behind its length.
func appendKey(key []byte, f *schema.Finding) []byte {
	for _, part := range []string{string(f.Outcome), string(f.Type), f.Column, string(f.Hint)} {
		key = appendText(key, part)
	}
	key = binary.AppendUvarint(key, uint64(len(f.Reasons)))
	for _, reason := range f.Reasons {
		key = appendText(key, string(reason))
	}
	for _, list := range [][]string{f.Details, f.Warnings, f.Licenses} {
		key = binary.AppendUvarint(key, uint64(len(list)))
		for _, part := range list {
			key = appendText(key, part)
		}
	}
	return key
}
