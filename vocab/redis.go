package vocab

import (
	"errors"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/frostwatch/frostwatch/internal/tlsfiles"
)

// RedisOptions are where Redis is and who we are to it.
type RedisOptions struct {
	Address            string // host:port; not used with Sentinel
	Username, Password string // of an ACL user; the username empty: the default user
	Database           int
	TLS                *tlsfiles.Options // nil: none; to sentinels too
	Sentinel           *SentinelOptions  // nil: the server is at Address
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
	secure, err := o.TLS.Config("redis.tls")
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
