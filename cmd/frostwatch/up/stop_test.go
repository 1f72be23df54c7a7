package up

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/cmd/frostwatch/demo"
	"github.com/frostwatch/frostwatch/internal/shared"
)

// stopped is a context that ends when it is asked for its state for the nth time: a
// stop at a moment of the program's own, whatever the machine's speed.
type stopped struct {
	context.Context
	end  context.CancelFunc
	left atomic.Int64
}

func stoppedAt(ctx context.Context, n int) *stopped {
	s := &stopped{}
	s.Context, s.end = context.WithCancel(ctx)
	s.left.Store(int64(n))
	return s
}

func (s *stopped) Done() <-chan struct{} { s.look(); return s.Context.Done() }

func (s *stopped) Err() error { s.look(); return s.Context.Err() }

func (s *stopped) look() {
	if s.left.Add(-1) == 0 {
		s.end()
	}
}

// lines is what `up` prints. It calls banner when the banner comes.
type lines struct {
	mu     sync.Mutex
	text   strings.Builder
	banner func()
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if strings.Contains(string(b), "Ctrl-C stops it") && l.banner != nil {
		l.banner()
	}
	return l.text.Write(b)
}

// A stop is no error, at whatever moment of the start it comes, or soon after.
func TestAStopDuringTheStartIsNoError(t *testing.T) {
	data := t.TempDir()
	runtime := filepath.Join(shared.Root(t), ".native", "onnxruntime", "libonnxruntime.so")
	conf := fmt.Sprintf("infer: {runtime: %q}\n%s", runtime, demo.Config())
	if err := os.WriteFile(filepath.Join(data, "pipeline.yaml"), []byte(conf), 0o644); err != nil {
		t.Fatal(err)
	}
	started := false
	for n := 1; !started; n += 1 + n/8 {
		// The demo's vocabulary is written only to a new data directory.
		if err := os.Remove(filepath.Join(data, "vocabulary-seeded")); err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		ctx := stoppedAt(t.Context(), n)
		runStopped(t, ctx, data, func() { started = true; ctx.end() })
	}
	for _, after := range []time.Duration{5 * time.Millisecond, 50 * time.Millisecond, 500 * time.Millisecond} {
		ctx := stoppedAt(t.Context(), 0) // never by itself
		runStopped(t, ctx, data, func() { time.AfterFunc(after, ctx.end) })
	}
}

// runStopped runs `up` until ctx ends, and calls banner when its banner comes.
func runStopped(t *testing.T, ctx *stopped, data string, banner func()) {
	t.Helper()
	defer ctx.end()
	out, logged := &lines{banner: banner}, &lines{}
	err := Run(ctx, Options{Data: data, Ports: "auto", Out: out, Err: logged, Version: "test"})
	if err != nil || logged.text.Len() > 0 || !strings.Contains(out.text.String(), "stopped") {
		t.Fatalf("stopped: %v\n%s%s", err, out.text.String(), logged.text.String())
	}
}
