package pipeline

import (
	"context"
	"hash/maphash"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/schema"
)

// chunk is what travels through the stages: whole rows in file order, and what is known of them so far.
type chunk struct {
	text     dialect.Chunk
	records  dialect.Records
	rows     []row
	verdicts []verdict // one per row
	wishes   []claim.Wish
	version  int64     // of the facts decided on; 0: the rules must be asked again
	until    time.Time // when time itself first changes an account decided on; zero: never
	trimmed  int       // cells that had blanks around them
	err      error     // what ends the file here
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
	key    string // address key; empty: it has none, or counts for no duplicate
	hash   uint64 // of key
	asked  schema.ClaimType
	wishes []claim.Wish // per service of the layout; nil: the file has no service columns
	claimant
}

// cells are the values of one record, one per field of schema.Row, cleaned of blanks and of the spreadsheet guard.
type cells [13]string

// The fields of schema.Row, in their order.
const (
	firstName = iota
	lastName
	displayName
	email
	status
	lastAccess
	title
	department
	phone
	preferredLanguage
	sourceOrganization
	claimType
	claimCell
)

// textFields are the fields that hold free text.
var textFields = [...]int{firstName, lastName, displayName, title, department}

func (c *cells) profile() schema.Profile {
	return schema.Profile{
		FirstName: c[firstName], LastName: c[lastName], DisplayName: c[displayName], Title: c[title],
		Department: c[department], Phone: c[phone], PreferredLanguage: c[preferredLanguage],
	}
}

// validateStage is the second stage: it checks every row by itself, and what is then still in order by the rules R1 to R9.
type validateStage struct {
	pipeline *Pipeline
	order    Order
	layout   *layout
	format   dialect.Format
	clock    claim.Clock
	seed     maphash.Seed
	strict   *strictChecks // nil: the fast checks
	prepares bool          // what claiming the ready rows takes
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
			if c.verdicts[i].finding == nil {
				c.verdicts[i].finding = readyFindings[c.rows[i].asked]
			}
		}
		return nil
	}
	return v.decide(ctx, c)
}

// check makes the row checks, all but the one for duplicates, which needs the order of the file.
func (v *validateStage) check(c *chunk) {
	n := c.records.Len()
	c.trimmed, c.version, c.until = 0, 0, time.Time{}
	c.rows, c.verdicts = cleared(c.rows, n), cleared(c.verdicts, n)
	var wishes []claim.Wish
	if v.layout.hasServices() {
		c.wishes = cleared(c.wishes, n*len(v.layout.names))
		wishes = c.wishes
	}
	decodable := utf8.ValidString(c.text.Text)
	var values cells
	var problems finding
	for i := range n {
		record, r := c.records.Cells(i), &c.rows[i]
		if len(record) != len(v.layout.header) {
			c.verdicts[i].finding = found(schema.CodeFieldCount, "", itoa(len(record))+" instead of "+itoa(len(v.layout.header)))
			continue
		}
		c.trimmed += v.layout.clean(record, &values)
		if wishes != nil {
			r.wishes, wishes = wishes[:len(v.layout.names):len(v.layout.names)], wishes[len(v.layout.names):]
		}
		undecodable := -1
		if !decodable {
			undecodable = slices.IndexFunc(record, func(cell string) bool { return !utf8.ValidString(cell) })
		}
		if v.strict != nil {
			v.strict.check(v.layout, record, &values, undecodable, r, &problems)
		} else {
			v.layout.check(record, &values, undecodable, r, &problems)
		}
		if problems.Outcome != "" {
			c.verdicts[i].finding = new(problems)
			problems = finding{}
		}
		if r.key != "" {
			r.hash = maphash.String(v.seed, r.key)
		}
	}
}

// cleared is n zero values, in the memory of old ones where that is large enough.
func cleared[T any](old []T, n int) []T {
	if cap(old) < n {
		return make([]T, n)
	}
	clear(old[:n])
	return old[:n]
}

// clean reads the record's known cells and returns how many of them had blanks around them.
func (l *layout) clean(record []string, values *cells) (trimmed int) {
	*values = cells{}
	for column, cell := range record {
		field := l.fields[column]
		if field < 0 && l.services[column] < 0 {
			continue
		}
		value, did := dialect.Clean(cell)
		if did&dialect.Trimmed != 0 {
			trimmed++
		}
		if field >= 0 {
			values[field] = value
		}
	}
	return trimmed
}

func (l *layout) hasServices() bool {
	return slices.ContainsFunc(l.services, func(service int) bool { return service >= 0 })
}

// column is the header under which a field of schema.Row stands in this file.
func (l *layout) column(field int) string {
	if column := l.columns[field]; column >= 0 {
		return l.header[column]
	}
	return schema.Columns[field]
}

