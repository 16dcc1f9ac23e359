package results

import (
	"context"
	"hash/maphash"
	"slices"
	"strings"

	"github.com/claimline/claimline/pipeline/controlhub"
	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/pipeline/handoff/folder"
	"github.com/claimline/claimline/pipeline/report"
	"github.com/claimline/claimline/pipeline/usersfile"
	"github.com/claimline/claimline/schema"
)

// fate is what fresh exports show of one row.
type fate uint8

const (
	isMember    fate = 1 << iota // the users export lists the address
	isDelayed                    // as a claim that its owner has not decided
	isClaimable                  // the claimable export lists it
	isTaken                      // an export lists it with the mark of another's claim
)

// verifier holds fresh exports against the rows of a hand-off.
type verifier struct {
	*partsReader
	seed     maphash.Seed
	rows     usersfile.Index // by address
	fates    []fate          // per row of all parts
	services []int           // columns of the parts that are services
	words    int             // of held, per row
	held     []uint64        // per row, a bit for each service: the users export says TRUE
	unknown  []bool          // per service: the export has no column of it
}

// Verify finds out with fresh exports what has become of every row of a hand-off, and adds a report of
// every row to its folder. users lists the members of the organization; claimable, where it is not nil,
// those who can still be claimed. What Control Hub had refused stays so, with its reason, unless the
// exports show otherwise. to, where it is not nil, is written too. Refused with the codes of files, and
// with CodeFileChanged where a part is not as it was made.
func (f *Follower) Verify(ctx context.Context, dir string, users, claimable dialect.Source, to *report.Report) (*Outcome, error) {
	parts, err := f.openParts(dir)
	if err != nil {
		return nil, err
	}
	m := parts.manifest
	v := &verifier{partsReader: parts, seed: maphash.MakeSeed(), fates: make([]fate, 0, m.Rows)}
	for i, header := range m.Columns {
		name, _ := controlhub.WithoutMark(dialect.CleanHeader(header))
		if slices.ContainsFunc(m.Services, func(e folder.Effect) bool { return dialect.SameHeader(e.Service, name) }) {
			v.services = append(v.services, i)
		}
	}
	v.words = (len(v.services) + 63) / 64
	v.unknown = make([]bool, len(v.services))
	if err := v.index(ctx); err != nil {
		return nil, err
	}
	v.held = make([]uint64, len(v.fates)*v.words)
	if err := v.readUsers(ctx, users); err != nil {
		return nil, err
	}
	if claimable != nil {
		if err := v.readClaimable(ctx, claimable); err != nil {
			return nil, err
		}
	}
	before, err := f.openReport(ctx, dir, folder.Results)
	if err != nil {
		return nil, err
	}
	defer before.close()
	o := &Outcome{Folder: dir, Manifest: m}
	for n, unknown := range v.unknown {
		if unknown {
			o.Unchecked = append(o.Unchecked, strings.TrimSpace(m.Columns[v.services[n]]))
		}
	}
	for _, f := range v.fates {
		if f&isMember != 0 && f&isClaimable != 0 {
			o.Both++
		}
	}
	row := 0
	return o, parts.write(ctx, o, folder.Verified, to, func(b *partRows) error {
		for i := range b.Verdicts {
			said, err := before.next(ctx, b.part, b.first+i)
			if err != nil {
				return err
			}
			b.Verdicts[i].Finding = v.judge(row, b.Records.Cells(i), said, claimable != nil)
			row++
		}
		return nil
	})
}

// index notes the address of every row.
func (v *verifier) index(ctx context.Context) error {
	return v.each(ctx, func(b *partRows) error {
		for i := range b.Records.Len() {
			v.rows.Add(maphash.String(v.seed, v.key(b.Records.Cells(i))), len(v.fates))
			v.fates = append(v.fates, 0)
		}
		return nil
	})
}

// find returns the row of an address; taken tells that the address has the mark of another's claim. ok is
// false where no part has the address.
func (v *verifier) find(key string) (row int, taken, ok bool) {
	key, taken = strings.CutSuffix(key, schema.ConvertSuffix)
	row, ok = v.rows.Find(maphash.String(v.seed, key))
	return row, taken, ok
}

