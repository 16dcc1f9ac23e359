package notify_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/claimline/claimline/pipeline/notify"
	"github.com/claimline/claimline/schema"
)

// hooks is a program that is told of events.
type hooks struct {
	*httptest.Server
	mutex  sync.Mutex
	answer int
	got    []request
}

type request struct {
	http.Header
	body string
}

func listen(t *testing.T) *hooks {
	t.Helper()
	h := &hooks{answer: http.StatusNoContent}
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		h.mutex.Lock()
		defer h.mutex.Unlock()
		h.got = append(h.got, request{r.Header, string(body)})
		if h.answer == http.StatusFound {
			w.Header().Set("Location", "/elsewhere")
		}
		w.WriteHeader(h.answer)
	}))
	t.Cleanup(h.Close)
	return h
}

func (h *hooks) take() []request {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	got := h.got
	h.got = nil
	return got
}

// told returns a site that tells a program, and one more that wants to know of schedules alone.
func told(t *testing.T) (*site, *hooks, *hooks) {
	t.Helper()
	s, all, schedules := open(t), listen(t), listen(t)
	s.config.Webhooks = []notify.Webhook{
		{URL: all.URL + "/in", Secret: []byte("0123456789abcdef01234567"), AllowPrivate: true},
		{URL: schedules.URL, Secret: []byte("another"), Events: []schema.NewsEvent{schema.ScheduleFailed}, AllowPrivate: true},
	}
	return s, all, schedules
}

func TestWebhooks(t *testing.T) {
	s, all, schedules := told(t)
	const secretCell = "Xq-cell-of-the-file"
	imp := s.imported("User ID/Email (Required),Title\nann@acme.example," + secretCell + "\nnobody@acme.example,\n")
	s.send()
	got := all.take()
	require.Len(t, got, 1)
	require.Empty(t, schedules.take())
	id, stamp := got[0].Get("Webhook-Id"), got[0].Get("Webhook-Timestamp")
	assert.Equal(t, "1772366400", stamp)
	mac := hmac.New(sha256.New, []byte("0123456789abcdef01234567"))
	mac.Write([]byte(id + "." + stamp + "." + got[0].body))
	assert.Equal(t, "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)), got[0].Get("Webhook-Signature"))
	assert.Equal(t, "application/json", got[0].Get("Content-Type"))
	var body map[string]any
	require.NoError(t, json.Unmarshal([]byte(got[0].body), &body))
	summary, err := imp.Summary()
	require.NoError(t, err)
	var want map[string]any
	text, err := json.Marshal(summary)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &want))
	want["type"], want["timestamp"] = "import.ended", "2026-03-01T12:00:00Z"
	assert.Equal(t, want, body)
	assert.NotContains(t, got[0].body, secretCell)
	assert.NotContains(t, got[0].body, "@")

	require.NoError(t, s.TellNews(t.Context(), "acme", nil, schema.News{
		Event: schema.ScheduleFailed, At: s.now, Schedule: "nightly", File: "users.csv", Code: schema.CodeEmailColumnMissing, Message: secretCell,
	}))
	s.send()
	for _, h := range []*hooks{all, schedules} {
		got = h.take()
		require.Len(t, got, 1)
		assert.NotContains(t, got[0].body, secretCell)
		require.NoError(t, json.Unmarshal([]byte(got[0].body), &body))
		assert.Equal(t, "schedule.failed", body["type"])
		assert.Equal(t, "nightly", body["schedule"])
		assert.Equal(t, "email_column_missing", body["code"])
		assert.Equal(t, "acme", body["organization"])
	}
}

// TestWebhookThatFails tries again for a day, under the same id.
func TestWebhookThatFails(t *testing.T) {
	s, all, _ := told(t)
	all.answer = http.StatusFound // nobody is followed anywhere
	s.imported("User ID/Email (Required)\nann@acme.example\n")
	ids := map[string]bool{}
	var entry schema.OutboxEntry
	for began := s.now; ; s.now = *entry.NextAttemptAt {
		s.send()
		for _, r := range all.take() {
			ids[r.Get("Webhook-Id")] = true
		}
		entries := s.outbox()
		entry = entries[len(entries)-1]
		require.Equal(t, "webhook", entry.Kind)
		require.Equal(t, all.URL+"/in", entry.To)
		require.Contains(t, entry.Error, "302")
		if entry.State == schema.MailFailed {
			assert.Greater(t, s.now.Sub(began), 19*time.Hour)
			assert.LessOrEqual(t, s.now.Sub(began), 24*time.Hour)
			break
		}
	}
	assert.Len(t, ids, 1)
	assert.Greater(t, entry.Attempts, 10)
}

func TestWebhookThatIsGone(t *testing.T) {
	s, all, _ := told(t)
	all.answer = http.StatusGone
	s.imported("User ID/Email (Required)\nann@acme.example\n")
	s.send()
	entries := s.outbox()
	assert.Equal(t, schema.MailFailed, entries[len(entries)-1].State)
}

// TestWebhookToPrivateAddress sends nothing to this machine, or into its network, by any name.
func TestWebhookToPrivateAddress(t *testing.T) {
	s, all, _ := told(t)
	port := all.URL[strings.LastIndexByte(all.URL, ':')+1:]
	for _, host := range []string{"127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0.0.0.0"} {
		s.config.Webhooks = []notify.Webhook{{URL: "http://" + host + ":" + port, Secret: []byte("x")}}
		require.NoError(t, s.TellNews(t.Context(), "acme", nil, schema.News{Event: schema.ScheduleFailed, At: s.now, Code: schema.CodeFileUnreadable}))
		s.send()
		require.Empty(t, all.take(), host)
		entries := s.outbox()
		entry := entries[len(entries)-1]
		assert.Equal(t, schema.MailFailed, entry.State, host)
		assert.Contains(t, entry.Error, "allow_private", host)
	}
}

func TestWebhookOldNews(t *testing.T) {
	s, all, _ := told(t)
	s.imported("User ID/Email (Required)\nann@acme.example\n")
	s.now = s.now.Add(25 * time.Hour)
	s.send()
	assert.Empty(t, all.take())
}

func TestReadWebhookSecret(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secret")
	_, err := notify.ReadWebhookSecret(path)
	require.Error(t, err)
	for text, want := range map[string]string{
		"whsec_MDEyMzQ1Njc4OQ==\n": "0123456789", "MDEyMzQ1Njc4OQ": "0123456789", "no secret!": "", "": "", "whsec_": "",
	} {
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		secret, err := notify.ReadWebhookSecret(path)
		assert.Equal(t, want == "", err != nil, text)
		assert.Equal(t, want, string(secret))
	}
}
