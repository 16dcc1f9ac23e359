package dialect_test

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/encoding/unicode"
	"pgregory.net/rapid"

	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/schema"
)

// ldifEntry is an entry with the values of mail and cn.
type ldifEntry struct {
	line   int
	values []string // "mail=…" and "cn=…", in the order of the file
}

func readLDIF(ctx context.Context, text string, limits dialect.Limits) (entries []ldifEntry, repairs map[schema.Repair]int, err error) {
	reader, err := dialect.NewLDIF(dialect.Text("people.ldif", text), limits)
	if err != nil {
		return nil, nil, err
	}
	names := []string{"mail", "cn"}
	places := func(name []byte) int {
		for i := range names {
			if names[i] == string(name) {
				return i
			}
		}
		return -1
	}
	var entry dialect.LDIFEntry
	for {
		err := reader.Next(ctx, places, &entry)
		if errors.Is(err, io.EOF) {
			return entries, reader.Repairs(), nil
		}
		if err != nil {
			return entries, reader.Repairs(), err
		}
		read := ldifEntry{line: entry.Line}
		for _, value := range entry.Values {
			read.values = append(read.values, names[value.Place]+"="+value.Text)
		}
		entries = append(entries, read)
	}
}

func TestLDIF(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text string
		want []ldifEntry
	}{
		"ldapsearch": {
			"# extended LDIF\n#\n# LDAPv3\n# filter: (mail=*) with a comment that is so long that it is fold\n ed\n\n" +
				"# ann, acme.example\ndn: cn=ann,dc=acme,\n dc=example\nobjectClass: person\nmail: ann@acme\n .example\ncn:: w4VzYQ==\n\n" +
				"# search reference\nref: ldap://other.example/\n\n# search result\nsearch: 2\nresult: 0 Success\n\n# numEntries: 1\n",
			[]ldifEntry{{8, []string{"mail=ann@acme.example", "cn=Åsa"}}},
		},
		"ldifde": {
			"dn: CN=Ann,DC=acme,DC=example\r\nchangetype: add\r\nmail: ann@acme.example\r\nthumbnailPhoto:: !!\r\n\r\ndn: CN=Bo\r\nchangetype: add\r\n",
			[]ldifEntry{{1, []string{"mail=ann@acme.example"}}, {6, nil}},
		},
		"version, options, letters of either case, blanks": {
			"version: 1\nDN: cn=a\nMAIL;lang-sv:   a@b.example\nCn:\ncn: : \n \n \n\n\n   \ndn:: Y249YQ==\nmail:a@b.example ",
			[]ldifEntry{{2, []string{"mail=a@b.example", "cn=", "cn=: "}}, {11, []string{"mail=a@b.example "}}},
		},
		"a name that is folded": {"dn: a\nma\n il: x\n", []ldifEntry{{1, []string{"mail=x"}}}},
		"nothing":               {"# extended LDIF\n\n# search result\nsearch: 2\nresult: 0 Success\n", nil},
	} {
		is, err := dialect.IsLDIF(dialect.Text("people.ldif", c.text))
		require.NoError(t, err)
		assert.True(t, is, name)
		got, repairs, err := readLDIF(t.Context(), c.text, dialect.Limits{})
		require.NoError(t, err, name)
		assert.Equal(t, c.want, got, name)
		assert.Empty(t, repairs, name)
	}
	for _, text := range []string{"", "DN,objectClass\n", "version:v1.0\nName [name] Required\n", "email\ndn: x\n", "# Ann\nemail\n"} {
		is, err := dialect.IsLDIF(dialect.Text("people.csv", text))
		require.NoError(t, err)
		assert.False(t, is, text)
	}
}

