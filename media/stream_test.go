package media

import (
	"context"
	"errors"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/asticode/go-astiav"

	"github.com/frostwatch/frostwatch/cmd/frostwatch/camsim"
	"github.com/frostwatch/frostwatch/internal/shared"
)

func testOptions() StreamOptions {
	return StreamOptions{
		Transport: "tcp", Open: 10 * time.Second, Read: 10 * time.Second, Watchdog: 20 * time.Second, Threads: 1,
		OnBytes: func(int) {}, OnBadPacket: func() {},
	}
}

// Damaged packets are skipped and counted, and the stream lives on.
func TestDamagedPacketsAreSkipped(t *testing.T) {
	sim := simulate(t, func(s *camsim.Server) error {
		return s.AddFile("cam", shared.Path(t, "model", "demo", "yard_fence.mp4"), camsim.FileOptions{Speed: 4})
	})
	bad := 0
	o := testOptions()
	o.OnBadPacket = func() { bad++ }
	s, err := OpenStream(t.Context(), sim.URL("cam"), o)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	shown := func(what string, ok func(frames int) bool) {
		t.Helper()
		for n := 0; !ok(n); n++ {
			if n == 600 {
				t.Fatalf("%s: none while %d frames were shown", what, n)
			}
			if _, err := s.Next(); err != nil {
				t.Fatalf("%s: %v", what, err)
			}
		}
	}
	shown("frames", func(n int) bool { return n == 5 })
	if bad != 0 {
		t.Fatalf("%d bad packets before any is damaged", bad)
	}
	// While nothing can be decoded no frame comes, so what is damaged ends by
	// itself once a packet was refused.
	damage := sim.Corrupt
	damage("cam", true)
	s.OnBadPacket = func() {
		if bad++; bad == 3 {
			damage("cam", false)
		}
	}
	shown("bad packets", func(int) bool { return bad >= 3 })
	shown("frames afterwards", func(n int) bool { return n == 60 })
}

// broken is a decoder that does nothing but fail.
type broken struct{ decoder }

func (broken) ReceiveFrame(*astiav.Frame) error { return astiav.Error(-int(syscall.ENOMEM)) }

// A decoder that fails for good ends its stream, and at once where the camera is
// removed meanwhile.
func TestADecoderThatFailsForGood(t *testing.T) {
	open := func(ctx context.Context) *Stream {
		t.Helper()
		s, err := OpenStream(ctx, "file:"+shared.Path(t, "model", "demo", "yard_fence.mp4"), testOptions())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(s.Close)
		s.codec = broken{s.codec}
		return s
	}
	s := open(t.Context())
	var f *Fault
	if _, err := s.Next(); !errors.As(err, &f) || f.Kind != KindOther {
		t.Errorf("a broken decoder: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	s = open(ctx)
	s.OnBadPacket = func() { cancel(); stopped(s) }
	if _, err := s.Next(); !errors.Is(err, ErrStopped) {
		t.Errorf("a broken decoder of a removed camera: %v", err)
	}
}

// stopped waits until a stream knows that its context has ended.
func stopped(s *Stream) {
	for deadline := time.Now().Add(10 * time.Second); !s.guard.ended() && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
}

// resident is this process's memory in bytes, without Go's garbage.
func resident(t *testing.T) int {
	t.Helper()
	debug.FreeOSMemory()
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Fatal(err)
	}
	pages, err := strconv.Atoi(strings.Fields(string(b))[1])
	if err != nil {
		t.Fatal(err)
	}
	return pages * os.Getpagesize()
}

// A camera that is removed before its connection begins leaves nothing behind.
func TestOpeningAfterTheEndLeaksNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	try := func(n int) {
		for range n {
			if _, err := OpenStream(ctx, "rtsp://127.0.0.1:1/x", testOptions()); !errors.Is(err, ErrStopped) {
				t.Fatalf("opened after the end: %v", err)
			}
		}
	}
	try(1000)
	before := resident(t)
	try(60_000)
	if grown := resident(t) - before; grown > 30<<20 && !racing {
		t.Errorf("60,000 tries leave %d MB behind", grown>>20)
	}
}

func TestAStreamEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s, err := OpenStream(ctx, "file:"+shared.Path(t, "model", "demo", "yard_fence.mp4"), testOptions())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Next(); err != nil {
		t.Fatal(err)
	}
	cancel()
	stopped(s)
	for err == nil { // what was decoded before comes first
		_, err = s.Next()
	}
	if !errors.Is(err, ErrStopped) {
		t.Errorf("after the end: %v", err)
	}
}
