package bus_test

import (
	"slices"
	"strconv"
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

// Whoever may write to a topic can forge a generation. It silences the genuine sender for
// seconds, however long that sends nothing in between; what a worker had in flight when it
// was suspended stays stale.
func TestAForgedGenerationSilencesForSeconds(t *testing.T) {
	forged := []int{}
	g := bus.Generations{Forged: func(n int, by bus.Message) { forged = append(forged, n, int(by.Offset)) }}
	began := time.Unix(10_000, 0)
	for i, c := range []struct {
		after      time.Duration
		generation int
		stale      bool
	}{
		{0, 9000, false},
		{time.Second, 10_200, false}, // forged
		{time.Minute, 9000, true},
		{time.Minute + 9*time.Second, 9000, true},
		{time.Minute + 10*time.Second, 10_200, false}, // again
		{time.Minute + 11*time.Second, 9000, false},
		{time.Minute + 12*time.Second, 10_200, false},
		{time.Minute + 13*time.Second, 9000, false},
		{2 * time.Minute, 9100, false}, // the group's next
		{2 * time.Minute, 9000, true},  // was in flight
		{3 * time.Minute, 9100, false},
		{3 * time.Minute, 8000, true}, // of one that was suspended for longer
		{4 * time.Minute, 9100, false},
	} {
		m := bus.Message{Topic: "alerts", Offset: int64(i), Time: began.Add(c.after), Headers: []bus.Header{{Key: topics.HeaderGeneration, Value: []byte(strconv.Itoa(c.generation))}}}
		if got := g.Stale(m); got != c.stale {
			t.Errorf("record %d: stale is %v", i, got)
		}
	}
	if !slices.Equal(forged, []int{10_200, 5}) {
		t.Errorf("forged: %v", forged)
	}
}
