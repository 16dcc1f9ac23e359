package notify_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"math/big"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	netmail "net/mail"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/claimline/claimline/pipeline"
	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/pipeline/notify"
	"github.com/claimline/claimline/pipeline/notify/smtptest"
	"github.com/claimline/claimline/pipeline/people"
	"github.com/claimline/claimline/pipeline/snapshot"
	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/pipeline/store/testdb"
	"github.com/claimline/claimline/pipeline/words"
	"github.com/claimline/claimline/schema"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// post is a mail server, and what has arrived there.
type post struct {
	host string
	port int

	mutex    sync.Mutex
	letters  []letter
	commands []string // in which sessions got

	rcpt, from, data func(of string) error
	session          func() error
	password         string // blank: nobody logs in
}

// letter is a mail as it arrived.
type letter struct {
	from, to string
	raw      string
}

func (p *post) note(command string) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.commands = append(p.commands, command)
}

func (p *post) arrived() []letter {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return slices.Clone(p.letters)
}

type postSession struct {
	*post
	letter
}

func (p *post) NewSession(*smtp.Conn) (smtp.Session, error) {
	if p.session != nil {
		if err := p.session(); err != nil {
			return nil, err
		}
	}
	return &postSession{post: p}, nil
}

func (s *postSession) AuthMechanisms() []string {
	if s.password == "" {
		return nil
	}
	return []string{sasl.Plain}
}

func (s *postSession) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		s.note("AUTH " + user)
		if password != s.password {
			return smtp.ErrAuthFailed
		}
		return nil
	}), nil
}

func (s *postSession) Mail(from string, _ *smtp.MailOptions) error {
	s.note("MAIL")
	s.letter = letter{from: from}
	if s.post.from != nil {
		return s.post.from(from)
	}
	return nil
}

func (s *postSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to = to
	if s.rcpt != nil {
		return s.rcpt(to)
	}
	return nil
}

func (s *postSession) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if s.data != nil {
		if err := s.data(s.to); err != nil {
			return err
		}
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.letter.raw = string(raw)
	s.letters = append(s.letters, s.letter)
	return nil
}

func (*postSession) Reset()        {}
func (*postSession) Logout() error { return nil }

// serve starts the mail server.
func (p *post) serve(t *testing.T, change func(*smtp.Server, net.Listener) net.Listener) {
	t.Helper()
	server := smtp.NewServer(p)
	server.Domain, server.EnableSMTPUTF8 = "localhost", true
	server.ErrorLog = quiet{}
	p.host, p.port = "127.0.0.1", smtptest.Serve(t, server, func(listener net.Listener) net.Listener {
		if change == nil {
			return listener
		}
		return change(server, listener)
	})
}

type quiet struct{}

func (quiet) Printf(string, ...any) {}
func (quiet) Println(...any)        {}

// certificate returns one for this machine, and who trusts it.
func certificate(t *testing.T) (*tls.Config, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	parsed, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	roots := x509.NewCertPool()
	roots.AddCert(parsed)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12}, roots
}

// site is a database with claims, and what sends its mails.
type site struct {
	*testing.T
	*store.Store
	flow     *pipeline.Flow
	people   *people.People
	post     *post
	config   notify.Config
	now      time.Time
	folder   string
	database string // its address
}

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// clocked is a database whose clock the test moves.
type clocked struct {
	store.DB
	s *site
}

func (c clocked) Read(ctx context.Context, do func(store.Tx) error) error {
	return c.DB.Read(ctx, func(tx store.Tx) error { return do(clockedTx{tx, c.s}) })
}

func (c clocked) Write(ctx context.Context, do func(store.Tx) error) error {
	return c.DB.Write(ctx, func(tx store.Tx) error { return do(clockedTx{tx, c.s}) })
}

type clockedTx struct {
	store.Tx
	s *site
}

func (t clockedTx) Now(context.Context) (time.Time, error) { return t.s.now, nil }

