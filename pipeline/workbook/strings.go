package workbook

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// shared are the texts that cells share, one behind the other.
type shared struct {
	text string
	ends []uint32 // where each ends
}

// at returns a text by its number.
func (s *shared) at(n int) (text string, ok bool) {
	if n < 0 || n >= len(s.ends) {
		return "", false
	}
	start := uint32(0)
	if n > 0 {
		start = s.ends[n-1]
	}
	return s.text[start:s.ends[n]], true
}

// readStrings reads the texts that cells share.
func (b *Book) readStrings(name string) error {
	var all strings.Builder
	var r runs
	err := b.scan(name, 4*mostStrings, func(s *scanner, kind token) error {
		done := r.see(s, kind)
		if all.Len()+len(r.text) > mostStrings || len(b.strings.ends) == math.MaxInt32 {
			return tooLarge("The cells of the workbook share more than %d MiB of text.", mostStrings>>20)
		}
		if done {
			all.Write(unescapeText(r.text))
			b.strings.ends = append(b.strings.ends, uint32(all.Len()))
		}
		return nil
	})
	b.strings.text = all.String()
	return err
}

// runs puts the text of an element si or is together, which may be written in several fonts; how it is spoken
// is no part of it.
type runs struct {
	text           []byte
	inside, spoken bool
	collects       bool
}

// see takes in a tag or text; done says that the text is complete.
func (r *runs) see(s *scanner, kind token) (done bool) {
	switch kind {
	case startTag:
		switch string(s.name) {
		case "si", "is":
			r.text, r.inside, r.spoken, r.collects = r.text[:0], true, false, false
		case "rPh":
			r.spoken = true
		case "t":
			r.collects = r.inside && !r.spoken
		}
	case endTag:
		switch string(s.name) {
		case "si", "is":
			done, r.inside = r.inside, false
		case "rPh":
			r.spoken = false
		case "t":
			r.collects = false
		}
	case text:
		if r.collects {
			r.text = append(r.text, s.text...)
		}
	case endOfPart:
	}
	return done
}

// escapeLength is the length of an escape such as _x000D_, which stands for a character that XML cannot hold.
const escapeLength = len("_x000D_")

// escaped returns the character that an escape at the beginning of a text stands for.
func escaped(s []byte) (r rune, ok bool) {
	if len(s) < escapeLength || s[0] != '_' || s[1] != 'x' || s[escapeLength-1] != '_' {
		return 0, false
	}
	n, err := strconv.ParseUint(string(s[2:escapeLength-1]), 16, 16)
	return rune(n), err == nil
}

// unescapeText returns text with its escapes resolved, in the same memory. One for a NUL or for half a
// character stays as it is.
func unescapeText(s []byte) []byte {
	kept := 0
	for i := 0; i < len(s); {
		if s[i] == '_' {
			if r, ok := escaped(s[i:]); ok && r != 0 && utf8.ValidRune(r) {
				kept += utf8.EncodeRune(s[kept:kept+utf8.UTFMax], r)
				i += escapeLength
				continue
			}
		}
		s[kept] = s[i]
		kept, i = kept+1, i+1
	}
	return s[:kept]
}
