package ingest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/ingest/pipe"
	"github.com/frostwatch/frostwatch/topics"
)

// receive takes what the process sends, until its end or what it must not send. It waits
// for nothing else.
func (v *visit) receive(ctx context.Context) error {
	for {
		m, err := v.conn.Receive()
		if err == nil {
			err = v.take(ctx, m)
		}
		if err != nil {
			return err
		}
	}
}

func (v *visit) take(ctx context.Context, m pipe.Message) error {
	switch m.Kind {
	case pipe.Clip:
		return v.call(ctx, m, v.publish)
	case pipe.HasFilm:
		return v.call(ctx, m, v.hasFilm)
	case pipe.PutFilm:
		return v.call(ctx, m, v.putFilm)
	case pipe.Cancel:
		v.seen.Lock()
		defer v.seen.Unlock()
		if cancel := v.calls[m.ID]; cancel != nil {
			cancel()
		}
		return nil
	case pipe.Status:
		return v.status(m)
	case pipe.Stopped:
		v.stopped(m.Run)
	case pipe.Log:
		v.log(ctx, m.Line)
	case pipe.Report:
		v.report(m)
	case pipe.Beat:
		v.pulsed(ctx, m)
	default:
		return protocol("a message of the kind %.20q", m.Kind)
	}
	return nil
}

// call does what the process asks for, beside all else.
func (v *visit) call(ctx context.Context, m pipe.Message, do func(context.Context, pipe.Message) pipe.Message) error {
	v.mu.Lock()
	most := 64 + 4*len(v.cameras)
	v.mu.Unlock()
	v.seen.Lock()
	defer v.seen.Unlock()
	if len(v.calls) >= most || v.calls[m.ID] != nil {
		return protocol("more calls than its cameras have")
	}
	ctx, cancel := context.WithCancel(ctx)
	v.calls[m.ID] = cancel
	v.tasks.Go(func() {
		answer := do(ctx, m)
		cancel()
		v.seen.Lock()
		delete(v.calls, m.ID)
		v.seen.Unlock()
		answer.Kind, answer.ID = pipe.Answer, m.ID
		v.conn.Put(answer)
	})
	return nil
}

// find is the camera of a run; nil: it is over.
func (v *visit) find(run uint64) *remote {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.cameras[run]
}

// publish sends a clip to Kafka, and makes its span.
func (v *visit) publish(ctx context.Context, m pipe.Message) (answer pipe.Message) {
	c := v.find(m.Run)
	if c == nil {
		return pipe.Message{Moved: true}
	}
	attrs := []attribute.KeyValue{attribute.String("camera", c.camera.Name)}
	if id, has := m.Span["clip"]; has {
		attrs = append(attrs, attribute.String("clip", topics.Clean(id)))
	}
	ctx, span := v.Tracer.Start(ctx, "framer.clip", trace.WithTimestamp(m.Since), trace.WithSpanKind(trace.SpanKindProducer), trace.WithAttributes(attrs...))
	defer span.End()
	out := bus.Message{Topic: v.Names.Of(topics.Clips), Key: []byte(c.camera.Name), Value: m.Body, Since: m.Since}
	v.Propagator.Inject(ctx, bus.HeaderCarrier{Headers: &out.Headers})
	if _, err := c.send(ctx, out); err != nil {
		span.SetStatus(codes.Error, err.Error())
		return pipe.Message{Error: err.Error(), Moved: errors.Is(err, bus.ErrMoved)}
	}
	return pipe.Message{}
}

func (v *visit) hasFilm(ctx context.Context, m pipe.Message) pipe.Message {
	if v.Films == nil {
		return pipe.Message{Error: "no films are kept"}
	}
	has, err := v.Films.Keep.HasFilm(ctx, m.Text)
	return failed(pipe.Message{Has: has}, err)
}

// putFilm stores a film that the process has made. It may only name one of those.
func (v *visit) putFilm(ctx context.Context, m pipe.Message) pipe.Message {
	if v.Films == nil {
		return pipe.Message{Error: "no films are kept"}
	}
	name, err := filepath.Rel(v.Films.Dir, m.Part)
	if made, _ := filepath.Match(filmsMade, name); err != nil || !made {
		return pipe.Message{Error: "a film that no process makes"}
	}
	return failed(pipe.Message{}, v.Films.Keep.PutFilm(ctx, m.Text, m.Part))
}

// filmsMade is where films are made, within the folder for packets.
const filmsMade = "worker-*/film-*.mp4"

func failed(m pipe.Message, err error) pipe.Message {
	if err != nil {
		m.Error = err.Error()
	}
	return m
}

func (v *visit) status(m pipe.Message) error {
	st, err := topics.DecodeStatus(m.Body)
	if err != nil {
		return fmt.Errorf("it sends a status: %w", err)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, c := range v.cameras {
		if c.camera.Name == st.Camera {
			c.took(st)
		}
	}
	return nil
}

// stopped takes the end of a camera.
func (v *visit) stopped(run uint64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	c := v.cameras[run]
	if c == nil {
		return
	}
	if c.moving && !c.ending {
		delete(v.cameras, run)
		c.process = nil
		c.was.delay, c.was.offline = 0, time.Time{}
		v.home(c)
		return
	}
	c.finish("")
}

// log passes on a line.
func (v *visit) log(ctx context.Context, l *pipe.Line) {
	const most = 32
	if l == nil || !v.Logger.Enabled(ctx, slog.Level(l.Level)) {
		return
	}
	r := slog.NewRecord(l.Time, slog.Level(l.Level), topics.Clean(l.Text), 0)
	for _, a := range l.Attrs[:min(len(l.Attrs), most)] {
		r.AddAttrs(slog.Any(topics.Clean(a.Key), a.Value))
	}
	_ = v.Logger.Handler().Handle(ctx, r) // as slog itself does
}

func (v *visit) report(m pipe.Message) {
	var err error
	if m.Error != "" {
		err = errors.New(topics.Clean(m.Error))
	}
	part := topics.Clean(m.Part)
	const most = 1000
	if m.What == reportIncident {
		v.Reporter.Incident(part, err)
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	switch {
	case err == nil:
		delete(v.parts, part)
	case len(v.parts) < most:
		v.parts[part] = true
	default:
		return
	}
	v.Reporter.Warning(part, err)
}

// reportIncident is the report of an incident; others are warnings.
const reportIncident = "incident"

// pulsed takes a sign of life, and what was counted.
func (v *visit) pulsed(ctx context.Context, m pipe.Message) {
	v.seen.Lock()
	v.beat = true
	v.seen.Unlock()
	if m.Tally != nil {
		v.Catalog.Add(ctx, *m.Tally)
	}
	if m.Pulse == nil {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.began.IsZero() {
		v.began = v.Now()
	}
	v.pulse = pipe.Pulse{Streaming: m.Pulse.Streaming, Stuck: m.Pulse.Stuck, Broken: m.Pulse.Broken}
	for run, vital := range m.Pulse.Cameras {
		if c := v.cameras[run]; c != nil {
			c.fps = vital.FPS
			if !vital.Counted.IsZero() {
				c.was.counted = vital.Counted
			}
		}
	}
}
