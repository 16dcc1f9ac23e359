package input

import "math/bits"

// permutation is a random order of the numbers below size that needs no memory:
// a Feistel network over the next even number of bits, walked until it lands below size.
type permutation struct {
	size, seed uint64
	half       int // bits of one half
}

func newPermutation(size, seed uint64) permutation {
	return permutation{size: size, seed: seed, half: (bits.Len64(size-1) + 1) / 2}
}

// at returns the number in place i. Both are below size.
func (p permutation) at(i uint64) uint64 {
	mask := uint64(1)<<p.half - 1
	for {
		left, right := i>>p.half, i&mask
		for round := range uint64(4) {
			left, right = right, left^(mix(right^p.seed<<8^round<<56)&mask)
		}
		if i = left<<p.half | right; i < p.size {
			return i
		}
	}
}

// mix spreads every bit of x over the whole word (the finalizer of MurmurHash3).
func mix(x uint64) uint64 {
	x = (x ^ x>>33) * 0xff51afd7ed558ccd
	x = (x ^ x>>33) * 0xc4ceb9fe1a85ec53
	return x ^ x>>33
}
