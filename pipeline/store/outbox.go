package store

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/schema"
)

// A mail is sent by whoever takes it (TakeMail) until its lease runs out, and who then says how it went
// (FinishMail). The lease goes by the database's clock, so two never have one mail in hand. Of a process that
// has died nobody knows whether the server had accepted the mail: it is sent once more, with the same
// Message-ID, and never a third time.

// Taking says who takes a mail, and what for.
type Taking struct {
	Lease     time.Duration // how long it stays with a process that no longer renews it
	PerMinute int           // how many mails may be taken up in any minute; 0: none
	Hooks     bool          // take messages to programs, too
	MessageID string        // for a mail that has none yet
	Link      []byte        // hash of a link, which is kept if the mail bears one
}

// Sending is a mail in somebody's hand, with all that it is about.
type Sending struct {
	Mail
	Made     schema.Claim        // the claim
	Account  claim.Account       // that the claim is on, or brought
	Claiming schema.Organization // that made the claim, or whose news it is
}

const (
	// mostWithdrawn is how many mails that nobody wants any more are looked at in one transaction.
	mostWithdrawn = 100
	// mailWindow is the time in which so many mails are taken up at most.
	mailWindow = time.Minute
)

// TakeMail takes the mail whose turn it is: one that is due again, or that does not wait in line, or the
// first in line. Mails that are not wanted any more (claim.Rules.Wanted) leave the outbox on the way. While
// there is no server to take any mail, only those that have been tried take their turns. Where none is found,
// more says that there may be one all the same.
func (s *Store) TakeMail(ctx context.Context, rules claim.Rules, t Taking) (sending Sending, found, more bool, err error) {
	const doing = "take a mail"
	look := func(tx Tx, take func(*mailTaker) error) error {
		taker, err := newMailTaker(ctx, tx, rules, t)
		if err != nil {
			return err
		}
		return take(taker)
	}
	waiting := false
	err = s.read(ctx, doing, func(tx Tx) error {
		return look(tx, func(m *mailTaker) (err error) {
			waiting, err = m.any(ctx)
			return err
		})
	})
	if err != nil || !waiting {
		return sending, false, false, err
	}
	err = s.write(ctx, doing, func(tx Tx) error {
		return look(tx, func(m *mailTaker) (err error) {
			sending, found, more, err = m.take(ctx)
			return err
		})
	})
	return sending, found, more, err
}

// mailTaker takes mails in a transaction.
type mailTaker struct {
	tx     Tx
	rules  claim.Rules
	taking Taking
	now    time.Time // by the database's clock
	due    DueMail
}

func newMailTaker(ctx context.Context, tx Tx, rules claim.Rules, t Taking) (*mailTaker, error) {
	m := &mailTaker{tx: tx, rules: rules, taking: t}
	var err error
	if m.now, err = tx.Now(ctx); err != nil {
		return nil, err
	}
	taken := 0
	if t.PerMinute > 0 {
		if taken, err = tx.MailsTaken(ctx, rules.Now.Add(-mailWindow)); err != nil {
			return nil, err
		}
	}
	m.due = DueMail{Now: rules.Now, Free: m.now, Mails: taken < t.PerMinute, Hooks: t.Hooks}
	m.due.Tried, err = tx.ServerAway(ctx, rules.Now)
	return m, err
}

// any reports whether a mail seems to be due.
func (m *mailTaker) any(ctx context.Context) (bool, error) {
	if _, found, err := m.tx.DueMail(ctx, m.due); err != nil || found {
		return found, err
	}
	if !m.due.Mails || m.due.Tried {
		return false, nil
	}
	return m.tx.Lined(ctx)
}

