package process

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/internal/config"
)

// followed is a configuration file that is followed, and how often a reload was
// asked for.
type followed struct {
	t    *testing.T
	path string
	mu   sync.Mutex
	n    int
}

func (f *followed) write(path, text string) {
	f.t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		f.t.Fatal(err)
	}
}

func (f *followed) reloads() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.n
}

// open reads the file; start follows it from then on.
func open(t *testing.T, text string) (f *followed, start func(poll time.Duration)) {
	t.Helper()
	f = &followed{t: t, path: filepath.Join(t.TempDir(), "pipeline.yaml")}
	f.write(f.path, text)
	file, err := config.Open(f.path)
	if err != nil {
		t.Fatal(err)
	}
	r := newRig(t, "127.0.0.1:1")
	return f, func(poll time.Duration) {
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan struct{})
		go func() {
			defer close(done)
			r.followFile(ctx, file, poll, func() {
				f.mu.Lock()
				defer f.mu.Unlock()
				f.n++
			})
		}()
		t.Cleanup(func() { cancel(); <-done; _ = r.Close(context.Background()) })
	}
}

func TestFileIsFollowed(t *testing.T) {
	f, start := open(t, "log: {level: info}\n")
	// Of the same size, between reading and following: by its time alone it would
	// be the file that was read.
	f.write(f.path, "log: {level: warn}\n")
	start(time.Hour)
	await(t, "the edit from before it was followed", func() bool { return f.reloads() == 1 })
	f.write(f.path, "not: [yaml\n")
	await(t, "the edit in place", func() bool { return f.reloads() == 2 })
	f.write(f.path+".new", "log: {level: error}\n")
	if err := os.Rename(f.path+".new", f.path); err != nil {
		t.Fatal(err)
	}
	await(t, "what was renamed into place", func() bool { return f.reloads() == 3 })
	if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	await(t, "SIGHUP, of the file as it is", func() bool { return f.reloads() == 4 })
}

// Editors empty a file before they write it: nothing is read in between.
func TestAFileThatIsBeingWrittenIsNotRead(t *testing.T) {
	f, start := open(t, "log: {level: info}\n")
	start(time.Hour)
	emptied := time.Now()
	f.write(f.path, "")
	// The file is looked at meanwhile, also because editors write other files beside it.
	for range 2 {
		time.Sleep(settleTime + settleTime/2)
		f.write(f.path+".swp", "")
	}
	if n := f.reloads(); n != 0 && time.Since(emptied) < emptyTime { // unless the machine stood still
		t.Fatalf("%d reloads of the empty file", n)
	}
	f.write(f.path, "log: {level: warn}\n")
	await(t, "the file as it was written", func() bool { return f.reloads() >= 1 })
	read := f.reloads()
	f.write(f.path, "")
	await(t, "the file that stays empty", func() bool { return f.reloads() > read })
}

// A folder that can't be watched, here because it came to be there later, costs
// time and nothing else.
func TestFileIsPolledWhereItCannotBeWatched(t *testing.T) {
	f, start := open(t, "log: {level: info}\n")
	dir, away := filepath.Dir(f.path), filepath.Dir(f.path)+".away"
	if err := os.Rename(dir, away); err != nil {
		t.Fatal(err)
	}
	start(3 * settleTime)
	await(t, "the file that is gone", func() bool { return f.reloads() == 1 })
	if err := os.Rename(away, dir); err != nil {
		t.Fatal(err)
	}
	await(t, "the file that came back", func() bool { return f.reloads() == 2 })
}

// As Kubernetes replaces the files of a ConfigMap: the file is a link into a folder that is a
// link, and only that one changes.
func TestFileOfAConfigMapIsFollowed(t *testing.T) {
	f, start := open(t, "log: {level: info}\n")
	dir := filepath.Dir(f.path)
	put := func(folder, text string) {
		t.Helper()
		if err := os.Mkdir(filepath.Join(dir, folder), 0o755); err != nil {
			t.Fatal(err)
		}
		f.write(filepath.Join(dir, folder, "pipeline.yaml"), text)
		if err := os.Symlink(folder, filepath.Join(dir, "..data.new")); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(filepath.Join(dir, "..data.new"), filepath.Join(dir, "..data")); err != nil {
			t.Fatal(err)
		}
	}
	put("..1", "log: {level: info}\n")
	if err := os.Remove(f.path); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("..data/pipeline.yaml", f.path); err != nil {
		t.Fatal(err)
	}
	start(time.Hour)
	put("..2", "log: {level: warn}\n")
	await(t, "the edit of the ConfigMap", func() bool { return f.reloads() == 1 })
}
