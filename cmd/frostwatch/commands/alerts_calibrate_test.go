package commands

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/metric/noop"

	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/calibrate"
	"github.com/frostwatch/frostwatch/internal/kafkatest"
	"github.com/frostwatch/frostwatch/internal/redistest"
	"github.com/frostwatch/frostwatch/scoring"
	"github.com/frostwatch/frostwatch/topics"
)

// axes is a model for which a fall is like nothing else.
type axes struct{}

func (axes) texts() []string { return []string{"falling down", "an empty room", "a closed door"} }

// vector is what a text is embedded as, with a share of something else.
func (axes) vector(text string, more float64) []float32 {
	of := map[string][]float64{"falling down": {1, 0, 0}, "an empty room": {0, 1, 0}, "a closed door": {0, .6, .8}}[text]
	v := make([]float32, 4)
	for i := range of {
		v[i] = float32((1 - more) * of[i])
	}
	v[3] = float32(math.Sqrt(1 - (1-more)*(1-more)))
	return v
}

func (a axes) EmbedLabels(_ context.Context, texts []string) (vectors [][]float32, problems []error, err error) {
	for _, t := range texts {
		vectors = append(vectors, a.vector(t, 0))
	}
	return vectors, make([]error, len(texts)), nil
}
func (axes) ID() string { return "m" }
func (axes) Dim() int   { return 4 }

