package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/claimline/claimline/pipeline/notify/smtptest"
)

// catcher is a mail server that takes every mail, but for one address.
type catcher struct {
	smtptest.Session
	mutex sync.Mutex
	mails []string
	took  func() // is called for each mail before its sender is told; nil: nobody is
}

// listen starts the server, which ends with the test, and returns its port.
func (c *catcher) listen(t *testing.T) int {
	t.Helper()
	return smtptest.Serve(t, smtp.NewServer(c), nil)
}

func (c *catcher) NewSession(*smtp.Conn) (smtp.Session, error) { return c, nil }

func (*catcher) Rcpt(to string, _ *smtp.RcptOptions) error {
	if strings.HasPrefix(to, "bo@") {
		return &smtp.SMTPError{Code: 550, Message: "no such user as bo@acme.example"}
	}
	return nil
}

func (c *catcher) Data(r io.Reader) error {
	mail, err := io.ReadAll(r)
	if err != nil { // its sender is gone, and it is no mail
		return err
	}
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.mails = append(c.mails, string(mail))
	if c.took != nil {
		c.took()
	}
	return nil
}

// TestMailLoop sends mails as the configuration says, and logs neither addresses nor links.
func TestMailLoop(t *testing.T) {
	c := &catcher{}
	port := c.listen(t)
	folder := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(folder, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	write("org/organizations.csv", "id,name,kind,created,sso,directory_sync,bring_conversations,activation_emails\nacme,Acme AB,enterprise,2015-01-01,,,,\nfree,Free,consumer,2015-01-01,,,,\n")
	write("org/domains.csv", "domain,organization_id,status\nacme.example,acme,verified\n")
	write("org/users.csv", "id,email,organization_id,status\n1,ann@acme.example,free,active\n2,bo@acme.example,free,active\n")
	users := write("users.csv", "User ID/Email (Required)\nann@acme.example\nbo@acme.example\n")
	config := write("claimline.yaml", fmt.Sprintf(`service:
  base_url: https://claimline.acme.example
smtp: {host: 127.0.0.1, port: %d, security: none, from: "Acme IT <it@acme.example>", reply_to: help@acme.example}
`, port))
	s := emptySite(t)
	s.load(t, filepath.Join(folder, "org"))
	imported := s.run(t, "import", "--accept-permanent", "--notify", "boss@elsewhere.example", users)
	require.Zero(t, imported.code, imported.stderr)

	var log bytes.Buffer
	a := &app{stdout: io.Discard, stderr: io.Discard, now: time.Now, env: func(string) string { return "" }}
	a.flags.db, a.flags.config = s.global[1], config
	require.NoError(t, a.configure())
	a.log = zerolog.New(&log)
	require.NoError(t, a.withStore(t.Context(), writes, func(p *session) error {
		loop, err := a.mailLoop(p)
		require.NoError(t, err)
		for more := true; more; {
			if more, err = loop.RunOnce(t.Context(), a.now()); err != nil {
				return err
			}
		}
		return nil
	}))
	require.Len(t, c.mails, 2)
	all := strings.Join(c.mails, "\n")
	assert.Contains(t, all, "To: <ann@acme.example>")
	assert.Contains(t, all, `From: "Acme IT" <it@acme.example>`)
	assert.Contains(t, all, "Reply-To: <help@acme.example>")
	assert.Contains(t, all, "To: <boss@elsewhere.example>")
	assert.Contains(t, all, `filename="report-1.html"`)
	outbox := s.run(t, "outbox", "--json", "--state", "failed")
	assert.Contains(t, outbox.stdout, "no such user")
	assert.Contains(t, log.String(), `"kind":"claim"`)
	assert.NotContains(t, log.String(), "@")
	assert.NotContains(t, log.String(), "http")
}
