package kept

import (
	"encoding/binary"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/pipeline/usersfile"
	"github.com/claimline/claimline/schema"
)

// nothing is a verdict that says nothing.
var nothing = Verdict{Finding: &schema.Finding{}}

func drawVerdicts() *rapid.Generator[[]Verdict] {
	text := rapid.OneOf(rapid.SampledFrom([]string{"", "Phone Number", `"x"`, "\x00", "Å", "license_unavailable:A"}), rapid.String())
	texts := rapid.SliceOfN(text, 0, 2)
	one := rapid.Custom(func(t *rapid.T) Verdict {
		v := Verdict{Finding: &schema.Finding{
			Outcome: rapid.SampledFrom(append(schema.Outcomes, "")).Draw(t, "outcome"),
			Type:    rapid.SampledFrom([]schema.ClaimType{"", schema.Immediate, schema.Delayed}).Draw(t, "type"),
			Column:  text.Draw(t, "column"),
			Hint:    rapid.SampledFrom([]schema.Hint{"", schema.HintPhoneNational, schema.HintCutOff}).Draw(t, "hint"),
		}}
		v.Reasons = append(v.Reasons, rapid.SliceOfN(rapid.SampledFrom([]schema.Code{schema.CodeSourceSSO, schema.CodeFieldCount}), 0, 2).Draw(t, "reasons")...)
		for _, list := range []*[]string{&v.Details, &v.Warnings, &v.Licenses} {
			*list = append(*list, texts.Draw(t, "texts")...) // nil where there are none, as they are kept
		}
		v.ClaimID = rapid.OneOf(rapid.Just(int64(0)), rapid.Int64Range(1, 50), rapid.Int64Range(1, math.MaxInt64)).Draw(t, "claim id")
		if rapid.Bool().Draw(t, "edited") {
			v.Edits = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) usersfile.Edit {
				return usersfile.Edit{Field: rapid.SampledFrom(editable).Draw(t, "field"), Old: text.Draw(t, "old"), New: text.Draw(t, "new")}
			}), 1, len(editable)).Draw(t, "edits")
		}
		return v
	})
	return rapid.Custom(func(t *rapid.T) []Verdict {
		kinds := rapid.SliceOfN(one, 1, 5).Draw(t, "kinds")
		return rapid.SliceOfN(rapid.SampledFrom(kinds), 0, 40).Draw(t, "verdicts")
	})
}

var editable = []usersfile.Field{
	usersfile.FirstName, usersfile.LastName, usersfile.DisplayName, usersfile.Title, usersfile.Department, usersfile.Phone, usersfile.PreferredLanguage,
}

// Verdicts come back as they were kept.
func TestVerdictsRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		verdicts := drawVerdicts().Draw(t, "verdicts")
		got, err := decodeVerdicts(encodeVerdicts(verdicts))
		require.NoError(t, err)
		require.Len(t, got, len(verdicts))
		for i := range got {
			require.Equal(t, verdicts[i], got[i])
		}
	})
}

// FuzzDecodeVerdicts shows that damaged verdicts are found out, or are some verdicts, and never do harm.
func FuzzDecodeVerdicts(f *testing.F) {
	good := encodeVerdicts([]Verdict{
		{Finding: &schema.Finding{Outcome: schema.Claimed, Type: schema.Delayed, Licenses: []string{"A"}}, ClaimID: 7},
		{Finding: &schema.Finding{Outcome: schema.Invalid, Reasons: []schema.Code{schema.CodePhoneInvalid}, Column: "Phone", Hint: schema.HintPhoneNational, Details: []string{`"07"`}}},
		{Finding: NoRow},
		{
			Finding: &schema.Finding{Outcome: schema.Claimed, Type: schema.Delayed, Licenses: []string{"A"}}, ClaimID: 3,
			Edits: []usersfile.Edit{{Field: usersfile.LastName, Old: "Öberg", New: "Berg"}, {Field: usersfile.Phone, New: "+46701234567"}},
		},
	})
	f.Add(good)
	f.Add(good[:len(good)-1])
	f.Add(append(good, 0))
	f.Add([]byte{})
	f.Add(encodeVerdicts(nil))
	f.Add(binary.AppendUvarint(nil, math.MaxUint64))
	f.Add(append(binary.AppendUvarint([]byte{1}, 2), "[]\x00"...))
	f.Add(append(binary.AppendUvarint([]byte{1}, 4), "null\x00"...))
	f.Add(append(binary.AppendUvarint([]byte{1}, 4), "[{}]\x01\x01"...))
	f.Add(append(binary.AppendUvarint([]byte{1}, 4), "[{}]\x02\x01\x00\x01a\x01b"...))
	f.Add(append(binary.AppendUvarint([]byte{1}, 4), "[{}]\x02\x01\x03\x01a\x01b"...)) // an address is no edit
	f.Add(append(binary.AppendUvarint([]byte{1}, 4), "[{}]\x02\x00"...))
	f.Add(append(binary.AppendUvarint([]byte{1}, 4), "[{}]\x02\xff\xff\xff\xff\x0f"...))
	f.Fuzz(func(t *testing.T, packed []byte) {
		verdicts, err := decodeVerdicts(packed)
		if err != nil {
			require.ErrorIs(t, err, errVerdictsDamaged)
			return
		}
		again, err := decodeVerdicts(encodeVerdicts(verdicts))
		require.NoError(t, err)
		require.Len(t, again, len(verdicts))
		for i := range again {
			require.Equal(t, verdicts[i].Result(1, ""), again[i].Result(1, ""))
		}
	})
}

