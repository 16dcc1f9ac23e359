package pipeline

import (
	"slices"
	"strings"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/pipeline/kept"
	"github.com/claimline/claimline/schema"
)

// licensing gives out licences to ready rows, in file order (see R17).
type licensing struct {
	pool *claim.Licenses
	last map[*schema.Finding]*licensed // rows with one finding mostly get the same: they share one again

	services, unavailable []string // memory for the next row
}

// licensed is a finding after licences were given out.
type licensed struct {
	*schema.Finding
	services, unavailable []string
}

// ready notes which services the row's claim gets, and of which none was left.
func (l *licensing) ready(v *kept.Verdict, assignments []claim.Assignment) (services, unavailable []string) {
	l.services, l.unavailable = l.pool.Assign(v.Type, assignments, l.services[:0], l.unavailable[:0])
	services, unavailable = l.services, l.unavailable
	last := l.last[v.Finding]
	if last == nil || !slices.Equal(services, last.services) || !slices.Equal(unavailable, last.unavailable) {
		services, unavailable = slices.Clone(services), slices.Clone(unavailable)
		after := *v.Finding
		after.Licenses = services
		after.Warnings = slices.Clip(after.Warnings)
		for _, service := range unavailable {
			after.Warnings = append(after.Warnings, schema.Warning(schema.CodeLicenseUnavailable, service))
		}
		last = &licensed{Finding: &after, services: services, unavailable: unavailable}
		if l.last == nil {
			l.last = map[*schema.Finding]*licensed{}
		}
		l.last[v.Finding] = last
	}
	v.Finding = last.Finding
	return last.services, last.unavailable
}

// withoutLicenses turns findings into what they were before licences were given out, one each.
type withoutLicenses map[*schema.Finding]*schema.Finding

func (w withoutLicenses) of(f *schema.Finding) *schema.Finding {
	before, ok := w[f]
	if !ok {
		before = new(*f)
		before.Licenses = nil
		before.Warnings = slices.DeleteFunc(slices.Clone(f.Warnings), func(warning string) bool {
			return strings.HasPrefix(warning, string(schema.CodeLicenseUnavailable)+":")
		})
		w[f] = before
	}
	return before
}
