package results

import (
	"cmp"
	"context"
	"regexp"
	"slices"
	"strings"

	"github.com/claimline/claimline/pipeline/controlhub"
	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/schema"
)

// reading says how a file of errors is to be read.
type reading struct {
	ErrorNote

	source dialect.Source
	limits dialect.Limits
}

// readings finds out of every file which part it is about, and how it counts rows.
func (p *partsReader) readings(ctx context.Context, files []Errors, firstRow int) ([]reading, error) {
	list := make([]*scan, 0, len(files))
	for _, file := range files {
		s, err := p.scan(ctx, file)
		if err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	if err := p.matchRows(ctx, list); err != nil {
		return nil, err
	}
	var found []reading
	for _, s := range list {
		part, err := s.findPart(len(p.manifest.Parts))
		if err != nil {
			return nil, err
		}
		r := reading{source: s.source, limits: p.limits(), ErrorNote: ErrorNote{File: s.source.Name(), Part: part}}
		if r.FirstRow, r.Why, err = s.findFirstRow(part, p.manifest.Parts[part-1].Rows, firstRow); err != nil {
			return nil, err
		}
		found = append(found, r)
	}
	return found, nil
}

// scan is what a file of errors says of itself.
type scan struct {
	source          dialect.Source
	part            int         // 0: not known
	count           int         // records with a number
	blank           int         // rows without content
	offsets         map[int]int // records by how far their number is from that of their line below the header
	messages        int
	lowest, highest place // numbers
	lowestSaid      place // the lowest number with a message
	strict, loose   []claimOf
	found           map[int]*matches // by part
	header          string           // of the numbers
	numberColumn    int
	emailHeader     string
}

// place is a number with the line on which it stands.
type place struct{ number, line int }

// claimOf is an address that the file says belongs to a number.
type claimOf struct {
	key, email string
	place
}

// matches are what the addresses of a file say of how it counts the rows of one part.
type matches struct {
	rows   int                // addresses that the part has
	strict map[int][]evidence // by the number of the first row that they speak for
	loose  map[int]int
}

// evidence is one address whose row is known.
type evidence struct {
	claimOf
	row int
}

// scan reads a file once, and remembers what tells of which part it is and how it counts.
func (p *partsReader) scan(ctx context.Context, file Errors) (*scan, error) {
	e, err := controlhub.OpenErrors(ctx, file.Source, p.limits())
	if err != nil {
		return nil, err
	}
	s := &scan{source: file.Source, part: file.Part, found: map[int]*matches{}, header: e.Reader.Header()[e.Number], numberColumn: e.Number + 1}
	if len(p.manifest.Parts) == 1 && s.part == 0 {
		s.part = 1
	}
	if e.Email >= 0 {
		s.emailHeader = e.Reader.Header()[e.Email]
	}
	s.offsets = map[int]int{}
	err = e.Each(ctx, func(said controlhub.Said) error {
		at := place{said.Number, said.Line}
		s.count++
		s.offsets[said.Number-(said.Line-e.Reader.HeaderLine())]++
		s.messages += len(said.Messages)
		if s.count == 1 || at.number < s.lowest.number {
			s.lowest = at
		}
		if at.number > s.highest.number {
			s.highest = at
		}
		if len(said.Messages) > 0 && (s.lowestSaid.line == 0 || at.number < s.lowestSaid.number) {
			s.lowestSaid = at
		}
		if at.number <= headerNotCounted && slices.ContainsFunc(said.Messages, aboutHeader.MatchString) {
			return schema.Refuse(schema.CodeHeaderUnknown, "Control Hub refused the part as a whole, for its header: %s", schema.Printable(said.Messages[0])).
				At(s.source.Name(), at.line, s.numberColumn).In(s.header).
				WithFix("Download the template again, make the hand-off again with it, and upload those parts: nobody was claimed with this one.")
		}
		if key, problem := schema.ParseAddress(said.Email); problem == "" {
			s.strict = append(s.strict, claimOf{key: strings.Clone(key), email: strings.Clone(said.Email), place: at})
		}
		for _, message := range said.Messages {
			for _, key := range controlhub.Addresses(message) {
				s.loose = append(s.loose, claimOf{key: strings.Clone(key), place: at})
			}
		}
		return nil
	})
	s.blank = e.Blank
	return s, err
}

// matchRows looks for the rows of the addresses that the files speak of.
func (p *partsReader) matchRows(ctx context.Context, list []*scan) error {
	type mention struct {
		scan   *scan
		strict bool
		claimOf
	}
	mentioned := map[string][]mention{}
	for _, s := range list {
		for _, c := range s.strict {
			mentioned[c.key] = append(mentioned[c.key], mention{s, true, c})
		}
		for _, c := range s.loose {
			mentioned[c.key] = append(mentioned[c.key], mention{s, false, c})
		}
	}
	if len(mentioned) == 0 {
		return nil
	}
	return p.each(ctx, func(b *partRows) error {
		for i := range b.Records.Len() {
			for _, m := range mentioned[p.key(b.Records.Cells(i))] {
				of := m.scan.found[b.part]
				if of == nil {
					of = &matches{strict: map[int][]evidence{}, loose: map[int]int{}}
					m.scan.found[b.part] = of
				}
				row := b.first + i
				first := m.number - row + 1
				of.rows++
				if m.strict {
					of.strict[first] = append(of.strict[first], evidence{m.claimOf, row})
				} else {
					of.loose[first]++
				}
			}
		}
		return nil
	})
}

// findPart returns the part that the file is about.
func (s *scan) findPart(parts int) (int, error) {
	if s.part > 0 {
		return s.part, nil
	}
	var found []int
	for part := range parts {
		if of := s.found[part+1]; of != nil && (len(s.strict) == 0 || len(of.strict) > 0) {
			found = append(found, part+1)
		}
	}
	if len(found) == 1 {
		return found[0], nil
	}
	why := schema.Say("it quotes no address of any part")
	if len(found) > 1 {
		why = schema.Say("it quotes addresses of %d parts", len(found))
	}
	return 0, schema.Refuse(schema.CodePartUnclear, "It is not certain which part the file is about: %s.", why).At(s.source.Name(), 0, 0).
		WithFix("Say which: --part 1=%s, or another number up to %d.", s.source.Name(), parts)
}

// aboutHeader finds messages that concern the header, and no user.
var aboutHeader = regexp.MustCompile(`(?i)\bheaders?\b`)

// The numbers that the first row of a part can have.
const (
	headerNotCounted = 1
	headerCounted    = 2
)

// findFirstRow finds out whether the header counts as row 1: the number of the part's first row, and what
// tells.
func (s *scan) findFirstRow(part, rows, given int) (first int, why schema.Text, err error) {
	at := func(refused *schema.Error, p place) error {
		return refused.At(s.source.Name(), p.line, s.numberColumn).In(s.header)
	}
	if s.messages == 0 {
		return cmp.Or(given, headerCounted), schema.Say("nothing is said against any row"), nil
	}
	of := s.found[part]
	if of == nil {
		of = &matches{}
	}
	if s.highest.number > rows+1 || s.lowestSaid.number < 1 {
		wrong := s.highest
		if s.lowestSaid.number < 1 {
			wrong = s.lowestSaid
		}
		return 0, schema.Text{}, at(schema.Refuse(schema.CodeRowUnknown, "There is no row %d in part %d, which has %d.", wrong.number, part, rows), wrong)
	}
	if err := s.checkAddresses(part, of); err != nil {
		return 0, schema.Text{}, err
	}
	type reason struct {
		first int
		why   schema.Text
	}
	var reasons []reason
	for first, known := range of.strict {
		reasons = append(reasons, reason{first, schema.Say("row %d is %s", known[0].number, known[0].email)})
	}
	if s.highest.number == rows+1 {
		reasons = append(reasons, reason{headerCounted, schema.Say("the highest number is %d, and the part has %d rows", s.highest.number, rows)})
	}
	if s.lowestSaid.number == 1 {
		reasons = append(reasons, reason{headerNotCounted, schema.Say("something is said against row 1")})
	}
	if s.count == rows && s.lowest.number == 1 && s.highest.number == rows {
		reasons = append(reasons, reason{headerNotCounted, schema.Say("the numbers are those from 1 to %d", rows)})
	}
	if s.blank > 0 && s.count+s.blank == rows { // one line for each row, blank where nothing is said
		for _, first := range []int{headerNotCounted, headerCounted} {
			if s.offsets[first-headerNotCounted] == s.count {
				reasons = append(reasons, reason{first, schema.Say("its blank lines stand for the rows of which nothing is said")})
			}
		}
	}
	certain := len(reasons) > 0
	one, two := of.loose[headerNotCounted], of.loose[headerCounted]
	switch {
	case certain: // messages may quote the address of another row
	case one > 0 && two == 0:
		reasons = append(reasons, reason{headerNotCounted, schema.Say("the messages quote the addresses of these rows")})
	case two > 0 && one == 0:
		reasons = append(reasons, reason{headerCounted, schema.Say("the messages quote the addresses of these rows")})
	}
	slices.SortFunc(reasons, func(a, b reason) int { return cmp.Compare(a.first, b.first) })
	for i := 1; i < len(reasons); i++ {
		if reasons[i].first != reasons[0].first {
			return 0, schema.Text{}, at(schema.Refuse(schema.CodeFirstRowUnclear, "The file contradicts itself on whether the header counts as row 1: %s, and %s.", reasons[0].why, reasons[i].why).
				WithFix("Download errors.csv again from the task of part %d, and check that it is that part's.", part), s.lowestSaid)
		}
	}
	switch {
	case len(reasons) == 0 && given == 0:
		return 0, schema.Text{}, at(schema.Refuse(schema.CodeFirstRowUnclear, "Nothing tells whether the header counts as row 1 in the numbers of the file."), s.lowestSaid)
	case len(reasons) == 0:
		return given, schema.Say("--first-row says so"), nil
	case given != 0 && given != reasons[0].first && certain:
		return 0, schema.Text{}, at(schema.Refuse(schema.CodeFirstRowUnclear, "--first-row %d cannot be: %s.", given, reasons[0].why), s.lowestSaid)
	case given != 0:
		return given, schema.Say("--first-row says so"), nil
	}
	return reasons[0].first, reasons[0].why, nil
}

// checkAddresses refuses a file that says of rows that they are others than they are.
func (s *scan) checkAddresses(part int, of *matches) error {
	known := map[place]bool{}
	for first, list := range of.strict {
		for _, e := range list {
			known[e.place] = true
			if first != headerNotCounted && first != headerCounted {
				return schema.Refuse(schema.CodeRowUnknown, "Row %d is said to be %s, which is row %d of part %d.", e.number, schema.Printable(e.email), e.row, part).
					At(s.source.Name(), e.line, s.numberColumn).In(s.header)
			}
		}
	}
	for _, c := range s.strict {
		if !known[c.place] {
			return schema.Refuse(schema.CodeRowUnknown, "Part %d has no row of %s.", part, schema.Printable(c.email)).At(s.source.Name(), c.line, 0).In(s.emailHeader)
		}
	}
	return nil
}