// check makes the checks of one row: the same, in the same order, as the tags of schema.Row state them, only faster.
// undecodable is the first column whose bytes are no UTF-8, or -1.
func (l *layout) check(record []string, values *cells, undecodable int, r *row, problems *finding) {
	if claims, ok := schema.ParseBool(values[claimCell]); !ok && values[claimCell] != "" {
		problems.add(schema.CodeBooleanInvalid, l.column(claimCell), quote(values[claimCell]))
	} else if ok && !claims {
		problems.add(schema.CodeClaimFalse, "", "")
		return
	}
	key, problem := schema.ParseAddress(values[email])
	if problem != "" {
		problems.add(problem, l.column(email), quote(values[email]))
	}
	r.key = key
	for _, field := range textFields {
		if len(values[field]) > schema.MaxTextRunes && utf8.RuneCountInString(values[field]) > schema.MaxTextRunes {
			problems.add(schema.CodeTextTooLong, l.column(field), quote(values[field]))
		}
	}
	for _, field := range textFields {
		if !schema.ValidText(values[field]) {
			problems.add(schema.CodeTextInvalid, l.column(field), quote(values[field]))
		}
	}
	if undecodable >= 0 {
		problems.add(schema.CodeTextInvalid, l.header[undecodable], quote(record[undecodable]))
	}
	if values[phone] != "" && !schema.ValidPhone(values[phone]) {
		problems.add(schema.CodePhoneInvalid, l.column(phone), quote(values[phone]))
	}
	if values[preferredLanguage] != "" && !validLanguage(values[preferredLanguage]) {
		problems.add(schema.CodeLanguageInvalid, l.column(preferredLanguage), quote(values[preferredLanguage]))
	}
	asked, ok := schema.ParseClaimType(values[claimType])
	if !ok && values[claimType] != "" {
		problems.add(schema.CodeClaimTypeInvalid, l.column(claimType), quote(values[claimType]))
	}
	r.asked = asked
	l.checkServices(record, r, problems)
}

// checkServices reads the service cells.
func (l *layout) checkServices(record []string, r *row, problems *finding) {
	if r.wishes == nil {
		return
	}
	for column, service := range l.services {
		if service < 0 {
			continue
		}
		cell, _ := dialect.Clean(record[column])
		wish, ok := parseWish(cell)
		if !ok {
			problems.add(schema.CodeBooleanInvalid, l.header[column], quote(cell))
		}
		r.wishes[service] = wish
	}
}

// parseWish reads a service cell; ok is false where it is neither blank nor a boolean.
func parseWish(cell string) (wish claim.Wish, ok bool) {
	if cell == "" {
		return claim.Automatic, true
	}
	assign, ok := schema.ParseBool(cell)
	if assign {
		return claim.Assign, ok
	}
	return claim.Withhold, ok
}

// validLanguage is schema.ValidLanguage with a short cut for the plain tags of which files are full.
func validLanguage(tag string) bool {
	switch tag {
	case "en", "sv", "en-US", "en-GB", "sv-SE", "de-DE", "fr-FR", "es-ES", "fi-FI", "da-DK", "nb-NO":
		return true
	}
	return schema.ValidLanguage(tag)
}

// decide looks up the accounts of the rows that have no problem, all at once, and applies the rules to each.
func (v *validateStage) decide(ctx context.Context, c *chunk) error {
	good := make([]int, 0, len(c.rows))
	for i := range c.rows {
		if c.verdicts[i].finding == nil {
			good = append(good, i)
		}
	}
	if len(good) == 0 {
		return nil
	}
	slices.SortFunc(good, func(a, b int) int { return strings.Compare(c.rows[a].key, c.rows[b].key) })
	keys := make([]string, 0, len(good))
	for _, i := range good {
		if key := c.rows[i].key; len(keys) == 0 || keys[len(keys)-1] != key {
			keys = append(keys, key)
		}
	}
	facts, err := v.pipeline.Store.Facts(ctx, v.order.Organization, keys)
	if err != nil {
		return err
	}
	c.version = facts.Version
	var values cells
	at := 0 // key of the row
	for _, i := range good {
		r := &c.rows[i]
		if keys[at] != r.key {
			at++
		}
		account := &facts.Accounts[at]
		decision := v.clock.Decide(&facts.Claiming, facts.Domains[schema.KeyDomain(r.key)], *account, r.asked)
		c.verdicts[i].take(decision, v.layout)
		if v.prepares && decision.Outcome == schema.Ready {
			v.layout.clean(c.records.Cells(i), &values)
			r.claimant = newClaimant(account, values.profile())
			if due := v.clock.NextDue(*account); !due.IsZero() && !due.After(v.clock.Now) {
				c.version = 0 // decided as of now, on what is not written yet
			} else {
				c.until = earliest(c.until, due)
			}
		}
	}
	return nil
}

// take makes a decision the verdict's.
func (v *verdict) take(d claim.Decision, l *layout) {
	switch {
	case d.Outcome != schema.Ready:
		v.finding = &finding{Outcome: d.Outcome, Reasons: d.Reasons}
		if d.Reasons[0] == schema.CodeStaleClaimType {
			v.Column = l.column(claimType)
		}
	case len(d.Warnings) == 0:
		v.finding = readyFindings[d.Type]
	default:
		v.finding = contentStays
	}
}

// What most rows find.
var (
	readyFindings = map[schema.ClaimType]*finding{
		"":               {Outcome: schema.Ready}, // offline: nobody knows
		schema.Immediate: {Outcome: schema.Ready, Type: schema.Immediate},
		schema.Delayed:   {Outcome: schema.Ready, Type: schema.Delayed},
	}
	contentStays = &finding{Outcome: schema.Ready, Type: schema.Immediate, Warnings: []string{string(schema.CodeContentNotTransferred)}} // R11
)

// beforeLicenses is what a ready row had found before licences were given out.
func (v *verdict) beforeLicenses() *finding {
	if slices.Contains(v.Warnings, contentStays.Warnings[0]) {
		return contentStays
	}
	return readyFindings[v.Type]
}

// quote shows a cell in a message: shortened, on one line, with everything that is not plain text escaped.
func quote(cell string) string { return strconv.Quote(shorten(cell)) }

func shorten(s string) string {
	const most = 40
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most]) + "…"
}
