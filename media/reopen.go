package media

import "github.com/asticode/go-astiav"

// reopen begins with a new decoder where that of all pictures is not needed for now: it
// keeps the memory of all pictures that it ever held at once, and of keyframes alone that
// is one. key is the keyframe from which on packets are kept. Where it does not carry what a
// decoder must know, the old one stays, which may have heard of it long ago.
func (s *Stream) reopen(key *astiav.Packet) {
	old, owner := s.codec, s.owner
	codec := astiav.FindDecoder(s.track.CodecParameters().CodecID())
	if codec == nil || !describes(s.info.Codec, key.Data()) || s.openDecoder(codec, s.track.CodecParameters()) != nil {
		if s.codec != old {
			s.codec.Free()
			s.codec, s.owner = old, owner
		}
		flush(s.owner)
		return
	}
	old.Free()
}

// describes is whether a keyframe is preceded by all parameter sets, as cameras send them.
func describes(codec string, data []byte) bool {
	var seen [64]bool
	data = data[:min(len(data), describedWithin)]
	for unit, rest := nextUnit(data); unit != nil; unit, rest = nextUnit(rest) {
		if len(unit) > 0 {
			seen[unitType(codec, unit[0])] = true
		}
	}
	if codec == "hevc" {
		return seen[32] && seen[33] && seen[34] // VPS, SPS and PPS (H.265, table 7-1)
	}
	return seen[7] && seen[8] // SPS and PPS (H.264, table 7-1)
}

// describedWithin bounds how far into a keyframe is looked: further than what goes before
// any picture.
const describedWithin = 32 << 10
