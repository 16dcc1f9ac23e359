package handoff

import (
	"context"
	"encoding/hex"
	"errors"
	"hash/maphash"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/pipeline/directory"
	"github.com/claimline/claimline/pipeline/handoff/folder"
	"github.com/claimline/claimline/pipeline/kept"
	"github.com/claimline/claimline/pipeline/report"
	"github.com/claimline/claimline/pipeline/stage"
	"github.com/claimline/claimline/pipeline/usersfile"
	"github.com/claimline/claimline/schema"
)

// Handoff checks files, and makes hand-offs of them.
type Handoff struct {
	Now     func() time.Time // the clock
	Policy  schema.Policy
	Limits  dialect.Limits
	Workers int       // blocks worked on at once, at least 1
	Saw     func(int) // is told how many rows have come by; nil: nobody wants to know
	By      string    // who hands off, as in terminal:root
	Version string    // of the program
}

// Request says what is to be handed off, and what it is held against.
type Request struct {
	Source    dialect.Source
	Template  dialect.Source // nil: the headers of the source itself
	Users     dialect.Source // a fresh users export; nil: none
	Directory dialect.Source // the employer's directory; nil: none
	Address   string         // the column of its addresses; blank: the first that is known
	Domains   []string       // keys of the domains that are ours; nil: any
	Mode      folder.Mode
	Order     schema.Order // how the source is read
}

// Notice is something about the file as a whole that Control Hub would not take as it is.
type Notice struct {
	Code    schema.Code `json:"code"`
	Column  string      `json:"column,omitempty"`
	Message schema.Text `json:"message"`
	Fix     schema.Text `json:"fix"`
	Mended  bool        `json:"mended"` // in the parts that Make makes
}

// Survey is what a hand-off of a file would do. Rows that are ready are handed off.
type Survey struct {
	*schema.Plan

	Mode      folder.Mode
	Template  string // the file; blank: the source itself
	Services  []folder.Effect
	Notices   []Notice
	Missing   []string // columns of the template that the source has not
	Written   []string // headers that parts have
	Members   int      // rows ready that the users export lists
	Ignored   int      // cells FALSE that the mode ignores
	Directory *directory.List
}

// Wrong counts what wants somebody's attention: rows, and what of the file as a whole is not mended in
// parts.
func (s *Survey) Wrong() int {
	n := s.Plan.Tally.Problems()
	for i := range s.Notices {
		if !s.Notices[i].Mended {
			n++
		}
	}
	return n
}

// survey is a pass over a file, ready to run, and what it finds out.
type survey struct {
	*Handoff
	request  Request
	template *template
	reader   *dialect.Reader
	checker  *checker
	seen     *usersfile.Seen
	spelt    spellings
	marks    usersfile.Marks
	causes   kept.Causes
	edits    [usersfile.Fields]schema.ColumnEdits
	carries  []uint64         // of all rows that are ready
	ready    [][]uint64       // by number of block, a bit for each record: the row is handed off
	blanked  map[[2]int][]int // by block and record: pairs whose cells are not written
	counts   []folder.Effect  // per service of the source
	plan     *Survey
}

// blockRows is how many rows a block has in which a file is read. More cost memory and gain nothing.
const blockRows = 2500

func (h *Handoff) limits() dialect.Limits {
	limits := h.Limits
	if limits.BlockRows == 0 {
		limits.BlockRows = blockRows
	}
	return limits
}

// Check finds out what a hand-off of the file would do, and changes nothing. to, where it is not nil, is
// written as the rows come by. Refused as a whole with the codes of files.
func (h *Handoff) Check(ctx context.Context, request Request, to *report.Report) (*Survey, error) {
	started := h.now()
	s, rows, err := h.survey(ctx, request, to)
	if err != nil {
		return nil, err
	}
	if rows != nil {
		if err := rows.End(report.Whole{Summary: s.plan.Summary(request.Order, started, h.now()), Order: request.Order}); err != nil {
			return nil, err
		}
	}
	return s.plan, nil
}

// now returns the time in whole seconds.
func (h *Handoff) now() time.Time { return h.Now().UTC().Truncate(time.Second) }

