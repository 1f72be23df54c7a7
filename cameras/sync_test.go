package cameras_test

import (
	"slices"
	"testing"

	"github.com/frostwatch/frostwatch/cameras"
	"github.com/frostwatch/frostwatch/topics"
)

// A file changes and removes what it brought itself, and undoes nothing that a
// person did since.
func TestAFileChangesOnlyItsOwn(t *testing.T) {
	file := cameras.Owner{Source: topics.SourceFile, ID: "/etc/pipeline.yaml"}
	other := cameras.Owner{Source: topics.SourceFile, ID: "/etc/other.yaml"}
	up := cameras.Owner{Source: topics.SourceUp, ID: "up"}
	person := func(name, url string) topics.Camera {
		return topics.Camera{Name: name, URL: "rtsp://h/" + url, Source: topics.SourcePerson}
	}
	type step struct {
		owner cameras.Owner
		file  []topics.Camera
		hand  func(t *testing.T, f fixture)
	}
	sync := func(o cameras.Owner, names ...string) step { return step{owner: o, file: named(names...)} }
	put := func(name, url string) step {
		return step{hand: func(t *testing.T, f fixture) { f.put(t, person(name, url)) }}
	}
	rm := func(name string) step { return step{hand: func(t *testing.T, f fixture) { f.remove(t, name) }} }
	for _, c := range []struct {
		name  string
		steps []step
		want  string
		lines []string // of the last step
	}{
		{"brought", []step{sync(file, "a", "b")}, "a 1 file, b 1 file", []string{"camera a added: rtsp://h/1", "camera b added: rtsp://h/1"}},
		{"brought again", []step{sync(file, "a"), sync(file, "a")}, "a 1 file", nil},
		{"changed in the file", []step{sync(file, "a"), sync(file, "a=2")}, "a 2 file", []string{"camera a changed: rtsp://h/2"}},
		{"deleted from the file", []step{sync(file, "a", "b"), sync(file, "b")}, "b 1 file", []string{"camera a removed: /etc/pipeline.yaml no longer has it"}},
		{"all deleted from the file", []step{sync(file, "a"), sync(file)}, "", []string{"camera a removed: /etc/pipeline.yaml no longer has it"}},
		{"removed by a person", []step{sync(file, "a", "b"), rm("a"), sync(file, "a", "b"), sync(file, "a", "b")}, "b 1 file",
			[]string{"camera a left out: it was removed since its entry last changed"}},
		{"removed by a person, then changed in the file", []step{sync(file, "a"), rm("a"), sync(file, "a"), sync(file, "a=2")}, "a 2 file",
			[]string{"camera a added: rtsp://h/2"}},
		{"removed by a person and deleted from the file", []step{sync(file, "a", "b"), rm("a"), sync(file, "b"), sync(file, "a", "b")}, "a 1 file, b 1 file",
			[]string{"camera a added: rtsp://h/1"}},
		{"changed by a person", []step{sync(file, "a"), put("a", "hand"), sync(file, "a")}, "a hand person",
			[]string{"camera a left as it is: a person put another of that name"}},
		{"changed by a person, then in the file", []step{sync(file, "a"), put("a", "hand"), sync(file, "a=2")}, "a hand person",
			[]string{"camera a left as it is: a person put another of that name"}},
		{"changed by a person, deleted from the file", []step{sync(file, "a"), put("a", "hand"), sync(file)}, "a hand person", nil},
		{"added by a person", []step{put("a", "hand"), sync(file, "b"), sync(file)}, "a hand person", []string{"camera b removed: /etc/pipeline.yaml no longer has it"}},
		{"the same as a person's", []step{put("a", "1"), sync(file, "a"), sync(file)}, "a 1 person", nil},
		{"two files", []step{sync(file, "a"), sync(other, "b"), sync(file, "a"), sync(other)}, "a 1 file", []string{"camera b removed: /etc/other.yaml no longer has it"}},
		{"a file and up", []step{sync(file, "a"), sync(up, "b", "c"), sync(up, "c"), sync(file, "a")}, "a 1 file, c 1 up", nil},
		{"up takes nothing from a file", []step{sync(file, "a"), sync(up, "a=2")}, "a 1 file", []string{"camera a left as it is: a configuration file put another of that name"}},
		{"up withdraws its own, then the file brings it", []step{sync(up, "a"), sync(file, "a=2"), sync(up), sync(file, "a=2")}, "a 2 file",
			[]string{"camera a added: rtsp://h/2"}},
		{"up withdraws the same that the file brings", []step{sync(up, "a"), sync(file, "a"), sync(up), sync(file, "a")}, "a 1 file",
			[]string{"camera a added: rtsp://h/1"}},
		{"removed by a person before up had one of that name", []step{sync(file, "a"), rm("a"), sync(up, "a=2"), sync(file, "a"), sync(up), sync(file, "a")}, "",
			[]string{"camera a left out: it was removed since its entry last changed"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFixture(t)
			var lines []string
			for _, s := range c.steps {
				if s.hand != nil {
					s.hand(t, f)
					continue
				}
				done, left, err := f.Sync(t.Context(), s.owner, s.file)
				if err != nil {
					t.Fatal(err)
				}
				lines = slices.Concat(done, left)
				if standing, err := f.NotInForce(t.Context(), s.owner, s.file); err != nil || !slices.Equal(standing, left) {
					t.Errorf("out of force are %q, %v; want %q", standing, err, left)
				}
			}
			if got := f.table(t); got != c.want {
				t.Errorf("table: %s\nwant:  %s", got, c.want)
			}
			if !slices.Equal(lines, c.lines) {
				t.Errorf("lines: %q\nwant:  %q", lines, c.lines)
			}
		})
	}
}

