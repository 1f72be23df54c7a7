package infer

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"slices"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/scoring"
	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

// wideClip is a clip of a dark picture of 64x36 with a bright strip at its left edge.
func wideClip(t *testing.T, camera string, n int, begun time.Time, zoom *topics.Zoom, views ...topics.View) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, 64, 36))
	for i := range 64 * 36 {
		img.Set(i%64, i/64, color.Black)
		if i%64 < 8 {
			img.Set(i%64, i/64, color.RGBA{220, 220, 220, 255})
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 95}); err != nil {
		t.Fatal(err)
	}
	c, err := topics.DecodeClip(clipOf(t, camera, n, b.Bytes(), begun))
	if err != nil {
		t.Fatal(err)
	}
	c.Width, c.Height, c.Views, c.Zoom = 64, 36, views, zoom
	out, err := topics.EncodeClip(c)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func zoomOf(picture []byte) *topics.Zoom {
	return &topics.Zoom{Box: topics.Box{Left: .4, Top: .3, Width: .25, Height: .45}, Side: 16, JPEGs: slices.Repeat([][]byte{picture}, fakeFrames)}
}

// brightAndDark is a vocabulary of what the fake model tells apart.
func (m *fakeModel) brightAndDark(t *testing.T) {
	t.Helper()
	var err error
	m.matrix, err = scoring.NewMatrix("default", []vocab.Label{{Name: "bright"}, {Name: "dark"}}, map[string][]float32{"bright": {1, 0, 0, 0}, "dark": {-1, 0, 0, 0}})
	if err != nil {
		t.Fatal(err)
	}
	m.signed = true
}

// What is at the edge of the picture is found in the tile that shows it, and the record
// says where. Clips of cameras with one view and with several are in one run.
func TestTheBestViewIsRecognised(t *testing.T) {
	t.Parallel()
	r := newRig(t, 1)
	now := time.Now()
	white := jpegOf(t, 16, 16, color.White)
	r.send("centre", wideClip(t, "centre", 0, now, nil))
	r.send("tiles", wideClip(t, "tiles", 0, now, nil, topics.ViewCentre, topics.ViewTiles))
	r.send("zoom", wideClip(t, "zoom", 0, now, zoomOf(white), topics.ViewCentre, topics.ViewZoom))
	r.send("quiet", wideClip(t, "quiet", 0, now, nil, topics.ViewCentre, topics.ViewZoom))
	m := r.model("first")
	m.brightAndDark(t)
	o := r.options(m.recogniser())
	o.MaxBatch, o.MaxWait = 16, time.Second
	runUntil(t, o, func() bool { return len(r.read(topics.Actions)) == 4 })
	got := r.recognitions()
	for camera, want := range map[string]struct {
		views  []topics.View
		bright topics.Box // where it is brightest
		score  float64    // of bright, at least
	}{
		"centre": {nil, topics.Box{}, 0},
		"quiet":  {[]topics.View{"centre"}, topics.Box{}, 0},
		"tiles":  {[]topics.View{"centre", "tiles", "tiles"}, topics.Box{Width: 16. / 28, Height: 1}, .99},
		"zoom":   {[]topics.View{"centre", "zoom"}, zoomOf(white).Box, .99},
	} {
		rec := got[camera][0]
		var views []topics.View
		for i, v := range rec.Views {
			views = append(views, v.View)
			if own := len(v.Embedding) > 0; own != (i > 0) {
				t.Errorf("%s: view %d has its own embedding: %v", camera, i, own)
			}
		}
		if !slices.Equal(views, want.views) {
			t.Errorf("%s: seen in %v, want %v", camera, views, want.views)
		}
		best := rec.Labels[slices.IndexFunc(rec.Labels, func(l topics.LabelScore) bool { return l.Label == "bright" })]
		if (best.Score > .9) != (want.score > 0) || best.Score < want.score {
			t.Errorf("%s: bright has a score of %v, want at least %v", camera, best.Score, want.score)
		}
		if seen := best.SeenIn(rec.Views); want.score > 0 && (seen == nil || seen.Box != want.bright || seen.Embedding[0] < .5) {
			t.Errorf("%s: it is bright in %+v, want %+v", camera, seen, want.bright)
		}
		if rec.Embedding[0] > -.9 {
			t.Errorf("%s: the record's own embedding %v is not that of its first view", camera, rec.Embedding)
		}
	}
}

// A clip may have more views than a run has room for, and one that the model fails on in
// one view is a dead letter by itself.
func TestViewsOfOneClipInSeveralRuns(t *testing.T) {
	t.Parallel()
	r := newRig(t, 1)
	now := time.Now()
	bad := zoomOf(jpegOf(t, 16, 16, color.White))
	all := []topics.View{topics.ViewTiles, topics.ViewSquash, topics.ViewZoom}
	for n := range 3 {
		r.send("a", wideClip(t, "a", n, now, zoomOf(jpegOf(t, 16, 16, color.Gray16{0x8000})), all...))
	}
	r.send("bad", wideClip(t, "bad", 0, now, bad, all...))
	m := r.model("first")
	m.brightAndDark(t)
	m.fault = func(frames []byte, batch int) error {
		if batch > 2 {
			return errors.New("too many at once")
		}
		return bright(frames, batch)
	}
	o := r.options(m.recogniser())
	o.MaxBatch = 2
	runUntil(t, o, func() bool { return len(r.read(topics.Actions)) == 3 && len(r.read(topics.DeadLetter)) == 1 })
	for _, rec := range r.recognitions()["a"] {
		if len(rec.Views) != 5 || rec.Timings.Batch != 2 {
			t.Errorf("%d views, %d squares in a run", len(rec.Views), rec.Timings.Batch)
		}
	}
	if why := r.reasons()["bad"]; len(why) != 1 {
		t.Errorf("dead letters: %v", r.reasons())
	}
}
