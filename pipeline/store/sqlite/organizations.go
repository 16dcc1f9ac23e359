package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/claimline/claimline/schema"
)

const organizationColumns = "o.id, o.external_id, o.name, o.kind, o.created, o.sso, o.directory_sync, o.bring_conversations, o.activation_emails, o.retention_days"

func scanOrganization(row interface{ Scan(...any) error }) (number int64, o schema.Organization, err error) {
	var created sql.NullInt64
	err = row.Scan(&number, &o.ID, &o.Name, &o.Kind, &created, &o.SSO, &o.DirectorySync, &o.BringConversations, &o.ActivationEmails, &o.RetentionDays)
	o.Created = timeOf(created)
	return number, o, err
}

// ListOrganizations implements store.Organizations.
func (t *tx) ListOrganizations(ctx context.Context) (list []schema.Organization, err error) {
	err = t.collect(ctx, func(rows *sql.Rows) error {
		_, o, err := scanOrganization(rows)
		list = append(list, o)
		return err
	}, "SELECT "+organizationColumns+" FROM organizations o ORDER BY o.external_id")
	return list, err
}

// FindOrganization implements store.Organizations.
func (t *tx) FindOrganization(ctx context.Context, id string) (o schema.Organization, found bool, err error) {
	number, o, err := scanOrganization(t.QueryRowContext(ctx, "SELECT "+organizationColumns+" FROM organizations o WHERE o.external_id = ?", id))
	if errors.Is(err, sql.ErrNoRows) {
		return o, false, nil
	}
	t.numbers[id] = number
	return o, err == nil, err
}

// number returns the database's own number of an organization that there is; 0 for the blank id, which is
// nobody's.
func (t *tx) number(ctx context.Context, id string) (int64, error) {
	if number, known := t.numbers[id]; known || id == "" {
		return number, nil
	}
	if err := t.name(ctx, []string{id}); err != nil {
		return 0, err
	}
	number, found := t.numbers[id]
	if !found {
		return 0, fmt.Errorf("there is no organization %q", id)
	}
	return number, nil
}

// name finds the numbers of organizations.
func (t *tx) name(ctx context.Context, ids []string) error {
	return t.collect(ctx, func(rows *sql.Rows) error {
		var id string
		var number int64
		err := rows.Scan(&number, &id)
		t.numbers[id] = number
		return err
	}, "SELECT o.id, o.external_id FROM json_each(?) j CROSS JOIN organizations o ON o.external_id = j.value", encode(ids))
}

// KnownOrganizations implements store.Organizations.
func (t *tx) KnownOrganizations(ctx context.Context, ids []string) (map[string]bool, error) {
	missing := slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return t.numbers[id] != 0 })
	if len(missing) > 0 {
		if err := t.name(ctx, missing); err != nil {
			return nil, err
		}
	}
	known := map[string]bool{}
	for _, id := range ids {
		if t.numbers[id] != 0 {
			known[id] = true
		}
	}
	return known, nil
}

// PutOrganizations implements store.Organizations.
func (t *tx) PutOrganizations(ctx context.Context, organizations []schema.Organization) error {
	if err := t.changes(ctx); err != nil {
		return err
	}
	t.cache = nil
	in := inserter{tx: t, columns: 9, head: `INSERT INTO organizations (external_id, name, kind, created, sso, directory_sync,
		bring_conversations, activation_emails, retention_days)`,
		tail: `ON CONFLICT DO UPDATE SET name = excluded.name, kind = excluded.kind, created = excluded.created, sso = excluded.sso,
		directory_sync = excluded.directory_sync, bring_conversations = excluded.bring_conversations,
		activation_emails = excluded.activation_emails, retention_days = excluded.retention_days`}
	for i := range organizations {
		o := &organizations[i]
		err := in.add(ctx, o.ID, o.Name, string(o.Kind), seconds(o.Created), o.SSO, o.DirectorySync, o.BringConversations, o.ActivationEmails, o.RetentionDays)
		if err != nil {
			return err
		}
	}
	return in.flush(ctx)
}

// Licenses implements store.Organizations.
func (t *tx) Licenses(ctx context.Context, _ bool, organizations ...string) (list []schema.License, err error) {
	query := "SELECT o.external_id, l.service, l.quantity, l.auto_assign, l.held FROM licenses l JOIN organizations o ON o.id = l.organization"
	var args []any
	if len(organizations) > 0 {
		query = `SELECT o.external_id, l.service, l.quantity, l.auto_assign, l.held FROM json_each(?) j
			CROSS JOIN organizations o ON o.external_id = j.value JOIN licenses l ON l.organization = o.id`
		organizations = slices.Clone(organizations)
		slices.Sort(organizations)
		args = append(args, encode(slices.Compact(organizations)))
	}
	err = t.collect(ctx, func(rows *sql.Rows) error {
		var l schema.License
		err := rows.Scan(&l.OrganizationID, &l.Service, &l.Quantity, &l.AutoAssign, &l.Held)
		list = append(list, l)
		return err
	}, query+" ORDER BY o.external_id, l.service", args...)
	return list, err
}

// PutLicenses implements store.Organizations.
func (t *tx) PutLicenses(ctx context.Context, licenses []schema.License) error {
	if err := t.changes(ctx); err != nil {
		return err
	}
	in := inserter{tx: t, columns: 4, head: "INSERT INTO licenses (organization, service, quantity, auto_assign)",
		tail: "ON CONFLICT DO UPDATE SET quantity = excluded.quantity, auto_assign = excluded.auto_assign"}
	for i := range licenses {
		l := &licenses[i]
		number, err := t.number(ctx, l.OrganizationID)
		if err != nil {
			return err
		}
		if err := in.add(ctx, number, l.Service, l.Quantity, l.AutoAssign); err != nil {
			return err
		}
	}
	return in.flush(ctx)
}

