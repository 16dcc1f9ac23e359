package main

import (
	"encoding/json"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/miekg/dns"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/claimline/claimline/schema"
)

// nameServer is a name server on this machine, over UDP and TCP, that answers what a test tells it to.
type nameServer struct {
	address string
	answer  atomic.Pointer[func(question *dns.Msg, tcp bool) *dns.Msg] // nil, or returning nil: silence
}

func newNameServer(t *testing.T) *nameServer {
	t.Helper()
	udp, tcp := freePort(t)
	s := &nameServer{address: tcp.Addr().String()}
	for _, server := range []*dns.Server{{PacketConn: udp}, {Listener: tcp}} {
		server.Handler = dns.HandlerFunc(func(to dns.ResponseWriter, question *dns.Msg) {
			answer := s.answer.Load()
			if answer == nil {
				return
			}
			if reply := (*answer)(question, to.LocalAddr().Network() == "tcp"); reply != nil {
				assert.NoError(t, to.WriteMsg(reply))
			}
		})
		running := make(chan struct{})
		server.NotifyStartedFunc = func() { close(running) }
		done := make(chan error, 1)
		go func() { done <- server.ActivateAndServe() }()
		<-running
		t.Cleanup(func() {
			assert.NoError(t, server.Shutdown())
			assert.NoError(t, <-done)
		})
	}
	return s
}

// freePort listens on a port over UDP and TCP. One that is free for the one may be somebody's for the other,
// while so many programs talk to each other here: then the next is taken.
func freePort(t *testing.T) (udp net.PacketConn, tcp net.Listener) {
	t.Helper()
	for {
		tcp, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
		require.NoError(t, err)
		udp, err := new(net.ListenConfig).ListenPacket(t.Context(), "udp", tcp.Addr().String())
		if err == nil {
			return udp, tcp
		}
		require.ErrorIs(t, err, syscall.EADDRINUSE)
		require.NoError(t, tcp.Close())
	}
}

// says lets the server answer with this code and these TXT records, each of several strings.
func (s *nameServer) says(code int, records ...[]string) {
	answer := func(question *dns.Msg, _ bool) *dns.Msg { return reply(question, code, records...) }
	s.answer.Store(&answer)
}

func reply(question *dns.Msg, code int, records ...[]string) *dns.Msg {
	answer := new(dns.Msg).SetRcode(question, code)
	for _, record := range records {
		answer.Answer = append(answer.Answer, &dns.TXT{
			Hdr: dns.RR_Header{Name: question.Question[0].Name, Rrtype: dns.TypeTXT, Class: dns.ClassINET}, Txt: record,
		})
	}
	return answer
}

// resolving returns a site whose domains are looked up with this name server.
func resolving(t *testing.T, address string) *site {
	t.Helper()
	s := newSite(t, filepath.Join(samples, "org"))
	s.global = append(s.global, "--config", write(t, "claimline.yaml", "resolver: "+address+"\n"))
	return s
}

// impatient returns the site with a time-out that a server which does answer may miss: it is for silence
// alone.
func (s *site) impatient(t *testing.T, address string) *site {
	t.Helper()
	impatient := *s
	impatient.global = append(slices.Clone(s.global), "--config", write(t, "impatient.yaml", "resolver: "+address+"\nresolver_timeout: 50ms\n"))
	return &impatient
}

func (s *site) status(t *testing.T, domain string) schema.DomainStatus {
	t.Helper()
	var list []domainAnswer
	require.NoError(t, json.Unmarshal([]byte(s.run(t, "domain", "list", "--json").stdout), &list))
	for _, d := range list {
		if d.Domain == domain {
			return d.Status
		}
	}
	return ""
}