// A chunk that was kept is what was planned, part by part: lines, cells, verdicts, and what claiming takes.
func TestChunkRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		format := schema.Format{Delimiter: rapid.SampledFrom([]byte(",;\t|")).Draw(t, "delimiter"), CRLF: rapid.Bool().Draw(t, "CRLF")}
		cells := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "", "Å\n", `"`, ",;\t|", "\xe5", "=1"}), 1, 4)
		services := rapid.IntRange(0, 3).Draw(t, "services")
		line := rapid.IntRange(1, 1<<31).Draw(t, "line")
		var c Chunk
		for range rapid.IntRange(1, 2).Draw(t, "chunks") { // one after another
			want, wantReady := Rows{}, Ready{}
			whole := dialect.Block{}
			for range rapid.IntRange(1, 3).Draw(t, "blocks") {
				verdicts := drawVerdicts().Draw(t, "verdicts")
				text := dialect.Block{Line: line, Text: write(t, format, len(verdicts), func() []string { return append([]string{"x"}, cells.Draw(t, "cells")...) })}
				text.Text += strings.Repeat("\n", rapid.IntRange(0, 2).Draw(t, "blank rows"))
				ready := drawReady(t, line, verdicts, services)
				c.Add(&text, verdicts, &ready)

				if len(want.Verdicts) == 0 { // blank rows at the beginning are not kept
					whole = dialect.Block{Line: line}
				}
				line += strings.Count(text.Text, "\n")
				whole.Text += text.Text
				if some := len(ready.Rows) > 0; some && (len(wantReady.Rows) == 0 || ready.Version < wantReady.Version) {
					wantReady.Version = ready.Version
				}
				if len(ready.Rows) > 0 && !ready.Until.IsZero() && (wantReady.Until.IsZero() || ready.Until.Before(wantReady.Until)) {
					wantReady.Until = ready.Until
				}
				for _, r := range ready.Rows {
					r.Row += len(want.Verdicts)
					wantReady.Rows = append(wantReady.Rows, r)
				}
				want.Verdicts = append(want.Verdicts, verdicts...)
			}
			require.NoError(t, whole.Parse(format, &want.Records))
			require.Equal(t, len(want.Verdicts), c.Len())

			packed := c.Pack()
			require.Equal(t, c.Number, packed.Number)
			require.Equal(t, Tally(want.Verdicts), packed.Planned)
			require.Equal(t, len(wantReady.Rows) == 0, packed.Done)
			got, err := Unpack(packed, format)
			require.NoError(t, err)
			require.Len(t, got.Verdicts, len(want.Verdicts))
			for i := range want.Verdicts {
				require.Equal(t, want.Verdicts[i], got.Verdicts[i])
				require.Equal(t, want.Records.Line(i), got.Records.Line(i))
				require.Equal(t, want.Records.Cells(i), got.Records.Cells(i))
			}
			if !packed.Done {
				again, err := UnpackReady(packed.Prepared, want.Verdicts, services)
				require.NoError(t, err)
				require.Equal(t, &wantReady, again)
				_, err = UnpackReady(packed.Prepared, want.Verdicts, services+1)
				require.Equal(t, services == 0, err == nil)
			}

			// Verdicts of another chunk are found out.
			packed.Results = PackVerdicts(append(want.Verdicts, nothing))
			_, err = Unpack(packed, format)
			require.ErrorIs(t, err, errVerdictsDamaged)
			c.Next()
		}
	})
}

// write writes n records.
func write(t *rapid.T, format schema.Format, n int, record func() []string) string {
	var b strings.Builder
	w := dialect.NewWriter(&b, format)
	for range n {
		require.NoError(t, w.Write(record()))
	}
	require.NoError(t, w.Flush())
	return b.String()
}

