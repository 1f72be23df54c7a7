// Package lock keeps two processes from writing to one place.
package lock

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// ErrHeld says that another has the lock.
var ErrHeld = errors.New("in use")

// Take locks an open file or folder, or gives ErrHeld at once. The lock goes
// when the file is closed, and with the process.
func Take(f *os.File) error {
	err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return ErrHeld
	}
	return err
}
