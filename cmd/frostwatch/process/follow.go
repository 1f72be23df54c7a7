package process

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/internal/config"
)

// followFile calls reload when the file at path changes or on SIGHUP, until
// ctx ends. What can't be loaded is reported and changes nothing. The folder is
// watched, not the file: editors and Kubernetes replace files by renaming.
func followFile(ctx context.Context, path string, log *slog.Logger, reload func() error) error {
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
			log.WarnContext(ctx, "watch configuration", "error", err)
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
				log.ErrorContext(ctx, "configuration not reloaded, the old one stays in force", "file", path, "error", err)
				continue
			}
			log.InfoContext(ctx, "configuration reloaded", "file", path)
		}
	}
}

// onReload has apply called with each configuration that is read anew. It must
// not wait.
func (p *Process) onReload(apply func(config.Config) error) { p.reloads = append(p.reloads, apply) }

// Following is the part that follows the configuration file, where there is one
// and anything is taken over from it.
func (p *Process) Following(path string) []Part {
	if path == "" || len(p.reloads) == 0 {
		return nil
	}
	return []Part{{Name: "configuration", Early: true, Run: func(ctx context.Context) error {
		return followFile(ctx, path, p.log, func() error {
			c, err := config.Load(path)
			if err != nil {
				return err
			}
			if _, err := alerts.Compile(c.Rules); err != nil {
				return err // a file with a mistake changes nothing, whatever else it holds
			}
			for _, apply := range p.reloads {
				err = errors.Join(err, apply(c))
			}
			return err
		})
	}}}
}

// stamp tells contents apart by time and size; empty where there is no file.
func stamp(path string) string {
	info, err := os.Stat(path)
	if err != nil {
		return ""
	}
	return fmt.Sprintf("%d %d", info.ModTime().UnixNano(), info.Size())
}
