package media

import (
	"context"
	"fmt"
	"log/slog"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/frostwatch/frostwatch/cmd/frostwatch/camsim"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func ffmpeg(t *testing.T, args ...string) {
	t.Helper()
	if b, err := exec.Command("ffmpeg", append([]string{"-v", "error"}, args...)...).CombinedOutput(); err != nil {
		t.Fatalf("ffmpeg: %v: %s", err, b)
	}
}

// cut copies the first seconds of a video into a new container.
func cut(t *testing.T, path string, seconds int, ext string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "cut."+ext)
	ffmpeg(t, "-i", path, "-an", "-c", "copy", "-t", fmt.Sprint(seconds), out)
	return out
}

// simulate serves cameras until the test ends.
func simulate(t *testing.T, add func(*camsim.Server) error) *camsim.Server {
	t.Helper()
	s, err := camsim.New(camsim.Options{Addr: "127.0.0.1:0", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if err := add(s); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() {
		if err := s.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() {
		cancel()
		done.Wait()
	})
	return s
}
