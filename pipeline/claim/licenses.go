package claim

import (
	"cmp"
	"slices"
	"strings"
	"unicode"

	"github.com/claimline/claimline/schema"
)

// Assignment is what a row says about one service (R17).
type Assignment byte

// The assignments.
const (
	Automatic Assignment = iota // blank: leave it to the organization's automatic assignment
	Assign                      // TRUE
	Withhold                    // FALSE: automatic or not
)

// Licenses follows what is held of licences while accounts are claimed, join and leave, one after the other
// (R17). A service has one name, whatever its case; what an organization has no licences of is neither
// counted nor given out.
type Licenses struct {
	list  []schema.License // by organization, then service
	read  []int            // what was held of each to begin with
	index map[serviceOf]int
}

// serviceOf names a service of an organization.
type serviceOf struct{ organization, key string }

// NewLicenses returns the licences, which it sorts and does not change.
func NewLicenses(licenses []schema.License) *Licenses {
	l := &Licenses{list: slices.Clone(licenses), index: make(map[serviceOf]int, len(licenses))}
	slices.SortFunc(l.list, func(a, b schema.License) int {
		return cmp.Or(strings.Compare(a.OrganizationID, b.OrganizationID), strings.Compare(a.Service, b.Service))
	})
	l.read = make([]int, len(l.list))
	for i, license := range l.list {
		l.read[i] = license.Held
		l.index[serviceOf{license.OrganizationID, ServiceKey(license.Service)}] = i
	}
	return l
}

// ServiceKey returns what two names of one service have in common: they differ in case and surrounding blanks
// alone.
func ServiceKey(name string) string {
	return strings.Map(func(r rune) rune {
		least := r
		for other := unicode.SimpleFold(r); other != r; other = unicode.SimpleFold(other) {
			least = min(least, other)
		}
		return least
	}, strings.TrimSpace(name))
}

// Services returns the names of the services, sorted; assignments stand in this order. Like Left and Assign
// it is for the licences of one organization, the claiming one.
func (l *Licenses) Services() []string {
	names := make([]string, len(l.list))
	for i, license := range l.list {
		names[i] = license.Service
	}
	return names
}

// Licenses returns the licences with what is held of each by now.
func (l *Licenses) Licenses() []schema.License { return slices.Clone(l.list) }

// Changed returns the licences of which more or less is held than there was to begin with.
func (l *Licenses) Changed() []schema.License {
	var changed []schema.License
	for i := range l.list {
		if l.list[i].Held != l.read[i] {
			changed = append(changed, l.list[i])
		}
	}
	return changed
}

// Left returns how many licences of the service at index i are left; negative where they are unlimited.
func (l *Licenses) Left(i int) int {
	license := &l.list[i]
	if license.Quantity < 0 {
		return schema.Unlimited
	}
	return max(0, license.Quantity-license.Held)
}

// Assign gives out the services that a row asks for, as far as they last, and names those of which none is
// left; it appends to the lists given. wanted has one entry per service, or is nil where nothing was said.
// For a delayed claim nothing is given out: the services are only asked for, until it completes.
func (l *Licenses) Assign(claimType schema.ClaimType, wanted []Assignment, services, unavailable []string) (assigned, missing []string) {
	for i := range l.list {
		license := &l.list[i]
		want := Automatic
		if wanted != nil {
			want = wanted[i]
		}
		if want == Withhold || want == Automatic && !license.AutoAssign {
			continue
		}
		if claimType == schema.Immediate {
			if l.Left(i) == 0 {
				unavailable = append(unavailable, license.Service)
				continue
			}
			license.Held++
		}
		services = append(services, license.Service)
	}
	return services, unavailable
}

// Claimed counts the services that a claim just made holds n times: those of a delayed one are only asked
// for.
func (l *Licenses) Claimed(organization string, made schema.ClaimType, services []string, n int) {
	if made != schema.Immediate {
		return
	}
	for _, service := range services {
		if i, ok := l.find(organization, service); ok {
			l.list[i].Held += n
		}
	}
}

// Release takes services back.
func (l *Licenses) Release(organization string, services []string) {
	for _, service := range services {
		if i, ok := l.find(organization, service); ok {
			l.list[i].Held--
		}
	}
}

// give gives services out as far as they last, and returns those given.
func (l *Licenses) give(organization string, services []string) (given []string) {
	for _, service := range services {
		if i, ok := l.find(organization, service); ok && l.Left(i) != 0 {
			l.list[i].Held++
			given = append(given, l.list[i].Service)
		}
	}
	return given
}

func (l *Licenses) find(organization, service string) (int, bool) {
	i, ok := l.index[serviceOf{organization, ServiceKey(service)}]
	return i, ok
}

// Apply lets licences follow an effect, and gives the account that joins its services: an account that moves
// or is removed gives back what it held; what a delayed claim asked for is given out as far as it lasts; what
// an immediate one holds passes to the account that joins, and is free again where none does.
func (l *Licenses) Apply(e *Effect) {
	a, made, joined := &e.Before, e.Before.Claim, e.joined()
	if e.Gone || e.Moves {
		l.Release(a.User.OrganizationID, a.User.Services)
	}
	switch {
	case joined != nil && made.Type == schema.Delayed:
		joined.Services = l.give(made.OrganizationID, made.Services)
	case joined != nil:
		joined.Services = made.Services
	case e.Claim != nil && !e.Claim.Open() && made.Type == schema.Immediate:
		l.Release(made.OrganizationID, made.Services)
	}
}

// Follow applies effects one after the other. What happens to an account again happens to it as the licences
// left it.
func (l *Licenses) Follow(effects []Effect) {
	before := map[int64]*Effect{}
	for i := range effects {
		e := &effects[i]
		if first := before[e.Before.ID]; first != nil {
			e.Before = first.After()
		}
		l.Apply(e)
		before[e.Before.ID] = e
	}
}

// Holders returns the organizations whose licences an effect gives out or takes back, at most two.
func (e *Effect) Holders() (organizations []string) {
	a, made := &e.Before, e.Before.Claim
	if (e.Gone || e.Moves) && len(a.User.Services) > 0 {
		organizations = append(organizations, a.User.OrganizationID)
	}
	if e.Claim != nil && !e.Claim.Open() && len(made.Services) > 0 && (made.Type == schema.Immediate || e.joined() != nil) &&
		!slices.Contains(organizations, made.OrganizationID) {
		organizations = append(organizations, made.OrganizationID)
	}
	return organizations
}
