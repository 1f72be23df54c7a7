package media

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/frostwatch/frostwatch/cmd/frostwatch/camsim"
)

// firstPicture is a file's first frame as people see it.
func firstPicture(t *testing.T, path string) (rgb []byte, w, h int) {
	t.Helper()
	f, err := OpenFile(t.Context(), path, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	frame, err := f.Next()
	if err != nil {
		t.Fatal(err)
	}
	if rgb, err = frame.RGB(nil); err != nil {
		t.Fatal(err)
	}
	return rgb, frame.Width, frame.Height
}

// shownByFFmpeg is the same as ffmpeg shows it, after a filter.
func shownByFFmpeg(t *testing.T, path, filter string) []byte {
	t.Helper()
	want, err := exec.Command("ffmpeg", "-v", "error", "-i", path, "-frames:v", "1", "-vf", filter, "-sws_flags", "bilinear", "-pix_fmt", "rgb24", "-f", "rawvideo", "-").Output()
	if err != nil {
		t.Fatal(err)
	}
	return want
}

// farthest is by how much two pictures differ where they differ most.
func farthest(a, b []byte) int {
	worst := 0
	for i := range a {
		worst = max(worst, int(a[i])-int(b[i]), int(b[i])-int(a[i]))
	}
	return worst
}

// A recording is turned and mirrored as its container says.
func TestPicturesAreTurnedAsTheContainerSays(t *testing.T) {
	dir := t.TempDir()
	plain := filepath.Join(dir, "plain.mp4")
	ffmpeg(t, "-f", "lavfi", "-i", "testsrc2=size=96x64:rate=10:duration=0.5", "-c:v", "libx264", "-qp", "0", "-pix_fmt", "yuv444p", plain)
	raw, err := os.ReadFile(plain)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range [][4]int32{{1, 0, 0, 1}, {0, 1, -1, 0}, {-1, 0, 0, -1}, {0, -1, 1, 0}, {-1, 0, 0, 1}, {1, 0, 0, -1}, {0, 1, 1, 0}, {0, -1, -1, 0}} {
		path := filepath.Join(dir, fmt.Sprint(m)+".mp4")
		write(t, path, displayed(t, raw, m))
		want := shownByFFmpeg(t, path, "null")
		got, w, h := firstPicture(t, path)
		wantW, wantH := 96, 64
		if m[0] == 0 {
			wantW, wantH = 64, 96
		}
		if w != wantW || h != wantH || len(got) != len(want) {
			t.Errorf("%v: %dx%d, want %dx%d", m, w, h, wantW, wantH)
		} else if worst := farthest(got, want); worst > 2 {
			t.Errorf("%v: a value is %d off", m, worst)
		}
	}
}

// A camera says beside its keyframes which way is up: that holds for all frames.
func TestPicturesAreTurnedAsTheStreamSays(t *testing.T) {
	path := filepath.Join(t.TempDir(), "v.h264")
	ffmpeg(t, "-f", "lavfi", "-i", "testsrc2=size=96x64:rate=10:duration=1", "-c:v", "libx264", "-g", "5", "-bsf:v", "h264_metadata=display_orientation=insert:rotate=90", path)
	f, err := OpenFile(t.Context(), path, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	n := 0
	for ; ; n++ {
		frame, err := f.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if frame.Width != 64 || frame.Height != 96 {
			t.Errorf("frame %d is %dx%d, want 64x96", n, frame.Width, frame.Height)
		}
	}
	if n != 10 {
		t.Errorf("%d frames, want 10", n)
	}
}

// The simulator passes on how a file's pictures are turned.
func TestSimulatedCamerasAreTurnedAsTheirFiles(t *testing.T) {
	dir := t.TempDir()
	var files []string
	for codec, args := range map[string]string{"libx264": "-qp 0", "libx265": "-x265-params lossless=1:log-level=none -tag:v hvc1"} {
		plain := filepath.Join(dir, "plain.mp4")
		ffmpeg(t, append([]string{"-y", "-f", "lavfi", "-i", "testsrc2=size=96x64:rate=10:duration=0.5", "-c:v", codec}, append(strings.Fields(args), plain)...)...)
		raw, err := os.ReadFile(plain)
		if err != nil {
			t.Fatal(err)
		}
		for i, m := range [][4]int32{{1, 0, 0, 1}, {0, 1, -1, 0}, {-1, 0, 0, -1}, {0, -1, 1, 0}, {-1, 0, 0, 1}, {0, 1, 1, 0}} {
			file := filepath.Join(dir, fmt.Sprintf("%s-%d.mp4", codec, i))
			write(t, file, displayed(t, raw, m))
			files = append(files, file)
		}
	}
	sim := simulate(t, func(s *camsim.Server) error {
		for _, file := range files {
			if err := s.AddFile(camsim.Name(file), file, camsim.FileOptions{OnDemand: true}); err != nil {
				return err
			}
		}
		return nil
	})
	for _, file := range files {
		want, w, h := firstPicture(t, file)
		s, err := OpenStream(t.Context(), sim.URL(camsim.Name(file)), testOptions())
		if err != nil {
			t.Fatal(err)
		}
		f, err := s.Next()
		if err != nil {
			t.Fatal(err)
		}
		got, err := f.RGB(nil)
		if err != nil {
			t.Fatal(err)
		}
		if f.Width != w || f.Height != h || farthest(got, want) > 2 {
			t.Errorf("%s: %dx%d, want %dx%d and the same picture", filepath.Base(file), f.Width, f.Height, w, h)
		}
		s.Close()
	}
}

// displayed is an MP4 with another matrix in its track: how x and y on the screen grow
// with x, then with y.
func displayed(t *testing.T, mp4 []byte, m [4]int32) []byte {
	t.Helper()
	out := bytes.Clone(mp4)
	at := bytes.Index(out, []byte("tkhd"))
	if at < 0 {
		t.Fatal("the file has no track header")
	}
	matrix := out[at+4+40:] // ISO/IEC 14496-12, 8.3.2, version 0
	for i, v := range []int32{m[0], m[1], 0, m[2], m[3], 0} {
		binary.BigEndian.PutUint32(matrix[4*i:], uint32(v<<16))
	}
	return out
}

// Cameras say in the stream which way is up; a matrix that shows nothing, or is at an
// angle, ends nothing.
func TestTurns(t *testing.T) {
	for _, c := range []struct {
		m    [9]int32
		want turn
	}{
		{[9]int32{}, upright()},
		{[9]int32{1 << 16, 0, 0, 0, 0}, upright()},
		{[9]int32{0: -1 << 31, 4: -1 << 31}, turn{a: -1, d: -1}},
		{[9]int32{0: 65000, 1: 8000, 3: -8000, 4: 65000}, upright()},
		{[9]int32{0: 8000, 1: 65000, 3: -65000, 4: 8000}, turn{b: -1, c: 1}},
	} {
		if got := turnOf(c.m); got != c.want {
			t.Errorf("%v: %v, want %v", c.m, got, c.want)
		}
	}
}

// Samples that are not square are made so: a circle is round.
func TestSamplesAreMadeSquare(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct{ size, sar, want string }{
		{"160x240", "2/1", "320x240"},
		{"480x270", "4/3", "640x270"},
		{"320x120", "1/2", "160x120"},
		{"180x144", "16/15", "192x144"},
		{"320x240", "1/1", "320x240"},
		{"320x240", "8000/1", "320x240"}, // nonsense
	} {
		path := filepath.Join(dir, strings.ReplaceAll(c.size+c.sar, "/", "_")+".mp4")
		ffmpeg(t, "-f", "lavfi", "-i", "testsrc2=size="+c.size+":rate=10:duration=0.5,setsar="+c.sar, "-c:v", "libx264", "-qp", "0", path)
		got, w, h := firstPicture(t, path)
		if size := fmt.Sprintf("%dx%d", w, h); size != c.want {
			t.Errorf("%s at %s: %s, want %s", c.size, c.sar, size, c.want)
			continue
		}
		want := shownByFFmpeg(t, path, fmt.Sprintf("scale=%d:%d:flags=bilinear,setsar=1", w, h))
		off := 0
		for i := range got {
			off += max(int(got[i])-int(want[i]), int(want[i])-int(got[i]))
		}
		if mean := float64(off) / float64(len(got)); mean > 1 {
			t.Errorf("%s at %s: %.1f off on average", c.size, c.sar, mean)
		}
	}
}

// Two fields are never mixed: what moves is seen once, where it was first.
func TestFieldsAreNotMixed(t *testing.T) {
	dir := t.TempDir()
	// The first picture of each pair is red, the second blue: no shown pixel is both.
	pair := "color=red:size=96x80:rate=50:duration=0.4[a];color=blue:size=96x80:rate=50:duration=0.4,setpts=PTS+0.01/TB[b];[a][b]interleave,settb=1/100,setpts=N"
	const flags = " -flags +ildct+ilme -qp 1 -top "
	for _, c := range []struct {
		name, fields, codec string
		width, height       int
		format              string
	}{
		{"top.mp4", "interleave_top", "libx264" + flags + "1", 96, 80, ""},
		{"bottom.mp4", "interleave_bottom", "libx264" + flags + "0", 96, 80, ""},
		{"mpeg2.ts", "interleave_top", "mpeg2video -flags +ildct+ilme -top 1 -q:v 1", 96, 80, ""},
		{"10bit.mkv", "interleave_top", "libx264" + flags + "1", 96, 80, "yuv422p10le"},
		{"sar.mp4", "interleave_top", "libx264 -aspect 12:5" + flags + "1", 192, 80, ""},
	} {
		path := filepath.Join(dir, c.name)
		args := append([]string{"-f", "lavfi", "-i", pair + ",format=" + cmp.Or(c.format, "yuv420p") + ",tinterlace=mode=" + c.fields, "-r", "25", "-c:v"}, strings.Fields(c.codec)...)
		ffmpeg(t, append(args, path)...)
		rgb, w, h := firstPicture(t, path)
		if w != c.width || h != c.height {
			t.Errorf("%s: %dx%d, want %dx%d", c.name, w, h, c.width, c.height)
		}
		for i := 0; i < len(rgb); i += 3 {
			if rgb[i] < 200 || rgb[i+2] > 50 {
				t.Errorf("%s: %v at %d, %d: want red alone", c.name, rgb[i:i+3], i/3%w, i/3/w)
				break
			}
		}
	}
}

// H.265 codes each field as a picture of its own, half as high as what is shown.
func TestFieldsAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fields.mkv")
	ffmpeg(t, "-f", "lavfi", "-i", "testsrc2=size=96x64:rate=25:duration=0.4", "-c:v", "libx265", "-x265-params", "interlace=tff:log-level=none", path)
	if _, w, h := firstPicture(t, path); w != 96 || h != 128 {
		t.Errorf("%dx%d, want 96x128", w, h)
	}
}

// Whatever a stream says of its pictures, each has a size and no line is read that
// isn't there.
func FuzzShapes(f *testing.F) {
	f.Add(1920, 1080, int32(1), int32(1), true, false, false, int32(0), int32(1), int32(-1), int32(0))
	f.Add(1, 1, int32(8000), int32(1), true, false, true, int32(1), int32(0), int32(0), int32(1))
	f.Add(720, 487, int32(64), int32(45), true, false, false, int32(-1), int32(0), int32(0), int32(1))
	f.Fuzz(func(t *testing.T, w, h int, num, den int32, interlaced, alone, top bool, a, b, c, d int32) {
		if w < 1 || h < 1 || w > maxSide || h > maxSide || w*h > maxPixels {
			return
		}
		l := look{width: w, height: h, sarNum: int(num), sarDen: int(den), interlaced: interlaced && !alone, fieldAlone: alone, topFirst: top, turned: true, matrix: [9]int32{a, b, 0, c, d}}
		s := shapeOf(l)
		if s.width < 1 || s.height < 1 || s.width*s.height != s.across*s.down || s.across*s.down > 2*maxPixels {
			t.Fatalf("%+v: %+v", l, s)
		}
		if read := s.first + s.skip*(s.lines-1); s.lines < 1 || s.skip == 2 && read >= h {
			t.Fatalf("%+v reads line %d: %+v", l, read, s)
		}
		if written := s.gap*(s.lines-1) + 1; s.gap == 2 && s.first+written > s.down || s.gap == 1 && s.lines != s.down {
			t.Fatalf("%+v writes %d lines: %+v", l, written, s)
		}
	})
}
