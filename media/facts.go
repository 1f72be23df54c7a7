package media

/*
#include <libavcodec/avcodec.h>
#include <libavutil/pixdesc.h>

static const char *fw_profile(int codec, int profile) { return avcodec_profile_name(codec, profile); }

static int fw_bits(int format) {
	const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(format);
	return d ? d->comp[0].depth : 0;
}
*/
import "C"

import (
	"slices"

	"github.com/asticode/go-astiav"
)

// Facts are what a stream has shown of itself by the frame that was handed out last.
type Facts struct {
	Codec         string // libav's name, such as h264
	Profile       string // such as High; empty: not known
	Pixels        string // libav's name of the pixels' format
	Bits          int    // of a sample
	Width, Height int    // as coded, pixels
	// SampleWidth and SampleHeight are the shape of a sample; 0: it is not said, or square.
	SampleWidth, SampleHeight int
	Turn                      string // how the picture is turned to be shown; empty: it isn't
	Interlaced                bool
	HDR                       string  // PQ or HLG; empty: an ordinary range of light
	FPS                       float64 // as the stream says of itself; 0: it doesn't
	Audio                     bool    // there is sound beside the video
	Between                   bool    // the frame refers to later ones (B frame)
	// Alone is whether the frame is a keyframe of its own, and not one from which on a
	// picture is refreshed part by part.
	Key, Alone bool
	Clock      ClockState
	Mended     int   // frames so far whose stamps were passed over
	Lost       int64 // packets and references so far that are missing
}

// ClockState is whether a stream's own times are used.
type ClockState string

// The values of ClockState.
const (
	ClockRight   ClockState = "right"    // they are
	ClockArrival ClockState = "arrivals" // they can't be believed, and times of arrival are used
	ClockNone    ClockState = "none"     // there are none
)

// Facts are of the frame that Next returned last; it must still be valid.
func (s *Stream) Facts() Facts {
	l := lookOf(s.shown, s.track)
	f := Facts{
		Codec: s.info.Codec, Pixels: s.shown.PixelFormat().String(), Bits: int(C.fw_bits(C.int(s.shown.PixelFormat()))),
		Width: s.shown.Width(), Height: s.shown.Height(), Interlaced: l.interlaced, Audio: s.hasAudio(),
		Between: s.shown.PictureType() == astiav.PictureTypeB,
		Key:     s.shown.KeyFrame(), Alone: s.shown.PictureType() == astiav.PictureTypeI,
		Clock: ClockRight, Mended: s.clock.mended, Lost: s.losses.count(), FPS: s.info.FPS,
	}
	if p := C.fw_profile(C.int(s.owner.CodecID()), C.int(s.owner.Profile())); p != nil {
		f.Profile = C.GoString(p)
	}
	if l.sarNum > 0 && l.sarDen > 0 && l.sarNum != l.sarDen {
		f.SampleWidth, f.SampleHeight = l.sarNum, l.sarDen
	}
	f.Turn = s.shape.turn.words()
	switch s.owner.ColorTransferCharacteristic() {
	case astiav.ColorTransferCharacteristicSmpte2084:
		f.HDR = "PQ"
	case astiav.ColorTransferCharacteristicAribStdB67:
		f.HDR = "HLG"
	}
	if r := s.owner.Framerate(); f.FPS == 0 && r.Num() > 0 && r.Den() > 0 {
		f.FPS = r.Float64()
	}
	switch {
	case s.clock.blind:
		f.Clock = ClockNone
	case s.clock.byArrival:
		f.Clock = ClockArrival
	}
	return f
}

// hasAudio is whether there is sound, which nobody asks for.
func (s *Stream) hasAudio() bool {
	if slices.Contains(s.heard.kinds, "audio") {
		return true
	}
	return slices.ContainsFunc(s.format.Streams(), func(t *astiav.Stream) bool {
		return t.CodecParameters().MediaType() == astiav.MediaTypeAudio
	})
}

// words says how a picture is turned; empty: it isn't.
func (t turn) words() string {
	switch t {
	case upright():
		return ""
	case turn{b: -1, c: 1}:
		return "90 degrees clockwise"
	case turn{a: -1, d: -1}:
		return "180 degrees"
	case turn{b: 1, c: -1}:
		return "90 degrees anticlockwise"
	case turn{a: -1, d: 1}, turn{a: 1, d: -1}:
		return "mirrored"
	}
	return "turned and mirrored"
}
