package alerts

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/topics"
)

// publish sends alerts, each after the copy of its evidence and before its entry in
// the table of open alerts. rec is the recognition that led to them, nil where none
// did; a raise then has the position of its clip, if there is one.
func (w *worker) publish(ctx context.Context, alerts []topics.Alert, rec *topics.Recognition) error {
	clip := sync.OnceValues(func() (bus.Message, error) { return w.clip(ctx, rec.Clip, rec.ClipID, rec.Camera) })
	for _, a := range alerts {
		var err error
		switch {
		case a.State != topics.AlertRaised:
			a.Evidence = w.open[a.ID].Evidence
		case rec != nil:
			a.Evidence, err = w.keepEvidence(ctx, a, clip)
		case a.Evidence != nil:
			ref := *a.Evidence
			a.Evidence, err = w.keepEvidence(ctx, a, func() (bus.Message, error) { return w.clip(ctx, ref, a.Clip, a.Camera) })
		}
		if err == nil {
			err = w.send(ctx, a)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// send publishes one alert. One that no record can carry, or that Kafka refuses for
// good, is logged and passed over: it must not stop the alerts of other cameras.
func (w *worker) send(ctx context.Context, a topics.Alert) error {
	value, err := topics.EncodeAlert(a)
	if err != nil {
		w.Logger.ErrorContext(ctx, "alert not published", "rule", a.Rule, "camera", a.Camera, "error", err)
		return nil
	}
	msg := bus.Message{Topic: w.Names.Of(topics.Alerts), Key: []byte(a.Key()), Value: value,
		Headers: []bus.Header{{Key: "content-type", Value: []byte(topics.ContentType)}}}
	w.Propagator.Inject(ctx, bus.HeaderCarrier{Headers: &msg.Headers})
	_, err = w.p.Send(ctx, msg)
	if bus.RecordRefused(err) {
		w.Logger.ErrorContext(ctx, "alert not published", "id", a.ID, "error", err)
		return nil
	}
	if err != nil {
		return fmt.Errorf("publish alert %s: %w", a.ID, err)
	}
	w.metrics.publish(ctx, a.Rule, a.State, 1)
	w.metrics.latency.Record(ctx, w.Now().Sub(a.At).Seconds())
	w.log(ctx, a)
	w.note(a)
	return w.list(ctx, a)
}

func (w *worker) log(ctx context.Context, a topics.Alert) {
	fields := []any{"id", a.ID, "state", a.State, "rule", a.Rule, "camera", a.Camera, "label", a.Label}
	if a.Score > 0 {
		fields = append(fields, "score", a.Score)
	}
	if a.Reason != "" {
		fields = append(fields, "reason", a.Reason)
	}
	w.Logger.InfoContext(ctx, "alert", fields...)
}

// note keeps the alerts that are open, as they were raised, with the severity that
// they have now.
func (w *worker) note(a topics.Alert) {
	was, open := w.open[a.ID]
	if open {
		w.counted.add(was, -1)
	}
	switch {
	case a.State == topics.AlertRaised:
		w.open[a.ID] = a
	case a.State != topics.AlertEscalated:
		delete(w.open, a.ID)
	case open:
		was.Severity = a.Severity
		w.open[a.ID] = was
	}
	if now, open := w.open[a.ID]; open {
		w.counted.add(now, 1)
	}
}

// keepEvidence copies the clip of an alert to the topic evidence, under the alert's
// id, since clips are deleted after a day. It returns the position of the copy; nil,
// and a line in the log, where there is no clip to copy or Kafka refuses it.
func (w *worker) keepEvidence(ctx context.Context, a topics.Alert, clip func() (bus.Message, error)) (*topics.RecordRef, error) {
	m, err := clip()
	if err == nil {
		var at []topics.RecordRef
		at, err = w.p.Send(ctx, bus.Message{
			Topic: w.Names.Of(topics.Evidence), Key: []byte(a.ID), PartitionBy: []byte(a.Camera), Value: m.Value, Headers: m.Headers,
		})
		if err == nil {
			return &at[0], nil
		}
		if errors.Is(err, bus.ErrMoved) || !bus.Permanent(err) {
			return nil, fmt.Errorf("keep evidence of alert %s: %w", a.ID, err)
		}
	}
	w.Logger.WarnContext(ctx, "alert without evidence", "id", a.ID, "error", err)
	return nil, nil
}

// clipTime bounds how long an alert waits for its clip.
const clipTime = 5 * time.Second

// clip reads the clip of that id and camera. The position comes from a record, so what
// it points at is checked.
func (w *worker) clip(ctx context.Context, ref topics.RecordRef, id, camera string) (bus.Message, error) {
	if want := w.Names.Of(topics.Clips); ref.Topic != want {
		return bus.Message{}, fmt.Errorf("its position is on topic %q: want %q", ref.Topic, want)
	}
	ctx, cancel := context.WithTimeout(ctx, clipTime)
	defer cancel()
	m, err := w.Bus.FetchOne(ctx, ref.Topic, ref.Partition, ref.Offset)
	if err != nil {
		return bus.Message{}, err
	}
	clip, err := topics.DecodeClip(m.Value)
	if err != nil {
		return bus.Message{}, err
	}
	if clip.ID != id || clip.Camera != camera {
		return bus.Message{}, fmt.Errorf("record %s/%d at %d is clip %q of camera %q: want %q of %q",
			ref.Topic, ref.Partition, ref.Offset, clip.ID, clip.Camera, id, camera)
	}
	return m, nil
}
