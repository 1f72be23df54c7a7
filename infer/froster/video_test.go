package froster

import (
	"bytes"
	"os/exec"
	"slices"
	"testing"

	"github.com/frostwatch/frostwatch/infer/froster/pixels"
	"github.com/frostwatch/frostwatch/internal/shared"
)

// decodeWindow reads the given frames of a demo clip with the ffmpeg program,
// which shares no code with ours, and preprocesses them.
func decodeWindow(t testing.TB, clip string, frames []int, size int) []byte {
	t.Helper()
	const w, h = 640, 360 // every demo clip
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		shared.Missing(t, "ffmpeg")
	}
	cmd := exec.Command("ffmpeg", "-v", "error", "-i", shared.Path(t, "model", "demo", clip),
		"-f", "rawvideo", "-pix_fmt", "rgb24", "-")
	var raw, problems bytes.Buffer
	cmd.Stdout, cmd.Stderr = &raw, &problems
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s", err, &problems)
	}
	decoded := slices.Collect(slices.Chunk(raw.Bytes(), w*h*3))
	var out []byte
	for _, i := range frames {
		resized, rw, rh := pixels.ResizeShortSide(decoded[i], w, h, size, nil)
		out = append(out, pixels.CenterCrop(resized, rw, rh, size, nil)...)
	}
	return out
}
