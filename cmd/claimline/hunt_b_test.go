package main

import (
	"encoding/csv"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
	"golang.org/x/text/unicode/norm"

	"github.com/claimline/claimline/schema"
)

// TestHuntVariantsB: nothing is written to an account that nobody saw; what cannot be meant is not written.
func TestHuntVariantsB(t *testing.T) {
	t.Parallel()
	for name, cases := range map[string][]huntCase{
		"encoded twice": encodedTwice(t), "encodings": otherEncodings(t), "Windows-1252": westernFiles(t), "doubtful": doubtfulCells(t), "errors of spreadsheets": spreadsheetErrors(t),
		"edits": oddEdits(), "no edits": noEdits(), "formulas": textFormulas(t),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			runHunt(t, cases...)
		})
	}
	for name, test := range map[string]func(*testing.T){
		"the encoding that agrees stands first": agreeingEncodingFirst, "the account keeps its value": damagedNamesAreNotWritten, "brake": editsAreBraked, "by hand": namesByHand,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t)
		})
	}
	t.Run("a report writes a text formula as that text", func(t *testing.T) {
		t.Parallel()
		path := write(t, "users.csv", huntContent(t, "23-formula-text.csv"))
		rows := readCSV(t, huntSite(t).run(t, "validate", "--format", "csv", path).stdout, ',')
		require.Len(t, rows, 3)
		assert.Equal(t, []string{ahmed, "Adam", "Ahmed"}, rows[1][:3])
	})
	t.Run("other places", func(t *testing.T) {
		t.Parallel()
		for _, c := range []huntCase{
			{file: "19-excel-errors-and-null-words.csv", want: readAs("2 invalid/text_invalid in Last Name, 3 invalid/text_invalid in Department", nil)},
			{file: "18-question-marks.csv", want: []verdict{{
				rows: "2-3 ready", edits: map[int]schema.Edits{2: {"Department": {"IT", "Sprzeda?"}}},
				doubtful: map[int][]string{2: {"First Name", "Last Name"}, 3: {"First Name", "Last Name", "Department"}},
			}}},
		} {
			runHunt(t, c.everywhere(t, "ineligible/user_not_found")...)
		}
	})
}

// twice returns what UTF-8 becomes that is taken for Windows-1252 and saved as UTF-8 again.
func twice(t *testing.T, s string) string {
	t.Helper()
	decoded, err := charmap.Windows1252.NewDecoder().String(s)
	require.NoError(t, err)
	return decoded
}

func encodedTwice(t *testing.T) (cases []huntCase) {
	t.Helper()
	header := emailHeader + ",First Name,Last Name,Department"
	c := huntCase{
		name:    "names and a department",
		content: lines(header, twice(t, ahmed+",Håkan,Öberg,Försäljning"), twice(t, backstrom+",Åsa,Ängström,Kundtjänst"), twice(t, berg+",Zoë,Müller,Büro")),
		want: []verdict{{
			rows: "2-4 ready", repairs: repairs{"mojibake": 9}, edits: map[int]schema.Edits{
				2: {"First Name": {"Adam", "Håkan"}, "Last Name": {"Ahmed", "Öberg"}, "Department": {"IT", "Försäljning"}},
				3: {"First Name": {"Adam", "Åsa"}, "Last Name": {"Bäckström", "Ängström"}},
				4: {"First Name": {"Adam", "Zoë"}, "Last Name": {"Berg", "Müller"}, "Department": {"Kundtjänst", "Büro"}},
			},
		}},
	}
	cases = append(cases, c.everywhere(t, "ineligible/user_not_found")...)
	own := huntCase{
		name:    "what the accounts have",
		content: lines(header, twice(t, backstrom+",Adam,Bäckström,Kundtjänst"), twice(t, "asa.aberg@acme.example,Åsa,Åberg,")),
		want:    []verdict{{rows: "2-3 ready", repairs: repairs{"mojibake": 4}}},
	}
	cases = append(cases, own.everywhere(t, "ineligible/user_not_found")...)
	return append(cases,
		huntCase{
			name: "a header and a note, too", content: twice(t, lines(emailHeader+",Last Name,Önskemål", backstrom+",Bäckström,n.b.")),
			want: []verdict{{rows: "2 ready", repairs: repairs{"mojibake": 1}, unknown: []string{twice(t, "Önskemål")}}},
		},
		huntCase{
			name: "only some cells decode back", content: lines(header, twice(t, backstrom+",Adam,Bäckström,Kundtjänst"), ahmed+",Åsa,,"),
			want: []verdict{{
				rows: "2-3 ready", doubtful: map[int][]string{2: {"Last Name", "Department"}}, edits: map[int]schema.Edits{3: {"First Name": {"Adam", "Åsa"}}},
			}},
		},
	)
}