// take takes a mail.
func (m *mailTaker) take(ctx context.Context) (sending Sending, found, more bool, err error) {
	for range mostWithdrawn {
		mail, found, err := m.tx.DueMail(ctx, m.due)
		if err == nil && !found && m.due.Mails && !m.due.Tried {
			mail, found, err = m.tx.TakeUp(ctx, 0)
		}
		if err != nil || !found {
			return sending, false, false, err
		}
		sending, wanted, err := m.about(ctx, mail)
		switch {
		case err != nil:
			return sending, false, false, err
		case !wanted:
			if err := m.tx.DeleteMail(ctx, mail.ID); err != nil {
				return sending, false, false, err
			}
			continue
		}
		if sending.Mail, err = m.takeUp(ctx, mail); err != nil || sending.State == schema.MailWaiting {
			return sending, err == nil, false, err
		}
	}
	return sending, false, true, nil
}

// about finds what a mail is about, and whether it is wanted.
func (m *mailTaker) about(ctx context.Context, mail Mail) (sending Sending, wanted bool, err error) {
	sending.Mail = mail
	id := mail.Organization
	if mail.Claim != 0 {
		made, account, err := m.held(ctx, mail.Claim)
		if err != nil || account.ID == 0 || !m.rules.Wanted(mail.Kind, &made) {
			return sending, false, err
		}
		sending.Made, sending.Account, id = made, account, made.OrganizationID
		if mail.Kind == claim.MailRetracted {
			mail, kept, err := m.tx.ClaimMail(ctx, mail.Claim)
			if err != nil || kept && !mail.told() {
				return sending, false, err
			}
		}
	}
	sending.Claiming, err = organization(ctx, m.tx, id)
	return sending, true, err
}

// held finds a claim and the account that it is on, which nobody changes until the transaction ends: a claim
// that is retracted later finds the mail in somebody's hand. The zero Account: it is gone.
func (m *mailTaker) held(ctx context.Context, id int64) (made schema.Claim, account claim.Account, err error) {
	for on := int64(0); ; {
		found, err := m.tx.ClaimsByID(ctx, []int64{id})
		if err != nil {
			return made, account, err
		}
		if found[id].Account == on { // as it stands under lock
			return found[id].Claim, account, nil
		}
		on = found[id].Account
		accounts, err := m.tx.AccountsByID(ctx, []int64{on}, true)
		if err != nil {
			return made, account, err
		}
		if account = (claim.Account{}); len(accounts) > 0 {
			account = accounts[0]
		}
	}
}

// told reports whether the mail was sent, or may have been: it is in the hand of somebody, who may have died.
func (m Mail) told() bool {
	return m.State == schema.MailSent || m.State == schema.MailWaiting && !m.LeaseUntil.IsZero()
}

// takeUp puts a mail into the hand of whoever takes it. One that two processes in a row have died with fails.
func (m *mailTaker) takeUp(ctx context.Context, mail Mail) (Mail, error) {
	if !mail.LeaseUntil.IsZero() { // nobody knows how that ended
		mail.Lost++
	}
	mail.LeaseUntil = time.Time{}
	if mail.Lost > 1 {
		mail.State = schema.MailFailed
		mail.Error = "Two processes in a row ended while they were sending this mail. It may have arrived."
		return mail, m.tx.UpdateMail(ctx, mail)
	}
	mail.Attempts++
	mail.Away = false
	mail.TakenAt, mail.LeaseUntil = m.rules.Now, m.now.Add(m.taking.Lease)
	if mail.TriedSince.IsZero() {
		mail.TriedSince = m.rules.Now
	}
	if mail.MessageID == "" {
		mail.MessageID = m.taking.MessageID
	}
	if mail.Kind.Linked() {
		if err := m.tx.InsertLinks(ctx, []Link{{Hash: m.taking.Link, Claim: mail.Claim}}); err != nil {
			return mail, err
		}
	}
	return mail, m.tx.UpdateMail(ctx, mail)
}

