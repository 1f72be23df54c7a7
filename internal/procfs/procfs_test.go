package procfs

import (
	"os"
	"path/filepath"
	"testing"
)

func TestField(t *testing.T) {
	file := filepath.Join(t.TempDir(), "info")
	if err := os.WriteFile(file, []byte("flags\t: a b\nmodel name\t: A: B\nmodel name\t: C\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := Field(file, "model name"); got != "A: B" {
		t.Errorf("got %q", got)
	}
	if got := Field(file, "none") + Field(file+".none", "flags"); got != "" {
		t.Errorf("what is not there: %q", got)
	}
}
