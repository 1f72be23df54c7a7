package ingest

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"github.com/frostwatch/frostwatch/internal/envtext"
	"github.com/frostwatch/frostwatch/media"
	"github.com/frostwatch/frostwatch/topics"
)

// address is a camera's URL, ready to open. raw may hold a password: it goes to
// libav and nowhere else.
type address struct {
	raw    string
	scheme string
	host   string // empty for files
	url    *url.URL
	// own addresses are the operator's: they may lead anywhere.
	own bool
	// name is the host's name where raw has one of its addresses in place of it.
	name string
}

// resolver makes addresses of cameras' URLs.
type resolver struct {
	trust   *trust
	schemes []string
	getenv  func(string) (string, bool)
	lookUp  func(ctx context.Context, host string) ([]netip.Addr, error)
}

// resolve expands ${NAME} in a camera's URL and checks that its scheme is one
// of those allowed. Its faults never repeat the URL. A value that stands for
// the user name or the password is escaped, so that it may hold '@' or '/'.
func (r *resolver) resolve(c topics.Camera) (address, error) {
	own := r.trust.owns(c)
	expanded, err := r.expand(c.URL, own)
	if err != nil {
		return address{}, err
	}
	u, err := url.Parse(expanded)
	if err != nil {
		return address{}, media.NewFault(media.KindAddress, "the URL cannot be parsed: a password with @, :, /, ?, # or %% in it is best given as ${NAME}")
	}
	// libav knows schemes in lower case only.
	a := address{scheme: strings.ToLower(u.Scheme), host: u.Hostname(), url: u, own: own}
	a.raw = a.scheme + expanded[len(a.scheme):]
	if a.scheme == "" {
		a.scheme = "file"
	}
	if !slices.Contains(r.schemes, a.scheme) {
		// It is not repeated: in a malformed URL it may be part of a password.
		return address{}, media.NewFault(media.KindAddress, "this kind of URL is not allowed: want %s", strings.Join(r.schemes, ", "))
	}
	if a.scheme == "file" {
		if !own {
			if err := r.trust.mayOpenFiles(); err != nil {
				return address{}, err
			}
		}
		return fileAddress(u)
	}
	if a.host == "" {
		return address{}, media.NewFault(media.KindAddress, "the URL names no host")
	}
	if strings.HasPrefix(a.scheme, "rtsp") && len(u.User.String()) > maxUserinfo {
		return address{}, media.NewFault(media.KindAddress, "its user name and password take %d bytes in the URL, and FFmpeg cuts them at %d", len(u.User.String()), maxUserinfo)
	}
	return a, nil
}

// maxUserinfo is how much of an escaped "user:password" libavformat's RTSP keeps
// (char auth[128] in libavformat/rtsp.c).
const maxUserinfo = 127 // bytes

// fileAddress takes file:///a/b, file:a/b and plain paths, and makes the path
// absolute so that libav can take it for nothing else.
func fileAddress(u *url.URL) (address, error) {
	path := u.Path
	if path == "" {
		path = u.Opaque
	}
	if path == "" || u.Host != "" {
		return address{}, media.NewFault(media.KindAddress, "the URL names no file on this machine: want file:///path")
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return address{}, media.NewFault(media.KindAddress, "the file's path cannot be made absolute")
	}
	return address{raw: "file:" + path, scheme: "file", own: true}, nil
}

func (r *resolver) expand(raw string, own bool) (string, error) {
	user := userinfoEnd(raw)
	out, err := envtext.Expand(raw, func(name string, at int) (string, error) {
		if !own {
			if err := r.trust.mayName(name); err != nil {
				return "", err
			}
		}
		value, ok := r.getenv(name)
		if !ok {
			return "", media.NewFault(media.KindAddress, "environment variable %s is not set on this worker", name)
		}
		if at < user {
			value = strings.ReplaceAll(url.QueryEscape(value), "+", "%20")
		}
		return value, nil
	})
	if errors.Is(err, envtext.ErrReference) {
		return "", media.NewFault(media.KindAddress, "the URL has %s", err)
	}
	return out, err
}

// userinfoEnd is where the user name and password of a URL end, 0 if it has
// none.
func userinfoEnd(raw string) int {
	start := strings.Index(raw, "://")
	if start < 0 {
		return 0
	}
	start += len("://")
	authority := raw[start:]
	if i := strings.IndexAny(authority, "/?#"); i >= 0 {
		authority = authority[:i]
	}
	if i := strings.LastIndexByte(authority, '@'); i >= 0 {
		return start + i
	}
	return 0
}

// kindRefused is the fault of a host whose name leads to an address that is not
// allowed. It is tried again: one day the name may lead elsewhere.
const kindRefused media.Kind = "refused"

// reach looks the host up, since libav can't be interrupted while it does, and
// checks where the name leads. Where the camera is not the operator's own, libav is
// given the address that was checked in place of the name, or it might look up
// another; of several addresses turn picks one. For TLS, which needs the name, it
// stays.
func (r *resolver) reach(ctx context.Context, a address, turn int) (address, error) {
	if a.host == "" {
		return a, nil
	}
	if literal, err := netip.ParseAddr(a.host); err == nil {
		if a.own || r.trust.names(a.host) {
			return a, nil
		}
		return a, r.trust.mayReach(literal, "")
	}
	all, err := r.lookUp(ctx, a.host)
	if err != nil || len(all) == 0 {
		return address{}, dnsFault(ctx, a, err)
	}
	if a.own || r.trust.names(a.host) {
		return a, nil
	}
	for _, found := range all {
		if err := r.trust.mayReach(found, a.host); err != nil {
			return address{}, err
		}
	}
	if a.scheme == "rtsps" || a.scheme == "https" {
		return a, nil
	}
	return a.at(all[turn%len(all)]), nil
}

// at is the address with ip in place of the host's name.
func (a address) at(ip netip.Addr) address {
	pinned := *a.url
	a.name = pinned.Host
	pinned.Host = ip.Unmap().String()
	if ip.Unmap().Is6() {
		pinned.Host = "[" + pinned.Host + "]"
	}
	if port := a.url.Port(); port != "" {
		pinned.Host += ":" + port
	}
	a.raw = pinned.String()
	return a
}

// dnsFault is for a host name that does not resolve, and why.
func dnsFault(ctx context.Context, a address, err error) error {
	var dns *net.DNSError
	host := a.host
	switch {
	case ctx.Err() != nil:
		return media.NewFault(media.KindTimeout, "looking up host %s takes too long", host)
	case errors.As(err, &dns) && dns.IsTimeout:
		return media.NewFault(media.KindTimeout, "looking up host %s: the name server does not answer", host)
	case errors.As(err, &dns) && !dns.IsNotFound:
		return media.NewFault(media.KindUnreachable, "looking up host %s: %s", host, topics.Clean(dns.Err))
	}
	if strings.Contains(a.url.Path+a.url.RawQuery+a.url.Fragment, "@") {
		// The host may be a user's name, and the rest a password.
		return media.NewFault(media.KindUnreachable, "no such host: if the password holds a /, ? or #, give it as ${NAME}")
	}
	return media.NewFault(media.KindUnreachable, "no such host: %s", host)
}
