package main

import (
	"strings"
	"testing"

	"github.com/claimline/claimline/schema"
)

// snapshotFile returns a file of testdata/hunt/load with one text in the place of another.
func snapshotFile(t *testing.T, file, old, replacement string) string {
	t.Helper()
	content := huntContent(t, "load/"+file)
	if !strings.Contains(content, old) {
		t.Fatalf("%s has no %q", file, old)
	}
	return strings.Replace(content, old, replacement, 1)
}

const openClaims = "email,organization_id,type,claimed_at,signed_in_at\n"

// TestHuntVariantsC: load drops nothing without a word.
func TestHuntVariantsC(t *testing.T) {
	t.Parallel()
	var cases []loadCase
	changed := func(file, old, replacement string, c loadCase) {
		c.name, c.as, c.content = c.name+" "+file+" "+codePoints(replacement), file, snapshotFile(t, file, old, replacement)
		cases = append(cases, c)
	}
	// Headers with what nobody can see: read, and told.
	for _, c := range []string{"\u200b", "\ufeff", "\u00a0", "\u200e", "\u2060"} {
		changed("organizations.csv", "sso", "sso"+c, loadCase{says: []string{"organizations.csv"}})
		changed("users.csv", "services", c+"services", loadCase{says: []string{"users.csv"}})
		changed("licenses.csv", "service", c+"service"+c, loadCase{says: []string{"licenses.csv"}})
		changed("domains.csv", "status", "status"+c, loadCase{says: []string{"domains.csv"}})
	}
	// Misspelt columns, optional ones too.
	for _, c := range []struct{ file, column, spelt string }{
		{"organizations.csv", "sso", "ssoo"}, {"organizations.csv", "sso", "SSO?"}, {"organizations.csv", "directory_sync", "directory sync"}, {"organizations.csv", "directory_sync", "directory-sync"},
		{"organizations.csv", "bring_conversations", "bring_conversation"}, {"organizations.csv", "kind", "kinds"}, {"organizations.csv", "created", "created on"},
		{"users.csv", "services", "service"}, {"users.csv", "services", "servces"}, {"users.csv", "first_name", "firstname"}, {"users.csv", "first_name", "first name"},
		{"users.csv", "status", "user status"}, {"licenses.csv", "quantity", "quantities"}, {"licenses.csv", "auto_assign", "autoassign"}, {"licenses.csv", "auto_assign", "auto assign"},
		{"domains.csv", "domain", "domains"}, {"domains.csv", "status", "statuss"},
	} {
		changed(c.file, c.column, c.spelt, loadCase{name: "misspelt", refused: "column_unclear", says: []string{c.file, c.spelt, c.column}})
	}
	changed("users.csv", "services", "servces", loadCase{name: "misspelt, let pass", flags: []string{"--ignore", "servces"}, licensed: true})
	cases = append(cases,
		loadCase{name: "claims.csv misspelt", as: "claims.csv", content: strings.Replace(openClaims, "signed_in_at", "signed in at", 1), refused: "column_unclear", says: []string{
			"claims.csv", "signed in at",
		}},
		// A column missing.
		loadCase{name: "no sso", as: "organizations.csv", content: "id,name,kind,created,directory_sync,bring_conversations,activation_emails\nacme,Acme,enterprise,2015-03-02,FALSE,TRUE,TRUE\n",
			refused: "column_missing", says: []string{"organizations.csv", "sso"}},
		loadCase{name: "no status", as: "domains.csv", content: "domain,organization_id\nacme.example,acme\n", refused: "column_missing", says: []string{"domains.csv", "status"}},
		loadCase{name: "no quantity", as: "licenses.csv", content: "organization_id,service\nacme,Webex Calling\n", refused: "column_missing", says: []string{"licenses.csv", "quantity"}},
		loadCase{name: "no claimed_at", as: "claims.csv", content: "email,organization_id,type\n", refused: "column_missing", says: []string{"claims.csv", "claimed_at"}},
	)
	// A column that nobody knows.
	changed("users.csv", "id,", "cost_center_number,id,", loadCase{name: "unknown column"})
	cases[len(cases)-1].content = strings.NewReplacer("\nu", "\n1,u").Replace(cases[len(cases)-1].content)
	cases[len(cases)-1].says = []string{"users.csv", "cost_center_number"}

	// Services separated by something else, or misspelt.
	for _, cell := range []string{
		`"Webex Calling,Webex Meetings"`, `"Webex Calling, Webex Calling"`, "Webex Calling/Webex Meetings", "\"Webex Calling\nWebex Meetings\"", "Webex Calling Webex Meetings",
		"Webex Caling", "Webex-Calling", "Calling", "Webex Calling;Webex Meetings",
	} {
		changed("users.csv", ",Webex Calling", ","+cell, loadCase{name: "services", refused: "service_unknown", says: []string{"users.csv", ":4 / line 4", "services"}})
	}
	for _, cell := range []string{"WEBEX CALLING", " Webex Calling ", "Webex Calling;", "Webex Calling; webex calling", "webex calling;Webex Calling"} {
		changed("users.csv", ",Webex Calling", ","+cell, loadCase{name: "services"})
	}
	changed("users.csv", ",Webex Calling", ",Webex Calling;Webex Meetings", loadCase{name: "a service let pass", flags: []string{"--ignore", "Webex Meetings"}})

	// Files of other names, and copies.
	claim := openClaims + "bo@acme.example,hooli,immediate,2024-01-01,\n"
	for _, name := range []string{
		"CLAIMS.CSV", "claims.csv.txt", "claims (1).csv", "claims - Copy.csv", "claim.csv", "users2.csv", "Users.csv", "users.csv.csv", "licences.csv", "Licenses.csv", "open claims.csv", "export.csv",
	} {
		cases = append(cases,
			loadCase{name: "beside the others: " + name, as: name, content: claim, refused: "file_unclear", says: []string{name, "--ignore"}},
			loadCase{name: "let pass: " + name, as: name, content: claim, flags: []string{"--ignore", name}})
	}
	for _, name := range []string{"README.txt", "notes.md", "Thumbs.db", "load.log"} {
		cases = append(cases, loadCase{name: "beside the others: " + name, as: name, content: "Exported on 2026-11-25.\n"})
	}
	cases = append(cases,
		loadCase{name: "under another name: Users.csv", without: "users.csv", as: "Users.csv", content: huntContent(t, "load/users.csv"), refused: "file_unclear", or: schema.CodeFileUnreadable,
			says: []string{"users.csv"}},
		loadCase{name: "under another name: licences.csv", without: "licenses.csv", as: "licences.csv", content: huntContent(t, "load/licenses.csv"), refused: "file_unclear", says: []string{"licences.csv"}},
	)

	// Surplus delimiters, other delimiters, marks, spellings.
	for _, file := range []string{"organizations.csv", "users.csv", "licenses.csv", "domains.csv"} {
		content := huntContent(t, "load/"+file)
		told := []string{file}
		cases = append(cases,
			loadCase{name: "surplus delimiters in " + file, as: file, content: strings.ReplaceAll(content, "\n", ",,\n"), says: told},
			loadCase{name: "surplus semicolons in the header of " + file, as: file, content: strings.Replace(content, "\n", ";;;\n", 1), says: told},
			loadCase{name: "semicolons in " + file, as: file, content: strings.ReplaceAll(content, ",", ";"), says: told},
			loadCase{name: "tabs in " + file, as: file, content: strings.ReplaceAll(content, ",", "\t"), says: told},
			loadCase{name: "a mark and CRLF in " + file, as: file, content: "\ufeff" + strings.ReplaceAll(content, "\n", "\r\n"), says: told},
			loadCase{name: "NULs behind " + file, as: file, content: content + strings.Repeat("\x00", 100), says: told},
			loadCase{name: "blank rows in " + file, as: file, content: content + "\n,,\n", says: told},
		)
	}
	cases = append(cases, loadCase{
		name: "a language with an underscore", as: "users.csv", says: []string{"users.csv"},
		content: strings.NewReplacer("services\n", "services,preferred_language\n", "Bo,\n", "Bo,,sv_SE\n", "\n", ",\n").Replace(huntContent(t, "load/users.csv")),
	}, loadCase{
		name: "Windows-1252", as: "users.csv", content: snapshotFile(t, "users.csv", "active,Bo,", "active,B\xf6,"), refused: "encoding_unclear",
		says: []string{"users.csv", "--encoding windows-1252", "Bö"},
	}, loadCase{
		name: "Windows-1252 with the encoding", as: "users.csv", content: snapshotFile(t, "users.csv", "active,Bo,", "active,B\xf6,"), flags: []string{"--encoding", "windows-1252"},
	}, loadCase{
		name: "a page", as: "users.csv", content: "<!DOCTYPE html><html></html>", refused: "encoding_unknown", says: []string{"users.csv", "HTML"},
	}, loadCase{
		name: "an open quote", as: "users.csv", content: snapshotFile(t, "users.csv", "active,Bo,\nu3,cy@acme.example", "active,\"Bo,\nu3,cy@acme.example,x,y,z\""), refused: "csv_malformed",
		says: []string{"users.csv:3 / line 3"},
	})
	runLoads(t, cases...)
}

