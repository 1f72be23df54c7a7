package media

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/frostwatch/frostwatch/media/jpeg"
	"github.com/frostwatch/frostwatch/topics"
)

// inked is what a mask covers of a small picture, drawn with letters.
func inked(w, h int, areas ...topics.Polygon) (rows []string) {
	m := mask{areas: areas}
	for range h {
		rows = append(rows, string(bytes.Repeat([]byte{'.'}, w)))
	}
	for _, s := range m.of(w, h) {
		row := []byte(rows[s.row])
		for x := s.from; x < s.to; x++ {
			row[x] = '#'
		}
		rows[s.row] = string(row)
	}
	return rows
}

// A mask covers whatever its area touches.
func TestMasksCoverWhatTheyTouch(t *testing.T) {
	for _, c := range []struct {
		name string
		area topics.Polygon
		want []string
	}{
		{"a rectangle between pixels", topics.Polygon{{X: .15, Y: .3}, {X: .45, Y: .6}}, []string{
			"..........",
			".####.....",
			".####.....",
			"..........",
		}},
		{"a triangle", topics.Polygon{{X: 0, Y: 0}, {X: .999, Y: 0}, {X: 0, Y: .999}}, []string{
			"##########",
			"########..",
			"#####.....",
			"###.......",
		}},
		{"one that is thinner than a pixel", topics.Polygon{{X: 0, Y: .55}, {X: 1, Y: .55}, {X: .5, Y: .5501}}, []string{
			"..........",
			"..........",
			"##########",
			"..........",
		}},
		{"one that crosses itself", topics.Polygon{{X: 0, Y: 0}, {X: .99, Y: 0}, {X: .99, Y: .99}, {X: .3, Y: .99}, {X: .3, Y: .1}, {X: .7, Y: .1}, {X: .7, Y: .7}, {X: 0, Y: .7}}, []string{
			"##########",
			"##########",
			"##########",
			"...#######",
		}},
		{"the whole picture", topics.Polygon{{X: 0, Y: 0}, {X: 1, Y: 1}}, slices.Repeat([]string{"##########"}, 4)},
	} {
		if got := inked(10, 4, c.area); !slices.Equal(got, c.want) {
			t.Errorf("%s:\n%s\nwant\n%s", c.name, bytes.Join(rowsOf(got), []byte("\n")), bytes.Join(rowsOf(c.want), []byte("\n")))
		}
	}
}

func rowsOf(rows []string) (out [][]byte) {
	for _, r := range rows {
		out = append(out, []byte(r))
	}
	return out
}

// Of any outline no pixel is seen that it touches.
func TestNoEdgeOfAMaskIsSeen(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		w, h := 1+random.IntN(40), 1+random.IntN(40)
		area := topics.Polygon{}
		for range 3 + random.IntN(5) {
			area = append(area, topics.Point{X: random.Float64(), Y: random.Float64()})
		}
		rows := inked(w, h, area)
		for range 200 {
			i, part := random.IntN(len(area)), random.Float64()
			a, b := area[i], area[(i+1)%len(area)]
			x, y := int((a.X+part*(b.X-a.X))*float64(w)), int((a.Y+part*(b.Y-a.Y))*float64(h))
			if rows[min(y, h-1)][min(x, w-1)] != '#' {
				t.Fatalf("%v in %dx%d: the edge at %d,%d is seen:\n%s", area, w, h, x, y, bytes.Join(rowsOf(rows), []byte("\n")))
			}
		}
	}
}

// What is masked is in nothing that is made of a frame: not in the picture, not in what is
// kept for a zoom, not in what tells a frozen picture and a covered lens. The rest is.
func TestNothingIsMadeOfWhatIsMasked(t *testing.T) {
	const w, h = 640, 360
	e, err := NewFrameEncoder(h, 100)
	if err != nil {
		t.Fatal(err)
	}
	d, err := jpeg.NewDecoder()
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	e.Mask([]topics.Polygon{{{X: .5, Y: 0}, {X: 1, Y: 1}}})
	show := func(left, right byte) ([]byte, *Still, Seen) {
		t.Helper()
		rgb := bytes.Repeat(append(bytes.Repeat([]byte{left}, 3*w/2), bytes.Repeat([]byte{right}, 3*w/2)...), h)
		data, _, _, err := e.Encode(&Frame{Width: w, Height: h, RGB: func([]byte) ([]byte, error) { return rgb, nil }})
		if err != nil {
			t.Fatal(err)
		}
		still, err := e.Still()
		if err != nil {
			t.Fatal(err)
		}
		return data, still, e.Seen()
	}
	first, still, seen := show(200, 255)
	second, other, same := show(200, 0)
	if !bytes.Equal(first, second) || !bytes.Equal(still.JPEG, other.JPEG) || !bytes.Equal(still.Points, other.Points) || seen.Hash != same.Hash || !slices.Equal(seen.Scene.Cells, same.Scene.Cells) {
		t.Error("what is masked makes a difference")
	}
	if _, _, changed := show(100, 0); changed.Hash == seen.Hash || changed.Black {
		t.Error("what is not masked makes no difference")
	}
	if _, _, dark := show(0, 255); !dark.Black {
		t.Error("a picture that is black but for its mask is not black")
	}
	rgb := make([]byte, 3*w*h)
	if err := d.Decode(first, rgb, w, h); err != nil {
		t.Fatal(err)
	}
	near := func(x int, want []byte) bool {
		for c := range 3 {
			if got := int(rgb[3*(h/2*w+x)+c]) - int(want[c]); got < -4 || got > 4 {
				return false
			}
		}
		return true
	}
	if !near(w/2-2, []byte{200, 200, 200}) || !near(w/2+1, paintColour) || !near(w-1, paintColour) {
		t.Error("the picture does not show its left half, and paint in its right one")
	}
}
