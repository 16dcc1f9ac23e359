package usersfile

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/claimline/claimline/schema"
)

var services = []string{"Webex Calling", "Webex Meetings", "Webex Messaging"}

func layoutOf(t *testing.T, options Options, header ...string) (*Layout, error) {
	t.Helper()
	return NewLayout("f.csv", 1, header, services, options)
}

// A column that could decide who is claimed, or gets what, and is not known for certain refuses the file.
func TestUnclearColumns(t *testing.T) {
	for header, known := range map[string]string{
		"Claim?": "Claim", "Claims": "Claim", "Claim (TRUE/FALSE)": "Claim", "Calim": "Claim", "Klaim": "Claim", "claimed": "Claim", "To claim": "Claim",
		"Gör anspråk": "Claim", "Anspråk?": "Claim", "Beanspruchen": "Claim", "Anspruch": "Claim", "Revendiquer": "Claim", "REVENDIQUER (oui/non)": "Claim",
		"Reclamar": "Claim", "认领": "Claim", "请认领用户": "Claim", "Заявить": "Claim",
		"Claim Typ": "Claim Type", "Claimtype": "Claim Type", "Claim Type (new)": "Claim Type", "Anspruchsart": "Claim Type", "Typ av anspråk": "Claim Type",
		"Webex Caling": "Webex Calling", "Webex Calling licence": "Webex Calling", "Calling licence": "Webex Calling", "Meetings": "Webex Meetings",
		"webex-messaging": "Webex Messaging",
	} {
		_, err := layoutOf(t, Options{}, "Email", header)
		require.Equal(t, schema.CodeColumnUnclear, schema.CodeOf(err), header)
		var refused *schema.Error
		require.ErrorAs(t, err, &refused)
		assert.Equal(t, header, refused.Header)
		assert.Contains(t, refused.Remedy(), `--column "`+header+"="+known+`"`, header)
		assert.Contains(t, refused.Remedy(), `--ignore-column "`+header+`"`)

		_, err = layoutOf(t, Options{Ignore: []string{header}}, "Email", header)
		require.NoError(t, err, header)
		l, err := layoutOf(t, Options{Columns: map[string]string{header: known}}, "Email", header)
		require.NoError(t, err, header)
		assert.Empty(t, l.Unknown)
		assert.True(t, l.Known(1))
	}
	all := append([]string{"Email", "Claim", "Claim Type"}, services...)
	for _, honest := range []string{"Claims", "Notes", "Gör anspråk", "Calling licence", "Team", "City", "Manager", "Clam"} {
		l, err := layoutOf(t, Options{}, append(all, honest)...)
		require.NoError(t, err, honest)
		assert.Equal(t, []string{honest}, l.Unknown)
	}
	for _, honest := range []string{"Notes", "Anmärkning", "Manager", "Office", "Cost centre", "Employee ID", "Webex site", "Location", "Kommentar", "Room"} {
		_, err := layoutOf(t, Options{}, "Email", honest)
		require.NoError(t, err, honest)
	}
}

func TestOptions(t *testing.T) {
	for name, c := range map[string]struct {
		options Options
		header  []string
		code    schema.Code
	}{
		"column that is not there": {Options{Columns: map[string]string{"X": "Claim"}}, []string{"Email", "Y"}, schema.CodeColumnMissing},
		"unknown meaning":          {Options{Columns: map[string]string{"X": "Clam"}}, []string{"Email", "X"}, schema.CodeUsage},
		"ignored not there":        {Options{Ignore: []string{"X"}}, []string{"Email", "Y"}, schema.CodeColumnMissing},
		"address ignored":          {Options{Ignore: []string{"E-mail"}}, []string{"E-mail", "Y"}, schema.CodeUsage},
		"Claim ignored":            {Options{Ignore: []string{"claim"}}, []string{"E-mail", "Claim"}, schema.CodeUsage},
		"twice":                    {Options{Columns: map[string]string{"X": "Claim"}}, []string{"Email", "X", "Claim"}, schema.CodeHeaderDuplicate},
		"two addresses":            {Options{}, []string{"Email", "Mail"}, schema.CodeHeaderDuplicate},
		"once cleaned":             {Options{}, []string{"Email", "Claim", "Claim\u00a0"}, schema.CodeHeaderDuplicate},
	} {
		_, err := layoutOf(t, c.options, c.header...)
		assert.Equal(t, c.code, schema.CodeOf(err), name)
	}
	_, err := layoutOf(t, Options{Ignore: []string{"claim"}, EveryRow: true}, "Email", "Claim")
	require.NoError(t, err)
	_, err = layoutOf(t, Options{EveryRow: true}, "Email", "Claim?")
	require.NoError(t, err)
}

func TestCleanedHeaders(t *testing.T) {
	l, err := layoutOf(t, Options{}, "User\u00a0ID/Email\u00a0(Required)", "First Name", " last  name ", "\u200bClaim;;;", "Claimline Fix")
	require.NoError(t, err)
	assert.Equal(t, 3, l.Cleaned)
	assert.Empty(t, l.Unknown)
	assert.True(t, l.Added(4))
	assert.True(t, l.Has(Claim))

	l, err = NewLayout("f.csv", 1, []string{"Email", "'=Rooms", "+sum"}, []string{"=Rooms", "+Sum"}, Options{})
	require.NoError(t, err)
	assert.Zero(t, l.Cleaned, "a header is not cleaned that export has guarded")
}

// In a file without Claim, a column of nothing but booleans may be marks of who is meant, however late they
// come.
func TestMarks(t *testing.T) {
	l, err := layoutOf(t, Options{}, "Email", "Include", "Notes", "Blank")
	require.NoError(t, err)
	var m, later Marks
	require.Nil(t, l.Judge(m))
	for range 3 {
		l.Mark([]string{"a@b.c", "", "no", ""}, &m)
	}
	l.Mark([]string{"a@b.c", "", "he left", ""}, &m)
	l.Mark([]string{"a@b.c", " Nej ", "0", "\u00a0"}, &later)
	m.Add(later)
	m.Add(Marks{}) // of a part whose rows are all ragged
	empty := Marks{}
	empty.Add(Marks{})
	empty.Add(m)
	assert.NotNil(t, l.Judge(empty))
	refused := l.Judge(m)
	require.NotNil(t, refused)
	assert.Equal(t, schema.CodeColumnUnclear, refused.Code)
	assert.Equal(t, "Include", refused.Header)
	assert.Contains(t, refused.Remedy(), "--every-row")
	assert.NotContains(t, refused.Text(), "Notes")

	for _, o := range []Options{{EveryRow: true}, {Offline: true}, {Ignore: []string{"Include"}}} {
		l, err := layoutOf(t, o, "Email", "Include")
		require.NoError(t, err)
		assert.False(t, l.Watches())
	}
	l, err = layoutOf(t, Options{}, "Email", "Include", "Claim")
	require.NoError(t, err)
	assert.False(t, l.Watches())
}
