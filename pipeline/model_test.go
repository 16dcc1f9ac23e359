package pipeline_test

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/claimline/claimline/schema"
)

// This file is a model of what happens to claims once they are made. It is as plain as can be, and shares no
// rule with the program: accounts and claims are changed in place, and what is due is done whenever time has
// passed.

// account is one account; it stays the same one whatever its address and organization.
type account struct {
	id                  string // from the snapshot; blank: it joined here
	email, organization string
	status, former      schema.Status
	inactiveSince       time.Time
	conversations       int
	title               string
	services            []string
	pinned              bool // a closed claim has changed it
	open, closed        *claimed
}

// claimed is a claim on an account.
type claimed struct {
	by             string
	delayed        bool
	at, signedIn   time.Time
	before, status schema.Status
	inactiveSince  time.Time
	title          string
	services       []string
	number         int64 // of the import; 0: from the snapshot
	place          int   // among all claims that were made
}

// life is the whole model.
type life struct {
	now       time.Time
	accounts  []*account
	removed   map[string]bool            // ids from the snapshot that are gone for good
	claimed   map[string]string          // domain → who has claimed it
	verified  map[string]map[string]bool // domain → who has verified it
	quantity  map[string]int             // of acme's services; negative: unlimited
	personal  string
	claims    int                  // made so far
	closedMap map[string]time.Time // of claims in the snapshot: when last closed, by id and organization
}

const (
	decisionTime = 14 * day
	inactiveTime = 30 * day
)

func lowered(email string) string { return strings.ToLower(email) }

func domainOf(email string) string { return email[strings.IndexByte(email, '@')+1:] }

func (l *life) find(email string) *account {
	for _, a := range l.accounts {
		if lowered(a.email) == lowered(email) {
			return a
		}
	}
	return nil
}

// held returns how many licences of a service acme's members and immediate claims hold.
func (l *life) held(service string) (n int) {
	for _, a := range l.accounts {
		if a.organization == us && slices.Contains(a.services, service) {
			n++
		}
		if a.open != nil && a.open.by == us && !a.open.delayed && slices.Contains(a.open.services, service) {
			n++
		}
	}
	return n
}

// assign gives out acme's licences as far as they last.
func (l *life) assign(wanted []string) (given []string) {
	for _, service := range wanted {
		if quantity, known := l.quantity[service]; known && (quantity < 0 || l.held(service) < quantity) {
			given = append(given, service)
		}
	}
	return given
}

// due finds what falls due next of an account, and when.
func (a *account) due() (at time.Time, do func(l *life)) {
	switch made := a.open; {
	case made != nil && made.delayed:
		at = made.at.Add(decisionTime)
		return at, func(l *life) { l.move(a, made.before, at) }
	case made != nil:
		if made.status != schema.Inactive || made.inactiveSince.IsZero() {
			return at, nil
		}
		at = made.inactiveSince.Add(inactiveTime)
		return at, func(l *life) { l.lift(a, at) }
	case a.status == schema.Inactive && !a.inactiveSince.IsZero():
		return a.inactiveSince.Add(inactiveTime), func(l *life) { l.remove(a) }
	}
	return at, nil
}

// settle does all that is due, in the order of time.
func (l *life) settle() {
	for {
		var next time.Time
		var do func(*life)
		accounts := slices.Clone(l.accounts)
		slices.SortStableFunc(accounts, func(a, b *account) int { return a.place() - b.place() }) // who was claimed first comes first
		for _, a := range accounts {
			if at, step := a.due(); step != nil && !at.After(l.now) && (do == nil || at.Before(next)) {
				next, do = at, step
			}
		}
		if do == nil {
			return
		}
		do(l)
	}
}

func (a *account) place() int {
	if a.open == nil {
		return 0
	}
	return a.open.place
}

// lift takes the open claim away.
func (l *life) lift(a *account, at time.Time) {
	l.closedMap[a.id+"/"+a.open.by] = at
	a.open = nil
}

func (l *life) remove(a *account) {
	l.accounts = slices.DeleteFunc(l.accounts, func(b *account) bool { return a == b })
	if a.id != "" {
		l.removed[a.id] = true
	}
}

