package snapshot

import (
	"cmp"
	"context"
	"errors"
	"hash/maphash"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/pipeline/controlhub"
	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/pipeline/usersfile"
	"github.com/claimline/claimline/schema"
)

// ControlHub is what an organization exports from Control Hub.
type ControlHub struct {
	Users        dialect.Source // the users export: the members
	Claimable    dialect.Source // the export of claimable users; nil: there is none
	Licenses     dialect.Source // a table service,quantity; nil: there are as many as anybody wants
	Domains      []string       // that the organization has verified
	Organization string         // its id
	Name         string         // its name; blank: the one it has, or its id
}

// Outside is the id of the one organization to which all claimable users belong: Control Hub does not say to
// which they really do, but has left out those that use single sign-on or directory synchronization.
const Outside = "outside"

// The files of Control Hub, in the order in which they are read.
const (
	hubLicenses = iota
	hubUsers
	hubClaimable

	hubFiles = iota
)

// hubColumn is a column that is read, and what a snapshot calls it.
type hubColumn struct {
	field  usersfile.Field
	column string
}

// hubColumns are the columns that are read.
var hubColumns = []hubColumn{
	{usersfile.Email, "email"},
	{usersfile.FirstName, "first_name"},
	{usersfile.LastName, "last_name"},
	{usersfile.DisplayName, "display_name"},
	{usersfile.Status, "status"},
	{usersfile.LastAccess, "last_sign_in"},
	{usersfile.Title, "title"},
	{usersfile.Department, "department"},
	{usersfile.Phone, "phone"},
	{usersfile.PreferredLanguage, "preferred_language"},
}

// hub is Control Hub's files on their way into the store.
type hub struct {
	*loading
	from     ControlHub
	services []service
	seed     maphash.Seed
	seen     usersfile.Index   // lines, by the hash of the address key; those of claimable users after those of members
	again    bool              // the store has been loaded before: it may know the users
	outside  bool              // it has the organization Outside
	tags     map[string]string // languages, by what they are called; blank: nobody knows it
	claims   []store.LoadClaim
	told     map[notice]*told
	order    []notice
}

// service is a column of the users export that is one.
type service struct {
	name   string
	column string // its name in opened.columns
}

// notice is something that is told once for a file and column, with how often there was reason to.
type notice struct {
	file   int
	column string
	kind   string
}

type told struct{ first, count int }

// What is told of many rows at once.
const (
	leftOut    = "left out"
	noStatus   = "no status"
	isDelayed  = "delayed"
	isTaken    = "taken"
	isMember   = "member"
	openClaims = "open"
	notService = "not a service"
	unlimited  = "unlimited"
)

// claimableLine is added to the line numbers of claimable users, so that those of both files are told apart.
const claimableLine = 1 << 30

// LoadControlHub takes in what an organization has exported from Control Hub, all or nothing. Every account's
// id is its address key, or the one that the store has for it. Refused, besides the codes of files and those
// of rows, with CodeEmailDuplicate, CodeValueInvalid (a status that nobody knows), CodeColumnUnclear and
// CodeServiceUnknown; all as Errors, as Load has them. Users that the organization has an open claim on stay
// as they are in the store.
func LoadControlHub(ctx context.Context, s Store, rules claim.Rules, from ControlHub, options Options) (*Loaded, error) {
	if err := checkEncoding(ctx, options.Encoding); err != nil {
		return nil, err
	}
	var h *hub
	open := func() (*loading, error) {
		h = &hub{loading: newLoading(s, rules, options, hubFiles), from: from, seed: maphash.MakeSeed(), told: map[notice]*told{}, tags: map[string]string{}}
		err := h.open(ctx)
		if err == nil {
			err = h.refused()
		}
		return h.loading, err
	}
	return takeIn(ctx, s, rules, open, func(_ *loading, ctx context.Context, into store.Loader) error { return h.read(ctx, into) })
}

