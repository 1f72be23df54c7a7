package media

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/internal/shared"
)

// Frames are damaged from a loss to the next picture that stands for itself, or for a
// whole turn of refreshing.
func TestDamageLastsUntilACleanPicture(t *testing.T) {
	// K: a keyframe, k: one that a turn begins with, p: refers to others; before a !
	// something of it is missing.
	for frames, want := range map[string]string{
		"Kpp Kpp":              "... ...",
		"Kpp p!pp Kpp":         "... xxx ...",
		"Kpp K!pp Kpp":         "... xxx ...",
		"kpp p!p kpp kpp":      "... xx xxx ...",
		"kp! kpp k!pp kpp kpp": ".x xxx xxx xxx ...",
		"p!p":                  "xx",
	} {
		d, got := damage{}, ""
		for i := 0; i < len(frames); i++ {
			if frames[i] == ' ' {
				got += " "
				continue
			}
			n, kind := d.next(), frames[i]
			if i+1 < len(frames) && frames[i+1] == '!' {
				d.hurt()
				i++
			}
			got += map[bool]string{true: "x", false: "."}[d.frame(n, false, kind != 'p', kind == 'K')]
		}
		if got != want {
			t.Errorf("%s: %s, want %s", frames, got, want)
		}
	}
	var d damage
	if d.over(time.Second, false) || !d.over(2*time.Second, true) || d.over(4*time.Second, true) || d.over(5*time.Second, false) || !d.over(6*time.Second, true) {
		t.Error("damaged frames are passed over for two seconds")
	}
}

// What is lost of a stream is noticed, although libav fills in for it: pictures that
// refer to what is missing are counted, and passed over for the clean one before.
func TestFramesWithoutWhatTheyReferToAreDamaged(t *testing.T) {
	mp4 := cut(t, shared.Path(t, "model", "demo", "yard_fence.mp4"), 4, "mp4")
	dir := t.TempDir()
	for name, args := range map[string]string{
		"a.h264": "-c:v libx264 -bf 0 -g 20 -keyint_min 20 -sc_threshold 0 -x264-params sliced-threads=0:slices=1",
		"b.h265": "-c:v libx265 -x265-params log-level=none:bframes=0:keyint=20:min-keyint=20:scenecut=0:open-gop=0",
	} {
		path := filepath.Join(dir, name)
		ffmpeg(t, append(append([]string{"-i", mp4, "-an"}, strings.Fields(args)...), path)...)
		if clean, n := damagedFrames(t, path); n > 0 || len(clean) < 50 {
			t.Errorf("%s: %d frames, %d damaged", name, len(clean), n)
		}
		withoutPicture(t, path, 25)
		got, n := damagedFrames(t, path)
		if n != 14 { // 26 to 39
			t.Errorf("%s: %d frames are damaged, want 14", name, n)
		}
		if !slices.Contains(got, 24) || !slices.Contains(got, 39) || slices.Contains(got, 30) {
			t.Errorf("%s: frames %v are shown", name, got)
		}
	}
}

// damagedFrames plays a file as a camera: the numbers of its frames that are shown, and
// how many are damaged.
func damagedFrames(t *testing.T, path string) (shown []int, damaged int) {
	t.Helper()
	o := testOptions()
	o.OnDamaged = func(bool) { damaged++ }
	s, err := OpenStream(t.Context(), "file:"+path, o)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for {
		f, err := s.Next()
		if errors.Is(err, io.EOF) {
			return shown, damaged
		}
		if err != nil {
			t.Fatal(err)
		}
		shown = append(shown, int((f.PTS+time.Millisecond)/s.clock.usual))
	}
}

// withoutPicture takes a picture out of a raw stream with one slice in each.
func withoutPicture(t *testing.T, path string, n int) {
	t.Helper()
	all, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var out []byte
	for _, unit := range bytes.Split(all, []byte{0, 0, 1})[1:] {
		kind := unit[0] & 31
		picture := kind == 1 || kind == 5
		if strings.HasSuffix(path, "5") {
			picture = unit[0]>>1&63 < 32
		}
		if picture {
			n--
		}
		if n != -1 || !picture {
			out = append(append(out, 0, 0, 1), unit...)
		}
	}
	write(t, path, out)
}
