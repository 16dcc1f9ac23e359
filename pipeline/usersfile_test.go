package pipeline_test

import (
	"fmt"
	"maps"
	"mime"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/encoding/charmap"
	utf "golang.org/x/text/encoding/unicode"
	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"

	"github.com/claimline/claimline/schema"
)

// This file makes up users files, with every kind of mistake in them, and knows what must become of each row.

const emailColumn = "User ID/Email (Required)"

var (
	nameColumns     = []string{"First Name", "Last Name", "Display Name"}
	textColumns     = append(slices.Clip(nameColumns), "Title", "Department")
	editColumns     = append(slices.Clip(textColumns), "Phone Number", "Preferred Language")
	readOnlyColumns = []string{"User Status", "Last Service Accessed Time", "Source Organization"}
	otherColumns    = []string{"Phone Number", "Preferred Language", "Claim Type", "Claim"}
	unknownColumns  = []string{"Anmärkning", "", "", "=Formula", "+Plus"}
	addedColumns    = []string{"Claimline Line", "Claimline Result", "Claimline Reason", "Claimline Message", "Claimline Fix", "Claimline Edits"}

	trues        = []string{"TRUE", "true", "T", "t"}
	falses       = []string{"FALSE", "f", "False", "F"}
	trueWords    = []string{"YES", "y", "1", "X", "Ja", "SANT", "wahr", "Истина", "DOĞRU"}
	falseWords   = []string{"no", "N", "0", "nej", "FALSKT", "ЛОЖЬ", "yanlış", "epätosi"}
	badBooleans  = []string{"maybe", "ok", "2", "TRUEE", "TRUE FALSE", "-", "ja nej"}
	phoneWords   = []string{"+46 70 123 45 67", "0046701234567", "+46-70.123/45 67", "+46 (70) 123 45 67", "00 46701234567"} // all one number
	unsigned     = "46701234567"
	badPhones    = []string{"070-1234567", "+0701234567", "46709999999", "+1234567890123456", "+46(0)701234567", "4,67E+10", "+46 70 x"}
	tagWords     = map[string]string{"sv_SE": "sv-SE", "zh_Hant_TW": "zh-Hant-TW"}
	badLanguages = []string{"svenska", "s", "sv-", "en--US", "_sv"}
	badTypes     = []string{"now", "delay", "immediately"}
	badEmails    = []string{
		"ann", "@acme.example", "ann@", "ann@localhost", "ann@acme.example.", "a..b@acme.example", ".a@acme.example", "ann lee@acme.example", `"ann"@acme.example`,
		"ann@[192.0.2.1]", "Ann Lee <ann@acme.example>", "ann@ac_me.example", "ann@xn--99999999.example", strings.Repeat("a", 65) + "@acme.example", "ann@acme.example\nbo@acme.example",
	}
	longEmails  = []string{"a@" + strings.Repeat("b", 253) + ".example", strings.Repeat("å", 130)}
	longTexts   = []string{strings.Repeat("å", 65), strings.Repeat("x", 2000)}
	longAndBad  = strings.Repeat("x", 70) + "\ny"
	sheetErrors = []string{"#N/A", "#REF!", "#NAME?", "#DIV/0!", "####"}
	badTexts    = append(sheetErrors, "two\nlines", "two\r\nlines", "tab\tinside", "bell\ax", "del\x7fx", "next\u0085line", "line\u2028separator", longAndBad)
	nothings    = []string{"NULL", "(null)", "none", "NaN", "n/a", `\N`}
	junk        = []string{"", "x y", "Åäö", "two\nlines", "two\r\nlines", "\n", "\r", `say "hi"`, ";,|\t", "=1+1", "'=1", "''=1", "'x", "+4", "-", "\t=1", " padded ", "\u00a0", "\a", strings.Repeat("long ", 40)}
	blanks      = []string{" ", "\t", "\u00a0", "\u200b", "  \u2009", "\u200e", "\u200f"}
)

