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

// lowSpace is the free space below which a disk is nearly full, or a twentieth of the disk
// if that is less.
const lowSpace = 1 << 30

// Low is whether the disk is nearly full.
func (s Space) Low() bool { return s.Free < min(lowSpace, s.Size/20) }

// Of returns the room that this user has in a folder, which is there.
func Of(dir string) (Space, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return Space{}, fmt.Errorf("ask for the free space of %s: %w", dir, err)
	}
	return Space{Free: int64(st.Bavail) * st.Bsize, Size: int64(st.Blocks) * st.Bsize}, nil
}

// Above is Of, or, for a folder that is still to be made, the room in the nearest one above
// it, and which that is.
func Above(dir string) (s Space, at string, err error) {
	for at = dir; ; at = filepath.Dir(at) {
		s, err := Of(at)
		if err == nil || !errors.Is(err, os.ErrNotExist) || filepath.Dir(at) == at {
			return s, at, err
		}
	}
}
