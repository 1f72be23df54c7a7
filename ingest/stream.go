package ingest

import "time"

// next hands out the next frame, which is valid until the call after it. It
// returns io.EOF at the end of a recording, a *Fault when the stream breaks or
// is silent for too long, and errStopped when the context has ended. Frames
// that were decoded before an error are handed out first.
func (s *stream) next() (*Frame, error) {
	for s.err == nil {
		f, err := s.step()
		if err != nil {
			s.err = s.broken(err, false)
		} else if f != nil {
			return f, nil
		}
	}
	if s.holding {
		return s.hand(s.clock.until(s.heldAt, s.heldAt, max(s.heldStep, s.clock.step))), nil
	}
	return nil, s.err
}

// take times the fresh frame, which settles until when the held one is shown.
func (s *stream) take() (*Frame, error) {
	if err := sizeFault(s.fresh.Width(), s.fresh.Height()); err != nil {
		return nil, err
	}
	now := time.Now()
	if s.first.IsZero() {
		s.first = now
	}
	s.quiet = 0
	var at time.Duration
	before, verdict := s.clock.step, keep
	if s.byArrival {
		at = now.Sub(s.first)
		s.clock.step = at - s.heldAt
	} else {
		at, verdict = s.clock.at(frameTime(s.fresh.UnsafePointer()))
	}
	if verdict == skip {
		if s.everyFrame {
			return nil, fault(KindNotVideo, "its frames have no times, and it does not say how many there are a second")
		}
		s.fresh.Unref()
		return nil, nil
	}
	if verdict == dropEarlier {
		s.held.Unref()
		s.holding = false
	}
	var out *Frame
	if s.holding {
		out = s.hand(s.clock.until(s.heldAt, at, before))
	}
	s.held.MoveRef(s.fresh)
	s.holding, s.heldAt, s.heldStep, s.heldArrived = true, at, before, now
	return out, nil
}

// hand moves the held frame out.
func (s *stream) hand(until time.Duration) *Frame {
	s.shown.Unref()
	s.shown.MoveRef(s.held)
	s.holding = false
	s.frame = Frame{
		PTS: s.heldAt, Until: until, Arrived: s.heldArrived,
		Width: s.shown.Width(), Height: s.shown.Height(), RGB: s.toRGB,
	}
	return &s.frame
}
