package notify

import (
	"time"

	"github.com/claimline/claimline/pipeline/claim"
	catalogue "github.com/claimline/claimline/pipeline/words"
	"github.com/claimline/claimline/schema"
)

// samples returns letters that show what a mail can say, the most usual first.
func samples(kind claim.Mail, language catalogue.Language) []Letter {
	w := words{language, time.UTC}
	made := time.Date(2026, 11, 25, 14, 32, 0, 0, time.UTC)
	until := made.AddDate(0, 0, 14)
	l := Letter{
		Kind: kind, Language: language, Organization: "Acme AB", Contact: "it@acme.example", Address: "ann.oberg@acme.example", Name: "Ann Öberg",
		Source: "Öbergs IT-klubb", Delayed: true, Made: w.moment(made), MadeDay: w.day(made), Until: w.moment(until), UntilDay: w.day(until), DaysLeft: 14,
		Page: schema.ChoicePage("https://claimline.acme.example", "kZ8Qx3vN1sYw0aTfLr5uHc7pJd2mBgEoXi9KqVt4RnA"),
	}
	switch kind {
	case claim.MailReport:
		return sampleReports(l, w, until)
	case claim.MailReminder:
		l.DaysLeft = 7
		last := l
		last.DaysLeft = 1
		return []Letter{l, last}
	case claim.MailCompleted:
		l.Page, l.Closed = "", l.Until
		letters := []Letter{l}
		for _, choice := range []schema.Choice{schema.TransferContent, schema.ChangeEmail, schema.DeleteAccount} {
			l.Choice = choice
			letters = append(letters, l)
		}
		return letters
	case claim.MailRetracted:
		l.Page, l.Closed = "", w.moment(made.AddDate(0, 0, 2))
		return []Letter{l}
	}
	immediate := l
	immediate.Delayed, immediate.Until, immediate.UntilDay, immediate.DaysLeft, immediate.Name = false, "", "", 0, ""
	if kind == claim.MailActivation {
		l.Page, immediate.Page = "", ""
		return []Letter{immediate, l}
	}
	return []Letter{l, immediate}
}

func sampleReports(l Letter, w words, until time.Time) []Letter {
	l.Address, l.Page = "it@acme.example", schema.ImportPage("https://claimline.acme.example", 12)
	imp := schema.Import{ID: 12, File: "users.csv", State: schema.StateCompletedWithErrors, Tally: schema.Tally{
		Rows:     1205,
		Outcomes: map[schema.Outcome]int{schema.Claimed: 1114, schema.Unchanged: 7, schema.Skipped: 39, schema.Invalid: 26, schema.Ineligible: 19},
		Reasons: map[schema.Code]int{
			schema.CodeUserNotFound: 11, schema.CodeDuplicateRow: 9, schema.CodePhoneInvalid: 17, schema.CodeSourceSSO: 8,
		},
	}}
	summary, _ := imp.Summary() // there is no plan that could not be read
	r := &Report{
		Title: w.title(imp.State), Sentence: w.sentence(&imp, &summary), File: imp.File, Import: summary.ID, Schedule: "nightly",
		Counts: w.counts(&summary, 0), Problems: w.problems(summary.Reasons),
		Dates: []Labelled{
			{w.say("Claims can be retracted until"), w.moment(until)},
			{w.say("Delayed claims complete"), w.moment(until)},
		},
		Notes: w.attached([]attachment{{Name: "report-12.html", Type: "text/html"}, {Name: "problems-12.csv", Type: "text/csv"}}, true, summary.ID),
	}
	r.Subject = w.subject(r.Sentence, r.File)
	ended := l
	ended.Report = r
	l.Report = refusedReport(w, &schema.News{
		Event: schema.ScheduleFailed, At: until, Schedule: "nightly", File: "users.csv", Code: schema.CodeFileUnreadable,
	})
	l.Page = "https://claimline.acme.example"
	return []Letter{ended, l}
}

// Preview returns the mail of a kind as it looks with made-up data.
func (t *Templates) Preview(kind claim.Mail, language catalogue.Language) (Mail, error) {
	return t.Render(samples(kind, language)[0])
}
