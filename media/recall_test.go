package media

import (
	"errors"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/internal/shared"
	"github.com/frostwatch/frostwatch/topics"
)

// BenchmarkRecall counts the windows in which something moves, as decoding everything
// shows it, and which of them are not decoded on demand. Films stand still before and after
// what they show, so that there is something to miss.
//
//	go test ./media -run XXX -bench Recall -benchtime 1x -v
func BenchmarkRecall(b *testing.B) {
	films, err := filepath.Glob(shared.Path(b, "model", "demo") + "/*.mp4")
	if err != nil {
		b.Fatal(err)
	}
	for _, name := range []string{"gm_Subject_2_Fall_12", "gm_Subject_3_Fall_15", "gm_Subject_4_Fall_03", "Retail02_short", "one-by-one-person-detection"} {
		films = append(films, shared.Path(b, "videos", name+".mp4"))
	}
	for _, film := range films {
		b.Run(strings.TrimSuffix(filepath.Base(film), ".mp4"), func(b *testing.B) {
			var all recall
			for b.Loop() {
				all = recall{}
				for _, args := range []string{"-preset veryfast -bf 0 -g 30 -keyint_min 30", "-preset veryfast -bf 0 -g 60 -keyint_min 60", "-preset medium -bf 3 -g 30 -keyint_min 30"} {
					all.of(b, film, args, "")
				}
				all.of(b, film, "-preset veryfast -bf 0 -g 30 -keyint_min 30", ",noise=alls=3:allf=t")
			}
			b.ReportMetric(float64(all.moving), "moving")
			b.ReportMetric(float64(len(all.missed)), "missed")
			b.ReportMetric(float64(len(all.late)), "late")
			b.ReportMetric(all.latest.Seconds(), "latest-s")
			b.ReportMetric(100*float64(all.skipped)/float64(all.frames), "%skipped")
			if len(all.missed)+len(all.late) > 0 {
				b.Logf("missed %v, late %v", all.missed, all.late)
			}
		})
	}
}

// of adds a film, coded by the arguments, with a sensor's noise or without.
func (r *recall) of(b *testing.B, film, coded, noise string) {
	path := filepath.Join(b.TempDir(), "film.mp4")
	args := []string{"-v", "error", "-y", "-i", film, "-t", "60", "-an", "-vf",
		"tpad=start_duration=14:start_mode=clone:stop_duration=14:stop_mode=clone,scale=-2:'min(720,ih)'" + noise + ",format=yuv420p",
		"-r", "15", "-c:v", "libx264", "-sc_threshold", "0"}
	if out, err := exec.Command("ffmpeg", append(append(args, strings.Fields(coded)...), path)...).CombinedOutput(); err != nil {
		b.Fatalf("ffmpeg: %v: %s", err, out)
	}
	all, some := seenOf(b, path, false), seenOf(b, path, true)
	r.compare(all, some)
	for _, f := range some {
		r.skipped, r.frames = r.skipped+f.skipped, r.frames+1+f.skipped
	}
}

// seenFrame is a frame as the framer sees it.
type seenFrame struct {
	pts, until time.Duration
	skipped    int
	points     luma
	read       time.Duration // video that had been read when it was handed out
}

func seenOf(t testing.TB, path string, onDemand bool) (seen []seenFrame) {
	t.Helper()
	o := testOptions()
	o.AnyPace, o.OnDemand = true, onDemand
	packets := 0
	o.OnBytes = func(int) { packets++ }
	s, err := OpenStream(t.Context(), "file:"+path, o)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for {
		f, err := s.Next()
		if errors.Is(err, io.EOF) {
			return seen
		}
		if err != nil {
			t.Fatal(err)
		}
		l := luma{make([]byte, SceneLong*SceneShort*cellPoints*cellPoints), SceneLong * cellPoints}
		if !lumaOf(s.shown.UnsafePointer(), l.columns, SceneShort*cellPoints, l.points) {
			t.Fatal("a frame without luma")
		}
		seen = append(seen, seenFrame{f.PTS, f.Until, f.Skipped, l, time.Duration(packets) * time.Second / 15})
	}
}

type recall struct {
	moving          int
	missed, late    []time.Duration // the starts of windows of which nothing was decoded, or that show something else
	skipped, frames int
	// latest is how much later a clip in which something moves, of pictures that were all
	// decoded, was complete on demand. The relay's quarter of a second comes on top.
	latest time.Duration
}

// compare goes through the windows of a film: those in which something moves from one of
// its pictures to the next.
func (r *recall) compare(all, some []seenFrame) {
	const window, tolerance = 128 * time.Second / 30, 2 * time.Millisecond
	step := window * (topics.WindowSpan - 1) / topics.WindowSpan / (topics.ClipFrames - 1)
	at := func(frames []seenFrame, t time.Duration) int {
		return slices.IndexFunc(frames, func(f seenFrame) bool { return t+tolerance < f.until })
	}
	for start := time.Duration(0); start+window < all[len(all)-1].pts; start += 4 * step {
		moved, busy, same := false, false, true
		for i := range topics.ClipFrames {
			a, s := at(all, start+time.Duration(i)*step), at(some, start+time.Duration(i)*step)
			if i > 0 {
				moved = moved || differ(all[a].points, all[at(all, start+time.Duration(i-1)*step)].points)
			}
			busy = busy || some[s].skipped == 0
			same = same && (all[a].pts == some[s].pts || !differ(all[a].points, some[s].points))
		}
		a, s := at(all, start+(topics.ClipFrames-1)*step), at(some, start+(topics.ClipFrames-1)*step)
		if moved {
			r.latest = max(r.latest, some[s].read-all[a].read)
		}
		switch {
		case !moved:
			continue
		case !busy:
			r.missed = append(r.missed, start)
		case !same:
			r.late = append(r.late, start)
		}
		r.moving++
	}
}

// differ is whether something has moved between two frames.
func differ(a, b luma) bool {
	moving, known := a.moving(b)
	return !known || slices.ContainsFunc(moving, func(v float64) bool { return v > 0 })
}
