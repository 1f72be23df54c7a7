package cameras_test

import (
	"strings"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/cameras"
	"github.com/frostwatch/frostwatch/topics"
)

func TestCamerasAreChecked(t *testing.T) {
	l := cameras.Limits{Protocols: []string{"rtsp", "rtsps", "http", "https", "file"}, Window: 4267 * time.Millisecond, Stride: topics.Stride{Steps: 4}}
	for url, want := range map[string]string{
		"rtsp://host/stream":                  "",
		"RTSP://host/stream":                  "",
		"rtsps://viewer:${P}@host:322/stream": "",
		"rtsp://${HOST}:${PORT}/stream":       "",
		"${CAMERA_URL}":                       "",
		"${SCHEME}://host/":                   "",
		"rtsp://[fe80::1%eth0]:554/s":         "",
		"rtsp://[fe80::1%25eth0]/s":           "",
		"rtsp://[fe80::1%5]/s":                "",
		"file:///videos/a.mp4":                "",
		"file:/videos/a.mp4":                  "",
		"/videos/a.mp4":                       "",
		"":                                    "url is empty",
		"ftp://host/a":                        `its scheme "ftp" is not one of ingest.protocols: want rtsp://host/path, `,
		"notaurl":                             "want rtsp://host/path, ",
		"concat:/etc/passwd":                  "want rtsp://host/path, ",
		"10.0.0.7/stream":                     "want rtsp://host/path, ",
		"rtsp://":                             "names no host",
		"rtsp:///stream":                      "names no host",
		"rtsp://host:99999/stream":            "its port 99999 is not one from 1 to 65535",
		"rtsp://viewer:${}@host/s":            "${} names no variable: want ${NAME}",
		"rtsp://viewer:S3cr3t@host:70000/s":   "its port 70000 is not one",
		"S3cr3t-S3cr3t://host/s":              "its scheme is not one of",
		"rtsp://viewer:99999/S3cr3t@host/s":   "its port is not one",
		"rtsp://viewer:S3cr3t/x@host/stream":  "can't be parsed",
		"rtsp://ho st/S3cr3t":                 "can't be parsed",
	} {
		err := l.Validate(topics.Camera{Name: "lobby", URL: url})
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", url, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "S3cr3t") {
			t.Errorf("the error shows the password: %v", err)
		}
	}
}

func TestPolledCameras(t *testing.T) {
	l := cameras.Limits{Protocols: []string{"rtsp", "http", "https", "file"}, Window: 4267 * time.Millisecond, Stride: topics.Stride{Steps: 4}}
	for _, c := range []struct {
		url  string
		poll time.Duration
		want string
	}{
		{"http://h/a.jpg", 2 * time.Second, ""},
		{"HTTPS://h/a.jpg", 100 * time.Millisecond, ""},
		{" http://h/a.jpg", time.Second, ""},
		{"${URL}", time.Second, ""},
		{"http://h/a.jpg", 10 * time.Second, "poll 10s: want 100ms to 3s"},
		{"http://h/a.jpg", -time.Second, "poll -1s: want"},
		{"rtsp://h/s", time.Second, "poll is for URLs of http and https"},
		{"/a.jpg", time.Second, "poll is for URLs of http and https"},
	} {
		err := l.Validate(topics.Camera{Name: "lobby", URL: c.url, Poll: topics.Duration(c.poll)})
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s, %v: %v", c.url, c.poll, err)
		}
	}
}

// What is asked of a certificate.
func TestCertificatesOfCameras(t *testing.T) {
	l := cameras.Limits{Protocols: []string{"rtsp", "rtsps", "file"}, Window: 4267 * time.Millisecond, Stride: topics.Stride{Steps: 4}}
	never, digits := false, strings.Repeat("0aB9", 16)
	for _, c := range []struct {
		url, fingerprint string
		verify           *bool
		want             string
		advice           int
	}{
		{"rtsps://h/s", "sha256:" + digits, nil, "", 0},
		{"rtsps://h/s", "SHA256:" + strings.Repeat("AB:", 31) + "AB", nil, "", 0},
		{"rtsps://h/s", digits, nil, "want sha256: and the certificate's SHA-256 in 64 hexadecimal digits", 0},
		{"rtsps://h/s", "sha256:" + digits[1:], nil, "want sha256: and", 0},
		{"rtsps://h/s", "sha256:" + digits, &never, "want one of them", 0},
		{"rtsps://h/s", "", &never, "", 0},
		{"${URL}", "", &never, "", 0},
		{"rtsp://h/s", "", &never, "", 1},
		{"file:///a.mp4", "", &never, "its URL is a file", 0},
		{"/a.mp4", "sha256:" + digits, nil, "its URL is a file", 0},
	} {
		camera := topics.Camera{Name: "lobby", URL: c.url, TLSFingerprint: c.fingerprint, TLSVerify: c.verify}
		err := l.Validate(camera)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v", c, err)
		}
		if got := cameras.Advice(camera); err == nil && len(got) != c.advice {
			t.Errorf("%+v: %q", c, got)
		}
	}
}

func TestAdvice(t *testing.T) {
	for url, want := range map[string]int{
		"rtsp://viewer:${P}@host/s":      0,
		"rtsp://viewer:secret@host/s":    1,
		"rtsp://viewer:12/secret@host/s": 2,
		"rtsp://viewer:$PW@host/s":       2,
		"rtsp://viewer:$$PW@host/s":      1,
	} {
		got := cameras.Advice(topics.Camera{Name: "lobby", URL: url})
		if len(got) != want || strings.Contains(strings.Join(got, ""), "secret@") {
			t.Errorf("%s: %q", url, got)
		}
	}
}

// A window or stride that the framer would refuse is refused here, also where only
// one of the two is the camera's own.
func TestTimesAreChecked(t *testing.T) {
	l := cameras.Limits{Protocols: []string{"rtsp"}, Window: 4267 * time.Millisecond, Stride: topics.Stride{Steps: 4}}
	for _, c := range []struct {
		name   string
		window time.Duration
		stride topics.Stride
		want   string
	}{
		{"none of its own", 0, topics.Stride{}, ""},
		{"both of its own", time.Second, topics.Stride{Time: time.Second}, ""},
		{"too long a window", time.Hour, topics.Stride{}, "camera lobby: window of 1h0m0s: want "},
		{"too short a stride", 0, topics.Stride{Time: time.Nanosecond}, "camera lobby: stride of 1ns: want "},
		{"more windows at once than are kept", time.Minute, topics.Stride{Time: 100 * time.Millisecond}, "want at least a hundredth"},
		{"the same stride in the default window", 0, topics.Stride{Time: 50 * time.Millisecond}, ""},
	} {
		err := l.Validate(topics.Camera{Name: "lobby", URL: "rtsp://host/s", Window: topics.Duration(c.window), Stride: c.stride})
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}
