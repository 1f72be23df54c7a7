package media

import (
	"errors"
	"io"
	"strings"
	"syscall"

	"github.com/asticode/go-astiav"
)

// broken puts an error into words.
func (s *Stream) broken(err error, opening bool) error {
	var code astiav.Error
	switch {
	case errors.Is(err, errTime):
		return NewFault(KindTimeout, "no usable answer within %s", s.Open)
	case errors.Is(err, io.EOF) && s.info.Recorded:
		return io.EOF
	case errors.Is(err, io.EOF):
		return NewFault(KindEnded, "the camera ended the stream")
	case !errors.As(err, &code):
		return err
	}
	if opening {
		if f := s.notOpened(code); f != nil {
			return f
		}
	} else if f := s.brokenOff(code); f != nil {
		return f
	}
	if f := byCode(code); f != nil {
		return f
	}
	if f := ErrnoFault(syscall.Errno(-code)); f != nil {
		return f
	}
	if opening && code == -astiav.Error(syscall.EINVAL) {
		// This is libav's error for a format that is not in the list of allowed
		// ones.
		return NewFault(KindNotVideo, "what comes is not a video of a known format")
	}
	if opening {
		return NewFault(KindOther, "the stream cannot be opened: %s", code)
	}
	return NewFault(KindOther, "the stream broke off: %s", code)
}

// notOpened is what an error means by what was heard from the camera; nil: nothing in
// particular.
func (s *Stream) notOpened(code astiav.Error) *Fault {
	if f := s.refusal(); f != nil {
		return f
	}
	if errors.Is(code, astiav.ErrInvaliddata) && strings.HasPrefix(s.scheme, "rtsp") && s.heard.status == 0 {
		// libav's error for a peer that hangs up, or answers in another protocol.
		if s.heard.method != "" && !s.heard.answered {
			return NewFault(KindEnded, "the camera closed the connection without an answer: see whether this is its RTSP port, and whether it has too many viewers")
		}
		return NewFault(KindNotVideo, "it does not answer as an RTSP server does: see whether this is its RTSP port")
	}
	if errors.Is(code, astiav.ErrInvaliddata) || code == -astiav.Error(syscall.EINVAL) || errors.Is(code, astiav.ErrDemuxerNotFound) {
		return s.foreign()
	}
	return nil
}

// brokenOff is what an error of a stream that was open means; nil: nothing in
// particular.
func (s *Stream) brokenOff(code astiav.Error) *Fault {
	switch {
	case errors.Is(code, astiav.ErrInvaliddata):
		return NewFault(KindEnded, "the camera ended the stream in the middle of something")
	case s.blocked() && code == -astiav.Error(syscall.ETIMEDOUT):
		return blockedFault()
	case strings.HasPrefix(s.scheme, "http") && code == -astiav.Error(syscall.EIO):
		// libav's error for the end of a stream whose length was not said.
		return NewFault(KindEnded, "the camera ended the stream")
	}
	return nil
}

// blocked is whether a camera was told to send by UDP and nothing has come.
func (s *Stream) blocked() bool {
	return strings.HasPrefix(s.scheme, "rtsp") && s.Transport == "udp" && s.arrived == 0
}

func blockedFault() *Fault {
	return NewFault(KindFrozen, "the camera agreed to send over UDP, and nothing has come: a firewall may block it: set the camera's transport to tcp")
}

// byCode is what one of libav's own errors means here; nil: nothing in
// particular.
func byCode(code astiav.Error) *Fault {
	switch code {
	case astiav.ErrHttpUnauthorized:
		return NewFault(KindCredentials, "wrong user name or password")
	case astiav.ErrHttpForbidden:
		return NewFault(KindCredentials, "this user may not see the stream")
	case astiav.ErrHttpNotFound:
		return NewFault(KindNotFound, "the camera has no stream at this path")
	case astiav.ErrHttpBadRequest, astiav.ErrHttpOther4Xx:
		return NewFault(KindOther, "the camera refuses the request")
	case astiav.ErrHttpServerError:
		return NewFault(KindOther, "the camera answers with an error of its own")
	case astiav.ErrInvaliddata, astiav.ErrDemuxerNotFound:
		return NewFault(KindNotVideo, "what comes is not a video")
	case astiav.ErrStreamNotFound:
		return NewFault(KindNotVideo, "the stream holds no video")
	case astiav.ErrProtocolNotFound:
		return NewFault(KindAddress, "the installed FFmpeg does not know this kind of address")
	case astiav.ErrEof:
		return NewFault(KindEnded, "the camera closed the connection")
	}
	return nil
}

// ErrnoFault is what an error of the operating system means for a stream; nil: nothing
// in particular.
func ErrnoFault(no syscall.Errno) *Fault {
	switch no {
	case syscall.ECONNREFUSED:
		return NewFault(KindUnreachable, "connection refused")
	case syscall.EHOSTUNREACH:
		return NewFault(KindUnreachable, "no route to host")
	case syscall.ENETUNREACH:
		return NewFault(KindUnreachable, "network unreachable")
	case syscall.EADDRNOTAVAIL:
		return NewFault(KindUnreachable, "address not available")
	case syscall.ETIMEDOUT:
		return NewFault(KindTimeout, "the camera does not answer")
	case syscall.ECONNRESET:
		return NewFault(KindEnded, "the camera reset the connection")
	case syscall.EPIPE:
		return NewFault(KindEnded, "the camera closed the connection")
	case syscall.EPROTONOSUPPORT:
		return NewFault(KindOther, "the camera does not offer this transport of RTSP: set the camera's transport to the other one, tcp or udp")
	case syscall.EIO:
		return NewFault(KindUnreachable, "input/output error")
	case syscall.ENOENT:
		return NewFault(KindNotFound, "no such file")
	case syscall.EACCES:
		return NewFault(KindNotFound, "permission denied") // which may be given while we try
	case syscall.EISDIR:
		return NewFault(KindNotVideo, "it is a directory")
	}
	return nil
}