// usersFile is a file, with what must become of it.
type usersFile struct {
	columns    []string // what each column is: a known column, a service, or another header
	header     []string // as written
	delimiter  byte
	crlf, bom  bool // of a report too
	encoding   string
	noEdits    bool // how it is to be read
	repairs    map[string]int
	unknown    []string
	above      string // the text above the rows
	bytes      []byte
	rows       []*usersRow
	spoilsText bool // some bytes of it cannot be decoded
}

// usersRow is a row of a file that is not blank.
type usersRow struct {
	cells []string // as written
	good  []string // the same row without mistakes, for somebody who could be claimed
	text  string   // the whole of it
	line  int
	want  expected
}

// order returns how the file is to be read.
func (f *usersFile) order() schema.Order {
	return schema.Order{Organization: us, NoEdits: f.noEdits}
}

func (f *usersFile) drawColumns(c choices, w *world) {
	for _, column := range slices.Concat([]string{emailColumn}, textColumns, readOnlyColumns, otherColumns) {
		if column == emailColumn || c.chance(80) {
			f.columns = append(f.columns, column)
		}
	}
	for _, s := range w.services {
		if c.chance(70) {
			f.columns = append(f.columns, s.name)
		}
	}
	for _, column := range unknownColumns {
		if c.chance(25) || column == "Anmärkning" && f.spoilsText {
			f.columns = append(f.columns, column)
		}
	}
	if c.chance(20) {
		f.columns = append(f.columns, addedColumns...)
	}
	if c.chance(50) {
		f.columns = rapid.Permutation(f.columns).Draw(c.T, "columns")
	}
	if last := len(f.columns) - 1; f.columns[last] == "" { // a blank header at the end is none
		at := slices.Index(f.columns, emailColumn)
		f.columns[last], f.columns[at] = f.columns[at], f.columns[last]
	}
	f.header = make([]string, len(f.columns))
	for i, column := range f.columns {
		header := guard(column)
		f.header[i] = pick(c, header, strings.ToUpper(header))
		if column != "" && c.chance(10) {
			f.header[i] = pick(c, " "+header, "\u200b"+header, header+"\u2060", strings.ReplaceAll(header, " ", "\u00a0 ")+"\u200b", strings.ReplaceAll(header, " ", "\r\n ")+" \u200e ")
			if f.known(i) {
				f.repairs["header_cleaned"]++
			}
		}
		if !f.known(i) && column != "" && !slices.Contains(addedColumns, column) {
			f.unknown = append(f.unknown, plainText(clean(f.header[i])))
		}
	}
}

// known reports whether a column is one that is read.
func (f *usersFile) known(i int) bool {
	return f.is(i, emailColumn) || f.is(i, textColumns...) || f.is(i, readOnlyColumns...) || f.is(i, otherColumns...) || f.service(i)
}

func (f *usersFile) is(i int, columns ...string) bool { return slices.Contains(columns, f.columns[i]) }

func (f *usersFile) service(i int) bool { return f.is(i, "=Rooms", "Calling", "Möten") }

// at returns the place of a column, or -1.
func (f *usersFile) at(column string) int { return slices.Index(f.columns, column) }

// value returns what a row of as many cells as the header has says in a column.
func (f *usersFile) value(cells []string, column string) string {
	if i := f.at(column); i >= 0 {
		return clean(cells[i])
	}
	return ""
}

