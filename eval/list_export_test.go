package eval

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Else its clips would be a data set of one class, clips.
func TestAnExportIsMeasuredByItsValidationClips(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"classes.txt": "falling down\nnothing\n", "train.txt": "clips/lobby/1.avi 0\n", "val.txt": "clips/lobby/2.avi 1\n",
		"clips/lobby/1.avi": "", "clips/lobby/2.avi": "", "set.json": "{}",
	} {
		write(t, filepath.Join(dir, name), text)
	}
	l, err := ReadList(Source{Path: dir})
	if err != nil || len(l.Videos) != 1 || l.Videos[0].Path != filepath.Join(dir, "clips/lobby/2.avi") || len(l.Classes) != 2 || l.Videos[0].Label != 1 {
		t.Fatalf("%+v: %v", l, err)
	}
	if err := os.Remove(filepath.Join(dir, "val.txt")); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadList(Source{Path: dir}); err == nil || !strings.Contains(err.Error(), "no val.txt") || !strings.Contains(err.Error(), filepath.Join(dir, "train.txt")) {
		t.Errorf("without clips to measure by: %v", err)
	}
}