// survey reads a file to its end, once more where two rows contradict each other and the earlier one had
// gone by when the later one was read. The report is left open.
func (h *Handoff) survey(ctx context.Context, request Request, to *report.Report) (*survey, *report.Writer, error) {
	s, err := h.open(ctx, request)
	if err != nil {
		return nil, nil, err
	}
	if to != nil && !to.Rewinds() && s.checker.layout.Has(usersfile.Claim) {
		// What makes a report begin again has to be known before it begins.
		if err := s.run(ctx, nil); err != nil {
			return nil, nil, err
		}
		if err := s.again(ctx); err != nil {
			return nil, nil, err
		}
	}
	for {
		var rows *report.Writer
		var each func(*block) error
		if to != nil {
			if rows, err = to.Begin(s.checker.layout, s.checker.format, schema.Organization{}, h.Policy); err != nil {
				return nil, nil, err
			}
			each = func(b *block) error { return rows.Write(&b.Rows) }
		}
		if err := s.run(ctx, each); err != nil || !s.seen.Late() {
			return s, rows, err
		}
		if err := s.again(ctx); err != nil {
			return nil, nil, err
		}
	}
}

// open opens a request's files, and reads those that rows are held against.
func (h *Handoff) open(ctx context.Context, request Request) (*survey, error) {
	request.Source = dialect.InSheet(request.Source, request.Order.Sheet)
	s := &survey{Handoff: h, request: request, seen: &usersfile.Seen{}}
	own := request.Template == nil
	source, options := request.Template, dialect.Options{Limits: h.limits()}
	if own {
		source, options.Encoding, options.Names = request.Source, request.Order.Encoding, usersfile.OptionsOf(request.Order, false).EmailHeaders()
	}
	var err error
	if s.template, err = readTemplate(ctx, source, options, own); err != nil {
		return nil, err
	}
	c := &checker{template: s.template, mode: request.Mode, seed: maphash.MakeSeed()}
	for _, domain := range request.Domains {
		if c.domains == nil {
			c.domains = map[string]bool{}
		}
		c.domains[domain] = true
	}
	s.checker = c
	if err := s.openSource(ctx); err != nil {
		return nil, err
	}
	c.pairs, c.services = pairsOf(s.template, c.layout)
	c.words = (len(c.pairs) + 63) / 64
	for n := range c.pairs {
		if c.pairs[n].calling {
			c.callings = append(c.callings, n)
		}
	}
	if request.Users != nil {
		if c.users, err = readUsers(ctx, request.Users, s.template, c.wanted(), c.seed, h.limits()); err != nil {
			return nil, err
		}
	}
	var list *directory.List
	if request.Directory != nil {
		if c.directory, list, err = readPeople(ctx, request.Directory, request.Address, c.seed, h.limits()); err != nil {
			return nil, err
		}
	}
	s.begin()
	s.plan.Directory = list
	return s, nil
}

// wanted returns the columns of the template that rows are compared in: those of the file, names, and what a
// Calling licence needs.
func (c *checker) wanted() []int {
	var wanted []int
	for i := range c.template.columns {
		t := &c.template.columns[i]
		if t.name != "" && neededForCalling(t.name) || t.kind == nameKind || slices.ContainsFunc(c.pairs, func(p pair) bool { return p.number == i }) {
			wanted = append(wanted, i)
		}
	}
	return wanted
}

// openSource opens the file itself, at its first row.
func (s *survey) openSource(ctx context.Context) error {
	source, order := s.request.Source, s.request.Order
	reader, err := dialect.NewReader(ctx, source, dialect.Options{
		Limits: s.limits(), Encoding: order.Encoding, Names: usersfile.OptionsOf(order, false).EmailHeaders(),
	})
	if err != nil {
		return err
	}
	if !reader.Found() {
		return usersfile.EmailColumnMissing(ctx, source.Name(), reader)
	}
	options := usersfile.OptionsOf(order, reader.Mojibake() && order.Encoding == "")
	if s.checker.layout, err = s.template.layoutOf(source.Name(), reader, options); err != nil {
		return err
	}
	s.reader, s.checker.format = reader, reader.Format()
	return nil
}

// again makes the survey ready for another pass, which knows what this one found out.
func (s *survey) again(ctx context.Context) error {
	s.seen = s.seen.Again()
	list := s.plan.Directory
	if err := s.openSource(ctx); err != nil {
		return err
	}
	s.begin()
	s.plan.Directory = list
	return nil
}