// drawUsersFile makes up a file of so many rows at least, blank ones included.
func drawUsersFile(t *rapid.T, w *world, least int) *usersFile {
	c := choices{t}
	f := &usersFile{
		delimiter: pick(c, byte(','), ';', '\t', '|'), crlf: c.chance(40), repairs: map[string]int{}, spoilsText: c.chance(15), noEdits: c.chance(15),
	}
	f.encoding = pick(c, "UTF-8", "UTF-8", "UTF-8 with BOM", "UTF-16LE", "UTF-16BE", "Windows-1252")
	if f.spoilsText {
		f.encoding = pick(c, "UTF-8", "UTF-8 with BOM")
	}
	f.drawColumns(c, w)
	if len(f.columns) == 1 {
		f.delimiter = ','
	}

	f.above = f.drawAbove(c)
	var text strings.Builder
	text.WriteString(f.above)
	for range least + c.upTo(40) {
		if c.chance(8) {
			row := make([]string, 1+c.upTo(len(f.columns)))
			for i := range row {
				row[i] = pick(c, "", "", " ", "\u00a0")
			}
			text.WriteString(f.written(c, row))
			f.repairs["blank_row"]++
			continue
		}
		if c.chance(4) {
			text.WriteString(f.written(c, f.header))
			f.repairs["header_repeated"]++
			continue
		}
		row := f.drawRow(c, w)
		row.line = 1 + strings.Count(text.String(), "\n")
		row.text = f.written(c, row.cells)
		text.WriteString(row.text)
		if !slices.ContainsFunc(row.cells, func(cell string) bool { return strings.TrimFunc(cell, isBlank) != "" }) {
			f.repairs["blank_row"]++
			continue
		}
		f.rows = append(f.rows, row)
	}
	if c.chance(5) && strings.HasPrefix(f.encoding, "UTF-8") {
		text.WriteString("\x1a")
		f.repairs["end_mark"]++
	}
	f.expectAll(w)
	f.settleEncoding(w, text.String())
	f.bytes = f.encoded(t, text.String())
	maps.DeleteFunc(f.repairs, func(_ string, n int) bool { return n == 0 })
	return f
}

// drawAbove makes up the header and what stands above it.
func (f *usersFile) drawAbove(c choices) string {
	var text strings.Builder
	for range c.upTo(2) * c.upTo(1) {
		text.WriteString(f.written(c, pick(c, []string{""}, []string{"#TYPE System.Object"}, []string{"version:v1.0"}, []string{"Users to claim", ""})))
	}
	f.repairs["preamble"] = strings.Count(text.String(), "\n")
	text.WriteString(f.written(c, f.header))
	return text.String()
}

// written returns one row as CSV, quoting more cells than need it.
func (f *usersFile) written(c choices, cells []string) string {
	var text strings.Builder
	for i, cell := range cells {
		if i > 0 {
			text.WriteByte(f.delimiter)
		}
		if strings.ContainsAny(cell, "\"\r\n"+string(rune(f.delimiter))) || c.chance(5) {
			cell = `"` + strings.ReplaceAll(cell, `"`, `""`) + `"`
		}
		text.WriteString(cell)
	}
	if f.crlf {
		text.WriteByte('\r')
	}
	text.WriteByte('\n')
	return text.String()
}

// settleEncoding settles how the text is written: in Windows-1252 only where that has every character, and
// where it is certain that the file is.
func (f *usersFile) settleEncoding(w *world, text string) {
	if f.encoding == "Windows-1252" {
		encoded, err := charmap.Windows1252.NewEncoder().String(text)
		if err != nil || utf8.ValidString(encoded) || hasMultiByte(encoded) || !f.certain(w) {
			f.encoding = "UTF-8"
		}
	}
	switch f.encoding {
	case "UTF-8 with BOM":
		f.repairs["bom"] = 1
	case "UTF-16LE", "UTF-16BE":
		f.repairs["utf16"] = 1
	case "Windows-1252":
		f.repairs["windows1252"] = 1
	}
	f.bom = f.repairs["bom"]+f.repairs["utf16"] > 0
	if f.delimiter != ',' {
		f.repairs["delimiter"] = 1
	}
}

// certain reports whether at least nine in ten names that are not ASCII say what the accounts say, where
// these are not ASCII.
func (f *usersFile) certain(w *world) bool {
	if w.offline {
		return true
	}
	compared, agree := 0, 0
	for _, row := range f.rows {
		cells, _, ok := f.fitted(row.cells)
		if !ok {
			continue
		}
		p := w.person(f.key(row.cells))
		for i, column := range nameColumns {
			if cell := f.value(cells, column); p != nil && !isASCII(cell) && !isASCII(p.texts[i]) {
				compared++
				if plainText(cell) == plainText(p.texts[i]) {
					agree++
				}
			}
		}
	}
	return compared > 0 && agree*10 >= compared*9
}

