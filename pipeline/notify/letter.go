package notify

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/pipeline/store"
	catalogue "github.com/claimline/claimline/pipeline/words"
	"github.com/claimline/claimline/schema"
)

// Letter is what the words of a mail are about. Every value is one line, as people read it in the letter's
// language; blank where there is none.
type Letter struct {
	Kind         claim.Mail
	Language     catalogue.Language
	Organization string // name of the one that claims
	Contact      string // address for questions
	Page         string // address that the button leads to
	Address      string // that the mail is sent to

	Name     string        // of the owner
	Source   string        // name of the organization that the account belongs to
	Delayed  bool          // the claim's type
	Made     string        // when it was made
	MadeDay  string        // the day of that
	Until    string        // by when to choose
	UntilDay string        // the day of that
	DaysLeft int           // until then, rounded up
	Choice   schema.Choice // that closed the claim
	Closed   string        // when it was closed, or retracted

	Report *Report // of a report
}

// ownerLetter returns what there is to say to the owner of a claimed account.
func ownerLetter(rules claim.Rules, s *store.Sending, page, contact string, zone *time.Location) Letter {
	profile := s.Account.User.Profile
	if s.Made.Open() && s.Made.Type == schema.Immediate {
		profile = profile.Edit(s.Made.Edits)
	}
	l := Letter{
		Kind: s.Kind, Language: languageOf(profile.PreferredLanguage), Organization: nameOf(s.Claiming), Contact: contact, Page: page,
		Address: s.Account.User.Email, Name: profile.FullName(), Delayed: s.Made.Type == schema.Delayed,
	}
	if o := s.Account.Organization; o != nil && o.ID != s.Claiming.ID && o.Kind == schema.Enterprise {
		l.Source = nameOf(*o)
	}
	w := words{l.Language, zone}
	l.Made, l.MadeDay = w.moment(s.Made.ClaimedAt), w.day(s.Made.ClaimedAt)
	if l.Delayed {
		until := rules.CompletesAt(s.Made.ClaimedAt)
		l.Until, l.UntilDay = w.moment(until), w.day(until)
		l.DaysLeft = int((until.Sub(rules.Now) + 24*time.Hour - 1) / (24 * time.Hour))
	}
	closed := s.Made.ClosedAt
	if closed.IsZero() && l.Delayed { // by time, though that is not written
		closed = rules.CompletesAt(s.Made.ClaimedAt)
	}
	l.Closed = w.moment(closed)
	switch choice := schema.Choice(s.Made.ClosedBy); choice {
	case schema.ChangeEmail, schema.TransferContent, schema.DeleteAccount:
		l.Choice = choice
	}
	return l
}

func nameOf(o schema.Organization) string {
	if o.Name != "" {
		return o.Name
	}
	return o.ID
}

// footer says who sends the mail, and why.
func (l Letter) footer() string {
	switch {
	case l.Kind == claim.MailReport && l.Language == catalogue.Swedish:
		return fmt.Sprintf("Rapporten skickas automatiskt till %s, som ska underrättas om importer för %s.", l.Address, l.Organization)
	case l.Kind == claim.MailReport:
		return fmt.Sprintf("This report is sent automatically to %s, which is to be told of imports for %s.", l.Address, l.Organization)
	case l.Language == catalogue.Swedish:
		return fmt.Sprintf("Mejlet skickas automatiskt till %s på uppdrag av %s, eftersom det gäller kontot med den adressen.", l.Address, l.Organization)
	}
	return fmt.Sprintf("This mail is sent automatically to %s on behalf of %s, because it is about the account with that address.", l.Address, l.Organization)
}

// cleaned returns the letter with every value on one line, without characters that do not show.
func (l Letter) cleaned() Letter {
	for _, value := range []*string{
		&l.Organization, &l.Contact, &l.Page, &l.Address, &l.Name, &l.Source, &l.Made, &l.MadeDay, &l.Until, &l.UntilDay, &l.Closed,
	} {
		*value = unmarked(*value)
	}
	if l.Report != nil {
		report := l.Report.cleaned()
		l.Report = &report
	}
	return l
}

// unmarked returns a value in a mail, cleaned, and without a mark in front that would make something else of
// its line.
func unmarked(text string) string {
	text = clean(text)
	for {
		mark, rest, found := strings.Cut(text, " ")
		switch mark {
		case "#", "##", "-", "|", "=>", "~":
		default:
			return text
		}
		if !found {
			return ""
		}
		text = strings.TrimSpace(rest)
	}
}

// longest is the length of a value in a mail, in letters.
const longest = 600

// clean returns text on one line: what breaks a line, controls anything or does not show is a blank at most.
func clean(text string) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r) && r != '\u00a0' && r != '\u202f', unicode.IsControl(r):
			return ' '
		case unicode.Is(unicode.Cf, r) && r != '\u200c' && r != '\u200d', r == unicode.ReplacementChar:
			return -1
		}
		return r
	}, text)
	text = strings.TrimSpace(text)
	if letters := []rune(text); len(letters) > longest {
		text = string(letters[:longest]) + "…"
	}
	return text
}

// words says things in a language.
type words struct {
	language catalogue.Language
	zone     *time.Location
}

// day returns the day of a time; blank where there is none.
func (w words) day(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return w.language.LongDay(at.In(w.zone))
}

// moment returns a time with its day and its zone.
func (w words) moment(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return w.day(at) + at.In(w.zone).Format(w.language.Clock()+" (MST)")
}

// number returns a number with its digits in groups.
func (w words) number(n int) string { return w.language.Number(n) }
