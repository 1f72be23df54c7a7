// Package ring keeps the newest packets of cameras on disk, so that films can be made of
// what was before an alert. Files are of no use to another process: a start removes what
// others have left.
package ring

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/frostwatch/frostwatch/internal/disk"
	"github.com/frostwatch/frostwatch/internal/lock"
)

// Options of a Store; all are required.
type Options struct {
	Dir    string // made where it is absent; several processes may share it
	Camera int64  // bytes of one camera's packets, at most
	Total  int64  // bytes of all cameras' packets, at most: each has the same share
	Spare  int64  // bytes of the disk that are left free
	Logger *slog.Logger
	// Report gets what keeps packets from being kept, and nil once it is over. It must
	// not block.
	Report func(error)
}

// Store is the folder of one process, with a ring for each camera.
type Store struct {
	Options
	dir  string // of this process
	lock *os.File

	mu      sync.Mutex
	made    int // rings, so far
	rings   map[*Ring]bool
	failing map[*Ring]error
}

const (
	ownPrefix  = "worker-"
	leastRing  = 1_000_000
	folderMode = 0o700 // what cameras see is not for everybody
	fileMode   = 0o600
)

// Open makes the process's own folder, and removes those of processes that have ended.
func Open(o Options) (*Store, error) {
	if o.Camera < leastRing || o.Total < leastRing {
		return nil, fmt.Errorf("keep packets: %d bytes of a camera, %d of all: want at least %d", o.Camera, o.Total, leastRing)
	}
	if err := os.MkdirAll(o.Dir, folderMode); err != nil {
		return nil, fmt.Errorf("keep packets: %w", err)
	}
	if err := clean(o.Dir); err != nil {
		return nil, fmt.Errorf("remove packets of a process that has ended: %w", err)
	}
	dir, err := os.MkdirTemp(o.Dir, ownPrefix)
	if err != nil {
		return nil, fmt.Errorf("keep packets: %w", err)
	}
	s := &Store{Options: o, dir: dir, rings: map[*Ring]bool{}, failing: map[*Ring]error{}}
	if s.lock, err = os.Open(dir); err == nil {
		err = lock.Take(s.lock)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("keep packets: %w", err), os.RemoveAll(dir))
	}
	return s, nil
}

// young is the age from which on a folder without a lock has been left: its process may
// not have taken the lock yet.
const young = 10 * time.Second

// clean removes the folders of processes that no longer run.
func clean(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	var errs []error
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || !e.IsDir() || !strings.HasPrefix(e.Name(), ownPrefix) {
			continue
		}
		path := filepath.Join(dir, e.Name())
		f, err := os.Open(path)
		if err != nil {
			continue // another process has removed it
		}
		entries, _ := f.Readdirnames(1)
		if err := lock.Take(f); err == nil && (len(entries) > 0 || time.Since(info.ModTime()) > young) {
			errs = append(errs, os.RemoveAll(path))
		}
		errs = append(errs, f.Close())
	}
	return errors.Join(errs...)
}

// Close removes the folder. Its rings are closed before.
func (s *Store) Close() error {
	return errors.Join(os.RemoveAll(s.dir), s.lock.Close())
}

// Dir is the process's own folder, in which there is room for files that are being made.
func (s *Store) Dir() string { return s.dir }

// share is what one ring may take.
func (s *Store) share() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return min(s.Camera, s.Total/int64(max(len(s.rings), 1)))
}

// Room is an error if so many bytes would not leave enough of the disk free.
func (s *Store) Room(bytes int64) error {
	room, err := disk.Of(s.dir)
	if err != nil {
		return err
	}
	if room.Free-bytes < s.Spare {
		return fmt.Errorf("the disk of %s has %d MB free, and %d MB are to stay free", s.Options.Dir, room.Free/1e6, s.Spare/1e6)
	}
	return nil
}

// report passes on whether a ring can be written.
func (s *Store) report(r *Ring, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil {
		if s.failing[r] == nil {
			return
		}
		if delete(s.failing, r); len(s.failing) == 0 {
			s.Report(nil)
			s.Logger.Info("cameras' packets are kept again")
		}
		return
	}
	if len(s.failing) == 0 {
		s.Logger.Warn("cameras' packets are not kept: no films of alerts can be made", "error", err)
	}
	s.failing[r] = err
	s.Report(err)
}