// open opens the files, and finds their columns.
func (h *hub) open(ctx context.Context) error {
	if h.from.Licenses != nil {
		t := table{name: h.nameOf(h.from.Licenses), columns: []string{"service", "quantity"}, needed: []string{"service", "quantity"}}
		o := newOpened(t, hubLicenses, h.from.Licenses)
		h.files[hubLicenses] = o
		var err error
		if o.reader, err = h.reader(ctx, o.source, t.columns); err != nil {
			return h.add(hubLicenses, err)
		}
		h.readHeader(o)
	}
	if err := h.openUsers(ctx, hubUsers, h.from.Users); err != nil || h.from.Claimable == nil {
		return err
	}
	return h.openUsers(ctx, hubClaimable, h.from.Claimable)
}

// nameOf returns what a file is called in answers: without its folder, unless another has the same name.
func (h *hub) nameOf(source dialect.Source) string {
	name, same := filepath.Base(source.Name()), 0
	for _, other := range []dialect.Source{h.from.Users, h.from.Claimable, h.from.Licenses} {
		if other != nil && filepath.Base(other.Name()) == name {
			same++
		}
	}
	if same > 1 {
		return source.Name()
	}
	return name
}

// openUsers opens an export of users.
func (h *hub) openUsers(ctx context.Context, file int, source dialect.Source) (err error) {
	o := newOpened(table{name: h.nameOf(source)}, file, source)
	h.files[file] = o
	if o.reader, err = h.reader(ctx, source, usersfile.EmailNames); err != nil {
		return h.add(file, err)
	}
	if !o.reader.Found() {
		return h.add(file, usersfile.EmailColumnMissing(ctx, source.Name(), o.reader))
	}
	if err := h.readColumns(o); err != nil {
		return h.add(file, err.At(o.path, o.reader.HeaderLine(), err.Column))
	}
	if file == hubUsers {
		return h.add(file, h.findServices(ctx, o))
	}
	return nil
}

// readColumns finds the columns of an export of users.
func (h *hub) readColumns(o *opened) *schema.Error {
	o.header = o.reader.Header()
	for i, header := range o.header {
		_, field := controlhub.Field(header)
		known := slices.IndexFunc(hubColumns, func(c hubColumn) bool { return c.field == field })
		if known < 0 {
			continue
		}
		column := hubColumns[known].column
		if first, twice := o.columns[column]; twice {
			return schema.Refuse(schema.CodeHeaderDuplicate, "The column %q stands in the header twice: as column %d and as column %d.", header, first+1, i+1).At("", 0, i+1).In(header)
		}
		o.columns[column] = i
	}
	o.mayLack = o.columns["email"] + 1
	for i, header := range o.header {
		if _, field := controlhub.Field(header); field >= 0 || header == "" || h.passes(func(ignored string) bool { return dialect.SameHeader(ignored, header) }) {
			continue
		}
		for _, c := range hubColumns {
			const most = 2 // letters
			name := c.field.Name()
			if _, there := o.columns[c.column]; there || schema.Distance(header, name) > most {
				continue
			}
			return schema.Refuse(schema.CodeColumnUnclear, "The column %q may be %s, which the file does not have otherwise.", header, name).
				WithFix("Call it %s if that is what it is. If it is nothing, add --ignore %q.", name, header).At("", 0, i+1).In(header)
		}
	}
	return nil
}

// findServices finds the columns of the users export that are services: those that end with a subscription,
// and those behind Title whose filled cells are all booleans.
func (h *hub) findServices(ctx context.Context, o *opened) error {
	names := make([]string, len(o.header))
	for i, header := range o.header {
		names[i], _ = controlhub.WithoutMark(header)
	}
	open := controlhub.MayBeServices(names)
	reader, err := h.reader(ctx, o.source, usersfile.EmailNames)
	if err != nil {
		return err
	}
	filled, err := controlhub.Fill(ctx, reader, open)
	if err != nil {
		return err
	}
	for i, name := range names {
		at := slices.Index(open, i)
		if !controlhub.IsService(name) && (at < 0 || filled[at].Booleans == 0) {
			continue
		}
		if at >= 0 && filled[at].Others > 0 {
			h.tell(notice{hubUsers, o.header[i], notService}, filled[at].Other)
			continue
		}
		if err := h.addService(o, i, name); err != nil {
			return err
		}
	}
	return nil
}

