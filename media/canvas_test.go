package media

import (
	"bytes"
	"testing"
)

// Encoders that share memory make the same pictures, in the same memory.
func TestEncodersShareMemory(t *testing.T) {
	picture := func(v byte) *Frame {
		return &Frame{Width: 96, Height: 64, RGB: func(dst []byte) ([]byte, error) {
			if dst == nil {
				dst = make([]byte, 96*64*3)
			}
			for i := range dst {
				dst[i] = v + byte(i%7)
			}
			return dst, nil
		}}
	}
	alone, one, other := encoderOf(t), encoderOf(t), encoderOf(t)
	shared := NewCanvases(1)
	one.Share(shared)
	other.Share(shared)
	for i, e := range []*FrameEncoder{one, other, one} {
		want, _, _, err := alone.Encode(picture(byte(40 * i)))
		if err != nil {
			t.Fatal(err)
		}
		got, _, _, err := e.Encode(picture(byte(40 * i)))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("picture %d: %d bytes, want %d: %v", i, len(got), len(want), err)
		}
		memory := &e.rgb[0]
		if e.Rest(); e.rgb != nil || len(shared.free) != 1 || &shared.free[0].rgb[0] != memory {
			t.Errorf("picture %d: its memory is not given back", i)
		}
	}
}

func encoderOf(t *testing.T) *FrameEncoder {
	t.Helper()
	e, err := NewFrameEncoder(32, 90)
	if err != nil {
		t.Fatal(err)
	}
	return e
}
