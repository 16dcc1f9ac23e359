package web

import (
	"crypto/tls"
	"os"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/claimline/claimline/schema"
)

// Certificate is the one that the server shows. It is read again when its files have changed.
type Certificate struct {
	certificate, key string // files
	log              zerolog.Logger

	mu      sync.Mutex
	current *tls.Certificate
	stamp   [2]time.Time
	looked  time.Time
	now     func() time.Time
}

// lookAgain is how often is looked whether the files have changed.
const lookAgain = time.Second

// LoadCertificate reads a certificate and its key, in PEM. Refused with CodeConfigInvalid.
func LoadCertificate(certificate, key string, now func() time.Time, log zerolog.Logger) (*Certificate, error) {
	c := &Certificate{certificate: certificate, key: key, log: log, now: now}
	if err := c.load(); err != nil {
		return nil, schema.Refuse(schema.CodeConfigInvalid, "The certificate in %s with the key in %s cannot be used.", certificate, key).
			WithFix("Check the files named by tls.certificate and tls.key: both in PEM, the certificate first, then those that vouch for it.").Because(err)
	}
	return c, nil
}

func (c *Certificate) load() error {
	pair, err := tls.LoadX509KeyPair(c.certificate, c.key)
	if err == nil {
		c.current = &pair
	}
	return err
}

func (c *Certificate) config() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: c.get, NextProtos: []string{"h2", "http/1.1"}}
}

// get returns the certificate as it is in its files; what is wrong in them is logged, and the one before
// kept.
func (c *Certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	if now.Sub(c.looked) < lookAgain {
		return c.current, nil
	}
	c.looked = now
	var stamp [2]time.Time
	for i, name := range []string{c.certificate, c.key} {
		if info, err := os.Stat(name); err == nil {
			stamp[i] = info.ModTime()
		}
	}
	if stamp != c.stamp {
		if err := c.load(); err != nil {
			c.log.Error().Err(err).Msg("the new certificate cannot be used; the old one stays")
		} else {
			c.stamp = stamp
		}
	}
	return c.current, nil
}
