package handoff_test

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"strconv"
	"strings"

	"pgregory.net/rapid"

	"github.com/claimline/claimline/schema"
)

// The template of the simulated organization. Control Hub knows these headers, byte for byte.
const (
	emailColumn   = "User ID/Email (Required)"
	messaging     = "Advanced Messaging " // the blank is the organization's
	calling       = "Webex Calling Professional [sub.1]"
	callingToo    = "Webex Calling Standard [sub.2]"
	assistant     = "Webex Meeting Assistant [sub.1]"
	suspendedSite = "SITE   Enterprise [sub.3] (Suspended)"
)

var templateHeader = []string{
	"First Name", "Last Name", "Display Name", emailColumn, "User Status", "Extension", "Phone Number", "Location", "Department", "Title",
	messaging, calling, callingToo, assistant, suspendedSite,
}

var serviceHeaders = []string{messaging, calling, callingToo, assistant}

// account is one user as the simulated Control Hub knows it.
type account struct {
	email    string
	member   bool
	delayed  bool
	taken    bool // claimed by another organization, and a member here before
	services map[string]bool
}

// trouble is what goes wrong with one row at the other side.
type trouble struct {
	message string
	reason  schema.Code
}

// troubles are messages as Control Hub writes them, with what each has to be read as.
var troubles = []trouble{
	{"400081: The user exists; claim the user first.", schema.CodeNotClaimed},
	{"Error 400084 domain of %s", schema.CodeDomainClaimedElsewhere},
	{"[400108] The domain, as it is, belongs to others", schema.CodeDomainClaimedElsewhere},
	{"400091", schema.CodeDomainNotVerified},
	{"Error code: 400109, see %s", schema.CodeDomainNotVerified},
	{"400090: %s", schema.CodeClaimedElsewhere},
	{"(400110) sync", schema.CodeDirectorySyncEnabled},
	{"400111: no licence", schema.CodeLicenseUnavailable},
	{"400112 \"licence\", none", schema.CodeLicenseUnavailable},
	{"400087", schema.CodeServiceConflict},
	{"400094: %s", schema.CodeServiceConflict},
	{"HTTP 401", schema.CodeCredentialsRefused},
	{"403 Forbidden", schema.CodeCredentialsRefused},
	{"status 404 for %s", schema.CodeUserNotFound},
	{"Error: 409", schema.CodeConflict},
	{"429 Too many requests", schema.CodeFailed},
	{"503: at most 500 characters, 404 of them", schema.CodeFailed},
	{"408", schema.CodeFailed},
	{"The domain has not been verified.", schema.CodeDomainNotVerified},
	{"There are not enough licenses.", schema.CodeLicenseUnavailable},
	{"Directory synchronization is on.", schema.CodeDirectorySyncEnabled},
	{"Gremlins in the works.", schema.CodeMessageUnknown},
}

// hub is the other side: what Control Hub does with a file that is uploaded, as far as it is known.
type hub struct {
	t         *rapid.T
	accounts  map[string]*account // by address in lower case
	addRemove bool
}

// upload takes a file in. It returns what is said of its rows, from 1; an error refuses the whole file,
// which must not happen to a part.
func (h *hub) upload(part []byte) (map[int][]trouble, [][]string, error) {
	text := string(part)
	if strings.Count(text, "\n") != strings.Count(text, "\r\n") || strings.HasPrefix(text, "\ufeff") {
		return nil, nil, fmt.Errorf("not the line ends of the template: %q", text)
	}
	records, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		return nil, nil, err
	}
	header, rows := records[0], records[1:]
	if len(rows) > 20_000 {
		return nil, nil, fmt.Errorf("%d rows", len(rows))
	}
	known := map[string]bool{}
	for _, name := range templateHeader {
		known[name] = true
	}
	for _, name := range header {
		if !known[name] {
			return nil, nil, fmt.Errorf("unknown header %q", name)
		}
	}
	cell := func(row []string, name string) string {
		for i := range header {
			if header[i] == name {
				return row[i]
			}
		}
		return ""
	}
	said := map[int][]trouble{}
	for i, row := range rows {
		for _, value := range row {
			if strings.HasPrefix(value, "=") || strings.HasPrefix(value, "@") {
				return nil, nil, fmt.Errorf("a formula: %q", value)
			}
		}
		if cell(row, suspendedSite) == "TRUE" {
			return nil, nil, fmt.Errorf("TRUE in %s", suspendedSite)
		}
		email := cell(row, emailColumn)
		said[i+1] = h.check(row, cell)
		if len(said[i+1]) == 0 && h.lucky("trouble of its own") {
			at := rapid.IntRange(0, len(troubles)-1).Draw(h.t, "trouble")
			said[i+1] = append(said[i+1], troubles[at])
			if h.lucky("a second") {
				said[i+1] = append(said[i+1], troubles[(at+7)%len(troubles)])
			}
		}
		if len(said[i+1]) > 0 {
			continue
		}
		if h.lucky("lost") { // accepted, and not done
			continue
		}
		h.apply(h.accounts[strings.ToLower(email)], row, cell)
	}
	return said, rows, nil
}

