package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"

	"github.com/claimline/claimline/cmd/claimline/screen"
	"github.com/claimline/claimline/pipeline/words"
	"github.com/claimline/claimline/schema"
)

// The exit codes.
const (
	exitDone        = 0
	exitFailed      = 1   // could not be done: refused, rejected, failed
	exitUsage       = 2   // wrong use, or consent missing
	exitProblems    = 3   // done, but some rows are invalid, ineligible, failed or not attempted
	exitInterrupted = 130 // Ctrl-C
)

// version is set when the program is built.
var version = "development"

// app is one run of the program: where it reads and writes, and how it was called.
type app struct {
	stdin          io.Reader
	tty            *os.File // where answers are typed; nil: on stdin
	stdout, stderr io.Writer
	now            func() time.Time
	env            func(string) string
	log            zerolog.Logger
	config         config
	flags          globalFlags
	exit           int       // of a command that was done
	importID       int64     // of the import that the command is about; 0: none
	agreed         time.Time // when somebody agreed to the claims; zero: not in this run
}

// globalFlags are the flags of every command.
type globalFlags struct {
	db, org, config, logLevel     string
	language                      string
	json, quiet, noColor, noInput bool
}

// run runs one command and returns its exit code.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	a := &app{stdin: stdin, stdout: stdout, stderr: stderr, now: time.Now, env: os.Getenv, log: zerolog.Nop()}
	root := a.rootCommand() //nolint:contextcheck // cobra hands every command its context
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return a.exit
	}
	a.flags.json = a.flags.json || slices.Contains(args, "--json") // also where reading the flags ended before it
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		err = schema.Refuse(schema.CodeInterrupted, "").Because(err)
	}
	if !errors.Is(err, syscall.EPIPE) { // who reads has had enough
		a.showError(err)
	}
	return exitCode(err)
}

func exitCode(err error) int {
	if _, ok := errors.AsType[usageError](err); ok {
		return exitUsage
	}
	switch schema.CodeOf(err) {
	case schema.CodeUsage, schema.CodeConsentMissing, schema.CodeEditsNotAccepted, schema.CodeTooManyAddresses, schema.CodeScheduleInvalid:
		return exitUsage
	case schema.CodeInterrupted:
		return exitInterrupted
	}
	return exitFailed
}

// usageError is a refusal that is wrong use of a command, where its code alone does not say so.
type usageError struct{ error }

func (w usageError) Unwrap() error { return w.error }

func (a *app) rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "claimline",
		Short: "Claim the accounts of your own people into your organization, from one CSV file",
		Long: `Claimline claims the accounts of your own people into your organization, from one CSV file:

  export who is eligible, edit the file, validate it, import it, read the report`,
		Example: `  claimline load samples/org
  claimline export --org acme -o users.csv
  claimline validate --org acme users.csv
  claimline import --org acme users.csv
  claimline report --org acme`,
		Version:           version,
		SilenceErrors:     true,
		SilenceUsage:      true,
		PersistentPreRunE: func(*cobra.Command, []string) error { return a.configure() },
		Args:              cobra.ArbitraryArgs,
		RunE:              groupOnly,
	}
	root.AddGroup(groups...)
	root.SetFlagErrorFunc(flagError)
	root.SetVersionTemplate(versionText())
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) { fmt.Fprint(cmd.OutOrStdout(), helpText(cmd, a.language())) })
	flags := root.PersistentFlags()
	flags.StringVar(&a.flags.db, "db", "", "database: sqlite:PATH or postgres://USER@HOST/DATABASE (env CLAIMLINE_DB; default sqlite:claimline.db)")
	flags.StringVar(&a.flags.org, "org", "", "id of the claiming organization (env CLAIMLINE_ORG)")
	flags.StringVar(&a.flags.config, "config", "", "configuration file, YAML (env CLAIMLINE_CONFIG)")
	flags.BoolVar(&a.flags.json, "json", false, "answer in JSON")
	flags.BoolVarP(&a.flags.quiet, "quiet", "q", false, "say nothing but the answer and errors")
	flags.BoolVar(&a.flags.noColor, "no-color", false, "no colour (env NO_COLOR)")
	flags.BoolVar(&a.flags.noInput, "no-input", false, "never ask")
	flags.StringVar(&a.flags.language, "language", "", "en or sv (env LC_ALL, LC_MESSAGES, LANG; else as Windows says, or en)")
	flags.StringVar(&a.flags.logLevel, "log-level", "", "log to stderr: debug, info, warn (default) or error")
	addTo(root, groupPrepare, a.loadCommand(), a.orgCommand(), a.domainCommand(), a.eligibleCommand(), a.exportCommand())
	addTo(root, groupClaim, a.validateCommand(), a.importCommand(), a.claimCommand(), a.cancelCommand(), a.resumeCommand(), a.handoffCommand())
	addTo(root, groupLook, a.importsCommand(), a.statusCommand(), a.reportCommand(), a.usersCommand(), a.showCommand(), a.deadlinesCommand())
	addTo(root, groupAfter, a.decideCommand(), a.signInCommand(), a.retractCommand(), a.remindCommand(), a.removeCommand(), a.syncCommand())
	addTo(root, groupOperate, a.serveCommand(), a.scheduleCommand(), a.workerCommand(), a.tokenCommand(), a.outboxCommand(), a.mailCommand(),
		a.sweepCommand(), a.completionCommand(), a.versionCommand())
	help := a.helpCommand()
	help.GroupID = groupOperate
	root.SetHelpCommand(help)
	root.CompletionOptions.DisableDefaultCmd = true
	a.addCompletions(root)
	return root
}

