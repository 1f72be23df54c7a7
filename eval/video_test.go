package eval

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/frostwatch/frostwatch/internal/shared"
	"github.com/frostwatch/frostwatch/media/jpeg"
	"github.com/frostwatch/frostwatch/media/pixels"
)

const numbered = 64 // width of a numbered video's frames; they are half as high

// numberedVideo has its frames' numbers in their brightness: 16 steps on the
// left, 20 on the right.
func numberedVideo(t *testing.T, path string, frames int, rate string, args ...string) {
	t.Helper()
	source := fmt.Sprintf("color=black:size=%dx%d:rate=%s,geq=lum='if(lt(X,%d),mod(N,16)*14+16,floor(N/16)*11+16)':cb=128:cr=128",
		numbered, numbered/2, rate, numbered/2)
	ffmpeg(t, append(append([]string{"-f", "lavfi", "-i", source, "-frames:v", fmt.Sprint(frames)}, args...), path)...)
}

// number reads a frame's number back.
func number(t *testing.T, d *jpeg.Decoder, jpeg []byte) int64 {
	t.Helper()
	w, h, err := d.Size(jpeg)
	if err != nil {
		t.Fatal(err)
	}
	rgb := make([]byte, 3*w*h)
	if err := d.Decode(jpeg, rgb, w, h); err != nil {
		t.Fatal(err)
	}
	step := func(x int, of float64) int64 {
		v := (float64(rgb[3*(h/2*w+x)])*219/255 + 16 - 16) / of
		return int64(v + 0.5)
	}
	return step(w/4, 14) + 16*step(3*w/4, 11)
}

// The official decoder's choice, recorded, out of real files: by the container's
// word where it gives one, by counting where it doesn't.
func TestContainersGiveTheOfficialFrames(t *testing.T) {
	r, err := newReader(Sampling{Frames: 8, Step: 16, Views: 3, Crops: 1}, numbered/2, 95, pixels.Cropping)
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	d, err := jpeg.NewDecoder()
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	dir := t.TempDir()
	window30 := [][]int64{{0, 18, 36, 54, 72, 90, 108, 112}, {63, 81, 99, 117, 135, 153, 171, 174}, {126, 144, 162, 180, 198, 216, 234, 237}}
	whole30 := [][]int64{{0, 18, 36, 54, 72, 90, 108, 127}, {86, 104, 122, 140, 158, 176, 194, 213}, {172, 190, 208, 226, 244, 262, 280, 299}}
	for _, c := range []struct {
		file   string
		frames int
		rate   string
		args   string
		want   [][]int64
	}{
		{"h264.mp4", 300, "30", "-c:v libx264 -qp 4 -bf 3 -g 40", window30},
		{"mpeg4.avi", 250, "25", "-c:v mpeg4 -q:v 1", [][]int64{{0, 15, 30, 45, 60, 75, 90, 94}, {52, 67, 82, 97, 112, 127, 142, 146}, {104, 119, 134, 149, 164, 179, 194, 198}}},
		{"ntsc.mov", 299, "30000/1001", "-c:v libx264 -qp 4", [][]int64{{0, 18, 36, 54, 72, 90, 108, 112}, {63, 81, 99, 117, 135, 153, 171, 174}, {125, 143, 161, 179, 197, 215, 233, 236}}},
		{"short.mp4", 20, "30", "-c:v libx264 -qp 4", [][]int64{{0, 18, 19, 19, 19, 19, 19, 19}, {0, 18, 19, 19, 19, 19, 19, 19}, {0, 18, 19, 19, 19, 19, 19, 19}}},
		{"fifteen.mp4", 150, "15", "-c:v libx264 -qp 4", [][]int64{{0, 9, 18, 27, 36, 45, 54, 56}, {32, 41, 50, 59, 68, 77, 86, 87}, {63, 72, 81, 90, 99, 108, 117, 118}}},
		{"h264.mkv", 300, "30", "-c:v libx264 -qp 4 -bf 3", whole30},
		{"h264.ts", 300, "30", "-c:v libx264 -qp 4 -bf 3", whole30},
		{"vp8.webm", 300, "30", "-c:v libvpx -crf 4 -b:v 4M -auto-alt-ref 1 -lag-in-frames 16", whole30},
		{"few.mkv", 3, "30", "-c:v libx264 -qp 4", [][]int64{{0, 2, 2, 2, 2, 2, 2, 2}, {0, 2, 2, 2, 2, 2, 2, 2}, {0, 2, 2, 2, 2, 2, 2, 2}}},
		{"a clip.mp4", 8, "2", "-c:v libx264 -qp 4", [][]int64{{0, 1, 2, 3, 4, 5, 6, 7}}},
		{"a clip.mkv", 8, "2", "-c:v libx264 -qp 4", [][]int64{{0, 1, 2, 3, 4, 5, 6, 7}}},
	} {
		t.Run(c.file, func(t *testing.T) {
			path := filepath.Join(dir, c.file)
			numberedVideo(t, path, c.frames, c.rate, strings.Fields(c.args)...)
			views, w, h, err := r.views(t.Context(), path)
			if err != nil {
				t.Fatal(err)
			}
			if w != numbered || h != numbered/2 || len(views) != len(c.want) {
				t.Fatalf("%d views of %dx%d", len(views), w, h)
			}
			for v, view := range views {
				var got []int64
				for _, f := range view.frames {
					got = append(got, number(t, d, f.JPEG))
				}
				if !slices.Equal(got, c.want[v]) {
					t.Errorf("view %d: %v, want %v", v, got, c.want[v])
				}
			}
		})
	}
}

