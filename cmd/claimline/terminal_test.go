//go:build linux

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/claimline/claimline/schema"
)

// terminal is a terminal of which the test is the person.
type terminal struct {
	*process
	person, computer *os.File      // the two ends
	watched          chan struct{} // closed when all is seen

	mu   sync.Mutex
	seen strings.Builder
	read int // of what was seen, so far
}

// atTerminal starts a command at a terminal. What is typed ahead stands there before the program starts;
// stdin, where it is given, is a file instead of the terminal.
func (s *site) atTerminal(t *testing.T, typedAhead, stdin string, args ...string) *terminal {
	t.Helper()
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	require.NoError(t, err)
	number, err := unix.IoctlGetInt(int(person.Fd()), unix.TIOCGPTN)
	require.NoError(t, err)
	require.NoError(t, unix.IoctlSetPointerInt(int(person.Fd()), unix.TIOCSPTLCK, 0))
	computer, err := os.OpenFile("/dev/pts/"+strconv.Itoa(number), os.O_RDWR|unix.O_NOCTTY, 0)
	require.NoError(t, err)
	term := &terminal{process: &process{cmd: exec.CommandContext(t.Context(), s.program, append(s.global, args...)...), done: make(chan struct{})}, person: person, computer: computer, watched: make(chan struct{})}
	term.typed(t, typedAhead)
	p := term.process
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = computer, &p.stdout, computer
	ctty := 0
	if stdin != "" {
		file, err := os.Open(stdin)
		require.NoError(t, err)
		defer func() { _ = file.Close() }()
		p.cmd.Stdin, ctty = file, 2
	}
	p.cmd.Env = append(cleanEnv(), "TERM=xterm")
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: ctty}
	require.NoError(t, p.cmd.Start())
	go func() {
		_ = p.cmd.Wait() // the state says how it ended
		close(p.done)
	}()
	go func() {
		defer close(term.watched)
		buffer := make([]byte, 4096)
		for {
			n, err := person.Read(buffer)
			term.mu.Lock()
			term.seen.Write(buffer[:n])
			term.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		<-p.done
		term.drain()
		_ = person.Close()
	})
	return term
}

// drain sees all that a process that has ended has left.
func (term *terminal) drain() {
	_ = term.computer.Close() // more than once does not matter
	<-term.watched
}

// wait waits for the end of the process, and sees all that it has written.
func (term *terminal) wait(t *testing.T) answer {
	t.Helper()
	got := term.process.wait(t)
	term.drain()
	return got
}

func (term *terminal) typed(t *testing.T, text string) {
	t.Helper()
	_, err := term.person.WriteString(text)
	require.NoError(t, err)
}

// sees waits until something new on the screen matches, and returns what it is.
func (term *terminal) sees(t *testing.T, pattern string) (match []string) {
	t.Helper()
	form := regexp.MustCompile(pattern)
	eventually(t, pattern, func() bool {
		ended := term.ended()
		if ended {
			term.drain()
		}
		term.mu.Lock()
		defer term.mu.Unlock()
		rest := term.seen.String()[term.read:]
		at := form.FindStringSubmatchIndex(rest)
		if at == nil {
			require.False(t, ended, "not on the screen: %s\n%s", pattern, rest)
			return false
		}
		match = form.FindStringSubmatch(rest)
		term.read += at[1]
		return true
	})
	return match
}

// screen returns all that has been seen.
func (term *terminal) screen() string {
	term.mu.Lock()
	defer term.mu.Unlock()
	return term.seen.String()
}

// sampleSite returns a site with the sample organization.
func sampleSite(t *testing.T) *site {
	t.Helper()
	l := openLab(t)
	s := newSite(t, filepath.Join(samples, "org"))
	s.program = l.program
	return s
}

const question = `Type the number of users to claim them for good \((\S+)\), or anything else to stop: `

