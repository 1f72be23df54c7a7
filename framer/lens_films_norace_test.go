//go:build !race

// The tests of this file have one goroutine and compute for long: `make unit` runs them
// without the race detector.

package framer

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/internal/shared"
	"github.com/frostwatch/frostwatch/media"
)

// treatment is something that is done to a clip, by filters of FFmpeg.
type treatment struct {
	name, filter string
	want         []lensFault // any of which is right
	mayMiss      int         // in how many of the clips, in percent, the fault may be missed
}

var (
	fine      = []lensFault{lensFine}
	covered   = []lensFault{lensCovered}
	defocused = []lensFault{lensDefocused}
	moved     = []lensFault{lensMoved}
)

// treatments are of clips 640 pixels wide.
var treatments = []treatment{
	{"as it is", "null", fine, 0},
	{"half as bright, and darker", "eq=brightness=-0.3:contrast=0.5", fine, 0},
	{"gamma 0.4", "eq=gamma=0.4", fine, 0},
	{"gamma 2.5", "eq=gamma=2.5", fine, 0},
	{"lit in the middle alone", "vignette=PI/2.3", fine, 0},
	{"infrared: red alone, a lamp beside the lens, noise", "colorchannelmixer=1:0:0:0:1:0:0:0:1:0:0,vignette=PI/3,noise=alls=12:allf=t", fine, 0},
	{"noise of the night", "eq=brightness=-0.2:contrast=0.6,noise=alls=25:allf=t", fine, 0},
	{"blur of 4 pixels", "gblur=sigma=4", defocused, 20},
	{"blur of 6.4 pixels", "gblur=sigma=6.4", defocused, 5},
	{"blur of 11 pixels", "gblur=sigma=11", defocused, 0},
	{"a brown cover with noise", "drawbox=c=0x705040:t=fill,noise=alls=8:allf=t", covered, 0},
	{"a dark cover with noise", "drawbox=c=0x302622:t=fill,noise=alls=10:allf=t", covered, 0},
	{"a white cover over four fifths", "drawbox=0:0:iw*0.8:ih:c=white:t=fill", covered, 0},
	{"frosted: a blur of 53 pixels", "gblur=sigma=53", []lensFault{lensDefocused, lensCovered}, 0},
	{"turned by a tenth", "crop=iw*0.9:ih:iw*0.1:0", moved, 60},
	{"turned by a quarter", "crop=iw*0.75:ih:iw*0.25:0", moved, 20},
	{"tilted by a fifth", "crop=iw:ih*0.8:0:ih*0.2", moved, 25},
	{"zoomed by 1.5", "crop=iw/1.5:ih/1.5", moved, 20},
	{"mirrored", "hflip", moved, 20},
}

// filmed are the scenes of a clip in each treatment, a picture a second.
func filmed(t *testing.T, path string, seconds int, treatments []treatment) map[string][]media.Scene {
	t.Helper()
	const w, h = 640, 360
	graph, joined := fmt.Sprintf("fps=1,scale=%d:%d,split=%d", w, h, len(treatments)), ""
	for i := range treatments {
		graph += fmt.Sprintf("[i%d]", i)
	}
	for i, c := range treatments {
		graph += fmt.Sprintf(";[i%d]%s,scale=%d:%d,setsar=1,format=rgb24[o%d]", i, c.filter, w, h, i)
		joined += fmt.Sprintf("[o%d]", i)
	}
	graph += fmt.Sprintf(";%sconcat=n=%d[out]", joined, len(treatments))
	cmd := exec.Command("ffmpeg", "-v", "error", "-t", fmt.Sprint(seconds), "-i", path, "-filter_complex", graph, "-map", "[out]", "-fps_mode", "passthrough", "-pix_fmt", "rgb24", "-f", "rawvideo", "-")
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	raw, err := cmd.Output()
	if err != nil {
		t.Fatalf("ffmpeg: %v: %s", err, complaints.String())
	}
	e, err := media.NewFrameEncoder(32, 50)
	if err != nil {
		t.Fatal(err)
	}
	frames := len(raw) / (w * h * 3)
	if frames == 0 || frames%len(treatments) != 0 {
		t.Fatalf("%s: %d pictures of %d treatments", path, frames, len(treatments))
	}
	out := map[string][]media.Scene{}
	for i := range frames {
		rgb := raw[i*w*h*3:][:w*h*3]
		if _, _, _, err := e.Encode(&media.Frame{Width: w, Height: h, RGB: func([]byte) ([]byte, error) { return rgb, nil }}); err != nil {
			t.Fatal(err)
		}
		name := treatments[i/(frames/len(treatments))].name
		out[name] = append(out[name], e.Seen().Scene)
	}
	return out
}

