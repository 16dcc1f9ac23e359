package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/schema"
)

// caseColumns is, as one column, what a case has beside accountColumns: the address key, the former status, and the last
// claim that a choice or completion closed.
const caseColumns = `u.key || char(31) || ifnull(u.former_status, '') || char(31) || ifnull((
		SELECT json_object('organization', o.external_id, 'delayed', k.delayed, 'claimed_at', k.claimed_at, 'import', k.import,
			'closed_at', k.closed_at, 'closed_by', k.closed_by)
		FROM claims k INDEXED BY claims_closed JOIN organizations o ON o.id = k.organization
		WHERE k.user = u.id AND k.closed_at IS NOT NULL AND k.closed_by NOT IN ('retracted', 'removed')
		ORDER BY k.closed_at DESC, k.id DESC LIMIT 1), '')`

// closedClaimRow is a closed claim as caseColumns fetches it.
type closedClaimRow struct {
	Organization string         `json:"organization"`
	Delayed      int            `json:"delayed"`
	ClaimedAt    int64          `json:"claimed_at"`
	Import       int64          `json:"import"`
	ClosedAt     int64          `json:"closed_at"`
	ClosedBy     schema.Closing `json:"closed_by"`
}

func (r *closedClaimRow) claim() *schema.Claim {
	made := &schema.Claim{
		OrganizationID: r.Organization, Type: schema.Immediate, ClaimedAt: time.Unix(r.ClaimedAt, 0).UTC(), ImportID: r.Import,
		ClosedAt: time.Unix(r.ClosedAt, 0).UTC(), ClosedBy: r.ClosedBy,
	}
	if r.Delayed != 0 {
		made.Type = schema.Delayed
	}
	return made
}

// caseReader turns rows into cases of one organization.
type caseReader struct {
	number       int64 // of the organization
	organization *schema.Organization
	accounts     *accountReader
	cases        []claim.Case // grows to its capacity at most: the accounts must stay where they are
}

// newCaseReader returns a reader of up to n cases at a time.
func newCaseReader(n int, number int64, organization *schema.Organization) *caseReader {
	return &caseReader{number: number, organization: organization, accounts: newAccountReader(n), cases: make([]claim.Case, 0, n)}
}

// scan reads one row: caseColumns, accountColumns.
func (r *caseReader) scan(rows *sql.Rows) error {
	first, err := r.accounts.scan(rows)
	if err != nil {
		return err
	}
	k := claim.Case{Organization: r.organization}
	text, _ := first.(string)
	k.Key, text, _ = strings.Cut(text, separator)
	former, closed, _ := strings.Cut(text, separator)
	k.Former = schema.Status(former)
	if closed != "" {
		var row closedClaimRow
		if err := json.Unmarshal([]byte(closed), &row); err != nil {
			return fmt.Errorf("closed claim of a user: %w", err)
		}
		k.Closed = row.claim()
	}
	r.cases = append(r.cases, k)
	return r.accounts.fill(&r.cases[len(r.cases)-1].Account)
}

// take returns the cases that were read. They are valid until the next scan.
func (r *caseReader) take(ctx context.Context, q querier) ([]claim.Case, error) {
	if err := r.accounts.finish(ctx, q); err != nil {
		return nil, err
	}
	cases := r.cases
	r.cases = r.cases[:0]
	domains, err := caseDomains(ctx, q, r.number, cases)
	for i := range cases {
		cases[i].Domain = domains[schema.KeyDomain(cases[i].Key)]
	}
	return cases, err
}

func caseDomains(ctx context.Context, q querier, number int64, cases []claim.Case) (map[string]claim.Domain, error) {
	seen := map[string]struct{}{}
	var domains []string
	for i := range cases {
		domain := schema.KeyDomain(cases[i].Key)
		if _, ok := seen[domain]; !ok {
			seen[domain] = struct{}{}
			domains = append(domains, domain)
		}
	}
	slices.Sort(domains)
	return domainFacts(ctx, q, number, domains)
}

// cases finds the cases of address keys, one per key as the caller ordered them.
func (l lookup) cases(ctx context.Context, q querier, number int64, organization *schema.Organization, keys []string) ([]claim.Case, error) {
	reader := newCaseReader(len(keys), number, organization)
	err := collect(ctx, q, reader.scan, "SELECT "+caseColumns+", "+accountColumns+` FROM json_each(?) j
		CROSS JOIN users u INDEXED BY users_key ON u.key = j.value `+openClaim, encode(l.keys))
	if err != nil {
		return nil, err
	}
	found, err := reader.take(ctx, q)
	if err != nil {
		return nil, err
	}
	byKey := make(map[string]claim.Case, len(found))
	for _, k := range found {
		byKey[k.Key] = k
	}
	cases := make([]claim.Case, len(keys))
	missing := []int{}
	for i, key := range keys {
		var ok bool
		if cases[i], ok = byKey[key]; !ok {
			cases[i] = claim.Case{Key: key, Organization: organization}
			missing = append(missing, i)
		}
	}
	if len(missing) == 0 {
		return cases, nil
	}
	domains, err := caseDomains(ctx, q, number, cases)
	for _, i := range missing {
		cases[i].Domain = domains[schema.KeyDomain(cases[i].Key)]
	}
	return cases, err
}

