package commands

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"path/filepath"
	"testing"
	"time"

	"go.opentelemetry.io/otel/metric/noop"

	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/bus"
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
