package pipeline_test

import (
	"maps"
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
)

// This file makes up users files, with every kind of mistake in them, and knows what must become of each row.

const emailColumn = "User ID/Email (Required)"

var (
	textColumns     = []string{"First Name", "Last Name", "Display Name", "Title", "Department"}
	readOnlyColumns = []string{"User Status", "Last Service Accessed Time", "Source Organization"}
	otherColumns    = []string{"Phone Number", "Preferred Language", "Claim Type", "Claim"}
	addedColumns    = []string{"Claimline Result", "Claimline Reason", "Claimline Message", "Claimline Fix"}

	badBooleans  = []string{"maybe", "yes", "1", "SANT", "TRUEE", "TRUE FALSE"}
	badPhones    = []string{"070-1234567", "+46 70 123 45 67", "+0701234567", "46701234567", "+1234567890123456", "+46(0)70"}
	badLanguages = []string{"svenska", "sv_SE", "s", "sv-", "en--US"}
	badTypes     = []string{"now", "delay", "immediately"}
	badEmails    = []string{
		"ann", "@acme.example", "ann@", "ann@localhost", "ann@acme.example.", "a..b@acme.example", ".a@acme.example", "ann lee@acme.example", `"ann"@acme.example`,
		"ann@[192.0.2.1]", "Ann Lee <ann@acme.example>", "ann@ac_me.example", "ann@xn--99999999.example", strings.Repeat("a", 65) + "@acme.example", "ann@acme.example\nbo@acme.example",
	}
	longEmails = []string{"a@" + strings.Repeat("b", 253) + ".example", strings.Repeat("å", 130)}
	longTexts  = []string{strings.Repeat("å", 65), strings.Repeat("x", 2000)}
	badTexts   = []string{"two\nlines", "two\r\nlines", "tab\tinside", "bell\a", "del\x7f", "next\u0085line", "line\u2028separator", strings.Repeat("x", 70) + "\n"}
	junk       = []string{"", "x", "Åäö", "two\nlines", "two\r\nlines", "\n", "\r", `say "hi"`, ";,|\t", "=1+1", "'=1", "''=1", "'x", "+4", "-", "\t=1", " padded ", "\u00a0", "\a", strings.Repeat("long ", 40)}
	blanks     = []string{" ", "\t", "\u00a0", "\u200b", "\u202a", "  \u2009"}
)

// usersFile is a file, with what must become of it.
type usersFile struct {
	columns    []string // what each column is: a known column, a service, or another header
	header     []string // as written
	delimiter  byte
	crlf, bom  bool // of a report too
	encoding   string
	repairs    map[string]int
	unknown    []string
	bytes      []byte
	rows       []*usersRow
	spoilsText bool // some bytes of it cannot be decoded
}

// usersRow is a row of a file that is not blank.
type usersRow struct {
	cells []string // as written
	good  []string // the same row without mistakes, for somebody who could be claimed
	want  expected
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
	for _, column := range []string{"Anmärkning", "", "", "=Formula", "'=Quoted"} {
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
	for f.columns[len(f.columns)-1] == "" { // a blank header at the end is no column
		f.columns = f.columns[:len(f.columns)-1]
	}
	f.header = make([]string, len(f.columns))
	for i, column := range f.columns {
		header := guard(column)
		f.header[i] = pick(c, header, header, header, header, header, header, strings.ToUpper(header), " "+header+"\u00a0")
		if !f.known(i) && column != "" && !slices.Contains(addedColumns, column) {
			f.unknown = append(f.unknown, clean(f.header[i]))
		}
	}
}

// known reports whether a column is one that is read.
func (f *usersFile) known(i int) bool {
	return f.is(i, emailColumn) || f.is(i, textColumns...) || f.is(i, readOnlyColumns...) || f.is(i, otherColumns...) || f.service(i)
}

func (f *usersFile) is(i int, columns ...string) bool { return slices.Contains(columns, f.columns[i]) }

func (f *usersFile) service(i int) bool { return f.is(i, "=Rooms", "Calling", "Möten") }

// drawUsersFile makes up a file of so many rows at least, blank ones included.
func drawUsersFile(t *rapid.T, w *world, least int) *usersFile {
	c := choices{t}
	f := &usersFile{delimiter: pick(c, byte(','), ';', '\t', '|'), crlf: c.chance(40), repairs: map[string]int{}, spoilsText: c.chance(15)}
	f.encoding = pick(c, "UTF-8", "UTF-8", "UTF-8 with BOM", "UTF-16LE", "UTF-16BE", "Windows-1252")
	if f.spoilsText {
		f.encoding = pick(c, "UTF-8", "UTF-8 with BOM")
	}
	f.drawColumns(c, w)
	if len(f.columns) == 1 {
		f.delimiter = ','
	}

	var text strings.Builder
	for range c.upTo(2) * c.upTo(1) {
		f.write(c, &text, []string{""})
		f.repairs["preamble"]++
	}
	f.write(c, &text, f.header)
	byKey := map[string]*usersRow{}
	given := map[string]int{}
	for range least + c.upTo(40) {
		if c.chance(8) {
			row := make([]string, 1+c.upTo(len(f.columns)))
			for i := range row {
				row[i] = pick(c, "", "", " ", "\u00a0")
			}
			f.write(c, &text, row)
			f.repairs["blank_row"]++
			continue
		}
		row := f.drawRow(c, w)
		line := 1 + strings.Count(text.String(), "\n")
		f.write(c, &text, row.cells)
		if !slices.ContainsFunc(row.cells, func(cell string) bool { return strings.TrimFunc(cell, isBlank) != "" }) {
			f.repairs["blank_row"]++
			continue
		}
		row.want = f.expect(w, row.cells, byKey, given)
		row.want.line = line
		f.rows = append(f.rows, row)
		if key := f.key(row.cells); key != "" && byKey[key] == nil {
			byKey[key] = row
		}
	}
	f.encode(t, text.String())
	return f
}

// write writes one row as CSV, quoting more cells than need it.
func (f *usersFile) write(c choices, text *strings.Builder, cells []string) {
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
}

// encode turns the text into the bytes of the file; Windows-1252 only where it holds every character, and where the file
// would be known by it.
func (f *usersFile) encode(t *rapid.T, text string) {
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
		if err != nil || utf8.ValidString(encoded) || hasMultiByte(encoded) {
			f.encoding, encoded, err = "UTF-8", text, nil
		}
	}
	require.NoError(t, err)
	f.bytes = []byte(encoded)
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
	maps.DeleteFunc(f.repairs, func(_ string, n int) bool { return n == 0 })
}

