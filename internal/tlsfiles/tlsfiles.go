// Package tlsfiles reads TLS configurations from files, in the same way for every
// server that Frostwatch connects to.
package tlsfiles

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
)

// Options of TLS connections. All may be empty: the server's certificate is then
// checked against the system's authorities.
type Options struct {
	CA         string // file of the authorities' certificates, PEM
	Cert, Key  string // files of our own certificate and its key, PEM
	ServerName string // expected in the server's certificate; empty: the host's
}

// Config reads the files. It returns nil, which means no TLS, for nil options. key
// is the options' key in the configuration, such as "redis.tls", for errors.
func (o *Options) Config(key string) (*tls.Config, error) {
	if o == nil {
		return nil, nil
	}
	out := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: o.ServerName}
	if o.CA != "" {
		pem, err := os.ReadFile(o.CA)
		if err != nil {
			return nil, fmt.Errorf("%s.ca: %w", key, err)
		}
		out.RootCAs = x509.NewCertPool()
		if !out.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s.ca: %s holds no certificate in PEM", key, o.CA)
		}
	}
	if (o.Cert == "") != (o.Key == "") {
		return nil, errors.New(key + ": a client certificate needs both cert and key")
	}
	if o.Cert != "" {
		own, err := tls.LoadX509KeyPair(o.Cert, o.Key)
		if err != nil {
			return nil, fmt.Errorf("%s: read the client certificate: %w", key, err)
		}
		out.Certificates = []tls.Certificate{own}
	}
	return out, nil
}