// What is no LDIF, or no list, is refused where it stands.
func TestLDIFRefused(t *testing.T) {
	t.Parallel()
	small := dialect.Limits{RecordBytes: 64}
	for name, c := range map[string]struct {
		text, says string
		code       schema.Code
		line       int
		attribute  string
	}{
		"changes":            {"dn: a\nchangetype: modify\nreplace: mail\nmail: x\n-\n", `changes ("modify")`, schema.CodeLDIFMalformed, 2, "changetype"},
		"a deletion":         {"dn: a\nmail: x\n\ndn: b\nchangetype:: ZGVsZXRl\n", "changes", schema.CodeLDIFMalformed, 5, "changetype"},
		"no colon":           {"dn: a\nmail: x\nhello\n", `no attribute with a value: "hello"`, schema.CodeLDIFMalformed, 3, ""},
		"a strange name":     {"dn: a\nma il: x\n", `"ma il: x"`, schema.CodeLDIFMalformed, 2, ""},
		"no name of entry":   {"dn: a\n\nmail: x\n", "begins with its name", schema.CodeLDIFMalformed, 3, "mail"},
		"another version":    {"version: 2\ndn: a\n", `version "2"`, schema.CodeLDIFMalformed, 1, "version"},
		"continues nothing":  {"dn: a\n\n x\n", "none that it continues", schema.CodeLDIFMalformed, 3, ""},
		"no base64":          {"dn: a\n\ndn: b\nmail:: a\n b\n", "no base64", schema.CodeLDIFMalformed, 4, "mail"},
		"another file":       {"dn: a\nmail:< file:///etc/passwd\n", "another file", schema.CodeLDIFMalformed, 2, "mail"},
		"size limit":         {"dn: a\nmail: x\n\nsearch: 2\nresult: 4 Size limit exceeded\n", "4 Size limit exceeded", schema.CodeLDIFMalformed, 5, "result"},
		"nobody there":       {"# extended LDIF\n\nsearch: 2\nresult: 32 No such object\n", "32 No such object", schema.CodeLDIFMalformed, 4, "result"},
		"old Mac":            {"dn: a\rmail: x\r\rdn: b\r", "(CR) alone", schema.CodeLDIFMalformed, 1, "dn"},
		"NUL":                {"dn: a\nmail: a\x00b\n", "NUL", schema.CodeLDIFMalformed, 2, "mail"},
		"long":               {"dn: a\nx: " + strings.Repeat("x", 99) + "\nmail: " + strings.Repeat("x", 99) + "\n", "more than 64 bytes", schema.CodeLimitExceeded, 3, "mail"},
		"long, folded":       {"dn: a\nmail: x" + strings.Repeat("\n  xxxxxxx", 9) + "\n", "more than 64 bytes", schema.CodeLimitExceeded, 2, "mail"},
		"long, together":     {"dn: a\n" + strings.Repeat("cn: abcdefgh\n", 9), "more than 64 bytes", schema.CodeLimitExceeded, 9, "cn"},
		"long, of nothing":   {"dn: a\n" + strings.Repeat("cn:\n", 65), "more than 64 bytes", schema.CodeLimitExceeded, 66, "cn"},
		"a name that is too": {"dn: a\n" + strings.Repeat("x", 70<<10) + ": a\n", "no attribute", schema.CodeLDIFMalformed, 2, ""},
		"an archive":         {"PK\x03\x04", "ZIP", schema.CodeEncodingUnknown, 0, ""},
	} {
		_, _, err := readLDIF(t.Context(), c.text, small)
		var refused *schema.Error
		require.ErrorAs(t, err, &refused, name)
		assert.Equal(t, c.code, refused.Code, name)
		assert.Equal(t, "people.ldif", refused.File, name)
		assert.Equal(t, c.line, refused.Line, name)
		assert.Equal(t, c.attribute, refused.Header, name)
		assert.Contains(t, refused.Text(), c.says, name)
		assert.NotEmpty(t, refused.Remedy(), name)
	}
}

