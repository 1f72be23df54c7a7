package media

import (
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/cmd/frostwatch/camsim"
)

// A stream that has to wait for its turn decodes keyframes alone until something happens,
// of which every frame is handed on; and once its turn comes it rests, without decoding
// everything for seconds.
func TestWaitingForATurnMissesNothing(t *testing.T) {
	for name, args := range map[string]string{
		"plain.mp4": "-c:v libx264 -g 30 -keyint_min 30 -sc_threshold 0 -bf 0",
		"b.mp4":     "-c:v libx264 -g 30 -keyint_min 30 -sc_threshold 0 -bf 3",
		"hevc.ts":   "-c:v libx265 -preset ultrafast -x265-params log-level=none:keyint=30:min-keyint=30:scenecut=0",
	} {
		path := visited(t, name, args)
		all, _ := shownBy(t, path, false)
		for come, of := range map[string]int{"comes": 0, "never comes": -1} {
			t.Run(name+"/a turn "+come, func(t *testing.T) {
				turns := NewTurns(1)
				turns.take()
				waited, decoded := 0, 0
				some, skipped := shownWith(t, path, true, turns, func(n int) {
					waited = max(waited, turns.Waiting())
					if n == of {
						turns.give()
					}
					if n == of+40 && of >= 0 && turns.Waiting() > 0 {
						t.Error("it waits although there is a turn")
					}
				})
				for pts, f := range all {
					if got, ok := some[pts]; pts >= visit && pts < visit+stay && (!ok || got != f) {
						t.Errorf("frame at %v: handed on: %v", pts, ok)
					}
				}
				for pts := range some {
					if pts < visit-2*time.Second {
						decoded++
					}
				}
				until(t, some)
				if most := 40; waited != 1 || decoded > most || len(all)-len(some)-skipped > 1 {
					t.Errorf("waited: %d; %d frames before the visit were decoded, want at most %d; %d and %d skipped of %d", waited, decoded, most, len(some), skipped, len(all))
				}
				if turns.Waiting() != 0 {
					t.Error("it waits after its end")
				}
				if of >= 0 && !turns.take() {
					t.Error("its turn was not given back")
				}
			})
		}
	}
}

// What can't be looked at keyframe by keyframe does not wait.
func TestWhatCannotRestDoesNotWait(t *testing.T) {
	for name, args := range map[string]string{
		"intra.mp4":   "-c:v mjpeg -pix_fmt yuvj420p",
		"keys.mp4":    "-c:v libx264 -g 1",
		"refresh.mp4": "-c:v libx264 -x264-params intra-refresh=1:keyint=30:bframes=0",
		"long.mp4":    "-c:v libx264 -g 120 -keyint_min 120 -sc_threshold 0",
		"open.ts":     "-c:v libx264 -bf 3 -x264-params open-gop=1:keyint=30:min-keyint=30:scenecut=0",
		"cbr.ts":      "-c:v libx264 -g 30 -keyint_min 30 -sc_threshold 0 -b:v 1M -minrate 1M -maxrate 1M -bufsize 300k -x264-params nal-hrd=cbr",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := visited(t, name, args)
			all, _ := shownBy(t, path, false)
			turns := NewTurns(1)
			turns.take()
			if some, skipped := shownWith(t, path, true, turns, func(int) {}); len(some)+skipped != len(all) || skipped > 2*15 {
				t.Errorf("%d frames and %d skipped, of %d", len(some), skipped, len(all))
			}
		})
	}
}

// Over RTSP, where the first frame has no stamp, it waits as well, and misses nothing.
func TestWaitingForATurnOverRTSP(t *testing.T) {
	path := visited(t, "cam.mp4", "-c:v libx264 -g 30 -keyint_min 30 -sc_threshold 0 -bf 0")
	sim := simulate(t, func(s *camsim.Server) error {
		return s.AddFile("cam", path, camsim.FileOptions{OnDemand: true, Loops: 1, Speed: 4})
	})
	turns := NewTurns(1)
	turns.take()
	o := testOptions()
	o.AnyPace, o.OnDemand, o.Turns = true, true, turns
	s, err := OpenStream(t.Context(), sim.URL("cam"), o)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	waited, decoded, skipped := 0, 0, 0
	for {
		f, err := s.Next()
		if err != nil {
			break
		}
		waited, decoded, skipped = max(waited, turns.Waiting()), decoded+1, skipped+f.Skipped
	}
	// The visit begins in the group from 12 s on, from which on everything is decoded.
	if waited != 1 || skipped < 100 || decoded < 100 {
		t.Errorf("waited: %d; %d frames were decoded, %d skipped, of 300", waited, decoded, skipped)
	}
}
