package schema

import (
	"strconv"
	"strings"
)

// fill puts details into a sentence: {1} is the first. A part between "[" and "]" is left out where a detail
// that it names is missing or blank.
func fill(sentence string, details []string) string {
	if !strings.ContainsAny(sentence, "[{") {
		return sentence
	}
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(sentence, "[")
		text, _ := replace(before, details)
		b.WriteString(text)
		if !found {
			return b.String()
		}
		optional, after, _ := strings.Cut(rest, "]")
		if text, whole := replace(optional, details); whole {
			b.WriteString(text)
		}
		sentence = after
	}
}

// replace puts details into a part of a sentence; whole tells whether none was missing.
func replace(part string, details []string) (text string, whole bool) {
	var b strings.Builder
	whole = true
	for {
		before, rest, found := strings.Cut(part, "{")
		b.WriteString(before)
		if !found {
			return b.String(), whole
		}
		number, after, _ := strings.Cut(rest, "}")
		if n, err := strconv.Atoi(number); err == nil && n >= 1 && n <= len(details) && details[n-1] != "" {
			b.WriteString(details[n-1])
		} else {
			whole = false
		}
		part = after
	}
}
