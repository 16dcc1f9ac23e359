package notify

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/schema"
)

// Config is what a Sender works with.
type Config struct {
	Store     *store.Store
	Policy    schema.Policy
	SMTP      SMTP
	BaseURL   string // below which the pages are
	Templates *Templates
	Webhooks  []Webhook
	Zone      *time.Location // of the times in mails
	Lease     time.Duration  // how long a mail stays with a process that has died
	Log       zerolog.Logger
	// Persist does something with the database, again and again while trouble that may pass keeps it from it.
	Persist func(ctx context.Context, do func() error) error
}

// Sender sends what the outbox keeps. Several may send at once, in one process or in many: each mail is sent
// by one.
type Sender struct {
	Config

	mutex    sync.Mutex
	reminded time.Time // when it was last looked for claims to remind of
}

// New returns a sender. It refuses what cannot work.
func New(c Config) (*Sender, error) {
	switch {
	case c.Store == nil || c.Templates == nil || c.Zone == nil || c.Persist == nil:
		return nil, errors.New("set up the sending of mails: something is missing")
	case c.Lease < time.Second:
		return nil, fmt.Errorf("set up the sending of mails: a lease of %s is too short to be renewed", c.Lease)
	case c.SMTP.Host != "" && (c.SMTP.From == nil || c.BaseURL == "" || c.SMTP.PerMinute < 1):
		return nil, errors.New("set up the sending of mails: a mail server needs a sender, an address for links, and a pace")
	}
	return &Sender{Config: c}, nil
}

const (
	slice         = 2 * time.Second // for which RunOnce goes on
	reminderPause = time.Minute     // between two looks for claims to remind of
	mostRuns      = 100             // of schedules that are told of at a time
	mailPatience  = 3 * 24 * time.Hour
	hookPatience  = 24 * time.Hour
)

// RunOnce adds what there is to tell of schedules, and the reminders that are due now, and sends what is due,
// for a slice of time; more says that there may be more to do at once. Once ctx ends, the mail in hand is
// finished, and no other begun. What the server says of a mail is kept with it, and is no error.
func (s *Sender) RunOnce(ctx context.Context, now time.Time) (more bool, err error) {
	rules := claim.RulesAt(now, s.Policy)
	if told, err := s.Store.TellRunNews(ctx, mostRuns); err != nil || told == mostRuns {
		return err == nil, err
	}
	if more, err = s.remind(ctx, rules); err != nil || more {
		return more, err
	}
	stop, cancel := context.WithTimeout(ctx, slice)
	defer cancel()
	server := &mailer{SMTP: s.SMTP}
	defer server.quit()
	for {
		if stop.Err() != nil {
			return true, ctx.Err()
		}
		link := newLink()
		taking := store.Taking{Lease: s.Lease, Hooks: true, MessageID: s.messageID(), Link: HashLink(link)}
		if s.SMTP.Host != "" {
			taking.PerMinute = s.SMTP.PerMinute
		}
		sending, found, more, err := s.Store.TakeMail(ctx, rules, taking)
		switch {
		case err != nil:
			return false, fmt.Errorf("take a mail: %w", err)
		case found:
			if err := s.deliver(ctx, rules, server, &sending, link); err != nil {
				return false, err
			}
		case !more:
			return false, nil
		}
	}
}

// remind adds the reminders that are due. It looks for them once in a while.
func (s *Sender) remind(ctx context.Context, rules claim.Rules) (more bool, err error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if since := rules.Now.Sub(s.reminded); since >= 0 && since < reminderPause {
		return false, nil
	}
	for _, days := range claim.ReminderDays {
		again, err := s.Store.AddReminders(ctx, rules, days)
		if err != nil {
			return false, fmt.Errorf("add reminders: %w", err)
		}
		more = more || again
	}
	if !more {
		s.reminded = rules.Now
	}
	return more, nil
}

// newLink returns a personal link: 256 random bits.
func newLink() string {
	var bits [32]byte
	_, _ = rand.Read(bits[:]) // it never fails
	return base64.RawURLEncoding.EncodeToString(bits[:])
}

// HashLink returns the hash by which a link is kept.
func HashLink(link string) []byte {
	hash := sha256.Sum256([]byte(link))
	return hash[:]
}

// NewLink returns a personal link as an owner gets it, and its hash.
func NewLink(baseURL string) (url string, hash []byte) {
	link := newLink()
	return schema.ChoicePage(baseURL, link), HashLink(link)
}

// messageID returns a new Message-ID, without its brackets.
func (s *Sender) messageID() string {
	domain := "claimline"
	if s.SMTP.From != nil {
		if _, after, found := strings.Cut(s.SMTP.From.Address, "@"); found {
			domain = after
		}
	}
	return strings.ToLower(rand.Text()) + "@" + domain
}

// errMailLost says that somebody else has a mail in hand by now.
var errMailLost = errors.New("the lease on the mail is lost")

