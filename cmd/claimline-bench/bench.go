package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// standardRows is the number of rows that the targets are meant for.
const standardRows = 1_000_000

// BenchOptions says what Bench measures.
type BenchOptions struct {
	Rows    int           // of the main input
	Runs    int           // of each command; slow ones have at most slowRuns
	Budget  time.Duration // after this long nothing is run a second time
	Only    string        // names of groups, separated by commas; blank: all
	Dir     string        // for the inputs, which are used again
	Program string        // the program to measure
	Readme  string        // file whose section is written, if everything was measured with standardRows
}

// slowRuns is how often commands run of which one run tells nearly everything.
const slowRuns = 3

// bench is one run of the benchmark.
type bench struct {
	BenchOptions
	self    string // this program
	stderr  io.Writer
	started time.Time
	main    *inputFiles // of Rows rows, sorted; nil: not needed so far
	jobs    []*job
	lines   []line
}

// Bench measures the program beside its peers: each group of commands in turn, round by round.
// What disturbs the machine then disturbs all of them. It prints one table and writes it into the README.
// Missing peers are named and skipped. Where two do not agree on what they found, it returns an error;
// a missed target is none.
func Bench(ctx context.Context, o BenchOptions, stdout, stderr io.Writer) error {
	if o.Rows < 1000 || o.Runs < 1 {
		return errors.New("there must be at least 1000 rows and one run")
	}
	chosen, err := chooseGroups(o.Only)
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	b := &bench{BenchOptions: o, self: self, stderr: stderr, started: time.Now()}
	if err := writePeers(b.Dir); err != nil {
		return fmt.Errorf("write the scripts of the peers: %w", err)
	}
	for _, g := range chosen {
		if err := g.measure(b, ctx); err != nil {
			return fmt.Errorf("measure %s: %w", g.name, err)
		}
	}
	section, disagreement := b.section(), agree(b.jobs)
	if _, err := fmt.Fprint(stdout, section); err != nil {
		return err
	}
	b.say("targets missed: %d; it took %s", missed(b.lines), time.Since(b.started).Round(time.Second))
	if disagreement != nil {
		return disagreement
	}
	if o.Rows != standardRows || o.Only != "" {
		b.say("%s is written only when everything is measured with %s rows", o.Readme, showCount(standardRows))
		return nil
	}
	written, err := writeReadme(o.Readme, section)
	if err == nil && !written {
		b.say("%s has no %s and %s, so it was not written", o.Readme, beginMark, endMark)
	}
	return err
}

func (b *bench) say(format string, args ...any) {
	fmt.Fprintf(b.stderr, "%5.0fs %s\n", time.Since(b.started).Seconds(), fmt.Sprintf(format, args...))
}

// measure runs the jobs in turn, round by round. A peer that is missing, or fails, is named and left out.
func (b *bench) measure(ctx context.Context, jobs ...*job) error {
	b.jobs = append(b.jobs, jobs...)
	for _, j := range jobs {
		if j.missing == "" {
			j.missing = lookFor(j.needs, b.Dir)
		}
		if j.missing != "" {
			b.say("skipped: %s: %s", j.name, j.missing)
		}
	}
	for round := range b.Runs {
		if round > 0 && time.Since(b.started) > b.Budget {
			b.say("the time is up: no further rounds")
			return nil
		}
		for _, j := range jobs {
			if j.missing != "" || j.runs > 0 && round >= j.runs {
				continue
			}
			if err := j.once(ctx); err != nil {
				if !j.peer || ctx.Err() != nil {
					return err
				}
				j.missing = "it failed"
				b.say("skipped: %v", err)
				continue
			}
			last := j.samples[len(j.samples)-1]
			b.say("%d/%d %s: %s, %s", round+1, b.Runs, j.name, showTime(last.wall), showBytes(last.memory))
		}
	}
	return nil
}

// line adds a line to the table. It leaves out checks against what was not measured.
func (b *bench) line(j *job, checks ...*check) {
	l := line{job: j}
	for _, c := range checks {
		if c != nil && j.measured() {
			l.checks = append(l.checks, *c)
		}
	}
	b.lines = append(b.lines, l)
}