// encoded turns the text into the bytes of the file.
func (f *usersFile) encoded(t require.TestingT, text string) []byte {
	encoded, err := text, error(nil)
	switch f.encoding {
	case "UTF-8 with BOM":
		encoded = "\ufeff" + text
	case "UTF-16LE":
		encoded, err = utf.UTF16(utf.LittleEndian, utf.UseBOM).NewEncoder().String(text)
	case "UTF-16BE":
		encoded, err = utf.UTF16(utf.BigEndian, utf.UseBOM).NewEncoder().String(text)
	case "Windows-1252":
		encoded, err = charmap.Windows1252.NewEncoder().String(text)
	}
	require.NoError(t, err)
	return []byte(encoded)
}

func hasMultiByte(s string) bool {
	for i := range len(s) {
		if r, width := utf8.DecodeRuneInString(s[i:]); r != utf8.RuneError && width > 1 {
			return true
		}
	}
	return false
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r >= utf8.RuneSelf })
}

// drawRow makes up a row: a good one, mostly, and then up to three mistakes in it.
func (f *usersFile) drawRow(c choices, w *world) *usersRow {
	p := pick(c, w.people...)
	if ready := w.ready(); len(ready) > 0 && c.chance(50) {
		p = pick(c, ready...)
	}
	cells := make([]string, len(f.columns))
	for i := range f.columns {
		cells[i] = f.drawCell(c, w, p, i)
	}
	row := &usersRow{cells: cells, good: slices.Clone(cells)}
	if i := f.at("Claim Type"); i >= 0 {
		row.good[i] = ""
	}
	if c.chance(50) {
		return row
	}
	for range 1 + c.upTo(2)*c.upTo(1) {
		row.cells = f.spoil(c, row.cells)
	}
	return row
}

// drawCell makes up a cell without a mistake.
func (f *usersFile) drawCell(c choices, w *world, p *person, i int) string {
	var cell string
	switch {
	case f.is(i, emailColumn):
		cell = p.spelling(c)
	case f.is(i, textColumns...):
		cell = f.drawText(c, p.texts[slices.Index(textColumns, f.columns[i])])
	case f.is(i, "Phone Number"):
		cell = pick(c, append(goodPhones, phoneWords...)...)
		if c.chance(30) {
			cell = p.phone
			if cell == "+"+unsigned && !w.offline && !p.standing().gone && c.chance(50) {
				cell = unsigned
			}
		}
	case f.is(i, "Preferred Language"):
		cell = pick(c, append(goodLanguages, "sv_SE", "zh_Hant_TW", p.language)...)
	case f.is(i, "Claim Type"):
		_, _, planned, _ := w.rules(p, "")
		cell = pick(c, "", "", planned, strings.ToUpper(planned), pick(c, "", "", "immediate", "Delayed"))
	case f.is(i, "Claim"):
		cell = pick(c, append(trues, pick(c, trueWords...))...)
	case f.service(i):
		cell = pick(c, "", "", pick(c, trues...), pick(c, falses...), pick(c, trueWords...), pick(c, falseWords...))
	default:
		return pick(c, junk...)
	}
	if cell != "" && cell[0] != '\'' && !strings.Contains(cell, `"`) && c.chance(5) {
		return `="` + cell + `"`
	}
	if strings.HasPrefix(cell, "'") || c.chance(50) { // who leaves out a guard that is not needed
		cell = guard(cell)
	}
	if cell != "" && c.chance(4) {
		cell = pick(c, blanks...) + cell + pick(c, blanks...)
	}
	return cell
}

