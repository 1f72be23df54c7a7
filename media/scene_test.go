package media

import (
	"math"
	"testing"
)

// drawn is a packed RGB picture.
func drawn(w, h int, level func(x, y int) byte) []byte {
	rgb := make([]byte, 0, w*h*3)
	for y := range h {
		for x := range w {
			v := level(x, y)
			rgb = append(rgb, v, v, v)
		}
	}
	return rgb
}

// Every part of every picture counts, whatever its size and shape, and no part of it
// lands in the wrong cell.
func TestScenesShowWhatIsWhere(t *testing.T) {
	var m sceneMaker
	for _, c := range []struct{ w, h, columns int }{
		{1920, 1080, SceneLong}, {640, 360, SceneLong}, {640, 480, SceneLong}, {768, 432, SceneLong}, {398, 224, SceneLong},
		{128, 72, SceneLong}, {1001, 701, SceneLong}, {720, 1280, SceneShort},
	} {
		// Bright at the lower right, dark elsewhere.
		s := m.see(drawn(c.w, c.h, func(x, y int) byte {
			if 2*x >= c.w && 2*y >= c.h {
				return 200
			}
			return 40
		}), c.w, c.h)
		if s.Columns != c.columns || len(s.Cells) != SceneLong*SceneShort {
			t.Fatalf("%dx%d: %d columns, %d cells", c.w, c.h, s.Columns, len(s.Cells))
		}
		for i, cell := range s.Cells {
			x, y := i%s.Columns, i/s.Columns
			bright := 2*x >= s.Columns && 2*y >= len(s.Cells)/s.Columns
			if want := map[bool]float64{true: 200, false: 40}[bright]; math.Abs(float64(cell.Luma)-want) > 41 {
				t.Fatalf("%dx%d: cell %d, %d has luma %v", c.w, c.h, x, y, cell.Luma)
			}
		}
	}
	for _, size := range [][2]int{{127, 72}, {128, 71}, {16, 2000}, {1, 1}} {
		if s := m.see(drawn(size[0], size[1], func(int, int) byte { return 9 }), size[0], size[1]); len(s.Cells) > 0 {
			t.Errorf("%v is large enough", size)
		}
	}
}

// Edges have their direction, whichever side is brighter and however bright it is;
// blurring them takes away their detail and leaves the direction.
func TestScenesTellWhichWayEdgesRun(t *testing.T) {
	var m sceneMaker
	for _, c := range []struct {
		name         string
		wave         func(x, y float64) float64
		steep, slant float32
	}{
		{"upright", func(x, _ float64) float64 { return x }, 1, 0},
		{"level", func(_, y float64) float64 { return y }, -1, 0},
		{"falling", func(x, y float64) float64 { return x + y }, 0, 1},
		{"rising", func(x, y float64) float64 { return x - y }, 0, -1},
	} {
		for _, height := range []float64{25, -25, 100} {
			s := m.see(drawn(640, 360, func(x, y int) byte {
				return byte(125 + height*math.Sin(c.wave(float64(x), float64(y))*math.Pi/10))
			}), 640, 360)
			cell := s.Cells[18*s.Columns+32]
			if math.Abs(float64(cell.Steep-c.steep)) > .2 || math.Abs(float64(cell.Slant-c.slant)) > .2 {
				t.Errorf("%s, %v high: %+v", c.name, height, cell)
			}
		}
	}
	sharp := m.see(drawn(640, 360, func(x, _ int) byte { return byte(50 + 100*(x/16%2)) }), 640, 360).Cells[1000]
	soft := m.see(drawn(640, 360, func(x, _ int) byte { return byte(100 + 50*math.Sin(float64(x)*math.Pi/16)) }), 640, 360).Cells[1000]
	if soft.Detail > sharp.Detail/10 || soft.Steep < .8 || sharp.Steep < .8 {
		t.Errorf("sharp %+v, soft %+v", sharp, soft)
	}
}

// BenchmarkScene is what a lens costs for each sampled frame, beside BenchmarkEncode.
func BenchmarkScene(b *testing.B) {
	for _, size := range []struct {
		name string
		w, h int
	}{{"640x360", 640, 360}, {"1920x1080", 1920, 1080}} {
		b.Run(size.name, func(b *testing.B) {
			rgb := drawn(size.w, size.h, func(x, y int) byte { return byte(x*y>>7 + x) })
			var m sceneMaker
			for b.Loop() {
				m.see(rgb, size.w, size.h)
			}
		})
	}
}
