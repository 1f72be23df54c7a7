//go:build !race

package archive

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/topics"
)

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
