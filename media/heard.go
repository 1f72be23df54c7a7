package media

// #include "heard.h"
import "C"

import (
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// heard is what a peer has answered, as far as libav's log tells.
type heard struct {
	method      string   // of the latest request of RTSP
	answered    bool     // something came in answer to the latest request
	status      int      // of the latest answer; 0: it had none
	contentType string   // of the latest answer of HTTP, in lower case
	kinds       []string // of media that are described, such as "audio"
	codings     []string // of the video among them
}

// listen calls f, which calls libav, and returns what libav heard in answer.
func listen(f func() error) (heard, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	C.fw_listen(1)
	err := f()
	C.fw_listen(0)
	return parseHeard(C.GoString(C.fw_heard())), err
}

var (
	statusLine = regexp.MustCompile(`^(?:RTSP|HTTP)/\d\.\d +(\d{3})\b`)
	coding     = regexp.MustCompile(`^a=rtpmap:\d+ +([A-Za-z0-9._-]{1,32})/`)
	mediaLine  = regexp.MustCompile(`^m=([a-z]{1,16}) `)
)

func parseHeard(text string) (h heard) {
	video := false // what a line "a=rtpmap" is of
	for line := range strings.Lines(text) {
		what, rest := line[0], strings.TrimSpace(line[1:])
		switch what {
		case '>':
			if rest == "TEARDOWN" {
				return h // libav has given up; why was heard before
			}
			h.method, h.answered, h.status, h.contentType = rest, false, 0, ""
		case '<':
			h.answered, h.status, h.contentType = true, 0, ""
			rtsp := strings.HasPrefix(rest, "RTSP/")
			if m := statusLine.FindStringSubmatch(rest); m != nil && rtsp == (h.method != "") {
				h.status, _ = strconv.Atoi(m[1])
			}
		case 't':
			h.contentType = strings.ToLower(rest)
		case '=':
			if m := mediaLine.FindStringSubmatch(rest); m != nil {
				video = m[1] == "video"
				h.kinds = append(h.kinds, m[1])
			}
			if m := coding.FindStringSubmatch(rest); m != nil && video && !slices.Contains(h.codings, m[1]) {
				h.codings = append(h.codings, m[1])
			}
		}
	}
	return h
}
