package pipeline

import (
	"context"
	"hash/maphash"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/pipeline/usersfile"
	"github.com/claimline/claimline/schema"
)

// chunk is what travels through the stages: whole rows in file order, and what is known of them so far.
type chunk struct {
	text     dialect.Chunk
	records  dialect.Records
	rows     []row
	verdicts []verdict // one per record
	wishes   []claim.Wish
	version  int64     // of the facts decided on; 0: the rules must be asked again
	until    time.Time // when time itself first changes an account decided on; zero: never
	repairs  usersfile.Repairs
	marks    usersfile.Marks
	missing  int   // rows that lack blank cells at their end
	surplus  int   // rows with blank cells beyond the header's
	repeated int   // records that are the header once more
	err      error // what ends the file here
}

// spentChunks are chunks of one run that have come to its end: their memory serves the next ones. (A sync.Pool would be
// emptied by the collector about as often as a chunk comes by.)
type spentChunks chan *chunk

func (s spentChunks) get() *chunk {
	select {
	case c := <-s:
		return c
	default:
		return &chunk{}
	}
}

func (s spentChunks) put(c *chunk) {
	select {
	case s <- c:
	default:
	}
}

// row is what later stages need of a record.
type row struct {
	usersfile.Row
	hash uint64 // of the address key; 0: the row counts for no duplicate
	target
}

// validateStage is the second stage: it checks every row by itself, and what is then still in order by the rules R1 to R9.
type validateStage struct {
	pipeline *Pipeline
	order    Order
	layout   *usersfile.Layout
	format   dialect.Format
	clock    claim.Clock
	seed     maphash.Seed
	strict   *usersfile.Strict // nil: the fast checks
	prepares bool              // what claiming the ready rows takes
}

// chunk validates one chunk; several may be under way at once.
func (v *validateStage) chunk(ctx context.Context, c *chunk) error {
	if c.err != nil {
		return c.err
	}
	if err := c.text.Parse(v.format, &c.records); err != nil {
		return err
	}
	v.check(c)
	if v.order.Offline {
		for i := range c.verdicts {
			if c.verdicts[i].Finding == nil {
				c.verdicts[i].Finding = readyFindings[c.rows[i].Asked]
			}
		}
		return nil
	}
	return v.decide(ctx, c)
}

