package usersfile

import (
	"context"
	"fmt"

	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/schema"
)

// EmailColumnMissing returns the refusal of a file without a column of addresses: it says what the file's
// beginning seems to be instead.
func EmailColumnMissing(ctx context.Context, file string, reader *dialect.Reader) error {
	seems, err := reader.Seems(ctx)
	if err != nil {
		return err
	}
	refused := schema.Refuse(schema.CodeEmailColumnMissing, "The file has no column %q. Its columns are: %s.", schema.EmailHeader, schema.QuoteSome(reader.Header())).
		At(file, seems.Line, 0)
	call := func(column string) string { return fmt.Sprintf("--column %q", column+"="+schema.EmailHeader) }
	switch kind := seems.Kind; {
	case kind == dialect.SeemsUser:
		refused.Message = schema.Say("The first line seems to be a user: the file has no header.")
		return refused.WithFix("Put a header above it, with the name %s above the addresses.", schema.EmailHeader)
	case kind == dialect.SeemsBelow:
		refused.Message = schema.Say("The header stands on line %d, and lines above it seem to be users.", seems.Line)
		return refused.WithFix("Move the header to the first line.")
	case kind == dialect.SeemsTitle:
		refused.Message = schema.Say("The first line seems to be a title, and there is no header below it.")
		return refused.WithFix("Put a header there, with the name %s above the addresses.", schema.EmailHeader)
	case reader.Format().Workbook && (kind == dialect.SeemsQuoted || kind == dialect.SeemsDelimiter):
		refused.Message = schema.Say("Whole lines stand in one cell each.")
		return refused.WithFix("Split them into columns: in Excel with Text to Columns, on the tab Data. Or use the CSV file that they come from.")
	case kind == dialect.SeemsQuoted:
		refused.Message = schema.Say("Whole lines are in quotes, so each of them is a single cell.")
		return refused.WithFix("Take the quotes at both ends of each line away, and make one of each two inside; or export the file again.")
	case kind == dialect.SeemsDelimiter:
		refused.Message = schema.Say("The cells are separated by %s, and the line sep= above them says something else.", schema.Word(dialect.NameDelimiter(seems.Delimiter)))
		return refused.WithFix("Correct the line sep=, or delete it.")
	case kind == dialect.SeemsOtherHeader:
		refused.Message = schema.Say("The file has no column %q. The addresses seem to stand in %q.", schema.EmailHeader, seems.Column)
		return refused.In(seems.Column).WithFix("If that is so, say it: %s. Or rename the column.", call(seems.Column))
	}
	if near, ok := schema.Nearest(EmailNames, reader.Header()); ok {
		return refused.WithFix("Did you mean %q? Then say so: %s. Or rename the column.", near, call(near))
	}
	return refused
}
