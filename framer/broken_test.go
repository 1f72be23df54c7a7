package framer

import (
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/media"
)

// A stream of which no clip can be made says why, until one is made.
func TestABrokenVideoSaysWhyItGivesNoClip(t *testing.T) {
	s, _ := testStream(t, &clips{}, nil)
	f := newFilm(t, s)
	want := func(text string) {
		t.Helper()
		if got := s.Broken(); got != text {
			t.Errorf("got %q, want %q", got, text)
		}
	}
	f.run(0, 45, 0) // 3 s
	want("")        // not yet
	f.run(105, 150, 0)
	want("its video broke off after 3s (no frame for 4.07s), and a clip takes 4.267s without a break")
	f.run(150, 170, 0) // enough for a clip
	want("")
	f.run(230, 240, 0) // a break after a clip
	want("")
	s.Disconnected("gone")
	want("its video broke off after 670ms (not connected), and a clip takes 4.267s without a break")
	s.Connected(media.StreamInfo{})
	f.start = f.start.Add(time.Minute)
	f.run(0, 75, 0)
	want("")
}
