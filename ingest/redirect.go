package ingest

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"syscall"

	"github.com/frostwatch/frostwatch/media"
)

// maxRedirects bounds how often a camera may send its worker elsewhere.
const maxRedirects = 5

// open opens a camera's stream. Where the camera is not the operator's own, each
// redirection is checked like the address itself. libav can't be kept from
// following one of RTSP: there it is checked before a frame is looked at.
func (r *runner) open(ctx context.Context, a address) (*media.Stream, error) {
	for range maxRedirects + 1 {
		s, err := media.OpenStream(ctx, a.raw, media.StreamOptions{
			Transport: r.transport(), Open: r.OpenTimeout, Read: r.ReadTimeout, Watchdog: r.Watchdog, Threads: r.DecodeThreads,
			OnBytes:     func(n int) { r.metrics.bytes(ctx, r.camera.Name, n) },
			OnBadPacket: func() { r.metrics.bad(ctx, r.camera.Name) },
			OnDamaged:   func(passed bool) { r.damaged(ctx, passed) },
			AnyPace:     r.AnyPace, NoRedirects: !a.own, Host: a.name,
		})
		if a.own {
			return s, err
		}
		if err == nil {
			if err := r.checkLocation(ctx, a, s); err != nil {
				s.Close()
				return nil, err
			}
			return s, nil
		}
		next, found, why := r.redirected(ctx, a, err)
		if why != nil {
			return nil, why
		}
		if !found {
			return nil, err
		}
		a = next
	}
	return nil, media.NewFault(media.KindOther, "the camera redirects more than %d times", maxRedirects)
}

// checkLocation is an error where a redirection of RTSP has led a stream to where
// it may not be.
func (r *runner) checkLocation(ctx context.Context, a address, s *media.Stream) error {
	at := s.Location()
	if at == a.raw || !strings.HasPrefix(a.scheme, "rtsp") {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, r.OpenTimeout)
	defer cancel()
	_, err := r.resolver.follow(ctx, a, at)
	return err
}

// redirected asks a camera of HTTP that libav could not open whether it answers
// with a redirection, and where to. libav was told not to follow any, and reports
// one as an input/output error.
func (r *runner) redirected(ctx context.Context, a address, failed error) (next address, found bool, err error) {
	var f *media.Fault
	if a.scheme != "http" && a.scheme != "https" || !errors.As(failed, &f) || f.Kind != media.KindUnreachable {
		return address{}, false, nil
	}
	ctx, cancel := context.WithTimeout(ctx, r.OpenTimeout)
	defer cancel()
	location := r.resolver.location(ctx, a)
	if location == "" {
		return address{}, false, nil
	}
	next, err = r.resolver.follow(ctx, a, location)
	return next, err == nil, err
}

// follow returns the address that a redirection leads to, once it is checked.
func (r *resolver) follow(ctx context.Context, from address, location string) (address, error) {
	u, err := from.url.Parse(location)
	if err != nil || u.Hostname() == "" {
		return address{}, media.NewFault(media.KindOther, "the camera redirects to something that is no URL of a host")
	}
	a := address{scheme: strings.ToLower(u.Scheme), host: u.Hostname(), url: u}
	if !slices.Contains(r.schemes, a.scheme) || strings.TrimSuffix(a.scheme, "s") != strings.TrimSuffix(from.scheme, "s") {
		return address{}, media.NewFault(media.KindOther, "the camera redirects to another kind of address")
	}
	if u.User == nil && u.Host == from.url.Host {
		u.User = from.url.User
	}
	a.raw = u.String()
	a, err = r.reach(ctx, a, 0)
	var f *media.Fault
	if errors.As(err, &f) {
		return address{}, media.NewFault(kindRefused, "the camera redirects elsewhere: %s", f.Text)
	}
	return a, err
}

// location is where a camera's answer redirects to, "" if it doesn't.
func (r *resolver) location(ctx context.Context, a address) string {
	dialer := net.Dialer{Control: r.control(a)}
	client := http.Client{
		Transport: &http.Transport{
			DialContext: dialer.DialContext, DisableKeepAlives: true,
			TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // libav does not verify cameras' certificates either
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, a.raw, nil)
	if err != nil {
		return ""
	}
	if a.name != "" {
		request.Host = a.name
	}
	response, err := client.Do(request)
	if err != nil {
		return ""
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode < 300 || response.StatusCode > 399 {
		return ""
	}
	return response.Header.Get("Location")
}

// control refuses to connect to an address that the camera may not have, whatever
// its host's name leads to by then.
func (r *resolver) control(a address) func(network, address string, _ syscall.RawConn) error {
	return func(_, at string, _ syscall.RawConn) error {
		to, err := netip.ParseAddrPort(at)
		if err != nil || r.trust.names(a.host) {
			return err
		}
		return r.trust.mayReach(to.Addr(), a.host)
	}
}
