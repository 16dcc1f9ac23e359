package input

import (
	"bytes"
	"cmp"
	"strings"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
)

// usersTable returns a users file with these users as they would be exported.
func usersTable(users []*user, delim, eol string) []byte {
	var out bytes.Buffer
	t := newTable(&out, delim, eol)
	t.row(fileColumns...)
	for _, u := range users {
		t.row(u.exported()...)
	}
	_ = t.flush() // writing to memory does not fail
	return out.Bytes()
}

// some returns about n of the users, spread over all of them, that keep accepts.
func some(users []*user, n int, keep func(*user) bool) []*user {
	var picked []*user
	for i := 0; i < len(users); i += len(users) / n {
		if keep(users[i]) {
			picked = append(picked, users[i])
		}
	}
	return picked
}

func anybody(*user) bool { return true }

func (s *sample) goodFile() []byte { return usersTable(some(s.eligible, 20, anybody), ",", "\n") }

// windows1252File leaves out the users whose names Windows-1252 cannot write: Excel would spoil them.
func (s *sample) windows1252File() []byte {
	users := some(s.eligible, 40, func(u *user) bool {
		_, err := charmap.Windows1252.NewEncoder().String(u.display + u.org.name + u.email)
		return err == nil
	})
	return encoded(charmap.Windows1252, usersTable(users, ";", "\r\n"))
}

func (s *sample) utf16File() []byte {
	return encoded(unicode.UTF16(unicode.LittleEndian, unicode.UseBOM), usersTable(some(s.eligible, 30, anybody), "\t", "\r\n"))
}

// encoded writes text that is known to be encodable in another encoding.
func encoded(e encoding.Encoding, text []byte) []byte {
	out, err := e.NewEncoder().Bytes(text)
	if err != nil {
		panic(err)
	}
	return out
}

// directoryFile lists acme's people as their employer's directory does: nearly all members and claimed users,
// one of them with other capitals, and two who have no account yet.
func (s *sample) directoryFile() []byte {
	var out bytes.Buffer
	t := newTable(&out, ",", "\n")
	t.row("userPrincipalName", "mail", "displayName")
	for _, p := range s.listed() {
		address := cmp.Or(p.other, p.mail) // here nobody has another than the one that is known
		t.row(strings.Replace(address, "@", "@corp.", 1), address, p.shown)
	}
	_ = t.flush() // writing to memory does not fail
	return out.Bytes()
}

// badFiles returns the files that are refused as a whole.
// half-utf8.csv alone is not: two of its rows are text_invalid.
func badFiles() map[string][]byte {
	const rows = "Åsa,Öberg,asa@acme.example,TRUE\nBjörn,Ängström,bjorn@acme.example,TRUE\n"
	const header = "First Name,Last Name,User ID/Email (Required),Claim\n"
	files := map[string]string{
		"empty.csv":             "",
		"header-only.csv":       header,
		"no-email-column.csv":   "First Name,Last Name,User ID/Emial (Required),Claim\n" + rows,
		"two-email-columns.csv": "First Name, user id/email (required),User ID/Email (Required),Claim\n" + rows,
		"unclosed-quote.csv":    header + "Åsa,Öberg,asa@acme.example,TRUE\n\"Björn,Ängström,bjorn@acme.example,TRUE\nDag,Ek,dag@acme.example,TRUE\n",
		"workbook.csv": "PK\x03\x04\x14\x00\x06\x00\x08\x00\x00\x00!\x00\xb5U0#\xf4\x00\x00\x00L\x02\x00\x00\x0b\x00\x08\x02_rels/.rels" +
			strings.Repeat("\x00\x8f\xf1\x02\n", 40),
		"utf16-no-bom.csv": string(encoded(unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM), []byte(header+rows))),
		"half-utf8.csv":    header + rows + "M\xe5ns,Holm,mans@acme.example,TRUE\nH\xe5kan,\xc5berg,hakan@acme.example,TRUE\n",
	}
	bad := make(map[string][]byte, len(files))
	for name, content := range files {
		bad["bad/"+name] = []byte(content)
	}
	return bad
}