// lucky returns true now and then.
func (h *hub) lucky(what string) bool { return rapid.IntRange(0, 4).Draw(h.t, what) == 0 }

// check says what the row's own rules have against it. make knows them, too, so nothing may come of it but
// an account that is not there.
func (h *hub) check(row []string, cell func([]string, string) string) []trouble {
	var said []trouble
	for _, service := range serviceHeaders {
		if value := cell(row, service); value != "" && value != "TRUE" && value != "FALSE" {
			said = append(said, trouble{"The value must be TRUE or FALSE.", schema.CodeBooleanInvalid})
		}
	}
	if cell(row, calling) == "TRUE" || cell(row, callingToo) == "TRUE" {
		if cell(row, "Location") == "" {
			said = append(said, trouble{"A Location is required.", schema.CodeLocationMissing})
		}
		if cell(row, "Phone Number") == "" && cell(row, "Extension") == "" {
			said = append(said, trouble{"A phone number or extension is required.", schema.CodeNumberMissing})
		}
		if cell(row, calling) == cell(row, callingToo) {
			said = append(said, trouble{"400087: two Calling licences", schema.CodeServiceConflict})
		}
		if name := cell(row, "First Name"); len([]rune(name)) > 30 || strings.ContainsAny(name, `%#<>\/"`) {
			said = append(said, trouble{"The name is refused", schema.CodeMessageUnknown})
		}
	}
	if h.accounts[strings.ToLower(cell(row, emailColumn))] == nil {
		said = append(said, trouble{"404: no such user", schema.CodeUserNotFound})
	}
	return said
}

// apply claims a user, and gives and takes services; now and then a licence gets lost.
func (h *hub) apply(a *account, row []string, cell func([]string, string) string) {
	if a.taken {
		return
	}
	if !a.member {
		a.member, a.delayed = true, h.lucky("delayed")
	}
	for _, service := range serviceHeaders {
		switch cell(row, service) {
		case "TRUE":
			a.services[service] = !h.lucky("licence lost")
		case "FALSE":
			a.services[service] = a.services[service] && (!h.addRemove || h.lucky("removal lost"))
		}
	}
}

// errorFile writes what was said, in one of the shapes there are. It returns the number of the first row
// in it.
func (h *hub) errorFile(said map[int][]trouble, rows [][]string, email int) (file string, firstRow int) {
	firstRow = rapid.IntRange(1, 2).Draw(h.t, "first row")
	older, blanks := rapid.Bool().Draw(h.t, "older shape"), rapid.Bool().Draw(h.t, "rows without errors")
	oneCell := rapid.Bool().Draw(h.t, "messages in one cell")
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	w.UseCRLF = rapid.Bool().Draw(h.t, "CRLF")
	record := func(row int, message string) {
		cells := []string{strconv.Itoa(row + firstRow - 1), message}
		if older {
			cells = []string{cells[0], rows[row-1][email], message}
		}
		if err := w.Write(cells); err != nil {
			panic(err)
		}
	}
	header := []string{"Row Number", "Error Message"}
	if older {
		header = []string{"Row Number", "User ID/Email", "Error Message"}
	}
	if err := w.Write(header); err != nil {
		panic(err)
	}
	for row := 1; row <= len(rows); row++ {
		var messages []string
		for i, t := range said[row] {
			message := strings.ReplaceAll(t.message, "%s", rows[row-1][email])
			messages = append(messages, fmt.Sprintf("%s TrackingID: HUB_%d-404-429_%d", message, row, i))
		}
		switch {
		case len(messages) == 0 && blanks:
			record(row, "")
		case len(messages) > 0 && oneCell:
			record(row, strings.Join(messages, "\n"))
		default:
			for _, message := range messages {
				record(row, message)
			}
		}
	}
	w.Flush()
	return b.String(), firstRow
}

// exports returns the fresh exports: the members, with the accounts that others have claimed, and who can
// still be claimed.
func (h *hub) exports() (users, claimable string) {
	var members, others bytes.Buffer
	m, o := csv.NewWriter(&members), csv.NewWriter(&others)
	write := func(w *csv.Writer, cells ...string) {
		if err := w.Write(cells); err != nil {
			panic(err)
		}
	}
	header := append([]string{emailColumn, "User Status"}, serviceHeaders...)
	write(m, header...)
	write(o, header...)
	write(m, append([]string{"chief@acme.example", "Active"}, make([]string, len(serviceHeaders))...)...)
	for _, a := range h.accounts {
		cells := []string{strings.ToUpper(a.email[:1]) + a.email[1:], "Active"}
		if a.taken {
			cells[0] += ".convert-user.local"
		}
		if a.delayed {
			cells[1] = "Delayed Claim"
		}
		for _, service := range serviceHeaders {
			cells = append(cells, strings.ToUpper(strconv.FormatBool(a.services[service])))
		}
		if a.member || a.taken {
			write(m, cells...)
		} else {
			write(o, cells...)
		}
	}
	m.Flush()
	o.Flush()
	return members.String(), others.String()
}
