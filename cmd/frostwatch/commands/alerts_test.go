package commands

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"log/slog"

	"github.com/frostwatch/frostwatch/archive/alertlog"
	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/internal/kafkatest"
	"github.com/frostwatch/frostwatch/topics"
)

// alertLog is a Kafka with alerts: one that is cleared, with its evidence, one
// that is open, and one that has been open for two days.
func alertLog(t *testing.T) (configuration string, cleared topics.Alert) {
	t.Helper()
	broker := kafkatest.StartEmbedded(t)
	b, err := bus.New(bus.Options{Brokers: []string{broker.Addr()}, ClientID: "test", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	names := topics.Names{Prefix: "a."}
	if err := b.Ensure(t.Context(), bus.TopicSpecs(names, 3, 1)); err != nil {
		t.Fatal(err)
	}
	send := func(topic topics.Topic, key, camera string, value []byte) topics.RecordRef {
		t.Helper()
		at, err := b.Send(t.Context(), bus.Message{Topic: names.Of(topic), Key: []byte(key), PartitionBy: []byte(camera), Value: value})
		if err != nil {
			t.Fatal(err)
		}
		return at[0]
	}
	encode := func(a topics.Alert) []byte {
		t.Helper()
		value, err := topics.EncodeAlert(a)
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
	now := time.Now().UTC().Truncate(time.Millisecond)
	alert := func(rule, camera string, age time.Duration) topics.Alert {
		onset := now.Add(-age)
		clip := topics.ClipID(camera, onset, 0)
		return topics.Alert{ID: topics.AlertID(rule, clip), State: topics.AlertRaised, Rule: rule, Severity: "warning", Camera: camera,
			Label: "falling down", Score: .91, Onset: onset, At: onset.Add(4 * time.Second), OnsetClip: clip, Clip: clip}
	}
	zoomed := topics.Box{Left: .5, Top: .25, Width: .2, Height: .36}
	clip := topics.Clip{ID: "c", Camera: "ward-1", Epoch: now, Window: 4 * time.Second, Width: 8, Height: 8}
	for i := range 8 {
		clip.Frames = append(clip.Frames, topics.ClipFrame{JPEG: fmt.Append(nil, "jpeg", i), Captured: now})
	}
	clip.Views, clip.Zoom = []topics.View{topics.ViewCentre, topics.ViewZoom}, &topics.Zoom{Box: zoomed, Side: 224}
	for i := range 8 {
		clip.Zoom.JPEGs = append(clip.Zoom.JPEGs, []byte(fmt.Sprint("zoomed", i)))
	}
	value, err := topics.EncodeClip(clip)
	if err != nil {
		t.Fatal(err)
	}
	send(topics.Evidence, "other", "ward-1", []byte("of another alert"))
	cleared = alert("fall", "ward-1", time.Hour)
	cleared.View, cleared.Box = topics.ViewZoom, &zoomed
	at := send(topics.Evidence, cleared.ID, "ward-1", value)
	cleared.Evidence = &at
	open, old := alert("fence", "yard", time.Minute), alert("loiter", "yard", 48*time.Hour)
	end := cleared
	end.State, end.At, end.Reason = topics.AlertCleared, cleared.At.Add(time.Minute), "the score fell"
	crowd := alert("crowd", "hall", time.Hour) // of several cameras, and under another one
	crowd.Camera, crowd.Cameras = "yard", []string{"hall", "yard"}
	over := crowd
	over.State, over.At, over.Reason = topics.AlertCleared, crowd.At.Add(time.Minute), "fewer than 2 cameras within 30s"
	for _, a := range []topics.Alert{cleared, open, end, crowd, over} {
		send(topics.Alerts, a.Key(), a.Key(), encode(a))
	}

	for _, a := range []topics.Alert{open, old} {
		send(topics.OpenAlerts, a.Camera+"/"+a.Rule, a.Camera, encode(a))
	}
	configuration = filepath.Join(t.TempDir(), "pipeline.yaml")
	if err := os.WriteFile(configuration, fmt.Appendf(nil, "kafka:\n  brokers: [%q]\n  prefix: \"a.\"\n", broker.Addr()), 0o600); err != nil {
		t.Fatal(err)
	}
	return configuration, cleared
}

func TestAlertsCommands(t *testing.T) {
	file, cleared := alertLog(t)
	for _, c := range []struct {
		args         string
		want, absent string // both of one alert's rule; "! ": the command fails so
	}{
		{"ls", "fall  fence  loiter", ""},
		{"ls --open", "fence  loiter", "fall"},
		{"ls --camera ward-*", "fall", "fence  loiter"},
		{"ls --camera hall", "crowd", "fall  fence  loiter"},
		{"ls --camera yard", "crowd  fence  loiter", "fall"},
		{"show " + crowdOf(cleared), "fewer than 2 cameras within 30s  hall, yard  cleared, 1m4s", ""},
		{"ls --rule fence --json", "fence", "fall  loiter"},
		{"ls --camera [", "! --camera \"[\": want a name, or a glob such as ward-*", ""},
		{"ls --since 7d", "fall  fence  loiter", ""},
		{"ls now", "! ", ""},
		{"ls --camera nosuch", `no alerts: no camera matches "nosuch"`, "SINCE"},
		{"ls --rule nosuch", `no alerts: no rule matches "nosuch"`, "SINCE"},
		{"ls --since 1m --until 2m", "! --since 1m is not before --until 2m", "topic"},
		{"show nothing", "! no alert has the id \"nothing\"", ""},
		{"show " + cleared.ID, "cleared, 1m4s  the score fell  falling down, score 0.91  zoom: left 50%, top 25%, 20% wide, 36% high  a.evidence, partition", ""},
		{"show --json " + cleared.ID, `"cleared_at"  "reason": "the score fell"  "topic": "a.evidence"`, ""},
	} {
		args := append([]string{"alerts"}, strings.Fields(c.args)...)
		out, ok := command(t, append(args, "--config", file)...)
		want, fails := strings.CutPrefix(c.want, "! ")
		if ok == fails {
			t.Errorf("alerts %s: ended well: %v\n%s", c.args, ok, out)
		}
		for _, text := range strings.Split(want, "  ") {
			if !strings.Contains(out, text) {
				t.Errorf("alerts %s: %q is not in\n%s", c.args, text, out)
			}
		}
		for _, text := range strings.Fields(c.absent) {
			if strings.Contains(out, text+"/") {
				t.Errorf("alerts %s: %q is in\n%s", c.args, text, out)
			}
		}
	}
}

// crowdOf is the id of the alert of several cameras, which began with another one.
func crowdOf(cleared topics.Alert) string {
	return topics.AlertID("crowd", topics.ClipID("hall", cleared.Onset, 0))
}

func TestAnAlertsPicturesAreWritten(t *testing.T) {
	file, cleared := alertLog(t)
	dir := filepath.Join(t.TempDir(), "new", "folder")
	if out, ok := command(t, "alerts", "show", cleared.ID, "--out", dir, "--config", file); !ok {
		t.Fatal(out)
	}
	for i := range 8 {
		if b, err := os.ReadFile(filepath.Join(dir, fmt.Sprintf("frame-%d.jpg", i+1))); err != nil || string(b) != fmt.Sprint("jpeg", i) {
			t.Errorf("picture %d: %q, %v", i+1, b, err)
		}
	}
	if b, err := os.ReadFile(filepath.Join(dir, "zoom-8.jpg")); err != nil || string(b) != "zoomed7" {
		t.Errorf("the last picture of the zoom: %q, %v", b, err)
	}
	b, err := os.ReadFile(filepath.Join(dir, "alert.json"))
	var a topics.Alert
	if err != nil || json.Unmarshal(b, &a) != nil || a.ID != cleared.ID || a.State != topics.AlertCleared {
		t.Errorf("alert.json: %s, %v", b, err)
	}
	if out, ok := command(t, "alerts", "show", cleared.ID, "--out", dir, "--config", file); ok || !strings.Contains(out, "alert.json exists already: name another folder, or move it away") {
		t.Errorf("files are written over: %s", out)
	}
}

// Nothing from a record reaches the terminal raw, should decoding let it through.
func TestAlertsArePrintedWithoutControlCharacters(t *testing.T) {
	const raw = "a\x1b[2Jb"
	v := alertlog.View{Alert: topics.Alert{ID: raw, State: topics.AlertCleared, Rule: raw, Severity: raw, Camera: raw, Tags: []string{raw}, Label: raw,
		Novel: true, NearestBase: raw, Reason: raw, Model: raw, Vocab: topics.VocabRef{Name: raw, Version: raw}, Evidence: &topics.RecordRef{Topic: raw}}}
	var out strings.Builder
	for _, err := range []error{
		printAlerts(&out, []alertlog.View{v}, false), printAlerts(&out, []alertlog.View{v}, true),
		printAlert(&out, v, raw, nil, false), printAlert(&out, v, raw, errors.New(raw), false), printAlert(&out, v, raw, nil, true),
	} {
		if err != nil {
			t.Error(err)
		}
	}
	if text := out.String(); strings.Contains(text, "\x1b") || strings.Count(text, "[2J") < 20 {
		t.Errorf("printed %q", text)
	}
}

// What an alert's value is of is said beside it.
func TestAlertsAreListedWithTheirMeasure(t *testing.T) {
	var out strings.Builder
	if err := printAlerts(&out, []alertlog.View{
		{Alert: topics.Alert{ID: "a", Measure: "contrast", Contrast: .42, Score: .9}}, {Alert: topics.Alert{ID: "b", Score: .9}}, {Alert: topics.Alert{ID: "c"}},
	}, false); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"VALUE ", "contrast 0.42  -     a", "score 0.90     -     b", "-              -     c"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("printed\n%s, want %q", out.String(), want)
		}
	}
}