// holding runs do with a mail that is still in the hand of whoever took it; otherwise it does nothing.
func (s *Store) holding(ctx context.Context, doing string, taken Mail, do func(Tx, Mail) error) (held bool, err error) {
	err = s.write(ctx, doing, func(tx Tx) error {
		mail, found, err := tx.FindMail(ctx, taken.ID)
		held = found && mail.State == schema.MailWaiting && mail.Attempts == taken.Attempts && !mail.LeaseUntil.IsZero()
		if err != nil || !held {
			return err
		}
		return do(tx, mail)
	})
	return held, err
}

// RenewMail prolongs the lease on a mail in hand; held says whether it still is.
func (s *Store) RenewMail(ctx context.Context, taken Mail, lease time.Duration) (held bool, err error) {
	return s.holding(ctx, "renew the lease on a mail", taken, func(tx Tx, mail Mail) error {
		now, err := tx.Now(ctx)
		if err != nil {
			return err
		}
		mail.LeaseUntil = now.Add(lease)
		return tx.UpdateMail(ctx, mail)
	})
}

// Delivery is how an attempt to send a mail went.
type Delivery struct {
	At        time.Time
	To        string // where it was sent to
	Sent      bool
	Withdrawn bool   // nobody wants it any more: it leaves the outbox
	Returned  bool   // it was not tried: its turn comes again
	Refused   bool   // whoever it was sent to has said no, and nobody has got it
	Permanent bool   // there is no use in trying again
	Away      bool   // there was nobody to take any mail
	Error     string // why it was not sent
	Patience  time.Duration
	Link      []byte // hash of the link that it bore
}

// The waits between two attempts: the first, and the longest.
const (
	FirstMailPause   = time.Minute
	LongestMailPause = 4 * time.Hour
)

// FinishMail says how it went with a mail in hand. One that may yet be sent is tried again after a wait that
// doubles each time, until Patience is over since the first attempt.
func (s *Store) FinishMail(ctx context.Context, taken Mail, d Delivery) error {
	_, err := s.holding(ctx, "note what became of a mail", taken, func(tx Tx, mail Mail) error {
		if d.Withdrawn {
			return tx.DeleteMail(ctx, mail.ID)
		}
		if d.Refused && mail.Kind.Linked() {
			if err := tx.DeleteLink(ctx, d.Link); err != nil {
				return err
			}
		}
		return tx.UpdateMail(ctx, mail.after(d))
	})
	return err
}

// after returns the mail after an attempt.
func (m Mail) after(d Delivery) Mail {
	m.LeaseUntil, m.Lost = time.Time{}, 0
	if d.To != "" {
		m.To = d.To
	}
	m.Error, m.Away = d.Error, d.Away
	switch {
	case d.Sent:
		m.State, m.SentAt = schema.MailSent, d.At
		return m
	case d.Returned:
		return m
	case d.Permanent:
		m.State = schema.MailFailed
		return m
	}
	m.Pause = min(max(2*m.Pause, FirstMailPause), LongestMailPause)
	m.NextAttemptAt = d.At.Add(m.Pause)
	if m.NextAttemptAt.After(m.TriedSince.Add(d.Patience)) {
		m.State = schema.MailFailed
	}
	return m
}

// SpreadNews puts a message to programs that nobody in particular is to get into the outbox once for each of
// these URLs instead, and takes it out of the hand of whoever took it.
func (s *Store) SpreadNews(ctx context.Context, taken Mail, urls []string) error {
	_, err := s.holding(ctx, "address a message", taken, func(tx Tx, mail Mail) error {
		for _, url := range urls {
			err := tx.InsertMail(ctx, Mail{Kind: mail.Kind, Organization: mail.Organization, To: url, News: mail.News, WrittenAt: mail.WrittenAt, State: schema.MailWaiting})
			if err != nil {
				return err
			}
		}
		return tx.DeleteMail(ctx, mail.ID)
	})
	return err
}

