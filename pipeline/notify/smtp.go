package notify

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"
	"golang.org/x/net/idna"

	"github.com/claimline/claimline/schema"
)

// Security is how a connection to the mail server is kept private.
type Security string

// The ways.
const (
	StartTLS Security = "starttls" // it must become private before anything is said
	TLS      Security = "tls"      // it is from the start
	Clear    Security = "none"     // it is not; then nobody logs in
)

// SMTP is the mail server that takes the mails, and what they bear. No Host: there is none, and mails wait.
type SMTP struct {
	Host          string
	Port          int
	Security      Security
	User          string
	PasswordFile  string // read for each connection
	From, ReplyTo *netmail.Address
	PerMinute     int            // mails in any minute, at most
	Roots         *x509.CertPool // certificates to trust; nil: the system's
}

const (
	smtpTimeout = 2 * time.Minute  // for one mail, and for the way to the server
	stopTimeout = 20 * time.Second // for the mail in hand when all is to end
)

// envelope is a mail, ready to be sent.
type envelope struct {
	Mail
	To        string // address
	Name      string
	Language  string
	MessageID string
	At        time.Time
	Files     []attachment
}

// refusal is why a mail was not sent.
type refusal struct {
	text      string
	said      bool // by the server, of this mail
	permanent bool
	large     bool // the mail is larger than the server takes
	away      bool // it concerns every mail
}

func (r *refusal) Error() string { return r.text }

// mailer sends mails over one connection, which it makes when it is needed.
type mailer struct {
	SMTP
	client *mail.Client
	conn   *smtp.Client
	raw    net.Conn
}

// send sends a mail, and returns a *refusal where the server has not accepted it. Once ctx ends, the server
// has stopTimeout left.
func (m *mailer) send(ctx context.Context, e *envelope) error {
	message, err := m.message(e)
	if err != nil {
		return &refusal{text: err.Error(), permanent: true}
	}
	fresh := m.conn == nil
	if err := m.connect(ctx); err != nil {
		return &refusal{text: "The mail server cannot be used: " + unquoted(err.Error()), away: true}
	}
	if can, _ := m.conn.Extension("SMTPUTF8"); !can && !ascii(message.GetTo()[0].Address) {
		return &refusal{text: "The mail server does not take addresses with such letters (SMTPUTF8).", permanent: true}
	}
	stop := m.cutOff(ctx)
	err = m.client.SendWithSMTPClient(m.conn, message)
	stop()
	if message.IsDelivered() { // whatever became of the connection afterwards
		if err != nil {
			m.close()
		}
		return nil
	}
	failed, ok := errors.AsType[*mail.SendError](err)
	if ok && failed.Reason == mail.ErrConnCheck && !fresh { // the server has hung up since the mail before
		m.close()
		return m.send(ctx, e)
	}
	refused := judge(err)
	if refused.away || !refused.said {
		m.close()
	}
	return refused
}

// judge tells what an error says of the mail, and of the server.
func judge(err error) *refusal {
	failed, ok := errors.AsType[*mail.SendError](err)
	if !ok {
		return &refusal{text: err.Error(), away: true}
	}
	code := failed.ErrorCode()
	r := &refusal{text: serverWords(failed), large: code == 552 || strings.HasPrefix(failed.EnhancedStatusCode(), "5.3.4")}
	switch failed.Reason {
	case mail.ErrSMTPRcptTo, mail.ErrSMTPData, mail.ErrSMTPDataClose:
		// What the server says now, it says of the recipient or of the mail; but for these.
		general := code == 0 || slices.Contains([]int{421, 454, 500, 501, 502, 503, 530, 534, 535, 538}, code)
		if failed.Reason != mail.ErrSMTPRcptTo && code == 451 {
			general = false
		}
		r.said, r.away = !general, general
		r.permanent = r.said && code >= 500
	case mail.ErrSMTPMailFrom: // the sender is the same for all; only its size concerns this mail
		r.said, r.away, r.permanent = r.large, !r.large, r.large
	default:
		r.away = true
	}
	return r
}

