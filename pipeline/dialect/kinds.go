package dialect

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"

	"github.com/claimline/claimline/schema"
)

// kind is a kind of file that is no CSV, and what to do about it; no name: none.
type kind struct{ name, fix schema.Word }

func (k kind) refusal() *schema.Error {
	return schema.Refuse(schema.CodeEncodingUnknown, "The file is %s, not a CSV file.", k.name).WithFix("%s", k.fix)
}

// What to do about files that are no CSV.
const (
	saveAsCSV   = "Save it as CSV UTF-8."
	spreadsheet = "Open it in a spreadsheet program and save it as an Excel workbook (.xlsx), or the sheet as CSV UTF-8 (comma delimited)."
	exportCSV   = "Export the users as CSV UTF-8 instead."
	unpack      = "Unpack it first, and use the CSV file that is in it."
)

// kinds are tried in order. A file of a kind has start at the offset at, and within somewhere near its
// beginning.
var kinds = []struct {
	at            int
	start, within string
	kind
}{
	{0, "PK\x03\x04", "xl/workbook.bin", kind{"a binary Excel workbook (.xlsb)", spreadsheet}},
	{0, "PK\x03\x04", "opendocument.spreadsheet", kind{"an OpenDocument spreadsheet (.ods)", spreadsheet}},
	{0, "PK\x03\x04", "Index/", kind{"a Numbers spreadsheet, or another document of iWork", spreadsheet}},
	{0, "PK\x03\x04", "[Content_Types].xml", kind{"an Office document, perhaps an Excel workbook (.xlsx)", spreadsheet}},
	{0, "PK\x03\x04", "", kind{"a ZIP archive, perhaps an Excel workbook (.xlsx)", "Unpack it, or open it in a spreadsheet program and save the sheet as CSV UTF-8."}},
	{0, "PK\x05\x06", "", kind{"an empty ZIP archive", exportCSV}},
	{0, "PK\x07\x08", "", kind{"a part of a ZIP archive", unpack}},
	{0, "\xd0\xcf\x11\xe0", "", kind{"an old Excel workbook (.xls), or one with a password", "Open it in a spreadsheet program, take the password off where it has one, and save it as an Excel workbook (.xlsx) or as CSV UTF-8."}},
	{0, "\x09\x08", "\x00", kind{"a very old Excel workbook (.xls)", spreadsheet}},
	{0, "\x1f\x8b", "", kind{"a gzip archive", unpack}},
	{0, "BZh", "1AY&SY", kind{"a bzip2 archive", unpack}},
	{0, "BZh", "\x17\x72\x45\x38\x50\x90", kind{"a bzip2 archive", unpack}},
	{0, "\xfd7zXZ", "", kind{"an xz archive", unpack}},
	{0, "\x5d\x00\x00", "", kind{"an LZMA archive", unpack}},
	{0, "LZIP", "", kind{"an lzip archive", unpack}},
	{0, "\x28\xb5\x2f\xfd", "", kind{"a zstd archive", unpack}},
	{0, "7z\xbc\xaf", "", kind{"a 7-Zip archive", unpack}},
	{0, "Rar!\x1a\x07", "", kind{"a RAR archive", unpack}},
	{0, "\x04\x22\x4d\x18", "", kind{"an LZ4 archive", unpack}},
	{0, "\x02\x21\x4c\x18", "", kind{"an LZ4 archive", unpack}},
	{0, "\xff\x06\x00\x00sNaPpY", "", kind{"a Snappy archive", unpack}},
	{0, "MSCF\x00", "", kind{"a CAB archive", unpack}},
	{0, "\x1f\x9d", "", kind{"a compress (.Z) archive", unpack}},
	{0, "\x60\xea", "\x00", kind{"an ARJ archive", unpack}},
	{2, "-lh", "-", kind{"an LHA archive", unpack}},
	{0, "!<arch>\n", "", kind{"an archive (.ar, .deb)", unpack}},
	{0, "xar!", "", kind{"a XAR archive", unpack}},
	{257, "ustar", "", kind{"a tar archive", unpack}},
	{0, "070707", "\x00", kind{"a cpio archive", unpack}},
	{0, "%PDF-", "", kind{"a PDF document", exportCSV}},
	{0, "%!PS", "", kind{"a PostScript document", exportCSV}},
	{0, "\x89PNG", "", kind{"a PNG image", exportCSV}},
	{0, "\xff\xd8\xff", "", kind{"a JPEG image", exportCSV}},
	{0, "GIF8", "\x00", kind{"a GIF image", exportCSV}},
	{0, "RIFF", "WEBP", kind{"a WebP image", exportCSV}},
	{0, "II*\x00", "", kind{"a TIFF image", exportCSV}},
	{0, "MM\x00*", "", kind{"a TIFF image", exportCSV}},
	{0, "BM", "\x00\x00\x00\x00", kind{"a BMP image", exportCSV}},
	{4, "ftyp", "\x00", kind{"an image or a film", exportCSV}},
	{0, "SQLite format 3\x00", "", kind{"an SQLite database", exportCSV}},
	{0, "\x00\x01\x00\x00Standard ", "", kind{"an Access database", exportCSV}},
	{0, "PAR1", "\x00", kind{"a Parquet file", exportCSV}},
	{0, "Obj\x01", "", kind{"an Avro file", exportCSV}},
	{0, "\xff\xfe\x00\x00", "", kind{"UTF-32 text", saveAsCSV}},
	{0, "\x00\x00\xfe\xff", "", kind{"UTF-32 text", saveAsCSV}},
}