func hasMultiByte(s string) bool {
	for i := range len(s) {
		if r, width := utf8.DecodeRuneInString(s[i:]); r != utf8.RuneError && width > 1 {
			return true
		}
	}
	return false
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
	for i := range cells {
		if f.is(i, "Claim Type", "Claim") {
			row.good[i] = ""
		}
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
		cell = pick(c, goodTexts...)
	case f.is(i, "Phone Number"):
		cell = pick(c, goodPhones...)
	case f.is(i, "Preferred Language"):
		cell = pick(c, goodLanguages...)
	case f.is(i, "Claim Type"):
		_, _, planned, _ := w.rules(p, "")
		cell = pick(c, "", "", planned, strings.ToUpper(planned), pick(c, "", "", "immediate", "Delayed"))
	case f.is(i, "Claim"):
		cell = pick(c, "", "TRUE", "true", "T", "t")
	case f.service(i):
		cell = pick(c, "", "", "TRUE", "FALSE", "t", "f")
	default:
		return pick(c, junk...)
	}
	if strings.HasPrefix(cell, "'") || c.chance(50) { // who leaves out a guard that is not needed
		cell = guard(cell)
	}
	if cell != "" && c.chance(4) {
		cell = pick(c, blanks...) + cell + pick(c, blanks...)
	}
	return cell
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
	switch c.upTo(15) {
	case 0:
		set(pick(c, badBooleans...), "Claim")
	case 1:
		set(pick(c, "FALSE", "f", " False "), "Claim")
	case 2:
		set(pick(c, "", " ", "\u200b"), emailColumn)
	case 3:
		set(pick(c, longEmails...), emailColumn)
	case 4:
		set(pick(c, badEmails...), emailColumn)
	case 5:
		set(pick(c, "nobody@acme.example", "NOBODY@other.example", "nobody@unheard-of.example"), emailColumn)
	case 6:
		set(pick(c, longTexts...), textColumns...)
	case 7:
		set(pick(c, badTexts...), textColumns...)
	case 8:
		set(pick(c, badPhones...), "Phone Number")
	case 9:
		set(pick(c, badLanguages...), "Preferred Language")
	case 10:
		set(pick(c, badTypes...), "Claim Type")
	case 11:
		set(pick(c, badBooleans...), "=Rooms", "Calling", "Möten")
	case 12:
		cells = cells[:c.upTo(max(0, len(cells)-1))]
	case 13:
		for range 1 + c.upTo(2) {
			cells = append(cells, pick(c, junk...))
		}
		cells = append(cells, "x") // blank cells beyond the header's are none
	case 14:
		if f.spoilsText {
			set("K\xe5re", append([]string{"Anmärkning", "User Status"}, textColumns...)...)
		}
	case 15: // the address of an earlier row
		if len(f.rows) > 0 {
			earlier := pick(c, f.rows...)
			if len(earlier.cells) == len(f.columns) {
				set(earlier.cells[slices.Index(f.columns, emailColumn)], emailColumn)
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
	return unicode.IsSpace(r) || strings.ContainsRune("\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u2060\ufeff", r)
}

// clean is how a cell is read: trimmed, then without its guard.
func clean(cell string) string {
	cell = strings.TrimFunc(cell, isBlank)
	if strings.HasPrefix(cell, "'") && formula.MatchString(cell) {
		return cell[1:]
	}
	return cell
}

// key is the address key of a row that counts among duplicates; blank for one that does not.
func (f *usersFile) key(cells []string) string {
	if len(cells) != len(f.columns) {
		return ""
	}
	address := ""
	for i, cell := range cells {
		switch value := clean(cell); {
		case f.is(i, "Claim") && slices.Contains([]string{"FALSE", "F"}, strings.ToUpper(value)):
			return ""
		case f.is(i, emailColumn):
			address = value
		}
	}
	if address == "" || slices.Contains(badEmails, address) || slices.Contains(longEmails, address) {
		return ""
	}
	return keyOf(address)
}

// keyOf is the key of a valid address.
func keyOf(address string) string {
	address = norm.NFC.String(strings.ToLower(address))
	for idn, ascii := range asciiDomains {
		if local, ok := strings.CutSuffix(address, "@"+idn); ok {
			return local + "@" + ascii
		}
	}
	return address
}

// expect is the row checks, in their order, and then the rules.
func (f *usersFile) expect(w *world, cells []string, earlier map[string]*usersRow, given map[string]int) (e expected) {
	if at := slices.Index(f.columns, emailColumn); at < len(cells) {
		e.email = clean(cells[at])
	}
	if len(cells) != len(f.columns) {
		e.outcome, e.reasons = "invalid", []string{"field_count"}
		return e
	}
	for i, cell := range cells {
		if f.known(i) && strings.TrimFunc(cell, isBlank) != cell {
			f.repairs["blanks_trimmed"]++
		}
	}
	value := func(column string) string {
		if i := slices.Index(f.columns, column); i >= 0 {
			return clean(cells[i])
		}
		return ""
	}
	wrong := func(reason string, i int) {
		if len(e.reasons) == 0 {
			e.outcome, e.column = "invalid", clean(f.header[i])
		}
		if !slices.Contains(e.reasons, reason) {
			e.reasons = append(e.reasons, reason)
		}
	}
	at := func(column string) int { return slices.Index(f.columns, column) }

	if slices.Contains(badBooleans, value("Claim")) {
		wrong("boolean_invalid", at("Claim"))
	}
	if slices.Contains([]string{"FALSE", "F"}, strings.ToUpper(value("Claim"))) {
		e.outcome, e.reasons = "skipped", []string{"claim_false"}
		return e
	}
	switch address := value(emailColumn); {
	case address == "":
		wrong("email_missing", at(emailColumn))
	case slices.Contains(longEmails, address):
		wrong("email_too_long", at(emailColumn))
	case slices.Contains(badEmails, address):
		wrong("email_invalid", at(emailColumn))
	}
	for _, column := range textColumns {
		if slices.Contains(longTexts, value(column)) || value(column) == clean(badTexts[len(badTexts)-1]) && value(column) != "" {
			wrong("text_too_long", at(column))
		}
	}
	for _, column := range textColumns {
		if strings.ContainsFunc(value(column), func(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 || r == 0x2028 || r == utf8.RuneError }) {
			wrong("text_invalid", at(column))
		}
	}
	for i, cell := range cells {
		if !utf8.ValidString(cell) {
			wrong("text_invalid", i)
		}
	}
	if slices.Contains(badPhones, value("Phone Number")) {
		wrong("phone_invalid", at("Phone Number"))
	}
	if slices.Contains(badLanguages, value("Preferred Language")) {
		wrong("language_invalid", at("Preferred Language"))
	}
	if slices.Contains(badTypes, value("Claim Type")) {
		wrong("claim_type_invalid", at("Claim Type"))
	}
	wishes := map[string]string{}
	for i, column := range f.columns {
		if !f.service(i) {
			continue
		}
		switch cell := strings.ToUpper(value(column)); {
		case slices.Contains(badBooleans, value(column)):
			wrong("boolean_invalid", i)
		case cell == "T" || cell == "TRUE":
			wishes[column] = "TRUE"
		case cell == "F" || cell == "FALSE":
			wishes[column] = "FALSE"
		}
	}
	key := f.key(cells)
	if key != "" && earlier[key] != nil {
		wrong("duplicate_row", at(emailColumn))
	}
	if len(e.reasons) > 0 {
		return e
	}

	e.person = w.person(key)
	e.outcome, e.reasons, e.claimType, e.warnings = w.rules(e.person, strings.ToLower(value("Claim Type")))
	switch {
	case e.outcome == "ready":
		w.license(&e, wishes, given)
	case e.reasons[0] == "stale_claim_type":
		e.column, e.claimType = clean(f.header[at("Claim Type")]), ""
	default:
		e.claimType = ""
	}
	return e
}

// parseCSV is a CSV reader that keeps every byte of a cell.
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
