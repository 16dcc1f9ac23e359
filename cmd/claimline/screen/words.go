package screen

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/claimline/claimline/schema"
)

// ByCount lists the codes that occur, those first that want somebody's attention, then the most frequent.
func ByCount(counts map[schema.Code]int) []schema.Code {
	codes := make([]schema.Code, 0, len(counts))
	for code, n := range counts {
		if n > 0 {
			codes = append(codes, code)
		}
	}
	slices.SortFunc(codes, func(a, b schema.Code) int {
		return cmp.Or(attention(b)-attention(a), counts[b]-counts[a], strings.Compare(string(a), string(b)))
	})
	return codes
}

// numbered lists codes with how often each occurs.
func numbered(p Page, counts map[schema.Code]int) []string {
	var words []string
	for _, code := range ByCount(counts) {
		words = append(words, string(code)+" "+p.Number(counts[code]))
	}
	return words
}

func attention(code schema.Code) int {
	if code.Problem() {
		return 1
	}
	return 0
}

// lines names the first lines of the file that something is about, of so many in all.
func lines(first []int, of int) schema.Text {
	if len(first) == 0 {
		return schema.Text{}
	}
	words := make([]string, len(first))
	for i, line := range first {
		words[i] = fmt.Sprint(line)
	}
	list := strings.Join(words, ", ")
	switch more := of - len(first); {
	case more > 0:
		return schema.Say("lines %s and %s more", list, schema.Number(more))
	case of > 1:
		return schema.Say("lines %s", list)
	}
	return schema.Say("line %s", list)
}

// Repair says in a sentence what was mended, and how often.
func Repair(kind schema.Repair, n int) schema.Text {
	switch kind {
	case schema.RepairBOM:
		return schema.Say("The byte order mark at its start was taken off.")
	case schema.RepairUTF16:
		return schema.Say("It was read as UTF-16.")
	case schema.RepairWindows1252:
		return schema.Say("It was read as Windows-1252.")
	case schema.RepairEncoding:
		return schema.Say("It was read in the encoding that was asked for.")
	case schema.RepairMojibake:
		return schema.SayCount(n, "Letters that were encoded twice, UTF-8 taken for Windows-1252, were put right in %s cell.",
			"Letters that were encoded twice, UTF-8 taken for Windows-1252, were put right in %s cells.")
	case schema.RepairDelimiter:
		return schema.Say("Its delimiter is not the comma, and was recognized.")
	case schema.RepairPreamble:
		return schema.SayCount(n, "%s line above the header was left out.", "%s lines above the header were left out.")
	case schema.RepairHeaderCleaned:
		return schema.SayCount(n, "%s header was read without blanks or marks around the name.", "%s headers were read without blanks or marks around the name.")
	case schema.RepairHeaderRepeated:
		return schema.SayCount(n, "%s row that repeats the header was left out.", "%s rows that repeat the header were left out.")
	case schema.RepairEndMark:
		return schema.Say("The end mark behind its last row was taken off.")
	case schema.RepairBlankRow:
		return schema.SayCount(n, "%s blank row was left out.", "%s blank rows were left out.")
	case schema.RepairCellsMissing:
		return schema.SayCount(n, "%s row with missing last cells, which were read as blank.", "%s rows with missing last cells, which were read as blank.")
	case schema.RepairCellsSurplus:
		return schema.SayCount(n, "%s row with surplus blank cells, or marks, behind the last column: left out.",
			"%s rows with surplus blank cells, or marks, behind the last column: left out.")
	case schema.RepairBlanksTrimmed:
		return schema.SayCount(n, "%s cell was trimmed of the blanks around.", "%s cells were trimmed of the blanks around.")
	case schema.RepairBooleanWords:
		return schema.SayCount(n, "%s cell with another word for TRUE or FALSE was read as that.", "%s cells with another word for TRUE or FALSE were read as that.")
	case schema.RepairTextFormula:
		return schema.SayCount(n, `%s text formula like ="Adam" was read as the text in it.`, `%s text formulas like ="Adam" were read as the text in it.`)
	case schema.RepairPhoneSpelling:
		return schema.SayCount(n, "%s phone number was read without blanks and signs.", "%s phone numbers were read without blanks and signs.")
	case schema.RepairLanguageSpelling:
		return schema.SayCount(n, "%s language like en_US was read as en-US.", "%s languages like en_US were read as en-US.")
	case schema.RepairHiddenSheet:
		return schema.Say("The sheet that was read is hidden in the workbook.")
	case schema.RepairHiddenRow:
		return schema.SayCount(n, "%s row that is hidden in the workbook was read like the others.", "%s rows that are hidden in the workbook were read like the others.")
	case schema.RepairHiddenColumn:
		return schema.SayCount(n, "%s column that is hidden in the workbook was read like the others.",
			"%s columns that are hidden in the workbook were read like the others.")
	case schema.RepairMergedCells:
		return schema.SayCount(n, "%s group of merged cells: of each only the first cell has content, and the others are blank.",
			"%s groups of merged cells: of each only the first cell has content, and the others are blank.")
	}
	return schema.Text{}
}