// begin clears what a pass counts.
func (s *survey) begin() {
	l := s.checker.layout
	s.spelt, s.marks, s.causes, s.edits = spellings{}, usersfile.Marks{}, kept.Causes{}, [usersfile.Fields]schema.ColumnEdits{}
	s.carries, s.ready, s.blanked = make([]uint64, s.checker.words), nil, map[[2]int][]int{}
	s.counts = make([]folder.Effect, s.checker.services)
	s.plan = &Survey{
		Plan: &schema.Plan{
			File: s.request.Source.Name(), Header: s.reader.HeaderCells(), Format: s.reader.Format(), Repairs: map[schema.Repair]int{},
			Types: map[schema.ClaimType]int{}, Problems: map[schema.Code][]int{}, Doubtful: map[string]int{}, UnknownColumns: l.Unknown,
		},
		Mode: s.request.Mode,
	}
	if s.request.Template != nil {
		s.plan.Template = s.template.file
	}
}

// run reads the whole file. each, where it is not nil, is handed every block, in file order, once its
// verdicts stand.
//
//	file ─▶ read ─blocks▶ check ─▶ count
func (s *survey) run(ctx context.Context, each func(*block) error) error {
	g, gctx := errgroup.WithContext(ctx)
	spent := make(chan *block, 2*s.Workers+2) // as many as may be on their way
	blocks := read(gctx, g, s.reader, spent)
	checked := stage.InOrder(gctx, g, s.Workers, blocks, s.checker.check)
	g.Go(func() error {
		for b := range checked {
			s.add(b)
			if each != nil {
				if err := each(b); err != nil {
					return err
				}
			}
			select {
			case spent <- b:
			default:
			}
		}
		return nil
	})
	if err := g.Wait(); err != nil {
		return err
	}
	return s.finish()
}

// read cuts the file into blocks of whole rows. It is the first stage.
func read(ctx context.Context, g *errgroup.Group, reader *dialect.Reader, spent <-chan *block) <-chan *block {
	blocks := make(chan *block)
	g.Go(func() error {
		defer close(blocks)
		for number := 0; ; number++ {
			text, err := reader.Next(ctx)
			if errors.Is(err, io.EOF) {
				return nil
			}
			var b *block
			select {
			case b = <-spent:
			default:
				b = &block{}
			}
			b.number = number
			if b.err = err; err == nil {
				b.text = *text
			}
			select {
			case blocks <- b: // an error too: what is wrong in an earlier block must be told first
			case <-ctx.Done():
				return ctx.Err()
			}
			if err != nil {
				return nil
			}
		}
	})
	return blocks
}

// add takes in the next rows: it compares those of the same address, and counts.
func (s *survey) add(b *block) {
	n := b.Records.Len()
	ready := make([]uint64, (n+63)/64)
	for i := range n {
		v, r := &b.Verdicts[i], &b.rows[i]
		line := b.Records.Line(i)
		if r.hash != 0 {
			s.compare(v, r, line)
		}
		switch {
		case v.Outcome == schema.Ready:
			ready[i/64] |= 1 << (i % 64)
			s.count(b, i)
		case v.IsRow():
			v.Edits = nil
			reason := v.Reasons[0]
			if lines := s.plan.Problems[reason]; len(lines) < noticeLines {
				s.plan.Problems[reason] = append(lines, line)
			}
			s.causes.Add(v.Finding, line)
		}
	}
	s.ready = append(s.ready, ready)
	s.plan.Tally.Add(kept.Tally(b.Verdicts))
	s.plan.Ignored += b.falses
	s.marks.Add(b.marks)
	s.repair(schema.RepairBlankRow, b.Records.BlankRows)
	s.repair(schema.RepairHeaderRepeated, b.repeated)
	s.repair(schema.RepairCellsMissing, b.missing)
	s.repair(schema.RepairCellsSurplus, b.surplus)
	b.repairs.Each(s.repair)
	if s.Saw != nil {
		s.Saw(s.plan.Tally.Rows)
	}
}

// noticeLines is how many lines are named of each problem.
const noticeLines = 5

func (s *survey) repair(kind schema.Repair, n int) {
	if n > 0 {
		s.plan.Repairs[kind] += n
	}
}

