package pipeline

import (
	"cmp"
	"context"
	"hash/maphash"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/pipeline/kept"
	"github.com/claimline/claimline/pipeline/usersfile"
	"github.com/claimline/claimline/schema"
)

// block is what travels through the stages of planning: whole rows in file order, and what is known of them
// so far.
type block struct {
	text dialect.Block
	kept.Rows
	checked     []checkedRow // one per record
	assignments []claim.Assignment
	ready       kept.Ready // its rows are added once the verdicts stand
	repairs     usersfile.Repairs
	marks       usersfile.Marks
	missing     int   // rows that lack blank cells at their end
	surplus     int   // rows with blank cells beyond the header's
	repeated    int   // records that are the header once more
	err         error // what ends the file here
}

// spentBlocks are blocks of one run that have come to its end: their memory serves the next ones. (A
// sync.Pool would be emptied by the collector about as often as a block comes by.)
type spentBlocks chan *block

func (s spentBlocks) get() *block {
	select {
	case b := <-s:
		return b
	default:
		return &block{}
	}
}

func (s spentBlocks) put(b *block) {
	select {
	case s <- b:
	default:
	}
}

// checkedRow is what later stages need of a record.
type checkedRow struct {
	usersfile.Row
	hash uint64 // of the address key; 0: the row counts for no duplicate
	kept.Target
}

// validator is the second stage: it checks every row by itself, and what is then still in order by the rules
// (see R1 to R9).
type validator struct {
	pipeline *Flow
	order    schema.Order
	layout   *usersfile.Layout
	format   schema.Format
	rules    claim.Rules
	seed     maphash.Seed
	strict   *usersfile.Strict // nil: the fast checks
	prepares bool              // what claiming the ready rows takes
}

// validate validates one block; several may be under way at once.
func (v *validator) validate(ctx context.Context, b *block) error {
	if b.err != nil {
		return b.err
	}
	if err := b.text.Parse(v.format, &b.Records); err != nil {
		return err
	}
	v.check(b)
	if v.order.Offline {
		for i := range b.Verdicts {
			if b.Verdicts[i].Finding == nil {
				b.Verdicts[i].Finding = readyFindings[b.checked[i].Asked]
			}
		}
		return nil
	}
	return v.decide(ctx, b)
}

// check makes the row checks, all but those on other rows with the same address, which need the order of the
// file.
func (v *validator) check(b *block) {
	n := b.Records.Len()
	b.ready = kept.Ready{Rows: b.ready.Rows[:0]}
	b.repairs, b.marks, b.missing, b.surplus, b.repeated = usersfile.Repairs{}, usersfile.Marks{}, 0, 0, 0
	b.checked, b.Verdicts = cleared(b.checked, n), cleared(b.Verdicts, n)
	services := len(v.layout.Services())
	var assignments []claim.Assignment
	if v.layout.HasServices() {
		b.assignments = cleared(b.assignments, n*services)
		assignments = b.assignments
	}
	decodable := utf8.ValidString(b.text.Text)
	undecodable := -1
	var values usersfile.Values
	var problems schema.Finding
	for i := range n {
		record, fitted := v.layout.Fit(&b.Records, i, v.format)
		if fitted&dialect.Ragged != 0 {
			b.Verdicts[i].Finding = v.fieldCount(b, i)
			continue
		}
		if fitted&dialect.Missing != 0 {
			b.missing++
		}
		if fitted&dialect.Surplus != 0 {
			b.surplus++
		}
		r, before := &b.checked[i], b.repairs
		v.layout.Read(record, &values, &b.repairs)
		if assignments != nil {
			r.Assignments, assignments = assignments[:services:services], assignments[services:]
		}
		if !decodable {
			undecodable = firstUndecodable(record)
		}
		v.checkRow(record, &values, undecodable, r, &b.repairs, &problems)
		if problems.Outcome != "" {
			if r.Key == "" && dialect.IsHeader(v.layout.Header, record) {
				b.repeated++
				b.repairs = before
				b.Verdicts[i].Finding = kept.NoRow
				problems = schema.Finding{}
				continue
			}
			b.Verdicts[i].Finding = new(problems)
			problems = schema.Finding{}
		}
		if v.layout.Watches() {
			v.layout.Mark(record, &b.marks)
		}
		if r.Key != "" {
			r.hash = maphash.String(v.seed, r.Key)
		}
	}
}