const world = `-- organizations.csv --
id,name,kind,created,sso,directory_sync,bring_conversations,activation_emails,retention_days
acme,"Åkeri & Söner ""AB""",enterprise,2015-01-01,,,TRUE,FALSE,
old,Private,personal,2019-01-01,,,,,
globex,Globex AB,enterprise,2015-01-01,,,,,
-- domains.csv --
domain,organization_id,status
acme.example,acme,verified
-- licenses.csv --
organization_id,service,quantity,auto_assign
acme,Chat,,TRUE
-- users.csv --
id,email,first_name,last_name,organization_id,status,conversations,preferred_language
1,Ann@acme.example,Ann,Öberg,old,active,3,sv-SE
2,bo@acme.example,Bo,Berg,globex,active,0,en
3,cy@acme.example,,,old,active,0,
4,boss@acme.example,Stina,Chef,acme,active,0,sv
`

// open returns a site with the world in it, and a mail server in clear.
func open(t *testing.T) *site {
	t.Helper()
	s := &site{T: t, now: start, folder: t.TempDir(), post: &post{}}
	for part := range strings.SplitSeq(world, "-- ") {
		if name, content, found := strings.Cut(part, " --\n"); found {
			require.NoError(t, os.WriteFile(filepath.Join(s.folder, name), []byte(content), 0o600))
		}
	}
	s.database = testdb.Empty(t)
	db, err := testdb.Open(t.Context(), s.database)
	require.NoError(t, err)
	s.Store = store.New(clocked{db, s})
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	clock := func() time.Time { return s.now }
	s.flow, err = pipeline.New(pipeline.Config{
		Store: s.Store, Now: clock, Policy: schema.DefaultPolicy(), Workers: 2, Lease: time.Minute, Runner: "test", Limits: dialect.Limits{RecordBytes: 1 << 20, Columns: 100},
	})
	require.NoError(t, err)
	s.people = &people.People{Store: s.Store, Now: clock, Policy: schema.DefaultPolicy(), Limits: s.flow.Limits, Persist: s.flow.Persist}
	_, err = snapshot.Load(t.Context(), s.Store, s.people.Rules(), s.folder, snapshot.Options{Limits: s.flow.Limits})
	require.NoError(t, err)
	templates, err := notify.LoadTemplates("")
	require.NoError(t, err)
	s.config = notify.Config{
		Store: s.Store, Policy: schema.DefaultPolicy(), BaseURL: "https://claimline.acme.example/", Templates: templates, Zone: time.UTC,
		Lease: 10 * time.Second, Log: zerolog.Nop(), Persist: s.flow.Persist,
		SMTP: notify.SMTP{Security: notify.Clear, From: &netmail.Address{Name: "Åkeri IT", Address: "it@acme.example"}, PerMinute: 1000},
	}
	return s
}

// serve starts the site's mail server.
func (s *site) serve(change func(*smtp.Server, net.Listener) net.Listener) {
	s.Helper()
	s.post.serve(s.T, change)
	s.config.SMTP.Host, s.config.SMTP.Port = s.post.host, s.post.port
}

func (s *site) sender() *notify.Sender {
	s.Helper()
	sender, err := notify.New(s.config)
	require.NoError(s, err)
	return sender
}

// send sends what is due until nothing is.
func (s *site) send() {
	s.Helper()
	sender := s.sender()
	for more := true; more; {
		var err error
		more, err = sender.RunOnce(s.Context(), s.now)
		require.NoError(s, err)
	}
}

// imported imports rows, after somebody has agreed.
func (s *site) imported(csv string, notify ...string) schema.Import {
	s.Helper()
	path := filepath.Join(s.TempDir(), "users.csv")
	require.NoError(s, os.WriteFile(path, []byte(csv), 0o600))
	source, err := dialect.OpenFile(path)
	require.NoError(s, err)
	defer func() { require.NoError(s, source.Close()) }()
	imp, err := s.flow.Plan(s.Context(), source, schema.Order{Organization: "acme", By: "terminal:test", Attended: true, Notify: notify}, pipeline.Watch{})
	require.NoError(s, err)
	if imp.State == schema.StateAwaitingConsent {
		imp, err = s.flow.Agree(s.Context(), "acme", imp.ID, schema.Consent{By: "terminal:test", Claims: imp.Tally.Outcomes[schema.Ready], Attended: true})
		require.NoError(s, err)
		_, err = s.flow.Step(s.Context(), imp.ID, 0, pipeline.Watch{})
		require.NoError(s, err)
	}
	imp, err = s.Import(s.Context(), "acme", imp.ID)
	require.NoError(s, err)
	return imp
}

