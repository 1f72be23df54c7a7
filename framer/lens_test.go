package framer

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/media"
	"github.com/frostwatch/frostwatch/topics"
)

// place is a made picture of 320x180: boxes of many sizes and shades, other ones for
// each number.
func place(number uint64) []byte {
	r := rand.New(rand.NewPCG(number, 7))
	rgb := make([]byte, 320*180*3)
	for i := range rgb {
		rgb[i] = 120
	}
	for range 60 {
		box(rgb, r.IntN(300), r.IntN(160), 10+r.IntN(60), 10+r.IntN(60), byte(60+r.IntN(160)))
	}
	return rgb
}

func box(rgb []byte, left, top, w, h int, level byte) {
	for y := top; y < min(top+h, 180); y++ {
		for x := left; x < min(left+w, 320); x++ {
			copy(rgb[(y*320+x)*3:], []byte{level, level, level})
		}
	}
}

// each changes every level of a copy of a picture.
func each(rgb []byte, change func(i int, v byte) byte) []byte {
	out := make([]byte, len(rgb))
	for i, v := range rgb {
		out[i] = change(i, v)
	}
	return out
}

// smeared is a picture averaged over squares of a size.
func smeared(rgb []byte, size int) []byte {
	return each(rgb, func(i int, _ byte) byte {
		x, y, sum, n := i/3%320, i/3/320, 0, 0
		for v := max(0, y-size/2); v < min(180, y+size/2); v++ {
			for u := max(0, x-size/2); u < min(320, x+size/2); u++ {
				sum, n = sum+int(rgb[(v*320+u)*3]), n+1
			}
		}
		return byte(sum / n)
	})
}

// shown is a lens, and the pictures that it is shown.
type shown struct {
	*testing.T
	watcher
	encoder *media.FrameEncoder
}

func newShown(t *testing.T, accept time.Duration) *shown {
	t.Helper()
	e, err := media.NewFrameEncoder(32, 50)
	if err != nil {
		t.Fatal(err)
	}
	return &shown{T: t, watcher: watcher{lens: lens{accept: accept}, now: time.Unix(1e9, 0)}, encoder: e}
}

func (s *shown) scene(rgb []byte) media.Scene {
	s.Helper()
	if _, _, _, err := s.encoder.Encode(&media.Frame{Width: 320, Height: 180, RGB: func([]byte) ([]byte, error) { return rgb, nil }}); err != nil {
		s.Fatal(err)
	}
	return s.encoder.Seen().Scene
}

// show shows a picture for some seconds, and expects what is reported in the end.
func (s *shown) show(what string, seconds int, rgb []byte, want lensFault) {
	s.Helper()
	scene := s.scene(rgb)
	got := s.watch([]media.Scene{scene}, int(time.Duration(seconds)*time.Second/pictureTime))
	if last := got[len(got)-1]; last != want {
		like := likeness{}
		if len(s.lens.usual) > 0 {
			like = s.lens.usual[0].compare(scene)
		}
		s.Errorf("%s: %d is reported, want %d (%+v)", what, last, want, like)
	}
}

func TestLensesAreWatched(t *testing.T) {
	s := newShown(t, time.Hour)
	usual := place(1)
	s.show("too short to learn", 50, usual, lensUnknown)
	s.show("learnt", 15, usual, lensFine)
	brown := each(usual, func(i int, _ byte) byte { return byte(80 + i%3) })
	s.show("covered for 9 s", 9, brown, lensFine)
	s.show("covered", 3, brown, lensCovered)
	if since := s.now.Sub(s.lens.now().CoveredSince); since < 10*time.Second || since > 12*time.Second {
		t.Errorf("covered for %v", since)
	}
	s.show("free", 1, usual, lensFine)
	white := append([]byte(nil), usual...)
	box(white, 0, 0, 320, 140, 235)
	s.show("covered with white over most of it", 12, white, lensCovered)
	s.show("free", 1, usual, lensFine)
	part := append([]byte(nil), usual...)
	box(part, 0, 0, 130, 180, 235)
	s.show("somebody stands in front of two fifths", 60, part, lensFine)
	s.show("out of focus", 12, smeared(usual, 9), lensDefocused)
	s.show("sharp", 1, usual, lensFine)
	s.show("in a third of the light", 60, each(usual, func(_ int, v byte) byte { return v / 3 }), lensFine)
	s.show("in strong light", 60, each(usual, func(_ int, v byte) byte { return byte(min(255, int(v)+90)) }), lensFine)
	s.show("brighter is darker, as some things are in infrared", 60, each(usual, func(_ int, v byte) byte { return 255 - v }), lensFine)
	s.show("dark", 60, each(usual, func(_ int, v byte) byte { return v / 20 }), lensFine)
	s.show("turned", 12, place(2), lensMoved)
	s.show("dark says nothing of it", 60, each(usual, func(_ int, v byte) byte { return v / 20 }), lensMoved)
	s.show("turned back", 1, usual, lensFine)
	s.show("covered", 12, brown, lensCovered)
	s.show("turned while it was covered", 3, place(2), lensUnknown)
	s.show("a while later", 9, place(2), lensMoved)
	s.show("turned back", 1, usual, lensFine)
}

