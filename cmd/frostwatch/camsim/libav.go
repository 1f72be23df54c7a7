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
	turn   []byte        // a NAL unit that says how pictures are turned; nil: not at all
	step   time.Duration // between frames, of a file without times
	last   time.Duration // decoding time of the latest unit
	begun  bool
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
	s, err := f.track(path)
	if err != nil {
		return nil, err
	}
	return f, f.filter(s)
}

// track is the first track that can be sent. Pictures that are attached to a film, such
// as its cover, are of other codecs.
func (f *file) track(path string) (*astiav.Stream, error) {
	err := fmt.Errorf("%s holds no video", path)
	for _, s := range f.format.Streams() {
		p := s.CodecParameters()
		if p.MediaType() != astiav.MediaTypeVideo {
			continue
		}
		if id := p.CodecID(); id == astiav.CodecIDH264 || id == astiav.CodecIDHevc {
			return s, nil
		}
		err = fmt.Errorf("%s is %s: want h264 or hevc", path, p.CodecID())
	}
	return nil, err
}

// filter sets up conversion to Annex B, with parameter sets before each
// keyframe.
func (f *file) filter(s *astiav.Stream) error {
	name := "h264_mp4toannexb"
	if s.CodecParameters().CodecID() == astiav.CodecIDHevc {
		name, f.h265 = "hevc_mp4toannexb", true
	}
	f.index, f.tick, f.step = s.Index(), s.TimeBase().Float64(), time.Second/25
	if rate := s.AvgFrameRate().Float64(); rate > 0 {
		f.step = time.Duration(float64(time.Second) / rate)
	}
	f.turn = turnUnit(s.SideData(astiav.PacketSideDataTypeDisplaymatrix), f.h265)
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
	u := unit{Duration: f.time(f.packet.Duration()), Key: f.packet.Flags().Has(astiav.PacketFlagKey), NALs: nals}
	u.PTS, u.DTS = f.times()
	if u.Key && f.turn != nil {
		u.NALs = f.turned(nals)
	}
	return u, nil
}

// times are those of the packet. One without a time of decoding is a frame's time after
// the one before it, and one without a time of showing is shown when it is decoded.
func (f *file) times() (pts, dts time.Duration) {
	p, d := f.packet.Pts(), f.packet.Dts()
	switch {
	case d != noTime:
		dts = f.time(d)
	case f.begun:
		dts = f.last + f.step
	case p != noTime:
		dts = f.time(p)
	}
	f.begun, f.last = true, dts
	if p == noTime {
		return dts, dts
	}
	return f.time(p), dts
}

// noTime is libav's AV_NOPTS_VALUE.
const noTime = -1 << 63

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
