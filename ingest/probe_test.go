package ingest

import (
	"bytes"
	"context"
	"errors"
	"image/jpeg"
	"math"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/cmd/frostwatch/camsim"
	"github.com/frostwatch/frostwatch/internal/stagetest"
	"github.com/frostwatch/frostwatch/media"
	"github.com/frostwatch/frostwatch/topics"
)

func probeOptions() ProbeOptions {
	return ProbeOptions{
		Transport: "tcp", Protocols: []string{"rtsp", "rtsps", "http", "https", "file"},
		OpenTimeout: 20 * time.Second, ReadTimeout: 20 * time.Second, For: 2500 * time.Millisecond,
		Trust: Trust{Allow: []string{"file", "127.0.0.0/8"}},
	}
}

// What a stream is, and what could be better about it, is seen in a few seconds.
func TestProbe(t *testing.T) {
	t.Parallel()
	film := func(name, args string) string {
		out := filepath.Join(t.TempDir(), name)
		ffmpeg(t, append(append([]string{"-f", "lavfi", "-i", "testsrc2=size=320x240:rate=10:duration=4", "-f", "lavfi", "-i", "sine=duration=4", "-pix_fmt", "yuv420p"}, strings.Fields(args)...), out)...)
		return out
	}
	plain := film("plain.mp4", "-map 0 -map 1 -c:v libx264 -profile:v main -bf 2 -g 10 -vf setsar=2/1")
	slow := film("slow.mp4", "-map 0 -c:v libx265 -x265-params log-level=none:keyint=40:bframes=0 -preset ultrafast")
	sim := simulate(t, camsim.Options{}, func(s *camsim.Server) {
		addFile(t, s, "plain", plain, camsim.FileOptions{User: "viewer", Password: "hunter2"})
		addFile(t, s, "slow", slow, camsim.FileOptions{})
	})
	web := httptest.NewServer(http.FileServer(http.Dir(filepath.Dir(plain))))
	t.Cleanup(web.Close)
	for _, c := range []struct {
		name, url string
		want      Probed
		advice    string // a part of all of it; "!" first: not in it
	}{
		{"plain", strings.Replace(sim.URL("plain"), "hunter2", "${CAM_PASSWORD}", 1), Probed{
			Transport: "RTSP over TCP", Codec: "h264", Profile: "Main", Width: 640, Height: 240, CodedWidth: 320, CodedHeight: 240, SampleWide: 2, SampleHigh: 1,
			Between: true, FPS: 10, Declared: 10, Interval: 1, Clock: media.ClockRight,
		}, "!keyframe"},
		{"slow", sim.URL("slow"), Probed{
			Transport: "RTSP over TCP", Codec: "hevc", Profile: "Main", Width: 320, Height: 240, CodedWidth: 320, CodedHeight: 240, FPS: 10, Declared: 10, Clock: media.ClockRight,
		}, "no second keyframe came"},
		{"file", "file://" + plain, Probed{
			Transport: "a file", Recorded: true, Codec: "h264", Profile: "Main", Width: 640, Height: 240, CodedWidth: 320, CodedHeight: 240, SampleWide: 2, SampleHigh: 1,
			Between: true, Audio: true, FPS: 10, Declared: 10, Interval: 1, Clock: media.ClockRight,
		}, "!keyframe"},
		{"http", web.URL + "/plain.mp4", Probed{
			Transport: "HTTP", Recorded: true, Codec: "h264", Profile: "Main", Width: 640, Height: 240, CodedWidth: 320, CodedHeight: 240, SampleWide: 2, SampleHigh: 1,
			Between: true, Audio: true, FPS: 10, Declared: 10, Interval: 1, Clock: media.ClockRight,
		}, "!keyframe"},
	} {
		o := probeOptions()
		o.Trust.Env, o.PictureSide = []string{"CAM_PASSWORD"}, 120
		o.Getenv = func(string) (string, bool) { return "hunter2", true }
		got, err := Probe(t.Context(), o, topics.Camera{URL: c.url})
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		picture, err := jpeg.DecodeConfig(bytes.NewReader(got.Picture))
		if err != nil || picture.Height != 120 || picture.Width != 120*got.Width/got.Height {
			t.Errorf("%s: a picture of %dx%d: %v", c.name, picture.Width, picture.Height, err)
		}
		if math.Abs(got.FPS-c.want.FPS) > .6 || got.Watched < 1.5 || got.BitRate <= 0 || math.Abs(got.Interval-c.want.Interval) > .11 {
			t.Errorf("%s: %.2f fps, %.2f s, %.3f Mbit/s, keyframes each %.2f s", c.name, got.FPS, got.Watched, got.BitRate, got.Interval)
		}
		advice := strings.Join(got.Advice, "\n")
		if not := strings.HasPrefix(c.advice, "!"); strings.Contains(advice, strings.TrimPrefix(c.advice, "!")) == not {
			t.Errorf("%s: advice %q, want %q", c.name, advice, c.advice)
		}
		if strings.Contains(got.URL, "hunter2") {
			t.Errorf("%s: %s", c.name, got.URL)
		}
		same := got
		same.URL, same.Pixels, same.Watched, same.BitRate, same.Restless, same.Advice, same.Picture = "", "", 0, 0, nil, nil, nil
		same.FPS, same.Interval, same.Longest = c.want.FPS, c.want.Interval, 0
		if !equalProbed(same, c.want) {
			t.Errorf("%s: got %+v\nwant %+v", c.name, same, c.want)
		}
	}
}

