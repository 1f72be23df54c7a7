package archive

import (
	"errors"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

func TestClipsAndEvidence(t *testing.T) {
	k := newKafka(1, "t.clips", "t.evidence")
	c := topics.Clip{ID: "a", Camera: "lobby", Epoch: hour, Start: time.Second, Window: time.Second, Width: 8, Height: 8, Frames: []topics.ClipFrame{{JPEG: []byte("x"), Captured: hour}}}
	value, err := topics.EncodeClip(c)
	if err != nil {
		t.Fatal(err)
	}
	clip := k.add("t.clips", 0, hour.Add(3*time.Second), value)
	k.add("t.evidence", 0, hour.Add(4*time.Second), value)
	kept := k.add("t.evidence", 0, hour.Add(4*time.Second), value)
	k.parts["t.evidence"][0][kept].Key = []byte("x")
	k.first["t.evidence"][0] = kept
	r := reader(t, ReaderOptions{Log: k, Bucket: bucket(t)})
	n := 0
	if _, err := r.Clips(t.Context(), Range{Since: hour, Until: hour.Add(time.Minute)}, func(r Record[topics.Clip]) error {
		if r.Value.ID == "a" && r.At.Offset == clip {
			n++
		}
		return nil
	}); err != nil || n != 1 {
		t.Errorf("%d clips, %v", n, err)
	}
	a := topics.Alert{ID: "x", Camera: "lobby", Evidence: &topics.RecordRef{Topic: "t.evidence", Offset: kept}}
	if got, err := r.Evidence(t.Context(), a); err != nil || got.ID != "a" {
		t.Errorf("evidence %+v, %v", got, err)
	}
	at := func(topic string, offset int64) *topics.RecordRef {
		return &topics.RecordRef{Topic: topic, Offset: offset}
	}
	for name, c := range map[string]struct {
		alert topics.Alert
		gone  bool
	}{
		"none":              {topics.Alert{ID: "x", Camera: "lobby"}, false},
		"of another camera": {topics.Alert{ID: "x", Camera: "door", Evidence: a.Evidence}, false},
		"of another alert":  {topics.Alert{ID: "y", Camera: "lobby", Evidence: a.Evidence}, false},
		"of another topic":  {topics.Alert{ID: "x", Camera: "lobby", Evidence: at("__consumer_offsets", 0)}, false},
		"of no partition":   {topics.Alert{ID: "x", Camera: "lobby", Evidence: &topics.RecordRef{Topic: "t.evidence", Partition: 99}}, false},
		"deleted by age":    {topics.Alert{ID: "x", Camera: "lobby", Evidence: at("t.evidence", 0)}, true},
		"never there":       {topics.Alert{ID: "x", Camera: "lobby", Evidence: at("t.evidence", 99)}, true},
	} {
		if _, err := r.Evidence(t.Context(), c.alert); err == nil || errors.Is(err, ErrGone) != c.gone {
			t.Errorf("%s: %v", name, err)
		}
	}
	// Alerts of older versions point at the clip itself.
	if got, err := r.Evidence(t.Context(), topics.Alert{ID: "x", Camera: "lobby", Evidence: at("t.clips", clip)}); err != nil || got.ID != "a" {
		t.Errorf("evidence of an older version: %+v, %v", got, err)
	}
}
