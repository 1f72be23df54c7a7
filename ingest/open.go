package ingest

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/frostwatch/frostwatch/ingest/relay"
	"github.com/frostwatch/frostwatch/media"
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

// open opens a camera's stream. Where the camera sends its viewer elsewhere, that is
// checked like the address itself.
func (r *runner) open(ctx context.Context, a address) (stream, error) {
	if a.scheme == "file" {
		s, err := media.OpenStream(ctx, "file:"+a.path, r.streamOptions(ctx))
		return stream{Stream: s}, err
	}
	for range maxRedirects + 1 {
		s, err := r.through(ctx, a)
		var to *relay.Redirect
		if !errors.As(err, &to) {
			return s, err
		}
		looking, cancel := context.WithTimeout(ctx, r.OpenTimeout)
		a, err = r.resolver.follow(looking, a, to.Location)
		cancel()
		if err != nil {
			return stream{}, err
		}
	}
	return stream{}, media.NewFault(media.KindOther, "the camera redirects more than %d times", maxRedirects)
}

// through opens one address by a relay.
func (r *runner) through(ctx context.Context, a address) (stream, error) {
	check := r.certificate()
	with, err := relay.Open(ctx, relay.Target{
		URL: a.url, URI: a.uri(), Poll: time.Duration(r.camera.Poll),
		Dial: func(ctx context.Context) (net.Conn, error) { return a.dial(ctx, check, r.OpenTimeout) },
	})
	if err != nil {
		return stream{}, err
	}
	s := stream{relay: with}
	o := r.streamOptions(ctx)
	o.OnCalm = with.Calm
	if s.Stream, err = media.OpenStream(ctx, with.URL(), o); err != nil {
		with.Close()
		return stream{}, s.because(err)
	}
	return s, nil
}

func (r *runner) streamOptions(ctx context.Context) media.StreamOptions {
	poll := time.Duration(r.camera.Poll) // in which nothing comes
	var reeled func(media.Packet)
	if r.reel != nil {
		reeled = r.reel.packet
	}
	return media.StreamOptions{
		OnPacket:  reeled,
		Transport: r.transport(), Open: r.OpenTimeout + poll, Read: r.ReadTimeout + poll, Watchdog: r.Watchdog + poll, Threads: r.DecodeThreads,
		OnBytes:     func(n int) { r.metrics.bytes(ctx, r.camera.Name, n) },
		OnBadPacket: func() { r.metrics.bad(ctx, r.camera.Name) },
		OnDamaged:   func(passed bool) { r.damaged(ctx, passed) },
		OnWait:      func(reason string) { r.waits(ctx, reason) },
		OnKept:      func() { r.kept(ctx) },
		OnDemand:    r.onDemand(),
		AnyPace:     r.AnyPace,
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
