package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/claimline/claimline/schema"
)

// asks reports whether somebody is there to answer.
func (a *app) asks() bool {
	return !a.flags.noInput && a.terminal(a.stderr) && a.terminal(a.answers())
}

// answers returns where answers are typed: stdin, but for a command whose file that is, the terminal itself.
func (a *app) answers() io.Reader {
	if a.tty != nil {
		return a.tty
	}
	return a.stdin
}

// readsStdin says that the command reads its file from stdin. At a terminal, somebody is there to answer all
// the same. The caller calls done at the end.
func (a *app) readsStdin(file string) (done func()) {
	if file != "-" || a.terminal(a.stdin) || !a.terminal(a.stderr) {
		return func() {}
	}
	tty, err := os.OpenFile(ttyName, os.O_RDWR, 0)
	if err != nil {
		return func() {} // nobody to ask
	}
	a.tty = tty
	return func() { a.tty = nil; _ = tty.Close() }
}

// ask asks on the terminal, and returns what is typed from then on: what was typed before somebody could read
// the question is thrown away. It ends with the context.
func (a *app) ask(ctx context.Context, question string) (answer string, err error) {
	from := a.answers()
	if file, ok := from.(*os.File); ok {
		discardInput(file)
	}
	fmt.Fprint(a.stderr, question)
	typed := make(chan string, 1)
	go func() { // ends with the process at the latest: a read of a terminal cannot be called back
		line, err := bufio.NewReader(from).ReadString('\n')
		if err != nil && line == "" {
			// The end of the input may be that of the terminal, whose signal is then on its way.
			wait(ctx, hangUp)
		}
		typed <- strings.TrimSpace(line)
	}()
	select {
	case answer = <-typed:
		if ctx.Err() == nil {
			return answer, nil
		}
	case <-ctx.Done():
		fmt.Fprintln(a.stderr)
	}
	return "", ctx.Err()
}

// hangUp is how long the signal of a closed terminal may take.
const hangUp = 200 * time.Millisecond

func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// agrees asks a question to which only yes is one, unless it was answered beforehand or nobody is there.
// Refused with CodeConsentDeclined.
func (a *app) agrees(ctx context.Context, answered bool, format string, args ...any) error {
	if answered || !a.asks() {
		return nil
	}
	answer, err := a.ask(ctx, schema.Say("%s Type yes to go on: ", schema.Say(format, args...)).In(a.language()))
	if err != nil {
		return err
	}
	if !strings.EqualFold(answer, "yes") && !strings.EqualFold(answer, a.language().Format("yes")) {
		return schema.Refuse(schema.CodeConsentDeclined, "You did not agree, so nothing was changed.").WithFix("Run the command again when you are ready.")
	}
	return nil
}

// agreesTo asks a question to which only the number is a yes.
func (a *app) agreesTo(ctx context.Context, n int, question schema.Word) (bool, error) {
	answer, err := a.ask(ctx, a.language().Say("%s (%s), or anything else to stop: ", question, schema.Number(n)))
	if err != nil {
		return false, err
	}
	typed, ok := parseNumber(answer)
	return ok && typed == n, nil
}

// numberForm is a number as people write it, with or without something between the thousands.
var numberForm = regexp.MustCompile(`^\d+$|^\d{1,3}([,.'’_ \x{00a0}\x{2009}\x{202f}]\d{3})+$`)

// parseNumber reads a number as people write it.
func parseNumber(s string) (n int, ok bool) {
	if !numberForm.MatchString(s) {
		return 0, false
	}
	digits := strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, s)
	n, err := strconv.Atoi(digits)
	return n, err == nil
}
