package pixels

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/frostwatch/frostwatch/internal/shared"
)

// pattern is the picture that the fixture's README describes.
func pattern(w, h int) []byte {
	out := make([]byte, 0, w*h*3)
	for y := range h {
		for x := range w {
			d := ((x-w/2)*(x-w/2) + (y-h/2)*(y-h/2)) / 24 % 256
			if d *= 2; d >= 256 {
				d = 511 - d
			}
			g := 200
			if (x/3+y/3)%2 == 0 {
				g = 40
			}
			if x*h > y*w {
				g += 30
			}
			out = append(out, byte(d), byte(g), byte((x*255/(w-1)+3*y)%256))
		}
	}
	return out
}

func hexOf(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// To the bit what Pillow 11, the version that Perception Encoder's code pins, made of the same pictures.
func TestSquashingIsPillows(t *testing.T) {
	file := shared.Path(t, "parity", "pe", "tiny_pe_io.json")
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(filepath.Dir(file), "tiny_pe_io.bin"))
	if err != nil {
		t.Fatal(err)
	}
	var fixture struct {
		Preprocess []struct {
			Name, Source  string
			Width, Height int
			Size          int
			SourceSum     string `json:"source_sha256"`
			ResizedSum    string `json:"resized_sha256"`
		}
		Arrays map[string]struct{ Offset, Bytes int }
	}
	if err := json.Unmarshal(raw, &fixture); err != nil {
		t.Fatal(err)
	}
	if len(fixture.Preprocess) < 13 {
		t.Fatalf("%d pictures", len(fixture.Preprocess))
	}
	for _, c := range fixture.Preprocess {
		source := pattern(c.Width, c.Height)
		if a, own := fixture.Arrays[c.Source]; own {
			source = data[a.Offset : a.Offset+a.Bytes]
		}
		if hexOf(source) != c.SourceSum {
			t.Fatalf("%s: the source is another picture", c.Name)
		}
		got := make([]byte, c.Size*c.Size*3)
		Square(source, c.Width, c.Height, c.Size, Squashing.Own(), got)
		if hexOf(got) != c.ResizedSum {
			t.Errorf("%s to %d differs from Pillow's", c.Name, c.Size)
		}
	}
}

// A place other than the whole is cut out before it is resized, so nothing of what lies
// beside it is seen.
func TestSquashingAPlace(t *testing.T) {
	const w, h, size = 64, 36, 12
	src := pattern(w, h)
	for _, place := range []Place{Begin, Centre, End, Tile(1, 3)} {
		left, top, width, height := place.region(w, h)
		var cut []byte
		for y := top; y < top+height; y++ {
			cut = append(cut, src[(y*w+left)*3:(y*w+left+width)*3]...)
		}
		want, got := make([]byte, size*size*3), make([]byte, size*size*3)
		Square(cut, width, height, size, Squashing.Own(), want)
		if Square(src, w, h, size, Squashing.Of(place), got); !slices.Equal(got, want) {
			t.Errorf("place %d differs from the picture that was cut out first", place)
		}
		if x, y, fw, fh := Squashing.Of(place).Part(w, h, size); x != float64(left)/w || y != float64(top)/h || fw != float64(width)/w || fh != 1 {
			t.Errorf("place %d shows %v %v %v %v, want what begins at %d, %d", place, x, y, fw, fh, left, top)
		}
	}
}

// BenchmarkSquash is what a frame of a clip costs infer, and what a camera's frame costs ingest.
func BenchmarkSquash(b *testing.B) {
	for name, c := range map[string][3]int{"398x224 to 224": {398, 224, 224}, "682x384 to 384": {682, 384, 384}, "1920x1080 to 384": {1920, 1080, 384}} {
		b.Run(name, func(b *testing.B) {
			src, dst := pattern(c[0], c[1]), make([]byte, c[2]*c[2]*3)
			for b.Loop() {
				Square(src, c[0], c[1], c[2], Squashing.Own(), dst)
			}
		})
	}
}
