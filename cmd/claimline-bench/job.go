package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// job is a command that is measured, again and again, and what came of it.
type job struct {
	name  string // in the table
	rows  int    // that it works on
	runs  int    // at most; 0: as many as all others
	needs []need // what has to be installed
	peer  bool   // not ours: where it fails, the others are measured all the same

	args    []string
	dir     string // where it runs; blank: here
	stdout  string // file that takes its output; blank: the output is what count is given
	problem bool   // exit code 3, done but for some rows, is what is expected
	prepare func(context.Context) error

	count func(output []byte) (int, error) // what it found, to be compared
	want  int

	samples []measurement
	counted []int
	missing string // why it was not measured
}

// need is a command or an npm package that a peer cannot do without.
type need struct {
	command string // looked for in PATH
	pkg     string // looked for in node_modules
}

// measurement is one run: from the start of the process to its end, and the most memory it had.
type measurement struct {
	wall   time.Duration
	memory int64 // bytes; 0: the system does not tell. It never says less than what this process has itself, a few MB
}

// measured reports whether there is something to compare with.
func (j *job) measured() bool { return j.missing == "" && len(j.samples) > 0 }

// wall returns the median of all runs.
func (j *job) wall() time.Duration {
	walls := make([]time.Duration, len(j.samples))
	for i, s := range j.samples {
		walls[i] = s.wall
	}
	return median(walls)
}

// memory returns the most that any run had, in bytes; 0: the system does not tell.
func (j *job) memory() int64 {
	var most int64
	for _, s := range j.samples {
		most = max(most, s.memory)
	}
	return most
}

// median returns the middle one, of an even number the mean of the middle two, of none zero.
func median(of []time.Duration) time.Duration {
	if len(of) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(of))
	half := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[half]
	}
	return (sorted[half-1] + sorted[half]) / 2
}

// agree returns an error that names the jobs that did not find what they had to find.
func agree(jobs []*job) error {
	var errs []error
	for _, j := range jobs {
		for _, n := range slices.Compact(slices.Clone(j.counted)) {
			if n != j.want {
				errs = append(errs, fmt.Errorf("%s disagrees: it counts %d, not %d", j.name, n, j.want))
			}
		}
	}
	return errors.Join(errs...)
}

// once runs the job one time, prepares it first and counts afterwards; neither is timed.
func (j *job) once(ctx context.Context) error {
	if j.prepare != nil {
		if err := j.prepare(ctx); err != nil {
			return fmt.Errorf("prepare %s: %w", j.name, err)
		}
	}
	s, output, err := j.start(ctx)
	if err != nil {
		return fmt.Errorf("run %s: %w", j.name, err)
	}
	j.samples = append(j.samples, s)
	if j.count == nil {
		return nil
	}
	n, err := j.count(output)
	if err != nil {
		return fmt.Errorf("read the answer of %s: %w", j.name, err)
	}
	j.counted = append(j.counted, n)
	return nil
}

func (j *job) start(ctx context.Context) (s measurement, output []byte, err error) {
	cmd := exec.CommandContext(ctx, j.args[0], j.args[1:]...) //nolint:gosec // running what it compares is what this program is for
	cmd.Dir = j.dir
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if j.stdout != "" {
		file, err := os.Create(j.stdout)
		if err != nil {
			return s, nil, err
		}
		defer func() { err = errors.Join(err, file.Close()) }()
		cmd.Stdout = file
	}
	start := time.Now()
	err = cmd.Run()
	s.wall = time.Since(start)
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && j.problem && exit.ExitCode() == 3 {
		err = nil
	}
	if err != nil {
		return s, nil, fmt.Errorf("%s: %w: %s", strings.Join(j.args, " "), err, tail(stderr.String()))
	}
	s.memory = peakMemory(cmd.ProcessState)
	return s, stdout.Bytes(), nil
}

// tail returns the end of what a command complained about.
func tail(text string) string {
	const most = 800
	text = strings.TrimSpace(text)
	return text[max(0, len(text)-most):]
}
