package vocab

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/redis/go-redis/v9"
)

// RedisOptions are where Redis is and who we are to it.
type RedisOptions struct {
	Address            string // host:port; not used with Sentinel
	Username, Password string // of an ACL user; the username empty: the default user
	Database           int
	TLS                *TLSOptions      // nil: none
	Sentinel           *SentinelOptions // nil: the server is at Address
}

// TLSOptions are of connections by TLS, to the server and to sentinels. All may
// be empty: the system's authorities then vouch for the server.
type TLSOptions struct {
	CA         string // file of the authorities' certificates, PEM
	Cert, Key  string // files of our own certificate and its key, PEM
	ServerName string // expected in the server's certificate; empty: the host's
}

// SentinelOptions are how the master is found that is to be used.
type SentinelOptions struct {
	Master             string   // its name
	Addresses          []string // host:port of sentinels
	Username, Password string   // for the sentinels
}

// Connect makes a client. Nothing has to answer yet; a call fails within some
// seconds where nothing does. Close is the caller's.
func Connect(o RedisOptions) (*redis.Client, error) {
	const (
		dial    = 2 * time.Second
		retries = 1
	)
	secure, err := o.TLS.config()
	if err != nil {
		return nil, err
	}
	if s := o.Sentinel; s != nil {
		if s.Master == "" || len(s.Addresses) == 0 {
			return nil, errors.New("redis: sentinel needs the name of the master and addresses")
		}
		return redis.NewFailoverClient(&redis.FailoverOptions{
			MasterName: s.Master, SentinelAddrs: s.Addresses, SentinelUsername: s.Username, SentinelPassword: s.Password,
			Username: o.Username, Password: o.Password, DB: o.Database, TLSConfig: secure, DialTimeout: dial, MaxRetries: retries,
		}), nil
	}
	return redis.NewClient(&redis.Options{
		Addr: o.Address, Username: o.Username, Password: o.Password, DB: o.Database, TLSConfig: secure,
		DialTimeout: dial, MaxRetries: retries,
	}), nil
}

func (o *TLSOptions) config() (*tls.Config, error) {
	if o == nil {
		return nil, nil
	}
	out := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: o.ServerName}
	if o.CA != "" {
		pem, err := os.ReadFile(o.CA)
		if err != nil {
			return nil, fmt.Errorf("redis.tls.ca: %w", err)
		}
		out.RootCAs = x509.NewCertPool()
		if !out.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("redis.tls.ca: %s holds no certificate in PEM", o.CA)
		}
	}
	if (o.Cert == "") != (o.Key == "") {
		return nil, errors.New("redis.tls: a client certificate needs both cert and key")
	}
	if o.Cert != "" {
		own, err := tls.LoadX509KeyPair(o.Cert, o.Key)
		if err != nil {
			return nil, fmt.Errorf("redis.tls: read the client certificate: %w", err)
		}
		out.Certificates = []tls.Certificate{own}
	}
	return out, nil
}
