package media

import (
	"errors"
	"io"
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
	if code == astiav.ErrInvaliddata && !opening {
		return NewFault(KindEnded, "the camera ended the stream in the middle of something")
	}
	if f := byCode(code); f != nil {
		return f
	}
	if f := byErrno(syscall.Errno(-code)); f != nil {
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
		return NewFault(KindOther, "the camera refuses the request: see whether it wants another transport (tcp or udp), or has too many viewers")
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

// byErrno is what an error of the operating system means here; nil: nothing in
// particular.
func byErrno(no syscall.Errno) *Fault {
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
