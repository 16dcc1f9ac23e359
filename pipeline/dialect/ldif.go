package dialect

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"maps"
	"strings"

	"github.com/claimline/claimline/schema"
)

// IsLDIF reports whether a file begins as an export of a directory in LDIF (RFC 2849) does: but for comments
// and the version, with the name of an entry. Its error is a *schema.Error with CodeFileUnreadable.
func IsLDIF(source Source) (bool, error) {
	head, err := readHead(source, source.Size())
	if err != nil {
		return false, err
	}
	var mark charset
	switch {
	case bytes.HasPrefix(head, []byte("\xff\xfe")):
		mark = utf16(false)
	case bytes.HasPrefix(head, []byte("\xfe\xff")):
		mark = utf16(true)
	}
	text, err := io.ReadAll(mark.reader(bytes.NewReader(head[mark.mark:])))
	if err != nil {
		return false, unreadable(err)
	}
	rest := string(text)
	for marked := true; marked; {
		rest, marked = strings.CutPrefix(rest, bom)
		if !marked {
			rest, marked = strings.CutPrefix(rest, doubleBOM)
		}
	}
	return isLDIF(strings.ToLower(strings.TrimLeft(rest, "\r\n"))), nil
}

// LDIFValue is one value of an entry.
type LDIFValue struct {
	Place int // of its attribute, as whoever reads has numbered them
	Line  int // physical, on which it begins
	Text  string
}

// LDIFEntry is one entry of an LDIF file. The zero value is ready for Next; used again, it keeps its memory.
type LDIFEntry struct {
	Line   int // physical, of its name
	Values []LDIFValue
}

// LDIF reads the entries of an LDIF file from its beginning to its end. Its memory is bounded by the limits,
// whatever the file: values that nobody asks for are passed by, however long.
type LDIF struct {
	source  Source
	limit   int // bytes of the values of an entry that are asked for, and of a line until it is known
	repairs map[schema.Repair]int
	in      *bufio.Reader
	line    int // physical, that was read last
	begun   bool

	name  []byte // of the attribute that was read last, in lower case, without options
	at    int    // the physical line on which that begins
	value []byte // of it, as it is written behind the first colon
	text  []byte // of the entry
	ends  []int  // of its values, in the text
}

// LDIFPlaces numbers attributes: it returns the place of one, negative where nobody asks for it. The name is
// in lower case, without options (;binary), and valid until it returns.
type LDIFPlaces func(name []byte) int

// NewLDIF opens an LDIF file. Text that is no UTF is read as Windows-1252. Refused with
// schema.CodeEncodingUnknown and schema.CodeFileUnreadable.
func NewLDIF(source Source, limits Limits) (*LDIF, error) {
	r := &LDIF{source: source, limit: limits.withDefaults().RecordBytes, repairs: map[schema.Repair]int{}}
	size := source.Size()
	found, err := inspect(source, size, Options{SingleByte: Windows1252})
	if err != nil {
		return nil, r.named(err)
	}
	end, marked, err := endOfText(source, size, found)
	if err != nil {
		return nil, r.named(err)
	}
	if marked {
		r.repairs[schema.RepairEndMark] = 1
	}
	if found.repair != "" {
		r.repairs[found.repair] = 1
	}
	start := int64(found.mark)
	r.in = bufio.NewReaderSize(found.reader(io.NewSectionReader(source, start, max(0, end-start))), headSize)
	if err := r.skipMarks(); err != nil {
		return nil, r.named(err)
	}
	return r, nil
}

// skipMarks takes further byte order marks off the beginning of the text.
func (r *LDIF) skipMarks() error {
	for {
		next, err := r.in.Peek(len(doubleBOM))
		switch {
		case err != nil && !errors.Is(err, io.EOF):
			return unreadable(err)
		case beginsWithMark(next):
			next = next[:len(bom)]
		case !bytes.Equal(next, []byte(doubleBOM)):
			return nil
		}
		if r.repairs[schema.RepairUTF16] == 0 {
			r.repairs[schema.RepairBOM] = 1
		}
		if _, err := r.in.Discard(len(next)); err != nil {
			return unreadable(err)
		}
	}
}

// Repairs returns what was repaired, counted, once each: schema.RepairBOM, RepairUTF16, RepairWindows1252,
// RepairEndMark.
func (r *LDIF) Repairs() map[schema.Repair]int { return maps.Clone(r.repairs) }

