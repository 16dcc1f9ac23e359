package snapshot

import (
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/pipeline/usersfile"
	"github.com/claimline/claimline/schema"
)

// row is one row of a table. Its methods read one cell each, once; what is wrong with it is noted.
type row struct {
	*opened
	l     *loading
	line  int
	cells []string
}

// note notes what is wrong with a cell.
func (r *row) note(column string, refused *schema.Error) {
	if column == "" || column == "id" || column == "organization_id" || column == "service" {
		r.unsure = true
	}
	r.place(refused, r.line, column)
	r.l.problems = append(r.l.problems, problem{refused, r.order})
}

// place sets where a problem stands.
func (o *opened) place(refused *schema.Error, line int, column string) {
	refused.File, refused.Line, refused.Column, refused.Header = o.path, line, 0, ""
	if i, there := o.columns[column]; there {
		refused.Column, refused.Header = i+1, o.header[i]
	}
}

// explain notes a cell with one of the problems that cells of the users file have, in the same words.
func (r *row) explain(column string, code schema.Code, cell string) {
	message, fix := usersfile.Explain(code, cell).Told()
	r.note(column, schema.Refuse(code, "%s", message).WithFix("%s", fix))
}

// missing notes a cell that must not be blank.
func (r *row) missing(column string) {
	r.note(column, schema.Refuse(schema.CodeValueMissing, "The column %s is blank.", column))
}

// cell returns a cell, cleaned; blank where the file has no such column.
func (r *row) cell(column string) string {
	i, ok := r.columns[column]
	if !ok {
		return ""
	}
	cell := r.cells[i]
	if cell == "" {
		return ""
	}
	if r.reader.Mojibake() {
		if undone, ok := dialect.Undo(cell); ok {
			r.repairs[schema.RepairMojibake]++
			cell = undone
		}
	}
	value, did := dialect.Clean(cell)
	did.Count(r.repairs)
	return value
}

// text returns a cell of free text.
func (r *row) text(column string) string {
	value := r.cell(column)
	if len(value) > schema.MaxTextRunes && utf8.RuneCountInString(value) > schema.MaxTextRunes {
		r.explain(column, schema.CodeTextTooLong, value)
	}
	return r.plain(column, value)
}

// name returns an identifier or a name of any length; it must not be blank.
func (r *row) name(column string) string {
	value := r.plain(column, r.cell(column))
	if value == "" {
		r.missing(column)
	}
	return value
}

func (r *row) plain(column, value string) string {
	if !schema.ValidText(value) || schema.SpreadsheetError(value) {
		r.explain(column, schema.CodeTextInvalid, value)
	}
	return value
}

// boolean reads TRUE or FALSE, or a word for it; blank is FALSE.
func (r *row) boolean(column string) bool {
	cell := r.cell(column)
	value, word, ok := schema.ReadBool(cell)
	if word {
		r.repairs[schema.RepairBooleanWords]++
	}
	if !ok && cell != "" {
		r.explain(column, schema.CodeBooleanInvalid, cell)
	}
	return value
}

// moment returns a date or a time; zero where it is blank, which it may be unless it is needed.
func (r *row) moment(column string, needed bool) time.Time {
	const (
		firstYear = 1970
		lastYear  = 9000 // far enough for what is counted from it to have four digits too
	)
	cell := r.cell(column)
	if cell == "" {
		if needed {
			r.missing(column)
		}
		return time.Time{}
	}
	for _, form := range []string{time.DateOnly, time.RFC3339} {
		t, err := time.Parse(form, cell)
		if err != nil {
			continue
		}
		if t = t.UTC().Truncate(time.Second); t.Year() >= firstYear && t.Year() <= lastYear {
			return t
		}
		r.note(column, schema.Refuse(schema.CodeValueInvalid, "%s is not a time between %d and %d.", schema.Quote(cell), firstYear, lastYear).
			WithFix("Correct the year, or leave the cell blank where nothing is known."))
		return time.Time{}
	}
	r.note(column, schema.Refuse(schema.CodeValueInvalid, "%s is neither a date nor a time.", schema.Quote(cell)).
		WithFix("Write it as 2006-01-02 or 2006-01-02T15:04:05Z."))
	return time.Time{}
}

