package vocab

import (
	"errors"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/frostwatch/frostwatch/internal/tlsfiles"
)

// RedisOptions say where Redis is and how to log in.
type RedisOptions struct {
	Address            string // host:port; not used with Sentinel
	Username, Password string // of an ACL user; an empty username is the default user
	Database           int
	TLS                *tlsfiles.Options // also for sentinels; nil: no TLS
	Sentinel           *SentinelOptions  // nil: the server is at Address
}

// SentinelOptions say how Redis Sentinel finds the current master.
type SentinelOptions struct {
	Master             string   // the name under which the sentinels watch it
	Addresses          []string // host:port of sentinels
	Username, Password string   // for the sentinels
}

// Connect makes a client without connecting yet. Its calls fail within a few
// seconds if nothing answers. The caller closes it.
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
			return nil, errors.New("redis: sentinel needs the name of the master and addresses of sentinels")
		}
		return explained(o, redis.NewFailoverClient(&redis.FailoverOptions{
			MasterName: s.Master, SentinelAddrs: s.Addresses, SentinelUsername: s.Username, SentinelPassword: s.Password,
			Username: o.Username, Password: o.Password, DB: o.Database, TLSConfig: secure, DialTimeout: dial, MaxRetries: retries,
		})), nil
	}
	return explained(o, redis.NewClient(&redis.Options{
		Addr: o.Address, Username: o.Username, Password: o.Password, DB: o.Database, TLSConfig: secure,
		DialTimeout: dial, MaxRetries: retries,
	})), nil
}

// explained has the client put denials into plain words.
func explained(o RedisOptions, c *redis.Client) *redis.Client {
	c.AddHook(denials{o.Username})
	return c
}
