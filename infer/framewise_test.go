package infer

import (
	"context"
	"errors"
	"image/color"
	"math"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/infer/froster"
	"github.com/frostwatch/frostwatch/internal/stagetest"
	"github.com/frostwatch/frostwatch/topics"
)

// framewise is a fake model that embeds each frame by its first pixel, and counts frames.
type framewise struct {
	*fakeModel
	frames atomic.Int64
	bad    byte // the model gives no numbers for frames of this red, or more; 0: none
}

func (m *framewise) EmbedFrames(_ context.Context, frames []byte, n int) ([]float32, error) {
	m.frames.Add(int64(n))
	if len(frames) != n*fakeSide*fakeSide*3 {
		m.t.Errorf("%d bytes for %d frames", len(frames), n)
	}
	out := make([]float32, n*fakeDim)
	for i := range n {
		red := frames[i*fakeSide*fakeSide*3]
		if m.bad > 0 && red > m.bad-8 {
			out[i*fakeDim] = float32(math.NaN())
			continue
		}
		angle := float64(red) / 300
		out[i*fakeDim], out[i*fakeDim+1] = float32(math.Cos(angle)), float32(math.Sin(angle))
	}
	return out, nil
}

// EmbedClips embeds each frame anew.
func (m *framewise) EmbedClips(ctx context.Context, frames []byte, batch int) (froster.ClipEmbeddings, error) {
	unit, err := m.EmbedFrames(ctx, frames, batch*fakeFrames)
	if err != nil {
		return froster.ClipEmbeddings{}, err
	}
	return froster.MeanOfFrames(fakeDim, fakeFrames, unit)
}

func (r *rig) framewise(id string) *framewise { return &framewise{fakeModel: r.model(id)} }

func (m *framewise) recogniser() Recogniser {
	rec := m.fakeModel.recogniser()
	rec.Model, rec.EachFrame = m, m
	return rec
}

// shades are n frames of 48x32, each of another grey.
func shades(t *testing.T, n int) (out [][]byte) {
	t.Helper()
	for i := range n {
		out = append(out, jpegOf(t, 48, 32, color.RGBA{byte(10 + 9*i), 60, 60, 255}))
	}
	return out
}