func (s *site) claimed(addresses ...string) schema.Import {
	s.Helper()
	return s.imported("User ID/Email (Required)\n" + strings.Join(addresses, "\n") + "\n")
}

// outbox lists all mails.
func (s *site) outbox() []schema.OutboxEntry {
	s.Helper()
	list, err := s.ListMails(s.Context(), s.people.Rules(), store.MailFilter{}, 0, 1000)
	require.NoError(s, err)
	var entries []schema.OutboxEntry
	for i := range list {
		entries = append(entries, list[i].Entry())
	}
	return entries
}

// opened is a mail as its reader sees it.
type opened struct {
	netmail.Header
	subject, text, html string
	files               map[string]string
}

func open1(t *testing.T, raw string) opened {
	t.Helper()
	message, err := netmail.ReadMessage(strings.NewReader(raw))
	require.NoError(t, err)
	o := opened{Header: message.Header, files: map[string]string{}}
	o.subject, err = new(mime.WordDecoder).DecodeHeader(message.Header.Get("Subject"))
	require.NoError(t, err)
	o.parts(t, message.Header.Get("Content-Type"), message.Body)
	return o
}

func (o *opened) parts(t *testing.T, contentType string, body io.Reader) {
	t.Helper()
	kind, parameters, err := mime.ParseMediaType(contentType)
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(kind, "multipart/"), kind)
	for reader := multipart.NewReader(body, parameters["boundary"]); ; {
		part, err := reader.NextRawPart()
		if errors.Is(err, io.EOF) {
			return
		}
		require.NoError(t, err)
		kind, _, err := mime.ParseMediaType(part.Header.Get("Content-Type"))
		require.NoError(t, err)
		if strings.HasPrefix(kind, "multipart/") {
			o.parts(t, part.Header.Get("Content-Type"), part)
			continue
		}
		data, err := io.ReadAll(part)
		require.NoError(t, err)
		switch {
		case part.FileName() != "":
			o.files[part.FileName()] = string(data)
		default:
			require.Equal(t, "quoted-printable", part.Header.Get("Content-Transfer-Encoding"))
			data, err = io.ReadAll(quotedprintable.NewReader(bytes.NewReader(data)))
			require.NoError(t, err)
			text := strings.ReplaceAll(string(data), "\r\n", "\n")
			if kind == "text/html" {
				o.html = text
			} else {
				o.text = text
			}
		}
	}
}

// unwrapped returns text with its lines joined.
func unwrapped(text string) string { return strings.Join(strings.Fields(text), " ") }

var linkPattern = regexp.MustCompile(`https://claimline\.acme\.example/choose/([A-Za-z0-9_-]+)`)

