package commands

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel/metric/noop"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/internal/kafkatest"
	"github.com/frostwatch/frostwatch/internal/redistest"
	"github.com/frostwatch/frostwatch/internal/stagetest"
	"github.com/frostwatch/frostwatch/scoring"
	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

const servedDims = 64

// fakeModel is a text tower: each text has a unit vector of its own, and the texts of
// like have nearly that of another.
type fakeModel struct {
	like  map[string]string
	reads vocab.Reads // as it says of itself
}

func (fakeModel) ID() string { return "model" }
func (fakeModel) Dim() int   { return servedDims }

func (m fakeModel) Reads() vocab.Reads { return m.reads }

func (m fakeModel) EmbedLabels(_ context.Context, texts []string) ([][]float32, []error, error) {
	vectors, problems := make([][]float32, len(texts)), make([]error, len(texts))
	for i, t := range texts {
		if t == "endless" {
			problems[i] = errors.New("99 tokens: at most 77")
			continue
		}
		vectors[i] = m.vector(t)
	}
	return vectors, problems, nil
}

func (m fakeModel) vector(text string) []float32 {
	if other := m.like[text]; other != "" {
		return mixed(randomVector(other), randomVector(text), .1)
	}
	return randomVector(text)
}

func randomVector(text string) []float32 {
	seed := uint64(0)
	for _, b := range []byte(text) {
		seed = seed*131 + uint64(b)
	}
	random := rand.New(rand.NewPCG(seed, 7))
	v := make([]float32, servedDims)
	for i := range v {
		v[i] = float32(random.NormFloat64())
	}
	return mixed(v, v, 0)
}

// mixed is the unit vector of a and some of b.
func mixed(a, b []float32, some float64) []float32 {
	out, sum := make([]float32, len(a)), 0.0
	for i := range a {
		out[i] = a[i] + float32(some)*b[i]
		sum += float64(out[i]) * float64(out[i])
	}
	for i := range out {
		out[i] = float32(float64(out[i]) / math.Sqrt(sum))
	}
	return out
}

// served is a Kafka and a Redis with an infer worker, whose model is fake, and a
// configuration file for commands.
type served struct {
	file  string
	bus   *bus.Client
	names topics.Names
	redis *redistest.Server
	model fakeModel
	refs  *scoring.References
	stop  func() // ends the infer worker
}

