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
		{"rtsp://host/stream", "rtsp://host:554/stream"},
		{"rtsp://${USER_NAME}:${PASSWORD}@${HOST}:554/${STREAM}", "viewer:p%40ss%2Fw%20rd%3F rtsp://cam.example:554/live/1"},
		{"RTSP://Host/Stream", "rtsp://Host:554/Stream"},
		{"rtsp://a:b%40c@host/x?y=1", "a:b%40c rtsp://host:554/x?y=1"},
		{"rtsps://[2001:db8::7]/user=a&x=[1]|2#3 4", "rtsps://[2001:db8::7]:322/user=a&x=[1]|2#3%204"},
		{"rtsp://host", "rtsp://host:554"},
		{"file:///videos/a b.mp4", "file:/videos/a b.mp4"},
		{"file:///videos/a%20b.mp4", "file:/videos/a b.mp4"},
		{"/videos/a.mp4", "file:/videos/a.mp4"},
		{" rtsp://host/stream\n", "rtsp://host:554/stream"},
		{"rtsp://host/my stream?a=b c", "rtsp://host:554/my%20stream?a=b%20c"},
		{"rtsp://[fe80::1%eth0]:554/s", "rtsp://[fe80::1%eth0]:554/s"},
		{"rtsp://[fe80::1%25eth0]/s", "rtsp://[fe80::1%eth0]:554/s"},
		{"rtsp://a:b%40c@[fe80::1%2]/s%20t", "a:b%40c rtsp://[fe80::1%2]:554/s%20t"},
		{"rtsp://host/[%25]", "rtsp://host:554/[%25]"},
	} {
		r := newResolver(t, Trust{Own: []topics.Camera{{Name: "cam", URL: c.raw}}})
		a, err := r.resolve(topics.Camera{Name: "cam", URL: c.raw}, c.raw)
		if err != nil || opens(a) != c.want {
			t.Errorf("%s: %q, %v, want %q", c.raw, opens(a), err, c.want)
		}
	}
}

// A port that there can't be is refused at once, and not repeated: it may be part of a
// password.
func TestPortsThatThereAreNot(t *testing.T) {
	for _, raw := range []string{"rtsp://host:99999/s", "rtsp://host:0/s", "rtsp://viewer:99999/" + secret + "@host/s"} {
		c := topics.Camera{Name: "cam", URL: raw}
		_, err := newResolver(t, Trust{Own: []topics.Camera{c}}).resolve(c, c.URL)
		if err == nil || !strings.Contains(err.Error(), "port is not one from 1 to 65535") || strings.Contains(err.Error(), "99999") {
			t.Errorf("%s: %v", raw, err)
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
		a, err := r.resolve(topics.Camera{Name: "cam", URL: raw}, raw)
		if err != nil && strings.Contains(err.Error(), secret) {
			t.Errorf("the secret is in %q", err)
		}
		if err == nil && a.scheme == "file" && !strings.HasPrefix(a.path, "/") {
			t.Errorf("%q opens %q", raw, a.path)
		}
		if err == nil && a.scheme != "file" && a.host == "" {
			t.Errorf("%q has no host", raw)
		}
	})
}
