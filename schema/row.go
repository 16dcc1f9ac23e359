package schema

import (
	"reflect"
	"strings"
)

// Headers of the users file that other code speaks of by name.
const (
	EmailHeader     = "User ID/Email (Required)"
	ClaimTypeHeader = "Claim Type"
	ClaimHeader     = "Claim"
)

// ReportHeaders are the columns a report adds behind a file's own. In a file that is read they are ignored.
var ReportHeaders = []string{
	"Claimline Line", "Claimline Result", "Claimline Reason", "Claimline Message", "Claimline Fix", "Claimline Edits",
}

// PartHeaders are the columns that a report of a hand-off adds behind those: where a row was uploaded.
var PartHeaders = []string{"Claimline Part", "Claimline Row"}

// Row is one row of the users file, cell by cell. Its tags are the truth about columns and checks; service
// columns, which differ between organizations, stand beside it. Fields without a validate tag are read-only:
// what a person writes there is ignored.
type Row struct {
	FirstName          string `csv:"First Name" validate:"max=64,text"`
	LastName           string `csv:"Last Name" validate:"max=64,text"`
	DisplayName        string `csv:"Display Name" validate:"max=64,text"`
	Email              string `csv:"User ID/Email (Required)" validate:"required,max_bytes=254,email"`
	Status             string `csv:"User Status"`
	LastAccess         string `csv:"Last Service Accessed Time"`
	Title              string `csv:"Title" validate:"max=64,text"`
	Department         string `csv:"Department" validate:"max=64,text"`
	Phone              string `csv:"Phone Number" validate:"omitempty,e164"`
	PreferredLanguage  string `csv:"Preferred Language" validate:"omitempty,bcp47_language_tag"`
	SourceOrganization string `csv:"Source Organization"`
	ClaimType          string `csv:"Claim Type" validate:"omitempty,claim_type"`
	Claim              string `csv:"Claim" validate:"omitempty,boolean_cell"`
}

// Columns are the headers of the users file in their order, services apart: the csv tags of Row.
var Columns = rowFields(func(f reflect.StructField) string { return f.Tag.Get("csv") })

// RowFields are the names of Row's fields, in the order of Columns.
var RowFields = rowFields(func(f reflect.StructField) string { return f.Name })

func rowFields(of func(reflect.StructField) string) (list []string) {
	for field := range reflect.TypeFor[Row]().Fields() {
		list = append(list, of(field))
	}
	return list
}

// SameHeader reports whether two headers match, whatever their case and surrounding blanks.
func SameHeader(a, b string) bool {
	return strings.EqualFold(strings.TrimSpace(a), strings.TrimSpace(b))
}

// Profile returns what the row says of the account.
func (r *Row) Profile() Profile {
	return Profile{
		FirstName: r.FirstName, LastName: r.LastName, DisplayName: r.DisplayName,
		Title: r.Title, Department: r.Department, Phone: r.Phone, PreferredLanguage: r.PreferredLanguage,
	}
}
