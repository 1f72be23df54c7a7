package ingest

import (
	"strings"
	"testing"
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
		{"rtsp://a:b%40c@host/x?y=1", "rtsp://a:b%40c@host/x?y=1"},
		{"file:///videos/a b.mp4", "file:/videos/a b.mp4"},
		{"file:///videos/a%20b.mp4", "file:/videos/a b.mp4"},
		{"/videos/a.mp4", "file:/videos/a.mp4"},
	} {
		a, err := resolve(c.raw, anyScheme, env)
		if err != nil || a.raw != c.want {
			t.Errorf("%s: %q, %v, want %q", c.raw, a.raw, err, c.want)
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
		a, err := resolve(raw, anyScheme, env)
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

func TestClock(t *testing.T) {
	for _, c := range []struct {
		name  string
		fps   float64 // as a file tells
		stamp []int64 // at 1 kHz
		want  []int64 // ms; -1: skipped, -2: the one before is dropped and this is 0
	}{
		{"plain", 0, []int64{500, 540, 580}, []int64{0, 40, 80}},
		{"first unknown", 0, []int64{noTime, 40, 80}, []int64{0, 40, 80}},
		{"first unknown, RTP clock begins at 0", 0, []int64{noTime, 0, 40}, []int64{0, -2, 40}},
		{"first unknown, far away", 0, []int64{noTime, 90_000, 90_040}, []int64{0, -2, 40}},
		{"one unknown", 0, []int64{0, 40, noTime, 120}, []int64{0, 40, 80, 120}},
		{"two unknown first", 0, []int64{noTime, noTime, 80}, []int64{0, -1, 80}},
		{"a file's, none known", 25, []int64{noTime, noTime, noTime}, []int64{0, 40, 80}},
		{"a file's, two unknown first", 25, []int64{noTime, noTime, 90_080, 90_120}, []int64{0, 40, 80, 120}},
		{"backwards", 0, []int64{0, 40, 80, 10, 50}, []int64{0, 40, 80, 10, 50}},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := clock{tick: 1e-3}
			k.rated(c.fps)
			for i, stamp := range c.stamp {
				at, v := k.at(stamp)
				got := at.Milliseconds()
				switch v {
				case skip:
					got = -1
				case dropEarlier:
					got = -2
				}
				if got != c.want[i] {
					t.Errorf("frame %d: %d, want %d", i, got, c.want[i])
				}
			}
		})
	}
}
