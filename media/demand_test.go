package media

import (
	"crypto/sha256"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// While nothing moves, keyframes alone are decoded; when something does, every frame of it
// is handed on as if all had been decoded, from the first on.
func TestOnDemandMissesNothing(t *testing.T) {
	for name, args := range map[string]string{
		"plain.mp4":  "-c:v libx264 -g 30 -keyint_min 30 -sc_threshold 0 -bf 0",
		"b.mp4":      "-c:v libx264 -g 30 -keyint_min 30 -sc_threshold 0 -bf 3",
		"open.ts":    "-c:v libx264 -bf 3 -x264-params open-gop=1:keyint=30:min-keyint=30:scenecut=0",
		"hevc.mp4":   "-c:v libx265 -preset ultrafast -x265-params log-level=none:keyint=30:min-keyint=30:scenecut=0",
		"second.mp4": "-c:v libx264 -g 15 -keyint_min 15 -sc_threshold 0", // a keyframe a second
		"hevc.ts":    "-c:v libx265 -preset ultrafast -x265-params log-level=none:keyint=30:min-keyint=30:scenecut=0",
		"sound.ts":   "-f lavfi -i sine=duration=20 -map 0:v -map 1:a -c:v libx264 -g 30 -keyint_min 30 -sc_threshold 0 -bf 0 -c:a aac -muxdelay 0",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := visited(t, name, args)
			all, _ := shownBy(t, path, false)
			some, skipped := shownBy(t, path, true)
			if len(some)+skipped != len(all) {
				t.Errorf("%d frames and %d that were skipped, of %d", len(some), skipped, len(all))
			}
			if skipped < 45 && name != "open.ts" { // libav begins with none of its later keyframes alone
				t.Errorf("%d frames were skipped, want most of those after some seconds in which nothing moves", skipped)
			}
			for pts, f := range all {
				if got, ok := some[pts]; pts >= visit && pts < visit+stay {
					if !ok || got.picture != f.picture || got.until != f.until {
						t.Errorf("frame at %v: handed on: %v, the same picture: %v, until %v, want %v", pts, ok, got.picture == f.picture, got.until, f.until)
					}
				} else if ok && got.picture != f.picture {
					t.Errorf("frame at %v is another one than if all are decoded", pts)
				}
			}
			until(t, some)
		})
	}
}

// Of streams whose sizes say nothing, or whose pictures can't be had alone, all is decoded.
func TestWhatSizesSayNothingOfIsDecoded(t *testing.T) {
	for name, args := range map[string]string{
		"intra.mp4":   "-c:v mjpeg -pix_fmt yuvj420p",
		"keys.mp4":    "-c:v libx264 -g 1",
		"refresh.mp4": "-c:v libx264 -x264-params intra-refresh=1:keyint=30:bframes=0",
		"long.mp4":    "-c:v libx264 -g 120 -keyint_min 120 -sc_threshold 0", // a keyframe in eight seconds
		"cbr.ts":      "-c:v libx264 -g 30 -keyint_min 30 -sc_threshold 0 -b:v 1M -minrate 1M -maxrate 1M -bufsize 300k -x264-params nal-hrd=cbr",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := visited(t, name, args)
			all, _ := shownBy(t, path, false)
			if some, skipped := shownBy(t, path, true); skipped > 0 || len(some) != len(all) {
				t.Errorf("%d of %d frames, %d skipped", len(some), len(all), skipped)
			}
		})
	}
}

// What sizes don't show is seen at the next keyframe, and then all since the one before is
// decoded.
func TestAKeyframeThatDiffersWakes(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	flags := strings.Fields("-pix_fmt yuv420p -c:v libx264 -g 30 -keyint_min 30 -sc_threshold 0 -bf 0")
	ffmpeg(t, append([]string{"-f", "lavfi", "-i", "smptebars=size=320x192:rate=15:duration=16"}, append(flags, path("a.ts"))...)...)
	ffmpeg(t, append([]string{"-f", "lavfi", "-i", "smptebars=size=320x192:rate=15:duration=4,drawbox=x=100:y=60:w=24:h=60:color=white:t=fill"}, append(flags, path("b.ts"))...)...)
	ffmpeg(t, "-i", "concat:"+path("a.ts")+"|"+path("b.ts"), "-c", "copy", path("c.mp4"))
	some, skipped := shownBy(t, path("c.mp4"), true)
	if skipped < 45 {
		t.Errorf("%d frames were skipped", skipped)
	}
	n := 0
	for pts := range some {
		if pts > 14*time.Second+time.Millisecond && pts < 16*time.Second {
			n++
		}
	}
	if n < 28 {
		t.Errorf("%d of the 29 frames between the last keyframe without and the first with something else were decoded", n)
	}
}

// A visitor comes into a still picture, and goes.
const (
	visit = 13400 * time.Millisecond
	stay  = 2 * time.Second
)

func visited(t *testing.T, name, args string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	picture := "smptebars=size=320x192:rate=15:duration=20[b];color=white:size=24x60:rate=15:duration=20[v];[b][v]overlay=x='40+80*(t-13.4)':y=60:enable='gte(t,13.39)*lt(t,15.39)',format=yuv420p"
	ffmpeg(t, append(append([]string{"-f", "lavfi", "-i", picture}, strings.Fields(args)...), path)...)
	return path
}

type shownFrame struct {
	until   time.Duration
	picture [32]byte
}

// shownBy are the frames of a film by their times, in milliseconds, and how many were
// skipped between them.
func shownBy(t *testing.T, path string, onDemand bool) (shown map[time.Duration]shownFrame, skipped int) {
	t.Helper()
	return shownWith(t, path, onDemand, nil, func(int) {})
}

// shownWith is shownBy with turns; came is called with the number of each frame.
func shownWith(t *testing.T, path string, onDemand bool, turns *Turns, came func(int)) (shown map[time.Duration]shownFrame, skipped int) {
	t.Helper()
	o := testOptions()
	o.AnyPace, o.OnDemand, o.Turns = true, onDemand, turns
	s, err := OpenStream(t.Context(), "file:"+path, o)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	shown = map[time.Duration]shownFrame{}
	var rgb []byte
	for {
		f, err := s.Next()
		if errors.Is(err, io.EOF) {
			return shown, skipped
		}
		if err != nil {
			t.Fatal(err)
		}
		if rgb, err = f.RGB(rgb); err != nil {
			t.Fatal(err)
		}
		came(len(shown))
		skipped += f.Skipped
		shown[f.PTS.Round(time.Millisecond)] = shownFrame{f.Until.Round(time.Millisecond), sha256.Sum256(rgb)}
	}
}

// until tests that each frame is on display until the next one comes.
func until(t *testing.T, shown map[time.Duration]shownFrame) {
	t.Helper()
	last := time.Duration(0)
	for pts := range shown {
		last = max(last, pts)
	}
	for pts, f := range shown {
		if _, ok := shown[f.until]; !ok && pts != last {
			t.Errorf("the frame at %v is on display until %v, when none comes", pts, f.until)
		}
	}
}
