package disk

import (
	"os"
	"path/filepath"
	"testing"
)

func TestAbove(t *testing.T) {
	dir := t.TempDir()
	s, at, err := Above(filepath.Join(dir, "not", "yet", "made"))
	if err != nil || at != dir || s.Free <= 0 || s.Size < s.Free {
		t.Errorf("a folder that is still to be made: %+v at %s, %v", s, at, err)
	}
	if _, err := Of(filepath.Join(dir, "not")); err == nil {
		t.Error("a folder that is not there has room")
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Above(filepath.Join(file, "below")); err == nil {
		t.Error("a folder below a file has room")
	}
}

func TestLow(t *testing.T) {
	for name, c := range map[string]struct {
		s    Space
		want bool
	}{
		"a large disk with much":   {Space{5e9, 200e9}, false},
		"a large disk with little": {Space{9e8, 200e9}, true},
		"a small disk with enough": {Space{9e8, 10e9}, false},
		"a small disk with little": {Space{4e8, 10e9}, true},
	} {
		if got := c.s.Low(); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}
