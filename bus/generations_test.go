package bus_test

import (
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/topics"
)

func TestRecordsOfAnOlderGenerationAreStale(t *testing.T) {
	var g bus.Generations
	for i, c := range []struct {
		partition  int
		generation string
		stale      bool
	}{
		{0, "", false},
		{0, "3", false},
		{0, "5", false},
		{0, "4", true},
		{0, "x", false},
		{0, "9223372036854775807", false}, // forged: no real one follows it
		{0, "5", false},
		{1, "4", false},
		{0, "3", true},
		{0, "6", false},
		{1, "3", true},
	} {
		m := bus.Message{Topic: "alerts", Partition: c.partition, Time: time.Now()}
		if c.generation != "" {
			m.Headers = []bus.Header{{Key: topics.HeaderGeneration, Value: []byte(c.generation)}}
		}
		if got := g.Stale(m); got != c.stale {
			t.Errorf("record %d, of generation %q: stale is %v", i, c.generation, got)
		}
	}
}
