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

// carrier is 100.64.0.0/10, between a provider and its customers (RFC 6598).
var carrier = netip.MustParsePrefix("100.64.0.0/10")

// public is whether an address may be one of somebody else's server.
func public(a netip.Addr) bool {
	a = a.Unmap()
	return a.IsGlobalUnicast() && !a.IsPrivate() && !carrier.Contains(a)
}

// maxAnswer is how much of an answer is read.
const maxAnswer = 4 << 10

// post sends a request and reads the answer. Its errors hold nothing of the URL but
// its host, since the path may be secret.
func post(c *http.Client, req *http.Request) error {
	resp, err := c.Do(req)
	if err != nil {
		var wrong *url.Error
		if errors.As(err, &wrong) {
			err = wrong.Err
		}
		if errors.Is(err, context.DeadlineExceeded) {
			err = errors.New("no answer in time")
		}
		return fmt.Errorf("%s: %w", req.URL.Host, err)
	}
	answer, _ := io.ReadAll(io.LimitReader(resp.Body, maxAnswer)) // it is only shown
	_ = resp.Body.Close()
	return judge(req.URL.Host, resp, string(answer))
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
