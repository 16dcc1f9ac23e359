package pipeline

import (
	"encoding/binary"
	"math"
	"slices"
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
var nothing = verdict{Finding: &schema.Finding{}}

func drawVerdicts() *rapid.Generator[[]verdict] {
	text := rapid.OneOf(rapid.SampledFrom([]string{"", "Phone Number", `"x"`, "\x00", "Å", "license_unavailable:A"}), rapid.String())
	texts := rapid.SliceOfN(text, 0, 2)
	one := rapid.Custom(func(t *rapid.T) verdict {
		v := verdict{Finding: &schema.Finding{
			Outcome: rapid.SampledFrom(append(schema.Outcomes, "")).Draw(t, "outcome"),
			Type:    rapid.SampledFrom([]schema.ClaimType{"", schema.Immediate, schema.Delayed}).Draw(t, "type"),
			Column:  text.Draw(t, "column"),
			Hint:    rapid.SampledFrom([]schema.Hint{"", schema.HintPhoneNational, schema.HintCutOff}).Draw(t, "hint"),
		}}
		v.Reasons = append(v.Reasons, rapid.SliceOfN(rapid.SampledFrom([]schema.Code{schema.CodeSourceSSO, schema.CodeFieldCount}), 0, 2).Draw(t, "reasons")...)
		for _, list := range []*[]string{&v.Details, &v.Warnings, &v.Licenses} {
			*list = append(*list, texts.Draw(t, "texts")...) // nil where there are none, as they are kept
		}
		v.claimID = rapid.OneOf(rapid.Just(int64(0)), rapid.Int64Range(1, 50), rapid.Int64Range(1, math.MaxInt64)).Draw(t, "claim id")
		if rapid.Bool().Draw(t, "edited") {
			v.edits = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) usersfile.Edit {
				return usersfile.Edit{Field: rapid.SampledFrom(editable).Draw(t, "field"), Old: text.Draw(t, "old"), New: text.Draw(t, "new")}
			}), 1, len(editable)).Draw(t, "edits")
		}
		return v
	})
	return rapid.Custom(func(t *rapid.T) []verdict {
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
	good := encodeVerdicts([]verdict{
		{Finding: &schema.Finding{Outcome: schema.Claimed, Type: schema.Delayed, Licenses: []string{"A"}}, claimID: 7},
		{Finding: &schema.Finding{Outcome: schema.Invalid, Reasons: []schema.Code{schema.CodePhoneInvalid}, Column: "Phone", Hint: schema.HintPhoneNational, Details: []string{`"07"`}}},
		{Finding: noRow},
		{
			Finding: &schema.Finding{Outcome: schema.Claimed, Type: schema.Delayed, Licenses: []string{"A"}}, claimID: 3,
			edits: []usersfile.Edit{{Field: usersfile.LastName, Old: "Öberg", New: "Berg"}, {Field: usersfile.Phone, New: "+46701234567"}},
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
			require.Equal(t, verdicts[i].result(1, ""), again[i].result(1, ""))
		}
	})
}

// A chunk that was kept is what was planned, part by part: text, lines, verdicts, and what was prepared.
func TestKeptChunkRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		format := dialect.Format{Delimiter: rapid.SampledFrom([]byte(",;\t|")).Draw(t, "delimiter"), CRLF: rapid.Bool().Draw(t, "CRLF")}
		cells := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "", "Å\n", `"`, ",;\t|", "\xe5", "=1"}), 1, 4)
		services := rapid.IntRange(0, 3).Draw(t, "services")
		line := rapid.IntRange(1, 1<<31).Draw(t, "line")
		k := keeper{owner: store.Owner{Epoch: rapid.Int64Range(1, 9).Draw(t, "epoch")}, maxRows: math.MaxInt, maxBytes: math.MaxInt}
		whole := chunk{text: dialect.Chunk{Line: line}}
		want := prepared{epoch: k.owner.Epoch}
		for range rapid.IntRange(1, 3).Draw(t, "parts") {
			c := &chunk{text: dialect.Chunk{Line: line}, verdicts: drawVerdicts().Draw(t, "verdicts")}
			c.text.Text = write(t, format, len(c.verdicts), func(int) []string { return append([]string{"x"}, cells.Draw(t, "cells")...) })
			c.text.Text += strings.Repeat("\n", rapid.IntRange(0, 2).Draw(t, "blank rows"))
			require.NoError(t, c.text.Parse(format, &c.records))
			drawRows(t, c, services)
			require.NoError(t, k.chunk(t.Context(), c))

			if len(whole.verdicts) == 0 { // blank rows at the beginning are not kept
				whole.text = dialect.Chunk{Line: line}
			}
			line += strings.Count(c.text.Text, "\n")
			whole.text.Text += c.text.Text
			ready := slices.ContainsFunc(c.verdicts, func(v verdict) bool { return v.Outcome == schema.Ready })
			if ready && (len(want.rows) == 0 || c.version < want.version) {
				want.version = c.version
			}
			if ready && (want.until.IsZero() || !c.until.IsZero() && c.until.Before(want.until)) {
				want.until = c.until
			}
			for i, v := range c.verdicts {
				if v.Outcome == schema.Ready {
					want.rows = append(want.rows, readyRow{row: len(whole.verdicts) + i, line: c.records.Line(i), wishes: c.rows[i].Assignments, target: c.rows[i].target})
				}
			}
			whole.verdicts = append(whole.verdicts, c.verdicts...)
		}

		kept := k.pack()
		require.Equal(t, tally(whole.verdicts), kept.Planned)
		require.Equal(t, len(want.rows) == 0, kept.Done)
		got, err := unpackChunk(kept, format, kept.Verdicts)
		require.NoError(t, err)
		require.Equal(t, whole.text, got.text)
		require.Len(t, got.verdicts, len(whole.verdicts))
		for i := range whole.verdicts {
			require.Equal(t, whole.verdicts[i], got.verdicts[i])
		}
		if !kept.Done {
			again, err := unpackPrepared(kept.Prepared, whole.verdicts)
			require.NoError(t, err)
			require.Equal(t, &want, again)
		}

		// Verdicts of another chunk are found out.
		_, err = unpackChunk(kept, format, pack(encodeVerdicts(append(whole.verdicts, nothing))))
		require.ErrorIs(t, err, errVerdictsDamaged)
	})
}

