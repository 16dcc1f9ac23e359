package workbook

import (
	"archive/zip"
	"compress/flate"
	"errors"
	"io"
	"io/fs"
	"path"
	"strings"

	"github.com/claimline/claimline/schema"
)

// What a workbook may have, at most.
const (
	mostParts   = 10_000    // in the archive
	mostRows    = 1_048_576 // of a sheet, as spreadsheet programs have it
	mostColumns = 16_384
	mostSheet   = 2 << 30   // bytes of XML of one sheet, which are read as they come
	mostStrings = 128 << 20 // bytes of text that cells share, which are held in memory
	mostOther   = 32 << 20  // bytes of XML of any other part
	mostCode    = 1024      // bytes of a format: spreadsheet programs have 255 characters
	mostStyles  = 65_490    // formats of cells, as spreadsheet programs have it
)

// Book is a workbook that is being read.
type Book struct {
	Sheets []Sheet

	parts    map[string]*zip.File // by name, in lower case
	strings  shared
	formats  *formats
	date1904 bool // days are counted from 1904
	stale    bool // values have to be calculated before they are shown
}

// Sheet is a sheet of a workbook.
type Sheet struct {
	Name   string
	Hidden bool
	part   string
}

// Is reports whether a file is a ZIP archive that has the parts of a workbook, or is to be one.
func Is(head []byte) bool {
	text := string(head)
	return strings.HasPrefix(text, "PK\x03\x04") && (strings.Contains(text, "xl/") || strings.Contains(text, `xl\`)) &&
		!strings.Contains(text, "xl/workbook.bin")
}

// Open opens a workbook. Refused with CodeEncodingUnknown, and with CodeLimitExceeded.
func Open(from io.ReaderAt, size int64) (*Book, error) {
	archive, err := zip.NewReader(from, size)
	if err != nil {
		return nil, refuse("it is cut off or damaged", err)
	}
	if len(archive.File) > mostParts {
		return nil, tooLarge("The workbook has more than %d parts.", mostParts)
	}
	b := &Book{parts: make(map[string]*zip.File, len(archive.File))}
	for _, file := range archive.File {
		name := partName(file.Name)
		if _, twice := b.parts[name]; twice {
			return nil, refuse("it has two parts of the same name", nil)
		}
		b.parts[name] = file
	}
	main, err := b.target("", "/officeDocument", "xl/workbook.xml")
	if err != nil {
		return nil, err
	}
	if err := b.readMain(main); err != nil {
		return nil, err
	}
	styles, err := b.target(main, "/styles", "")
	if err != nil {
		return nil, err
	}
	if b.formats, err = b.readFormats(styles); err != nil {
		return nil, err
	}
	sharedPart, err := b.target(main, "/sharedStrings", "")
	if err != nil {
		return nil, err
	}
	if err := b.readStrings(sharedPart); err != nil {
		return nil, err
	}
	return b, nil
}

func partName(name string) string {
	return strings.ToLower(strings.TrimLeft(strings.ReplaceAll(name, `\`, "/"), "/"))
}

// refuse returns the refusal of a workbook that cannot be read.
func refuse(why string, cause error) *schema.Error {
	refused := schema.Refuse(schema.CodeEncodingUnknown, "The file seems to be an Excel workbook (.xlsx), and cannot be read: %s.", why).
		WithFix("Open it in a spreadsheet program and save it again, as an Excel workbook (.xlsx) or as CSV UTF-8.")
	if cause != nil {
		return refused.Because(cause)
	}
	return refused
}

func tooLarge(format string, args ...any) *schema.Error {
	return schema.Refuse(schema.CodeLimitExceeded, format, args...).
		WithFix("Delete what does not belong in the workbook, or save the sheet as CSV UTF-8.")
}

// scan hands over the tags and the text of a part, up to its end: only then is it known to be whole. A part
// that is not there has none.
func (b *Book) scan(name string, most int64, each func(*scanner, token) error) error {
	file, found := b.parts[partName(name)]
	if name == "" || !found {
		return nil
	}
	if file.UncompressedSize64 > uint64(most) {
		return unpacksTo(name, most)
	}
	const encrypted = 1
	if file.Flags&encrypted != 0 {
		return refuse("it is encrypted", nil)
	}
	part, err := file.Open()
	if err != nil {
		return refuse("a part of it is packed in a way that is not known", err)
	}
	defer func() { _ = part.Close() }()
	s := newScanner(&limited{from: part, name: name, most: most, left: most})
	for {
		kind, err := s.next()
		if err == nil && kind == endOfPart {
			return nil
		}
		if err == nil {
			err = each(s, kind)
		}
		if errors.Is(err, ErrEnough) {
			return nil
		}
		if err != nil {
			return b.explain(name, err)
		}
	}
}

// ErrEnough is what a function returns that is handed parts or rows, and wants no more.
var ErrEnough = errors.New("enough")

// explain puts into words what is wrong with a part; what has been put into words stays.
func (b *Book) explain(name string, err error) error {
	if malformed, ok := errors.AsType[malformedError](err); ok {
		return refuse("in its part "+schema.Printable(name)+", "+string(malformed), err)
	}
	corrupt := errors.Is(err, zip.ErrChecksum) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, zip.ErrFormat)
	if _, deflated := errors.AsType[flate.CorruptInputError](err); deflated || corrupt {
		return refuse("its part "+schema.Printable(name)+" is damaged", err)
	}
	if _, io := errors.AsType[*fs.PathError](err); io {
		return (&schema.Error{Code: schema.CodeFileUnreadable}).Because(err)
	}
	return err
}

func unpacksTo(name string, most int64) *schema.Error {
	return tooLarge("The part %s of the workbook unpacks to more than %d MiB.", schema.Printable(name), most>>20)
}

// limited is a part that may not be longer than it is allowed to be, whatever the archive says.
type limited struct {
	from       io.Reader
	name       string
	most, left int64
}

// Read implements io.Reader.
func (l *limited) Read(p []byte) (int, error) {
	n, err := l.from.Read(p)
	if l.left -= int64(n); l.left < 0 {
		return 0, unpacksTo(l.name, l.most)
	}
	return n, err
}

// relation is what a part says of another one.
type relation struct{ id, kind, target string }

// relations lists the parts that a part refers to; a blank name: the archive itself.
func (b *Book) relations(name string) (list []relation, err error) {
	folder, base := path.Split(name)
	err = b.scan(folder+"_rels/"+base+".rels", mostOther, func(s *scanner, kind token) error {
		if kind != startTag || string(s.name) != "Relationship" {
			return nil
		}
		var values [4]string
		for i, attribute := range []string{"Id", "Type", "Target", "TargetMode"} {
			var err error
			if values[i], err = s.attribute(attribute); err != nil {
				return err
			}
		}
		if values[3] == "External" {
			return nil
		}
		target := values[2]
		if !strings.HasPrefix(target, "/") {
			target = path.Join("/", folder, target)
		}
		list = append(list, relation{values[0], values[1], partName(target)})
		return nil
	})
	return list, err
}

// target returns the part that another one has as what ends so; or what it is otherwise.
func (b *Book) target(of, kind, otherwise string) (string, error) {
	list, err := b.relations(of)
	if err != nil {
		return "", err
	}
	for _, r := range list {
		if strings.HasSuffix(r.kind, kind) {
			return r.target, nil
		}
	}
	return otherwise, nil
}

// readMain reads the part that lists the sheets.
func (b *Book) readMain(name string) error {
	list, err := b.relations(name)
	if err != nil {
		return err
	}
	worksheets := map[string]string{}
	for _, r := range list {
		if strings.HasSuffix(r.kind, "/worksheet") {
			worksheets[r.id] = r.target
		}
	}
	err = b.scan(name, mostOther, func(s *scanner, kind token) (err error) {
		if kind != startTag {
			return nil
		}
		switch string(s.name) {
		case "workbookPr":
			b.date1904, err = s.flag("date1904")
		case "calcPr":
			b.stale, err = s.flag("fullCalcOnLoad")
		case "sheet":
			var sheet Sheet
			var state, id string
			if sheet.Name, err = s.attribute("name"); err != nil {
				return err
			}
			if state, err = s.attribute("state"); err != nil {
				return err
			}
			if id, err = s.attribute(":id"); err != nil {
				return err
			}
			sheet.Hidden, sheet.part = state == "hidden" || state == "veryHidden", worksheets[id]
			if sheet.part != "" { // else it is a sheet of a chart, or the like
				b.Sheets = append(b.Sheets, sheet)
			}
		}
		return err
	})
	if err != nil {
		return err
	}
	for _, sheet := range b.Sheets {
		if _, found := b.parts[sheet.part]; !found {
			return refuse("its sheet "+schema.Quote(sheet.Name)+" is missing", nil)
		}
	}
	if len(b.Sheets) == 0 {
		return refuse("it has no sheet with cells", nil)
	}
	return nil
}