// language is a file's names as a system of some country writes them.
type language struct {
	encoding    string // alternatives
	encode      encoding.Encoding
	first, last string
}

var languages = []language{
	{"windows-1251", charmap.Windows1251, "Иван", "Петров"},
	{"koi8-r", charmap.KOI8R, "Иван", "Петров"},
	{"iso-8859-5", charmap.ISO8859_5, "Иван", "Петров"},
	{"ibm866 / cp866", charmap.CodePage866, "Иван", "Петров"},
	{"windows-1250", charmap.Windows1250, "Łukasz", "Wiśniewski"},
	{"iso-8859-2", charmap.ISO8859_2, "Łukasz", "Wiśniewski"},
	{"windows-1253", charmap.Windows1253, "Γιώργος", "Παπαδόπουλος"},
	{"windows-1254", charmap.Windows1254, "Şule", "Doğan"},
	{"windows-1257", charmap.Windows1257, "Jānis", "Bērziņš"},
	{"shift_jis / shift-jis", japanese.ShiftJIS, "太郎", "山田"},
	{"gbk / gb18030", simplifiedchinese.GBK, "建国", "王"},
	{"big5", traditionalchinese.Big5, "志明", "陳"},
	{"euc-kr", korean.EUCKR, "민수", "김"},
}

func encoded(t *testing.T, e encoding.Encoding, s string) string {
	t.Helper()
	encoded, err := e.NewEncoder().String(s)
	require.NoError(t, err)
	return encoded
}

// otherEncodings says nothing of its encoding, and then does.
func otherEncodings(t *testing.T) (cases []huntCase) {
	t.Helper()
	for _, l := range languages {
		var flags []string
		for name := range strings.SplitSeq(l.encoding, " / ") {
			flags = append(flags, "--encoding "+name)
		}
		name, _, _ := strings.Cut(l.encoding, " / ")
		for _, delimiter := range []string{",", ";", "\t"} {
			row := strings.Join([]string{ahmed, l.first, l.last}, delimiter)
			content := encoded(t, l.encode, lines(strings.Join([]string{emailHeader, "First Name", "Last Name"}, delimiter), row))
			repaired := repairs{"encoding": 1}
			if delimiter != "," {
				repaired["delimiter"] = 1
			}
			cases = append(cases,
				huntCase{name: fmt.Sprintf("%s %q", name, delimiter), content: content, want: refusedWith("encoding_unclear", strings.Join(flags, " / "), l.first+" / "+l.last)},
				huntCase{name: fmt.Sprintf("%s %q with the encoding", name, delimiter), content: content, flags: []string{"--encoding", name}, want: []verdict{{
					rows: "2 ready", repairs: repaired, edits: map[int]schema.Edits{2: {"First Name": {"Adam", l.first}, "Last Name": {"Ahmed", l.last}}},
				}}},
			)
		}
	}
	return cases
}

// agreeingEncodingFirst compares files with the accounts.
func agreeingEncodingFirst(t *testing.T) {
	t.Helper()
	for name, e := range map[string]encoding.Encoding{"macintosh": charmap.Macintosh, "ibm850 / cp850 / ibm437 / cp437": charmap.CodePage850} {
		content := encoded(t, e, lines(emailHeader+",First Name,Last Name", backstrom+",Adam,Bäckström", "asa.aberg@acme.example,Åsa,Åberg"))
		refused := huntSite(t).run(t, "validate", "--json", write(t, "users.csv", content)).refusal(t)
		assert.Equal(t, schema.CodeEncodingUnclear, refused.Code)
		said := strings.ToLower(refused.Message + "\n" + refused.Fix)
		assert.Contains(t, said, "bäckström")
		_, first, found := strings.Cut(said, "--encoding ")
		if assert.True(t, found, said) {
			first, _, _ = strings.Cut(first, " ")
			assert.True(t, says(first, name), "%s stands first, not %s:\n%s", first, name, said)
		}
	}
}

