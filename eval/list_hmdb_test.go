package eval

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestHMDBIsReadOneSplitAtATime(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "hv2[a]", "h")
	for _, split := range []string{"1", "2", "3"} {
		write(t, filepath.Join(dir, "climb_test_split"+split+".txt"), "a.avi 2 \nb.avi 1 \n")
		write(t, filepath.Join(dir, "chew_test_split"+split+".txt"), "c.avi "+split+" \n")
	}
	classes := write(t, filepath.Join(dir, "classes.txt"), "climb\nchew\n")
	one := filepath.Join(dir, "*_test_split1.txt")
	for source, want := range map[string]string{
		dir: dir + " holds splits 1, 2 and 3: give '" + one + "'",
		// Its advice is about the same clips.
		filepath.Join(dir, "*_test_split*.txt#1"):     "holds splits 1, 2 and 3: give '" + one + "#1'",
		filepath.Join(dir, "*_test_split[23].txt"):    "holds splits 2 and 3",
		filepath.Join(dir, "*_test_split4.txt"):       "no such file",
		filepath.Join(dir, "climb_test_split1.txt#3"): "after # want 1",
	} {
		if _, err := ReadList(Source{Path: source, Classes: classes}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", source, err, want)
		}
	}
	for source, want := range map[string]int{one: 1, one + "#1": 2, filepath.Join(dir, "climb_test_split2.txt"): 1} {
		l, err := ReadList(Source{Path: source, Root: dir})
		if err != nil || len(l.Videos) != want {
			t.Errorf("%s: %d clips, want %d: %v", source, len(l.Videos), want, err)
		}
	}
}

func TestAFolderOfBracketsIsNoPattern(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "hv2[a]#x", "h")
	write(t, filepath.Join(dir, "climb_test_split1.txt"), "a.avi 2 \n")
	classes := write(t, filepath.Join(dir, "classes.txt"), "climb\nchew\n")
	for _, source := range []string{dir, filepath.Join(dir, "*_test_split1.txt"), filepath.Join(dir, "climb_test_split1.txt")} {
		if l, err := ReadList(Source{Path: source, Classes: classes}); err != nil || len(l.Videos) != 1 {
			t.Errorf("%s: %d clips: %v", source, len(l.Videos), err)
		}
	}
}
