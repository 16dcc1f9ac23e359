package usersfile

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/go-playground/validator/v10"
	"github.com/gocarina/gocsv"

	"github.com/claimline/claimline/schema"
)

// Strict makes the row checks with the tags of schema.Row alone: gocsv maps the cells, validator checks them.
// It is what the fast checks of Layout.Check are measured against: slower by far, and the same to the letter.
type Strict struct {
	validate *validator.Validate
}

// NewStrict returns the checks.
func NewStrict() *Strict {
	v := validator.New()
	is := func(tag string, check func(string) bool) {
		if err := v.RegisterValidation(tag, func(fl validator.FieldLevel) bool { return check(fl.Field().String()) }); err != nil {
			panic(err) // fixed tags: cannot happen
		}
	}
	is("text", ValidText)
	is("max_bytes", func(s string) bool { return len(s) <= schema.MaxAddressBytes })
	is("email", func(s string) bool { _, problem := schema.ParseAddress(s); return problem == "" })
	is("e164", schema.ValidPhone)
	is("bcp47_language_tag", schema.ValidLanguage)
	is("claim_type", func(s string) bool { _, ok := schema.ParseClaimType(s); return ok })
	is("boolean_cell", func(s string) bool { _, _, ok := schema.ReadBool(s); return ok })
	return &Strict{validate: v}
}

// tagCodes are the codes of the tags of schema.Row.
var tagCodes = map[string]schema.Code{
	"boolean_cell": schema.CodeBooleanInvalid,
	"required":     schema.CodeEmailMissing, "max_bytes": schema.CodeEmailTooLong, "email": schema.CodeEmailInvalid,
	"max": schema.CodeTextTooLong, "text": schema.CodeTextInvalid,
	"e164": schema.CodePhoneInvalid, "bcp47_language_tag": schema.CodeLanguageInvalid, "claim_type": schema.CodeClaimTypeInvalid,
}

// tagOrder is the order in which a row's problems are told.
var tagOrder = [...]string{"boolean_cell", "required", "max_bytes", "email", "max", "text", "e164", "bcp47_language_tag", "claim_type"}

// Check makes the checks of one row; see Layout.Check.
func (s *Strict) Check(l *Layout, record []string, values *Values, undecodable int, r *Row, n *Repairs, found *schema.Finding) {
	if !l.CheckClaim(values, r, n, &schema.Finding{}) {
		code := schema.CodeClaimFalse
		if values[Claim] == "" {
			code = schema.CodeClaimBlank
		}
		found.Add(code, "")
		return
	}
	Spell(values, n)
	mapped, err := mapRow(values)
	if err != nil {
		found.Add(schema.CodeInternal, "")
		return
	}
	failed := s.failedTags(&mapped)
	for _, tag := range tagOrder {
		for field, name := range schema.Columns {
			if failed[tag][name] {
				found.Add(tagCodes[tag], l.Column(Field(field)), schema.Quote(values[field]))
			}
		}
		if tag == "text" && undecodable >= 0 {
			found.Add(schema.CodeTextInvalid, l.Header[undecodable], schema.Quote(record[undecodable]))
		}
	}
	r.Key, _ = schema.ParseAddress(mapped.Email)
	r.Asked, _ = schema.ParseClaimType(mapped.ClaimType)
	r.Unsigned = failed["e164"][Phone.Name()] && schema.UnsignedPhone(mapped.Phone)
	l.checkServices(record, r, n, found)
	if found.Outcome != "" {
		l.explain(record, values, found)
	}
}

// failedTags lists, by tag, the columns that fail it. validator stops at a field's first failure; a text can
// fail two.
func (s *Strict) failedTags(mapped *schema.Row) map[string]map[string]bool {
	failed := map[string]map[string]bool{}
	note := func(tag, column string) {
		if failed[tag] == nil {
			failed[tag] = map[string]bool{}
		}
		failed[tag][column] = true
	}
	var problems validator.ValidationErrors
	if err := s.validate.Struct(mapped); err != nil && !errors.As(err, &problems) {
		panic(fmt.Sprintf("validate a row: %v", err)) // only for what is no struct
	}
	for _, problem := range problems {
		column := headerOf[problem.StructField()]
		note(problem.Tag(), column)
		if problem.Tag() == "max" && s.validate.Var(problem.Value(), "text") != nil {
			note("text", column)
		}
	}
	return failed
}

// headerOf is the header of each field of schema.Row.
var headerOf = func() map[string]string {
	headers := map[string]string{}
	for field, name := range schema.RowFields {
		headers[name] = schema.Columns[field]
	}
	return headers
}()

// mapRow maps cleaned cells to the fields whose csv tag is their header.
func mapRow(values *Values) (schema.Row, error) {
	var rows []schema.Row
	reader := &oneRow{records: [][]string{schema.Columns, slices.Clone(values[:])}} // or every row would be on the heap
	if err := gocsv.UnmarshalCSV(reader, &rows); err != nil {
		return schema.Row{}, fmt.Errorf("map a row: %w", err)
	}
	return rows[0], nil
}

// oneRow is a CSV reader of records that have been read already.
type oneRow struct{ records [][]string }

func (r *oneRow) Read() ([]string, error) {
	if len(r.records) == 0 {
		return nil, io.EOF
	}
	record := r.records[0]
	r.records = r.records[1:]
	return record, nil
}

func (r *oneRow) ReadAll() ([][]string, error) {
	records := r.records
	r.records = nil
	return records, nil
}
