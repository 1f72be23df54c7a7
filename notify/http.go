package notify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"syscall"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// errPrivate is of an address that a receiver may not have.
var errPrivate = errors.New("a private or local address: set private: true if that is meant")

// newDialer makes a dialer that connects to private, local and link-local addresses only
// if told so. The address is checked after its name was looked up, so that no name can
// stand for one.
func newDialer(timeout time.Duration, private bool) *net.Dialer {
	dialer := &net.Dialer{Timeout: timeout}
	if !private {
		dialer.Control = func(_, address string, _ syscall.RawConn) error {
			at, err := netip.ParseAddrPort(address)
			if err != nil || !public(at.Addr()) {
				return errPrivate
			}
			return nil
		}
	}
	return dialer
}

// newHTTPClient makes a client that follows no redirects, and that connects to private
// addresses, and through a proxy, only if told so.
func newHTTPClient(timeout time.Duration, private bool) *http.Client {
	proxy := http.ProxyFromEnvironment
	if !private {
		proxy = nil // the proxy's address would be checked in place of the receiver's
	}
	return &http.Client{
		Timeout: timeout,
		Transport: &http.Transport{
			DialContext: newDialer(timeout, private).DialContext, Proxy: proxy, ForceAttemptHTTP2: true,
			MaxIdleConns: 4, IdleConnTimeout: time.Minute, MaxResponseHeaderBytes: 64 << 10, TLSHandshakeTimeout: timeout,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// special are blocks that nobody's server is in, or behind which others' addresses are (the
// IANA's registries of special-purpose addresses). Those that netip knows are not among them.
var special = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),       // "this network"
	netip.MustParsePrefix("100.64.0.0/10"),   // between a provider and its customers
	netip.MustParsePrefix("192.0.0.0/24"),    // protocols
	netip.MustParsePrefix("192.0.2.0/24"),    // documentation
	netip.MustParsePrefix("198.18.0.0/15"),   // benchmarks
	netip.MustParsePrefix("198.51.100.0/24"), // documentation
	netip.MustParsePrefix("203.0.113.0/24"),  // documentation
	netip.MustParsePrefix("240.0.0.0/4"),     // reserved
	netip.MustParsePrefix("::/96"),           // an IPv4 address in old form
	netip.MustParsePrefix("64:ff9b::/96"),    // any IPv4 address, by NAT64
	netip.MustParsePrefix("64:ff9b:1::/48"),  // the same, local
	netip.MustParsePrefix("2001::/23"),       // protocols, tunnels among them
	netip.MustParsePrefix("2001:db8::/32"),   // documentation
	netip.MustParsePrefix("2002::/16"),       // any IPv4 address, by 6to4
	netip.MustParsePrefix("fec0::/10"),       // a site's own, in old form
}

// public is whether an address may be one of somebody else's server.
func public(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	return a.IsGlobalUnicast() && !a.IsPrivate() && !slices.ContainsFunc(special, func(p netip.Prefix) bool { return p.Contains(a) })
}

// maxAnswer is how much of an answer is read.
const maxAnswer = 4 << 10

// exchange sends a request. Its errors hold nothing of the URL but its host, since the path
// may be secret.
func exchange(c *http.Client, req *http.Request) (*http.Response, error) {
	resp, err := c.Do(req)
	if err == nil {
		return resp, nil
	}
	var wrong *url.Error
	if errors.As(err, &wrong) {
		err = wrong.Err
	}
	if errors.Is(err, context.DeadlineExceeded) {
		err = errors.New("no answer in time")
	}
	return nil, fmt.Errorf("%s: %w", req.URL.Host, unreached(err, req.URL.Host))
}

// post sends a request, and is nil if the answer is one of success. Its errors are as
// those of exchange, and hold nothing of secrets.
func post(c *http.Client, req *http.Request, secrets map[string]bool) error {
	resp, err := exchange(c, req)
	if err != nil {
		return err
	}
	answer, _ := io.ReadAll(io.LimitReader(resp.Body, maxAnswer)) // it is only shown
	_ = resp.Body.Close()
	return judge(req.URL.Host, resp, hide(string(answer), secrets))
}

// judge makes an error of an answer that is no success.
func judge(host string, resp *http.Response, answer string) error {
	said := topics.Clean(answer)
	switch code := resp.StatusCode; {
	case code/100 == 2:
		return nil
	case code/100 == 3:
		return fmt.Errorf("%s redirects (%d), which is not followed: give the address that it redirects to", host, code)
	case code == http.StatusBadRequest, code == http.StatusRequestEntityTooLarge, code == http.StatusUnprocessableEntity:
		return fmt.Errorf("%s answered %d: %w: %s", host, code, ErrRefused, said)
	default:
		return fmt.Errorf("%s answered %d: %s", host, code, said)
	}
}
