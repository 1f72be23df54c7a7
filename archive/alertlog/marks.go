package alertlog

import (
	"context"
	"fmt"
	"time"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/topics"
)

// NewMark is what a person says of an alert.
func (v View) NewMark(isTrue bool, now time.Time) topics.Mark {
	m := topics.Mark{
		Alert: v.ID, Camera: v.Camera, Rule: v.Rule, Label: v.Label, True: isTrue,
		Contrast: v.Contrast, Score: v.Score, Onset: v.Onset, At: now,
	}
	if v.ClearedAt != nil {
		m.Ended = *v.ClearedAt
	}
	if v.Absent { // its values say nothing of alerts about what was seen
		m.Contrast, m.Score = 0, 0
	}
	return m
}

// PutMarks writes marks, each to the partition of its camera; a later mark of an alert
// replaces an earlier one. The positions are in the order of the marks.
func (l *Log) PutMarks(ctx context.Context, marks ...topics.Mark) ([]topics.RecordRef, error) {
	var all []bus.Message
	for _, m := range marks {
		value, err := topics.EncodeMark(m)
		if err != nil {
			return nil, err
		}
		all = append(all, l.markOf(m, value))
	}
	return l.Bus.Send(ctx, all...)
}

// RemoveMarks takes marks back, as if they had not been made.
func (l *Log) RemoveMarks(ctx context.Context, marks ...topics.Mark) ([]topics.RecordRef, error) {
	var all []bus.Message
	for _, m := range marks {
		all = append(all, l.markOf(m, nil))
	}
	return l.Bus.Send(ctx, all...)
}

func (l *Log) markOf(m topics.Mark, value []byte) bus.Message {
	return bus.Message{Topic: l.Names.Of(topics.Marks), Key: []byte(m.Alert), PartitionBy: []byte(m.Camera), Value: value}
}

// Marks reads what people said of alerts, by alert.
func (l *Log) Marks(ctx context.Context) (map[string]topics.Mark, error) {
	listed, err := l.Bus.Table(l.Names.Of(topics.Marks)).List(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the marks: %w", err)
	}
	out := map[string]topics.Mark{}
	for id, m := range listed {
		if mark, err := DecodeMark(m); err == nil && mark.Alert == id {
			out[id] = mark
		}
	}
	return out, nil
}

// DecodeMark reads a record of the table of marks; one under the key of another alert is
// an error.
func DecodeMark(m bus.Message) (topics.Mark, error) {
	mark, err := topics.DecodeMark(m.Value)
	if err == nil && mark.Alert != string(m.Key) {
		err = fmt.Errorf("decode mark: the record of key %.80q is of another alert", m.Key)
	}
	return mark, err
}

// Verdicts reads what second opinions said of alerts, by alert.
func (l *Log) Verdicts(ctx context.Context) (map[string]topics.Verdict, error) {
	listed, err := l.Bus.Table(l.Names.Of(topics.Verdicts)).List(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the verdicts: %w", err)
	}
	out := map[string]topics.Verdict{}
	for id, m := range listed {
		if v, err := topics.DecodeVerdict(m.Value); err == nil && v.Alert == id {
			out[id] = v
		}
	}
	return out, nil
}
