package up

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/internal/shared"
	"github.com/frostwatch/frostwatch/media"
)

// A mistake in --video is reported by the name of the flag.
func TestAVideoNamedTwiceIsRefused(t *testing.T) {
	file := shared.Path(t, "model", "demo", "yard_fence.mp4")
	u := &up{Options: Options{Videos: []string{file, file}, Out: io.Discard}, cfg: config.Default(), log: slog.New(slog.DiscardHandler), at: Endpoints{RTSP: "127.0.0.1:0"}}
	err := u.findCameras()
	if err == nil || !strings.HasPrefix(err.Error(), "--video "+file+": add camera yard_fence: another has this name") {
		t.Errorf("got %v", err)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if err := u.sim.Run(ended); err != nil {
		t.Errorf("close the simulator: %v", err)
	}
}

// One odd file doesn't keep `up` from watching the others.
func TestAFileThatCannotBePlayedIsLeftOut(t *testing.T) {
	good, odd := shared.Path(t, "model", "demo", "yard_fence.mp4"), filepath.Join(t.TempDir(), "odd.mp4")
	if err := os.WriteFile(odd, []byte("no film"), 0o600); err != nil {
		t.Fatal(err)
	}
	find := func(files ...string) (*up, string, error) {
		var out strings.Builder
		u := &up{Options: Options{Videos: files, Out: &out}, cfg: config.Default(), log: slog.New(slog.DiscardHandler), at: Endpoints{RTSP: "127.0.0.1:0"}}
		err := u.findCameras()
		ended, end := context.WithCancel(t.Context())
		end()
		if err := u.sim.Run(ended); err != nil {
			t.Errorf("close the simulator: %v", err)
		}
		return u, out.String(), err
	}
	u, out, err := find(odd, good)
	if err != nil || len(u.cameras) != 1 || u.cameras[0].Name != "yard_fence" || !strings.Contains(out, "--video "+odd) || !strings.Contains(out, "left out") {
		t.Errorf("%v, %v, printed %q", err, u.cameras, out)
	}
	if _, _, err := find(odd); err == nil || !strings.Contains(err.Error(), odd) {
		t.Errorf("with nothing to watch: %v", err)
	}
	if _, _, err := find(good, odd+".mp4"); err == nil || !strings.Contains(err.Error(), odd+".mp4") {
		t.Errorf("without the file: %v", err)
	}
}

// A film that is shorter than a clip is played without a pause, and `up` says so.
func TestAVideoShorterThanAClipIsPlayedWithoutAPause(t *testing.T) {
	file := shared.Path(t, "videos", "gm_Subject_3_ADL_07.mp4") // 3.35 s
	for window, short := range map[time.Duration]bool{3 * time.Second: false, 4267 * time.Millisecond: true} {
		var out strings.Builder
		u := &up{Options: Options{Videos: []string{file}, Out: &out}, cfg: config.Default(), log: slog.New(slog.DiscardHandler), at: Endpoints{RTSP: "127.0.0.1:0"}}
		u.cfg.Framer.Window = window
		if err := u.findCameras(); err != nil {
			t.Fatal(err)
		}
		ctx, end := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- u.sim.Run(ctx) }()
		text := "camera gm_Subject_3_ADL_07: the film lasts 3.3"
		if said := strings.Contains(out.String(), text); said != short || !short && out.Len() > 0 {
			t.Errorf("window %v: printed %q", window, out.String())
		}
		if longest := longestGap(t, u.cameras[0].URL, 4*time.Second); longest > time.Second == short {
			t.Errorf("window %v: %v without a picture", window, longest)
		}
		end()
		if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
}

// A film of a clip's 128 frames is long enough, though its length is rounded.
func TestAFilmOfOneClipIsNotTooShort(t *testing.T) {
	window := config.Default().Framer.Window
	for frames, want := range map[time.Duration]bool{126: true, 127: true, 128: false, 129: false} {
		if got := tooShort(frames*time.Second/30, window); got != want {
			t.Errorf("%d frames of 30 a second: too short: %v", frames, got)
		}
	}
}

// longestGap reads a stream to a time on its clock, and returns the longest that no
// picture came.
func longestGap(t *testing.T, url string, to time.Duration) (longest time.Duration) {
	t.Helper()
	o := media.StreamOptions{
		Transport: "tcp", Open: time.Minute, Read: time.Minute, Watchdog: time.Minute, Threads: 1, OnBytes: func(int) {}, OnBadPacket: func() {},
	}
	s, err := media.OpenStream(t.Context(), url, o)
	for end := time.Now().Add(time.Minute); err != nil && time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		s, err = media.OpenStream(t.Context(), url, o) // the simulator had not begun
	}
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for last := time.Duration(-1); last < to; {
		f, err := s.Next()
		if err != nil {
			t.Fatal(err)
		}
		if last >= 0 {
			longest = max(longest, f.PTS-last)
		}
		last = f.PTS
	}
	return longest
}
