package usersfile

import (
	"hash/maphash"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// addresses are a map from hash to line, but for the lowest bit of the hash.
func TestAddresses(t *testing.T) {
	hash := rapid.OneOf(
		rapid.Uint64(),
		rapid.Uint64Range(0, 40), // neighbours, and 0
		rapid.Custom(func(t *rapid.T) uint64 { return ^uint64(0) - rapid.Uint64Range(0, 40).Draw(t, "from the end") }),
		rapid.Custom(func(t *rapid.T) uint64 { return rapid.Uint64Range(0, 60).Draw(t, "low")<<1 | 0xab<<56 }), // one part, that grows
	)
	rapid.Check(t, func(t *rapid.T) {
		var f addresses
		first := map[uint64]int{}
		for i, h := range rapid.SliceOfN(hash, 0, 300).Draw(t, "hashes") {
			line, alone := f.add(h, i+2, i%3 == 0)
			require.Equal(t, first[h|1], line)
			require.Equal(t, line != 0 && (line-2)%3 == 0, alone)
			if line == 0 {
				first[h|1] = i + 2
			}
		}
	})
}

// A hundred thousand addresses, each twice.
func TestManyAddresses(t *testing.T) {
	var f addresses
	seed := maphash.MakeSeed()
	hash := func(i int) uint64 { return maphash.String(seed, "user"+strconv.Itoa(i)+"@acme.example") }
	const n = 100_000
	for i := range n {
		line, _ := f.add(hash(i), i+2, false)
		require.Zero(t, line)
	}
	for i := range n {
		line, _ := f.add(hash(i), n+i+2, true)
		require.Equal(t, i+2, line)
	}
}

// An index finds what was added first, and nothing else.
func TestIndex(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var x Index
		numbers := map[uint64]int{}
		hash := rapid.OneOf(rapid.Uint64(), rapid.Uint64Range(0, 40))
		for number, h := range rapid.SliceOfN(hash, 0, 200).Draw(t, "hashes") {
			want, known := numbers[h|1]
			first, found := x.Add(h, number)
			require.Equal(t, known, found)
			if known {
				require.Equal(t, want, first)
			} else {
				numbers[h|1] = number
			}
		}
		for _, h := range rapid.SliceOfN(hash, 0, 50).Draw(t, "asked") {
			want, known := numbers[h|1]
			number, found := x.Find(h)
			require.Equal(t, known, found)
			if known {
				require.Equal(t, want, number)
			}
		}
	})
}