// binaryKind tells by a file's head what kind of binary file it is, where that is known.
func binaryKind(head []byte) kind {
	for _, k := range kinds {
		if len(head) >= k.at && bytes.HasPrefix(head[k.at:], []byte(k.start)) && bytes.Contains(head, []byte(k.within)) {
			return k.kind
		}
	}
	return kind{}
}

var (
	html = kind{"an HTML page, as a browser shows it (often the page on which to sign in)", "Sign in, download the CSV file again, and look into it before it is used."}
	json = kind{"JSON, text for programs", "Export the users as CSV instead."}
)

// textKind tells by how a text begins what it is, where that is certainly no CSV.
func textKind(text string) kind {
	text = strings.TrimLeftFunc(text, isBlank)
	lower := strings.ToLower(text[:min(len(text), 4<<10)])
	starts := func(with string) bool { return strings.HasPrefix(lower, with) }
	switch {
	case starts("<?xml") && strings.Contains(lower, "<workbook"):
		return kind{"an Excel workbook in XML", spreadsheet}
	case starts("<?xml") && !strings.Contains(lower, "<html"):
		return kind{"XML, text for programs", exportCSV}
	case starts("<table"):
		return kind{"a table in HTML, as some programs write it for spreadsheets", spreadsheet}
	case starts("<") && pageKind(text).name != "":
		return html
	case isXML(lower):
		return kind{"XML, text for programs", exportCSV}
	case starts(`{\rtf`):
		return kind{"RTF, a text with fonts as a word processor writes it", "Save it as plain text (UTF-8), or export the users as CSV again."}
	case isJSON(text):
		return json
	case isLDIF(lower):
		return kind{"LDIF, the export of a directory", "Export the directory as CSV, with a column of addresses."}
	case starts("begin:vcard"), starts("begin:vcalendar"):
		return kind{"a vCard or calendar file", exportCSV}
	case starts("-----begin "), starts("age-encryption.org/"):
		return kind{"an encrypted or signed file", "Decrypt it first."}
	case starts("version https://git-lfs"):
		return kind{"a pointer of Git LFS to the file", "Fetch the file itself: git lfs pull."}
	case starts("create table"), starts("insert into"), starts("-- mysql dump"), starts("-- postgresql database dump"), starts("--\n-- postgresql"):
		return kind{"SQL, the dump of a database", exportCSV}
	}
	return kind{}
}

