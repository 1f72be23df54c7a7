package ingest

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/frostwatch/frostwatch/media"
	"github.com/frostwatch/frostwatch/topics"
)

// kindCertificate is the fault of a camera whose certificate is not the one that is
// wanted.
const kindCertificate media.Kind = "certificate"

// certificate is what the certificate of a camera must be.
type certificate struct {
	verify      bool
	fingerprint string         // as topics.Fingerprint writes it; empty: signed by an authority
	authorities *x509.CertPool // nil: the system's
}

// certificate is what a camera's record, and else the configuration, asks for.
func (o opener) certificate(c topics.Camera) certificate {
	want := certificate{verify: !o.anyCertificate, fingerprint: topics.Fingerprint(c.TLSFingerprint), authorities: o.authorities}
	if c.TLSVerify != nil {
		want.verify = *c.TLSVerify
	}
	return want
}

func (c certificate) config(host string) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12, ServerName: host, CipherSuites: cipherSuites(),
		InsecureSkipVerify: true, //nolint:gosec // check does it, and says what it saw
		VerifyConnection:   func(s tls.ConnectionState) error { return c.check(s.PeerCertificates, host, time.Now()) },
	}
}

// cipherSuites are Go's own and those with RSA key exchange, which older cameras have
// alone.
func cipherSuites() (ids []uint16) {
	for _, s := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
		if !s.Insecure || strings.HasPrefix(s.Name, "TLS_RSA_WITH_AES") {
			ids = append(ids, s.ID)
		}
	}
	return ids
}

// check is an error where a camera shows another certificate than it must.
func (c certificate) check(shown []*x509.Certificate, host string, now time.Time) error {
	if len(shown) == 0 {
		return media.NewFault(kindCertificate, "the camera shows no certificate")
	}
	sum := sha256.Sum256(shown[0].Raw)
	seen := topics.FingerprintPrefix + hex.EncodeToString(sum[:])
	switch {
	case c.fingerprint == seen:
		return nil
	case c.fingerprint != "":
		return media.NewFault(kindCertificate, "its certificate is another than the camera's tls_fingerprint says: it is %s", seen)
	case !c.verify:
		return nil
	}
	between := x509.NewCertPool()
	for _, s := range shown[1:] {
		between.AddCert(s)
	}
	_, err := shown[0].Verify(x509.VerifyOptions{DNSName: host, Roots: c.authorities, Intermediates: between, CurrentTime: now})
	if err == nil {
		return nil
	}
	return media.NewFault(kindCertificate, "%s; it is %s: if that is the camera's, set its tls_fingerprint to it", wrongWith(shown[0], err, host, now), seen)
}

// wrongWith says in words what is wrong with a certificate.
func wrongWith(c *x509.Certificate, err error, host string, now time.Time) string {
	var invalid x509.CertificateInvalidError
	var name x509.HostnameError
	var unknown x509.UnknownAuthorityError
	const day = "2006-01-02"
	switch {
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired && invalid.Cert != nil:
		whose := "its certificate"
		if !invalid.Cert.Equal(c) {
			whose = "a certificate of the authority that has signed its own"
		}
		if now.Before(invalid.Cert.NotBefore) {
			return fmt.Sprintf("%s is valid only from %s on", whose, invalid.Cert.NotBefore.Format(day))
		}
		return fmt.Sprintf("%s expired on %s", whose, invalid.Cert.NotAfter.Format(day))
	case errors.As(err, &name):
		return fmt.Sprintf("its certificate is for %.80s, and not for %.80s", namesOf(c), host)
	case errors.As(err, &unknown) && string(c.RawIssuer) == string(c.RawSubject):
		return "its certificate is signed by itself and by no authority that is known here"
	case errors.As(err, &unknown):
		return fmt.Sprintf("its certificate is signed by %.80s, which is no authority that is known here", called(c.Issuer.CommonName))
	}
	return fmt.Sprintf("its certificate is not in order: %.100s", topics.Clean(err.Error()))
}

func called(s string) string {
	if s = topics.Clean(s); s == "" {
		return "an authority without a name"
	}
	return s
}

// namesOf are the hosts that a certificate is for.
func namesOf(c *x509.Certificate) string {
	all := slices.Clone(c.DNSNames)
	for _, ip := range c.IPAddresses {
		all = append(all, ip.String())
	}
	if len(all) == 0 {
		return "no host"
	}
	return topics.Clean(strings.Join(all, ", "))
}

// handshakeFault puts into words why TLS did not come about.
func handshakeFault(err error) error {
	var f *media.Fault
	var header tls.RecordHeaderError
	var alert tls.AlertError
	switch {
	case errors.As(err, &f):
		return f
	case errors.Is(err, context.DeadlineExceeded):
		return media.NewFault(media.KindTimeout, "the camera takes the connection and does not answer in TLS: its port, or the s of rtsps or https, may be wrong")
	case errors.As(err, &header):
		return media.NewFault(media.KindNotVideo, "it does not answer in TLS: its URL may have to begin with rtsp or http, without the s")
	case errors.As(err, &alert):
		return media.NewFault(kindCertificate, "the camera refuses TLS as we offer it (1.2 or later): %.100s", topics.Clean(alert.Error()))
	case errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET):
		return media.NewFault(media.KindEnded, "the camera closed the connection while TLS was agreed on: does it speak TLS 1.2 on this port?")
	}
	return media.NewFault(kindCertificate, "TLS with the camera fails: %.150s", topics.Clean(err.Error()))
}
