package ingest

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/frostwatch/frostwatch/cameras"
	"github.com/frostwatch/frostwatch/internal/envtext"
	"github.com/frostwatch/frostwatch/media"
	"github.com/frostwatch/frostwatch/topics"
)

// address is a camera's URL, ready to open. It may hold a password.
type address struct {
	scheme string
	path   string // of a file, absolute; empty for other schemes
	host   string // empty for files
	url    *url.URL
	raw    string // the URL as it is written, with ${NAME} replaced
	// own addresses are the operator's: they may lead anywhere.
	own bool
	// ips are the host's addresses, checked, in the order in which they are tried.
	ips []netip.Addr
}

// resolver makes addresses of cameras' URLs.
type resolver struct {
	trust   *trust
	schemes []string
	getenv  func(string) (string, bool)
	lookUp  func(ctx context.Context, host string) ([]netip.Addr, error)
}

// resolve expands ${NAME} in one of a camera's URLs and checks that its scheme is one
// of those allowed. Its faults never repeat the URL. A value that stands for
// the user name or the password is escaped, so that it may hold '@' or '/'.
func (r *resolver) resolve(c topics.Camera, raw string) (address, error) {
	own := r.trust.owns(c)
	expanded, err := r.expand(raw, own)
	if err != nil {
		return address{}, err
	}
	expanded = cameras.Spelled(expanded)
	u, err := url.Parse(expanded)
	if err != nil {
		return address{}, media.NewFault(media.KindAddress, "the URL cannot be parsed: a password with @, :, /, ?, # or %% in it is best given as ${NAME}")
	}
	a := address{scheme: strings.ToLower(u.Scheme), host: u.Hostname(), url: u, raw: expanded, own: own}
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
	if port := u.Port(); port != "" {
		if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
			// It is not repeated: it may be part of a password.
			return address{}, media.NewFault(media.KindAddress, "the URL's port is not one from 1 to 65535: if the password holds a /, ? or #, give it as ${NAME}")
		}
	}
	return a, nil
}

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
	return address{path: path, scheme: "file", own: true}, nil
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

// reach looks the host up and checks where its name leads, unless the camera is the
// operator's own. Of several addresses the one to be tried first changes with turn.
func (r *resolver) reach(ctx context.Context, a address, turn int) (address, error) {
	if a.host == "" {
		return a, nil
	}
	free := a.own || r.trust.names(a.host)
	if literal, err := netip.ParseAddr(a.host); err == nil {
		if err := knownZone(literal); err != nil {
			return address{}, err
		}
		if !literal.IsLinkLocalUnicast() {
			literal = literal.WithZone("") // which other addresses have none of
		}
		a.ips = []netip.Addr{literal}
		if free {
			return a, nil
		}
		return a, r.trust.mayReach(literal.WithZone(""), "") // no network holds an address with a zone
	}
	all, err := r.lookUp(ctx, a.host)
	if err != nil || len(all) == 0 {
		return address{}, dnsFault(ctx, a, err)
	}
	for _, found := range all {
		if free {
			break
		}
		if err := r.trust.mayReach(found, a.host); err != nil {
			return address{}, err
		}
	}
	first := turn % len(all)
	a.ips = append(slices.Clone(all[first:]), all[:first]...)
	return a, nil
}

// knownZone is an error for an address of a link that this machine is not on.
func knownZone(ip netip.Addr) error {
	zone := ip.Zone()
	if _, err := strconv.Atoi(zone); zone == "" || err == nil || !ip.IsLinkLocalUnicast() {
		return nil
	}
	if _, err := net.InterfaceByName(zone); err != nil {
		return media.NewFault(media.KindUnreachable, "this worker has no network interface %.20s, which the URL's address names", topics.Clean(zone))
	}
	return nil
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
		// The host may be a user's name, and the rest a password. It is not looked up
		// again: name servers need not know of it.
		return media.NewFault(media.KindAddress, "no such host: if the password holds a /, ? or #, give it as ${NAME}, or write %%2F, %%3F or %%23")
	}
	return media.NewFault(media.KindUnreachable, "no such host: %s", host)
}