// drawReady draws what planning finds out about rows.
func drawReady(t *rapid.T, line int, verdicts []Verdict, services int) Ready {
	ready := Ready{Version: rapid.Int64Range(0, 1<<40).Draw(t, "version")}
	if rapid.Bool().Draw(t, "due") {
		ready.Until = time.Unix(rapid.Int64Range(1, 1<<40).Draw(t, "until"), 0).UTC()
	}
	for i := range verdicts {
		if verdicts[i].Outcome != schema.Ready {
			continue
		}
		r := ReadyRow{Row: i, Line: line + i}
		if services > 0 {
			r.Assignments = rapid.SliceOfN(rapid.SampledFrom([]claim.Assignment{claim.Automatic, claim.Assign, claim.Withhold}), services, services).Draw(t, "assignments")
		}
		r.Account = rapid.Int64Range(1, 1<<40).Draw(t, "account")
		r.Seen.Version = rapid.Int64Range(0, 1<<20).Draw(t, "version of the account")
		r.Status, r.Leaving = rapid.SampledFrom(schema.Statuses).Draw(t, "status"), rapid.Bool().Draw(t, "leaving")
		ready.Rows = append(ready.Rows, r)
	}
	return ready
}

// What was decided stands until time itself changes something.
func TestKnown(t *testing.T) {
	at := time.Unix(100, 0)
	r := Ready{Version: 7}
	require.EqualValues(t, 7, r.Known(at).Version)
	r.Expire(time.Time{})
	require.EqualValues(t, 7, r.Known(at).Version)
	r.Expire(at.Add(time.Second))
	require.EqualValues(t, 7, r.Known(at).Version)
	r.Expire(at)
	r.Expire(at.Add(time.Hour))
	r.Expire(time.Time{})
	require.Zero(t, r.Known(at).Version)
}

// A plan that does not say who gives licences back is decided on again.
func TestReadyOfBefore(t *testing.T) {
	ready := &schema.Finding{Outcome: schema.Ready}
	head := []byte(`{"version":7,"rows":1,"statuses":["active"]}`)
	r, err := UnpackReady(pack(append(append([]byte{byte(len(head))}, head...), 0, 2, 18, 6, 0)), []Verdict{{Finding: ready}}, 2)
	require.NoError(t, err)
	require.Equal(t, &Ready{Rows: []ReadyRow{{Line: 2, Target: Target{Seen: store.Seen{Account: 9, Version: 3}, Status: schema.Active}}}}, r)
}

// FuzzUnpackReady shows that what claiming takes is found out where it is damaged, and never does harm.
func FuzzUnpackReady(f *testing.F) {
	ready := &schema.Finding{Outcome: schema.Ready}
	verdicts := []Verdict{{Finding: ready}, nothing, {Finding: ready}}
	f.Add((&Ready{Version: 2, Rows: []ReadyRow{
		{Row: 0, Line: 2, Target: Target{Seen: store.Seen{Account: 9, Version: 3}, Status: schema.Active}, Assignments: []claim.Assignment{claim.Assign}},
		{Row: 2, Line: 7, Target: Target{Seen: store.Seen{Account: 4, Version: 1}, Status: schema.Inactive}, Assignments: []claim.Assignment{claim.Automatic}},
	}}).encode())
	f.Add((&Ready{}).encode())
	f.Add([]byte{})
	f.Add([]byte("\x0d{\"rows\":1000}"))
	f.Add([]byte("\x1c{\"rows\":1,\"statuses\":[\"a\"]}\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x01\x01\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		again, err := UnpackReady(pack(data), verdicts, 1)
		if err != nil {
			require.ErrorIs(t, err, errReadyDamaged)
			return
		}
		require.Len(t, again.Rows, 2)
		require.Equal(t, []int{0, 2}, []int{again.Rows[0].Row, again.Rows[1].Row})
	})
}

// FuzzUnpack shows that a damaged chunk is found out, and never does harm.
func FuzzUnpack(f *testing.F) {
	var c Chunk
	c.Add(&dialect.Block{Line: 7, Text: "a,b\n\"c\nd\",e\n"}, []Verdict{nothing, nothing}, &Ready{})
	packed := c.Pack()
	raw, err := unpack(packed.Data)
	require.NoError(f, err)
	f.Add(packed.Data, packed.Verdicts, false)
	f.Add(raw, encodeVerdicts([]Verdict{nothing, nothing}), true)
	f.Add([]byte{}, []byte{}, true)
	f.Add([]byte{}, []byte{}, false)
	f.Add([]byte("\x02\"a"), encodeVerdicts(nil), true)
	f.Add([]byte("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"), []byte{}, true)
	f.Fuzz(func(t *testing.T, data, verdicts []byte, whole bool) {
		if whole { // past the compression
			data, verdicts = pack(data), pack(verdicts)
		}
		damaged := packed
		damaged.Data, damaged.Results = data, verdicts
		rows, err := Unpack(damaged, schema.Format{})
		if err == nil {
			require.Len(t, rows.Verdicts, rows.Records.Len())
		}
	})
}
