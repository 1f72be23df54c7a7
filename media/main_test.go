package media

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"
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
