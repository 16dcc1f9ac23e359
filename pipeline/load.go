package pipeline

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/schema"
)

// Loaded counts what a snapshot held.
type Loaded struct {
	Organizations int `json:"organizations"`
	Licenses      int `json:"licenses"`
	Domains       int `json:"domains"`
	Users         int `json:"users"`
	Claims        int `json:"claims"`
}

// Load takes in the snapshot in a folder, all or nothing. What is wrong is a *schema.Error with file, line and column.
func (p *Pipeline) Load(ctx context.Context, folder string) (Loaded, error) {
	var n Loaded
	s := &snapshot{folder: folder, limits: p.Limits, columns: map[string]map[string]int{}, loaded: func(rows int) { p.progress(Loading, rows, 0) }}
	err := p.Store.Load(ctx, p.clock(), func(into store.Loader) (err error) {
		if n.Organizations, err = table(ctx, s, organizations, (*line).organization, into.Organizations); err != nil {
			return err
		}
		if n.Licenses, err = table(ctx, s, licenses, (*line).license, into.Licenses); err != nil {
			return err
		}
		if n.Domains, err = table(ctx, s, domains, (*line).domain, into.Domains); err != nil {
			return err
		}
		if n.Users, err = table(ctx, s, users, (*line).user, into.Users); err != nil {
			return err
		}
		n.Claims, err = table(ctx, s, claims, (*line).claim, into.Claims)
		return err
	})
	return n, s.place(err)
}

// tableFile is one file of a snapshot.
type tableFile struct {
	name     string
	optional bool
	columns  []string
	needed   []string // of the columns, those that must be there
}

var (
	organizations = tableFile{
		name:    "organizations.csv",
		columns: []string{"id", "name", "kind", "created", "sso", "directory_sync", "bring_conversations", "activation_emails", "retention_days"},
		needed:  []string{"id", "kind", "created"},
	}
	licenses = tableFile{
		name: "licenses.csv", optional: true,
		columns: []string{"organization_id", "service", "quantity", "auto_assign"},
		needed:  []string{"organization_id", "service"},
	}
	domains = tableFile{
		name:    "domains.csv",
		columns: []string{"domain", "organization_id", "status"},
		needed:  []string{"domain", "organization_id", "status"},
	}
	users = tableFile{
		name: "users.csv",
		columns: []string{
			"id", "email", "first_name", "last_name", "display_name", "organization_id", "status", "inactive_since", "last_sign_in",
			"conversations", "title", "department", "phone", "preferred_language", "services",
		},
		needed: []string{"id", "email", "organization_id", "status"},
	}
	claims = tableFile{
		name: "claims.csv", optional: true,
		columns: []string{"email", "organization_id", "type", "claimed_at", "signed_in_at"},
		needed:  []string{"email", "organization_id", "type", "claimed_at"},
	}
)

// snapshot is a folder of tables.
type snapshot struct {
	folder  string
	limits  dialect.Limits
	columns map[string]map[string]int // of each file read: where each column stands
	rows    int                       // loaded so far, of all files
	loaded  func(rows int)
}

// refusedColumns are the columns in which a store found what it refuses with a code; the first that the file has is meant.
var refusedColumns = map[schema.Code][]string{
	schema.CodeOrganizationUnknown:    {"organization_id"},
	schema.CodeIDDuplicate:            {"id", "email", "domain", "service"},
	schema.CodeEmailDuplicate:         {"email"},
	schema.CodeUserNotFound:           {"email"},
	schema.CodeClaimedElsewhere:       {"email"},
	schema.CodeDomainClaimedElsewhere: {"domain"},
}

// place completes the place of what a store has refused, which knows files by their bare names and no columns.
func (s *snapshot) place(err error) error {
	refused, ok := errors.AsType[*schema.Error](err)
	if !ok || refused.File == "" || filepath.Base(refused.File) != refused.File {
		return err
	}
	for _, name := range refusedColumns[refused.Code] {
		if column, ok := s.columns[refused.File][name]; ok && refused.Line > 0 {
			refused.Column = column + 1
			break
		}
	}
	refused.File = filepath.Join(s.folder, refused.File)
	return err
}

