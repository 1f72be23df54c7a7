package media

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/asticode/go-astiav"
)

// maxSide and maxPixels bound a picture, and so the memory of a decoder: 8K.
const (
	maxSide   = 8192
	maxPixels = 8192 * 4608
)

// start picks the first video stream that has a decoder, and opens it. Pictures that
// are attached to a recording, such as its cover, are no video.
func (s *Stream) start(scheme string) error {
	var without error
	for _, v := range s.format.Streams() {
		p := v.CodecParameters()
		if p.MediaType() != astiav.MediaTypeVideo || attachedPicture(v) {
			continue
		}
		codec := astiav.FindDecoder(p.CodecID())
		if codec == nil {
			without = cmp.Or(without, noDecoder(p.CodecID()))
			continue
		}
		if err := sizeFault(p.Width(), p.Height()); err != nil {
			return err
		}
		s.index, s.track = v.Index(), v
		s.clock.tick = v.TimeBase().Float64()
		s.info = StreamInfo{Codec: codec.Name(), Recorded: scheme == "file"}
		if r := v.AvgFrameRate(); r.Den() > 0 && !strings.HasPrefix(scheme, "rtsp") {
			s.info.FPS = r.Float64()
		}
		if strings.HasPrefix(scheme, "http") {
			s.info.Recorded = s.format.Duration() > 0
			s.clock.blind = strings.Contains(s.format.InputFormat().Name(), "jpeg")
		}
		s.clock.plain = s.everyFrame
		s.clock.live = !s.info.Recorded && !s.AnyPace
		s.clock.rated(s.info.FPS)
		return s.openDecoder(codec, p)
	}
	return cmp.Or[error](without, NewFault(KindNotVideo, "the stream holds no video"))
}

func noDecoder(id astiav.CodecID) error {
	if id == astiav.CodecIDNone {
		return NewFault(KindNotVideo, "the stream does not say in a known way how its video is coded")
	}
	return NewFault(KindNotVideo, "no decoder for %s", id)
}

func (s *Stream) openDecoder(codec *astiav.Codec, p *astiav.CodecParameters) error {
	c := astiav.AllocCodecContext(codec)
	s.codec, s.owner = c, c
	s.losses.ofCodec(c)
	if err := c.FromCodecParameters(p); err != nil {
		return err
	}
	c.SetThreadCount(s.Threads)
	d := astiav.NewDictionary()
	defer d.Free()
	if err := d.Set("max_pixels", strconv.Itoa(maxPixels), 0); err != nil {
		return err
	}
	return c.Open(codec, d)
}

func sizeFault(w, h int) error {
	if w > maxSide || h > maxSide || w*h > maxPixels {
		return NewFault(KindNotVideo, "the picture is %dx%d: want at most 8192x4608", w, h)
	}
	return nil
}
