package infer

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// jpegOf is one frame of the given size and colour.
func jpegOf(t *testing.T, w, h int, c color.Color) []byte {
	t.Helper()
	var img interface {
		image.Image
		Set(x, y int, c color.Color)
	} = image.NewRGBA(image.Rect(0, 0, w, h))
	if _, grey := c.(color.Gray); grey {
		img = image.NewGray(image.Rect(0, 0, w, h))
	}
	for i := range w * h {
		img.Set(i%w, i/w, c)
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func clipOf(t *testing.T, camera string, n int, frame []byte, begun time.Time) []byte {
	t.Helper()
	c := topics.Clip{
		Camera: camera, Epoch: begun, Sequence: uint64(n), Start: time.Duration(n) * time.Second, Window: time.Second,
		Width: 48, Height: 32,
	}
	c.ID = topics.ClipID(camera, c.Epoch, c.Start)
	for k := range 8 {
		c.Frames = append(c.Frames, topics.ClipFrame{JPEG: frame, Stream: c.Start + time.Duration(k)*time.Millisecond, Captured: begun})
	}
	b, err := topics.EncodeClip(c)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