// swedes are accounts of the samples whose last names are not ASCII.
var swedes = [][2]string{
	{backstrom, "Bäckström"}, {"olof.haggstrom@acme.example", "Häggström"}, {"sixten.vikstrom@acme.example", "Vikström"}, {"rickard.malmstrom@acme.example", "Malmström"},
	{"asa.aberg@acme.example", "Åberg"}, {"zoe.rosen@acme.example", "Rosén"}, {"elin.martensson@acme.example", "Mårtensson"}, {"ylva.gardstrom@acme.example", "Gärdström"},
	{"maja.gardstrom@acme.example", "Gärdström"}, {"sixten.ohman@acme.example", "Öhman"},
}

// westernFiles returns files in Windows-1252 that agree with the accounts, or do not.
func westernFiles(t *testing.T) (cases []huntCase) {
	t.Helper()
	file := func(others int) huntCase {
		rows, edits := []string{emailHeader + ",Last Name"}, map[int]schema.Edits{}
		for i, swede := range swedes {
			name := swede[1]
			if i < others {
				name = "Sjögren"
				edits[i+2] = schema.Edits{"Last Name": {swede[1], name}}
			}
			rows = append(rows, swede[0]+","+name)
		}
		return huntCase{name: fmt.Sprintf("%d of 10 say otherwise", others), content: encoded(t, charmap.Windows1252, lines(rows...)), want: []verdict{{
			rows: "2-11 ready", repairs: repairs{"windows1252": 1}, edits: edits,
		}}}
	}
	two := file(2)
	two.want = refusedWith("encoding_unclear", "--encoding windows-1252", "Sjögren")
	settled := file(2)
	settled.name, settled.flags = "2 of 10 say otherwise, with the encoding", []string{"--encoding", "Windows-1252"}
	settled.want[0].repairs = repairs{"encoding": 1}
	settled.want = append(settled.want, verdict{rows: settled.want[0].rows, edits: settled.want[0].edits, repairs: repairs{"windows1252": 1}})
	nothing := encoded(t, charmap.Windows1252, lines(emailHeader+",Last Name", ahmed+",Öberg"))
	return append(cases, file(0), file(1), two, settled,
		huntCase{name: "nothing to compare", content: nothing, want: refusedWith("encoding_unclear", "--encoding windows-1252", "Öberg")},
		huntCase{name: "offline", content: nothing, flags: []string{"--offline"}, want: readAs("2 ready", repairs{"windows1252": 1})},
		huntCase{
			name: "with something to compare", content: encoded(t, charmap.Windows1252, lines(emailHeader+",Last Name", ahmed+",Öberg", backstrom+",Bäckström")),
			want: []verdict{{rows: "2-3 ready", repairs: repairs{"windows1252": 1}, edits: map[int]schema.Edits{2: {"Last Name": {"Ahmed", "Öberg"}}}}},
		},
		huntCase{
			name: "a row of UTF-8 in it", content: lines(emailHeader+",Last Name", backstrom+",Bäckström") + encoded(t, charmap.Windows1252, berg+",Öberg\n"),
			want: readAs("2 ready, 3 invalid/text_invalid in Last Name", nil),
		},
	)
}

