package process

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

func TestFileIsFollowed(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	file := filepath.Join(t.TempDir(), "pipeline.yaml")
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write(file, "one")
	loaded := make(chan string, 10)
	done := make(chan error)
	go func() {
		done <- followFile(ctx, file, slog.New(slog.DiscardHandler), func() error {
			b, err := os.ReadFile(file)
			loaded <- string(b)
			if string(b) == "bad" {
				return errors.New("bad")
			}
			return err
		})
	}()
	expect := func(what, want string) {
		t.Helper()
		select {
		case got := <-loaded:
			if got != want {
				t.Fatalf("%s: loaded %q, want %q", what, got, want)
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("%s: not loaded", what)
		}
	}
	time.Sleep(200 * time.Millisecond) // the watch is set up; a change before it would be no change
	write(file, "bad")
	expect("written in place", "bad")
	write(file+".new", "three")
	if err := os.Rename(file+".new", file); err != nil {
		t.Fatal(err)
	}
	expect("renamed into place, after one that was bad", "three")
	if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	expect("unchanged, on SIGHUP", "three")
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
