package schema

import (
	"net/url"
	"strconv"
	"strings"
	"time"
)

// MailState is where a mail stands.
type MailState string

// The states of a mail.
const (
	MailWaiting MailState = "waiting" // to be sent, for the first time or again
	MailSent    MailState = "sent"    // the server has accepted it
	MailFailed  MailState = "failed"  // refused for good, or for too long
)

// MailStates lists the states of mails.
var MailStates = []MailState{MailWaiting, MailSent, MailFailed}

// OutboxEntry is a mail as the outbox is listed.
type OutboxEntry struct {
	ID            string     `json:"id"`
	Kind          string     `json:"kind"`
	To            string     `json:"to"`
	State         MailState  `json:"state"`
	Attempts      int        `json:"attempts"`
	NextAttemptAt *time.Time `json:"next_attempt_at"` // null: as soon as its turn comes, or never
	SentAt        *time.Time `json:"sent_at"`
	Error         string     `json:"error"` // of the last attempt, in the server's words
}

// NewsEvent is what happened of which people, and programs, are told.
type NewsEvent string

// The events.
const (
	ImportEnded    NewsEvent = "import.ended"
	ImportWaiting  NewsEvent = "import.waiting"  // an import that nobody attends waits for consent
	ImportStopped  NewsEvent = "import.stopped"  // trouble lasted too long, and it waits for a person
	ImportRefused  NewsEvent = "import.refused"  // it could not start
	ScheduleFailed NewsEvent = "schedule.failed" // a run of a schedule could not start an import
)

// WebhookEvents lists the events that webhooks can ask for.
var WebhookEvents = []NewsEvent{ImportEnded, ImportWaiting, ScheduleFailed}

// News is what a status report, or a webhook, tells.
type News struct {
	Event    NewsEvent `json:"event"`
	At       time.Time `json:"at"`
	Import   int64     `json:"import,omitempty"`   // 0: none came of it
	Schedule string    `json:"schedule,omitempty"` // blank: none
	File     string    `json:"file,omitempty"`     // of what could not start, with Code, Message and Fix
	Code     Code      `json:"code,omitempty"`
	Message  string    `json:"message,omitempty"`
	Fix      string    `json:"fix,omitempty"`
}

// CreatedBySchedule returns the name of the schedule that made the import; blank: somebody else did.
func (imp Import) CreatedBySchedule() string {
	name, found := strings.CutPrefix(imp.CreatedBy, "schedule:")
	if !found {
		return ""
	}
	return name
}

// NewsOf returns what there is to tell when one state of an import has become another. That an import of a
// schedule waits is for the run to tell (NewsOfRun): most are agreed to at once.
func NewsOf(before, after Import, at time.Time) (News, bool) {
	news := News{At: at, Import: after.ID, Schedule: after.CreatedBySchedule()}
	switch {
	case before.State == after.State:
		return news, false
	case after.State.Ended() && !before.State.Ended():
		news.Event = ImportEnded
	case after.State == StateAwaitingConsent && before.State == StatePlanning && !after.Attended && news.Schedule == "":
		news.Event = ImportWaiting
	case after.State == StateInterrupted:
		news.Event = ImportStopped
	default:
		return news, false
	}
	return news, true
}

// NewsOfRun returns what there is to tell of a run of a schedule that the import itself does not.
func NewsOfRun(schedule Schedule, run ScheduleRun) (News, bool) {
	news := News{At: run.At, Import: run.ImportID, Schedule: schedule.Name}
	switch {
	case run.State == RunWaiting:
		news.Event = ImportWaiting
	case run.State == RunFailed && run.ImportID == 0:
		news.Event, news.File, news.Code, news.Message = ScheduleFailed, run.File, run.Code, run.Message
		if news.File == "" {
			news.File = schedule.File + schedule.Dir // it has the one or the other
		}
	default:
		return news, false
	}
	return news, true
}

// Mailed reports whether people are told by mail: of what waits, only where a schedule made it, for else
// somebody has just been shown the plan.
func (n News) Mailed() bool { return n.Event != ImportWaiting || n.Schedule != "" }

// ChoicePage returns the address of the page on which an owner makes the choice that a link gives.
func ChoicePage(base, link string) string { return strings.TrimRight(base, "/") + "/choose/" + link }

// ImportPage returns the address of the page about an import.
func ImportPage(base string, id int64) string {
	return strings.TrimRight(base, "/") + "/imports/" + strconv.FormatInt(id, 10)
}

// ParseBaseURL reads the address below which the service is to be found: http or https, with a host, and
// nothing behind the path.
func ParseBaseURL(base string) (*url.URL, bool) {
	u, err := url.Parse(base)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, false
	}
	return u, true
}
