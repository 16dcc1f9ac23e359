package dialect

import (
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/claimline/claimline/schema"
)

// Undo returns a cell of UTF-8 that was taken for Windows-1252 and encoded again, as it was meant; ok is
// false where it is no such cell: it is ASCII, or does not decode back to letters as names have them.
func Undo(cell string) (meant string, ok bool) {
	var b strings.Builder
	var d doubleDecoder
	for _, r := range cell {
		if r < utf8.RuneSelf {
			if !d.ended() {
				return "", false
			}
			b.WriteRune(r)
			continue
		}
		decoded, done, ok := d.next(r)
		if !ok {
			return "", false
		}
		if done {
			b.WriteRune(decoded)
		}
	}
	if !d.ended() || d.count == 0 {
		return "", false
	}
	return b.String(), true
}

// doubleDecoder takes the characters of a run that are not ASCII, and decodes them back one by one.
type doubleDecoder struct {
	pending [utf8.UTFMax]byte
	n       int // bytes pending
	count   int // characters decoded
}

// next takes one character; done tells that it ends one that was meant. ok is false where it belongs to none.
func (d *doubleDecoder) next(r rune) (meant rune, done, ok bool) {
	b, ok := byte1252(r)
	if !ok || d.n == len(d.pending) {
		return 0, false, false
	}
	d.pending[d.n] = b
	d.n++
	if !utf8.FullRune(d.pending[:d.n]) {
		return 0, false, true
	}
	meant, width := utf8.DecodeRune(d.pending[:d.n])
	if width != d.n || width < 2 || !inNames(meant) {
		return 0, false, false
	}
	d.n = 0
	d.count++
	return meant, true, true
}

// ended reports whether a run may end here.
func (d *doubleDecoder) ended() bool { return d.n == 0 }

// inNames reports whether a character that is not ASCII is one as names, titles and departments have them.
func inNames(r rune) bool {
	if unicode.In(r, unicode.L, unicode.M) {
		return true
	}
	return strings.ContainsRune("\u00a0\u00ab\u00b0\u00b4\u00b7\u00bb\u2010\u2011\u2013\u2014\u2018\u2019\u201a\u201c\u201d\u201e\u2026", r)
}

// isMojibake looks through the text behind the header, up to the first character that does not decode back.
func (r *Reader) isMojibake() (bool, error) {
	c := r.charset
	if c.characters < 0 || c.repair == schema.RepairWindows1252 {
		return false, nil
	}
	from := int64(c.mark)
	if c.encoding == nil {
		from = max(c.characters, from+r.taken)
	}
	text := c.reader(io.NewSectionReader(r.raw.f, from, r.raw.end-from))
	if c.encoding != nil {
		if _, err := io.CopyN(io.Discard, text, r.taken); err != nil {
			return false, unreadable(err)
		}
	}
	return decodesBack(text)
}

// decodesBack reports whether text has characters that are not ASCII, and all of them decode back.
func decodesBack(text io.Reader) (bool, error) {
	const high = 0x8080808080808080
	var (
		d    doubleDecoder
		buf  = make([]byte, 64<<10)
		kept = 0 // bytes at the front of buf that begin a character
	)
	for {
		n, err := text.Read(buf[kept:])
		data, last := buf[:kept+n], errors.Is(err, io.EOF)
		if err != nil && !last {
			return false, unreadable(err)
		}
		i := 0
		for i < len(data) {
			if data[i] < utf8.RuneSelf {
				if !d.ended() {
					return false, nil
				}
				i++
				for len(data)-i >= 8 && binary.LittleEndian.Uint64(data[i:])&high == 0 {
					i += 8
				}
				continue
			}
			if !last && !utf8.FullRune(data[i:]) {
				break
			}
			r, width := utf8.DecodeRune(data[i:])
			if width == 1 {
				return false, nil
			}
			if _, _, ok := d.next(r); !ok {
				return false, nil
			}
			i += width
		}
		if last {
			return d.ended() && d.count > 0, nil
		}
		kept = copy(buf, data[i:])
	}
}
