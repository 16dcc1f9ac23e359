package dialect

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/claimline/claimline/pipeline/workbook"
	"github.com/claimline/claimline/schema"
)

// sheetText is a sheet of a workbook as CSV: each record is a line, and line n is row n of the sheet. So a
// workbook is read by the same Reader as any other file, as often as it takes.
type sheetText struct {
	from io.ReaderAt
	size int64
	sum  [sha256.Size]byte // of the workbook

	hidden     bool
	hiddenRows []int
	notes      *workbook.Notes
}

// mostSheetText is how long the text of a sheet may be: sheets can be packed to a thousandth of it.
const mostSheetText = 512 << 20

// keptSheet is the text of the sheet that was read of a workbook, kept for who reads it again. The zero value
// has none.
type keptSheet struct {
	mu   sync.Mutex
	key  string
	text *sheetText
	file *File // that the text is in
}

// inSheet is a source of which one sheet is meant.
type inSheet struct {
	Source
	name   string
	beside bool // there are other files, so whoever says which sheet is meant has to say of which file
}

// InSheet returns a source of which, where it is a workbook, the sheet is meant that is called so. Blank: as
// the source has it, which is the only sheet, or the only one that has a header with one of the names that a
// Reader looks for.
func InSheet(source Source, name string) Source {
	if name == "" {
		return source
	}
	return inSheet{Source: source, name: name}
}

// Beside is InSheet for a file beside others: which of its sheets is meant is said together with its name.
func Beside(source Source, name string) Source {
	return inSheet{Source: source, name: name, beside: true}
}

// SheetOf returns the name of the sheet that is meant of a source; blank: none was named.
func SheetOf(source Source) string {
	in, _ := source.(inSheet)
	return in.name
}

// IsWorkbook reports whether a source is a workbook, by its content.
func IsWorkbook(source Source) (bool, error) {
	head, err := readHead(source, source.Size())
	return err == nil && workbook.Is(head), err
}

func (s inSheet) keptSheet() *keptSheet { return keeperOf(s.Source) }

// keeperOf returns where the text of a source's sheet is kept; nil: nowhere.
func keeperOf(source Source) *keptSheet {
	if keeper, ok := source.(interface{ keptSheet() *keptSheet }); ok {
		return keeper.keptSheet()
	}
	return nil
}

// close lets go of the text.
func (k *keptSheet) close() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.file == nil {
		return nil
	}
	file := k.file
	k.file, k.text = nil, nil
	return file.Close()
}

