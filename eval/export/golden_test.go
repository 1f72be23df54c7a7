package export

import (
	"bytes"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/internal/shared"
	"github.com/frostwatch/frostwatch/media/jpeg"
)

var update = flag.Bool("update", false, "write the golden files anew")

// The set that train/tests/test_export.py reads is the one that is written here,
// and frame.rgb what infer sees of the first clip's fourth frame.
func TestGoldenSetForPython(t *testing.T) {
	golden := filepath.Join(shared.Root(t), "train", "tests", "data", "export")
	t0 := time.Date(2026, 11, 25, 13, 0, 0, 0, time.UTC)
	at := func(seconds int) time.Time { return t0.Add(time.Duration(seconds) * time.Second) }
	records := memory(append(recording(t, "clips", "lobby", at(0), at(10)), recording(t, "clips", "door-1", at(0), at(4))...))
	o := options(records, "frostwatch.clips", filepath.Join(t.TempDir(), "set"), t0)
	o.Labels, o.Val, o.Version = nil, 0.1, "golden"
	o.Intervals = intervals(t,
		line("lobby", at(0), at(5), "falling down | a person falls"),
		line("lobby", at(8), at(13), "falling down | a person falls"),
		line("door-*", at(0), at(9), "climbing"),
	)
	if _, err := Clips(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	seen := decoded(t, picture(t, 3, int(t0.Unix()/2)))
	if *update {
		writeGolden(t, golden, o.Out, seen)
	}
	want, got := filesOf(t, filepath.Join(golden, "set")), filesOf(t, o.Out)
	for name, b := range got {
		if !bytes.Equal(b, want[name]) {
			t.Errorf("%s differs from the golden one; -update writes it anew", name)
		}
		delete(want, name)
	}
	for name := range want {
		t.Errorf("%s is golden but was not written", name)
	}
	if b, err := os.ReadFile(filepath.Join(golden, "frame.rgb")); err != nil || !bytes.Equal(b, seen) {
		t.Errorf("frame.rgb differs: %v", err)
	}
}

func decoded(t testing.TB, data []byte) []byte {
	t.Helper()
	d, err := jpeg.NewDecoder()
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	rgb := make([]byte, 3*width*height)
	if err := d.Decode(data, rgb, width, height); err != nil {
		t.Fatal(err)
	}
	return rgb
}

func filesOf(t testing.TB, dir string) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		out[name], err = os.ReadFile(filepath.Join(dir, name))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func writeGolden(t testing.TB, golden, set string, frame []byte) {
	t.Helper()
	if err := os.RemoveAll(golden); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(filepath.Join(golden, "set"), os.DirFS(set)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(golden, "frame.rgb"), frame, 0o644); err != nil {
		t.Fatal(err)
	}
}
