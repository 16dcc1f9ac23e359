package jobs

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog" //nolint:depguard // what River logs with; it goes on to ours
	"os"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/rs/zerolog"
)

// Between processes on a PostgreSQL database, River carries the signs: each reaches one process that has a
// moment for it. A sign holds no truth. Whoever gets it asks the database, as everybody does now and then
// unasked, so that nothing depends on one.

// sign is a job of River's: a loop has something to do. It waits in the queue of the loop's name.
type sign struct{}

// Kind implements river.JobArgs.
func (sign) Kind() string { return "sign" }

const (
	signFetch   = 100 * time.Millisecond // between two looks for signs, while there are some
	signPoll    = 10 * time.Second       // likewise, where the server has told of none
	signKept    = 10 * time.Minute       // afterwards, for whoever wonders
	signTimeout = 5 * time.Second        // to send one
	startPause  = 5 * time.Second        // before River is started again
)

// signs sends signs, and gives those that come to workers of this process.
type signs struct {
	river.WorkerDefaults[sign]
	client *river.Client[pgx.Tx]
	log    zerolog.Logger
	give   map[string]chan struct{} // by the loop's name; a worker that has nothing to do receives
}

// newSigns returns the signs in a database, for these loops.
func newSigns(pool *pgxpool.Pool, log zerolog.Logger, loops []Loop, give map[string]chan struct{}) (_ *signs, err error) {
	s := &signs{log: log, give: give}
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	config := &river.Config{
		ID:     fmt.Sprintf("%.60s/%d/%s", host, os.Getpid(), rand.Text()), // what operators see
		Logger: slog.New(zerolog.NewSlogHandler(log.Level(max(zerolog.WarnLevel, log.GetLevel())))), Workers: river.NewWorkers(),
		FetchCooldown: signFetch, FetchPollInterval: signPoll, JobTimeout: DefaultEvery, MaxAttempts: 1,
		CompletedJobRetentionPeriod: signKept, CancelledJobRetentionPeriod: signKept, DiscardedJobRetentionPeriod: signKept,
	}
	if err := river.AddWorkerSafely(config.Workers, s); err != nil {
		return nil, fmt.Errorf("set up River: %w", err)
	}
	for i := range loops {
		if config.Queues == nil {
			config.Queues = map[string]river.QueueConfig{}
		}
		config.Queues[loops[i].Name] = river.QueueConfig{MaxWorkers: 1}
	}
	if s.client, err = river.NewClient(riverpgxv5.New(pool), config); err != nil {
		return nil, fmt.Errorf("set up River: %w", err)
	}
	return s, nil
}

// send sends a sign. That it cannot be sent is no trouble.
func (s *signs) send(ctx context.Context, loop string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), signTimeout)
	defer cancel()
	if _, err := s.client.Insert(ctx, sign{}, &river.InsertOpts{Queue: loop}); err != nil {
		s.log.Warn().Err(err).Str("loop", loop).Msg("nobody could be told of this work; it is found a moment later")
	}
}

// Work implements river.Worker. While it waits for somebody here to have a moment, further signs go to
// others. It does not wait for long: who has a moment elsewhere has looked by then.
func (s *signs) Work(ctx context.Context, job *river.Job[sign]) error {
	select {
	case s.give[job.Queue] <- struct{}{}:
	case <-ctx.Done():
	}
	return nil
}

// receive receives signs until ctx ends. While the database cannot be reached, there are none.
func (s *signs) receive(ctx context.Context) {
	whole := context.WithoutCancel(ctx)
	for {
		err := s.client.Start(whole)
		if err == nil {
			break
		}
		s.log.Warn().Err(err).Msg("River cannot be started; work is found a moment later meanwhile")
		timer := time.NewTimer(startPause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return
		}
	}
	<-ctx.Done()
	if err := s.client.StopAndCancel(whole); err != nil {
		s.log.Warn().Err(err).Msg("River could not be stopped")
	}
}
