package people

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/pipeline/usersfile"
	"github.com/claimline/claimline/pipeline/workbook"
	"github.com/claimline/claimline/schema"
)

// Selection narrows who is listed or exported. Zero values leave everybody in.
type Selection = store.Selection

// Eligible is a user that may be claimed now (see R1 to R8).
type Eligible struct {
	User         schema.User
	Organization *schema.Organization // the source one
	Type         schema.ClaimType     // what a claim would be (see R11)
}

// EachEligible hands over every eligible user of the organization, by address key.
func (p *People) EachEligible(ctx context.Context, organization string, selection Selection, each func(*Eligible) error) error {
	rules := p.Rules()
	words := strings.Fields(schema.Fold(selection.Search))
	err := p.Store.Candidates(ctx, rules, organization, selection, func(batch store.Batch) error {
		for i, account := range batch.Facts.Accounts {
			decision := rules.Decide(&batch.Facts.Claiming, batch.Facts.Domains[schema.KeyDomain(batch.Keys[i])], account, "")
			if decision.Outcome != schema.Ready || selection.Type != "" && decision.Type != selection.Type || !matches(&account, words) {
				continue
			}
			account = rules.AsOf(account)
			if err := each(&Eligible{User: account.User, Organization: account.Organization, Type: decision.Type}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("list the eligible users: %w", err)
	}
	return nil
}

// Export writes the users file for the eligible users of an organization, sorted by address key, and returns
// how many they are. Spreadsheets open a CSV file with a BOM and CRLF line ends best: that is what format can
// ask for, or for a workbook. Refused with CodeTooManyRows where they are more than a workbook holds.
// progress, where it is not nil, is told now and then how many rows are through.
func (p *People) Export(ctx context.Context, organization string, selection Selection, format schema.Format, to io.Writer, progress func(rows int)) (int, error) {
	licenses, err := p.Store.Licenses(ctx, p.Rules(), organization)
	if err != nil {
		return 0, err
	}
	services := claim.NewLicenses(licenses).Services()
	buffered := bufio.NewWriterSize(to, 1<<16)
	writer, err := newExportWriter(buffered, format, services)
	if err != nil {
		return 0, fmt.Errorf("write the header: %w", err)
	}
	record := make([]string, len(schema.Columns)+len(services))
	rows := 0
	err = p.EachEligible(ctx, organization, selection, func(e *Eligible) error {
		u := &e.User
		record[usersfile.FirstName], record[usersfile.LastName], record[usersfile.DisplayName] = u.FirstName, u.LastName, u.DisplayName
		record[usersfile.Email], record[usersfile.Status], record[usersfile.LastAccess] = u.Email, string(u.Status), stamp(u.LastSignIn)
		record[usersfile.Title], record[usersfile.Department], record[usersfile.Phone] = u.Title, u.Department, u.Phone
		record[usersfile.PreferredLanguage], record[usersfile.SourceOrganization] = u.PreferredLanguage, e.Organization.Name
		record[usersfile.ClaimType], record[usersfile.Claim] = string(e.Type), "TRUE"
		if rows++; progress != nil && rows%progressRows == 0 {
			progress(rows)
		}
		if err := writer.write(record); err != nil {
			return fmt.Errorf("write row %d: %w", rows, err)
		}
		return nil
	})
	if err != nil {
		return rows, err
	}
	if err := writer.end(); err != nil {
		return rows, fmt.Errorf("write the file: %w", err)
	}
	if err := buffered.Flush(); err != nil {
		return rows, fmt.Errorf("write the file: %w", err)
	}
	return rows, nil
}

// exportWriter writes the users file.
type exportWriter struct {
	write func(cells []string) error
	end   func() error
}

// newExportWriter begins a users file, and writes its header.
func newExportWriter(to io.Writer, format schema.Format, services []string) (exportWriter, error) {
	if !format.Workbook {
		csv := dialect.NewWriter(to, format)
		return exportWriter{csv.Write, csv.Flush}, csv.Write(slices.Concat(schema.Columns, services))
	}
	columns := usersfile.SheetColumns(services)
	sheet, err := workbook.NewWriter(to, columns)
	if err != nil {
		return exportWriter{}, err
	}
	cells := make([]string, len(columns))
	return exportWriter{func(record []string) error {
		for i, value := range record {
			cells[i] = dialect.SheetCell(value)
		}
		return sheet.Write(cells)
	}, sheet.Close}, nil
}

const progressRows = 5000 // between two reports of the progress

// stamp returns a time as files show it; blank where there is none.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
