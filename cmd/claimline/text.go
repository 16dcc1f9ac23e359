package main

import (
	"io"
	"os"
	"regexp"
	"strings"

	"golang.org/x/term"

	"github.com/claimline/claimline/cmd/claimline/screen"
	"github.com/claimline/claimline/schema"
)

// page returns what fits where f writes to. What is no terminal takes everything, in plain lines.
func (a *app) page(f any) screen.Page {
	if !a.terminal(f) {
		return screen.Page{Language: a.language()}
	}
	p := screen.Page{Width: 80, Height: 24, Colour: a.colour(f), Language: a.language()} // of a terminal that does not say
	if file, ok := f.(*os.File); ok {
		if width, height, err := term.GetSize(int(file.Fd())); err == nil && width > 0 && height > 0 {
			p.Width, p.Height = width, height
		}
	}
	return p
}

// outputPage returns what fits where the answer goes: to the file called name, or to stdout.
func (a *app) outputPage(name string) screen.Page {
	if name != "" && name != "-" {
		return screen.Page{Language: a.language()}
	}
	return a.page(a.stdout)
}

// writeTable writes a table, no wider than what is there.
func (a *app) writeTable(to io.Writer, t *screen.Table) error {
	if err := t.Write(to, a.page(to)); err != nil {
		return unwritable(schema.Word("The answer"), err)
	}
	return nil
}

// writeLines writes text to stdout, each line wrapped where that is a terminal, its later lines indented.
func (a *app) writeLines(lines ...string) error {
	width := a.page(a.stdout).Width
	var b strings.Builder
	for _, line := range lines {
		indent := len(line) - len(strings.TrimLeft(line, " ")) + 2
		b.WriteString(strings.Join(screen.Wrap(line, width, indent), "\n") + "\n")
	}
	if _, err := io.WriteString(a.stdout, b.String()); err != nil {
		return unwritable(schema.Word("The answer"), err)
	}
	return nil
}

// command returns a command to run next, as somebody would type it, with the global flags that this one was
// given.
func (a *app) command(words ...string) string {
	for _, global := range []struct{ flag, value string }{{"--org", a.flags.org}, {"--db", a.flags.db}, {"--config", a.flags.config}} {
		if global.value != "" {
			words = append(words, global.flag, global.value)
		}
	}
	return commandLine(words...)
}

// commandLine returns a command as somebody would type it.
func commandLine(words ...string) string {
	quoted := []string{"claimline"}
	for _, word := range words {
		quoted = append(quoted, shellQuoted(word))
	}
	return strings.Join(quoted, " ")
}

// namedCommand is a command, in a sentence, that says of what it is to be run: in another database, that
// would be something else.
var namedCommand = regexp.MustCompile(`\bclaimline (resume|cancel|status|report|retract|remind|domain)( ('[^']*'|\\'|[^\s;'])*('[^']*'|\\'|[^\s;'.]))+`)

// withGlobals returns a text with the global flags that were given behind each such command, so that it can
// be copied. What commands other packages know of, they know without flags.
func (a *app) withGlobals(text string) string {
	flags := strings.TrimPrefix(a.command(), "claimline")
	return namedCommand.ReplaceAllStringFunc(text, func(command string) string { return command + flags })
}

var plainWord = regexp.MustCompile(`^[\pL\pN_./:@%+=,-]+$`)

// shellQuoted returns a word as a shell wants it.
func shellQuoted(word string) string {
	if plainWord.MatchString(word) {
		return word
	}
	return "'" + strings.ReplaceAll(schema.Printable(word), "'", `'\''`) + "'"
}