// serverWords returns what the server said, without what the library adds around it.
func serverWords(err *mail.SendError) string {
	text := strings.TrimPrefix(err.Error(), err.Reason.String()+": ")
	for _, added := range []string{", affected recipient(s): ", ", affected message ID: "} {
		text, _, _ = strings.Cut(text, added)
	}
	return unquoted(text)
}

// unquoted returns what a server said without the quotes that the standard library puts around it.
func unquoted(text string) string {
	return quotedAnswer.ReplaceAllStringFunc(text, func(answer string) string {
		said, err := strconv.Unquote(answer[4:])
		if err != nil {
			return answer
		}
		return answer[:4] + said
	})
}

var quotedAnswer = regexp.MustCompile(`\b[2-5]\d\d "(?:[^"\\]|\\.)*"`)

// message writes a mail as it goes over the line. Values reach headers through the library's encoders alone,
// and have been cleaned of what ends a line.
func (m *mailer) message(e *envelope) (*mail.Msg, error) {
	to, err := asciiDomain(e.To)
	if err != nil {
		return nil, err
	}
	message := mail.NewMsg(mail.WithNoDefaultUserAgent())
	message.FromMailAddress(m.From)
	message.ToMailAddress(&netmail.Address{Name: strings.ReplaceAll(headerText(e.Name), `\`, "/"), Address: to})
	if m.ReplyTo != nil {
		message.ReplyToMailAddress(m.ReplyTo)
	}
	message.Subject(headerText(e.Subject))
	message.SetDateWithValue(e.At)
	message.SetMessageIDWithValue(e.MessageID)
	message.SetGenHeader("Auto-Submitted", "auto-generated")
	message.SetGenHeader(mail.HeaderContentLang, e.Language)
	message.SetBodyString(mail.TypeTextPlain, e.Text)
	message.AddAlternativeString(mail.TypeTextHTML, e.HTML)
	for _, file := range e.Files {
		if err := message.AttachReader(file.Name, bytes.NewReader(file.Data), mail.WithFileContentType(mail.ContentType(file.Type))); err != nil {
			return nil, fmt.Errorf("attach %s: %w", file.Name, err)
		}
	}
	return message, nil
}

// headerText returns text that a header shows as it is: on one line, and with nothing in it that readers
// would take for an encoded word.
func headerText(text string) string { return strings.ReplaceAll(clean(text), "=?", "= ?") }

// asciiDomain returns an address with its domain in ASCII, as mail servers want it.
func asciiDomain(address string) (string, error) {
	if _, problem := schema.ParseAddress(address); problem != "" {
		return "", errors.New("this is not a valid address")
	}
	at := strings.LastIndexByte(address, '@')
	domain, err := idna.Lookup.ToASCII(address[at+1:])
	if err != nil {
		return "", fmt.Errorf("the domain of the address: %w", err)
	}
	return address[:at+1] + domain, nil
}

func ascii(text string) bool {
	return strings.IndexFunc(text, func(r rune) bool { return r > 127 }) < 0
}

// connect makes a connection, where there is none: private, and logged in, as it is to be.
func (m *mailer) connect(ctx context.Context) error {
	if m.conn != nil {
		return nil
	}
	config := &tls.Config{ServerName: m.Host, MinVersion: tls.VersionTLS12, RootCAs: m.Roots}
	options := []mail.Option{
		mail.WithPort(m.Port), mail.WithTimeout(smtpTimeout), mail.WithTLSConfig(config), mail.WithDialContextFunc(m.dial(config)),
	}
	if m.Security == StartTLS {
		options = append(options, mail.WithTLSPolicy(mail.TLSMandatory))
	} else {
		options = append(options, mail.WithTLSPolicy(mail.NoTLS))
	}
	if m.User != "" {
		password, err := os.ReadFile(m.PasswordFile)
		if err != nil {
			return fmt.Errorf("read smtp.password_file: %w", err)
		}
		options = append(options, mail.WithSMTPAuthCustom(&login{user: m.User, password: strings.TrimRight(string(password), "\r\n"), host: m.Host}))
	}
	client, err := mail.NewClient(m.Host, options...)
	if err != nil {
		return fmt.Errorf("set up the mail client: %w", err)
	}
	conn, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		m.close()
		return err //nolint:wrapcheck // the caller says what was being done
	}
	m.client, m.conn = client, conn
	return nil
}

// dial returns what makes the bare connection, and remembers it, so that it can be cut off.
func (m *mailer) dial(config *tls.Config) mail.DialContextFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		var conn net.Conn
		var err error
		if m.Security == TLS {
			conn, err = (&tls.Dialer{Config: config}).DialContext(ctx, network, address)
		} else {
			conn, err = (&net.Dialer{}).DialContext(ctx, network, address)
		}
		if err != nil {
			return nil, err //nolint:wrapcheck // likewise
		}
		m.raw = conn
		return conn, nil
	}
}

// cutOff cuts the connection off some time after ctx has ended, until stop is called.
func (m *mailer) cutOff(ctx context.Context) (stop func()) {
	done := make(chan struct{})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		select {
		case <-done:
			return
		case <-ctx.Done():
		}
		wait := stopTimeout
		if errors.Is(context.Cause(ctx), errMailLost) {
			wait = 0
		}
		timer := time.NewTimer(wait)
		defer timer.Stop()
		select {
		case <-done:
		case <-timer.C:
			_ = m.raw.Close()
		}
	}()
	return func() {
		close(done)
		<-ended
	}
}

// quit takes leave of the server.
func (m *mailer) quit() {
	if m.conn != nil {
		_ = m.raw.SetDeadline(time.Now().Add(quitTimeout)) //nolint:forbidigo // a deadline of the network, and no date
		_ = m.conn.Quit()
	}
	m.close()
}

const quitTimeout = 2 * time.Second

// close closes the connection without another word.
func (m *mailer) close() {
	if m.raw != nil {
		_ = m.raw.Close()
	}
	m.client, m.conn, m.raw = nil, nil, nil
}

// login logs in by the first way that the server knows, and never where others could listen.
type login struct {
	user, password, host string
	chosen               smtp.Auth
}

// Start implements smtp.Auth.
func (l *login) Start(server *smtp.ServerInfo) (string, []byte, error) {
	if !server.TLS {
		return "", nil, errors.New("the connection is not private, so no password is sent")
	}
	for _, way := range []struct {
		name string
		auth smtp.Auth
	}{
		{"SCRAM-SHA-256", smtp.ScramSHA256Auth(l.user, l.password)},
		{"PLAIN", smtp.PlainAuth("", l.user, l.password, l.host, false)},
		{"LOGIN", smtp.LoginAuth(l.user, l.password, l.host, false)},
	} {
		if slices.Contains(server.Auth, way.name) {
			l.chosen = way.auth
			return l.chosen.Start(server) //nolint:wrapcheck // an error of the login, as it is
		}
	}
	return "", nil, errors.New("the mail server offers no way to log in (SCRAM-SHA-256, PLAIN, LOGIN)")
}

// Next implements smtp.Auth.
func (l *login) Next(fromServer []byte, more bool) ([]byte, error) {
	return l.chosen.Next(fromServer, more) //nolint:wrapcheck // likewise
}

// DefaultPort returns the port that is usual for a way of being private.
func (s Security) DefaultPort() int {
	switch s {
	case TLS:
		return 465
	case Clear:
		return 25
	}
	return 587
}

// Address returns host and port.
func (s *SMTP) Address() string { return net.JoinHostPort(s.Host, strconv.Itoa(s.Port)) }