// openSheet returns the sheet of a workbook that is meant; nil: the source is no workbook.
func openSheet(ctx context.Context, source Source, options Options) (*sheetText, error) {
	if is, err := IsWorkbook(source); err != nil || !is {
		return nil, err
	}
	in, named := source.(inSheet)
	if !named {
		in.Source = source
	}
	kept := keeperOf(source)
	if kept == nil {
		var text strings.Builder
		sheet, err := readSheet(ctx, in, options, &text)
		if err != nil {
			return nil, err
		}
		sheet.from, sheet.size = strings.NewReader(text.String()), int64(text.Len())
		return sheet, nil
	}
	kept.mu.Lock()
	defer kept.mu.Unlock()
	key := strings.Join(append([]string{in.name, strconv.Itoa(options.withDefaults().RecordBytes)}, options.Names...), "\x00")
	if kept.text != nil && kept.key == key {
		return kept.text, nil
	}
	if kept.file != nil {
		if err := kept.file.Close(); err != nil {
			return nil, fmt.Errorf("unpack the workbook: %w", err)
		}
		kept.file, kept.text = nil, nil
	}
	file, err := newTemporary(source.Name())
	if err != nil {
		return nil, fmt.Errorf("unpack the workbook: %w", err)
	}
	sheet, err := readSheet(ctx, in, options, file.file)
	if err == nil {
		file.info, err = file.file.Stat()
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	sheet.from, sheet.size = file, file.Size()
	kept.key, kept.text, kept.file = key, sheet, file
	return sheet, nil
}

// readSheet writes the sheet that is meant as CSV.
func readSheet(ctx context.Context, source inSheet, options Options, to io.Writer) (*sheetText, error) {
	book, err := workbook.Open(source, source.Size())
	if err != nil {
		return nil, err
	}
	number, err := chooseSheet(ctx, book, source, options.Names)
	if err != nil {
		return nil, err
	}
	sheet := &sheetText{hidden: book.Sheets[number].Hidden}
	w := sheetWriter{csv: NewWriter(to, schema.Format{}), most: options.withDefaults().RecordBytes}
	sheet.notes, err = book.Rows(ctx, number, func(row *workbook.Row) error {
		if row.Hidden {
			sheet.hiddenRows = append(sheet.hiddenRows, row.Number)
		}
		return w.write(row)
	})
	if err != nil {
		return nil, err
	}
	if err := w.csv.Flush(); err != nil {
		return nil, fmt.Errorf("unpack the workbook: %w", err)
	}
	hash := sha256.New()
	if n, err := io.Copy(hash, io.NewSectionReader(source, 0, source.Size())); err != nil {
		return nil, unreadable(err)
	} else if n < source.Size() {
		return nil, shorter()
	}
	sheet.sum = [sha256.Size]byte(hash.Sum(nil))
	return sheet, source.Unchanged()
}

// sheetWriter writes rows of a sheet, each on the line of its number.
type sheetWriter struct {
	csv         *Writer
	line, bytes int
	most        int // bytes of a row
}

func (w *sheetWriter) write(row *workbook.Row) error {
	size := len(row.Cells)
	for _, cell := range row.Cells {
		size += len(cell)
	}
	if size > w.most {
		refused := schema.Refuse(schema.CodeLimitExceeded, "A row is longer than %d bytes.", w.most).At("", row.Number, 0)
		if blankCells(row.Cells) > blankTail {
			refused = refused.WithFix(deleteBlankColumns)
		}
		return refused
	}
	if w.bytes += size; w.bytes > mostSheetText {
		return schema.Refuse(schema.CodeLimitExceeded, "The sheet has more than %d MiB of text.", mostSheetText>>20).
			WithFix("Split it, or save it as CSV UTF-8.").At("", row.Number, 0)
	}
	w.csv.blankLines(row.Number - w.line - 1)
	w.line = row.Number
	if err := w.csv.WriteRaw(row.Cells); err != nil {
		return fmt.Errorf("unpack the workbook: %w", err)
	}
	return nil
}

func blankCells(cells []string) (n int) {
	for _, cell := range cells {
		if blank(cell) {
			n++
		}
	}
	return n
}

// chooseSheet returns the number of the sheet that is meant: the one that is named; else the only one with
// content, or of several the only one in which one of the first rows has one of the names. Otherwise it
// refuses the workbook, with CodeSheetUnclear.
func chooseSheet(ctx context.Context, book *workbook.Book, in inSheet, headers []string) (int, error) {
	sheets, named := book.Sheets, in.name
	call := func(number int) string {
		if in.beside {
			return in.Name() + "=" + sheets[number].Name
		}
		return sheets[number].Name
	}
	if named != "" {
		for _, same := range []func(name string) bool{
			func(name string) bool { return name == named },
			func(name string) bool { return SameHeader(name, named) },
		} {
			if i := slices.IndexFunc(sheets, func(s workbook.Sheet) bool { return same(s.Name) }); i >= 0 {
				return i, nil
			}
		}
		return 0, schema.Refuse(schema.CodeSheetUnclear, "The workbook has no sheet %q. It has: %s.", schema.Printable(named), nameSheets(sheets, nil)).
			WithFix("Name one of them: --sheet %q.", call(0))
	}
	if len(sheets) == 1 {
		return 0, nil
	}
	var filled, found []int
	for i := range sheets {
		has, header, err := firstRows(ctx, book, i, headers)
		if err != nil {
			return 0, err
		}
		if has {
			filled = append(filled, i)
		}
		if header {
			found = append(found, i)
		}
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		return 0, schema.Refuse(schema.CodeSheetUnclear, "The workbook has several sheets with a column of addresses: %s.", nameSheets(sheets, found)).
			WithFix("Say which is meant: --sheet %q.", call(found[0])).Because(sheetsError(sheets, found))
	case len(filled) <= 1:
		return cmp.Or(append(filled, 0)[0], 0), nil
	}
	return 0, schema.Refuse(schema.CodeSheetUnclear, "The workbook has several sheets, and none of them has a column of addresses that is known: %s.", nameSheets(sheets, filled)).
		WithFix("Say which is meant: --sheet %q.", call(filled[0])).Because(sheetsError(sheets, filled))
}

// SheetsError is the cause of a refusal where one of several sheets is meant: whoever can ask offers their
// names.
type SheetsError []string

func (SheetsError) Error() string { return "several sheets fit" }

func sheetsError(sheets []workbook.Sheet, numbers []int) (names SheetsError) {
	for _, i := range numbers {
		names = append(names, sheets[i].Name)
	}
	return names
}

// firstRows reports whether a sheet has content, and whether one of its first rows has one of the names.
func firstRows(ctx context.Context, book *workbook.Book, number int, names []string) (has, found bool, err error) {
	o := opening{names: names}
	rows := 0
	_, err = book.Rows(ctx, number, func(row *workbook.Row) error {
		if rows == 0 && blankCells(row.Cells) == len(row.Cells) {
			return nil
		}
		has = true
		found = found || slices.ContainsFunc(row.Cells, o.isName) && !slices.ContainsFunc(row.Cells, isAddress)
		if rows++; found || rows == headerRecords {
			return workbook.ErrEnough
		}
		return nil
	})
	return has, found, err
}

// nameSheets names sheets; all where numbers is nil.
func nameSheets(sheets []workbook.Sheet, numbers []int) string {
	const most = 20
	var names []string
	for i, sheet := range sheets {
		if numbers != nil && !slices.Contains(numbers, i) {
			continue
		}
		if len(names) == most {
			names = append(names, "…")
			break
		}
		name := fmt.Sprintf("%q", schema.Printable(sheet.Name))
		if sheet.Hidden {
			name += " (hidden)"
		}
		names = append(names, name)
	}
	return strings.Join(names, ", ")
}

// openSheet finds the header of a sheet, and notes what there is to say of it.
func (r *Reader) openSheet(ctx context.Context, options Options) error {
	if r.raw.size == 0 {
		return schema.Refuse(schema.CodeFileEmpty, "The sheet is blank: it has no header.")
	}
	r.format.BOM, r.format.Workbook = true, true // as reports of it are written
	r.opening.comma = ','
	var err error
	if _, _, r.charset.characters, err = singleByte(r.raw.f, r.raw.size); err != nil {
		return err
	}
	r.text = r.raw
	if err := r.readHeader(ctx, options.Names); err != nil {
		return err
	}
	count := func(kind schema.Repair, n int) {
		if n > 0 {
			r.repairs[kind] = n
		}
	}
	if r.sheet.hidden {
		count(schema.RepairHiddenSheet, 1)
	}
	rows, hidden, merged := 0, 0, 0
	for _, row := range r.sheet.hiddenRows {
		if row > r.headerLine {
			rows++
		}
	}
	for column := range r.header {
		if slices.ContainsFunc(r.sheet.notes.HiddenColumns, func(a workbook.Area) bool { return a.FirstColumn <= column+1 && column+1 <= a.LastColumn }) {
			hidden++
		}
	}
	for _, area := range r.sheet.notes.Merged {
		if area.LastRow >= r.headerLine {
			merged++
		}
	}
	count(schema.RepairHiddenRow, rows)
	count(schema.RepairHiddenColumn, hidden)
	count(schema.RepairMergedCells, merged)
	r.mojibake, err = r.isMojibake()
	return err
}
