package embedded

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/frostwatch/frostwatch/internal/pause"
)

const (
	// flushEvery is how often what was written is brought to the disk: what a power loss
	// costs at most is what came in this time and in that of one flush. kfake itself does
	// that when it is stopped, or for each batch, which would cost as many waits for the
	// disk as there are clips, recognitions and commits.
	flushEvery = time.Second
	// flushAtOnce is how many files are flushed at the same time: the disk's journal then
	// takes them together.
	flushAtOnce = 16
)

// flusher brings a folder's files to the disk, those that have changed since the last time.
type flusher struct {
	dir  string
	mu   sync.Mutex
	seen map[string]stamp // by path: as it was flushed last
}

// stamp tells whether a file or a folder has changed.
type stamp struct {
	size    int64
	written time.Time
}

// keepFlushed flushes until ctx ends.
func (b *Broker) keepFlushed(ctx context.Context, every time.Duration) {
	pause.Every(ctx, every, func() {
		if err := b.flusher.flush(); err != nil {
			b.disk.failed.Store(&err)
			b.log.Debug("broker: flush", "error", err)
		}
	})
}

// flush returns when all that was written before the call is on the disk: the records first,
// so that hardly ever a group's commit is there without them, and folders last, without
// which new files have no name.
func (f *flusher) flush() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := map[string]stamp{}
	var logs, others, folders []string
	err := filepath.WalkDir(f.dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return passGone(err)
		}
		info, err := e.Info()
		if err != nil {
			return passGone(err)
		}
		if now[path] = (stamp{info.Size(), info.ModTime()}); now[path] == f.seen[path] {
			return nil
		}
		switch {
		case e.IsDir():
			folders = append(folders, path)
		case strings.HasSuffix(path, logEnding):
			logs = append(logs, path)
		case e.Type().IsRegular():
			others = append(others, path)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("look for what to flush: %w", err)
	}
	for _, paths := range [][]string{logs, others, folders} {
		if err := flushAll(paths); err != nil {
			return err
		}
	}
	f.seen = now
	return nil
}

func flushAll(paths []string) error {
	var many errgroup.Group
	many.SetLimit(flushAtOnce)
	for _, path := range paths {
		many.Go(func() error { return flushOne(path) })
	}
	return many.Wait() //nolint:wrapcheck // says what for
}

// flushOne brings one file, or the names in a folder, to the disk.
func flushOne(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return passGone(err)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("flush %s: %w", path, err)
	}
	return nil
}

// passGone passes over files that vanish meanwhile: retention, compaction and temporary
// files.
func passGone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
