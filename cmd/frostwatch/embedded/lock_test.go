package embedded_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/frostwatch/frostwatch/cmd/frostwatch/embedded"
)

func TestLockIsForOne(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "not", "there", "yet")
	unlock, err := embedded.Lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := embedded.Lock(dir); err == nil || !strings.Contains(err.Error(), dir) || !strings.Contains(err.Error(), "in use") {
		t.Errorf("second lock of %s: %v, want an error that names it as in use", dir, err)
	}
	unlock()
	again, err := embedded.Lock(dir)
	if err != nil {
		t.Fatalf("lock after it was given back: %v", err)
	}
	again()
}

func TestLockOfAFile(t *testing.T) {
	if _, err := embedded.Lock("/dev/null/data"); err == nil {
		t.Error("a directory below a file was locked")
	}
}
