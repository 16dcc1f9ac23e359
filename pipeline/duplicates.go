package pipeline

// firstLines remembers the line on which each address key was first seen, by a 64-bit hash of the key under a seed of
// its own for every run: that two of 3,000,000 addresses share one happens in one run of two million. An address takes 14
// to 16 bytes.
type firstLines struct {
	parts [256]firstLinesPart // by the top bits of the hash, so that growing copies little at a time
}

type firstLinesPart struct {
	hashes []uint64 // 0: free
	lines  []uint32
	used   int
}

// add notes that an address with this hash stands on this line, and returns the line on which it stood first; 0 if it
// had not been seen.
func (f *firstLines) add(hash uint64, line int) int {
	part := &f.parts[hash>>56]
	if part.used*8 >= len(part.hashes)*7 {
		part.grow()
	}
	hash |= 1
	i := part.find(hash)
	if part.hashes[i] == hash {
		return int(part.lines[i])
	}
	part.hashes[i], part.lines[i] = hash, uint32(line)
	part.used++
	return 0
}

// find returns where the hash stands, or the free place where it belongs.
func (p *firstLinesPart) find(hash uint64) int {
	i := int((hash << 8 >> 32) * uint64(len(p.hashes)) >> 32)
	for p.hashes[i] != 0 && p.hashes[i] != hash {
		if i++; i == len(p.hashes) {
			i = 0
		}
	}
	return i
}

func (p *firstLinesPart) grow() {
	old := *p
	size := max(16, len(old.hashes)*9/8)
	p.hashes, p.lines = make([]uint64, size), make([]uint32, size)
	for i, hash := range old.hashes {
		if hash != 0 {
			j := p.find(hash)
			p.hashes[j], p.lines[j] = hash, old.lines[i]
		}
	}
}
