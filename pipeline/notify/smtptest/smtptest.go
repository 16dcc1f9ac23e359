// Package smtptest starts mail servers for tests.
package smtptest

import (
	"net"
	"testing"

	"github.com/emersion/go-smtp"
	"github.com/stretchr/testify/require"
)

// Serve starts a server on this machine, which ends with the test, and returns its port. through, where it is
// not nil, returns the listener that the server gets in place of this one.
func Serve(t *testing.T, server *smtp.Server, through func(net.Listener) net.Listener) (port int) {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address, ok := listener.Addr().(*net.TCPAddr)
	require.True(t, ok)
	if through != nil {
		listener = through(listener)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = server.Serve(listener)
	}()
	t.Cleanup(func() {
		_ = server.Close()
		<-ended
	})
	return address.Port
}

// Session takes every mail from anybody to anybody. What becomes of the text is up to whoever embeds it.
type Session struct{}

// Reset implements smtp.Session.
func (Session) Reset() {}

// Logout implements smtp.Session.
func (Session) Logout() error { return nil }

// Mail implements smtp.Session.
func (Session) Mail(string, *smtp.MailOptions) error { return nil }

// Rcpt implements smtp.Session.
func (Session) Rcpt(string, *smtp.RcptOptions) error { return nil }
