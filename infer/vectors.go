package infer

import (
	"container/list"
	"sync"
	"time"

	"github.com/frostwatch/frostwatch/media"
)

const (
	// vectorBytes bounds the embeddings of frames that are kept for one model: the windows
	// of 3,000 cameras with one square each, at 512 numbers an embedding.
	vectorBytes = 64 << 20
	// besideVector is about what an embedding takes beside its numbers: key, map, list.
	besideVector = 256
	// keptUnused is how long an embedding is kept that no clip contains any more: longer
	// than the longest window (topics.CheckTimes), so that what is kept is what may come
	// again, and not what fits.
	keptUnused = 6 * time.Minute
)

// vectors are the embeddings of the frames seen last by one framewise model. They are known
// by the frames' content, so that no record can pass off another frame as one of them, and
// whichever worker sent it. They go with the model: what is lost by a swap, a restart or a
// partition that moves is embedded again.
type vectors struct {
	most int
	now  func() time.Time

	mu    sync.Mutex
	bytes int
	byKey map[media.FrameKey]*list.Element
	order *list.List // of *vector, the latest used first
}

type vector struct {
	key  media.FrameKey
	unit []float32
	used time.Time
}

func (v *vector) size() int { return 4*len(v.unit) + besideVector }

func newVectors(most int, now func() time.Time) *vectors {
	return &vectors{most: most, now: now, byKey: map[media.FrameKey]*list.Element{}, order: list.New()}
}

// get is the embedding of a frame, which must not be changed; nil: it isn't known.
func (v *vectors) get(key media.FrameKey) []float32 {
	now := v.now()
	v.mu.Lock()
	defer v.mu.Unlock()
	at, ok := v.byKey[key]
	if !ok {
		return nil
	}
	v.order.MoveToFront(at)
	found := at.Value.(*vector)
	found.used = now
	return found.unit
}

// put keeps the embedding of a frame, and drops those that were not used for the longest
// time.
func (v *vectors) put(key media.FrameKey, unit []float32) {
	add := &vector{key, unit, v.now()}
	v.mu.Lock()
	defer v.mu.Unlock()
	if _, ok := v.byKey[key]; ok || add.size() > v.most {
		return
	}
	v.byKey[key] = v.order.PushFront(add)
	v.bytes += add.size()
	for {
		last := v.order.Back().Value.(*vector)
		if v.bytes <= v.most && add.used.Sub(last.used) <= keptUnused {
			return
		}
		v.order.Remove(v.order.Back())
		delete(v.byKey, last.key)
		v.bytes -= last.size()
	}
}