// addService takes a column for a service.
func (h *hub) addService(o *opened, at int, name string) error {
	refuse := func(code schema.Code, format string, args ...any) error {
		return schema.Refuse(code, format, args...).At(o.path, o.reader.HeaderLine(), at+1).In(o.header[at])
	}
	key := serviceKey(name)
	if first := slices.IndexFunc(h.services, func(s service) bool { return serviceKey(s.name) == key }); first >= 0 {
		return refuse(schema.CodeHeaderDuplicate, "The service %s stands in the header twice.", schema.Quote(name))
	}
	if strings.Contains(name, ";") {
		return refuse(schema.CodeValueInvalid, "The service %s has a semicolon, which separates services elsewhere.", schema.Quote(name))
	}
	if most := h.mostServices(); len(h.services) >= most {
		return refuse(schema.CodeLimitExceeded, "The organization has more than %d services: a users file would have too many columns.", most)
	}
	s := service{strings.Clone(name), "service " + key}
	o.columns[s.column] = at
	h.services = append(h.services, s)
	return nil
}

// tell notes a reason to tell something, on a line.
func (h *hub) tell(n notice, line int) {
	t := h.told[n]
	if t == nil {
		t = &told{first: line}
		h.told[n] = t
		h.order = append(h.order, n)
	}
	t.count++
}

// read hands everything over.
func (h *hub) read(ctx context.Context, into store.Loader) error {
	if err := h.settings(ctx, into); err != nil {
		return err
	}
	for _, file := range []int{hubUsers, hubClaimable} {
		_, err := rows(ctx, h.loading, h.files[file], h.user, noCheck[store.LoadUser], func(ctx context.Context, part []store.LoadUser) error {
			part, err := h.settle(ctx, into, part)
			if err != nil {
				return err
			}
			h.loaded.Users += len(part)
			return h.placed(into.Users(ctx, part))
		})
		if err != nil {
			return err
		}
	}
	if err := h.refused(); err != nil {
		return err
	}
	h.loaded.Claims = len(h.claims)
	if err := cmp.Or(h.placed(into.Claims(ctx, h.claims)), h.refused()); err != nil {
		return err
	}
	notices, err := into.Finish(ctx)
	if err := cmp.Or(h.placed(err), h.refused()); err != nil {
		return err
	}
	h.summarize(notices)
	return nil
}

// settings hands over the organization with its licences and domains. What is set there already stays.
func (h *hub) settings(ctx context.Context, into store.Loader) error {
	all, err := h.store.Organizations(ctx)
	if err != nil {
		return err
	}
	o := schema.Organization{ID: h.from.Organization, Kind: schema.Enterprise}
	at := slices.IndexFunc(all, func(other schema.Organization) bool { return other.ID == o.ID })
	if at >= 0 {
		o = all[at]
	}
	h.again, h.outside = len(all) > 0, slices.ContainsFunc(all, func(other schema.Organization) bool { return other.ID == Outside })
	o.Name = cmp.Or(h.from.Name, o.Name, o.ID)
	if err := into.Organizations(ctx, []store.LoadOrganization{{Organization: o}}); err != nil {
		return err
	}
	h.loaded.Organizations++
	var licenses []schema.License
	held := map[string]bool{} // domains that are claimed, and stay so
	if at >= 0 {
		if licenses, err = h.store.Licenses(ctx, h.rules, o.ID); err != nil {
			return err
		}
		domains, err := h.store.Domains(ctx, o.ID)
		if err != nil {
			return err
		}
		for _, d := range domains {
			held[d.Domain] = d.Status == schema.DomainClaimed
		}
	}
	if err := h.licenses(ctx, into, licenses); err != nil {
		return err
	}
	var domains []store.LoadDomain
	for _, name := range h.from.Domains {
		if !held[name] {
			domains = append(domains, store.LoadDomain{Domain: schema.Domain{Domain: name, OrganizationID: o.ID, Status: schema.DomainVerified}})
		}
	}
	h.loaded.Domains = len(h.from.Domains)
	return into.Domains(ctx, domains)
}

