package bus_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/sync/errgroup"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/internal/kafkatest"
	"github.com/frostwatch/frostwatch/internal/procfs"
)

const (
	clipSize   = 65 << 10 // bytes of a clip of eight JPEGs of 112 pixels (docs/sizing.md)
	clipCamera = 32       // cameras, each of which sends a clip when the one before is acknowledged
	clipParts  = 4        // partitions
	clipTurn   = 1280     // clips of a turn
)

// besideOthers is one client on trial: send publishes a clip of a camera and waits for
// all acknowledgements, read reads a partition from an offset to before another.
type besideOthers struct {
	name  string
	send  func(ctx context.Context, camera []byte, clip []byte) error
	read  func(ctx context.Context, partition int, from, to int64, fn func(size int)) error
	rates map[string][]float64 // by what was done, clips a second, one of each turn
}

// BenchmarkBesideOtherClients publishes and reads clips through this package, through
// kafka-go's Writer and Reader with settings chosen for it, and through franz-go, in turn.
// FROSTWATCH_BENCH_KAFKA has the addresses of brokers to use, with commas between, or the
// word "kafka" for a real one that is started; else the embedded broker is.
func BenchmarkBesideOtherClients(b *testing.B) {
	brokers := benchBrokers(b)
	topic := fmt.Sprintf("bench-%d", time.Now().UnixNano())
	c := clientOf(b, brokers, slog.New(slog.DiscardHandler))
	large := map[string]string{"max.message.bytes": "4194304", "cleanup.policy": "delete", "retention.ms": "3600000"}
	if err := c.Ensure(b.Context(), []bus.TopicSpec{{Name: topic, Partitions: clipParts, Replication: 1, Config: large}}); err != nil {
		b.Fatal(err)
	}
	clip := make([]byte, clipSize)
	random := rand.NewChaCha8([32]byte{1})
	_, _ = random.Read(clip) // never fails
	all := []*besideOthers{ofBus(c, topic), ofKafkaGo(b, brokers, topic), ofFranz(b, brokers, topic)}
	turn := func(keep bool) {
		for _, one := range all {
			began := ends(b, c, topic)
			published, publishing := one.publish(b, clip)
			read, reading := one.readBack(b, began, ends(b, c, topic))
			if keep {
				for what, rate := range map[string]float64{"publish": published, "publish, CPU": publishing, "read": read, "read, CPU": reading} {
					one.rates[what] = append(one.rates[what], rate)
				}
			}
		}
		all = append(all[1:], all[0]) // each is first as often
	}
	turn(false) // connections, and the first files
	for b.Loop() {
		turn(true)
	}
	ours := all[slices.IndexFunc(all, func(o *besideOthers) bool { return o.name == "bus" })]
	var out strings.Builder                                                         // in one piece, of which not many lines are printed
	for _, what := range []string{"publish", "publish, CPU", "read", "read, CPU"} { // the embedded broker's CPU time counts too
		fmt.Fprintf(&out, "\n%s: bus %s clips/s", what, spread(ours.rates[what], "%.0f"))
		for _, one := range all {
			if one != ours {
				fmt.Fprintf(&out, "; %s %s, bus is %s of it", one.name, spread(one.rates[what], "%.0f"), spread(ratios(ours.rates[what], one.rates[what]), "%.2f"))
			}
		}
	}
	b.Logf("%d turns of %d clips of %d KB, %d cameras, %d partitions; %s%s", len(ours.rates["read"]), clipTurn, clipSize>>10, clipCamera, clipParts, procfs.CPU(), &out)
}

func benchBrokers(b *testing.B) []string {
	b.Helper()
	switch at := os.Getenv("FROSTWATCH_BENCH_KAFKA"); at {
	case "":
		return []string{kafkatest.StartEmbedded(b).Addr()}
	case "kafka":
		return []string{kafkatest.StartKafka(b).Addr()}
	default:
		return strings.Split(at, ",")
	}
}

