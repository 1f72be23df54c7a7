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
	hash   uint64
	same   time.Time // capture time of the first of the latest pictures that are all equal
	black  time.Time // capture time of the first of the latest pictures that are all black; zero: the latest is not
	newest time.Time // capture time of the latest picture
}

// lasting is how long a picture must be of no use to be reported: in clean, still
// scenes some pictures in a row are equal (docs/cameras.md).
const lasting = 10 * time.Second

// see takes the next picture that is picked, and its capture time.
func (f *faults) see(s media.Seen, at time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.known || s.Hash != f.hash {
		f.hash, f.same = s.Hash, at
	}
	switch {
	case !s.Black:
		f.black = time.Time{}
	case f.black.IsZero():
		f.black = at
	}
	f.known, f.newest = true, at
}

// reset begins a new connection.
func (f *faults) reset() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.known, f.black = false, time.Time{}
}

// now is nil before the connection's first picture.
func (f *faults) now() *topics.PictureFaults {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.known {
		return nil
	}
	var out topics.PictureFaults
	if f.newest.Sub(f.same) >= lasting {
		out.FrozenSince = f.same.UTC()
	}
	if !f.black.IsZero() && f.newest.Sub(f.black) >= lasting {
		out.BlackSince = f.black.UTC()
	}
	return &out
}