// firstUndecodable returns the first column whose bytes are no UTF-8, or -1.
func firstUndecodable(record []string) int {
	return slices.IndexFunc(record, func(cell string) bool { return !utf8.ValidString(cell) })
}

// checkRow makes the checks of one row.
func (v *validator) checkRow(record []string, values *usersfile.Values, undecodable int, r *checkedRow, n *usersfile.Repairs, problems *schema.Finding) {
	if v.strict != nil {
		v.strict.Check(v.layout, record, values, undecodable, &r.Row, n, problems)
		return
	}
	v.layout.Check(record, values, undecodable, &r.Row, n, problems)
}

// fieldCount says how a record's count of cells is wrong.
func (v *validator) fieldCount(b *block, i int) *schema.Finding {
	next := b.Records.Line(i) + 1
	switch last := b.Records.Len() - 1; {
	case i < last:
		next = b.Records.Line(i + 1)
	case !strings.HasSuffix(b.text.Text, "\n"):
		next = 0 // the file ends here
	}
	record := b.Records.Cells(i)
	return v.layout.FieldCount(record, v.format, next)
}

// cleared returns n zero values, in the memory of old ones where that is large enough.
func cleared[T any](old []T, n int) []T {
	if cap(old) < n {
		return make([]T, n)
	}
	clear(old[:n])
	return old[:n]
}

// decide looks up the accounts of the rows that have no problem, or one that the account may excuse, all at
// once, and applies the rules to each.
func (v *validator) decide(ctx context.Context, b *block) error {
	good := make([]int, 0, len(b.checked))
	for i := range b.checked {
		if b.Verdicts[i].Finding == nil || b.checked[i].Unsigned {
			good = append(good, i)
		}
	}
	if len(good) == 0 {
		return nil
	}
	slices.SortFunc(good, func(x, y int) int { return strings.Compare(b.checked[x].Key, b.checked[y].Key) })
	keys := make([]string, 0, len(good))
	for _, i := range good {
		if key := b.checked[i].Key; len(keys) == 0 || keys[len(keys)-1] != key {
			keys = append(keys, key)
		}
	}
	if keys[0] == "" { // of a row whose phone may be right and whose address is not
		keys = keys[1:]
	}
	facts, err := v.pipeline.Store.Facts(ctx, v.order.Organization, keys)
	if err != nil {
		return err
	}
	b.ready.Version = facts.Version
	var unknown []int // rows whose address no account has
	at := 0           // key of the row
	for _, i := range good {
		r := &b.checked[i]
		if r.Key == "" {
			continue
		}
		if keys[at] != r.Key {
			at++
		}
		v.decideRow(b, i, &facts, &facts.Accounts[at])
		if b.Verdicts[i].Finding != nil && len(b.Verdicts[i].Reasons) > 0 && b.Verdicts[i].Reasons[0] == schema.CodeUserNotFound {
			unknown = append(unknown, i)
		}
	}
	return v.suspect(ctx, b, unknown)
}

// decideRow applies the rules to one row.
func (v *validator) decideRow(b *block, i int, facts *claim.Facts, account *claim.Account) {
	r, verdict := &b.checked[i], &b.Verdicts[i]
	now := v.rules.AsOf(*account)
	ownPhone := r.Unsigned && v.excusePhone(b, i, &now)
	if verdict.Finding != nil {
		return
	}
	domain := schema.KeyDomain(r.Key)
	decision := v.rules.Decide(&facts.Claiming, facts.Domains[domain], now, r.Asked)
	if decision.Outcome != schema.Ready {
		refuse(verdict, decision, v.layout, domain, v.rules, facts, &now)
		return
	}
	var doubtful []usersfile.Field
	if !v.order.NoEdits {
		values := v.editable(b, i)
		if ownPhone {
			values[usersfile.Phone] = ""
		}
		verdict.Edits, doubtful = usersfile.Compare(&now.User.Profile, &values)
	}
	verdict.Finding = readyFinding(decision, doubtful)
	if !v.prepares {
		return
	}
	r.Target = kept.NewTarget(&now)
	if due := v.rules.NextDue(*account); !due.IsZero() && !due.After(v.rules.Now) {
		b.ready.Version = 0 // decided as of now, on what is not written yet
	} else {
		b.ready.Expire(due)
	}
}

