package media

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Whatever comes, reading ends with frames, or with an error that says why: bits are
// flipped, stretches are lost, repeated and cut off at the end. What is wrong with memory
// shows under AddressSanitizer (`make asan`). FROSTWATCH_BROKEN is for how long streams of
// each codec are tried, FROSTWATCH_SEED the first to try: a failure names its own.
func TestBrokenStreamsEnd(t *testing.T) {
	long, err := time.ParseDuration(os.Getenv("FROSTWATCH_BROKEN"))
	if err != nil {
		long = 500 * time.Millisecond
	}
	var first uint64
	_, _ = fmt.Sscan(os.Getenv("FROSTWATCH_SEED"), &first)
	for codec, coded := range map[string]string{
		"h264": "-c:v libx264 -preset veryfast -g 15 -bf 2",
		"hevc": "-c:v libx265 -preset ultrafast -x265-params log-level=none:keyint=15:bframes=2",
	} {
		t.Run(codec, func(t *testing.T) {
			var whole [][]byte
			kinds := []string{"mp4", "ts", codec}
			for _, kind := range kinds {
				path := filepath.Join(t.TempDir(), "film."+kind)
				picture := "testsrc2=size=320x180:rate=15:duration=3,format=yuv420p"
				ffmpeg(t, append(append([]string{"-f", "lavfi", "-i", picture}, strings.Fields(coded)...), path)...)
				data, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				whole = append(whole, data)
			}
			dir := t.TempDir()
			tried, frames, ends := 0, 0, map[string]int{}
			for begun := time.Now(); time.Since(begun) < long; tried++ {
				seed := first + uint64(tried)
				kind := tried % len(kinds)
				r := rand.New(rand.NewPCG(seed, 0))
				path := filepath.Join(dir, "broken."+kinds[kind])
				if err := os.WriteFile(path, spoilt(r, whole[kind]), 0o600); err != nil {
					t.Fatal(err)
				}
				n, err := readBroken(t, path, seed%2 == 0)
				if err == nil {
					t.Fatalf("seed %d: it has no end", seed)
				}
				frames += n
				ends[endOf(err)]++
			}
			t.Logf("%d streams, %d frames, ends %v", tried, frames, ends)
			if frames == 0 {
				t.Error("no frame of any of them was decoded")
			}
		})
	}
}

// spoilt is a film with one to four faults.
func spoilt(r *rand.Rand, whole []byte) []byte {
	b := append([]byte(nil), whole...)
	for range 1 + r.IntN(4) {
		if len(b) < 64 {
			break
		}
		from := r.IntN(len(b))
		some := b[from:min(from+1+r.IntN(2000), len(b))]
		switch r.IntN(5) {
		case 0: // bits are flipped, one or many
			for range 1 << r.IntN(10) {
				b[r.IntN(len(b))] ^= 1 << r.IntN(8)
			}
		case 1: // a stretch of noise
			for i := range some {
				some[i] = byte(r.Uint32())
			}
		case 2: // lost
			b = append(b[:from], b[from+len(some):]...)
		case 3: // repeated
			b = append(b[:from+len(some)], append(append([]byte(nil), some...), b[from+len(some):]...)...)
		case 4: // cut off
			b = b[:from]
		}
	}
	return b
}

// readBroken reads a stream to its end as ingest does.
func readBroken(t *testing.T, path string, onDemand bool) (frames int, err error) {
	const most = 10_000 // of 45
	o := testOptions()
	o.AnyPace, o.OnDemand = true, onDemand
	s, err := OpenStream(t.Context(), "file:"+path, o)
	if err != nil {
		return 0, err
	}
	defer s.Close()
	e, err := NewFrameEncoder(112, 80)
	if err != nil {
		t.Fatal(err)
	}
	for ; frames < most; frames++ {
		f, err := s.Next()
		if err != nil {
			return frames, err
		}
		if _, _, _, err := e.Encode(f); err != nil {
			return frames, err
		}
	}
	return frames, nil
}

func endOf(err error) string {
	var f *Fault
	switch {
	case errors.Is(err, io.EOF):
		return "whole"
	case errors.As(err, &f):
		return string(f.Kind)
	}
	return "other"
}
