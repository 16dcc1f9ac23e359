package schema

import (
	"strconv"
	"strings"
)

// fill puts details into a sentence: {1} is the first. A part between "[" and "]" is left out where a detail
// that it names is missing or blank. {=1} is a word of ours, which is said in the language; nil: in English.
func fill(sentence string, details []string, l Language) string {
	if !strings.ContainsAny(sentence, "[{") {
		return sentence
	}
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(sentence, "[")
		text, _ := replace(before, details, l)
		b.WriteString(text)
		if !found {
			return b.String()
		}
		optional, after, _ := strings.Cut(rest, "]")
		if text, whole := replace(optional, details, l); whole {
			b.WriteString(text)
		}
		sentence = after
	}
}

// replace puts details into a part of a sentence; whole tells whether none was missing.
func replace(part string, details []string, l Language) (text string, whole bool) {
	var b strings.Builder
	whole = true
	for {
		before, rest, found := strings.Cut(part, "{")
		b.WriteString(before)
		if !found {
			return b.String(), whole
		}
		name, after, _ := strings.Cut(rest, "}")
		number, ours := strings.CutPrefix(name, "=")
		n, err := strconv.Atoi(number)
		switch known := err == nil && n >= 1 && n <= len(details) && details[n-1] != ""; {
		case !known:
			whole = false
		case ours && l != nil:
			b.WriteString(l.Format(details[n-1]))
		default:
			b.WriteString(details[n-1])
		}
		part = after
	}
}