// TestClaimMail sends a claim mail to an owner with everything a careful mail server asks for.
func TestClaimMail(t *testing.T) {
	s := open(t)
	s.post.password = "secret"
	config, roots := certificate(t)
	s.serve(func(server *smtp.Server, l net.Listener) net.Listener {
		server.TLSConfig = config
		return l
	})
	password := filepath.Join(t.TempDir(), "password")
	require.NoError(t, os.WriteFile(password, []byte("secret\n"), 0o600))
	s.config.SMTP.Security, s.config.SMTP.Roots = notify.StartTLS, roots
	s.config.SMTP.User, s.config.SMTP.PasswordFile = "claimline", password
	s.config.SMTP.ReplyTo = &netmail.Address{Address: "help@acme.example"}
	s.claimed("ann@acme.example", "bo@acme.example")
	s.send()
	letters := s.post.arrived()
	require.Len(t, letters, 2)
	require.Equal(t, "it@acme.example", letters[0].from)
	require.Equal(t, "Ann@acme.example", letters[0].to)

	ann := open1(t, letters[0].raw)
	to, err := ann.AddressList("To")
	require.NoError(t, err)
	assert.Equal(t, []*netmail.Address{{Name: "Ann Öberg", Address: "Ann@acme.example"}}, to)
	from, err := ann.AddressList("From")
	require.NoError(t, err)
	assert.Equal(t, []*netmail.Address{s.config.SMTP.From}, from)
	assert.Equal(t, "<help@acme.example>", ann.Get("Reply-To"))
	assert.Equal(t, "auto-generated", ann.Get("Auto-Submitted"))
	assert.Regexp(t, `^<[a-z0-9]+@acme\.example>$`, ann.Get("Message-Id"))
	date, err := ann.Date()
	require.NoError(t, err)
	assert.True(t, s.now.Equal(date))
	assert.Equal(t, `Åkeri & Söner "AB" gör anspråk på ditt konto: välj senast den 15 mars 2026`, ann.subject)
	assert.Contains(t, ann.text, "Hej Ann Öberg!")
	assert.Contains(t, ann.text, "15 mars 2026 kl. 12.00 (UTC)")
	assert.Contains(t, ann.text, "Flytta med kontot")
	assert.Contains(t, unwrapped(ann.text), "Kontakta help@acme.example.")
	assert.Contains(t, ann.html, "Åkeri &amp; Söner &#34;AB&#34;")
	assert.Contains(t, ann.html, `lang="sv"`)

	bo := open1(t, letters[1].raw)
	assert.Equal(t, `Åkeri & Söner "AB" has claimed your account: choose what becomes of the old one`, bo.subject)
	assert.Contains(t, bo.text, "Belongs to now:  Globex AB")
	assert.NotContains(t, bo.text, "Choose by")
	assert.NotContains(t, bo.text, "Take the account")

	for _, o := range []opened{ann, bo} {
		links := linkPattern.FindAllStringSubmatch(o.text+o.html, -1)
		require.Len(t, links, 4, "in the text, the button, and below it")
		for _, link := range links {
			assert.Equal(t, links[0], link)
		}
		assert.Len(t, links[0][1], 43, "256 bits")
		chooser, found, err := s.FindLink(t.Context(), s.people.Rules(), notify.HashLink(links[0][1]))
		require.NoError(t, err)
		require.True(t, found)
		assert.Equal(t, "acme", chooser.Claiming.ID)
		path, isFile := strings.CutPrefix(s.database, "sqlite:")
		for _, suffix := range []string{"", "-wal"} {
			if !isFile {
				break
			}
			file, err := os.ReadFile(path + suffix)
			require.NoError(t, err)
			assert.NotContains(t, string(file), links[0][1], "a link stands in no file")
		}
	}
	for _, entry := range s.outbox() {
		assert.Equal(t, schema.MailSent, entry.State)
		assert.Equal(t, s.now, *entry.SentAt)
		assert.Equal(t, 1, entry.Attempts)
	}
	s.send()
	require.Len(t, s.post.arrived(), 2, "nothing is sent twice")
}

// raw serves a mail server that says the same to everybody, and notes what it is told.
func (p *post) raw(t *testing.T, answers func(command string) string) (listener net.Listener) {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	p.host, p.port = "127.0.0.1", listener.Addr().(*net.TCPAddr).Port
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer func() { _ = conn.Close() }()
				_, _ = io.WriteString(conn, answers("")+"\r\n")
				content := false // of a mail, until a line with nothing but a dot
				for lines := bufio.NewScanner(conn); lines.Scan(); {
					command := lines.Text()
					if content && command != "." {
						continue
					}
					p.note(command)
					answer := answers(command)
					if answer == "" {
						return
					}
					content = strings.HasPrefix(answer, "354")
					_, _ = io.WriteString(conn, answer+"\r\n")
				}
			})
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		all.Wait()
	})
	return listener
}

func refuse(code int, text string) func(string) error {
	return func(string) error {
		return &smtp.SMTPError{Code: code, EnhancedCode: smtp.EnhancedCode{code / 100, 1, 1}, Message: text}
	}
}

