//go:build !race

package demo_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/propagation"
	tracenoop "go.opentelemetry.io/otel/trace/noop"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/cmd/frostwatch/demo"
	"github.com/frostwatch/frostwatch/infer"
	"github.com/frostwatch/frostwatch/internal/kafkatest"
	"github.com/frostwatch/frostwatch/internal/stagetest"
	"github.com/frostwatch/frostwatch/topics"
)

// A rule on score stops raising when a synonym is added. Whoever adds it is warned: of
// which rule, and of its score before and after.
func TestAScoreThatSinksIsReported(t *testing.T) {
	const film, rule, raise = "corridor_fall", "fall-by-score", 0.7
	m := demoModel(t)
	words := watchVocabulary(t, m, demo.Vocabulary()...)
	recs := record(t, m, film, skip)
	// best is the highest score of the fall in the film now.
	best := func() (score float64) {
		for _, r := range words.score(recs, nil) {
			for _, l := range r.Labels {
				if l.Label == "falling down" {
					score = max(score, l.Score)
				}
			}
		}
		return score
	}
	w := startInfer(t, words, topics.WatchedLabels{Camera: film, Rule: rule, Labels: []string{"falling down"}, Score: raise})
	all, warning := clips(t, film, skip, m.Bundle().Dims.ImageSize), "score of rule "+rule
	last, before := len(all)-1, best()
	w.send(t, all[:last]...)
	stagetest.Await(t, "the recognitions", func() bool { return w.recognised(t) == last })
	if err := w.reports.WarningOf(warning); err != nil {
		t.Errorf("before any edit: %v", err)
	}
	words.edit(t, "someone falls over")
	after := best()
	w.send(t, all[last])
	w.reports.AwaitWarning(t, warning, fmt.Sprintf("%q on camera %s", "falling down", film))
	w.reports.AwaitWarning(t, warning, fmt.Sprintf("had a score of %.2f and has %.2f since the vocabulary was edited; the rule raises at %.2f", before, after, raise))
	if before < raise || after >= raise {
		t.Errorf("%.2f before and %.2f after: the rule raises as before, so the test says nothing", before, after)
	}
}

// worker is an infer stage on a broker of its own.
type worker struct {
	client  *bus.Client
	names   topics.Names
	reports *stagetest.Reports
}

// startInfer runs the stage until the test ends, with an entry of the table watched.
func startInfer(t *testing.T, words *live, watched topics.WatchedLabels) *worker {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	client, err := bus.New(bus.Options{Brokers: []string{kafkatest.StartEmbedded(t).Addr()}, ClientID: "test", Logger: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	w := &worker{client, topics.Names{Prefix: "t."}, stagetest.NewReports()}
	if err := client.Ensure(t.Context(), bus.TopicSpecs(w.names, 1, 1)); err != nil {
		t.Fatal(err)
	}
	value, err := topics.EncodeWatched(watched)
	if err != nil {
		t.Fatal(err)
	}
	table, d := client.Table(w.names.Of(topics.Watched)), words.model.Bundle().Dims
	if _, err := table.Put(t.Context(), topics.RuleKey(watched.Camera, watched.Rule), value, watched.Camera); err != nil {
		t.Fatal(err)
	}
	stage, err := infer.New(infer.Options{
		Bus: client, Names: w.names, Group: "infer", MaxBatch: 4, MaxWait: 20 * time.Millisecond, TopK: 3, Watched: table, Reporter: w.reports,
		First:  infer.Recogniser{Model: words.model, Vocabulary: words, Frames: d.Frames, Side: d.ImageSize, Close: func() error { return nil }},
		Logger: log, Meter: noop.NewMeterProvider().Meter("t"), Tracer: tracenoop.NewTracerProvider().Tracer("t"), Propagator: propagation.TraceContext{},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- stage.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return w
}

func (w *worker) send(t *testing.T, clips ...topics.Clip) {
	t.Helper()
	for _, c := range clips {
		value, err := topics.EncodeClip(c)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.client.Send(t.Context(), bus.Message{Topic: w.names.Of(topics.Clips), Key: []byte(c.Camera), Value: value}); err != nil {
			t.Fatal(err)
		}
	}
}

// recognised is how many clips have been.
func (w *worker) recognised(t *testing.T) (n int) {
	t.Helper()
	err := w.client.ReadAll(t.Context(), w.names.Of(topics.Actions), time.Time{}, false, func(bus.Message) error { n++; return nil })
	if err != nil {
		t.Fatal(err)
	}
	return n
}
