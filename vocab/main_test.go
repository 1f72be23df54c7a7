package vocab

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.opentelemetry.io/otel/metric/noop"
	"go.uber.org/goleak"

	"github.com/frostwatch/frostwatch/internal/redistest"
	"github.com/frostwatch/frostwatch/internal/telemetry"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patient is for what happens within a second on an idle machine.
const patient = 30 * time.Second

// set writes as redis-cli would: label, value, label, value, ...
func set(t *testing.T, s *redistest.Server, pairs ...string) {
	t.Helper()
	if err := s.Client.HSet(t.Context(), "f:vocab:default", pairs).Err(); err != nil {
		t.Fatal(err)
	}
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

// watched is a Watcher at work.
type watched struct {
	*Watcher
	log    *journal
	health chan error // what was reported last
	warned *atomic.Value
}

// warning is what was warned of last.
func (w *watched) warning() error { return w.warned.Load().(warned).error }

type warned struct{ error }

// reporter keeps the newest word in health.
type reporter struct {
	telemetry.Quiet
	health chan error
	warned *atomic.Value
}

func (r reporter) Warning(_ string, err error) { r.warned.Store(warned{err}) }

func (r reporter) Problem(part string, err error) {
	if part != "vocabulary" {
		return
	}
	select {
	case old := <-r.health:
		_ = old // overtaken
	default:
	}
	r.health <- err
}

func watch(t *testing.T, s *redistest.Server, poll time.Duration) *watched {
	t.Helper()
	out := &watched{log: &journal{}, health: make(chan error, 1), warned: &atomic.Value{}}
	w, err := NewWatcher(WatcherOptions{
		Client: s.Client, Prefix: "f:", Name: "default", Poll: poll,
		Logger: slog.New(slog.NewTextHandler(out.log, nil)), Meter: noop.NewMeterProvider().Meter(""), Reporter: reporter{health: out.health, warned: out.warned},
	})
	if err != nil {
		t.Fatal(err)
	}
	out.Watcher = w
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return out
}

// labels are the names in force, nil before the first vocabulary.
func (w *watched) labels() []string {
	v, _ := w.Current()
	if v == nil {
		return nil
	}
	names := []string{}
	for _, l := range v.Labels {
		names = append(names, l.Name)
	}
	return names
}

func (w *watched) awaitLabels(t *testing.T, want ...string) {
	t.Helper()
	await(t, fmt.Sprintf("labels %q", want), func() bool { got := w.labels(); return got != nil && slices.Equal(got, want) })
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
