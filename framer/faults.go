package framer

import (
	"sync"
	"time"

	"github.com/frostwatch/frostwatch/media"
	"github.com/frostwatch/frostwatch/topics"
)

// faults notices pictures that are of no use, among those that are picked for clips.
type faults struct {
	mu     sync.Mutex
	known  bool // a picture of this connection was picked
	moved  bool // two pictures of this connection differed
	lit    bool // a picture of this connection was not black
	hash   uint64
	same   time.Time // capture time of the first of the latest pictures that are all equal
	black  time.Time // capture time of the first of the latest pictures that are all black; zero: the latest is not
	newest time.Time // capture time of the latest picture
	lens   lens
}

// lasting is how long a picture must be of no use to be reported: in clean, still
// scenes some pictures in a row are equal (docs/cameras.md).
const lasting = 10 * time.Second

// see takes the next picture that is picked, and its capture time.
func (f *faults) see(s media.Seen, at time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.known || s.Hash != f.hash {
		f.hash, f.same, f.moved = s.Hash, at, f.known
	}
	switch {
	case !s.Black:
		f.black, f.lit = time.Time{}, true
	case f.black.IsZero():
		f.black = at
	}
	f.known, f.newest = true, at
	f.lens.see(s.Scene, at)
}

// reset begins a new connection.
func (f *faults) reset() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.known, f.moved, f.lit, f.black = false, false, false, time.Time{}
	f.lens.reset()
}

// now is nil as long as the connection's first pictures don't say yet whether they are
// of use: so a fault that outlasts a connection does not seem to be over.
func (f *faults) now() *topics.PictureFaults {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := topics.PictureFaults{Lens: f.lens.now()}
	if f.known && f.newest.Sub(f.same) >= lasting {
		out.FrozenSince = f.same.UTC()
	}
	if !f.black.IsZero() && f.newest.Sub(f.black) >= lasting {
		out.BlackSince = f.black.UTC()
	}
	if !f.moved && out.FrozenSince.IsZero() || !f.lit && out.BlackSince.IsZero() {
		return nil
	}
	return &out
}
