package workbook

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/claimline/claimline/schema"
)

// scanner splits XML into tags and text, as encoding/xml does, several times as fast: nearly all the time
// that a workbook takes is spent here. It takes no DTD, and UTF-8 only.
type scanner struct {
	from     io.Reader
	buf      []byte
	pos, end int // of what is read and not yet handed out, in buf
	read     error

	open   []byte // names of the elements that are open, one behind the other
	starts []int  // where each begins in that
	closes bool   // the element just begun has no content
	rooted bool   // there was an element

	name, attributes, text []byte // of the token, until the next one
	plain                  []byte // memory for text
}

// token is what a scanner has come by.
type token uint8

const (
	endOfPart token = iota
	startTag        // scanner.name, without its prefix, and scanner.attributes
	endTag          // scanner.name
	text            // scanner.text
)

// A scanner reads so many bytes at a time, and a tag or a run of text has so many at most.
const (
	scanSize  = 64 << 10
	mostToken = 1 << 20
)

// malformedError is what is wrong with XML.
type malformedError string

func (e malformedError) Error() string { return string(e) }

const errTruncated = malformedError("it ends in the middle")

func newScanner(from io.Reader) *scanner {
	return &scanner{from: from, buf: make([]byte, scanSize)}
}

// next goes on to the next token. Its error is an malformedError, or that of the reader.
func (s *scanner) next() (token, error) {
	if s.closes {
		s.closes = false
		s.pop()
		return endTag, nil
	}
	for {
		if s.pos == s.end {
			if err := s.fill(); errors.Is(err, io.EOF) {
				if len(s.starts) > 0 || !s.rooted {
					return endOfPart, errTruncated
				}
				return endOfPart, nil
			} else if err != nil {
				return endOfPart, err
			}
		}
		if s.buf[s.pos] != '<' {
			if found, err := s.characters(); found || err != nil {
				return text, err
			}
			continue
		}
		if kind, found, err := s.markup(); found || err != nil {
			return kind, err
		}
	}
}

// characters takes the text up to the next tag; found is false where it is white space outside of the root.
func (s *scanner) characters() (found bool, err error) {
	n, err := s.find("<", 0)
	if errors.Is(err, io.EOF) {
		n, err = s.end-s.pos, nil
	}
	if err != nil {
		return false, err
	}
	raw := s.buf[s.pos : s.pos+n]
	s.pos += n
	if len(s.starts) > 0 {
		s.text, err = s.unescape(raw)
		return true, err
	}
	if !s.rooted {
		raw = bytes.TrimPrefix(raw, []byte("\ufeff"))
	}
	if len(bytes.TrimLeft(raw, " \t\r\n")) > 0 {
		return false, malformedError("there is text outside of its root")
	}
	return false, nil
}

// markup takes what begins with <; found is false where it says nothing.
func (s *scanner) markup() (kind token, found bool, err error) {
	for s.end-s.pos < len("<![CDATA[") && s.read == nil {
		if err := s.fill(); err != nil && !errors.Is(err, io.EOF) {
			return 0, false, err
		}
	}
	switch begin := s.buf[s.pos:s.end]; {
	case bytes.HasPrefix(begin, []byte("<?")):
		content, err := s.upTo("<?", "?>")
		if err == nil && bytes.HasPrefix(content, []byte("xml")) && !utf8Declared(content) {
			err = malformedError("it is not UTF-8")
		}
		return 0, false, err
	case bytes.HasPrefix(begin, []byte("<!--")):
		_, err := s.upTo("<!--", "-->")
		return 0, false, err
	case bytes.HasPrefix(begin, []byte("<![CDATA[")) && len(s.starts) > 0:
		content, err := s.upTo("<![CDATA[", "]]>")
		if err != nil {
			return 0, false, err
		}
		s.text, err = s.plainText(content, false)
		return text, true, err
	case bytes.HasPrefix(begin, []byte("<!")):
		return 0, false, malformedError("it declares a document type")
	case bytes.HasPrefix(begin, []byte("</")):
		content, err := s.upTo("</", ">")
		if err != nil {
			return 0, false, err
		}
		name := bytes.TrimRight(content, " \t\r\n")
		if len(s.starts) == 0 || !bytes.Equal(name, s.open[s.starts[len(s.starts)-1]:]) {
			return 0, false, malformedError("a tag is closed that is not open")
		}
		s.pop()
		return endTag, true, nil
	}
	return startTag, true, s.start()
}

