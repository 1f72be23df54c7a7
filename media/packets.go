package media

import (
	"errors"
	"io"
	"time"

	"github.com/asticode/go-astiav"
)

// decoder is what a stream needs of libavcodec.
type decoder interface {
	SendPacket(p *astiav.Packet) error
	ReceiveFrame(f *astiav.Frame) error
	Free()
}

// maxFailures is how often a decoder may fail between two packets, each time
// for another of the frames that it holds, before it is considered broken.
const maxFailures = 64

// step decodes a frame or, if none is available, reads a packet.
func (s *Stream) step() (*Frame, error) {
	err := s.codec.ReceiveFrame(s.fresh)
	switch {
	case err == nil:
		return s.take()
	case errors.Is(err, astiav.ErrEof):
		return nil, io.EOF
	case !errors.Is(err, astiav.ErrEagain):
		return nil, s.failed(err)
	case s.draining:
		return nil, io.EOF
	}
	return nil, s.feed()
}

// failed ignores a failure of the decoder, since one damaged picture must not
// end a stream, unless the decoder does nothing but fail.
func (s *Stream) failed(err error) error {
	s.OnBadPacket()
	if s.guard.ended() {
		return ErrStopped
	}
	if s.failures++; s.failures > maxFailures {
		return err
	}
	return nil
}

// feed passes the decoder one packet. The watchdog waits for frames rather than
// packets, so that a camera whose packets never make a picture is noticed too.
// The first frame may take longer, because it waits for a keyframe.
func (s *Stream) feed() error {
	patience := s.Watchdog
	if s.first.IsZero() {
		patience *= 4
	}
	left := patience - s.waited
	if left <= 0 {
		return silence("frame", patience)
	}
	begun, lost := time.Now(), s.losses.count()
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
	s.failures = 0
	numberPackets(s.owner, s.damage.next())
	if err := s.codec.SendPacket(s.packet); err != nil {
		s.OnBadPacket()
	}
	if s.losses.count() != lost {
		s.damage.hurt()
	}
	return nil
}
