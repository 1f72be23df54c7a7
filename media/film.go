package media

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/asticode/go-astiav"
)

// FilmPacket is a packet of a film, and when its picture was before the camera.
type FilmPacket struct {
	Key      bool
	Captured time.Time
	Size     int
}

// Film is packets that become a file, in the order in which they came. The first is a
// keyframe.
type Film struct {
	Track   Track
	Packets []FilmPacket
	// Read gives the data of the i-th packet, each once and in order; it may be changed,
	// and is valid until the next call.
	Read func(i int) ([]byte, error)
}

// filmTicks is how many of a film's units of time are a second.
const filmTicks = 90_000

// Write writes the film as an MP4 with its index in front to path, where nothing is yet.
// The packets are copied, and nothing is encoded.
func (f Film) Write(ctx context.Context, path string) (err error) {
	quiet()
	if len(f.Packets) == 0 || !f.Packets[0].Key || f.Track.Width <= 0 || f.Track.Height <= 0 {
		return errors.New("write a film: it has no picture to begin with")
	}
	out, err := astiav.AllocOutputFormatContext(nil, "mp4", "file:"+path)
	if err != nil {
		return fmt.Errorf("write a film: %w", err)
	}
	defer out.Free()
	s, err := f.stream(out)
	if err != nil {
		return fmt.Errorf("write a film: %w", err)
	}
	pb, err := astiav.OpenIOContext("file:"+path, astiav.NewIOContextFlags(astiav.IOContextFlagWrite))
	if err != nil {
		return fmt.Errorf("write a film: %w", err)
	}
	defer func() { err = errors.Join(err, pb.Close()) }()
	out.SetPb(pb)
	options := astiav.NewDictionary()
	defer options.Free()
	// The index is moved to the front at the end, by reading the file once more.
	if err := errors.Join(options.Set("movflags", "+faststart", 0), options.Set("video_track_timescale", strconv.Itoa(filmTicks), 0)); err != nil {
		return fmt.Errorf("write a film: %w", err)
	}
	sayOfFile(out, "creation_time", f.Packets[0].Captured.UTC().Format("2006-01-02T15:04:05.000000Z"))
	if err := out.WriteHeader(options); err != nil {
		return fmt.Errorf("write a film's header: %w", err)
	}
	err = f.copyPackets(ctx, out, s)
	// What libav holds is given back by the end alone.
	if end := out.WriteTrailer(); end != nil && err == nil {
		err = fmt.Errorf("write a film's index: %w", end)
	}
	return err
}

// stream describes the film's one track.
func (f Film) stream(out *astiav.FormatContext) (*astiav.Stream, error) {
	decoder := astiav.FindDecoderByName(f.Track.Codec)
	s := out.NewStream(nil)
	if s == nil || decoder == nil || !Filmable(f.Track.Codec) {
		return nil, fmt.Errorf("no films can be made of %q", f.Track.Codec)
	}
	p := s.CodecParameters()
	p.SetMediaType(astiav.MediaTypeVideo)
	p.SetCodecID(decoder.ID())
	p.SetWidth(f.Track.Width)
	p.SetHeight(f.Track.Height)
	if p.CodecID() == astiav.CodecIDHevc {
		p.SetCodecTag(astiav.CodecTag(uint32('h') | 'v'<<8 | 'c'<<16 | '1'<<24)) // Safari plays no other
	}
	if f.Track.SARNum > 0 && f.Track.SARDen > 0 {
		sar := astiav.NewRational(f.Track.SARNum, f.Track.SARDen)
		p.SetSampleAspectRatio(sar)
		s.SetSampleAspectRatio(sar)
	}
	if err := p.SetExtraData(f.Track.Extra); err != nil {
		return nil, err
	}
	if len(f.Track.Turn) > 0 {
		if err := s.AddSideData(astiav.PacketSideDataTypeDisplaymatrix, f.Track.Turn); err != nil {
			return nil, err
		}
	}
	s.SetTimeBase(astiav.NewRational(1, filmTicks))
	return s, nil
}

func (f Film) copyPackets(ctx context.Context, out *astiav.FormatContext, s *astiav.Stream) error {
	p := astiav.AllocPacket()
	defer p.Free()
	pts, dts := f.times()
	base := astiav.NewRational(1, filmTicks)
	for i, t := range f.Packets {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		data, err := f.Read(i)
		if err != nil {
			return fmt.Errorf("read a film's packets: %w", err)
		}
		if bytes.HasPrefix(f.Track.Extra, []byte{0, 0}) {
			data = withoutEmpty(data)
		}
		if err := p.FromData(data); err != nil {
			return fmt.Errorf("copy a packet of %d bytes: %w", len(data), err)
		}
		p.SetStreamIndex(0)
		p.SetPts(pts[i])
		p.SetDts(dts[i])
		step := dts[i] - dts[max(i-1, 0)]
		if i+1 < len(dts) {
			step = dts[i+1] - dts[i]
		}
		p.SetDuration(step)
		if t.Key {
			p.SetFlags(astiav.NewPacketFlags(astiav.PacketFlagKey))
		}
		p.RescaleTs(base, s.TimeBase())
		if err := out.WriteFrame(p); err != nil {
			return fmt.Errorf("write a film's packet: %w", err)
		}
		p.Unref()
	}
	return nil
}

// times are those at which pictures are shown and decoded, in filmTicks.
// Decoding happens in the order of the packets, at the times of showing in their order,
// all as much earlier as the one needs that is shown first after its decoding.
func (f Film) times() (pts, dts []int64) {
	n := len(f.Packets)
	pts, dts = make([]int64, n), make([]int64, n)
	order := make([]int, n)
	for i := range f.Packets {
		order[i] = i
		pts[i] = int64(f.Packets[i].Captured.Sub(f.Packets[0].Captured)) * (filmTicks / 10_000) / 100_000
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(pts[a], pts[b]) })
	for rank := range order {
		if rank > 0 { // no two pictures at a time
			pts[order[rank]] = max(pts[order[rank]], pts[order[rank-1]]+1)
		}
		dts[rank] = pts[order[rank]]
	}
	early := int64(0)
	for i := range dts {
		early = max(early, dts[i]-pts[i])
	}
	for i := range dts {
		dts[i] -= early
	}
	return pts, dts
}