// configure reads what holds for every command: flag, environment, file, default, in that order of
// precedence.
func (a *app) configure() error {
	if given := a.flags.language; given != "" && !slices.Contains(words.Languages, words.Language(given)) {
		return notOneOf("--language", given, names(words.Languages))
	}
	var err error
	if a.config, err = a.readConfig(); err != nil {
		return err
	}
	return a.openLog()
}

func (a *app) openLog() error { return a.openLogAt("warn") }

// openLogAt logs at a level, unless --log-level names another.
func (a *app) openLogAt(usual string) error {
	name := first(a.flags.logLevel, usual)
	level, err := zerolog.ParseLevel(strings.ToLower(name))
	if err != nil {
		return usage("--log-level %q is not one of debug, info, warn, error.", name)
	}
	to := a.stderr
	if a.terminal(a.stderr) {
		to = zerolog.ConsoleWriter{Out: a.stderr, NoColor: !a.colour(a.stderr), TimeFormat: time.TimeOnly}
	}
	a.log = zerolog.New(to).Level(level).With().Timestamp().Logger()
	return nil
}

// language returns the language that people at the terminal are told things in: that of --language, else of
// their locale, by the environment or else as the system has it.
func (a *app) language() words.Language {
	if given := words.Language(a.flags.language); slices.Contains(words.Languages, given) {
		return given
	}
	return words.OfLocale(first(a.env("LC_ALL"), a.env("LC_MESSAGES"), a.env("LANG"), systemLocale()))
}

// number writes a number with its digits in groups.
func (a *app) number(n int) string { return a.language().Number(n) }