// TestRefusals tells what is said of one recipient or one mail from what is said of all.
func TestRefusals(t *testing.T) {
	t.Parallel()
	config, roots := certificate(t)
	inClear := func(*site) {}
	private := func(s *site) { s.config.SMTP.Security, s.config.SMTP.Roots = notify.StartTLS, roots }
	for name, c := range map[string]struct {
		set   func(p *post)
		smtp  func(s *site)
		state schema.MailState
		error string
		away  bool // the second mail is not tried
	}{
		"nobody of that name":  {func(p *post) { p.rcpt = refuse(550, "nobody here") }, inClear, schema.MailFailed, "550 5.1.1 nobody here", false},
		"relay denied":         {func(p *post) { p.rcpt = refuse(554, "relay denied") }, inClear, schema.MailFailed, "554", false},
		"mailbox full for now": {func(p *post) { p.rcpt = refuse(452, "full") }, inClear, schema.MailWaiting, "452", false},
		"greylisted":           {func(p *post) { p.rcpt = refuse(450, "come again") }, inClear, schema.MailWaiting, "450", false},
		"shutting down":        {func(p *post) { p.rcpt = refuse(421, "bye") }, inClear, schema.MailWaiting, "421", true},
		"wants a login":        {func(p *post) { p.rcpt = refuse(530, "log in") }, inClear, schema.MailWaiting, "530", true},
		"the mail is refused":  {func(p *post) { p.data = refuse(554, "spam") }, inClear, schema.MailFailed, "554", false},
		"the mail for now":     {func(p *post) { p.data = refuse(451, "scanner is away") }, inClear, schema.MailWaiting, "451", false},
		"the sender":           {func(p *post) { p.from = refuse(550, "who are you") }, inClear, schema.MailWaiting, "550", true},
		"the sender for now":   {func(p *post) { p.from = refuse(451, "later") }, inClear, schema.MailWaiting, "451", true},
		"no session": {func(p *post) {
			p.session = func() error { return refuse(554, "no")("") }
		}, inClear, schema.MailWaiting, "554", true},
		"no STARTTLS": {nil, private, schema.MailWaiting, "STARTTLS", true},
		"an unknown certificate": {nil, func(s *site) {
			private(s)
			s.config.SMTP.Roots = x509.NewCertPool()
		}, schema.MailWaiting, "certificate", true},
		"a wrong password": {func(p *post) { p.password = "another" }, func(s *site) {
			private(s)
			s.config.SMTP.User, s.config.SMTP.PasswordFile = "claimline", filepath.Join(s.folder, "users.csv")
		}, schema.MailWaiting, "Authentication failed", true},
		"no file of the password": {func(p *post) { p.password = "x" }, func(s *site) {
			private(s)
			s.config.SMTP.User, s.config.SMTP.PasswordFile = "claimline", "absent"
		}, schema.MailWaiting, "password_file", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t)
			if c.set != nil {
				c.set(s.post)
			}
			s.serve(func(server *smtp.Server, l net.Listener) net.Listener {
				if name != "no STARTTLS" {
					server.TLSConfig = config
				}
				return l
			})
			c.smtp(s)
			s.claimed("ann@acme.example", "cy@acme.example")
			s.send()
			require.Empty(t, s.post.arrived())
			entries := s.outbox()
			require.Len(t, entries, 2)
			assert.Equal(t, c.state, entries[0].State)
			assert.Contains(t, entries[0].Error, c.error)
			assert.NotContains(t, entries[0].Error, "affected")
			assert.Equal(t, 1, entries[0].Attempts)
			if c.state == schema.MailWaiting {
				require.NotNil(t, entries[0].NextAttemptAt)
				assert.Equal(t, s.now.Add(time.Minute), *entries[0].NextAttemptAt)
			}
			if c.away {
				assert.Zero(t, entries[1].Attempts, "the server is left alone")
			} else {
				assert.Equal(t, 1, entries[1].Attempts)
			}
			if strings.Contains(c.error, "STARTTLS") || c.error == "certificate" {
				assert.Empty(t, s.post.commands, "nothing goes out in clear")
			}
		})
	}
}

// TestNoServer tells a server that is not there, greets wrongly or hangs up from one that refuses a mail.
func TestNoServer(t *testing.T) {
	for name, answers := range map[string]func(string) string{
		"greets wrongly": func(string) string { return "554 no" },
		"hangs up":       func(command string) string { return map[string]string{"": "220 hello"}[command] },
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			s.post.raw(t, answers)
			s.config.SMTP.Host, s.config.SMTP.Port = s.post.host, s.post.port
			s.claimed("ann@acme.example")
			s.send()
			entry := s.outbox()[0]
			assert.Equal(t, schema.MailWaiting, entry.State)
			assert.Equal(t, s.now.Add(time.Minute), *entry.NextAttemptAt)
			assert.NotEmpty(t, entry.Error)
		})
	}
	s := open(t)
	s.serve(nil)
	s.config.SMTP.Port = 1
	s.claimed("ann@acme.example")
	s.send()
	assert.Contains(t, s.outbox()[0].Error, "The mail server cannot be used")
	s.config.SMTP.Port = s.post.port
	s.now = s.now.Add(time.Minute)
	s.send()
	assert.Equal(t, schema.MailSent, s.outbox()[0].State)
}

