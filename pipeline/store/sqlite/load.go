package sqlite

import (
	"context"
	"database/sql"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/schema"
)

// The files of a snapshot, as messages name them.
const (
	fileOrganizations = "organizations.csv"
	fileLicenses      = "licenses.csv"
	fileDomains       = "domains.csv"
	fileUsers         = "users.csv"
	fileClaims        = "claims.csv"
)

// loadBatch is how many values are looked up at a time.
const loadBatch = 2000

// Load implements store.Store. Users are staged in a temporary table, on disk, and merged when all of them are known:
// only then can addresses be exchanged.
func (s *Store) Load(ctx context.Context, clock claim.Clock, fill func(store.Loader) error) error {
	return s.writing(ctx, "load the snapshot", func(tx *sql.Tx) error {
		if err := settleAll(ctx, tx, clock); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, createStage); err != nil {
			return err
		}
		l := &loader{tx: tx, claimed: map[int64]struct{}{}, lines: map[string]int{}, domains: map[string]int{}}
		if err := fill(l); err != nil {
			return err
		}
		if err := l.checkDomains(ctx); err != nil {
			return err
		}
		if err := l.merge(ctx); err != nil {
			return err
		}
		if err := countHeld(ctx, tx); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, "DROP TABLE temp.load_users")
		return err
	})
}

// loader is a store.Loader inside the transaction of Load.
type loader struct {
	tx      *sql.Tx
	users   *inserter          // into the stage
	merged  bool               // the stage has been merged
	claimed map[int64]struct{} // accounts with a claim in this snapshot
	lines   map[string]int     // where each key of the smaller files stands
	domains map[string]int     // where each domain is said to be claimed
}

// once refuses a key that stands in its file twice.
func (l *loader) once(file string, line int, key ...string) error {
	whole := file + "\x1f" + strings.Join(key, "\x1f")
	if first, twice := l.lines[whole]; twice {
		return schema.Refuse(schema.CodeIDDuplicate, "%s stands in the file twice, on line %d too.", strconv.Quote(strings.Join(key, ", ")), first).At(file, line, 1)
	}
	l.lines[whole] = line
	return nil
}

// Organizations implements store.Loader.
func (l *loader) Organizations(ctx context.Context, organizations []store.LoadOrganization) error {
	in := inserter{tx: l.tx, columns: 9, head: `INSERT INTO organizations (external_id, name, kind, created, sso, directory_sync,
		bring_conversations, activation_emails, retention_days)`,
		tail: `ON CONFLICT DO UPDATE SET name = excluded.name, kind = excluded.kind, created = excluded.created, sso = excluded.sso,
		directory_sync = excluded.directory_sync, bring_conversations = excluded.bring_conversations,
		activation_emails = excluded.activation_emails, retention_days = excluded.retention_days`}
	for i := range organizations {
		o := &organizations[i]
		if err := l.once(fileOrganizations, o.Line, o.ID); err != nil {
			return err
		}
		err := in.add(ctx, o.ID, o.Name, string(o.Kind), seconds(o.Created), o.SSO, o.DirectorySync, o.BringConversations, o.ActivationEmails, o.RetentionDays)
		if err != nil {
			return wrap(err, "load organizations")
		}
	}
	return wrap(in.flush(ctx), "load organizations")
}

// Licenses implements store.Loader.
func (l *loader) Licenses(ctx context.Context, licenses []store.LoadLicense) error {
	in := inserter{tx: l.tx, columns: 4, head: "INSERT INTO licenses (organization, service, quantity, auto_assign)",
		tail: "ON CONFLICT DO UPDATE SET quantity = excluded.quantity, auto_assign = excluded.auto_assign"}
	for part := range slices.Chunk(licenses, loadBatch) {
		ids, err := organizationIDs(ctx, l.tx, part, func(v *store.LoadLicense) string { return v.OrganizationID })
		if err != nil {
			return wrap(err, "load licences")
		}
		for i := range part {
			v := &part[i]
			id, ok := ids[v.OrganizationID]
			if !ok {
				return unknownOrganization(v.OrganizationID).At(fileLicenses, v.Line, 0)
			}
			// Services are columns of the users file, where case does not count.
			if err := l.once(fileLicenses, v.Line, v.OrganizationID, strings.ToLower(v.Service)); err != nil {
				return err
			}
			if err := in.add(ctx, id, v.Service, v.Quantity, v.AutoAssign); err != nil {
				return wrap(err, "load licences")
			}
		}
	}
	return wrap(in.flush(ctx), "load licences")
}

