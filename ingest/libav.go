package ingest

import (
	"cmp"
	"context"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/asticode/go-astiav"
)

// maxSide and maxPixels bound a picture, and so the memory of a decoder: 8K.
const (
	maxSide   = 8192
	maxPixels = 8192 * 4608
)

// quietLibav keeps libav from writing to standard error, where it would print
// URLs. The level is the whole process's; libav has no other. Its messages can
// not be had instead: go-astiav's callback formats them into 1024 bytes without
// looking at their length.
func quietLibav() { astiav.SetLogLevel(astiav.LogLevelQuiet) }

// openOptions say how a stream is opened.
type openOptions struct {
	transport   string // "tcp" or "udp", for RTSP
	open, read  time.Duration
	watchdog    time.Duration
	threads     int
	onBytes     func(int)
	onBadPacket func()
	formats     string // that a file may have; empty: those of a camera
	everyFrame  bool   // a frame whose time can't be known is an error, and not passed over
}

// stream is an open connection that decodes. It owns C memory; close gives it
// back. It is used by one goroutine.
type stream struct {
	openOptions
	format *astiav.FormatContext
	codec  *astiav.CodecContext
	packet *astiav.Packet
	index  int
	guard  *guard
	info   StreamInfo
	clock  clock
	// byArrival gives frames the time at which they come, for formats without
	// timestamps.
	byArrival bool
	draining  bool

	fresh, held, shown *astiav.Frame
	// What is held back until its successor's time is known.
	holding     bool
	heldAt      time.Duration
	heldStep    time.Duration
	heldArrived time.Time
	first       time.Time     // arrival of the first frame
	quiet       time.Duration // spent waiting for packets since the latest frame
	frame       Frame         // handed out
	rgb         rgbConverter
	err         error // that ended the stream
}

// openStream connects, finds the video and starts its decoder.
func openStream(ctx context.Context, a address, o openOptions) (*stream, error) {
	s := &stream{openOptions: o, format: astiav.AllocFormatContext()}
	s.guard = newGuard(ctx, s.format.SetInterruptCallback())
	options := a.options(o)
	defer options.Free()
	deadline := time.Now().Add(o.open)
	err := s.guard.call(o.open, func() error { return s.format.OpenInput(a.raw, nil, options) })
	if err != nil {
		s.guard.close() // libav has freed the format
		return nil, s.broken(err, true)
	}
	s.packet = astiav.AllocPacket()
	s.fresh, s.held, s.shown = astiav.AllocFrame(), astiav.AllocFrame(), astiav.AllocFrame()
	err = s.guard.call(time.Until(deadline), func() error {
		// RTSP's description says what a decoder needs. Looking into the packets
		// would only delay and hide the first frames.
		if strings.HasPrefix(a.scheme, "rtsp") {
			return nil
		}
		// Never with options: go-astiav hands libav one dictionary where it
		// expects one for each stream.
		return s.format.FindStreamInfo(nil)
	})
	if err == nil {
		err = s.start(a)
	}
	if err != nil {
		s.close()
		return nil, s.broken(err, true)
	}
	return s, nil
}

// options are libav's: which protocols may be used below the URL's own, and
// that only video is asked for. Certificates are not verified: for rtsps, libav
// 5.1 offers no way to ask for it.
func (a address) options(o openOptions) *astiav.Dictionary {
	set := map[string]string{}
	switch a.scheme {
	case "rtsp", "rtsps":
		set["protocol_whitelist"] = "rtsp,rtsps,rtp,rtcp,udp,tcp,tls,crypto,srtp"
		set["rtsp_transport"] = o.transport
		set["allowed_media_types"] = "video"
		// The kernel's default loses packets of a keyframe.
		set["buffer_size"] = strconv.Itoa(2 << 20)
	case "http", "https":
		set["protocol_whitelist"] = "http,https,tcp,tls"
		set["format_whitelist"] = formats
	default:
		set["protocol_whitelist"] = "file"
		set["format_whitelist"] = cmp.Or(o.formats, formats)
	}
	d := astiav.NewDictionary()
	for k, v := range set {
		_ = d.Set(k, v, 0) // fails for want of memory only
	}
	return d
}

// formats that may be read from files and HTTP: containers of video alone,
// nothing that names further files or addresses as playlists do.
const formats = "mov,mp4,matroska,webm,avi,mpegts,mpeg,flv,h264,hevc,mpjpeg,mjpeg,m4v,mpegvideo,ogg"

// start picks the first video stream and opens its decoder.
func (s *stream) start(a address) error {
	for _, v := range s.format.Streams() {
		p := v.CodecParameters()
		if p.MediaType() != astiav.MediaTypeVideo {
			continue
		}
		codec := astiav.FindDecoder(p.CodecID())
		if codec == nil {
			return fault(KindNotVideo, "no decoder for %s", p.CodecID())
		}
		if err := sizeFault(p.Width(), p.Height()); err != nil {
			return err
		}
		s.index = v.Index()
		s.clock.tick = v.TimeBase().Float64()
		s.info = StreamInfo{Codec: codec.Name(), Recorded: a.scheme == "file"}
		if r := v.AvgFrameRate(); r.Den() > 0 && !strings.HasPrefix(a.scheme, "rtsp") {
			s.info.FPS = r.Float64()
		}
		if a.scheme == "file" {
			s.clock.rated(s.info.FPS)
		}
		if strings.HasPrefix(a.scheme, "http") {
			s.info.Recorded = s.format.Duration() > 0
			s.byArrival = strings.Contains(s.format.InputFormat().Name(), "jpeg")
		}
		return s.openDecoder(codec, p)
	}
	return fault(KindNotVideo, "the stream holds no video")
}