// PutHeld implements store.Organizations.
func (t *tx) PutHeld(ctx context.Context, licenses []schema.License) error {
	for i := range licenses {
		l := &licenses[i]
		number, err := t.number(ctx, l.OrganizationID)
		if err != nil {
			return err
		}
		if err := t.exec(ctx, "UPDATE licenses SET held = ? WHERE organization = ? AND service = ?", l.Held, number, l.Service); err != nil {
			return err
		}
	}
	return nil
}

const domainQuery = "SELECT d.domain, o.external_id, d.status, d.token FROM domains d JOIN organizations o ON o.id = d.organization "

func (t *tx) domains(ctx context.Context, query string, arg any) (list []schema.Domain, err error) {
	err = t.collect(ctx, func(rows *sql.Rows) error {
		var d schema.Domain
		err := rows.Scan(&d.Domain, &d.OrganizationID, &d.Status, &d.Token)
		list = append(list, d)
		return err
	}, query, arg)
	return list, err
}

// Domains implements store.Organizations.
func (t *tx) Domains(ctx context.Context, organization string) ([]schema.Domain, error) {
	return t.domains(ctx, domainQuery+"WHERE o.external_id = ? ORDER BY d.domain", organization)
}

// Holders implements store.Organizations.
func (t *tx) Holders(ctx context.Context, domains []string) ([]schema.Domain, error) {
	return t.domains(ctx, `SELECT d.domain, o.external_id, d.status, d.token FROM json_each(?) j
		CROSS JOIN domains d ON d.domain = j.value JOIN organizations o ON o.id = d.organization`, encode(domains))
}

// Below implements store.Organizations. Written backwards, a domain stands right before those below it.
func (t *tx) Below(ctx context.Context, domains []string) ([]schema.Domain, error) {
	names := make([]string, len(domains))
	for i, name := range domains {
		names[i] = backwards(name)
	}
	return t.domains(ctx, `SELECT d.domain, o.external_id, d.status, d.token FROM json_each(?) j
		CROSS JOIN domains d INDEXED BY domains_backwards ON d.backwards > j.value || '.' AND d.backwards < j.value || '/'
		JOIN organizations o ON o.id = d.organization`, encode(names))
}

// backwards returns a domain's letters, which are ASCII, from the last to the first.
func backwards(domain string) string {
	letters := []byte(domain)
	slices.Reverse(letters)
	return string(letters)
}

// PutDomains implements store.Organizations.
func (t *tx) PutDomains(ctx context.Context, domains []schema.Domain) error {
	if err := t.changes(ctx); err != nil {
		return err
	}
	in := inserter{tx: t, columns: 5, head: "INSERT INTO domains (domain, backwards, organization, status, token)",
		tail: "ON CONFLICT DO UPDATE SET status = excluded.status, token = ifnull(nullif(excluded.token, ''), token)"}
	for i := range domains {
		d := &domains[i]
		number, err := t.number(ctx, d.OrganizationID)
		if err != nil {
			return err
		}
		if err := in.add(ctx, d.Domain, backwards(d.Domain), number, string(d.Status), d.Token); err != nil {
			return err
		}
	}
	return in.flush(ctx)
}

// organizationCache remembers organizations between look-ups, of which each names thousands, mostly the same.
// Who gets one must not change it. It is of no use to a transaction that has changed some itself.
type organizationCache struct {
	mu       sync.Mutex
	version  int64 // of the settings that byNumber holds
	byNumber map[int64]*schema.Organization
}

// organizations returns organizations by number.
func (t *tx) organizations(ctx context.Context, numbers map[int64]struct{}) (map[int64]*schema.Organization, error) {
	wanted := slices.Sorted(maps.Keys(numbers))
	if t.cache == nil {
		return t.readOrganizations(ctx, wanted)
	}
	var version int64
	if err := t.QueryRowContext(ctx, "SELECT settings FROM versions").Scan(&version); err != nil {
		return nil, err
	}
	found, missing := t.cache.find(version, wanted)
	if len(missing) == 0 {
		return found, nil
	}
	more, err := t.readOrganizations(ctx, missing)
	if err != nil {
		return nil, err
	}
	maps.Copy(found, more)
	t.cache.add(version, more)
	return found, nil
}

// find finds organizations as they were at a version of the settings, and says which it does not know.
func (c *organizationCache) find(version int64, numbers []int64) (found map[int64]*schema.Organization, missing []int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byNumber == nil || c.version < version {
		c.version, c.byNumber = version, map[int64]*schema.Organization{}
	}
	found = make(map[int64]*schema.Organization, len(numbers))
	for _, number := range numbers {
		if o, ok := c.byNumber[number]; ok && c.version == version { // who asks may see an older state than somebody else has
			found[number] = o
		} else {
			missing = append(missing, number)
		}
	}
	return found, missing
}

func (c *organizationCache) add(version int64, more map[int64]*schema.Organization) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.version == version {
		maps.Copy(c.byNumber, more)
	}
}

func (t *tx) readOrganizations(ctx context.Context, numbers []int64) (map[int64]*schema.Organization, error) {
	found := make(map[int64]*schema.Organization, len(numbers))
	err := t.collect(ctx, func(rows *sql.Rows) error {
		number, o, err := scanOrganization(rows)
		found[number] = &o
		return err
	}, "SELECT "+organizationColumns+" FROM json_each(?) j CROSS JOIN organizations o ON o.id = j.value", encode(numbers))
	return found, err
}
