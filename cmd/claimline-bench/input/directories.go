package input

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/text/encoding/unicode"
)

// directoryPerson is one of acme's people as a directory has them.
type directoryPerson struct {
	number             int
	mail, logon        string // logon: the name to sign in with
	first, last, shown string
	title, department  string
	other              string // a further address; blank: none
	disabled           bool
}

func (p *directoryPerson) account() string { return "u" + strconv.Itoa(p.number) }

// dn returns the distinguished name in Active Directory.
func (p *directoryPerson) dn() string { return "CN=" + p.account() + ",OU=People," + directoryBase }

const directoryBase = "DC=corp,DC=acme,DC=example"

// control returns the flags of the account in Active Directory.
func (p *directoryPerson) control() string {
	if p.disabled {
		return "514"
	}
	return "512"
}

// proxies returns all addresses in the way of Exchange, with something between them.
func (p *directoryPerson) proxies(between string) string {
	all := []string{"SMTP:" + p.mail}
	if p.other != "" {
		all = append(all, "smtp:"+p.other)
	}
	return strings.Join(append(all, "sip:"+p.mail), between)
}

// listed returns acme's people as their employer's directory lists them: nearly all members and claimed
// users, one of them with other capitals, one under another address than the one known here, two who have no
// account yet; two accounts are disabled.
func (s *sample) listed() []*directoryPerson {
	var all []*directoryPerson
	add := func(u *user, mail string) {
		p := &directoryPerson{
			number: len(all) + 1, mail: mail, logon: strings.Replace(mail, "@", "@corp.", 1),
			first: u.first, last: u.last, shown: u.display, title: u.title, department: u.department,
		}
		p.disabled = p.number == 100 || p.number == 200
		all = append(all, p)
	}
	for i, u := range s.members[:490] {
		local, domain, _ := strings.Cut(u.email, "@")
		switch {
		case i == 7:
			add(u, strings.ToUpper(local[:1])+local[1:]+"@"+domain)
		case i == 60:
			add(u, "gift."+u.email) // a new name
			all[len(all)-1].other = u.email
		case i%80 != 40: // the others have left
			add(u, u.email)
		}
	}
	for _, u := range s.completed {
		add(u, u.email)
	}
	for i, u := range s.claimed {
		if i%20 != 10 {
			add(u, u.email)
		}
	}
	for _, name := range [][2]string{{"Ny", "Kollega"}, {"På", "Väg"}} {
		mail := strings.ToLower(name[0]+"."+name[1]) + "@acme.example"
		add(&user{first: name[0], last: name[1], display: name[0] + " " + name[1]}, mail)
	}
	return all
}

// Names that directories have beside people.
const (
	printerName   = "svc-printer"
	machineName   = "PC-0417"
	groupMail     = "alla@acme.example"
	contactMail   = "bud@other.example"
	guestMail     = "eve@other.example"
	guestLogon    = "eve_other.example#EXT#@acme.onmicrosoft.example"
	printerTenant = printerName + "@acme.onmicrosoft.example"
)

// directoryFiles returns the list of one directory as each system exports it.
func (s *sample) directoryFiles() map[string][]byte {
	people := s.listed()
	utf16 := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM)
	return map[string][]byte{
		"directories/get-aduser.csv":       append([]byte("\ufeff"), getADUser(people)...),
		"directories/get-aduser-ascii.csv": asASCII(getADUser(someWithLetters(people))),
		"directories/csvde.csv":            encoded(utf16, csvde(people)),
		"directories/ldifde.ldf":           encoded(utf16, ldifde(people)),
		"directories/ldapsearch.ldif":      ldapsearch(people),
		"directories/entra.csv":            append([]byte("\ufeff"), entra(people)...),
		"directories/microsoft365.csv":     append([]byte("\ufeff"), microsoft365(people)...),
		"directories/google.csv":           google(people),
	}
}

// someWithLetters returns four people, one of whom has an address that is not ASCII.
func someWithLetters(people []*directoryPerson) []*directoryPerson {
	for i, p := range people {
		if i > 3 && strings.Contains(p.mail, "å") {
			return append(append([]*directoryPerson{}, people[:3]...), people[i])
		}
	}
	return people[:3]
}

// asASCII writes ? for every other letter, as Windows PowerShell does.
func asASCII(text []byte) []byte {
	return []byte(strings.Map(func(r rune) rune {
		if r > '~' {
			return '?'
		}
		return r
	}, string(text)))
}

