package media

import (
	"bytes"
	"errors"

	"github.com/asticode/go-astiav"
)

// Copy reads a stream's packets until it ends, and hands them to OnPacket without decoding
// them. How large its pictures are only a picture says: so one is decoded, and again where
// the parameter sets change, after which sized is called. Frames are not asked for besides.
func (s *Stream) Copy(sized func(Track)) error {
	s.OnCalm(true) // packets may be fetched in bulk
	look, params := true, []byte(nil)
	for s.err == nil {
		p, err := s.copied()
		if err != nil {
			s.err = s.broken(err, false)
			break
		}
		if p == nil {
			continue
		}
		if p.Params != nil && !bytes.Equal(p.Params, params) {
			look, params = true, bytes.Clone(p.Params)
		}
		if look && p.Key && s.sizedBy(s.packet) {
			look = false
			sized(s.Track())
			s.renew()
		}
		s.packet.Unref()
	}
	return s.err
}

// copied reads a packet and hands it on; nil: it is of another track. The caller gives it
// back.
func (s *Stream) copied() (*Packet, error) {
	err := s.guard.call(s.Read, func() error { return s.format.ReadFrame(s.packet) })
	if errors.Is(err, errTime) {
		return nil, s.silence("data", s.Read)
	}
	if err != nil {
		return nil, err
	}
	s.OnBytes(s.packet.Size())
	if s.packet.StreamIndex() != s.index {
		s.packet.Unref()
		return nil, nil
	}
	s.arrived++
	p := s.asItCame()
	if s.OnPacket != nil {
		s.OnPacket(p)
	}
	return &p, nil
}

// sizedBy decodes a keyframe alone, and says whether a picture came of it.
func (s *Stream) sizedBy(key *astiav.Packet) bool {
	sent := s.codec.SendPacket(key)
	drained := s.codec.SendPacket(nil)
	got := sent == nil && drained == nil && s.codec.ReceiveFrame(s.fresh) == nil
	s.fresh.Unref()
	if !got {
		flush(s.owner)
	}
	return got
}

// renew gives back the memory of a decoder that has decoded a picture.
func (s *Stream) renew() {
	old, owner := s.codec, s.owner
	p := s.track.CodecParameters()
	if codec := astiav.FindDecoder(p.CodecID()); codec == nil || s.openDecoder(codec, p) != nil {
		if s.codec != old {
			s.codec.Free()
		}
		s.codec, s.owner = old, owner
		flush(s.owner)
		return
	}
	old.Free()
}