// drawText makes up a text that stands where an account has its own.
func (f *usersFile) drawText(c choices, own string) string {
	if f.encoding == "Windows-1252" {
		return pick(c, "", own, own, own, "Ann")
	}
	switch c.upTo(9) {
	case 0, 1, 2:
		return own
	case 3: // what nobody sees makes no difference
		if decomposed := norm.NFD.String(own); utf8.RuneCountInString(decomposed) <= 64 {
			own = pick(c, own, decomposed)
		}
		return pick(c, own, strings.ReplaceAll(own, " ", "\u00a0  "), strings.ReplaceAll(own, "n", "\u200b\u00adn"))
	case 4:
		if all := disguises(own); len(all) > 0 {
			return pick(c, all...)
		}
		return pick(c, nothings...)
	case 5:
		return pick(c, append(nothings, "?ukasz", "Sprzeda?", "K\ufffdre", "Who?")...)
	case 6:
		return pick(c, "A\u200bnn", "Zoe\u0308", "Müller", "&Aring;sa", "H=C3=A5kan", "TRUE", "2026-01-02")
	}
	return pick(c, goodTexts...)
}

// disguises returns an account's value still encoded, as long as a cell can hold it.
func disguises(own string) (all []string) {
	if isASCII(own) {
		return nil
	}
	var entities, escapes strings.Builder
	for _, r := range own {
		if r < utf8.RuneSelf {
			entities.WriteRune(r)
			escapes.WriteRune(r)
			continue
		}
		fmt.Fprintf(&entities, "&#%d;", r)
		fmt.Fprintf(&escapes, `\u%04x`, r)
	}
	for _, disguise := range []string{entities.String(), escapes.String(), mime.QEncoding.Encode("UTF-8", own), url.PathEscape(own)} {
		if utf8.RuneCountInString(disguise) <= 64 {
			all = append(all, disguise)
		}
	}
	return all
}

// spoil makes one mistake in a row; in one that has too few or too many cells, no further.
func (f *usersFile) spoil(c choices, cells []string) []string {
	if len(cells) != len(f.columns) {
		return cells
	}
	cells = slices.Clone(cells)
	set := func(value string, columns ...string) {
		var places []int
		for i := range cells {
			if f.is(i, columns...) {
				places = append(places, i)
			}
		}
		if len(places) > 0 {
			cells[pick(c, places...)] = value
		}
	}
	switch c.upTo(17) {
	case 0:
		set(pick(c, badBooleans...), "Claim")
	case 1:
		set(pick(c, pick(c, falses...), pick(c, falseWords...), " False "), "Claim")
	case 2:
		set(pick(c, "", "", "\u00a0"), "Claim")
	case 3:
		set(pick(c, "", " ", "\u200b"), emailColumn)
	case 4:
		set(pick(c, longEmails...), emailColumn)
	case 5:
		set(pick(c, badEmails...), emailColumn)
	case 6:
		set(pick(c, "nobody@acme.example", "NOBODY@other.example", "nobody@unheard-of.example"), emailColumn)
	case 7:
		set(pick(c, longTexts...), textColumns...)
	case 8:
		set(pick(c, badTexts...), textColumns...)
	case 9:
		set(pick(c, append(badPhones, unsigned, unsigned)...), "Phone Number")
	case 10:
		set(pick(c, badLanguages...), "Preferred Language")
	case 11:
		set(pick(c, badTypes...), "Claim Type")
	case 12:
		set(pick(c, badBooleans...), "=Rooms", "Calling", "Möten")
	case 13:
		cells = cells[:c.upTo(max(0, len(cells)-1))]
	case 14:
		for range c.upTo(2) {
			cells = append(cells, pick(c, junk...))
		}
		cells = append(cells, pick(c, "too many", "Å", "=1"))
	case 15:
		if f.spoilsText {
			set("K\xe5re", append([]string{"Anmärkning", "User Status"}, textColumns...)...)
		} else {
			cells = append(cells, pick(c, []string{""}, []string{" ", ""}, []string{"", "\u00a0", ""})...)
		}
	default: // the address of an earlier row
		if len(f.rows) > 0 {
			earlier := pick(c, f.rows...)
			if len(earlier.cells) == len(f.columns) {
				set(earlier.cells[f.at(emailColumn)], emailColumn)
			}
		}
	}
	return cells
}

