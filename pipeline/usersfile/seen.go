package usersfile

// Seen knows which addresses have come by in a file, and whether some row claims one that another leaves
// alone. Which of the two comes first does not matter, so disputes are only known for certain once the whole
// file has been read. The zero value is ready.
type Seen struct {
	addresses addresses
	disputes  map[uint64]int // the line of the row that leaves the address alone, by the hash of the address
	claimed   map[uint64]int // first line on which an address is claimed that an earlier row leaves alone
	late      bool
}

// Again returns what is to be used for another reading of the same file, under the same seed: the disputes
// are known then from the start.
func (s *Seen) Again() *Seen { return &Seen{disputes: s.disputes} }

// Late reports whether a dispute was found after the row that it concerns had gone by: then the file is to be
// read again.
func (s *Seen) Late() bool { return s.late }

// Claims notes that the row on this line claims an address, by the hash of its key. It returns the line on
// which the address was claimed before, and that of a row that leaves it alone; 0: there is none.
func (s *Seen) Claims(hash uint64, line int) (duplicate, contradicted int) {
	first, alone := s.addresses.add(hash, line, false)
	if first != 0 && alone {
		s.dispute(hash, first)
		if first = s.claimed[hash]; first == 0 {
			if s.claimed == nil {
				s.claimed = map[uint64]int{}
			}
			s.claimed[hash] = line
		}
	}
	return first, s.disputes[hash]
}

// LeavesAlone notes that the row on this line leaves an address alone.
func (s *Seen) LeavesAlone(hash uint64, line int) {
	first, alone := s.addresses.add(hash, line, true)
	if first != 0 && !alone && s.dispute(hash, line) {
		s.late = true
	}
}

// dispute notes that the row on this line leaves an address alone that another claims; isNew reports whether
// that was not known.
func (s *Seen) dispute(hash uint64, line int) (isNew bool) {
	if s.disputes[hash] != 0 {
		return false
	}
	if s.disputes == nil {
		s.disputes = map[uint64]int{}
	}
	s.disputes[hash] = line
	return true
}

// Index finds the numbers of rows by the hash of their address key. It takes as much memory as Seen. The zero
// value is ready.
type Index struct{ addresses addresses }

// Add gives a hash a number, unless it has one: then it returns that.
func (x *Index) Add(hash uint64, number int) (first int, known bool) {
	first, _ = x.addresses.add(hash, number+1, false)
	return first - 1, first != 0
}

// Find returns the number of a hash; ok is false where it has none.
func (x *Index) Find(hash uint64) (number int, ok bool) {
	part := &x.addresses.parts[hash>>56]
	if part.used == 0 {
		return 0, false
	}
	hash |= 1
	i := part.find(hash)
	return int(part.lines[i]) - 1, part.hashes[i] == hash
}

// addresses remembers the line on which each address key was first seen, and whether that row left the user
// alone, by a 64-bit hash of the key under a seed of its own for every file: that two of 3,000,000 addresses
// share one happens in one file of two million. An address takes 14 to 16 bytes.
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
