package history

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"time"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/topics"
)

// Source is where a history is read.
type Source struct {
	Client *bus.Client
	Names  topics.Names
	Since  time.Time                // records before it are not read; zero: all
	Of     func(camera string) bool // which cameras the history is about
}

// Read reads all that is about the cameras: Clips, Recognitions, Alerts, Open and Dead.
func (s Source) Read(ctx context.Context) (h History, err error) {
	for _, part := range []struct {
		topic topics.Topic
		take  func(*History) func(bus.Message) error
	}{
		{topics.Clips, s.clips}, {topics.Actions, s.actions}, {topics.Alerts, s.alerts}, {topics.DeadLetter, s.dead},
	} {
		if err := s.Client.ReadAll(ctx, s.Names.Of(part.topic), s.Since, false, part.take(&h)); err != nil {
			return History{}, fmt.Errorf("read the history: %w", err)
		}
	}
	if h.Open, err = s.open(ctx); err != nil {
		return History{}, fmt.Errorf("read the history: %w", err)
	}
	return h, nil
}

func (s Source) clips(h *History) func(bus.Message) error {
	return func(m bus.Message) error {
		if !s.Of(string(m.Key)) {
			return nil
		}
		c, err := topics.DecodeClip(m.Value)
		if err != nil {
			return err
		}
		h.Clips = append(h.Clips, Clip{c.ID, RecordOf(m)})
		return nil
	}
}

func (s Source) actions(h *History) func(bus.Message) error {
	var generations bus.Generations
	return func(m bus.Message) error {
		if generations.Stale(m) || !s.Of(string(m.Key)) {
			return nil
		}
		r, err := topics.DecodeRecognition(m.Value)
		if err != nil {
			return err
		}
		h.Recognitions = append(h.Recognitions, RecognitionOf(RecordOf(m), r))
		return nil
	}
}

// RecognitionOf is a recognition as a history has it.
func RecognitionOf(at Record, r topics.Recognition) Recognition {
	sum := sum(r)
	r.Embedding, r.First, r.Last, r.Views = nil, nil, nil, nil
	return Recognition{Record: at, Recognition: r, Result: sum}
}

// sum is the hash of what was recognised, whatever the clip's name and time.
func sum(r topics.Recognition) (out [sha256.Size]byte) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	for _, v := range []any{r.Labels, r.Background, r.Embedding, r.First, r.Last} {
		_ = e.Encode(v) // they were decoded from JSON
	}
	return sha256.Sum256(b.Bytes())
}

func (s Source) alerts(h *History) func(bus.Message) error {
	var generations bus.Generations
	return func(m bus.Message) error {
		if generations.Stale(m) || !s.Of(string(m.Key)) {
			return nil
		}
		a, err := topics.DecodeAlert(m.Value)
		if err != nil {
			return err
		}
		h.Alerts = append(h.Alerts, Alert{RecordOf(m), a})
		return nil
	}
}

func (s Source) dead(h *History) func(bus.Message) error {
	return func(m bus.Message) error {
		if !s.Of(string(m.Key)) {
			return nil
		}
		reason := bus.HeaderCarrier{Headers: &m.Headers}.Get(topics.HeaderReason)
		id := fmt.Sprintf("%s/%d", m.Topic, m.Offset)
		if c, err := topics.DecodeClip(m.Value); err == nil {
			id = c.ID
		} else if r, err := topics.DecodeRecognition(m.Value); err == nil {
			id = "recognition of " + r.ClipID
		}
		h.Dead = append(h.Dead, Dead{id, reason})
		return nil
	}
}

func (s Source) open(ctx context.Context) (map[string]topics.Alert, error) {
	rows, err := s.Client.Table(s.Names.Of(topics.OpenAlerts)).List(ctx)
	if err != nil {
		return nil, err
	}
	out := map[string]topics.Alert{}
	for key, m := range rows {
		a, err := topics.DecodeOpenAlert(m.Key, m.Value)
		if err != nil {
			return nil, err
		}
		if s.Of(a.Camera) {
			out[key] = a
		}
	}
	return out, nil
}
