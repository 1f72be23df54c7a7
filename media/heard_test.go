package media

import (
	"reflect"
	"strings"
	"testing"
)

// What was heard last before libav gave up is what counts.
func TestWhatWasHeard(t *testing.T) {
	for _, c := range []struct {
		text string
		want heard
	}{
		{"", heard{}},
		{">OPTIONS\n", heard{method: "OPTIONS"}},
		{">OPTIONS\n<RTSP/1.0 200 OK\n>DESCRIBE\n<RTSP/1.0 453 Not Enough Bandwidth\n", heard{method: "DESCRIBE", answered: true, status: 453}},
		{">PLAY\n<RTSP/1.0 454 x\n>TEARDOWN\n<RTSP/1.0 200 OK\n", heard{method: "PLAY", answered: true, status: 454}},
		{">OPTIONS\n<HTTP/1.1 400 Bad Request\n", heard{method: "OPTIONS", answered: true}},
		{"<HTTP/1.1 302 Found\n<HTTP/1.1 200 OK\nt Image/JPEG\n", heard{answered: true, status: 200, contentType: "image/jpeg"}},
		{">DESCRIBE\n<RTSP/1.0 200 OK\n=m=audio 0 RTP/AVP 0\n=a=rtpmap:0 PCMU/8000\n=m=video 0 RTP/AVP 97\n=a=rtpmap:97 H266/90000\n=a=rtpmap:98 \x1b[31m/90000\n",
			heard{method: "DESCRIBE", answered: true, status: 200, kinds: []string{"audio", "video"}, codings: []string{"H266"}}},
	} {
		if got := parseHeard(c.text); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%q: %+v, want %+v", c.text, got, c.want)
		}
	}
}

// Every status of RTSP and HTTP has a reason that names it, or says what it means.
func TestEveryStatusHasAReason(t *testing.T) {
	for _, scheme := range []string{"rtsp", "http"} {
		for status := 300; status < 600; status++ {
			s := &Stream{scheme: scheme, heard: heard{method: "SETUP", answered: true, status: status}}
			if f := s.refusal(); f == nil || f.Text == "" || strings.HasSuffix(f.Text, ":") {
				t.Fatalf("%s %d: %+v", scheme, status, f)
			}
		}
	}
	s := &Stream{scheme: "rtsp", openOptions: openOptions{StreamOptions: StreamOptions{Transport: "udp"}}, heard: heard{method: "SETUP", status: 461}}
	if f := s.refusal(); !strings.HasSuffix(f.Text, "set the camera's transport to tcp") {
		t.Errorf("UDP refused: %s", f.Text)
	}
}