// licenses hands over a licence of each service: of so many as the file of licences says, else as there are
// in the store, else unlimited.
func (h *hub) licenses(ctx context.Context, into store.Loader, there []schema.License) error {
	lines := map[string]int{}
	quantities := map[string]int{} // by serviceKey
	_, err := rows(ctx, h.loading, h.files[hubLicenses], func(r *row) store.LoadLicense {
		name, quantity := r.name("service"), r.count("quantity", schema.Unlimited)
		key := h.named(r, name)
		r.once(lines, "service", key)
		quantities[key] = quantity
		return store.LoadLicense{}
	}, noCheck[store.LoadLicense], noCheck[store.LoadLicense])
	if err != nil {
		return err
	}
	list := make([]store.LoadLicense, len(h.services))
	for i, s := range h.services {
		key := serviceKey(s.name)
		license := schema.License{OrganizationID: h.from.Organization, Service: s.name, Quantity: schema.Unlimited}
		stored := slices.IndexFunc(there, func(l schema.License) bool { return serviceKey(l.Service) == key })
		if stored >= 0 {
			license = there[stored]
		}
		quantity, given := quantities[key]
		switch {
		case given:
			license.Quantity = quantity
		case h.files[hubLicenses] != nil && stored < 0:
			h.tell(notice{hubLicenses, s.name, unlimited}, 0)
		}
		list[i] = store.LoadLicense{License: license, Line: i + 1}
	}
	h.loaded.Licenses = len(list)
	return into.Licenses(ctx, list)
}

// named returns the key of the service that a file of licences names, as the header has it or without the
// subscription. Where there is none, or more than one, it is noted.
func (h *hub) named(r *row, name string) string {
	if name == "" {
		return ""
	}
	bare := func(name string) string {
		name, _, _ = strings.Cut(name, "[")
		return serviceKey(name)
	}
	var found, names []string
	for _, s := range h.services {
		short, _, _ := strings.Cut(s.name, "[")
		names = append(names, s.name, strings.TrimSpace(short))
		switch {
		case serviceKey(s.name) == serviceKey(name):
			return serviceKey(name)
		case bare(s.name) == serviceKey(name):
			found = append(found, s.name)
		}
	}
	if len(found) == 1 {
		return serviceKey(found[0])
	}
	refused := schema.Refuse(schema.CodeServiceUnknown, "The users export has no column of the service %s.", schema.Quote(name)).
		WithFix("Write the service as the export's header has it.")
	near, ok := schema.Nearest([]string{name}, names)
	switch {
	case len(found) > 1:
		refused = schema.Refuse(schema.CodeServiceUnknown, "The users export has more than one column of this name: %s.", schema.QuoteSome(found)).
			WithFix("Write which of them is meant, with its subscription.")
	case ok:
		refused = refused.WithFix("Did you mean %s?", near)
	}
	r.note("service", refused)
	return ""
}

// user returns what a row says. One that is left out has no key.
func (h *hub) user(r *row) store.LoadUser {
	address := r.cell("email")
	key, problem := schema.ParseAddress(address)
	if problem != "" {
		r.explain("email", problem, address)
		return store.LoadUser{}
	}
	if strings.HasSuffix(key, schema.ConvertSuffix) {
		h.tell(notice{r.order, "", isTaken}, r.line)
		return store.LoadUser{}
	}
	line, organization := r.line, h.from.Organization
	if r.order == hubClaimable {
		line, organization = r.line+claimableLine, Outside
	}
	if first, twice := h.seen.Add(maphash.String(h.seed, key), line); twice {
		if r.order == hubClaimable && first < claimableLine {
			h.tell(notice{r.order, "", isMember}, r.line)
			return store.LoadUser{}
		}
		r.note("email", schema.Refuse(schema.CodeEmailDuplicate, "The address stands on line %d too.", first%claimableLine).
			WithFix("Delete one of the two rows, or export the file again."))
		return store.LoadUser{}
	}
	u := store.LoadUser{Key: key, Line: line, User: schema.User{
		ID: key, Email: address, OrganizationID: organization, Status: h.status(r), LastSignIn: h.moment(r, "last_sign_in"),
		Conversations: schema.UnknownConversations,
		Profile: schema.Profile{
			FirstName: r.text("first_name"), LastName: r.text("last_name"), DisplayName: r.text("display_name"),
			Title: r.text("title"), Department: r.text("department"), Phone: h.phone(r, "phone"), PreferredLanguage: h.language(r, "preferred_language"),
		},
	}}
	if r.order == hubUsers {
		for _, s := range h.services {
			if r.boolean(s.column) {
				u.Services = append(u.Services, s.name)
			}
		}
	}
	if u.Status == schema.DelayedClaim {
		u.OrganizationID, u.Services = Outside, nil
	}
	return u
}