// TestConsentIsTheNumber has only the number of users for consent, typed when the plan stands on the screen.
func TestConsentIsTheNumber(t *testing.T) {
	t.Parallel()
	s := sampleSite(t)
	good := filepath.Join(samples, "good.csv")
	for _, answer := range []string{"yes\n", "y\n", "\n", "21\n", "2,0\n", "\x04"} {
		term := s.atTerminal(t, "20\nyes\n20\n", "", "import", good)
		term.sees(t, `ready +20 `)
		assert.Equal(t, "20", term.sees(t, question)[1])
		term.typed(t, answer)
		got := term.wait(t)
		assert.Equal(t, exitFailed, got.code, "%q", answer)
		term.sees(t, `consent_declined`)
		summary := s.latest(t)
		assert.Equal(t, schema.StateRejected, summary.State)
		assert.Equal(t, 20, summary.NotAttempted)
		assert.Equal(t, map[schema.Code]int{schema.CodeConsentDeclined: 20}, summary.Reasons)
	}
	results := s.execute(t, "report", "--format", "jsonl").results(t)
	assert.Len(t, results, 20, "the rows are kept")
	assert.Equal(t, schema.CodeConsentDeclined, results[0].Reason)
	assert.Empty(t, s.execute(t, "report", "--format", "jsonl", "--only", "problems").stdout)
	got := s.execute(t, "resume", "--accept-permanent", "--json", "1")
	assert.Equal(t, exitFailed, got.code)
	assert.Contains(t, got.refusal(t).Fix, "Import the file again")

	term := s.atTerminal(t, "", "", "import", good)
	term.sees(t, question)
	term.typed(t, "20\n")
	assert.Equal(t, exitDone, term.wait(t).code, term.screen())
	assert.Equal(t, 20, s.latest(t).Claimed)
}

// TestThousandsInTheAnswer takes a number as it is shown, or as people write it elsewhere.
func TestThousandsInTheAnswer(t *testing.T) {
	t.Parallel()
	l := openLab(t)
	for _, answer := range []string{"30,000\n", "30000\n"} {
		s := l.site(t)
		term := s.atTerminal(t, "", "", "import", l.users)
		assert.Equal(t, "30,000", term.sees(t, question)[1])
		term.typed(t, answer)
		assert.Equal(t, exitDone, term.wait(t).code, term.screen())
	}
	for answer, want := range map[string]bool{"1.138": true, "1 138": true, "1’138": true, "1\u00a0138": true, "1138": true, "11,38": false, "1138.0": false, "": false, "1,138 users": false, "-1138": false} {
		n, ok := parseNumber(answer)
		assert.Equal(t, want, ok && n == 1138, answer)
	}
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567"} {
		assert.Equal(t, want, schema.Number(n).String())
	}
}

// TestStdinAtTheTerminal asks on the terminal itself where stdin is the file.
func TestStdinAtTheTerminal(t *testing.T) {
	t.Parallel()
	s := sampleSite(t)
	term := s.atTerminal(t, "", filepath.Join(samples, "good.csv"), "import", "-")
	term.sees(t, question)
	term.typed(t, "20\n")
	assert.Equal(t, exitDone, term.wait(t).code, term.screen())
	assert.Equal(t, 20, s.latest(t).Claimed)
}

// TestStoppedAtTheQuestion stops there with Ctrl-C, and by a terminal that is closed; then resumes, in vain,
// and declines.
func TestStoppedAtTheQuestion(t *testing.T) {
	t.Parallel()
	for name, stop := range map[string]func(*testing.T, *terminal){
		"ctrl-c": func(t *testing.T, term *terminal) { t.Helper(); term.typed(t, "\x03") },
		"hangup": func(t *testing.T, term *terminal) { t.Helper(); term.signal(t, syscall.SIGHUP) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := sampleSite(t)
			term := s.atTerminal(t, "", "", "import", filepath.Join(samples, "edited.csv"))
			ready := term.sees(t, question)[1]
			stop(t, term)
			assert.Equal(t, exitInterrupted, term.wait(t).code)
			before := s.latest(t)
			assert.Equal(t, schema.StateCancelled, before.State)
			rows := s.execute(t, "report", "--format", "jsonl", "1").results(t)

			// Nobody to ask: nothing is changed, and the command that is recommended works.
			got := s.execute(t, "resume", "--json", "1")
			assert.Equal(t, exitUsage, got.code)
			assert.Equal(t, schema.CodeConsentMissing, got.refusal(t).Code)
			assert.Contains(t, got.refusal(t).Fix, "--accept-permanent")
			assert.Equal(t, before, s.latest(t))

			term = s.atTerminal(t, "", "", "resume", "1")
			assert.Equal(t, ready, term.sees(t, question)[1])
			if name == "hangup" {
				stop(t, term)
				assert.Equal(t, exitInterrupted, term.wait(t).code)
				got = s.execute(t, "resume", "--accept-permanent", "1")
				assert.Equal(t, exitProblems, got.code, got.stderr)
				assert.Equal(t, ready, schema.Number(s.latest(t).Claimed).String())
				return
			}
			term.typed(t, "no\n")
			assert.Equal(t, exitFailed, term.wait(t).code)
			after := s.latest(t)
			assert.Equal(t, schema.StateRejected, after.State)
			declined := s.execute(t, "report", "--format", "jsonl", "1").results(t)
			require.Len(t, declined, len(rows))
			for i, row := range declined {
				if rows[i].Outcome == schema.NotAttempted {
					assert.Equal(t, schema.CodeConsentDeclined, row.Reason)
				} else {
					assert.Equal(t, rows[i], row)
				}
			}
			problems := s.execute(t, "report", "--format", "jsonl", "--only", "problems", "1").results(t)
			assert.Len(t, problems, after.Invalid+after.Ineligible)
			assert.NotEmpty(t, problems)
			assert.Contains(t, s.execute(t, "imports").stdout, " "+strconv.Itoa(len(problems))+" ")
		})
	}
}