// doubtfulCells damages what accounts have, in each way in which that happens.
func doubtfulCells(t *testing.T) (cases []huntCase) {
	t.Helper()
	damaged := map[string][]string{
		"First Name": {"?dam", "Ad?m", "???"}, "Display Name": {"Adam B?ckstr?m", "Adam B\ufffdckstr\ufffdm", "Adam B&auml;ckstr&ouml;m"},
		"Last Name": {
			"B?ckstr?m", "B??ckstr??m", "B\ufffdckstr\ufffdm", "B\ufffd\ufffdckstr\ufffd\ufffdm", "B&auml;ckstr&ouml;m", "B&#228;ckstr&#246;m", "B&#xE4;ckstr&#xF6;m",
			"=?UTF-8?Q?B=C3=A4ckstr=C3=B6m?=", "=?utf-8?B?QsOkY2tzdHLDtm0=?=", "=?iso-8859-1?Q?B=E4ckstr=F6m?=", `B\u00e4ckstr\u00f6m`, `B\u00E4ckstr\u00F6m`,
			"B%C3%A4ckstr%C3%B6m", "B%c3%a4ckstr%c3%b6m", twice(t, "Bäckström"), twice(t, twice(t, "Bäckström")),
		},
		"Title": {"Ingenj?r", "Ingenj\ufffdr", "Ingenj&ouml;r", `Ingenj\u00f6r`, "Ingenj%C3%B6r"}, "Department": {"Kundtj?nst", "Kundtj&auml;nst", "Kundtj\ufffdnst"},
	}
	for column := range damaged {
		damaged[column] = append(damaged[column], "NULL", `\N`, "(null)", "None", "NaN", "N/A", "x\ufffd")
	}
	for column, list := range damaged {
		for _, cell := range list {
			c := huntCase{
				// The note makes it certain that the file is not encoded twice.
				name: column + " " + codePoints(cell), content: lines(emailHeader+","+column+",Notes", backstrom+","+cell+",Åse", berg+",,"),
				want: []verdict{{rows: "2-3 ready", doubtful: map[int][]string{2: {column}}, unknown: []string{"Notes"}}},
			}
			cases = append(cases, c)
			if cell == "B?ckstr?m" || cell == `\N` {
				cases = append(cases, c.everywhere(t, "ineligible/user_not_found")[1:]...)
			}
		}
	}
	for _, cell := range []string{"NULL", `\N`, "(null)", "None", "NaN", "N/A"} {
		cases = append(cases, huntCase{
			name: "where the account has nothing: " + cell, content: lines(emailHeader+",Title", ahmed+","+cell),
			want: []verdict{{rows: "2 ready", doubtful: map[int][]string{2: {"Title"}}}},
		})
	}
	// What only looks so is an edit.
	for column, edit := range map[string][2]string{"Department": {"IT", "Sales?"}, "Title": {"", "R&amp;D"}, "Last Name": {"Ahmed", "Ahm%C3%A9d"}} {
		cases = append(cases, huntCase{
			name: "not " + edit[1], content: lines(emailHeader+","+column, ahmed+","+edit[1]),
			want: []verdict{{rows: "2 ready", edits: map[int]schema.Edits{2: {column: edit}}}},
		})
	}
	return cases
}

// damagedNamesAreNotWritten imports damaged names and asks for the account.
func damagedNamesAreNotWritten(t *testing.T) {
	t.Helper()
	s := freshHuntSite(t)
	path := write(t, "users.csv", lines(emailHeader+",First Name,Last Name,Display Name,Title", backstrom+",NULL,B?ckstr?m,Adam B&auml;ckstr&ouml;m,Chef"))
	got := s.run(t, "import", "--accept-permanent", "--no-input", "--format", "jsonl", path)
	require.Equal(t, exitDone, got.code, got.stderr)
	results := got.results(t)
	require.Len(t, results, 1)
	assert.Equal(t, schema.Edits{"Title": {"Ingenjör", "Chef"}}, results[0].Edits)
	shown := s.run(t, "show", backstrom)
	assert.Equal(t, exitDone, shown.code, shown.stderr)
	assertSays(t, shown.stdout, []string{"Bäckström", "Chef"}, []string{"NULL", "B?ckstr", "&auml;"})
}

func spreadsheetErrors(t *testing.T) (cases []huntCase) {
	t.Helper()
	columns := []string{"First Name", "Last Name", "Display Name", "Title", "Department"}
	for _, err := range []string{"#N/A", "#REF!", "#NAME?", "#VALUE!", "#DIV/0!", "#NUM!", "####", "#####", strings.Repeat("#", 40)} {
		for _, column := range columns {
			c := huntCase{
				name: err + " in " + column, content: lines(emailHeader+","+column, ahmed+","+err, berg+","),
				want: readAs("2 invalid/text_invalid in "+column+", 3 ready", nil),
			}
			cases = append(cases, c)
			if err == "#DIV/0!" {
				cases = append(cases, c.everywhere(t, "ineligible/user_not_found")[1:]...)
			}
		}
		cases = append(cases,
			huntCase{name: err + " in a phone", content: lines(emailHeader+",Phone Number", ahmed+","+err), want: readAs("2 invalid", nil)},
			huntCase{name: err + " in what is ignored", content: lines(emailHeader+",Last Service Accessed Time,Notes", ahmed+","+err+","+err), want: []verdict{{
				rows: "2 ready", unknown: []string{"Notes"},
			}}})
	}
	return cases
}