// readUsers notes who is a member now, and which services each has.
func (v *verifier) readUsers(ctx context.Context, source dialect.Source) error {
	file, err := controlhub.OpenExport(ctx, source, v.limits())
	if err != nil {
		return err
	}
	status := file.Place(usersfile.Status.Name())
	places := make([]int, len(v.services))
	for n, column := range v.services {
		name, _ := controlhub.WithoutMark(dialect.CleanHeader(v.manifest.Columns[column]))
		places[n] = file.Place(name)
		v.unknown[n] = places[n] < 0
	}
	return file.Each(ctx, func(key string, cells []string) {
		row, taken, ok := v.find(key)
		switch {
		case !ok:
			return
		case taken:
			v.fates[row] |= isTaken
			return
		}
		v.fates[row] |= isMember
		if status >= 0 && delayed(file.Cell(cells[status])) {
			v.fates[row] |= isDelayed
		}
		for n, place := range places {
			if place < 0 {
				continue
			}
			if has, _, _ := schema.ReadBool(file.Cell(cells[place])); has {
				v.held[row*v.words+n/64] |= 1 << (n % 64)
			}
		}
	})
}

func delayed(word string) bool {
	status, _ := controlhub.Status(word)
	return status == schema.DelayedClaim
}

// readClaimable notes who can still be claimed.
func (v *verifier) readClaimable(ctx context.Context, source dialect.Source) error {
	file, err := controlhub.OpenExport(ctx, source, v.limits())
	if err != nil {
		return err
	}
	return file.Each(ctx, func(key string, _ []string) {
		switch row, taken, ok := v.find(key); {
		case !ok:
		case taken:
			v.fates[row] |= isTaken
		default:
			v.fates[row] |= isClaimable
		}
	})
}

// Findings that many rows share.
var (
	verifiedFinding  = &schema.Finding{Outcome: schema.Claimed}
	delayedFinding   = schema.NewFinding(schema.CodeDelayed, "")
	takenFinding     = schema.NewFinding(schema.CodeTakenElsewhere, "")
	claimableFinding = schema.NewFinding(schema.CodeStillClaimable, "")
	lostFinding      = schema.NewFinding(schema.CodeNotListed, "")
	unlistedFinding  = &schema.Finding{
		Outcome: schema.NotFound, Reasons: []schema.Code{schema.CodeNotListed}, Message: "The fresh users export does not list the user.",
		Fix: "Add --claimable with a fresh export of claimable users: it tells whether the user can still be claimed.",
	}
)

// judge says what has become of a row. said is what Control Hub said of it; nil: nobody has asked.
func (v *verifier) judge(row int, cells []string, said *schema.Finding, claimable bool) *schema.Finding {
	var f *schema.Finding
	switch of := v.fates[row]; {
	case of&isDelayed != 0:
		f = delayedFinding
	case of&isMember != 0:
		f = verifiedFinding
	case of&isTaken != 0:
		return takenFinding
	case said != nil && said.Outcome == schema.Refused:
		return said
	case of&isClaimable != 0:
		return claimableFinding
	case !claimable:
		return unlistedFinding
	default:
		return lostFinding
	}
	wrong := map[schema.Code][]string{}
	for n, column := range v.services {
		if column >= len(cells) || v.unknown[n] {
			continue
		}
		held := v.held[row*v.words+n/64]&(1<<(n%64)) != 0
		var code schema.Code
		switch asked := cells[column]; {
		case asked == "TRUE" && !held:
			code = schema.CodeLicenseMissing
		case asked == "FALSE" && held: // only parts that take services away have it
			code = schema.CodeLicenseKept
		default:
			continue
		}
		wrong[code] = append(wrong[code], schema.Warning(code, strings.TrimSpace(v.manifest.Columns[column])))
	}
	if len(wrong) == 0 {
		return f
	}
	with := *f
	for _, code := range licenseWarnings {
		with.Warnings = append(with.Warnings, wrong[code]...)
	}
	if len(f.Reasons) == 0 { // a report for people has no room for warnings
		hint := schema.HintLicensesWrong
		switch {
		case len(wrong[schema.CodeLicenseKept]) == 0:
			hint = schema.HintLicenses
		case len(wrong[schema.CodeLicenseMissing]) == 0:
			hint = schema.HintLicensesKept
		}
		with.Explain(hint, strings.Join(with.Warnings, ", "))
	}
	return &with
}

// licenseWarnings are what is not as asked of the services of a user who is claimed.
var licenseWarnings = []schema.Code{schema.CodeLicenseMissing, schema.CodeLicenseKept}

// Problems counts the rows that are not as asked.
func (o *Outcome) Problems() int {
	n := 0
	for outcome, rows := range o.Tally.Outcomes {
		if outcome.Unfinished() {
			n += rows
		}
	}
	for _, code := range licenseWarnings {
		n += o.Tally.Warnings[code]
	}
	return n
}
