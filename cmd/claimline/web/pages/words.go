package pages

import (
	"fmt"
	"html/template"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/text/language"
	"golang.org/x/text/message"

	catalogue "github.com/claimline/claimline/pipeline/words"
	"github.com/claimline/claimline/schema"
)

const languageCookie = "language"

// languageOf returns the language of a request: the one that was chosen on a page, else the first of these
// preferences that says something, else the browser's.
func languageOf(r *http.Request, preferences ...string) catalogue.Language {
	if chosen, err := r.Cookie(languageCookie); err == nil {
		preferences = append([]string{chosen.Value}, preferences...)
	}
	l, _ := catalogue.Match(append(preferences, r.Header.Get("Accept-Language"))...)
	return l
}

// words says things in a language. What is said is known by its English, and translated by the catalogue.
type words struct {
	language catalogue.Language
	printer  *message.Printer
	zone     *time.Location
}

func newWords(l catalogue.Language, zone *time.Location) *words {
	return &words{language: l, printer: message.NewPrinter(language.MustParse(string(l))), zone: zone}
}

// say returns a text with its values in their places. A value is escaped unless it is HTML; numbers have
// their digits in groups.
func (w *words) say(text string, values ...any) template.HTML {
	text = w.language.Format(text)
	for i, value := range values {
		switch v := value.(type) {
		case int, int64, template.HTML:
		case string:
			values[i] = template.HTMLEscapeString(v)
		default:
			values[i] = template.HTMLEscapeString(fmt.Sprint(v))
		}
	}
	return template.HTML(w.printer.Sprintf(text, values...)) //nolint:gosec // G203: the values are escaped
}

// plain returns a text, which may be anybody's, as HTML.
func (*words) plain(text string) template.HTML {
	return template.HTML(template.HTMLEscapeString(text)) //nolint:gosec // G203: it is escaped
}

// count says how many there are: n comes first among the values.
func (w *words) count(n int, one, many string, values ...any) template.HTML {
	text := many
	if n == 1 {
		text = one
	}
	return w.say(text, append([]any{n}, values...)...)
}

// number returns a number with its digits in groups.
func (w *words) number(n int) string { return w.printer.Sprintf("%d", n) }

// dayText returns the day of a time.
func (w *words) dayText(at time.Time) string { return w.language.LongDay(at.In(w.zone)) }

// day returns the day of a time, which a browser shows in the zone of its reader.
func (w *words) day(at time.Time) template.HTML {
	return w.time(at, "day", strings.ReplaceAll(w.dayText(at), " ", "\u00a0"))
}

// moment returns a time with its day, likewise.
func (w *words) moment(at time.Time) template.HTML {
	there := at.In(w.zone)
	return w.time(at, "moment", w.language.LongMoment(there, there.Format("MST")))
}

func (*words) time(at time.Time, class, text string) template.HTML {
	return template.HTML("<time class=\"" + class + "\" datetime=\"" + at.UTC().Format(time.RFC3339) + "\">" + //nolint:gosec // G203: nothing in it is anybody's
		template.HTMLEscapeString(text) + "</time>")
}

// role names a role.
func (w *words) role(r schema.Role) template.HTML {
	switch r {
	case schema.RoleViewer:
		return w.say("may look")
	case schema.RoleOperator:
		return w.say("may claim")
	}
	return w.say("may do everything")
}

// who names who did something: a token by its name, the terminal, a schedule.
func (w *words) who(name string) template.HTML {
	kind, rest, _ := strings.Cut(name, ":")
	switch kind {
	case "terminal":
		return w.say("%s at the terminal", rest)
	case "schedule":
		return w.say("the schedule %s", rest)
	}
	return w.plain(name)
}

// fileName returns the name of a file without its folders; that of claims by hand in the reader's language.
func (w *words) fileName(path string) string {
	if path == schema.ByHand {
		return w.language.Format(path)
	}
	return filepath.Base(path)
}

// cause says what rows have in common: a cell, quoted, or a word of ours for what is wrong with it.
func (w *words) cause(value string) string { return w.language.Format(value) }

// problem says what a code means, and what to do about it; with a detail, where there is one.
func (w *words) problem(code schema.Code, detail ...string) (message, fix string) {
	message = code.Wrong(append(detail, "")...).In(w.language)
	if fix, found := pageFixes[code]; found {
		return message, w.language.Format(string(fix))
	}
	if fix = code.Cure().In(w.language); forTerminal(fix) {
		fix = ""
	}
	return message, fix
}

