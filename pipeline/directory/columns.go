package directory

import (
	"slices"
	"strconv"
	"strings"

	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/pipeline/usersfile"
	"github.com/claimline/claimline/schema"
)

// addressColumns returns the columns of a directory's list that may hold the address; the first that is
// present does. A mail address comes before the name with which somebody signs in.
func addressColumns() []string {
	return slices.Concat([]string{"email"}, usersfile.EmailNames,
		[]string{"mail", "EmailAddress", "Email Address [Required]"}, principalNames, proxyNames)
}

// principalNames are the columns of the names with which people sign in to a directory; those of guests have
// guestMark.
var principalNames = []string{"userPrincipalName", "User principal name"}

const guestMark = "#ext#" // folded

// proxyNames are the columns of all addresses of a person, each behind its kind; SMTP: in capitals is before
// the first of them (see proxies).
var proxyNames = []string{"proxyAddresses", "Proxy addresses"}

// otherNames are the columns of addresses that never count as somebody's own.
var otherNames = []string{"mailAlternateAddress", "mailLocalAddress", "mailAlias", "otherMailbox", "otherMails", "alternateEmailAddress", "Alternate email addresses", "Work Secondary Email"}

// typeNames and classNames are the columns that say whether somebody is a guest, and whether an object is a
// person.
var (
	typeNames  = []string{"userType", "User type"}
	classNames = []string{"objectClass"}
)

// disabledColumns returns the columns that say whether the directory has disabled an account, each with the
// value that does; the first that is present counts.
func disabledColumns() []disabledColumn {
	return []disabledColumn{
		{"Enabled", isBool(false)}, {"accountEnabled", isBool(false)}, {"Block credential", isBool(true)},
		{"Status [READ ONLY]", func(cell string) bool {
			return strings.EqualFold(cell, "Suspended") || strings.EqualFold(cell, "Archived")
		}},
		{"userAccountControl", isDisabledControl}, {"nsAccountLock", isBool(true)}, {"loginDisabled", isBool(true)},
	}
}

type disabledColumn struct {
	name     string
	disables func(cell string) bool
}

func isBool(wanted bool) func(string) bool {
	return func(cell string) bool {
		value, _, ok := schema.ReadBool(cell)
		return ok && value == wanted
	}
}

// isDisabledControl reports whether the flags of an account in Active Directory have ACCOUNTDISABLE.
func isDisabledControl(cell string) bool {
	const accountDisable = 0x2
	flags, err := strconv.ParseInt(cell, 10, 64)
	return err == nil && flags&accountDisable != 0
}

// isGuest reports whether a name or an address is that of a guest.
func isGuest(name string) bool {
	return strings.IndexByte(name, '#') >= 0 && strings.Contains(strings.ToLower(name), guestMark)
}

// personClasses are the classes of persons, and otherClasses those of what has them too and is none:
// machines, and contacts, who have no account.
var (
	personClasses = []string{"person", "organizationalPerson", "inetOrgPerson", "residentialPerson", "user", "account", "posixAccount"}
	otherClasses  = []string{"computer", "contact"}
)

// isPerson reports whether an object of these classes, with a semicolon between them, is a person. One of
// which nothing is said is taken for one.
func isPerson(classes string) bool {
	if usersfile.SaysNothing(classes) || isTypeName(classes) {
		return true
	}
	person := false
	for class := range strings.SplitSeq(classes, ";") {
		is := func(name string) bool { return strings.EqualFold(name, strings.TrimSpace(class)) }
		if slices.ContainsFunc(otherClasses, is) {
			return false
		}
		person = person || slices.ContainsFunc(personClasses, is)
	}
	return person
}

// isTypeName reports whether a cell is what PowerShell writes for several values that nobody has joined.
func isTypeName(cell string) bool {
	return strings.HasPrefix(cell, "Microsoft.ActiveDirectory.") || strings.HasPrefix(cell, "System.")
}

// between is what may stand between addresses.
const between = ";,|{}\"' \t\r\n\u00a0"

// addressesIn returns what a cell has of addresses, whatever stands between them: semicolons, commas, blanks,
// or a + before the next kind (smtp:a@b.example+smtp:c@d.example). Those of another kind than mail are none.
// first is those whose kind is SMTP in capitals.
func addressesIn(cell string) (first, others []string) {
	if !strings.ContainsAny(cell, between+":") {
		return nil, []string{cell}
	}
	for token := range strings.FieldsFuncSeq(cell, func(r rune) bool { return strings.ContainsRune(between, r) }) {
		for token != "" {
			var one string
			one, token = cutKind(token)
			kind, address, found := strings.Cut(one, ":")
			switch {
			case !found:
				others = append(others, one)
			case kind == "SMTP":
				first = append(first, address)
			case strings.EqualFold(kind, "smtp"):
				others = append(others, address)
			}
		}
	}
	return first, others
}

// longestKind is how many bytes the kind of an address may have, its colon included.
const longestKind = 16

// cutKind cuts a token in front of the first + behind which a kind of address stands.
func cutKind(token string) (before, after string) {
	for at := range len(token) {
		if token[at] != '+' {
			continue
		}
		kind, _, found := strings.Cut(token[at+1:min(len(token), at+1+longestKind)], ":")
		if found && kind != "" && strings.Trim(strings.ToLower(kind), "abcdefghijklmnopqrstuvwxyz0123456789") == "" {
			return token[:at], token[at+1:]
		}
	}
	return token, ""
}

// values returns the values of a cell in which several may stand, with a semicolon between them; one that is
// part of a value has a backslash before it.
func values(cell string) []string {
	if strings.IndexByte(cell, ';') < 0 {
		return []string{cell}
	}
	var all []string
	var value strings.Builder
	for i := 0; i < len(cell); i++ {
		switch {
		case cell[i] == '\\' && i+1 < len(cell) && cell[i+1] == ';':
			i++
			value.WriteByte(';')
		case cell[i] == ';':
			all = append(all, value.String())
			value.Reset()
		default:
			value.WriteByte(cell[i])
		}
	}
	return append(all, value.String())
}

// escaped returns a value as it stands in a cell with others.
func escaped(value string) string { return strings.ReplaceAll(value, ";", `\;`) }

// find returns the column that has one of the names, -1 where there is none.
func find(header []string, names ...string) int {
	for _, name := range names {
		if at := slices.IndexFunc(header, func(cell string) bool { return dialect.SameHeader(cell, name) }); at >= 0 {
			return at
		}
	}
	return -1
}