// publish returns clips a second, and a second of this process's CPU time.
func (o *besideOthers) publish(b *testing.B, clip []byte) (rate, cpuRate float64) {
	b.Helper()
	g, ctx := errgroup.WithContext(b.Context())
	began, used := time.Now(), cpuTime(b)
	for camera := range clipCamera {
		key := fmt.Appendf(nil, "camera-%d", camera)
		g.Go(func() error {
			for range clipTurn / clipCamera {
				if err := o.send(ctx, key, clip); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		b.Fatalf("publish by %s: %v", o.name, err)
	}
	return clipTurn / time.Since(began).Seconds(), clipTurn / (cpuTime(b) - used).Seconds()
}

// readBack returns clips a second until the last has come, and a second of this process's
// CPU time.
func (o *besideOthers) readBack(b *testing.B, from, to []int64) (rate, cpuRate float64) {
	b.Helper()
	var clips, bytes, took atomic.Int64
	g, ctx := errgroup.WithContext(b.Context())
	began, used := time.Now(), cpuTime(b)
	for partition := range clipParts {
		if from[partition] == to[partition] {
			continue
		}
		g.Go(func() error {
			return o.read(ctx, partition, from[partition], to[partition], func(size int) {
				bytes.Add(int64(size))
				if clips.Add(1) == clipTurn {
					took.Store(int64(time.Since(began)))
				}
			})
		})
	}
	if err := g.Wait(); err != nil {
		b.Fatalf("read by %s: %v", o.name, err)
	}
	if clips.Load() != clipTurn || bytes.Load() != clipTurn*clipSize {
		b.Fatalf("%s read %d clips of %d bytes", o.name, clips.Load(), bytes.Load())
	}
	return clipTurn / time.Duration(took.Load()).Seconds(), clipTurn / (cpuTime(b) - used).Seconds()
}

func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func ends(b *testing.B, c *bus.Client, topic string) (out []int64) {
	b.Helper()
	for partition := range clipParts {
		_, end, err := c.Bounds(b.Context(), topic, partition)
		if err != nil {
			b.Fatal(err)
		}
		out = append(out, end)
	}
	return out
}

func ofBus(c *bus.Client, topic string) *besideOthers {
	return &besideOthers{
		name: "bus", rates: map[string][]float64{},
		send: func(ctx context.Context, camera, clip []byte) error {
			_, err := c.Send(ctx, bus.Message{Topic: topic, Key: camera, Value: clip})
			return err
		},
		read: func(ctx context.Context, partition int, from, to int64, fn func(int)) error {
			return c.Replay(ctx, topic, partition, from, to, func(m bus.Message) error { fn(len(m.Value)); return nil })
		},
	}
}

// ofKafkaGo is a Writer for senders that wait: its batches are sent after a millisecond
// at the latest, by default a second; and a Reader for each partition.
func ofKafkaGo(b *testing.B, brokers []string, topic string) *besideOthers {
	transport := &kafka.Transport{}
	b.Cleanup(transport.CloseIdleConnections)
	w := &kafka.Writer{
		Transport: transport, Addr: kafka.TCP(brokers...), Topic: topic, Balancer: kafka.Murmur2Balancer{}, RequiredAcks: kafka.RequireAll,
		BatchSize: 64, BatchBytes: 4 << 20, BatchTimeout: time.Millisecond,
	}
	b.Cleanup(func() { _ = w.Close() })
	return &besideOthers{
		name: "kafka-go", rates: map[string][]float64{},
		send: func(ctx context.Context, camera, clip []byte) error {
			return w.WriteMessages(ctx, kafka.Message{Key: camera, Value: clip})
		},
		read: func(ctx context.Context, partition int, from, to int64, fn func(int)) error {
			r := kafka.NewReader(kafka.ReaderConfig{Brokers: brokers, Topic: topic, Partition: partition, MinBytes: 1, MaxBytes: 8 << 20, MaxWait: 250 * time.Millisecond, QueueCapacity: 64})
			defer func() { _ = r.Close() }()
			if err := r.SetOffset(from); err != nil {
				return err
			}
			for {
				m, err := r.ReadMessage(ctx)
				if err != nil {
					return err
				}
				if fn(len(m.Value)); m.Offset >= to-1 {
					return nil
				}
			}
		},
	}
}

// ofFranz is franz-go, which by its default sends at once what waits, and as an
// idempotent producer.
func ofFranz(b *testing.B, brokers []string, topic string) *besideOthers {
	b.Helper()
	c, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.DefaultProduceTopic(topic), kgo.ProducerBatchMaxBytes(4<<20), kgo.ProducerBatchCompression(kgo.NoCompression()))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(c.Close)
	return &besideOthers{
		name: "franz-go", rates: map[string][]float64{},
		send: func(ctx context.Context, camera, clip []byte) error {
			return c.ProduceSync(ctx, &kgo.Record{Key: camera, Value: clip}).FirstErr()
		},
		read: func(ctx context.Context, partition int, from, to int64, fn func(int)) error {
			r, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.FetchMaxPartitionBytes(8<<20),
				kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: {int32(partition): kgo.NewOffset().At(from)}}))
			if err != nil {
				return err
			}
			defer r.Close()
			for {
				fetches := r.PollFetches(ctx)
				if err := fetches.Err(); err != nil {
					return err
				}
				for _, record := range fetches.Records() {
					if record.Offset < to {
						fn(len(record.Value))
					}
					if record.Offset >= to-1 {
						return nil
					}
				}
			}
		},
	}
}

// ratios are those of the turns.
func ratios(ours, theirs []float64) (out []float64) {
	for i := range min(len(ours), len(theirs)) {
		out = append(out, ours[i]/theirs[i])
	}
	return out
}

// spread is the median, the least and the most.
func spread(values []float64, format string) string {
	if len(values) == 0 {
		return "-"
	}
	sorted := slices.Sorted(slices.Values(values))
	return fmt.Sprintf(format+" ("+format+" to "+format+")", sorted[len(sorted)/2], sorted[0], sorted[len(sorted)-1])
}
