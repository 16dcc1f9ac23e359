// Command claimline claims the accounts of an organization's own people from one CSV file.
package main

import (
	"context"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
)

// gcPercent is less than half of Go's default: memory grows less with the file, for some percent more time.
const gcPercent = 40

// streamPercent is Go's default, for answers that are written one by one: their memory does not grow.
const streamPercent = 100

// setGCPercent sets it, unless the environment does.
func setGCPercent(percent int) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(percent)
	}
}

func main() {
	setGCPercent(gcPercent)
	// A reader that has had enough ends a write, not the work.
	signal.Ignore(syscall.SIGPIPE)
	os.Exit(withSignals(func(ctx context.Context) int {
		return run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	}))
}

// withSignals ends the context at the first Ctrl-C, or when somebody ends the process or closes its terminal,
// so that the chunks in hand are finished, and the process at the second: a chunk is one transaction, so
// nothing is left half done.
func withSignals(work func(context.Context) int) int {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) { // as nohup has it
		signal.Notify(signals, syscall.SIGHUP)
	}
	defer signal.Stop(signals)
	done := make(chan struct{})
	defer close(done)
	go func() {
		for range 2 {
			select {
			case <-signals:
				if ctx.Err() != nil {
					removeUnfinished()
					os.Exit(exitInterrupted)
				}
				cancel()
			case <-done:
				return
			}
		}
	}()
	return work(ctx)
}
