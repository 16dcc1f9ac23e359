//go:build linux

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/claimline/claimline/schema"
)

// served is a service that somebody asks.
type served struct {
	*process
	log        *logged
	url, token string
}

// logged is what a service has logged.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// serve starts a service in a process of its own, which does not outlive the test.
func (s *site) serve(t *testing.T, token string, flags ...string) *served {
	t.Helper()
	args := append(append([]string{}, s.global...), append([]string{"serve", "--listen", "127.0.0.1:0"}, flags...)...)
	out := &served{token: token, log: &logged{}, process: &process{cmd: exec.CommandContext(t.Context(), s.program, args...), done: make(chan struct{})}}
	out.cmd.Stderr, out.cmd.Env = out.log, cleanEnv()
	require.NoError(t, out.cmd.Start())
	go func() {
		_ = out.cmd.Wait() // the state says how it ended
		close(out.done)
	}()
	t.Cleanup(func() {
		_ = out.cmd.Process.Kill()
		<-out.done
		assertKeepsSecrets(t, out.log.String())
	})
	eventually(t, "the service listens", func() bool {
		require.False(t, out.ended(), out.log)
		for line := range strings.Lines(out.log.String()) {
			var entry struct {
				Message string `json:"message"`
				URL     string `json:"url"`
			}
			if json.Unmarshal([]byte(line), &entry) == nil && entry.Message == "serving" {
				out.url = entry.URL
			}
		}
		return out.url != ""
	})
	return out
}

// request returns a request to the service.
func (s *served) request(t *testing.T, method, path, media string, body io.Reader) *http.Request {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, s.url+"/api/v1"+path, body)
	require.NoError(t, err)
	request.Header.Set("Authorization", "Bearer "+s.token)
	request.Header.Set("Content-Type", media)
	request.Close = true
	return request
}

// ask asks the service, and returns the status.
func (s *served) ask(t *testing.T, method, path, media string, body io.Reader, into any) int {
	t.Helper()
	request := s.request(t, method, path, media, body)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	if into != nil {
		require.NoError(t, json.Unmarshal(text, into), string(text))
	}
	return response.StatusCode
}

// agreed uploads a file and agrees to it.
func (s *served) agreed(t *testing.T, path string) schema.Summary {
	t.Helper()
	return s.agree(t, s.planned(t, path))
}

// planned uploads a file.
func (s *served) planned(t *testing.T, path string) (imp schema.Summary) {
	t.Helper()
	file, err := os.Open(path)
	require.NoError(t, err)
	defer func() { _ = file.Close() }()
	require.Equal(t, http.StatusCreated, s.ask(t, http.MethodPost, "/imports", "text/csv", file, &imp))
	return imp
}

// agree agrees to an import.
func (s *served) agree(t *testing.T, imp schema.Summary) schema.Summary {
	t.Helper()
	consent := strings.NewReader(fmt.Sprintf(`{"accept_permanent":true,"accept_edits":true,"claims":%d}`, imp.Ready))
	require.Equal(t, http.StatusAccepted, s.ask(t, http.MethodPost, "/imports/"+imp.ID+"/consent", "application/json", consent, &imp))
	return imp
}

// waits for the end of an import.
func (s *served) until(t *testing.T, id string) (imp schema.Summary) {
	t.Helper()
	eventually(t, "the import has ended", func() bool {
		s.ask(t, http.MethodGet, "/imports/"+id, "", nil, &imp)
		return imp.State.Ended()
	})
	return imp
}

// labToken makes a token.
func (s *site) labToken(t *testing.T) string {
	t.Helper()
	made := s.execute(t, "token", "create", "--role", "operator")
	require.Zero(t, made.code, made.stderr)
	return strings.TrimSpace(made.stdout)
}

// A service that is stopped, or killed, in the middle of an import goes on with it at the next start: to stop
// is not to cancel, and every row is claimed once.
func TestServeStopsAndGoesOn(t *testing.T) {
	l := openLab(t)
	for name, end := range map[string]func(*served){
		"stopped": func(p *served) {
			p.signal(t, syscall.SIGTERM)
			assert.Equal(t, exitDone, p.wait(t).code)
		},
		"killed": func(p *served) { p.kill() },
	} {
		t.Run(name, func(t *testing.T) {
			s := l.site(t, "--config", l.shortLease)
			token := s.labToken(t)
			first := s.serve(t, token)
			imp := first.agreed(t, l.users)
			s.waitFor(t, nil, firstClaims+" AND (SELECT count(*) FROM import_chunks WHERE import = 1 AND done) > 0")
			end(first)
			found := s.latest(t)
			require.Contains(t, []schema.ImportState{schema.StateApplying, schema.StateInterrupted}, found.State)
			if name == "stopped" {
				assert.Equal(t, schema.StateApplying, found.State)
				assert.Contains(t, first.log.String(), `"message":"stopped"`)
			}
			assert.Positive(t, found.Claimed)
			assert.Less(t, found.Claimed, labUsers)
			second := s.serve(t, token)
			done := second.until(t, imp.ID)
			assert.Equal(t, schema.StateCompleted, done.State)
			assert.Equal(t, labUsers, done.Claimed)
		})
	}
}

// A second signal ends the service at once, whoever is being served.
func TestServeEndsAtOnce(t *testing.T) {
	l := openLab(t)
	s := l.site(t)
	p := s.serve(t, s.labToken(t))
	dialer, address := net.Dialer{Timeout: time.Second}, strings.TrimPrefix(p.url, "http://")
	connection, err := dialer.DialContext(t.Context(), "tcp", address)
	require.NoError(t, err)
	defer func() { _ = connection.Close() }()
	_, err = fmt.Fprintf(connection, "POST /api/v1/imports HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: text/csv\r\nContent-Length: 1000\r\n\r\nUser", p.token)
	require.NoError(t, err)
	spooled := func() bool {
		links, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.cmd.Process.Pid))
		require.NoError(t, err)
		for _, link := range links {
			name, _ := os.Readlink(fmt.Sprintf("/proc/%d/fd/%s", p.cmd.Process.Pid, link.Name()))
			if strings.Contains(name, "claimline-") && strings.HasSuffix(name, "(deleted)") {
				return true
			}
		}
		return false
	}
	eventually(t, "the upload is on its way, in a file without a name", spooled)
	p.signal(t, syscall.SIGTERM)
	eventually(t, "nobody new is listened to", func() bool {
		another, err := dialer.DialContext(t.Context(), "tcp", address)
		if err == nil {
			_ = another.Close()
		}
		return err != nil
	})
	require.False(t, p.ended(), "it waits for the upload")
	p.signal(t, syscall.SIGTERM)
	assert.Equal(t, exitInterrupted, p.wait(t).code)
}

// Without workers, requests are answered, and the work is left to others.
func TestServeAlone(t *testing.T) {
	l := openLab(t)
	s := l.site(t)
	token := s.labToken(t)
	p := s.serve(t, token, "--workers", "0")
	imp := p.agreed(t, l.users)
	assert.Equal(t, schema.StateQueued, imp.State)
	p.signal(t, syscall.SIGTERM)
	require.Equal(t, exitDone, p.wait(t).code)
	assert.Equal(t, schema.StateQueued, s.latest(t).State)
	assert.Equal(t, exitUsage, s.execute(t, "serve", "--workers", "-1").code)
}