// count returns a number of things; blank is what is returned for a blank cell.
func (r *row) count(column string, blank int) int {
	cell := r.cell(column)
	if cell == "" {
		return blank
	}
	n, err := strconv.Atoi(cell)
	if err != nil || n < 0 || n > 1<<31-1 {
		r.note(column, schema.Refuse(schema.CodeValueInvalid, "%s is not a whole number of 0 or more.", schema.Quote(cell)).WithFix("Write digits only, or leave the cell blank."))
	}
	return n
}

// oneOf returns a cell that holds one of the values, in any case.
func oneOf[T ~string](r *row, column string, values ...T) T {
	cell := r.cell(column)
	names := make([]string, len(values))
	for i, value := range values {
		if strings.EqualFold(cell, string(value)) {
			return value
		}
		names[i] = string(value)
	}
	if cell == "" {
		r.missing(column)
		return ""
	}
	refused := schema.Refuse(schema.CodeValueInvalid, "%s is not one of %s.", schema.Quote(cell), strings.Join(names, ", "))
	if near, ok := schema.Nearest([]string{cell}, names); ok {
		refused = refused.WithFix("Did you mean %s?", near)
	}
	r.note(column, refused)
	return ""
}

// address returns an e-mail address and its key.
func (r *row) address(column string) (email, key string) {
	email = r.cell(column)
	key, problem := schema.ParseAddress(email)
	if problem != "" {
		r.explain(column, problem, email)
	}
	return email, key
}

func (r *row) organization() store.LoadOrganization {
	o := store.LoadOrganization{Line: r.line, Organization: schema.Organization{
		ID: r.name("id"), Name: r.plain("name", r.cell("name")), Kind: oneOf(r, "kind", schema.Enterprise, schema.Personal, schema.Consumer),
		Created: r.moment("created", true), SSO: r.boolean("sso"), DirectorySync: r.boolean("directory_sync"),
		BringConversations: r.boolean("bring_conversations"), ActivationEmails: r.boolean("activation_emails"),
		RetentionDays: r.count("retention_days", 0),
	}}
	if o.Name == "" {
		o.Name = o.ID
	}
	r.once(r.l.known.organizations, "id", o.ID)
	return o
}

// once refuses a key that stands in its file twice.
func (r *row) once(lines map[string]int, column, key string) {
	if key == "" {
		return
	}
	if first, twice := lines[key]; twice {
		r.note(column, schema.Refuse(schema.CodeIDDuplicate, "The same stands on line %d: %s.", first, schema.Quote(r.cells[r.columns[column]])))
		return
	}
	lines[strings.Clone(key)] = r.line // the cell shares the memory of its block, which need not be kept
}

func (r *row) license() store.LoadLicense {
	v := store.LoadLicense{Line: r.line, License: schema.License{
		OrganizationID: r.name("organization_id"), Service: r.name("service"),
		Quantity: r.count("quantity", schema.Unlimited), AutoAssign: r.boolean("auto_assign"),
	}}
	if v.OrganizationID == "" || v.Service == "" {
		return v
	}
	r.checkService(v.Service)
	services := r.l.known.licensed(v.OrganizationID)
	key := serviceKey(v.Service)
	if first, twice := services[key]; twice {
		r.note("service", schema.Refuse(schema.CodeIDDuplicate, "The organization's service stands on line %d too: %s.", first.line, schema.Quote(v.Service)))
		return v
	}
	if most := r.l.mostServices(); len(services) >= most {
		r.note("service", schema.Refuse(schema.CodeLimitExceeded, "An organization has more than %d services: a users file would have too many columns.", most).
			WithFix("Leave services out that nobody is to get."))
	}
	services[key] = licensed{strings.Clone(v.Service), r.line}
	return v
}

