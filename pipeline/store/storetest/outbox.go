package storetest

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/schema"
)

// taking takes mails as somebody who may send many.
func taking(link string) store.Taking {
	return store.Taking{Lease: lease, PerMinute: 1000, MessageID: "<" + link + "@acme.example>", Link: []byte("hash of " + link)}
}

// taken takes the mail whose turn it is.
func (s *suite) taken(link string) store.Sending {
	s.Helper()
	sending, found, _, err := s.TakeMail(s.ctx(), s.rules(), taking(link))
	require.NoError(s, err)
	require.True(s, found, "a mail is due")
	return sending
}

// none requires that no mail is due.
func (s *suite) none() {
	s.Helper()
	for more := true; more; {
		sending, found, again, err := s.TakeMail(s.ctx(), s.rules(), taking("none"))
		require.NoError(s, err)
		require.False(s, found, "%s to %s", sending.Kind, sending.Account.User.Email)
		more = again
	}
}

// finished says how it went with a mail.
func (s *suite) finished(sending store.Sending, d store.Delivery) {
	s.Helper()
	if d.At.IsZero() {
		d.At = s.now
	}
	if d.Patience == 0 {
		d.Patience = 72 * time.Hour
	}
	require.NoError(s, s.FinishMail(s.ctx(), sending.Mail, d))
}

// outbox lists all mails.
func (s *suite) outbox(filter store.MailFilter) []schema.OutboxEntry {
	s.Helper()
	list, err := s.ListMails(s.ctx(), s.rules(), filter, 0, 1000)
	require.NoError(s, err)
	entries := make([]schema.OutboxEntry, len(list))
	for i := range list {
		entries[i] = list[i].Entry()
	}
	return entries
}

// kinds lists kind, state and address of all mails.
func (s *suite) kinds() (kinds []string) {
	s.Helper()
	for _, e := range s.outbox(store.MailFilter{}) {
		kinds = append(kinds, e.Kind+" "+string(e.State)+" "+e.To)
	}
	return kinds
}

