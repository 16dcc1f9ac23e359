package auth

import (
	"fmt"
	"net/http"
	"net/netip"
	"strings"

	"github.com/claimline/claimline/schema"
)

// Proxies are those whose word counts on whom they forward for.
type Proxies []netip.Prefix

// ParseProxies reads addresses and networks, as in 10.0.0.0/8. Refused with CodeConfigInvalid.
func ParseProxies(list []string) (proxies Proxies, err error) {
	for _, text := range list {
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			address, addressErr := netip.ParseAddr(text)
			if addressErr != nil {
				return nil, schema.Refuse(schema.CodeConfigInvalid, "The configuration's service.trusted_proxies has %q, which is neither an address nor a network.", text).
					WithFix("Write addresses or networks, as in 10.0.0.5 or 10.0.0.0/8.").Because(err)
			}
			prefix = netip.PrefixFrom(address, address.BitLen())
		}
		proxies = append(proxies, prefix.Masked())
	}
	return proxies, nil
}

// Trusts reports whether an address is that of a proxy.
func (p Proxies) Trusts(address netip.Addr) bool {
	for _, prefix := range p {
		if prefix.Contains(address.Unmap()) || prefix.Contains(address) {
			return true
		}
	}
	return false
}

// Peer returns the address from which a request comes here.
func Peer(r *http.Request) netip.Addr {
	port, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return port.Addr().Unmap().WithZone("")
}

// Client returns the address of who has sent a request: the last one that is not a proxy's, and that a proxy,
// or the connection itself, tells.
func (p Proxies) Client(r *http.Request) netip.Addr {
	client := Peer(r)
	told := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(told) - 1; i >= 0 && p.Trusts(client); i-- {
		before, err := netip.ParseAddr(strings.TrimSpace(told[i]))
		if err != nil {
			break
		}
		client = before.Unmap().WithZone("")
	}
	return client
}

// group returns what stands for a client where failures are counted: of IPv6, whoever has one address has all
// of its network.
func group(client netip.Addr) string {
	const network = 64
	if client.Is6() {
		if prefix, err := client.Prefix(network); err == nil {
			return prefix.String()
		}
	}
	return fmt.Sprint(client)
}