// TestHuntVariantsL: directory lists.
func TestHuntVariantsL(t *testing.T) {
	t.Parallel()
	const wikstrom, axelsson = "adam.wikstrom@acme.example", "ake.axelsson@acme.test"
	both := map[string]string{wikstrom: "keep", axelsson: "keep"}
	var cases []syncCase
	for header, cell := range map[string]string{
		"Enabled": "False", "enabled": "FALSE", "accountEnabled": "false", "ACCOUNTENABLED": "False", "Block credential": "True", "BLOCK CREDENTIAL": "TRUE",
		"Status [READ ONLY]": "Suspended", "status [read only]": "suspended",
	} {
		on := map[string]string{"f": "True", "t": "False", "s": "Active"}[strings.ToLower(cell[:1])]
		cases = append(cases,
			syncCase{name: header + " " + cell, content: lines("mail,"+header, wikstrom+","+cell, axelsson+","+on), effects: both, says: []string{"1 account / 1 disabled / 1 user / one", "disabled", header}},
			syncCase{name: header + " " + on, content: lines("mail,"+header, wikstrom+","+on, axelsson+","+on), effects: both, never: []string{"disabled"}})
	}
	for _, header := range []string{
		"email", "EMAIL", "mail", "Mail", "EmailAddress", "emailaddress", "Email Address [Required]", "userPrincipalName", "UserPrincipalName", emailHeader, "E-mail", "Email Address", "User ID/Email",
	} {
		cases = append(cases, syncCase{name: "called " + header, content: lines("name,"+header, "Adam,"+wikstrom, "Adam,"+axelsson), effects: both})
	}
	guest := "eve_other.example#EXT#@acme.onmicrosoft.example"
	many := make([]string, 0, 40)
	for range 30 {
		many = append(many, "adam@corp.local,"+wikstrom)
	}
	cases = append(cases,
		syncCase{name: "guests", content: lines("mail,name", wikstrom+",Adam", axelsson+",Adam", guest+",Eve", strings.ToLower(guest)+",Eve"), effects: both, says: []string{"2 guests / 2 are guests / guests: 2 / 2 guest"}},
		syncCase{name: "no guests", content: lines("mail,name", wikstrom+",Adam", axelsson+",Adam"), effects: both, never: []string{"guest", "no address", "disabled"}},
		syncCase{name: "private addresses", content: lines("email,mail", "adam@home.example,"+wikstrom, "adam2@home.example,"+axelsson), refused: "directory_mismatch", says: []string{"mail", "--address"}},
		syncCase{name: "names of a local domain", content: lines("userPrincipalName,proxy", "adam@acme.local,"+wikstrom, "adam2@acme.local,"+axelsson), refused: "directory_mismatch", says: []string{"proxy", "--address"}},
		syncCase{name: "most of them of a local domain", content: lines(append([]string{"userPrincipalName,work", wikstrom + "," + wikstrom}, many...)...), refused: "directory_mismatch", says: []string{"work"}},
		syncCase{name: "private addresses, column named", flags: []string{"--address", "mail"}, content: lines("email,mail", "adam@home.example,"+wikstrom, "adam2@home.example,"+axelsson), effects: both},
		syncCase{name: "an address named that is not there", flags: []string{"--address", "nothing"}, content: lines("email,mail", wikstrom+","+wikstrom), refused: "email_column_missing", says: []string{"nothing"}},
		syncCase{name: "a prefix", content: lines("mail", wikstrom, "SMTP:"+axelsson), refused: "email_invalid", says: []string{":3 / line 3", "SMTP:"}},
		syncCase{name: "a malformed address", content: lines("mail", wikstrom, "adam wikstrom"), refused: "email_invalid", says: []string{":3 / line 3"}},
		syncCase{name: "no address", content: lines("mail,name", ",a", wikstrom+",Adam", ",b", ",c", axelsson+",Adam"), effects: both, says: []string{"3 rows / 3 have no address / 3 without"}},
		syncCase{name: "nobody has an address", content: lines("mail,name", ",a", ",b"), refused: "email_missing", or: "file_empty"},
		syncCase{name: "punycode", content: lines("mail", "ADAM.NASLUND@xn--keri-poa.example"), effects: map[string]string{"adam.naslund@åkeri.example": "case_mismatch"}},
		syncCase{name: "capitals", content: lines("mail", "Adam.Wikstrom@acme.example"), effects: map[string]string{wikstrom: "case_mismatch"}},
		syncCase{name: "Windows-1252", content: lines("mail;name", wikstrom+";Adam Wikstr\xf6m", axelsson+";Adam H\xf6gberg"), effects: both, says: []string{"Windows-1252"}},
		syncCase{name: "a page", content: "<!DOCTYPE html><html></html>", refused: "encoding_unknown", says: []string{"HTML"}},
	)
	runSyncs(t, cases...)
}
