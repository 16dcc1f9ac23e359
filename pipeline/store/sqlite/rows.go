package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/schema"
)

// The database packs all accounts that a query finds into one text: a row, and every column of it, handed
// over by the driver costs as much as finding it. No value holds a separator, for control characters are
// refused wherever data comes in; one that did would be found here: its account would have another number of
// fields.
const (
	fieldSeparator  = "\x1f"
	recordSeparator = "\x1e"
)

// What is packed of an account: numbers, texts, and its open claim, where it has one.
const (
	accountNumbers = "u.id, u.organization, ifnull(u.inactive_since, ''), ifnull(u.last_sign_in, ''), ifnull(u.conversations, ''), "
	claimFields    = `c.id, c.organization, c.delayed, c.claimed_at, ifnull(c.signed_in_at, ''), ifnull(c.inactive_since, ''),
		ifnull(c.import, ''), ifnull(c.line, ''), c.status_before, ifnull(c.status, ''), ifnull(c.services, '')`
	accountFields = accountNumbers + `u.email, u.status, u.first_name, u.last_name, u.display_name, u.title, u.department, u.phone,
		u.preferred_language, ifnull(u.services, ''), CASE WHEN c.id IS NOT NULL THEN concat_ws(char(31), ` + claimFields + ", ifnull(c.edits, '')) END"
	// noProfileFields is accountFields without names and other data, and without edits of them.
	noProfileFields = accountNumbers + `u.email, u.status, '', '', '', '', '', '', '', ifnull(u.services, ''),
		CASE WHEN c.id IS NOT NULL THEN concat_ws(char(31), ` + claimFields + ", '') END"
	openClaim = "LEFT JOIN claims c ON c.user = u.id AND c.closed_at IS NULL"
)

// unpack runs a query for fields, of which those of an account come last, and hands the fields of every
// record to read.
func (t *tx) unpack(ctx context.Context, fields, from string, args []any, read func(*record)) error {
	var packed sql.NullString
	err := t.QueryRowContext(ctx, "SELECT group_concat(packed, char(30)) FROM (SELECT concat_ws(char(31), "+fields+") AS packed FROM "+from+")", args...).Scan(&packed)
	if err != nil {
		return err
	}
	for text := packed.String; text != ""; {
		var r record
		r.rest, text, _ = strings.Cut(text, recordSeparator)
		read(&r)
		if r.err != nil {
			return fmt.Errorf("unpack an account: %w", r.err)
		}
	}
	return nil
}

// record hands out the fields of one packed account, one after the other. The first error stays.
type record struct {
	rest  string
	ended bool // the last field has been handed out
	err   error
}

var errFields = errors.New("it has another number of fields")

func (r *record) text() string {
	if r.ended {
		r.err = cmp.Or(r.err, errFields)
		return ""
	}
	field, rest, more := strings.Cut(r.rest, fieldSeparator)
	r.rest, r.ended = rest, !more
	return field
}

func (r *record) number() (n sql.NullInt64) {
	field := r.text()
	if field == "" {
		return n
	}
	number, err := strconv.ParseInt(field, 10, 64)
	r.err = cmp.Or(r.err, err)
	return sql.NullInt64{Int64: number, Valid: err == nil}
}

func (r *record) time() time.Time { return timeOf(r.number()) }

// decode decodes a field that holds JSON.
func (r *record) decode(field string, into any) {
	r.err = cmp.Or(r.err, json.Unmarshal([]byte(field), into))
}

// accountReader turns records into accounts, and finds their organizations when all are read.
type accountReader struct {
	refs     []accountRef
	services map[string][]string // decoded; few differ
}

// accountRef names the organizations of an account.
type accountRef struct {
	account      *claim.Account
	organization int64
	claiming     int64 // 0: no open claim
}

// newAccountReader returns a reader of about n accounts.
func newAccountReader(n int) *accountReader {
	return &accountReader{refs: make([]accountRef, 0, n), services: map[string][]string{}}
}

// read makes the rest of a record an account, except for its organizations. The account must stay where it is
// until finish.
func (r *accountReader) read(from *record, a *claim.Account) {
	a.ID = from.number().Int64
	ref := accountRef{account: a, organization: from.number().Int64}
	u := &a.User
	u.InactiveSince, u.LastSignIn = from.time(), from.time()
	u.Conversations = schema.UnknownConversations
	if known := from.number(); known.Valid {
		u.Conversations = int(known.Int64)
	}
	u.Email, u.Status = from.text(), schema.Status(from.text())
	for _, field := range []*string{&u.FirstName, &u.LastName, &u.DisplayName, &u.Title, &u.Department, &u.Phone, &u.PreferredLanguage} {
		*field = from.text()
	}
	u.Services = r.list(from)
	if !from.ended {
		a.Claim, ref.claiming = r.claim(from)
	}
	if !from.ended {
		from.err = cmp.Or(from.err, errFields)
	}
	r.refs = append(r.refs, ref)
}

// list decodes services.
func (r *accountReader) list(from *record) (list []string) {
	field := from.text()
	if field == "" {
		return nil
	}
	list, known := r.services[field]
	if !known {
		from.decode(field, &list)
		r.services[field] = list
	}
	return list
}

// claim reads an open claim, and the number of its organization.
func (r *accountReader) claim(from *record) (*schema.Claim, int64) {
	c := &schema.Claim{ID: from.number().Int64, Type: schema.Immediate}
	claiming := from.number().Int64
	if from.number().Int64 != 0 {
		c.Type = schema.Delayed
	}
	c.ClaimedAt, c.SignedInAt, c.InactiveSince = from.time(), from.time(), from.time()
	c.ImportID, c.Line = from.number().Int64, int(from.number().Int64)
	c.StatusBefore = schema.Status(from.text())
	c.Status = schema.Status(cmp.Or(from.text(), string(c.StatusBefore)))
	c.Services = r.list(from)
	if edits := from.text(); edits != "" {
		from.decode(edits, &c.Edits)
	}
	return c, claiming
}

// finish gives the accounts that were read their organizations, and starts anew.
func (r *accountReader) finish(ctx context.Context, t *tx) error {
	seen := map[int64]struct{}{}
	for _, ref := range r.refs {
		seen[ref.organization] = struct{}{}
		if ref.claiming != 0 {
			seen[ref.claiming] = struct{}{}
		}
	}
	organizations, err := t.organizations(ctx, seen)
	if err != nil {
		return err
	}
	for _, ref := range r.refs {
		a := ref.account
		a.Organization = organizations[ref.organization]
		a.User.OrganizationID = a.Organization.ID
		if a.Claim != nil {
			a.Claiming = organizations[ref.claiming]
			a.Claim.OrganizationID = a.Claiming.ID
		}
	}
	r.refs = r.refs[:0]
	return nil
}