// check makes the row checks, all but those on other rows with the same address, which need the order of the file.
func (v *validateStage) check(c *chunk) {
	n := c.records.Len()
	c.version, c.until = 0, time.Time{}
	c.repairs, c.marks, c.missing, c.surplus, c.repeated = usersfile.Repairs{}, usersfile.Marks{}, 0, 0, 0
	c.rows, c.verdicts = cleared(c.rows, n), cleared(c.verdicts, n)
	services := len(v.layout.Services())
	var wishes []claim.Wish
	if v.layout.HasServices() {
		c.wishes = cleared(c.wishes, n*services)
		wishes = c.wishes
	}
	decodable := utf8.ValidString(c.text.Text)
	undecodable := -1
	var values usersfile.Values
	var problems schema.Finding
	for i := range n {
		record, fitted := v.layout.Fit(&c.records, i, v.format)
		if fitted&dialect.Ragged != 0 {
			c.verdicts[i].Finding = v.fieldCount(c, i)
			continue
		}
		if fitted&dialect.Missing != 0 {
			c.missing++
		}
		if fitted&dialect.Surplus != 0 {
			c.surplus++
		}
		r, before := &c.rows[i], c.repairs
		v.layout.Read(record, &values, &c.repairs)
		if wishes != nil {
			r.Assignments, wishes = wishes[:services:services], wishes[services:]
		}
		if !decodable {
			undecodable = firstUndecodable(record)
		}
		v.checkRow(record, &values, undecodable, r, &c.repairs, &problems)
		if problems.Outcome != "" {
			if r.Key == "" && dialect.IsHeader(v.layout.Header, record) {
				c.repeated++
				c.repairs = before
				c.verdicts[i].Finding = noRow
				problems = schema.Finding{}
				continue
			}
			c.verdicts[i].Finding = new(problems)
			problems = schema.Finding{}
		}
		if v.layout.Watches() {
			v.layout.Mark(record, &c.marks)
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
func (v *validateStage) checkRow(record []string, values *usersfile.Values, undecodable int, r *row, n *usersfile.Repairs, problems *schema.Finding) {
	if v.strict != nil {
		v.strict.Check(v.layout, record, values, undecodable, &r.Row, n, problems)
		return
	}
	v.layout.Check(record, values, undecodable, &r.Row, n, problems)
}

// fieldCount says how a record's count of cells is wrong.
func (v *validateStage) fieldCount(c *chunk, i int) *schema.Finding {
	next := c.records.Line(i) + 1
	switch last := c.records.Len() - 1; {
	case i < last:
		next = c.records.Line(i + 1)
	case !strings.HasSuffix(c.text.Text, "\n"):
		next = 0 // the file ends here
	}
	record := c.records.Cells(i)
	return v.layout.FieldCount(record, v.format, next)
}

// cleared is n zero values, in the memory of old ones where that is large enough.
func cleared[T any](old []T, n int) []T {
	if cap(old) < n {
		return make([]T, n)
	}
	clear(old[:n])
	return old[:n]
}

// decide looks up the accounts of the rows that have no problem, all at once, and applies the rules to each.
func (v *validateStage) decide(ctx context.Context, c *chunk) error {
	good := make([]int, 0, len(c.rows))
	for i := range c.rows {
		if c.verdicts[i].Finding == nil || c.rows[i].Unsigned {
			good = append(good, i)
		}
	}
	if len(good) == 0 {
		return nil
	}
	slices.SortFunc(good, func(a, b int) int { return strings.Compare(c.rows[a].Key, c.rows[b].Key) })
	keys := make([]string, 0, len(good))
	for _, i := range good {
		if key := c.rows[i].Key; len(keys) == 0 || keys[len(keys)-1] != key {
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
	c.version = facts.Version
	var unknown []int // rows whose address no account has
	at := 0           // key of the row
	for _, i := range good {
		r := &c.rows[i]
		if r.Key == "" {
			continue
		}
		if keys[at] != r.Key {
			at++
		}
		v.decideRow(c, i, &facts, &facts.Accounts[at])
		if c.verdicts[i].Finding != nil && len(c.verdicts[i].Reasons) > 0 && c.verdicts[i].Reasons[0] == schema.CodeUserNotFound {
			unknown = append(unknown, i)
		}
	}
	return v.suspect(ctx, c, unknown)
}

// decideRow applies the rules to one row.
func (v *validateStage) decideRow(c *chunk, i int, facts *claim.Facts, account *claim.Account) {
	r, verdict := &c.rows[i], &c.verdicts[i]
	now := v.clock.AsOf(*account)
	var values usersfile.Values
	record, _ := v.layout.Fit(&c.records, i, v.format)
	v.layout.Read(record, &values, &usersfile.Repairs{})
	ownPhone := r.Unsigned && now.User.Phone == "+"+values[usersfile.Phone]
	if ownPhone { // that a spreadsheet has taken the + off is neither a fault nor an edit
		values[usersfile.Phone] = ""
		var problems schema.Finding
		v.checkRow(record, &values, firstUndecodable(record), r, &usersfile.Repairs{}, &problems)
		verdict.Finding = nil
		if problems.Outcome != "" {
			verdict.Finding = &problems
		}
	}
	if verdict.Finding != nil {
		return
	}
	domain := schema.KeyDomain(r.Key)
	decision := v.clock.Decide(&facts.Claiming, facts.Domains[domain], now, r.Asked)
	if decision.Outcome != schema.Ready {
		verdict.refuse(decision, v.layout, domain, v.clock.TypeFor, facts, &now)
		return
	}
	var doubtful []usersfile.Field
	if !v.order.NoEdits {
		usersfile.Spell(&values, &usersfile.Repairs{})
		verdict.edits, doubtful = usersfile.Compare(&now.User.Profile, &values, nil)
	}
	verdict.Finding = readyFinding(decision, doubtful)
	if !v.prepares {
		return
	}
	r.target = target{Seen: store.Seen{Account: now.ID, Version: now.Version}, status: now.User.Status}
	if due := v.clock.NextDue(*account); !due.IsZero() && !due.After(v.clock.Now) {
		c.version = 0 // decided as of now, on what is not written yet
	} else {
		c.until = earliest(c.until, due)
	}
}

// suspect looks for what keeps addresses that no account has from being those that are meant.
func (v *validateStage) suspect(ctx context.Context, c *chunk, unknown []int) error {
	suspicions := map[int]usersfile.Suspicion{}
	var keys []string
	for _, i := range unknown {
		if s, ok := usersfile.Suspect(v.layout.Address(c.records.Cells(i))); ok {
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
		f := *c.verdicts[i].Finding
		switch {
		case s.Hint == schema.HintLookAlike:
			f.Explain(s.Hint, s.Letter, known)
		case known != "":
			f.Explain(s.Hint, known)
		}
		c.verdicts[i].Finding = &f
	}
	return nil
}

// refuse makes the decision not to claim the verdict's.
func (v *verdict) refuse(d claim.Decision, l *usersfile.Layout, domain string, typeFor func(claiming, source *schema.Organization) schema.ClaimType, facts *claim.Facts, account *claim.Account) {
	v.Finding = &schema.Finding{Outcome: d.Outcome, Reasons: d.Reasons}
	switch d.Reasons[0] {
	case schema.CodeStaleClaimType:
		v.Column = l.Column(usersfile.ClaimType)
		v.Details = []string{string(typeFor(&facts.Claiming, account.Organization))}
	case schema.CodeDomainNotVerified, schema.CodeDomainClaimedElsewhere:
		v.Details = []string{domain}
	}
}

// readyFinding is what a row finds that can be claimed.
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
	contentStays = &schema.Finding{Outcome: schema.Ready, Type: schema.Immediate, Warnings: []string{string(schema.CodeContentNotTransferred)}} // R11
)
