package checkpoint_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/infer/froster/checkpoint"
)

// A folder that somebody else packed may hold a pipe, which waits for ever, or a link to a
// device, which has no end.
func TestOnlyRegularFilesAreRead(t *testing.T) {
	dir := t.TempDir()
	pipe, device, long := filepath.Join(dir, "pipe"), filepath.Join(dir, "device"), filepath.Join(dir, "long")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/dev/zero", device); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(long, make([]byte, 11), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{pipe: "no regular file", device: "no regular file", dir: "no regular file", long: "longer than 10 bytes"} {
		if _, err := checkpoint.ReadSmall(path, 10); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", path, err)
		}
		if _, err := checkpoint.Open(path, func(string) bool { return true }); err == nil {
			t.Errorf("%s: opened", path)
		}
	}
	if raw, err := checkpoint.ReadSmall(long, 11); err != nil || len(raw) != 11 {
		t.Errorf("%d bytes, %v", len(raw), err)
	}
}

// Its weights are read twice: those of a file that changes meanwhile are of no one model.
func TestAFileThatChangesIsNoticed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.safetensors")
	header := `{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`
	raw := append([]byte{byte(len(header)), 0, 0, 0, 0, 0, 0, 0}, header+"\x00\x00\x80\x3f"...)
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := checkpoint.Open(path, func(string) bool { return true })
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}()
	if err := f.Unchanged(); err != nil {
		t.Error(err)
	}
	if err := os.Chtimes(path, time.Time{}, time.Now().Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	if err := f.Unchanged(); err == nil || !strings.Contains(err.Error(), "changed while it was read") {
		t.Errorf("got %v", err)
	}
}
