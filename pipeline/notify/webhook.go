package notify

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/schema"
)

// Webhook is a program that is told of events, by a signed request (standardwebhooks.com).
type Webhook struct {
	URL          string
	Secret       []byte
	Events       []schema.NewsEvent // none: all
	AllowPrivate bool               // it may be at a private address
}

// ReadWebhookSecret reads the secret that requests are signed with: base64, as whsec_… or without that
// prefix.
func ReadWebhookSecret(path string) ([]byte, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the secret: %w", err)
	}
	text := strings.TrimPrefix(strings.TrimSpace(string(data)), "whsec_")
	secret, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		secret, err = base64.RawStdEncoding.DecodeString(text)
	}
	if err != nil || len(secret) == 0 {
		return nil, errors.New("the secret is not base64, as in whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	}
	return secret, nil
}

// wants reports whether the program is to be told of an event.
func (w *Webhook) wants(event schema.NewsEvent) bool {
	return len(w.Events) == 0 || slices.Contains(w.Events, event)
}

// Sign returns the headers that sign a message.
func (w *Webhook) Sign(id string, at time.Time, body []byte) http.Header {
	stamp := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, w.Secret)
	mac.Write([]byte(id + "." + stamp + "."))
	mac.Write(body)
	h := http.Header{}
	h.Set("Webhook-Id", id)
	h.Set("Webhook-Timestamp", stamp)
	h.Set("Webhook-Signature", "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	return h
}

const hookTimeout = 15 * time.Second

// errPrivate says that a program is at an address to which nothing may be sent.
var errPrivate = errors.New("the address is a private one; webhooks go to public addresses, unless allow_private says otherwise")

// dialer returns what makes connections to the program. The address is looked at when its name has been
// resolved, so that no name can stand for a private one.
func (w *Webhook) dialer() *net.Dialer {
	d := &net.Dialer{Timeout: hookTimeout}
	if !w.AllowPrivate {
		d.Control = func(_, address string, _ syscall.RawConn) error {
			at, err := netip.ParseAddrPort(address)
			if err != nil || !public(at.Addr()) {
				return errPrivate
			}
			return nil
		}
	}
	return d
}

// special are networks that are not the internet, beyond those that the standard library knows.
var special = func() (list []netip.Prefix) {
	for _, network := range []string{
		"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
		"::/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16", "fec0::/10",
	} {
		list = append(list, netip.MustParsePrefix(network))
	}
	return list
}()

// public reports whether an address is one of the internet.
func public(at netip.Addr) bool {
	at = at.Unmap().WithZone("")
	return at.IsGlobalUnicast() && !at.IsPrivate() && !slices.ContainsFunc(special, func(p netip.Prefix) bool { return p.Contains(at) })
}

// post sends a message, and returns a *refusal where the program has not accepted it.
func (w *Webhook) post(ctx context.Context, id string, at time.Time, body []byte) error {
	ctx, cancel := context.WithTimeout(ctx, hookTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, w.URL, bytes.NewReader(body))
	if err != nil {
		return &refusal{text: err.Error(), permanent: true}
	}
	request.Header = w.Sign(id, at, body)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "Claimline")
	transport := &http.Transport{DialContext: w.dialer().DialContext, TLSHandshakeTimeout: hookTimeout, DisableKeepAlives: true}
	defer transport.CloseIdleConnections()
	client := http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(request)
	if err != nil {
		return &refusal{text: err.Error(), permanent: errors.Is(err, errPrivate)}
	}
	defer func() { _ = response.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 1<<16)) // so that the program can finish its answer
	switch {
	case response.StatusCode >= 200 && response.StatusCode < 300:
		return nil
	case response.StatusCode == http.StatusGone:
		return &refusal{text: "The program wants to be told no more (410).", said: true, permanent: true}
	}
	return &refusal{text: "The program answered " + response.Status + ".", said: true}
}

// hookBody returns what programs are told: the summary of the import, with what has happened. Of a file that
// was refused it says nothing that stands in it.
func (s *Sender) hookBody(ctx context.Context, sending *store.Sending) ([]byte, error) {
	news := sending.News
	if news.Import == 0 {
		return json.Marshal(struct { //nolint:wrapcheck // it cannot fail
			Type         schema.NewsEvent `json:"type"`
			Timestamp    time.Time        `json:"timestamp"`
			Organization string           `json:"organization"`
			Schedule     string           `json:"schedule"`
			File         string           `json:"file"`
			Code         schema.Code      `json:"code"`
			Message      string           `json:"message"`
			Fix          string           `json:"fix"`
		}{news.Event, news.At, sending.Claiming.ID, news.Schedule, news.File, news.Code, news.Code.Message(), news.Code.Fix()})
	}
	imp, err := s.Store.Import(ctx, sending.Claiming.ID, news.Import)
	switch {
	case schema.CodeOf(err) == schema.CodeImportNotFound:
		return nil, errOutdated
	case err != nil:
		return nil, fmt.Errorf("look up the import: %w", err)
	case !stillSo(news, &imp):
		return nil, errOutdated
	}
	summary, err := imp.Summary()
	if err != nil {
		return nil, fmt.Errorf("count the rows: %w", err)
	}
	return json.Marshal(struct { //nolint:wrapcheck // likewise
		Type      schema.NewsEvent `json:"type"`
		Timestamp time.Time        `json:"timestamp"`
		Schedule  string           `json:"schedule,omitempty"`
		schema.Summary
	}{news.Event, news.At, news.Schedule, summary})
}
