package handoff

import (
	"encoding/json"
	"hash/maphash"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/schema"
)

// FuzzErrorFile reads whatever somebody calls a file of errors: it is refused, or every message in it
// belongs to a row number and says something.
func FuzzErrorFile(f *testing.F) {
	for _, seed := range []string{
		"Row Number,Error Message\n2,\"400081: a, b\nTrackingID: X\"\n3,x\n", "Row Number,User ID/Email,Error Message\r\n1,a@b.example,409\r\n",
		"row number;error message\n2;a;b\n;c\nmore of it, TrackingID: X\n", "Row Number,Error Message\n", "Row Number\n1\n", "",
		"Row Number,Error Message\n-1,x\n", "Row Number,Error Message\n99999999999999999999,x\n", "Error Message,Row Number\nx,2\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		e, err := openErrors(t.Context(), dialect.Text("errors.csv", string(text)), dialect.Limits{BlockRows: 2})
		if err == nil {
			err = e.each(t.Context(), func(s said) error {
				require.GreaterOrEqual(t, s.number, 0)
				require.Positive(t, s.line)
				for _, message := range s.messages {
					require.NotEmpty(t, strings.TrimSpace(message))
					require.NotEmpty(t, fixOf(reasonOf(message)))
				}
				return nil
			})
		}
		if err != nil {
			var refused *schema.Error
			require.ErrorAs(t, err, &refused)
			require.Equal(t, "errors.csv", refused.File)
		}
	})
}

// FuzzManifest reads whatever stands in a manifest: it is refused, or its parts add up and name no file but
// parts, and their lines can be read or are refused.
func FuzzManifest(f *testing.F) {
	part := `{"file":"part-01-of-01.csv","sha256":"` + strings.Repeat("0", 64) + `","rows":3,"lines":"2-3,9"}`
	for _, seed := range []string{
		`{"version":1,"mode":"add","columns":["Email"],"address_column":"Email","rows":3,"parts":[` + part + `]}`, `{}`, ``, `[]`, `{"version":1}`,
		`{"version":1,"mode":"add","columns":["Email"],"address_column":"Email","rows":3,"parts":[{"file":"../x","rows":3}]}`,
		`{"version":1,"mode":"add","columns":["Email"],"address_column":"Email","rows":3,"parts":[` + strings.Replace(part, "2-3,9", "1-99999999", 1) + `]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		m, err := parseManifest(text)
		if err != nil {
			require.Nil(t, m)
			return
		}
		rows := 0
		for i := range m.Parts {
			p := &m.Parts[i]
			require.Equal(t, partName(i+1, len(m.Parts)), p.File)
			rows += p.Rows
			if lines, err := p.Lines.lines(p.Rows); err == nil {
				require.Len(t, lines, p.Rows)
				require.True(t, slices.IsSorted(lines))
			}
		}
		require.Equal(t, m.Rows, rows)
	})
}

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
		survey, err := h.Check(t.Context(), Request{Source: dialect.Text("file.csv", file), Template: dialect.Text("template.csv", template), Mode: AddOnly}, nil)
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

// Lines are read as they were added, whatever ranges they make.
func TestLineList(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var l lineList
		line := 0
		var want []int
		for _, step := range rapid.SliceOfN(rapid.IntRange(1, 3), 1, 200).Draw(t, "steps") {
			line += step
			l.add(line)
			want = append(want, line)
		}
		written, err := json.Marshal(&l)
		require.NoError(t, err)
		var read lineList
		require.NoError(t, json.Unmarshal(written, &read))
		got, err := read.lines(len(want))
		require.NoError(t, err)
		require.Equal(t, want, got)
		_, err = read.lines(len(want) + 1)
		require.Error(t, err)
		_, err = read.lines(len(want) - 1)
		require.Error(t, err)
	})
}

// The reasons that stand in the contract, by number; what a tracking id or a limit has for digits is none.
func TestReasonOf(t *testing.T) {
	for message, want := range map[string]schema.Code{
		"400081":                                 schema.CodeNotClaimed,
		"Error 400084: x":                        schema.CodeDomainClaimedElsewhere,
		"[400108]":                               schema.CodeDomainClaimedElsewhere,
		"code=400091":                            schema.CodeDomainNotVerified,
		"400109.":                                schema.CodeDomainNotVerified,
		"400090":                                 schema.CodeClaimedElsewhere,
		"400110":                                 schema.CodeDirectorySyncEnabled,
		"400111":                                 schema.CodeLicenseUnavailable,
		"400112":                                 schema.CodeLicenseUnavailable,
		"400087":                                 schema.CodeServiceConflict,
		"400094":                                 schema.CodeServiceConflict,
		"401 Unauthorized":                       schema.CodeCredentialsRefused,
		"HTTP 403":                               schema.CodeCredentialsRefused,
		"Status code: 404":                       schema.CodeUserNotFound,
		"Error code 409":                         schema.CodeConflict,
		"429":                                    schema.CodeFailed,
		"error: 500":                             schema.CodeFailed,
		"503 Service Unavailable":                schema.CodeFailed,
		"408":                                    schema.CodeFailed,
		"The name is longer than 500 characters": schema.CodeMessageUnknown,
		"Odd. TrackingID: ROUTER_400081-404":     schema.CodeMessageUnknown,
		"tracking-id: 409":                       schema.CodeMessageUnknown,
		"User is claimed by another organization":           schema.CodeClaimedElsewhere,
		"The domain is already claimed":                     schema.CodeDomainClaimedElsewhere,
		"The domain acme.example is not verified":           schema.CodeDomainNotVerified,
		"User already exists":                               schema.CodeNotClaimed,
		"User not found":                                    schema.CodeUserNotFound,
		"Insufficient licenses for Webex Calling":           schema.CodeLicenseUnavailable,
		"License is not available":                          schema.CodeLicenseUnavailable,
		"The services conflict with each other":             schema.CodeServiceConflict,
		"Please enable directory sync again":                schema.CodeDirectorySyncEnabled,
		"A location is required for calling":                schema.CodeLocationMissing,
		"Phone number or extension is required":             schema.CodeNumberMissing,
		"Access denied":                                     schema.CodeCredentialsRefused,
		"Request timed out":                                 schema.CodeFailed,
		"The subscription of this service is suspended":     schema.CodeServiceSuspended,
		"Conflict with another request":                     schema.CodeConflict,
		"Invalid email":                                     schema.CodeEmailInvalid,
		"The value of Messaging must be either TRUE or not": schema.CodeBooleanInvalid,
	} {
		require.Equal(t, want, reasonOf(message), message)
		require.NotEmpty(t, fixOf(want))
	}
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
