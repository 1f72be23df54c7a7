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
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"golang.org/x/sync/errgroup"
)

// BrokerOptions of an in-process broker.
type BrokerOptions struct {
	Dir  string // for topics, data and group offsets; made if absent
	Port int    // on 127.0.0.1; 0 takes a free one
	// Housekeeping is how often retention and compaction are applied: kfake does
	// neither by itself. 0: a minute.
	Housekeeping time.Duration
	Logger       *slog.Logger
}

// Broker is a running broker. It is made for one machine and one process: no
// replication, and what the operating system had not written is lost with the
// power, though not with the process.
type Broker struct {
	cluster *kfake.Cluster
	disk    *disk
	log     *slog.Logger
	stop    context.CancelFunc
	done    errgroup.Group
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
	if err := (repair{o.Dir, o.Logger}).run(); err != nil {
		return nil, fmt.Errorf("start broker: %w", err)
	}
	disk := &disk{dir: o.Dir, space: spaceOf}
	cluster, err := kfake.NewCluster(
		kfake.NumBrokers(1),
		kfake.Ports(o.Port),
		kfake.DataDir(o.Dir),
		kfake.GroupMinSessionTimeout(time.Second),
		kfake.WithLogger(brokerLog{o.Logger, disk}),
	)
	if err != nil {
		return nil, fmt.Errorf("start broker in %s: %w", o.Dir, err)
	}
	ctx, stop := context.WithCancel(context.Background())
	b := &Broker{cluster: cluster, disk: disk, log: o.Logger, stop: stop}
	b.done.Go(func() error { b.keepCopies(ctx); return nil })
	b.done.Go(func() error { b.housekeep(ctx, o.Housekeeping); return nil })
	return b, nil
}

// Addr is where the broker listens, host:port.
func (b *Broker) Addr() string { return b.cluster.ListenAddrs()[0] }

// Close writes everything to disk and stops.
func (b *Broker) Close() {
	b.stop()
	_ = b.done.Wait() // they return no error
	b.cluster.Close()
	if err := copyTopics(b.disk.dir); err != nil {
		b.log.Warn("broker: no copy of the list of topics", "error", err)
	}
}

// keepCopies has a copy of the list of topics a second after each change.
func (b *Broker) keepCopies(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		if err := copyTopics(b.disk.dir); err != nil {
			b.log.Debug("broker: no copy of the list of topics", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (b *Broker) housekeep(ctx context.Context, every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			b.cluster.ApplyRetention()
			// It deletes a table and writes it anew: on a full disk that is its end.
			if !b.disk.low() {
				b.cluster.Compact()
			}
		}
	}
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
	message := "broker: " + strings.TrimSpace(fmt.Sprintf(format, args...))
	switch level {
	case kfake.LogLevelError:
		l.log.Warn(message)
	case kfake.LogLevelWarn, kfake.LogLevelInfo:
		l.log.Debug(message)
	}
}