// slower holds a job against how many times the other's time it may take.
func slower(j, than *job, against string, target, dream float64) *check {
	if !j.measured() || !than.measured() {
		return nil
	}
	return &check{against: against, value: j.wall().Seconds() / than.wall().Seconds(), unit: "× its time", target: target, dream: dream, digits: 2}
}

// faster holds a job against how many times as fast as the other it should be.
func faster(j, than *job, against string, target, dream float64) *check {
	if !j.measured() || !than.measured() {
		return nil
	}
	return &check{against: against, value: than.wall().Seconds() / j.wall().Seconds(), unit: "× as fast", least: true, target: target, dream: dream, digits: 2}
}

// smaller holds a job against what part of the other's memory it may have.
func smaller(j, than *job, against string, target float64) *check {
	if !j.measured() || !than.measured() || j.memory() == 0 || than.memory() == 0 {
		return nil
	}
	return &check{against: against, value: float64(j.memory()) / float64(than.memory()), unit: "× its memory", target: target, digits: 2}
}

// within holds a job against how much memory it may have, in millions of bytes.
// The limit is for standardRows.
func within(j *job, target, dream float64) *check {
	if j.rows != standardRows || j.memory() == 0 {
		return nil
	}
	return &check{against: "peak memory", value: megabytes(j.memory()), unit: " MB", target: target, dream: dream}
}

// section returns what the README says of a run.
func (b *bench) section() string {
	var s strings.Builder
	fmt.Fprintf(&s, "Measured on %s on %s, %d cores, %s, %s/%s. Wall time is the median of all runs, the commands of a group in turn; "+
		"memory is the peak of all runs, in millions of bytes. Ratios hold within this run.\n",
		b.started.Format(time.DateOnly), processor(), runtime.NumCPU(), strings.Replace(runtime.Version(), "go", "Go ", 1),
		runtime.GOOS, runtime.GOARCH)
	if in := b.main; in != nil {
		fmt.Fprintf(&s, "The file has %s rows in %s: BOM, CRLF, %s rows with a cell of several lines, %s bad rows, %s of them bad in a service cell, "+
			"which nobody without a store can tell.", showCount(in.stats.Rows), showBytes(in.stats.Bytes), showCount(in.stats.Multiline),
			showCount(in.stats.Bad), showCount(in.stats.Services))
		if agree(b.jobs) == nil {
			s.WriteString(" All who count them agree.")
		}
		s.WriteString("\n")
	}
	s.WriteString("\n")
	s.WriteString(render(b.lines))
	var left []string
	for _, j := range b.jobs {
		if j.missing != "" {
			left = append(left, j.name+" ("+j.missing+")")
		}
	}
	if left != nil {
		fmt.Fprintf(&s, "\nNot measured: %s.\n", strings.Join(left, "; "))
	}
	s.WriteString("\n`make bench` runs these commands; `make bench PEERS=install` gets the missing peers first:\n\n```\n")
	var shown []string
	for _, j := range b.jobs {
		command := j.command(b.self)
		// One of those that differ in the number of rows alone will do.
		shape := strings.Join(strings.FieldsFunc(command, func(r rune) bool { return r >= '0' && r <= '9' }), "N")
		if !slices.Contains(shown, shape) {
			shown = append(shown, shape)
			s.WriteString(command + "\n")
		}
	}
	s.WriteString("```\n")
	return s.String()
}

// command returns the job as one would type it.
func (j *job) command(self string) string {
	words := make([]string, len(j.args))
	for i, arg := range j.args {
		switch {
		case arg == self:
			arg = "bin/claimline-bench"
		case arg == "" || strings.ContainsAny(arg, " '\"$"):
			arg = "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
		}
		words[i] = arg
	}
	command := strings.Join(words, " ")
	if j.stdout != "" {
		to := j.stdout
		if inside, err := filepath.Rel(j.dir, to); err == nil {
			to = inside
		}
		command += " > " + to
	}
	if j.dir != "" {
		command = "(cd " + j.dir + " && " + command + ")"
	}
	return command
}

// processor returns the model of this machine's processor.
func processor() string {
	info, _ := os.ReadFile("/proc/cpuinfo") // where there is none, nobody knows
	for text := range strings.Lines(string(info)) {
		if name, model, ok := strings.Cut(text, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(model)
		}
	}
	return "an unknown processor"
}
