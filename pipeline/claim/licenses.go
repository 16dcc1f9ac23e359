package claim

import (
	"slices"

	"github.com/claimline/claimline/schema"
)

// Wish is what a row says about one service (R17).
type Wish byte

// The wishes.
const (
	Automatic Wish = iota // blank: leave it to the organization's automatic assignment
	Assign                // TRUE
	Withhold              // FALSE: automatic or not
)

// Pool is what is left of the licences of a claiming organization while claims are made one after the other (R17).
type Pool struct {
	licenses []schema.License // by service
}

// NewPool returns a pool of the licences, which it sorts by service and does not change.
func NewPool(licenses []schema.License) *Pool {
	p := &Pool{licenses: slices.Clone(licenses)}
	slices.SortFunc(p.licenses, func(a, b schema.License) int {
		if a.Service < b.Service {
			return -1
		}
		return 1
	})
	return p
}

// Services are the names of the services, sorted; wishes stand in this order.
func (p *Pool) Services() []string {
	names := make([]string, len(p.licenses))
	for i, license := range p.licenses {
		names[i] = license.Service
	}
	return names
}

// Licenses are the licences with what has been assigned so far.
func (p *Pool) Licenses() []schema.License { return slices.Clone(p.licenses) }

// Left is how many licences of the service at index i are left; negative where they are unlimited.
func (p *Pool) Left(i int) int {
	license := p.licenses[i]
	if license.Quantity < 0 {
		return schema.Unlimited
	}
	return max(0, license.Quantity-license.Held)
}

// Assign gives out the services that the wishes ask for, as far as they last, and names those of which none is left; it
// appends to the lists given. wishes has one entry per service, or is nil where nothing was said. For a delayed claim
// nothing is given out: the services are only asked for, until it completes.
func (p *Pool) Assign(claimType schema.ClaimType, wishes []Wish, services, unavailable []string) (assigned, missing []string) {
	for i := range p.licenses {
		license := &p.licenses[i]
		wish := Automatic
		if wishes != nil {
			wish = wishes[i]
		}
		if wish == Withhold || wish == Automatic && !license.AutoAssign {
			continue
		}
		if claimType == schema.Immediate {
			if p.Left(i) == 0 {
				unavailable = append(unavailable, license.Service)
				continue
			}
			license.Held++
		}
		services = append(services, license.Service)
	}
	return services, unavailable
}
