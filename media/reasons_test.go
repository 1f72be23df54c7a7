package media

import (
	"syscall"
	"testing"
)

// A file whose rights are missing may be given them: it is tried again, which an
// address that can't be used is not.
func TestPermissionsMayBeGiven(t *testing.T) {
	if f := ErrnoFault(syscall.EACCES); f == nil || f.Kind == KindAddress || f.Text != "permission denied" {
		t.Errorf("got %+v", f)
	}
}
