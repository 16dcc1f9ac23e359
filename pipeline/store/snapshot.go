package store

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/schema"
)

// Loader takes in the parts of a snapshot, in this order: organizations, licences, domains, users, claims.
// Values have been checked one by one; what can only be checked against the rest is checked here. A refusal
// names the file and, where the value has one, the line. Each method may be called many times.
//
// What has the same key is updated, without undoing what was done here: organization, address and status of
// an account that a closed claim changed stay, a claim that was closed is not restored, a removed account
// does not come back. A service has one name, whatever its case: the one under which it was loaded first.
type Loader interface {
	// Known finds the accounts that have these address keys before this snapshot's users come in, by key; but
	// for those of which there is nothing to know: their id is the key, and there is no open claim on them.
	Known(ctx context.Context, keys []string) (map[string]KnownUser, error)
	Organizations(ctx context.Context, organizations []LoadOrganization) error
	Licenses(ctx context.Context, licenses []LoadLicense) error
	Domains(ctx context.Context, domains []LoadDomain) error
	// Users refuses, at the latest when Load commits, with CodeIDDuplicate an id that stands in the snapshot
	// twice, and with CodeEmailDuplicate an address key that does, or that an account has which this snapshot
	// does not move away. Users that come after claims are an error.
	Users(ctx context.Context, users []LoadUser) error
	// Claims restores open claims, without licences or mail. One that is open already is brought up to date,
	// unless it was made here; one on a member, or closed here since it was made, or older than the account
	// that has the address now, is left out. Refused with CodeUserNotFound, CodeIDDuplicate (two on one
	// account), and CodeClaimedElsewhere: another organization has an open claim there.
	Claims(ctx context.Context, claims []LoadClaim) error
	// Finish merges all that was taken in, and returns what whoever loads should be told. Load does so where
	// it has not been called.
	Finish(ctx context.Context) ([]Notice, error)
}

// Notice is something in a snapshot that was left out, or that is likely to be a mistake.
type Notice struct {
	File    string      `json:"file"`
	Line    int         `json:"line"`
	Message schema.Text `json:"message"`
}

// LoadOrganization is an organization of a snapshot with the line it stands on, for messages.
type LoadOrganization struct {
	schema.Organization
	Line int
}

// LoadLicense is a licence of a snapshot with the line it stands on, for messages.
type LoadLicense struct {
	schema.License
	Line int
}

// LoadDomain is a domain of a snapshot with the line it stands on, for messages.
type LoadDomain struct {
	schema.Domain
	Line int
}

// LoadUser is a user of a snapshot with its address key and the line it stands on, for messages.
type LoadUser struct {
	schema.User
	Key  string
	Line int
}

// LoadClaim is an open claim of a snapshot: on the account with this address key.
type LoadClaim struct {
	schema.Claim
	Key  string
	Line int
	// Undated says that nobody knows when the claim was made: ClaimedAt is the latest that it can be. One
	// that is open already stays as it is, and where one of the organization's was closed here, it is left
	// out.
	Undated bool
}

// The files of a snapshot, as messages name them.
const (
	fileOrganizations = "organizations.csv"
	fileLicenses      = "licenses.csv"
	fileDomains       = "domains.csv"
	fileUsers         = "users.csv"
	fileClaims        = "claims.csv"
)

// maxNotices is how many lines of one kind are told of.
const maxNotices = 1000

// Load takes in a snapshot, all or nothing: fill hands it over, part by part, and an error of fill undoes
// everything. It takes the settings lock exclusively.
func (s *Store) Load(ctx context.Context, rules claim.Rules, fill func(Loader) error) error {
	return s.write(ctx, "load the snapshot", func(tx Tx) error {
		if err := tx.LockSettings(ctx, true); err != nil {
			return err
		}
		if err := (due{tx: tx, rules: rules, limit: dueBatch}).writeAll(ctx); err != nil {
			return err
		}
		l := &loader{tx: tx, lines: map[string]int{}, claimed: map[string]int{}, claims: map[int64]struct{}{}, services: map[string]map[string]string{}}
		if err := fill(l); err != nil {
			return err
		}
		_, err := l.Finish(ctx)
		return err
	})
}

