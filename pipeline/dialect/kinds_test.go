package dialect_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/encoding/charmap"
	utf "golang.org/x/text/encoding/unicode"

	"github.com/claimline/claimline/schema"
)

// archives returns archives with a CSV file in them, as programs write them.
func archives(t *testing.T) map[string]string {
	t.Helper()
	content := []byte("Email,Claim\na@x.example,TRUE\n")
	var tarred, zipped, gzipped bytes.Buffer
	tape := tar.NewWriter(&tarred)
	require.NoError(t, tape.WriteHeader(&tar.Header{Name: "users.csv", Size: int64(len(content)), Mode: 0o600}))
	_, err := tape.Write(content)
	require.NoError(t, err)
	require.NoError(t, tape.Close())
	zipper := zip.NewWriter(&zipped)
	entry, err := zipper.Create("users.csv")
	require.NoError(t, err)
	_, err = entry.Write(content)
	require.NoError(t, err)
	require.NoError(t, zipper.Close())
	gzipper := gzip.NewWriter(&gzipped)
	_, err = gzipper.Write(content)
	require.NoError(t, err)
	require.NoError(t, gzipper.Close())
	encoder, err := zstd.NewWriter(nil)
	require.NoError(t, err)
	return map[string]string{
		"tar archive": tarred.String(), "ZIP archive": zipped.String(), "gzip archive": gzipped.String(), "zstd archive": string(encoder.EncodeAll(content, nil)),
		"bzip2 archive": "BZh91AY&SY\x94\xd7\x77\xe2\x00\x00\x17\xd7\x80", "xz archive": "\xfd7zXZ\x00\x00\x04\xe6\xd6\xb4F", "7-Zip archive": "7z\xbc\xaf\x27\x1c\x00\x04",
		"RAR archive": "Rar!\x1a\x07\x01\x00\x33\x92", "LZ4 archive": "\x04\x22\x4d\x18\x64\x40\xa7", "CAB archive": "MSCF\x00\x00\x00\x00\x8a\x01", "lzip archive": "LZIP\x01\x0c\x00",
		"LZMA archive": "\x5d\x00\x00\x80\x00\xff\xff", "compress (.Z) archive": "\x1f\x9d\x90\x45\xda",
	}
}

func TestWhatIsNoCSV(t *testing.T) {
	ebcdic, err := charmap.CodePage037.NewEncoder().String("Email,First Name,Claim\nadam@x.example,Adam,TRUE\n")
	require.NoError(t, err)
	const page = "<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body><form></form></body></html>\n"
	files := archives(t)
	for kind, file := range map[string][]string{
		"HTML": {
			page, "\ufeff" + page, "\r\n\r\n" + page, "<!-- saved from url -->\n" + page, "Please sign in\n" + page, "HTTP/1.1 302 Found\nLocation: /login\n\n" + page,
			"<html>\nEmail\nann@x.example\n</html>", "Sign in\n<body>\n<label>\nEmail\n</label>\n</body>", "<table><tr><td>Email</td></tr></table>", "<HTML>", "window.location=\"/x\";<script>",
			utf16(t, utf.LittleEndian, page),
		},
		"JSON":                  {`[{"email":"ann@x.example"}]`, "{\n  \"email\": \"x\"\n}", "{\"email\":\"a\"}\n{\"email\":\"b\"}\n", "[\n[\"email\"],[\"a\"]]", "\ufeff[]", "{}"},
		"XML":                   {"<?xml version=\"1.0\"?>\n<users><user/></users>", "<users>\n<user>ann@x.example</user></users>", "<Objs Version=\"1.1.0.1\"><Obj/></Objs>"},
		"Excel workbook in XML": {"<?xml version=\"1.0\"?>\n<?mso-application progid=\"Excel.Sheet\"?>\n<Workbook></Workbook>"},
		"RTF":                   {"{\\rtf1\\ansi\n\\f0 Email,First Name\\\nadam@x.example,Adam}"},
		"LDIF":                  {"dn: CN=Adam\nmail: a@x.example\n", "version: 1\n\ndn: CN=Adam\nmail: a@x.example\n", "# comment\ndn:: Q049QWRhbQ==\n", "\ufeffdn: CN=Adam\n"},
		"vCard":                 {"BEGIN:VCARD\nEMAIL:a@x.example\n"},
		"SQL":                   {"INSERT INTO users VALUES ('a@x.example');\n"},
		"EBCDIC":                {ebcdic, strings.ReplaceAll(ebcdic, "\x25", "\x15")},
		"PDF":                   {"%PDF-1.7\n"},
		"PNG":                   {"\x89PNG\r\n\x1a\n"},
		"GIF":                   {"GIF89a\x01\x00"},
		"SQLite":                {"SQLite format 3\x00\x10\x00"},
		"old Excel workbook":    {"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"},
		"binary":                {strings.Repeat("\x02\x03\x04abc\xff\n", 100)},
	} {
		files[kind] = file[0]
		for _, content := range file[1:] {
			refusedAs(t, kind, content)
		}
	}
	for kind, content := range files {
		refusedAs(t, kind, content)
	}
}

func refusedAs(t *testing.T, kind, content string) {
	t.Helper()
	_, err := tryOpen(content)
	var refusal *schema.Error
	require.ErrorAs(t, err, &refusal, "%s: %.60q", kind, content)
	assert.Equal(t, schema.CodeEncodingUnknown, refusal.Code, "%s: %.60q", kind, content)
	assert.Equal(t, "users.csv", refusal.File)
	if !strings.Contains(content, "<table") {
		assert.Contains(t, refusal.Text(), kind, "%.60q", content)
	}
	said := refusal.Text() + refusal.Remedy()
	assert.True(t, utf8.ValidString(said) && !strings.ContainsFunc(said, func(r rune) bool { return !unicode.IsPrint(r) }), "%q", said)
	assert.NotEmpty(t, refusal.Remedy())
}

// What only looks like something else is read.
func TestWhatIsCSV(t *testing.T) {
	for _, file := range []string{
		"Email,Notes\na@x.example,<b>bold</b> <html>\n", "[Email],[Name]\na,b\n", "{Email},b\na,b\n", "dn,Email\nCN=A,a@x.example\n", "version:v1.0\nEmail\na@x.example\n",
		"BMW,Email\na,b\n", "BZh,Email\na,b\n", "PAR1,Email\na,b\n", "Rar!,Email\na,b\n", "Email,x\na,\x01\n", "MM,II,Email\n1,2,3\n", "<Email>,Mail\na,b\n",
		"Email\nÖÄÅ@x.example\n", "Email,Name\n" + windows1252(t, strings.Repeat("å@x.example,ÅÄÖÅÄÖÅÄÖÅÄÖ ÅÄÖÅÄÖ\n", 20)),
	} {
		r, err := tryOpen(file)
		if assert.NoError(t, err, "%q", file) {
			assert.True(t, r.Found() || strings.ContainsAny(file[:1], "[{"), "%q", file)
		}
	}
}