func (w *words) functions() template.FuncMap {
	return template.FuncMap{
		"t": w.say, "n": w.count, "number": w.number, "day": w.day, "moment": w.moment, "role": w.role,
		"outcome": w.rowOutcome, "who": w.who, "cause": w.cause,
		"warning": func(text string) string {
			code, detail, _ := strings.Cut(text, ":")
			message, _ := w.problem(schema.Code(code))
			if detail != "" {
				return message + " (" + detail + ")"
			}
			return message
		},
		"status": w.status, "claimtype": w.claimType, "kind": w.deadline, "domainstatus": w.domainStatus, "effect": w.effect, "happened": w.happened,
		"runstate": w.runState, "choice": func(c *schema.Choice) template.HTML { return w.happened(string(*c)) },
		"mailkind": w.mailKind, "mailstate": w.mailState,
		"message": func(code schema.Code) string { message, _ := w.problem(code); return message },
		"ignored": func(header string) string { return ignoreMark + header },
		"value":   value,
		"domain":  domainName, "address": emailAddress, "base": w.fileName,
		"schedulepath": schedulePath,
		"userpath":     func(listed string) string { return userPath(strings.TrimSuffix(listed, schema.ConvertSuffix)) },
		"monthname":    w.monthText, "kinds": w.kinds, "beside": w.beside, "daytext": w.dayText,
		"weekday": func(at time.Time) string { return w.language.Weekday(at.Weekday()) },
		"list":    func(items ...any) []any { return items },
	}
}

// value returns what a pointer points to; the zero value for nil.
func value(pointer any) any {
	switch p := pointer.(type) {
	case *int:
		return *p
	case *bool:
		return *p
	case *string:
		return *p
	case *time.Time:
		return *p
	}
	return pointer
}

func (w *words) status(s schema.Status) template.HTML {
	switch s {
	case schema.DelayedClaim:
		return w.say("Delayed claim")
	case schema.Active:
		return w.say("Active")
	case schema.Verified:
		return w.say("Verified")
	case schema.NotVerified:
		return w.say("Not verified")
	case schema.Pending:
		return w.say("Pending")
	case schema.Inactive:
		return w.say("Inactive")
	}
	return template.HTML(template.HTMLEscapeString(string(s))) //nolint:gosec // G203: it is escaped
}

func (w *words) claimType(t schema.ClaimType) template.HTML {
	switch t {
	case schema.Immediate:
		return w.say("immediate")
	case schema.Delayed:
		return w.say("delayed")
	}
	return ""
}

func (w *words) deadline(k schema.DeadlineKind) template.HTML {
	switch k {
	case schema.DeadlineDecision:
		return w.say("moves by itself")
	case schema.DeadlineRetract:
		return w.say("can be taken back no longer")
	}
	return w.say("is removed")
}

func (w *words) domainStatus(s schema.DomainStatus) template.HTML {
	switch s {
	case schema.DomainPending:
		return w.say("waits for its TXT record")
	case schema.DomainClaimed:
		return w.say("claimed")
	}
	return w.say("verified")
}

func (w *words) effect(e schema.SyncEffect) template.HTML {
	switch e {
	case schema.SyncKeep:
		return w.say("Stay as they are")
	case schema.SyncDeactivate:
		return w.say("Become inactive: the list lacks them")
	case schema.SyncReactivate:
		return w.say("Become active again")
	case schema.SyncInactive:
		return w.say("Are inactive, and stay so")
	case schema.SyncCaseMismatch:
		return w.say("Stay, but are written in another case")
	case schema.SyncDelayedClaim:
		return w.say("Are not members yet: delayed claim")
	}
	return w.say("Are in the list only")
}

func (w *words) happened(what string) template.HTML {
	switch what {
	case "claimed":
		return w.say("Claimed")
	case "signed_in":
		return w.say("The owner signed in")
	case string(schema.ClosedRetracted):
		return w.say("The claim was taken back")
	case string(schema.ChangeEmail):
		return w.say("The owner kept the old account under another address")
	case string(schema.DeleteAccount):
		return w.say("The owner deleted the old account")
	case string(schema.TransferContent):
		return w.say("The owner took the account along")
	}
	return w.status(schema.Status(what))
}

func (w *words) runState(s schema.RunState) template.HTML {
	switch s {
	case schema.RunDone:
		return w.say("Done")
	case schema.RunNothing:
		return w.say("No new file")
	case schema.RunWaiting:
		return w.say("Waits for your decision")
	case schema.RunFailed:
		return w.say("Failed")
	}
	return w.say("Under way")
}

// mailKind names a mail to an owner.
func (w *words) mailKind(kind string) template.HTML {
	switch kind {
	case "claim":
		return w.say("The account was claimed: with the link to choose")
	case "activation":
		return w.say("The account has joined: where to sign in")
	case "reminder":
		return w.say("Reminder of the choice")
	case "completed":
		return w.say("What became of the account")
	case "retracted":
		return w.say("The claim was taken back")
	}
	return template.HTML(template.HTMLEscapeString(kind)) //nolint:gosec // G203: it is escaped
}

func (w *words) mailState(state string) template.HTML {
	switch schema.MailState(state) {
	case schema.MailSent:
		return w.say("sent")
	case schema.MailFailed:
		return w.say("could not be sent")
	case schema.MailWaiting:
		return w.say("waits")
	}
	return template.HTML(template.HTMLEscapeString(state)) //nolint:gosec // G203: it is escaped
}
