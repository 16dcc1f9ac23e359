package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
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

// serving says what a service is measured with.
type serving struct {
	uploads int // files
	rows    int // of each file
	readers int // who look at the imports all the time
	room    int // files that the service plans at once
	every   int // after so many imports is looked what the process holds; 0: after all
	atOnce  int // files sent at once; 0: all
	dir     string
	program string
}

func (o *serving) flags(flags *flag.FlagSet) {
	flags.IntVar(&o.uploads, "uploads", o.uploads, "files that are uploaded, each an import")
	flags.IntVar(&o.rows, "rows", o.rows, "rows of each file")
	flags.StringVar(&o.dir, "dir", o.dir, "folder for inputs, database and log, which are made anew")
	flags.StringVar(&o.program, "program", "bin/claimline", "the program to measure")
}

func serveCommand(flags *flag.FlagSet) work {
	o := serving{uploads: 50, rows: 20_000, dir: "out/serve"}
	o.flags(flags)
	flags.IntVar(&o.readers, "readers", 500, "who look at the imports all the time, every other one by following its events")
	flags.IntVar(&o.room, "room", 4, "files that the service plans at once; the others are told to come again")
	return o.work
}

func soakCommand(flags *flag.FlagSet) work {
	o := serving{uploads: 2000, rows: 20, dir: "out/soak", room: 4, atOnce: 2}
	o.flags(flags)
	flags.IntVar(&o.every, "every", 500, "after so many imports is looked what the process holds")
	return o.work
}

// work starts a service on generated data, uploads all files, agrees to each plan, and follows the imports to
// their ends. It fails where a row is lost.
func (o *serving) work(ctx context.Context, _ string, stdout, stderr io.Writer) (err error) {
	if o.uploads < 1 || o.rows < 1 || o.readers < 0 || o.every < 0 {
		return errors.New("uploads and rows must be positive")
	}
	fmt.Fprintf(stderr, "making %d files of %d rows\n", o.uploads, o.rows)
	if _, err := input.Generate(ctx, o.dir, input.Options{Users: o.uploads * o.rows, Seed: 1}); err != nil {
		return err
	}
	text, err := os.ReadFile(filepath.Join(o.dir, "users.csv"))
	if err != nil {
		return err
	}
	s, err := startService(ctx, o.program, o.dir, filepath.Join(o.dir, "org"), o.room)
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
	every := o.every
	if every == 0 {
		every = o.uploads
	}
	for done := 0; done < o.uploads; {
		batch := min(every, o.uploads-done)
		files := make([][]byte, batch)
		for i := range files {
			files[i], rows = cutRows(header, rows, o.rows)
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
	fmt.Fprintf(stdout, "%d imports of %d rows in %s, every row claimed\n", o.uploads, o.rows, took.Round(time.Second/10))
	s.answers.tell(stdout)
	return nil
}

// imports sees to the imports of files from their uploads to their ends, while readers look on.
func (o *serving) imports(ctx context.Context, s *service, files [][]byte, tell func(when string) error) error {
	g, ctx := errgroup.WithContext(ctx)
	planned, agreed := make([]chan struct{}, len(files)), make([]standing, len(files))
	for i := range planned {
		planned[i] = make(chan struct{})
	}
	g.Go(func() error {
		senders, ctx := errgroup.WithContext(ctx)
		senders.SetLimit(-1)
		if o.atOnce > 0 {
			senders.SetLimit(o.atOnce)
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
				if imp.State != "completed" || imp.Rows != o.rows || imp.Claimed != o.rows || agreed[i].Ready != o.rows {
					return fmt.Errorf("import %s is %s: of %d rows %d were ready, and %d are claimed", imp.ID, imp.State, imp.Rows, agreed[i].Ready, imp.Claimed)
				}
				return nil
			})
		}
		return senders.Wait()
	})
	for i := range o.readers {
		g.Go(func() error {
			which := i / 2 % len(files)
			if err := pause(ctx, readEvery*time.Duration(i)/time.Duration(o.readers)); err != nil { // they do not ask in step
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
	go func() { watched <- watch(ctx, ended, tell, o.readers > 0) }()
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
