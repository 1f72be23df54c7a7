// Package media reads video: it opens cameras' streams and files, decodes them,
// times their frames, and makes small JPEGs of them. All of libav is in here;
// libjpeg-turbo is in media/jpeg.
package media

import (
	"errors"
	"slices"
	"time"

	"github.com/asticode/go-astiav"
)

// Stream is an open connection, or file, that decodes. It owns C memory; Close
// frees it. It is used by one goroutine.
type Stream struct {
	openOptions
	format *astiav.FormatContext
	codec  decoder
	owner  *astiav.CodecContext // of codec
	losses losses
	damage damage
	demand *demand // nil: all is decoded
	packet *astiav.Packet
	index  int            // of the track that is decoded
	track  *astiav.Stream // the same
	guard  *guard
	info   StreamInfo
	clock  clock
	// What reasons are made of.
	scheme, path string
	heard        heard
	arrived      int  // packets of the track
	keyed        bool // one of them began a picture that needs no other
	told         bool // OnWait was called

	draining bool
	failures int // of the decoder, since it last took a packet

	fresh, held, shown *astiav.Frame
	// The frame that is held back until the time of its successor is known.
	holding     bool
	heldAt      time.Duration
	heldStep    time.Duration
	heldArrived time.Time
	heldShape   shape
	heldKept    bool
	heldStill   bool
	first       time.Time     // arrival of the first frame
	waited      time.Duration // for packets since the latest frame that has a time
	frame       Frame         // handed out
	shape       shape         // of frame
	matrix      *[9]int32     // how pictures are turned, as a frame has said; nil: none has
	unsaid      int           // keyframes since then
	rgb         rgbConverter
	err         error // the error that ended the stream
}

// Info returns what is known of the stream before its first frame: all but the size.
func (s *Stream) Info() StreamInfo { return s.info }

// Next hands out the next frame, which is valid until the call after it. It
// returns io.EOF at the end of a recording, a *Fault when the stream breaks or
// is silent for too long, and ErrStopped when the context has ended. Frames
// that were decoded before an error are handed out first.
func (s *Stream) Next() (*Frame, error) {
	s.shown.Unref() // its memory may be needed for the next
	for s.err == nil {
		f, err := s.step()
		if err != nil {
			s.err = s.broken(err, false)
		} else if f != nil {
			return f, nil
		}
	}
	if s.holding {
		return s.last(), nil
	}
	return nil, s.err
}

// last hands out a stream's last frame.
func (s *Stream) last() *Frame {
	d := s.demand
	if d == nil || d.state != idle {
		return s.hand(s.heldAt + max(s.heldStep, s.clock.step))
	}
	f := s.hand(s.heldAt + max(d.span+d.group.since, 0))
	f.Skipped = len(d.kept) - 1
	return f
}

// take computes the new frame's time, which is also when the held frame ends.
func (s *Stream) take() (*Frame, error) {
	if err := sizeFault(s.fresh.Width(), s.fresh.Height()); err != nil {
		return nil, err
	}
	number, now, kept := packetOf(s.fresh.UnsafePointer()), time.Now(), false
	skipped := 0
	if d := s.demand; d != nil {
		switch {
		case d.repeated(number, frameTime(s.fresh.UnsafePointer())), d.state == peeking && !s.peeked(number):
			s.fresh.Unref()
			return nil, nil
		case d.state == peeking:
			now, kept, skipped = d.kept[len(d.kept)-1].arrived.Add(d.delay), true, d.skipped()
		case d.state == catchingUp:
			now, kept = d.fed, true
		}
	}
	shape := shapeOf(s.look())
	if s.first.IsZero() {
		s.first = now
	}
	before := s.clock.step
	at, verdict := s.clock.at(frameTime(s.fresh.UnsafePointer()), now.Sub(s.first))
	if verdict == skip {
		if s.everyFrame {
			return nil, NewFault(KindNotVideo, "its frames have no times, and it does not say how many there are a second")
		}
		s.fresh.Unref()
		if s.demand != nil && s.demand.state == peeking {
			s.wake(false, false)
		}
		return nil, nil
	}
	s.waited = 0
	damaged := s.damage.frame(number, corrupt(s.fresh.UnsafePointer()), s.fresh.KeyFrame(), s.fresh.PictureType() == astiav.PictureTypeI)
	if verdict == dropEarlier {
		s.held.Unref()
		s.holding = false
	}
	passed := s.damage.over(at, damaged) && !s.everyFrame
	if damaged {
		s.OnDamaged(passed)
	}
	if passed {
		s.fresh.Unref()
		return nil, nil
	}
	var out *Frame
	if s.holding {
		out = s.hand(s.clock.until(s.heldAt, at, before))
		out.Skipped = skipped
	}
	peeking, still := s.demand != nil && s.demand.state == peeking, false
	if s.demand != nil && !peeking && !damaged {
		s.watch(at, number, now)
		still = s.demand.still.asUsual()
	}
	s.held.MoveRef(s.fresh)
	s.holding, s.heldAt, s.heldStep, s.heldArrived, s.heldShape, s.heldKept, s.heldStill = true, at, before, now, shape, kept, still
	if peeking {
		s.next()
	}
	return out, nil
}

// hand returns the held frame.
func (s *Stream) hand(until time.Duration) *Frame {
	s.shown.Unref()
	s.shown.MoveRef(s.held)
	s.holding = false
	s.shape = s.heldShape
	s.frame = Frame{
		PTS: s.heldAt, Until: until, Arrived: s.heldArrived,
		Width: s.shape.width, Height: s.shape.height, Kept: s.heldKept, Still: s.heldStill, RGB: s.toRGB,
	}
	return &s.frame
}

// look is how the fresh frame asks to be shown.
func (s *Stream) look() look {
	l := lookOf(s.fresh, s.track)
	if s.demand != nil {
		s.demand.fields = l.interlaced
	}
	// libav has each field of HEVC as a frame of its own.
	if l.interlaced && s.info.Codec == "hevc" {
		l.interlaced, l.fieldAlone = false, true
	}
	// What a frame says of the turn holds for those after it, until two keyframes in a
	// row say nothing: some encoders say it beside one of them.
	if l.own {
		s.matrix, s.unsaid = &l.matrix, 0
		return l
	}
	if l.key {
		if s.unsaid++; s.unsaid == 2 {
			s.matrix = nil
		}
	}
	if s.matrix != nil {
		l.turned, l.matrix = true, *s.matrix
	}
	return l
}

func (s *Stream) toRGB(dst []byte) ([]byte, error) {
	if s.shown.Width()*s.shown.Height() == 0 {
		return nil, errors.New("convert a frame that is no longer valid")
	}
	size := s.shape.width * s.shape.height * 3
	dst = slices.Grow(dst[:0], size)[:size]
	if ret := s.rgb.convert(s.shown.UnsafePointer(), s.shape, dst); ret < 0 {
		return nil, NewFault(KindNotVideo, "the picture's format %s cannot be converted to RGB: %s", s.shown.PixelFormat(), astiav.Error(ret))
	}
	return dst, nil
}

// Close ends the connection and frees the decoder.
func (s *Stream) Close() {
	// This sends TEARDOWN, if the camera still takes it.
	_ = s.guard.goodbye(func() error { s.format.CloseInput(); return nil })
	s.guard.close()
	if s.codec != nil {
		s.codec.Free()
	}
	s.packet.Free()
	s.demand.free()
	s.demand.leave()
	s.losses.free()
	for _, f := range []*astiav.Frame{s.fresh, s.held, s.shown} {
		f.Free()
	}
	s.rgb.free()
}
