package handoff

import (
	"slices"

	"github.com/claimline/claimline/pipeline/controlhub"
	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/pipeline/handoff/folder"
	"github.com/claimline/claimline/pipeline/usersfile"
	"github.com/claimline/claimline/schema"
)

// effects says what the rows that are ready do to each service of the template.
func (s *survey) effects() {
	ready := s.plan.Tally.Outcomes[schema.Ready]
	given := map[int]int{} // by number of the column: the service of the source
	for n := range s.checker.pairs {
		if p := &s.checker.pairs[n]; p.service >= 0 {
			given[p.number] = p.service
		}
	}
	for i := range s.template.columns {
		c := &s.template.columns[i]
		if c.kind != serviceKind {
			continue
		}
		e := folder.Effect{Service: c.name, Suspended: c.suspended}
		if service, ok := given[i]; ok {
			e.Adds, e.Removes, e.Given = s.counts[service].Adds, s.counts[service].Removes, true
		}
		e.Leaves = ready - e.Adds - e.Removes
		s.plan.Services = append(s.plan.Services, e)
	}
}

// notices says what of the file as a whole Control Hub would not take.
func (s *survey) notices() {
	l := s.checker.layout
	add := func(code schema.Code, column string, message, fix schema.Text) {
		s.plan.Notices = append(s.plan.Notices, Notice{Code: code, Column: column, Message: message, Fix: fix})
	}
	if s.request.Template != nil {
		var headers []string
		for i := range s.template.columns {
			if c := &s.template.columns[i]; c.name != "" {
				headers = append(headers, c.name)
				if c.place(l) < 0 {
					s.plan.Missing = append(s.plan.Missing, c.name)
				}
			}
		}
		for at, header := range l.Header {
			if header == "" || l.Added(at) || s.ignored(header) || slices.ContainsFunc(s.checker.pairs, func(p pair) bool { return p.at == at }) {
				continue
			}
			switch at { // what only Claimline knows is never written
			case l.Place(usersfile.Claim), l.Place(usersfile.ClaimType), l.Place(usersfile.SourceOrganization):
				continue
			}
			fix := schema.Say("Delete the column. claimline handoff make leaves it out.")
			if near, ok := schema.Nearest([]string{header}, headers); ok {
				fix = schema.Say("Did you mean %s? Else delete the column; claimline handoff make leaves it out.", quoteHeader(near))
			}
			add(schema.CodeHeaderUnknown, header, schema.Say("The template has no column %s, and Control Hub refuses a file with a header that it does not know.", quoteHeader(header)), fix)
		}
	}
	for n := range s.checker.pairs {
		p := &s.checker.pairs[n]
		given := s.plan.Header[p.at]
		if s.request.Template == nil || p.kind == readOnlyKind || given == p.column.header {
			continue
		}
		notice := Notice{
			Code: schema.CodeHeaderUnknown, Column: l.Header[p.at], Mended: true,
			Message: schema.Say("The template calls the column %s otherwise: %s.", quoteHeader(given), quoteHeader(p.column.header)),
			Fix:     schema.Say("Rename it. claimline handoff make writes it as the template does."),
		}
		switch _, suspended := controlhub.WithoutMark(dialect.CleanHeader(given)); {
		case p.suspended && !suspended:
			notice.Code = schema.CodeServiceSuspended
			notice.Message = schema.Say("By the template the service %s is suspended: Control Hub takes no file with TRUE in its column.", quoteHeader(p.name))
			notice.Fix = schema.Say("Leave its cells blank, or delete the column.")
		case suspended && !p.suspended:
			notice.Message = schema.Say("By the template the service %s is suspended no longer.", quoteHeader(p.name))
		}
		s.plan.Notices = append(s.plan.Notices, notice)
	}
	if ready := s.plan.Tally.Outcomes[schema.Ready]; ready > folder.MaxPartRows {
		parts := (ready + folder.MaxPartRows - 1) / folder.MaxPartRows
		add(schema.CodeTooManyRows, "", schema.Say("%s rows are to be uploaded, and Control Hub takes %s in a file.", schema.Number(ready), schema.Number(folder.MaxPartRows)),
			schema.Say("claimline handoff make cuts them into %s parts.", schema.Number(parts)))
	}
}

// ignored reports whether somebody has said that a column is nothing.
func (s *survey) ignored(header string) bool {
	return slices.ContainsFunc(s.request.Order.IgnoreColumns, func(name string) bool { return dialect.SameHeader(name, header) })
}

// written returns the columns of the template that parts have, by number: address and names, and what
// carries a change.
func (s *survey) written() []int {
	var numbers []int
	for n := range s.checker.pairs {
		p := &s.checker.pairs[n]
		switch p.kind {
		case addressKind, nameKind, claimKind:
			numbers = append(numbers, p.number)
		case textKind, serviceKind:
			if s.carries[n/64]&(1<<(n%64)) != 0 {
				numbers = append(numbers, p.number)
			}
		case readOnlyKind:
		}
	}
	return numbers
}
