package ingest

import (
	"context"
	"crypto/x509"
	"errors"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/frostwatch/frostwatch/ingest/relay"
	"github.com/frostwatch/frostwatch/media"
	"github.com/frostwatch/frostwatch/topics"
)

// stream is a camera's video, and the relay that it comes through; nil for files.
type stream struct {
	*media.Stream
	relay *relay.Relay
}

// Next is media.Stream's; where the relay knows why the stream broke, it says so.
func (s stream) Next() (*media.Frame, error) {
	f, err := s.Stream.Next()
	return f, s.because(err)
}

func (s stream) because(err error) error {
	var f *media.Fault
	if s.relay == nil || !errors.As(err, &f) {
		return err
	}
	if why := s.relay.Err(); why != nil {
		return why
	}
	return err
}

func (s stream) Close() {
	s.Stream.Close()
	if s.relay != nil {
		s.relay.Close()
	}
}

// maxRedirects bounds how often a camera may send its worker elsewhere.
const maxRedirects = 5

// opener opens cameras' streams, for workers and for those who try a URL.
type opener struct {
	resolver       *resolver
	patience       time.Duration // to connect
	anyCertificate bool          // of cameras that don't say what theirs must be
	authorities    *x509.CertPool
}

func (s *Stage) opener() opener {
	return opener{s.resolver, s.OpenTimeout, s.AnyCertificate, s.Authorities}
}

// open opens a camera's stream. Where the camera sends its viewer elsewhere, that is
// checked like the address itself.
func (o opener) open(ctx context.Context, c topics.Camera, a address, with media.StreamOptions) (stream, error) {
	if a.scheme == "file" {
		s, err := media.OpenStream(ctx, "file:"+a.path, with)
		return stream{Stream: s}, err
	}
	for range maxRedirects + 1 {
		s, err := o.through(ctx, c, a, with)
		var to *relay.Redirect
		if !errors.As(err, &to) {
			return s, err
		}
		looking, cancel := context.WithTimeout(ctx, o.patience)
		a, err = o.resolver.follow(looking, a, to.Location)
		cancel()
		if err != nil {
			return stream{}, err
		}
	}
	return stream{}, media.NewFault(media.KindOther, "the camera redirects more than %d times", maxRedirects)
}

// through opens one address by a relay.
func (o opener) through(ctx context.Context, c topics.Camera, a address, so media.StreamOptions) (stream, error) {
	check := o.certificate(c)
	with, err := relay.Open(ctx, relay.Target{
		URL: a.url, URI: a.uri(), Poll: time.Duration(c.Poll),
		Dial: func(ctx context.Context) (net.Conn, error) { return a.dial(ctx, check, o.patience) },
	})
	if err != nil {
		return stream{}, err
	}
	s := stream{relay: with}
	so.OnCalm = with.Calm
	if s.Stream, err = media.OpenStream(ctx, with.URL(), so); err != nil {
		with.Close()
		return stream{}, s.because(err)
	}
	return s, nil
}

func (r *runner) streamOptions(ctx context.Context) media.StreamOptions {
	poll := time.Duration(r.camera.Poll) // in which nothing comes
	var reeled func(media.Packet)
	if t := r.lookedReel(); t != nil {
		reeled = t.packet
	}
	return media.StreamOptions{
		OnPacket:  reeled,
		Transport: r.transport(), Open: r.OpenTimeout + poll, Read: r.ReadTimeout + poll, Watchdog: r.Watchdog + poll, Threads: r.DecodeThreads,
		OnBytes:     func(n int) { r.metrics.bytes(ctx, r.camera.Name, n) },
		OnBadPacket: func() { r.metrics.bad(ctx, r.camera.Name) },
		OnDamaged:   func(passed bool) { r.damaged(ctx, passed) },
		OnWait:      func(reason string) { r.waits(ctx, reason) },
		OnKept:      func() { r.kept(ctx) },
		OnDemand:    r.onDemand(), Turns: r.Turns,
		AnyPace: r.AnyPace,
	}
}

// follow returns the address that a redirection leads to, once it is checked. User
// name and password go along to the same host.
func (r *resolver) follow(ctx context.Context, from address, location string) (address, error) {
	u, err := from.url.Parse(location)
	if err != nil || u.Hostname() == "" {
		return address{}, media.NewFault(media.KindOther, "the camera redirects to something that is no URL of a host")
	}
	u.Scheme = strings.ToLower(u.Scheme)
	a := address{scheme: u.Scheme, host: u.Hostname(), own: from.own, url: u, raw: u.String()}
	if !slices.Contains(r.schemes, a.scheme) || strings.TrimSuffix(a.scheme, "s") != strings.TrimSuffix(from.scheme, "s") {
		return address{}, media.NewFault(media.KindOther, "the camera redirects to another kind of address")
	}
	if from.secure() && !a.secure() {
		return address{}, media.NewFault(media.KindOther, "the camera redirects to an address without TLS: if that is right, make it the camera's URL")
	}
	if u.User == nil && strings.EqualFold(a.host, from.host) {
		u.User = from.url.User
	}
	a, err = r.reach(ctx, a, 0)
	var f *media.Fault
	if errors.As(err, &f) {
		kind := kindRefused
		if f.Kind != media.KindAddress && f.Kind != kindRefused {
			kind = f.Kind // its name can't be looked up
		}
		return address{}, media.NewFault(kind, "the camera redirects elsewhere: %s", f.Text)
	}
	return a, err
}
