package calendar

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/claimline/claimline/cmd/claimline/screen"
	"github.com/claimline/claimline/pipeline/people"
	"github.com/claimline/claimline/schema"
)

// Deadlines are deadlines, the soonest first, in little memory however many they are. They must be closed.
type Deadlines struct{ screen.Spool }

// Collect returns what is due in an organization until a moment; the zero time: whenever.
func Collect(ctx context.Context, p *people.People, organization string, until time.Time) (*Deadlines, error) {
	list := &Deadlines{}
	err := p.EachDeadline(ctx, organization, until, func(d schema.Deadline) error {
		data, err := json.Marshal(d)
		if err != nil {
			return fmt.Errorf("keep a deadline: %w", err)
		}
		return list.Add(d.DueAt.Unix(), data)
	})
	if err != nil {
		return nil, errors.Join(err, list.Close())
	}
	list.Sort()
	return list, nil
}

// Each hands over the deadlines.
func (l *Deadlines) Each(each func(schema.Deadline) error) error {
	return l.Spool.Each(func(data []byte) error {
		var d schema.Deadline
		if err := json.Unmarshal(data, &d); err != nil {
			return fmt.Errorf("read a deadline: %w", err)
		}
		return each(d)
	})
}
