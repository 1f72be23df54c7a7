package ingest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"time"

	"github.com/frostwatch/frostwatch/cameras"
	"github.com/frostwatch/frostwatch/internal/tlsfiles"
	"github.com/frostwatch/frostwatch/media"
	"github.com/frostwatch/frostwatch/topics"
)

// ProbeOptions say how a camera is tried: as a worker with the same options connects to
// it, by the same rules. All fields up to For are required.
type ProbeOptions struct {
	Transport   string        // "tcp" or "udp", for RTSP cameras that don't say
	Protocols   []string      // URL schemes that a camera may use
	OpenTimeout time.Duration // to connect and to find the video
	ReadTimeout time.Duration
	// For is how long the video is watched, from its first picture on: ProbeLeast to ProbeMost.
	For time.Duration

	AnyCertificate bool // as in Options
	// TLSCA is a file of authorities that sign cameras' certificates, beside the system's;
	// empty: those alone.
	TLSCA string
	Trust Trust
	// Main tries the stream for films of a camera that has another to look at
	// (Camera.Watch), rather than that one.
	Main bool
	// PictureSide asks for a picture whose shorter side has at most so many pixels; 0: none.
	PictureSide int
	Getenv      func(string) (string, bool)                                  `json:"-"` // as in Options
	LookUp      func(ctx context.Context, host string) ([]netip.Addr, error) `json:"-"`
}

// The limits of ProbeOptions.For.
const (
	ProbeLeast = time.Second
	ProbeMost  = 5 * time.Minute
	// probeFirst is how long the first picture is waited for, once the stream is open.
	probeFirst = 20 * time.Second
)

// Probe connects to the stream of a camera that is looked at, watches it for a while, and
// says what it is and what could be better. The error is a *ProbeFault, or the context's.
func Probe(ctx context.Context, o ProbeOptions, c topics.Camera) (Probed, error) {
	if o.For < ProbeLeast || o.For > ProbeMost {
		return Probed{}, fmt.Errorf("watch a camera for %v: want %v to %v", o.For, ProbeLeast, ProbeMost)
	}
	t, err := o.Trust.read()
	if err != nil {
		return Probed{}, err
	}
	authorities, err := tlsfiles.Authorities(o.TLSCA, "ingest.tls_ca")
	if err != nil {
		return Probed{}, err
	}
	stage := Options{Getenv: o.Getenv, LookUp: o.LookUp}
	stage.fill()
	p := &prober{
		ProbeOptions: o, camera: c,
		opener: opener{&resolver{trust: t, schemes: o.Protocols, getenv: stage.Getenv, lookUp: stage.LookUp}, o.OpenTimeout, o.AnyCertificate, authorities},
	}
	if c.Transport != "" {
		p.Transport = c.Transport
	}
	p.url = c.Looked()
	if o.Main && c.Watch != "" {
		p.url, p.camera.Poll = c.URL, 0
	}
	out, err := p.run(ctx)
	if err == nil {
		out.URL, out.Camera, out.Main = cameras.RedactURL(p.url), c.Name, o.Main
		out.Advice = out.advice()
		return out, nil
	}
	if ctx.Err() != nil {
		return Probed{}, ctx.Err()
	}
	return Probed{}, err
}

// prober is one try.
type prober struct {
	ProbeOptions
	camera topics.Camera
	url    string
	opener opener
	seen   traffic
	wait   string // why no picture begins; empty: nothing was said
}

func (p *prober) run(ctx context.Context) (Probed, error) {
	a, err := p.opener.resolver.resolve(p.camera, p.url)
	if err != nil {
		return Probed{}, faultOf(PartURL, err)
	}
	looking, cancel := context.WithTimeout(ctx, p.OpenTimeout)
	a, err = p.opener.resolver.reach(looking, a, 0)
	cancel()
	if err != nil {
		return Probed{}, faultOf(PartName, err)
	}
	ctx, cancel = context.WithCancel(ctx)
	defer cancel()
	s, err := p.opener.open(ctx, p.camera, a, p.streamOptions())
	if err != nil {
		return Probed{}, faultAt(a, err)
	}
	defer s.Close()
	p.seen.tick = s.Track().Tick
	out, err := p.watch(cancel, s)
	if err != nil {
		return Probed{}, err
	}
	out.Transport = p.way(a)
	return out, nil
}

func (p *prober) streamOptions() media.StreamOptions {
	poll := time.Duration(p.camera.Poll)
	return media.StreamOptions{
		Transport: p.Transport, Open: p.OpenTimeout + poll, Read: p.ReadTimeout + poll, Watchdog: probeFirst + poll, Threads: 1,
		OnBytes: func(int) {}, OnBadPacket: func() {}, OnWait: func(reason string) { p.wait = reason },
		OnPacket: func(packet media.Packet) { p.seen.packet(packet, time.Now()) },
	}
}

// way is how the video comes, in words.
func (p *prober) way(a address) string {
	switch {
	case a.scheme == "file":
		return "a file"
	case strings.HasPrefix(a.scheme, "http") && p.camera.Poll > 0:
		return "single pictures over " + strings.ToUpper(a.scheme)
	case strings.HasPrefix(a.scheme, "http"):
		return strings.ToUpper(a.scheme)
	case a.secure():
		return "RTSP over TLS"
	}
	return "RTSP over " + strings.ToUpper(p.Transport)
}

// watch looks at frames until enough were seen. end ends the stream.
func (p *prober) watch(end func(), s stream) (Probed, error) {
	first := time.AfterFunc(probeFirst, end)
	f, err := s.Next()
	if first.Stop(); err != nil {
		return Probed{}, p.noPicture(err)
	}
	look := looker{prober: p, stream: s, began: time.Now()}
	defer time.AfterFunc(p.For, end).Stop()
	if p.PictureSide > 0 {
		if look.out.Picture, err = p.picture(f); err != nil {
			return Probed{}, faultOf(PartVideo, err)
		}
	}
	for err == nil && !look.enough(f) {
		look.frame(f)
		f, err = s.Next()
	}
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, media.ErrStopped) {
		look.out.Broke = err.Error()
	}
	return look.result(), nil
}

// noPicture is why a stream that is open has shown nothing.
func (p *prober) noPicture(err error) error {
	switch {
	case errors.Is(err, io.EOF):
		err = media.NewFault(media.KindNotVideo, "it holds no picture that can be decoded")
	case p.wait != "":
		err = media.NewFault(media.KindFrozen, "%s", p.wait)
	case errors.Is(err, media.ErrStopped) && p.seen.packets > 0:
		err = media.NewFault(media.KindFrozen, "packets come, and no picture within %v", probeFirst)
	case errors.Is(err, media.ErrStopped):
		err = media.NewFault(media.KindFrozen, "the stream is open, and nothing came within %v", probeFirst)
	}
	return faultOf(PartVideo, err)
}

// picture is a frame as a JPEG, without what is masked.
func (p *prober) picture(f *media.Frame) ([]byte, error) {
	const quality = 85
	e, err := media.NewFrameEncoder(min(p.PictureSide, f.Width, f.Height), quality)
	if err != nil {
		return nil, err
	}
	e.Mask(p.camera.Masks)
	data, _, _, err := e.Encode(f)
	return data, err
}
