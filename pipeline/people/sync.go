package people

import (
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/pipeline/directory"
	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/schema"
)

// SyncPlan is what a directory run would do, or has done (see R23).
type SyncPlan struct {
	Rows    []schema.SyncRow // those that put somebody at risk first, each effect by address key
	Counts  map[schema.SyncEffect]int
	Members int // compared with the list
	List    directory.Notes
	Beside  []Beside // members that the list lacks and has otherwise, in its order

	organization string
	missing      []schema.User                // claimed immediately, and not in the list
	changes      []syncChange                 // still to be made
	done         map[string]schema.SyncEffect // what came of those for whom the plan was not right any more, by address
}

// syncChange is one member that a run changes.
type syncChange struct {
	key    string
	listed []string
	row    schema.SyncRow
}

// maxDeactivated is the part of the members, one in so many, that a run deactivates at most unless it is told
// that more is right.
const maxDeactivated = 10

// syncBatch is how many members one transaction of a run changes.
const syncBatch = 1000

// PreviewSync says what a directory run over the list in source would do, and changes nothing. address is the
// column of the addresses; blank: the first that is known. Refused with the codes of files, where the list is
// empty or a row of it cannot be read, and with CodeDirectoryMismatch where it cannot be the organization's.
func (p *People) PreviewSync(ctx context.Context, organization string, source dialect.Source, address string) (*SyncPlan, error) {
	list, err := p.readDirectory(ctx, source, address)
	if err != nil {
		return nil, err
	}
	rules := p.Rules()
	plan := &SyncPlan{Counts: map[schema.SyncEffect]int{}, List: list.Notes, organization: organization, done: map[string]schema.SyncEffect{}}
	w := walk{rest: list.entries}
	matched := 0
	err = p.Store.Members(ctx, rules, organization, store.MemberFilter{}, func(views []claim.View) error {
		for i := range views {
			v := &views[i]
			listed := w.upTo(v.Key, plan.absent)
			matched += len(listed)
			plan.member(rules, v, asSpelt(listed, v.Account.User.Email))
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("compare the members with the list: %w", err)
	}
	if err := p.checkFits(ctx, organization, source, address, list, matched, plan.Members); err != nil {
		return nil, err
	}
	w.end(plan.absent)
	plan.sort()
	if err := p.findBeside(ctx, source, address, plan); err != nil {
		return nil, err
	}
	return plan, nil
}

// PlanSync does what PreviewSync does, for a run: see SyncStep. Refused as that is, with
// CodeDirectorySyncDisabled, and with CodeMassDeactivation where more than a tenth of the members would be
// deactivated, unless allowMass.
func (p *People) PlanSync(ctx context.Context, organization string, source dialect.Source, address string, allowMass bool) (*SyncPlan, error) {
	o, err := p.Store.Organization(ctx, organization)
	if err != nil {
		return nil, err
	}
	if err := claim.CheckDirectorySync(&o); err != nil {
		return nil, err
	}
	plan, err := p.PreviewSync(ctx, organization, source, address)
	if err != nil {
		return nil, err
	}
	if n := plan.Counts[schema.SyncDeactivate]; n*maxDeactivated > plan.Members && !allowMass {
		return nil, schema.Refuse(schema.CodeMassDeactivation, "The run would deactivate %d of %d members, which is more than one in %d.", n, plan.Members, maxDeactivated).
			WithFix("See who they are: claimline sync preview %s. If the list is complete, run again with --allow-mass-deactivate.", source.Name())
	}
	return plan, nil
}

// SyncStep does the next piece of a planned run, in one transaction: it changes members, as far as the plan
// is still right for them. more says that some are left; once none is, the plan says what was done. Stopped
// half-way, a run can be planned again. Refused with CodeDirectorySyncDisabled, which ends the run.
func (p *People) SyncStep(ctx context.Context, plan *SyncPlan) (more bool, err error) {
	part := plan.changes[:min(syncBatch, len(plan.changes))]
	if len(part) > 0 {
		if err := p.syncPart(ctx, plan, part); err != nil {
			return true, err
		}
		plan.changes = plan.changes[len(part):]
	}
	if len(plan.changes) > 0 {
		return true, nil
	}
	plan.amend()
	return false, nil
}

// syncPart changes some members of a plan.
func (p *People) syncPart(ctx context.Context, plan *SyncPlan, part []syncChange) error {
	keys := make([]string, len(part))
	for i := range part {
		keys[i] = part[i].key
	}
	rules := p.Rules()
	err := p.Store.Change(ctx, rules, plan.organization, keys, func(views []claim.View) ([]claim.Effect, error) {
		effects := make([]claim.Effect, len(views))
		for i := range views {
			if err := claim.CheckDirectorySync(views[i].Organization); err != nil { // switched off meanwhile
				return nil, err
			}
			effect := rules.Sync(&views[i], part[i].listed)
			if planned := part[i].row; effect != planned.Effect {
				plan.done[planned.Email] = effect
				continue
			}
			effects[i] = rules.Synced(&views[i], effect)
		}
		return effects, nil
	})
	if err != nil {
		return fmt.Errorf("synchronize members: %w", err)
	}
	return nil
}

// member adds what happens to one account of the organization, or under its claim.
func (s *SyncPlan) member(rules claim.Rules, v *claim.View, listed []string) {
	effect := rules.Sync(v, listed)
	if v.Member() {
		s.Members++
	}
	if effect == "" {
		return
	}
	row := schema.SyncRow{Email: v.Account.User.Email, Effect: effect}
	if len(listed) > 0 {
		row.Listed = listed[0]
	}
	s.add(row)
	if effect == schema.SyncDeactivate || effect == schema.SyncReactivate {
		s.changes = append(s.changes, syncChange{key: v.Key, listed: slices.Clone(listed), row: row})
	}
	if made := v.Account.Claim; made != nil && v.Member() && made.OrganizationID == v.Organization.ID && len(listed) == 0 {
		user := v.Account.User
		user.Profile = user.Edit(made.Edits)
		s.missing = append(s.missing, user)
	}
}

// absent adds somebody who is in the list only.
func (s *SyncPlan) absent(entry directory.Entry) {
	s.add(schema.SyncRow{Email: entry.Email, Effect: schema.SyncNotInOrganization, Listed: entry.Email})
}

func (s *SyncPlan) add(row schema.SyncRow) {
	s.Counts[row.Effect]++
	s.Rows = append(s.Rows, row)
}

// sort puts those at risk first.
func (s *SyncPlan) sort() {
	rank := map[schema.SyncEffect]int{}
	for i, effect := range schema.SyncEffects {
		rank[effect] = i
	}
	slices.SortStableFunc(s.Rows, func(a, b schema.SyncRow) int { return rank[a.Effect] - rank[b.Effect] })
}

// amend makes the plan say what was done, where something else turned out to be right.
func (s *SyncPlan) amend() {
	if len(s.done) == 0 {
		return
	}
	rows := s.Rows
	s.Rows, s.Counts = s.Rows[:0], map[schema.SyncEffect]int{}
	for _, row := range rows {
		if effect, other := s.done[row.Email]; other && row.Effect != schema.SyncNotInOrganization {
			row.Effect = effect
		}
		if row.Effect != "" {
			s.add(row)
		}
	}
	s.sort()
}

// missingColumns are what --missing writes: a directory takes them in.
var missingColumns = []string{"email", "first_name", "last_name", "display_name", "title", "department"}

// WriteMissing writes the users claimed immediately that the list lacks, as CSV, by address key.
func (s *SyncPlan) WriteMissing(to io.Writer) error {
	w := dialect.NewWriter(to, schema.Format{})
	if err := w.Write(missingColumns); err != nil {
		return fmt.Errorf("write the header: %w", err)
	}
	for i := range s.missing {
		u := &s.missing[i]
		if err := w.Write([]string{u.Email, u.FirstName, u.LastName, u.DisplayName, u.Title, u.Department}); err != nil {
			return fmt.Errorf("write a user: %w", err)
		}
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("write the file: %w", err)
	}
	return nil
}
