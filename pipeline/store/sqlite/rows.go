package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/schema"
)

// Text columns are fetched as one, and a claim, which few have, as another: the driver's cost is by the
// column. No value holds a unit separator, for control characters are refused wherever data comes in.
const (
	separator   = "\x1f"
	accountText = `u.email, u.status, u.first_name, u.last_name, u.display_name, u.title, u.department, u.phone, u.preferred_language,
		u.services`
	accountNumbers = "u.id, u.organization, u.inactive_since, u.last_sign_in, u.conversations, "
	claimText      = `c.id, c.organization, c.delayed, c.claimed_at, ifnull(c.signed_in_at, ''), ifnull(c.inactive_since, ''),
		ifnull(c.import, ''), ifnull(c.line, ''), c.status_before, ifnull(c.status, ''), ifnull(c.services, '')`
	accountColumns = accountNumbers + "concat_ws(char(31), " + accountText + "), CASE WHEN c.id IS NOT NULL THEN concat_ws(char(31), " + claimText + ", c.edits) END"
	// noProfileColumns is accountColumns without names and other data, and without edits of them.
	noProfileColumns = accountNumbers + "concat_ws(char(31), u.email, u.status, '', '', '', '', '', '', '', u.services), CASE WHEN c.id IS NOT NULL THEN concat_ws(char(31), " + claimText + ") END"
	openClaim        = "LEFT JOIN claims c ON c.user = u.id AND c.closed_at IS NULL"
)

// accountReader turns rows into accounts, and finds their organizations when all are read.
type accountReader struct {
	// The driver's values as they are: what database/sql would do to convert them costs more than all the
	// rest.
	row  [8]any
	into [8]any // pointers to them

	refs     []accountRef
	services map[string][]string // decoded; few differ
}

// accountRef names the organizations of an account.
type accountRef struct {
	account      *claim.Account
	organization int64
	claiming     int64 // 0: no open claim
}

// newAccountReader returns a reader of about n accounts.
func newAccountReader(n int) *accountReader {
	r := &accountReader{refs: make([]accountRef, 0, n), services: map[string][]string{}}
	for i := range r.row {
		r.into[i] = &r.row[i]
	}
	return r
}

// scan reads one row: a column of the caller's, which it returns, then accountColumns.
func (r *accountReader) scan(rows *sql.Rows) (first any, err error) {
	err = rows.Scan(r.into[:]...)
	return r.row[0], err
}

// fill makes the row an account, except for its organizations. The account must stay where it is until
// finish.
func (r *accountReader) fill(a *claim.Account) error {
	ref := accountRef{account: a, organization: integer(r.row[2]).Int64}
	a.ID = integer(r.row[1]).Int64
	a.User.InactiveSince, a.User.LastSignIn = timeOf(integer(r.row[3])), timeOf(integer(r.row[4]))
	a.User.Conversations = schema.UnknownConversations
	if known := integer(r.row[5]); known.Valid {
		a.User.Conversations = int(known.Int64)
	}
	text, _ := r.row[6].(string)
	if err := r.text(&a.User, text); err != nil {
		return err
	}
	if open, ok := r.row[7].(string); ok {
		var err error
		if a.Claim, ref.claiming, err = r.claim(open); err != nil {
			return err
		}
	}
	r.refs = append(r.refs, ref)
	return nil
}

// integer returns a column's value as the driver has it.
func integer(value any) sql.NullInt64 {
	n, ok := value.(int64)
	return sql.NullInt64{Int64: n, Valid: ok}
}

// text takes the text columns apart.
func (r *accountReader) text(u *schema.User, text string) error {
	var status, services string
	for _, field := range []*string{&u.Email, &status, &u.FirstName, &u.LastName, &u.DisplayName, &u.Title, &u.Department, &u.Phone, &u.PreferredLanguage, &services} {
		*field, text, _ = strings.Cut(text, separator)
	}
	u.Status = schema.Status(status)
	var err error
	u.Services, err = r.list(services)
	return err
}

// list decodes services.
func (r *accountReader) list(services string) ([]string, error) {
	if services == "" {
		return nil, nil
	}
	list, ok := r.services[services]
	if !ok {
		if err := json.Unmarshal([]byte(services), &list); err != nil {
			return nil, fmt.Errorf("services: %w", err)
		}
		r.services[services] = list
	}
	return list, nil
}

// claim takes an open claim apart, and returns the number of its organization.
func (r *accountReader) claim(text string) (*schema.Claim, int64, error) {
	var numbers [8]sql.NullInt64 // as they stand in accountColumns
	for i := range numbers {
		var field string
		field, text, _ = strings.Cut(text, separator)
		if field == "" {
			continue
		}
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return nil, 0, fmt.Errorf("open claim of a user: %w", err)
		}
		numbers[i] = sql.NullInt64{Int64: n, Valid: true}
	}
	c := &schema.Claim{
		ID: numbers[0].Int64, Type: schema.Immediate, ClaimedAt: timeOf(numbers[3]), SignedInAt: timeOf(numbers[4]), InactiveSince: timeOf(numbers[5]),
		ImportID: numbers[6].Int64, Line: int(numbers[7].Int64),
	}
	if numbers[2].Int64 != 0 {
		c.Type = schema.Delayed
	}
	before, text, _ := strings.Cut(text, separator)
	now, text, _ := strings.Cut(text, separator)
	services, edits, _ := strings.Cut(text, separator)
	c.StatusBefore, c.Status = schema.Status(before), schema.Status(cmp.Or(now, before))
	var err error
	if c.Services, err = r.list(services); err != nil {
		return nil, 0, err
	}
	if edits != "" {
		if err := json.Unmarshal([]byte(edits), &c.Edits); err != nil {
			return nil, 0, fmt.Errorf("edits of a claim: %w", err)
		}
	}
	return c, numbers[1].Int64, nil
}

// finish gives the accounts that were read their organizations, and starts anew.
func (r *accountReader) finish(ctx context.Context, t *tx) error {
	seen := map[int64]struct{}{}
	for _, ref := range r.refs {
		seen[ref.organization] = struct{}{}
		if ref.claiming != 0 {
			seen[ref.claiming] = struct{}{}
		}
	}
	organizations, err := t.organizations(ctx, seen)
	if err != nil {
		return err
	}
	for _, ref := range r.refs {
		a := ref.account
		a.Organization = organizations[ref.organization]
		a.User.OrganizationID = a.Organization.ID
		if a.Claim != nil {
			a.Claiming = organizations[ref.claiming]
			a.Claim.OrganizationID = a.Claiming.ID
		}
	}
	r.refs = r.refs[:0]
	return nil
}
