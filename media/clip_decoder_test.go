package media

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/frostwatch/frostwatch/media/jpeg"
	"github.com/frostwatch/frostwatch/topics"
)

func clipDecoder(t testing.TB, frames *FrameCache) *ClipDecoder {
	t.Helper()
	d, err := NewClipDecoder(frames)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d
}

// noise is a JPEG of blurred noise, different for each seed.
func noise(t testing.TB, w, h int, seed uint64) []byte {
	t.Helper()
	r, rgb := rand.New(rand.NewPCG(seed, 1)), make([]byte, 3*w*h)
	for i := range rgb {
		before := max(i-3, 0)
		rgb[i] = byte((7*int(rgb[before]) + r.IntN(256)) / 8)
	}
	return jpegOf(t, rgb, w, h)
}

func jpegOf(t testing.TB, rgb []byte, w, h int) []byte {
	t.Helper()
	e, err := jpeg.NewEncoder()
	if err != nil {
		t.Fatal(err)
	}
	b, err := e.Encode(rgb, w, h, 90, jpeg.Full)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func oneColour(t testing.TB, w, h int, rgb ...byte) []byte {
	t.Helper()
	return jpegOf(t, bytes.Repeat(rgb, w*h), w, h)
}

// clipOf is a clip of n frames that are all the same.
func clipOf(w, h, n int, frame []byte) topics.Clip {
	c := topics.Clip{ID: "x", Camera: "x", Width: w, Height: h}
	for range n {
		c.Frames = append(c.Frames, topics.ClipFrame{JPEG: frame})
	}
	return c
}

func TestClipFramesAreResizedAndCropped(t *testing.T) {
	d := clipDecoder(t, NewFrameCache(1<<20))
	red := oneColour(t, 64, 48, 200, 30, 30)
	for _, side := range []int{24, 48, 60} {
		got, _, err := d.Decode(t.Context(), clipOf(64, 48, 2, red), View{Frames: 2, Side: side})
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
}

// What a record can cost is bounded before it costs anything: each of these is
// refused, and what is allocated meanwhile is a few kilobytes, or the picture's
// own size where only decoding shows the fault.
func TestHostileClipsAreRefusedBeforeTheyCost(t *testing.T) {
	d := clipDecoder(t, nil)
	model := View{Frames: 8, Side: 224}
	large := noise(t, 64, 48, 1)
	for _, c := range []struct {
		name, want string
		clip       topics.Clip
		view       View
	}{
		{"8192x1", "at most 16 times", clipOf(8192, 1, 8, oneColour(t, 8192, 1, 9, 9, 9)), model},
		{"1x8192", "at most 16 times", clipOf(1, 8192, 8, oneColour(t, 1, 8192, 9, 9, 9)), model},
		{"2000x1", "at most 16 times", clipOf(2000, 1, 8, oneColour(t, 2000, 1, 9, 9, 9)), model},
		{"64 frames for a model of eight", "64 frames, the model sees 8", clipOf(8192, 8192, 64, large), model},
		{"64 of the largest size, for a model of as many", "pixels in all", clipOf(8192, 512, 64, large), View{Frames: 64, Side: 224}},
		{"frames larger than one may be", "at most 4194304 pixels", clipOf(4096, 1025, 8, oneColour(t, 4096, 1025, 9, 9, 9)), model},
		{"a JPEG larger than its clip says", "JPEG of 64x48 in a clip of 65x48", clipOf(65, 48, 8, large), model},
		{"a header that lies about its size", "JPEG of 8192x8192 in a clip of 64x48", clipOf(64, 48, 8, resizedHeader(large, 8192)), model},
		{"a scan for each line", "JPEG of 1001 scans", clipOf(64, 48, 8, moreScans(large, 1000)), model},
		{"no size", "frame size 0x0", clipOf(0, 0, 8, large), model},
		{"cut short", "frame 0", clipOf(64, 48, 8, large[:len(large)-30]), model},
	} {
		t.Run(c.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, _, err := d.Decode(t.Context(), c.clip, c.view)
			runtime.ReadMemStats(&after)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("decode: %v, want %q", err, c.want)
			}
			// The output of eight frames of 224 pixels is 1.2 MB.
			if took := after.TotalAlloc - before.TotalAlloc; took > 12<<20 {
				t.Errorf("%d MB were allocated", took>>20)
			}
		})
	}
}

// The largest frame that is taken costs its own size, once, and that is given
// back.
func TestLargeClipGivesItsMemoryBack(t *testing.T) {
	d := clipDecoder(t, nil)
	const w, h = 4096, 1024
	clip := clipOf(w, h, 8, oneColour(t, w, h, 90, 90, 90))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, _, err := d.Decode(t.Context(), clip, View{Frames: 8, Side: 224}); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; took > 3*w*h+4<<20 {
		t.Errorf("%d MB were allocated for frames of %d MB", took>>20, 3*w*h>>20)
	}
	if cap(d.rgb) != 0 {
		t.Errorf("%d bytes are kept for the next clip", cap(d.rgb))
	}
}

