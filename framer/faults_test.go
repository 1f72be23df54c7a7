package framer

import (
	"bytes"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/media"
	"github.com/frostwatch/frostwatch/topics"
)

// show gives the stream a second of frames, each made by picture.
func (f *film) show(from, seconds int, picture func(i int) []byte) {
	f.t.Helper()
	for i := from * 15; i < (from+seconds)*15; i++ {
		err := f.s.Frame(f.t.Context(), &media.Frame{
			PTS: f.at(i), Until: f.at(i) + tick, Arrived: f.start.Add(f.at(i)), Width: f.width, Height: f.height,
			RGB: func(dst []byte) ([]byte, error) { return append(dst[:0], picture(i)...), nil },
		})
		if err != nil {
			f.t.Fatal(err)
		}
	}
}

func TestPicturesThatAreOfNoUseAreNoticed(t *testing.T) {
	s, _ := testStream(t, &clips{}, nil)
	f := newFilm(t, s)
	grey := func(level byte) []byte { return bytes.Repeat([]byte{level}, f.width*f.height*3) }
	changing := func(i int) []byte {
		p := grey(90)
		p[i%len(p)]++ // one pixel, as noise of a sensor would
		return p
	}
	still := func(int) []byte { return grey(90) }
	dark := func(i int) []byte { // noise in the dark, and a lamp that is too small to count
		p := grey(byte(5 + i%3))
		copy(p[300:], bytes.Repeat([]byte{255}, 10*3)) // ten pixels of 2,304
		return p
	}
	dusk := func(i int) []byte { return grey(byte(30 + i%3)) }
	if s.Picture() != nil {
		t.Error("known before the first picture")
	}
	second := func(n int) time.Time { return f.start.Add(time.Duration(n) * time.Second) }
	near := func(what string, got time.Time, want int) {
		t.Helper()
		if d := got.Sub(second(want)); d < 0 || d > time.Second {
			t.Errorf("%s since %v, want %v", what, got, second(want))
		}
	}
	f.show(0, 20, changing)
	if p := s.Picture(); p == nil || *p != (topics.PictureFaults{}) {
		t.Errorf("one pixel changes: %+v", p)
	}
	f.show(20, 9, still)
	if p := s.Picture(); *p != (topics.PictureFaults{}) {
		t.Errorf("frozen after 9 s: %+v", p)
	}
	f.show(29, 4, still)
	near("frozen", s.Picture().FrozenSince, 20)
	f.show(33, 15, dark)
	if p := s.Picture(); !p.FrozenSince.IsZero() {
		t.Errorf("frozen while noise changes: %+v", p)
	}
	near("black", s.Picture().BlackSince, 33)
	f.show(48, 15, dusk)
	if p := s.Picture(); *p != (topics.PictureFaults{}) {
		t.Errorf("at dusk: %+v", p)
	}
	f.show(63, 15, dark)
	s.Connected(media.StreamInfo{})
	f.show(78, 5, dark)
	if p := s.Picture(); p != nil {
		t.Errorf("it was black, and is after 5 s of the next connection: %+v", p)
	}
	f.show(83, 10, dark)
	near("black", s.Picture().BlackSince, 78)
	s.Connected(media.StreamInfo{})
	f.show(93, 5, still)
	if p := s.Picture(); p != nil {
		t.Errorf("nothing has changed for 5 s of the next connection: %+v", p)
	}
	f.show(98, 2, changing)
	if p := s.Picture(); p == nil || *p != (topics.PictureFaults{}) {
		t.Errorf("then it changes: %+v", p)
	}
}