// table reads one file and hands its rows over, many at a time; it returns how many they were.
func table[T any](ctx context.Context, s *snapshot, t tableFile, parse func(*line) T, hand func(context.Context, []T) error) (count int, err error) {
	path := filepath.Join(s.folder, t.name)
	if _, err := os.Stat(path); t.optional && errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	source, err := OpenSource(path, nil)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	reader, err := dialect.NewReader(ctx, path, source.file, source.info.Size(), dialect.Options{Limits: s.limits, Names: t.columns, SingleByte: singleByte})
	if err != nil {
		return 0, err
	}
	l, err := t.header(path, reader)
	if err != nil {
		return 0, err
	}
	s.columns[t.name] = l.columns
	var records dialect.Records
	var values []T
	for {
		c, err := reader.Next(ctx)
		if errors.Is(err, io.EOF) {
			return count, source.unchanged()
		}
		if err == nil {
			err = c.Parse(reader.Format(), &records)
		}
		if err != nil {
			return count, err
		}
		values = values[:0]
		for i := range records.Len() {
			l.number, l.cells = records.Line(i), records.Cells(i)
			if want := len(reader.Header()); len(l.cells) != want {
				return count, schema.Refuse(schema.CodeFieldCount, "The row has %d cells, and the header has %d.", len(l.cells), want).At(path, l.number, 0)
			}
			value := parse(l)
			if l.refused != nil {
				return count, l.refused
			}
			values = append(values, value)
		}
		if err := hand(ctx, values); err != nil {
			return count, err
		}
		count += len(values)
		s.rows += len(values)
		s.loaded(s.rows)
	}
}

// header finds the table's columns.
func (t tableFile) header(path string, reader *dialect.Reader) (*line, error) {
	l := &line{file: path, columns: map[string]int{}}
	for i, name := range reader.Header() {
		known := slices.IndexFunc(t.columns, func(column string) bool { return schema.SameHeader(column, name) })
		if known < 0 {
			continue
		}
		if first, twice := l.columns[t.columns[known]]; twice {
			return nil, duplicateHeader(path, reader.HeaderLine(), i, name, first)
		}
		l.columns[t.columns[known]] = i
	}
	for _, name := range t.needed {
		if _, ok := l.columns[name]; !ok {
			return nil, schema.Refuse(schema.CodeColumnMissing, "The file has no column %q. Its columns are: %s.", name, strings.Join(reader.Header(), ", ")).
				At(path, reader.HeaderLine(), 0).WithFix("Add the column %s to the file.", name)
		}
	}
	return l, nil
}

// line is one row of a table. Its methods read one cell each; the first that is wrong is remembered.
type line struct {
	file    string
	columns map[string]int
	number  int
	cells   []string
	refused *schema.Error
}

func (l *line) refuse(column string, code schema.Code, format string, args ...any) {
	if l.refused == nil {
		l.refused = schema.Refuse(code, format, args...).At(l.file, l.number, l.columns[column]+1)
	}
}

// cell is a cell, cleaned; blank where the column is missing.
func (l *line) cell(column string) string {
	i, ok := l.columns[column]
	if !ok {
		return ""
	}
	value, _ := dialect.Clean(l.cells[i])
	return value
}

// text is a cell of free text.
func (l *line) text(column string) string {
	value := l.cell(column)
	if utf8.RuneCountInString(value) > schema.MaxTextRunes {
		l.refuse(column, schema.CodeTextTooLong, "%s", schema.CodeTextTooLong.Message(quote(value)))
	}
	return l.plain(column, value)
}

// name is an identifier or a name of any length.
func (l *line) name(column string) string {
	value := l.plain(column, l.cell(column))
	if value == "" {
		l.refuse(column, schema.CodeValueMissing, "The column %s is blank.", column)
	}
	return value
}

func (l *line) plain(column, value string) string {
	if !schema.ValidText(value) {
		l.refuse(column, schema.CodeTextInvalid, "%s", schema.CodeTextInvalid.Message(quote(value)))
	}
	return value
}

func (l *line) boolean(column string) bool {
	cell := l.cell(column)
	value, ok := schema.ParseBool(cell)
	if !ok && cell != "" {
		l.refuse(column, schema.CodeBooleanInvalid, "%s", schema.CodeBooleanInvalid.Message(quote(cell)))
	}
	return value
}

// moment is a date or a time; zero where it is blank.
func (l *line) moment(column string) time.Time {
	const lastYear = 9000 // far enough for what is counted from it to have four digits too
	cell := l.cell(column)
	if cell == "" {
		return time.Time{}
	}
	for _, form := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(form, cell); err == nil && t.Year() <= lastYear {
			return t.UTC().Truncate(time.Second)
		}
	}
	l.refuse(column, schema.CodeValueInvalid, "%s is neither a date (2006-01-02) nor a time (2006-01-02T15:04:05Z).", quote(cell))
	return time.Time{}
}

// count is a number of things; blank is what is returned for a blank cell.
func (l *line) count(column string, blank int) int {
	cell := l.cell(column)
	if cell == "" {
		return blank
	}
	n, err := strconv.Atoi(cell)
	if err != nil || n < 0 || n > 1<<31-1 {
		l.refuse(column, schema.CodeValueInvalid, "%s is not a whole number of 0 or more.", quote(cell))
	}
	return n
}

