package media

import (
	"container/list"
	"sync"
)

// FrameCache holds the frames decoded last, up to a number of bytes, for any
// number of decoders. With the default stride of four of the model's steps each
// window shares four of its eight frames, byte for byte, with the one before, so
// that every frame but those of a stream's ends comes twice. It hits only while
// it holds what all cameras sent within one stride: a window of each.
type FrameCache struct {
	most int

	mu    sync.Mutex
	bytes int
	byKey map[FrameKey]*list.Element
	order *list.List // of *cachedFrame, the latest used first
}

type cachedFrame struct {
	key FrameKey
	rgb []byte
}

// NewFrameCache makes a cache of at most that many bytes; 0: it keeps nothing.
func NewFrameCache(most int) *FrameCache {
	return &FrameCache{most: most, byKey: map[FrameKey]*list.Element{}, order: list.New()}
}

// get copies a frame into into and reports whether it was there.
func (c *FrameCache) get(key FrameKey, into []byte) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	at, ok := c.byKey[key]
	if !ok {
		return false
	}
	c.order.MoveToFront(at)
	copy(into, at.Value.(*cachedFrame).rgb)
	return true
}

// put stores a copy of a frame, reusing the memory of frames that make room for
// it.
func (c *FrameCache) put(key FrameKey, rgb []byte) {
	if len(rgb) > c.most {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.byKey[key]; ok {
		return // another decoder was as fast
	}
	var own []byte
	for c.bytes += len(rgb); c.bytes > c.most; {
		last := c.order.Back()
		old := c.order.Remove(last).(*cachedFrame)
		delete(c.byKey, old.key)
		c.bytes -= len(old.rgb)
		if len(old.rgb) == len(rgb) {
			own = old.rgb
		}
	}
	c.byKey[key] = c.order.PushFront(&cachedFrame{key, append(own[:0], rgb...)})
}
