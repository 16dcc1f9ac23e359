package workbook

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/claimline/claimline/schema"
)

// FuzzWorkbook reads any bytes as a workbook, and any bytes as the sheet of one.
func FuzzWorkbook(f *testing.F) {
	for _, name := range []string{"saved-sv.xlsx", "typed-de.xlsx"} {
		file, err := os.ReadFile("testdata/" + name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(file))
	}
	f.Add(`<sheetData><row r="2" hidden="1"><c r="A2" s="1"><v>45413</v></c><c t="s"><v>0</v></c><c t="b"><f>1</f><v>1</v></c></row></sheetData><mergeCells><mergeCell ref="A1:B2"/></mergeCells>`)
	f.Fuzz(func(t *testing.T, text string) {
		for _, file := range []string{text, pack(t, parts(text, nil))} {
			rows, _, _, err := readAll(t, file, 0)
			if err != nil && schema.CodeOf(err) == "" {
				t.Fatalf("not put into words: %v", err)
			}
			for number, row := range rows {
				if number < 1 || number > mostRows || len(row) > mostColumns || len(row) == 0 || row[len(row)-1] == "" {
					t.Fatalf("row %d has %d cells", number, len(row))
				}
			}
		}
	})
}

// FuzzNumbers shows any number in any format.
func FuzzNumbers(f *testing.F) {
	for _, code := range []string{"", "yyyy-mm-dd", "[$-41D]d mmmm", "0.00E+00", "[<1]0;#", "# ?/?", "[h]:mm:ss.00", `"a"\b*c_d`, "[", ";;;", "[$\xe4\xff-41D]m"} {
		f.Add("45413.5", code)
	}
	f.Fuzz(func(t *testing.T, number, code string) {
		formats := newFormats(false, code)
		if _, err := formats.show(number, 0); err != nil {
			if _, malformed := errors.AsType[malformedError](err); !malformed {
				t.Fatal(err)
			}
		}
	})
}

// FuzzScanner compares the scanner with encoding/xml: what that takes, it takes for the same, unless there is
// a document type or another encoding in it.
func FuzzScanner(f *testing.F) {
	for _, text := range []string{
		`<a b="1" c='>'>x&amp;y<![CDATA[ <z> ]]>é</a>`, `<?xml version="1.0"?><!-- c --><p:a><b/>` + "\r\n" + `&#x41;&#66;</p:a>`, `<a>`, `</a>`, `<a></b>`, `<a b></a>`, `<a/><b/>`,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, part string) {
		if strings.Contains(part, "<!D") || strings.Contains(part, "<!d") {
			return
		}
		want, err := tokensOf(xml.NewDecoder(strings.NewReader(part)))
		if err != nil {
			return
		}
		s := newScanner(iotest{strings.NewReader(part)})
		var got []string
		for {
			kind, err := s.next()
			if err != nil {
				if strings.HasPrefix(part, "<?xml") { // another encoding, perhaps
					return
				}
				t.Fatalf("%v, but it is well-formed", err)
			}
			switch kind {
			case endOfPart:
				assert.Equal(t, want, got)
				return
			case startTag:
				got = append(got, "<"+string(s.name))
			case endTag:
				got = append(got, ">"+string(s.name))
			case text:
				got = appendCharacters(got, string(s.text))
			}
		}
	})
}

// tokensOf returns the tags and the text of XML.
func tokensOf(d *xml.Decoder) (tokens []string, err error) {
	roots, depth := 0, 0
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) && roots == 1 {
			return tokens, nil
		}
		if err != nil {
			return nil, err
		}
		switch token := token.(type) {
		case xml.StartElement:
			if depth++; depth == 1 {
				roots++
			}
			if depth > mostDeep || roots > 1 {
				return nil, errors.New("too many elements")
			}
			tokens = append(tokens, "<"+token.Name.Local)
		case xml.EndElement:
			depth--
			tokens = append(tokens, ">"+token.Name.Local)
		case xml.CharData:
			if depth > 0 {
				tokens = appendCharacters(tokens, string(token))
			} else if strings.Trim(string(token), " \t\r\n\ufeff") != "" {
				return nil, errors.New("text outside of the root")
			}
		}
	}
}

// appendCharacters appends text to what may be text.
func appendCharacters(tokens []string, s string) []string {
	if n := len(tokens); n > 0 && strings.HasPrefix(tokens[n-1], "=") {
		tokens[n-1] += s
		return tokens
	}
	if s == "" {
		return tokens
	}
	return append(tokens, "="+s)
}

// iotest reads a byte at a time.
type iotest struct{ from io.Reader }

func (r iotest) Read(p []byte) (int, error) { return r.from.Read(p[:min(1, len(p))]) }
