package usersfile

import "github.com/claimline/claimline/schema"

// Field is a column of the users file that every organization has: its place in schema.Columns.
type Field int

// The fields of schema.Row, in their order.
const (
	FirstName Field = iota
	LastName
	DisplayName
	Email
	Status
	LastAccess
	Title
	Department
	Phone
	PreferredLanguage
	SourceOrganization
	ClaimType
	Claim

	// Fields is how many there are.
	Fields = iota
)

// none stands for a column that is no field.
const none Field = -1

// Name returns the field's header as export writes it.
func (f Field) Name() string { return schema.Columns[f] }

// textFields are the fields that hold free text.
var textFields = [...]Field{FirstName, LastName, DisplayName, Title, Department}

// Values are the cells of one record, one per field: cleaned of blanks, of the spreadsheet guard, and of text
// formulas.
type Values [Fields]string

// Repairs counts cells that were read as if they were right.
type Repairs struct {
	Trimmed, Formulas, Mojibake, Booleans, Phones, Languages int
}

// Each hands over every kind that there is, with its count.
func (r *Repairs) Each(hand func(schema.Repair, int)) {
	hand(schema.RepairBlanksTrimmed, r.Trimmed)
	hand(schema.RepairTextFormula, r.Formulas)
	hand(schema.RepairMojibake, r.Mojibake)
	hand(schema.RepairBooleanWords, r.Booleans)
	hand(schema.RepairPhoneSpelling, r.Phones)
	hand(schema.RepairLanguageSpelling, r.Languages)
}
