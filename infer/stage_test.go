package infer

import (
	"context"
	"image/color"
	"strings"
	"testing"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/internal/stagetest"
	"github.com/frostwatch/frostwatch/scoring"
	"github.com/frostwatch/frostwatch/topics"
)

// With a real model, broker and vocabulary: order, dead letters, traces, and what a
// second worker does after the first.
func TestStage(t *testing.T) {
	t.Parallel()
	r := newRig(t, 2)
	now := time.Now()
	good := jpegOf(t, 48, 32, color.RGBA{200, 100, 50, 255})
	const each = 12
	for n := range each {
		for _, camera := range []string{"a", "b", "c"} {
			r.send(camera, clipOf(t, camera, n, good, now))
		}
		if n == 3 {
			r.send("a", []byte("no clip"))
			r.send("b", clipOf(t, "b", 50, []byte("no JPEG"), now))
			r.send("c", clipOf(t, "c", 51, jpegOf(t, 64, 64, color.White), now))
			r.send("a", clipOf(t, "a", 52, jpegOf(t, 48, 32, color.Gray{9}), now))
			r.send("b", clipOf(t, "b", 53, good, now), topics.HeaderQueued, "3600000") // too old
		}
	}
	model := demoModel(t)
	d := model.Bundle().Dims
	o := r.options(Recogniser{
		Model: model, Vocabulary: fixed{matrixOf(t, model)}, Frames: d.Frames, Side: d.ImageSize, Close: func() error { return nil },
	})
	spans := tracetest.NewSpanRecorder()
	o.Tracer = sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans)).Tracer("test")
	runUntil(t, o, func() bool {
		return len(r.read(topics.Actions)) >= 3*each && len(r.read(topics.DeadLetter)) >= 4
	})
	r.wantEach(map[string]int{"a": each, "b": each, "c": each})
	for _, m := range r.read(topics.Actions) {
		rec, err := topics.DecodeRecognition(m.Value)
		if err != nil {
			t.Fatal(err)
		}
		if len(rec.Labels) != 2 || rec.Vocab.Version == "" || rec.Model != model.ID() || rec.LogitScale != float64(model.LogitScale()) {
			t.Errorf("recognition %+v", rec)
		}
		if trace := (bus.HeaderCarrier{Headers: &m.Headers}).Get("traceparent"); !strings.Contains(trace, clipTrace) {
			t.Errorf("the trace is broken: %q", trace)
		}
	}
	for _, want := range []string{"decode clip", "read JPEG", "JPEG of 64x64 in a clip of 48x32", "not in colour"} {
		found := false
		for _, m := range r.read(topics.DeadLetter) {
			found = found || strings.Contains((bus.HeaderCarrier{Headers: &m.Headers}).Get(topics.HeaderReason), want)
		}
		if !found {
			t.Errorf("no dead letter says %q", want)
		}
	}
	checkLinks(t, spans.Ended(), 3*each)
	// What was committed is not read again.
	before := len(r.read(topics.Actions))
	r.send("a", clipOf(t, "a", 99, good, now))
	runUntil(t, r.options(r.model("second").recogniser()), func() bool { return len(r.read(topics.Actions)) > before })
	if after := len(r.read(topics.Actions)); after != before+1 {
		t.Errorf("%d recognitions of one new clip", after-before)
	}
}

type fixed struct{ *scoring.Matrix }

func (f fixed) Current() *scoring.Matrix { return f.Matrix }

func (f fixed) Of(context.Context, string) *scoring.Matrix { return f.Matrix }

func (f fixed) All() []*scoring.Matrix { return []*scoring.Matrix{f.Matrix} }

func (f fixed) Ready() <-chan struct{} { return closed() }

// checkLinks checks that every clip's span is linked to once, by the run that it was
// in.
func checkLinks(t *testing.T, spans []sdktrace.ReadOnlySpan, clips int) {
	t.Helper()
	linked := map[trace.SpanID]int{}
	for _, s := range spans {
		if s.Name() != "infer.batch" {
			continue
		}
		if s.SpanContext().TraceID().String() == clipTrace {
			t.Error("a run is in the trace of one of its clips")
		}
		for _, l := range s.Links() {
			if l.SpanContext.TraceID().String() != clipTrace {
				t.Errorf("a run links to trace %v", l.SpanContext.TraceID())
			}
			linked[l.SpanContext.SpanID()]++
		}
	}
	recognised := 0
	for _, s := range spans {
		if s.Name() == "infer.recognise" && linked[s.SpanContext().SpanID()] > 0 {
			recognised++
		}
	}
	if recognised != clips || len(linked) != clips {
		t.Errorf("runs link to %d spans, %d of them clips': want %d", len(linked), recognised, clips)
	}
}

// runUntil runs a stage until ok holds and then stops it without error.
func runUntil(t *testing.T, o Options, ok func() bool) {
	t.Helper()
	_, stop := start(t, o)
	stagetest.Await(t, "the stage to get on", ok)
	if err := stop(); err != nil {
		t.Error(err)
	}
}
