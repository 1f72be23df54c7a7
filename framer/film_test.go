package framer

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/frostwatch/frostwatch/media/jpeg"
	"github.com/frostwatch/frostwatch/topics"
)

// A film whose frames have their numbers drawn in: what of it is in no clip is
// known without trusting any clock.
const (
	FilmRate  = 15 // frames a second
	FilmTicks = 10 // parts of a frame's time that Covered distinguishes
	filmBits  = 11 // blocks of 8 pixels, the lowest bit first
	filmLines = 32
)

// NumberedFilm makes the film, of at most 2048 frames.
func NumberedFilm(t *testing.T, frames int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "numbers.mp4")
	source := fmt.Sprintf("color=black:size=%dx%d:rate=%d,geq=lum='if(mod(floor(N/pow(2,floor(X/8))),2),220,30)':cb=128:cr=128", 8*filmBits, filmLines, FilmRate)
	out, err := exec.Command("ffmpeg", "-v", "error", "-f", "lavfi", "-i", source, "-frames:v", fmt.Sprint(frames), "-c:v", "libx264", "-g", fmt.Sprint(FilmRate), "-qp", "4", path).CombinedOutput()
	if err != nil {
		t.Fatalf("ffmpeg: %v: %s", err, out)
	}
	return path
}

// numberOf reads a frame's number. The frame must have the film's own size.
func numberOf(t *testing.T, d *jpeg.Decoder, f topics.ClipFrame) int {
	t.Helper()
	w, h, err := d.Size(f.JPEG)
	if err != nil {
		t.Fatal(err)
	}
	rgb := make([]byte, 3*w*h)
	if err := d.Decode(f.JPEG, rgb, w, h); err != nil {
		t.Fatal(err)
	}
	n := 0
	for bit := range filmBits {
		if rgb[3*(h/2*w+bit*8+4)] > 125 {
			n |= 1 << bit
		}
	}
	return n
}

// Covered is which parts of the film are in clips' windows, by the numbers in
// their first frames: FilmTicks for each frame of the film.
func Covered(t *testing.T, all []topics.Clip, frames int) []bool {
	t.Helper()
	d, err := jpeg.NewDecoder()
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	in := make([]bool, FilmTicks*frames)
	for _, c := range all {
		from := FilmTicks * numberOf(t, d, c.Frames[0])
		for i := from; i < len(in) && float64(i-from)/FilmTicks/FilmRate < c.Window.Seconds(); i++ {
			in[i] = true
		}
	}
	return in
}
