package commands

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/spf13/cobra"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/cmd/frostwatch/process"
	"github.com/frostwatch/frostwatch/cmd/frostwatch/up"
	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

// target is what a command connects to: the servers of a configuration file, or of
// the `up` that runs on a data directory.
type target struct{ config, data string }

func (t *target) flags(cmd *cobra.Command) {
	cmd.PersistentFlags().StringVar(&t.config, "config", "", "configuration file that names Kafka and Redis")
	cmd.PersistentFlags().StringVar(&t.data, "data", up.DefaultData, "data directory of a running frostwatch up, used when --config is not given")
}

// again are the flags with which another command connects to the same, after a space.
func (t *target) again() string {
	switch {
	case t.config != "":
		return fmt.Sprintf(" --config %q", t.config)
	case t.data != up.DefaultData:
		return fmt.Sprintf(" --data %q", t.data)
	}
	return ""
}

// load returns the configuration to connect with: that of --config, or that of the
// `up` that runs on the data directory, with the addresses of its servers.
func (t *target) load() (config.Config, error) {
	if t.config != "" {
		return config.Load(t.config)
	}
	e, err := up.ReadEndpoints(t.data)
	if errors.Is(err, os.ErrNotExist) {
		return config.Config{}, t.nothingRuns()
	}
	if err != nil {
		return config.Config{}, err
	}
	cfg, err := config.Load(e.Config)
	if err != nil {
		// An edit that `up` has refused changes neither its servers nor its names.
		cfg = config.Default()
	}
	e.Configure(&cfg)
	return cfg, nil
}

// unread is why the configuration file of an `up` can't be read, without which load goes
// on.
func (t *target) unread() error {
	file := t.file()
	if t.config != "" || file == "" {
		return nil
	}
	_, err := config.Load(file)
	return err
}

// file is the path of the configuration file; empty if it is not known.
func (t *target) file() string {
	if t.config != "" {
		return t.config
	}
	e, err := up.ReadEndpoints(t.data)
	if err != nil {
		return ""
	}
	return e.Config
}

func (t *target) nothingRuns() error {
	return fmt.Errorf("nothing runs here (looked in %s); start `frostwatch up`, or name --data or --config", t.data)
}

// unreachable explains why a server does not answer.
func (t *target) unreachable(server, address string, err error) error {
	if t.config != "" && !t.names(server) {
		return fmt.Errorf("%s at %s, the default, since %s names none, can't be reached: %w; for a running `frostwatch up` leave out --config, or use --data", server, address, t.config, err)
	}
	if t.config != "" {
		return fmt.Errorf("%s at %s, named in %s, can't be reached: %w", server, address, t.config, err)
	}
	if errors.Is(err, syscall.ECONNREFUSED) {
		return t.nothingRuns()
	}
	return fmt.Errorf("%s of the frostwatch in %s does not answer at %s: %w", server, t.data, address, err)
}

// names is whether the configuration file names a server.
func (t *target) names(server string) bool {
	f, err := config.Open(t.config)
	if server == "Kafka" {
		return err == nil && f.Names("kafka.brokers")
	}
	return err == nil && (f.Names("redis.address") || f.Names("redis.sentinel.addresses"))
}

// reachTime bounds the first request to a server.
const reachTime = 5 * time.Second

// commandTime bounds a command that shows or edits something.
const commandTime = 15 * time.Second

// withBus calls do with a Kafka client and the names of topics, for at most
// commandTime.
func (t *target) withBus(ctx context.Context, do func(context.Context, *bus.Client, topics.Names) error) error {
	cfg, err := t.load()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, commandTime)
	defer cancel()
	return t.onKafka(ctx, cfg, do)
}

// onKafka calls do with a Kafka client that reaches the servers of a configuration,
// and the names of topics.
func (t *target) onKafka(ctx context.Context, cfg config.Config, do func(context.Context, *bus.Client, topics.Names) error) error {
	return withClient(cfg, func(c *bus.Client) error {
		if err := t.ping(ctx, c, cfg); err != nil {
			return err
		}
		return do(ctx, c, topics.Names{Prefix: cfg.Kafka.Prefix})
	})
}

// ping explains why Kafka does not answer.
func (t *target) ping(ctx context.Context, c *bus.Client, cfg config.Config) error {
	ctx, cancel := context.WithTimeout(ctx, reachTime)
	defer cancel()
	if err := c.Ping(ctx); err != nil {
		return t.unreachable("Kafka", strings.Join(cfg.Kafka.Brokers, ", "), err)
	}
	return nil
}

// withClient calls do with a Kafka client, without a bound on its time.
func withClient(cfg config.Config, do func(*bus.Client) error) error {
	c, err := process.Kafka(cfg.Kafka, "frostwatch-cli", slog.New(slog.DiscardHandler), nil)
	if err != nil {
		return err
	}
	return errors.Join(do(c), c.Close())
}

// archive returns where the archive is; empty if there is none.
func (t *target) archive() (string, error) {
	own := up.ArchiveDir(t.data)
	cfg, err := t.load()
	if err != nil {
		if t.config == "" && exists(own) {
			return own, nil // it can be read while nothing runs
		}
		return "", err
	}
	switch {
	case cfg.Archive.Bucket == config.NoArchive:
		return "", nil
	case cfg.Archive.Bucket != "":
		return cfg.Archive.Bucket, nil
	case t.config == "" && exists(own):
		return own, nil
	}
	return "", nil
}

func exists(path string) bool { _, err := os.Stat(path); return err == nil }

// withRedis calls do with a Redis client and the configuration.
func (t *target) withRedis(ctx context.Context, do func(context.Context, *redis.Client, config.Config) error) (err error) {
	cfg, err := t.load()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, commandTime)
	defer cancel()
	return t.onRedis(ctx, cfg, func(ctx context.Context, c *redis.Client) error { return do(ctx, c, cfg) })
}

// onRedis calls do with a client of the Redis of a configuration.
func (t *target) onRedis(ctx context.Context, cfg config.Config, do func(context.Context, *redis.Client) error) (err error) {
	process.QuietRedis()
	c, err := vocab.Connect(process.RedisOptions(cfg.Redis))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	reach, stop := context.WithTimeout(ctx, reachTime)
	defer stop()
	if err := c.Ping(reach).Err(); err != nil {
		return t.unreachable("Redis", cfg.Redis.Address, err)
	}
	return do(ctx, c)
}
