package malloc

import (
	"path/filepath"
	"testing"

	"github.com/frostwatch/frostwatch/internal/shared"
	"github.com/frostwatch/frostwatch/media"
)

// What C code allocates is counted while it is there, and not afterwards.
func TestUsage(t *testing.T) {
	before, _ := Usage()
	if before == 0 {
		shared.Missing(t, "glibc 2.33 or newer")
	}
	f, err := media.OpenFile(t.Context(), filepath.Join(shared.Root(t), "cmd", "frostwatch", "demo", "data", "yard_fence.mp4"), 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Next(); err != nil {
		t.Fatal(err)
	}
	during, _ := Usage()
	f.Close()
	after, _ := Usage()
	if during <= before || after >= during {
		t.Errorf("%d bytes before, %d while a film is open, %d after it", before, during, after)
	}
}