// checkService refuses a name that cannot be the header of a column in the users file, or would be taken for
// another there.
func (r *row) checkService(name string) {
	known, taken := usersfile.KnownName(name, nil)
	added := slices.ContainsFunc(schema.ReportHeaders, func(header string) bool { return dialect.SameHeader(header, name) })
	switch {
	case strings.Contains(name, ";"):
		r.note("service", schema.Refuse(schema.CodeValueInvalid, "The service %s has a semicolon, which separates services in users.csv.", schema.Quote(name)))
	case taken:
		r.note("service", schema.Refuse(schema.CodeValueInvalid, "A service cannot be called %s: that is the column %s of the users file.", schema.Quote(name), known))
	case added:
		r.note("service", schema.Refuse(schema.CodeValueInvalid, "A service cannot be called %s: that is a column of reports.", schema.Quote(name)))
	case !strings.EqualFold(dialect.CleanHeader(name), strings.Join(strings.Fields(name), " ")):
		r.note("service", schema.Refuse(schema.CodeValueInvalid, "The service %s begins or ends with a character that no header keeps.", schema.Quote(name)))
	}
}

func (r *row) domain() store.LoadDomain {
	cell := r.cell("domain")
	key, ok := schema.DomainKey(cell)
	switch {
	case cell == "":
		r.missing("domain")
	case !ok:
		r.note("domain", schema.Refuse(schema.CodeDomainInvalid, "%s is not a domain name.", schema.Quote(cell)))
	}
	d := store.LoadDomain{Line: r.line, Domain: schema.Domain{
		Domain: key, OrganizationID: r.name("organization_id"), Status: oneOf(r, "status", schema.DomainVerified, schema.DomainClaimed),
	}}
	if ok {
		r.once(r.l.known.domains, "domain", key+"\x1f"+d.OrganizationID)
	}
	return d
}

func (r *row) user() store.LoadUser {
	address, key := r.address("email")
	u := store.LoadUser{Key: key, Line: r.line, User: schema.User{
		ID: r.name("id"), Email: address, OrganizationID: r.name("organization_id"), Status: oneOf(r, "status", schema.Statuses...),
		InactiveSince: r.moment("inactive_since", false), LastSignIn: r.moment("last_sign_in", false),
		Conversations: r.count("conversations", schema.UnknownConversations),
		Profile: schema.Profile{
			FirstName: r.text("first_name"), LastName: r.text("last_name"), DisplayName: r.text("display_name"),
			Title: r.text("title"), Department: r.text("department"), Phone: r.phone("phone"), PreferredLanguage: r.language("preferred_language"),
		},
	}}
	for service := range strings.SplitSeq(r.cell("services"), ";") {
		if service = strings.TrimSpace(service); service != "" {
			u.Services = append(u.Services, service)
		}
	}
	return u
}

// phone returns a number as accounts have it.
func (r *row) phone(column string) string {
	cell := r.cell(column)
	if cell == "" {
		return ""
	}
	phone, spelt := schema.SpellPhone(cell)
	switch {
	case spelt:
		r.repairs[schema.RepairPhoneSpelling]++
	case schema.UnsignedPhone(cell):
		r.note(column, schema.Refuse(schema.CodePhoneInvalid, "%s", schema.CodePhoneInvalid.Wrong(schema.Quote(cell))).
			WithFix("Write +%s if that is the number; or leave it blank.", cell))
	case !schema.ValidPhone(cell):
		r.explain(column, schema.CodePhoneInvalid, cell)
	}
	return phone
}

// language returns a language tag.
func (r *row) language(column string) string {
	cell := r.cell(column)
	if cell == "" {
		return ""
	}
	tag, spelt := schema.SpellLanguage(cell)
	if spelt {
		r.repairs[schema.RepairLanguageSpelling]++
	} else if !schema.ValidLanguage(cell) {
		r.explain(column, schema.CodeLanguageInvalid, cell)
	}
	return tag
}

func (r *row) claim() store.LoadClaim {
	_, key := r.address("email")
	return store.LoadClaim{Key: key, Line: r.line, Claim: schema.Claim{
		OrganizationID: r.name("organization_id"), Type: oneOf(r, "type", schema.Immediate, schema.Delayed),
		ClaimedAt: r.moment("claimed_at", true), SignedInAt: r.moment("signed_in_at", false),
	}}
}
