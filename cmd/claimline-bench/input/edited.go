package input

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
)

// editedRow is a row of samples/edited.csv and what becomes of it, by design and not by running the program.
type editedRow struct {
	user    *user // nil: there is no such account
	cells   []string
	reasons []string // in the order of the checks; none: ready
}

// mistake spoils the row of an eligible user.
func mistake(r *editedRow, reason string, cell int, value string) {
	r.cells[cell] = value
	r.reasons = append(r.reasons, reason)
}

// mistakes are made in the rows of eligible users, each in another row.
var mistakes = []func(*editedRow){
	func(r *editedRow) { r.cells, r.reasons = r.cells[:9], []string{"field_count"} },
	func(r *editedRow) { r.cells, r.reasons = r.cells[:claimCell], []string{"field_count"} },
	func(r *editedRow) { r.cells, r.reasons = append(r.cells, "", "se mejl"), []string{"field_count"} },
	func(r *editedRow) { mistake(r, "boolean_invalid", claimCell, "kanske") },
	func(r *editedRow) { mistake(r, "boolean_invalid", claimCell, "ok") },
	func(r *editedRow) { mistake(r, "boolean_invalid", callingCell, "ja tack") },
	func(r *editedRow) { mistake(r, "boolean_invalid", callingCell+1, "2") },
	func(r *editedRow) { mistake(r, "email_missing", emailCell, "") },
	func(r *editedRow) { mistake(r, "email_missing", emailCell, "") },
	func(r *editedRow) {
		mistake(r, "email_too_long", emailCell, strings.Repeat("x", 60)+"@"+strings.Repeat("avdelning.", 20)+"acme.example")
	},
	func(r *editedRow) { mistake(r, "email_invalid", emailCell, "åsa.öberg@acme") },
	func(r *editedRow) { mistake(r, "email_invalid", emailCell, "anna andersson@acme.example") },
	func(r *editedRow) { mistake(r, "email_invalid", emailCell, `"bo"@acme.example`) },
	func(r *editedRow) { mistake(r, "text_too_long", displayCell, strings.Repeat("Å", 65)) },
	func(r *editedRow) {
		mistake(r, "text_too_long", titleCell, "Ansvarig för inköp, lager, logistik, kundtjänst och allt annat på Öland")
	},
	func(r *editedRow) { mistake(r, "text_invalid", titleCell, "Chef\nför lagret") },
	func(r *editedRow) { mistake(r, "text_invalid", titleCell+1, "Inköp\x07Lager") },
	func(r *editedRow) { mistake(r, "phone_invalid", phoneCell, "070-174 06 05") },
	func(r *editedRow) { mistake(r, "phone_invalid", phoneCell, "0701740605") },
	func(r *editedRow) {
		mistake(r, "phone_invalid", phoneCell, "saknas")
		mistake(r, "language_invalid", languageCell, "på svenska")
	},
	func(r *editedRow) { mistake(r, "language_invalid", languageCell, "svenska & engelska") },
	func(r *editedRow) { mistake(r, "language_invalid", languageCell, "s") },
	func(r *editedRow) { mistake(r, "claim_type_invalid", claimTypeCell, "omedelbar") },
	func(r *editedRow) { mistake(r, "claim_type_invalid", claimTypeCell, "senare") },
	staleClaimType, staleClaimType, staleClaimType,
}

func staleClaimType(r *editedRow) {
	stale := "delayed"
	if r.user.org.delayed {
		stale = "Immediate"
	}
	mistake(r, "stale_claim_type", claimTypeCell, stale)
}

// strangers returns rows that the export did not have, as somebody would add them by hand: without a claim
// type.
func (s *sample) strangers() []*editedRow {
	var rows []*editedRow
	add := func(reasons string, users ...*user) {
		for _, u := range users {
			r := &editedRow{user: u, cells: u.exported(""), reasons: strings.Fields(reasons)}
			r.cells[claimTypeCell] = ""
			rows = append(rows, r)
		}
	}
	for _, address := range []string{"stava.fel@acme.example", "slutade.igar@acme.test", "nobody@nowhere.example"} {
		add("user_not_found", &user{first: "Okänd", last: "Person", display: "Okänd Person", email: address, org: &organization{}})
		rows[len(rows)-1].user = nil
	}
	add("already_claimed", s.claimed[0], s.claimed[1], s.claimed[30])
	add("already_member", s.members[0], s.members[1], s.completed[0], s.completed[1])
	add("claimed_elsewhere", s.claimedElsewhere[0], s.claimedElsewhere[20])
	add("domain_not_verified", s.notVerified[0], s.notVerified[300])
	add("domain_claimed_elsewhere", s.domainElsewhere[0], s.domainElsewhere[60])
	add("domain_not_verified domain_claimed_elsewhere", s.doublyElsewhere[0])
	add("source_sso", s.sso[0], s.sso[1])
	add("source_directory_sync", s.synced[0], s.synced[1])
	add("source_sso source_directory_sync", s.both[0])
	add("claimed_elsewhere domain_not_verified domain_claimed_elsewhere source_sso source_directory_sync stale_claim_type", s.everything)
	rows[len(rows)-1].cells[claimTypeCell] = "delayed"
	add("duplicate_row", s.eligible[1], s.eligible[2])
	rows[len(rows)-1].cells[emailCell] = strings.ToUpper(s.eligible[2].email)
	return rows
}

