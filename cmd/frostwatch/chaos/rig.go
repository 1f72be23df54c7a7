package chaos

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/cmd/frostwatch/demo"
	"github.com/frostwatch/frostwatch/cmd/frostwatch/embedded"
	appprocess "github.com/frostwatch/frostwatch/cmd/frostwatch/process"
	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/internal/pause"
	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

// rig is what trials disturb: a broker, a proxy before it, Redis and workers, and a client of
// ours. It stays the same from one trial to the next.
type rig struct {
	Options
	dir    string
	bundle string
	behind string // the broker's own address
	broker *process

	restarting sync.Mutex // held while no broker runs

	proxy  *proxy
	redis  *embedded.Redis
	client *bus.Client
	names  topics.Names

	mu      sync.Mutex
	workers map[string][]*process // by stage; nil where a step has taken one
	started int                   // workers so far, whose logs are told apart by it

	free []func() error // the last first
}

func (r *rig) close() (err error) {
	for i := len(r.free) - 1; i >= 0; i-- {
		err = errors.Join(err, r.free[i]())
	}
	return err
}

// ServeBroker runs the embedded broker in this process until ctx ends. It tells clients that
// it listens at advertise.
func ServeBroker(ctx context.Context, dir string, port int, advertise string) error {
	b, err := embedded.StartBroker(embedded.BrokerOptions{Dir: dir, Port: port, Advertise: advertise, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	defer b.Close()
	<-ctx.Done()
	return nil
}

// startRig starts all but the workers, which want rules.
func startRig(ctx context.Context, o Options, dir string) (r *rig, err error) {
	r = &rig{Options: o, dir: dir, names: topics.Names{Prefix: topics.DefaultPrefix}, workers: map[string][]*process{}}
	defer func() {
		if err != nil {
			err = errors.Join(err, r.close())
		}
	}()
	if err := r.importModel(); err != nil {
		return r, err
	}
	if err := r.startServers(ctx); err != nil {
		return r, err
	}
	log := slog.New(slog.DiscardHandler)
	if r.client, err = appprocess.Kafka(config.Kafka{}.At(r.proxy.addr()), "frostwatch-chaos", log, nil); err != nil {
		return r, err
	}
	r.free = append(r.free, r.client.Close)
	return r, r.client.Ensure(ctx, bus.TopicSpecs(r.names, partitions, 1))
}

// partitions are few, so that each worker has several cameras in each.
const partitions = 6

func (r *rig) importModel() error {
	if r.bundle = r.Model; r.bundle != "" {
		return nil
	}
	r.bundle = filepath.Join(r.dir, demo.ModelName)
	if err := demo.Unpack(filepath.Join(r.dir, "demo")); err != nil {
		return err
	}
	return demo.ImportModel(filepath.Join(r.dir, "demo"), r.bundle)
}

func (r *rig) startServers(ctx context.Context) (err error) {
	if r.behind, err = freeAddress(); err != nil {
		return err
	}
	if r.proxy, err = newProxy("127.0.0.1:0", r.behind, r.Seed); err != nil {
		return err
	}
	r.free = append(r.free, r.proxy.close)
	if err := r.startBroker(ctx); err != nil {
		return err
	}
	r.free = append(r.free, func() error {
		r.broker.kill() // what it holds is thrown away
		return nil
	})
	at, err := freeAddress()
	if err != nil {
		return err
	}
	r.redis, err = embedded.StartRedis(ctx, embedded.RedisOptions{Dir: filepath.Join(r.dir, "redis"), Port: portOf(at), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	r.free = append(r.free, func() error { r.redis.Close(); return nil })
	store := redis.NewClient(&redis.Options{Addr: r.redis.Addr()})
	err = vocab.NewStore(store, config.Default().Redis.Prefix).Put(ctx, config.Default().Vocab.Name, demo.Vocabulary()...)
	return errors.Join(err, store.Close())
}

// brokerTime is how long the broker may take to start.
const brokerTime = time.Minute

// startBroker starts the broker, on the files of the one before, and waits until it listens.
func (r *rig) startBroker(ctx context.Context) (err error) {
	r.broker, err = start(r.dir, "broker", "bench", BrokerCommand, "--dir", filepath.Join(r.dir, "kafka"), "--listen", r.behind, "--advertise", r.proxy.addr())
	if err != nil {
		return err
	}
	return within(ctx, brokerTime, "the broker to listen", func() (bool, error) {
		if !r.broker.running() {
			return false, fmt.Errorf("the broker ended: %w; its log is broker.log in %s", r.broker.err, r.dir)
		}
		c, err := net.DialTimeout("tcp", r.behind, time.Second)
		if err == nil {
			_ = c.Close()
		}
		return err == nil, nil
	})
}

// configure writes the stages' configuration.
func (r *rig) configure(rules string) error {
	text := fmt.Sprintf(workersConfig, r.proxy.addr(), partitions, r.redis.Addr(), r.bundle, r.Runtime, rules)
	if err := os.WriteFile(r.config(), []byte(text), 0o600); err != nil {
		return fmt.Errorf("write the workers' configuration: %w", err)
	}
	return nil
}

func (r *rig) config() string { return filepath.Join(r.dir, "pipeline.yaml") }

// No clip is too old: what was sent has to be recognised, however long the disturbance.
const workersConfig = `
kafka: {brokers: [%q], partitions: %d}
redis: {address: %q}
http: {listen: "127.0.0.1:0"}
infer: {bundle: %q, runtime: %q, max_age: 0s}
rules:%s
`

// startWorker starts a worker.
func (r *rig) startWorker(stage string) (*process, error) {
	r.mu.Lock()
	r.started++
	name := fmt.Sprintf("%s-%d", stage, r.started)
	r.mu.Unlock()
	return start(r.dir, name, stage, "--config", r.config())
}

// startWorkers starts as many workers of a stage as were asked for.
func (r *rig) startWorkers(stage string) error {
	for range r.Workers {
		p, err := r.startWorker(stage)
		if err != nil {
			return err
		}
		r.workers[stage] = append(r.workers[stage], p)
	}
	return nil
}

func (r *rig) endWorkers() (err error) {
	for _, all := range r.workers {
		for _, p := range all {
			if p != nil && p.running() {
				err = errors.Join(err, p.end())
			}
		}
	}
	return err
}

// dead are the workers that ended although nobody ended them.
func (r *rig) dead() error {
	var names []string
	for _, all := range r.workers {
		for _, p := range all {
			if p == nil || !p.running() {
				names = append(names, p.ending())
			}
		}
	}
	if len(names) > 0 {
		return fmt.Errorf("ended on its own: %s", strings.Join(names, ", "))
	}
	return nil
}

// within polls until ok, an error, or the deadline.
func within(ctx context.Context, deadline time.Duration, what string, ok func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	for {
		is, err := ok()
		if is || err != nil {
			return err
		}
		if !pause.For(ctx, 100*time.Millisecond) {
			return fmt.Errorf("waited %v for %s", deadline, what)
		}
	}
}

// freeAddress is one of this machine at which nothing listens yet.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	return l.Addr().String(), l.Close()
}

func portOf(address string) int {
	a, err := net.ResolveTCPAddr("tcp", address)
	if err != nil {
		return 0
	}
	return a.Port
}
