package up

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A start that takes long is explained while it lasts; a quick one prints nothing.
func TestASlowStartIsExplained(t *testing.T) {
	reported := make(chan struct{})
	wrong := errors.New("wrong")
	err := ifSlow(time.Millisecond, func() { close(reported) }, func() error { <-reported; return wrong })
	if !errors.Is(err, wrong) {
		t.Errorf("got %v, want the error of what was done", err)
	}
	err = ifSlow(time.Hour, func() { t.Error("a quick start was reported") }, func() error { return wrong })
	if !errors.Is(err, wrong) {
		t.Errorf("got %v, want the error of what was done", err)
	}
}

func TestTheSizeOfTheBrokersFilesIsPrinted(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a/0.dat", "b/0.dat"} {
		file := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, nil, 0o644), os.Truncate(file, 1.5e9)); err != nil {
			t.Fatal(err)
		}
	}
	var out strings.Builder
	(&up{Options: Options{Out: &out}}).printChecking(dir)
	if !strings.HasSuffix(out.String(), "  start    checking the broker's files (3.0 GB)\n") {
		t.Errorf("got %q", out.String())
	}
}