// asOf is cases as they stand now; services are those of accounts that have joined meanwhile.
func asOf(clock claim.Clock, cases []claim.Case, services map[int64][]string) {
	for i := range cases {
		k := &cases[i]
		if k.Account.ID == 0 {
			continue
		}
		*k = clock.CaseAsOf(*k)
		if held, ok := services[k.Account.ID]; ok {
			k.Account.User.Services = held
		}
	}
}

// Members implements store.Claims. It walks the index of addresses from end to end, which is in the order wanted.
func (s *Store) Members(ctx context.Context, clock claim.Clock, external string, each func([]claim.Case) error) error {
	return s.reading(ctx, "list members", func(tx *sql.Tx) error {
		id, o, err := organization(ctx, tx, external)
		if err != nil {
			return err
		}
		_, services, err := followDue(ctx, tx, clock, id)
		if err != nil {
			return err
		}
		reader := newCaseReader(batchSize, id, &o)
		flush := func() error {
			cases, err := reader.take(ctx, tx)
			if err != nil || len(cases) == 0 {
				return err
			}
			asOf(clock, cases, services)
			members := slices.DeleteFunc(cases, func(k claim.Case) bool { return !concerns(&k, external) })
			return each(members)
		}
		err = collect(ctx, tx, func(rows *sql.Rows) error {
			if err := reader.scan(rows); err != nil || len(reader.cases) < batchSize {
				return err
			}
			return flush()
		}, "SELECT "+caseColumns+", "+accountColumns+" FROM users u INDEXED BY users_key "+openClaim+`
			WHERE u.organization = ?1 OR c.organization = ?1 ORDER BY u.key`, id)
		if err != nil {
			return err
		}
		return flush()
	})
}

// concerns reports whether an account belongs to an organization, or is under its open claim.
func concerns(k *claim.Case, organization string) bool {
	a := &k.Account
	return a.ID != 0 && (a.User.OrganizationID == organization || a.Claim != nil && a.Claim.OrganizationID == organization)
}

// ImportClaims implements store.Claims.
func (s *Store) ImportClaims(ctx context.Context, clock claim.Clock, importID int64, each func([]store.ImportClaim) error) error {
	return s.reading(ctx, "list the claims of an import", func(tx *sql.Tx) error {
		imp, err := readImport(ctx, tx, importID, clock.Now)
		if err != nil {
			return err
		}
		id, o, err := organization(ctx, tx, imp.OrganizationID)
		if err != nil {
			return err
		}
		_, services, err := followDue(ctx, tx, clock, id)
		if err != nil {
			return err
		}
		type made struct {
			user int64
			line int
		}
		var list []made
		err = collect(ctx, tx, func(rows *sql.Rows) error {
			var m made
			err := rows.Scan(&m.user, &m.line)
			list = append(list, m)
			return err
		}, "SELECT user, line FROM claims WHERE import = ? ORDER BY line", importID)
		if err != nil {
			return err
		}
		reader := newCaseReader(batchSize, id, &o)
		for part := range slices.Chunk(list, batchSize) {
			ids := make([]int64, len(part))
			for i := range part {
				ids[i] = part[i].user
			}
			err := collect(ctx, tx, reader.scan, "SELECT "+caseColumns+", "+accountColumns+" FROM json_each(?) j CROSS JOIN users u ON u.id = j.value "+openClaim, encode(ids))
			if err != nil {
				return err
			}
			cases, err := reader.take(ctx, tx)
			if err != nil {
				return err
			}
			byID := make(map[int64]claim.Case, len(cases))
			for _, k := range cases {
				byID[k.Account.ID] = k
			}
			batch := make([]store.ImportClaim, len(part))
			for i := range part {
				batch[i].Line = part[i].line
				k, ok := byID[part[i].user]
				if !ok {
					k.Organization = &o
				}
				one := []claim.Case{k}
				asOf(clock, one, services)
				batch[i].Case = one[0]
			}
			if err := each(batch); err != nil {
				return err
			}
		}
		return nil
	})
}