func TestDecodingStopsBetweenFrames(t *testing.T) {
	d := clipDecoder(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := d.Decode(ctx, clipOf(64, 48, 8, oneColour(t, 64, 48, 9, 9, 9)), View{Frames: 8, Side: 48}); !errors.Is(err, context.Canceled) {
		t.Errorf("decode: %v", err)
	}
}

// resizedHeader is a JPEG whose header claims to be a square of another size.
func resizedHeader(jpeg []byte, side int) []byte {
	out := bytes.Clone(jpeg)
	at := bytes.Index(out, []byte{0xFF, 0xC0}) // start of frame
	copy(out[at+5:], []byte{byte(side >> 8), byte(side), byte(side >> 8), byte(side)})
	return out
}

// moreScans is a JPEG with n more headers of a scan before its end.
func moreScans(jpeg []byte, n int) []byte {
	at := bytes.Index(jpeg, []byte{0xFF, 0xDA})
	length := 2 + int(jpeg[at+2])<<8 + int(jpeg[at+3])
	end := len(jpeg) - 2
	return slices.Concat(jpeg[:end], bytes.Repeat(jpeg[at:at+length], n), jpeg[end:])
}

// A frame that two clips share is decoded once, and only what is the same to the
// byte is shared.
func TestFramesAreShared(t *testing.T) {
	d := clipDecoder(t, NewFrameCache(3*48*48*3))
	red, blue := oneColour(t, 48, 48, 200, 30, 30), oneColour(t, 48, 48, 30, 30, 200)
	clip := func(jpeg []byte) []byte {
		t.Helper()
		got, _, err := d.Decode(t.Context(), clipOf(48, 48, 1, jpeg), View{Frames: 1, Side: 48})
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	first := clip(red)
	if len(d.frames.byKey) != 1 {
		t.Fatalf("%d frames kept", len(d.frames.byKey))
	}
	again := clip(bytes.Clone(red))
	if len(d.frames.byKey) != 1 || !slices.Equal(first, again) {
		t.Errorf("%d frames kept of one", len(d.frames.byKey))
	}
	again[0]++ // a clip's pixels are its own
	if !slices.Equal(first, clip(red)) {
		t.Error("a change of one clip's pixels reached another's")
	}
	if slices.Equal(first, clip(blue)) {
		t.Error("another frame got the first one's pixels")
	}
	for v := range byte(5) {
		clip(oneColour(t, 48, 48, 40*v, 90, 90))
	}
	if d.frames.bytes > d.frames.most || len(d.frames.byKey) != 3 || d.frames.order.Len() != 3 {
		t.Errorf("%d bytes in %d frames kept, at most %d", d.frames.bytes, len(d.frames.byKey), d.frames.most)
	}
}

// Windows of eight frames, each four frames after the one before, of many
// cameras in turn: every frame is decoded once, also where the cache holds no
// more than one window of each camera.
func TestOverlappingWindowsDecodeEachFrameOnce(t *testing.T) {
	const cameras, windows, window, stride, side = 5, 6, 8, 4, 16
	d := clipDecoder(t, NewFrameCache(cameras*window*side*side*3))
	decoded := 0
	for k := range windows {
		for camera := range cameras {
			c := topics.Clip{ID: fmt.Sprint(camera, "/", k), Width: 32, Height: 16}
			for f := range window {
				c.Frames = append(c.Frames, topics.ClipFrame{JPEG: noise(t, 32, 16, uint64(camera*1000+k*stride+f))})
			}
			got, shared, err := d.Decode(t.Context(), c, View{Frames: window, Side: side})
			if err != nil {
				t.Fatal(err)
			}
			decoded += window - shared
			alone, _, err := clipDecoder(t, nil).Decode(t.Context(), c, View{Frames: window, Side: side})
			if err != nil || !slices.Equal(got, alone) {
				t.Fatalf("clip %s differs from the same one decoded alone: %v", c.ID, err)
			}
		}
	}
	if want := cameras * (window + (windows-1)*stride); decoded != want {
		t.Errorf("%d frames were decoded, the cameras sent %d", decoded, want)
	}
}

// BenchmarkDecodeClip is a clip of 16:9 carried at 224 pixels, for a model of
// that size and for one of half of it, with the share of frames that the default
// stride shares and without.
func BenchmarkDecodeClip(b *testing.B) {
	const w, h, kinds = 398, 224, 64
	frames := make([][]byte, kinds)
	for i := range frames {
		frames[i] = noise(b, w, h, uint64(i))
	}
	for _, side := range []int{224, 112} {
		for _, stride := range []int{8, 4} {
			b.Run(fmt.Sprintf("side %d/%d of 8 frames new", side, stride), func(b *testing.B) {
				d := clipDecoder(b, NewFrameCache(12*side*side*3))
				at := 0
				for b.Loop() {
					c := topics.Clip{ID: "x", Width: w, Height: h}
					for f := range 8 {
						c.Frames = append(c.Frames, topics.ClipFrame{JPEG: frames[(at+f)%kinds]})
					}
					at += stride
					if _, _, err := d.Decode(b.Context(), c, View{Frames: 8, Side: side}); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