// status returns what a user is; nothing is said of one whose cell is blank.
func (h *hub) status(r *row) schema.Status {
	word := r.cell("status")
	if word == "" {
		h.tell(notice{r.order, "", noStatus}, r.line)
		return schema.Active
	}
	status, ok := controlhub.Status(word)
	if !ok {
		r.note("status", schema.Refuse(schema.CodeValueInvalid, "%s is no status that is known.", schema.Quote(word)).
			WithFix("Write Active, Verified, Not Verified, Pending, Inactive or Delayed Claim; or export the file in English or Swedish."))
	}
	return status
}

// leaveOut notes a cell of which nothing is read.
func (h *hub) leaveOut(r *row, column string) {
	h.tell(notice{r.order, r.header[r.columns[column]], leftOut}, r.line)
}

func (h *hub) moment(r *row, column string) time.Time {
	cell := r.cell(column)
	if usersfile.SaysNothing(cell) {
		return time.Time{}
	}
	t, ok := controlhub.Moment(cell)
	if !ok {
		h.leaveOut(r, column)
		return time.Time{}
	}
	return t
}

func (h *hub) phone(r *row, column string) string {
	cell := r.cell(column)
	if cell == "" || schema.ValidPhone(cell) {
		return cell
	}
	phone, spelt := schema.SpellPhone(cell)
	if !spelt {
		h.leaveOut(r, column)
		return ""
	}
	r.repairs[schema.RepairPhoneSpelling]++
	return phone
}

func (h *hub) language(r *row, column string) string {
	cell := r.cell(column)
	if cell == "" || schema.ValidLanguage(cell) {
		return cell
	}
	tag, looked := h.tags[cell]
	if !looked {
		tag, _ = controlhub.Language(cell)
		if len(h.tags) < mostTags {
			h.tags[strings.Clone(cell)] = tag
		}
	}
	if tag == "" {
		h.leaveOut(r, column)
		return ""
	}
	r.repairs[schema.RepairLanguageSpelling]++
	return tag
}

// mostTags is how many words for languages are remembered; there are not so many languages.
const mostTags = 1000

// settle makes of rows what the store is to have: it finds the accounts that it knows by their addresses,
// leaves those alone on which the organization has an open claim, and notes delayed claims.
func (h *hub) settle(ctx context.Context, into store.Loader, part []store.LoadUser) ([]store.LoadUser, error) {
	part = slices.DeleteFunc(part, func(u store.LoadUser) bool { return u.Key == "" })
	if h.again {
		keys := make([]string, len(part))
		for i := range part {
			keys[i] = part[i].Key
		}
		known, err := into.Known(ctx, keys)
		if err != nil {
			return nil, err
		}
		for i := range part {
			if k, found := known[part[i].Key]; found {
				h.recognize(&part[i], k)
			}
		}
		part = slices.DeleteFunc(part, func(u store.LoadUser) bool { return u.Key == "" })
	}
	outside := false
	for i := range part {
		u := &part[i]
		outside = outside || u.OrganizationID == Outside
		if u.Status != schema.DelayedClaim {
			continue
		}
		u.Status = schema.Active
		h.claims = append(h.claims, store.LoadClaim{Key: strings.Clone(u.Key), Line: u.Line, Undated: true, Claim: schema.Claim{
			OrganizationID: h.from.Organization, Type: schema.Delayed, ClaimedAt: h.rules.Now,
		}})
		file, line := hubPlace(u.Line)
		h.tell(notice{file, "", isDelayed}, line)
	}
	if !outside || h.outside {
		return part, nil
	}
	h.outside = true
	h.loaded.Organizations++
	return part, into.Organizations(ctx, []store.LoadOrganization{{Organization: schema.Organization{ID: Outside, Name: Outside, Kind: schema.Enterprise}}})
}

