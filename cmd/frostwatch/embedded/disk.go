package embedded

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"time"

	room "github.com/frostwatch/frostwatch/internal/disk"
	"github.com/frostwatch/frostwatch/internal/pause"
	"github.com/frostwatch/frostwatch/internal/telemetry"
)

// disk is what is known of the disk under a broker's directory.
type disk struct {
	dir    string
	space  func(dir string) (free, total int64, err error)
	failed atomic.Pointer[error] // why the newest write failed, since the last look
	torn   atomic.Bool           // a compaction could not write a table anew
}

// WatchDisk reports a warning while the disk is nearly full and a problem while it
// takes no more, until ctx ends. Producers learn from kfake only that there was an
// error. every is how often it looks; 0: 2 s.
func (b *Broker) WatchDisk(ctx context.Context, reporter telemetry.Reporter, every time.Duration) error {
	if every == 0 {
		every = 2 * time.Second
	}
	look := func() {
		warning, problem := b.disk.look()
		reporter.Warning("disk", warning)
		reporter.Problem("disk", problem)
		if b.bound.Most > 0 {
			reporter.Warning("data directory", b.bound.warning())
		}
	}
	look()
	pause.Every(ctx, every, look)
	return nil
}

// look returns what is wrong with the disk: what will be a problem soon, and what is one.
func (d *disk) look() (warning, problem error) {
	free, total, err := d.space(d.dir)
	if err != nil {
		return fmt.Errorf("look at the disk of %s: %w", d.dir, err), nil
	}
	failed := d.failed.Swap(nil)
	switch {
	case d.torn.Load():
		return nil, fmt.Errorf("rows of a table in %s could not be written and are missing until the next start puts them back: restart Frostwatch", d.dir)
	case failed != nil && !noSpace(*failed):
		return nil, fmt.Errorf("%s can't be written to, nothing is recorded: %w", d.dir, *failed)
	case failed != nil || free < min(1<<20, total/100):
		return nil, fmt.Errorf("the disk of %s is full: nothing is recorded. Free some of its %s, or lower archive.retention.size (the broker's files take %s)",
			d.dir, inBytes(total), inBytes(SizeOf(d.dir)))
	case (room.Space{Free: free, Size: total}).Low():
		return fmt.Errorf("the disk of %s has %s left of %s (the broker's files take %s): free some, or lower archive.retention.size",
			d.dir, inBytes(free), inBytes(total), inBytes(SizeOf(d.dir))), nil
	}
	return nil, nil
}

// low reports whether there may be too little space to write a table anew.
func (d *disk) low() bool {
	free, total, err := d.space(d.dir)
	return err == nil && (room.Space{Free: free, Size: total}).Low()
}

func noSpace(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

// spaceOf returns how much can still be written, and the size of the disk, in bytes.
func spaceOf(dir string) (free, total int64, err error) {
	s, err := room.Of(dir)
	return s.Free, s.Size, err
}

// SizeOf adds up the sizes of the files in a directory, in bytes, without those that vanish meanwhile.
func SizeOf(dir string) (n int64) {
	if target, err := filepath.EvalSymlinks(dir); err == nil { // a walk does not follow a link
		dir = target
	}
	_ = filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return nil //nolint:nilerr // files come and go meanwhile
		}
		if info, err := e.Info(); err == nil {
			n += info.Size()
		}
		return nil
	})
	return n
}

func inBytes(n int64) string {
	switch {
	case n >= 1e9:
		return fmt.Sprintf("%.1f GB", float64(n)/1e9)
	case n >= 1e6:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	}
	return fmt.Sprintf("%.1f kB", float64(n)/1e3)
}
