package pipeline

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/schema"
)

// Person is a user claimed by hand: an address, and the name that goes with it, if one does.
type Person struct {
	Email string
	Name  string
}

// ParsePeople reads addresses as people write them, separated by commas, semicolons or line breaks:
//
//	ann@x.example, Bo Ek <bo@x.example>; "Dee, Cy" <cy@x.example>
//
// Addresses are not checked here: that is the row checks' business, which say what is wrong with each.
func ParsePeople(lists ...string) []Person {
	var people []Person
	for _, list := range lists {
		for _, part := range splitList(list) {
			people = append(people, parsePerson(part)...)
		}
	}
	return people
}

// splitList cuts at separators that stand neither in quotes nor in angle brackets.
func splitList(list string) []string {
	var quoted, bracketed bool
	return strings.FieldsFunc(list, func(r rune) bool {
		switch r {
		case '"':
			quoted = !quoted && strings.Count(list, `"`)%2 == 0 // a quote that is never closed is a character like others
		case '<':
			bracketed = !quoted
		case '>':
			bracketed = bracketed && quoted
		case ',', ';', '\n', '\r':
			return !quoted && !bracketed
		}
		return false
	})
}

// parsePerson reads what stands between two separators: nobody, a name and an address, or addresses with blanks between.
func parsePerson(part string) []Person {
	part = strings.TrimSpace(part)
	if name, rest, found := strings.Cut(part, "<"); found && strings.HasSuffix(rest, ">") {
		name = strings.TrimSpace(strings.ReplaceAll(name, `"`, ""))
		return []Person{{Email: strings.TrimSpace(strings.TrimSuffix(rest, ">")), Name: strings.Join(strings.Fields(name), " ")}}
	}
	words := strings.Fields(part)
	if !slices.ContainsFunc(words, func(word string) bool { return !strings.Contains(word, "@") }) {
		people := make([]Person, len(words))
		for i, word := range words {
			people[i].Email = word
		}
		return people
	}
	return []Person{{Email: part}} // no address: the row check will say so
}

// names splits a name into first and last: "Ann Mary Lee" and "Lee, Ann Mary" are both Ann Mary and Lee.
func (p *Person) names() (first, last string) {
	if last, first, found := strings.Cut(p.Name, ","); found {
		return strings.TrimSpace(first), strings.TrimSpace(last)
	}
	i := strings.LastIndexFunc(p.Name, unicode.IsSpace)
	if i < 0 {
		return p.Name, ""
	}
	return p.Name[:i], strings.TrimSpace(p.Name[i:])
}

// HandSource is the users file of a claim by hand: one row per person, every service given assigned to each. The
// caller closes it.
func HandSource(name string, people []Person, services []string) (*Source, error) {
	header := []string{schema.Columns[firstName], schema.Columns[lastName], schema.Columns[displayName], schema.Columns[email]}
	var file bytes.Buffer
	writer := dialect.NewWriter(&file, dialect.Format{})
	record := slices.Clone(header)
	record = append(record, services...)
	if err := writer.Write(record); err != nil {
		return nil, fmt.Errorf("write the header: %w", err)
	}
	for i := range people {
		first, last := people[i].names()
		record = append(record[:0], first, last, people[i].Name, people[i].Email)
		for range services {
			record = append(record, "TRUE")
		}
		if err := writer.Write(record); err != nil {
			return nil, fmt.Errorf("write a row: %w", err)
		}
	}
	if err := writer.Flush(); err != nil {
		return nil, fmt.Errorf("write the rows: %w", err)
	}
	return SpoolSource(name, &file)
}
