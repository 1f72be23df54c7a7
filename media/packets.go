package media

import (
	"errors"
	"io"
	"time"

	"github.com/asticode/go-astiav"
)

// step decodes a frame or, where there is none to be had, reads a packet.
func (s *Stream) step() (*Frame, error) {
	err := s.codec.ReceiveFrame(s.fresh)
	switch {
	case err == nil:
		return s.take()
	case errors.Is(err, astiav.ErrEof):
		return nil, io.EOF
	case !errors.Is(err, astiav.ErrEagain):
		s.OnBadPacket()
		return nil, nil
	case s.draining:
		return nil, io.EOF
	}
	return nil, s.feed()
}

// feed gives the decoder one packet. The watchdog is a frame's, so that a
// camera whose packets never make a picture is found out too; the first frame
// may take longer, for it waits for a keyframe.
func (s *Stream) feed() error {
	patience := s.Watchdog
	if s.first.IsZero() {
		patience *= 4
	}
	left := patience - s.waited
	if left <= 0 {
		return silence("frame", patience)
	}
	begun := time.Now()
	err := s.guard.call(min(s.Read, left), func() error { return s.format.ReadFrame(s.packet) })
	s.waited += time.Since(begun)
	switch {
	case errors.Is(err, errTime) && left <= s.Read:
		return silence("frame", patience)
	case errors.Is(err, errTime):
		return silence("data", s.Read)
	case errors.Is(err, astiav.ErrEof):
		s.draining = true
		if err := s.codec.SendPacket(nil); err != nil {
			return io.EOF
		}
		return nil
	case err != nil:
		return err
	}
	defer s.packet.Unref()
	s.OnBytes(s.packet.Size())
	if s.packet.StreamIndex() != s.index {
		return nil
	}
	if err := s.codec.SendPacket(s.packet); err != nil {
		s.OnBadPacket()
	}
	return nil
}