// ready lists the people who may be claimed.
func (w *world) ready() (ready []*person) {
	for _, p := range w.people {
		if outcome, _, _, _ := w.rules(p, ""); outcome == "ready" {
			ready = append(ready, p)
		}
	}
	return ready
}

func isBlank(r rune) bool {
	return unicode.IsSpace(r) || strings.ContainsRune("\u180e\u200b\u200c\u200d\u200e\u200f\u2060\ufeff", r)
}

// clean returns how a cell is read: trimmed, then without its guard, or what makes a text of it.
func clean(cell string) string {
	cell = strings.TrimFunc(cell, isBlank)
	switch {
	case isTextFormula(cell):
		return strings.TrimFunc(cell[2:len(cell)-1], isBlank)
	case strings.HasPrefix(cell, "'") && formula.MatchString(cell):
		return cell[1:]
	}
	return cell
}

// isTextFormula reports whether a cell is a formula that is nothing but text.
func isTextFormula(cell string) bool {
	return strings.HasPrefix(cell, `="`) && len(cell) > 3 && strings.Count(cell, `"`) == 2 && strings.HasSuffix(cell, `"`)
}

// fitted returns a row with as many cells as the header, where it can be made so, and how it was: see the
// repairs.
func (f *usersFile) fitted(cells []string) (fit []string, repair string, ok bool) {
	width, least := len(f.columns), f.at("Claim")+1
	if least == 0 {
		for i := range f.columns {
			if f.known(i) && !f.service(i) {
				least = i + 1
			}
		}
	}
	switch {
	case len(cells) == width:
		return cells, "", true
	case len(cells) < width && len(cells) >= least:
		return append(slices.Clone(cells), make([]string, width-len(cells))...), "cells_missing", true
	case len(cells) > width && strings.TrimFunc(strings.Join(cells[width:], ""), isBlank) == "":
		return cells[:width], "cells_surplus", true
	}
	return cells, "", false
}

// leavesAlone returns the reason why a row that fits leaves its user alone; blank: it does not.
func (f *usersFile) leavesAlone(cells []string) string {
	switch value := f.value(cells, "Claim"); {
	case f.at("Claim") < 0:
		return ""
	case value == "":
		return "claim_blank"
	case slices.Contains(falses, value), slices.Contains(falseWords, value):
		return "claim_false"
	}
	return ""
}

// key returns the address key of a row that counts among those of one address; blank for one that does not.
func (f *usersFile) key(cells []string) string {
	cells, _, ok := f.fitted(cells)
	if !ok {
		return ""
	}
	address := f.value(cells, emailColumn)
	if address == "" || slices.Contains(badEmails, address) || slices.Contains(longEmails, address) {
		return ""
	}
	return keyOf(address)
}

// keyOf returns the key of a valid address.
func keyOf(address string) string {
	address = norm.NFC.String(strings.ToLower(address))
	for idn, ascii := range asciiDomains {
		if local, ok := strings.CutSuffix(address, "@"+idn); ok {
			return local + "@" + ascii
		}
	}
	return address
}

// plainText returns a text as it looks: in NFC, without what nobody sees, with one blank for white space of
// any kind.
func plainText(text string) string { return strings.Join(strings.Fields(seen(text)), " ") }

// seen returns a text in NFC without what nobody sees.
func seen(text string) string {
	return norm.NFC.String(strings.NewReplacer("\u200b", "", "\u00ad", "", "\u2060", "", "\ufeff", "", "\u200e", "").Replace(text))
}

