package ingest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/ingest/pipe"
	"github.com/frostwatch/frostwatch/internal/telemetry"
	"github.com/frostwatch/frostwatch/topics"
)

// noBus is that of a process that reads cameras: its worker has the leases.
type noBus struct{}

var errNoBus = errors.New("a process that reads cameras does not reach Kafka")

func (noBus) Consume(context.Context, bus.GroupOptions, func(context.Context, *bus.Partition) error) error {
	return errNoBus
}

func (noBus) Send(context.Context, ...bus.Message) ([]topics.RecordRef, error) { return nil, errNoBus }

func (noBus) Replay(context.Context, string, int, int64, int64, func(bus.Message) error) error {
	return errNoBus
}

func (noBus) PartitionOf(context.Context, string, []byte) (int, error) { return 0, errNoBus }

// statusPartition is where a process's board posts its cameras' statuses. The worker adds
// the generation.
type statusPartition struct{ conn *pipe.Conn }

func (statusPartition) ID() int                             { return 0 }
func (statusPartition) Generation() int                     { return 0 }
func (statusPartition) Committed() int64                    { return 0 }
func (statusPartition) Commit(context.Context, int64) error { return errNoBus }

func (statusPartition) ReadToEnd(context.Context, int64, func(bus.Message) error) error {
	return errNoBus
}

func (statusPartition) Fetch(context.Context) (bus.Message, error) { return bus.Message{}, errNoBus }

func (p statusPartition) Send(ctx context.Context, msgs ...bus.Message) ([]topics.RecordRef, error) {
	for _, m := range msgs {
		if len(m.Value) == 0 {
			continue // the worker removes statuses itself
		}
		if err := p.conn.Post(ctx, pipe.Message{Kind: pipe.Status, Body: m.Value}); err != nil {
			return nil, err
		}
	}
	return make([]topics.RecordRef, len(msgs)), nil
}

// remoteReporter reports to the worker. Of problems the process has none: whether clips
// get through is judged by the worker, over all processes.
type remoteReporter struct {
	telemetry.Quiet
	conn *pipe.Conn
}

func (r remoteReporter) Warning(part string, err error) { r.put("", part, err) }

func (r remoteReporter) Incident(part string, err error) { r.put(reportIncident, part, err) }

func (r remoteReporter) put(what, part string, err error) {
	m := pipe.Message{Kind: pipe.Report, What: what, Part: part}
	if err != nil {
		m.Error = err.Error()
	}
	r.conn.Put(m)
}

// remoteKeep keeps films by the worker, since it alone reaches the bucket.
type remoteKeep struct{ conn *pipe.Conn }

func (k remoteKeep) HasFilm(ctx context.Context, alert string) (bool, error) {
	answer, err := k.call(ctx, pipe.Message{Kind: pipe.HasFilm, Text: alert})
	return answer.Has, err
}

func (k remoteKeep) PutFilm(ctx context.Context, alert, path string) error {
	_, err := k.call(ctx, pipe.Message{Kind: pipe.PutFilm, Text: alert, Part: path})
	return err
}

func (k remoteKeep) call(ctx context.Context, m pipe.Message) (pipe.Message, error) {
	answer, err := k.conn.Call(ctx, m)
	if err == nil && answer.Error != "" {
		err = errors.New(answer.Error)
	}
	return answer, err
}

// openTable is the table of open alerts as the worker passes it on.
type openTable struct {
	log *slog.Logger

	mu    sync.Mutex
	rows  map[string]bus.Message // not yet taken, the newest of each key
	order []string
	read  []error
	fed   chan struct{} // holds one
}

func newOpenTable() *openTable {
	return &openTable{rows: map[string]bus.Message{}, fed: make(chan struct{}, 1)}
}

func (t *openTable) put(m bus.Message) {
	t.mu.Lock()
	defer t.mu.Unlock()
	key := string(m.Key)
	if _, waits := t.rows[key]; !waits {
		t.order = append(t.order, key)
	}
	t.rows[key] = m
	t.wake()
}

func (t *openTable) trend(text string) {
	var err error
	if text != "" {
		err = errors.New(text)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.read = append(t.read[:min(len(t.read), 1)], err)
	t.wake()
}

func (t *openTable) wake() {
	select {
	case t.fed <- struct{}{}:
	default:
	}
}

// Keep is that of Table.
func (t *openTable) Keep(ctx context.Context, take func(bus.Message) error, read func(error)) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.fed:
		}
		t.mu.Lock()
		rows, order, errs := t.rows, t.order, t.read
		t.rows, t.order, t.read = map[string]bus.Message{}, nil, nil
		t.mu.Unlock()
		for _, key := range order {
			if err := take(rows[key]); err != nil {
				t.log.WarnContext(ctx, "a record of the table of open alerts is skipped", "key", key, "error", err)
			}
		}
		for _, err := range errs {
			read(err)
		}
	}
}

// lineHandler logs by the worker.
type lineHandler struct {
	conn  *pipe.Conn
	level slog.Level
	attrs []pipe.Attr
	group string
}

// Enabled is that of slog.Handler.
func (h lineHandler) Enabled(_ context.Context, level slog.Level) bool { return level >= h.level }

// Handle is that of slog.Handler.
func (h lineHandler) Handle(_ context.Context, r slog.Record) error {
	l := pipe.Line{Time: r.Time, Level: int(r.Level), Text: r.Message, Attrs: append([]pipe.Attr{}, h.attrs...)}
	r.Attrs(func(a slog.Attr) bool {
		l.Attrs = append(l.Attrs, h.attr(a))
		return true
	})
	h.conn.Put(pipe.Message{Kind: pipe.Log, Line: &l})
	return nil
}

// WithAttrs is that of slog.Handler.
func (h lineHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	out := h
	out.attrs = append([]pipe.Attr{}, h.attrs...)
	for _, a := range attrs {
		out.attrs = append(out.attrs, h.attr(a))
	}
	return out
}

// WithGroup is that of slog.Handler.
func (h lineHandler) WithGroup(name string) slog.Handler {
	h.group += name + "."
	return h
}

func (h lineHandler) attr(a slog.Attr) pipe.Attr {
	v := a.Value.Resolve()
	out := pipe.Attr{Key: h.group + a.Key}
	switch v.Kind() {
	case slog.KindBool, slog.KindInt64, slog.KindUint64, slog.KindFloat64:
		out.Value = v.Any()
	default:
		if texts, are := v.Any().([]string); are {
			out.Value = texts
		} else if err, is := v.Any().(error); is {
			out.Value = err.Error()
		} else {
			out.Value = fmt.Sprint(v.Any())
		}
	}
	return out
}
