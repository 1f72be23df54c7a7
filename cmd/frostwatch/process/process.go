// Package process is what the stages of one process share: clients, readiness,
// the web server, reloading, and their start and end.
package process

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/internal/telemetry"
	"github.com/frostwatch/frostwatch/topics"
)

// Options of a Process.
type Options struct {
	Config  config.Config
	Logger  *slog.Logger
	Service string   // its name in telemetry
	Version string   // of the program
	Checks  []string // names that /readyz waits for, beside "kafka"
}

// Process is what the stages of one process share.
type Process struct {
	Config config.Config
	Bus    *bus.Client
	Redis  *redis.Client
	Names  topics.Names

	log     *slog.Logger
	tel     *telemetry.Telemetry
	health  *telemetry.Health
	worker  string        // this process's name among workers
	created chan struct{} // closed when all topics exist
	// reloads take a configuration over that was read anew.
	reloads []func(config.Config) error
}

// Open makes the clients; nothing has to answer yet.
func Open(ctx context.Context, o Options) (*Process, error) {
	cfg := o.Config
	tel, err := telemetry.Start(ctx, telemetry.Options{
		Service: o.Service, Version: o.Version,
		OTLPEndpoint: cfg.Telemetry.OTLPEndpoint, TraceRatio: cfg.Telemetry.TraceRatio,
	})
	if err != nil {
		return nil, err
	}
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	client, err := bus.New(bus.Options{
		Brokers: cfg.Kafka.Brokers, ClientID: o.Service, Logger: o.Logger, MaxRecordBytes: topics.MaxRecordBytes,
	})
	if err != nil {
		return nil, errors.Join(err, tel.Shutdown(ctx))
	}
	redis.SetLogger(redisLog{o.Logger})
	return &Process{
		Config: cfg, Bus: client, log: o.Logger, tel: tel,
		Redis: redis.NewClient(&redis.Options{
			Addr: cfg.Redis.Address, Username: cfg.Redis.Username, Password: cfg.Redis.Password.Reveal(), DB: cfg.Redis.Database,
			DialTimeout: 2 * time.Second, MaxRetries: 1,
		}),
		Names:   topics.Names{Prefix: cfg.Kafka.Prefix},
		health:  telemetry.NewHealth(append(slices.Clone(o.Checks), "kafka")...),
		worker:  fmt.Sprintf("%s-%d", host, os.Getpid()),
		created: make(chan struct{}),
	}, nil
}

// redisLog takes go-redis' own messages; what matters of them comes back as
// errors.
type redisLog struct{ log *slog.Logger }

// Printf is go-redis' logging interface.
func (l redisLog) Printf(ctx context.Context, format string, args ...any) {
	l.log.DebugContext(ctx, "go-redis: "+fmt.Sprintf(format, args...))
}

// Close gives the clients back, in at most a second.
func (p *Process) Close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	return errors.Join(p.Bus.Close(), p.Redis.Close(), p.tel.Shutdown(ctx))
}

// Run serves HTTP, creates the topics, and runs the parts once they exist.
func (p *Process) Run(ctx context.Context, l net.Listener, parts ...Part) error {
	all := []Part{
		{"http", func(ctx context.Context) error { return telemetry.Serve(ctx, l, p.tel.Handler(), p.health) }},
		{"kafka", p.watchKafka},
	}
	for _, part := range parts {
		all = append(all, Part{part.Name, func(ctx context.Context) error {
			select {
			case <-p.created:
				return part.Run(ctx)
			case <-ctx.Done():
				return nil
			}
		}})
	}
	return sequence(ctx, all...)
}

// watchKafka creates the topics, however long Kafka takes to appear, and then
// keeps /readyz informed.
func (p *Process) watchKafka(ctx context.Context) error {
	const every = 2 * time.Second
	p.health.Set("kafka", fmt.Errorf("waiting for %v", p.Config.Kafka.Brokers))
	if err := p.EnsureTopics(ctx); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	close(p.created)
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		p.ping(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (p *Process) ping(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	p.health.Set("kafka", p.Bus.Ping(ctx))
}

// EnsureTopics creates the topics that are absent.
func (p *Process) EnsureTopics(ctx context.Context) error {
	var specs []bus.TopicSpec
	for _, s := range topics.Specs(p.Config.Kafka.Partitions, p.Config.Kafka.Replication) {
		specs = append(specs, bus.TopicSpec{
			Name: p.Names.Of(s.Topic), Partitions: s.Partitions, Replication: p.Config.Kafka.Replication, Config: s.Config,
		})
	}
	return p.Bus.Ensure(ctx, specs)
}

// Follow calls show with the value of each new record of a topic until ctx ends.
func (p *Process) Follow(ctx context.Context, t topics.Topic, show func(value []byte) error) error {
	// A little early: records of the first moments count.
	since := time.Now().Add(-time.Second)
	err := p.Bus.ReadAll(ctx, p.Names.Of(t), since, true, func(m bus.Message) error { return show(m.Value) })
	return IgnoreEnd(ctx, err)
}

// IgnoreEnd is nil where an error is only that of the ended context.
func IgnoreEnd(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}
