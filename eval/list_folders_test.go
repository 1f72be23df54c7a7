package eval

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func link(t *testing.T, target, path string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, path); err != nil {
		t.Fatal(err)
	}
}

// Of data sets on several disks some folders are links.
func TestLinkedFoldersAreClasses(t *testing.T) {
	dir := t.TempDir()
	root := filepath.Join(dir, "root")
	write(t, filepath.Join(dir, "disk", "more", "b.mp4"), "")
	write(t, filepath.Join(root, "walking", "a.mp4"), "")
	link(t, filepath.Join(dir, "disk"), filepath.Join(root, "falling"))
	link(t, filepath.Join(dir, "disk", "more"), filepath.Join(root, "walking", "more"))
	link(t, root, filepath.Join(root, "walking", "again")) // would go on for ever
	link(t, "nowhere.mp4", filepath.Join(root, "walking", "c.mp4"))
	link(t, "nowhere", filepath.Join(root, "lost"))
	l, err := ReadList(Source{Path: root})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, v := range l.Videos {
		rel, err := filepath.Rel(root, v.Path)
		if err != nil {
			t.Error(err)
		}
		got = append(got, rel+" "+l.Classes[v.Label].name())
	}
	want := []string{
		"falling/more/b.mp4 falling", "walking/a.mp4 walking",
		"walking/c.mp4 walking", "walking/more/b.mp4 walking",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	sameAsTrainer(t, Source{Path: root})
}

func TestFilesThatArePassedOverAreCounted(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"walking/a.mp4", "walking/notes.txt", "falling/b.MP4", "falling/b.TXT", "falling/README", "falling/.hidden"} {
		write(t, filepath.Join(dir, name), "")
	}
	l, err := ReadList(Source{Path: dir})
	if want := map[string]int{".txt": 2, "": 1}; err != nil || !maps.Equal(l.PassedOver, want) {
		t.Fatalf("passed over %v, want %v: %v", l.PassedOver, want, err)
	}
	s := sheetOf("s", l.Classes, []int{0}, []*answer{nil})
	s.split.PassedOver = l.PassedOver
	r := &run{Runner: &Runner{}, sheets: []*sheet{s}}
	var out strings.Builder
	if err := r.figures(Plan{CrossDataset, []Group{{"", []Split{s.split}}}}, "id").Print(&out, TableOptions{}); err != nil {
		t.Fatal(err)
	}
	if want := "not a video's: 1 without one, 2 .txt\n"; !strings.Contains(out.String(), want) {
		t.Errorf("%q is not in\n%s", want, out.String())
	}
}

func TestAFolderWhoseNameIsNoTextIsRefused(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"w\xe4sche", "walking"} {
		write(t, filepath.Join(dir, name, "a.mp4"), "")
	}
	if _, err := ReadList(Source{Path: dir}); err == nil || !strings.Contains(err.Error(), `the name of the folder "w\xe4sche" is not UTF-8`) {
		t.Error(err)
	}
}
