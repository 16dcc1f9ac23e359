package claim

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/claimline/claimline/schema"
)

func TestMailsFor(t *testing.T) {
	assert.Equal(t, []Mail{MailClaim, MailActivation}, MailsFor(schema.Immediate, true))
	assert.Equal(t, []Mail{MailClaim}, MailsFor(schema.Immediate, false))
	assert.Equal(t, []Mail{MailClaim}, MailsFor(schema.Delayed, true))
}

func TestWanted(t *testing.T) {
	made := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	rules := Rules{Now: made.Add(time.Hour), Policy: schema.DefaultPolicy()}
	late := Rules{Now: made.AddDate(0, 0, 14), Policy: rules.Policy}
	closed := func(kind schema.ClaimType, by schema.Closing) schema.Claim {
		return schema.Claim{Type: kind, ClaimedAt: made, ClosedAt: rules.Now, ClosedBy: by}
	}
	immediate, delayed := schema.Claim{Type: schema.Immediate, ClaimedAt: made}, schema.Claim{Type: schema.Delayed, ClaimedAt: made}
	for name, c := range map[string]struct {
		rules Rules
		claim schema.Claim
		want  []Mail
	}{
		"open, immediate":       {rules, immediate, []Mail{MailClaim, MailActivation, MailReminder}},
		"open for long":         {late, immediate, []Mail{MailClaim, MailActivation, MailReminder}},
		"open, delayed":         {rules, delayed, []Mail{MailClaim, MailReminder}},
		"due to complete":       {late, delayed, []Mail{MailActivation, MailCompleted}},
		"completed":             {rules, closed(schema.Delayed, schema.ClosedCompleted), []Mail{MailActivation, MailCompleted}},
		"chosen, immediate":     {rules, closed(schema.Immediate, schema.Closing(schema.ChangeEmail)), []Mail{MailCompleted}},
		"chosen, delayed":       {rules, closed(schema.Delayed, schema.Closing(schema.DeleteAccount)), []Mail{MailActivation, MailCompleted}},
		"retracted, immediate":  {rules, closed(schema.Immediate, schema.ClosedRetracted), []Mail{MailRetracted}},
		"retracted, and so old": {late, closed(schema.Delayed, schema.ClosedRetracted), []Mail{MailRetracted}},
		"removed":               {rules, closed(schema.Immediate, schema.ClosedRemoved), nil},
	} {
		var got []Mail
		for _, mail := range Mails {
			if c.rules.Wanted(mail, &c.claim) {
				got = append(got, mail)
			}
		}
		assert.Equal(t, c.want, got, name)
	}
}

func TestReminding(t *testing.T) {
	now := time.Date(2026, 3, 15, 12, 0, 0, 0, time.UTC)
	rules := Rules{Now: now, Policy: schema.DefaultPolicy()}
	from, to, ok := rules.Reminding(7)
	assert.True(t, ok)
	assert.Equal(t, now.AddDate(0, 0, -13), from, "who has a day left gets the other reminder")
	assert.Equal(t, now.AddDate(0, 0, -7), to)
	from, to, ok = rules.Reminding(1)
	assert.True(t, ok)
	assert.Equal(t, now.AddDate(0, 0, -14), from, "what is due is not reminded of")
	assert.Equal(t, now.AddDate(0, 0, -13), to)
	rules.Policy.DecisionDays = 7
	_, _, ok = rules.Reminding(7)
	assert.False(t, ok, "not when the claim mail has just been written")
}
