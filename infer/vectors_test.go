package infer

import (
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/media"
	"github.com/frostwatch/frostwatch/media/pixels"
	"github.com/frostwatch/frostwatch/topics"
)

// What is kept is bounded in bytes, and by whether a clip may still contain it.
func TestVectorsAreBounded(t *testing.T) {
	t.Parallel()
	now := time.Now()
	const dim, room = 8, 3
	each := 4*dim + besideVector
	v := newVectors(room*each, func() time.Time { return now })
	keys := frameKeys(t, 10)
	key := func(n int) media.FrameKey { return keys[n] }
	for n := range 4 {
		v.put(key(n), make([]float32, dim))
		if v.get(key(0)) == nil && n < 3 {
			t.Fatalf("the one that is used most is dropped after %d", n)
		}
	}
	// 1 was not used for the longest time.
	if v.get(key(1)) != nil || v.get(key(0)) == nil || v.get(key(3)) == nil || v.bytes != room*each || v.order.Len() != room {
		t.Errorf("%d bytes in %d kept of at most %d", v.bytes, v.order.Len(), v.most)
	}
	v.put(key(9), make([]float32, room*each))
	if v.get(key(9)) != nil || v.bytes != room*each {
		t.Error("one that is larger than all may be has driven out others")
	}
	now = now.Add(keptUnused)
	v.get(key(0))
	now = now.Add(time.Second)
	v.put(key(5), make([]float32, dim))
	if v.order.Len() != 2 || v.bytes != 2*each || v.get(key(0)) == nil {
		t.Errorf("%d are kept after all but two were not used for %v", v.order.Len(), keptUnused)
	}
}

// frameKeys are those of n frames that differ.
func frameKeys(t *testing.T, n int) (out []media.FrameKey) {
	t.Helper()
	d, err := media.NewClipDecoder(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	c, err := topics.DecodeClip(clipOf(t, "a", 0, []byte{1}, time.Now()))
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		c.Frames = append(c.Frames[:0:0], topics.ClipFrame{JPEG: []byte{byte(i)}})
		if _, err := d.DecodeWanted(t.Context(), c, media.Looks(c, fakeSide, pixels.Cropping), 1, fakeSide, func(_, _ int, key media.FrameKey) []byte {
			out = append(out, key)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	return out
}
