package claim

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/claimline/claimline/schema"
)

func TestAssign(t *testing.T) {
	// Sorted: Calling (2 left), Extra (none left), Messaging (unlimited, automatic), Rooms (automatic, 1
	// left).
	licenses := []schema.License{
		{Service: "Rooms", Quantity: 3, Held: 2, AutoAssign: true},
		{Service: "Messaging", Quantity: schema.Unlimited, Held: 1000, AutoAssign: true},
		{Service: "Extra", Quantity: 0},
		{Service: "Calling", Quantity: 10, Held: 8},
	}
	for name, c := range map[string]struct {
		claimType             schema.ClaimType
		assignments           []Assignment
		services, unavailable []string
	}{
		"nothing was said":                {schema.Immediate, nil, []string{"Messaging", "Rooms"}, nil},
		"blank cells":                     {schema.Immediate, []Assignment{Automatic, Automatic, Automatic, Automatic}, []string{"Messaging", "Rooms"}, nil},
		"TRUE assigns":                    {schema.Immediate, []Assignment{Assign, Automatic, Automatic, Automatic}, []string{"Calling", "Messaging", "Rooms"}, nil},
		"FALSE withholds, also automatic": {schema.Immediate, []Assignment{Withhold, Withhold, Withhold, Withhold}, nil, nil},
		"none is left":                    {schema.Immediate, []Assignment{Assign, Assign, Withhold, Withhold}, []string{"Calling"}, []string{"Extra"}},
		"delayed only asks":               {schema.Delayed, []Assignment{Assign, Assign, Automatic, Withhold}, []string{"Calling", "Extra", "Messaging"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			p := NewLicenses(licenses)
			services, unavailable := p.Assign(c.claimType, c.assignments, nil, nil)
			assert.Equal(t, c.services, services)
			assert.Equal(t, c.unavailable, unavailable)
		})
	}

	p := NewLicenses(licenses)
	assert.Equal(t, []string{"Calling", "Extra", "Messaging", "Rooms"}, p.Services())
	assert.Equal(t, "Rooms", licenses[0].Service, "what was given is not changed")
	all := []Assignment{Assign, Assign, Assign, Assign}
	_, unavailable := p.Assign(schema.Immediate, all, nil, nil)
	assert.Equal(t, []string{"Extra"}, unavailable)
	services, unavailable := p.Assign(schema.Immediate, all, nil, nil)
	assert.Equal(t, []string{"Calling", "Messaging"}, services)
	assert.Equal(t, []string{"Extra", "Rooms"}, unavailable)
	services, unavailable = p.Assign(schema.Immediate, nil, nil, nil)
	assert.Equal(t, []string{"Messaging"}, services)
	assert.Equal(t, []string{"Rooms"}, unavailable, "automatic, and none is left")
	assert.Equal(t, []int{0, 0, schema.Unlimited, 0}, []int{p.Left(0), p.Left(1), p.Left(2), p.Left(3)})
}

func TestLeft(t *testing.T) {
	p := NewLicenses([]schema.License{{Service: "a", Quantity: 2, Held: 5}, {Service: "b", Quantity: 2, Held: 1}, {Service: "c", Quantity: schema.Unlimited, Held: 9}})
	assert.Equal(t, 0, p.Left(0), "more are held than there are")
	assert.Equal(t, 1, p.Left(1))
	assert.Equal(t, schema.Unlimited, p.Left(2))
}

// However many claims ask, a limited service is given out as often as it lasts, in their order, and every
// assignment ends in exactly one way.
func TestPool(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		names := []string{"A", "B", "C"}[:rapid.IntRange(0, 3).Draw(t, "services")]
		licenses := make([]schema.License, len(names))
		for i, name := range names {
			licenses[i] = schema.License{
				Service: name, Quantity: rapid.IntRange(-1, 4).Draw(t, "quantity"), Held: rapid.IntRange(0, 3).Draw(t, "held"), AutoAssign: rapid.Bool().Draw(t, "automatic"),
			}
		}
		p := NewLicenses(licenses)
		left := make([]int, len(names))
		for i, l := range licenses {
			left[i] = max(0, l.Quantity-l.Held)
		}
		for range rapid.IntRange(0, 12).Draw(t, "claims") {
			claimType := rapid.SampledFrom([]schema.ClaimType{schema.Immediate, schema.Delayed}).Draw(t, "type")
			assignments := make([]Assignment, len(names))
			for i := range assignments {
				assignments[i] = rapid.SampledFrom([]Assignment{Automatic, Assign, Withhold}).Draw(t, "assignment")
			}
			services, unavailable := p.Assign(claimType, assignments, nil, nil)
			for i, l := range licenses {
				wanted := assignments[i] == Assign || assignments[i] == Automatic && l.AutoAssign
				given := wanted && (claimType == schema.Delayed || l.Quantity < 0 || left[i] > 0)
				require.Equal(t, given, slices.Contains(services, l.Service))
				require.Equal(t, wanted && !given, slices.Contains(unavailable, l.Service))
				if given && claimType == schema.Immediate && l.Quantity >= 0 {
					left[i]--
				}
			}
			require.True(t, slices.IsSorted(services))
		}
		for i, l := range p.Licenses() {
			if l.Quantity >= 0 {
				require.Equal(t, left[i], p.Left(i))
			}
		}
	})
}
