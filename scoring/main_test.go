package scoring

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel/metric/noop"
	"go.uber.org/goleak"
	"golang.org/x/sync/errgroup"

	"github.com/frostwatch/frostwatch/internal/redistest"
	"github.com/frostwatch/frostwatch/internal/telemetry"
	"github.com/frostwatch/frostwatch/vocab"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	testDim = 8
	patient = 30 * time.Second // for what happens within a second on an idle machine
)

// set writes as redis-cli would: label, value, label, value, ...
func set(t *testing.T, s *redistest.Server, pairs ...string) {
	t.Helper()
	if err := s.Client.HSet(t.Context(), "f:vocab:default", pairs).Err(); err != nil {
		t.Fatal(err)
	}
}

// embedder gives each text a unit vector of its own.
type embedder struct {
	id    string // "": model
	mu    sync.Mutex
	asked []string
	gate  func(ctx context.Context, texts []string) error // called before each call's work
	bend  func(text string, v []float32) []float32
}

func (e *embedder) ID() string { return cmp.Or(e.id, "model") }
func (e *embedder) Dim() int   { return testDim }

func (e *embedder) EmbedLabels(ctx context.Context, texts []string) ([][]float32, []error, error) {
	if e.gate != nil {
		if err := e.gate(ctx, texts); err != nil {
			return nil, nil, err
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.asked = append(e.asked, texts...)
	vectors, problems := make([][]float32, len(texts)), make([]error, len(texts))
	for i, t := range texts {
		if strings.Contains(t, "endless") {
			problems[i] = errors.New("99 tokens: at most 77")
			continue
		}
		if vectors[i] = vectorOf(t); e.bend != nil {
			vectors[i] = e.bend(t, vectors[i])
		}
	}
	return vectors, problems, nil
}

// texts are those asked for since the last call, sorted.
func (e *embedder) texts() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	out := slices.Sorted(slices.Values(e.asked))
	e.asked = nil
	return out
}

func vectorOf(text string) []float32 {
	sum := sha256.Sum256([]byte(text))
	v := make([]float32, testDim)
	for i := range v {
		v[i] = float32(sum[i]) - 127.5
	}
	return unit(v)
}

func unit(v []float32) []float32 {
	norm := 0.0
	for _, x := range v {
		norm += float64(x) * float64(x)
	}
	out := make([]float32, len(v))
	for i, x := range v {
		out[i] = float32(float64(x) / math.Sqrt(norm))
	}
	return out
}

// journal keeps a log to look into.
type journal struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (j *journal) Write(b []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.buf.Write(b)
}

func (j *journal) count(text string) int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return strings.Count(j.buf.String(), text)
}

// setup is what tests vary.
type setup struct {
	Embedder    Embedder
	BaseClasses []string
	Poll        time.Duration
	OnEdit      func([]vocab.Change)
	OnWarning   func(part string, err error)
}

// watched is a Live at work, with its Watcher.
type watched struct {
	*Live
	log     *journal
	health  chan error // what was reported last of embeddings
	watcher chan error // and of the watcher
	stop    func()     // and wait for the end; once is enough
}

// reporter keeps the newest word in health.
type reporter struct {
	telemetry.Quiet
	part   string
	health chan error
	warn   func(part string, err error)
}

func (r reporter) Warning(part string, err error) {
	if r.warn != nil {
		r.warn(part, err)
	}
}

func (r reporter) Problem(part string, err error) {
	if part != r.part {
		return
	}
	select {
	case old := <-r.health:
		_ = old // overtaken
	default:
	}
	r.health <- err
}

func watch(t *testing.T, s *redistest.Server, o setup) *watched {
	t.Helper()
	out := &watched{log: &journal{}, health: make(chan error, 1), watcher: make(chan error, 1)}
	if o.Poll == 0 {
		o.Poll = quick
	}
	if o.Embedder == nil {
		o.Embedder = &embedder{}
	}
	log, meter := slog.New(slog.NewTextHandler(out.log, nil)), noop.NewMeterProvider().Meter("")
	watcher, err := vocab.NewWatcher(vocab.WatcherOptions{
		Client: s.Client, Prefix: "f:", Name: "default", Poll: o.Poll, Logger: log, Meter: meter,
		Reporter: reporter{part: "vocabulary", health: out.watcher},
	})
	if err != nil {
		t.Fatal(err)
	}
	embeddings, err := NewEmbeddings(EmbeddingsOptions{Client: s.Client, Prefix: "f:", Embedder: o.Embedder, Logger: log, Meter: meter})
	if err != nil {
		t.Fatal(err)
	}
	out.Live, err = NewLive(LiveOptions{
		Watcher: watcher, Embeddings: embeddings, BaseClasses: o.BaseClasses, OnEdit: o.OnEdit, Logger: log, Meter: meter,
		Reporter: reporter{part: "embeddings", health: out.health, warn: o.OnWarning},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var g errgroup.Group
	g.Go(func() error { return watcher.Run(ctx) })
	g.Go(func() error { return out.Run(ctx) })
	out.stop = sync.OnceFunc(func() {
		stop()
		if err := g.Wait(); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(out.stop)
	return out
}

// labels are the names in force, nil before the first vocabulary.
func (w *watched) labels() []string {
	m := w.Current()
	if m == nil {
		return nil
	}
	names := []string{}
	for _, l := range m.Labels() {
		names = append(names, l.Name)
	}
	return names
}

func (w *watched) awaitLabels(t *testing.T, want ...string) {
	t.Helper()
	await(t, fmt.Sprintf("labels %q", want), func() bool { return w.Current() != nil && slices.Equal(w.labels(), want) })
}

// awaitHealth waits until a step went as described: "" is well.
func (w *watched) awaitHealth(t *testing.T, want string) {
	t.Helper()
	awaitReport(t, w.health, want)
}

func (w *watched) awaitWatcher(t *testing.T, want string) {
	t.Helper()
	awaitReport(t, w.watcher, want)
}

func awaitReport(t *testing.T, reports <-chan error, want string) {
	t.Helper()
	deadline := time.After(patient)
	for {
		select {
		case err := <-reports:
			if want == "" && err == nil || want != "" && err != nil && strings.Contains(err.Error(), want) {
				return
			}
		case <-deadline:
			t.Fatalf("nothing was reported with %q", want)
		}
	}
}

func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(patient)
	for !holds() {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", patient, what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}
