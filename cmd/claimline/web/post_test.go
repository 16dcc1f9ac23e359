package web_test

import (
	"io"
	"mime/quotedprintable"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/emersion/go-smtp"
	"github.com/stretchr/testify/require"

	"github.com/claimline/claimline/pipeline/notify/smtptest"
)

// post is a mail server that keeps every mail.
type post struct {
	smtptest.Session
	mutex sync.Mutex
	mails []string
}

// listen starts the server, which ends with the test, and returns its port.
func (p *post) listen(t *testing.T) int {
	t.Helper()
	return smtptest.Serve(t, smtp.NewServer(p), nil)
}

func (p *post) NewSession(*smtp.Conn) (smtp.Session, error) { return p, nil }

func (p *post) Data(r io.Reader) error {
	text, err := io.ReadAll(r)
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.mails = append(p.mails, string(text))
	return err
}

var linkOf = regexp.MustCompile(`https?://\S+/choose/[\w-]+`)

// link returns the link in a mail to an address.
func (p *post) link(t *testing.T, address string) string {
	t.Helper()
	p.mutex.Lock()
	defer p.mutex.Unlock()
	for _, mail := range p.mails {
		if !strings.Contains(mail, "To: <"+address+">") && !strings.Contains(mail, "<"+address+">\r\n") {
			continue
		}
		plain, err := io.ReadAll(quotedprintable.NewReader(strings.NewReader(mail)))
		require.NoError(t, err)
		if link := linkOf.FindString(string(plain)); link != "" {
			return link
		}
	}
	require.Fail(t, "no mail with a link", "to %s, among %d mails", address, len(p.mails))
	return ""
}
