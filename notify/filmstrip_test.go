package notify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image/jpeg"
	"testing"

	own "github.com/frostwatch/frostwatch/media/jpeg"
	"github.com/frostwatch/frostwatch/topics"
)

// A receiver that wants pictures has those of the alert's clip with its raise, and the
// alert without them where there are none; other receivers never have any.
func TestARaiseComesWithItsFilmstrip(t *testing.T) {
	b, h, plain := startBroker(t, 1), startHook(t), startHook(t)
	e, err := own.NewEncoder()
	if err != nil {
		t.Fatal(err)
	}
	picture, err := e.Encode(make([]byte, 3*64*48), 64, 48, 90, own.Full)
	if err != nil {
		t.Fatal(err)
	}
	b.evidence = func(_ context.Context, a topics.Alert) (topics.Clip, error) {
		if a.Camera != "ward-1" {
			return topics.Clip{}, errors.New("no longer kept")
		}
		return topics.Clip{ID: a.Clip, Width: 64, Height: 48, Frames: []topics.ClipFrame{{JPEG: picture}, {JPEG: picture}}}, nil
	}
	b.run(t, plan(t, fmt.Sprintf("- {name: seer, pictures: true, webhook: {url: %q, private: true}}\n- {name: plain, webhook: {url: %q, private: true}}\n", h.URL, plain.URL)), 1)
	seen, gone := alert("ward-1", 1, topics.AlertRaised), alert("lobby", 2, topics.AlertRaised)
	seen.Evidence, gone.Evidence = &topics.RecordRef{}, &topics.RecordRef{}
	cleared := seen
	cleared.State = topics.AlertCleared
	b.send(t, seen, gone, cleared)
	await(t, "delivery", func() bool { return len(h.accepted()) == 3 && len(plain.accepted()) == 3 })
	for i, n := range h.got {
		strip := n.Events[0].Filmstrip
		if i > 0 {
			if strip != nil {
				t.Errorf("%s has a filmstrip", n.Key())
			}
			continue
		}
		if size, err := jpeg.DecodeConfig(bytes.NewReader(strip)); err != nil || size.Width != 128 || size.Height != 48 {
			t.Errorf("filmstrip of %d bytes: %+v, %v", len(strip), size, err)
		}
	}
	for _, n := range plain.got {
		if n.Events[0].Filmstrip != nil {
			t.Errorf("%s has a filmstrip that nobody asked for", n.Key())
		}
	}
}