// oddEdits returns files with dates, numbers and the like where names were.
func oddEdits() (cases []huntCase) {
	for _, cell := range []string{
		"2024-05-01", "01.05.2024", "42", "1,5", "4.67E+10", "TRUE", "FALSE", "O'Brien", "d'Artagnan", "Ñuñez", "Łukasz", "Γιώργος", "Иван", "太郎", "#1", "###",
		"Adam & Eva", "100%", "adam", "ADAM", "Anders-Erik", "Å", "-",
	} {
		for _, column := range []string{"First Name", "Title"} {
			was := map[string]string{"First Name": "Adam", "Title": ""}[column]
			if cell == "-" && column == "First Name" {
				continue
			}
			cases = append(cases, huntCase{
				name: column + " " + cell, content: lines(emailHeader+","+column, ahmed+","+quoted(cell)),
				want: []verdict{{rows: "2 ready", edits: map[int]schema.Edits{2: {column: {was, cell}}}}},
			})
		}
	}
	return append(cases, huntCase{
		name: "every column", content: lines(emailHeader+",First Name,Last Name,Display Name,Title,Department,Phone Number,Preferred Language",
			ahmed+",Eva,Ek,Eva Ek,Chef,HR,+46701740666,fi"),
		want: []verdict{{rows: "2 ready", edits: map[int]schema.Edits{2: {
			"First Name": {"Adam", "Eva"}, "Last Name": {"Ahmed", "Ek"}, "Display Name": {"Adam Ahmed", "Eva Ek"}, "Title": {"", "Chef"}, "Department": {"IT", "HR"},
			"Phone Number": {"+46701740662", "+46701740666"}, "Preferred Language": {"sv-SE", "fi"},
		}}}},
	}, huntCase{
		name: "without edits", flags: []string{"--no-edits"}, content: lines(emailHeader+",First Name,Last Name", ahmed+",Eva,Ek"),
		want: readAs("2 ready", nil),
	})
}

// noEdits says what the account has, in another form of the same characters.
func noEdits() (cases []huntCase) {
	cells := []string{norm.NFD.String("Bäckström"), "Bäckström"}
	for _, c := range hidden {
		cells = append(cells, "Bäck"+c+"ström")
	}
	for _, cell := range cells {
		cases = append(cases, huntCase{
			name: codePoints(cell), content: lines(emailHeader+",Last Name", backstrom+","+cell), want: []verdict{{rows: "2 ready", mended: true}},
		})
	}
	for _, blank := range []string{"  ", "\u00a0", "\u2003", "\u202f", "\u3000"} {
		cases = append(cases, huntCase{
			name: "Display Name " + codePoints(blank), content: lines(emailHeader+",Display Name", backstrom+",Adam"+blank+"Bäckström"),
			want: []verdict{{rows: "2 ready", mended: true}},
		})
	}
	for _, c := range append([]string{" ", "\u00a0", "\u3000"}, hidden...) {
		cases = append(cases, huntCase{
			name: "around " + codePoints(c), content: lines(emailHeader+",Last Name", backstrom+","+c+"Bäckström"+c), want: readAs("2 ready", repairs{"blanks_trimmed": 1}),
		})
	}
	return append(cases,
		huntCase{name: "blank cells", content: lines(emailHeader+",First Name,Last Name,Department", backstrom+",,,"), want: readAs("2 ready", nil)},
		huntCase{name: "guarded", content: lines(emailHeader+",Phone Number", ahmed+",'+46701740662"), want: readAs("2 ready", nil)},
	)
}

