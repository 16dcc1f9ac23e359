package pipeline

// addresses remembers the line on which each address key was first seen, and whether that row left the user
// alone, by a 64-bit hash of the key under a seed of its own for every plan: that two of 3,000,000 addresses
// share one happens in one plan of two million. An address takes 14 to 16 bytes.
type addresses struct {
	parts [256]addressesPart // by the top bits of the hash, so that growing copies little at a time
}

type addressesPart struct {
	hashes []uint64 // 0: free
	lines  []uint32 // with leftAlone where it is set
	used   int
}

// leftAlone marks the line of a row that leaves its user alone.
const leftAlone = 1 << 31

// add notes that an address with this hash stands on this line, and returns the line on which it stood first
// and whether it was left alone there; line 0 if it had not been seen.
func (a *addresses) add(hash uint64, line int, alone bool) (first int, firstAlone bool) {
	part := &a.parts[hash>>56]
	if part.used*8 >= len(part.hashes)*7 {
		part.grow()
	}
	hash |= 1
	i := part.find(hash)
	if part.hashes[i] == hash {
		return int(part.lines[i] &^ leftAlone), part.lines[i]&leftAlone != 0
	}
	part.hashes[i], part.lines[i] = hash, uint32(line)&^leftAlone
	if alone {
		part.lines[i] |= leftAlone
	}
	part.used++
	return 0, false
}

// find returns where the hash stands, or the free place where it belongs.
func (p *addressesPart) find(hash uint64) int {
	i := int((hash << 8 >> 32) * uint64(len(p.hashes)) >> 32)
	for p.hashes[i] != 0 && p.hashes[i] != hash {
		if i++; i == len(p.hashes) {
			i = 0
		}
	}
	return i
}

func (p *addressesPart) grow() {
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

// disputes are the addresses that some row claims and another leaves alone: the line of that other row, by
// the hash of the address. Which row comes first does not matter, so they are only known once the whole file
// has been read.
type disputes map[uint64]int
