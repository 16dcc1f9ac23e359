package usersfile

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestParsePeople(t *testing.T) {
	t.Parallel()
	for list, want := range map[string][]Person{
		"":                        nil,
		" , ;\n,":                 nil,
		"ann@x.example":           {{Email: "ann@x.example"}},
		"a@x.example,b@x.example": {{Email: "a@x.example"}, {Email: "b@x.example"}},
		"a@x.example, b@x.example; c@x.example\r\nd@x.example":  {{Email: "a@x.example"}, {Email: "b@x.example"}, {Email: "c@x.example"}, {Email: "d@x.example"}},
		"a@x.example b@x.example":                               {{Email: "a@x.example"}, {Email: "b@x.example"}},
		"Ann Lee <ann@x.example>":                               {{Email: "ann@x.example", Name: "Ann Lee"}},
		" Ann   Lee<  ann@x.example > ":                         {{Email: "ann@x.example", Name: "Ann Lee"}},
		`"Lee, Ann" <ann@x.example>,bo@x.example`:               {{Email: "ann@x.example", Name: "Lee, Ann"}, {Email: "bo@x.example"}},
		"Ann <ann@x.example>, Bo Ek <bo@x.example>":             {{Email: "ann@x.example", Name: "Ann"}, {Email: "bo@x.example", Name: "Bo Ek"}},
		"<ann@x.example>":                                       {{Email: "ann@x.example"}},
		"Ann Lee":                                               {{Email: "Ann Lee"}},
		"Ann ann@x.example":                                     {{Email: "Ann ann@x.example"}},
		`O"Neill <o@x.example>,b@x.example`:                     {{Email: "o@x.example", Name: "ONeill"}, {Email: "b@x.example"}},
		"Ann <ann@x.example":                                    {{Email: "Ann <ann@x.example"}},
		"=cmd@x.example, '=quoted@x.example, o'brien@x.example": {{Email: "=cmd@x.example"}, {Email: "'=quoted@x.example"}, {Email: "o'brien@x.example"}},
	} {
		assert.Equal(t, want, ParsePeople(list), "%q", list)
	}
	assert.Equal(t, []Person{{Email: "a@x.example"}, {Email: "b@x.example"}}, ParsePeople("a@x.example", "", "b@x.example"))
}

func TestNamesOfAPerson(t *testing.T) {
	t.Parallel()
	for name, want := range map[string][3]string{
		"":              {"", "", ""},
		"Ann":           {"Ann", "", "Ann"},
		"Ann Lee":       {"Ann", "Lee", "Ann Lee"},
		"Ann Mary Lee":  {"Ann Mary", "Lee", "Ann Mary Lee"},
		"Lee, Ann Mary": {"Ann Mary", "Lee", "Ann Mary Lee"},
	} {
		first, last, shown := (&Person{Name: name}).names()
		assert.Equal(t, want, [3]string{first, last, shown}, name)
	}
}