// loader is a Loader inside the transaction of Load.
type loader struct {
	tx       Tx
	lines    map[string]int               // where each key of the smaller files stands
	claimed  map[string]int               // where each domain is said to be claimed
	services map[string]map[string]string // by organization: what each service is called, by its key
	merged   bool                         // the stage has been merged
	finished bool
	claims   map[int64]struct{} // accounts with a claim in this snapshot
	notices  []Notice
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

// known refuses a value of an organization that there is not.
func known[V any](ctx context.Context, tx Tx, file string, values []V, of func(*V) (organization string, line int)) error {
	seen := map[string]struct{}{}
	var ids []string
	for i := range values {
		id, _ := of(&values[i])
		if _, ok := seen[id]; !ok {
			seen[id] = struct{}{}
			ids = append(ids, id)
		}
	}
	there, err := tx.KnownOrganizations(ctx, ids)
	if err != nil || len(there) == len(ids) {
		return err
	}
	for i := range values {
		if id, line := of(&values[i]); !there[id] {
			return schema.Refuse(schema.CodeOrganizationUnknown, "There is no organization %q.", id).
				WithFix("Add it to organizations.csv, or correct the id.").At(file, line, 0)
		}
	}
	return nil
}

// checkTimes refuses times that cannot be: arithmetic with them, and their four digits, are relied on
// everywhere.
func checkTimes(file string, line int, times ...time.Time) error {
	for _, t := range times {
		if !t.IsZero() && (t.Year() < 1970 || t.Year() > 9999) {
			return schema.Refuse(schema.CodeValueInvalid, "%s is not a time from 1970 to 9999.", t.Format(time.DateOnly)).At(file, line, 0)
		}
	}
	return nil
}

// Organizations implements Loader.
func (l *loader) Organizations(ctx context.Context, organizations []LoadOrganization) error {
	values := make([]schema.Organization, len(organizations))
	for i := range organizations {
		o := &organizations[i]
		if err := l.once(fileOrganizations, o.Line, o.ID); err != nil {
			return err
		}
		if err := checkTimes(fileOrganizations, o.Line, o.Created); err != nil {
			return err
		}
		values[i] = o.Organization
	}
	return l.tx.PutOrganizations(ctx, values)
}

// Licenses implements Loader.
func (l *loader) Licenses(ctx context.Context, licenses []LoadLicense) error {
	if err := known(ctx, l.tx, fileLicenses, licenses, func(v *LoadLicense) (string, int) { return v.OrganizationID, v.Line }); err != nil {
		return err
	}
	values := make([]schema.License, len(licenses))
	for i := range licenses {
		v := &licenses[i]
		if err := l.once(fileLicenses, v.Line, v.OrganizationID, claim.ServiceKey(v.Service)); err != nil {
			return err
		}
		names, err := l.names(ctx, v.OrganizationID)
		if err != nil {
			return err
		}
		key := claim.ServiceKey(v.Service)
		if _, there := names[key]; !there {
			names[key] = v.Service
		}
		values[i] = v.License
		values[i].Service = names[key]
	}
	return l.tx.PutLicenses(ctx, values)
}

// names returns what the services of an organization are called, by their keys.
func (l *loader) names(ctx context.Context, organization string) (map[string]string, error) {
	names, ok := l.services[organization]
	if ok {
		return names, nil
	}
	licenses, err := l.tx.Licenses(ctx, false, organization)
	names = make(map[string]string, len(licenses))
	for _, license := range licenses {
		names[claim.ServiceKey(license.Service)] = license.Service
	}
	l.services[organization] = names
	return names, err
}

// Domains implements Loader.
func (l *loader) Domains(ctx context.Context, domains []LoadDomain) error {
	if err := known(ctx, l.tx, fileDomains, domains, func(v *LoadDomain) (string, int) { return v.OrganizationID, v.Line }); err != nil {
		return err
	}
	values := make([]schema.Domain, len(domains))
	for i := range domains {
		v := &domains[i]
		if err := l.once(fileDomains, v.Line, v.Domain.Domain, v.OrganizationID); err != nil {
			return err
		}
		if v.Status == schema.DomainClaimed {
			l.claimed[v.Domain.Domain] = v.Line
		}
		values[i] = v.Domain
	}
	return l.tx.PutDomains(ctx, values)
}

// Users implements Loader.
func (l *loader) Users(ctx context.Context, users []LoadUser) error {
	if l.merged {
		return errors.New("users of a snapshot come before its claims")
	}
	if err := known(ctx, l.tx, fileUsers, users, func(u *LoadUser) (string, int) { return u.OrganizationID, u.Line }); err != nil {
		return err
	}
	users = slices.Clone(users)
	for i := range users {
		u := &users[i]
		if err := checkTimes(fileUsers, u.Line, u.InactiveSince, u.LastSignIn); err != nil {
			return err
		}
		if u.Status != schema.Inactive {
			u.InactiveSince = time.Time{}
		}
		names, err := l.names(ctx, u.OrganizationID)
		if err != nil {
			return err
		}
		u.Services = called(names, u.Services)
	}
	return l.tx.StageUsers(ctx, users)
}

// called returns services under the names they have in their organization, each once, sorted.
func called(names map[string]string, services []string) []string {
	if len(services) == 0 {
		return nil
	}
	list := make([]string, len(services))
	seen := map[string]struct{}{}
	for i, service := range services {
		list[i] = service
		key := claim.ServiceKey(service)
		if name, ok := names[key]; ok {
			list[i] = name
		}
		if _, twice := seen[key]; twice {
			list[i] = ""
		}
		seen[key] = struct{}{}
	}
	list = slices.DeleteFunc(list, func(service string) bool { return service == "" })
	slices.Sort(list)
	return list
}

// merge brings the staged users in, once.
func (l *loader) merge(ctx context.Context) error {
	if l.merged {
		return nil
	}
	l.merged = true
	moves, err := l.tx.StagedMoves(ctx, maxNotices)
	if err != nil {
		return err
	}
	for _, line := range moves {
		l.notices = append(l.notices, Notice{fileUsers, line, schema.Say("The account moves to another organization while a claim on it is open. The claim stays open.")})
	}
	line, err := l.tx.StagedTaken(ctx)
	if errors.Is(err, ErrTwice) {
		return l.twice(ctx, err)
	}
	if err != nil {
		return err
	}
	if line > 0 {
		return schema.Refuse(schema.CodeEmailDuplicate, "Another account already has this address, and it is not in this snapshot.").
			WithFix("Add that account to users.csv with its new address, or correct this one.").At(fileUsers, line, 0)
	}
	if err := l.tx.MergeStaged(ctx); err != nil {
		return l.twice(ctx, err)
	}
	return nil
}

// twice finds the line that broke a key.
func (l *loader) twice(ctx context.Context, cause error) error {
	if !errors.Is(cause, ErrTwice) {
		return cause
	}
	found, err := l.tx.StagedTwice(ctx)
	switch {
	case err != nil:
		return err
	case found.Line == 0:
		return cause
	case found.ID:
		return schema.Refuse(schema.CodeIDDuplicate, "The id stands on line %d too.", found.First).At(fileUsers, found.Line, 0)
	}
	return schema.Refuse(schema.CodeEmailDuplicate, "The address stands on line %d too.", found.First).At(fileUsers, found.Line, 0)
}

// Known implements Loader.
func (l *loader) Known(ctx context.Context, keys []string) (map[string]KnownUser, error) {
	return l.tx.KnownUsers(ctx, keys)
}

// Claims implements Loader.
func (l *loader) Claims(ctx context.Context, claims []LoadClaim) error {
	if err := l.merge(ctx); err != nil {
		return err
	}
	if err := known(ctx, l.tx, fileClaims, claims, func(c *LoadClaim) (string, int) { return c.OrganizationID, c.Line }); err != nil {
		return err
	}
	for part := range slices.Chunk(claims, batchSize) {
		if err := l.restore(ctx, part); err != nil {
			return err
		}
	}
	return nil
}

// Finish implements Loader.
func (l *loader) Finish(ctx context.Context) ([]Notice, error) {
	if l.finished {
		return l.notices, nil
	}
	l.finished = true
	if err := l.merge(ctx); err != nil {
		return nil, err
	}
	domain, one, other, err := l.tx.ClaimedTwice(ctx)
	if err != nil {
		return nil, err
	}
	if domain != "" {
		return nil, schema.Refuse(schema.CodeDomainClaimedElsewhere, "Organizations %q and %q cannot both have claimed %s.", one, other, domain).
			WithFix("Only one organization can claim a domain: set the other one to verified.").At(fileDomains, l.claimed[domain], 0)
	}
	return l.notices, countHeld(ctx, l.tx)
}

// countHeld counts anew what is held of every licence.
func countHeld(ctx context.Context, tx Tx) error {
	list, err := tx.Licenses(ctx, false)
	if err != nil {
		return err
	}
	given, err := tx.Given(ctx)
	if err != nil {
		return err
	}
	counted := slices.Clone(list)
	for i := range counted {
		counted[i].Held = 0
	}
	licenses := claim.NewLicenses(counted)
	for _, g := range given {
		licenses.Claimed(g.Organization, schema.Immediate, g.Services, g.Accounts)
	}
	held := licenses.Licenses()
	was := claim.NewLicenses(list).Licenses() // in the same order
	wrong := held[:0:0]
	for i := range held {
		if held[i].Held != was[i].Held {
			wrong = append(wrong, held[i])
		}
	}
	return tx.PutHeld(ctx, wrong)
}
