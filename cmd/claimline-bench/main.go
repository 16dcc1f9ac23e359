// Command claimline-bench makes the inputs that Claimline is measured and shown with (package input), and
// measures it beside its peers.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/claimline/claimline/cmd/claimline-bench/input"
	"github.com/claimline/claimline/cmd/claimline-bench/service"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// work does what a command is for, with its operand, the file or folder it is given.
type work func(ctx context.Context, operand string, stdout, stderr io.Writer) error

// command is one of the things this program does.
type command struct {
	name, operand string // no operand: it takes none
	does          string
	prepare       func(*flag.FlagSet) work
}

var commands = []command{
	{"generate", "DIR", "write a snapshot (DIR/org) and a users file (DIR/users.csv)", generateCommand},
	{"samples", "DIR", "write the sample files, the same ones every time", func(*flag.FlagSet) work {
		return func(_ context.Context, dir string, _, _ io.Writer) error { return input.Samples(dir) }
	}},
	{"bench", "", "measure Claimline beside its peers", benchCommand},
	{"serve", "", "measure the service under uploads and readers", serveCommand},
	{"soak", "", "measure what the service holds after many imports", soakCommand},
	{"plain", "FILE", "count the rows with encoding/csv", func(*flag.FlagSet) work { return counting(countPlain) }},
	{"read", "FILE", "count the rows with Claimline's reader", func(*flag.FlagSet) work { return counting(countRead) }},
}

// run does what main does, without the process around it.
// It returns the exit code: 0 done, 1 failed, 2 wrong use.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		usage(stderr)
		return 2
	}
	i := slices.IndexFunc(commands, func(c command) bool { return c.name == args[0] })
	if i < 0 {
		usage(stderr)
		return 2
	}
	c := commands[i]
	flags := flag.NewFlagSet("claimline-bench "+c.name, flag.ContinueOnError)
	flags.SetOutput(stderr)
	do := c.prepare(flags)
	if err := flags.Parse(args[1:]); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return 0
		}
		return 2
	}
	if (c.operand == "") != (flags.NArg() == 0) || flags.NArg() > 1 {
		flags.Usage()
		return 2
	}
	if err := do(ctx, flags.Arg(0), stdout, stderr); err != nil {
		fmt.Fprintln(stderr, "claimline-bench:", err)
		return 1
	}
	return 0
}

func usage(stderr io.Writer) {
	fmt.Fprintln(stderr, "Usage:")
	for _, c := range commands {
		fmt.Fprintf(stderr, "  claimline-bench %-8s [flags] %-4s   %s\n", c.name, c.operand, c.does)
	}
}

func generateCommand(flags *flag.FlagSet) work {
	var o input.Options
	inputFlags(flags, &o)
	return func(ctx context.Context, dir string, stdout, _ io.Writer) error {
		stats, err := input.Generate(ctx, dir, o)
		if err != nil {
			return err
		}
		return json.NewEncoder(stdout).Encode(stats)
	}
}

// inputFlags declares the flags that set o.
func inputFlags(flags *flag.FlagSet, o *input.Options) {
	flags.IntVar(&o.Users, "users", 1_000_000, "eligible users, and so rows of the users file")
	flags.Uint64Var(&o.Seed, "seed", 1, "the same seed gives the same files")
	flags.Float64Var(&o.Bad, "bad", 0, "share of rows with a problem, 0 to 1")
	flags.Float64Var(&o.Multiline, "multiline", 0, "share of rows with a cell of several lines, 0 to 1")
	flags.BoolVar(&o.Shuffle, "shuffle", false, "rows in random order instead of by address")
	flags.BoolVar(&o.Excel, "excel", false, "byte order mark and CRLF")
}

func benchCommand(flags *flag.FlagSet) work {
	var o BenchOptions
	flags.IntVar(&o.Rows, "rows", standardRows, "rows of the main input; the targets are meant for this many")
	flags.IntVar(&o.Runs, "runs", 5, "runs of each command, of which the median counts; slow ones have at most three")
	flags.DurationVar(&o.Budget, "budget", 16*time.Minute, "after this long nothing is run a second time")
	flags.StringVar(&o.Only, "only", "", "measure these groups only, separated by commas: "+groupNames())
	flags.StringVar(&o.Dir, "dir", "out/bench", "folder for the inputs, which are used again")
	flags.StringVar(&o.Program, "program", "bin/claimline", "the program to measure")
	flags.StringVar(&o.Readme, "readme", "cmd/claimline-bench/README.md", "file whose benchmark section is written")
	return func(ctx context.Context, _ string, stdout, stderr io.Writer) error {
		return Bench(ctx, o, stdout, stderr)
	}
}

func serveCommand(flags *flag.FlagSet) work {
	o := service.Options{Uploads: 50, Rows: 20_000, Dir: "out/serve"}
	serviceFlags(flags, &o)
	flags.IntVar(&o.Readers, "readers", 500, "who look at the imports all the time, every other one by following its events")
	flags.IntVar(&o.Room, "room", 4, "files that the service plans at once; the others are told to come again")
	return measureService(&o)
}

func soakCommand(flags *flag.FlagSet) work {
	o := service.Options{Uploads: 2000, Rows: 20, Dir: "out/soak", Room: 4, AtOnce: 2}
	serviceFlags(flags, &o)
	flags.IntVar(&o.Every, "every", 500, "after so many imports is looked what the process holds")
	return measureService(&o)
}

func serviceFlags(flags *flag.FlagSet, o *service.Options) {
	flags.IntVar(&o.Uploads, "uploads", o.Uploads, "files that are uploaded, each an import")
	flags.IntVar(&o.Rows, "rows", o.Rows, "rows of each file")
	flags.StringVar(&o.Dir, "dir", o.Dir, "folder for inputs, database and log, which are made anew")
	flags.StringVar(&o.Program, "program", "bin/claimline", "the program to measure")
}

func measureService(o *service.Options) work {
	return func(ctx context.Context, _ string, stdout, stderr io.Writer) error {
		return service.Measure(ctx, *o, stdout, stderr)
	}
}
