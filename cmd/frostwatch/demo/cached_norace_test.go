//go:build !race

package demo

import (
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/frostwatch/frostwatch/infer/froster"
)

// Several workers of infer may be started on a new machine at once.
func TestTheCachedModelIsMadeOnce(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	var wg sync.WaitGroup
	dirs := make([]string, 3)
	for i := range dirs {
		wg.Go(func() {
			dir, err := CachedModel()
			if err != nil {
				t.Error(err)
			}
			dirs[i] = dir
		})
	}
	wg.Wait()
	if dirs[0] != dirs[1] || dirs[1] != dirs[2] {
		t.Fatalf("folders: %q", dirs)
	}
	b, err := froster.OpenBundle(dirs[0])
	if err != nil || b.Name != ModelName {
		t.Fatalf("bundle %+v, %v", b, err)
	}
	if b.Dims.ImageSize != ImageSize {
		t.Errorf("the model takes pictures of %d pixels, ImageSize is %d", b.Dims.ImageSize, ImageSize)
	}
	left, err := filepath.Glob(filepath.Join(filepath.Dir(dirs[0]), "import-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left over: %q, %v", left, err)
	}
	before, err := os.Stat(filepath.Join(dirs[0], "bundle.json"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := CachedModel(); err != nil {
		t.Fatal(err)
	}
	if after, err := os.Stat(filepath.Join(dirs[0], "bundle.json")); err != nil || !after.ModTime().Equal(before.ModTime()) {
		t.Errorf("made again: %v", err)
	}
}

func TestAnUnreadableCachedModelIsMadeAnew(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	dir, err := CachedModel()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "bundle.json"), []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := CachedModel(); err != nil {
		t.Fatal(err)
	}
	if _, err := froster.OpenBundle(dir); err != nil {
		t.Error(err)
	}
}