func textFormulas(t *testing.T) (cases []huntCase) {
	t.Helper()
	formula := func(text string) string { return quoted(`="` + text + `"`) }
	c := huntCase{
		name: "around every cell",
		content: lines(emailHeader+",First Name,Phone Number,Preferred Language,Claim Type,Claim,Webex Calling",
			strings.Join([]string{formula(ahmed), formula("Adam"), formula("+46701740662"), formula("sv-SE"), formula("delayed"), formula("TRUE"), formula("TRUE")}, ","),
			strings.Join([]string{formula(backstrom), formula("Eva"), "", "", "", formula("FALSE"), ""}, ","),
			strings.Join([]string{formula(berg), formula("Eva"), formula(""), "", "", formula("true"), ""}, ",")),
		want: []verdict{{
			rows: "2 ready, 3 skipped/claim_false, 4 ready", mended: true, edits: map[int]schema.Edits{4: {"First Name": {"Adam", "Eva"}}},
			licenses: map[int][]string{2: {"Webex Calling", "Webex Messaging"}},
		}},
	}
	cases = append(cases, c.everywhere(t, "skipped/claim_blank")...)
	for column, cell := range map[string]string{"First Name": "Adam", "Department": "IT", "Phone Number": "+46701740662", "Claim": "TRUE"} {
		cases = append(cases, huntCase{
			name: "around " + column, content: lines(emailHeader+","+column, ahmed+","+formula(cell)), want: readAs("2 ready", repairs{"text_formula": 1}),
		})
	}
	return append(cases,
		huntCase{name: "around an address", content: lines(emailHeader+",First Name", formula(ahmed)+",Adam"), want: readAs("2 ready", repairs{"text_formula": 1})},
		huntCase{name: "guarded", content: lines(emailHeader+",First Name", ahmed+`,"'=""Adam"""`), want: []verdict{{
			rows: "2 ready", edits: map[int]schema.Edits{2: {"First Name": {"Adam", `="Adam"`}}},
		}}},
	)
}

// editedExport returns the first rows of the export, with one column of some rows changed.
func editedExport(t *testing.T, rows, edited int, column string) string {
	t.Helper()
	list := readCSV(t, huntSite(t).run(t, "export").stdout, ',')[:rows+1]
	for _, row := range list[1 : edited+1] {
		row[columnOf(t, list[0], column)] = "Another"
	}
	var text strings.Builder
	require.NoError(t, csv.NewWriter(&text).WriteAll(list))
	return write(t, "users.csv", text.String())
}

