package embedded

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/frostwatch/frostwatch/internal/lock"
)

// Lock takes the data directory for this process, making it if absent. The
// returned function gives it back; the end of the process does too.
func Lock(dir string) (unlock func(), err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("use data directory: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("use data directory: %w", err)
	}
	if err := lock.Take(f); err != nil {
		_ = f.Close()
		if errors.Is(err, lock.ErrHeld) {
			return nil, fmt.Errorf("data directory %s is in use by another frostwatch: stop it, or choose another with --data", dir)
		}
		return nil, fmt.Errorf("lock data directory %s: %w", dir, err)
	}
	return func() { _ = f.Close() }, nil
}