// move lets the account join its claiming organization with all it has.
func (l *life) move(a *account, status schema.Status, at time.Time) {
	made := a.open
	a.services, a.open = nil, nil
	if made.title != "" {
		a.title = made.title
	}
	if made.by == us {
		a.services = l.assign(made.services)
	}
	a.organization, a.status, a.inactiveSince, a.pinned = made.by, status, time.Time{}, true
	if status == schema.Inactive {
		a.inactiveSince = at
	}
	a.closed = made
	l.closedMap[a.id+"/"+made.by] = at
}

// join lets a new account take the place of an old one, which has been given another address or is gone
// already.
func (l *life) join(email, title string, made *claimed) {
	services := made.services
	if made.by == us && made.delayed {
		services = l.assign(services)
	}
	if made.title != "" {
		title = made.title
	}
	l.accounts = append(l.accounts, &account{
		email: email, organization: made.by, status: schema.Active, title: title, services: services, pinned: true, closed: made,
	})
}

func (l *life) eligible(a *account, by string) bool {
	if a == nil || a.open != nil || a.organization == by || !l.verified[domainOf(a.email)][by] {
		return false
	}
	holder := l.claimed[domainOf(a.email)]
	return holder == "" || holder == by
}

// claim makes a claim; everybody who asks for a service would have it.
func (l *life) claim(a *account, by, title string, wanted []string, number int64) {
	made := &claimed{by: by, at: l.now, before: a.status, status: a.status, title: title, number: number, place: l.claims}
	l.claims++
	if title == a.title {
		made.title = ""
	}
	made.delayed = by == us && a.organization == l.personal
	if by == us {
		made.services = wanted
		if !made.delayed {
			made.services = l.assign(wanted)
		}
	}
	a.open = made
}

func (l *life) whyNotOpen(a *account, by string) schema.Code {
	switch {
	case a == nil:
		return schema.CodeUserNotFound
	case a.open == nil:
		return schema.CodeNotClaimed
	case a.open.by != by:
		return schema.CodeNotClaimingOrg
	}
	return ""
}

func (l *life) whyNotRetract(a *account, by string) schema.Code {
	if a == nil {
		return schema.CodeUserNotFound
	}
	made := a.open
	if made == nil {
		made = a.closed
	}
	switch {
	case made == nil:
		return schema.CodeNotClaimed
	case made.by != by:
		return schema.CodeNotClaimingOrg
	case a.open == nil:
		return schema.CodeClaimClosed
	case !made.signedIn.IsZero():
		return schema.CodeUserSignedIn
	case l.now.Sub(made.at) >= decisionTime:
		return schema.CodeRetractWindowPassed
	case l.claimed[domainOf(a.email)] == by:
		return schema.CodeDomainClaimed
	}
	return ""
}

func (l *life) signIn(a *account, by string) schema.Code {
	if refused := l.whyNotOpen(a, by); refused != "" {
		return refused
	}
	if a.open.status == schema.Inactive && !a.open.inactiveSince.IsZero() {
		return schema.CodeUserInactive
	}
	if a.open.signedIn.IsZero() {
		a.open.signedIn = l.now
	}
	return ""
}

func (l *life) whyNotAddress(a *account, to string) schema.Code {
	if !strings.Contains(to, "@") || !strings.Contains(domainOf(to), ".") {
		return schema.CodeEmailInvalid
	}
	domain := domainOf(lowered(to))
	holder := l.claimed[domain]
	switch {
	case lowered(to) == lowered(a.email):
		return schema.CodeEmailUnchanged
	case l.find(to) != nil:
		return schema.CodeEmailTaken
	case l.verified[domain][a.open.by], holder != "" && holder != a.organization:
		return schema.CodeEmailDomainTaken
	}
	return ""
}

func (l *life) decide(a *account, by string, choice schema.Choice, to string) schema.Code {
	if refused := l.whyNotOpen(a, by); refused != "" {
		return refused
	}
	made := a.open
	switch choice {
	case schema.ChangeEmail:
		if refused := l.whyNotAddress(a, to); refused != "" {
			return refused
		}
		email := a.email
		a.email, a.open, a.pinned = to, nil, true
		if !a.inactiveSince.IsZero() {
			a.inactiveSince = l.now
		}
		l.join(email, a.title, made)
	case schema.DeleteAccount:
		l.remove(a)
		l.join(a.email, a.title, made)
	case schema.TransferContent:
		if !made.delayed {
			return schema.CodeChoiceNotAvailable
		}
		l.move(a, schema.Active, l.now)
		a.former = ""
	}
	return ""
}