// TestAcceptedIsSent notes as sent what the server has accepted, though it hangs up right afterwards.
func TestAcceptedIsSent(t *testing.T) {
	s := open(t)
	s.post.raw(t, func(command string) string {
		switch verb, _, _ := strings.Cut(command, " "); verb {
		case "":
			return "220 hello"
		case "DATA":
			return "354 go on"
		case "RSET":
			return ""
		}
		return "250 ok"
	})
	s.config.SMTP.Host, s.config.SMTP.Port = s.post.host, s.post.port
	s.claimed("cy@acme.example")
	more, err := s.sender().RunOnce(t.Context(), s.now)
	require.NoError(t, err)
	require.False(t, more)
	entry := s.outbox()[0]
	assert.Equal(t, schema.MailSent, entry.State, entry.Error)
}

// TestTLS sends over a connection that is private from the start.
func TestTLS(t *testing.T) {
	s := open(t)
	config, roots := certificate(t)
	s.serve(func(_ *smtp.Server, l net.Listener) net.Listener { return tls.NewListener(l, config) })
	s.config.SMTP.Security, s.config.SMTP.Roots = notify.TLS, roots
	s.claimed("ann@acme.example")
	s.send()
	require.Len(t, s.post.arrived(), 1)
}

// TestNoTransactionIsOpen writes to the database while the mail server takes its time.
func TestNoTransactionIsOpen(t *testing.T) {
	s := open(t)
	s.post.data = func(string) error {
		_, err := s.people.SignIn(context.WithoutCancel(t.Context()), "acme", "bo@acme.example")
		return err
	}
	s.serve(nil)
	s.claimed("bo@acme.example")
	s.send()
	require.Len(t, s.post.arrived(), 1)
}

// TestManySenders lets many send at once, in several processes' stead: each mail arrives once.
func TestManySenders(t *testing.T) {
	s := open(t)
	s.serve(nil)
	s.claimed("ann@acme.example", "bo@acme.example", "cy@acme.example")
	for range 5 {
		require.NoError(t, s.people.Remind(t.Context(), "acme", "ann@acme.example"))
	}
	var all sync.WaitGroup
	for range 3 {
		db, err := testdb.Open(t.Context(), s.database)
		require.NoError(t, err)
		config := s.config
		config.Store = store.New(clocked{db, s})
		sender, err := notify.New(config)
		require.NoError(t, err)
		all.Go(func() {
			defer func() { assert.NoError(t, config.Store.Close()) }()
			for more := true; more; {
				if more, err = sender.RunOnce(t.Context(), s.now); !assert.NoError(t, err) {
					return
				}
			}
		})
	}
	all.Wait()
	letters := s.post.arrived()
	require.Len(t, letters, 8)
	seen := map[string]bool{}
	for _, l := range letters {
		id := open1(t, l.raw).Get("Message-Id")
		assert.False(t, seen[id])
		seen[id] = true
	}
}

// TestStop lets the mail in hand arrive when all is to end, and begins no other.
func TestStop(t *testing.T) {
	s := open(t)
	ctx, stop := context.WithCancel(t.Context())
	s.post.data = func(string) error {
		stop()
		return nil
	}
	s.serve(nil)
	s.claimed("ann@acme.example", "bo@acme.example")
	_, err := s.sender().RunOnce(ctx, s.now)
	require.ErrorIs(t, err, context.Canceled)
	require.Len(t, s.post.arrived(), 1)
	entries := s.outbox()
	assert.Equal(t, schema.MailSent, entries[0].State)
	assert.Equal(t, schema.MailWaiting, entries[1].State)
	assert.Zero(t, entries[1].Attempts)
	s.post.data = nil
	s.send()
	require.Len(t, s.post.arrived(), 2)
}