// Three crops are the left, middle and right of a broad picture.
func TestCropsLieAlongTheLongerSide(t *testing.T) {
	path := filepath.Join(t.TempDir(), "stripes.mp4")
	ffmpeg(t, "-f", "lavfi", "-i", "color=black:size=96x32:rate=10:duration=0.8,geq=lum='16+floor(X/32)*100':cb=128:cr=128", "-c:v", "libx264", "-qp", "2", path)
	r, err := newReader(Sampling{Frames: 8, Step: 16, Views: 1, Crops: 3}, 32, 95, pixels.Cropping)
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	var middles []int
	shares := 0.0
	err = r.read(t.Context(), path, func(in input) error {
		middles = append(middles, int(in.pixels[3*(16*32+16)]))
		shares += in.share
		return nil
	})
	if err != nil || len(middles) != 3 || shares < 0.999 || shares > 1.001 {
		t.Fatalf("%v, shares %v: %v", middles, shares, err)
	}
	for i, want := range []int{0, 116, 233} {
		if v := middles[i]; v < want-6 || v > want+6 {
			t.Errorf("the middles of the crops are %v", middles)
		}
	}
	upright := make([]byte, 2*6*3)
	for i := range upright {
		upright[i] = byte(i / 6)
	}
	for place, want := range map[pixels.Place]byte{pixels.Begin: 0, pixels.Centre: 2, pixels.End: 4} {
		if got := pixels.Crop(upright, 2, 6, 2, place, nil); got[0] != want {
			t.Errorf("crop %v of an upright picture begins in row %d, want %d", place, got[0], want)
		}
	}
}

func TestBrokenVideosHaveAReason(t *testing.T) {
	r, err := newReader(Sampling{Frames: 8, Step: 16, Views: 3, Crops: 1}, 32, 90, pixels.Cropping)
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	dir := t.TempDir()
	whole, err := os.ReadFile(shared.Path(t, "videos", "gm_Subject_4_Fall_03.mp4"))
	if err != nil {
		t.Fatal(err)
	}
	ffmpeg(t, "-f", "lavfi", "-i", "sine=duration=1", filepath.Join(dir, "sound.mp4"))
	ffmpeg(t, "-i", shared.Path(t, "videos", "gm_Subject_4_Fall_03.mp4"), "-c", "copy", "-an", "-movflags", "faststart", filepath.Join(dir, "faststart.mp4"))
	front, err := os.ReadFile(filepath.Join(dir, "faststart.mp4"))
	if err != nil {
		t.Fatal(err)
	}
	playlist := "#EXTM3U\n#EXTINF:5,\n" + shared.Path(t, "videos", "gm_Subject_4_Fall_03.mp4") + "\n"
	for name, c := range map[string]struct{ content, want string }{
		"empty.mp4":     {"", "not a video"},
		"text.mp4":      {"Kinetics-400\n", "not a video"},
		"headless.mp4":  {string(whole[len(whole)/2:]), "not a video"},
		"torn.mp4":      {string(front[:len(front)/3]), "ended before view"},
		"playlist.m3u8": {playlist, "not a video"},
	} {
		path := write(t, filepath.Join(dir, name), c.content)
		if _, _, _, err := r.views(t.Context(), path); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	for path, want := range map[string]string{
		filepath.Join(dir, "sound.mp4"): "no video", dir: "not a file", filepath.Join(dir, "absent.mp4"): "no such file", "/dev/zero": "not a file",
	} {
		if _, _, _, err := r.views(t.Context(), path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, _, err := r.views(ctx, shared.Path(t, "videos", "gm_Subject_4_Fall_03.mp4")); err == nil {
		t.Error("decoded after the end")
	}
}