func equalProbed(a, b Probed) bool {
	a.Restless, b.Restless, a.Advice, b.Advice, a.Picture, b.Picture = nil, nil, nil, nil, nil, nil
	return a.Camera == b.Camera && a.Transport == b.Transport && a.Recorded == b.Recorded && a.Codec == b.Codec && a.Profile == b.Profile &&
		a.Width == b.Width && a.Height == b.Height && a.CodedWidth == b.CodedWidth && a.SampleWide == b.SampleWide && a.Between == b.Between &&
		a.Audio == b.Audio && a.Declared == b.Declared && a.Clock == b.Clock && a.Mended == b.Mended && a.Lost == b.Lost && a.Broke == b.Broke
}

// What is wrong is said by the part that it is about, and without a secret.
func TestProbeSaysWhichPartIsWrong(t *testing.T) {
	t.Parallel()
	sim := simulate(t, camsim.Options{}, func(s *camsim.Server) {
		addFile(t, s, "cam", counting(t, "-c:v", "libx264"), camsim.FileOptions{User: "viewer", Password: "right"})
	})
	secure := simulate(t, camsim.Options{TLS: stagetest.SelfSigned(t)}, func(s *camsim.Server) {
		addFile(t, s, "cam", counting(t, "-c:v", "libx264"), camsim.FileOptions{})
	})
	away := httptest.NewServer(http.RedirectHandler("http://169.254.169.254/latest/meta-data", http.StatusFound))
	t.Cleanup(away.Close)
	for _, c := range []struct {
		url  string
		part ProbePart
		want string
	}{
		{"rtsp://viewer:right@nowhere.example/s", PartName, "no such host: nowhere.example"},
		{"rtsp://" + deadPort(t) + "/s", PartPort, "connection refused"},
		{secure.URL("cam"), PartTLS, "signed by itself"},
		{strings.Replace(sim.URL("cam"), "right", "wr0ng", 1), PartLogin, "wrong user name or password"},
		{strings.Replace(sim.URL("cam"), "/cam", "/other", 1), PartPath, "no stream at this path"},
		{fakeRTSP(t, map[string]string{"sdp": "m=audio 0 RTP/AVP 0\r\na=control:1\r\n"}), PartVideo, "only audio"},
		{fakeRTSP(t, map[string]string{"sdp": "m=video 0 RTP/AVP 96\r\na=rtpmap:96 AV1/90000\r\na=control:1\r\n"}), PartVideo, "coded as AV1"},
		{fakeRTSP(t, map[string]string{"DESCRIBE": "503 Service Unavailable"}), PartAnswer, "503"},
		{"file://" + picture(t), PartVideo, ""},
		{"rtsp://169.254.1.2/s", PartURL, "own link"},
		{"rtsp://viewer:${NOT_NAMED}@127.0.0.1/s", PartURL, "NOT_NAMED"},
		{"ftp://viewer:wr0ng@127.0.0.1/s", PartURL, "kind of URL"},
		{away.URL, PartRefused, "redirects elsewhere"},
	} {
		o := probeOptions()
		o.OpenTimeout, o.ReadTimeout = 20*time.Second, 20*time.Second
		o.LookUp = func(context.Context, string) ([]netip.Addr, error) { return nil, nil }
		_, err := Probe(t.Context(), o, topics.Camera{URL: c.url})
		var f *ProbeFault
		if !errors.As(err, &f) || f.Part != c.part || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v (%+v), want %s: %s", c.url, err, f, c.part, c.want)
		}
		if err != nil && (strings.Contains(err.Error(), "wr0ng") || strings.Contains(err.Error(), "right")) {
			t.Errorf("a secret: %v", err)
		}
	}
}

// A mask covers the picture that is shown of a trial, too.
func TestProbePaintsMasksOver(t *testing.T) {
	t.Parallel()
	white := filepath.Join(t.TempDir(), "white.mp4")
	ffmpeg(t, "-f", "lavfi", "-i", "color=white:size=160x96:rate=10:duration=2", "-c:v", "libx264", white)
	mask := topics.Polygon{}
	if err := mask.UnmarshalText([]byte("0,0 0.5,1")); err != nil {
		t.Fatal(err)
	}
	o := probeOptions()
	o.PictureSide = 96
	got, err := Probe(t.Context(), o, topics.Camera{URL: "file://" + white, Masks: []topics.Polygon{mask}})
	if err != nil {
		t.Fatal(err)
	}
	picture, err := jpeg.Decode(bytes.NewReader(got.Picture))
	if err != nil {
		t.Fatal(err)
	}
	left, _, _, _ := picture.At(20, 48).RGBA()
	right, _, _, _ := picture.At(140, 48).RGBA()
	if left>>8 > 140 || right>>8 < 240 {
		t.Errorf("covered %d, not covered %d", left>>8, right>>8)
	}
}
