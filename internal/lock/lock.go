// Package lock keeps two processes from writing to one file or folder.
package lock

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// ErrHeld is returned when another process has the lock.
var ErrHeld = errors.New("in use")

// Take locks an open file or folder, or returns ErrHeld at once. The lock is
// released when the file is closed or the process ends.
func Take(f *os.File) error {
	err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return ErrHeld
	}
	return err
}

// Wait is like Take, but waits until the lock is free.
func Wait(f *os.File) error {
	for {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX)
		if !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}
