package schema

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestRoles(t *testing.T) {
	for i, has := range Roles {
		for j, needed := range Roles {
			assert.Equal(t, i >= j, has.May(needed), "%s does what needs %s", has, needed)
		}
	}
	assert.False(t, Role("").May(RoleViewer))
	assert.False(t, Role("root").May(RoleViewer))
}

func TestTokenExpires(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	assert.False(t, (&Token{}).Expired(at))
	assert.False(t, (&Token{ExpiresAt: at}).Expired(at.Add(-time.Nanosecond)))
	assert.True(t, (&Token{ExpiresAt: at}).Expired(at))
}