// RetryMails has mails tried again now that wait or have failed, and counts them: these of an organization,
// or, where none is named, all. Mails that wait for their first turn are not counted but where they are
// named: then they wait no longer. Refused with CodeMailNotFound, and CodeMailSent for one that has been
// sent; a blank organization is any.
func (s *Store) RetryMails(ctx context.Context, rules claim.Rules, organization string, ids []int64) (n int, err error) {
	const doing = "have mails tried again"
	err = s.write(ctx, doing, func(tx Tx) error {
		for _, id := range ids {
			if err := retryable(ctx, tx, rules, organization, id); err != nil {
				return err
			}
		}
		n, err = tx.RetryMails(ctx, organization, ids)
		return err
	})
	return n, err
}

// retryable makes sure that a mail of an organization can be tried again, and takes it out of the line.
func retryable(ctx context.Context, tx Tx, rules claim.Rules, organization string, id int64) error {
	listed, err := tx.ListMails(ctx, MailFilter{Organization: organization}, id-1, 1)
	switch {
	case err != nil:
		return err
	case len(listed) == 0 || listed[0].ID != id || !listed[0].wanted(rules):
		return schema.Refuse(schema.CodeMailNotFound, "There is no mail %d in the outbox.", id)
	case listed[0].State == schema.MailSent:
		return schema.Refuse(schema.CodeMailSent, "Mail %d has been sent.", id)
	}
	_, _, err = tx.TakeUp(ctx, id)
	return err
}

// wanted reports whether a mail belongs in a listing: it was tried to its end, or is still to be sent.
func (l *ListedMail) wanted(rules claim.Rules) bool {
	switch {
	case l.State != schema.MailWaiting:
		return true
	case l.Claim == 0:
		return l.To != ""
	}
	return l.Address != "" && rules.Wanted(l.Kind, &l.Made)
}

// ListMails lists mails of an organization by number, up to limit of those behind one; blank organization: of
// all. Mails that nobody wants any more are not listed. Fewer than limit: there are no more.
func (s *Store) ListMails(ctx context.Context, rules claim.Rules, filter MailFilter, after int64, limit int) (list []ListedMail, err error) {
	err = s.read(ctx, "list the outbox", func(tx Tx) error {
		list = nil
		for at := after; len(list) < limit; {
			page, err := tx.ListMails(ctx, filter, at, limit)
			if err != nil {
				return err
			}
			for i := range page {
				if at = page[i].ID; page[i].wanted(rules) && len(list) < limit {
					list = append(list, page[i])
				}
			}
			if len(page) < limit {
				return nil
			}
		}
		return nil
	})
	return list, err
}

// CountMails counts the mails of all organizations by state, also those that nobody wants any more.
func (s *Store) CountMails(ctx context.Context) (counts map[schema.MailState]int, err error) {
	err = s.read(ctx, "count the mails", func(tx Tx) error {
		counts, err = tx.CountMails(ctx)
		return err
	})
	return counts, err
}

// Entry returns the mail as the outbox is listed.
func (l *ListedMail) Entry() schema.OutboxEntry {
	entry := l.entry()
	if entry.To == "" {
		entry.To = l.Address
	}
	return entry
}

func (m Mail) entry() schema.OutboxEntry {
	entry := schema.OutboxEntry{
		ID: strconv.FormatInt(m.ID, 10), Kind: string(m.Kind), To: m.To, State: m.State, Attempts: m.Attempts, SentAt: schema.Moment(m.SentAt), Error: m.Error,
	}
	if m.State == schema.MailWaiting {
		entry.NextAttemptAt = schema.Moment(m.NextAttemptAt)
	}
	return entry
}

// wantedMails returns the mails about claims but for those that nobody wants any more.
func wantedMails(ctx context.Context, tx Tx, rules claim.Rules, claims []int64) ([]Mail, error) {
	mails, err := tx.Mails(ctx, claims)
	if err != nil || len(mails) == 0 {
		return nil, err
	}
	made, err := tx.ClaimsByID(ctx, claims)
	return slices.DeleteFunc(mails, func(m Mail) bool {
		c := made[m.Claim]
		return m.State == schema.MailWaiting && !rules.Wanted(m.Kind, &c.Claim)
	}), err
}

