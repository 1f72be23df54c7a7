package media

import (
	"errors"
	"fmt"
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
	KindEnded       Kind = "ended"       // the other side has ended the stream
	KindOther       Kind = "other"
)

// Fault is why a stream could not be opened or broke, in words for people. It
// never contains a URL or a password.
type Fault struct {
	Kind Kind
	Text string
}

func (f *Fault) Error() string { return f.Text }

// NewFault makes a Fault. Its text is shown to people: put no URL and no
// password into it.
func NewFault(k Kind, format string, args ...any) *Fault {
	return &Fault{Kind: k, Text: fmt.Sprintf(format, args...)}
}

// ErrStopped is returned when the caller's context has ended.
var ErrStopped = errors.New("stopped")