func (s *stream) openDecoder(codec *astiav.Codec, p *astiav.CodecParameters) error {
	s.codec = astiav.AllocCodecContext(codec)
	if err := s.codec.FromCodecParameters(p); err != nil {
		return err
	}
	s.codec.SetThreadCount(s.threads)
	d := astiav.NewDictionary()
	defer d.Free()
	if err := d.Set("max_pixels", strconv.Itoa(maxPixels), 0); err != nil {
		return err
	}
	return s.codec.Open(codec, d)
}

func sizeFault(w, h int) error {
	if w > maxSide || h > maxSide || w*h > maxPixels {
		return fault(KindNotVideo, "the picture is %dx%d: want at most 8192x4608", w, h)
	}
	return nil
}

// step decodes a frame or, where there is none to be had, reads a packet.
func (s *stream) step() (*Frame, error) {
	err := s.codec.ReceiveFrame(s.fresh)
	switch {
	case err == nil:
		return s.take()
	case errors.Is(err, astiav.ErrEof):
		return nil, io.EOF
	case !errors.Is(err, astiav.ErrEagain):
		s.onBadPacket()
		return nil, nil
	case s.draining:
		return nil, io.EOF
	}
	return nil, s.read()
}

func (s *stream) toRGB(dst []byte) ([]byte, error) {
	w, h := s.shown.Width(), s.shown.Height()
	if w*h == 0 {
		return nil, errors.New("convert a frame that is no longer valid")
	}
	dst = slices.Grow(dst[:0], w*h*3)[:w*h*3]
	if ret := s.rgb.convert(s.shown.UnsafePointer(), dst); ret < 0 {
		return nil, fault(KindNotVideo, "the picture's format %s cannot be converted to RGB: %s", s.shown.PixelFormat(), astiav.Error(ret))
	}
	return dst, nil
}

// read feeds the decoder one packet. The watchdog is a frame's, so that a
// camera whose packets never make a picture is found out too; the first frame
// may take longer, for it waits for a keyframe.
func (s *stream) read() error {
	patience := s.watchdog
	if s.first.IsZero() {
		patience *= 4
	}
	left := patience - s.quiet
	if left <= 0 {
		return silence("frame", patience)
	}
	begun := time.Now()
	err := s.guard.call(min(s.openOptions.read, left), func() error { return s.format.ReadFrame(s.packet) })
	s.quiet += time.Since(begun)
	switch {
	case errors.Is(err, errTime) && left <= s.openOptions.read:
		return silence("frame", patience)
	case errors.Is(err, errTime):
		return silence("data", s.openOptions.read)
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
	s.onBytes(s.packet.Size())
	if s.packet.StreamIndex() != s.index {
		return nil
	}
	if err := s.codec.SendPacket(s.packet); err != nil {
		s.onBadPacket()
	}
	return nil
}

func (s *stream) close() {
	// A camera is told that we leave, if it listens.
	_ = s.guard.goodbye(func() error { s.format.CloseInput(); return nil })
	s.guard.close()
	if s.codec != nil {
		s.codec.Free()
	}
	s.packet.Free()
	for _, f := range []*astiav.Frame{s.fresh, s.held, s.shown} {
		f.Free()
	}
	s.rgb.free()
}

// broken puts an error into words.
func (s *stream) broken(err error, opening bool) error {
	var code astiav.Error
	switch {
	case errors.Is(err, errTime):
		return fault(KindTimeout, "no usable answer within %s", s.open)
	case errors.Is(err, io.EOF) && s.info.Recorded:
		return io.EOF
	case errors.Is(err, io.EOF):
		return fault(KindEnded, "the camera ended the stream")
	case !errors.As(err, &code):
		return err
	}
	if code == astiav.ErrInvaliddata && !opening {
		return fault(KindEnded, "the camera ended the stream in the middle of something")
	}
	if f := byCode(code); f != nil {
		return f
	}
	if f := byErrno(syscall.Errno(-code)); f != nil {
		return f
	}
	if opening && code == -astiav.Error(syscall.EINVAL) {
		// What libav says to a format that is not in the list of those allowed.
		return fault(KindNotVideo, "what comes is not a video of a known format")
	}
	if opening {
		return fault(KindOther, "the stream cannot be opened: %s", code)
	}
	return fault(KindOther, "the stream broke off: %s", code)
}

func byCode(code astiav.Error) *Fault {
	switch code {
	case astiav.ErrHttpUnauthorized:
		return fault(KindCredentials, "wrong user name or password")
	case astiav.ErrHttpForbidden:
		return fault(KindCredentials, "this user may not see the stream")
	case astiav.ErrHttpNotFound:
		return fault(KindNotFound, "the camera has no stream at this path")
	case astiav.ErrHttpBadRequest, astiav.ErrHttpOther4Xx:
		return fault(KindOther, "the camera refuses the request")
	case astiav.ErrHttpServerError:
		return fault(KindOther, "the camera answers with an error of its own")
	case astiav.ErrInvaliddata, astiav.ErrDemuxerNotFound:
		return fault(KindNotVideo, "what comes is not a video")
	case astiav.ErrStreamNotFound:
		return fault(KindNotVideo, "the stream holds no video")
	case astiav.ErrProtocolNotFound:
		return fault(KindAddress, "the installed FFmpeg does not know this kind of address")
	case astiav.ErrEof:
		return fault(KindEnded, "the camera closed the connection")
	}
	return nil
}
