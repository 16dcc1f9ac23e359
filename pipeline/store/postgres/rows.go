package postgres

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/schema"
)

// An open claim, which few accounts have, is fetched as one column. OFFSET 0 keeps the planner from joining:
// it takes a table that was small a moment ago for small, and would go through all of it for each account.
const (
	accountColumns = `u.id, u.version, u.organization, u.inactive_since, u.last_sign_in, u.conversations, u.email, u.status, u.first_name,
		u.last_name, u.display_name, u.title, u.department, u.phone, u.preferred_language, u.services,
		CASE WHEN c.id IS NOT NULL THEN json_build_object('id', c.id, 'organization', c.organization, 'delayed', c.delayed,
			'claimed_at', c.claimed_at, 'signed_in_at', c.signed_in_at, 'status_before', c.status_before, 'status', c.status,
			'inactive_since', c.inactive_since, 'edits', c.edits::json, 'services', c.services, 'import', c.import, 'line', c.line)::text
		END`
	openClaim = "LEFT JOIN LATERAL (SELECT * FROM claims WHERE account = u.id AND closed_at IS NULL OFFSET 0) c ON true"
)

// openClaimRow is an open claim as accountColumns fetches it.
type openClaimRow struct {
	ID            int64          `json:"id"`
	Organization  int64          `json:"organization"`
	Delayed       bool           `json:"delayed"`
	ClaimedAt     int64          `json:"claimed_at"`
	SignedInAt    *int64         `json:"signed_in_at"`
	StatusBefore  schema.Status  `json:"status_before"`
	Status        *schema.Status `json:"status"`
	InactiveSince *int64         `json:"inactive_since"`
	Edits         schema.Profile `json:"edits"`
	Services      []string       `json:"services"`
	Import        int64          `json:"import"`
	Line          int            `json:"line"`
}

func (r *openClaimRow) claim() *schema.Claim {
	c := &schema.Claim{
		ID: r.ID, Type: schema.Immediate, ClaimedAt: timeOf(&r.ClaimedAt), SignedInAt: timeOf(r.SignedInAt),
		StatusBefore: r.StatusBefore, Status: r.StatusBefore, InactiveSince: timeOf(r.InactiveSince), Edits: r.Edits, Services: r.Services,
		ImportID: r.Import, Line: r.Line,
	}
	if r.Delayed {
		c.Type = schema.Delayed
	}
	if r.Status != nil {
		c.Status = *r.Status
	}
	return c
}

// accountReader turns rows into accounts, and finds their organizations when all are read.
type accountReader struct {
	// What a row is read into.
	account                   claim.Account
	organization              int64
	inactive, signIn, content *int64
	status                    string
	open                      *string
	into                      []any // pointers to it

	refs []accountRef
}

// accountRef names the organizations of an account.
type accountRef struct {
	account      *claim.Account
	organization int64
	claiming     int64 // 0: no open claim
}

// newAccountReader returns a reader of accounts, with columns before theirs that the caller wants.
func newAccountReader(before ...any) *accountReader {
	r := &accountReader{into: before}
	a, u := &r.account, &r.account.User
	r.into = append(r.into, &a.ID, &a.Version, &r.organization, &r.inactive, &r.signIn, &r.content, &u.Email, &r.status, &u.FirstName,
		&u.LastName, &u.DisplayName, &u.Title, &u.Department, &u.Phone, &u.PreferredLanguage, &u.Services, &r.open)
	return r
}

// read reads one row into an account, except for its organizations. The account must stay where it is until
// finish.
func (r *accountReader) read(rows pgx.Rows, into *claim.Account) error {
	r.account.User.Services = nil
	if err := rows.Scan(r.into...); err != nil {
		return err
	}
	a := r.account
	a.User.Status = schema.Status(r.status)
	a.User.InactiveSince, a.User.LastSignIn = timeOf(r.inactive), timeOf(r.signIn)
	a.User.Conversations = schema.UnknownConversations
	if r.content != nil {
		a.User.Conversations = int(*r.content)
	}
	ref := accountRef{account: into, organization: r.organization}
	if r.open != nil {
		var row openClaimRow
		if err := json.Unmarshal([]byte(*r.open), &row); err != nil {
			return fmt.Errorf("open claim of a user: %w", err)
		}
		a.Claim, ref.claiming = row.claim(), row.Organization
	}
	*into = a
	r.refs = append(r.refs, ref)
	return nil
}

// finish gives the accounts that were read their organizations.
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
	return nil
}
