package infer

import (
	"container/list"
	"crypto/sha256"
	"sync"

	"github.com/frostwatch/frostwatch/media/pixels"
)

// frameCacheBytes is enough for the frames that overlapping clips of 50 cameras
// share, at 224 pixels.
const frameCacheBytes = 64 << 20

// frameKey is a frame by its content, so that no record can bring another's
// pixels in under a false name, and what it was unfolded to.
type frameKey struct {
	jpeg                [sha256.Size]byte
	width, height, side int
	place               pixels.Place
}

// frameCache holds the frames decoded last, up to a number of bytes. Clips
// overlap by half, so every frame but a stream's first few comes twice.
type frameCache struct {
	most int

	mu    sync.Mutex
	bytes int
	byKey map[frameKey]*list.Element
	order *list.List // of *cachedFrame, the latest used first
}

type cachedFrame struct {
	key frameKey
	rgb []byte
}

func newFrameCache(most int) *frameCache {
	return &frameCache{most: most, byKey: map[frameKey]*list.Element{}, order: list.New()}
}

// get copies a frame and says whether it was there.
func (c *frameCache) get(key frameKey, into []byte) bool {
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

// put keeps a copy.
func (c *frameCache) put(key frameKey, rgb []byte) {
	if len(rgb) > c.most {
		return
	}
	own := append([]byte(nil), rgb...)
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.byKey[key]; ok {
		return // another decoder was as fast
	}
	c.byKey[key] = c.order.PushFront(&cachedFrame{key, own})
	for c.bytes += len(own); c.bytes > c.most; {
		last := c.order.Back()
		old := c.order.Remove(last).(*cachedFrame)
		delete(c.byKey, old.key)
		c.bytes -= len(old.rgb)
	}
}
