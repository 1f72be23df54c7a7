package cli

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/fsnotify/fsnotify"
)

// followRules calls reload when the file at path changes or on SIGHUP, until
// ctx ends. What can't be loaded is reported and changes nothing. The folder is
// watched, not the file: editors and Kubernetes replace files by renaming.
func followRules(ctx context.Context, path string, log *slog.Logger, reload func() error) error {
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("watch %s: %w", path, err)
	}
	defer func() { _ = watcher.Close() }()
	if err := watcher.Add(filepath.Dir(path)); err != nil {
		return fmt.Errorf("watch %s: %w", path, err)
	}
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)

	last := stamp(path)
	// An editor writes in several steps: what it leaves after a pause counts.
	const pause = 100 * time.Millisecond
	settled := time.NewTimer(pause)
	settled.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-watcher.Errors:
			log.WarnContext(ctx, "watch rules", "error", err)
		case <-watcher.Events:
			settled.Reset(pause)
		case <-hangup:
			last = ""
			settled.Reset(0)
		case <-settled.C:
			now := stamp(path)
			if now == last {
				continue
			}
			last = now
			if err := reload(); err != nil {
				log.ErrorContext(ctx, "rules not reloaded, the old ones stay in force", "error", err)
				continue
			}
			log.InfoContext(ctx, "rules reloaded", "file", path)
		}
	}
}

// stamp tells contents apart by time and size; empty where there is no file.
func stamp(path string) string {
	info, err := os.Stat(path)
	if err != nil {
		return ""
	}
	return fmt.Sprintf("%d %d", info.ModTime().UnixNano(), info.Size())
}