// TestDead sends what a process that died had in hand once more, with the same Message-ID.
func TestDead(t *testing.T) {
	s := open(t)
	s.serve(nil)
	s.claimed("ann@acme.example")
	taken, found, _, err := s.TakeMail(t.Context(), s.people.Rules(), store.Taking{Lease: 10 * time.Second, PerMinute: 9, MessageID: "same@acme.example", Link: []byte("hash")})
	require.NoError(t, err)
	require.True(t, found)
	s.send()
	require.Empty(t, s.post.arrived())
	s.now = s.now.Add(11 * time.Second)
	s.send()
	letters := s.post.arrived()
	require.Len(t, letters, 1)
	assert.Equal(t, "<"+taken.MessageID+">", open1(t, letters[0].raw).Get("Message-Id"))
	_, found, err = s.FindLink(t.Context(), s.people.Rules(), []byte("hash"))
	require.NoError(t, err)
	assert.True(t, found, "the first may have arrived, and its link works")
}

// TestLife sends every kind of mail to the owners of three accounts.
func TestLife(t *testing.T) {
	s := open(t)
	s.serve(nil)
	s.claimed("ann@acme.example", "bo@acme.example", "cy@acme.example")
	s.send()
	take := func(n int) (list []string, letters []opened) {
		t.Helper()
		s.post.mutex.Lock()
		defer s.post.mutex.Unlock()
		for _, l := range s.post.letters {
			o := open1(t, l.raw)
			list, letters = append(list, l.to+": "+o.subject), append(letters, o)
		}
		s.post.letters = nil
		require.Len(t, list, n, list)
		return list, letters
	}
	_, letters := take(3)
	first := linkPattern.FindStringSubmatch(letters[0].text)[1]

	s.now = start.AddDate(0, 0, 1)
	require.NoError(t, s.people.Retract(t.Context(), "acme", "cy@acme.example"))
	_, err := s.people.Decide(t.Context(), "acme", "bo@acme.example", schema.ChangeEmail, "bo@home.example")
	require.NoError(t, err)
	s.send()
	list, _ := take(2)
	assert.Equal(t, []string{
		`cy@acme.example: Åkeri & Söner "AB" no longer claims your account`,
		`bo@acme.example: Your account at Åkeri & Söner "AB": your choice is carried out`,
	}, list)

	s.now = start.AddDate(0, 0, 7)
	s.send()
	list, letters = take(1)
	assert.Equal(t, []string{"Ann@acme.example: Påminnelse: välj senast den 15 mars 2026 vad som ska hända med ditt konto"}, list)
	assert.Contains(t, letters[0].text, "7 dagar kvar att välja")
	for _, link := range []string{first, linkPattern.FindStringSubmatch(letters[0].text)[1]} {
		_, found, err := s.FindLink(t.Context(), s.people.Rules(), notify.HashLink(link))
		require.NoError(t, err)
		assert.True(t, found)
	}
	s.now = start.AddDate(0, 0, 13)
	s.send()
	_, letters = take(1)
	assert.Contains(t, letters[0].text, "En dag kvar att välja")

	require.NoError(t, s.people.Remind(t.Context(), "acme", "ann@acme.example"))
	s.now = start.AddDate(0, 0, 14)
	s.send()
	take(0) // it is too late for the reminder
	_, err = s.flow.Sweep(t.Context())
	require.NoError(t, err)
	s.send()
	list, letters = take(1)
	assert.Equal(t, []string{`Ann@acme.example: Ditt konto har flyttats till Åkeri & Söner "AB"`}, list)
	assert.Contains(t, letters[0].text, "Tiden att välja har gått ut.")
	_, found, err := s.FindLink(t.Context(), s.people.Rules(), notify.HashLink(first))
	require.NoError(t, err)
	assert.False(t, found)
}

