// Package store keeps organizations, accounts, claims and imports. What happens in one transaction is written
// here, once, over the statements that a database brings (DB, Tx); the rules are those of package claim.
// Package storetest checks the two together.
//
// Every transaction takes its locks in one order: settings, the schedule, a turn, the import, accounts by
// key, licences by name, the outbox last. Settings are locked exclusively by Load, SetOrganization and
// SetDomain, and shared by whatever looks at them to change something. Functions that are handed to a method
// may be called again after a conflict with other transactions.
package store

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/schema"
)

// Store keeps everything in a database. It is safe for concurrent use.
//
// Refusals are *schema.Error with a code; any other error is broken machinery. Every method that writes is
// one transaction, or as many as its comment says, and does nothing where it fails. Times are whole seconds
// in UTC. What time has made due (claim.Rules.Due) is treated as done by every method that takes rules,
// whether or not it has been written.
type Store struct {
	db      DB
	undone  sync.Mutex
	dropped []Owner // of imports that are to be dropped and could not be
}

// ErrTwice is what a database returns where a key that must be there once would be there twice.
var ErrTwice = errors.New("a key is there twice")

// ErrConflict is what a transaction returns that another has overtaken: it is to be run again.
var ErrConflict = errors.New("another transaction was faster")

// New returns the store in a database.
func New(db DB) *Store { return &Store{db: db} }

// Close closes the database.
func (s *Store) Close() error { return s.db.Close() }

// Check finds out whether the database can be reached, and has the schema that this program knows. Refused
// with the database_… codes.
func (s *Store) Check(ctx context.Context) error {
	return during("check the database", s.db.Check(ctx))
}

// Passing reports whether an error is trouble with the database that may pass: another process holds it
// (CodeDatabaseBusy), its disk is full or refuses to write (CodeDatabaseFull, CodeDatabaseFailing), or it
// cannot be written to now (CodeDatabaseReadOnly), or its server does not answer (CodeDatabaseUnreachable).
// What was being done has not been done, and may be tried again later. The other database_… codes stay.
func Passing(err error) bool {
	switch schema.CodeOf(err) {
	case schema.CodeDatabaseBusy, schema.CodeDatabaseFull, schema.CodeDatabaseFailing, schema.CodeDatabaseReadOnly,
		schema.CodeDatabaseUnreachable:
		return true
	}
	return false
}

// read runs do on one state of the database.
func (s *Store) read(ctx context.Context, doing string, do func(Tx) error) error {
	return during(doing, s.db.Read(ctx, do))
}

// write runs do in a transaction that writes.
func (s *Store) write(ctx context.Context, doing string, do func(Tx) error) error {
	return during(doing, s.db.Write(ctx, do))
}

