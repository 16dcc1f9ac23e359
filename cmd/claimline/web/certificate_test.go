package web

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/claimline/claimline/schema"
)

// Issue writes a certificate for a name, and its key, as of a time.
func Issue(t *testing.T, certificate, key, name string, at time.Time) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	form := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotAfter: at.Add(time.Hour), DNSNames: []string{name}}
	issued, err := x509.CreateCertificate(rand.Reader, form, form, private.Public(), private)
	require.NoError(t, err)
	encoded, err := x509.MarshalECPrivateKey(private)
	require.NoError(t, err)
	for file, block := range map[string]*pem.Block{certificate: {Type: "CERTIFICATE", Bytes: issued}, key: {Type: "EC PRIVATE KEY", Bytes: encoded}} {
		require.NoError(t, os.WriteFile(file, pem.EncodeToMemory(block), 0o600))
		require.NoError(t, os.Chtimes(file, at, at))
	}
}

// A certificate is read again when its files have changed; what is wrong in them changes nothing.
func TestCertificateIsReadAgain(t *testing.T) {
	folder := t.TempDir()
	certificate, key := filepath.Join(folder, "certificate.pem"), filepath.Join(folder, "key.pem")
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	_, err := LoadCertificate(certificate, key, func() time.Time { return now }, zerolog.Nop())
	assert.Equal(t, schema.CodeConfigInvalid, schema.CodeOf(err))
	Issue(t, certificate, key, "first.example", now)
	c, err := LoadCertificate(certificate, key, func() time.Time { return now }, zerolog.Nop())
	require.NoError(t, err)
	shown := func() string {
		now = now.Add(lookAgain)
		pair, err := c.get(nil)
		require.NoError(t, err)
		leaf, err := x509.ParseCertificate(pair.Certificate[0])
		require.NoError(t, err)
		return leaf.Subject.CommonName
	}
	assert.Equal(t, "first.example", shown())
	Issue(t, certificate, key, "second.example", now)
	assert.Equal(t, "second.example", shown())
	require.NoError(t, os.WriteFile(key, []byte("half a key"), 0o600))
	assert.Equal(t, "second.example", shown())
	Issue(t, certificate, key, "third.example", now.Add(time.Minute))
	assert.Equal(t, "third.example", shown())
}
