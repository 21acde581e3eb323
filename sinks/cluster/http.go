package cluster

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/trailship/trailship/config/value"
)

// TLS is how a cluster proves who it is, and we to it. The zero value trusts the system's authorities.
type TLS struct {
	CAFile        string
	CAFingerprint string // SHA-256 of a certificate of the chain, in hex
	ClientCert    string // files
	ClientKey     string
}

// Validate returns every *value.Problem, joined.
func (t TLS) Validate() error {
	_, err := t.config()
	return err
}

// config is the client's side of a TLS connection. Its errors are *value.Problem, joined.
func (t TLS) config() (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	return c, errors.Join(t.trust(c), t.pin(c), t.identify(c))
}

// trust replaces the system's authorities by those of the file.
func (t TLS) trust(c *tls.Config) error {
	if t.CAFile == "" {
		return nil
	}
	text, err := os.ReadFile(t.CAFile)
	if err != nil {
		return value.Wrong("ca_file", "reading it: %v", err)
	}
	c.RootCAs = x509.NewCertPool()
	if !c.RootCAs.AppendCertsFromPEM(text) {
		return value.Wrong("ca_file", "%s holds no certificate: write the path of a PEM file", t.CAFile)
	}
	return nil
}

// pin trusts exactly the chains in which a certificate with the fingerprint has signed. Go's own check of the chain is
// replaced, not left out: without the pinned certificate in it a connection fails.
func (t TLS) pin(c *tls.Config) error {
	if t.CAFingerprint == "" {
		return nil
	}
	want, err := hex.DecodeString(strings.ReplaceAll(t.CAFingerprint, ":", ""))
	if err != nil || len(want) != sha256.Size {
		return value.Wrong("ca_fingerprint", "it is no SHA-256: write 64 hex digits, as Elasticsearch prints them at its first start")
	}
	c.InsecureSkipVerify = true // VerifyConnection does it
	c.VerifyConnection = func(s tls.ConnectionState) error { return verifyPinned(s, [sha256.Size]byte(want)) }
	return nil
}

// verifyPinned checks that a certificate of the chain has the fingerprint and vouches for the server's own.
func verifyPinned(s tls.ConnectionState, want [sha256.Size]byte) error {
	for _, authority := range s.PeerCertificates {
		if sha256.Sum256(authority.Raw) != want {
			continue
		}
		roots, between := x509.NewCertPool(), x509.NewCertPool()
		roots.AddCert(authority)
		for _, c := range s.PeerCertificates[1:] {
			between.AddCert(c)
		}
		_, err := s.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, DNSName: s.ServerName})
		return err
	}
	return errors.New("no certificate of the server has the fingerprint of ca_fingerprint")
}

// identify shows the server our own certificate.
func (t TLS) identify(c *tls.Config) error {
	if t.ClientCert == "" && t.ClientKey == "" {
		return nil
	}
	if t.ClientCert == "" || t.ClientKey == "" {
		return value.Wrong("client_cert", "client_cert and client_key go together: write both")
	}
	pair, err := tls.LoadX509KeyPair(t.ClientCert, t.ClientKey)
	if err != nil {
		return value.Wrong("client_cert", "reading it and client_key: %v", err)
	}
	c.Certificates = []tls.Certificate{pair}
	return nil
}

// HTTP returns a transport for up to conns requests at once to each node. Its errors are *value.Problem.
func (t TLS) HTTP(conns int) (*http.Transport, error) {
	c, err := t.config()
	if err != nil {
		return nil, err
	}
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSClientConfig:       c,
		TLSHandshakeTimeout:   10 * time.Second,
		ExpectContinueTimeout: time.Second,
		IdleConnTimeout:       90 * time.Second,
		MaxIdleConnsPerHost:   conns + 4, // beside bulk requests: templates, indices, dead letters
		WriteBufferSize:       64 << 10,
		ReadBufferSize:        64 << 10,
		DisableCompression:    true, // answers are small
	}, nil
}

// CheckURLs returns a *value.Problem for each address that is no http or https URL.
func CheckURLs(urls []string) error {
	var errs []error
	for i, s := range urls {
		u, err := url.Parse(s)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			errs = append(errs, value.Wrong(fmt.Sprintf("urls[%d]", i), "it is no URL: write https://host:port"))
		}
	}
	return errors.Join(errs...)
}