// recordedFalls are four days of a camera in an archive. Every three hours somebody
// falls, the first of them unseen; once a day something looks like it.
func recordedFalls(t *testing.T) (configuration string, falls []time.Time) {
	t.Helper()
	broker, redis := kafkatest.StartEmbedded(t), redistest.Start(t)
	b, err := bus.New(bus.Options{Brokers: []string{broker.Addr()}, ClientID: "test", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	if err := b.Ensure(t.Context(), bus.TopicSpecs(topics.Names{Prefix: "p."}, 1, 1)); err != nil {
		t.Fatal(err)
	}
	known, err := scoring.NewEmbeddings(scoring.EmbeddingsOptions{Client: redis.Client, Prefix: "f:", Embedder: axes{}, Logger: slog.New(slog.DiscardHandler), Meter: noop.Meter{}})
	if err != nil {
		t.Fatal(err)
	}
	vectors, _, err := known.Of(t.Context(), axes{}.texts()) // now they are cached
	if err != nil {
		t.Fatal(err)
	}
	refs, err := scoring.NewReferences(axes{}.texts()[1:], vectors)
	if err != nil {
		t.Fatal(err)
	}
	texts, err := json.Marshal(axes{}.texts()[1:])
	if err != nil {
		t.Fatal(err)
	}
	if err := redis.Client.Set(t.Context(), "f:references:"+refs.Hash(), texts, 0).Err(); err != nil {
		t.Fatal(err)
	}
	redis.HSet(t, "f:vocab:default", "falling down", "")
	epoch := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	var records []archive.Record[topics.Recognition]
	for start := epoch; start.Before(epoch.Add(4 * day)); start = start.Add(30 * time.Second) {
		text, more := "an empty room", 0.0
		switch at := start.Sub(epoch); {
		case at%(3*time.Hour) == time.Hour:
			text, more = "falling down", 0.1
			if len(falls) == 0 {
				text, more = "an empty room", 0
			}
			falls = append(falls, start)
		case at%day == 10*time.Hour+time.Minute:
			text, more = "falling down", 0.3
		}
		r := topics.Recognition{
			Camera: "ward-1", Epoch: epoch, Sequence: uint64(start.Sub(epoch) / (30 * time.Second)), Start: start, End: start.Add(30 * time.Second), ClipID: topics.ClipID("ward-1", epoch, start.Sub(epoch)),
			Model: "m", LogitScale: 10, Embedding: axes{}.vector(text, more), Vocab: topics.VocabRef{Name: "default", Version: "none"},
		}
		r.References = &topics.References{Hash: refs.Hash(), Logit: refs.Logit(r.Embedding, 10)}
		records = append(records, archive.Record[topics.Recognition]{Value: r, Time: r.End})
	}
	bucket, dir := (*archive.Bucket)(nil), t.TempDir()
	if bucket, err = archive.OpenBucket(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = bucket.Close() }()
	if _, err := bucket.Import(t.Context(), 0, 0, records); err != nil {
		t.Fatal(err)
	}
	configuration = filepath.Join(t.TempDir(), "pipeline.yaml")
	write(t, configuration, fmt.Sprintf("kafka: {brokers: [%q], prefix: p.}\nredis: {address: %q, prefix: \"f:\"}\narchive: {bucket: %q}\nrules:\n  - {name: fall, actions: [falling down], false_alarms: 1 per day}\n", broker.Addr(), redis.Client.Options().Addr, dir))
	return configuration, falls
}

// Misses, false alarms and the threshold come out as they were put in, as table, JSON
// and drawing, for labels and for rules; a wrong file is refused with its lines.
func TestCalibrateAgainstTruth(t *testing.T) {
	configuration, falls := recordedFalls(t)
	file := filepath.Join(t.TempDir(), "truth.csv")
	csv := func(column, name string, rows ...string) {
		text := "camera," + column + ",start,end\nward-1,watched,2026-03-01T00:00:00Z,2026-03-05T00:00:00Z\n"
		for _, at := range falls {
			text += fmt.Sprintf("ward-1,%s,%s,%s\n", name, at.Format(time.RFC3339), at.Add(10*time.Second).Format(time.RFC3339))
		}
		write(t, file, text+strings.Join(rows, "\n"))
	}
	run := func(args ...string) (string, bool) {
		return command(t, append([]string{"alerts", "calibrate", "--truth", file, "--config", configuration}, args...)...)
	}
	for column, name := range map[string]string{"label": "Falling down", "rule": "fall"} {
		csv(column, name)
		out, ok := run()
		if want := name; !ok || !strings.Contains(out, want) || !strings.Contains(strings.Join(strings.Fields(out), " "), " 32 4.00 1 per camera-day ") ||
			!strings.Contains(strings.Join(strings.Fields(out), " "), " 31 0.03 0.01 to 0.16 4 1.00 ") || !strings.Contains(out, name+": 0.1 false alarms per camera-day can't be measured on 4 camera-days: 30 are needed") {
			t.Errorf("%s:\n%s", column, out)
		}
	}
	svg := filepath.Join(t.TempDir(), "curve.svg")
	out, ok := run("--json", "--svg", svg)
	var got calibrate.Judged
	if err := json.Unmarshal([]byte(out), &got); !ok || err != nil || len(got.Subjects) != 1 {
		t.Fatalf("%v, %s", err, out)
	}
	if m := got.Subjects[0].Points[0].Measured; m == nil || m.Missed != 1 || m.FalseAlarms != 4 || m.Threshold <= 0.05 || m.Threshold >= 0.95 || got.Subjects[0].Points[1].Measured != nil {
		t.Errorf("%s", out)
	}
	if drawn, err := os.ReadFile(svg); err != nil || !strings.Contains(string(drawn), "32 cases, 4 camera-days") {
		t.Errorf("%v, %s", err, drawn)
	}
	for name, c := range map[string]struct {
		rows []string
		want string
	}{
		"a label":     {[]string{"ward-1,faling down,2026-03-01T10:00:00Z,2026-03-01T10:00:10Z"}, `line 35: label "faling down" is neither in the vocabulary nor in a rule: "falling down" may be meant`},
		"a camera":    {[]string{"ward-2,watched,2026-03-01T10:00:00Z,2026-03-01T10:10:00Z"}, "line 35: nothing is recorded of camera ward-2"},
		"times":       {[]string{"ward-1,falling down,10:00,11:00"}, `line 35: start "10:00": want RFC 3339`},
		"unwatched":   {[]string{"ward-1,falling down,2026-04-01T10:00:00Z,2026-04-01T10:00:10Z"}, "line 35: 2026-04-01T10:00:00Z to 2026-04-01T10:00:10Z is not all in the time of camera ward-1 that was watched"},
		"nothing yet": {[]string{"ward-1,watched,2026-04-01T10:00:00Z,2026-04-01T10:10:00Z"}, "line 35: nothing is recorded of camera ward-1 from 2026-04-01T10:00:00Z"},
	} {
		csv("label", "falling down", c.rows...)
		if out, ok := run(); ok || !strings.Contains(out, "--truth "+file+":\n"+c.want) {
			t.Errorf("%s: %s", name, out)
		}
	}
	falls = falls[:7]
	csv("label", "falling down")
	if out, ok := run(); ok || !strings.Contains(out, "falling down: 7 of the 20 cases that figures need") || !strings.Contains(out, "too few cases") {
		t.Errorf("few cases: %s", out)
	}
	for want, args := range map[string][]string{
		"--truth: want a CSV file":  {"alerts", "calibrate", "--config", configuration},
		"--truth: open":             {"alerts", "calibrate", "--config", configuration, "--truth", file + "x"},
		"its folder does not exist": {"alerts", "calibrate", "--config", configuration, "--truth", file, "--svg", filepath.Join(t.TempDir(), "x", "y")},
	} {
		if out, ok := command(t, args...); ok || !strings.Contains(out, want) {
			t.Errorf("%q: %s", args, out)
		}
	}
}
