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

// Authorities are the system's and those of a file in PEM; nil, which stands for the
// system's, where file is empty. key is that of the file in the configuration.
func Authorities(file, key string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", key, err)
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool() // a system without any
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s: %s holds no certificate in PEM", key, file)
	}
	return pool, nil
}