// pageKind tells whether there are tags of HTML in a text that may begin with something else.
func pageKind(text string) kind {
	lower := strings.ToLower(text)
	for _, tag := range []string{"<!doctype html", "<html", "<head>", "<body", "<script", "<meta ", "<title>", "<div", "<form", "</a>", "<table"} {
		if strings.Contains(lower, tag) {
			return html
		}
	}
	return kind{}
}

// isXML reports whether a text begins with a tag that is closed further on, or with a comment.
func isXML(lower string) bool {
	if strings.HasPrefix(lower, "<!--") || strings.HasPrefix(lower, "<!doctype") {
		return true
	}
	name, found := strings.CutPrefix(lower, "<")
	if !found {
		return false
	}
	end := strings.IndexAny(name, " \t\r\n/>")
	return end > 0 && strings.Contains(name, ">") && (strings.Contains(name, "</") || strings.Contains(name, "/>"))
}

// isJSON reports whether a text begins as JSON does: with a bracket and what may follow it.
func isJSON(text string) bool {
	if text == "" || text[0] != '{' && text[0] != '[' {
		return false
	}
	rest := strings.TrimLeft(text[1:], " \t\r\n")
	return rest != "" && strings.IndexByte(`{["}]`, rest[0]) >= 0
}

// isLDIF reports whether the first line that says something is the name of an entry, or what ldapsearch
// writes.
func isLDIF(lower string) bool {
	if strings.HasPrefix(lower, "# extended ldif") {
		return true
	}
	comment := false
	for line := range strings.Lines(lower) {
		comment = strings.HasPrefix(line, "#") || comment && strings.HasPrefix(line, " ")
		line = strings.TrimSpace(line)
		if comment || line == "" || strings.HasPrefix(line, "version:") {
			continue
		}
		return strings.HasPrefix(line, nameOfEntry+":")
	}
	return false
}

// mainframeKind tells whether bytes are text in EBCDIC: read as such nearly all of it is ASCII.
func mainframeKind(head []byte) kind {
	var plain, letters int
	for _, c := range head {
		switch r := charmap.CodePage037.DecodeByte(c); {
		case r >= 'A' && r <= 'Z', r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			letters++
			plain++
		case r >= ' ' && r < 0x7f, r == '\n', r == '\r', r == '\t', r == 0x85:
			plain++
		}
	}
	if len(head) < 16 || plain*20 < len(head)*19 || letters*2 < len(head) {
		return kind{}
	}
	return kind{"text in EBCDIC, the encoding of mainframes", "Convert it to UTF-8 where it comes from, or say --encoding IBM037."}
}

// looksBinary reports whether text has more control characters than text has even if cells of it are broken.
// Those that some programs separate cells with do not count.
func looksBinary(text []byte) bool {
	controls := 0
	for _, c := range text {
		if c < ' ' && c != '\t' && c != '\n' && c != '\r' && c != 0x01 && (c < 0x1c || c > 0x1f) {
			controls++
		}
	}
	return controls > 8+len(text)/16
}

// noText returns the refusal of what has NUL characters where text should be, every other one where it is
// UTF-16.
func noText(text string) *schema.Error {
	nuls, odd := strings.Count(text, "\x00"), 0
	for i := 1; i < len(text); i += 2 {
		if text[i] == 0 {
			odd++
		}
	}
	if nuls > len(text)/4 && (odd == nuls || odd == 0) {
		return schema.Refuse(schema.CodeEncodingUnknown, "The file seems to be UTF-16 text without a byte order mark.").
			WithFix(saveAsCSV + " Or say --encoding utf-16le, or utf-16be.")
	}
	if nuls == 0 && utf8.ValidString(text) {
		return schema.Refuse(schema.CodeEncodingUnknown, "The file is full of control characters: it is a binary file, not a CSV file.").WithFix(saveAsCSV)
	}
	return schema.Refuse(schema.CodeEncodingUnknown, "The file is a binary file, not a CSV file.").WithFix(saveAsCSV)
}