// getADUser writes what Get-ADUser | Select-Object | Export-Csv does in Windows PowerShell.
func getADUser(people []*directoryPerson) []byte {
	var out bytes.Buffer
	out.WriteString("#TYPE Selected.Microsoft.ActiveDirectory.Management.ADUser\r\n")
	row := func(cells ...string) {
		for i, cell := range cells {
			if i > 0 {
				out.WriteByte(',')
			}
			out.WriteString(`"` + strings.ReplaceAll(cell, `"`, `""`) + `"`)
		}
		out.WriteString("\r\n")
	}
	row("DistinguishedName", "Enabled", "GivenName", "mail", "Name", "ObjectClass", "proxyAddresses", "SamAccountName", "Surname", "UserPrincipalName")
	for _, p := range people {
		enabled := "True"
		if p.disabled {
			enabled = "False"
		}
		row(p.dn(), enabled, p.first, p.mail, p.shown, "user", p.proxies(";"), p.account(), p.last, p.logon)
	}
	row("CN="+printerName+",OU=Service,"+directoryBase, "True", "", "", printerName, "user", "", printerName, "", printerName+"@corp.acme.example")
	return out.Bytes()
}

// csvde writes what csvde -u does, before it is encoded.
func csvde(people []*directoryPerson) []byte {
	var out bytes.Buffer
	t := newTable(&out, ",", "\r\n")
	t.row("DN", "objectClass", "displayName", "userAccountControl", "userPrincipalName", "proxyAddresses", "mail")
	t.row("OU=People,"+directoryBase, "organizationalUnit", "", "", "", "", "")
	for _, p := range people {
		t.row(p.dn(), "user", p.shown, p.control(), p.logon, strings.ReplaceAll(p.proxies(";"), "sip:", "SIP:"), p.mail)
	}
	t.row("CN="+printerName+",OU=Service,"+directoryBase, "user", "", "66048", printerName+"@corp.acme.example", "", "")
	t.row("CN="+machineName+",OU=Machines,"+directoryBase, "computer", "", "4096", "", "", "")
	t.row("CN=Alla,OU=Groups,"+directoryBase, "group", "Alla", "", "", "SMTP:"+groupMail, groupMail)
	t.row("CN=Bud,OU=Contacts,"+directoryBase, "contact", "Bud", "", "", `SMTP:`+contactMail+`;X400:C=SE\;A= \;P=Other\;S=Bud\;`, contactMail)
	_ = t.flush() // writing to memory does not fail
	return out.Bytes()
}

// ldif writes LDIF.
type ldif struct {
	bytes.Buffer
	eol   string
	width int // of a line; 0: lines are not folded
}

func (l *ldif) line(text string) {
	for l.width > 0 && len(text) > l.width {
		l.WriteString(text[:l.width] + l.eol)
		text = " " + text[l.width:]
	}
	l.WriteString(text + l.eol)
}

// entry writes an entry: names and values in turn. A blank value is left out.
func (l *ldif) entry(dn string, attributes ...string) {
	attributes = append([]string{"dn", dn}, attributes...)
	for i := 0; i < len(attributes); i += 2 {
		name, value := attributes[i], attributes[i+1]
		if value == "" {
			continue
		}
		if strings.Trim(value, asciiText) != "" {
			name, value = name+":", base64.StdEncoding.EncodeToString([]byte(value))
		}
		l.line(name + ": " + value)
	}
	l.WriteString(l.eol)
}

var asciiText = func() string {
	var text []byte
	for c := byte(' '); c <= '~'; c++ {
		text = append(text, c)
	}
	return string(text)
}()

// ldifde writes what ldifde -u does, before it is encoded.
func ldifde(people []*directoryPerson) []byte {
	l := &ldif{eol: "\r\n", width: 78}
	object := func(dn string, classes []string, attributes ...string) {
		all := []string{"changetype", "add", "objectClass", "top"}
		for _, class := range classes {
			all = append(all, "objectClass", class)
		}
		l.entry(dn, append(all, attributes...)...)
	}
	user := []string{"person", "organizationalPerson", "user"}
	object("OU=People,"+directoryBase, []string{"organizationalUnit"})
	for _, p := range people {
		var proxies []string
		for proxy := range strings.SplitSeq(p.proxies(";"), ";") {
			proxies = append(proxies, "proxyAddresses", proxy)
		}
		object(p.dn(), user, append(proxies, "userAccountControl", p.control(), "userPrincipalName", p.logon, "mail", p.mail)...)
	}
	object("CN="+printerName+",OU=Service,"+directoryBase, user, "userAccountControl", "66048", "userPrincipalName", printerName+"@corp.acme.example")
	object("CN="+machineName+",OU=Machines,"+directoryBase, append(user, "computer"), "userAccountControl", "4096")
	object("CN=Alla,OU=Groups,"+directoryBase, []string{"group"}, "proxyAddresses", "SMTP:"+groupMail, "mail", groupMail)
	object("CN=Bud,OU=Contacts,"+directoryBase, []string{"person", "organizationalPerson", "contact"}, "mail", contactMail)
	return l.Bytes()
}

