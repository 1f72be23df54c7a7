package infer

import (
	"bytes"
	"image/color"
	"slices"
	"strings"
	"testing"

	"github.com/frostwatch/frostwatch/media/pixels"
	"github.com/frostwatch/frostwatch/topics"
)

func testDecoder(t *testing.T, most int) *Decoder {
	t.Helper()
	d, err := newDecoder(newFrameCache(most))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d
}

func TestFramesAreCroppedAndResized(t *testing.T) {
	d := testDecoder(t, 1<<20)
	red := jpegOf(t, 64, 48, color.RGBA{200, 30, 30, 255})
	for _, side := range []int{48, 24} {
		c := topics.Clip{ID: "x", Width: 64, Height: 48, Frames: []topics.ClipFrame{{JPEG: red}, {JPEG: red}}}
		got, err := d.Clip(c, 2, side, pixels.Centre)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != 2*side*side*3 {
			t.Fatalf("%d bytes for side %d", len(got), side)
		}
		for i, want := range []int{200, 30, 30} {
			if v := int(got[len(got)-3+i]); v < want-6 || v > want+6 {
				t.Errorf("side %d: colour %d is %d, want about %d", side, i, v, want)
			}
		}
	}
	for name, c := range map[string]topics.Clip{
		"7 frames": {Width: 64, Height: 48}, "JPEG of 64x48 in a clip of 65x48": {Width: 65, Height: 48, Frames: []topics.ClipFrame{{JPEG: red}}},
		"frame 0": {Width: 64, Height: 48, Frames: []topics.ClipFrame{{JPEG: red[:len(red)-30]}}},
	} {
		n := len(c.Frames)
		if n == 0 {
			c.Frames, n = make([]topics.ClipFrame, 7), 8
		}
		if _, err := d.Clip(c, n, 48, pixels.Centre); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A frame that two clips share is decoded once, and only what is the same to the
// byte is shared.
func TestFramesAreShared(t *testing.T) {
	d := testDecoder(t, 3*48*48*3)
	red, blue := jpegOf(t, 48, 48, color.RGBA{200, 30, 30, 255}), jpegOf(t, 48, 48, color.RGBA{30, 30, 200, 255})
	clip := func(camera string, jpeg []byte) []byte {
		t.Helper()
		got, err := d.Clip(topics.Clip{ID: camera, Camera: camera, Width: 48, Height: 48, Frames: []topics.ClipFrame{{JPEG: jpeg}}}, 1, 48, pixels.Centre)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	first := clip("a", red)
	if len(d.frames.byKey) != 1 {
		t.Fatalf("%d frames kept", len(d.frames.byKey))
	}
	again := clip("a", bytes.Clone(red))
	if len(d.frames.byKey) != 1 || !slices.Equal(first, again) {
		t.Errorf("%d frames kept of one", len(d.frames.byKey))
	}
	again[0]++ // a clip's pixels are its own
	if !slices.Equal(first, clip("b", red)) {
		t.Error("a change of one clip's pixels reached another's")
	}
	if slices.Equal(first, clip("a", blue)) {
		t.Error("another frame got the first one's pixels")
	}
	for v := range 5 {
		clip("a", jpegOf(t, 48, 48, color.RGBA{uint8(40 * v), 90, 90, 255}))
	}
	if d.frames.bytes > d.frames.most || len(d.frames.byKey) != 3 || d.frames.order.Len() != 3 {
		t.Errorf("%d bytes in %d frames kept, at most %d", d.frames.bytes, len(d.frames.byKey), d.frames.most)
	}
}