// excusePhone reports whether a phone that lacks the + is the account's own: that a spreadsheet has taken it
// off is neither a fault nor an edit. The row is checked again without it then.
func (v *validator) excusePhone(b *block, i int, account *claim.Account) bool {
	var values usersfile.Values
	record, _ := v.layout.Fit(&b.Records, i, v.format)
	v.layout.Read(record, &values, &usersfile.Repairs{})
	if account.User.Phone != "+"+values[usersfile.Phone] {
		return false
	}
	values[usersfile.Phone] = ""
	var problems schema.Finding
	v.checkRow(record, &values, firstUndecodable(record), &b.checked[i], &usersfile.Repairs{}, &problems)
	b.Verdicts[i].Finding = nil
	if problems.Outcome != "" {
		b.Verdicts[i].Finding = &problems
	}
	return true
}

// editable returns what a row says of the account's data, spelt as accounts have it.
func (v *validator) editable(b *block, i int) (values usersfile.Values) {
	record, _ := v.layout.Fit(&b.Records, i, v.format)
	v.layout.ReadEditable(record, &values)
	usersfile.Spell(&values, &usersfile.Repairs{})
	return values
}

// suspect looks for what keeps addresses that no account has from being those that are meant.
func (v *validator) suspect(ctx context.Context, b *block, unknown []int) error {
	suspicions := map[int]usersfile.Suspicion{}
	var keys []string
	for _, i := range unknown {
		if s, ok := usersfile.Suspect(v.layout.Address(b.Records.Cells(i))); ok {
			suspicions[i] = s
			if s.Key != "" {
				keys = append(keys, s.Key)
			}
		}
	}
	if len(suspicions) == 0 {
		return nil
	}
	slices.Sort(keys)
	keys = slices.Compact(keys)
	facts, err := v.pipeline.Store.Facts(ctx, v.order.Organization, keys)
	if err != nil {
		return err
	}
	for i, s := range suspicions {
		var known string
		if at, found := slices.BinarySearch(keys, s.Key); found && facts.Accounts[at].ID != 0 {
			known = facts.Accounts[at].User.Email
		}
		f := *b.Verdicts[i].Finding
		switch {
		case s.Hint == schema.HintLookAlike:
			f.Explain(s.Hint, s.Letter, known)
		case known != "":
			f.Explain(s.Hint, known)
		}
		b.Verdicts[i].Finding = &f
	}
	return nil
}

// refuse makes the decision not to claim the verdict's.
func refuse(v *kept.Verdict, d claim.Decision, l *usersfile.Layout, domain string, rules claim.Rules, facts *claim.Facts, account *claim.Account) {
	v.Finding = &schema.Finding{Outcome: d.Outcome, Reasons: d.Reasons}
	switch d.Reasons[0] {
	case schema.CodeStaleClaimType:
		v.Column = l.Column(usersfile.ClaimType)
		v.Details = []string{string(rules.TypeFor(&facts.Claiming, account.Organization))}
	case schema.CodeDomainNotVerified, schema.CodeDomainClaimedElsewhere:
		v.Details = []string{domain}
	case schema.CodeDomainVerifiedElsewhere:
		_, overlapping := rules.Elsewhere(&facts.Claiming, facts.Domains[domain])
		v.Details = []string{cmp.Or(overlapping, domain)}
	}
}

// readyFinding returns what a row finds that can be claimed.
func readyFinding(d claim.Decision, doubtful []usersfile.Field) *schema.Finding {
	f := readyFindings[d.Type]
	if len(d.Warnings) > 0 {
		f = contentStays
	}
	if len(doubtful) == 0 {
		return f
	}
	doubted := *f
	doubted.Warnings = slices.Clip(doubted.Warnings)
	for _, field := range doubtful {
		doubted.Warnings = append(doubted.Warnings, schema.Warning(schema.CodeEditDoubtful, field.Name()))
	}
	return &doubted
}

// What most rows find.
var (
	readyFindings = map[schema.ClaimType]*schema.Finding{
		"":               {Outcome: schema.Ready}, // offline: nobody knows
		schema.Immediate: {Outcome: schema.Ready, Type: schema.Immediate},
		schema.Delayed:   {Outcome: schema.Ready, Type: schema.Delayed},
	}
	contentStays = &schema.Finding{Outcome: schema.Ready, Type: schema.Immediate, Warnings: []string{string(schema.CodeContentNotTransferred)}} // see R11
)
