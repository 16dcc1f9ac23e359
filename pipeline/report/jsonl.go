package report

import (
	"bufio"
	"encoding/json"

	"github.com/claimline/claimline/pipeline/kept"
	"github.com/claimline/claimline/pipeline/usersfile"
	"github.com/claimline/claimline/schema"
)

// jsonReporter writes JSON Lines.
type jsonReporter struct {
	to      *bufio.Writer
	encoder *json.Encoder
	layout  *usersfile.Layout
}

func newJSONReporter(to *bufio.Writer, l *usersfile.Layout) *jsonReporter {
	return &jsonReporter{to: to, encoder: schema.NewEncoder(to), layout: l}
}

func (r *jsonReporter) rows(c *kept.Rows, numbers []int) error {
	for _, i := range numbers {
		result := c.Result(i, r.layout.Address(c.Records.Cells(i)))
		if err := r.encoder.Encode(result.Complete()); err != nil {
			return err
		}
	}
	return nil
}

func (r *jsonReporter) end(Whole) error { return r.to.Flush() }
