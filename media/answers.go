package media

import (
	"fmt"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
)

// refusal puts the answer that was heard last into words; nil: it was none, or no
// refusal.
func (s *Stream) refusal() *Fault {
	h := s.heard
	if h.status < 300 || h.status > 599 {
		return nil
	}
	if strings.HasPrefix(s.scheme, "rtsp") {
		return Refusal(h.method, h.status, s.Transport)
	}
	return Refusal("", h.status, "")
}

// Refusal is what an answer of RTSP or HTTP with a status from 300 to 599 means, and what
// to do about it. method and transport ("tcp" or "udp") are those of the request; method
// is empty for HTTP.
func Refusal(method string, status int, transport string) *Fault {
	rtsp := method != ""
	what := fmt.Sprintf("the camera answers with %s", named(status, rtsp))
	if rtsp {
		what = fmt.Sprintf("the camera answers %s with %s", method, named(status, rtsp))
	}
	switch {
	case status == http.StatusUnauthorized:
		return NewFault(KindCredentials, "wrong user name or password")
	case status == http.StatusForbidden:
		return NewFault(KindCredentials, "this user may not see the stream")
	case status == http.StatusNotFound:
		return NewFault(KindNotFound, "the camera has no stream at this path")
	case status == http.StatusGone:
		return NewFault(KindNotFound, "the camera no longer has a stream at this path (410)")
	case status < 400:
		return NewFault(KindOther, "%s, a redirection that leads nowhere", what)
	}
	if advice := advice(status, method, transport); advice != "" {
		what += ": " + advice
	}
	return NewFault(KindOther, "%s", what)
}

// named is a status with its name: RTSP's are in RFC 2326, section 11, and RFC 7826,
// section 17. The camera's own words are not repeated, which could hold anything.
func named(status int, rtsp bool) string {
	own := map[int]string{
		451: "Parameter Not Understood", 452: "Conference Not Found", 453: "Not Enough Bandwidth", 454: "Session Not Found",
		455: "Method Not Valid in This State", 456: "Header Field Not Valid for Resource", 457: "Invalid Range",
		458: "Parameter Is Read-Only", 459: "Aggregate Operation Not Allowed", 460: "Only Aggregate Operation Allowed",
		461: "Unsupported Transport", 462: "Destination Unreachable", 463: "Destination Prohibited",
		464: "Data Transport Not Ready Yet", 465: "Notification Reason Unknown", 466: "Key Management Error",
		470: "Connection Authorization Required", 471: "Connection Credentials Not Accepted",
		472: "Failure to Establish Secure Connection", 505: "Version Not Supported", 551: "Option Not Supported", 553: "Proxy Unavailable",
	}
	name := http.StatusText(status)
	if rtsp && own[status] != "" {
		name = own[status]
	}
	return strings.TrimSpace(fmt.Sprintf("%d %s", status, name))
}

// advice is what to do about a status, as far as experience with cameras tells.
func advice(status int, method, transport string) string {
	rtsp, other := method != "", "udp"
	if transport == "udp" {
		other = "tcp"
	}
	switch {
	case rtsp && slices.Contains([]int{406, 415, 461, 462, 463}, status):
		return "it does not offer this transport of RTSP: set the camera's transport to " + other
	case rtsp && status == 453, status == http.StatusServiceUnavailable, status == http.StatusTooManyRequests:
		return "it has too many viewers, or is still starting: close other viewers, or use its second stream"
	case rtsp && status == 400 && method == "SETUP":
		return "see whether it wants another transport: set the camera's transport to " + other
	case rtsp && (status == 470 || status == 471), status == http.StatusProxyAuthRequired:
		return "something between asks for credentials of its own"
	case rtsp && (status == 454 || status == 455 || status == 460 || status == 459), status == http.StatusRequestTimeout, status == http.StatusGatewayTimeout:
		return "it has lost the session, and is asked again"
	case status == http.StatusBadRequest || status == http.StatusNotAcceptable || status == http.StatusUnsupportedMediaType || rtsp && (status == 451 || status == 457):
		return "see whether the path is that of its live stream"
	case rtsp && (status == 405 || status == 501 || status == 551 || status == 505), status == http.StatusMethodNotAllowed:
		return "see whether RTSP is switched on in it, and whether port and path are those of its stream"
	case status >= 500:
		return "an error of its own: restart it if that does not pass"
	}
	return ""
}

// foreign is for what came in place of a video; nil: it is not known to be anything.
func (s *Stream) foreign() *Fault {
	t := s.heard.contentType
	picture := strings.HasPrefix(t, "image/")
	if t == "" || t == "application/octet-stream" {
		picture = slices.Contains([]string{".jpg", ".jpeg", ".png", ".gif", ".bmp", ".webp"}, strings.ToLower(path.Ext(s.path)))
	}
	switch {
	case picture && s.scheme == "file":
		return NewFault(KindNotVideo, "it is one picture, not a video")
	case picture:
		return NewFault(KindNotVideo, "it is one picture, not a video: want the address of the camera's stream, over RTSP or as MJPEG")
	case strings.Contains(t, "html"):
		return NewFault(KindNotVideo, "what comes is not a video but a web page: see whether the path is right, and whether the page asks for a password")
	case strings.Contains(t, "mpegurl") || strings.Contains(t, "dash+xml"):
		return NewFault(KindNotVideo, "what comes is not a video but a playlist (HLS or DASH), and none is followed: want the address of the camera's stream itself")
	case strings.HasPrefix(t, "text/"), strings.Contains(t, "json"), strings.Contains(t, "xml"):
		return NewFault(KindNotVideo, "what comes is not a video but text: see whether the path is right")
	case strings.HasPrefix(t, "audio/"):
		return NewFault(KindNotVideo, "what comes is sound, not a video")
	}
	return nil
}

// ofURL notes what reasons need of a URL.
func (s *Stream) ofURL(raw string) {
	scheme, rest, _ := strings.Cut(raw, ":")
	s.scheme = strings.ToLower(scheme)
	if s.scheme == "file" {
		s.path = rest
	} else if u, err := url.Parse(raw); err == nil {
		s.path = u.Path
	}
}
