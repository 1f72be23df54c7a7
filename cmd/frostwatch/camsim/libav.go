package camsim

import (
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/asticode/go-astiav"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"
)

// unit is one access unit: the data of the picture that is shown at PTS.
type unit struct {
	PTS, DTS, Duration time.Duration // of the file's clock; DTS may be negative
	Key                bool
	NALs               [][]byte // without start codes; the units' own memory
}

// file reads a video file's packets in decode order. It owns C memory; Close
// frees it.
type file struct {
	format *astiav.FormatContext
	bsf    *astiav.BitStreamFilterContext
	packet *astiav.Packet
	index  int
	tick   float64 // seconds
	h265   bool
	ended  bool
}

// openFile opens a file whose first video stream is H.264 or H.265. Files are
// trusted: they belong to whoever runs the simulator.
func openFile(path string) (_ *file, err error) {
	f := &file{format: astiav.AllocFormatContext(), packet: astiav.AllocPacket()}
	if err := f.format.OpenInput("file:"+path, nil, nil); err != nil {
		f.packet.Free() // libav has freed the format
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	defer func() {
		if err != nil {
			f.close()
		}
	}()
	if err := f.format.FindStreamInfo(nil); err != nil {
		return nil, fmt.Errorf("find the streams of %s: %w", path, err)
	}
	for _, s := range f.format.Streams() {
		if s.CodecParameters().MediaType() == astiav.MediaTypeVideo {
			return f, f.filter(path, s)
		}
	}
	return nil, fmt.Errorf("%s holds no video", path)
}

// filter sets up conversion to Annex B, with parameter sets before each
// keyframe.
func (f *file) filter(path string, s *astiav.Stream) error {
	name := "h264_mp4toannexb"
	switch id := s.CodecParameters().CodecID(); id {
	case astiav.CodecIDH264:
	case astiav.CodecIDHevc:
		name, f.h265 = "hevc_mp4toannexb", true
	default:
		return fmt.Errorf("%s is %s: want h264 or hevc", path, id)
	}
	f.index, f.tick = s.Index(), s.TimeBase().Float64()
	bsf, err := astiav.AllocBitStreamFilterContext(astiav.FindBitStreamFilterByName(name))
	if err != nil {
		return fmt.Errorf("start %s: %w", name, err)
	}
	f.bsf = bsf
	if err := s.CodecParameters().Copy(bsf.InputCodecParameters()); err != nil {
		return fmt.Errorf("start %s: %w", name, err)
	}
	bsf.SetInputTimeBase(s.TimeBase())
	if err := bsf.Initialize(); err != nil {
		return fmt.Errorf("start %s: %w", name, err)
	}
	return nil
}

// next reads one access unit; io.EOF at the end.
func (f *file) next() (unit, error) {
	for {
		err := f.bsf.ReceivePacket(f.packet)
		switch {
		case err == nil:
			return f.take()
		case errors.Is(err, astiav.ErrEof):
			return unit{}, io.EOF
		case !errors.Is(err, astiav.ErrEagain):
			return unit{}, fmt.Errorf("filter a packet: %w", err)
		}
		if err := f.feed(); err != nil {
			return unit{}, err
		}
	}
}

// feed passes the filter one video packet, or the end of the file.
func (f *file) feed() error {
	for {
		err := f.format.ReadFrame(f.packet)
		if errors.Is(err, astiav.ErrEof) && !f.ended {
			f.ended = true
			return f.bsf.SendPacket(nil)
		}
		if err != nil {
			return fmt.Errorf("read a packet: %w", err)
		}
		if f.packet.StreamIndex() == f.index {
			return f.bsf.SendPacket(f.packet)
		}
		f.packet.Unref()
	}
}

func (f *file) take() (unit, error) {
	defer f.packet.Unref()
	var nals h264.AnnexB // H.265 is framed the same way
	if err := nals.Unmarshal(f.packet.Data()); err != nil {
		return unit{}, fmt.Errorf("split an access unit: %w", err)
	}
	return unit{
		PTS: f.time(f.packet.Pts()), DTS: f.time(f.packet.Dts()), Duration: f.time(f.packet.Duration()),
		Key: f.packet.Flags().Has(astiav.PacketFlagKey), NALs: nals,
	}, nil
}

func (f *file) time(ticks int64) time.Duration {
	return time.Duration(math.Round(float64(ticks) * f.tick * 1e9))
}

func (f *file) close() {
	if f.bsf != nil {
		f.bsf.Free()
	}
	f.packet.Free()
	f.format.CloseInput()
}