// TestTerminalColours has colour where it is wanted.
func TestTerminalColours(t *testing.T) {
	t.Parallel()
	s := sampleSite(t)
	for flag, coloured := range map[string]bool{"--db=" + s.global[1]: true, "--no-color": false} {
		term := s.atTerminal(t, "", "", "claim", flag, "adam.ahmed@acme.example")
		term.sees(t, question)
		term.typed(t, "no\n")
		assert.Equal(t, exitFailed, term.wait(t).code)
		assert.Equal(t, coloured, strings.Contains(term.screen(), "\x1b[1m"))
	}
}

// TestQuestionsBeforeOtherChanges has the commands ask that change much, at a terminal, and does nothing
// without a yes.
func TestQuestionsBeforeOtherChanges(t *testing.T) {
	t.Parallel()
	s := sampleSite(t)
	got := s.execute(t, "import", "--accept-permanent", filepath.Join(samples, "good.csv"))
	require.Equal(t, exitDone, got.code, got.stderr)
	claimed := s.execute(t, "report", "--format", "jsonl").results(t)
	var address, domain string
	for _, row := range claimed {
		if row.ClaimType == schema.Immediate && address == "" {
			address = row.Email
			domain = address[strings.LastIndexByte(address, '@')+1:]
		}
	}
	for _, c := range []struct {
		asks string
		args []string
	}{
		{"Remove " + regexp.QuoteMeta(address) + `\? Your claim is closed for good`, []string{"remove", address}},
		{"Claim " + regexp.QuoteMeta(domain) + `\? .* [1-9]\d* claims? on its users`, []string{"domain", "claim", domain}},
		{"Retract [1-9][0-9]* users\\?", []string{"retract", "--import", "1"}},
	} {
		before := s.execute(t, "users", "--json").stdout + s.execute(t, "domain", "list").stdout
		for _, answer := range []string{"no\n", "\n", "y\n"} {
			term := s.atTerminal(t, "yes\n", "", c.args...)
			term.sees(t, c.asks)
			term.sees(t, "Type yes to go on: ")
			term.typed(t, answer)
			assert.Equal(t, exitFailed, term.wait(t).code)
			term.sees(t, "consent_declined")
		}
		assert.Equal(t, before, s.execute(t, "users", "--json").stdout+s.execute(t, "domain", "list").stdout)
	}
	for _, args := range [][]string{{"retract", "--import", "1", "--yes"}, {"domain", "claim", "--yes", domain}} {
		term := s.atTerminal(t, "", "", args...)
		assert.NotEqual(t, exitFailed, term.wait(t).code, term.screen())
		assert.NotContains(t, term.screen(), "Type yes")
	}
	assert.Regexp(t, regexp.QuoteMeta(domain)+" +claimed", s.execute(t, "domain", "list").stdout)
	assert.NotContains(t, s.execute(t, "retract", "--import", "1", "--dry-run").stdout, "would be retracted")
}
