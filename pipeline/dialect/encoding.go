package dialect

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/ianaindex"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"github.com/claimline/claimline/schema"
)

// charset is how a file's bytes are read.
type charset struct {
	mixed      bool              // is not UTF-8, but for some of it
	encoding   encoding.Encoding // nil: the bytes are UTF-8, or nearly
	mark       int               // length of the byte order mark
	unit       int               // bytes of the smallest character: 2 in UTF-16, else 1
	bigEndian  bool              // of UTF-16
	repair     schema.Repair     // empty where there is nothing to say
	unclear    bool              // nobody says in which encoding it is, and it is read as Windows-1252 for the time being
	characters int64             // where the first character of several bytes is, if the bytes are UTF-8; -1: there is none
}

// reader decodes what from has, from behind the byte order mark on.
func (c charset) reader(from io.Reader) io.Reader {
	switch c.encoding {
	case nil:
		return from
	case windows1252:
		return transform.NewReader(from, decoder1252{})
	}
	return transform.NewReader(from, c.encoding.NewDecoder())
}

// inspect finds a file's character set. Where neither a byte order mark nor the user tells it may read the
// whole file.
func inspect(f io.ReaderAt, size int64, options Options) (charset, error) {
	var said encoding.Encoding
	if options.Encoding != "" {
		var err error
		if said, err = findEncoding(options.Encoding); err != nil {
			return charset{}, err
		}
	}
	head, err := readHead(f, size)
	if err != nil {
		return charset{}, err
	}
	if k := binaryKind(head); k.name != "" {
		return charset{}, k.refusal()
	}
	switch {
	case bytes.HasPrefix(head, []byte(bom)):
		return charset{mark: len(bom), repair: schema.RepairBOM}, nil
	case bytes.HasPrefix(head, []byte("\xff\xfe")):
		return utf16(false), nil
	case bytes.HasPrefix(head, []byte("\xfe\xff")):
		return utf16(true), nil
	case said == unicode.UTF8:
		return charset{}, nil
	case said != nil:
		name, _ := htmlindex.Name(said)
		if name == "utf-16le" || name == "utf-16be" {
			c := utf16(name == "utf-16be")
			c.mark, c.repair = 0, schema.RepairEncoding
			return c, nil
		}
		return charset{encoding: said, repair: schema.RepairEncoding}, nil
	}
	if k := mainframeKind(head); k.name != "" {
		return charset{}, k.refusal()
	}
	if text := bytes.TrimRight(head, "\x00\x1a\r\n"); looksBinary(text) {
		return charset{}, noText(string(text))
	}
	single, mixed, first, err := singleByte(f, size)
	if err != nil || !single {
		return charset{characters: first}, err
	}
	c, err := readSingleByte(options.SingleByte)
	c.mixed = mixed
	return c, err
}

// readSingleByte returns the character set of text that is neither UTF-8 nor UTF-16.
func readSingleByte(name string) (charset, error) {
	if name == "" {
		return charset{encoding: windows1252, unclear: true}, nil
	}
	said, err := findEncoding(name)
	if err != nil {
		return charset{}, err
	}
	if said == windows1252 {
		return charset{encoding: said, repair: schema.RepairWindows1252}, nil
	}
	return charset{encoding: said, repair: schema.RepairEncoding}, nil
}

// utf16 decodes UTF-16 after its byte order mark. What cannot be decoded, half a surrogate pair, becomes
// U+FFFD.
func utf16(bigEndian bool) charset {
	order := unicode.LittleEndian
	if bigEndian {
		order = unicode.BigEndian
	}
	return charset{encoding: unicode.UTF16(order, unicode.IgnoreBOM), mark: 2, unit: 2, bigEndian: bigEndian, repair: schema.RepairUTF16}
}

// windows1252 is the encoding whose bytes can all be had back: see decoder1252.
var windows1252 encoding.Encoding = charmap.Windows1252

// CheckEncoding refuses, with schema.CodeUsage, a name that no encoding has.
func CheckEncoding(name string) error {
	_, err := findEncoding(name)
	return err
}

