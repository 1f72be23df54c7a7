package archive

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/topics"
)

// values of recorded, by time: encoding them again is what tests would wait for.
var values sync.Map

// recorded is a partition of recognitions of two cameras, a second apart.
func recorded(t testing.TB, n int, start time.Time) *kafka {
	t.Helper()
	k := newKafka(2, "t.actions", "t.alerts", "t.clips")
	for i := range n {
		at := start.Add(time.Duration(i) * time.Second)
		value, ok := values.Load(at)
		if !ok {
			value = encoded(t, action([]string{"lobby", "door"}[i%2], at, 8))
			values.Store(at, value)
		}
		k.add("t.actions", 1, at, value.([]byte))
	}
	k.now = start.Add(time.Duration(n) * time.Second)
	return k
}

func equal[T comparable](a, b []T) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func contents(t testing.TB, b *Bucket) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	err := filepath.WalkDir(b.dir, func(path string, e os.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			out[path], err = os.ReadFile(path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// once reads everything and expects n records, each once, in order within a
// camera.
func once(t testing.TB, r *Reader, n int) Counts {
	t.Helper()
	seen, last := map[string]bool{}, map[string]time.Time{}
	counts, err := r.Actions(t.Context(), Range{}, func(r Record[topics.Recognition]) error {
		if seen[r.Value.ClipID] {
			t.Errorf("%s comes twice", r.Value.ClipID)
		}
		if !r.Value.End.After(last[r.Value.Camera]) {
			t.Errorf("%s comes after %v", r.Value.ClipID, last[r.Value.Camera])
		}
		seen[r.Value.ClipID], last[r.Value.Camera] = true, r.Value.End
		return nil
	})
	if err != nil || len(seen) != n || counts.Given != n {
		t.Errorf("%d records, %+v, %v; want %d", len(seen), counts, err, n)
	}
	return counts
}

// A worker that was suspended and has lost its partition publishes once more: what
// it sent is in no segment and given by no reader, also where a segment or a
// range begins between it and what followed it.
func TestRecordsOfALostPartitionAreLeftOut(t *testing.T) {
	k, b := newKafka(1, "t.actions"), bucket(t)
	for i := range 20 {
		at := hour.Add(59*time.Minute + time.Duration(50+i)*time.Second) // 10 begins another segment
		generation := "8"
		if i == 5 || i == 10 {
			generation = "7"
		}
		k.add("t.actions", 0, at, encoded(t, action("lobby", at, 8)), bus.Header{Key: topics.HeaderGeneration, Value: []byte(generation)})
	}
	tail := reader(t, ReaderOptions{Log: k, Bucket: b})
	if counts := once(t, tail, 18); counts.Stale != 2 {
		t.Errorf("counted %+v", counts)
	}
	got, _ := ask(t, tail, Range{Since: hour.Add(time.Hour)})
	if len(got) != 9 {
		t.Errorf("from the stale record on: %v", got)
	}
	k.now = hour.Add(3 * time.Hour)
	archived(t, k, b, 0, -1, 20)
	once(t, reader(t, ReaderOptions{Bucket: b}), 18)
}

// A bucket that can't be written is a problem that is reported, and passes.
func TestABucketThatCannotBeWritten(t *testing.T) {
	k, b := recorded(t, 5000, hour), bucket(t)
	blocked := filepath.Join(b.dir, "actions")
	if err := os.WriteFile(blocked, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	said := make(reports, 100)
	s := stage(t, Options{Bus: k, Bucket: b, Reporter: said})
	w := &writer[topics.Recognition]{Stage: s, codec: actionsCodec(), name: "t.actions"}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	h := &held{id: 1, committed: -1, moved: make(chan int64, 10)}
	done := make(chan error, 1)
	go func() { done <- w.partition(ctx, h) }()
	if err := <-said; err == nil {
		t.Error("no problem is reported")
	}
	if h.Committed() != -1 {
		t.Error("it committed what it could not store")
	}
	if err := os.Remove(blocked); err != nil {
		t.Fatal(err)
	}
	<-h.moved
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
	once(t, reader(t, ReaderOptions{Bucket: b}), int(h.Committed()))
}

// reports are the problems that a stage reported.
type reports chan error

func (r reports) Problem(_ string, err error)   { r <- err }
func (r reports) Warning(string, error)         {}
func (r reports) Incident(string, error)        {}
func (r reports) Check(string, func() error)    {}
func (r reports) Describe(func(*topics.Worker)) {}
