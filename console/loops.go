package console

import (
	"container/list"
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/frostwatch/frostwatch/media"
	"github.com/frostwatch/frostwatch/topics"
)

const (
	// loopSide is the longer side of a loop's pictures at most, in pixels.
	loopSide = 480
	// loopBytes bounds the loops that are kept.
	loopBytes = 64 << 20
	// loopsAtOnce bounds the clips that are read and scaled at a time, of up to 4 MiB and
	// some 30 MB of pixels each.
	loopsAtOnce = 4
	// loopTime bounds how long one is waited for.
	loopTime = 10 * time.Second
)

// loops makes clips' pictures fit for the wall and keeps the newest. All who ask for one
// clip cost one reading. Safe for concurrent use.
type loops struct {
	read func(context.Context, topics.RecordRef) (topics.Clip, error)
	turn chan struct{}

	mu    sync.Mutex
	kept  map[loopKey]*list.Element // of order
	order *list.List                // of *loop, the least recently used first
	bytes int
}

// loopKey is all that a record says of a clip, or of an alert: one of another camera may
// name the same id.
type loopKey struct {
	kind         string // empty: a loop of a camera's clip
	camera, clip string
	at           topics.RecordRef
}

type loop struct {
	loopKey
	made chan struct{} // closed when it is made
	jpeg []byte
	err  error
}

func newLoops(read func(context.Context, topics.RecordRef) (topics.Clip, error)) *loops {
	return &loops{read: read, turn: make(chan struct{}, loopsAtOnce), kept: map[loopKey]*list.Element{}, order: list.New()}
}

// of is the JPEG of a camera's clip (media.Loop), which is read at a position where it is
// not kept. The caller doesn't write to it.
func (l *loops) of(ctx context.Context, camera, clip string, at topics.RecordRef) ([]byte, error) {
	return l.get(ctx, loopKey{"", camera, clip, at}, func(ctx context.Context) ([]byte, error) {
		c, err := l.read(ctx, at)
		if err != nil {
			return nil, err
		}
		// The position is from a record that anyone may write.
		if c.Camera != camera || topics.Clean(c.ID) != clip {
			return nil, fmt.Errorf("the record at the position of clip %s is another's", clip)
		}
		return media.Loop(c, loopSide)
	})
}

// get is a JPEG that is kept, or made. The caller doesn't write to it.
func (l *loops) get(ctx context.Context, key loopKey, draw func(context.Context) ([]byte, error)) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, loopTime)
	defer cancel()
	one, mine := l.find(key)
	if mine {
		// Not ended by the one who asked first: others wait for it too.
		own, done := context.WithTimeout(context.WithoutCancel(ctx), loopTime)
		defer done()
		body, err := l.render(own, key, draw)
		l.keep(one, body, err)
	}
	select {
	case <-one.made:
		return one.jpeg, one.err
	case <-ctx.Done():
		return nil, fmt.Errorf("read the pictures of %s: %w", key.clip, ctx.Err())
	}
}

// find is a clip's loop; mine: the caller is to make it.
func (l *loops) find(key loopKey) (one *loop, mine bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e, kept := l.kept[key]; kept {
		l.order.MoveToBack(e)
		return e.Value.(*loop), false
	}
	one = &loop{loopKey: key, made: make(chan struct{})}
	l.kept[key] = l.order.PushBack(one)
	return one, true
}

// keep keeps what was made, for those who wait too.
func (l *loops) keep(one *loop, jpeg []byte, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	one.jpeg, one.err = jpeg, err
	close(one.made)
	if err != nil { // the next one tries again
		l.drop(l.kept[one.loopKey])
		return
	}
	l.bytes += len(one.jpeg)
	for e := l.order.Front(); e != nil && l.bytes > loopBytes; {
		next := e.Next()
		select {
		case <-e.Value.(*loop).made:
			l.drop(e)
		default: // it is being made
		}
		e = next
	}
}

// drop forgets one. It needs the lock.
func (l *loops) drop(e *list.Element) {
	one := l.order.Remove(e).(*loop)
	delete(l.kept, one.loopKey)
	l.bytes -= len(one.jpeg)
}

// render makes one, when it is its turn.
func (l *loops) render(ctx context.Context, key loopKey, draw func(context.Context) ([]byte, error)) ([]byte, error) {
	select {
	case l.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, fmt.Errorf("read the pictures of %s: %w", key.clip, ctx.Err())
	}
	defer func() { <-l.turn }()
	return draw(ctx)
}
