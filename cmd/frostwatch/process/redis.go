package process

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/redis/go-redis/v9"

	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/internal/tlsfiles"
	"github.com/frostwatch/frostwatch/vocab"
)

// RedisOptions returns how every stage and command connects to the configured
// Redis.
func RedisOptions(c config.Redis) vocab.RedisOptions {
	o := vocab.RedisOptions{Address: c.Address, Username: c.Username, Password: c.Password.Reveal(), Database: c.Database}
	if t := c.TLS; t.Enabled {
		o.TLS = &tlsfiles.Options{CA: t.CA, Cert: t.Cert, Key: t.Key, ServerName: t.ServerName}
	}
	if s := c.Sentinel; s.Master != "" {
		o.Sentinel = &vocab.SentinelOptions{Master: s.Master, Addresses: s.Addresses, Username: s.Username, Password: s.Password.Reveal()}
	}
	return o
}

// redisLog logs go-redis' own messages at debug level, because what matters is
// also returned as errors.
type redisLog struct{ log *slog.Logger }

// Printf is go-redis' logging interface.
func (l redisLog) Printf(ctx context.Context, format string, args ...any) {
	l.log.DebugContext(ctx, "go-redis: "+fmt.Sprintf(format, args...))
}

// QuietRedis drops go-redis' own messages, for commands, whose errors say what matters.
func QuietRedis() { redis.SetLogger(redisLog{slog.New(slog.DiscardHandler)}) }
