package e2e

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/internal/kafkatest"
	"github.com/frostwatch/frostwatch/notify"
	"github.com/frostwatch/frostwatch/topics"
)

// trial is how hard the stage is tried. `make trial-notify` is the whole of it, on a real
// broker: a thousand alerts in a minute (docs/benchmarks.md). What every run of the tests
// has is as many in less time.
type trial struct {
	over        time.Duration // in which the alerts happen
	kills       int
	least, most time.Duration // between two
	flaky       time.Duration // for which the receiver is up, and then down
	until       time.Duration // from then on it is up
}

const trialAlerts, trialCameras = 1000, 20

// A receiver that is down half of the time, one that is not, and a stage that is killed
// (SIGKILL) again and again: each alert is delivered to each receiver at least once, what
// is delivered again has the same key, and each camera's are in order. A camera that is
// silenced meanwhile has the one delivered that is open when the silence ends, and only
// that.
func TestNothingIsLostIfNotifyIsKilled(t *testing.T) {
	t.Parallel() // it mostly waits
	how := trial{8 * time.Second, 2, 2 * time.Second, 6 * time.Second, 2 * time.Second, 10 * time.Second}
	if os.Getenv("FROSTWATCH_TRIAL") != "" {
		how = trial{time.Minute, 6, 3 * time.Second, 16 * time.Second, 5 * time.Second, 2 * time.Minute}
	}
	// Not the embedded broker: it waits for ever for a member that was killed while it joined.
	addr := kafkatest.StartKafka(t).Addr()
	c, err := bus.New(bus.Options{Brokers: []string{addr}, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	names := topics.Names{Prefix: "trial."}
	if err := c.Ensure(t.Context(), bus.TopicSpecs(names, 4, 1)); err != nil {
		t.Fatal(err)
	}
	flaky, sound := startReceiver(t, how.flaky, how.until), startReceiver(t, 1, 0)
	file := filepath.Join(t.TempDir(), "pipeline.yaml")
	text := fmt.Sprintf("kafka: {brokers: [%q], prefix: trial., partitions: 4}\nhttp: {listen: \"127.0.0.1:0\"}\nnotify:\n  receivers:\n    - {name: flaky, webhook: {url: %q, private: true, timeout: 1s}}\n    - {name: sound, webhook: {url: %q, private: true}}\n", addr, flaky.URL, sound.URL)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	stage := start(t, "notify", "--config", file)
	awaitGroups(t, c, names)

	begun := time.Now()
	want := make(chan []string, 1)
	go func() { want <- happen(t, c, names, how.over) }()
	for range how.kills {
		time.Sleep(how.least + rand.N(how.most-how.least)) // at any moment
		if err := stage.cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		<-stage.ended
		stage = start(t, "notify", "--config", file)
	}
	all := <-want
	for name, r := range map[string]*receiver{"flaky": flaky, "sound": sound} {
		await(t, "delivery to "+name, 2*time.Minute, func() bool { return len(first(r.got())) >= len(all) })
		got := first(r.got())
		if len(got) != len(all) {
			t.Errorf("%s: %d events, want %d", name, len(got), len(all))
		}
		for camera := range trialCameras + 1 {
			is, should := ofCamera(got, camera), ofCamera(all, camera)
			if !slices.Equal(is, should) {
				t.Errorf("%s: camera %d: %q, want %q", name, camera, is, should)
			}
		}
		t.Logf("%s: %d deliveries of %d events, %v after the first", name, len(r.got()), len(all), time.Since(begun).Round(time.Second))
	}
	stage.stop(t)
}

// happen raises and clears alerts, with one camera silenced for most of the time, and
// returns the keys that are to be delivered.
func happen(t *testing.T, c *bus.Client, names topics.Names, over time.Duration) (want []string) {
	send := func(camera string, n int, state topics.AlertState) string {
		clip := fmt.Sprintf("%s-%d", camera, n)
		a := topics.Alert{ID: topics.AlertID("fall", clip), State: state, Rule: "fall", Severity: "warning", Camera: camera, Label: "falling", Measure: "contrast",
			Contrast: .9, Threshold: .5, Onset: time.Now(), At: time.Now(), OnsetClip: clip, Clip: clip, Model: "m", Vocab: topics.VocabRef{Name: "default", Version: "v"}}
		value, err := topics.EncodeAlert(a)
		if err == nil {
			_, err = c.Send(t.Context(), bus.Message{Topic: names.Of(topics.Alerts), Key: []byte(camera), Value: value})
		}
		if err != nil {
			t.Error(err)
		}
		return a.EventID()
	}
	table := notify.OpenSilences(c, names)
	silence, err := table.Add(t.Context(), topics.Silence{Choice: topics.Choice{Cameras: []string{"quiet"}}, At: time.Now().Add(-time.Second), Until: time.Now().Add(time.Hour)})
	if err != nil {
		t.Error(err)
	}
	for n := range trialAlerts {
		camera := fmt.Sprintf("camera-%d", n%trialCameras)
		want = append(want, send(camera, n, topics.AlertRaised), send(camera, n, topics.AlertCleared))
		switch {
		case n == trialAlerts/2:
			want = append(want, send("quiet", n, topics.AlertRaised)) // it stays open
		case n < trialAlerts*3/4 && n%50 == 0:
			send("quiet", n, topics.AlertRaised)
			send("quiet", n, topics.AlertCleared)
		case n == trialAlerts*3/4:
			if err := table.Lift(t.Context(), silence, time.Now()); err != nil {
				t.Error(err)
			}
		}
		time.Sleep(over / trialAlerts)
	}
	return want
}

func ofCamera(keys []string, camera int) (out []string) {
	name := fmt.Sprintf("fall/camera-%d-", camera)
	if camera == trialCameras {
		name = "fall/quiet-"
	}
	for _, key := range keys {
		if strings.HasPrefix(key, name) {
			out = append(out, key)
		}
	}
	return out
}

// first are the keys as a receiver sees them that ignores those which it has seen.
func first(keys []string) (out []string) {
	seen := map[string]bool{}
	for _, k := range keys {
		if !seen[k] {
			out = append(out, k)
		}
		seen[k] = true
	}
	return out
}

// awaitGroups waits until both receivers' groups have said where they begin.
func awaitGroups(t *testing.T, c *bus.Client, names topics.Names) {
	t.Helper()
	for _, name := range []string{"flaky", "sound"} {
		await(t, "the group of "+name, time.Minute, func() bool {
			at, err := c.CommittedOffsets(t.Context(), notify.GroupOf(names.Group("frostwatch-notify"), name), names.Of(topics.Alerts))
			return err == nil && len(at) == 4
		})
	}
}

// receiver is a web server that is down half of the time: it refuses, says nothing, or
// hangs up, also after it has taken what it was sent.
type receiver struct {
	*httptest.Server
	begun time.Time
	every time.Duration // for which it is up, and then down
	until time.Duration // from then on it is up

	mu   sync.Mutex
	keys []string
}

func startReceiver(t *testing.T, every, until time.Duration) *receiver {
	r := &receiver{begun: time.Now(), every: every, until: until}
	r.Server = httptest.NewServer(http.HandlerFunc(r.serve))
	t.Cleanup(r.Close)
	return r
}

// serve takes what it accepts before it answers.
func (r *receiver) serve(w http.ResponseWriter, req *http.Request) {
	var n notify.Notification
	err := json.NewDecoder(req.Body).Decode(&n)
	down := time.Since(r.begun) < r.until && time.Since(r.begun)/r.every%2 == 1
	how := rand.IntN(4)
	if err == nil && (!down || how == 0) {
		r.mu.Lock()
		for _, e := range n.Events {
			r.keys = append(r.keys, e.Key)
		}
		r.mu.Unlock()
	}
	switch {
	case !down:
	case how == 1:
		w.WriteHeader(http.StatusServiceUnavailable)
	case how == 2:
		<-req.Context().Done()
	default:
		panic(http.ErrAbortHandler) // hangs up
	}
}

func (r *receiver) got() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.keys)
}