// TestReport tells those who are to know how an import went.
func TestReport(t *testing.T) {
	s := open(t)
	s.serve(nil)
	imp := s.imported("First Name,User ID/Email (Required),Phone Number\nAnn,ann@acme.example,\n,nobody@acme.example,\n,bo@acme.example,call me\n",
		"boss@acme.example", "it@elsewhere.example")
	s.send()
	letters := s.post.arrived()
	require.Len(t, letters, 3)
	var reports []opened
	for _, l := range letters {
		if l.to != "Ann@acme.example" {
			reports = append(reports, open1(t, l.raw))
		}
	}
	require.Len(t, reports, 2)
	boss, it := reports[0], reports[1]
	assert.Equal(t, "users.csv: Importen gjorde anspråk på 1 av 3 användare; 2 rader att rätta.", boss.subject)
	assert.Equal(t, "users.csv: The import claimed 1 of 3 users; 2 rows to correct.", it.subject)
	assert.Contains(t, it.text, "The import claimed 1 of 3 users; 2 rows to correct.")
	assert.Contains(t, it.text, "Claimed:                        1")
	assert.Contains(t, it.text, "Claims can be retracted until:  15 March 2026, 12:00 (UTC)")
	assert.Contains(t, it.text, "Delayed claims complete:        15 March 2026, 12:00 (UTC)")
	assert.Contains(t, it.text, "- 1 row: No account has this address.\n  Check the spelling, or delete the row.")
	assert.Contains(t, boss.text, "- 1 rad: Inget konto har den adressen.")
	assert.Contains(t, it.text, fmt.Sprintf("https://claimline.acme.example/imports/%d", imp.ID))
	assert.Contains(t, it.html, "report-1.html")
	assert.Len(t, it.files, 2)
	assert.NotEmpty(t, it.files["report-1.html"])
	assert.NotEmpty(t, it.files["problems-1.csv"])

	// One without problems, and one that could not start.
	s.post.letters = nil
	s.imported("User ID/Email (Required)\nbo@acme.example\n", "it@elsewhere.example")
	require.NoError(t, s.TellNews(t.Context(), "acme", []string{"it@elsewhere.example"}, schema.News{
		Event: schema.ImportRefused, At: s.now, File: "/srv/in/users.csv", Code: schema.CodeFileUnreadable, Message: "The file cannot be read.", Fix: "Check its name.",
	}))
	s.send()
	letters = s.post.arrived()
	require.Len(t, letters, 3)
	subjects := map[string]opened{}
	for _, l := range letters {
		o := open1(t, l.raw)
		subjects[o.subject] = o
	}
	good, ok := subjects["users.csv: The import claimed 1 of 1 user."]
	require.True(t, ok, subjects)
	assert.Len(t, good.files, 1)
	assert.NotContains(t, good.text, "What to correct")
	refused, ok := subjects["users.csv could not be imported (file_unreadable)"]
	require.True(t, ok)
	assert.Contains(t, unwrapped(refused.text), "Nobody was claimed: users.csv could not be imported. The file cannot be read.")
	assert.Contains(t, refused.text, "Check its name.")
	assert.NotContains(t, refused.text, "/srv/in")
}

// TestReportTooLarge sends a report without its files to a server that does not take so large a mail.
func TestReportTooLarge(t *testing.T) {
	s := open(t)
	s.serve(func(server *smtp.Server, listener net.Listener) net.Listener {
		server.MaxMessageBytes = 20_000
		return listener
	})
	s.imported("User ID/Email (Required)\nnobody@acme.example\n", "it@elsewhere.example")
	s.send()
	letters := s.post.arrived()
	require.Len(t, letters, 1)
	report := open1(t, letters[0].raw)
	assert.Empty(t, report.files)
	assert.Contains(t, unwrapped(report.text), "What is too large to be mailed, or has been removed, is not attached: claimline report 1.")
	for _, mail := range s.outbox() {
		assert.Equal(t, "sent", string(mail.State))
	}
}

// TestWithoutServer leaves mails in the outbox where there is no mail server.
func TestWithoutServer(t *testing.T) {
	s := open(t)
	s.claimed("ann@acme.example")
	s.send()
	entries := s.outbox()
	require.Len(t, entries, 1)
	assert.Equal(t, schema.MailWaiting, entries[0].State)
	assert.Zero(t, entries[0].Attempts)
}

func TestWordsOfEveryLanguage(t *testing.T) {
	templates, err := notify.LoadTemplates("")
	require.NoError(t, err)
	for _, kind := range claim.Mails {
		for _, language := range words.Languages {
			mail, err := templates.Preview(kind, language)
			require.NoError(t, err)
			assert.NotEmpty(t, mail.Subject)
			assert.Contains(t, mail.HTML, `<html lang="`+string(language)+`">`)
			for _, text := range []string{mail.Subject, mail.Text, mail.HTML} {
				assert.NotContains(t, text, "<no value>")
				assert.NotContains(t, text, "{{")
			}
			for line := range strings.Lines(mail.Text) {
				if !strings.Contains(line, "https://") {
					assert.LessOrEqual(t, len([]rune(line)), 80, "%s %s: %s", kind, language, line)
				}
			}
		}
	}
}
