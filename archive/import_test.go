package archive

import (
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// What is imported reads back as it was, over hours and more records than a segment
// has, and passes the check.
func TestImportedReadsBack(t *testing.T) {
	var records []Record[topics.Recognition]
	for i := range perSegment + 100 {
		at := hour.Add(time.Duration(i) * 1200 * time.Millisecond) // an hour and 24 minutes
		records = append(records, Record[topics.Recognition]{Value: action("lobby", at, 4), Time: at})
	}
	b := bucket(t)
	next, err := b.Import(t.Context(), 5, 10, records)
	if want := int64(10 + len(records)); err != nil || next != want {
		t.Fatalf("next offset %d, %v: want %d", next, err, want)
	}
	var got []Record[topics.Recognition]
	counts, err := reader(t, ReaderOptions{Bucket: b, Names: names}).Actions(t.Context(), Range{Since: hour.Add(-time.Hour), Until: hour.Add(3 * time.Hour)},
		func(r Record[topics.Recognition]) error { got = append(got, r); return nil })
	if err != nil || len(got) != len(records) {
		t.Fatalf("%d of %d read, %+v, %v", len(got), len(records), counts, err)
	}
	for i, r := range got {
		if r.Value.ClipID != records[i].Value.ClipID || r.At.Offset != int64(10+i) || r.Value.Embedding[3] != records[i].Value.Embedding[3] {
			t.Fatalf("record %d is %+v", i, r)
		}
	}
	report, err := Check(t.Context(), CheckOptions{Bucket: b, Names: names})
	if err != nil || len(report.Faults) > 0 {
		t.Errorf("check: %+v, %v", report, err)
	}
}

// A record that no reader would accept is refused before it is written.
func TestImportRefuses(t *testing.T) {
	bad := action("lobby", hour, 4)
	bad.End = bad.Start
	if _, err := bucket(t).Import(t.Context(), 0, 0, []Record[topics.Recognition]{{Value: bad, Time: hour}}); err == nil {
		t.Error("a window without a length was imported")
	}
	if _, err := bucket(t).Import(t.Context(), 0, 0, []Record[topics.Recognition]{{Value: action("lobby", hour, 4)}}); err == nil {
		t.Error("a record without a time was imported")
	}
}