// LinkedMail is an owner who is to get a link to the choices, and does not have one yet.
type LinkedMail struct {
	Mail
	Made    schema.Claim
	Account claim.Account
	Link    string
}

// LinkMails gives a link to the choices to each owner whose claim mail, or reminder, waits among up to limit
// mails of an organization behind a number: once for each claim, that of its first mail. link makes one, with
// its hash. sent says that they are on their way by other means: then the mails count as sent. next is the
// number to go on behind; 0: there are no more.
func (s *Store) LinkMails(ctx context.Context, rules claim.Rules, id string, after int64, limit int, sent bool, link func() (string, []byte)) (linked []LinkedMail, next int64, err error) {
	err = s.write(ctx, "make links", func(tx Tx) error {
		linked, next = nil, 0
		page, err := tx.ListMails(ctx, MailFilter{Organization: id, State: schema.MailWaiting}, after, limit)
		if err != nil {
			return err
		}
		if len(page) == limit {
			next = page[limit-1].ID
		}
		if linked, err = linkable(ctx, tx, rules, page); err != nil {
			return err
		}
		links := make([]Link, len(linked))
		for i := range linked {
			links[i].Claim = linked[i].Claim
			linked[i].Link, links[i].Hash = link()
		}
		if err := tx.InsertLinks(ctx, links); err != nil || !sent {
			return err
		}
		for i := range linked {
			if err := markSent(ctx, tx, linked[i].ID, linked[i].Account.User.Email, rules.Now); err != nil {
				return err
			}
		}
		return nil
	})
	return linked, next, err
}

// linkable returns the mails of a page that bear a link and are wanted, the first of each claim, with what
// they are about. Those in somebody's hand are left out.
func linkable(ctx context.Context, tx Tx, rules claim.Rules, page []ListedMail) (linked []LinkedMail, err error) {
	page = slices.DeleteFunc(page, func(l ListedMail) bool {
		return !l.Kind.Linked() || !l.wanted(rules) || !l.LeaseUntil.IsZero()
	})
	ids, accounts := make([]int64, len(page)), make([]int64, len(page))
	for i := range page {
		ids[i], accounts[i] = page[i].Claim, page[i].Account
	}
	made, err := tx.ClaimsByID(ctx, ids)
	if err != nil {
		return nil, err
	}
	slices.Sort(accounts)
	found, err := tx.AccountsByID(ctx, slices.Compact(accounts), false)
	if err != nil {
		return nil, err
	}
	byID := map[int64]claim.Account{}
	for _, a := range found {
		byID[a.ID] = a
	}
	for i := range page {
		linked = append(linked, LinkedMail{Mail: page[i].Mail, Made: made[page[i].Claim].Claim, Account: byID[page[i].Account]})
	}
	return linked, nil
}

// markSent notes that a mail was sent by other means.
func markSent(ctx context.Context, tx Tx, id int64, to string, at time.Time) error {
	mail, found, err := tx.TakeUp(ctx, id)
	if err == nil && !found {
		mail, found, err = tx.FindMail(ctx, id)
	}
	if err != nil || !found {
		return err
	}
	mail.State, mail.SentAt, mail.To, mail.Error, mail.Away = schema.MailSent, at, to, "", false
	return tx.UpdateMail(ctx, mail)
}

// Chooser is an open claim that a link is for.
type Chooser struct {
	Claim    schema.Claim
	Account  claim.Account
	Claiming schema.Organization
}

