package claim

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/claimline/claimline/schema"
)

func TestServiceKey(t *testing.T) {
	for _, other := range []string{"calling", "CALLING", " Calling\t", "CaLLing"} {
		assert.Equal(t, ServiceKey("Calling"), ServiceKey(other))
	}
	assert.Equal(t, ServiceKey("Möten"), ServiceKey("MÖTEN"))
	assert.NotEqual(t, ServiceKey("Möten"), ServiceKey("Moten"))
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.String().Draw(t, "a"), rapid.String().Draw(t, "b")
		require.Equal(t, schema.SameHeader(a, b), ServiceKey(a) == ServiceKey(b))
		require.Equal(t, ServiceKey(a), ServiceKey(ServiceKey(a)))
	})
}

// Whatever happens to accounts, what is held is what members and immediate claims have.
func TestHeldIsWhatIsGiven(t *testing.T) {
	services := [][]string{nil, {"Calling"}, {"CALLING", "Meetings"}, {"Unknown"}}
	rapid.Check(t, func(t *rapid.T) {
		organizations := map[string]*schema.Organization{"acme": {ID: "acme"}, "globex": {ID: "globex"}}
		draw := rapid.SampledFrom([]string{"acme", "globex"})
		list := []schema.License{
			{OrganizationID: "acme", Service: "Calling", Quantity: 2}, {OrganizationID: "acme", Service: "Meetings", Quantity: schema.Unlimited},
			{OrganizationID: "globex", Service: "calling", Quantity: 1},
		}
		count := func(list []schema.License, accounts []Account) {
			for i := range list {
				list[i].Held = 0
			}
			licenses := NewLicenses(list)
			given := make([]int, len(list))
			for _, a := range accounts {
				if a.ID == 0 {
					continue
				}
				licenses.Claimed(a.User.OrganizationID, schema.Immediate, a.User.Services, 1)
				if a.Claim != nil {
					licenses.Claimed(a.Claim.OrganizationID, a.Claim.Type, a.Claim.Services, 1)
				}
			}
			for i, l := range licenses.Licenses() {
				given[i] = l.Held
			}
			for i := range list {
				list[i].Held = given[i]
			}
		}
		var accounts []Account
		for i := range 4 {
			a := Account{ID: int64(i + 1), User: schema.User{
				OrganizationID: draw.Draw(t, "organization"), Status: schema.Inactive, InactiveSince: now.Add(-35 * day), Services: rapid.SampledFrom(services).Draw(t, "services"),
			}}
			a.Organization = organizations[a.User.OrganizationID]
			if rapid.Bool().Draw(t, "claimed") {
				a.Claim = &schema.Claim{
					ID: a.ID, OrganizationID: draw.Draw(t, "by"), Type: rapid.SampledFrom([]schema.ClaimType{schema.Immediate, schema.Delayed}).Draw(t, "type"),
					ClaimedAt: now.Add(-20 * day), StatusBefore: schema.Active, Status: schema.Inactive, Services: rapid.SampledFrom(services).Draw(t, "asked"),
				}
				if rapid.Bool().Draw(t, "inactive there") {
					a.Claim.InactiveSince = now.Add(-31 * day)
				}
				a.Claiming = organizations[a.Claim.OrganizationID]
			}
			accounts = append(accounts, a)
		}
		count(list, accounts)
		licenses := NewLicenses(list)
		for i := range accounts {
			v := View{Key: "a@x.example", Organization: accounts[i].Claiming, Account: accounts[i]}
			if v.Organization == nil {
				v.Organization = accounts[i].Organization
			}
			var effects []Effect
			switch rapid.SampledFrom([]string{"time", "transfer", "delete", "change", "retract", "remove", "nothing"}).Draw(t, "what") {
			case "time":
				effects = rules().Due(v.Account)
			case "transfer":
				effects = chosenOrNone(rules().Choose(&v, schema.TransferContent, NewAddress{}))
			case "delete":
				effects = chosenOrNone(rules().Choose(&v, schema.DeleteAccount, NewAddress{}))
			case "change":
				effects = chosenOrNone(rules().Choose(&v, schema.ChangeEmail, NewAddress{Email: "b@y.example", Key: "b@y.example"}))
			case "retract":
				if v.Account.Claim != nil {
					effects = []Effect{rules().Retracted(&v)}
				}
			case "remove":
				effects = chosenOrNone(rules().Remove(&v))
			}
			for n := range effects {
				e := &effects[n]
				before := licenses.Licenses()
				licenses.Apply(e)
				for j, l := range licenses.Licenses() {
					if l.Held != before[j].Held {
						require.Contains(t, e.Holders(), l.OrganizationID)
					}
				}
				accounts[i] = e.After()
				if n+1 < len(effects) {
					effects[n+1].Before = accounts[i]
				}
				if e.Joins != nil {
					accounts = append(accounts, Account{ID: int64(100 + len(accounts)), User: *e.Joins, Organization: v.Account.Claiming})
				}
			}
		}
		after := licenses.Licenses()
		count(list, accounts)
		require.Equal(t, NewLicenses(list).Licenses(), after)
	})
}

func chosenOrNone(e Effect, refused schema.Code) []Effect {
	if refused != "" {
		return nil
	}
	return []Effect{e}
}

// What falls due of one account is in the order of time, and each effect begins where the one before it
// ended.
func TestDueIsInOrder(t *testing.T) {
	s := eligible()
	s.claimed("globex", schema.Delayed, now.Add(-50*day))
	s.account.Claim.StatusBefore = schema.Inactive
	effects := rules().Due(s.account)
	require.Len(t, effects, 2)
	assert.Equal(t, now.Add(-36*day), effects[0].At)
	assert.Equal(t, now.Add(-6*day), effects[1].At)
	assert.Equal(t, effects[0].After(), effects[1].Before)
	assert.True(t, effects[1].Gone)

	s.claimed("globex", schema.Immediate, now.Add(-90*day))
	s.inactive(80 * day)
	s.account.Claim.Status, s.account.Claim.InactiveSince = schema.Inactive, now.Add(-40*day)
	effects = rules().Due(s.account)
	require.Len(t, effects, 2)
	assert.Equal(t, now.Add(-10*day), effects[0].At)
	assert.Equal(t, now.Add(-10*day), effects[1].At, "it waited for the claim that lay over it")
}
