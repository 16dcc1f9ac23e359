// Package jobs drives what is due, for as long as a process serves: imports that nobody attends, and what
// other loops make due. What there is to do stands in the database; nothing is remembered here.
package jobs

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/rs/zerolog"
)

// Loop is one kind of work that falls due.
type Loop struct {
	Name    string
	Workers int           // how many do it at once; 0: one
	Every   time.Duration // how often it is looked for unasked; 0: DefaultEvery
	// RunOnce does one piece of what is due at a time, and reports whether there may be more. Once ctx ends,
	// it finishes what it has begun, and returns.
	RunOnce func(ctx context.Context, now time.Time) (more bool, err error)
}

// DefaultEvery is how often is looked for what nobody has given a sign of.
const DefaultEvery = time.Second

// DefaultGrace is how long what is in hand may take once the work is to stop: a supervisor that kills after
// 30 seconds finds nothing to kill.
const DefaultGrace = 25 * time.Second

// Config is what a Dispatcher works with.
type Config struct {
	Now   func() time.Time // the clock
	Log   zerolog.Logger
	Grace time.Duration // 0: DefaultGrace
	Loops []Loop
	// Pool leads to the PostgreSQL database that other processes work on, too; nil: there is no other.
	Pool *pgxpool.Pool
}

// Dispatcher runs loops, each now and then, and at a sign that something is due.
type Dispatcher struct {
	Config
	wake  map[string]chan struct{} // by the loop's name: a sign for each worker
	give  map[string]chan struct{} // by the loop's name: a sign for a worker that has nothing to do
	signs *signs                   // nil: there is no other process
}

// New returns a dispatcher. It refuses what cannot work: no clock, or a loop without a name of its own or
// without work.
func New(c Config) (*Dispatcher, error) {
	if c.Now == nil {
		return nil, errors.New("set up the work: there is no clock")
	}
	if c.Grace == 0 {
		c.Grace = DefaultGrace
	}
	d := &Dispatcher{Config: c, wake: map[string]chan struct{}{}, give: map[string]chan struct{}{}}
	d.Loops = nil
	for _, l := range c.Loops {
		if _, twice := d.wake[l.Name]; twice || l.Name == "" || l.RunOnce == nil {
			return nil, fmt.Errorf("set up the work: the loop %q has no name of its own, or nothing to do", l.Name)
		}
		if l.Workers < 1 {
			l.Workers = 1
		}
		if l.Every <= 0 {
			l.Every = DefaultEvery
		}
		d.Loops, d.wake[l.Name], d.give[l.Name] = append(d.Loops, l), make(chan struct{}, l.Workers), make(chan struct{})
	}
	if c.Pool != nil {
		var err error
		if d.signs, err = newSigns(c.Pool, c.Log, d.Loops, d.give); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// Wake gives a loop the sign that something is due now, here or in another process, which it would have found
// out a moment later. It is called once that is committed: what a crash loses in between is found. An unknown
// loop is none of its business.
func (d *Dispatcher) Wake(ctx context.Context, name string) {
	if d.signs != nil {
		d.signs.send(ctx, name)
		return
	}
	for range cap(d.wake[name]) { // one for each worker: who is quick is not woken twice
		select {
		case d.wake[name] <- struct{}{}:
		default:
			return
		}
	}
}

// Run works until ctx ends and what is in hand is finished. What takes longer than Grace is left as it is,
// still running, for the process to end: whoever comes next finds it in the database.
func (d *Dispatcher) Run(ctx context.Context) {
	var workers sync.WaitGroup
	for i := range d.Loops {
		for range d.Loops[i].Workers {
			workers.Go(func() { d.work(ctx, &d.Loops[i]) })
		}
	}
	if d.signs != nil && len(d.Loops) > 0 {
		workers.Go(func() { d.signs.receive(ctx) })
	}
	done := make(chan struct{})
	go func() { workers.Wait(); close(done) }()
	<-ctx.Done()
	late := time.NewTimer(d.Grace)
	defer late.Stop()
	select {
	case <-done:
	case <-late.C:
		d.Log.Warn().Dur("grace", d.Grace).Msg("what is in hand takes too long, and is left to whoever comes next")
	}
}

// work does what one worker of a loop does.
func (d *Dispatcher) work(ctx context.Context, l *Loop) {
	ticker := time.NewTicker(l.Every)
	defer ticker.Stop()
	log := d.Log.With().Str("loop", l.Name).Logger()
	for trouble := ""; ; {
		more, err := true, error(nil)
		for more && err == nil && ctx.Err() == nil {
			more, err = l.RunOnce(ctx, d.Now())
		}
		switch {
		case ctx.Err() != nil:
			return
		case err != nil && err.Error() != trouble: // told once, however often it is tried
			log.Warn().Err(err).Msg("this work is in trouble; it is tried again")
			trouble = err.Error()
		case err == nil && trouble != "":
			log.Info().Msg("this work goes on")
			trouble = ""
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		case <-d.wake[l.Name]:
		case <-d.give[l.Name]:
		}
	}
}