// editsAreBraked changes names of many accounts.
func editsAreBraked(t *testing.T) {
	t.Helper()
	for _, c := range []struct {
		rows, edited int
		column       string
		braked       bool
	}{
		{100, 21, "Last Name", true}, {100, 21, "First Name", true}, {100, 21, "Display Name", true}, {100, 20, "Last Name", false}, {300, 25, "Last Name", false},
		{250, 25, "Last Name", false}, {249, 25, "Last Name", true}, {100, 60, "Title", false}, {100, 100, "Department", false},
	} {
		t.Run(fmt.Sprintf("%s of %d in %d", c.column, c.edited, c.rows), func(t *testing.T) {
			path, s := editedExport(t, c.rows, c.edited, c.column), freshHuntSite(t)
			planned := s.run(t, "validate", "--json", path)
			assert.Equal(t, exitDone, planned.code)
			assert.Equal(t, map[string]int{c.column: c.edited}, planned.summary(t).Edits)
			assert.Len(t, s.run(t, "validate", "--only", "edits", "--format", "jsonl", path).results(t), c.edited)
			rows := readCSV(t, s.run(t, "validate", "--only", "edits", "--format", "csv", path).stdout, ',')
			require.Len(t, rows, c.edited+1)
			for _, row := range rows[1:] {
				cell := row[columnOf(t, rows[0], "Claimline Edits")]
				assert.True(t, strings.HasPrefix(cell, c.column+": ") && strings.HasSuffix(cell, " → Another"), cell)
			}
			args := []string{"import", "--accept-permanent", "--no-input", "--json"}
			if c.braked {
				got := s.run(t, append(args, path)...)
				assert.Equal(t, exitUsage, got.code)
				assert.Empty(t, got.stdout)
				assert.Contains(t, got.stderr, schema.CodeEditsNotAccepted)
				assert.Equal(t, c.rows, s.run(t, "validate", "--json", path).summary(t).Ready, "nobody was claimed")
				args = append(args, "--accept-edits")
			}
			got := s.run(t, append(args, path)...)
			assert.Equal(t, exitDone, got.code, got.stderr)
			assert.Equal(t, c.rows, got.summary(t).Claimed)
			assert.Equal(t, map[string]int{c.column: c.edited}, got.summary(t).Edits)
			assert.Len(t, s.run(t, "report", "--only", "edits", "--format", "jsonl").results(t), c.edited)
		})
	}
	t.Run("doubtful cells do not count", func(t *testing.T) {
		path, s := editedExport(t, 100, 60, "Last Name"), freshHuntSite(t)
		path = write(t, "users.csv", strings.ReplaceAll(readFile(t, path), "Another", "Anothe?"))
		got := s.run(t, "import", "--accept-permanent", "--no-input", "--json", path)
		assert.Equal(t, exitDone, got.code, got.stderr)
		assert.Empty(t, got.summary(t).Edits)
		assert.Equal(t, 60, got.summary(t).Warnings[schema.CodeEditDoubtful])
	})
	t.Run("no edits", func(t *testing.T) {
		path, s := editedExport(t, 100, 60, "Last Name"), freshHuntSite(t)
		assert.Empty(t, s.run(t, "validate", "--no-edits", "--json", path).summary(t).Edits)
		got := s.run(t, "import", "--accept-permanent", "--no-input", "--no-edits", "--json", path)
		assert.Equal(t, exitDone, got.code, got.stderr)
		assert.Equal(t, 100, got.summary(t).Claimed)
		assert.Empty(t, got.summary(t).Edits)
	})
}

// namesByHand adds people as mail programs and people write them.
func namesByHand(t *testing.T) {
	t.Helper()
	for _, people := range []string{
		`Berg, Adam <` + berg + `>; Ahmed, Adam <` + ahmed + `>`, `"Berg, Adam" <` + berg + `>, "Ahmed, Adam" <` + ahmed + `>`,
		`Adam Berg <` + berg + `>, Adam Ahmed <` + ahmed + `>`, "Adam Berg <" + berg + ">\nAdam Ahmed <" + ahmed + ">\n",
		`"Adam Berg" <` + berg + `>;"Adam Ahmed" <` + ahmed + `>;`, `'Berg, Adam' <` + berg + `>; 'Ahmed, Adam' <` + ahmed + `>`,
		"\u201cBerg, Adam\u201d <" + berg + ">; \u201cAdam Ahmed\u201d <" + ahmed + ">", "\u2018Adam Berg\u2019 <" + berg + ">; \u00abAdam Ahmed\u00bb <" + ahmed + ">",
		berg + "\n" + ahmed, berg + "," + ahmed, berg + "; " + ahmed, "<" + berg + ">, <" + ahmed + ">", berg + " " + ahmed,
		"Berg, Adam <" + berg + ">\r\nAhmed, Adam <" + ahmed + ">\r\n", "Berg, Adam <" + berg + ">, Ahmed, Adam <" + ahmed + ">",
	} {
		t.Run(people, func(t *testing.T) {
			results := claimByHand(t, exitDone, people)
			require.Len(t, results, 2)
			assert.Equal(t, []string{berg, ahmed}, []string{results[0].Email, results[1].Email})
			for _, r := range results {
				assert.Equal(t, schema.Claimed, r.Outcome)
				assert.Empty(t, r.Edits)
			}
		})
	}
	t.Run("another name", func(t *testing.T) {
		for _, people := range []string{"Eva Ek <" + berg + ">", "Ek, Eva <" + berg + ">", `"Ek, Eva" <` + berg + `>`} {
			results := claimByHand(t, exitDone, people)
			require.Len(t, results, 1)
			edits := maps.Clone(results[0].Edits)
			delete(edits, "Display Name") // it may come along
			assert.Equal(t, schema.Edits{"First Name": {"Adam", "Eva"}, "Last Name": {"Berg", "Ek"}}, edits)
		}
	})
}
