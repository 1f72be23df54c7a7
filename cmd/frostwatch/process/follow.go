package process

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/frostwatch/frostwatch/internal/config"
)

const (
	// settleTime is how long a file must be unchanged before it is read, because
	// editors write in several steps.
	settleTime = 100 * time.Millisecond
	// emptyTime is how long a file must have been without content before that is read:
	// editors empty a file before they write it, or remove it before they rename
	// another.
	emptyTime = time.Second
	// pollTime is how often the file is read where no events come, as for a folder on
	// a file server, or when the system has no inotify watches left.
	pollTime = 10 * time.Second
)

// followFile calls reload whenever the content of the file differs from what was
// last read (at first: what file was made of), and on SIGHUP, until ctx ends. It
// watches the folder rather than the file, because editors and Kubernetes replace
// files by renaming.
func (p *Process) followFile(ctx context.Context, file config.File, poll time.Duration, reload func()) {
	events, stop := p.fileEvents(ctx, file.Path)
	defer stop()
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)
	tick := time.NewTicker(poll)
	defer tick.Stop()

	last := file.Sum()
	var empty time.Time         // since when the file has been seen without content
	settled := time.NewTimer(0) // the file may have been edited since it was read
	defer settled.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-events:
			settled.Reset(settleTime)
		case <-tick.C:
			settled.Reset(settleTime)
		case <-hangup:
			last = file.Now()
			reload()
		case <-settled.C:
			now := file.Now()
			if !now.OfNothing() {
				empty = time.Time{}
			} else if empty.IsZero() {
				empty = time.Now()
			}
			// Whatever else happens in the folder meanwhile does not shorten the wait.
			if left := time.Until(empty.Add(emptyTime)); left > 0 {
				settled.Reset(left)
				continue
			}
			if now != last {
				last = now
				reload()
			}
		}
	}
}

// fileEvents returns a channel that holds a token after something in the file's
// folder has changed. If the folder can't be watched, that is logged, and the
// channel is nil.
func (p *Process) fileEvents(ctx context.Context, path string) (<-chan struct{}, func()) {
	watcher, err := fsnotify.NewWatcher()
	if err == nil {
		if err = watcher.Add(filepath.Dir(path)); err != nil {
			_ = watcher.Close()
		}
	}
	if err != nil {
		p.log.WarnContext(ctx, "the configuration's folder can't be watched: an edit takes effect within 10 s, or on SIGHUP", "file", path, "error", err)
		return nil, func() {}
	}
	events, ended := make(chan struct{}, 1), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case _, ok := <-watcher.Events:
				if !ok {
					return
				}
				select {
				case events <- struct{}{}:
				default:
				}
			case err := <-watcher.Errors:
				if err == nil {
					return
				}
				p.log.WarnContext(ctx, "watch configuration", "error", err)
			}
		}
	}()
	return events, func() {
		_ = watcher.Close()
		<-ended
	}
}

// stamp identifies a file's content by time and size; it is empty if there is no
// file.
func stamp(path string) string {
	info, err := os.Stat(path)
	if err != nil {
		return ""
	}
	return fmt.Sprintf("%d %d", info.ModTime().UnixNano(), info.Size())
}
