package pipeline

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/claimline/claimline/schema"
)

// verdict is what is known of a row while it travels: a schema.Result before its codes are put into words.
type verdict struct {
	*finding       // nil: nothing is known yet
	claimID  int64 // 0: not claimed
}

// finding is what many rows have in common: they share one, so it is not changed once a verdict has it.
type finding struct {
	Outcome  schema.Outcome   `json:"o"`
	Type     schema.ClaimType `json:"t,omitempty"`
	Reasons  []schema.Code    `json:"r,omitempty"`
	Column   string           `json:"c,omitempty"` // header of the offending cell
	Detail   string           `json:"d,omitempty"` // what the message adds
	Warnings []string         `json:"w,omitempty"`
	Licenses []string         `json:"l,omitempty"`
}

// found is a finding of one reason.
func found(reason schema.Code, column, detail string) *finding {
	f := &finding{}
	f.add(reason, column, detail)
	return f
}

// add notes one more reason, once; the first decides outcome, column and detail.
func (f *finding) add(reason schema.Code, column, detail string) {
	if len(f.Reasons) == 0 {
		f.Outcome, f.Column, f.Detail = reason.Outcome(), column, detail
	} else if slices.Contains(f.Reasons, reason) {
		return
	}
	f.Reasons = append(f.Reasons, reason)
}

// result puts the verdict on the row at this line, with this address, into words.
func (v *verdict) result(line int, email string) schema.Result {
	r := schema.Result{
		Line: line, Email: email, ClaimType: v.Type, Outcome: v.Outcome, Column: v.Column,
		Reasons: v.Reasons, Warnings: v.Warnings, Licenses: v.Licenses,
	}
	if len(v.Reasons) > 0 {
		r.Reason = v.Reasons[0]
		r.Message = r.Reason.Message(v.Detail)
		r.Fix = r.Reason.Fix()
	}
	if v.claimID != 0 {
		r.ClaimID = strconv.FormatInt(v.claimID, 10)
	}
	return r
}

// tally counts verdicts.
func tally(verdicts []verdict) schema.Tally {
	var t schema.Tally
	for start, i := 0, 0; i < len(verdicts); start = i {
		for f := verdicts[start].finding; i < len(verdicts) && verdicts[i].finding == f; i++ {
		}
		f := verdicts[start].finding
		t.Count(i-start, f.Outcome, f.Reasons, f.Warnings)
	}
	return t
}

// encodeVerdicts packs the verdicts of a chunk: the different findings as JSON, then for each row the number of its
// finding, and the claim id as the difference to the last one. Rows mostly find the same, so this is narrow.
func encodeVerdicts(verdicts []verdict) []byte {
	var (
		findings []*finding
		numbers  = map[string]uint64{} // by key
		key      []byte
		rows     = make([]byte, 0, 4*len(verdicts))
		lastID   int64
		last     *finding
		number   uint64 // of last
	)
	for i := range verdicts {
		v := &verdicts[i]
		if v.finding != last {
			last = v.finding
			key = last.appendKey(key[:0])
			var known bool
			if number, known = numbers[string(key)]; !known {
				number = uint64(len(findings))
				numbers[string(key)] = number
				findings = append(findings, last)
			}
		}
		if v.claimID == 0 {
			rows = binary.AppendUvarint(rows, number<<1)
			continue
		}
		rows = binary.AppendUvarint(rows, number<<1|1)
		rows = binary.AppendVarint(rows, v.claimID-lastID)
		lastID = v.claimID
	}
	table, err := json.Marshal(findings)
	if err != nil {
		panic(err) // strings alone: cannot happen
	}
	packed := binary.AppendUvarint(nil, uint64(len(verdicts)))
	packed = binary.AppendUvarint(packed, uint64(len(table)))
	packed = append(packed, table...)
	return append(packed, rows...)
}

var errVerdictsDamaged = errors.New("the kept verdicts are damaged")

// decodeVerdicts is the inverse of encodeVerdicts.
func decodeVerdicts(packed []byte) ([]verdict, error) {
	in := packedReader{rest: packed}
	rows := in.uvarint()
	var findings []finding
	if err := json.Unmarshal(in.bytes(in.uvarint()), &findings); err != nil {
		return nil, fmt.Errorf("%w: %w", errVerdictsDamaged, err)
	}
	if rows > uint64(len(in.rest)) { // every row takes a byte at least
		return nil, errVerdictsDamaged
	}
	verdicts := make([]verdict, rows)
	var lastID int64
	for i := range verdicts {
		number := in.uvarint()
		if number>>1 >= uint64(len(findings)) {
			return nil, errVerdictsDamaged
		}
		verdicts[i].finding = &findings[number>>1]
		if number&1 == 1 {
			lastID += in.varint()
			verdicts[i].claimID = lastID
		}
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

// bytes are the next n bytes.
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
func (f *finding) appendKey(key []byte) []byte {
	part := func(s string) { key = append(binary.AppendUvarint(key, uint64(len(s))), s...) }
	part(string(f.Outcome))
	part(string(f.Type))
	part(f.Column)
	part(f.Detail)
	key = binary.AppendUvarint(key, uint64(len(f.Reasons)))
	for _, reason := range f.Reasons {
		part(string(reason))
	}
	key = binary.AppendUvarint(key, uint64(len(f.Warnings)))
	for _, warning := range f.Warnings {
		part(warning)
	}
	for _, license := range f.Licenses {
		part(license)
	}
	return key
}