// What is written as LDIF, in any of its ways, is read as it was.
func TestLDIFReadsWhatIsWritten(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		end := rapid.SampledFrom([]string{"\n", "\r\n"}).Draw(t, "line end")
		var b strings.Builder
		line := 1
		write := func(text string, fold bool) {
			width := rapid.IntRange(3, 80).Draw(t, "width")
			for fold && len(text) > width {
				cut := width
				for cut < len(text) && !utf8.RuneStart(text[cut]) {
					cut++
				}
				b.WriteString(text[:cut] + end)
				text = " " + text[cut:]
				line++
			}
			b.WriteString(text + end)
			line++
		}
		var want []ldifEntry
		for range rapid.IntRange(0, 5).Draw(t, "entries") {
			for range rapid.IntRange(0, 2).Draw(t, "comments") {
				write("# "+rapid.StringMatching(`[ a-zå:]{0,30}`).Draw(t, "comment"), true)
			}
			entry := ldifEntry{line: line}
			write("dn: cn="+rapid.StringMatching(`[a-z]{0,30}`).Draw(t, "dn"), true)
			for range rapid.IntRange(0, 5).Draw(t, "values") {
				name := rapid.SampledFrom([]string{"mail", "cn", "jpegPhoto", "mail;lang-sv"}).Draw(t, "name")
				value := rapid.StringMatching(`([!-9;=-~åÅ€😀][ -~åÅ€😀]{0,60})?`).Draw(t, "value")
				if base, _, _ := strings.Cut(name, ";"); base != "jpegPhoto" {
					entry.values = append(entry.values, base+"="+value)
				}
				switch {
				case rapid.Bool().Draw(t, "base64"):
					write(name+":: "+base64.StdEncoding.EncodeToString([]byte(value)), true)
				case strings.HasPrefix(value, "<"):
					write(name+": "+value, true)
				default:
					write(name+rapid.SampledFrom([]string{":", ": "}).Draw(t, "colon")+value, true)
				}
			}
			want = append(want, entry)
			for range rapid.IntRange(1, 2).Draw(t, "blank lines") {
				write("", false)
			}
		}
		text := b.String()
		var repaired map[schema.Repair]int
		switch rapid.SampledFrom([]string{"UTF-8", "BOM", "UTF-16"}).Draw(t, "encoding") {
		case "BOM":
			text, repaired = "\ufeff"+text, map[schema.Repair]int{schema.RepairBOM: 1}
		case "UTF-16":
			encoded, err := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String(text)
			require.NoError(t, err)
			text, repaired = encoded, map[schema.Repair]int{schema.RepairUTF16: 1}
		}
		got, repairs, err := readLDIF(t.Context(), text, dialect.Limits{})
		require.NoError(t, err)
		require.Equal(t, want, got)
		if repaired == nil {
			require.Empty(t, repairs)
		} else {
			require.Equal(t, repaired, repairs)
		}
	})
}

// FuzzLDIF reads anything: it is refused with a place in the file, or read within the limits.
func FuzzLDIF(f *testing.F) {
	for _, seed := range []string{
		"", "dn: a\nmail: a@b.example\n", "version: 1\n\ndn:: YQ==\r\nmail:: YQ==\r\n\r\n", "dn: a\nma\n il: x\n y\n", "# x\n y\n\ndn: a\nchangetype: add\n", "dn: a\nmail:< file:///x\n",
		"search: 2\nresult: 4 x\n", "\xff\xfed\x00n\x00:\x00", "\ufeff\ufeffdn: a", "dn: a\rmail: b\r", "dn: a\r\r\nmail: b\r\n", " \n  \ndn:\n", "dn: \xe5\nmail: \xe5\n", "dn: a\nmail: " + strings.Repeat("x\n ", 50),
	} {
		f.Add(seed, uint8(20))
	}
	f.Fuzz(func(t *testing.T, text string, limit uint8) {
		_, err := dialect.IsLDIF(dialect.Text("people.ldif", text))
		require.NoError(t, err)
		entries, _, err := readLDIF(t.Context(), text, dialect.Limits{RecordBytes: int(limit) + 1})
		lines := strings.Count(text, "\n") + 1
		previous := 0
		for _, entry := range entries {
			require.Greater(t, entry.line, previous)
			require.LessOrEqual(t, entry.line, lines)
			previous = entry.line
			require.LessOrEqual(t, len(strings.Join(entry.values, "")), int(limit)+1+len(entry.values)*len("mail="))
		}
		if err != nil {
			var refused *schema.Error
			require.ErrorAs(t, err, &refused)
			require.Equal(t, "people.ldif", refused.File)
			require.LessOrEqual(t, refused.Line, lines)
		}
	})
}
