package input

import (
	"strconv"
	"strings"
)

// The columns of a snapshot and of the users file, in the order in which they are written.
var (
	organizationColumns = strings.Split("id,name,kind,created,sso,directory_sync,bring_conversations,activation_emails,retention_days", ",")
	licenseColumns      = strings.Split("organization_id,service,quantity,auto_assign", ",")
	domainColumns       = strings.Split("domain,organization_id,status", ",")
	userColumns         = strings.Split("id,email,first_name,last_name,display_name,organization_id,status,inactive_since,"+
		"last_sign_in,conversations,title,department,phone,preferred_language,services", ",")
	claimColumns = strings.Split("email,organization_id,type,claimed_at,signed_in_at", ",")
	fileColumns  = strings.Split("First Name,Last Name,Display Name,User ID/Email (Required),User Status,"+
		"Last Service Accessed Time,Title,Department,Phone Number,Preferred Language,Source Organization,Claim Type,Claim,"+
		"Webex Calling,Webex Meetings,Webex Messaging", ",")
)

// The services of the claiming organization, in the order of their columns.
const (
	calling   = "Webex Calling"
	meetings  = "Webex Meetings"
	messaging = "Webex Messaging"
)

type organization struct {
	id, name, kind, created string
	sso, sync               bool
	bring                   bool // its users may bring their conversations
	activation              bool
	retention               string // days
	delayed                 bool   // its users are claimed with a delay (R11)
}

func (o *organization) cells() []string {
	return []string{o.id, o.name, o.kind, o.created, boolean(o.sso), boolean(o.sync), boolean(o.bring), boolean(o.activation), o.retention}
}

func (o *organization) claimType() string {
	if o.delayed {
		return "delayed"
	}
	return "immediate"
}

type user struct {
	id                          int
	email, first, last, display string
	org                         *organization
	status, lastSignIn          string
	inactiveSince               string
	conversations               string // blank: unknown
	title, department, phone    string
	language, services          string
}

func (u *user) cells() []string {
	return []string{"u" + strconv.Itoa(u.id), u.email, u.first, u.last, u.display, u.org.id, u.status, u.inactiveSince,
		u.lastSignIn, u.conversations, u.title, u.department, u.phone, u.language, u.services}
}

// exported returns the user's row of the users file. Extra cells follow those of the services.
func (u *user) exported(extra ...string) []string {
	signIn := u.lastSignIn
	if len(signIn) == len("2006-01-02") {
		signIn += "T00:00:00Z"
	}
	cells := make([]string, 0, len(fileColumns)+len(extra))
	cells = append(cells, guard(u.first), guard(u.last), guard(u.display), guard(u.email), u.status, signIn, guard(u.title),
		guard(u.department), guard(u.phone), u.language, guard(u.org.name), u.org.claimType(), "TRUE", "", "", "")
	return append(cells, extra...)
}
