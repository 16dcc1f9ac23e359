package pipeline

import (
	"encoding/binary"
	"math"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/schema"
)

// nothing is a verdict that says nothing.
var nothing = verdict{finding: &finding{}}

func drawVerdicts() *rapid.Generator[[]verdict] {
	text := rapid.OneOf(rapid.SampledFrom([]string{"", "Phone Number", `"x"`, "\x00", "Å", "license_unavailable:A"}), rapid.String())
	one := rapid.Custom(func(t *rapid.T) verdict {
		v := verdict{finding: &finding{
			Outcome: rapid.SampledFrom(schema.Outcomes).Draw(t, "outcome"),
			Type:    rapid.SampledFrom([]schema.ClaimType{"", schema.Immediate, schema.Delayed}).Draw(t, "type"),
			Column:  text.Draw(t, "column"), Detail: text.Draw(t, "detail"),
		}}
		for range rapid.IntRange(0, 2).Draw(t, "reasons") {
			v.Reasons = append(v.Reasons, rapid.SampledFrom([]schema.Code{schema.CodeSourceSSO, schema.CodeFieldCount}).Draw(t, "reason"))
		}
		for range rapid.IntRange(0, 2).Draw(t, "warnings") {
			v.Warnings = append(v.Warnings, text.Draw(t, "warning"))
		}
		for range rapid.IntRange(0, 2).Draw(t, "licenses") {
			v.Licenses = append(v.Licenses, text.Draw(t, "license"))
		}
		v.claimID = rapid.OneOf(rapid.Just(int64(0)), rapid.Int64Range(1, 50), rapid.Int64Range(1, math.MaxInt64)).Draw(t, "claim id")
		return v
	})
	return rapid.Custom(func(t *rapid.T) []verdict {
		kinds := rapid.SliceOfN(one, 1, 5).Draw(t, "kinds")
		return rapid.SliceOfN(rapid.SampledFrom(kinds), 0, 40).Draw(t, "verdicts")
	})
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
		{finding: &finding{Outcome: schema.Claimed, Type: schema.Delayed, Licenses: []string{"A"}}, claimID: 7},
		{finding: &finding{Outcome: schema.Invalid, Reasons: []schema.Code{schema.CodePhoneInvalid}, Column: "Phone", Detail: `"x"`}},
		{finding: &finding{Outcome: schema.Claimed, Type: schema.Delayed, Licenses: []string{"A"}}, claimID: 3},
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

// A chunk that was kept is the chunk that was planned: text, lines, verdicts.
func TestKeptChunkRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		verdicts := drawVerdicts().Draw(t, "verdicts")
		format := dialect.Format{Delimiter: rapid.SampledFrom([]byte(",;\t|")).Draw(t, "delimiter"), CRLF: rapid.Bool().Draw(t, "CRLF")}
		cells := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "", "Å\n", `"`, ",;\t|", "\xe5", "=1"}), 1, 4)
		c := &chunk{text: dialect.Chunk{Number: rapid.IntRange(0, 9).Draw(t, "number"), Line: rapid.IntRange(1, 1<<31).Draw(t, "line")}, verdicts: verdicts}
		c.text.Text = write(t, format, len(verdicts), func(int) []string { return append([]string{"x"}, cells.Draw(t, "cells")...) })

		kept := packChunk(c)
		require.Equal(t, c.text.Number, kept.Number)
		require.Equal(t, tally(verdicts), kept.Planned)
		require.Equal(t, kept.Planned.Outcomes[schema.Ready] == 0, kept.Done)
		got, err := unpackChunk(kept, format, kept.Verdicts)
		require.NoError(t, err)
		require.Equal(t, c.text.Number, got.text.Number)
		require.Equal(t, c.text.Line, got.text.Line)
		require.Equal(t, c.text.Text, got.text.Text)
		require.Len(t, got.verdicts, len(verdicts))
		for i := range verdicts {
			require.Equal(t, verdicts[i], got.verdicts[i])
		}

		// Verdicts of another chunk are found out.
		_, err = unpackChunk(kept, format, pack(encodeVerdicts(append(verdicts, nothing))))
		require.ErrorIs(t, err, errVerdictsDamaged)
	})
}

// FuzzUnpackChunk shows that a damaged chunk is found out, and never does harm.
func FuzzUnpackChunk(f *testing.F) {
	kept := packChunk(&chunk{text: dialect.Chunk{Number: 1, Line: 7, Text: "a,b\n\"c\nd\",e\n"}, verdicts: []verdict{nothing, nothing}})
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

// What a message quotes of a file is short, on one line, and text.
func TestQuote(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cell := string(rapid.SliceOfN(rapid.Byte(), 0, 200).Draw(t, "cell"))
		quoted := quote(cell)
		require.True(t, utf8.ValidString(quoted))
		require.True(t, schema.ValidText(quoted) || quoted == schema.Printable(quoted))
		require.LessOrEqual(t, utf8.RuneCountInString(quoted), 41*10+2)
	})
}