// start takes the tag that begins an element.
func (s *scanner) start() error {
	n, err := s.tagEnd()
	if errors.Is(err, io.EOF) {
		return errTruncated
	} else if err != nil {
		return err
	}
	tag := s.buf[s.pos+1 : s.pos+n]
	s.pos += n + 1
	tag, s.closes = bytes.CutSuffix(tag, []byte("/"))
	end := bytes.IndexAny(tag, " \t\r\n")
	if end < 0 {
		end = len(tag)
	}
	if end == 0 || len(s.starts) == 0 && s.rooted || len(s.starts) == mostDeep {
		return malformedError("there is a tag that is none")
	}
	s.rooted = true
	s.starts = append(s.starts, len(s.open))
	s.open = append(s.open, tag[:end]...)
	s.name, s.attributes = localName(tag[:end]), tag[end:]
	return nil
}

// mostDeep is how many elements may be open at a time.
const mostDeep = 256

// pop closes the innermost element.
func (s *scanner) pop() {
	last := s.starts[len(s.starts)-1]
	s.name = localName(s.open[last:])
	s.open, s.starts = s.open[:last], s.starts[:len(s.starts)-1]
}

func localName(name []byte) []byte { return name[bytes.IndexByte(name, ':')+1:] }

// tagEnd returns how far the > is that ends the tag: none that stands in quotes.
func (s *scanner) tagEnd() (int, error) {
	end := 0
	for at := 1; ; {
		if end < at { // not looked for, or it stood in quotes
			var err error
			if end, err = s.find(">", at); err != nil {
				return 0, err
			}
		}
		quote := bytes.IndexAny(s.buf[s.pos+at:s.pos+end], `"'`)
		if quote < 0 {
			return end, nil
		}
		at += quote
		closing, err := s.find(string(s.buf[s.pos+at]), at+1)
		if err != nil {
			return 0, err
		}
		at = closing + 1
	}
}

// upTo takes what stands between begin, which is there, and end.
func (s *scanner) upTo(begin, end string) ([]byte, error) {
	n, err := s.find(end, len(begin))
	if errors.Is(err, io.EOF) {
		return nil, errTruncated
	} else if err != nil {
		return nil, err
	}
	content := s.buf[s.pos+len(begin) : s.pos+n]
	s.pos += n + len(end)
	return content, nil
}

// find returns how far what is looked for is from pos, at least from bytes; io.EOF: it is not there.
func (s *scanner) find(what string, from int) (int, error) {
	for {
		if from < s.end-s.pos {
			data := s.buf[s.pos+from : s.end]
			var at int
			if len(what) == 1 {
				at = bytes.IndexByte(data, what[0])
			} else {
				at = bytes.Index(data, []byte(what))
			}
			if at >= 0 {
				return from + at, nil
			}
			from = max(from, s.end-s.pos-len(what)+1)
		}
		if err := s.fill(); err != nil {
			return 0, err
		}
	}
}

// fill reads more; io.EOF: there is no more.
func (s *scanner) fill() error {
	if s.read != nil {
		return s.read
	}
	if s.pos > 0 {
		s.end = copy(s.buf, s.buf[s.pos:s.end])
		s.pos = 0
	}
	if s.end == len(s.buf) {
		if s.end >= mostToken {
			return schema.Refuse(schema.CodeLimitExceeded, "A cell of the workbook is longer than %d bytes.", mostToken)
		}
		s.buf = append(s.buf, make([]byte, len(s.buf))...)
	}
	n, err := s.from.Read(s.buf[s.end:])
	s.end += n
	s.read = err
	if n > 0 {
		return nil
	}
	return err
}

// attribute returns the value of an attribute of the tag that the scanner has just come by, "" where it has
// none. The name is with its prefix, or, where it begins with a colon, with any.
func (s *scanner) attribute(name string) (string, error) {
	rest := s.attributes
	for {
		rest = bytes.TrimLeft(rest, " \t\r\n")
		if len(rest) == 0 {
			return "", nil
		}
		at := bytes.IndexByte(rest, '=')
		if at <= 0 {
			return "", malformedError("an attribute has no value")
		}
		found := bytes.TrimRight(rest[:at], " \t\r\n")
		rest = bytes.TrimLeft(rest[at+1:], " \t\r\n")
		if len(rest) == 0 || rest[0] != '"' && rest[0] != '\'' {
			return "", malformedError("an attribute has no value")
		}
		closing := bytes.IndexByte(rest[1:], rest[0])
		if closing < 0 {
			return "", malformedError("an attribute has no value")
		}
		value := rest[1 : 1+closing]
		rest = rest[closing+2:]
		if string(found) == name || name[0] == ':' && bytes.HasSuffix(found, []byte(name)) {
			value, err := s.unescape(value)
			return string(value), err
		}
	}
}

