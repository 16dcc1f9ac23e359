package service

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/claimline/claimline/cmd/claimline-bench/input"
)

// Options say what the service is measured with.
type Options struct {
	Uploads int // files, each an import
	Rows    int // of each file
	Readers int // who look at the imports all the time, every other one by following its events
	Room    int // files that the service plans at once
	Every   int // after so many imports is looked what the process holds; 0: after all
	AtOnce  int // files sent at once; 0: all

	Dir     string // for inputs, database and log, which are made anew
	Program string
}

// Measure starts a service on generated data, uploads all files, agrees to each plan, and follows the imports
// to their ends. It tells stdout how requests were answered, and what the process held. It fails where a row
// is lost.
func Measure(ctx context.Context, o Options, stdout, stderr io.Writer) (err error) {
	if o.Uploads < 1 || o.Rows < 1 || o.Readers < 0 || o.Every < 0 {
		return errors.New("uploads and rows must be positive")
	}
	fmt.Fprintf(stderr, "making %d files of %d rows\n", o.Uploads, o.Rows)
	if _, err := input.Generate(ctx, o.Dir, input.Options{Users: o.Uploads * o.Rows, Seed: 1}); err != nil {
		return err
	}
	text, err := os.ReadFile(filepath.Join(o.Dir, "users.csv"))
	if err != nil {
		return err
	}
	s, err := startService(ctx, o.Program, o.Dir, filepath.Join(o.Dir, "org"), o.Room)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	tell := func(when string) error {
		g, err := s.holds(ctx)
		if err == nil {
			fmt.Fprintf(stdout, "%-14s %s\n", when, g)
		}
		return err
	}
	if err := tell("at the start"); err != nil {
		return err
	}
	start := time.Now()
	header, rows, _ := bytes.Cut(text, []byte("\n"))
	every := o.Every
	if every == 0 {
		every = o.Uploads
	}
	for done := 0; done < o.Uploads; {
		batch := min(every, o.Uploads-done)
		files := make([][]byte, batch)
		for i := range files {
			files[i], rows = cutRows(header, rows, o.Rows)
		}
		if err := o.imports(ctx, s, files, tell); err != nil {
			return err
		}
		done += batch
		if err := tell(fmt.Sprintf("after %d", done)); err != nil {
			return err
		}
	}
	took := time.Since(start)
	s.client.CloseIdleConnections()
	if err := pause(ctx, 5*time.Second); err != nil { // connections end, and what is no longer in use is collected
		return err
	}
	if err := tell("5 s later"); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "%d imports of %d rows in %s, every row claimed\n", o.Uploads, o.Rows, took.Round(time.Second/10))
	s.answers.tell(stdout)
	return nil
}

// imports sees to the imports of files from their uploads to their ends, while readers look on.
func (o Options) imports(ctx context.Context, s *service, files [][]byte, tell func(when string) error) error {
	g, ctx := errgroup.WithContext(ctx)
	planned, agreed := make([]chan struct{}, len(files)), make([]standing, len(files))
	for i := range planned {
		planned[i] = make(chan struct{})
	}
	g.Go(func() error {
		senders, ctx := errgroup.WithContext(ctx)
		senders.SetLimit(-1)
		if o.AtOnce > 0 {
			senders.SetLimit(o.AtOnce)
		}
		for i, file := range files {
			senders.Go(func() (err error) {
				if agreed[i], err = s.upload(ctx, fmt.Sprintf("part-%d.csv", i+1), file); err != nil {
					return err
				}
				close(planned[i])
				imp, err := s.follow(ctx, agreed[i].ID)
				if err != nil {
					return err
				}
				if imp.State != "completed" || imp.Rows != o.Rows || imp.Claimed != o.Rows || agreed[i].Ready != o.Rows {
					return fmt.Errorf("import %s is %s: of %d rows %d were ready, and %d are claimed", imp.ID, imp.State, imp.Rows, agreed[i].Ready, imp.Claimed)
				}
				return nil
			})
		}
		return senders.Wait()
	})
	for i := range o.Readers {
		g.Go(func() error {
			which := i / 2 % len(files)
			if err := pause(ctx, readEvery*time.Duration(i)/time.Duration(o.Readers)); err != nil { // they do not ask in step
				return err
			}
			if err := s.await(ctx, planned[which]); err != nil {
				return err
			}
			for imp := agreed[which]; !imp.ended(); {
				var err error
				if i%2 == 0 {
					imp, err = s.follow(ctx, imp.ID)
				} else if imp, err = s.get(ctx, imp.ID); err == nil {
					err = pause(ctx, readEvery)
				}
				if err != nil {
					return err
				}
			}
			return nil
		})
	}
	watched := make(chan error, 1)
	ended := make(chan struct{})
	go func() { watched <- watch(ctx, ended, tell, o.Readers > 0) }()
	err := g.Wait()
	close(ended)
	return errors.Join(err, <-watched)
}

// How often a reader asks, and how often is looked what the process holds meanwhile.
const (
	readEvery  = time.Second
	watchEvery = 10 * time.Second
)

// watch tells now and then what the process holds, until all has ended.
func watch(ctx context.Context, ended <-chan struct{}, tell func(when string) error, wanted bool) error {
	if !wanted {
		return nil
	}
	ticker := time.NewTicker(watchEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ended:
			return nil
		case <-ctx.Done():
			return nil // whoever ended it tells why
		case <-ticker.C:
			if err := tell("under load"); err != nil && ctx.Err() == nil {
				return err
			}
		}
	}
}

// await lists the imports now and then, as somebody does who waits for one, until it is planned.
func (s *service) await(ctx context.Context, planned <-chan struct{}) error {
	for {
		select {
		case <-planned:
			return nil
		default:
		}
		var list struct {
			Imports []standing `json:"imports"`
		}
		if _, err := s.ask(ctx, "list", "GET", "/imports?limit=10", "", nil, &list); err != nil {
			return err
		}
		if err := pause(ctx, readEvery); err != nil {
			return err
		}
	}
}

// tell writes how requests were answered.
func (a *answers) tell(w io.Writer) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, kind := range slices.Sorted(maps.Keys(a.status)) {
		fmt.Fprintf(w, "%7d %s\n", a.status[kind], kind)
	}
	for _, kind := range slices.Sorted(maps.Keys(a.took)) {
		took := slices.Sorted(slices.Values(a.took[kind]))
		at := func(percent int) time.Duration { return took[(len(took)-1)*percent/100].Round(time.Millisecond) }
		fmt.Fprintf(w, "%-8s p50 %-8s p95 %-8s p99 %-8s most %s\n", kind, at(50), at(95), at(99), at(100))
	}
}

// cutRows returns a file of the next n rows, and those behind them; a row is a line.
func cutRows(header, rows []byte, n int) (file, rest []byte) {
	end := 0
	for range n {
		end += bytes.IndexByte(rows[end:], '\n') + 1
	}
	return slices.Concat(header, []byte("\n"), rows[:end]), rows[end:]
}

// freeAddress returns an address at which nobody listens.
func freeAddress(ctx context.Context) (string, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}