// terminal reports whether f is one.
func (a *app) terminal(f any) bool {
	file, ok := f.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// colour reports whether colours may be written to f.
func (a *app) colour(f any) bool {
	return a.terminal(f) && !a.flags.noColor && a.env("NO_COLOR") == "" && a.env("TERM") != "dumb"
}

// say tells people something, on stderr.
func (a *app) say(format string, args ...any) {
	if a.flags.quiet {
		return
	}
	for line := range strings.SplitSeq(schema.Say(format, args...).In(a.language()), "\n") {
		a.tell(line, "  ")
	}
}

// showError tells what went wrong: what, where, why, and how to mend it.
func (a *app) showError(err error) {
	refused, ok := errors.AsType[*schema.Error](err)
	if !ok {
		refused = schema.Refuse(schema.CodeInternal, "").Because(err)
	}
	// What a refusal says to people may quote the file, which no log does.
	a.log.Debug().Str("code", string(refused.Code)).Str("place", refused.Place()).AnErr("cause", refused.Err).Msg("refused")
	l := schema.Language(a.language())
	if a.flags.json {
		l = words.English // for programs
	}
	message := placed(refused).In(l)
	_, cure := refused.Told()
	fix := cure.In(l)
	if a.importID != 0 && refused.Fix.IsZero() {
		fix = placeholder.ReplaceAllString(fix, strconv.FormatInt(a.importID, 10))
	}
	if refused.Code != schema.CodeUsage { // which tells how a command is written, and not which one to run
		fix = a.withGlobals(fix)
	}
	if a.flags.json {
		answer := map[string]any{"error": jsonError(message, refused.Code, fix)}
		_ = schema.NewEncoder(a.stderr).Encode(answer)
		return
	}
	if refused.Code == schema.CodeInternal && a.log.GetLevel() > zerolog.DebugLevel {
		a.log.Error().AnErr("cause", refused.Err).Msg("internal error")
	}
	a.tell(fmt.Sprintf("claimline: %s (%s)", schema.Printable(message), refused.Code), "  ")
	if fix != "" {
		a.tell("  "+a.language().Say("Fix: %s", schema.Printable(fix)), "       ")
	}
}

// placeholder is what fixes call an import whose number they do not know.
var placeholder = regexp.MustCompile(`\bID\b`)

// next says what to run next, on a line of its own that can be copied.
func (a *app) next(command string) {
	if !a.flags.quiet {
		fmt.Fprintln(a.stderr, a.language().Say("Next: %s", command))
	}
}

// tell writes a line to stderr, wrapped where that is a terminal.
func (a *app) tell(line, indent string) {
	fmt.Fprintln(a.stderr, strings.Join(screen.Wrap(line, a.page(a.stderr).Width, len(indent)), "\n"))
}

// answer writes a value as JSON to stdout.
func (a *app) answer(value any) error { return writeJSON(a.stdout, value) }

// printLine writes a line of the answer to stdout.
func (a *app) printLine(line string) error {
	if _, err := fmt.Fprintln(a.stdout, line); err != nil {
		return unwritable(schema.Word("The answer"), err)
	}
	return nil
}

func usage(format string, args ...any) *schema.Error {
	return schema.Refuse(schema.CodeUsage, format, args...)
}

// unwritable refuses an output, which is named by its file or by a schema.Word.
func unwritable(what any, err error) error {
	return schema.Refuse(schema.CodeOutputUnwritable, "%s could not be written: %s.", what, cause(err)).Because(err)
}

// cause returns why a file operation failed, in the system's words, without the path again.
func cause(err error) string {
	if path, ok := errors.AsType[*os.PathError](err); ok {
		return path.Err.Error()
	}
	return err.Error()
}

func flagError(cmd *cobra.Command, err error) error {
	var flags []string
	visit := func(name string) { flags = append(flags, "--"+name) }
	for _, set := range []interface{ VisitAll(func(*pflag.Flag)) }{cmd.Flags(), cmd.InheritedFlags()} {
		set.VisitAll(func(f *pflag.Flag) { visit(f.Name) })
	}
	if invalid, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		flag := invalid.GetFlag()
		kind := schema.Word("another value")
		switch flag.Value.Type() {
		case "int":
			kind = "a number"
		case "bool":
			kind = "true or false"
		}
		return usage("--%s takes %s, not %q.", flag.Name, kind, invalid.GetValue()).Because(err).
			WithFix("See %s --help.", cmd.CommandPath())
	}
	if refused := flagHint(cmd, err); refused != nil {
		return refused
	}
	refused := usage("%s.", strings.ToUpper(err.Error()[:1])+err.Error()[1:]).Because(err)
	if lacking, ok := errors.AsType[*pflag.ValueRequiredError](err); ok {
		refused = usage("Flag needs an argument: --%s.", lacking.GetFlag().Name).Because(err)
	}
	if _, unknown, found := strings.Cut(err.Error(), "unknown flag: "); found {
		refused = usage("Unknown flag: %s.", unknown).Because(err)
		if near, ok := schema.Nearest([]string{unknown}, flags); ok {
			return refused.WithFix("Did you mean %s? See %s --help.", near, cmd.CommandPath())
		}
	}
	return refused.WithFix("See %s --help.", cmd.CommandPath())
}

func unknownCommand(cmd *cobra.Command, name string) error {
	var names []string
	for _, sub := range cmd.Commands() {
		names = append(names, sub.Name())
	}
	refused := usage("There is no command %q.", name)
	if hint := commandHints[strings.ToLower(name)]; hint != "" && !cmd.HasParent() {
		return refused.WithFix("%s", hint)
	}
	if near, ok := schema.Nearest([]string{name}, names); ok {
		return refused.WithFix("Did you mean %s %s?", cmd.CommandPath(), near)
	}
	return refused.WithFix("See %s --help.", cmd.CommandPath())
}

// withoutConfig stands in for configure where a command needs no configuration, and none may keep it from
// working.
func withoutConfig(*cobra.Command, []string) error { return nil }

// groupOnly runs a command that only groups others.
func groupOnly(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return unknownCommand(cmd, args[0])
	}
	return cmd.Help()
}

// oneArg refuses anything but one argument, which it calls by the name given.
func oneArg(name schema.Word) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != 1 {
			return usage("%s takes one %s, and was given %d.", cmd.CommandPath(), name, len(args)).WithFix("Write: %s.", cmd.UseLine())
		}
		return nil
	}
}

// maxOneArg refuses more than one argument.
func maxOneArg(cmd *cobra.Command, args []string) error {
	if len(args) > 1 {
		return usage("%s takes one id at most, and was given %d.", cmd.CommandPath(), len(args)).WithFix("Write: %s.", cmd.UseLine())
	}
	return nil
}

// noArgs refuses arguments.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usage("%s takes no arguments, and was given %q.", cmd.CommandPath(), args[0]).WithFix("Write: %s.", cmd.UseLine())
	}
	return nil
}

func first(values ...string) string {
	for _, value := range values {
		if value != "" {
			return value
		}
	}
	return ""
}

// placed returns what a refusal says, with the place that it is about.
func placed(refused *schema.Error) schema.Text {
	message, _ := refused.Told()
	if place := refused.Where(); !place.IsZero() {
		return schema.Say("%s: %s", place, message)
	}
	return message
}

// jsonError returns a refusal as --json shows it.
func jsonError(message string, code schema.Code, fix string) map[string]string {
	return map[string]string{"code": string(code), "message": message, "fix": fix}
}
