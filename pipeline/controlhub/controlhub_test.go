package controlhub_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/claimline/claimline/pipeline/controlhub"
	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/pipeline/usersfile"
	"github.com/claimline/claimline/schema"
)

func TestHeaders(t *testing.T) {
	for header, want := range map[string]usersfile.Field{
		"User ID/Email (Required)": usersfile.Email, "user id/email": usersfile.Email, "E-mail": usersfile.Email, "Phone Number": usersfile.Phone,
		"Department": usersfile.Department, "Location": -1, "Webex Calling [sub.1]": -1, "": -1,
	} {
		_, field := controlhub.Field(header)
		assert.Equal(t, want, field, header)
	}
	for header, want := range map[string]struct {
		name      string
		suspended bool
	}{
		"Site [sub.2] (Suspended)": {"Site [sub.2]", true}, "Site [sub.2](SUSPENDED)": {"Site [sub.2]", true},
		"(Suspended)": {"(Suspended)", false}, "Suspended": {"Suspended", false}, "Site (suspended) 2": {"Site (suspended) 2", false},
	} {
		name, suspended := controlhub.WithoutMark(header)
		assert.Equal(t, want.name, name)
		assert.Equal(t, want.suspended, suspended, header)
	}
	for header, want := range map[string]bool{"Webex Calling [sub.1]": true, "Webex Calling": false, "]": false, "A [b] c": false} {
		assert.Equal(t, want, controlhub.IsService(header), header)
	}
	assert.True(t, controlhub.IsReadOnly(" days since last service accessed"))
	assert.False(t, controlhub.IsReadOnly("Location"))

	// Of the columns behind Title, those of which only their cells tell.
	headers := []string{"Extension", "User ID/Email (Required)", "Title", "Messaging", "Calling [sub.1]", "", "Last Active Time", "Department", "Meetings"}
	assert.Equal(t, []int{3, 8}, controlhub.MayBeServices(headers))
	assert.Empty(t, controlhub.MayBeServices(slices.DeleteFunc(headers, func(header string) bool { return header == "Title" })))
}

func TestFilledCells(t *testing.T) {
	file := dialect.Text("users.csv", "Email,Title,A,B,C\na@b.example,x,TRUE,,f\nEmail,Title,A,B,C\nb@b.example,y,perhaps\nc@b.example,y, ja ,,no way\n")
	reader, err := dialect.NewReader(t.Context(), file, dialect.Options{Names: usersfile.EmailNames})
	require.NoError(t, err)
	filled, err := controlhub.Fill(t.Context(), reader, []int{2, 3, 4})
	require.NoError(t, err)
	assert.Equal(t, []controlhub.Filled{{Booleans: 2, Others: 1, Other: 4}, {}, {Booleans: 1, Others: 1, Other: 5}}, filled)

	file = dialect.Text("users.csv", "Email,A\na@b.example,\"x\n")
	reader, err = dialect.NewReader(t.Context(), file, dialect.Options{Names: usersfile.EmailNames})
	require.NoError(t, err)
	_, err = controlhub.Fill(t.Context(), reader, []int{1})
	require.Equal(t, schema.CodeCSVMalformed, schema.CodeOf(err))
}

func TestWords(t *testing.T) {
	for word, want := range map[string]schema.Status{
		"Active": schema.Active, "AKTIV": schema.Active, "Not-Verified": schema.NotVerified, "inbjudan  väntar": schema.Pending,
		"Delayed Claim": schema.DelayedClaim, "Fördröjt anspråk": schema.DelayedClaim,
	} {
		status, ok := controlhub.Status(word)
		assert.True(t, ok, word)
		assert.Equal(t, want, status, word)
	}
	for _, word := range []string{"", "Activ", "Archived"} {
		_, ok := controlhub.Status(word)
		assert.False(t, ok, word)
	}
	for word, want := range map[string]string{
		"sv-SE": "sv-SE", "en_US": "en-US", "English": "en", "svenska": "sv", "Chinese  (Simplified)": "zh-CN", "Engelska (Storbritannien)": "en-GB",
		"": "", "Klingonska?": "", "12": "",
	} {
		tag, ok := controlhub.Language(word)
		assert.Equal(t, want != "", ok, word)
		assert.Equal(t, want, tag, word)
	}
}

// A time is read only where it is certain which one is meant.
func TestMoments(t *testing.T) {
	for text, want := range map[string]string{
		"2026-11-20T10:00:00.123Z":   "2026-11-20T10:00:00.123Z",
		"2026-11-20T10:00:00+0200":   "2026-11-20T08:00:00Z",
		"2026-11-20 10:00":           "2026-11-20T10:00:00Z",
		"2026-11-20 10:00:00 UTC":    "2026-11-20T10:00:00Z",
		"2026-11-20 10:00:00 +02:00": "2026-11-20T08:00:00Z",
		"2026/11/20":                 "2026-11-20T00:00:00Z",
		"Nov 20, 2026 3:04 PM":       "2026-11-20T15:04:00Z",
		"20 November 2026":           "2026-11-20T00:00:00Z",
		"2026-11-20 10:00:00 CST":    "", // one of several
		"03/04/2026":                 "",
		"20.11.2026":                 "",
		"0001-01-01":                 "",
		"1969-12-31":                 "",
		"20 maj 2026":                "",
		"":                           "",
	} {
		at, ok := controlhub.Moment(text)
		assert.Equal(t, want != "", ok, text)
		if ok {
			assert.Equal(t, want, at.Format(time.RFC3339Nano), text)
		}
	}
}

func TestDomains(t *testing.T) {
	keys, err := controlhub.ParseDomains([]string{" ACME.example", "@acme.example", "räksmörgås.example"})
	require.NoError(t, err)
	assert.Equal(t, []string{"acme.example", "xn--rksmrgs-5wao1o.example"}, keys)
	for _, name := range []string{"", "acme", "acme example", "a@b.example"} {
		_, err := controlhub.ParseDomains([]string{"acme.example", name})
		assert.Equal(t, schema.CodeDomainInvalid, schema.CodeOf(err), name)
	}
}
