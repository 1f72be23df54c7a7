package ingest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"image/jpeg"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/internal/crashtest"
	"github.com/frostwatch/frostwatch/media"
	"github.com/frostwatch/frostwatch/topics"
)

// probeForTest is a process that tries cameras; one of them crashes it.
func probeForTest() error {
	task, err := io.ReadAll(os.Stdin)
	var read probeTask
	if err == nil && json.Unmarshal(task, &read) == nil && read.Camera.Name == "segv" {
		crashtest.InC()
	}
	return ProbeFor(context.Background(), bytes.NewReader(task), os.Stdout)
}

// What another process sees of a stream, or that it sees nothing, is what this one would.
func TestProbeApart(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.mp4")
	ffmpeg(t, "-f", "lavfi", "-i", "testsrc2=size=320x240:rate=10:duration=2", "-pix_fmt", "yuv420p", "-c:v", "libx264", path)
	o := probeOptions()
	o.For, o.PictureSide, o.Trust.Env = time.Second, 120, []string{"FILM"}
	o.Getenv = func(string) (string, bool) { return path, true }
	got, err := ProbeApart(t.Context(), o, topics.Camera{URL: "file://${FILM}"})
	if err != nil || got.Codec != "h264" || got.Width != 320 || got.Watched < .5 {
		t.Errorf("%+v: %v", got, err)
	}
	if _, err := jpeg.Decode(bytes.NewReader(got.Picture)); err != nil {
		t.Errorf("its picture: %v", err)
	}
	_, err = ProbeApart(t.Context(), o, topics.Camera{URL: "rtsp://" + deadPort(t) + "/s"})
	var fault *ProbeFault
	if !errors.As(err, &fault) || fault.Part != PartPort || fault.Crash != "" || fault.Fault.Kind != media.KindUnreachable {
		t.Errorf("nobody listens: %v", err)
	}
	o.TLSCA = "/nowhere"
	if _, err = ProbeApart(t.Context(), o, topics.Camera{URL: "rtsp://127.0.0.1/s"}); err == nil || errors.As(err, &fault) || !strings.Contains(err.Error(), "ingest.tls_ca") {
		t.Errorf("a file that is lacking: %v", err)
	}
}

// A stream that crashes the decoder, or makes it grow, ends neither the console nor others.
func TestProbeApartDies(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }() // nobody answers there
	silent := topics.Camera{URL: "rtsp://" + l.Addr().String() + "/s"}
	var fault *ProbeFault
	if _, err := ProbeApart(t.Context(), probeOptions(), topics.Camera{Name: "segv", URL: silent.URL}); !errors.As(err, &fault) || !strings.Contains(err.Error(), "crashes the decoder") || !strings.Contains(fault.Crash, "SIGSEGV") {
		t.Errorf("a crash: %v, %+v", err, fault)
	}
	if _, err := probeApart(t.Context(), probeOptions(), silent, 1); !errors.As(err, &fault) || !strings.Contains(err.Error(), "more memory") {
		t.Errorf("one that grows: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	began := time.Now()
	if _, err := ProbeApart(ctx, probeOptions(), silent); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) > 10*time.Second {
		t.Errorf("a request that is over: %v after %v", err, time.Since(began))
	}
}
