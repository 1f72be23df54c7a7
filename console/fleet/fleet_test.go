package fleet_test

import (
	"encoding/json"
	"log/slog"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/console/fleet"
	"github.com/frostwatch/frostwatch/internal/kafkatest"
	"github.com/frostwatch/frostwatch/topics"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var names = topics.Names{Prefix: topics.DefaultPrefix}

// tables writes records into the tables, some of them long ago.
type tables struct {
	t *testing.T
	*bus.Client
}

func newTables(t *testing.T) tables {
	t.Helper()
	broker := kafkatest.StartEmbedded(t)
	c, err := bus.New(bus.Options{Brokers: []string{broker.Addr()}, ClientID: "test", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	specs := bus.TopicSpecs(names, 2, 1)
	for _, s := range specs {
		delete(s.Config, "message.timestamp.type") // records of long ago are wanted
	}
	if err := c.Ensure(t.Context(), specs); err != nil {
		t.Fatal(err)
	}
	return tables{t, c}
}

func (x tables) put(to topics.Topic, key string, value []byte, err error, at time.Time) {
	x.t.Helper()
	if err == nil {
		_, err = x.Send(x.t.Context(), bus.Message{Topic: names.Of(to), Key: []byte(key), Value: value, Time: at})
	}
	if err != nil {
		x.t.Fatal(err)
	}
}

func (x tables) worker(w topics.Worker, at time.Time) {
	x.t.Helper()
	w.At = at
	value, err := topics.EncodeWorker(w)
	x.put(topics.Workers, w.Name, value, err, at)
}

func (x tables) camera(name, worker string, state topics.StreamState, reason string, at time.Time) {
	x.t.Helper()
	value, err := topics.EncodeCamera(topics.Camera{Name: name, URL: "rtsp://u:hunter2@h/" + name})
	x.put(topics.Cameras, name, value, err, at)
	value, err = topics.EncodeStatus(topics.StreamStatus{Camera: name, State: state, Reason: reason, Since: at, Worker: worker})
	x.put(topics.Status, name, value, err, at)
}

func TestFleetIsReadFromTheTables(t *testing.T) {
	x := newTables(t)
	now := time.Now()
	ingest := map[string]topics.WorkerStage{"ingest": {Partitions: []int{0, 1}}}
	x.worker(topics.Worker{Name: "a-1", Version: "v1\x1b[31m", Stages: ingest, Warnings: map[string]string{"camera b": "no route", "backlog": "grows"}, Data: &topics.DataRoom{Bytes: 29e6, Bound: 50e9}}, now)
	x.worker(topics.Worker{Name: "i-1", Stages: map[string]topics.WorkerStage{"infer": {Partitions: []int{0}, Lag: 70, Late: 33}}, Problems: map[string]string{"kafka": "away"}}, now)
	lost := map[string]topics.WorkerStage{"ingest": {Partitions: []int{1, 2}}}
	x.worker(topics.Worker{Name: "dead-1", Stages: lost}, now.Add(-time.Minute))
	x.worker(topics.Worker{Name: "dead-2", Stages: ingest}, now.Add(-time.Minute)) // a-1 holds what it held
	x.worker(topics.Worker{Name: "old-1", Stages: ingest}, now.Add(-48*time.Hour))
	x.put(topics.Workers, "forged\x1b[2J", []byte("{"), nil, now)
	x.worker(topics.Worker{Name: "empty"}, now)
	x.worker(topics.Worker{Name: "cook", Stages: map[string]topics.WorkerStage{"kitchen\x1b[2J": {}}}, now)
	x.worker(topics.Worker{Name: "future", Stages: ingest}, now.Add(48*time.Hour))
	value, err := topics.EncodeWorker(topics.Worker{Name: "ahead", Stages: ingest, At: now})
	x.put(topics.Workers, "ahead", value, err, now.Add(48*time.Hour))
	value, err = topics.EncodeWorker(topics.Worker{Name: "a-1", Stages: ingest, At: now})
	x.put(topics.Workers, "another", value, err, now)
	x.camera("a", "a-1", topics.StreamStreaming, "", now)
	x.camera("b", "a-1", topics.StreamWaiting, "no route to host", now)
	x.camera("c", "dead-1", topics.StreamStreaming, "", now.Add(-time.Hour))
	alert := topics.Alert{
		ID: topics.AlertID("fall", "a-1-2"), State: topics.AlertRaised, Rule: "fall", Severity: "critical", Camera: "a", Label: "falling",
		Onset: now.Add(-time.Minute), At: now, OnsetClip: "a-1-2", Clip: "a-1-2", Model: "m", Vocab: topics.VocabRef{Name: "default", Version: "v"},
	}
	value, err = topics.EncodeAlert(alert)
	x.put(topics.OpenAlerts, "a/fall", value, err, now)
	x.put(topics.OpenAlerts, "b/fall", value, nil, now) // of another key than its own
	alert.ID, alert.Rule, alert.Camera, alert.Cameras = topics.AlertID("crowd", "b-1-2"), "crowd", "hall", []string{"b", "hall"}
	value, err = topics.EncodeAlert(alert)
	x.put(topics.OpenAlerts, "/crowd", value, err, now)

	for stage, want := range map[string]bool{"ingest": true, "calibrate": false, "kitchen": false} {
		if runs, err := fleet.Runs(t.Context(), x.Client, names, stage); err != nil || runs != want {
			t.Errorf("%s runs: %v, %v", stage, runs, err)
		}
	}
	f, err := fleet.Read(t.Context(), x.Client, names)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := f.Print(&b); err != nil {
		t.Fatal(err)
	}
	shown := b.String()
	for _, want := range []string{
		"a-1 alive ingest 2 0 0s v1 [31m",
		"i-1 not ready infer 1 70 33s -",
		"dead-1 gone for 1m0s ingest",
		"The data directory of a-1 takes 29 MB of the 50.0 GB of --size.",
		"dead-2 gone for 1m0s ingest",
		"a streaming",
		"b waiting",
		"a fall critical falling 1m0s", "hall crowd critical falling 1m0s",
		"- no worker runs alerts what to do: start a worker of alerts",
		"- worker dead-1 gone since",
		"- worker i-1 can't work: kafka: away",
		"- infer on i-1 falls behind: 33 s late, records waiting: 70 what to do: add workers of infer",
		"- worker a-1: backlog: grows",
		"- camera b: waiting: no route to host",
		"- camera c: state unknown: its worker dead-1",
		"- the record of worker forged [2J can't be read: decode worker: ",
		"- the record of worker empty can't be read: decode worker: it runs no stage",
		`- the record of worker cook can't be read: decode worker: stage "kitchen\x1b[2J": want 1 to 32 lower-case letters`,
		"- the record of worker future can't be read: it is from the future",
		"- the record of worker ahead can't be read: it is from the future",
		`- the record of worker another can't be read: its name is "a-1"`,
	} {
		// However long the test took to get here.
		text := regexp.MustCompile(`\b1m\d+s`).ReplaceAllString(strings.Join(strings.Fields(shown), " "), "1m0s")
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, shown)
		}
	}
	for _, not := range []string{"hunter2", "\x1b", "old-1", "empty alive", "future alive", "cook alive", "no worker runs ingest", "a-1: camera b", "worker dead-2"} {
		if strings.Contains(shown, not) {
			t.Errorf("%q is in\n%s", not, shown)
		}
	}
	if len(f.Open) != 2 {
		t.Errorf("open alerts %+v", f.Open)
	}
	raw, err := json.Marshal(f)
	if err != nil || !strings.Contains(string(raw), `"worker":"a-1","alive":true`) {
		t.Errorf("%v: %s", err, raw)
	}
}

func TestAnEmptyFleetSaysWhatIsMissing(t *testing.T) {
	x := newTables(t)
	f, err := fleet.Read(t.Context(), x.Client, names)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := f.Print(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"No workers.", "No cameras", "No open alerts.", "no worker runs infer"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is not in\n%s", want, b.String())
		}
	}
	raw, err := json.Marshal(f)
	if err != nil || !strings.Contains(string(raw), `"workers":[],"cameras":[],"open_alerts":[]`) {
		t.Errorf("%v: %s", err, raw)
	}
}
