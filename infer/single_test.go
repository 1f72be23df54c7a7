package infer

import (
	"image/color"
	"reflect"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/media"
	"github.com/frostwatch/frostwatch/topics"
)

// A clip that is recognised by itself has the record that the stage makes of it, but for what
// depends on a vocabulary; one that can't be decoded has none.
func TestAClipRecognisedByItself(t *testing.T) {
	t.Parallel()
	r := newRig(t, 1)
	value := wideClip(t, "lobby", 0, time.Now(), zoomOf(jpegOf(t, 16, 16, color.White)), topics.ViewCentre, topics.ViewTiles, topics.ViewZoom)
	r.send("lobby", value)
	m := r.model("first")
	m.brightAndDark(t)
	runUntil(t, r.options(m.recogniser()), func() bool { return len(r.read(topics.Actions)) == 1 })
	want := r.recognitions()["lobby"][0]
	decoder, err := media.NewClipDecoder(media.NewFrameCache(1 << 20))
	if err != nil {
		t.Fatal(err)
	}
	defer decoder.Close()
	c, err := topics.DecodeClip(value)
	if err != nil {
		t.Fatal(err)
	}
	broken := c
	broken.Frames = append([]topics.ClipFrame(nil), c.Frames...)
	for i := range broken.Frames {
		broken.Frames[i].JPEG = []byte("no picture")
	}
	alone := r.model("first") // that of the stage is closed
	alone.brightAndDark(t)
	defer func() { _ = alone.Close() }()
	s := Single{Model: alone, Frames: fakeFrames, Side: fakeSide, Decoder: decoder}
	got, err := s.Recognise(t.Context(), []Placed{{Clip: broken}, {Clip: c, At: want.Clip}, {Clip: broken}})
	if err != nil || len(got) != 3 || got[0] != nil || got[2] != nil || got[1] == nil {
		t.Fatalf("%v, %v", got, err)
	}
	want.Labels, want.Background, want.Timings, want.Vocab, want.References = nil, 0, topics.Timings{}, topics.VocabRef{}, nil
	for i := range want.Views {
		want.Views[i].Logit = 0
	}
	got[1].Tags = want.Tags // none, in two ways
	if !reflect.DeepEqual(*got[1], want) {
		t.Errorf("by itself\n%+v\nin the stage\n%+v", *got[1], want)
	}
}
