package e2e

import (
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/internal/shared"
	"github.com/frostwatch/frostwatch/topics"
)

const (
	window = 128 * time.Second / 30
	// sampled is from the first sampled frame of a window to the last, seven
	// steps: 127 frames at 30 fps.
	sampled = 127 * time.Second / 30
	stride  = 4 * sampled / 7
)

// Real recordings as cameras: variable frame rates, HEVC in HD, 139 s at 10 fps. The
// demo model's answers on them mean nothing; the number of clips, their times and the
// arithmetic of the scores are checked.
func TestRealVideos(t *testing.T) {
	t.Parallel() // it mostly waits
	need(t, "ffprobe")
	names := []string{"gm_Subject_2_Fall_12", "gm_Subject_4_Fall_03", "gm_Subject_3_Fall_15", "gm_Subject_4_ADL_19", "Retail02_short", "one-by-one-person-detection"}
	var args []string
	pts := map[string][]time.Duration{}
	longest := time.Duration(0)
	for _, n := range names {
		file := shared.Path(t, "videos", n+".mp4")
		args = append(args, "--video", file)
		pts[n] = probe(t, file)
		longest = max(longest, pts[n][len(pts[n])-1])
	}
	p, at := up(t, t.TempDir(), args...)
	counts := func() map[string]map[time.Time][]topics.Recognition {
		out := map[string]map[time.Time][]topics.Recognition{}
		rs, _ := kcatActions(t, at.Kafka)
		for _, r := range rs {
			if out[r.Camera] == nil {
				out[r.Camera] = map[time.Time][]topics.Recognition{}
			}
			out[r.Camera][r.Epoch] = append(out[r.Camera][r.Epoch], r)
		}
		return out
	}
	var seen map[string]map[time.Time][]topics.Recognition
	await(t, "a whole play of each video", longest+2*time.Minute, func() bool {
		time.Sleep(2 * time.Second) // each look reads the whole topic
		seen = counts()
		for _, n := range names {
			low, _ := windows(pts[n])
			if first := firstPlay(pts[n], firstEpoch(seen[n])); low > 0 && len(first) < low {
				return false
			}
		}
		return true
	})
	p.stop(t)
	for _, n := range names {
		checkPlay(t, n, pts[n], firstPlay(pts[n], firstEpoch(seen[n])))
	}
}

// firstPlay is the recognitions of a video's first play. Where decoding is seconds late, as
// on a busy machine, the pause before the next play has no break in its epoch.
func firstPlay(pts []time.Duration, epoch []topics.Recognition) []topics.Recognition {
	const frame = 100 * time.Millisecond // the last frame's own time, at 10 frames a second
	return slices.DeleteFunc(slices.Clone(epoch), func(r topics.Recognition) bool {
		return r.Start.Add(sampled).After(r.Epoch.Add(pts[len(pts)-1] + frame))
	})
}

// firstEpoch is the recognitions of a camera's first unbroken stream.
func firstEpoch(byEpoch map[time.Time][]topics.Recognition) []topics.Recognition {
	var first time.Time
	for e := range byEpoch {
		if first.IsZero() || e.Before(first) {
			first = e
		}
	}
	return byEpoch[first]
}

// probe is the presentation times of a file's frames, by ffprobe, from the
// first on.
func probe(t testing.TB, file string) []time.Duration {
	t.Helper()
	out, err := exec.Command("ffprobe", "-v", "error", "-select_streams", "v", "-show_entries", "packet=pts_time", "-of", "csv=p=0", file).Output()
	if err != nil {
		t.Fatal(err)
	}
	var pts []time.Duration
	for _, f := range strings.Fields(string(out)) {
		s, err := strconv.ParseFloat(strings.Trim(f, ","), 64)
		if err != nil {
			t.Fatal(err)
		}
		pts = append(pts, time.Duration(s*float64(time.Second)))
	}
	slices.Sort(pts)
	first := pts[0]
	for i := range pts {
		pts[i] -= first
	}
	return pts
}

// windows is how many whole windows fit: at least where the last frame's own
// duration is not counted, at most where it is.
func windows(pts []time.Duration) (low, high int) {
	last := pts[len(pts)-1]
	longer := last + (last - pts[len(pts)-2])
	count := func(end time.Duration) int { return max(int((end-sampled+5*time.Millisecond)/stride)+1, 0) }
	if last < sampled {
		return 0, count(longer)
	}
	return count(last), count(longer)
}

func checkPlay(t *testing.T, name string, pts []time.Duration, rs []topics.Recognition) {
	t.Helper()
	scale := cardScale(t)
	low, high := windows(pts)
	if len(rs) < low || len(rs) > high {
		t.Errorf("%s: %d clips of its %v, want %d to %d", name, len(rs), pts[len(pts)-1], low, high)
	}
	for i, r := range rs {
		if r.Sequence != uint64(i) {
			t.Errorf("%s: clip %d has sequence number %d", name, i, r.Sequence)
		}
		want := r.Epoch.Add(time.Duration(i) * stride)
		if d := r.Start.Sub(want).Abs(); d > 5*time.Millisecond {
			t.Errorf("%s: clip %d starts %v off", name, i, d)
		}
		if d := (r.End.Sub(r.Start) - window).Abs(); d > 5*time.Millisecond {
			t.Errorf("%s: clip %d is %v long", name, i, r.End.Sub(r.Start))
		}
		checkScores(t, r, scale)
	}
}

// cardScale is what the demo model's makers say that its similarities are
// multiplied by.
func cardScale(t *testing.T) float64 {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(shared.Root(t), "cmd", "frostwatch", "demo", "data", "frost-mini.json"))
	if err != nil {
		t.Fatal(err)
	}
	var card struct {
		Scale float64 `json:"logit_scale"`
	}
	if err := json.Unmarshal(raw, &card); err != nil {
		t.Fatal(err)
	}
	return card.Scale
}

// checkScores computes the scores from the similarities: a softmax over the whole
// vocabulary, the demo's nine labels, with the model's scale.
func checkScores(t *testing.T, r topics.Recognition, scale float64) {
	t.Helper()
	if len(r.Labels) != 9 {
		t.Errorf("%s: %d labels", r.ClipID, len(r.Labels))
		return
	}
	sum := 0.0
	for _, l := range r.Labels {
		sum += math.Exp(scale * l.Similarity)
	}
	for _, l := range r.Labels {
		if want := math.Exp(scale*l.Similarity) / sum; math.Abs(l.Score-want) > 1e-5 {
			t.Errorf("%s: %s scores %v, the similarities give %v", r.ClipID, l.Label, l.Score, want)
		}
	}
}
