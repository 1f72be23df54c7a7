package process

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/internal/kafkatest"
	"github.com/frostwatch/frostwatch/topics"
)

// What a process says of itself is on the table of workers, also what came to be
// wrong a moment ago, and is gone with the process.
func TestWorkersRecord(t *testing.T) {
	broker := kafkatest.StartEmbedded(t)
	r := newRig(t, broker.Addr(), "alerts")
	r.stages = []string{"alerts"}
	stop := r.run(t, Part{Name: "alerts", Run: func(ctx context.Context) error { <-ctx.Done(); return nil }})
	other := newRig(t, broker.Addr())
	defer func() { _ = other.Close(context.Background()) }()
	find := func() (w topics.Worker, ok bool) {
		all, err := other.Bus.Table(other.Names.Of(topics.Workers)).List(t.Context())
		if err != nil {
			return w, false
		}
		m, ok := all[r.worker]
		if !ok {
			return w, false
		}
		if w, err = topics.DecodeWorker(m.Value); err != nil {
			t.Fatal(err)
		}
		return w, true
	}
	await(t, "the record", func() bool { w, ok := find(); return ok && len(w.Problems) == 0 })
	w, _ := find()
	if _, has := w.Stages["alerts"]; !has || w.Version != "test" || w.Started.IsZero() || time.Since(w.At) > time.Minute {
		t.Errorf("got %+v", w)
	}
	r.reporter.Problem("alerts", errors.New("no rules"))
	await(t, "the problem", func() bool { w, ok := find(); return ok && w.Problems["alerts"] == "no rules" })
	if err := stop(); err != nil {
		t.Error(err)
	}
	if _, ok := find(); ok {
		t.Error("the record outlives the process")
	}
}