// Real clips and the demo's are watched as they are, in other light, and with each
// fault. Nothing is reported of an untouched lens, also when the light comes back, and
// of faults few are missed; each is over with the first picture of the view as it was.
func TestLensesOfFilms(t *testing.T) {
	wrong, clips := map[string][]string{}, filmClips(t)
	for _, path := range clips {
		film := filmed(t, path, 12, treatments)
		for _, c := range treatments {
			if got := faultOfFilm(t, filepath.Base(path), film, c); !slices.Contains(c.want, got) {
				wrong[c.name] = append(wrong[c.name], fmt.Sprintf("%s (%d)", strings.TrimSuffix(filepath.Base(path), ".mp4"), got))
			}
		}
	}
	for _, c := range treatments {
		n := len(wrong[c.name])
		t.Logf("%-50s right in %2d of %d, wrong: %s", c.name, len(clips)-n, len(clips), strings.Join(wrong[c.name], ", "))
		if most := math.Ceil(float64(c.mayMiss*len(clips)) / 100); float64(n) > most { // a part of a clip counts as one
			t.Errorf("%s: wrong in %d of %d clips", c.name, n, len(clips))
		}
	}
}

// Whole clips, again and again, as they are.
func TestNothingIsReportedOfUntouchedLenses(t *testing.T) {
	pictures := 0
	for _, path := range filmClips(t) {
		scenes := filmed(t, path, 600, treatments[:1])[treatments[0].name]
		w := watcher{lens: lens{accept: time.Hour}, now: time.Unix(0, 0)}
		faults := w.watch(scenes, 2*learnPictures+3*len(scenes))
		for i, f := range faults {
			if f != lensFine && (f != lensUnknown || i >= 2*learnPictures) {
				t.Errorf("%s: %d in picture %d", filepath.Base(path), f, i)
			}
		}
		pictures += len(faults)
	}
	t.Logf("%d pictures", pictures)
}

// filmClips are real clips and the demo's: some, or all where LENS_FILMS is set.
func filmClips(t *testing.T) (clips []string) {
	t.Helper()
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		shared.Missing(t, "ffmpeg")
	}
	for _, pattern := range []string{
		filepath.Join(shared.Path(t, "videos"), "*.mp4"), filepath.Join(shared.Root(t), "cmd", "frostwatch", "demo", "data", "*.mp4"),
	} {
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) == 0 {
			t.Fatalf("%s: %v", pattern, err)
		}
		clips = append(clips, found...)
	}
	if os.Getenv("LENS_FILMS") != "" {
		return clips
	}
	var some []string
	for i := 0; i < len(clips); i += 3 {
		some = append(some, clips[i])
	}
	return some
}

// faultOfFilm is what is reported after half a minute of a treatment.
func faultOfFilm(t *testing.T, clip string, film map[string][]media.Scene, c treatment) lensFault {
	t.Helper()
	w := watcher{lens: lens{accept: time.Hour}, now: time.Unix(0, 0)}
	usual, treated := film[treatments[0].name], film[c.name]
	never := func(what string, faults []lensFault) {
		for i, f := range faults {
			if f != lensFine && f != lensUnknown {
				t.Errorf("%s, %s: %d in picture %d of the clip %s", clip, c.name, f, i, what)
			}
		}
	}
	never("as it is", w.watch(usual, 2*learnPictures))
	faults := w.watch(treated, 50)
	fault := faults[len(faults)-1]
	if fault == lensUnknown && slices.Equal(c.want, fine) {
		t.Logf("%s, %s: too much noise to tell views apart", clip, c.name)
		fault = lensFine
	}
	if fault != lensFine {
		if first := slices.Index(faults, fault); first > 20 {
			t.Logf("%s, %s: reported in picture %d", clip, c.name, first)
		}
		if after := w.watch(usual, 1)[0]; after != lensFine {
			t.Errorf("%s: still %d after %s", clip, after, c.name)
		}
	}
	if slices.Equal(c.want, fine) {
		never("treated", faults)
		w = watcher{lens: lens{accept: time.Hour}, now: w.now} // by night first, then by day
		never("treated first", w.watch(treated, 2*learnPictures))
		never("as it is after that", w.watch(usual, 50))
		if w.lens.now() == nil {
			t.Logf("%s, %s: too little to learn from", clip, c.name)
		}
	}
	return fault
}
