package framer

import (
	"slices"
	"sync"
	"time"
)

// The reasons why seconds of video have no clip, besides those why an epoch ends
// within its connection (breakGap and its like).
const (
	gapNotConnected = "not connected"
	gapStopped      = "stopped" // the camera was removed, its recording ended, or its worker
	gapStride       = "stride longer than the window"
	gapQueueFull    = "queue full"
	gapRefused      = "refused" // by Kafka, for good
	gapMoved        = "moved"   // the camera is another worker's
	gapCrashed      = "reader crashed"
)

// coverage counts how much of a camera's time no published clip covers.
//
// A camera's time runs from the making of its Stream until it is stopped, on the
// wall clock of its clips (anchor). A moment is covered when it lies in the window of a clip that
// Kafka has acknowledged. Every other moment is counted once, by why:
//   - before the first connection, and from a connection's last frame to the
//     first of the next: not connected;
//   - from an epoch's last frame to the first of the next within a connection,
//     and what the epoch's end cuts off an incomplete window: why it ended;
//   - a window that is lost, as far as those before and after it don't cover it:
//     why it was lost.
type coverage struct {
	window time.Duration
	count  func(reason string, d time.Duration)

	mu      sync.Mutex
	current *span     // nil between epochs
	passed  time.Time // up to which the time between epochs is counted
	why     string    // there is no epoch now
	over    bool      // the camera is stopped: no epoch will come
}

// span is an epoch in the coverage.
type span struct {
	start time.Time
	at    func(n uint64) time.Duration // when window n begins
	ended bool
	next  uint64   // the first window that is not complete
	alive []uint64 // the last window that was published, and complete ones after it that may be
	acked bool     // one was published
}

func newCoverage(window time.Duration, now time.Time, count func(string, time.Duration)) *coverage {
	return &coverage{window: window, count: count, passed: now, why: gapNotConnected}
}

// begin takes an epoch's first frame. at says when window n begins.
func (c *coverage) begin(start time.Time, at func(n uint64) time.Duration) *span {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.add(c.why, start.Sub(c.passed))
	c.over = false
	c.current = &span{start: start, at: at}
	return c.current
}

// move takes when a span began, if that is known only later; no window of it is complete.
func (c *coverage) move(s *span, start time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s.start = start
}

// end takes until when an epoch's frames were on display, and why it ended.
func (c *coverage) end(until time.Time, why string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.current
	if s == nil {
		return
	}
	covered := c.covered(s, len(s.alive))
	opens := earlier(s.opens(s.next), until)
	c.addStride(s, s.next, opens)
	c.add(why, missing(covered, opens, until, until))
	c.current, s.ended = nil, true
	c.passed, c.why, c.over = later(until, covered), why, why == gapStopped
}

// pass counts the time without an epoch up to now.
func (c *coverage) pass(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.current == nil && !c.over && now.After(c.passed) {
		c.add(c.why, now.Sub(c.passed))
		c.passed = now
	}
}

// complete takes the next window of a span, which will be published or lost.
func (c *coverage) complete(s *span) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.addStride(s, s.next, s.opens(s.next))
	s.alive = append(s.alive, s.next)
	s.next++
}

// published takes a window whose clip Kafka has acknowledged, in the order of the
// windows.
func (c *coverage) published(s *span, n uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s.alive, s.acked = s.alive[slices.Index(s.alive, n):], true
}

// accounted is until when the camera's time is counted, or covered by clips that Kafka has.
func (c *coverage) accounted() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch s := c.current; {
	case s == nil:
		return c.passed
	case s.acked && len(s.alive) > 0:
		return s.opens(s.alive[0]).Add(c.window)
	default:
		return s.start
	}
}

// resume counts the time since the process before this one had counted it: it has crashed.
func (c *coverage) resume(since time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.add(gapCrashed, c.passed.Sub(since))
}

// lost takes a window whose clip won't be published, and why.
func (c *coverage) lost(s *span, n uint64, why string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := slices.Index(s.alive, n)
	closes := s.opens(n).Add(c.window)
	after := closes // end has already counted what follows
	switch {
	case i+1 < len(s.alive):
		after = s.opens(s.alive[i+1])
	case !s.ended:
		after = s.opens(s.next) // which end counts if it is never complete
	}
	c.add(why, missing(c.covered(s, i), s.opens(n), closes, after))
	s.alive = slices.Delete(s.alive, i, i+1)
}

// covered is until when the first i windows that are alive cover a span.
func (c *coverage) covered(s *span, i int) time.Time {
	if i == 0 {
		return s.start
	}
	return s.opens(s.alive[i-1]).Add(c.window)
}

// addStride counts the time between the end of the window before n and opens, the
// start of n, where the stride is longer than the window.
func (c *coverage) addStride(s *span, n uint64, opens time.Time) {
	if n > 0 {
		c.add(gapStride, opens.Sub(s.opens(n-1).Add(c.window)))
	}
}

func (c *coverage) add(why string, d time.Duration) {
	if d > 0 {
		c.count(why, d)
	}
}

func (s *span) opens(n uint64) time.Time { return s.start.Add(s.at(n)) }

// missing is how much more is uncovered between before and after once a window
// between them is gone.
func missing(before, opens, closes, after time.Time) time.Duration {
	return max(after.Sub(before), 0) - max(opens.Sub(before), 0) - max(after.Sub(closes), 0)
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
