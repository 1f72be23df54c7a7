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

// Wait locks as Take does, but waits for another to give the lock back.
func Wait(f *os.File) error {
	for {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX)
		if !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}
