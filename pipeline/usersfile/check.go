package usersfile

import (
	"unicode/utf8"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/schema"
)

// Row is what Check reads of a record.
type Row struct {
	Key         string // address key; blank: the address is not valid
	LeftAlone   bool   // its Claim is FALSE or blank
	Asked       schema.ClaimType
	Assignments []claim.Assignment // per service of the layout; nil: the file has no service columns
	// Unsigned says that the phone is no number but for a + that it lacks: right where it is the account's
	// own, wrong else.
	Unsigned bool
}

// clean reads one cell.
func (l *Layout) clean(cell string) string {
	return l.read(cell, &Repairs{})
}

// read reads one cell, and counts what was mended.
func (l *Layout) read(cell string, n *Repairs) string {
	if l.options.Mojibake {
		if undone, ok := dialect.Undo(cell); ok {
			n.Mojibake++
			cell = undone
		}
	}
	value, did := dialect.Clean(cell)
	if did&dialect.Trimmed != 0 {
		n.Trimmed++
	}
	if did&dialect.Formula != 0 {
		n.Formulas++
	}
	return value
}

// Read reads the record's known cells, and counts what was mended in them, and in those of the services.
func (l *Layout) Read(record []string, values *Values, n *Repairs) {
	*values = Values{}
	for column, cell := range record {
		field := l.fields[column]
		if cell == "" || field == none && l.services[column] < 0 {
			continue
		}
		value := l.read(cell, n)
		if field != none {
			values[field] = value
		}
	}
}

// ReadEditable reads of the record only what applies to an account (see R17).
func (l *Layout) ReadEditable(record []string, values *Values) {
	for _, field := range editable {
		if column := l.columns[field]; column >= 0 {
			values[field] = l.clean(record[column])
		}
	}
}

// Check makes the checks of one row: the same, in the same order, as the tags of schema.Row state them, only
// faster. undecodable is the first column whose bytes are no UTF-8, or -1. Phone and language are spelt as
// accounts have them.
func (l *Layout) Check(record []string, values *Values, undecodable int, r *Row, n *Repairs, problems *schema.Finding) {
	if !l.CheckClaim(values, r, n, problems) {
		return
	}
	key, problem := schema.ParseAddress(values[Email])
	if problem != "" {
		problems.Add(problem, l.Column(Email), schema.Quote(values[Email]))
	}
	r.Key = key
	for _, field := range textFields {
		if len(values[field]) > schema.MaxTextRunes && utf8.RuneCountInString(values[field]) > schema.MaxTextRunes {
			problems.Add(schema.CodeTextTooLong, l.Column(field), schema.Quote(values[field]))
		}
	}
	for _, field := range textFields {
		if !ValidText(values[field]) {
			problems.Add(schema.CodeTextInvalid, l.Column(field), schema.Quote(values[field]))
		}
	}
	if undecodable >= 0 {
		problems.Add(schema.CodeTextInvalid, l.Header[undecodable], schema.Quote(record[undecodable]))
	}
	Spell(values, n)
	if phone := values[Phone]; phone != "" && !schema.ValidPhone(phone) {
		problems.Add(schema.CodePhoneInvalid, l.Column(Phone), schema.Quote(phone))
		r.Unsigned = schema.UnsignedPhone(phone)
	}
	if language := values[PreferredLanguage]; language != "" && !schema.ValidLanguage(language) {
		problems.Add(schema.CodeLanguageInvalid, l.Column(PreferredLanguage), schema.Quote(language))
	}
	asked, ok := schema.ParseClaimType(values[ClaimType])
	if !ok && values[ClaimType] != "" {
		problems.Add(schema.CodeClaimTypeInvalid, l.Column(ClaimType), schema.Quote(values[ClaimType]))
	}
	r.Asked = asked
	l.checkServices(record, r, n, problems)
	if problems.Outcome != "" {
		l.explain(record, values, problems)
	}
}

// ValidText reports whether a cell of free text can be an account's.
func ValidText(s string) bool {
	return schema.ValidText(s) && (s == "" || s[0] != '#' || !schema.SpreadsheetError(s))
}

// CheckClaim reads the Claim cell; on is false where it ends the checks.
func (l *Layout) CheckClaim(values *Values, r *Row, n *Repairs, problems *schema.Finding) (on bool) {
	cell := values[Claim]
	if cell == "" && l.columns[Claim] < 0 {
		return true
	}
	claims, word, ok := schema.ReadBool(cell)
	if word {
		n.Booleans++
	}
	switch {
	case ok && claims:
		return true
	case ok:
		problems.Add(schema.CodeClaimFalse, "")
	case cell == "":
		problems.Add(schema.CodeClaimBlank, "")
	default:
		problems.Add(schema.CodeBooleanInvalid, l.Column(Claim), schema.Quote(cell))
		return true
	}
	r.LeftAlone = true
	r.Key, _ = schema.ParseAddress(values[Email]) // another row may claim whom this one leaves alone
	return false
}

// Spell writes phone and language as accounts have them.
func Spell(values *Values, n *Repairs) {
	if phone, spelt := schema.SpellPhone(values[Phone]); spelt {
		values[Phone] = phone
		n.Phones++
	}
	if tag, spelt := schema.SpellLanguage(values[PreferredLanguage]); spelt {
		values[PreferredLanguage] = tag
		n.Languages++
	}
}

// checkServices reads the service cells.
func (l *Layout) checkServices(record []string, r *Row, n *Repairs, problems *schema.Finding) {
	if r.Assignments == nil {
		return
	}
	for column, service := range l.services {
		if service < 0 {
			continue
		}
		cell := l.clean(record[column])
		if cell == "" {
			r.Assignments[service] = claim.Automatic
			continue
		}
		assign, word, ok := schema.ReadBool(cell)
		if word {
			n.Booleans++
		}
		if !ok {
			problems.Add(schema.CodeBooleanInvalid, l.Header[column], schema.Quote(cell))
		}
		r.Assignments[service] = claim.Withhold
		if assign {
			r.Assignments[service] = claim.Assign
		}
	}
}