// Next reads the next entry, with the values that places asks for in the order of the file, and returns
// io.EOF after the last. Any other error but that of ctx is a *schema.Error with file, line and attribute:
// schema.CodeLDIFMalformed where the file is not as in RFC 2849, has changes instead of entries, points to
// values in other files, or says that the search which made it did not come to its end;
// schema.CodeLimitExceeded; schema.CodeFileUnreadable, and schema.CodeFileChanged at its end.
func (r *LDIF) Next(ctx context.Context, places LDIFPlaces, into *LDIFEntry) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		opens, err := r.opening()
		if err != nil {
			return r.named(err)
		}
		if !opens {
			continue
		}
		into.Line, into.Values = r.at, into.Values[:0]
		r.text, r.ends = r.text[:0], r.ends[:0]
		for {
			more, place, err := r.attribute(places)
			if err == nil && more && place >= 0 {
				if err = r.take(); err == nil {
					into.Values = append(into.Values, LDIFValue{Place: place, Line: r.at})
				}
			}
			if err != nil {
				return r.named(err)
			}
			if !more {
				break
			}
		}
		text, start := string(r.text), 0
		for i, end := range r.ends {
			into.Values[i].Text, start = text[start:end], end
		}
		return nil
	}
}

// named returns err with the name of the file.
func (r *LDIF) named(err error) error {
	if refusal, ok := errors.AsType[*schema.Error](err); ok {
		refusal.File = r.source.Name()
	}
	return err
}

// Names with a meaning in LDIF, or in what ldapsearch writes around entries.
const (
	nameOfEntry = "dn"
	versionLine = "version"
	changeLine  = "changetype"
	resultLine  = "result"
)

// around are the names with which ldapsearch begins what is no entry.
var around = map[string]bool{"search": true, resultLine: true, "ref": true, "matcheddn": true, "pagedresults": true}

// opening reads up to the name of the next entry. It passes by what stands between entries; opens is false
// where that was something.
func (r *LDIF) opening() (opens bool, err error) {
	more, _, err := r.attribute(func([]byte) int { return 0 })
	switch {
	case err != nil:
		return false, err
	case !more:
		if _, err := r.in.Peek(1); errors.Is(err, io.EOF) {
			if err := r.source.Unchanged(); err != nil {
				return false, err
			}
			return false, io.EOF
		}
		return false, nil
	}
	name := string(r.name)
	first := !r.begun
	r.begun = true
	switch {
	case name == nameOfEntry:
		return true, r.check()
	case name == versionLine && first:
		if version := strings.TrimSpace(string(r.value)); version != "1" {
			return false, r.malformed("LDIF of the version %s is not known.", schema.Quote(version))
		}
		return false, nil
	case around[name]:
		return false, r.aside()
	}
	return false, r.malformed("An entry begins with its name (dn:), and this is something else.")
}

// aside passes by what ldapsearch writes around entries, which says how the search ended.
func (r *LDIF) aside() error {
	for {
		if string(r.name) == resultLine {
			result := strings.TrimSpace(string(r.value))
			if code, _, _ := strings.Cut(result, " "); code != "0" {
				return r.malformed("The search did not come to its end, so the list may lack people: %s.", schema.Quote(result)).
					WithFix("Search again, in pages where the server limits its answer: ldapsearch -E pr=1000/noprompt …")
			}
		}
		more, _, err := r.attribute(func([]byte) int { return 0 })
		if err != nil || !more {
			return err
		}
	}
}

const exportEntries = "Export the directory again, for example with ldifde -f people.ldf, or ldapsearch -LLL > people.ldif."

func (r *LDIF) malformed(format string, args ...any) *schema.Error {
	return schema.Refuse(schema.CodeLDIFMalformed, format, args...).At("", r.at, 0).In(string(r.name)).WithFix(exportEntries)
}

// longestName is how many bytes an attribute's name may have, its options included.
const longestName = 1 << 10

// attribute reads the next line of an entry with those that continue it; comments are none. more is false
// where the entry ends. The value is kept only where place is not negative.
func (r *LDIF) attribute(places LDIFPlaces) (more bool, place int, err error) {
	for {
		next, err := r.in.Peek(1)
		switch {
		case errors.Is(err, io.EOF):
			return false, 0, nil
		case err != nil:
			return false, 0, unreadable(err)
		}
		r.at, r.name, r.value = r.line+1, r.name[:0], r.value[:0]
		if end, _ := r.in.Peek(2); lineEnd(string(end)) != "" {
			r.line++
			_, _ = r.in.Discard(len(lineEnd(string(end)))) // it has been seen
			return false, 0, nil
		}
		switch next[0] {
		case '#':
			err = r.unfold(func([]byte) (bool, error) { return false, nil })
			if err != nil {
				return false, 0, err
			}
			continue
		case ' ':
			if err := r.unfold(r.keep); err != nil {
				return false, 0, err
			}
			if len(bytes.TrimSpace(r.value)) > 0 {
				return false, 0, r.malformed("The line begins with a blank, and there is none that it continues.")
			}
			return false, 0, nil
		}
		place = -1
		named := false
		err = r.unfold(func(part []byte) (bool, error) {
			if named {
				return r.keep(part)
			}
			r.value = append(r.value, part...)
			colon := bytes.IndexByte(r.value, ':')
			if colon < 0 {
				if len(r.value) > longestName {
					return false, r.noAttribute()
				}
				return true, nil
			}
			named = true
			if err := r.takeName(r.value[:colon]); err != nil {
				return false, err
			}
			place = changePlace
			if string(r.name) != changeLine {
				place = places(r.name)
			}
			rest := r.value[colon+1:]
			r.value = r.value[:0]
			if place == -1 {
				return false, nil
			}
			return r.keep(rest)
		})
		switch {
		case err != nil:
			return false, 0, err
		case !named:
			return false, 0, r.noAttribute()
		case place == changePlace:
			if change := strings.TrimSpace(string(r.value)); !strings.EqualFold(change, "add") {
				return false, 0, r.malformed("The file is a list of changes (%s), not the entries of a directory.", schema.Quote(change))
			}
			place = -1
		}
		return true, place, nil
	}
}