// onBroker is a Kafka alone.
func onBroker(t *testing.T) *served {
	t.Helper()
	broker := kafkatest.StartEmbedded(t)
	b, err := bus.New(bus.Options{Brokers: []string{broker.Addr()}, ClientID: "test", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	s := &served{bus: b, names: topics.Names{Prefix: "s."}, file: filepath.Join(t.TempDir(), "pipeline.yaml")}
	specs := bus.TopicSpecs(s.names, 2, 1)
	for i := range specs {
		specs[i].Config = map[string]string{"message.timestamp.type": "CreateTime", "cleanup.policy": specs[i].Config["cleanup.policy"]}
	}
	if err := b.Ensure(t.Context(), specs); err != nil {
		t.Fatal(err)
	}
	write(t, s.file, fmt.Sprintf("kafka: {brokers: [%q], prefix: s.}\n", broker.Addr()))
	return s
}

// serve starts them. label, value, label, value, ... is the vocabulary.
func serve(t *testing.T, m fakeModel, pairs ...string) *served {
	t.Helper()
	s := onBroker(t)
	s.redis, s.model = redistest.Start(t), m
	write(t, s.file, readFile(t, s.file)+fmt.Sprintf("redis: {address: %q, prefix: \"f:\"}\n", s.redis.Addr))
	s.redis.HSet(t, "f:vocab:default", pairs...)
	s.infer(t)
	return s
}

// infer runs what an infer worker does for the vocabulary, until it has it in force.
func (s *served) infer(t *testing.T) {
	t.Helper()
	log, meter := slog.New(slog.DiscardHandler), noop.NewMeterProvider().Meter("")
	watcher, err := vocab.NewWatchers(vocab.WatcherOptions{Client: s.redis.Client, Prefix: "f:", Name: "default", Poll: 50 * time.Millisecond, Logger: log, Meter: meter})
	if err != nil {
		t.Fatal(err)
	}
	embeddings, err := scoring.NewEmbeddings(scoring.EmbeddingsOptions{Client: s.redis.Client, Prefix: "f:", Embedder: s.model, Logger: log, Meter: meter})
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	of := map[string][]float32{}
	for i := range 20 {
		text := fmt.Sprintf("everyday scene %d", i)
		texts, of[text] = append(texts, text), s.model.vector(text)
	}
	if s.refs, err = scoring.NewReferences(texts, of); err != nil {
		t.Fatal(err)
	}
	live, err := scoring.NewLive(scoring.LiveOptions{Vocabularies: watcher, Embeddings: embeddings, References: texts, Logger: log, Meter: meter})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var both sync.WaitGroup
	both.Go(func() { _ = watcher.Run(ctx) })
	both.Go(func() { _ = live.Run(ctx) })
	s.stop = sync.OnceFunc(func() {
		cancel()
		both.Wait()
	})
	t.Cleanup(s.stop)
	stagetest.Await(t, "the vocabulary", func() bool {
		force, err := vocab.NewStore(s.redis.Client, "f:").InForce(t.Context(), "default")
		return err == nil && len(force) == 1 && live.Current() != nil
	})
}

// show records what a camera shows, one clip each two seconds from a time on. A text
// stands for a clip that looks like it.
func (s *served) show(t *testing.T, camera string, from time.Time, texts ...string) (clips []string) {
	t.Helper()
	const stride, window = 2 * time.Second, 4 * time.Second
	var all []bus.Message
	for i, text := range texts {
		start := from.Add(time.Duration(i) * stride)
		noise := randomVector(fmt.Sprint(camera, i, text))
		r := topics.Recognition{
			ClipID: topics.ClipID(camera, from, start.Sub(from)), Camera: camera, Epoch: from, Sequence: uint64(i), Start: start, End: start.Add(window),
			Model: s.model.ID(), LogitScale: 12, Embedding: topics.Float16s(topics.AppendFloat16(nil, mixed(s.model.vector(text), noise, .15))),
		}
		r.References = &topics.References{Hash: s.refs.Hash(), Logit: s.refs.Logit(r.Embedding, 12)}
		clips = append(clips, r.ClipID)
		if i == 0 {
			clip := topics.Clip{ID: r.ClipID, Camera: camera, Epoch: from, Window: window, Width: 8, Height: 8}
			for j := range 8 {
				clip.Frames = append(clip.Frames, topics.ClipFrame{JPEG: fmt.Append(nil, "jpeg", j), Captured: start})
			}
			value, err := topics.EncodeClip(clip)
			if err != nil {
				t.Fatal(err)
			}
			r.Clip = s.send(t, topics.Clips, camera, value, r.End)
		}
		value, err := topics.EncodeRecognition(r)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, bus.Message{Topic: s.names.Of(topics.Actions), Key: []byte(camera), Value: value, Time: r.End})
	}
	if _, err := s.bus.Send(t.Context(), all...); err != nil {
		t.Fatal(err)
	}
	return clips
}

// send writes one record of a camera.
func (s *served) send(t *testing.T, topic topics.Topic, camera string, value []byte, at time.Time) topics.RecordRef {
	t.Helper()
	ref, err := s.bus.Send(t.Context(), bus.Message{Topic: s.names.Of(topic), Key: []byte(camera), Value: value, Time: at})
	if err != nil {
		t.Fatal(err)
	}
	return ref[0]
}

// alert writes the record of an alert.
func (s *served) alert(t *testing.T, a topics.Alert) {
	t.Helper()
	value, err := topics.EncodeAlert(a)
	if err != nil {
		t.Fatal(err)
	}
	s.send(t, topics.Alerts, a.Camera, value, a.At)
}

// run runs a command on it.
func (s *served) run(t *testing.T, args ...string) (out string, ok bool) {
	t.Helper()
	return command(t, append(args, "--config", s.file)...)
}

func times(n int, text string) []string {
	return strings.Split(strings.Repeat(text+"\n", n-1)+text, "\n")
}
