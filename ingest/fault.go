package ingest

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"
)

// Kind groups faults for metrics and for how long to wait.
type Kind string

// The kinds of faults.
const (
	KindAddress     Kind = "address"     // the URL cannot be used
	KindUnreachable Kind = "unreachable" // nobody answers there
	KindTimeout     Kind = "timeout"     // it took too long
	KindCredentials Kind = "credentials" // the camera wants another password
	KindNotFound    Kind = "not_found"   // no such stream or file
	KindNotVideo    Kind = "not_video"   // what comes is not a video that we can decode
	KindFrozen      Kind = "frozen"      // connected, but no frames
	KindEnded       Kind = "ended"       // the other side has ended it
	KindOther       Kind = "other"
)

// Fault is why a stream could not be opened or went away, in words for people.
// It never holds a URL or a password.
type Fault struct {
	Kind Kind
	Text string
}

func (f *Fault) Error() string { return f.Text }

func fault(k Kind, format string, args ...any) *Fault {
	return &Fault{Kind: k, Text: fmt.Sprintf(format, args...)}
}

// errStopped is returned when the caller's context has ended.
var errStopped = errors.New("stopped")

// byErrno is what the operating system's errors mean here, nil if nothing in
// particular.
func byErrno(no syscall.Errno) *Fault {
	switch no {
	case syscall.ECONNREFUSED:
		return fault(KindUnreachable, "connection refused")
	case syscall.EHOSTUNREACH:
		return fault(KindUnreachable, "no route to host")
	case syscall.ENETUNREACH:
		return fault(KindUnreachable, "network unreachable")
	case syscall.EADDRNOTAVAIL:
		return fault(KindUnreachable, "address not available")
	case syscall.ETIMEDOUT:
		return fault(KindTimeout, "the camera does not answer")
	case syscall.ECONNRESET:
		return fault(KindEnded, "the camera reset the connection")
	case syscall.EPIPE:
		return fault(KindEnded, "the camera closed the connection")
	case syscall.EIO:
		return fault(KindUnreachable, "input/output error")
	case syscall.ENOENT:
		return fault(KindNotFound, "no such file")
	case syscall.EACCES:
		return fault(KindAddress, "permission denied")
	case syscall.EISDIR:
		return fault(KindNotVideo, "it is a directory")
	}
	return nil
}

// dnsFault is for a host name that does not resolve.
func dnsFault(ctx context.Context, host string) error {
	if ctx.Err() != nil {
		return fault(KindTimeout, "looking up host %s takes too long", host)
	}
	return fault(KindUnreachable, "no such host: %s", host)
}

// silence is for a camera that keeps the connection and sends nothing.
func silence(what string, d time.Duration) error {
	return fault(KindFrozen, "no %s for %s", what, d.Round(time.Millisecond))
}
