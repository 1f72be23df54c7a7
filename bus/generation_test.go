package bus_test

import (
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/topics"
)

func TestRecordsOfAnOlderGenerationAreStale(t *testing.T) {
	noon := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	g := bus.Generations{Held: 9}
	for i, c := range []struct {
		generation string
		after      time.Duration
		stale      bool
	}{
		{"", 0, false},
		{"77", 0, false}, // of a group that was deleted since
		{"3", 0, false},
		{"5", time.Second, false},
		{"4", 2 * time.Second, true},
		{"x", 3 * time.Second, false},
		{"5", 4 * time.Second, false},
		{"3", 30 * time.Minute, true},
		{"6", time.Hour, false},
		{"1", 3 * time.Hour, false}, // the group began anew
		{"2", 3 * time.Hour, false},
		{"1", 3 * time.Hour, true},
	} {
		m := bus.Message{Time: noon.Add(c.after)}
		if c.generation != "" {
			m.Headers = []bus.Header{{Key: topics.HeaderGeneration, Value: []byte(c.generation)}}
		}
		if got := g.Stale(m); got != c.stale {
			t.Errorf("record %d, of generation %q: stale is %v", i, c.generation, got)
		}
	}
}
