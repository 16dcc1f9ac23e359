package people

import (
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/schema"
)

// SyncPlan is what a directory run would do, or has done (R23).
type SyncPlan struct {
	Rows    []schema.SyncRow // those that put somebody at risk first, each effect by address key
	Counts  map[schema.SyncEffect]int
	Members int // compared with the list
	List    DirectoryNotes

	missing []schema.User // claimed immediately, and not in the list
	changes []syncChange
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
	plan := &SyncPlan{Counts: map[schema.SyncEffect]int{}, List: list.notes}
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
	return plan, nil
}

// RunSync does what PreviewSync says, after agreed, which is given the plan. Members are changed some at a
// time, each by the rules as they then apply: stopped half-way, it can be run again. The plan it returns says
// what was done. Refused with CodeDirectorySyncDisabled, and with CodeMassDeactivation where more than a
// tenth of the members would be deactivated, unless allowMass.
func (p *People) RunSync(ctx context.Context, organization string, source dialect.Source, address string, allowMass bool, agreed func(*SyncPlan) error) (*SyncPlan, error) {
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
	if err := agreed(plan); err != nil {
		return nil, err
	}
	done := map[string]schema.SyncEffect{}
	for part := range slices.Chunk(plan.changes, syncBatch) {
		if err := p.syncPart(ctx, organization, part, done); err != nil {
			return nil, err
		}
	}
	plan.amend(done)
	return plan, nil
}

// syncPart changes some members, as far as the plan is still right; done gets what came of those for whom it
// is not.
func (p *People) syncPart(ctx context.Context, organization string, part []syncChange, done map[string]schema.SyncEffect) error {
	keys := make([]string, len(part))
	for i := range part {
		keys[i] = part[i].key
	}
	rules := p.Rules()
	err := p.Store.Change(ctx, rules, organization, keys, func(views []claim.View) ([]claim.Effect, error) {
		effects := make([]claim.Effect, len(views))
		for i := range views {
			if err := claim.CheckDirectorySync(views[i].Organization); err != nil { // switched off meanwhile
				return nil, err
			}
			effect := rules.Sync(&views[i], part[i].listed)
			if planned := part[i].row; effect != planned.Effect {
				done[planned.Email] = effect
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
func (s *SyncPlan) absent(entry directoryEntry) {
	s.add(schema.SyncRow{Email: entry.email, Effect: schema.SyncNotInOrganization, Listed: entry.email})
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
func (s *SyncPlan) amend(done map[string]schema.SyncEffect) {
	if len(done) == 0 {
		return
	}
	rows := s.Rows
	s.Rows, s.Counts = s.Rows[:0], map[schema.SyncEffect]int{}
	for _, row := range rows {
		if effect, other := done[row.Email]; other && row.Effect != schema.SyncNotInOrganization {
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