// A picture that goes on changing is no view: a camera that is being turned is reported
// once it stands still.
func TestACameraThatTurnsIsReportedOnceItStands(t *testing.T) {
	s := newShown(t, time.Hour)
	s.show("learnt", 65, place(1), lensFine)
	for i := range 30 {
		s.show("turning", 2, place(uint64(2+i)), lensFine)
	}
	s.show("stands", 12, place(99), lensMoved)
	s.show("turned once more", 2, place(100), lensMoved)
}

// What is usual is remembered when the camera connects anew.
func TestLensesAreWatchedOverConnections(t *testing.T) {
	s := newShown(t, time.Hour)
	s.show("learnt", 65, place(1), lensFine)
	s.show("turned", 30, place(2), lensMoved)
	s.lens.reset()
	s.now = s.now.Add(time.Hour / 2)
	s.show("still so", 1, place(2), lensMoved)
	s.show("turned back", 1, place(1), lensFine)
	s.show("turned for a moment", 2, place(2), lensFine)
	s.lens.reset()
	s.now = s.now.Add(time.Hour / 2)
	s.show("and the next that is known of it", 2, place(2), lensFine)
	s.show("10 s later", 10, place(2), lensMoved)
}

// Nothing is learnt from a picture in which nothing is to be seen; people who walk
// through do not keep the view from being learnt, and another view does.
func TestWhatIsLearnt(t *testing.T) {
	s := newShown(t, time.Hour)
	s.show("covered from the start", 200, each(place(1), func(i int, _ byte) byte { return byte(80 + i%3) }), lensUnknown)
	s.show("dark", 200, each(place(1), func(_ int, v byte) byte { return v / 20 }), lensUnknown)
	s.show("while it is put up", 40, place(7), lensUnknown)
	for range 5 {
		s.show("somebody passes", 4, place(8), lensUnknown)
		s.show("its place", 10, place(1), lensUnknown)
	}
	s.show("learnt", 30, place(1), lensFine)
	s.show("what it was put up with", 12, place(7), lensMoved)
}

// The picture's shape changes with the camera's settings.
func TestAPictureThatIsTurnedUprightIsLearntAnew(t *testing.T) {
	s := newShown(t, time.Hour)
	s.show("learnt", 65, place(1), lensFine)
	upright := s.scene(place(1))
	upright.Columns = media.SceneShort
	if got := s.watch([]media.Scene{upright}, 2); got[1] != lensUnknown {
		t.Errorf("%d is reported", got[1])
	}
}

// BenchmarkLens is what comparing costs for each sampled frame.
func BenchmarkLens(b *testing.B) {
	e, err := media.NewFrameEncoder(32, 50)
	if err != nil {
		b.Fatal(err)
	}
	rgb := place(1)
	if _, _, _, err := e.Encode(&media.Frame{Width: 320, Height: 180, RGB: func([]byte) ([]byte, error) { return rgb, nil }}); err != nil {
		b.Fatal(err)
	}
	w := watcher{lens: lens{accept: time.Hour}, now: time.Unix(1e9, 0)}
	w.watch([]media.Scene{e.Seen().Scene}, learnPictures)
	for b.Loop() {
		w.watch([]media.Scene{e.Seen().Scene}, 1)
	}
}

// pictureTime is between two pictures at the default window.
const pictureTime = 605 * time.Millisecond

// reported is what a status would say.
func reported(f *topics.LensFaults) lensFault {
	switch {
	case f == nil:
		return lensUnknown
	case !f.CoveredSince.IsZero():
		return lensCovered
	case !f.DefocusedSince.IsZero():
		return lensDefocused
	case !f.MovedSince.IsZero():
		return lensMoved
	}
	return lensFine
}

const lensUnknown lensFault = -1

// watcher shows pictures to a lens, in a loop.
type watcher struct {
	lens lens
	now  time.Time
}

func (w *watcher) watch(scenes []media.Scene, pictures int) (faults []lensFault) {
	for i := range pictures {
		w.now = w.now.Add(pictureTime)
		w.lens.see(scenes[i%len(scenes)], w.now)
		faults = append(faults, reported(w.lens.now()))
	}
	return faults
}
