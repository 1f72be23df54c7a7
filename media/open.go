package media

import (
	"cmp"
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/asticode/go-astiav"
)

// StreamOptions say how a camera's stream is opened. All up to OnBadPacket are
// required.
type StreamOptions struct {
	Transport   string        // "tcp" or "udp", for RTSP
	Open        time.Duration // to connect and find the video
	Read        time.Duration // for any one read
	Watchdog    time.Duration // without a decoded frame; four times that for the first
	Threads     int           // of the decoder
	OnBytes     func(int)     // called with the size of each packet received
	OnBadPacket func()        // called for each packet or frame that could not be decoded and was skipped
	// OnDamaged is called for each frame that is damaged, with whether it is passed over
	// for the clean one before it; nil: nobody is told.
	OnDamaged func(passed bool)
	// OnDemand decodes only keyframes while nothing happens, and what came since the latest
	// of them when something does.
	OnDemand bool
	// Turns bound how many streams decode everything at a time to learn what is usual for
	// them; nil: nothing does.
	Turns *Turns
	// OnKept is called for each frame that comes while only keyframes are decoded; nil:
	// nobody is told.
	OnKept func()
	// OnCalm is called when keyframes alone begin to be decoded, and when all frames are
	// again; nil: nobody is told.
	OnCalm func(calm bool)
	// AnyPace believes the times of streams that run faster or slower than time does.
	AnyPace bool
	// OnWait is called with a reason where packets come and no picture can begin, which
	// may last for minutes; nil: nobody is told.
	OnWait func(reason string)
	// OnPacket is called for each packet of the video as it came, whether it is decoded or
	// not; nil: nobody is told.
	OnPacket func(Packet)
}

// openOptions are StreamOptions and what files need besides.
type openOptions struct {
	StreamOptions
	formats    string // that a file may have; empty: those of a camera
	everyFrame bool   // a frame whose time can't be known is an error, and not passed over
}

// OpenStream connects to a URL of libav's (rtsp, http, or file: and an absolute path),
// finds the video and starts its decoder. Servers are to be this machine's own, or
// trusted as it is: libav follows redirections of RTSP wherever they lead. It quietens
// libav for the whole process. The error is a *Fault, which never repeats the
// URL, or ErrStopped once ctx has ended, with which the stream ends too.
func OpenStream(ctx context.Context, url string, o StreamOptions) (*Stream, error) {
	return open(ctx, url, openOptions{StreamOptions: o})
}

func open(ctx context.Context, url string, o openOptions) (*Stream, error) {
	quiet()
	if o.OnDamaged == nil {
		o.OnDamaged = func(bool) {}
	}
	if o.OnKept == nil {
		o.OnKept = func() {}
	}
	if o.OnCalm == nil {
		o.OnCalm = func(bool) {}
	}
	s := &Stream{openOptions: o, format: astiav.AllocFormatContext(), losses: newLosses()}
	s.losses.ofFormat(s.format)
	if o.OnDemand {
		s.demand = &demand{learning: learning{turns: o.Turns}}
	}
	s.guard = newGuard(ctx, s.format.SetInterruptCallback())
	s.ofURL(url)
	options := o.libav(s.scheme)
	defer options.Free()
	deadline := time.Now().Add(o.Open)
	tried := false
	err := s.guard.call(o.Open, func() (err error) {
		tried = true
		s.heard, err = listen(func() error { return s.format.OpenInput(url, nil, options) })
		return err
	})
	if err != nil {
		s.guard.close()
		if !tried { // else libav has freed it
			s.format.Free()
		}
		s.losses.free()
		return nil, s.broken(err, true)
	}
	s.packet = astiav.AllocPacket()
	s.fresh, s.held, s.shown = astiav.AllocFrame(), astiav.AllocFrame(), astiav.AllocFrame()
	err = s.guard.call(time.Until(deadline), func() error {
		// RTSP's description says what a decoder needs. Looking into the packets would
		// only delay and hide the first frames. But for MPEG-TS it names no streams.
		if strings.HasPrefix(s.scheme, "rtsp") && len(s.format.Streams()) > 0 {
			return nil
		}
		// Never with options: go-astiav hands libav one dictionary where it
		// expects one for each stream.
		return s.format.FindStreamInfo(nil)
	})
	if err == nil {
		err = s.start()
	}
	if err != nil {
		s.Close()
		return nil, s.broken(err, true)
	}
	return s, nil
}

// lookFor is how much of a stream over HTTP is looked at before its first frame.
const lookFor = 3 * time.Second

// libav returns libav's options: which protocols may be used below the URL's own,
// none of them with TLS, whose certificates libav 5.1 does not verify for rtsps; and
// that only video is requested.
func (o openOptions) libav(scheme string) *astiav.Dictionary {
	set := map[string]string{}
	switch scheme {
	case "rtsp":
		set["protocol_whitelist"] = "rtsp,rtp,rtcp,udp,tcp,crypto,srtp"
		set["rtsp_transport"] = o.Transport
		set["allowed_media_types"] = "video"
		// With the kernel's default size, packets of a keyframe are lost.
		set["buffer_size"] = strconv.Itoa(2 << 20)
	case "http":
		set["protocol_whitelist"] = "http,tcp"
		set["format_whitelist"] = formats
		// Looking for a sound track that a header promises, and that never comes, takes
		// libav 90 s otherwise.
		set["analyzeduration"] = strconv.Itoa(int(lookFor.Microseconds()))
		set["max_redirects"] = "0"
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

// formats are those that may be read from files and HTTP: containers of video
// only, none that refers to other files or addresses as playlists do.
const formats = "mov,mp4,matroska,webm,avi,mpegts,mpeg,flv,h264,hevc,mpjpeg,mjpeg,m4v,mpegvideo,ogg"
