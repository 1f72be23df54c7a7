package ingest

import (
	"strings"
	"testing"

	"github.com/frostwatch/frostwatch/topics"
)

var anyScheme = []string{"rtsp", "rtsps", "http", "https", "file"}

func env(name string) (string, bool) {
	v, ok := map[string]string{"USER_NAME": "viewer", "PASSWORD": "p@ss/w rd?", "HOST": "cam.example", "STREAM": "live/1"}[name]
	return v, ok
}

func TestAddresses(t *testing.T) {
	for _, c := range []struct{ raw, want string }{
		{"rtsp://host/stream", "rtsp://host/stream"},
		{"rtsp://${USER_NAME}:${PASSWORD}@${HOST}:554/${STREAM}", "rtsp://viewer:p%40ss%2Fw%20rd%3F@cam.example:554/live/1"},
		{"RTSP://Host/Stream", "rtsp://Host/Stream"},
		{"rtsp://a:b%40c@host/x?y=1", "rtsp://a:b%40c@host/x?y=1"},
		{"file:///videos/a b.mp4", "file:/videos/a b.mp4"},
		{"file:///videos/a%20b.mp4", "file:/videos/a b.mp4"},
		{"/videos/a.mp4", "file:/videos/a.mp4"},
	} {
		r := newResolver(t, Trust{Own: []topics.Camera{{Name: "cam", URL: c.raw}}})
		a, err := r.resolve(topics.Camera{Name: "cam", URL: c.raw})
		if err != nil || a.raw != c.want {
			t.Errorf("%s: %q, %v, want %q", c.raw, a.raw, err, c.want)
		}
	}
}

// libav cuts a long user name and password of RTSP, and the camera then calls it
// wrong. It does not cut those of HTTP.
func TestPasswordsThatFFmpegCuts(t *testing.T) {
	long := "://admin:${LONG}@host/s"
	for scheme, want := range map[string]string{"rtsp": "take 166 bytes in the URL, and FFmpeg cuts them at 127", "http": ""} {
		c := topics.Camera{Name: "cam", URL: scheme + long}
		r := newResolver(t, Trust{Own: []topics.Camera{c}})
		r.getenv = func(string) (string, bool) { return strings.Repeat("x@", 40), true }
		if _, err := r.resolve(c); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", scheme, err, want)
		}
	}
}

// Whatever is wrong with a URL, what is said about it does not repeat it.
func FuzzResolve(f *testing.F) {
	for _, s := range []string{
		"rtsp://viewer:" + secret + "@host/x", "rtsp://" + secret, "file://" + secret + "/x", "rtsp:// " + secret + "@", "${" + secret,
		"rtsp://${NONE}:" + secret + "@h", "\x00" + secret, "concat:" + secret, "rtsp:" + secret, "file:",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		r := newResolver(t, Trust{Own: []topics.Camera{{Name: "cam", URL: raw}}})
		a, err := r.resolve(topics.Camera{Name: "cam", URL: raw})
		if err != nil && strings.Contains(err.Error(), secret) {
			t.Errorf("the secret is in %q", err)
		}
		if err == nil && a.scheme == "file" && !strings.HasPrefix(a.raw, "file:/") {
			t.Errorf("%q opens %q", raw, a.raw)
		}
		if err == nil && a.scheme != "file" && a.host == "" {
			t.Errorf("%q has no host", raw)
		}
	})
}
