package embedded

import (
	"errors"
	"log/slog"
	"os"
	"strings"
	"syscall"
	"testing"
)

func TestWhatIsSaidOfADisk(t *testing.T) {
	const gb = 1 << 30
	full := &os.PathError{Op: "write", Path: "0.dat", Err: syscall.ENOSPC}
	for _, tt := range []struct {
		name             string
		free, total      int64
		failed           error // the newest write
		unknown          error // asking for the space
		warning, problem string
	}{
		{"much space", 100 * gb, 1000 * gb, nil, nil, "", ""},
		{"a little of much", gb - 1, 1000 * gb, nil, nil, "has 1.1 GB left of 1073.7 GB", ""},
		{"a little of little", gb / 3, 7 * gb, nil, nil, "has 357.9 MB left of 7.5 GB", ""},
		{"enough of little", gb / 2, 7 * gb, nil, nil, "", ""},
		{"nothing", 0, 100 * gb, nil, nil, "", "is full: nothing is recorded"},
		{"too little for a record", 10 << 20, 100 * gb, full, nil, "", "is full: nothing is recorded"},
		{"a quota", 90 * gb, 100 * gb, syscall.EDQUOT, nil, "", "is full: nothing is recorded"},
		{"another fault", 90 * gb, 100 * gb, syscall.EROFS, nil, "", "can't be written to, nothing is recorded: read-only"},
		{"not known", 0, 0, nil, errors.New("gone"), "gone", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := &disk{dir: "data", space: func(string) (int64, int64, error) { return tt.free, tt.total, tt.unknown }}
			if tt.failed != nil {
				d.failed.Store(&tt.failed)
			}
			warning, problem := d.look()
			for _, c := range []struct {
				err  error
				want string
			}{{warning, tt.warning}, {problem, tt.problem}} {
				if (c.err == nil) != (c.want == "") || (c.err != nil && !strings.Contains(c.err.Error(), c.want)) {
					t.Errorf("said %v, want %q", c.err, c.want)
				}
			}
		})
	}
}

// Why a write failed is only in what kfake logs.
func TestFailedWritesAreNoticed(t *testing.T) {
	d := &disk{dir: "data", space: func(string) (int64, int64, error) { return 1 << 40, 1 << 41, nil }}
	brokerLog{slog.New(slog.DiscardHandler), d}.Logf(2, "persist batch %s-%d: %v", "clips", 0, syscall.ENOSPC)
	if _, problem := d.look(); problem == nil {
		t.Error("a write that failed is no problem")
	}
	if _, problem := d.look(); problem != nil {
		t.Errorf("it is one although none failed since: %v", problem)
	}
}
