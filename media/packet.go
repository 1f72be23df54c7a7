package media

import (
	"slices"

	"github.com/asticode/go-astiav"
)

// Packet is a packet of a stream's video before decoding: one picture, or a part of one.
type Packet struct {
	Key      bool  // a picture begins that needs no other
	PTS, DTS int64 // in Track's ticks; NoTime if unknown
	Data     []byte
	// Params are the codec's parameter sets in front of a keyframe, in Annex B; nil: it
	// brings none. Like Data they are valid only during the call.
	Params []byte
}

// NoTime is the time of a packet that has none.
const NoTime int64 = noTime

// Track is what has to be known of a stream's video to write its packets to a file.
type Track struct {
	Codec         string // libav's name, such as h264
	Width, Height int    // of the coded picture, pixels; 0 before the first frame
	SARNum        int    // a sample's width
	SARDen        int    // and height
	Tick          float64
	Extra         []byte // the codec's own header, as the container has it
	Turn          []byte // display matrix; nil: none
}

// Filmable is whether films can be made of a codec's packets.
func Filmable(codec string) bool { return slices.Contains([]string{"h264", "hevc", "mjpeg"}, codec) }

// Track is that of the video that is decoded. Its size is known from the first frame on.
func (s *Stream) Track() Track {
	p := s.track.CodecParameters()
	t := Track{
		Codec: s.info.Codec, Width: p.Width(), Height: p.Height(), Tick: s.clock.tick,
		Extra: p.ExtraData(), Turn: s.track.SideData(astiav.PacketSideDataTypeDisplaymatrix),
	}
	sar := p.SampleAspectRatio()
	if s.owner.Width() > 0 && s.owner.Height() > 0 {
		t.Width, t.Height, sar = s.owner.Width(), s.owner.Height(), s.owner.SampleAspectRatio()
	}
	t.SARNum, t.SARDen = sar.Num(), sar.Den()
	return t
}

// asItCame is the packet that was read.
func (s *Stream) asItCame() Packet {
	p := Packet{Key: s.packet.Flags().Has(astiav.PacketFlagKey), PTS: s.packet.Pts(), DTS: s.packet.Dts(), Data: packetData(s.packet)}
	if p.Key {
		p.Params = parameterSets(s.info.Codec, p.Data)
	}
	return p
}
