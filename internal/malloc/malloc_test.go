package malloc

import (
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/frostwatch/frostwatch/internal/shared"
	"github.com/frostwatch/frostwatch/media"
)

// heaps counts glibc's heaps beside the first: each begins at a multiple of 64
// MiB, of which what it doesn't use yet is reserved.
func heaps(t *testing.T) int {
	t.Helper()
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Fatal(err)
	}
	n, end := 0, ""
	for line := range strings.Lines(string(maps)) {
		fields := strings.Fields(line)
		from, to, _ := strings.Cut(fields[0], "-")
		at, err := strconv.ParseUint(from, 16, 64)
		if err != nil {
			t.Fatal(err)
		}
		if fields[1] == "---p" && from == end {
			n++
		}
		end = ""
		if fields[1] == "rw-p" && at%(64<<20) == 0 && at>>40 == 0x7f { // below are Go's
			end = to
		}
	}
	return n
}

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
	n := heaps(t)
	close(hold)
	done.Wait()
	if n > 1 {
		t.Errorf("%d heaps beside the first, want one at most", n)
	}
}
