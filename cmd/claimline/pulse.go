package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/claimline/claimline/pipeline/jobs"
	"github.com/claimline/claimline/schema"
)

// pulse tells whether the loops of the work get on.
type pulse struct {
	now func() time.Time

	mu    sync.Mutex
	beats map[string]time.Time // when each loop last came round
	every map[string]time.Duration
}

// pulseTime is within what time a loop comes round, if not more rarely: trouble that may pass is waited out
// meanwhile.
const pulseTime = 15 * time.Minute

// listen has the loops tell when they come round.
func (p *pulse) listen(loops []jobs.Loop) {
	p.beats, p.every = map[string]time.Time{}, map[string]time.Duration{}
	for i := range loops {
		name, once := loops[i].Name, loops[i].RunOnce
		p.beats[name], p.every[name] = p.now(), loops[i].Every
		loops[i].RunOnce = func(ctx context.Context, now time.Time) (bool, error) {
			defer p.beat(name)
			return once(ctx, now)
		}
	}
}

func (p *pulse) beat(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.beats[name] = p.now()
}

// stuck refuses, with CodeWorkStuck, where a loop does not come round.
func (p *pulse) stuck(context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for name, at := range p.beats {
		if silent := p.now().Sub(at); silent > max(pulseTime, 2*p.every[name]) {
			return (&schema.Error{Code: schema.CodeWorkStuck}).Because(fmt.Errorf("the loop %s has not come round for %s", name, silent.Truncate(time.Second)))
		}
	}
	return nil
}
