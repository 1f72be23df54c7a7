package bench

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/cameras"
	"github.com/frostwatch/frostwatch/cmd/frostwatch/embedded"
	"github.com/frostwatch/frostwatch/cmd/frostwatch/process"
	"github.com/frostwatch/frostwatch/cmd/frostwatch/up"
	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

// capacityRig is ingest and infer in processes of their own, and what they need.
type capacityRig struct {
	sim, ingest, infer *child
	urls               []string
	table              *cameras.Table
	past               *archive.Reader
	stride             time.Duration
	running            int // cameras
	// Where the stages' metrics are.
	ingestHTTP, inferHTTP string
	awake                 bool // something was recognised

	free []func() error // the last first
}

func (r *capacityRig) end() (err error) {
	for i := len(r.free) - 1; i >= 0; i-- {
		err = errors.Join(err, r.free[i]())
	}
	return err
}

func cameraName(i int) string { return fmt.Sprintf("camera-%d", i+1) }

// startCapacity starts all but the cameras.
func (b *bench) startCapacity(ctx context.Context, films []string, bundle string, side int) (r *capacityRig, err error) {
	r = &capacityRig{stride: config.Default().Framer.Stride.Of(config.Default().Framer.Window)}
	defer func() {
		if err != nil {
			err = errors.Join(err, r.end())
		}
	}()
	served := make([]string, b.Most)
	for i := range served {
		served[i] = films[i%len(films)]
	}
	if r.sim, r.urls, err = b.simulate(ctx, served); err != nil {
		return r, err
	}
	r.free = append(r.free, r.sim.end)
	kafka, store, err := b.startServers(ctx, r)
	if err != nil {
		return r, err
	}
	path, text, err := b.configure(kafka, store, bundle, side)
	if err != nil {
		return r, err
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		return r, fmt.Errorf("write the configuration: %w", err)
	}
	free, err := up.ChooseEndpoints("auto")
	if err != nil {
		return r, err
	}
	r.ingestHTTP, r.inferHTTP = free.HTTP, free.Console
	for _, s := range []struct {
		stage, http string
		child       **child
	}{{"ingest", r.ingestHTTP, &r.ingest}, {"infer", r.inferHTTP, &r.infer}} {
		if *s.child, err = b.startChild(ctx, s.stage, "--config", path, "--http", s.http); err != nil {
			return r, err
		}
		r.free = append(r.free, (*s.child).end)
		(*s.child).drain()
	}
	return r, nil
}

// startServers starts the broker, in this process, and Redis with a vocabulary.
func (b *bench) startServers(ctx context.Context, r *capacityRig) (kafka, store string, err error) {
	log := slog.New(slog.DiscardHandler)
	broker, err := embedded.StartBroker(embedded.BrokerOptions{Dir: filepath.Join(b.dir, "capacity-kafka"), Logger: log})
	if err != nil {
		return "", "", err
	}
	r.free = append(r.free, func() error { broker.Close(); return nil })
	at, err := up.ChooseEndpoints("auto")
	if err != nil {
		return "", "", err
	}
	server, err := embedded.StartRedis(ctx, embedded.RedisOptions{Dir: filepath.Join(b.dir, "capacity-redis"), Port: up.Port(at.Redis), Logger: log})
	if err != nil {
		return "", "", err
	}
	r.free = append(r.free, func() error { server.Close(); return nil })
	client := redis.NewClient(&redis.Options{Addr: server.Addr()})
	defer func() { err = errors.Join(err, client.Close()) }()
	if err := vocab.NewStore(client, config.Default().Redis.Prefix).Put(ctx, config.Default().Vocab.Name, manyLabels(10)...); err != nil {
		return "", "", err
	}
	bus, err := process.Kafka(config.Kafka{}.At(broker.Addr()), "frostwatch-bench", log, nil)
	if err != nil {
		return "", "", err
	}
	r.free = append(r.free, bus.Close)
	names := topics.Names{Prefix: topics.DefaultPrefix}
	if r.table, err = cameras.Open(bus, names, log); err != nil {
		return "", "", err
	}
	r.past, err = archive.NewReader(archive.ReaderOptions{Log: bus, Names: names})
	return broker.Addr(), server.Addr(), err
}

// have adds or removes cameras until there are so many.
func (r *capacityRig) have(ctx context.Context, n int) error {
	for ; r.running < n; r.running++ {
		if err := r.table.Put(ctx, topics.Camera{Name: cameraName(r.running), URL: r.urls[r.running]}); err != nil {
			return err
		}
	}
	for ; r.running > n; r.running-- {
		if err := r.table.Remove(ctx, cameraName(r.running-1)); err != nil {
			return err
		}
	}
	return nil
}

// wakeTime is how long it may take until the first clip is recognised: a large model embeds
// hundreds of texts before, each of which takes a slow processor a second.
const wakeTime = 20 * time.Minute

// begun waits until each camera has a recognition, for as long as it may take a busy
// machine to load a model and to connect to them all.
func (r *capacityRig) begun(ctx context.Context) error {
	settle := settleTime + time.Duration(r.running)*time.Second
	deadline := time.Now().Add(settle)
	if !r.awake {
		deadline = time.Now().Add(wakeTime)
	}
	seen := map[string]bool{}
	for since := time.Now(); len(seen) < r.running && time.Now().Before(deadline); {
		if err := r.await(ctx); err != nil {
			return err
		}
		_, err := r.past.Actions(ctx, archive.Range{Since: since}, func(a archive.Record[topics.Recognition]) error {
			seen[a.Value.Camera] = true
			return nil
		})
		if err != nil {
			return fmt.Errorf("read recognitions: %w", err)
		}
		if len(seen) > 0 && !r.awake {
			r.awake, deadline = true, time.Now().Add(settle)
		}
	}
	if len(seen) == 0 {
		return errors.New("nothing is recognised")
	}
	return nil
}

// await waits for a second, or the end of a process without which nothing comes any more.
func (r *capacityRig) await(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-r.ingest.over:
		return errors.New("ingest ended early")
	case <-r.infer.over:
		return errors.New("infer ended early")
	case <-time.After(time.Second):
		return nil
	}
}
