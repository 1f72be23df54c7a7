package malloc

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/frostwatch/frostwatch/internal/shared"
	"github.com/frostwatch/frostwatch/media"
)

// However many threads decode, memory that one frees is there for the others.
func TestThreadsShareHeaps(t *testing.T) {
	if _, set := os.LookupEnv("MALLOC_ARENA_MAX"); set {
		shared.Missing(t, "an environment without MALLOC_ARENA_MAX")
	}
	film := filepath.Join(shared.Root(t), "cmd", "frostwatch", "demo", "data", "yard_fence.mp4")
	var ready, done sync.WaitGroup
	hold := make(chan struct{})
	for range 6 {
		ready.Add(1)
		done.Go(func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			f, err := media.OpenFile(t.Context(), film, 1)
			if err == nil {
				defer f.Close()
				_, err = f.Next()
			}
			if err != nil {
				t.Error(err)
			}
			ready.Done()
			<-hold
		})
	}
	ready.Wait()
	// An arena takes further stretches of memory as it fills, so their number says nothing.
	report := info()
	close(hold)
	done.Wait()
	if n := strings.Count(report, "<heap "); n < 1 || n > maxArenas {
		t.Errorf("%d arenas, want 1 to %d:\n%s", n, maxArenas, report)
	}
}
