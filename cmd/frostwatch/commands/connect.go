package commands

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
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

// target is where a command that edits or looks goes: the servers of a
// configuration file, or of the `up` that runs on a data directory.
type target struct{ config, data string }

func (t *target) flags(cmd *cobra.Command) {
	cmd.PersistentFlags().StringVar(&t.config, "config", "", "configuration file that names Kafka and Redis")
	cmd.PersistentFlags().StringVar(&t.data, "data", up.DefaultData, "data directory of a running `up`, used when --config is not given")
}

// load is the configuration to connect by.
func (t *target) load() (config.Config, error) {
	if t.config != "" {
		return config.Load(t.config)
	}
	cfg := config.Default()
	e, err := up.ReadEndpoints(t.data)
	if errors.Is(err, os.ErrNotExist) {
		return cfg, nil
	}
	if err != nil {
		return cfg, err
	}
	if e.Names == nil { // of a version that did not write them
		own, err := config.Load(filepath.Join(t.data, "pipeline.yaml"))
		switch {
		case err == nil:
			cfg = own
		case !errors.Is(err, os.ErrNotExist):
			return cfg, err
		}
	}
	e.Configure(&cfg)
	return cfg, nil
}

// commandTime bounds a command that edits or looks.
const commandTime = 15 * time.Second

// withBus calls do with a Kafka client and the names of topics.
func (t *target) withBus(ctx context.Context, do func(context.Context, *bus.Client, topics.Names) error) error {
	cfg, err := t.load()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, commandTime)
	defer cancel()
	return withClient(cfg, func(c *bus.Client) error { return do(ctx, c, topics.Names{Prefix: cfg.Kafka.Prefix}) })
}

// withClient calls do with a Kafka client, for as long as it takes.
func withClient(cfg config.Config, do func(*bus.Client) error) error {
	c, err := bus.New(bus.Options{Brokers: cfg.Kafka.Brokers, ClientID: "frostwatch-cli", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	return errors.Join(do(c), c.Close())
}

// archive is where the archive lies; empty: there is none.
func (t *target) archive() (string, error) {
	cfg, err := t.load()
	if err != nil {
		return "", err
	}
	switch own := up.ArchiveDir(t.data); {
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
func (t *target) withRedis(ctx context.Context, do func(context.Context, *redis.Client, config.Config) error) error {
	cfg, err := t.load()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, commandTime)
	defer cancel()
	redis.SetLogger(quietRedis{})
	c, err := vocab.Connect(process.RedisOptions(cfg.Redis))
	if err != nil {
		return err
	}
	return errors.Join(do(ctx, c, cfg), c.Close())
}

// quietRedis drops go-redis' own messages; what matters of them comes back as
// errors.
type quietRedis struct{}

// Printf is go-redis' logging interface.
func (quietRedis) Printf(context.Context, string, ...any) {}