// ldapsearch writes what ldapsearch does of 389 Directory Server.
func ldapsearch(people []*directoryPerson) []byte {
	const base = "dc=acme,dc=example"
	l := &ldif{eol: "\n", width: 78}
	l.WriteString("# extended LDIF\n#\n# LDAPv3\n# base <" + base + "> with scope subtree\n# filter: (objectClass=*)\n" +
		"# requesting: objectClass uid cn mail mailAlternateAddress nsAccountLock \n#\n\n")
	entry := func(dn string, attributes ...string) {
		name, rest, _ := strings.Cut(dn, ",")
		_, name, _ = strings.Cut(name, "=")
		l.line("# " + name + ", " + strings.NewReplacer("ou=", "", "dc=acme,dc=example", "acme.example", ",", ", ").Replace(rest))
		l.entry(dn, attributes...)
	}
	entry(base, "objectClass", "top", "objectClass", "domain")
	entry("ou=people,"+base, "objectClass", "top", "objectClass", "organizationalUnit")
	for _, p := range people {
		locked := ""
		if p.disabled {
			locked = "true"
		}
		entry("uid="+p.account()+",ou=people,"+base, "objectClass", "top", "objectClass", "person", "objectClass", "inetOrgPerson",
			"uid", p.account(), "cn", p.shown, "mail", p.mail, "mailAlternateAddress", p.other, "nsAccountLock", locked)
	}
	entry("uid="+printerName+",ou=services,"+base, "objectClass", "top", "objectClass", "account", "uid", printerName)
	entry("cn=alla,ou=groups,"+base, "objectClass", "top", "objectClass", "groupOfNames", "objectClass", "mailGroup", "mail", groupMail)
	l.WriteString("# search result\nsearch: 2\nresult: 0 Success\n\n" +
		fmt.Sprintf("# numResponses: %d\n# numEntries: %d\n", len(people)+5, len(people)+4))
	return l.Bytes()
}

// entra writes what the Entra admin center does: Users, Download users.
func entra(people []*directoryPerson) []byte {
	var out bytes.Buffer
	t := newTable(&out, ",", "\r\n")
	t.row("userPrincipalName", "displayName", "surname", "mail", "givenName", "id", "userType", "jobTitle", "department", "accountEnabled", "usageLocation")
	id := func(number int) string { return fmt.Sprintf("5f0c1d52-8a0e-4c1b-9b57-%012d", number) }
	for _, p := range people {
		enabled := "True"
		if p.disabled {
			enabled = "False"
		}
		logon := p.logon
		if p.other != "" {
			logon = p.other // which did not change with the name
		}
		t.row(logon, p.shown, p.last, p.mail, p.first, id(p.number), "Member", p.title, p.department, enabled, "SE")
	}
	t.row(guestLogon, "Eve", "", guestMail, "", id(len(people)+1), "Guest", "", "", "True", "")
	t.row(printerTenant, printerName, "", "", "", id(len(people)+2), "Member", "", "", "True", "")
	_ = t.flush()
	return out.Bytes()
}

// microsoft365 writes what the Microsoft 365 admin center does: Active users, Export users.
func microsoft365(people []*directoryPerson) []byte {
	var out bytes.Buffer
	t := newTable(&out, ",", "\r\n")
	t.row("Block credential", "City", "Country/Region", "Department", "DirSyncEnabled", "Display name", "First name", "Last name", "Licenses", "Object Id",
		"Proxy addresses", "Title", "Usage location", "User principal name")
	row := func(p *directoryPerson, logon, proxies string) {
		blocked := "False"
		if p.disabled {
			blocked = "True"
		}
		t.row(blocked, "", "", p.department, "True", p.shown, p.first, p.last, "Microsoft 365 E3", fmt.Sprintf("5f0c1d52-8a0e-4c1b-9b57-%012d", p.number),
			proxies, p.title, "SE", logon)
	}
	for _, p := range people {
		row(p, p.mail, p.proxies("+"))
	}
	row(&directoryPerson{number: len(people) + 1, shown: "Eve"}, guestLogon, "SMTP:"+guestMail)
	_ = t.flush()
	return out.Bytes()
}

// google writes what the Google Admin console does: Users, Download users.
func google(people []*directoryPerson) []byte {
	var out bytes.Buffer
	t := newTable(&out, ",", "\n")
	t.row("First Name [Required]", "Last Name [Required]", "Email Address [Required]", "Password [Required]", "Org Unit Path [Required]",
		"New Primary Email [UPLOAD ONLY]", "Status [READ ONLY]", "Last Sign In [READ ONLY]", "Recovery Email", "Work Secondary Email", "Department")
	for _, p := range people {
		status := "Active"
		if p.disabled {
			status = "Suspended"
		}
		t.row(p.first, p.last, p.mail, "****", "/", "", status, "2026/11/20 08:15:00", "", p.other, p.department)
	}
	_ = t.flush()
	return out.Bytes()
}
