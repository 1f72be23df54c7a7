package commands

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/internal/telemetry"
	"github.com/frostwatch/frostwatch/topics"
)

// process is what the stages of one process share.
type process struct {
	cfg    config.Config
	log    *slog.Logger
	tel    *telemetry.Telemetry
	health *telemetry.Health
	bus    *bus.Client
	redis  *redis.Client
	names  topics.Names
	worker string        // this process's name among workers
	topics chan struct{} // closed when all topics exist
	// reloads take a configuration over that was read anew.
	reloads []func(config.Config) error
}

// openProcess makes clients; nothing has to answer yet. checks are the names
// that /readyz waits for.
func (p Program) openProcess(ctx context.Context, cfg config.Config, log *slog.Logger, service string, checks ...string) (*process, error) {
	tel, err := telemetry.Start(ctx, telemetry.Options{
		Service: service, Version: p.Version,
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
		Brokers: cfg.Kafka.Brokers, ClientID: service, Logger: log, MaxRecordBytes: topics.MaxRecordBytes,
	})
	if err != nil {
		return nil, errors.Join(err, tel.Shutdown(ctx))
	}
	redis.SetLogger(redisLog{log})
	return &process{
		cfg: cfg, log: log, tel: tel, bus: client,
		health: telemetry.NewHealth(append(checks, "kafka")...),
		redis: redis.NewClient(&redis.Options{
			Addr: cfg.Redis.Address, Username: cfg.Redis.Username, Password: cfg.Redis.Password.Reveal(), DB: cfg.Redis.Database,
			DialTimeout: 2 * time.Second, MaxRetries: 1,
		}),
		names:  topics.Names{Prefix: cfg.Kafka.Prefix},
		worker: fmt.Sprintf("%s-%d", host, os.Getpid()),
		topics: make(chan struct{}),
	}, nil
}

// redisLog takes go-redis' own messages; what matters of them comes back as
// errors.
type redisLog struct{ log *slog.Logger }

// Printf is go-redis' logging interface.
func (l redisLog) Printf(ctx context.Context, format string, args ...any) {
	l.log.DebugContext(ctx, "go-redis: "+fmt.Sprintf(format, args...))
}

// close gives the clients back, in at most a second.
func (p *process) close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	return errors.Join(p.bus.Close(), p.redis.Close(), p.tel.Shutdown(ctx))
}

// run serves HTTP, makes the topics, and runs the stages once they exist.
func (p *process) run(ctx context.Context, l net.Listener, stages ...stage) error {
	all := []stage{
		{"http", func(ctx context.Context) error { return telemetry.Serve(ctx, l, p.tel.Handler(), p.health) }},
		{"kafka", p.watchKafka},
	}
	for _, s := range stages {
		all = append(all, stage{s.name, func(ctx context.Context) error {
			select {
			case <-p.topics:
				return s.run(ctx)
			case <-ctx.Done():
				return nil
			}
		}})
	}
	return sequence(ctx, all...)
}

// watchKafka creates the topics, however long Kafka takes to appear, and then
// keeps /readyz informed.
func (p *process) watchKafka(ctx context.Context) error {
	const every = 2 * time.Second
	p.health.Set("kafka", fmt.Errorf("waiting for %v", p.cfg.Kafka.Brokers))
	if err := p.ensureTopics(ctx); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	close(p.topics)
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

func (p *process) ping(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	p.health.Set("kafka", p.bus.Ping(ctx))
}

func (p *process) ensureTopics(ctx context.Context) error {
	var specs []bus.TopicSpec
	for _, s := range topics.Specs(p.cfg.Kafka.Partitions, p.cfg.Kafka.Replication) {
		specs = append(specs, bus.TopicSpec{
			Name: p.names.Of(s.Topic), Partitions: s.Partitions, Replication: p.cfg.Kafka.Replication, Config: s.Config,
		})
	}
	return p.bus.Ensure(ctx, specs)
}
