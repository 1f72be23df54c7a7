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
	case errors.Is(err, astiav.ErrEof) && s.demand != nil && s.demand.state == peeking:
		s.wake(false, true) // the keyframe made no picture
		return nil, nil
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

// keyPatience is how long the first keyframe is waited for while packets come. Some
// cameras send one each minute or two.
const keyPatience = 10 * time.Minute

// feed passes the decoder one packet. The watchdog waits for frames rather than
// packets, so that a camera whose packets never make a picture is noticed too.
// The first frame may take longer, because it waits for a keyframe.
func (s *Stream) feed() error {
	if s.catchUp() {
		return nil
	}
	patience := s.Watchdog
	if s.first.IsZero() {
		patience *= 4
	}
	if s.keyless() {
		s.tellWait()
		patience = max(patience, keyPatience)
	}
	left := patience - s.waited
	if left <= 0 {
		return s.silence("frame", patience)
	}
	begun, lost := time.Now(), s.losses.count()
	err := s.guard.call(min(s.Read, left), func() error { return s.format.ReadFrame(s.packet) })
	s.waited += time.Since(begun)
	switch {
	case errors.Is(err, errTime) && left <= s.Read:
		return s.silence("frame", patience)
	case errors.Is(err, errTime):
		return s.silence("data", s.Read)
	case errors.Is(err, astiav.ErrEof) && s.demand != nil && s.demand.state == idle:
		s.wake(false, false) // so that a recording is whole
		return nil
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
	s.arrived++
	s.keyed = s.keyed || s.packet.Flags().Has(astiav.PacketFlagKey)
	if s.OnPacket != nil {
		s.OnPacket(s.asItCame())
	}
	missed := s.losses.count() != lost
	if s.demand == nil || !s.spare(missed) {
		s.send(s.packet, missed)
	}
	return nil
}

// send gives the decoder a packet. missed is whether something was lost before it.
func (s *Stream) send(p *astiav.Packet, missed bool) {
	lost := s.losses.count()
	s.failures = 0
	numberPackets(s.owner, s.damage.next())
	if err := s.codec.SendPacket(p); err != nil {
		s.OnBadPacket()
	}
	if missed || s.losses.count() != lost {
		s.damage.hurt()
	}
}

// keyless is whether packets come and none of them has begun a picture that needs no
// other.
func (s *Stream) keyless() bool { return s.first.IsZero() && s.arrived > 0 && !s.keyed }

// tellWait says once, after some time, what is waited for.
func (s *Stream) tellWait() {
	if s.told || s.OnWait == nil || s.waited < s.Watchdog/4 {
		return
	}
	s.told = true
	s.OnWait("video comes, and no keyframe yet, at which a picture can begin: set a shorter interval between keyframes in the camera (I-frame interval, GOP)")
}

// silence is the error for a camera that keeps the connection and sends nothing, or
// nothing that makes a picture.
func (s *Stream) silence(what string, d time.Duration) error {
	if s.blocked() {
		return blockedFault()
	}
	if s.keyless() {
		what = "keyframe"
	}
	return NewFault(KindFrozen, "no %s for %s", what, d.Round(time.Millisecond))
}