// overlapping is clip n of a camera whose windows share four of eight frames.
func overlapping(t *testing.T, camera string, n int, shades [][]byte, begun time.Time, views ...topics.View) []byte {
	t.Helper()
	c, err := topics.DecodeClip(clipOf(t, camera, n, shades[0], begun))
	if err != nil {
		t.Fatal(err)
	}
	c.Views = views
	for k := range c.Frames {
		c.Frames[k].JPEG = shades[(4*n+k)%len(shades)]
	}
	b, err := topics.EncodeClip(c)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The frames that clips share are embedded once, in every view, whether they come in one run
// or in several; what is recognised is the same to the bit as when each is embedded anew.
func TestSharedFramesAreEmbeddedOnce(t *testing.T) {
	t.Parallel()
	const clips = 5
	now, grey := time.Now(), shades(t, 4*(clips+1))
	anew := func(i int, views ...topics.View) []topics.Recognition {
		r := newRig(t, 1)
		for n := range clips {
			r.send("a", overlapping(t, "a", n, grey, now, views...))
		}
		m := r.framewise("first")
		o := r.options(m.recogniser())
		o.First.EachFrame = nil // whole clips
		o.MaxBatch = i
		runUntil(t, o, func() bool { return len(r.read(topics.Actions)) == clips })
		if got := m.frames.Load(); got != int64(8*clips*max(1, len(views))) {
			t.Errorf("%d frames are embedded anew", got)
		}
		return r.recognitions()["a"]
	}
	for _, c := range []struct {
		batch int
		views []topics.View
	}{
		{1, nil}, {clips, nil}, {clips, []topics.View{topics.ViewCentre, topics.ViewSquash}}, {3, []topics.View{topics.ViewSquash, topics.ViewCentre}},
	} {
		r := newRig(t, 1)
		for n := range clips {
			r.send("a", overlapping(t, "a", n, grey, now, c.views...))
		}
		m := r.framewise("first")
		o := r.options(m.recogniser())
		o.MaxBatch = c.batch
		count, meter := counted()
		o.Meter = meter
		runUntil(t, o, func() bool { return len(r.read(topics.Actions)) == clips })
		r.wantEach(map[string]int{"a": clips})
		squares := int64(max(1, len(c.views)))
		once := squares * 4 * (clips + 1)
		got := count(t)
		if m.frames.Load() != once || got["frostwatch.infer.frames_embedded"] != once || got["frostwatch.infer.frames_reused"] != squares*8*clips-once {
			t.Errorf("%+v: %d frames embedded, want %d; counted %v", c, m.frames.Load(), once, got)
		}
		for i, want := range anew(c.batch, c.views...) {
			rec := r.recognitions()["a"][i]
			if !slices.Equal(rec.Embedding, want.Embedding) || !slices.Equal(rec.First, want.First) || !slices.Equal(rec.Last, want.Last) || len(rec.Views) != len(want.Views) {
				t.Errorf("%+v: clip %d is %v, embedded anew %v", c, i, rec.Embedding, want.Embedding)
			}
			for k := 1; k < len(want.Views); k++ {
				if !slices.Equal(rec.Views[k].Embedding, want.Views[k].Embedding) {
					t.Errorf("%+v: clip %d differs in view %d", c, i, k)
				}
			}
		}
	}
}

// A worker that goes on where another stopped, and a model that takes another's place, lack
// the embeddings of the frames before, and that is all.
func TestAHandOverLosesEmbeddingsAlone(t *testing.T) {
	t.Parallel()
	r := newRig(t, 1)
	now, grey := time.Now(), shades(t, 24)
	send := func(n int) { r.send("a", overlapping(t, "a", n, grey, now)) }
	send(0)
	send(1)
	first := r.framewise("first")
	runUntil(t, r.options(first.recogniser()), func() bool { return len(r.read(topics.Actions)) == 2 })
	second, third := r.framewise("first"), r.framewise("third")
	s, stop := start(t, r.options(second.recogniser()))
	for n := 2; n < 4; n++ {
		send(n)
		stagetest.Await(t, "the recognition", func() bool { return len(r.read(topics.Actions)) == n+1 })
	}
	if err := s.Swap(t.Context(), third.recogniser()); err != nil {
		t.Fatal(err)
	}
	send(4)
	stagetest.Await(t, "the recognition", func() bool { return len(r.read(topics.Actions)) == 5 })
	if err := stop(); err != nil {
		t.Error(err)
	}
	for i, want := range []int64{12, 12, 8} {
		if got := []*framewise{first, second, third}[i].frames.Load(); got != want {
			t.Errorf("model %d embedded %d frames, want %d", i, got, want)
		}
	}
	for i, rec := range r.recognitions()["a"] {
		want := "first"
		if i == 4 {
			want = "third"
		}
		var mean float64
		for k := range 8 {
			mean += math.Cos(float64(10+9*((4*i+k)%24)) / 300)
		}
		if got := float64(rec.Embedding[0]); rec.Model != want || math.Abs(got-mean/8) > 0.02 {
			t.Errorf("clip %d of model %s is %v, want about %v", i, rec.Model, got, mean/8)
		}
	}
}

// Whoever sends clips of another camera, with its frames or in its name, changes nothing in
// what is made of its own: a frame is known by its bytes. One for which there are no numbers
// is nobody else's loss, and is not remembered.
func TestForgedFramesHarmNoOther(t *testing.T) {
	t.Parallel()
	r := newRig(t, 1)
	now, grey := time.Now(), shades(t, 12)
	bad := jpegOf(t, 48, 32, color.RGBA{250, 60, 60, 255})
	forged := slices.Clone(grey)
	forged[9] = bad
	// The same bytes with another size: refused, since a frame's key has its size.
	resized, err := topics.DecodeClip(overlapping(t, "evil", 0, grey, now))
	if err != nil {
		t.Fatal(err)
	}
	resized.Width, resized.Height = 32, 48
	value, err := topics.EncodeClip(resized)
	if err != nil {
		t.Fatal(err)
	}
	r.send("a", overlapping(t, "a", 0, grey, now))
	r.send("evil", value)
	r.send("evil", overlapping(t, "evil", 1, forged, now))
	r.send("a", overlapping(t, "a", 1, grey, now))
	r.send("evil", overlapping(t, "evil", 1, forged, now))
	m := r.framewise("first")
	m.bad = 250
	o := r.options(m.recogniser())
	o.MaxBatch = 8
	runUntil(t, o, func() bool { return len(r.read(topics.Actions)) == 2 && len(r.read(topics.DeadLetter)) == 3 })
	r.wantEach(map[string]int{"a": 2})
	for _, why := range r.reasons()["evil"] {
		if why == "" {
			t.Error("a dead letter without a reason")
		}
	}
}

// A framewise model that fails on every frame ends the stage, as any other does.
func TestAFramewiseModelBreaks(t *testing.T) {
	t.Parallel()
	r := newRig(t, 1)
	r.send("a", overlapping(t, "a", 0, shades(t, 8), time.Now()))
	rec := (&framewise{fakeModel: r.model("first")}).recogniser()
	rec.Model, rec.EachFrame = broken{rec.Model}, broken{rec.Model}
	s, err := New(r.options(rec))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Run(t.Context()); !errors.Is(err, errLost) {
		t.Errorf("the stage ends with %v", err)
	}
	if len(r.read(topics.DeadLetter)) > 0 || len(r.read(topics.Actions)) > 0 {
		t.Error("a clip is lost")
	}
}

var errLost = errors.New("device lost")

type broken struct{ Model }

func (broken) EmbedFrames(context.Context, []byte, int) ([]float32, error) { return nil, errLost }

func (broken) EmbedClips(context.Context, []byte, int) (froster.ClipEmbeddings, error) {
	return froster.ClipEmbeddings{}, errLost
}
