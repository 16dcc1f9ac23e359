package usersfile

import (
	"slices"
	"strings"

	"github.com/claimline/claimline/schema"
)

// Explain says what is wrong with one cell that has this problem: in particular, where that is known.
func Explain(problem schema.Code, cell string) *schema.Finding {
	f := schema.NewFinding(problem, "", schema.Quote(cell))
	switch problem {
	case schema.CodeEmailInvalid:
		if hint, details := EmailHint(cell); hint != "" {
			f.Explain(hint, details...)
		}
	case schema.CodeTextInvalid:
		explainText(cell, f)
	case schema.CodePhoneInvalid:
		explainPhone(cell, f)
	case schema.CodeLanguageInvalid:
		if tag := LanguageTag(cell); tag != "" {
			f.Explain(schema.HintLanguageName, schema.Quote(cell), tag)
		}
	}
	return f
}

// SaysNothing reports whether a cell is blank, or a word for nothing as databases and programs write it.
func SaysNothing(cell string) bool {
	return cell == "" || len(cell) <= longestNothing && slices.ContainsFunc(nothings, func(word string) bool { return strings.EqualFold(cell, word) })
}
