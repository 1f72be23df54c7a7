package media

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/internal/shared"
)

// decoded is the times of a file's frames.
func decoded(t *testing.T, path string) (times []time.Duration) {
	t.Helper()
	f, err := OpenFile(t.Context(), path, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	last := int64(-1)
	for {
		frame, err := f.Next()
		if errors.Is(err, io.EOF) {
			return times
		}
		if err != nil {
			t.Fatal(err)
		}
		if frame.Ticks <= last {
			t.Errorf("frame %d is at tick %d, behind %d", len(times), frame.Ticks, last)
		}
		last, times = frame.Ticks, append(times, frame.PTS)
	}
}

// Streams without a container have no times: all their frames come at the rate
// in their header.
func TestRawStreamsGiveEveryFrame(t *testing.T) {
	mp4 := cut(t, shared.Path(t, "model", "demo", "yard_fence.mp4"), 3, "mp4")
	dir := t.TempDir()
	for name, args := range map[string]string{
		"a.h264": "-c copy", "flat.h264": "-c:v libx264 -bf 0", "a.h265": "-c:v libx265 -x265-params log-level=none", "a.m2v": "-c:v mpeg2video",
	} {
		path := filepath.Join(dir, name)
		ffmpeg(t, append(append([]string{"-i", mp4}, strings.Fields(args)...), path)...)
		want, got := decoded(t, mp4), decoded(t, path)
		if len(got) != len(want) {
			t.Errorf("%s: %d frames, want %d", name, len(got), len(want))
			continue
		}
		for i := range want {
			if d := (got[i] - want[i]).Abs(); d > time.Millisecond {
				t.Fatalf("%s: frame %d is at %v, want %v", name, i, got[i], want[i])
			}
		}
	}
	f, err := OpenFile(t.Context(), filepath.Join(dir, "a.h264"), 1)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	f.s.clock.step = 0 // as of a file whose header has no rate
	for err == nil {
		_, err = f.Next()
	}
	if !strings.Contains(err.Error(), "have no times") {
		t.Errorf("without a rate: %v", err)
	}
}

func TestFormatsOfFiles(t *testing.T) {
	mp4 := cut(t, shared.Path(t, "model", "demo", "yard_fence.mp4"), 1, "mp4")
	dir := t.TempDir()
	for name, args := range map[string]string{
		"a.y4m": "-s 176x144", "a.rm": "-c:v rv20", "a.wtv": "-c:v mpeg2video -r 25", "a.h261": "-c:v h261 -s 176x144 -r 30000/1001",
		"a.wmv": "", "a.mxf": "-c:v mpeg2video -r 25", "a.mpg": "-r 25",
	} {
		path := filepath.Join(dir, name)
		ffmpeg(t, append(append([]string{"-i", mp4, "-an"}, strings.Fields(args)...), path)...)
		if got := len(decoded(t, path)); got < 15 {
			t.Errorf("%s: %d frames", name, got)
		}
	}
	ffmpeg(t, "-i", mp4, filepath.Join(dir, "%03d.png"))
	for name, text := range map[string]string{
		"list.m3u8":   "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n" + mp4 + "\n#EXT-X-ENDLIST\n",
		"list.concat": "ffconcat version 1.0\nfile " + filepath.Base(mp4) + "\n",
		"list.sdp":    "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 9 RTP/AVP 96\na=rtpmap:96 H264/90000\n",
		"%03d.png":    "",
	} {
		path := filepath.Join(dir, name)
		if text != "" {
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if f, err := OpenFile(t.Context(), path, 1); err == nil {
			f.Close()
			t.Errorf("%s, which names other files, was opened", name)
		}
	}
}