func TestDomainVerify(t *testing.T) {
	t.Parallel()
	server := newNameServer(t)
	s := resolving(t, server.address)

	server.says(dns.RcodeNameError)
	got := s.run(t, "domain", "verify", "new.example")
	record := strings.TrimSpace(got.stdout)
	require.Regexp(t, `^claimline-domain-verification=[a-z2-7]{26}$`, record)
	ours := func(parts ...string) []string { return parts }

	for name, test := range map[string]struct {
		server func()
		code   schema.Code
		says   string
	}{
		"refused":       {func() { server.says(dns.RcodeRefused) }, schema.CodeDNSFailed, "refused the question"},
		"server broken": {func() { server.says(dns.RcodeServerFailure) }, schema.CodeDNSFailed, "could not find the answer (SERVFAIL)"},
		"no domain":     {func() { server.says(dns.RcodeNameError) }, schema.CodeTXTRecordMissing, "has no TXT record"},
		"no record":     {func() { server.says(dns.RcodeSuccess) }, schema.CodeTXTRecordMissing, "has no TXT record"},
		"other records": {func() { server.says(dns.RcodeSuccess, ours("v=spf1 -all"), ours("x")) }, schema.CodeTXTRecordMissing, "has TXT records, but not this one"},
		"other token": {func() {
			server.says(dns.RcodeSuccess, ours("v=spf1 -all"), ours("claimline-domain-verification=other"))
		}, schema.CodeTXTRecordMissing, "has another token"},
	} {
		test.server()
		got := s.run(t, "domain", "verify", "NEW.example")
		assert.Equal(t, exitFailed, got.code, name)
		assert.Equal(t, record, strings.TrimSpace(got.stdout), "%s: the record stays the same", name)
		assert.Contains(t, got.stderr, test.says, name)
		assert.Contains(t, got.stderr, "("+string(test.code)+")", name)
		assert.Equal(t, schema.DomainPending, s.status(t, "new.example"), name)
	}

	server.answer.Store(nil)
	got = s.impatient(t, server.address).run(t, "domain", "verify", "new.example")
	assert.Equal(t, exitFailed, got.code)
	assert.Equal(t, record, strings.TrimSpace(got.stdout))
	assert.Contains(t, got.stderr, "did not answer within 50ms. (dns_failed)")
	assert.Equal(t, schema.DomainPending, s.status(t, "new.example"))

	server.says(dns.RcodeNameError)
	got = s.run(t, "domain", "claim", "new.example")
	assert.Contains(t, got.stderr, "(domain_not_verified)", "a pending domain is not verified")
	got = s.run(t, "domain", "verify", "--json", "new.example")
	assert.JSONEq(t, `{"domain":"new.example","status":"pending","record":"`+record+`"}`, got.stdout)
	assert.Contains(t, got.stderr, `"code":"txt_record_missing"`)

	server.says(dns.RcodeSuccess, ours("v=spf1 -all"), ours(record[:10], record[10:40], record[40:]))
	got = s.run(t, "domain", "verify", "--json", "new.example")
	assert.Zero(t, got.code, got.stderr)
	assert.JSONEq(t, `{"domain":"new.example","status":"verified"}`, got.stdout)

	server.answer.Store(nil)
	assert.Zero(t, s.run(t, "domain", "verify", "new.example").code, "a verified domain stays so, and nobody is asked")
	assert.Equal(t, schema.DomainVerified, s.status(t, "new.example"))
}

func TestDomainVerifyFetchesLongAnswersOverTCP(t *testing.T) {
	t.Parallel()
	server := newNameServer(t)
	s := resolving(t, server.address)
	record := strings.TrimSpace(s.run(t, "domain", "verify", "smörgås.example").stdout)
	answer := func(question *dns.Msg, tcp bool) *dns.Msg {
		assert.Equal(t, "xn--smrgs-pra0j.example.", question.Question[0].Name)
		if tcp {
			return reply(question, dns.RcodeSuccess, []string{record})
		}
		short := reply(question, dns.RcodeSuccess)
		short.Truncated = true
		return short
	}
	server.answer.Store(&answer)
	got := s.run(t, "domain", "verify", "smörgås.example")
	assert.Zero(t, got.code, got.stderr)
	assert.Equal(t, schema.DomainVerified, s.status(t, "xn--smrgs-pra0j.example"))
}

func TestDomainVerifyWithoutANameServer(t *testing.T) {
	t.Parallel()
	closed, err := new(net.ListenConfig).ListenPacket(t.Context(), "udp", "127.0.0.1:0")
	require.NoError(t, err)
	address := closed.LocalAddr().String()
	require.NoError(t, closed.Close())
	got := resolving(t, address).run(t, "domain", "verify", "new.example")
	assert.Equal(t, exitFailed, got.code)
	assert.Contains(t, got.stderr, "could not be asked. (dns_failed)")
}