// FindLink finds the open claim that a link is for, by the hash of the link. A link ends with its claim.
func (s *Store) FindLink(ctx context.Context, rules claim.Rules, hash []byte) (c Chooser, found bool, err error) {
	err = s.read(ctx, "look up a link", func(tx Tx) error {
		id, known, err := tx.FindLink(ctx, hash)
		if err != nil || !known {
			return err
		}
		claims, err := tx.ClaimsByID(ctx, []int64{id})
		if err != nil {
			return err
		}
		made, ok := claims[id]
		if !ok || !rules.Wanted(claim.MailClaim, &made.Claim) {
			return nil
		}
		accounts, err := tx.AccountsByID(ctx, []int64{made.Account}, false)
		if err != nil || len(accounts) == 0 {
			return err
		}
		c = Chooser{Claim: made.Claim, Account: accounts[0]}
		found = true
		c.Claiming, err = organization(ctx, tx, made.OrganizationID)
		return err
	})
	return c, found, err
}

// Account finds the account with an address key, as it is written; the zero Account: there is none.
func (s *Store) Account(ctx context.Context, key string) (a claim.Account, err error) {
	err = s.read(ctx, "look up an account", func(tx Tx) error {
		found, err := tx.Accounts(ctx, []string{key}, false)
		if err == nil {
			a = found[0]
		}
		return err
	})
	return a, err
}

// AddReminders adds the reminders that are due so many days before the date, up to a few thousand of them;
// more says that there are more. Each claim is reminded of once for each number of days.
func (s *Store) AddReminders(ctx context.Context, rules claim.Rules, days int) (more bool, err error) {
	const doing = "add reminders"
	from, to, ok := rules.Reminding(days)
	if !ok {
		return false, nil
	}
	find := func(tx Tx) ([]Reminded, error) {
		last, err := tx.LastReminded(ctx, days)
		if err != nil {
			return nil, err
		}
		if last.ClaimedAt.Before(from) {
			last = Reminded{ClaimedAt: from.Add(time.Second)} // whole seconds: after from
		}
		return tx.Undecided(ctx, last, to, batchSize)
	}
	var found []Reminded
	err = s.read(ctx, doing, func(tx Tx) error {
		found, err = find(tx)
		return err
	})
	if err != nil || len(found) == 0 {
		return false, err
	}
	err = s.write(ctx, doing, func(tx Tx) error {
		if found, err = find(tx); err != nil || len(found) == 0 {
			return err
		}
		claims := make([]int64, len(found))
		for i := range found {
			claims[i] = found[i].Claim
		}
		if err := tx.AddMails(ctx, claim.MailReminder, rules.Now, claims); err != nil {
			return err
		}
		return tx.PutReminded(ctx, days, found[len(found)-1])
	})
	return len(found) == batchSize, err
}

// TellNews puts what there is to tell into the outbox: a report to each address, where people are told of it,
// and a message to programs.
func (s *Store) TellNews(ctx context.Context, organization string, notify []string, news schema.News) error {
	return s.write(ctx, "tell what happened", func(tx Tx) error { return tellNews(ctx, tx, organization, notify, news) })
}

// TellRunNews puts into the outbox what there is to tell of up to limit runs of schedules of which nothing
// has been told, and returns how many those are.
func (s *Store) TellRunNews(ctx context.Context, limit int) (told int, err error) {
	return s.TellRuns(ctx, limit, func(tx Tx, schedule schema.Schedule, run schema.ScheduleRun) error {
		news, tell := schema.NewsOfRun(schedule, run)
		if !tell {
			return nil
		}
		return tellNews(ctx, tx, schedule.OrganizationID, schedule.Notify, news)
	})
}

func tellNews(ctx context.Context, tx Tx, organization string, notify []string, news schema.News) error {
	mail := Mail{Organization: organization, News: &news, WrittenAt: news.At, State: schema.MailWaiting}
	if news.Mailed() {
		mail.Kind = claim.MailReport
		for _, mail.To = range notify {
			if err := tx.InsertMail(ctx, mail); err != nil {
				return err
			}
		}
	}
	if !slices.Contains(schema.WebhookEvents, news.Event) {
		return nil
	}
	mail.Kind, mail.To = MailWebhook, ""
	return tx.InsertMail(ctx, mail)
}
