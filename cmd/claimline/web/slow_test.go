package web_test

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"

	"github.com/claimline/claimline/cmd/claimline/web"
	"github.com/claimline/claimline/cmd/claimline/web/api"
	"github.com/claimline/claimline/schema"
)

// narrow is a listener whose connections hold little that the other side has not taken in.
type narrow struct{ net.Listener }

// Accept implements net.Listener.
func (n narrow) Accept() (net.Conn, error) {
	connection, err := n.Listener.Accept()
	if err == nil {
		err = connection.(*net.TCPConn).SetWriteBuffer(4 << 10)
	}
	return connection, err
}

// impatient are limits that a test can wait for.
var impatient = web.Limits{Header: 150 * time.Millisecond, Piece: 150 * time.Millisecond, Idle: 150 * time.Millisecond}

// dial connects to the service, and holds little that nobody reads.
func (s *service) dial() net.Conn {
	s.Helper()
	connection, err := new(net.Dialer).DialContext(s.Context(), "tcp", strings.TrimPrefix(s.url, "http://"))
	require.NoError(s, err)
	require.NoError(s, connection.(*net.TCPConn).SetReadBuffer(4<<10))
	require.NoError(s, connection.SetDeadline(time.Now().Add(waitFor)))
	s.Cleanup(func() { _ = connection.Close() })
	return connection
}

// cutOff requires the service to close a connection on which the client says so much, byte by byte, and then
// nothing. It returns what was answered.
func cutOff(t *testing.T, connection net.Conn, trickle string) string {
	t.Helper()
	for trickle != "" {
		require.Eventually(t, func() bool {
			if _, err := io.WriteString(connection, trickle[:1]); err != nil {
				trickle = ""
				return true
			}
			trickle = trickle[1:]
			return trickle == ""
		}, waitFor, 5*time.Millisecond)
	}
	answer, err := io.ReadAll(connection)
	if err != nil {
		require.NotErrorIs(t, err, os.ErrDeadlineExceeded, "nobody has cut it off")
	}
	return string(answer)
}

// Clients that do not get on are cut off, with TLS and without, and leave nothing.
func TestSlowClients(t *testing.T) {
	folder := t.TempDir()
	certificate, key := filepath.Join(folder, "certificate.pem"), filepath.Join(folder, "key.pem")
	web.Issue(t, certificate, key, "claims.example", time.Now())
	shown, err := web.LoadCertificate(certificate, key, time.Now, zerolog.Nop())
	require.NoError(t, err)
	safe := start(t, options{idle: true, certificate: shown, limits: impatient})
	plain := start(t, options{idle: true, limits: impatient})
	secured := func(protocol string) net.Conn {
		pem, err := os.ReadFile(certificate)
		require.NoError(t, err)
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM(pem)
		connection := tls.Client(safe.dial(), &tls.Config{RootCAs: roots, ServerName: "claims.example", NextProtos: []string{protocol}, MinVersion: tls.VersionTLS12})
		require.NoError(t, connection.HandshakeContext(t.Context()))
		require.Equal(t, protocol, connection.ConnectionState().NegotiatedProtocol)
		return connection
	}

	t.Run("a handshake that never begins", func(t *testing.T) { assert.Empty(t, cutOff(t, safe.dial(), "")) })
	t.Run("a handshake that never ends", func(t *testing.T) {
		cutOff(t, safe.dial(), "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"+strings.Repeat("x", 400))
	})
	t.Run("a connection of HTTP/2 on which nothing is asked", func(t *testing.T) {
		connection := secured("h2")
		_, err := io.WriteString(connection, http2.ClientPreface)
		require.NoError(t, err)
		framer := http2.NewFramer(connection, connection)
		require.NoError(t, framer.WriteSettings())
		_, err = connection.Write([]byte{0, 4, 0, 1}) // half the head of a frame
		require.NoError(t, err)
		cutOff(t, connection, "")
	})

	imports := "POST " + api.Prefix + "/imports HTTP/1.1\r\nHost: x\r\nContent-Type: text/csv\r\n"
	for name, s := range map[string]*service{"TLS": safe, "TCP": plain} {
		open := func() net.Conn {
			if s == safe {
				return secured("http/1.1")
			}
			return s.dial()
		}
		send := func(text ...string) net.Conn {
			connection := open()
			_, err := io.WriteString(connection, strings.Join(text, ""))
			require.NoError(t, err)
			return connection
		}
		token := "Authorization: Bearer " + s.tokens[schema.RoleOperator] + "\r\n"
		t.Run(name, func(t *testing.T) {
			assert.Empty(t, cutOff(t, open(), ""), "who says nothing")
			cutOff(t, send("GET /healthz HTTP/1.1\r\nX: "), strings.Repeat("x", 10_000))
			idle := cutOff(t, send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"), "")
			assert.Contains(t, idle, "HTTP/1.1 200", "who has been answered, and says no more")
			stalled := cutOff(t, send(imports, token, "Content-Length: 1000\r\n\r\nUser"), "")
			assert.Contains(t, stalled, string(schema.CodeUploadIncomplete))
			cutOff(t, send(imports, token, "Content-Length: 900000\r\n\r\n"), strings.Repeat("x", 10_000))
			stranger := cutOff(t, send(imports, "Content-Length: 1000\r\n\r\n"), "")
			assert.Contains(t, stranger, string(schema.CodeTokenMissing), "the body is not waited for")
		})
	}
	for _, s := range []*service{safe, plain} {
		imports, err := s.store.ListImports(t.Context(), "acme", 0)
		require.NoError(t, err)
		assert.Empty(t, imports)
	}
}

// Who does not take in what is sent is cut off; who is slow and gets on is not.
func TestSlowReaders(t *testing.T) {
	s := start(t, options{idle: true, narrow: true, limits: impatient})
	script := s.ask(http.MethodGet, "/api/docs/rapidoc.js", asked{token: "none", header: http.Header{"Accept-Encoding": {"identity"}}})
	whole := len(script.body)
	answered := strings.Count(s.log.String(), `"route":"GET /api/docs/rapidoc.js"`)
	connection := s.dial()
	_, err := io.WriteString(connection, "GET /api/docs/rapidoc.js HTTP/1.1\r\nHost: x\r\n\r\n")
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		return strings.Count(s.log.String(), `"route":"GET /api/docs/rapidoc.js"`) > answered
	}, waitFor, tick, "it is given up")
	assert.Less(t, len(cutOff(t, connection, "")), whole)
}

// What is left of a body that was refused half-way is not taken for the next request.
func TestBodyThatIsRefused(t *testing.T) {
	s := start(t, options{idle: true})
	body := `{"addresses":["` + strings.Repeat("x", 2<<20) + `"]}`
	connection := s.dial()
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		_, _ = fmt.Fprintf(connection, "POST %s/claims HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
			api.Prefix, s.tokens[schema.RoleOperator], len(body), body)
	}()
	answers := cutOff(t, connection, "")
	<-sent
	assert.Equal(t, 1, strings.Count(answers, "HTTP/1.1 "), answers)
	assert.Contains(t, answers, string(schema.CodeLimitExceeded))
}

// More connections than there may be wait until one is closed.
func TestConnectionsAreBounded(t *testing.T) {
	s := start(t, options{idle: true, limits: web.Limits{Idle: 150 * time.Millisecond, Connections: 2}})
	for range 8 {
		idle := s.dial()
		_, err := io.WriteString(idle, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
		require.NoError(t, err)
	}
	assert.Equal(t, http.StatusOK, s.ask(http.MethodGet, "/healthz", asked{token: "none"}).status)
}
