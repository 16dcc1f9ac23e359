package usersfile

import (
	"slices"

	"github.com/claimline/claimline/pipeline/workbook"
	"github.com/claimline/claimline/schema"
)

// booleans are what cells of Claim and of services say in a workbook.
var booleans = []string{"TRUE", "FALSE"}

// widths are those of the fields in a workbook, in characters.
var widths = [Fields]int{
	FirstName: 18, LastName: 18, DisplayName: 26, Email: 36, Status: 14, LastAccess: 22, Title: 24, Department: 24, Phone: 18,
	PreferredLanguage: 12, SourceOrganization: 28, ClaimType: 12, Claim: 10,
}

// SheetColumns returns how the columns of the users file are written into a workbook, those of services last.
func SheetColumns(services []string) []workbook.Column {
	columns := make([]workbook.Column, 0, Fields+len(services))
	for field := range Field(Fields) {
		columns = append(columns, sheetColumn(field.Name(), field, false))
	}
	for _, service := range services {
		columns = append(columns, sheetColumn(service, none, true))
	}
	return columns
}

// SheetColumns returns how the columns of the file are written into a workbook, but for those that an earlier
// report added.
func (l *Layout) SheetColumns() (columns []workbook.Column) {
	for column, header := range l.Header {
		if !l.Added(column) {
			columns = append(columns, sheetColumn(header, l.fields[column], l.services[column] >= 0))
		}
	}
	return columns
}

func sheetColumn(header string, field Field, service bool) workbook.Column {
	const narrow, wide = 12, 40
	c := workbook.Column{Header: header, Width: min(max(len([]rune(header))+4, narrow), wide)}
	if field != none {
		c.Width = widths[field]
	}
	c.ReadOnly = slices.Contains([]Field{Status, LastAccess, SourceOrganization}, field)
	if service || field == Claim {
		c.Choices = booleans
	}
	return c
}

// ReportColumns returns how the columns that a report adds are written into a workbook.
func ReportColumns(headers []string) []workbook.Column {
	columns := make([]workbook.Column, len(headers))
	for i, header := range headers {
		columns[i] = workbook.Column{Header: header, Width: 18, ReadOnly: true}
		if slices.Contains(schema.ReportHeaders[3:], header) { // sentences
			columns[i].Width = 60
		}
	}
	return columns
}
