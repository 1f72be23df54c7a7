package archive

import (
	"bytes"
	"context"
	"errors"
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

func TestSegmentsEndAtHoursAndAtMultiplesOf4096(t *testing.T) {
	start := hour.Add(30 * time.Minute)
	k, b := recorded(t, 9000, start), bucket(t)
	archived(t, k, b, 1, -1, 8192)
	var keys []string
	for _, s := range listed(t, b, topics.Actions) {
		keys = append(keys, s.Key())
	}
	want := []string{
		"actions/2026-11-28/p01/10h-00000000000000000000-00000000000000001800.parquet",
		"actions/2026-11-28/p01/11h-00000000000000001800-00000000000000004096.parquet",
		"actions/2026-11-28/p01/11h-00000000000000004096-00000000000000005400.parquet",
		"actions/2026-11-28/p01/12h-00000000000000005400-00000000000000008192.parquet",
	}
	if !equal(keys, want) {
		t.Errorf("segments\n%q, want\n%q", keys, want)
	}
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

// An hour's records are archived once it is over, though nothing newer comes: a
// camera that was switched off loses nothing when Kafka forgets.
func TestTheLastHourIsArchivedWhenItIsOver(t *testing.T) {
	k, b := recorded(t, 100, hour), bucket(t)
	k.now = hour.Add(time.Hour + hourGrace/2)
	s := stage(t, Options{Bus: k, Bucket: b})
	w := &writer[topics.Recognition]{Stage: s, codec: actionsCodec(), name: "t.actions"}
	ctx, stop := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer stop()
	if err := w.await(ctx, 1, 0); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("half a grace after the hour: %v", err)
	}
	k.now = hour.Add(time.Hour + 2*hourGrace)
	archived(t, k, b, 1, -1, 100)
	if all := listed(t, b, topics.Actions); len(all) != 1 || all[0].To != 100 {
		t.Errorf("segments %+v", all)
	}
}

func TestRepeatedWorkRepeatsNamesAndBytes(t *testing.T) {
	k, b := recorded(t, 5000, hour), bucket(t)
	archived(t, k, b, 1, -1, 4096)
	before := contents(t, b)
	archived(t, k, b, 1, 0, 4096) // the offsets were forgotten
	after := contents(t, b)
	if len(before) != 2 || len(after) != len(before) {
		t.Fatalf("%d and %d objects", len(before), len(after))
	}
	for key, was := range before {
		if !bytes.Equal(after[key], was) {
			t.Errorf("%s differs", key)
		}
	}
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

// A worker that dies between the upload and the commit, or loses the partition,
// leaves a segment that its successor writes again: each record comes once.
func TestACrashBetweenUploadAndCommit(t *testing.T) {
	k, b := recorded(t, 5000, hour), bucket(t)
	s := stage(t, Options{Bus: k, Bucket: b})
	w := &writer[topics.Recognition]{Stage: s, codec: actionsCodec(), name: "t.actions"}
	h := &held{id: 1, committed: -1, refuse: bus.ErrMoved}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.partition(ctx, h) }()
	for deadline := time.Now().Add(time.Minute); len(listed(t, b, topics.Actions)) == 0 && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if all := listed(t, b, topics.Actions); len(all) != 1 {
		t.Fatalf("segments %+v", all)
	}
	once(t, reader(t, ReaderOptions{Log: k, Bucket: b}), 5000)
	archived(t, k, b, 1, h.Committed(), 4096)
	once(t, reader(t, ReaderOptions{Log: k, Bucket: b}), 5000)
	once(t, reader(t, ReaderOptions{Bucket: b}), 4096)
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

// What Kafka deleted before it was archived is counted, and archiving goes on.
func TestLostRecords(t *testing.T) {
	k, b := recorded(t, 9000, hour), bucket(t)
	k.first["t.actions"][1] = 6000
	archived(t, k, b, 1, 4096, 8192)
	all := listed(t, b, topics.Actions)
	if len(all) == 0 || all[0].From != 6000 || all[len(all)-1].To != 8192 {
		t.Errorf("segments %+v", all)
	}
	// A log that ends before what was committed of it: an unclean election.
	archived(t, k, b, 1, 1<<40, 0)
}

// Records that nobody can read stop nothing.
func TestHostileRecordsArePassedOver(t *testing.T) {
	k, b := newKafka(1, "t.actions"), bucket(t)
	good := action("lobby", hour, 8)
	late := good
	late.Start, late.End = time.Date(3000, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(3000, 1, 1, 0, 0, 1, 0, time.UTC)
	outside := bytes.ReplaceAll(encoded(t, good), []byte(`"lobby"`), []byte(`"../../x"`))
	values := [][]byte{encoded(t, good), nil, []byte("{"), encoded(t, late), outside, encoded(t, action("lobby", hour.Add(time.Second), 8))}
	for i, v := range values {
		k.add("t.actions", 0, hour.Add(time.Duration(i)*time.Second), v)
	}
	k.add("t.actions", 0, hour.Add(time.Hour), []byte("all of an hour is unreadable"))
	k.now = hour.Add(3 * time.Hour)
	archived(t, k, b, 0, -1, 7)
	if all := listed(t, b, topics.Actions); len(all) != 2 || all[0].To != 6 || all[1].To != 7 {
		t.Errorf("segments %+v", all)
	}
	f, err := b.open(t.Context(), listed(t, b, topics.Actions)[0])
	if err != nil || f.Rows != 2 || f.Skipped != 4 {
		t.Errorf("rows %d, skipped %d, %v", f.Rows, f.Skipped, err)
	}
	once(t, reader(t, ReaderOptions{Log: k, Bucket: b}), 2)
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