// oneOf is a cell that holds one of the values.
func oneOf[T ~string](l *line, column string, values ...T) T {
	cell := l.cell(column)
	names := make([]string, len(values))
	for i, value := range values {
		if strings.EqualFold(cell, string(value)) {
			return value
		}
		names[i] = string(value)
	}
	l.refuse(column, schema.CodeValueInvalid, "%s is not one of %s.", quote(cell), strings.Join(names, ", "))
	return ""
}

// address is an e-mail address and its key.
func (l *line) address(column string) (email, key string) {
	email = l.cell(column)
	key, problem := schema.ParseAddress(email)
	if problem != "" {
		l.refuse(column, problem, "%s", problem.Message(quote(email)))
	}
	return email, key
}

func (l *line) organization() store.LoadOrganization {
	o := store.LoadOrganization{Line: l.number, Organization: schema.Organization{
		ID: l.name("id"), Name: l.plain("name", l.cell("name")), Kind: oneOf(l, "kind", schema.Enterprise, schema.Personal, schema.Consumer),
		Created: l.moment("created"), SSO: l.boolean("sso"), DirectorySync: l.boolean("directory_sync"),
		BringConversations: l.boolean("bring_conversations"), ActivationEmails: l.boolean("activation_emails"),
		RetentionDays: l.count("retention_days", 0),
	}}
	if o.Created.IsZero() {
		l.refuse("created", schema.CodeValueMissing, "The column created is blank.")
	}
	if o.Name == "" {
		o.Name = o.ID
	}
	return o
}

// service is the name of a service. It will be the header of a column in the users file, where it must not be taken for
// another.
func (l *line) service() string {
	name := l.name("service")
	if strings.Contains(name, ";") {
		l.refuse("service", schema.CodeValueInvalid, "The service %s has a semicolon, which separates services in users.csv.", quote(name))
	}
	for _, header := range slices.Concat(schema.Columns, schema.ReportHeaders) {
		if schema.SameHeader(header, name) {
			l.refuse("service", schema.CodeValueInvalid, "A service cannot be called %s: that is a column of the users file.", quote(name))
		}
	}
	return name
}

func (l *line) license() store.LoadLicense {
	return store.LoadLicense{Line: l.number, License: schema.License{
		OrganizationID: l.name("organization_id"), Service: l.service(),
		Quantity: l.count("quantity", schema.Unlimited), AutoAssign: l.boolean("auto_assign"),
	}}
}

func (l *line) domain() store.LoadDomain {
	cell := l.cell("domain")
	key, ok := schema.DomainKey(cell)
	if !ok {
		l.refuse("domain", schema.CodeDomainInvalid, "%s is not a domain name.", quote(cell))
	}
	return store.LoadDomain{Line: l.number, Domain: schema.Domain{
		Domain: key, OrganizationID: l.name("organization_id"), Status: oneOf(l, "status", schema.DomainVerified, schema.DomainClaimed),
	}}
}

func (l *line) user() store.LoadUser {
	address, key := l.address("email")
	u := store.LoadUser{Key: key, Line: l.number, User: schema.User{
		ID: l.name("id"), Email: address, OrganizationID: l.name("organization_id"), Status: oneOf(l, "status", schema.Statuses...),
		InactiveSince: l.moment("inactive_since"), LastSignIn: l.moment("last_sign_in"),
		Conversations: l.count("conversations", schema.UnknownConversations),
		Profile: schema.Profile{
			FirstName: l.text("first_name"), LastName: l.text("last_name"), DisplayName: l.text("display_name"),
			Title: l.text("title"), Department: l.text("department"), Phone: l.cell("phone"), PreferredLanguage: l.cell("preferred_language"),
		},
	}}
	if u.Phone != "" && !schema.ValidPhone(u.Phone) {
		l.refuse("phone", schema.CodePhoneInvalid, "%s", schema.CodePhoneInvalid.Message(quote(u.Phone)))
	}
	if u.PreferredLanguage != "" && !validLanguage(u.PreferredLanguage) {
		l.refuse("preferred_language", schema.CodeLanguageInvalid, "%s", schema.CodeLanguageInvalid.Message(quote(u.PreferredLanguage)))
	}
	for service := range strings.SplitSeq(l.plain("services", l.cell("services")), ";") {
		if service = strings.TrimSpace(service); service != "" {
			u.Services = append(u.Services, service)
		}
	}
	slices.Sort(u.Services)
	u.Services = slices.Compact(u.Services)
	return u
}

func (l *line) claim() store.LoadClaim {
	_, key := l.address("email")
	c := store.LoadClaim{Key: key, Line: l.number, Claim: schema.Claim{
		OrganizationID: l.name("organization_id"), Type: oneOf(l, "type", schema.Immediate, schema.Delayed),
		ClaimedAt: l.moment("claimed_at"), SignedInAt: l.moment("signed_in_at"),
	}}
	if c.ClaimedAt.IsZero() {
		l.refuse("claimed_at", schema.CodeValueMissing, "The column claimed_at is blank.")
	}
	return c
}
