package notify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/pipeline/report"
	"github.com/claimline/claimline/pipeline/store"
	catalogue "github.com/claimline/claimline/pipeline/words"
	"github.com/claimline/claimline/schema"
)

// Report is what a status report tells of an import, or of one that could not start.
type Report struct {
	Subject  string
	Title    string
	Sentence string // what happened
	File     string
	Import   string // its id; blank: none came of the file
	Schedule string
	Counts   []Labelled
	Dates    []Labelled
	Problems []Problem
	Fix      string // what to do about what happened
	Notes    []string
}

// Labelled is a value with what it is.
type Labelled struct{ Label, Value string }

// Problem is a reason for which rows were not claimed.
type Problem struct{ Count, Message, Fix string }

func (r Report) cleaned() Report {
	for _, value := range []*string{&r.Subject, &r.Title, &r.Sentence, &r.File, &r.Import, &r.Schedule, &r.Fix} {
		*value = unmarked(*value)
	}
	r.Counts, r.Dates, r.Problems, r.Notes = slices.Clone(r.Counts), slices.Clone(r.Dates), slices.Clone(r.Problems), slices.Clone(r.Notes)
	for _, list := range [][]Labelled{r.Counts, r.Dates} {
		for i := range list {
			list[i] = Labelled{unmarked(list[i].Label), unmarked(list[i].Value)}
		}
	}
	for i, p := range r.Problems {
		r.Problems[i] = Problem{unmarked(p.Count), unmarked(p.Message), unmarked(p.Fix)}
	}
	for i := range r.Notes {
		r.Notes[i] = unmarked(r.Notes[i])
	}
	return r
}

// attachment is a file that goes with a mail.
type attachment struct {
	Name, Type string
	Data       []byte
}

// mostAttached is how large the files attached to a report may be together. Many servers take mails of 10 MB,
// and files grow by a third on their way.
const mostAttached = 5 << 20

// errOutdated says that what was to be told is no longer so.
var errOutdated = errors.New("this is no longer news")

// report makes the report of some news for an address, with files up to a size. It returns errOutdated where
// there is nothing to tell any more.
func (s *Sender) report(ctx context.Context, sending *store.Sending, room int) (Letter, []attachment, error) {
	l := Letter{Kind: claim.MailReport, Language: catalogue.English, Organization: nameOf(sending.Claiming), Contact: s.contact(), Address: sending.To}
	var err error
	if l.Language, err = s.languageAt(ctx, sending.To); err != nil {
		return l, nil, err
	}
	w := words{l.Language, s.Zone}
	news := sending.News
	if news.Import == 0 {
		l.Report, l.Page = refusedReport(w, news), s.BaseURL
		return l, nil, nil
	}
	imp, err := s.Store.Import(ctx, sending.Claiming.ID, news.Import)
	switch {
	case schema.CodeOf(err) == schema.CodeImportNotFound:
		return l, nil, errOutdated
	case err != nil:
		return l, nil, fmt.Errorf("look up the import: %w", err)
	case !stillSo(news, &imp):
		return l, nil, errOutdated
	}
	var files []attachment
	if l.Report, files, err = s.importReport(ctx, w, imp, news, room); err != nil {
		return l, nil, err
	}
	if s.BaseURL != "" {
		l.Page = schema.ImportPage(s.BaseURL, imp.ID)
	}
	return l, files, nil
}

// stillSo reports whether an import is still as the news has it.
func stillSo(news *schema.News, imp *schema.Import) bool {
	switch news.Event {
	case schema.ImportWaiting:
		return imp.State == schema.StateAwaitingConsent
	case schema.ImportStopped:
		return imp.State == schema.StateInterrupted
	}
	return imp.State.Ended()
}

// languageAt returns the language of the account with an address, else English.
func (s *Sender) languageAt(ctx context.Context, address string) (catalogue.Language, error) {
	key, problem := schema.ParseAddress(address)
	if problem != "" {
		return catalogue.English, nil
	}
	account, err := s.Store.Account(ctx, key)
	if err != nil {
		return "", fmt.Errorf("look up who is told: %w", err)
	}
	return languageOf(account.User.PreferredLanguage), nil
}

// importReport tells of an import.
func (s *Sender) importReport(ctx context.Context, w words, imp schema.Import, news *schema.News, room int) (*Report, []attachment, error) {
	summary, err := imp.Summary()
	if err != nil {
		return nil, nil, fmt.Errorf("count the rows: %w", err)
	}
	r := &Report{
		Title: w.title(imp.State), Sentence: w.sentence(&imp, &summary), File: fileName(imp.File), Import: summary.ID, Schedule: news.Schedule,
		Counts: w.counts(&summary, imp.Tally.Outcomes[schema.Ready]), Problems: w.problems(summary.Reasons), Fix: w.nextStep(&imp),
	}
	r.Subject = w.subject(r.Sentence, r.File)
	if r.Dates, err = s.dates(w, &imp); err != nil {
		return nil, nil, err
	}
	var files []attachment
	if len(imp.Plan) > 0 && !imp.RowsRemoved && room > 0 {
		if files, err = s.attachments(ctx, imp, &summary, w.language, room); err != nil {
			return nil, nil, err
		}
	}
	r.Notes = w.attached(files, summary.Problems() > 0, summary.ID)
	return r, files, nil
}

// fileName returns the name of a file without its folders, which concern nobody.
func fileName(file string) string {
	if file == "-" {
		return "stdin"
	}
	return filepath.Base(filepath.ToSlash(file))
}