// Domains implements store.Loader.
func (l *loader) Domains(ctx context.Context, domains []store.LoadDomain) error {
	in := inserter{tx: l.tx, columns: 3, head: "INSERT INTO domains (domain, organization, status)",
		tail: "ON CONFLICT DO UPDATE SET status = excluded.status"}
	for part := range slices.Chunk(domains, loadBatch) {
		ids, err := organizationIDs(ctx, l.tx, part, func(v *store.LoadDomain) string { return v.OrganizationID })
		if err != nil {
			return wrap(err, "load domains")
		}
		for i := range part {
			v := &part[i]
			id, ok := ids[v.OrganizationID]
			if !ok {
				return unknownOrganization(v.OrganizationID).At(fileDomains, v.Line, 0)
			}
			if err := l.once(fileDomains, v.Line, v.Domain.Domain, v.OrganizationID); err != nil {
				return err
			}
			if v.Status == schema.DomainClaimed {
				l.domains[v.Domain.Domain] = v.Line
			}
			if err := in.add(ctx, v.Domain.Domain, id, string(v.Status)); err != nil {
				return wrap(err, "load domains")
			}
		}
	}
	return wrap(in.flush(ctx), "load domains")
}

// checkDomains refuses a domain that two organizations would have claimed.
func (l *loader) checkDomains(ctx context.Context) error {
	return collect(ctx, l.tx, func(rows *sql.Rows) error {
		var domain, one, other string
		if err := rows.Scan(&domain, &one, &other); err != nil {
			return err
		}
		return schema.Refuse(schema.CodeDomainClaimedElsewhere, "Organizations %q and %q cannot both have claimed %s.", one, other, domain).
			WithFix("Only one organization can claim a domain: set the other one to verified.").At(fileDomains, l.domains[domain], 0)
	}, `SELECT d.domain, min(o.external_id), max(o.external_id) FROM domains d JOIN organizations o ON o.id = d.organization
		WHERE d.status = 'claimed' GROUP BY d.domain HAVING count(*) > 1 ORDER BY d.domain LIMIT 1`)
}

func unknownOrganization(id string) *schema.Error {
	return schema.Refuse(schema.CodeOrganizationUnknown, "There is no organization %q.", id).
		WithFix("Add it to organizations.csv, or correct the id.")
}

// organizationIDs finds our own numbers of the organizations that values name.
func organizationIDs[V any](ctx context.Context, q querier, values []V, name func(*V) string) (map[string]int64, error) {
	ids := map[string]int64{}
	for i := range values {
		ids[name(&values[i])] = 0
	}
	names := slices.Collect(maps.Keys(ids))
	clear(ids)
	err := collect(ctx, q, func(rows *sql.Rows) error {
		var id int64
		var name string
		err := rows.Scan(&id, &name)
		ids[name] = id
		return err
	}, "SELECT o.id, o.external_id FROM json_each(?) j CROSS JOIN organizations o ON o.external_id = j.value", encode(names))
	return ids, err
}

// settleAll writes everything that is due.
func settleAll(ctx context.Context, tx *sql.Tx, clock claim.Clock) error {
	for {
		ids, err := dueAccounts(ctx, tx, clock, everyOrganization, dueLimit)
		if err != nil || len(ids) == 0 {
			return err
		}
		if _, err := settle(ctx, tx, clock, ids); err != nil {
			return err
		}
	}
}

// countHeld counts anew what is held of every licence.
func countHeld(ctx context.Context, tx *sql.Tx) error {
	_, err := tx.ExecContext(ctx, `WITH
		held AS (
			SELECT u.organization, j.value AS service FROM users u, json_each(u.services) j WHERE u.services IS NOT NULL
			UNION ALL
			SELECT c.organization, j.value FROM claims c, json_each(c.services) j
			WHERE c.services IS NOT NULL AND c.closed_at IS NULL AND NOT c.delayed
		),
		sums AS (SELECT organization, service, count(*) AS n FROM held GROUP BY organization, service),
		wanted AS (
			SELECT l.organization, l.service, ifnull(s.n, 0) AS n
			FROM licenses l LEFT JOIN sums s ON s.organization = l.organization AND s.service = l.service
		)
		UPDATE licenses SET held = wanted.n FROM wanted
		WHERE licenses.organization = wanted.organization AND licenses.service = wanted.service AND held <> wanted.n`)
	return err
}