// drawRows gives the rows of a chunk what planning finds out about them.
func drawRows(t *rapid.T, c *chunk, services int) {
	c.rows = make([]row, len(c.verdicts))
	c.version = rapid.Int64Range(0, 1<<40).Draw(t, "version")
	if rapid.Bool().Draw(t, "due") {
		c.until = time.Unix(rapid.Int64Range(1, 1<<40).Draw(t, "until"), 0).UTC()
	}
	for i := range c.rows {
		r := &c.rows[i]
		if services > 0 {
			r.Assignments = rapid.SliceOfN(rapid.SampledFrom([]claim.Wish{claim.Automatic, claim.Assign, claim.Withhold}), services, services).Draw(t, "wishes")
		}
		r.Account = rapid.Int64Range(1, 1<<40).Draw(t, "account")
		r.Version = rapid.Int64Range(0, 1<<20).Draw(t, "version of the account")
		r.status = rapid.SampledFrom(schema.Statuses).Draw(t, "status")
	}
}

// FuzzUnpackPrepared shows that what was prepared is found out where it is damaged, and never does harm.
func FuzzUnpackPrepared(f *testing.F) {
	verdicts := []verdict{{Finding: readyFindings[schema.Delayed]}, nothing, {Finding: readyFindings[schema.Immediate]}}
	p := prepared{epoch: 1, version: 2, rows: []readyRow{
		{row: 0, line: 2, target: target{Seen: store.Seen{Account: 9, Version: 3}, status: schema.Active}, wishes: []claim.Wish{claim.Assign}},
		{row: 2, line: 7, target: target{Seen: store.Seen{Account: 4, Version: 1}, status: schema.Inactive}, wishes: []claim.Wish{claim.Automatic}},
	}}
	f.Add(p.encode())
	f.Add((&prepared{}).encode())
	f.Add([]byte{})
	f.Add([]byte("\x0d{\"rows\":1000}"))
	f.Add([]byte("\x1c{\"rows\":1,\"statuses\":[\"a\"]}\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x01\x01\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		again, err := unpackPrepared(pack(data), verdicts)
		if err != nil {
			require.ErrorIs(t, err, errPreparedDamaged)
			return
		}
		require.Len(t, again.rows, 2)
		require.Equal(t, []int{0, 2}, []int{again.rows[0].row, again.rows[1].row})
	})
}

// FuzzUnpackChunk shows that a damaged chunk is found out, and never does harm.
func FuzzUnpackChunk(f *testing.F) {
	k := keeper{maxRows: math.MaxInt, maxBytes: math.MaxInt}
	require.NoError(f, k.chunk(f.Context(), &chunk{text: dialect.Chunk{Line: 7, Text: "a,b\n\"c\nd\",e\n"}, verdicts: []verdict{nothing, nothing}}))
	kept := k.pack()
	raw, err := unpack(kept.Data)
	require.NoError(f, err)
	f.Add(kept.Data, kept.Verdicts, false)
	f.Add(raw, encodeVerdicts([]verdict{nothing, nothing}), true)
	f.Add([]byte{}, []byte{}, true)
	f.Add([]byte{}, []byte{}, false)
	f.Add([]byte("\x02\"a"), encodeVerdicts(nil), true)
	f.Add([]byte("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"), []byte{}, true)
	f.Fuzz(func(t *testing.T, data, verdicts []byte, whole bool) {
		if whole { // past the compression
			data, verdicts = pack(data), pack(verdicts)
		}
		damaged := kept
		damaged.Data = data
		c, err := unpackChunk(damaged, dialect.Format{}, verdicts)
		if err == nil {
			require.Len(t, c.verdicts, c.records.Len())
		}
	})
}
