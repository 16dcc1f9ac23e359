package auth

import (
	"fmt"
	"net/http"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/claimline/claimline/schema"
)

// Who has sent a request is told by proxies that are trusted, and by nobody else.
func TestClient(t *testing.T) {
	proxies, err := ParseProxies([]string{"10.0.0.0/8", "192.0.2.1", "fd00::/8"})
	require.NoError(t, err)
	for _, c := range []struct {
		peer, told, client string
	}{
		{"198.51.100.7:1", "", "198.51.100.7"},
		{"198.51.100.7:1", "203.0.113.9", "198.51.100.7"}, // nobody has asked it
		{"10.1.2.3:1", "203.0.113.9", "203.0.113.9"},
		{"10.1.2.3:1", "1.1.1.1, 203.0.113.9", "203.0.113.9"}, // the first one may be made up
		{"10.1.2.3:1", "203.0.113.9, 192.0.2.1", "203.0.113.9"},
		{"10.1.2.3:1", "10.9.9.9", "10.9.9.9"},
		{"10.1.2.3:1", "203.0.113.9, rubbish", "10.1.2.3"},
		{"10.1.2.3:1", "", "10.1.2.3"},
		{"[::ffff:10.1.2.3]:1", "203.0.113.9", "203.0.113.9"},
		{"[fd00::1]:1", "2001:db8::7", "2001:db8::7"},
		{"@", "203.0.113.9", "invalid IP"},
	} {
		r := &http.Request{RemoteAddr: c.peer, Header: http.Header{}}
		if c.told != "" {
			r.Header.Set("X-Forwarded-For", c.told)
		}
		assert.Equal(t, c.client, proxies.Client(r).String(), "%+v", c)
	}
	for _, wrong := range []string{"", "proxy.example", "10.0.0.0/33", "10.0.0"} {
		_, err := ParseProxies([]string{wrong})
		assert.Equal(t, schema.CodeConfigInvalid, schema.CodeOf(err), wrong)
	}
}

// So many failures are let pass, and then one now and then: by client, and by what it was tried on.
func TestFailures(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	f := NewFailures(func() time.Time { return now }, SignInFailures)
	one, other := netip.MustParseAddr("203.0.113.9"), netip.MustParseAddr("2001:db8::1")
	neighbour := netip.MustParseAddr("2001:db8::ffff") // in the same network
	for range SignInFailures {
		assert.Zero(t, f.Wait(one, "link"))
		assert.Zero(t, f.Add(one, "link"))
	}
	assert.Equal(t, 6*time.Second, f.Wait(one, ""))
	assert.Equal(t, 6*time.Second, f.Add(one, ""))
	assert.Zero(t, f.Wait(other, ""), "somebody else")
	assert.Equal(t, 6*time.Second, f.Wait(other, "link"), "on the same thing")
	for range SignInFailures {
		assert.Zero(t, f.Add(other, ""))
	}
	assert.NotZero(t, f.Wait(neighbour, ""))
	now = now.Add(6 * time.Second)
	assert.Zero(t, f.Wait(one, "link"))
	assert.Zero(t, f.Add(one, "link"))
	assert.NotZero(t, f.Wait(one, ""))

	// However many there are, they take no more memory than so many.
	for i := range 3 * mostCounted {
		f.Add(netip.MustParseAddr(fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255)), "")
	}
	assert.LessOrEqual(t, len(f.since), mostCounted)
}