var outboxTests = map[string]func(*suite){
	"outbox/mails are sent in the order in which they were written": func(s *suite) {
		s.load(world(user(1, "Ann@acme.example", "free"), user(2, bo, "home")))
		s.none()
		made := s.claimed("acme", ann)
		s.claimed("acme", bo)
		require.Equal(s, []string{"claim waiting Ann@acme.example", "activation waiting Ann@acme.example", "claim waiting bo@acme.example"}, s.kinds())
		first := s.taken("one")
		require.Equal(s, claim.MailClaim, first.Kind)
		require.Equal(s, made.ID, first.Made.ID)
		require.Equal(s, "Ann@acme.example", first.Account.User.Email)
		require.Equal(s, "acme", first.Claiming.ID)
		require.Equal(s, "free", first.Account.Organization.ID)
		require.Equal(s, 1, first.Attempts)
		require.Equal(s, "<one@acme.example>", first.MessageID)
		second := s.taken("two")
		require.Equal(s, claim.MailActivation, second.Kind)
		third := s.taken("three")
		require.Equal(s, bo, third.Account.User.Email)
		require.Equal(s, schema.Delayed, third.Made.Type)
		s.none()
		s.finished(first, store.Delivery{Sent: true, To: "Ann@acme.example"})
		s.finished(second, store.Delivery{Permanent: true, To: "Ann@acme.example", Error: "550 no"})
		s.finished(third, store.Delivery{Returned: true})
		entries := s.outbox(store.MailFilter{})
		require.Len(s, entries, 3)
		require.Equal(s, schema.OutboxEntry{ID: entries[0].ID, Kind: "claim", To: "Ann@acme.example", State: schema.MailSent, Attempts: 1, SentAt: &s.now}, entries[0])
		require.Equal(s, schema.OutboxEntry{ID: entries[1].ID, Kind: "activation", To: "Ann@acme.example", State: schema.MailFailed, Attempts: 1, Error: "550 no"}, entries[1])
		require.Equal(s, schema.MailWaiting, entries[2].State)
		require.Equal(s, third.ID, s.taken("four").ID, "what was not tried has its turn again")
		require.Equal(s, entries[:1], s.outbox(store.MailFilter{State: schema.MailSent}))
		require.Equal(s, entries[1:2], s.outbox(store.MailFilter{State: schema.MailFailed, Organization: "acme"}))
		require.Empty(s, s.outbox(store.MailFilter{Organization: "umbrella"}))
		counts, err := s.CountMails(s.ctx())
		require.NoError(s, err)
		require.Equal(s, map[schema.MailState]int{schema.MailSent: 1, schema.MailFailed: 1, schema.MailWaiting: 1}, counts)
	},

	"outbox/numbers are never used again": func(s *suite) {
		s.load(world(user(1, ann, "home")))
		for n := range 3 {
			s.claimed("acme", ann)
			entries := s.outbox(store.MailFilter{})
			require.Equal(s, strconv.Itoa(n+1), entries[len(entries)-1].ID)
			s.retracted("acme", ann)
			s.none()
			require.Empty(s, s.outbox(store.MailFilter{}))
		}
	},

	"outbox/what is refused for now is tried again after growing waits": func(s *suite) {
		s.load(world(user(1, ann, "home")))
		s.claimed("acme", ann)
		began, waits := s.now, []time.Duration(nil)
		for attempts := 1; ; attempts++ {
			sending := s.taken(fmt.Sprint("link", attempts))
			require.Equal(s, "<link1@acme.example>", sending.MessageID, "the same each time")
			s.finished(sending, store.Delivery{Refused: true, Error: "451 later", Link: []byte(fmt.Sprint("hash of link", attempts))})
			entry := s.outbox(store.MailFilter{})[0]
			require.Equal(s, attempts, entry.Attempts)
			require.Equal(s, "451 later", entry.Error)
			if entry.State == schema.MailFailed {
				break
			}
			waits = append(waits, entry.NextAttemptAt.Sub(s.now))
			s.now = entry.NextAttemptAt.Add(-time.Second)
			s.none()
			s.now = *entry.NextAttemptAt
		}
		require.Equal(s, []time.Duration{time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 16 * time.Minute, 32 * time.Minute, 64 * time.Minute, 128 * time.Minute, 4 * time.Hour, 4 * time.Hour}, waits[:10])
		require.Greater(s, s.now.Sub(began), 67*time.Hour)
		require.LessOrEqual(s, s.now.Sub(began), 72*time.Hour)
		for attempts := range 5 {
			_, found, err := s.FindLink(s.ctx(), s.rules(), []byte(fmt.Sprint("hash of link", attempts)))
			require.NoError(s, err)
			require.False(s, found, "nobody has got these links")
		}
		s.now = s.now.Add(day)
		s.none()
		n, err := s.RetryMails(s.ctx(), s.rules(), "umbrella", nil)
		require.NoError(s, err)
		require.Zero(s, n)
		n, err = s.RetryMails(s.ctx(), s.rules(), "acme", nil)
		require.NoError(s, err)
		require.Equal(s, 1, n)
		sending := s.taken("again")
		s.finished(sending, store.Delivery{Refused: true, Error: "451 later"})
		require.Equal(s, s.now.Add(time.Minute), *s.outbox(store.MailFilter{})[0].NextAttemptAt, "all begins anew")
	},

	"outbox/a mail whose claim has gone is not sent": func(s *suite) {
		s.load(world(user(1, ann, "free"), user(2, bo, "home"), user(3, cy, "home")))
		for _, key := range []string{ann, bo, cy} {
			s.claimed("acme", key)
		}
		s.retracted("acme", ann)
		s.choose(bo, schema.TransferContent)
		require.Equal(s, []string{"claim waiting " + cy, "activation waiting " + bo, "completed waiting " + bo}, s.kinds())
		require.Equal(s, cy, s.taken("cy").Account.User.Email)
		sending := s.taken("bo")
		require.Equal(s, claim.MailActivation, sending.Kind)
		require.Equal(s, "acme", sending.Account.User.OrganizationID)
		s.finished(sending, store.Delivery{Sent: true, To: bo})
		sending = s.taken("bo again")
		require.Equal(s, schema.Closing(schema.TransferContent), sending.Made.ClosedBy)
		s.finished(sending, store.Delivery{Sent: true, To: bo})
		s.none()
		s.now = s.now.Add(14 * day)
		s.none()
		require.Len(s, s.kinds(), 2, "a claim mail is of no use when the claim is due to complete")
	},

	"outbox/who was told of a claim is told that it was retracted": func(s *suite) {
		s.load(world(user(1, ann, "home"), user(2, bo, "home"), user(3, cy, "home")))
		for _, key := range []string{ann, bo, cy} {
			s.claimed("acme", key)
		}
		s.finished(s.taken("ann"), store.Delivery{Sent: true, To: ann})
		s.finished(s.taken("bo"), store.Delivery{Refused: true, Error: "451 later"})
		for _, key := range []string{ann, bo, cy} {
			s.retracted("acme", key)
		}
		require.Equal(s, []string{"claim sent " + ann, "retracted waiting " + ann}, s.kinds())
		sending := s.taken("retracted")
		require.Equal(s, claim.MailRetracted, sending.Kind)
		require.Equal(s, ann, sending.Account.User.Email)
		s.none()
	},

	"outbox/a link ends with its claim": func(s *suite) {
		s.load(world(user(1, ann, "home")))
		made := s.claimed("acme", ann)
		s.finished(s.taken("first"), store.Delivery{Sent: true, To: ann})
		k := s.one("acme", ann)
		effect, refused := s.rules().Remind(&k)
		require.Empty(s, refused)
		require.NoError(s, s.Change(s.ctx(), s.rules(), "acme", []string{ann}, one(effect)))
		require.Equal(s, claim.MailReminder, s.taken("second").Kind)
		for _, link := range []string{"first", "second"} {
			c, found, err := s.FindLink(s.ctx(), s.rules(), []byte("hash of "+link))
			require.NoError(s, err)
			require.True(s, found)
			require.Equal(s, made.ID, c.Claim.ID)
			require.Equal(s, ann, c.Account.User.Email)
			require.Equal(s, "acme", c.Claiming.ID)
		}
		_, found, err := s.FindLink(s.ctx(), s.rules(), []byte("hash of another"))
		require.NoError(s, err)
		require.False(s, found)
		now := s.now
		s.now = now.Add(14 * day)
		_, found, err = s.FindLink(s.ctx(), s.rules(), []byte("hash of first"))
		require.NoError(s, err)
		require.False(s, found, "time has run out")
		s.now = now
		s.retracted("acme", ann)
		_, found, err = s.FindLink(s.ctx(), s.rules(), []byte("hash of first"))
		require.NoError(s, err)
		require.False(s, found)
	},

	"outbox/one mail is in one hand": func(s *suite) {
		users := make([]store.LoadUser, 40)
		for i := range users {
			users[i] = user(i+1, numbered(i), "home")
		}
		s.load(world(users...))
		keys := keysOf(users)
		s.apply(s.importing("acme", keys), 1, keys)
		var mutex sync.Mutex
		seen := map[int64]int{}
		var all sync.WaitGroup
		for n := range 4 {
			handle := s.another()
			all.Go(func() {
				for i := range 12 {
					sending, found, _, err := handle.TakeMail(context.WithoutCancel(s.ctx()), s.rules(), taking(fmt.Sprint(n, "-", i)))
					if !found || err != nil {
						mutex.Lock()
						require.NoError(s, err)
						mutex.Unlock()
						continue
					}
					mutex.Lock()
					seen[sending.ID]++
					mutex.Unlock()
				}
			})
		}
		all.Wait()
		require.Len(s, seen, 40)
		for id, times := range seen {
			require.Equal(s, 1, times, id)
		}
	},

	"outbox/what a dead process had in hand goes once more": func(s *suite) {
		s.load(world(user(1, ann, "home")))
		s.claimed("acme", ann)
		first := s.taken("one")
		s.now = s.now.Add(lease - time.Second)
		s.none()
		held, err := s.RenewMail(s.ctx(), first.Mail, lease)
		require.NoError(s, err)
		require.True(s, held)
		s.now = s.now.Add(lease - time.Second)
		s.none()
		s.now = s.now.Add(2 * time.Second)
		second := s.taken("two")
		require.Equal(s, first.ID, second.ID)
		require.Equal(s, first.MessageID, second.MessageID)

		// Who was taken for dead changes nothing.
		held, err = s.RenewMail(s.ctx(), first.Mail, lease)
		require.NoError(s, err)
		require.False(s, held)
		s.finished(first, store.Delivery{Permanent: true, Error: "no"})
		require.Equal(s, schema.MailWaiting, s.outbox(store.MailFilter{})[0].State)

		// Nor a third time.
		s.now = s.now.Add(2 * lease)
		s.none()
		entry := s.outbox(store.MailFilter{})[0]
		require.Equal(s, schema.MailFailed, entry.State)
		require.Equal(s, 2, entry.Attempts)
		require.NotEmpty(s, entry.Error)
		_, err = s.RetryMails(s.ctx(), s.rules(), "", []int64{first.ID})
		require.NoError(s, err)
		s.finished(s.taken("three"), store.Delivery{Sent: true, To: ann})
		require.Equal(s, schema.MailSent, s.outbox(store.MailFilter{})[0].State)
	},

	"outbox/so many in a minute": func(s *suite) {
		s.load(world(user(1, ann, "home"), user(2, bo, "home"), user(3, cy, "home")))
		for _, key := range []string{ann, bo, cy} {
			s.claimed("acme", key)
		}
		slow := taking("slow")
		take := func(link string) bool {
			slow.Link = []byte(link)
			sending, found, _, err := s.TakeMail(s.ctx(), s.rules(), slow)
			require.NoError(s, err)
			if found {
				s.finished(sending, store.Delivery{Sent: true, To: "somebody"})
			}
			return found
		}
		slow.PerMinute = 0
		require.False(s, take("a"))
		slow.PerMinute = 2
		require.True(s, take("b"))
		s.now = s.now.Add(20 * time.Second)
		require.True(s, take("c"))
		require.False(s, take("d"))
		s.now = s.now.Add(40 * time.Second)
		require.False(s, take("d"))
		s.now = s.now.Add(time.Second)
		require.True(s, take("d"))
	},

	"outbox/while the server is away the others wait": func(s *suite) {
		s.load(world(user(1, ann, "home"), user(2, bo, "home")))
		s.claimed("acme", ann)
		s.claimed("acme", bo)
		first := s.taken("one")
		s.finished(first, store.Delivery{Away: true, Error: "no route"})
		s.none()
		s.now = s.now.Add(time.Minute)
		again := s.taken("two")
		require.Equal(s, first.ID, again.ID)
		require.Equal(s, bo, s.taken("three").Account.User.Email, "a server that is asked again may be there")
		s.finished(again, store.Delivery{Away: true, Error: "no route"})
		n, err := s.RetryMails(s.ctx(), s.rules(), "acme", []int64{first.ID})
		require.NoError(s, err)
		require.Equal(s, 1, n)
		s.finished(s.taken("four"), store.Delivery{Sent: true, To: ann})
	},

	"outbox/retries that cannot be": func(s *suite) {
		s.load(world(user(1, ann, "home"), user(2, bo, "home")))
		s.claimed("acme", ann)
		s.claimed("acme", bo)
		_, err := s.RetryMails(s.ctx(), s.rules(), "acme", []int64{99})
		s.refused(err, schema.CodeMailNotFound)
		_, err = s.RetryMails(s.ctx(), s.rules(), "umbrella", []int64{1})
		s.refused(err, schema.CodeMailNotFound)
		n, err := s.RetryMails(s.ctx(), s.rules(), "acme", []int64{2})
		require.NoError(s, err)
		require.Equal(s, 1, n)
		sending := s.taken("bo")
		require.Equal(s, bo, sending.Account.User.Email, "it waits no longer for its turn")
		n, err = s.RetryMails(s.ctx(), s.rules(), "acme", []int64{2})
		require.NoError(s, err)
		require.Zero(s, n, "it is in somebody's hand")
		s.finished(sending, store.Delivery{Sent: true, To: bo})
		_, err = s.RetryMails(s.ctx(), s.rules(), "acme", []int64{1, 2})
		s.refused(err, schema.CodeMailSent)
		s.retracted("acme", ann)
		_, err = s.RetryMails(s.ctx(), s.rules(), "acme", []int64{1})
		s.refused(err, schema.CodeMailNotFound)
	},

	"outbox/reminders": func(s *suite) {
		users := []store.LoadUser{user(1, ann, "home"), user(2, bo, "home"), user(3, cy, "free")}
		s.load(world(users...))
		s.claimed("acme", ann)
		s.claimed("acme", cy) // immediate
		s.now = s.now.Add(time.Hour)
		s.claimed("umbrella", bo)
		remind := func() []string {
			before := s.kinds()
			for _, days := range claim.ReminderDays {
				more, err := s.AddReminders(s.ctx(), s.rules(), days)
				require.NoError(s, err)
				require.False(s, more)
			}
			return s.kinds()[len(before):]
		}
		s.now = start.Add(7*day - time.Second)
		require.Empty(s, remind())
		s.now = start.Add(7 * day)
		require.Equal(s, []string{"reminder waiting " + ann}, remind())
		require.Empty(s, remind())
		s.now = start.Add(7*day + time.Hour)
		require.Equal(s, []string{"reminder waiting " + bo}, remind())
		s.choose(bo, schema.DeleteAccount)
		s.now = start.Add(13*day + 2*time.Hour)
		require.Equal(s, []string{"reminder waiting " + ann}, remind())
		require.Empty(s, remind())
		s.now = start.Add(14 * day)
		require.Empty(s, remind())
	},

	"outbox/a reminder that was missed is made up for, once": func(s *suite) {
		s.load(world(user(1, ann, "home")))
		s.claimed("acme", ann)
		s.now = start.Add(13*day + time.Hour)
		for _, days := range claim.ReminderDays {
			_, err := s.AddReminders(s.ctx(), s.rules(), days)
			require.NoError(s, err)
		}
		require.Equal(s, []string{"claim waiting " + ann, "reminder waiting " + ann}, s.kinds())
	},

	"outbox/many reminders at once": func(s *suite) {
		users := make([]store.LoadUser, 2500)
		for i := range users {
			users[i] = user(i+1, fmt.Sprintf("u%d@acme.example", i), "home")
		}
		s.load(world(users...))
		keys := keysOf(users)
		s.apply(s.importing("acme", keys), 1, keys)
		s.now = start.Add(8 * day)
		more, err := s.AddReminders(s.ctx(), s.rules(), 7)
		require.NoError(s, err)
		require.True(s, more)
		more, err = s.AddReminders(s.ctx(), s.rules(), 7)
		require.NoError(s, err)
		require.False(s, more)
		reminded := map[string]int{}
		list, err := s.ListMails(s.ctx(), s.rules(), store.MailFilter{}, 0, 10_000)
		require.NoError(s, err)
		for i := range list {
			if list[i].Kind == claim.MailReminder {
				reminded[list[i].Address]++
			}
		}
		require.Len(s, reminded, 2500)
	},

	"outbox/an import tells how it went": func(s *suite) {
		s.load(world(user(1, ann, "free"), user(2, bo, "free")))
		notify := []string{"boss@acme.example", "it@acme.example"}
		started := func(by string, attended bool) store.Owner {
			owner, err := s.CreateImport(s.ctx(), schema.Import{
				OrganizationID: "acme", File: "users.csv", CreatedBy: by, Notify: notify, Attended: attended, StartedAt: s.now,
			}, "first", lease)
			require.NoError(s, err)
			require.NoError(s, s.KeepChunk(s.ctx(), owner, store.Chunk{Number: 1, Planned: schema.Tally{Rows: 1, Outcomes: map[schema.Outcome]int{schema.Ready: 1}}}))
			return owner
		}
		owner := started("terminal:ann", true)
		require.Equal(s, notify, s.seal(owner).Notify)
		require.Empty(s, s.kinds(), "who sits there has seen it")
		s.agree(owner.ImportID)
		owner = s.take(owner.ImportID)
		end := store.ImportEnd{State: schema.StateCompleted, At: s.now}
		require.NoError(s, s.FinishImport(s.ctx(), owner, end))
		require.NoError(s, s.FinishImport(s.ctx(), owner, end))
		require.Equal(s, []string{"report waiting boss@acme.example", "report waiting it@acme.example"}, s.kinds())
		sending := s.taken("report")
		require.Equal(s, "boss@acme.example", sending.To)
		require.Equal(s, "acme", sending.Claiming.ID)
		require.Equal(s, schema.News{Event: schema.ImportEnded, At: s.now, Import: owner.ImportID}, *sending.News)
		s.finished(sending, store.Delivery{Sent: true})
		s.finished(s.taken("report"), store.Delivery{Withdrawn: true})
		require.Equal(s, []string{"report sent boss@acme.example"}, s.kinds())

		scheduled := started("schedule:nightly", false)
		s.seal(scheduled)
		s.none() // the run tells that it waits, if it does
		uploaded := started("token", false)
		s.seal(uploaded)
		s.none()
		_, err := s.CancelImport(s.ctx(), "acme", uploaded.ImportID, s.now)
		require.NoError(s, err)
		require.Equal(s, schema.ImportEnded, s.taken("cancelled").News.Event)
	},

	"outbox/a run of a schedule tells how it went": func(s *suite) {
		s.load(world())
		taken := s.scheduled()
		waiting := s.noted(taken, "a", s.planned("acme", []string{ann}))
		_, err := s.NoteRun(s.ctx(), taken, schema.ScheduleRun{At: s.now}.Failed(schema.CodeFileUnreadable, "gone"), 0)
		require.NoError(s, err)
		told, err := s.TellRunNews(s.ctx(), 10)
		require.NoError(s, err)
		require.Equal(s, 2, told)
		told, err = s.TellRunNews(s.ctx(), 10)
		require.NoError(s, err)
		require.Zero(s, told)
		require.Len(s, s.kinds(), 4, "each of two is told of both")
		events := map[schema.NewsEvent]schema.News{}
		for range 4 {
			sending := s.taken("news")
			require.Contains(s, s.nightly().Notify, sending.To)
			events[sending.News.Event] = *sending.News
		}
		require.Equal(s, map[schema.NewsEvent]schema.News{
			schema.ImportWaiting:  {Event: schema.ImportWaiting, At: s.now, Import: waiting.ImportID, Schedule: "nightly"},
			schema.ScheduleFailed: {Event: schema.ScheduleFailed, At: s.now, Schedule: "nightly", File: "/in", Code: schema.CodeFileUnreadable, Message: "gone"},
		}, events)
	},

	"outbox/programs are told by whoever knows them": func(s *suite) {
		s.load(world(user(1, ann, "free")))
		news := schema.News{Event: schema.ScheduleFailed, At: s.now, Schedule: "nightly", File: "users.csv", Code: schema.CodeFileUnreadable}
		require.NoError(s, s.TellNews(s.ctx(), "acme", []string{"boss@acme.example"}, news))
		require.Equal(s, []string{"report waiting boss@acme.example"}, s.kinds())
		require.Equal(s, claim.MailReport, s.taken("report").Kind)
		s.none()
		hooks := taking("hook")
		hooks.Hooks = true
		hooks.PerMinute = 0
		take := func() store.Sending {
			sending, found, _, err := s.TakeMail(s.ctx(), s.rules(), hooks)
			require.NoError(s, err)
			require.True(s, found)
			return sending
		}
		sending := take()
		require.Equal(s, store.MailWebhook, sending.Kind)
		require.Empty(s, sending.To)
		require.Equal(s, news, *sending.News)
		urls := []string{"https://one.example/", "https://two.example/"}
		require.NoError(s, s.SpreadNews(s.ctx(), sending.Mail, urls))
		var seen []string
		for range urls {
			sending = take()
			require.Equal(s, news, *sending.News)
			seen = append(seen, sending.To)
		}
		slices.Sort(seen)
		require.Equal(s, urls, seen)
	},

	"outbox/links for other means": func(s *suite) {
		s.load(world(user(1, ann, "home"), user(2, bo, "free"), user(3, cy, "home")))
		for _, key := range []string{ann, bo, cy} {
			s.claimed("acme", key)
		}
		s.retracted("acme", cy)
		n := 0
		link := func() (string, []byte) {
			n++
			return fmt.Sprint("link", n), fmt.Appendf(nil, "hash%d", n)
		}
		linked, next, err := s.LinkMails(s.ctx(), s.rules(), "acme", 0, 100, false, link)
		require.NoError(s, err)
		require.Zero(s, next)
		require.Len(s, linked, 2)
		require.Equal(s, ann, linked[0].Account.User.Email)
		require.Equal(s, schema.Delayed, linked[0].Made.Type)
		require.Equal(s, "link2", linked[1].Link)
		c, found, err := s.FindLink(s.ctx(), s.rules(), []byte("hash2"))
		require.NoError(s, err)
		require.True(s, found)
		require.Equal(s, bo, c.Account.User.Email)
		require.Equal(s, []string{"claim waiting " + ann, "claim waiting " + bo, "activation waiting " + bo}, s.kinds())

		linked, next, err = s.LinkMails(s.ctx(), s.rules(), "acme", 0, 1, true, link)
		require.NoError(s, err)
		require.Len(s, linked, 1)
		linked, _, err = s.LinkMails(s.ctx(), s.rules(), "acme", next, 100, true, link)
		require.NoError(s, err)
		require.Len(s, linked, 1)
		require.Equal(s, []string{"claim sent " + ann, "claim sent " + bo, "activation waiting " + bo}, s.kinds())
		require.Equal(s, claim.MailActivation, s.taken("activation").Kind)
		s.none()
	},
}
