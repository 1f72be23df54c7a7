package froster

import (
	"bytes"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/frostwatch/frostwatch/internal/shared"
	"github.com/frostwatch/frostwatch/media/pixels"
)

// decodeWindow reads the given frames of a demo clip with the ffmpeg program,
// which shares no code with ours, and preprocesses them.
func decodeWindow(t testing.TB, clip string, frames []int, size int) []byte {
	t.Helper()
	const w, h = 640, 360 // every demo clip
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		shared.Missing(t, "ffmpeg")
	}
	var picks []string
	for _, n := range frames {
		picks = append(picks, fmt.Sprintf("eq(n,%d)", n))
	}
	cmd := exec.Command("ffmpeg", "-v", "error", "-i", shared.Path(t, "model", "demo", clip),
		"-vf", "select='"+strings.Join(picks, "+")+"'", "-vsync", "0", "-f", "rawvideo", "-pix_fmt", "rgb24", "-")
	var raw, problems bytes.Buffer
	cmd.Stdout, cmd.Stderr = &raw, &problems
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s", err, &problems)
	}
	if raw.Len() != len(frames)*w*h*3 {
		t.Fatalf("%s: %d bytes for %d frames", clip, raw.Len(), len(frames))
	}
	var out []byte
	for frame := range slices.Chunk(raw.Bytes(), w*h*3) {
		resized, rw, rh := pixels.ResizeShortSide(frame, w, h, size, nil)
		out = append(out, pixels.CenterCrop(resized, rw, rh, size, nil)...)
	}
	return out
}