// recognize makes a row one about the account that the store has under its address. A user under an open
// claim of the organization is its member by the export, and is not by what lies below the claim: the row is
// left out then.
func (h *hub) recognize(u *store.LoadUser, known store.KnownUser) {
	u.ID = known.ID
	claimed := known.Claiming == h.from.Organization
	file, line := hubPlace(u.Line)
	switch {
	case claimed && file == hubUsers:
		h.tell(notice{file, "", openClaims}, line)
		*u = store.LoadUser{}
	case claimed, u.Status == schema.DelayedClaim && known.Organization != h.from.Organization:
		u.OrganizationID = known.Organization
	}
}

// hubPlace returns the file and the line of a line number that tells those of both files apart.
func hubPlace(line int) (file, at int) {
	if line >= claimableLine {
		return hubClaimable, line - claimableLine
	}
	return hubUsers, line
}

// placed notes what the store has refused of a user. What is no such refusal is returned.
func (h *hub) placed(err error) error {
	refused, ok := errors.AsType[*schema.Error](err)
	if !ok || refused.Line == 0 {
		return err
	}
	file, line := hubPlace(refused.Line)
	if refused.Code == schema.CodeIDDuplicate || refused.Code == schema.CodeEmailDuplicate { // no address stands there twice
		refused = schema.Refuse(refused.Code, "An account in the database has this address as its id, and another address.").
			WithFix("Load the files into a database of their own: --db.")
	}
	o := h.files[file]
	o.place(refused, line, "email")
	h.problems = append(h.problems, problem{refused, file})
	return nil
}

// summarize says what was read, left out and found out.
func (h *hub) summarize(notices []store.Notice) {
	l := &h.loaded
	l.OtherColumns, l.LeftOut = map[string]int{}, map[string]map[string]int{}
	for _, o := range h.files[hubUsers:] {
		if o == nil {
			continue
		}
		read := slices.Collect(maps.Values(o.columns))
		for i, header := range o.header {
			if header != "" && !slices.Contains(read, i) {
				l.OtherColumns[o.name]++
			}
		}
	}
	for _, n := range h.order {
		t, name := h.told[n], h.files[n.file].name
		if n.kind == leftOut {
			if l.LeftOut[name] == nil {
				l.LeftOut[name] = map[string]int{}
			}
			l.LeftOut[name][n.column] = t.count
		}
		l.Notices = append(l.Notices, store.Notice{File: name, Line: t.first, Message: n.message(t.count)})
	}
	for _, told := range notices {
		file, line := hubPlace(told.Line)
		l.Notices = append(l.Notices, store.Notice{File: h.files[file].name, Line: line, Message: told.Message})
	}
}

// message says what there was reason to tell so many times, first on the line that it is told of.
func (n notice) message(count int) schema.Text {
	switch n.kind {
	case leftOut:
		return schema.SayCount(count, "%s cell of %s is not understood, and is left out.", "%s cells of %s are not understood, and are left out; this is the first.", n.column)
	case noStatus:
		return schema.SayCount(count, "%s user has no status, and is taken for active.", "%s users have no status, and are taken for active.")
	case isDelayed:
		return schema.SayCount(count, "%s user has a delayed claim. It is not known when it was made: it counts from today.",
			"%s users have a delayed claim. It is not known when it was made: it counts from today.")
	case isTaken:
		return schema.SayCount(count, "%s user is being claimed by another organization, and is left out.",
			"%s users are being claimed by another organization, and are left out.")
	case isMember:
		return schema.SayCount(count, "%s user is in the users export too, and counts as a member.", "%s users are in the users export too, and count as members.")
	case openClaims:
		return schema.SayCount(count, "%s user is under an open claim of yours here, and is left as the database has them.",
			"%s users are under an open claim of yours here, and are left as the database has them.")
	case notService:
		return schema.Say("The column %q is not taken for a service: this cell is neither TRUE nor FALSE.", n.column)
	}
	return schema.Say("The file does not have the service %q, of which there is no limit now.", n.column)
}
