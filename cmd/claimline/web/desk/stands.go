package desk

import (
	"context"
	"sync"
	"time"

	"github.com/claimline/claimline/pipeline/store"
)

// Counting the accounts of an organization by domain looks at each, which takes seconds where there are a
// million. A count is made once for all who ask; where that took longer than anybody waits, it is kept so
// many times as long as it took.
const (
	keptTimes = 20
	standWait = 150 * time.Millisecond // for a new count, after which the last one does
)

// Stands is how far the domains of an organization are.
type Stands struct {
	Domains []store.Stand // nil: they are being counted for the first time
	At      time.Time     // when that was so
}

// Ready counts the users that can be claimed in a domain, blank: in all, by a claim of a type, blank: of any.
func (s *Stands) Ready(selection store.Selection) (n int) {
	for i := range s.Domains {
		if d := &s.Domains[i]; selection.Domain == "" || selection.Domain == d.Domain.Domain {
			n += d.Ready(selection.Type)
		}
	}
	return n
}

// counts are those of all organizations.
type counts struct {
	mutex sync.Mutex
	of    map[string]*count
	work  sync.WaitGroup
}

// count is what was counted last for an organization.
type count struct {
	stands Stands
	err    error
	until  time.Time     // up to which it is good
	done   chan struct{} // closed when the count under way ends; nil: there is none
	cancel func()        // ends it
}

// Stands returns how far the domains of an organization are: as of now where that is soon known, else as they
// were counted last.
func (d *Desk) Stands(ctx context.Context, organization string) (Stands, error) {
	c := &d.counts
	c.mutex.Lock()
	of := c.of[organization]
	if of == nil {
		of = &count{}
		c.of[organization] = of
	}
	if of.done == nil && !time.Now().Before(of.until) {
		of.done, of.err = make(chan struct{}), nil                         // who does not wait gets what was counted last, not why it failed
		counting, cancel := context.WithCancel(context.WithoutCancel(ctx)) // who has asked may go
		of.cancel = cancel
		c.work.Go(func() { defer cancel(); d.count(counting, organization, of) })
	}
	done := of.done
	c.mutex.Unlock()
	if done != nil {
		wait := time.NewTimer(standWait)
		defer wait.Stop()
		select {
		case <-done:
		case <-wait.C:
		case <-ctx.Done():
			return Stands{}, ctx.Err()
		}
	}
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return of.stands, of.err
}

// count counts for all who ask meanwhile.
func (d *Desk) count(ctx context.Context, organization string, of *count) {
	began, at := time.Now(), d.Flow.Now()
	found, err := d.People.Stands(ctx, organization)
	d.counts.mutex.Lock()
	defer d.counts.mutex.Unlock()
	if of.err = err; err == nil {
		of.stands = Stands{Domains: found, At: at}
		if found == nil {
			of.stands.Domains = []store.Stand{}
		}
		if took := time.Since(began); took > standWait {
			of.until = time.Now().Add(keptTimes * took)
		}
	}
	close(of.done)
	of.done = nil
}

// Close ends what goes on without a request, and waits for that.
func (d *Desk) Close() {
	c := &d.counts
	c.mutex.Lock()
	for _, of := range c.of {
		if of.done != nil {
			of.cancel()
		}
	}
	c.mutex.Unlock()
	c.work.Wait()
}
