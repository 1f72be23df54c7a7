package archive

import (
	"errors"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// ask is what a range gives, as the seconds after hour at which it was recorded.
func ask(t testing.TB, r *Reader, g Range) ([]int, Counts) {
	t.Helper()
	var got []int
	counts, err := r.Actions(t.Context(), g, func(r Record[topics.Recognition]) error {
		got = append(got, int(r.Value.End.Add(500*time.Millisecond).Sub(hour)/time.Second))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return got, counts
}

func seconds(n int) time.Time { return hour.Add(time.Duration(n)*time.Second - 500*time.Millisecond) }

// A topic that was made anew with fewer partitions is not asked for the others, which
// the bucket still has.
func TestPartitionsThatKafkaHasNoMore(t *testing.T) {
	const n = 4096
	b := bucket(t)
	archived(t, recorded(t, n, hour), b, 1, -1, n)
	r := reader(t, ReaderOptions{Log: newKafka(1, "t.actions"), Bucket: b})
	once(t, r, n)
	scanned := 0
	if _, err := r.Scan(t.Context(), Range{}, func(b Batch) error { scanned += len(b.Rows); return nil }); err != nil || scanned != n {
		t.Errorf("%d scanned, %v", scanned, err)
	}
}

// What lies outside the range is not read: not other days, not hours before or
// after, not segments without the camera, and of Kafka nothing where segments go
// beyond.
func TestOnlyTheRangeIsRead(t *testing.T) {
	k, b := newKafka(1, "t.actions"), bucket(t)
	for day := range 3 {
		for h := range 24 {
			for i := range 10 {
				at := hour.AddDate(0, 0, day).Add(time.Duration(h)*time.Hour + time.Duration(i)*time.Minute)
				camera := "lobby"
				if h%2 == 1 {
					camera = "door"
				}
				k.add("t.actions", 0, at, encoded(t, action(camera, at, 8)))
			}
		}
	}
	k.now = hour.AddDate(0, 0, 4)
	archived(t, k, b, 0, -1, 720)
	k.served, k.asked = 0, 0
	r := reader(t, ReaderOptions{Log: k, Bucket: b})
	g := Range{Since: hour.AddDate(0, 0, 1).Add(2 * time.Hour), Until: hour.AddDate(0, 0, 1).Add(3 * time.Hour)}
	got, counts := ask(t, r, g)
	if len(got) != 10 || counts.Segments > 3 || counts.Records > 30 || k.served != 0 {
		t.Errorf("an hour: %d records, %+v, %d from kafka", len(got), counts, k.served)
	}
	// Of the other camera there is one, whose window ends as the hour does.
	g.Cameras = []string{"door"}
	whole := counts.Bytes
	if got, counts = ask(t, r, g); len(got) != 1 || counts.Records > 10 || counts.Bytes >= whole {
		t.Errorf("a camera: %d records, %+v", len(got), counts)
	}
	g = Range{Since: hour.AddDate(0, 0, 2).Add(23 * time.Hour), Until: hour.AddDate(0, 0, 9)}
	if got, counts = ask(t, r, g); len(got) != 9 || k.served != 0 {
		t.Errorf("the end: %d records, %+v, %d from kafka", len(got), counts, k.served)
	}
}

// A record may come to Kafka some minutes after its time, and one whose Kafka
// time is wrong ends nothing.
func TestLateRecords(t *testing.T) {
	k, b := newKafka(1, "t.actions"), bucket(t)
	for i := range 200 {
		at := hour.Add(time.Duration(i) * time.Second)
		recordedAt := at
		switch i {
		case 30:
			recordedAt = at.AddDate(10, 0, 0)
		case 40:
			at = at.Add(-5 * time.Minute)
		}
		k.add("t.actions", 0, recordedAt, encoded(t, action("lobby", at, 8)))
	}
	for _, whole := range []bool{false, true} {
		if whole {
			k.now = hour.Add(2 * time.Hour)
			archived(t, k, b, 0, -1, 200)
		}
		r := reader(t, ReaderOptions{Log: k, Bucket: b})
		if got, counts := ask(t, r, Range{Since: seconds(0), Until: seconds(100)}); len(got) != 98 {
			t.Errorf("archived %v: %d records, %+v", whole, len(got), counts)
		}
		got, _ := ask(t, r, Range{Since: seconds(-300), Until: seconds(0)})
		if len(got) != 1 || got[0] != 40-300 {
			t.Errorf("archived %v: late ones %v", whole, got)
		}
		if got, _ = ask(t, r, Range{Since: seconds(-300), Until: seconds(-200), Late: time.Minute}); len(got) != 0 {
			t.Errorf("archived %v: too late ones %v", whole, got)
		}
	}
}

func TestReadingStopsWhenToldTo(t *testing.T) {
	k, b := recorded(t, 9000, hour), bucket(t)
	archived(t, k, b, 1, -1, 4096)
	for _, after := range []int{1, 5000} {
		n := 0
		_, err := reader(t, ReaderOptions{Log: k, Bucket: b}).Actions(t.Context(), Range{}, func(Record[topics.Recognition]) error {
			if n++; n == after {
				return ErrStop
			}
			return nil
		})
		if err != nil || n != after {
			t.Errorf("%d records after %d: %v", n, after, err)
		}
	}
	wrong := errors.New("not today")
	_, err := reader(t, ReaderOptions{Log: k, Bucket: b}).Actions(t.Context(), Range{}, func(Record[topics.Recognition]) error { return wrong })
	if !errors.Is(err, wrong) {
		t.Errorf("got %v", err)
	}
	for _, g := range []Range{{Since: hour, Until: hour}, {Cameras: []string{"["}}} {
		if _, err := reader(t, ReaderOptions{Log: k}).Actions(t.Context(), g, nil); err == nil {
			t.Errorf("%+v is taken", g)
		}
	}
}

// Who knows a camera's partition does not read others' records on Kafka; what is archived
// is found wherever it is.
func TestKafkaIsAskedForSomePartitionsAlone(t *testing.T) {
	k, b := recorded(t, 4500, hour), bucket(t)
	archived(t, k, b, 1, -1, 4096)
	r := reader(t, ReaderOptions{Log: k, Bucket: b})
	for partition, want := range map[int]int{0: 2048, 1: 2250} {
		if got, counts := ask(t, r, Range{Cameras: []string{"lobby"}, OnKafka: []int{partition}}); len(got) != want {
			t.Errorf("partition %d: %d records, want %d: %+v", partition, len(got), want, counts)
		}
	}
}