// deliver sends what was taken, and notes how it went. It is finished though ctx ends.
func (s *Sender) deliver(ctx context.Context, rules claim.Rules, server *mailer, sending *store.Sending, link string) error {
	whole := context.WithoutCancel(ctx)
	if sending.Kind == store.MailWebhook && sending.To == "" {
		return s.persist(whole, func() error { return s.Store.SpreadNews(whole, sending.Mail, s.hooksFor(rules.Now, sending.News)) })
	}
	d := store.Delivery{At: rules.Now, Patience: mailPatience, Link: HashLink(link)}
	err := s.holding(ctx, sending.Mail, func(ctx context.Context) error {
		if sending.Kind == store.MailWebhook {
			d.Patience = hookPatience
			return s.post(ctx, rules.Now, sending)
		}
		e, err := s.envelope(whole, rules, sending, link, mostAttached)
		if err != nil {
			return err
		}
		d.To = e.To
		err = server.send(ctx, e)
		if refused, ok := errors.AsType[*refusal](err); ok && refused.large && len(e.Files) > 0 { // better a report without files than none
			if e, err = s.envelope(whole, rules, sending, link, 0); err == nil {
				err = server.send(ctx, e)
			}
		}
		return err
	})
	refused, isRefused := errors.AsType[*refusal](err)
	switch {
	case err == nil:
		d.Sent = true
	case errors.Is(err, errOutdated):
		d.Withdrawn = true
	case ctx.Err() != nil && (!isRefused || !refused.said), store.Passing(err): // it is not the mail's fault
		d.Returned = true
	case isRefused:
		d.Refused, d.Permanent, d.Away = refused.said, refused.permanent, refused.away
		d.Error = clean(refused.text)
	default: // it could not be written: the others must not wait for it
		d.Error = "The mail could not be made: " + clean(err.Error())
		s.Log.Error().Err(err).Int64("mail", sending.ID).Msg("a mail could not be made")
	}
	s.log(sending, &d)
	if noteErr := s.persist(whole, func() error { return s.Store.FinishMail(whole, sending.Mail, d) }); noteErr != nil {
		return errors.Join(err, fmt.Errorf("note what became of a mail: %w", noteErr))
	}
	if d.Returned && ctx.Err() == nil {
		return fmt.Errorf("make a mail: %w", err)
	}
	return nil
}

func (s *Sender) persist(ctx context.Context, do func() error) error { return s.Persist(ctx, do) }

// log says how it went, without address, name or link.
func (s *Sender) log(sending *store.Sending, d *store.Delivery) {
	level := zerolog.DebugLevel
	if !d.Sent && !d.Withdrawn {
		level = zerolog.WarnLevel
	}
	s.Log.WithLevel(level).Int64("mail", sending.ID).Str("kind", string(sending.Kind)).Int("attempt", sending.Attempts).
		Bool("sent", d.Sent).Bool("permanent", d.Permanent).Bool("server_away", d.Away).Msg("mail")
}

// holding does the work while the lease on a mail is renewed. Once that is lost, the work's context ends.
func (s *Sender) holding(ctx context.Context, taken store.Mail, work func(context.Context) error) error {
	ctx, lose := context.WithCancelCause(ctx)
	defer lose(nil)
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		ticker := time.NewTicker(s.Lease * 3 / 10)
		defer ticker.Stop()
		left := time.NewTimer(s.Lease)
		defer left.Stop()
		for {
			select {
			case <-done:
				return
			case <-left.C:
				lose(errMailLost)
				return
			case <-ticker.C:
			}
			switch held, err := s.Store.RenewMail(context.WithoutCancel(ctx), taken, s.Lease); {
			case err != nil:
				s.Log.Warn().Err(err).Msg("the lease on a mail could not be renewed")
			case !held:
				lose(errMailLost)
				return
			default:
				left.Reset(s.Lease)
			}
		}
	}()
	err := work(ctx)
	close(done)
	<-ended
	return err
}

// envelope writes a mail, with files up to a size. It returns errOutdated where there is nothing to tell any
// more.
func (s *Sender) envelope(ctx context.Context, rules claim.Rules, sending *store.Sending, link string, room int) (*envelope, error) {
	var l Letter
	var files []attachment
	if sending.Kind == claim.MailReport {
		var err error
		if l, files, err = s.report(ctx, sending, room); err != nil {
			return nil, err
		}
	} else {
		page := ""
		if sending.Kind.Linked() {
			page = schema.ChoicePage(s.BaseURL, link)
		}
		l = ownerLetter(rules, sending, page, s.contact(), s.Zone)
	}
	written, err := s.Templates.Render(l)
	if err != nil {
		return nil, err
	}
	return &envelope{
		Mail: written, To: l.Address, Name: l.Name, Language: string(l.Language), MessageID: sending.MessageID, At: rules.Now, Files: files,
	}, nil
}

// hooksFor lists the programs that are to be told of some news. What is older than a day is no news.
func (s *Sender) hooksFor(now time.Time, news *schema.News) (urls []string) {
	if now.Sub(news.At) > hookPatience {
		return nil
	}
	for i := range s.Webhooks {
		if s.Webhooks[i].wants(news.Event) {
			urls = append(urls, s.Webhooks[i].URL)
		}
	}
	return urls
}

// post tells a program. One that the configuration does not name any more is not told.
func (s *Sender) post(ctx context.Context, now time.Time, sending *store.Sending) error {
	for i := range s.Webhooks {
		hook := &s.Webhooks[i]
		if hook.URL != sending.To {
			continue
		}
		body, err := s.hookBody(ctx, sending)
		if err != nil {
			return err
		}
		id, _, _ := strings.Cut(sending.MessageID, "@")
		return hook.post(ctx, "msg_"+id, now, body)
	}
	return errOutdated
}
