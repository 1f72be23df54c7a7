package tlsfiles

import (
	"crypto/tls"
	"fmt"
	"os"
	"sync"
	"time"
)

// lookEvery is how often the files of a server's certificate are looked at.
const lookEvery = time.Minute

// Server is for a server with a certificate and its key, in files in PEM. They are read
// again when they change; as long as they can't be, those that were read before serve.
func Server(cert, key string) (*tls.Config, error) {
	k := &kept{cert: cert, key: key}
	if _, err := k.get(time.Now()); err != nil {
		return nil, err
	}
	return &tls.Config{
		MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return k.get(time.Now()) },
	}, nil
}

// kept is a certificate as it was last read.
type kept struct {
	cert, key string

	mu      sync.Mutex
	looked  time.Time
	changed [2]time.Time
	last    *tls.Certificate
}

func (k *kept) get(now time.Time) (*tls.Certificate, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.last != nil && now.Sub(k.looked) < lookEvery {
		return k.last, nil
	}
	k.looked = now
	changed := [2]time.Time{changedAt(k.cert), changedAt(k.key)}
	if k.last != nil && changed == k.changed {
		return k.last, nil
	}
	next, err := tls.LoadX509KeyPair(k.cert, k.key)
	if err == nil {
		k.last, k.changed = &next, changed
	}
	if k.last == nil {
		return nil, fmt.Errorf("read the certificate: %w", err)
	}
	return k.last, nil
}

func changedAt(file string) time.Time {
	s, err := os.Stat(file)
	if err != nil {
		return time.Time{}
	}
	return s.ModTime()
}
