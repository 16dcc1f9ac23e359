package report

import (
	"context"
	"errors"
	"strings"

	"github.com/claimline/claimline/pipeline/kept"
	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/schema"
)

// errEnough ends the reading of rows of which no more is wanted.
var errEnough = errors.New("enough")

// Page returns rows of an import behind a line, at most limit of them, as OfImport writes them as JSON Lines;
// more says that others follow. Refused as OfImport is.
func (r *Report) Page(ctx context.Context, s *store.Store, imp schema.Import, after, limit int) (rows []schema.Result, more bool, err error) {
	if err := reportable(imp); err != nil {
		return nil, false, err
	}
	file, err := kept.FileOf(imp)
	if err != nil {
		return nil, false, err
	}
	rows = []schema.Result{}
	search := strings.ToLower(r.Search)
	wanted := kept.Wanted{Tally: func(t schema.Tally) bool {
		unfinished := t.Outcomes[schema.Ready] > 0 && imp.State != schema.StateAwaitingConsent // they are what they are not counted as
		return unfinished || r.mayPick(t)
	}}
	if search != "" && !strings.ContainsAny(search, "\"\r\n") { // which are written otherwise in a file
		wanted.Content = func(text string) bool { return strings.Contains(strings.ToLower(text), search) }
	}
	err = kept.EachAfter(ctx, s, imp, file.Plan.Format, after, wanted, func(c *kept.Rows) error {
		for i := range c.Verdicts {
			v, line := &c.Verdicts[i], c.Records.Line(i)
			if line <= after || !r.picks(v) {
				continue
			}
			address := file.Layout.Address(c.Records.Cells(i))
			if !strings.Contains(strings.ToLower(address), search) {
				continue
			}
			if len(rows) == limit {
				more = true
				return errEnough
			}
			result := v.Result(line, address)
			say(&result, v, r.Language)
			rows = append(rows, result.Complete())
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return rows, more, err
}