// flag returns the value of a boolean attribute.
func (s *scanner) flag(name string) (bool, error) {
	value, err := s.attribute(name)
	return value == "1" || value == "true" || value == "on", err
}

// number returns the value of an attribute that is a number, or what it is where there is none.
func (s *scanner) number(name string, none int) (int, error) {
	value, err := s.attribute(name)
	if err != nil || value == "" {
		return none, err
	}
	n, err := strconv.Atoi(value)
	if err != nil || n < 0 {
		return 0, malformedError("an attribute is no number")
	}
	return n, nil
}

// utf8Declared reports whether an XML declaration names no other encoding than UTF-8.
func utf8Declared(declaration []byte) bool {
	_, encoding, found := bytes.Cut(declaration, []byte("encoding"))
	if !found {
		return true
	}
	encoding = bytes.ToLower(bytes.Trim(encoding, " \t\r\n="))
	return slices.ContainsFunc([]string{"utf-8", "utf8", "us-ascii"}, func(name string) bool {
		return bytes.HasPrefix(encoding[min(1, len(encoding)):], []byte(name))
	})
}

// unescape returns text with its character references resolved, and line ends as XML has them.
func (s *scanner) unescape(raw []byte) ([]byte, error) {
	for _, c := range raw {
		if special[c] {
			return s.plainText(raw, true)
		}
	}
	return raw, nil
}

// special are the bytes for which text is looked at more closely: it may not be as it stands there.
var special = func() (set [256]bool) {
	for c := range set {
		set[c] = c < ' ' && c != '\t' && c != '\n' || c == '&' || c >= utf8.RuneSelf
	}
	return set
}()

// plainText returns text as it is meant; references says that there may be character references in it.
func (s *scanner) plainText(raw []byte, references bool) ([]byte, error) {
	s.plain = s.plain[:0]
	for i := 0; i < len(raw); {
		switch c := raw[i]; {
		case c == '\r':
			if i++; i == len(raw) || raw[i] != '\n' {
				s.plain = append(s.plain, '\n')
			}
		case c == '&' && references:
			end := bytes.IndexByte(raw[i:], ';')
			if end < 0 {
				return nil, malformedError("a character reference is not closed")
			}
			r, ok := reference(string(raw[i+1 : i+end]))
			if !ok {
				return nil, malformedError("there is a reference to what is no character")
			}
			s.plain = utf8.AppendRune(s.plain, r)
			i += end + 1
		case c < utf8.RuneSelf:
			if !inXML(rune(c)) {
				return nil, malformedError("there is a control character in it")
			}
			s.plain = append(s.plain, c)
			i++
		default:
			r, size := utf8.DecodeRune(raw[i:])
			if size == 1 || !inXML(r) {
				return nil, malformedError("there are bytes in it that are not UTF-8")
			}
			s.plain = append(s.plain, raw[i:i+size]...)
			i += size
		}
	}
	return s.plain, nil
}

// reference returns the character that a reference stands for.
func reference(name string) (rune, bool) {
	switch name {
	case "lt":
		return '<', true
	case "gt":
		return '>', true
	case "amp":
		return '&', true
	case "quot":
		return '"', true
	case "apos":
		return '\'', true
	}
	if len(name) < 2 || name[0] != '#' {
		return 0, false
	}
	digits, base := name[1:], 10
	if digits[0] == 'x' {
		digits, base = digits[1:], 16
	}
	n, err := strconv.ParseUint(digits, base, 21)
	return rune(n), err == nil && utf8.ValidRune(rune(n)) && inXML(rune(n))
}

// inXML reports whether a character may stand in XML.
func inXML(r rune) bool {
	return r >= ' ' && r != 0xfffe && r != 0xffff || r == '\t' || r == '\n' || r == '\r'
}