// compare compares a row with the others of the same address.
func (s *survey) compare(v *kept.Verdict, r *row, line int) {
	if r.leftAlone {
		s.seen.LeavesAlone(r.hash, line)
		return
	}
	duplicate, contradicted := s.seen.Claims(r.hash, line)
	known := s.spelt.add(r, duplicate != 0)
	if duplicate == 0 && contradicted == 0 {
		return
	}
	var f schema.Finding
	if v.Outcome == schema.Invalid { // only what is wrong with the row itself still counts
		f = *v.Finding
		f.Reasons = slices.Clone(f.Reasons)
	}
	header := s.checker.layout.Column(usersfile.Email)
	if duplicate != 0 {
		first := len(f.Reasons) == 0
		f.Add(schema.CodeDuplicateRow, header, strconv.Itoa(duplicate))
		if !known {
			f.Add(schema.CodeCaseMismatch, header)
			if first {
				f.Explain(schema.HintSameButCase, strconv.Itoa(duplicate))
			}
		}
	}
	if contradicted != 0 {
		f.Add(schema.CodeClaimContradicted, s.checker.layout.Column(usersfile.Claim), strconv.Itoa(contradicted))
	}
	v.Finding = &f
}

// spellings tells duplicates that are written the same from those that differ in case alone. It remembers
// only what is not written as its key: most addresses are.
type spellings struct {
	others usersfile.Index // hashes of such spellings
	keys   usersfile.Index // hashes of the keys that have one
	plain  map[uint64]bool // of these keys, those that are written as such, too
}

// add notes the spelling of a row. known reports whether an earlier row has the same; duplicate tells that
// one has the same key.
func (s *spellings) add(r *row, duplicate bool) (known bool) {
	if r.spelling == 0 {
		if _, mixed := s.keys.Find(r.hash); !mixed {
			return duplicate
		}
		known = s.plain[r.hash]
		s.notePlain(r.hash)
		return known
	}
	if _, mixed := s.keys.Add(r.hash, 0); !mixed && duplicate {
		s.notePlain(r.hash)
	}
	_, known = s.others.Add(r.spelling, 0)
	return known
}

func (s *spellings) notePlain(key uint64) {
	if s.plain == nil {
		s.plain = map[uint64]bool{}
	}
	s.plain[key] = true
}

// count counts what a row changes that is handed off.
func (s *survey) count(b *block, i int) {
	r, v := &b.rows[i], &b.Verdicts[i]
	for word := range s.carries {
		s.carries[word] |= b.carries[i*s.checker.words+word]
	}
	for service := range s.counts {
		switch b.actions[i*s.checker.services+service] {
		case adds:
			s.counts[service].Adds++
		case removes:
			s.counts[service].Removes++
		case leaves:
		}
	}
	if r.member {
		s.plan.Members++
	}
	if len(r.doubtful) > 0 {
		s.blanked[[2]int{b.number, i}] = slices.Clone(r.doubtful)
		for _, n := range r.doubtful {
			s.plan.Doubtful[s.checker.pairs[n].name]++
		}
	}
	for _, edit := range v.Edits {
		seen := &s.edits[edit.Field]
		if seen.Count++; seen.Count == 1 {
			*seen = schema.ColumnEdits{
				Column: edit.Field.Name(), Count: 1, Line: b.Records.Line(i), Old: edit.Old, New: strings.Clone(edit.New),
				Email: strings.Clone(s.checker.layout.Address(b.Records.Cells(i))),
			}
		}
	}
}

// finish ends the survey: a file that has no row, or of which it is not certain whom it claims, is refused.
func (s *survey) finish() error {
	source, l := s.request.Source, s.checker.layout
	if s.plan.Tally.Rows == 0 {
		return schema.Refuse(schema.CodeFileEmpty, "The file has a header and no row.").At(source.Name(), s.reader.HeaderLine(), 0)
	}
	if refused := l.Judge(s.marks); refused != nil {
		return refused.At(source.Name(), s.reader.HeaderLine(), refused.Column)
	}
	for kind, n := range s.reader.Repairs() {
		s.repair(kind, n)
	}
	s.repair(schema.RepairHeaderCleaned, l.Cleaned)
	s.plan.Causes = s.causes.List()
	for i := range s.edits {
		if s.edits[i].Count > 0 {
			s.plan.Edits = append(s.plan.Edits, s.edits[i])
		}
	}
	sum := s.reader.SHA256()
	s.plan.SHA256 = hex.EncodeToString(sum[:])
	s.effects()
	s.notices()
	for _, n := range s.written() {
		s.plan.Written = append(s.plan.Written, s.template.columns[n].header)
	}
	return nil
}