// edits returns what a row changes of an account, and the columns that it leaves as they are because they are
// doubtful (R17).
func (f *usersFile) edits(p *person, cells []string) (edits map[string][2]string, doubtful []string) {
	for i, column := range editColumns {
		own := p.own(column)
		cell := f.value(cells, column)
		switch column {
		case "Phone Number":
			if slices.Contains(phoneWords, cell) || cell == unsigned {
				cell = "+" + unsigned
			}
		case "Preferred Language":
			if tag := tagWords[cell]; tag != "" {
				cell = tag
			}
		}
		if cell == "" || plainText(cell) == plainText(own) {
			continue
		}
		if i < len(textColumns) && f.doubtful(cell, own, i < len(nameColumns)) {
			doubtful = append(doubtful, column)
			continue
		}
		if edits == nil {
			edits = map[string][2]string{}
		}
		edits[column] = [2]string{own, seen(cell)}
	}
	return edits, doubtful
}

func (f *usersFile) doubtful(cell, own string, name bool) bool {
	for _, word := range nothings {
		if strings.EqualFold(word, cell) {
			return true
		}
	}
	return strings.Contains(cell, "\ufffd") || strings.Contains(cell, "?") && (name || !isASCII(own)) || slices.Contains(disguises(own), cell)
}

// expectAll finds out what must become of every row.
func (f *usersFile) expectAll(w *world) {
	left := map[string]int{}  // key → the first line that leaves it alone
	first := map[string]int{} // key → the first line that does not
	for _, row := range f.rows {
		if key := f.key(row.cells); key != "" {
			lines := first
			if cells, _, _ := f.fitted(row.cells); f.leavesAlone(cells) != "" {
				lines = left
			}
			if lines[key] == 0 {
				lines[key] = row.line
			}
		}
	}
	given := map[string]int{}
	for _, row := range f.rows {
		row.want = f.expect(w, row, first, left, given)
		row.want.line = row.line
	}
}

