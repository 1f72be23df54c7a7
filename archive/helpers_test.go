package archive

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel/metric/noop"
	"go.uber.org/goleak"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/topics"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// kafka is a log in memory: topics with partitions, some of whose oldest records
// may be deleted.
type kafka struct {
	mu     sync.Mutex
	parts  map[string][][]bus.Message
	first  map[string][]int64
	now    time.Time
	served int // records given by Replay
	asked  int // calls of Replay
}

func newKafka(partitions int, names ...string) *kafka {
	k := &kafka{parts: map[string][][]bus.Message{}, first: map[string][]int64{}}
	for _, n := range names {
		k.parts[n], k.first[n] = make([][]bus.Message, partitions), make([]int64, partitions)
	}
	return k
}

func (k *kafka) add(topic string, partition int, at time.Time, value []byte, headers ...bus.Header) int64 {
	k.mu.Lock()
	defer k.mu.Unlock()
	offset := int64(len(k.parts[topic][partition]))
	k.parts[topic][partition] = append(k.parts[topic][partition], bus.Message{Topic: topic, Partition: partition, Offset: offset, Value: value, Time: at, Headers: headers})
	return offset
}

func (k *kafka) Partitions(_ context.Context, topic string) (int, error) {
	if _, ok := k.parts[topic]; !ok {
		return 0, fmt.Errorf("no topic %s", topic)
	}
	return len(k.parts[topic]), nil
}

func (k *kafka) Bounds(_ context.Context, topic string, p int) (int64, int64, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.first[topic][p], int64(len(k.parts[topic][p])), nil
}

func (k *kafka) OffsetAt(_ context.Context, topic string, p int, t time.Time) (int64, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, m := range k.parts[topic][p] {
		if m.Offset >= k.first[topic][p] && !m.Time.Before(t) {
			return m.Offset, nil
		}
	}
	return int64(len(k.parts[topic][p])), nil
}

func (k *kafka) Replay(ctx context.Context, topic string, p int, from, to int64, fn func(bus.Message) error) error {
	k.mu.Lock()
	all := k.parts[topic][p]
	from = max(from, k.first[topic][p])
	k.asked++
	k.mu.Unlock()
	for _, m := range all[min(from, int64(len(all))):min(to, int64(len(all)))] {
		k.mu.Lock()
		k.served++
		k.mu.Unlock()
		if err := fn(m); errors.Is(err, bus.ErrStop) {
			return nil
		} else if err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (k *kafka) FetchOne(ctx context.Context, topic string, p int, offset int64) (m bus.Message, err error) {
	err = k.Replay(ctx, topic, p, offset, offset+1, func(got bus.Message) error { m = got; return nil })
	if err == nil && m.Value == nil {
		err = errors.New("gone")
	}
	return m, err
}

func (k *kafka) Age(m bus.Message) time.Duration { return k.now.Sub(m.Time) }

func (k *kafka) Consume(context.Context, bus.GroupOptions, func(context.Context, *bus.Partition) error) error {
	return errors.New("no group here")
}

var names = topics.Names{Prefix: "t."}

// hour is when the tests' records begin.
var hour = time.Date(2026, 11, 28, 10, 0, 0, 0, time.UTC)

// action is a recognition whose window ended half a second before at.
func action(camera string, at time.Time, dims int) topics.Recognition {
	r := topics.Recognition{
		Camera: camera, Tags: []string{"indoor"}, Epoch: hour.Add(-time.Hour), Sequence: uint64(at.Sub(hour) / time.Second),
		Start: at.Add(-4767 * time.Millisecond), End: at.Add(-500 * time.Millisecond),
		Clip:       topics.RecordRef{Topic: "t.clips", Partition: 3, Offset: 17},
		Labels:     []topics.LabelScore{{Label: "person falling", Similarity: 0.3125, Score: 0.75, Tags: []string{"care"}}, {Label: "nothing", Score: 0.1, Background: true}},
		Background: 0.1, Model: "abc", LogitScale: 100, Vocab: topics.VocabRef{Name: "default", Version: "v1"},
		Timings: topics.Timings{Queue: 1.5, Batch: 4},
	}
	if r.Sequence%3 > 0 { // others are of an older version
		r.References = &topics.References{Hash: "ref", Logit: float64(r.Sequence) / 7}
	}
	r.ClipID = topics.ClipID(camera, r.Epoch, r.Start.Sub(r.Epoch))
	random := rand.New(rand.NewPCG(uint64(at.UnixNano()), 1))
	for _, v := range []*topics.Float16Vector{&r.Embedding, &r.First, &r.Last} {
		for range dims {
			*v = append(*v, topics.Float16s(topics.AppendFloat16(nil, []float32{random.Float32()}))...)
		}
	}
	return r
}

func encoded(t testing.TB, r topics.Recognition) []byte {
	t.Helper()
	b, err := topics.EncodeRecognition(r)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func bucket(t testing.TB) *Bucket {
	t.Helper()
	b, err := OpenBucket(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b
}

// copied is a bucket with the content of another.
func copied(t testing.TB, from *Bucket) *Bucket {
	t.Helper()
	b := bucket(t)
	if err := os.CopyFS(b.dir, os.DirFS(from.dir)); err != nil {
		t.Fatal(err)
	}
	return b
}

func reader(t testing.TB, o ReaderOptions) *Reader {
	t.Helper()
	o.Names = names
	r, err := NewReader(o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func stage(t testing.TB, o Options) *Stage {
	t.Helper()
	o.Names, o.Group, o.Logger, o.Meter, o.Poll = names, "archive", slog.New(slog.DiscardHandler), noop.Meter{}, time.Millisecond
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// held is a partition of a group that the test controls.
type held struct {
	id        int
	mu        sync.Mutex
	committed int64
	refuse    error
	moved     chan int64 // gets each commit, where it is not nil
}

func (h *held) ID() int { return h.id }

func (h *held) Committed() int64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.committed
}

func (h *held) Commit(_ context.Context, next int64) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.refuse != nil {
		return h.refuse
	}
	h.committed = next
	if h.moved != nil {
		h.moved <- next
	}
	return nil
}

// archived runs a stage's writer of actions over a partition until it has
// committed what is whole by the log's clock.
func archived(t testing.TB, k *kafka, b *Bucket, partition int, committed, until int64) *held {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	h := &held{id: partition, committed: committed, moved: make(chan int64)}
	s := stage(t, Options{Bus: k, Bucket: b})
	w := &writer[topics.Recognition]{Stage: s, codec: actionsCodec(), name: names.Of(topics.Actions)}
	done := make(chan error, 1)
	go func() { done <- w.partition(ctx, h) }()
	for until > 0 {
		select {
		case next := <-h.moved:
			if next >= until {
				stop()
				until = 0
			}
		case err := <-done:
			t.Fatalf("the writer ended before offset %d was committed: %v", until, err)
		}
	}
	stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	return h
}

// listed are a bucket's segments of a topic.
func listed(t testing.TB, b *Bucket, topic topics.Topic) []Segment {
	t.Helper()
	all, err := b.segments(t.Context(), topic, time.Time{}, farFuture, nil)
	if err != nil {
		t.Fatal(err)
	}
	return all
}
