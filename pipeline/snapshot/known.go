package snapshot

import (
	"cmp"
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"

	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/schema"
)

// known is what rows may name: what the snapshot brings, and, looked up where that is not enough, what the
// store has.
type known struct {
	organizations map[string]int                 // lines, by id
	services      map[string]map[string]licensed // by organization and serviceKey
	domains       map[string]int                 // lines, by domain and organization

	stored         map[string]bool // organizations of the store; nil: not looked up
	storedServices map[string]map[string]string
}

type licensed struct {
	service string // as it is spelt
	line    int
}

func newKnown() known {
	return known{
		organizations: map[string]int{}, services: map[string]map[string]licensed{}, domains: map[string]int{},
		storedServices: map[string]map[string]string{},
	}
}

// licensed returns the services of an organization, to look in and to add to.
func (k *known) licensed(organization string) map[string]licensed {
	services := k.services[organization]
	if services == nil {
		services = map[string]licensed{}
		k.services[strings.Clone(organization)] = services
	}
	return services
}

// serviceKey returns the same for two names of services that are one service.
func serviceKey(name string) string {
	return strings.ToLower(norm.NFC.String(strings.Join(strings.Fields(name), " ")))
}

// mostServices returns how many services an organization may have, so that export and report stay within the
// limits of files.
func (l *loading) mostServices() int {
	const standard = 1000
	return max(1, cmp.Or(l.options.Limits.Columns, standard)-len(schema.Columns)-len(schema.ReportHeaders))
}

func noCheck[T any](context.Context, []T) error { return nil }

func (l *loading) checkLicenses(ctx context.Context, part []store.LoadLicense) error {
	for i := range part {
		if err := l.checkOrganization(ctx, licenses, part[i].Line, part[i].OrganizationID); err != nil {
			return err
		}
	}
	return nil
}

func (l *loading) checkDomains(ctx context.Context, part []store.LoadDomain) error {
	for i := range part {
		if err := l.checkOrganization(ctx, domains, part[i].Line, part[i].OrganizationID); err != nil {
			return err
		}
	}
	return nil
}

func (l *loading) checkClaims(ctx context.Context, part []store.LoadClaim) error {
	for i := range part {
		if err := l.checkOrganization(ctx, claims, part[i].Line, part[i].OrganizationID); err != nil {
			return err
		}
	}
	return nil
}

// checkUsers also spells the services of users as their organization's licences do.
func (l *loading) checkUsers(ctx context.Context, part []store.LoadUser) error {
	for i := range part {
		u := &part[i]
		if err := l.checkOrganization(ctx, users, u.Line, u.OrganizationID); err != nil {
			return err
		}
		for j, service := range u.Services {
			spelt, err := l.service(ctx, u.OrganizationID, service)
			if err != nil {
				return err
			}
			if spelt == "" && l.unlicensed(service) {
				l.refuseService(u, service)
			}
			u.Services[j] = cmp.Or(spelt, service)
		}
		slices.Sort(u.Services)
		u.Services = slices.Compact(u.Services)
	}
	return nil
}

// checkOrganization refuses an organization that neither the snapshot nor the store has.
func (l *loading) checkOrganization(ctx context.Context, file, line int, id string) error {
	if _, ok := l.known.organizations[id]; ok || id == "" || !l.files[organizations].whole() {
		return nil
	}
	if l.known.stored == nil {
		all, err := l.store.Organizations(ctx)
		if err != nil {
			return err
		}
		l.known.stored = make(map[string]bool, len(all))
		for i := range all {
			l.known.stored[all[i].ID] = true
		}
	}
	if l.known.stored[id] {
		return nil
	}
	refused := schema.Refuse(schema.CodeOrganizationUnknown, "There is no organization %s.", schema.Quote(id)).
		WithFix("Add it to organizations.csv, or correct the id.")
	l.files[file].unsure = true
	l.files[file].place(refused, line, "organization_id")
	l.problems = append(l.problems, problem{refused, file})
	return nil
}

// service returns a service of an organization as its licence spells it; blank where it has none.
func (l *loading) service(ctx context.Context, organization, name string) (spelt string, err error) {
	key := serviceKey(name)
	if licensed, ok := l.known.services[organization][key]; ok {
		return licensed.service, nil
	}
	stored, looked := l.known.storedServices[organization]
	if !looked {
		list, err := l.store.Licenses(ctx, l.rules, organization)
		if err != nil && schema.CodeOf(err) != schema.CodeOrganizationUnknown {
			return "", err
		}
		stored = map[string]string{}
		for i := range list {
			stored[serviceKey(list[i].Service)] = list[i].Service
		}
		l.known.storedServices[strings.Clone(organization)] = stored
	}
	return stored[key], nil
}

// unlicensed reports whether a service without licences is to be refused: licenses.csv has been read to its
// end, and nobody lets the service pass.
func (l *loading) unlicensed(service string) bool {
	if o := l.files[licenses]; o != nil && !o.whole() {
		return false
	}
	return !l.passes(func(ignored string) bool { return serviceKey(ignored) == serviceKey(service) })
}

func (l *loading) refuseService(u *store.LoadUser, service string) {
	refused := schema.Refuse(schema.CodeServiceUnknown, "The organization %s has no licence of the service %s.", schema.Quote(u.OrganizationID), schema.Quote(service)).
		WithFix("Separate services with semicolons, or add the licence to licenses.csv. To let it pass: --ignore %q.", service)
	var names []string
	for _, licensed := range l.known.services[u.OrganizationID] {
		names = append(names, licensed.service)
	}
	slices.Sort(names)
	if near, ok := schema.Nearest([]string{service}, names); ok {
		refused = refused.WithFix("Did you mean %s? If not, add the licence to licenses.csv. To let it pass: --ignore %q.", near, service)
	}
	l.files[users].place(refused, u.Line, "services")
	l.problems = append(l.problems, problem{refused, users})
}

// refuse notes what a store has refused, which knows files by their bare names and no columns. What is no
// such refusal is returned.
func (l *loading) refuse(err error) error {
	refused, ok := errors.AsType[*schema.Error](err)
	if !ok || refused.File == "" || filepath.Base(refused.File) != refused.File {
		return err
	}
	file := slices.IndexFunc(l.files, func(o *opened) bool { return o != nil && o.known == refused.File })
	if file < 0 {
		return err
	}
	o := l.files[file]
	o.place(refused, refused.Line, "")
	for _, column := range refusedIn(refused.Code) {
		if _, there := o.columns[column]; there && refused.Line > 0 {
			o.place(refused, refused.Line, column)
			break
		}
	}
	l.problems = append(l.problems, problem{refused, file})
	return nil
}

// refusedIn returns the columns in which a store found what it refuses with a code; the first that the file
// has is meant.
func refusedIn(code schema.Code) []string {
	switch code {
	case schema.CodeOrganizationUnknown:
		return []string{"organization_id"}
	case schema.CodeIDDuplicate:
		return []string{"id", "email", "domain", "service"}
	case schema.CodeEmailDuplicate, schema.CodeUserNotFound, schema.CodeClaimedElsewhere:
		return []string{"email"}
	case schema.CodeDomainClaimedElsewhere:
		return []string{"domain"}
	}
	return nil
}