// expect makes the row checks, in their order, and then the rules.
func (f *usersFile) expect(w *world, row *usersRow, first, left, given map[string]int) (e expected) {
	if at := f.at(emailColumn); at < len(row.cells) {
		e.email = clean(row.cells[at])
	}
	cells, repair, ok := f.fitted(row.cells)
	if !ok {
		e.outcome, e.reasons = "invalid", []string{"field_count"}
		return e
	}
	if repair != "" {
		f.repairs[repair]++
	}
	for i, cell := range cells {
		if f.known(i) && strings.TrimFunc(cell, isBlank) != cell {
			f.repairs["blanks_trimmed"]++
		}
		if f.known(i) && isTextFormula(strings.TrimFunc(cell, isBlank)) {
			f.repairs["text_formula"]++
		}
	}
	value := func(column string) string { return f.value(cells, column) }
	wrong := func(reason string, i int) {
		if len(e.reasons) == 0 {
			e.outcome, e.column = "invalid", plainText(clean(f.header[i]))
		}
		if !slices.Contains(e.reasons, reason) {
			e.reasons = append(e.reasons, reason)
		}
	}
	isWord := func(cell string) bool { return slices.Contains(trueWords, cell) || slices.Contains(falseWords, cell) }

	if isWord(value("Claim")) {
		f.repairs["boolean_words"]++
	}
	if slices.Contains(badBooleans, value("Claim")) {
		wrong("boolean_invalid", f.at("Claim"))
	}
	if reason := f.leavesAlone(cells); reason != "" {
		e.outcome, e.reasons = "skipped", []string{reason}
		return e
	}
	switch address := value(emailColumn); {
	case address == "":
		wrong("email_missing", f.at(emailColumn))
	case slices.Contains(longEmails, address):
		wrong("email_too_long", f.at(emailColumn))
	case slices.Contains(badEmails, address):
		wrong("email_invalid", f.at(emailColumn))
	}
	for _, column := range textColumns {
		if text := value(column); slices.Contains(longTexts, text) || text == longAndBad {
			wrong("text_too_long", f.at(column))
		}
	}
	for _, column := range textColumns {
		if text := value(column); !utf8.ValidString(text) || slices.Contains(badTexts, text) {
			wrong("text_invalid", f.at(column))
		}
	}
	for i, cell := range cells {
		if !utf8.ValidString(cell) {
			wrong("text_invalid", i)
		}
	}
	key := f.key(row.cells)
	e.person = w.person(key)
	if phone := value("Phone Number"); slices.Contains(phoneWords, phone) {
		f.repairs["phone_spelling"]++
	} else if own := e.person != nil && !w.offline && !e.person.standing().gone && e.person.phone == "+"+unsigned; slices.Contains(badPhones, phone) || phone == unsigned && !own {
		wrong("phone_invalid", f.at("Phone Number"))
	}
	if language := value("Preferred Language"); tagWords[language] != "" {
		f.repairs["language_spelling"]++
	} else if slices.Contains(badLanguages, language) {
		wrong("language_invalid", f.at("Preferred Language"))
	}
	if slices.Contains(badTypes, value("Claim Type")) {
		wrong("claim_type_invalid", f.at("Claim Type"))
	}
	assignments := map[string]string{}
	for i, column := range f.columns {
		if !f.service(i) {
			continue
		}
		cell := value(column)
		if isWord(cell) {
			f.repairs["boolean_words"]++
		}
		switch {
		case slices.Contains(badBooleans, cell):
			wrong("boolean_invalid", i)
		case slices.Contains(trues, cell), slices.Contains(trueWords, cell):
			assignments[column] = "TRUE"
		case cell != "":
			assignments[column] = "FALSE"
		}
	}
	if line := first[key]; key != "" && line != row.line {
		e.other = line
		wrong("duplicate_row", f.at(emailColumn))
	}
	if line := left[key]; key != "" && line != 0 {
		e.other = line
		wrong("claim_contradicted", f.at("Claim"))
	}
	if len(e.reasons) > 0 {
		if e.reasons[0] == "duplicate_row" {
			e.other = first[key]
		} else if e.reasons[0] != "claim_contradicted" {
			e.other = 0
		}
		return e
	}

	e.outcome, e.reasons, e.claimType, e.warnings = w.rules(e.person, strings.ToLower(value("Claim Type")))
	switch {
	case e.outcome == "ready":
		if !f.noEdits && !w.offline {
			var doubtful []string
			e.edits, doubtful = f.edits(e.person, cells)
			for _, column := range doubtful {
				e.warnings = append(e.warnings, "edit_doubtful:"+column)
			}
		}
		w.license(&e, assignments, given)
	case e.reasons[0] == "stale_claim_type":
		e.column, e.claimType = plainText(clean(f.header[f.at("Claim Type")])), ""
	default:
		e.claimType = ""
	}
	return e
}

// parseCSV reads CSV as a reader does that keeps every byte of a cell.
func parseCSV(t require.TestingT, text string, delimiter byte) (rows [][]string) {
	for text != "" {
		var row []string
		for {
			var cell string
			if strings.HasPrefix(text, `"`) {
				text = text[1:]
				for {
					before, after, found := strings.Cut(text, `"`)
					require.True(t, found, "a quote is not closed")
					cell, text = cell+before, after
					if !strings.HasPrefix(text, `"`) {
						break
					}
					cell, text = cell+`"`, text[1:]
				}
			} else {
				end := strings.IndexAny(text, "\r\n"+string(rune(delimiter)))
				require.GreaterOrEqual(t, end, 0)
				cell, text = text[:end], text[end:]
			}
			row = append(row, cell)
			if text[0] != delimiter {
				break
			}
			text = text[1:]
		}
		if strings.HasPrefix(text, "\r\n") {
			text = text[1:]
		}
		require.True(t, strings.HasPrefix(text, "\n"), "%q is no line end", text[:1])
		text = text[1:]
		rows = append(rows, row)
	}
	return rows
}

func TestParseCSV(t *testing.T) {
	require.Equal(t, [][]string{{"a", "", "b\r\nc"}, {`say "hi"`}, {""}, {"", ";"}}, parseCSV(t, "a,,\"b\r\nc\"\r\n\"say \"\"hi\"\"\"\n\"\"\n,;\n", ','))
}
