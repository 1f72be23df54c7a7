package calibrate

import (
	"cmp"
	"container/heap"
	"slices"
	"strings"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// Hit is a clip of the past that a search found.
type Hit struct {
	Camera     string    `json:"camera"`
	Start      time.Time `json:"start"` // of the clip's window
	End        time.Time `json:"end"`
	Clip       string    `json:"clip_id"`
	Similarity float64   `json:"similarity"`
	Contrast   *float64  `json:"contrast,omitempty"` // nil: not computed
	Partition  int       `json:"partition"`          // of the recognition on the topic of actions
	Offset     int64     `json:"offset"`
	// View and Box are where the clip was seen that these are of; absent where the camera
	// names no views.
	View topics.View `json:"view,omitempty"`
	Box  *topics.Box `json:"box,omitempty"`
	rank float64
}

// before is the order of hits: the best first.
func (h Hit) before(o Hit) int {
	return cmp.Or(cmp.Compare(o.rank, h.rank), strings.Compare(h.Camera, o.Camera), h.Start.Compare(o.Start))
}

// found is a recording that was compared.
type found struct {
	camera                     string
	epoch, start, end          time.Time
	partition                  int
	offset                     int64
	rank, similarity, contrast float64
	view                       topics.View // empty: the camera names none
	box                        topics.Box
}

// peaks finds clips of one camera that begin apart from each other: those that rank
// highest among the clips that begin less than apart before or after them, and of what
// happens again and again more often than that, one and then the next that is apart from
// it. Clips come in order.
type peaks struct {
	apart time.Duration
	// held ranks highest of the clips since the last peak, and may yet be beaten by one
	// that begins less than apart after it.
	held  found
	holds bool
	last  time.Time
}

// add takes the camera's next clip, and calls peak for the one that is known to be a
// peak now.
func (p *peaks) add(f *found, peak func(*found)) {
	if f.start.Equal(p.last) { // recorded twice
		return
	}
	p.skip(f.start, peak)
	if f.start.Sub(p.held.start) >= p.apart {
		p.decide(peak)
	}
	if !p.holds || p.held.rank < f.rank {
		p.held, p.holds = *f, true
	}
}

// skip takes the camera's next clip where it ranks too low to matter: those that it
// beats rank lower still.
func (p *peaks) skip(start time.Time, peak func(*found)) {
	if start.Before(p.last) { // the camera's clock was set back
		p.flush(peak)
	}
	p.last = start
}

// decide takes the clip that is held for a peak.
func (p *peaks) decide(peak func(*found)) {
	if p.holds {
		peak(&p.held)
	}
	p.holds = false
}

// flush decides about what is left.
func (p *peaks) flush(peak func(*found)) {
	p.decide(peak)
	p.last = time.Time{}
}

// best keeps the limit hits that come first in their order, the last of them on top of
// the heap.
type best struct {
	limit int
	hits  []Hit
}

func (b *best) Len() int           { return len(b.hits) }
func (b *best) Less(i, j int) bool { return b.hits[i].before(b.hits[j]) > 0 }
func (b *best) Swap(i, j int)      { b.hits[i], b.hits[j] = b.hits[j], b.hits[i] }
func (b *best) Push(x any)         { b.hits = append(b.hits, x.(Hit)) }

// Pop removes the last element, for package heap.
func (b *best) Pop() any {
	last := b.hits[len(b.hits)-1]
	b.hits = b.hits[:len(b.hits)-1]
	return last
}

// offer takes a hit, if it is one of the best so far.
func (b *best) offer(h Hit) {
	if len(b.hits) < b.limit {
		heap.Push(b, h)
		return
	}
	if h.before(b.hits[0]) < 0 {
		b.hits[0] = h
		heap.Fix(b, 0)
	}
}

// wants is whether a clip of a rank may be among the best.
func (b *best) wants(rank float64) bool { return len(b.hits) < b.limit || rank >= b.hits[0].rank }

// least is the rank that a clip needs to be among the best. full: there are as many as
// are asked for.
func (b *best) least() (rank float64, full bool) {
	if len(b.hits) < b.limit {
		return 0, false
	}
	return b.hits[0].rank, true
}

// sorted returns the hits, the best first.
func (b *best) sorted() []Hit {
	slices.SortFunc(b.hits, Hit.before)
	return b.hits
}
