package people

import (
	"context"
	"fmt"
	"slices"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/pipeline/kept"
	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/schema"
)

// ImportRetract takes back the claims that an import made, page by page: PlanRetract, then Next until there
// are no more. It holds nothing of the claims but those of the page.
type ImportRetract struct {
	Plan  store.Retractable // when it was planned
	Limit int               // claims that Next takes back at most

	people *People
	imp    schema.Import
	claims *store.ImportClaims
	names  *rowNames
	undone int // claims of the last page that nothing is known of
}

// retractPage is how many claims a page has, unless something else is said.
const retractPage = 1000

// PlanRetract counts what retracting an import would do, and changes nothing. Refused with
// CodeRetractByImportOff, CodeImportNotFound.
func (p *People) PlanRetract(ctx context.Context, organization string, id int64) (*ImportRetract, error) {
	r, err := p.importRetract(ctx, organization, id)
	if err != nil {
		return nil, err
	}
	if r.claims, r.Plan, err = p.Store.ImportClaims(ctx, p.Rules(), r.imp.OrganizationID, id); err != nil {
		return nil, fmt.Errorf("count the claims of the import: %w", err)
	}
	return r, nil
}

// importRetract makes sure that the claims of an import may be taken back together.
func (p *People) importRetract(ctx context.Context, organization string, id int64) (*ImportRetract, error) {
	if !p.Policy.RetractByImport {
		return nil, schema.Refuse(schema.CodeRetractByImportOff, "")
	}
	imp, err := p.Store.Import(ctx, organization, id)
	if err != nil {
		return nil, err
	}
	return &ImportRetract{people: p, imp: imp, names: &rowNames{store: p.Store, imp: imp}, Limit: retractPage}, nil
}

// Mark returns the place that Next has come to, also where it ended with an error, for ResumeRetract.
func (r *ImportRetract) Mark() string { return r.claims.Mark(r.undone) }

// ResumeRetract goes on behind a mark of one that was planned; in its Plan only the domains are known, which
// are these. Refused as PlanRetract is, and with CodeRequestInvalid.
func (p *People) ResumeRetract(ctx context.Context, organization string, id int64, mark string, domains []string) (*ImportRetract, error) {
	r, err := p.importRetract(ctx, organization, id)
	if err != nil {
		return nil, err
	}
	r.Plan.Domains = slices.Sorted(slices.Values(domains))
	r.claims, err = p.Store.ResumeImportClaims(r.imp.OrganizationID, id, mark)
	return r, err
}

// Next takes back the next claims, each in a transaction of its own (see R22), and returns what became of
// them, in the order of the file; none: all are done. A dry run answers as the run would, and changes
// nothing. Claims made, and domains released, since the plan are left alone. With an error it returns what
// was done before; what was not is left as it is, and a new plan goes on with it.
func (r *ImportRetract) Next(ctx context.Context, dryRun bool) (page []schema.Retraction, err error) {
	p := r.people
	rules := p.Rules()
	claims, err := r.claims.Next(ctx, rules, r.Limit)
	if err != nil {
		return nil, fmt.Errorf("list the claims of the import: %w", err)
	}
	page = make([]schema.Retraction, 0, len(claims))
	defer func() { r.undone = len(claims) - len(page) }()
	for i := range claims {
		v := &claims[i].Case
		reason := rules.RetractMade(v, r.imp.ID)
		if _, claimed := slices.BinarySearch(r.Plan.Domains, schema.KeyDomain(v.Key)); claimed && reason == "" {
			reason = schema.CodeDomainClaimed
		}
		email := v.Account.User.Email
		if email == "" { // the account is gone
			if email, err = r.names.find(ctx, claims[i].Line); err != nil {
				return page, err
			}
		}
		if !dryRun && reason == "" {
			err := p.Persist(ctx, func() (err error) {
				reason, err = p.retractMade(ctx, r.imp, v.Key)
				return err
			})
			if err != nil {
				return page, err
			}
		}
		page = append(page, schema.Retraction{Email: email, Retracted: reason == "", Reason: reason})
	}
	return page, nil
}

// rowNames finds the addresses that stand in the file of an import, of lines that come in order.
type rowNames struct {
	store *store.Store
	imp   schema.Import

	opened bool
	file   kept.File
	chunks []int // that were not looked at
	chunk  *kept.Rows
	row    int // of chunk, where the next line may be
}

// find returns the address on a line; blank: it is not known any more.
func (n *rowNames) find(ctx context.Context, line int) (email string, err error) {
	if n.imp.RowsRemoved {
		return "", nil
	}
	if !n.opened {
		if n.file, err = kept.FileOf(n.imp); err != nil {
			return "", err
		}
		if n.chunks, err = n.store.Chunks(ctx, n.imp.OrganizationID, n.imp.ID, false); err != nil {
			return "", fmt.Errorf("list the chunks: %w", err)
		}
		n.opened = true
	}
	for {
		if n.chunk != nil {
			records := &n.chunk.Records
			for ; n.row < records.Len() && records.Line(n.row) <= line; n.row++ {
				if records.Line(n.row) == line {
					return n.file.Layout.Address(records.Cells(n.row)), nil
				}
			}
			if n.row < records.Len() {
				return "", nil
			}
		}
		if len(n.chunks) == 0 {
			return "", nil
		}
		if n.chunk, err = kept.Read(ctx, n.store, n.imp, n.chunks[0], n.file.Plan.Format); err != nil {
			return "", err
		}
		n.chunks, n.row = n.chunks[1:], 0
	}
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
