package handoff

import (
	"hash/maphash"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/pipeline/handoff/folder"
	"github.com/claimline/claimline/schema"
)

// FuzzTemplate reads whatever somebody calls a template, and checks a file against it: either is refused,
// or the columns that a part would have are headers of the template, as they are written there.
func FuzzTemplate(f *testing.F) {
	for _, seed := range []string{
		"First Name,Email,Title,Messaging ,Webex Calling [a],X [b] (Suspended)\n", "note\nUser ID/Email (Required);Title;S\nx@y.example;;TRUE\n",
		"Email\n", "Email,email\n", "", "Email,X (Suspended),X\n", "\ufeffEmail,\"A\nB\",Claim\n", "Email,Title,A,B\na@b.example,,TRUE,x\n",
	} {
		f.Add(seed, "Email,First Name,Webex Calling [a],X [b],Claim\na@b.example,A,TRUE,FALSE,TRUE\n")
	}
	f.Fuzz(func(t *testing.T, template, file string) {
		limits := dialect.Limits{BlockRows: 2}
		h := &Handoff{Now: func() time.Time { return time.Unix(0, 0) }, Workers: 1, Limits: limits}
		parsed, err := readTemplate(t.Context(), dialect.Text("template.csv", template), dialect.Options{Limits: limits}, false)
		if err != nil {
			var refused *schema.Error
			require.ErrorAs(t, err, &refused)
			return
		}
		survey, err := h.Check(t.Context(), Request{Source: dialect.Text("file.csv", file), Template: dialect.Text("template.csv", template), Mode: folder.AddOnly}, nil)
		if err != nil {
			var refused *schema.Error
			require.ErrorAs(t, err, &refused)
			return
		}
		addresses := 0
		for _, header := range survey.Written {
			at := slices.IndexFunc(parsed.columns, func(c column) bool { return c.header == header })
			require.GreaterOrEqual(t, at, 0, "%q is no header of the template", header)
			if parsed.columns[at].kind == addressKind {
				addresses++
			}
		}
		require.Equal(t, 1, addresses)
	})
}

// An address that is written alike twice is told from one in another case, whatever the order.
func TestSpellings(t *testing.T) {
	seed := maphash.MakeSeed()
	rapid.Check(t, func(t *rapid.T) {
		var s spellings
		seen, keys := map[string]bool{}, map[string]bool{}
		for _, email := range rapid.SliceOfN(rapid.SampledFrom([]string{"a@b.example", "A@b.example", "a@B.example", "c@b.example", "C@B.example"}), 0, 12).Draw(t, "emails") {
			key := strings.ToLower(email)
			r := &row{hash: maphash.String(seed, key)}
			if email != key {
				r.spelling = maphash.String(seed, email)
			}
			require.Equal(t, seen[email], s.add(r, keys[key]), email)
			seen[email], keys[key] = true, true
		}
	})
}