// dates says until when claims can be retracted, and when delayed ones complete: see R21, R22.
func (s *Sender) dates(w words, imp *schema.Import) ([]Labelled, error) {
	if imp.Tally.Outcomes[schema.Claimed] == 0 {
		return nil, nil
	}
	plan, err := schema.PlanOf(*imp)
	if err != nil {
		return nil, fmt.Errorf("read the plan: %w", err)
	}
	until := w.moment(firstClaim(imp).Add(s.Policy.DecisionTime()))
	dates := []Labelled{{w.say("Claims can be retracted until"), until}}
	if plan.Types[schema.Delayed] > 0 {
		dates = append(dates, Labelled{w.say("Delayed claims complete"), until})
	}
	return dates, nil
}

// firstClaim returns when an import can have made its first claim.
func firstClaim(imp *schema.Import) time.Time {
	if imp.ConsentedAt.After(imp.StartedAt) {
		return imp.ConsentedAt
	}
	return imp.StartedAt
}

// attachments returns the report of an import as a page, and the rows with problems as CSV, where there are
// some; what there is no room for is left out.
func (s *Sender) attachments(ctx context.Context, imp schema.Import, summary *schema.Summary, l catalogue.Language, room int) ([]attachment, error) {
	wanted := []struct {
		attachment
		report.Report
	}{{attachment{Name: "report-" + summary.ID + ".html", Type: "text/html"}, report.Report{Format: report.HTML, Language: l}}}
	if summary.Problems() > 0 {
		wanted = append(wanted, wanted[0])
		wanted[1].attachment = attachment{Name: "problems-" + summary.ID + ".csv", Type: "text/csv"}
		wanted[1].Report = report.Report{Format: report.CSV, Only: []string{report.OnlyProblems}, Language: l}
	}
	var files []attachment
	for _, w := range wanted {
		data := limited{room: room}
		w.To = &data
		err := w.OfImport(ctx, s.Store, s.Policy, imp)
		switch {
		case errors.Is(err, errTooLarge), schema.CodeOf(err) == schema.CodeImportRemoved:
			continue
		case err != nil:
			return nil, fmt.Errorf("attach the report: %w", err)
		}
		w.Data = data.Bytes()
		room -= len(w.Data)
		files = append(files, w.attachment)
	}
	return files, nil
}

var errTooLarge = errors.New("too large to be attached")

// limited keeps what is written to it, up to a size.
type limited struct {
	bytes.Buffer
	room int
}

func (l *limited) Write(data []byte) (int, error) {
	if l.Len()+len(data) > l.room {
		return 0, errTooLarge
	}
	return l.Buffer.Write(data)
}

// refusedReport tells of an import that could not start.
func refusedReport(w words, news *schema.News) *Report {
	r := &Report{
		Title: w.say("An import could not start"), File: fileName(news.File), Schedule: news.Schedule,
		Fix: news.Fix,
	}
	l := w.language
	message := news.Code.Message("")
	if news.Message != "" {
		message = news.Message
	}
	message = l.Kept(news.Code, message)
	if r.Fix == "" || l != catalogue.English {
		r.Fix = news.Code.Cure("").In(l)
	}
	r.Sentence = w.say("Nobody was claimed: %s could not be imported. %s", r.File, message)
	r.Subject = w.say("%s could not be imported (%s)", r.File, news.Code)
	r.Dates = []Labelled{{w.say("When"), w.moment(news.At)}}
	return r
}

// problems lists the reasons for which rows want attention, the most frequent first.
func (w words) problems(reasons map[schema.Code]int) []Problem {
	codes := slices.DeleteFunc(slices.Collect(maps.Keys(reasons)), func(code schema.Code) bool { return !code.Problem() })
	slices.SortFunc(codes, func(a, b schema.Code) int {
		if reasons[a] != reasons[b] {
			return reasons[b] - reasons[a]
		}
		return slices.Index(schema.RowReasons(), a) - slices.Index(schema.RowReasons(), b)
	})
	l := w.language
	problems := make([]Problem, 0, len(codes))
	for _, code := range codes {
		p := Problem{Count: w.count(reasons[code], "%s row", "%s rows"), Message: code.Wrong().In(l), Fix: code.Cure().In(l)}
		problems = append(problems, p)
	}
	return problems
}

// counts lists how many rows had which outcome, without those of which there are none.
func (w words) counts(s *schema.Summary, ready int) []Labelled {
	list := []Labelled{{w.say("Rows in the file"), w.number(s.Rows)}}
	for _, c := range []struct {
		n     int
		label schema.Word
	}{
		{s.Claimed, "Claimed"},
		{ready, "Not claimed yet"},
		{s.Unchanged, "Members, or claimed, before"},
		{s.Skipped, "Left alone, as the file says"},
		{s.Invalid, "Something in the row is wrong"},
		{s.Ineligible, "Cannot be claimed"},
		{s.Failed, "Failed"},
		{s.NotAttempted - ready, "Not reached"},
	} {
		if c.n > 0 {
			list = append(list, Labelled{w.say("%s", c.label), w.number(c.n)})
		}
	}
	return list
}

// contact returns where questions about mails go.
func (s *Sender) contact() string {
	if s.SMTP.ReplyTo != nil {
		return s.SMTP.ReplyTo.Address
	}
	if s.SMTP.From != nil {
		return s.SMTP.From.Address
	}
	return ""
}

// nextStep says how to go on with an import that waits, or has stopped.
func (w words) nextStep(imp *schema.Import) string {
	id := strconv.FormatInt(imp.ID, 10)
	switch imp.State {
	case schema.StateAwaitingConsent:
		return w.say("Look at the plan, then agree to it or cancel it: open the import, or run claimline resume %s, or claimline cancel %s.", id, id)
	case schema.StateInterrupted:
		return w.say("Go on with it where it stopped: claimline resume %s.", id)
	}
	return ""
}
