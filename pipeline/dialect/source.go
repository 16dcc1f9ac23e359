package dialect

import (
	"errors"
	"hash"
	"io"

	"github.com/claimline/claimline/schema"
)

// rawReader reads the bytes of a file up to where its text ends, and hashes all of them.
type rawReader struct {
	f              io.ReaderAt
	off, end, size int64
	hash           hash.Hash
}

// Read reads text. At its end it reads what is behind it too, for the hash only.
func (r *rawReader) Read(p []byte) (int, error) {
	for r.off < r.size {
		upTo := r.end
		if r.off >= r.end {
			upTo = r.size
		}
		n, err := r.f.ReadAt(p[:min(int64(len(p)), upTo-r.off)], r.off)
		r.off += int64(n)
		r.hash.Write(p[:n])
		switch {
		case n > 0 && upTo == r.end:
			return n, nil
		case n > 0:
		case errors.Is(err, io.EOF):
			return 0, shorter()
		default:
			return 0, unreadable(err)
		}
	}
	return 0, io.EOF
}

func shorter() *schema.Error {
	return schema.Refuse(schema.CodeFileChanged, "The file became shorter while it was read.")
}

func unreadable(err error) *schema.Error {
	return (&schema.Error{Code: schema.CodeFileUnreadable}).Because(err)
}

// headSize is how much of a file is looked at for what kind of file it is.
const headSize = 64 << 10

func readHead(f io.ReaderAt, size int64) ([]byte, error) {
	head := make([]byte, min(size, headSize))
	n, err := f.ReadAt(head, 0)
	if n == len(head) || errors.Is(err, io.EOF) {
		return head[:n], nil
	}
	return nil, unreadable(err)
}

// endOfText finds where the text of a file ends: before the end marks (0x1A and NULs, line ends between them)
// behind its last row, and before half a character of UTF-16. marked reports whether anything is cut off.
func endOfText(f io.ReaderAt, size int64, c charset) (end int64, marked bool, err error) {
	unit := int64(max(1, c.unit))
	start := int64(c.mark)
	last := size - (size-start)%unit
	end, marked = last, last < size
	tail := make([]byte, min(headSize, max(unit, last-start)))
	for at := last; at > start; {
		part := tail[:min(int64(len(tail)), at-start)]
		n, err := f.ReadAt(part, at-int64(len(part)))
		if n < len(part) {
			if errors.Is(err, io.EOF) {
				return 0, false, shorter()
			}
			return 0, false, unreadable(err)
		}
		for i := len(part) - int(unit); i >= 0; i -= int(unit) {
			switch c.character(part[i:]) {
			case 0, 0x1a:
				end, marked = at-int64(len(part)-i), true
			case '\r', '\n':
			default:
				return end, marked, nil
			}
		}
		at -= int64(len(part))
	}
	return end, marked, nil
}

// character returns the character at the beginning of text, where it is one of one byte or one unit of
// UTF-16.
func (c charset) character(text []byte) int {
	switch {
	case c.unit != 2:
		return int(text[0])
	case c.bigEndian:
		return int(text[0])<<8 | int(text[1])
	default:
		return int(text[1])<<8 | int(text[0])
	}
}
