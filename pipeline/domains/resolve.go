package domains

import (
	"context"
	"errors"
	"net"
	"strings"
	"time"

	"github.com/miekg/dns"

	"github.com/claimline/claimline/schema"
)

// Resolver asks name servers.
type Resolver struct {
	Address string        // host:port of the server; blank: those of the system
	Timeout time.Duration // of one question to one server
}

// systemServers is the file in which the system names its name servers.
const systemServers = "/etc/resolv.conf"

// TXT returns the TXT records of a domain, the strings of each joined; none where the domain or its records
// are not there. Servers are asked in turn until one answers. Refused with CodeDNSFailed, which says whether
// the servers were silent, could not be reached, or would not answer.
func (r Resolver) TXT(ctx context.Context, domain string) ([]string, error) {
	servers, err := r.servers()
	if err != nil {
		return nil, err
	}
	question := new(dns.Msg)
	question.SetQuestion(dns.Fqdn(domain), dns.TypeTXT)
	question.SetEdns0(dns.DefaultMsgSize, false)
	for _, server := range servers {
		var answer *dns.Msg
		if answer, err = r.ask(ctx, question, server); err == nil {
			return texts(answer), nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	return nil, err
}

func (r Resolver) servers() ([]string, error) {
	if r.Address != "" {
		return []string{r.Address}, nil
	}
	config, err := dns.ClientConfigFromFile(systemServers)
	if err != nil || len(config.Servers) == 0 {
		return nil, schema.Refuse(schema.CodeDNSFailed, "The system names no name server in %s.", systemServers).
			WithFix("Name one in the configuration, as in resolver: 192.0.2.53:53.").Because(err)
	}
	servers := make([]string, len(config.Servers))
	for i, server := range config.Servers {
		servers[i] = net.JoinHostPort(server, config.Port)
	}
	return servers, nil
}

// ask asks one server; an answer too long for UDP is fetched over TCP.
func (r Resolver) ask(ctx context.Context, question *dns.Msg, server string) (*dns.Msg, error) {
	var answer *dns.Msg
	var err error
	for _, network := range []string{"udp", "tcp"} {
		client := dns.Client{Net: network, Timeout: r.Timeout}
		answer, _, err = client.ExchangeContext(ctx, question, server)
		if err != nil || !answer.Truncated {
			break
		}
	}
	unanswered := func(format string, args ...any) *schema.Error {
		return schema.Refuse(schema.CodeDNSFailed, format, args...).Because(err)
	}
	if timeout := net.Error(nil); errors.As(err, &timeout) && timeout.Timeout() {
		return nil, unanswered("The name server %s did not answer within %s.", server, r.Timeout)
	}
	if err != nil {
		return nil, unanswered("The name server %s could not be asked.", server)
	}
	switch answer.Rcode {
	case dns.RcodeSuccess, dns.RcodeNameError:
		return answer, nil
	case dns.RcodeRefused:
		return nil, unanswered("The name server %s refused the question.", server).
			WithFix("Name another server in the configuration, under resolver.")
	}
	return nil, unanswered("The name server %s could not find the answer (%s).", server, dns.RcodeToString[answer.Rcode])
}

func texts(answer *dns.Msg) []string {
	var records []string
	for _, record := range answer.Answer {
		if txt, ok := record.(*dns.TXT); ok {
			records = append(records, strings.Join(txt.Txt, ""))
		}
	}
	return records
}
