package vocab

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"go.opentelemetry.io/otel/metric/noop"
	"go.uber.org/goleak"

	"github.com/frostwatch/frostwatch/cmd/frostwatch/embedded"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	testDim = 8
	patient = 30 * time.Second // for what happens within a second on an idle machine
)

// server is a real redis-server that can be killed and started again.
type server struct {
	options embedded.RedisOptions
	running *embedded.Redis
	client  *redis.Client
}

func startRedis(t *testing.T) *server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	s := &server{options: embedded.RedisOptions{Dir: t.TempDir(), Port: port, Logger: slog.New(slog.DiscardHandler)}}
	s.start(t)
	t.Cleanup(func() { s.running.Close() })
	s.client = redis.NewClient(&redis.Options{Addr: s.running.Addr()})
	t.Cleanup(func() { _ = s.client.Close() })
	return s
}

func (s *server) start(t *testing.T) {
	t.Helper()
	running, err := embedded.StartRedis(t.Context(), s.options)
	if err != nil {
		t.Fatal(err)
	}
	s.running = running
}

// kill ends the server as a power cut would.
func (s *server) kill(t *testing.T) {
	t.Helper()
	info, err := s.client.InfoMap(t.Context(), "server").Result()
	if err != nil {
		t.Fatal(err)
	}
	var pid int
	if _, err := fmt.Sscan(info["Server"]["process_id"], &pid); err != nil || pid <= 1 {
		t.Fatalf("process id %q: %v", info["Server"]["process_id"], err)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-s.running.Done()
}

// set writes as redis-cli would: label, value, label, value, ...
func (s *server) set(t *testing.T, pairs ...string) {
	t.Helper()
	if err := s.client.HSet(t.Context(), "f:vocab:default", pairs).Err(); err != nil {
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

// watched is a watcher at work.
type watched struct {
	*Watcher
	log    *journal
	health chan error // what was told last
	stop   func()     // and wait for the end; once is enough
}

func watch(t *testing.T, s *server, o Options) *watched {
	t.Helper()
	out := &watched{log: &journal{}, health: make(chan error, 1)}
	o.Client, o.Prefix, o.Name = s.client, "f:", "default"
	o.Logger, o.Meter = slog.New(slog.NewTextHandler(out.log, nil)), noop.NewMeterProvider().Meter("")
	if o.Poll == 0 {
		o.Poll = 50 * time.Millisecond
	}
	if o.Embedder == nil {
		o.Embedder = &embedder{}
	}
	o.OnHealth = func(err error) {
		select {
		case old := <-out.health:
			_ = old // overtaken
		default:
		}
		out.health <- err
	}
	w, err := NewWatcher(o)
	if err != nil {
		t.Fatal(err)
	}
	out.Watcher = w
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx) }()
	out.stop = sync.OnceFunc(func() {
		stop()
		if err := <-ended; err != nil {
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

// awaitHealth waits until a look went as described: "" is well.
func (w *watched) awaitHealth(t *testing.T, want string) {
	t.Helper()
	deadline := time.After(patient)
	for {
		select {
		case err := <-w.health:
			if want == "" && err == nil || want != "" && err != nil && strings.Contains(err.Error(), want) {
				return
			}
		case <-deadline:
			t.Fatalf("no look ended with %q", want)
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
