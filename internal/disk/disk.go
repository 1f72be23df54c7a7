// Package disk says how much room a folder has.
package disk

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Space is the room on the disk of a folder, in bytes.
type Space struct{ Free, Size int64 }

// Low is whether so little is free that the disk is going to be full soon: less than a
// gigabyte, or than a twentieth of a small disk.
func (s Space) Low() bool { return s.Free < min(1e9, s.Size/20) }

// Of returns the room that this user has in a folder, or, if it is not there yet, in the
// nearest one above it, and that folder.
func Of(dir string) (s Space, at string, err error) {
	for at = dir; ; at = filepath.Dir(at) {
		var st unix.Statfs_t
		err := unix.Statfs(at, &st)
		if err == nil {
			return Space{Free: int64(st.Bavail) * st.Bsize, Size: int64(st.Blocks) * st.Bsize}, at, nil
		}
		if !errors.Is(err, os.ErrNotExist) || filepath.Dir(at) == at {
			return s, at, fmt.Errorf("look at the disk of %s: %w", dir, err)
		}
	}
}
