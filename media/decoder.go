package media

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/asticode/go-astiav"
)

// maxSide and maxPixels bound a picture, and so the memory of a decoder: 8K.
const (
	maxSide   = 8192
	maxPixels = 8192 * 4608
)

// start picks a video stream that has a decoder, and opens it: the one that is marked
// as the default, or else the largest, or else the first. Pictures that are attached to
// a recording, such as its cover, are no video.
func (s *Stream) start() error {
	var v *astiav.Stream
	without := error(nil)
	for _, other := range s.format.Streams() {
		p := other.CodecParameters()
		if p.MediaType() != astiav.MediaTypeVideo || attachedPicture(other) {
			continue
		}
		err := sizeFault(p.Width(), p.Height())
		if astiav.FindDecoder(p.CodecID()) == nil {
			err = s.noDecoder(p.CodecID())
		}
		if err != nil {
			without = cmp.Or(without, err)
		} else if v == nil || better(other, v) {
			v = other
		}
	}
	if v == nil {
		return cmp.Or(without, s.noVideo())
	}
	p := v.CodecParameters()
	codec := astiav.FindDecoder(p.CodecID())
	s.index, s.track = v.Index(), v
	s.clock.tick = v.TimeBase().Float64()
	s.info = StreamInfo{Codec: codec.Name(), Recorded: s.scheme == "file"}
	if r := v.AvgFrameRate(); r.Den() > 0 && !strings.HasPrefix(s.scheme, "rtsp") {
		s.info.FPS = r.Float64()
	}
	if strings.HasPrefix(s.scheme, "http") {
		s.info.Recorded = s.format.Duration() > 0
		s.clock.blind = strings.Contains(s.format.InputFormat().Name(), "jpeg")
	}
	s.clock.plain = s.everyFrame
	s.clock.live = !s.info.Recorded && !s.AnyPace
	s.clock.rated(s.info.FPS)
	return s.openDecoder(codec, p)
}

// better is whether a track is to be taken rather than one before it.
func better(a, b *astiav.Stream) bool {
	if first, second := defaultTrack(a), defaultTrack(b); first != second {
		return first
	}
	size := func(s *astiav.Stream) int { return s.CodecParameters().Width() * s.CodecParameters().Height() }
	return size(a) > size(b)
}

func (s *Stream) noDecoder(id astiav.CodecID) error {
	switch {
	case id != astiav.CodecIDNone:
		return NewFault(KindNotVideo, "no decoder for %s", id)
	case len(s.heard.codings) > 0:
		return NewFault(KindNotVideo, "its video is coded as %s, which cannot be read over RTSP: set the camera to H.264 or H.265", strings.Join(s.heard.codings, ", "))
	}
	return NewFault(KindNotVideo, "the stream does not say in a known way how its video is coded")
}

// noVideo is for a stream without any.
func (s *Stream) noVideo() error {
	if f := s.foreign(); f != nil {
		return f
	}
	if len(s.heard.kinds) > 0 && !slices.Contains(s.heard.kinds, "video") {
		return NewFault(KindNotVideo, "the stream holds no video, only %s: see whether the camera has its video at another path", strings.Join(s.heard.kinds, " and "))
	}
	return NewFault(KindNotVideo, "the stream holds no video")
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