func (l *life) expel(a *account, by string) schema.Code {
	switch {
	case a == nil:
		return schema.CodeUserNotFound
	case a.open != nil && a.open.by == by && a.open.delayed:
		return schema.CodeClaimPending
	case a.open != nil && a.open.by == by:
		l.lift(a, l.now)
	case a.organization != by:
		return schema.CodeNotMember
	case a.open != nil:
		return schema.CodeClaimedElsewhere
	default:
		l.remove(a)
	}
	return ""
}

// mismatch reports whether a directory's list names nobody of acme, which has members.
func (l *life) mismatch(list []string) bool {
	members, matched := 0, false
	for _, a := range l.accounts {
		ours := a.open != nil && a.open.by == us
		if !ours && a.organization != us {
			continue
		}
		if !ours || !a.open.delayed {
			members++
		}
		matched = matched || slices.ContainsFunc(list, func(email string) bool { return lowered(email) == lowered(a.email) })
	}
	return members > 0 && !matched
}

// synchronize does a directory run of acme's, or where dry is set only says what it would do, by address.
func (l *life) synchronize(list []string, dry bool) map[string]schema.SyncEffect {
	effects := map[string]schema.SyncEffect{}
	listed := map[string][]string{}
	for _, email := range list {
		listed[lowered(email)] = append(listed[lowered(email)], email)
	}
	for _, a := range l.accounts {
		spelt := listed[lowered(a.email)]
		ours := a.open != nil && a.open.by == us
		switch {
		case !ours && a.organization != us:
			continue
		case ours && a.open.delayed:
			if len(spelt) > 0 {
				effects[a.email] = schema.SyncDelayedClaim
			}
			delete(listed, lowered(a.email))
			continue
		}
		delete(listed, lowered(a.email))
		status, since := &a.status, &a.inactiveSince
		if ours {
			status, since = &a.open.status, &a.open.inactiveSince
		}
		foreign := a.open != nil && !ours
		effect := schema.SyncKeep
		switch {
		case foreign && len(spelt) == 0:
		case len(spelt) == 0 && *status == schema.Inactive:
			effect = schema.SyncInactive
		case len(spelt) == 0:
			effect = schema.SyncDeactivate
			if !dry {
				a.former = cmp.Or(map[bool]schema.Status{false: *status}[ours], a.former)
				*status, *since = schema.Inactive, l.now
			}
		case *status == schema.Inactive && !foreign:
			effect = schema.SyncReactivate
			if !dry {
				former := a.former
				if ours {
					former = a.open.before
				} else {
					a.former = ""
				}
				if former == "" || former == schema.Inactive {
					former = schema.Active
				}
				*status, *since = former, time.Time{}
			}
		case !slices.Contains(spelt, a.email):
			effect = schema.SyncCaseMismatch
		}
		effects[a.email] = effect
	}
	for _, spelt := range listed {
		slices.Sort(spelt)
		effects[spelt[0]] = schema.SyncNotInOrganization
	}
	return effects
}

// listing returns what an organization sees of an account; ok is false where it sees nothing.
func (l *life) listing(a *account, by string) (s schema.Listing, ok bool) {
	ours := a.open != nil && a.open.by == by
	if !ours && a.organization != by {
		return s, false
	}
	n := a.conversations
	s = schema.Listing{Email: a.email, Status: a.status, Conversations: &n, Licenses: a.services}
	if made := cmp.Or(a.open, a.closed); made != nil && (a.open != nil || made.by == by) {
		at := made.at
		s.ClaimedAt, s.ClaimType = &at, schema.Immediate
		if made.delayed {
			s.ClaimType = schema.Delayed
		}
	}
	if a.open != nil {
		days := 0
		for left := a.open.at.Add(decisionTime).Sub(l.now); left > 0; left -= day {
			days++
		}
		s.DaysLeft = &days
	}
	switch {
	case ours && a.open.delayed:
		s.Status, s.Licenses = schema.DelayedClaim, a.open.services
	case ours:
		s.Status, s.Licenses, n = a.open.status, a.open.services, 0
	case a.open != nil:
		s.Email += ".convert-user.local"
	}
	s.RetractReason = l.whyNotRetract(a, by)
	s.Retractable = s.RetractReason == ""
	if s.Licenses == nil {
		s.Licenses = []string{}
	}
	return s, true
}
