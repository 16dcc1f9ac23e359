package usersfile

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

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

// splitList cuts at separators that stand neither in quotes nor in angle brackets. What stands before a comma
// and is no address belongs to a name that follows: Ek, Bo <bo@x.example>.
func splitList(list string) []string {
	var parts []string
	var quote rune // closes the quotes that are open; 0: none are
	bracketed, start, surname := false, 0, -1
	cut := func(end int, separator rune) {
		part := list[start:end]
		if separator == ',' && !strings.Contains(part, "@") && strings.TrimSpace(part) != "" {
			if surname < 0 {
				surname = start
			}
			return
		}
		if surname >= 0 && bracketAddress(part) {
			part = list[surname:end]
		} else if surname >= 0 {
			parts = append(parts, strings.Split(list[surname:start], ",")...)
		}
		parts, surname = append(parts, part), -1
	}
	for i, r := range list {
		switch {
		case quote != 0:
			if r == quote {
				quote = 0
			}
		case closing[r] != 0 && strings.ContainsRune(list[i+utf8.RuneLen(r):], closing[r]): // one never closed is a character like others
			quote = closing[r]
		case r == '<':
			bracketed = true
		case r == '>':
			bracketed = false
		case strings.ContainsRune(",;\n\r", r) && !bracketed:
			cut(i, r)
			start = i + 1
		}
	}
	cut(len(list), 0)
	return slices.DeleteFunc(parts, func(part string) bool { return strings.TrimSpace(part) == "" })
}

// closing are the quotes that names stand in, by the one that opens them.
var closing = map[rune]rune{'"': '"', '“': '”', '„': '“', '«': '»', '”': '”', '‘': '’', '‚': '‘'}

// bracketAddress reports whether a part ends in an address in angle brackets.
func bracketAddress(part string) bool {
	part = strings.TrimSpace(part)
	return strings.HasSuffix(part, ">") && strings.Contains(part, "<")
}

// parsePerson reads what stands between two separators: nobody, a name and an address, or addresses with
// blanks between.
func parsePerson(part string) []Person {
	part = strings.TrimSpace(part)
	if name, rest, found := strings.Cut(part, "<"); found && strings.HasSuffix(rest, ">") {
		name = strings.Map(func(r rune) rune {
			if r == '"' || r != '’' && r != '‘' && (closing[r] != 0 || strings.ContainsRune("“”»", r)) {
				return -1
			}
			return r
		}, name)
		name = strings.Trim(strings.TrimSpace(name), "'‘’‚")
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
// shown is the whole of it, the first name first.
func (p *Person) names() (first, last, shown string) {
	if last, first, found := strings.Cut(p.Name, ","); found {
		first, last = strings.TrimSpace(first), strings.TrimSpace(last)
		return first, last, strings.TrimSpace(first + " " + last)
	}
	i := strings.LastIndexFunc(p.Name, unicode.IsSpace)
	if i < 0 {
		return p.Name, "", p.Name
	}
	return p.Name[:i], strings.TrimSpace(p.Name[i:]), p.Name
}

// HandSource returns the users file of a claim by hand: one row per person, every service given assigned to
// each. The caller closes it.
func HandSource(name string, people []Person, services []string) (*dialect.File, error) {
	header := []string{FirstName.Name(), LastName.Name(), DisplayName.Name(), Email.Name()}
	var file bytes.Buffer
	writer := dialect.NewWriter(&file, schema.Format{})
	record := slices.Clone(header)
	record = append(record, services...)
	if err := writer.Write(record); err != nil {
		return nil, fmt.Errorf("write the header: %w", err)
	}
	for i := range people {
		first, last, shown := people[i].names()
		record = append(record[:0], first, last, shown, people[i].Email)
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
	return dialect.Spool(name, &file)
}
