package cameras_test

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/cameras"
	"github.com/frostwatch/frostwatch/topics"
)

// rows are a compacted topic in memory.
type rows struct {
	mu    sync.Mutex
	last  map[string]bus.Message
	puts  []string // keys, "-key" for a removal
	grown chan struct{}
	log   []bus.Message
}

func newRows() *rows { return &rows{last: map[string]bus.Message{}, grown: make(chan struct{})} }

func (r *rows) Put(_ context.Context, key string, value []byte, _ string) (topics.RecordRef, error) {
	r.write(key, value, time.Now())
	return topics.RecordRef{}, nil
}

func (r *rows) Delete(_ context.Context, key, _ string) error {
	r.write(key, nil, time.Now())
	return nil
}

func (r *rows) write(key string, value []byte, at time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	m := bus.Message{Key: []byte(key), Value: value, Time: at}
	r.log = append(r.log, m)
	close(r.grown)
	r.grown = make(chan struct{})
	if len(value) == 0 {
		delete(r.last, key)
		r.puts = append(r.puts, "-"+key)
		return
	}
	r.last[key] = m
	r.puts = append(r.puts, key)
}

func (r *rows) List(context.Context) (map[string]bus.Message, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.last), nil
}

func (r *rows) Follow(ctx context.Context, fn func(bus.Message) error, caughtUp func()) error {
	for at := 0; ; {
		r.mu.Lock()
		log, grown := r.log[at:], r.grown
		r.mu.Unlock()
		for _, m := range log {
			if err := fn(m); err != nil {
				return err
			}
			at++
		}
		if caughtUp != nil {
			caughtUp()
			caughtUp = nil
		}
		select {
		case <-grown:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

type fixture struct {
	*cameras.Table
	cameras, status, workers *rows
}

func newFixture(t *testing.T) fixture {
	t.Helper()
	f := fixture{cameras: newRows(), status: newRows(), workers: newRows()}
	var err error
	f.Table, err = cameras.New(cameras.Options{
		Cameras: f.cameras, Status: f.status, Workers: f.workers,
		Age: func(m bus.Message) time.Duration { return time.Since(m.Time) }, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func (f fixture) put(t *testing.T, c topics.Camera) {
	t.Helper()
	if err := f.Put(t.Context(), c); err != nil {
		t.Fatal(err)
	}
}

func (f fixture) remove(t *testing.T, name string) {
	t.Helper()
	if err := f.Remove(t.Context(), name); err != nil {
		t.Fatal(err)
	}
}

// table is "name url source" of every camera.
func (f fixture) table(t *testing.T) string {
	t.Helper()
	entries, err := f.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		out = append(out, fmt.Sprintf("%s %s %s", e.Name, strings.TrimPrefix(e.URL, "rtsp://h/"), e.Source))
	}
	return strings.Join(out, ", ")
}

func named(names ...string) []topics.Camera {
	var out []topics.Camera
	for _, n := range names {
		name, url, has := strings.Cut(n, "=")
		if !has {
			url = "1"
		}
		out = append(out, topics.Camera{Name: name, URL: "rtsp://h/" + url})
	}
	return out
}

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

// A removal takes the status along, or it would say "streaming" for ever.
func TestRemoveTakesTheStatusAlong(t *testing.T) {
	f := newFixture(t)
	f.put(t, topics.Camera{Name: "a", URL: "rtsp://h/1"})
	f.heard(t, topics.StreamStatus{Camera: "a", State: topics.StreamStreaming, Worker: "w"}, 0)
	f.remove(t, "a")
	if rows, _ := f.status.List(t.Context()); len(rows) > 0 {
		t.Errorf("left: %v", rows)
	}
	if _, err := f.Get(t.Context(), "a"); err == nil {
		t.Error("the camera is still there")
	}
}

func (f fixture) heard(t *testing.T, s topics.StreamStatus, age time.Duration) {
	t.Helper()
	value, err := topics.EncodeStatus(s)
	if err != nil {
		t.Fatal(err)
	}
	f.status.write(s.Camera, value, time.Now().Add(-age))
}

// A status counts while its worker lives and holds the camera.
func TestAStatusCountsWhileItsWorkerLives(t *testing.T) {
	for _, c := range []struct {
		name                string
		state               topics.StreamState
		age                 time.Duration // of the status
		worker              time.Duration // age of the worker's record, negative: none
		held                []int
		generation, current int
		want                topics.StreamState
		reason              string
	}{
		{"alive", topics.StreamStreaming, time.Hour, time.Second, []int{0}, 3, 3, topics.StreamStreaming, ""},
		{"alive through rebalances", topics.StreamStreaming, time.Hour, time.Second, []int{0, 1}, 3, 9, topics.StreamStreaming, ""},
		{"killed", topics.StreamStreaming, time.Hour, time.Minute, []int{0}, 3, 3, "", "has not been heard of for 1m0s"},
		{"killed while waiting", topics.StreamWaiting, time.Hour, time.Minute, []int{0}, 3, 3, "", "has not been heard of for 1m0s"},
		{"gone long ago", topics.StreamStreaming, time.Hour, -1, nil, 3, 0, "", "its worker w is gone"},
		{"just begun", topics.StreamStreaming, time.Second, -1, nil, 3, 0, topics.StreamStreaming, ""},
		{"woken after its camera had moved", topics.StreamStreaming, time.Hour, time.Second, []int{1}, 3, 4, "", "no longer holds it"},
		{"stopped, its worker gone", topics.StreamStopped, time.Hour, -1, nil, 3, 0, topics.StreamStopped, "end of file"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFixture(t)
			f.put(t, topics.Camera{Name: "a", URL: "rtsp://h/1"})
			s := topics.StreamStatus{Camera: "a", State: c.state, Worker: "w", Generation: c.generation, Codec: "h264"}
			if c.state == topics.StreamStopped {
				s.Reason = "end of file"
			}
			f.heard(t, s, c.age)
			if c.worker >= 0 {
				value, err := topics.EncodeWorker(topics.Worker{Name: "w", Stages: map[string]topics.WorkerStage{"ingest": {Generation: c.current, Partitions: c.held}}})
				if err != nil {
					t.Fatal(err)
				}
				f.workers.write("w", value, time.Now().Add(-c.worker))
			}
			all, err := f.List(t.Context())
			if err != nil || len(all) != 1 {
				t.Fatalf("%v, %v", all, err)
			}
			if got := all[0].Status; got.State != c.want || !strings.Contains(got.Reason, c.reason) || got.Codec != "h264" {
				t.Errorf("got %+v, want %q, %q", got, c.want, c.reason)
			}
		})
	}
}

// Followers are told of cameras, and of nothing else that lies on the topic.
func TestFollow(t *testing.T) {
	f := newFixture(t)
	if _, _, err := f.Sync(t.Context(), cameras.Owner{Source: topics.SourceFile, ID: "f"}, named("a", "b")); err != nil {
		t.Fatal(err)
	}
	f.cameras.write("odd", []byte("{"), time.Now())
	f.remove(t, "a")
	ctx, cancel := context.WithCancel(t.Context())
	var got []string
	err := f.Follow(ctx, func(name string, c *topics.Camera) error {
		got = append(got, fmt.Sprint(name, c != nil))
		return nil
	}, cancel)
	if err == nil || !slices.Equal(got, []string{"atrue", "btrue", "afalse"}) {
		t.Errorf("%q, %v", got, err)
	}
}

func TestCamerasAreChecked(t *testing.T) {
	l := cameras.Limits{Protocols: []string{"rtsp", "rtsps", "http", "https", "file"}, Window: 4267 * time.Millisecond, Stride: topics.Stride{Steps: 4}}
	for url, want := range map[string]string{
		"rtsp://host/stream":                  "",
		"RTSP://host/stream":                  "",
		"rtsps://viewer:${P}@host:322/stream": "",
		"rtsp://${HOST}:${PORT}/stream":       "",
		"${CAMERA_URL}":                       "",
		"${SCHEME}://host/":                   "",
		"file:///videos/a.mp4":                "",
		"file:/videos/a.mp4":                  "",
		"/videos/a.mp4":                       "",
		"":                                    "url is empty",
		"ftp://host/a":                        "its kind is none of those allowed (ingest.protocols): want rtsp://host/path, ",
		"notaurl":                             "want rtsp://host/path, ",
		"concat:/etc/passwd":                  "want rtsp://host/path, ",
		"10.0.0.7/stream":                     "want rtsp://host/path, ",
		"rtsp://":                             "names no host",
		"rtsp:///stream":                      "names no host",
		"rtsp://host:99999/stream":            "its port is not one from 1 to 65535",
		"rtsp://viewer:S3cr3t/x@host/stream":  "can't be parsed",
		"rtsp://ho st/S3cr3t":                 "can't be parsed",
	} {
		err := l.Validate(topics.Camera{Name: "lobby", URL: url})
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", url, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "S3cr3t") {
			t.Errorf("the error shows the password: %v", err)
		}
	}
}

func TestAdvice(t *testing.T) {
	for url, want := range map[string]int{
		"rtsp://viewer:${P}@host/s":      0,
		"rtsp://viewer:secret@host/s":    1,
		"rtsp://viewer:12/secret@host/s": 2,
	} {
		got := cameras.Advice(topics.Camera{Name: "lobby", URL: url})
		if len(got) != want || strings.Contains(strings.Join(got, ""), "secret@") {
			t.Errorf("%s: %q", url, got)
		}
	}
}
