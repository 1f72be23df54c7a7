package ingest

import (
	"cmp"
	"time"

	"github.com/frostwatch/frostwatch/ingest/ring"
	"github.com/frostwatch/frostwatch/media"
	"github.com/frostwatch/frostwatch/topics"
)

// reel is the packets of a camera that are kept. Its methods are those of a camera's
// goroutine; a nil reel keeps nothing.
type reel struct {
	ring      *ring.Ring
	pre, post time.Duration
	filmable  bool // the packets of this connection
	// apart is by how much its pictures may be later or earlier than those that are looked
	// at, which are of another stream.
	apart time.Duration

	// Under filming.mu.
	over  bool // nothing comes any more
	users int  // scenes that need it
}

// reel begins to keep a camera's packets; nil: none are kept. Where a camera has masks,
// nobody may see what is in its packets.
func (f *filming) reel(c topics.Camera) *reel {
	if f == nil || cmp.Or(c.Record, f.Record) != topics.RecordEvents || len(c.Masks) > 0 {
		return nil
	}
	t := &reel{pre: f.Pre, post: f.Post}
	if c.Pre != nil {
		t.pre = time.Duration(*c.Pre)
	}
	if c.Post != nil {
		t.post = time.Duration(*c.Post)
	}
	if c.Watch != "" {
		t.apart = streamsApart
	}
	var err error
	if t.ring, err = f.store.Ring(c.Name, t.pre+leadMost+filmMost+t.post+2*t.apart+slack); err != nil {
		f.Logger.Warn("no films of a camera's alerts can be made", "camera", c.Name, "error", err)
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.reels[c.Name] = t
	return t
}

// close ends a reel, without waiting for the disk. It is removed once no film needs it.
func (f *filming) close(camera string, t *reel) {
	if t == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.reels[camera] == t {
		delete(f.reels, camera)
	}
	f.tasks.Go(func() {
		t.ring.Close()
		f.mu.Lock()
		defer f.mu.Unlock()
		t.over = true
		f.drop(t)
	})
}

// drop removes a reel that is over and that nobody needs. It needs the lock.
func (f *filming) drop(t *reel) {
	if t.over && t.users == 0 {
		t.ring.Remove()
	}
}

// lookedReel is where packets are kept of the stream that is looked at; nil: nowhere.
func (r *runner) lookedReel() *reel {
	if r.camera.Watch != "" {
		return nil
	}
	return r.reel
}

// connected says that the packets to come are of a new connection.
func (t *reel) connected(track media.Track) {
	if t == nil {
		return
	}
	if t.filmable = media.Filmable(track.Codec); t.filmable {
		t.ring.Begin(track)
	}
}

// sized says what is known of the track once a frame was decoded.
func (t *reel) sized(track media.Track) {
	if t != nil && t.filmable {
		t.ring.Sized(track)
	}
}

func (t *reel) packet(p media.Packet) {
	if t.filmable {
		t.ring.Add(p, time.Now())
	}
}
