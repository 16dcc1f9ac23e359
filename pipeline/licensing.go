package pipeline

import (
	"slices"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/schema"
)

// licensing gives out licences to ready rows, in file order (R17).
type licensing struct {
	pool *claim.Pool
	last licensed // rows mostly get what the row before them got: they share one finding

	services, unavailable []string // memory for the next row
}

// licensed is a finding before and after licences were given out.
type licensed struct {
	before, after         *finding
	services, unavailable []string
}

// ready notes which services the row's claim gets, and of which none was left.
func (l *licensing) ready(v *verdict, wishes []claim.Wish) (services, unavailable []string) {
	l.services, l.unavailable = l.pool.Assign(v.Type, wishes, l.services[:0], l.unavailable[:0])
	services, unavailable = l.services, l.unavailable
	if v.finding != l.last.before || !slices.Equal(services, l.last.services) || !slices.Equal(unavailable, l.last.unavailable) {
		services, unavailable = slices.Clone(services), slices.Clone(unavailable)
		after := *v.finding
		after.Licenses = services
		after.Warnings = slices.Clip(after.Warnings)
		for _, service := range unavailable {
			after.Warnings = append(after.Warnings, schema.Warning(schema.CodeLicenseUnavailable, service))
		}
		l.last = licensed{before: v.finding, after: &after, services: services, unavailable: unavailable}
	}
	v.finding = l.last.after
	return l.last.services, l.last.unavailable
}
