// Package notify sends what the outbox keeps: mails to the owners of claimed accounts (see R18), reports to
// those who want to know how an import went, and messages to programs (webhooks). It adds the reminders that
// time makes due.
//
// A mail is words in a template (Templates), made when it is sent: an owner's link exists only in the mail
// and, as a hash, in the store. RunOnce sends what is due, one after the other; no transaction is open while
// it does.
package notify