// during says what was being done when err happened. Refusals are returned as they are.
func during(doing string, err error) error {
	if _, refused := errors.AsType[*schema.Error](err); err == nil || refused {
		return err
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// batchSize is how many accounts are looked at a time.
const batchSize = 2000

// Organizations lists all organizations by id.
func (s *Store) Organizations(ctx context.Context) (list []schema.Organization, err error) {
	err = s.read(ctx, "list organizations", func(tx Tx) error {
		list, err = tx.ListOrganizations(ctx)
		return err
	})
	return list, err
}

// Organization finds one. Refused with CodeOrganizationUnknown.
func (s *Store) Organization(ctx context.Context, id string) (o schema.Organization, err error) {
	err = s.read(ctx, "find the organization", func(tx Tx) error {
		o, err = organization(ctx, tx, id)
		return err
	})
	return o, err
}

func organization(ctx context.Context, tx Tx, id string) (schema.Organization, error) {
	o, found, err := tx.FindOrganization(ctx, id)
	if err == nil && !found {
		err = schema.Refuse(schema.CodeOrganizationUnknown, "There is no organization %q.", id)
	}
	return o, err
}

// Licenses lists the licences of an organization by service, with what is held of each (see R17). Refused
// with CodeOrganizationUnknown.
func (s *Store) Licenses(ctx context.Context, rules claim.Rules, id string) (list []schema.License, err error) {
	err = s.read(ctx, "list licences", func(tx Tx) error {
		if _, err := organization(ctx, tx, id); err != nil {
			return err
		}
		_, licenses, err := due{tx: tx, rules: rules}.find(ctx, id)
		if err != nil {
			return err
		}
		list = list[:0]
		for _, license := range licenses.Licenses() {
			if license.OrganizationID == id {
				list = append(list, license)
			}
		}
		return nil
	})
	return list, err
}

// Domains lists the domains that an organization holds, by name. Refused with CodeOrganizationUnknown.
func (s *Store) Domains(ctx context.Context, id string) (list []schema.Domain, err error) {
	err = s.read(ctx, "list domains", func(tx Tx) error {
		if _, err := organization(ctx, tx, id); err != nil {
			return err
		}
		list, err = tx.Domains(ctx, id)
		return err
	})
	return list, err
}

// Facts looks up what decisions about the address keys need, in bulk. Two equal keys are not allowed.
// Accounts and licences are as written; claim.Rules.AsOf and Licenses say what has become of them. Refused
// with CodeOrganizationUnknown.
func (s *Store) Facts(ctx context.Context, id string, keys []string) (facts claim.Facts, err error) {
	err = s.read(ctx, "look up accounts", func(tx Tx) error {
		claiming, err := organization(ctx, tx, id)
		if err != nil {
			return err
		}
		if facts, err = lookUp(ctx, tx, claiming, keys, false); err != nil {
			return err
		}
		facts.Version, err = tx.Stamp(ctx)
		return err
	})
	return facts, err
}

// lookUp looks up the facts about address keys.
func lookUp(ctx context.Context, tx Tx, claiming schema.Organization, keys []string, hold bool) (claim.Facts, error) {
	facts := claim.Facts{Claiming: claiming}
	var err error
	if facts.Domains, err = domains(ctx, tx, claiming.ID, domainsOf(keys)); err != nil {
		return facts, err
	}
	if facts.Accounts, err = tx.Accounts(ctx, keys, hold); err != nil {
		return facts, err
	}
	facts.Licenses, err = tx.Licenses(ctx, hold, claiming.ID)
	return facts, err
}

// domainsOf lists the domains of address keys, each once.
func domainsOf(keys []string) (list []string) {
	seen := map[string]struct{}{}
	for _, key := range keys {
		domain := schema.KeyDomain(key)
		if _, ok := seen[domain]; !ok {
			seen[domain] = struct{}{}
			list = append(list, domain)
		}
	}
	return list
}

// heldDomains looks up domains as an organization sees them, but for others that overlap with them.
func heldDomains(ctx context.Context, tx Tx, id string, names []string) (map[string]claim.Domain, error) {
	held, err := tx.Holders(ctx, names)
	if err != nil {
		return nil, err
	}
	holders := map[string][]schema.Domain{}
	for _, d := range held {
		holders[d.Domain] = append(holders[d.Domain], d)
	}
	seen := make(map[string]claim.Domain, len(names))
	for _, name := range names {
		seen[name] = claim.SeenBy(id, name, holders[name])
	}
	return seen, nil
}

// domains looks up domains as an organization sees them (see R5, R6).
func domains(ctx context.Context, tx Tx, id string, names []string) (map[string]claim.Domain, error) {
	wanted := slices.Clone(names)
	for _, name := range names {
		wanted = slices.AppendSeq(wanted, above(name))
	}
	slices.Sort(wanted)
	held, err := tx.Holders(ctx, slices.Compact(wanted))
	if err != nil {
		return nil, err
	}
	below, err := tx.Below(ctx, names)
	if err != nil {
		return nil, err
	}
	holders := map[string][]schema.Domain{}
	for _, d := range held {
		holders[d.Domain] = append(holders[d.Domain], d)
	}
	subdomains := map[string][]schema.Domain{}
	for _, d := range below {
		for parent := range above(d.Domain) {
			subdomains[parent] = append(subdomains[parent], d)
		}
	}
	seen := make(map[string]claim.Domain, len(names))
	for _, name := range names {
		all := slices.Concat(holders[name], subdomains[name])
		for parent := range above(name) {
			all = append(all, holders[parent]...)
		}
		seen[name] = claim.SeenBy(id, name, all)
	}
	return seen, nil
}

// above lists the domains above one, the nearest first.
func above(domain string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for {
			_, parent, below := strings.Cut(domain, ".")
			if !below || !yield(parent) {
				return
			}
			domain = parent
		}
	}
}
