package directory

import (
	"context"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/schema"
)

// readAll reads a list with all that it has beside its entries.
func readAll(ctx context.Context, name, text string, options Options) (list *List, entries []Entry, besides []Beside, err error) {
	options.Beside = func(b Beside) { besides = append(besides, b) }
	list, err = Read(ctx, dialect.Text(name, text), options, func(e Entry) { entries = append(entries, e) })
	return list, entries, besides, err
}

func emails(entries []Entry) []string {
	all := make([]string, len(entries))
	for i, entry := range entries {
		all[i] = entry.Email
	}
	return all
}

// csvde joins values with semicolons, and writes what is no text in hexadecimal digits.
func TestCSVDE(t *testing.T) {
	t.Parallel()
	text := "DN,objectClass,mail,proxyAddresses,userAccountControl\n" +
		`"CN=Ann,DC=x",user,ann@b.example;ann2@b.example,` + `SMTP:ann@b.example;smtp:X'zz';X400:C=SE\;A= \;;smtp:a@b.example,514` + "\n" +
		`"CN=Bo,DC=x",user,X'` + hex.EncodeToString([]byte("bo@åkeri.example")) + "',,512\n" +
		`"CN=PC,DC=x",top;person;user;computer,pc@b.example,,4096` + "\n" +
		`"CN=Cy,DC=x",,,SMTP:cy@b.example,x` + "\n"
	list, entries, besides, err := readAll(t.Context(), "people.csv", text, Options{})
	require.NoError(t, err)
	assert.Equal(t, []string{"ann@b.example", "bo@åkeri.example"}, emails(entries))
	assert.Equal(t, []Beside{
		{"ann2@b.example", 2, "mail", "ann@b.example", OtherAddress},
		{"a@b.example", 2, "proxyAddresses", "ann@b.example", OtherAddress},
		{"pc@b.example", 4, "mail", "", NoPerson},
		{"cy@b.example", 5, "proxyAddresses", "", NoAddress},
	}, besides)
	assert.Equal(t, []int{1, 1, 1, 1}, []int{list.Several, list.Objects, list.NoAddress, list.Disabled})

	_, entries, _, err = readAll(t.Context(), "people.csv", text, Options{Address: "proxyaddresses"})
	require.NoError(t, err)
	assert.Equal(t, []string{"ann@b.example", "cy@b.example"}, emails(entries))
}

// A list that has all sorts of objects has the columns of its persons.
func TestLDIFColumns(t *testing.T) {
	t.Parallel()
	text := "dn: a\nobjectClass: group\nmail: all@b.example\n\ndn: b\nobjectClass: user\nuserPrincipalName: ann@b.example\nCN;lang-sv: Ann\n"
	list, entries, _, err := readAll(t.Context(), "people.ldf", text, Options{})
	require.NoError(t, err)
	assert.Equal(t, []string{"objectClass", "userPrincipalName", "cn"}, list.Header)
	assert.Equal(t, []string{"ann@b.example"}, emails(entries))
	assert.Equal(t, [2]int{0, 0}, [2]int{list.HeaderLine, list.Field()})
	best, count, err := Fullest(t.Context(), dialect.Text("people.ldf", text), Options{}, len(list.Header), func(string) bool { return true })
	require.NoError(t, err)
	assert.Equal(t, [2]int{1, 1}, [2]int{best, count})

	_, _, _, err = readAll(t.Context(), "people.ldf", "dn: a\ncn: Ann\n", Options{})
	assert.Equal(t, schema.CodeEmailColumnMissing, schema.CodeOf(err))
	_, _, _, err = readAll(t.Context(), "people.ldf", text+"x: 1\ny: 2\n", Options{Limits: dialect.Limits{Columns: 4}})
	var refused *schema.Error
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, "people.ldf:5: The list has more than 4 attributes. (limit_exceeded)", refused.Error())
}

func TestIsPerson(t *testing.T) {
	t.Parallel()
	for classes, want := range map[string]bool{
		"": true, "user": true, "top;person;organizationalPerson;User": true, "inetOrgPerson": true, "top; account": true, "System.Object[]": true,
		"top;person;organizationalPerson;user;computer": false, "contact": false, "group": false, "top": false, "1.2.3": false,
	} {
		assert.Equal(t, want, isPerson(classes), classes)
	}
}

func TestAddressesIn(t *testing.T) {
	t.Parallel()
	for cell, want := range map[string][2][]string{
		"": {nil, {""}}, "SMTP:a@b.example": {{"a@b.example"}}, "a@b.example": {nil, {"a@b.example"}}, "SIP:a@b.example": {},
		"SMTP:a+x@b.example+smtp:c@b.example+sip:a@b.example":          {{"a+x@b.example"}, {"c@b.example"}},
		"smtp:c@b.example;x500:/o=Acme;cn=c; SMTP:a@b.example":         {{"a@b.example"}, {"c@b.example", "cn=c"}},
		"{SMTP:a@b.example, Smtp:c@b.example}|EUM:1;phone-context=x.y": {{"a@b.example"}, {"c@b.example", "phone-context=x.y"}},
		"SMTP:a@b.example\nSMTP:c@b.example":                           {{"a@b.example", "c@b.example"}},
		"SMTP:+smtp:":                                                  {{""}, {""}},
	} {
		first, others := addressesIn(cell)
		assert.Equal(t, want, [2][]string{first, others}, cell)
	}
}

// What is joined comes apart again.
func TestValues(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.SliceOfN(rapid.StringMatching(`([a;"]|\\[a;])*`).Filter(func(s string) bool { return !strings.Contains(s, `\;`) }), 1, 5).Draw(t, "values")
		cells := make([]string, len(want))
		for i, value := range want {
			cells[i] = escaped(value)
		}
		require.Equal(t, want, values(strings.Join(cells, ";")))
	})
}

// FuzzDirectory reads whatever somebody calls a directory's list: it is refused, or every row of it is an
// address.
func FuzzDirectory(f *testing.F) {
	for _, seed := range []string{
		"email\nann@acme.example\n", "\ufeffMAIL;x\r\nAnn@acme.example;1\r\n", "id,userPrincipalName\n1,å@åkeri.example\n2\n", "email", "",
		"email,email\na@b.example,a@b.example\n", "mail\n\"a@b.example", "\"User ID/Email (Required)\"\n'+a@b.example\n\nA@B.example\n",
		"DN,mail,proxyAddresses\nx,a@b.example;c@d.example,SMTP:a@b.example;smtp:e@f.example\ny,X'6140622e63',\n", "mail\nh?kan@b.example\n",
		"dn: a\nmail: a@b.example\nmail:: YUBjLmQ=\nobjectClass: user\n\ndn: b\nobjectClass: group\nmail: c@b.example\n", "dn: a\nproxyAddresses: SMTP:a@b.example\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		list, entries, besides, err := readAll(t.Context(), "people", string(text), Options{Limits: dialect.Limits{BlockRows: 2}})
		if err != nil {
			var refused *schema.Error
			require.ErrorAs(t, err, &refused)
			return
		}
		require.NotEmpty(t, entries)
		require.Contains(t, list.Header, list.Column)
		for _, entry := range entries {
			key, problem := schema.ParseAddress(entry.Email)
			require.Empty(t, problem)
			require.Equal(t, key, entry.Key)
		}
		for _, beside := range besides {
			key, problem := schema.ParseAddress(beside.Key)
			require.Empty(t, problem)
			require.Equal(t, key, beside.Key)
			require.Contains(t, list.Header, beside.Column)
			require.Equal(t, beside.Email == "", beside.Why != OtherAddress)
		}
	})
}