// editedFile returns the export as it comes back from a person with a Swedish Excel, and what has to become
// of every row.
func (s *sample) editedFile() (file, expected []byte) {
	var out bytes.Buffer
	out.WriteString("\ufeff")
	t := newTable(&out, ";", "\r\n")
	t.row(append(slices.Clip(fileColumns), "Notes")...)

	var answers bytes.Buffer
	answer := newTable(&answers, ",", "\n")
	answer.row("line", "email", "outcome", "reasons", "claim_type", "warnings")
	callingLeft := 30 // 50 licences, 20 of them held by members

	write := func(r *editedRow) {
		address := ""
		if len(r.cells) > emailCell {
			address = strings.Trim(strings.TrimPrefix(r.cells[emailCell], "'"), " \u200b")
		}
		answer.row(append([]string{strconv.Itoa(t.line), address}, r.expected(&callingLeft)...)...)
		t.row(r.cells...)
	}
	mistakes, strangers := mistakes, s.strangers()
	calls := 40 // rows that ask for Webex Calling
	for i, u := range s.eligible {
		r := &editedRow{user: u, cells: u.exported("")}
		switch {
		case i%60 == 17: // deleted
			continue
		case i%40 == 3 && len(mistakes) > 0:
			mistakes[0](r)
			mistakes = mistakes[1:]
		case i%80 == 5:
			mistake(r, "claim_false", claimCell, "FALSE")
		default:
			edit(i, r)
			if i%9 == 4 && !u.org.delayed && len(r.reasons) == 0 && calls > 0 {
				r.cells[callingCell] = "TRUE"
				calls--
			}
		}
		write(r)
		if i%45 == 30 && len(strangers) > 0 {
			write(strangers[0])
			strangers = strangers[1:]
		}
		switch i {
		case 100, 900:
			t.row(make([]string, len(fileColumns)+1)...)
		case 600:
			t.row()
		}
	}
	if len(mistakes)+len(strangers)+calls > 0 {
		panic("the sample has too few eligible users for its mistakes")
	}
	// Writing to memory does not fail.
	_ = t.flush()
	_ = answer.flush()
	return out.Bytes(), answers.Bytes()
}

// edit changes a row without a mistake, though not always as the export would have written it.
func edit(i int, r *editedRow) {
	switch i % 50 {
	case 7:
		r.cells[titleCell] = "Teamledare"
	case 9:
		mistake(r, "claim_blank", claimCell, "")
	case 11:
		r.cells[claimCell] = "t"
	case 12:
		r.cells[claimTypeCell] = ""
	case 14:
		r.cells[claimTypeCell] = strings.ToUpper(r.cells[claimTypeCell])
	case 16:
		r.cells[callingCell+2] = "FALSE"
	case 18, 19:
		r.cells[callingCell+1] = "TRUE"
	case 21:
		r.cells[notesCell] = "Frågat Åsa; hon säger \"ja\""
	case 31:
		r.cells[claimCell] = "JA"
	case 33:
		r.cells[claimCell] = "yes"
	case 34:
		r.cells[callingCell+1] = "x"
	case 36:
		r.cells = r.cells[:notesCell]
	case 37:
		r.cells[phoneCell] = strings.Replace(r.cells[phoneCell], "'+46", "0046 ", 1)
	case 38:
		r.cells[languageCell] = strings.Replace(r.cells[languageCell], "-", "_", 1)
	case 39:
		r.cells[0] = `="` + r.cells[0] + `"`
	}
	switch i {
	case 22, 422, 822:
		r.cells[notesCell] = "Ny chef\nNytt kontor\n\nSe ärendet"
	case 24:
		r.cells[emailCell] += " "
	case 25:
		r.cells[emailCell] = "\u200b" + r.cells[emailCell]
	case 26:
		r.cells[0] = "\u00a0" + r.cells[0]
	case 27:
		r.cells[titleCell] = "  Tekniker"
	case 28:
		r.cells[titleCell+1] = "IT\t"
	case 29:
		r.cells[emailCell] = strings.ToUpper(r.cells[emailCell])
	}
}

var outcomes = map[string]string{
	"": "ready", "claim_false": "skipped", "claim_blank": "skipped", "already_claimed": "unchanged", "already_member": "unchanged",
	"user_not_found": "ineligible", "claimed_elsewhere": "ineligible", "domain_not_verified": "ineligible",
	"domain_claimed_elsewhere": "ineligible", "source_sso": "ineligible", "source_directory_sync": "ineligible",
	"stale_claim_type": "ineligible",
}

// expected returns the row's outcome, reasons, claim type and warnings; it takes the licence that the row
// would get.
func (r *editedRow) expected(callingLeft *int) []string {
	reason := ""
	if len(r.reasons) > 0 {
		reason = r.reasons[0]
	}
	outcome, ok := outcomes[reason]
	if !ok {
		outcome = "invalid"
	}
	if outcome != "ready" {
		return []string{outcome, strings.Join(r.reasons, ";"), "", ""}
	}
	var warnings []string
	if !r.user.org.delayed && r.user.conversations != "0" {
		warnings = append(warnings, "content_not_transferred")
	}
	if r.cells[callingCell] == "TRUE" {
		if *callingLeft > 0 {
			*callingLeft--
		} else {
			warnings = append(warnings, "license_unavailable:"+calling)
		}
	}
	slices.Sort(warnings)
	return []string{outcome, "", r.user.org.claimType(), strings.Join(warnings, ";")}
}