// Only the port of a camera of `up` may differ from one start to the next: the
// camera follows it, and one that a person removed does not come back for it.
func TestACameraOfUpFollowsItsPort(t *testing.T) {
	f := newFixture(t)
	up := cameras.Owner{Source: topics.SourceUp, ID: "up"}
	at := func(port string) []topics.Camera {
		return []topics.Camera{{Name: "a", URL: "rtsp://127.0.0.1:" + port + "/a"}, {Name: "b", URL: "rtsp://127.0.0.1:" + port + "/b"}}
	}
	for _, port := range []string{"1000", "2000", "3000"} {
		if _, _, err := f.Sync(t.Context(), up, at(port)); err != nil {
			t.Fatal(err)
		}
		f.remove(t, "b")
	}
	if got, want := f.table(t), "a rtsp://127.0.0.1:3000/a up"; got != want {
		t.Errorf("table: %s, want %s", got, want)
	}
	if n := len(slices.DeleteFunc(f.cameras.puts, func(key string) bool { return key != "b" })); n != 1 {
		t.Errorf("camera b was put %d times, want 1", n)
	}
}

// Where a person has set the tags, the file or `up` goes on changing the rest of its
// camera, and withdraws it.
func TestTagsOfAPersonHold(t *testing.T) {
	for _, owner := range []cameras.Owner{{Source: topics.SourceFile, ID: "f"}, {Source: topics.SourceUp, ID: "up"}} {
		f := newFixture(t)
		sync := func(brings ...topics.Camera) {
			t.Helper()
			if _, left, err := f.Sync(t.Context(), owner, brings); err != nil || len(left) > 0 {
				t.Fatal(left, err)
			}
		}
		sync(topics.Camera{Name: "a", URL: "rtsp://h:1/a", Tags: []string{"day"}})
		c, err := f.Get(t.Context(), "a")
		if err != nil {
			t.Fatal(err)
		}
		c.Tags, c.OwnTags = []string{"night"}, true
		f.put(t, c)
		sync(topics.Camera{Name: "a", URL: "rtsp://h:1/a", Tags: []string{"day"}})
		sync(topics.Camera{Name: "a", URL: "rtsp://h:2/a", Tags: []string{"noon"}})
		if c, err = f.Get(t.Context(), "a"); err != nil || c.URL != "rtsp://h:2/a" || !slices.Equal(c.Tags, []string{"night"}) || c.Source != owner.Source {
			t.Errorf("%s: %+v, %v", owner.Source, c, err)
		}
		sync()
		if got := f.table(t); got != "" {
			t.Errorf("%s: table: %s", owner.Source, got)
		}
	}
}

// A person's change of a camera of `up` holds, and the camera follows `up` to the port of
// its next start: otherwise it would be stopped from then on.
func TestAPersonsCameraFollowsThePortOfUp(t *testing.T) {
	f := newFixture(t)
	up := cameras.Owner{Source: topics.SourceUp, ID: "up"}
	at := func(port string) []topics.Camera {
		return []topics.Camera{{Name: "a", URL: "rtsp://127.0.0.1:" + port + "/a"}, {Name: "b", URL: "rtsp://127.0.0.1:" + port + "/b"}}
	}
	if _, _, err := f.Sync(t.Context(), up, at("1000")); err != nil {
		t.Fatal(err)
	}
	f.put(t, topics.Camera{Name: "a", URL: "rtsp://127.0.0.1:1000/a", Vocabulary: "ward", Source: topics.SourcePerson})
	f.put(t, topics.Camera{Name: "b", URL: "rtsp://127.0.0.1:9/other", Source: topics.SourcePerson})
	_, left, err := f.Sync(t.Context(), up, at("2000"))
	if want := []string{"camera a left as it is: a person has changed it", "camera b left as it is: a person put another of that name"}; err != nil || !slices.Equal(left, want) {
		t.Errorf("left: %q, want %q (%v)", left, want, err)
	}
	if c, err := f.Get(t.Context(), "a"); err != nil || c.URL != "rtsp://127.0.0.1:2000/a" || c.Vocabulary != "ward" || c.Source != topics.SourcePerson {
		t.Errorf("camera a: %+v, %v", c, err)
	}
	if c, err := f.Get(t.Context(), "b"); err != nil || c.URL != "rtsp://127.0.0.1:9/other" {
		t.Errorf("camera b: %+v, %v", c, err)
	}
}

// What has not changed is not written again: ingest workers would look at it.
func TestSyncWritesOnlyWhatChanged(t *testing.T) {
	f := newFixture(t)
	file := cameras.Owner{Source: topics.SourceFile, ID: "f"}
	for range 3 {
		if _, _, err := f.Sync(t.Context(), file, named("a", "b")); err != nil {
			t.Fatal(err)
		}
	}
	if want := []string{"a", "b", "set/file/f"}; !slices.Equal(f.cameras.puts, want) {
		t.Errorf("written: %q, want %q", f.cameras.puts, want)
	}
}
