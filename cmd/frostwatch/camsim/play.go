package camsim

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"time"
)

// errNobody ends a playback on demand once all readers have left.
var errNobody = errors.New("nobody is watching")

// linger is how long a camera stays after its last frame: packets are still on
// their way, and UDP readers wait for late ones.
const linger = 500 * time.Millisecond

// retryAfter is how long a file that cannot be played is left alone.
const retryAfter = 10 * time.Second

// run plays until ctx ends.
func (c *camera) run(ctx context.Context) error {
	c.mu.Lock()
	err := c.open()
	c.mu.Unlock()
	if err != nil {
		return err
	}
	for ctx.Err() == nil {
		err := c.playOnce(ctx)
		if err != nil && ctx.Err() == nil && !errors.Is(err, errNobody) {
			// The other cameras go on.
			c.server.log.Error("camsim: a file cannot be played, and is tried again", "camera", c.name, "file", c.path, "error", err)
			c.mu.Lock()
			c.kick()
			c.mu.Unlock()
			_ = c.waitFor(ctx, time.Now().Add(retryAfter))
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stream != nil {
		c.stream.Close()
	}
	return nil
}

// playOnce waits until it may begin and plays all loops.
func (c *camera) playOnce(ctx context.Context) error {
	if err := c.until(ctx, func() bool { return !c.stopped && (c.begun || !c.options.OnDemand) }); err != nil {
		return err
	}
	p := &playback{camera: c, origin: time.Now()}
	c.mu.Lock()
	p.lost = c.lost
	c.mu.Unlock()
	for i := 0; c.options.Loops == 0 || i < c.options.Loops; i++ {
		if err := p.loop(ctx, i); err != nil {
			return err
		}
		p.offset += c.options.LoopGap
	}
	if err := c.waitFor(ctx, time.Now().Add(linger)); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stopped = true
	c.kick()
	return nil
}

// playback is one run of the stream's clock, without interruption.
type playback struct {
	camera *camera
	origin time.Time     // when stream time 0 is due
	offset time.Duration // stream time at which the current loop began
	lost   time.Duration // pauses that origin and offset already include
}

// loop plays the file once and moves offset to just after its last frame.
func (p *playback) loop(ctx context.Context, i int) error {
	f, err := openFile(p.camera.path)
	if err != nil {
		return err
	}
	defer f.close()
	from := time.Duration(i) * p.camera.options.Shift
	if total := time.Duration(f.format.Duration()) * time.Microsecond; total > 0 {
		from %= total
	}
	first, err := seekKey(f, from)
	if err != nil {
		return err
	}
	length := time.Duration(0)
	for u := first; ; {
		length = max(length, u.PTS-first.PTS+u.Duration)
		// Pictures that refer to frames before the first keyframe cannot be
		// shown.
		if u.PTS >= first.PTS {
			if err := p.send(ctx, u, first); err != nil {
				return err
			}
		}
		u, err = f.next()
		if errors.Is(err, io.EOF) {
			p.offset += length
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// Length is how long a file plays, most at most: what is beyond is not read.
func Length(path string, most time.Duration) (time.Duration, error) {
	f, err := openFile(path)
	if err != nil {
		return 0, err
	}
	defer f.close()
	u, err := seekKey(f, 0)
	start, length := u.PTS, time.Duration(0)
	for err == nil && length < most {
		length = max(length, u.PTS-start+u.Duration)
		u, err = f.next()
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return 0, fmt.Errorf("measure %s: %w", path, err)
	}
	return min(length, most), nil
}

// seekKey reads on to the first keyframe, or the first that is so much after it. A
// file's times may begin anywhere, also before 0.
func seekKey(f *file, after time.Duration) (unit, error) {
	var start *time.Duration
	for {
		u, err := f.next()
		if err != nil {
			return unit{}, fmt.Errorf("find a keyframe: %w", err)
		}
		if !u.Key {
			continue
		}
		if start == nil {
			start = &u.PTS
		}
		if u.PTS-*start >= after {
			return u, nil
		}
	}
}

// send waits until the unit is due, which is at its decoding time, and sends
// it.
func (p *playback) send(ctx context.Context, u, first unit) error {
	c := p.camera
	due := p.origin.Add(time.Duration(float64(p.offset+u.DTS-first.DTS) / c.options.Speed))
	if err := c.waitFor(ctx, due); err != nil {
		return err
	}
	if err := c.until(ctx, func() bool { return c.frozenAt.IsZero() || c.nobody() }); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.nobody() {
		return errNobody
	}
	// A pause has moved the stream's clock on, but not the position in the
	// file.
	if d := c.lost - p.lost; d > 0 {
		p.origin, p.lost = p.origin.Add(d-time.Duration(float64(d)/c.options.Speed)), c.lost
		p.offset += d
	}
	if c.hung && c.key != nil {
		u.NALs = c.key
	} else if u.Key {
		c.key = u.NALs
	}
	return c.write(u.NALs, p.offset+u.PTS-first.PTS)
}

// write sends one access unit to every reader; c.mu is held.
func (c *camera) write(nals [][]byte, at time.Duration) error {
	if c.stream == nil {
		return nil
	}
	if c.corrupt {
		nals = garbled(nals)
	}
	packets, err := c.encode(nals)
	if err != nil {
		return fmt.Errorf("packetize: %w", err)
	}
	stamp := c.options.FirstRTP + ticks(at)
	for _, packet := range packets {
		packet.Timestamp = stamp
		if err := c.stream.WritePacketRTP(c.media, packet); err != nil {
			return fmt.Errorf("send: %w", err)
		}
	}
	return nil
}

// ticks converts a time to RTP's 90 kHz clock, which wraps around.
func ticks(d time.Duration) uint32 {
	const clock = 90_000
	return uint32(d/time.Second*clock + (d%time.Second*clock+time.Second/2)/time.Second)
}

// garbled are copies of NAL units with rubbish in place of all but each one's first
// byte, so that they still look like video.
func garbled(nals [][]byte) [][]byte {
	out := make([][]byte, len(nals))
	for i, n := range nals {
		out[i] = slices.Clone(n)
		for k := 1; k < len(n); k++ {
			out[i][k] = byte(rand.Uint32())
		}
	}
	return out
}

// until waits until allowed returns true; allowed is called with c.mu held.
func (c *camera) until(ctx context.Context, allowed func() bool) error {
	for {
		c.mu.Lock()
		ok, changed := allowed(), c.changed
		c.mu.Unlock()
		if ok {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// nobody reports that an on-demand camera has lost its last reader; c.mu is
// held.
func (c *camera) nobody() bool { return c.options.OnDemand && !c.begun }

// waitFor waits for a point in time, or for the last reader of an on-demand
// camera to go.
func (c *camera) waitFor(ctx context.Context, due time.Time) error {
	timer := time.NewTimer(time.Until(due))
	defer timer.Stop()
	for {
		c.mu.Lock()
		changed, gone := c.changed, c.nobody()
		c.mu.Unlock()
		if gone {
			return errNobody
		}
		select {
		case <-timer.C:
			return nil
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
