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
func numbered(counts map[schema.Code]int) []string {
	var words []string
	for _, code := range ByCount(counts) {
		words = append(words, string(code)+" "+Number(counts[code]))
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
func lines(first []int, of int) string {
	if len(first) == 0 {
		return ""
	}
	words := make([]string, len(first))
	for i, line := range first {
		words[i] = fmt.Sprint(line)
	}
	list := "line " + words[0]
	if of > 1 {
		list = "lines " + strings.Join(words, ", ")
	}
	if more := of - len(first); more > 0 {
		list += " and " + Number(more) + " more"
	}
	return list
}

// Repair says in a sentence what was mended, and how often.
func Repair(kind schema.Repair, n int) string {
	switch kind {
	case schema.RepairBOM:
		return "The byte order mark at its start was taken off."
	case schema.RepairUTF16:
		return "It was read as UTF-16."
	case schema.RepairWindows1252:
		return "It was read as Windows-1252."
	case schema.RepairEncoding:
		return "It was read in the encoding that was asked for."
	case schema.RepairMojibake:
		return "Letters that were encoded twice, UTF-8 taken for Windows-1252, were put right in " + Count(n, "cell") + "."
	case schema.RepairDelimiter:
		return "Its delimiter is not the comma, and was recognized."
	case schema.RepairPreamble:
		return Count(n, "line") + " above the header " + was(n) + " left out."
	case schema.RepairHeaderCleaned:
		return Count(n, "header") + " " + was(n) + " read without blanks or marks around the name."
	case schema.RepairHeaderRepeated:
		return Count(n, "row") + " that " + Pick(n, "repeats", "repeat") + " the header " + was(n) + " left out."
	case schema.RepairEndMark:
		return "The end mark behind its last row was taken off."
	case schema.RepairBlankRow:
		return Count(n, "blank row") + " " + was(n) + " left out."
	case schema.RepairCellsMissing:
		return Count(n, "row") + " with missing last cells, which were read as blank."
	case schema.RepairCellsSurplus:
		return Count(n, "row") + " with surplus blank cells, or marks, behind the last column: left out."
	case schema.RepairBlanksTrimmed:
		return Count(n, "cell") + " " + was(n) + " trimmed of the blanks around."
	case schema.RepairBooleanWords:
		return Count(n, "cell") + " with another word for TRUE or FALSE " + was(n) + " read as that."
	case schema.RepairTextFormula:
		return Count(n, "text formula") + ` like ="Adam" ` + was(n) + " read as the text in it."
	case schema.RepairPhoneSpelling:
		return Count(n, "phone number") + " " + was(n) + " read without blanks and signs."
	case schema.RepairLanguageSpelling:
		return Count(n, "language") + " like en_US " + was(n) + " read as en-US."
	case schema.RepairHiddenSheet:
		return "The sheet that was read is hidden in the workbook."
	case schema.RepairHiddenRow:
		return Count(n, "row") + " that " + Pick(n, "is", "are") + " hidden in the workbook " + was(n) + " read like the others."
	case schema.RepairHiddenColumn:
		return Count(n, "column") + " that " + Pick(n, "is", "are") + " hidden in the workbook " + was(n) + " read like the others."
	case schema.RepairMergedCells:
		return Count(n, "group") + " of merged cells: of each only the first cell has content, and the others are blank."
	}
	return ""
}

func was(n int) string { return Pick(n, "was", "were") }

// Pick returns the word for one, or that for several.
func Pick(n int, one, several string) string {
	if n == 1 {
		return one
	}
	return several
}
