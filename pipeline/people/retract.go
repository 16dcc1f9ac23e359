package people

import (
	"context"
	"fmt"
	"slices"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/pipeline/kept"
	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/pipeline/usersfile"
	"github.com/claimline/claimline/schema"
)

// Retractable counts what retracting an import would do.
type Retractable struct {
	Can     int
	Cannot  map[schema.Code]int // by reason
	Domains []string            // claimed ones that are all that is in the way, sorted
}

// RetractImport takes back every claim that an import made and that can be taken back, each in a transaction
// of its own (R22). before is told, before anything is done, how many those are, and its error keeps anything
// from being done; each is handed, in the order of the file, what became of one claim. A dry run answers as
// the run would, and changes nothing. Refused with CodeRetractByImportOff, CodeImportNotFound.
func (p *People) RetractImport(ctx context.Context, organization string, id int64, dryRun bool, before func(Retractable) error, each func(schema.Retraction)) error {
	if !p.Policy.RetractByImport {
		return schema.Refuse(schema.CodeRetractByImportOff, "")
	}
	imp, err := p.Store.Import(ctx, organization, id)
	if err != nil {
		return err
	}
	plan, emails, err := p.planRetract(ctx, imp)
	if err != nil {
		return err
	}
	if err := before(plan.count()); err != nil {
		return err
	}
	for i := range plan {
		row := &plan[i]
		if !dryRun && row.reason == "" {
			err := p.Persist(ctx, func() (err error) {
				row.reason, err = p.retractMade(ctx, imp, row.key)
				return err
			})
			if err != nil {
				return err
			}
		}
		result := schema.Retraction{Email: row.email, Retracted: row.reason == "", Reason: row.reason}
		if result.Email == "" {
			result.Email = emails[row.line]
		}
		each(result)
	}
	return nil
}

// retractRow is one claim that an import made.
type retractRow struct {
	line       int
	key, email string // of the account; empty where that is gone
	reason     schema.Code
}

type retractPlan []retractRow

// planRetract decides about every claim that an import made. emails are the addresses, as the file has them,
// of accounts that are gone, by line.
func (p *People) planRetract(ctx context.Context, imp schema.Import) (plan retractPlan, emails map[int]string, err error) {
	rules := p.Rules()
	gone := map[int]string{}
	err = p.Store.ImportClaims(ctx, rules, imp.OrganizationID, imp.ID, func(claims []store.ImportClaim) error {
		for i := range claims {
			v := &claims[i].Case
			row := retractRow{line: claims[i].Line, key: v.Key, email: v.Account.User.Email, reason: rules.RetractMade(v, imp.ID)}
			if row.email == "" {
				gone[row.line] = row.key
			}
			plan = append(plan, row)
		}
		return nil
	})
	if err != nil {
		return nil, nil, fmt.Errorf("list the claims of the import: %w", err)
	}
	if len(gone) > 0 && !imp.RowsRemoved {
		err = p.nameRows(ctx, imp, gone)
	}
	return plan, gone, err
}

// nameRows finds the addresses on these lines of an import's file.
func (p *People) nameRows(ctx context.Context, imp schema.Import, lines map[int]string) error {
	plan, err := schema.PlanOf(imp)
	if err != nil {
		return err
	}
	order, err := schema.OrderOf(imp)
	if err != nil {
		return err
	}
	l, err := usersfile.LayoutOf(plan, order)
	if err != nil {
		return err
	}
	return kept.Each(ctx, p.Store, imp, plan.Format, func(c *kept.Rows) error {
		for i := range c.Records.Len() {
			if _, wanted := lines[c.Records.Line(i)]; wanted {
				lines[c.Records.Line(i)] = l.Address(c.Records.Cells(i))
			}
		}
		return nil
	})
}

// count counts the rows by reason.
func (plan retractPlan) count() Retractable {
	n := Retractable{Cannot: map[schema.Code]int{}}
	for i := range plan {
		row := &plan[i]
		switch row.reason {
		case "":
			n.Can++
			continue
		case schema.CodeDomainClaimed:
			n.Domains = append(n.Domains, schema.KeyDomain(row.key))
		}
		n.Cannot[row.reason]++
	}
	slices.Sort(n.Domains)
	n.Domains = slices.Compact(n.Domains)
	return n
}

// retractMade retracts the claim that the import made on one account, or returns why it cannot.
func (p *People) retractMade(ctx context.Context, imp schema.Import, key string) (reason schema.Code, err error) {
	rules := p.Rules()
	err = p.Store.Change(ctx, rules, imp.OrganizationID, []string{key}, func(views []claim.View) ([]claim.Effect, error) {
		if reason = rules.RetractMade(&views[0], imp.ID); reason != "" {
			return nil, nil
		}
		return []claim.Effect{rules.Retracted(&views[0])}, nil
	})
	if err != nil {
		return "", fmt.Errorf("retract a claim: %w", err)
	}
	return reason, nil
}
