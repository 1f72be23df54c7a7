// Package embedded runs the servers of a one-machine Frostwatch: a
// Kafka-protocol broker inside the process and a private Redis beside it, both
// on loopback with their files under one directory.
package embedded

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"golang.org/x/sync/errgroup"

	"github.com/frostwatch/frostwatch/internal/pause"
)

// BrokerOptions of an in-process broker.
type BrokerOptions struct {
	Dir  string // for topics, data and group offsets; made if absent
	Port int    // on 127.0.0.1; 0 takes a free one
	// Advertise is the address, host:port, that clients are told to connect to: that of a
	// proxy. "": where the broker listens.
	Advertise string
	// Housekeeping is how often retention and compaction are applied: kfake does
	// neither by itself. 0: a minute.
	Housekeeping time.Duration
	// Flush is how often what was written is brought to the disk. 0: a second.
	Flush time.Duration
	// Bound is looked after as often, and more often where it is close.
	Bound  Bound
	Logger *slog.Logger
}

// Broker is a running broker. It is made for one machine and one process: no
// replication. What it acknowledged outlives the process, however that ends; with the
// power, what came since the last flush may be lost.
type Broker struct {
	cluster *kfake.Cluster
	disk    *disk
	bound   *bounded
	flusher *flusher
	log     *slog.Logger
	ends    map[string]int64 // as last written to endsFile
	stop    context.CancelFunc
	done    errgroup.Group
	closed  sync.Once
	tidying sync.Mutex // one at a time deletes files
}

// StartBroker starts a broker on the files of an earlier one, if any. What can't be
// read of these is mended or cut out, and what that loses is logged with topic,
// partition and offsets; where records could only be saved by hand, it is an error.
func StartBroker(o BrokerOptions) (*Broker, error) {
	if o.Logger == nil || o.Dir == "" {
		return nil, errors.New("start broker: directory and logger are required")
	}
	if err := os.MkdirAll(o.Dir, 0o755); err != nil {
		return nil, fmt.Errorf("start broker: %w", err)
	}
	if o.Housekeeping == 0 {
		o.Housekeeping = time.Minute
	}
	if o.Flush == 0 {
		o.Flush = flushEvery
	}
	if err := (repair{o.Dir, o.Logger}).run(context.Background()); err != nil {
		return nil, fmt.Errorf("start broker: %w", err)
	}
	disk := &disk{dir: o.Dir, space: spaceOf}
	cluster, err := kfake.NewCluster(
		kfake.NumBrokers(1),
		kfake.Ports(o.Port),
		kfake.ListenFn(o.listen),
		kfake.DataDir(o.Dir),
		kfake.GroupMinSessionTimeout(time.Second),
		kfake.BrokerConfigs(brokerConfigs()),
		kfake.WithLogger(brokerLog{o.Logger, disk}),
	)
	if err != nil {
		return nil, fmt.Errorf("start broker in %s: %w", o.Dir, err)
	}
	debug.FreeOSMemory() // of the files that were read
	ctx, stop := context.WithCancel(context.Background())
	b := &Broker{cluster: cluster, disk: disk, flusher: &flusher{dir: o.Dir}, log: o.Logger, stop: stop}
	b.bound = &bounded{Bound: o.Bound, gave: map[string]time.Time{}, oldest: map[string]time.Time{}}
	b.done.Go(func() error { b.keepCopies(ctx); return nil })
	b.done.Go(func() error { b.keepFlushed(ctx, o.Flush); return nil })
	b.done.Go(func() error { pause.Every(ctx, o.Housekeeping, b.tidy); return nil })
	b.done.Go(func() error { b.keepBound(ctx, o.Housekeeping); return nil })
	return b, nil
}

// brokerConfigs are kfake's where its own are not fit.
func brokerConfigs() map[string]string {
	return map[string]string{
		// Topics that say nothing of retention are tables: their rows don't expire.
		"log.retention.ms": "-1",
		// kfake's own compaction keeps no copy of what it deletes: we call it (compact.go).
		"log.cleaner.backoff.ms": strconv.FormatInt((100 * 365 * 24 * time.Hour).Milliseconds(), 10),
		"log.segment.bytes":      strconv.Itoa(segmentSize),
	}
}

// Addr is where the broker tells clients that it listens, host:port.
func (b *Broker) Addr() string { return b.cluster.ListenAddrs()[0] }

// Close writes everything to disk and stops. A second call does nothing.
func (b *Broker) Close() { b.closed.Do(b.close) }

func (b *Broker) close() {
	b.stop()
	_ = b.done.Wait() // they return no error
	if err := b.keepEnds(); err != nil {
		b.log.Warn("broker: stop", "error", err)
	}
	b.cluster.Close()
	if err := copyTopics(b.disk.dir); err != nil {
		b.log.Warn("broker: no copy of the list of topics", "error", err)
	}
	if err := b.flusher.flush(); err != nil {
		b.log.Warn("broker: stop", "error", err)
	}
}

// keepCopies has a copy of the list of topics a second after each change.
func (b *Broker) keepCopies(ctx context.Context) {
	keep := func() {
		if err := copyTopics(b.disk.dir); err != nil {
			b.log.Debug("broker: no copy of the list of topics", "error", err)
		}
	}
	keep()
	pause.Every(ctx, time.Second, keep)
}

// tidy applies retention and compaction. On a full disk the ends of partitions can
// be written only once retention has made room.
func (b *Broker) tidy() {
	b.tidying.Lock()
	defer b.tidying.Unlock()
	before := b.keepEnds()
	b.cluster.ApplyRetention()
	if before != nil {
		if err := b.keepEnds(); err != nil {
			b.log.Debug("broker: tidy up", "error", err)
		}
	}
	b.compact()
}

// brokerLog passes on what a person could act on, and keeps why a write failed.
type brokerLog struct {
	log  *slog.Logger
	disk *disk
}

func (l brokerLog) Logf(level kfake.LogLevel, format string, args ...any) {
	if strings.HasPrefix(format, "persist") && len(args) > 0 {
		if err, ok := args[len(args)-1].(error); ok {
			l.disk.failed.Store(&err)
		}
	}
	if strings.HasPrefix(format, "rebuildSegments") {
		l.disk.torn.Store(true)
	}
	if strings.HasPrefix(format, "persist group entry write") {
		// kfake calls this before it writes on, and its own clean-up of the file drops
		// everything behind a torn entry.
		if err := cutTorn(filepath.Join(l.disk.dir, groupsFile)); err != nil {
			l.log.Warn("broker: cut off half an entry", "error", err)
		}
	}
	message := "broker: " + strings.TrimSpace(fmt.Sprintf(format, args...))
	switch level {
	case kfake.LogLevelError:
		l.log.Warn(message)
	case kfake.LogLevelWarn, kfake.LogLevelInfo:
		l.log.Debug(message)
	}
}
