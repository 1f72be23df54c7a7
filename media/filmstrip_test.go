package media

import (
	"bytes"
	"testing"

	"github.com/frostwatch/frostwatch/media/jpeg"
	"github.com/frostwatch/frostwatch/topics"
)

// A filmstrip shows each of a clip's pictures, in order, with the box around its place.
func TestAFilmstripShowsEachPicture(t *testing.T) {
	const w, h = 96, 64
	e, err := jpeg.NewEncoder()
	if err != nil {
		t.Fatal(err)
	}
	clip := topics.Clip{ID: "c", Width: w, Height: h}
	for i := range 8 {
		data, err := e.Encode(bytes.Repeat([]byte{byte(30 * i)}, 3*w*h), w, h, 95, jpeg.Full)
		if err != nil {
			t.Fatal(err)
		}
		clip.Frames = append(clip.Frames, topics.ClipFrame{JPEG: data})
	}
	data, err := Filmstrip(clip, &topics.Box{Left: .5, Top: 0, Width: .5, Height: 1})
	if err != nil {
		t.Fatal(err)
	}
	d, err := jpeg.NewDecoder()
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	strip, err := d.Frame(data, 4*w, 2*h, nil)
	if err != nil {
		t.Fatal(err)
	}
	at := func(x, y int) []byte { return strip[3*(y*4*w+x):][:3] }
	for i := range clip.Frames {
		x, y := i%4*w, i/4*h
		if got := int(at(x+w/4, y+h/2)[1]); got < 30*i-8 || got > 30*i+8 {
			t.Errorf("picture %d is %d, want %d", i, got, 30*i)
		}
		if edge := at(x+w/2, y+h/2); edge[0] < 150 || edge[2] > 90 {
			t.Errorf("picture %d: %v where the box's edge is", i, edge)
		}
	}
}

// A clip comes from Kafka: one that is large, or has none of what it says, costs little.
func TestFilmstripsAreBounded(t *testing.T) {
	e, err := jpeg.NewEncoder()
	if err != nil {
		t.Fatal(err)
	}
	const w, h = 1920, 1080
	data, err := e.Encode(make([]byte, 3*w*h), w, h, 50, jpeg.Quarter)
	if err != nil {
		t.Fatal(err)
	}
	clip := topics.Clip{ID: "c", Width: w, Height: h}
	for range 64 {
		clip.Frames = append(clip.Frames, topics.ClipFrame{JPEG: data})
	}
	d, err := jpeg.NewDecoder()
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	strip, err := Filmstrip(clip, nil)
	if err != nil {
		t.Fatal(err)
	}
	if gotW, gotH, err := d.Size(strip); err != nil || gotW != 4*480 || gotH != 4*270 {
		t.Errorf("%dx%d, %v", gotW, gotH, err)
	}
	for _, c := range []topics.Clip{{ID: "none"}, {ID: "other size", Width: 10, Height: 10, Frames: clip.Frames}, {ID: "no JPEG", Width: w, Height: h, Frames: []topics.ClipFrame{{JPEG: []byte("x")}}}} {
		if _, err := Filmstrip(c, nil); err == nil {
			t.Errorf("%s: a filmstrip is made", c.ID)
		}
	}
}
