package notify

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel/propagation"
	sdk "go.opentelemetry.io/otel/sdk/metric"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/internal/kafkatest"
	"github.com/frostwatch/frostwatch/internal/stagetest"
	"github.com/frostwatch/frostwatch/topics"
)

var names = topics.Names{Prefix: topics.DefaultPrefix}

// plan compiles the text of notify.receivers.
func plan(t testing.TB, text string) *Plan {
	t.Helper()
	raw, err := config.RawOf("receivers", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	p, err := Compile(raw)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// alert is an alert of the rule "fall".
func alert(camera string, n int, state topics.AlertState) topics.Alert {
	clip := fmt.Sprintf("%s-%d", camera, n)
	return topics.Alert{
		ID: topics.AlertID("fall", clip), State: state, Rule: "fall", Severity: "warning", Camera: camera, Label: "person falling down",
		Measure: "contrast", Contrast: 0.93, Threshold: 0.6, Onset: noon, At: noon.Add(4 * time.Second), OnsetClip: clip, Clip: clip,
		Model: "m", Vocab: topics.VocabRef{Name: "default", Version: "v"},
	}
}

// broker is the embedded broker with the topics of the stage.
type broker struct {
	*bus.Client
	// Of stages that are run; may be nil.
	evidence func(context.Context, topics.Alert) (topics.Clip, error)
	verifier *Verifier
	films    Films
	headers  []bus.Header // of the alerts that are sent
}

func startBroker(t *testing.T, partitions int) broker {
	t.Helper()
	return startBrokerIn(t, t.TempDir(), partitions)
}

// startBrokerIn is startBroker with its files in a folder.
func startBrokerIn(t *testing.T, dir string, partitions int) broker {
	t.Helper()
	c, err := bus.New(bus.Options{Brokers: []string{kafkatest.StartEmbeddedIn(t, dir).Addr()}, ClientID: "test", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := c.Ensure(t.Context(), bus.TopicSpecs(names, partitions, 1)); err != nil {
		t.Fatal(err)
	}
	return broker{Client: c}
}

// send puts alerts on the topic, one after the other.
func (b broker) send(t testing.TB, all ...topics.Alert) {
	t.Helper()
	var msgs []bus.Message
	for _, a := range all {
		value, err := topics.EncodeAlert(a)
		if err != nil {
			t.Fatal(err)
		}
		msgs = append(msgs, bus.Message{Topic: names.Of(topics.Alerts), Key: []byte(a.Camera), Value: value, Headers: b.headers})
	}
	if _, err := b.Send(t.Context(), msgs...); err != nil {
		t.Fatal(err)
	}
}

// running is a stage that runs.
type running struct {
	*Stage
	reports *stagetest.Reports
	reader  *sdk.ManualReader
	stop    func()
	// stopping is closed when stop has been called.
	stopping <-chan struct{}
}

// run runs a stage until the test ends or stop is called, and waits until every receiver
// holds all partitions.
func (b broker) run(t *testing.T, p *Plan, partitions int) *running {
	t.Helper()
	return b.runAs(t, p, partitions, "worker-1")
}

// runAs is run of a worker by its name.
func (b broker) runAs(t *testing.T, p *Plan, partitions int, worker string) *running {
	t.Helper()
	r := &running{reports: stagetest.NewReports(), reader: sdk.NewManualReader()}
	var err error
	r.Stage, err = New(Options{
		Bus: b, Names: names, Group: "notify", Plan: p, Worker: worker, Evidence: b.evidence, Films: b.films, FilmLook: 10 * time.Millisecond, Verifier: b.verifier, Rest: 100 * time.Millisecond, Retry: 20 * time.Millisecond, Logger: slog.New(slog.DiscardHandler),
		Meter: sdk.NewMeterProvider(sdk.WithReader(r.reader)).Meter("test"), Reporter: r.reports, Propagator: propagation.TraceContext{},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	r.stopping = ctx.Done()
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	r.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(r.stop)
	r.awaitHeld(t, p, partitions)
	return r
}

// awaitHeld waits until every receiver's group has said where it begins.
func (r *running) awaitHeld(t *testing.T, p *Plan, partitions int) {
	t.Helper()
	await(t, "partitions", func() bool {
		for _, name := range p.Names() {
			if at, err := r.Bus.(broker).CommittedOffsets(t.Context(), GroupOf("notify", name), names.Of(topics.Alerts)); err != nil || len(at) < partitions {
				return false
			}
		}
		return true
	})
}

func await(t testing.TB, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("no %s after 2 minutes", what)
		}
	}
}

// hook is a web server that records what it accepts.
type hook struct {
	*httptest.Server
	mu     sync.Mutex
	got    []Notification
	heads  []http.Header
	bodies []string
	// answer decides on a request; nil: 200.
	answer func(n Notification) int
}

func startHook(t testing.TB) *hook {
	t.Helper()
	h := &hook{}
	h.Server = httptest.NewServer(http.HandlerFunc(h.serve))
	t.Cleanup(h.Close)
	return h
}

func (h *hook) serve(w http.ResponseWriter, r *http.Request) {
	var n Notification
	text, _ := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20)) // what is cut off is no JSON
	_ = json.Unmarshal(text, &n)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.answer != nil {
		if code := h.answer(n); code != http.StatusOK {
			w.WriteHeader(code)
			return
		}
	}
	h.got, h.heads, h.bodies = append(h.got, n), append(h.heads, r.Header.Clone()), append(h.bodies, string(text))
}

// received is how many notifications have come.
func (h *hook) received() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.bodies)
}

// accepted are the keys of the events accepted so far.
func (h *hook) accepted() (keys []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, n := range h.got {
		for _, e := range n.Events {
			keys = append(keys, e.Key)
		}
	}
	return keys
}
