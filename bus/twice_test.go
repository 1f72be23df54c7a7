package bus_test

import (
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/internal/kafkatest"
)

// back is within what time a partition whose new holder dies must have a handler
// again, from when the holder before let go of it: less than the 15 s within which
// a camera that moves must show frames, by what a camera needs to open.
const back = 11 * time.Second

// A worker joins, is given partitions and dies at once. What it was given goes back,
// soon; and it was given nothing before it had been there for a session, so that one
// that fails at its start again and again moves nothing.
func TestWhatANewWorkerTakesWithItComesBackSoon(t *testing.T) {
	t.Parallel()
	b := kafkatest.StartFreezable(t)
	c := newCrew(t, b, "twice", 6)
	one, two := c.start(b, "one"), c.start(b, "two")
	c.await(map[string]int{"one": 3, "two": 3})
	time.Sleep(7 * time.Second) // until both are proven: longer than a session
	begun := time.Now()
	three := c.start(b, "three")
	c.await(map[string]int{"one": 2, "two": 2, "three": 2})
	_ = three.client.Close()
	c.await(map[string]int{"one": 3, "two": 3})
	released := map[int]time.Time{}
	c.mu.Lock()
	for _, e := range c.events {
		since := e.at.Sub(released[e.partition])
		switch {
		case e.at.Before(begun):
		case !e.begins && e.worker != "three":
			released[e.partition] = e.at
			if young := e.at.Sub(begun); young < 6*time.Second {
				t.Errorf("partition %d was released to a worker %v after it began", e.partition, young)
			}
		case e.begins && e.worker != "three" && since > back:
			t.Errorf("partition %d had no handler that lived for %v", e.partition, since)
		case e.begins && e.worker != "three":
			t.Logf("partition %d was back after %v", e.partition, since)
		}
	}
	c.mu.Unlock()
	if len(released) != 2 {
		t.Errorf("%d partitions moved, want 2", len(released))
	}
	for _, w := range []*worker{one, two, three} {
		w.stop()
		if err := <-w.ended; err != nil {
			t.Error(err)
		}
	}
}
