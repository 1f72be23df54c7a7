package ingest

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"strings"
	"syscall"
	"time"

	"github.com/frostwatch/frostwatch/media"
)

// ports are those of URLs that name none.
var ports = map[string]string{"rtsp": "554", "rtsps": "322", "http": "80", "https": "443"}

func (a address) port() string {
	if p := a.url.Port(); p != "" {
		return p
	}
	return ports[a.scheme]
}

// secure is whether the address asks for TLS.
func (a address) secure() bool { return strings.HasSuffix(a.scheme, "s") }

// uri is the URL as requests of RTSP name it: without user name and password, with a
// port, and otherwise as it is written.
func (a address) uri() string {
	host := a.host
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	rest := ""
	if _, after, ok := strings.Cut(a.raw, "://"); ok {
		if at := strings.IndexAny(after, "/?#"); at >= 0 {
			rest = strings.ReplaceAll(after[at:], " ", "%20")
		}
	}
	return a.scheme + "://" + host + ":" + a.port() + rest
}

// dial connects to one of the addresses that were checked.
func (a address) dial(ctx context.Context, check certificate, patience time.Duration) (net.Conn, error) {
	var conn net.Conn
	var err error
	for i, ip := range a.ips {
		d := net.Dialer{}
		if i < len(a.ips)-1 {
			d.Timeout = patience / time.Duration(len(a.ips))
		}
		conn, err = d.DialContext(ctx, "tcp", net.JoinHostPort(ip.String(), a.port()))
		if err == nil || ctx.Err() != nil {
			break
		}
	}
	if err != nil {
		return nil, dialFault(err)
	}
	if !a.secure() {
		return conn, nil
	}
	secured := tls.Client(conn, check.config(a.host))
	// Less than all of it, or libav's limit hides what is the matter.
	ctx, cancel := context.WithTimeout(ctx, patience*3/4)
	defer cancel()
	if err := secured.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, handshakeFault(err)
	}
	return secured, nil
}

// dialFault puts into words why a host can't be connected to.
func dialFault(err error) error {
	var no syscall.Errno
	if errors.As(err, &no) {
		if f := media.ErrnoFault(no); f != nil {
			return f
		}
	}
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return media.NewFault(media.KindTimeout, "the camera does not answer")
	}
	return media.NewFault(media.KindUnreachable, "the camera can't be connected to")
}