// findEncoding finds an encoding by its name. Refused with schema.CodeUsage.
func findEncoding(name string) (encoding.Encoding, error) {
	found, err := htmlindex.Get(name)
	if err != nil || found == encoding.Replacement {
		found, err = ianaindex.IANA.Encoding(strings.TrimSpace(name))
	}
	if err == nil && found != nil && found != encoding.Replacement {
		return found, nil
	}
	refusal := schema.Refuse(schema.CodeUsage, "No encoding is known as %q.", schema.Printable(name)).
		WithFix("Say for example --encoding windows-1252, macintosh or ibm850, or save the file as CSV UTF-8.")
	if near, ok := schema.Nearest([]string{name}, encodingNames); ok {
		refusal = refusal.WithFix("Did you mean --encoding %s? Or save the file as CSV UTF-8.", near)
	}
	return nil, refusal
}

// singleByte reports whether a file is text in an encoding of another kind than UTF-8: most of what is not
// ASCII in it is no UTF-8. mixed tells that some is, by chance or not; first is where the first of that
// stands, -1 where there is none. It reads as far as it takes to be sure.
func singleByte(f io.ReaderAt, size int64) (single, mixed bool, first int64, err error) {
	const high = 0x8080808080808080
	var (
		source = io.NewSectionReader(f, 0, size)
		buf    = make([]byte, 256<<10)
		at     = int64(0) // of buf in the file
		kept   = 0        // bytes at the front of buf that may begin a sequence

		broken = int64(-1) // where the last byte ends that is no UTF-8

		valid, invalid = 0, 0 // sequences of several bytes
	)
	const sure = 64
	first = -1
	for {
		n, err := source.Read(buf[kept:])
		data, last := buf[:kept+n], errors.Is(err, io.EOF)
		if err != nil && !last {
			return false, false, 0, unreadable(err)
		}
		i := 0
		for i < len(data) {
			for len(data)-i >= 8 && binary.LittleEndian.Uint64(data[i:])&high == 0 {
				i += 8
			}
			for i < len(data) && data[i] < utf8.RuneSelf {
				i++
			}
			if !last && !utf8.FullRune(data[i:]) {
				break
			}
			if i < len(data) {
				_, width := utf8.DecodeRune(data[i:])
				if width == 1 {
					if end := at + int64(i); end != broken { // what is broken is counted once
						invalid++
					}
					broken = at + int64(i) + 1
				} else if valid++; first < 0 {
					first = at + int64(i)
				}
				if valid > invalid+sure {
					return false, true, first, nil
				}
				i += width
			}
		}
		if last {
			return invalid > valid, valid > 0, first, nil
		}
		kept = copy(buf, data[i:])
		at += int64(i)
	}
}

// decoder1252 decodes Windows-1252. The five bytes that it leaves open become the control characters of the
// same number, so that every byte can be had back.
type decoder1252 struct{ transform.NopResetter }

func (decoder1252) Transform(to, from []byte, _ bool) (written, read int, err error) {
	for read < len(from) {
		if from[read] < utf8.RuneSelf {
			if written == len(to) {
				return written, read, transform.ErrShortDst
			}
			to[written] = from[read]
			written, read = written+1, read+1
			continue
		}
		r := characters1252[from[read]]
		if written+utf8.RuneLen(r) > len(to) {
			return written, read, transform.ErrShortDst
		}
		written += utf8.EncodeRune(to[written:], r)
		read++
	}
	return written, read, nil
}

var characters1252 = func() (table [256]rune) {
	for i := range table {
		if table[i] = charmap.Windows1252.DecodeByte(byte(i)); table[i] == utf8.RuneError {
			table[i] = rune(i)
		}
	}
	return table
}()

// byte1252 returns the byte that a character was taken from by whoever took bytes for Windows-1252, or for
// Latin-1.
func byte1252(r rune) (b byte, ok bool) {
	if r < 0xa0 {
		return byte(r), true
	}
	return charmap.Windows1252.EncodeRune(r)
}
