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
	"golang.org/x/text/encoding/unicode"

	"github.com/claimline/claimline/schema"
)

// charset is how a file's bytes are read.
type charset struct {
	decoder *encoding.Decoder // nil: the bytes are UTF-8, or nearly
	mark    int               // length of the byte order mark
	repair  schema.Repair     // empty where there is nothing to say
}

// headSize is how much of a file is looked at for what kind of file it is.
const headSize = 64 << 10

// inspect finds a file's character set. Where there is no byte order mark it may read the whole file.
func inspect(f io.ReaderAt, size int64) (charset, error) {
	head, err := readHead(f, size)
	if err != nil {
		return charset{}, err
	}
	if kind := binaryKind(head); kind.name != "" {
		return charset{}, schema.Refuse(schema.CodeEncodingUnknown, "The file is %s, not a CSV file.", kind.name).WithFix("%s", kind.fix)
	}
	switch {
	case bytes.HasPrefix(head, []byte(bom)):
		return charset{mark: len(bom), repair: schema.RepairBOM}, nil
	case bytes.HasPrefix(head, []byte("\xff\xfe")):
		return utf16(unicode.LittleEndian), nil
	case bytes.HasPrefix(head, []byte("\xfe\xff")):
		return utf16(unicode.BigEndian), nil
	}
	if looksBinary(head) {
		return charset{}, noText(string(head))
	}
	single, err := singleByte(f, size)
	if err != nil {
		return charset{}, err
	}
	if single {
		return charset{decoder: charmap.Windows1252.NewDecoder(), repair: schema.RepairWindows1252}, nil
	}
	return charset{}, nil
}

// utf16 is UTF-16 after its byte order mark. What cannot be decoded, half a surrogate pair, becomes U+FFFD.
func utf16(order unicode.Endianness) charset {
	return charset{decoder: unicode.UTF16(order, unicode.IgnoreBOM).NewDecoder(), mark: 2, repair: schema.RepairUTF16}
}

func readHead(f io.ReaderAt, size int64) ([]byte, error) {
	head := make([]byte, min(size, headSize))
	n, err := f.ReadAt(head, 0)
	if n == len(head) || errors.Is(err, io.EOF) {
		return head[:n], nil
	}
	return nil, unreadable(err)
}

func unreadable(err error) *schema.Error {
	return (&schema.Error{Code: schema.CodeFileUnreadable}).Because(err)
}

// singleByte reports whether a file is text of one byte a character: it is not UTF-8, and no multi-byte sequence
// in it is. It reads up to the first valid multi-byte sequence, else to the end.
func singleByte(f io.ReaderAt, size int64) (bool, error) {
	const high = 0x8080808080808080
	var (
		source  = io.NewSectionReader(f, 0, size)
		buf     = make([]byte, 256<<10)
		kept    = 0 // bytes at the front of buf that may begin a sequence
		invalid = false
	)
	for {
		n, err := source.Read(buf[kept:])
		data, last := buf[:kept+n], errors.Is(err, io.EOF)
		if err != nil && !last {
			return false, unreadable(err)
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
				if _, width := utf8.DecodeRune(data[i:]); width > 1 {
					return false, nil
				}
				invalid = true
				i++
			}
		}
		if last {
			return invalid, nil
		}
		kept = copy(buf, data[i:])
	}
}

// kind is a kind of file that is no text, and what to do about it; no name: none.
type kind struct{ name, fix string }

const saveAsCSV = "Save it as CSV UTF-8."

var (
	spreadsheet = "Open it in a spreadsheet program and save the sheet as CSV UTF-8 (comma delimited)."

	// kinds is looked through in order; a file of a kind begins with its start, and has within somewhere near it.
	kinds = []struct {
		start, within string
		kind
	}{
		{"PK\x03\x04", "xl/", kind{"an Excel workbook (.xlsx)", spreadsheet}},
		{"PK\x03\x04", "opendocument.spreadsheet", kind{"an OpenDocument spreadsheet (.ods)", spreadsheet}},
		{"PK\x03\x04", "[Content_Types].xml", kind{"an Office document, perhaps an Excel workbook (.xlsx)", spreadsheet}},
		{"PK\x03\x04", "", kind{"a ZIP archive, perhaps an Excel workbook (.xlsx)", "Unpack it, or open it in a spreadsheet program and save the sheet as CSV UTF-8."}},
		{"\xd0\xcf\x11\xe0", "", kind{"an old Excel workbook (.xls)", spreadsheet}},
		{"%PDF-", "", kind{"a PDF document", "Export the users as CSV UTF-8 instead."}},
		{"\x1f\x8b", "", kind{"a gzip archive", "Unpack it first."}},
		{"\xfd7zXZ", "", kind{"an xz archive", "Unpack it first."}},
		{"\x28\xb5\x2f\xfd", "", kind{"a zstd archive", "Unpack it first."}},
		{"7z\xbc\xaf", "", kind{"a 7-Zip archive", "Unpack it first."}},
		{"\x89PNG", "", kind{"a PNG image", "Export the users as CSV UTF-8 instead."}},
		{"\xff\xd8\xff", "", kind{"a JPEG image", "Export the users as CSV UTF-8 instead."}},
		{"SQLite format 3\x00", "", kind{"an SQLite database", "Export the users as CSV UTF-8 instead."}},
		{"\xff\xfe\x00\x00", "", kind{"UTF-32 text", saveAsCSV}},
		{"\x00\x00\xfe\xff", "", kind{"UTF-32 text", saveAsCSV}},
	}
)

// binaryKind tells by a file's head what kind of binary file it is, where that is known.
func binaryKind(head []byte) kind {
	for _, k := range kinds {
		if bytes.HasPrefix(head, []byte(k.start)) && bytes.Contains(head, []byte(k.within)) {
			return k.kind
		}
	}
	return kind{}
}

// looksBinary reports whether text has more control characters than text has even if cells of it are broken.
func looksBinary(text []byte) bool {
	controls := 0
	for _, c := range text {
		if c < ' ' && c != '\t' && c != '\n' && c != '\r' {
			controls++
		}
	}
	return controls > 8+len(text)/16
}

// noText is the refusal of what has NUL characters where text should be, every other one where it is UTF-16.
func noText(text string) *schema.Error {
	nuls, odd := strings.Count(text, "\x00"), 0
	for i := 1; i < len(text); i += 2 {
		if text[i] == 0 {
			odd++
		}
	}
	if nuls > len(text)/4 && (odd == nuls || odd == 0) {
		return schema.Refuse(schema.CodeEncodingUnknown, "The file seems to be UTF-16 text without a byte order mark.").WithFix(saveAsCSV)
	}
	return schema.Refuse(schema.CodeEncodingUnknown, "The file is a binary file, not a CSV file.").WithFix(saveAsCSV)
}

// loneCR reports whether a carriage return outside quotes ends a line by itself.
func loneCR(text string) bool {
	quoted := false
	for i := range len(text) - 1 {
		switch {
		case text[i] == '"':
			quoted = !quoted
		case text[i] == '\r' && !quoted && text[i+1] != '\n' && text[i+1] != '\r':
			return true
		}
	}
	return false
}
