package infer

import (
	"image/color"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// Of a quiet spell the model sees one clip in QuietEvery, each has a recognition, and the
// others say whose embedding they have. Whatever may differ is seen.
func TestTheModelSeesOneQuietClipInFour(t *testing.T) {
	t.Parallel()
	r := newRig(t, 1)
	now, grey := time.Now(), jpegOf(t, 48, 32, color.Gray16{0x8000})
	quiet := func(camera string, n int, begun time.Time) {
		c, err := topics.DecodeClip(clipOf(t, camera, n, grey, begun))
		if err != nil {
			t.Fatal(err)
		}
		c.Quiet = true
		value, err := topics.EncodeClip(c)
		if err != nil {
			t.Fatal(err)
		}
		r.send(camera, value)
	}
	for n := range 9 {
		quiet("a", n, now)
	}
	r.send("a", clipOf(t, "a", 9, grey, now)) // something happens
	quiet("a", 10, now)
	quiet("a", 11, now)
	quiet("a", 13, now)                // one was lost
	quiet("a", 14, now.Add(time.Hour)) // another connection
	quiet("b", 0, now)
	m := r.model("first")
	m.brightAndDark(t)
	o := r.options(m.recogniser())
	o.QuietEvery, o.MaxBatch = 4, 1
	runUntil(t, o, func() bool { return len(r.read(topics.Actions)) == 15 })
	got := r.recognitions()
	want := []int{0, 0, 0, 0, 4, 4, 4, 4, 8, 9, 10, 10, 12, 13} // whose embedding, by index
	for i, rec := range got["a"] {
		own := got["a"][want[i]]
		as := own.ClipID
		if want[i] == i {
			as = ""
		}
		if rec.EmbeddedAs != as || rec.Quiet != (i != 9) || len(rec.Labels) == 0 || rec.Embedding[0] != own.Embedding[0] {
			t.Errorf("clip %d: quiet %v, embedded as %q, want %q; %d labels", i, rec.Quiet, rec.EmbeddedAs, as, len(rec.Labels))
		}
		if ran := rec.Timings.Batch > 0; ran != (as == "") {
			t.Errorf("clip %d: the model ran: %v", i, ran)
		}
	}
	if b := got["b"]; len(b) != 1 || b[0].EmbeddedAs != "" {
		t.Errorf("another camera: %+v", b)
	}
}
