package claim

import (
	"time"

	"github.com/claimline/claimline/schema"
)

// Mail is a kind of mail to the owner of a claimed account (R18).
type Mail string

// The mails.
const (
	MailClaim      Mail = "claim"      // a personal link to the choices
	MailActivation Mail = "activation" // the account has joined
	MailReminder   Mail = "reminder"   // the choices once more
	MailCompleted  Mail = "completed"  // what became of the account
	MailRetracted  Mail = "retracted"  // the claim is no more
	MailReport     Mail = "report"     // to administrators: how an import went
)

// Mails lists the kinds of mail, in the order of a claim's life.
var Mails = []Mail{MailClaim, MailActivation, MailReminder, MailCompleted, MailRetracted, MailReport}

// Linked reports whether the mail bears a personal link to the choices.
func (m Mail) Linked() bool { return m == MailClaim || m == MailReminder }

// MailsFor returns the mails that a claim just made sends (R18); activation says whether activation mails are
// on.
func MailsFor(made schema.ClaimType, activation bool) []Mail {
	if activation && made == schema.Immediate {
		return []Mail{MailClaim, MailActivation}
	}
	return []Mail{MailClaim}
}

// joiningMails returns the mails sent when an account joins by the claim that lies over it (R18). An
// immediate claim has sent the activation mail when it was made.
func joiningMails(a *Account) []Mail {
	if a.Claim.Type == schema.Delayed && a.Claiming.ActivationEmails {
		return []Mail{MailActivation, MailCompleted}
	}
	return []Mail{MailCompleted}
}

// Wanted reports whether a mail about a claim is still to be sent, as the claim stands now (R18): there must
// be something to choose, or to activate, or what it tells must have come about.
func (r Rules) Wanted(mail Mail, made *schema.Claim) bool {
	open := made.Open() && (made.Type != schema.Delayed || r.Now.Before(r.CompletesAt(made.ClaimedAt)))
	joined := !open && made.ClosedBy != schema.ClosedRetracted && made.ClosedBy != schema.ClosedRemoved
	switch mail {
	case MailClaim, MailReminder:
		return open
	case MailActivation:
		return open && made.Type == schema.Immediate || joined && made.Type == schema.Delayed
	case MailCompleted:
		return joined
	case MailRetracted:
		return made.ClosedBy == schema.ClosedRetracted
	}
	return false
}

// ReminderDays are how many days before the date owners of delayed claims are reminded.
var ReminderDays = []int{7, 1}

// Reminding returns which delayed claims are due for the reminder so many days before the date, by when they
// were made: after from, and until to. Those for which a later reminder is due too are left to that one.
func (r Rules) Reminding(days int) (from, to time.Time, ok bool) {
	if days >= r.Policy.DecisionDays {
		return from, to, false
	}
	decided := r.Now.Add(-r.Policy.DecisionTime())
	from, to = decided, decided.AddDate(0, 0, days)
	for _, later := range ReminderDays {
		if later < days {
			from = decided.AddDate(0, 0, later)
			break
		}
	}
	return from, to, true
}
