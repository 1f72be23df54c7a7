package jpeg

import (
	"strings"
	"testing"
)

func TestAFrameMustHaveItsClipsSize(t *testing.T) {
	d, err := NewDecoder()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	e, err := NewEncoder()
	if err != nil {
		t.Fatal(err)
	}
	jpeg := func(w, h int) []byte {
		t.Helper()
		b, err := e.Encode(make([]byte, 3*w*h), w, h, 50, Quarter)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	small, buffer := jpeg(32, 16), make([]byte, 3*40*40)
	rgb, err := d.Frame(small, 32, 16, buffer)
	if err != nil || len(rgb) != 3*32*16 || &rgb[0] != &buffer[0] {
		t.Errorf("%d bytes, %v; want 1536 in the buffer that was given", len(rgb), err)
	}
	if _, err := d.Frame(small, 16, 32, buffer); err == nil || !strings.Contains(err.Error(), "JPEG of 32x16 in a clip of 16x32") {
		t.Errorf("a clip of another shape: %v", err)
	}
	if _, err := d.Frame(jpeg(4096, 1025), 4096, 1025, nil); err == nil || !strings.Contains(err.Error(), "at most 4194304 pixels") {
		t.Errorf("a frame of a row too many: %v", err)
	}
}
