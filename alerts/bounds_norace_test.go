//go:build !race

package alerts

import (
	"fmt"
	"testing"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/topics"
)

// Whoever may write to Kafka can add any number of records to the tables.
func TestTablesOfMadeUpNamesAreBounded(t *testing.T) {
	b := newBudgets()
	for i := range 1000 {
		if err := b.note(bus.Message{Key: fmt.Appendf(nil, "c%d/fall", i)}); err != nil {
			t.Fatal(err)
		}
	}
	if len(b.cameras) > 0 {
		t.Errorf("%d cameras after removals of thresholds that there were none of", len(b.cameras))
	}
	f := newFleet(func(topics.Camera) string { return "" })
	record, err := topics.EncodeCamera(topics.Camera{Name: "a", URL: "rtsp://127.0.0.1/a"})
	if err != nil {
		t.Fatal(err)
	}
	for i := range maxFleet + 10 {
		f.note(fmt.Sprint("c", i), record)
	}
	f.note("c0", nil)
	f.note("new", record)
	if _, is := f.tags["new"]; len(f.tags) != maxFleet || !is {
		t.Errorf("%d cameras, the one after a removal is there: %v", len(f.tags), is)
	}
	w := watchedTable{}
	w.note("no key of a rule", []byte("x"))
	for i := range maxWatched + 10 {
		w.note(fmt.Sprintf("c%d/fall", i), []byte("x"))
	}
	if len(w) != maxWatched {
		t.Errorf("%d entries of the table of watched labels", len(w))
	}
	for key, value := range map[string]string{"c0/fall": "x", "c1/other": ""} {
		var want []byte
		if value != "" {
			want = []byte(value)
		}
		if !w.has(key, want) || w.has(key, []byte("y")) {
			t.Errorf("%s is not taken for %q", key, value)
		}
	}
}