// changePlace is the place of the line that says which change is made.
const changePlace = -2

// keep adds a part of a line to the value.
func (r *LDIF) keep(part []byte) (bool, error) {
	r.value = append(r.value, part...)
	if len(r.value)+len(r.text) > r.limit {
		return false, r.tooLong()
	}
	return true, nil
}

func (r *LDIF) tooLong() error {
	return schema.Refuse(schema.CodeLimitExceeded, "An entry has more than %d bytes in the values that count.", r.limit).
		At("", r.at, 0).In(string(r.name)).WithFix("Export the directory again, with fewer attributes; or delete the entry if it is no person.")
}

func (r *LDIF) noAttribute() error {
	return r.malformed("The line is no attribute with a value: %s.", schema.Quote(string(r.value))).
		WithFix("If the line continues the one above it, put a blank before it. Else export the directory again: the file may be damaged.")
}

// takeName takes the name of an attribute in lower case, without its options.
func (r *LDIF) takeName(written []byte) error {
	if len(written) == 0 || len(written) > longestName {
		return r.noAttribute()
	}
	if options := bytes.IndexByte(written, ';'); options > 0 {
		written = written[:options]
	}
	for _, c := range written {
		switch {
		case c >= 'A' && c <= 'Z':
			c += 'a' - 'A'
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '-', c == '.', c == '_':
		default:
			r.name = r.name[:0]
			return r.noAttribute()
		}
		r.name = append(r.name, c)
	}
	return nil
}

// unfold hands over a line with those that continue it, in parts, without line ends and the blanks that mark
// what continues; no more of it once part returns false.
func (r *LDIF) unfold(part func([]byte) (more bool, err error)) error {
	wanted := true
	hand := func(text []byte) (err error) {
		if wanted {
			wanted, err = part(text)
		}
		return err
	}
	for {
		returned := false // a carriage return that may belong to the line end
		for ended := false; !ended; {
			text, err := r.in.ReadSlice('\n')
			switch {
			case err == nil:
				text, ended = text[:len(text)-1], true
			case errors.Is(err, io.EOF):
				ended = true
			case !errors.Is(err, bufio.ErrBufferFull):
				return unreadable(err)
			}
			if returned && (!ended || len(text) > 0) {
				if err := hand([]byte("\r")); err != nil {
					return err
				}
			}
			text, returned = bytes.CutSuffix(text, []byte("\r"))
			if err := hand(text); err != nil {
				return err
			}
		}
		r.line++
		next, err := r.in.Peek(1)
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return unreadable(err)
		case next[0] != ' ':
			return nil
		}
		if _, err := r.in.Discard(1); err != nil {
			return unreadable(err)
		}
	}
}

// check refuses a value in which there is what no text has, before it is decoded.
func (r *LDIF) check() error {
	if bytes.IndexByte(r.value, '\r') >= 0 {
		return r.malformed("A line ends with a carriage return (CR) alone, as on old Macs.").
			WithFix("Save the file again, with the line ends of Windows or Unix.")
	}
	if bytes.IndexByte(r.value, 0) >= 0 {
		return r.malformed("There are NUL characters in the middle of the file, so it is damaged or no text.")
	}
	return nil
}

// take decodes the value, and adds it to those of the entry.
func (r *LDIF) take() error {
	if err := r.check(); err != nil {
		return err
	}
	written := r.value
	switch {
	case len(written) > 0 && written[0] == '<':
		return r.malformed("The value stands in another file, and is not read: %s.", schema.Quote(string(written))).
			WithFix("Export the directory again, with its values in the file itself.")
	case len(written) > 0 && written[0] == ':':
		written = bytes.Trim(written[1:], " ")
		decoded, err := base64.StdEncoding.Strict().AppendDecode(r.text, written)
		if err != nil {
			return r.malformed("The value is no base64, which :: announces: %s.", schema.Quote(string(written))).Because(err)
		}
		r.text = decoded
	default:
		r.text = append(r.text, bytes.TrimLeft(written, " ")...)
	}
	r.ends = append(r.ends, len(r.text))
	if len(r.text)+len(r.ends) > r.limit { // blank values count, too
		return r.tooLong()
	}
	return nil
}
