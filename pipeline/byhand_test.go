package pipeline

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
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

// Whatever is written on the command line becomes one row of the file per person, with the address as it is.
func TestHandSourceIsReadBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		lists := rapid.SliceOfN(rapid.String(), 1, 5).Draw(t, "lists")
		for i := range lists { // no command line holds a NUL, and no file both ends with and holds an end mark
			lists[i] = strings.NewReplacer("\x00", "", "\x1a", "").Replace(lists[i])
		}
		people := ParsePeople(lists...)
		if len(people) == 0 {
			return
		}
		source, err := HandSource("claim by hand", people, []string{"=Meetings"})
		require.NoError(t, err)
		defer func() { require.NoError(t, source.Close()) }()
		p := &Pipeline{Workers: 1, Now: fixedNow}
		var out strings.Builder
		plan, err := p.Validate(t.Context(), source, Order{Offline: true, EveryRow: true}, &Report{To: &out, Format: ReportJSONL}, Watch{})
		require.NoError(t, err)
		assert.Equal(t, len(people), plan.Tally.Rows)
		assert.Equal(t, len(people), strings.Count(out.String(), "\n"))
		require.NoError(t, source.unchanged())
	})
}
