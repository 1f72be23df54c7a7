package bus

import (
	"testing"
	"time"
)

// A sender's clock that is wrong changes no age: "now" is worked out from when the
// broker says that it appended our records.
func TestTheBrokersClockIsEstimated(t *testing.T) {
	ours := time.Now()
	const ahead = time.Hour
	var c clock
	near := func(what string, want time.Duration) {
		t.Helper()
		if got := time.Until(c.now()); got < want-time.Minute || got > want+time.Minute {
			t.Errorf("%s: the broker's clock is estimated %v ahead, want %v", what, got, want)
		}
	}
	near("nothing is known", 0)
	c.note(ours, ours.Add(time.Second), time.Time{})
	near("a topic that keeps producers' times", 0)
	c.note(ours, ours.Add(100*time.Millisecond), ours.Add(ahead+50*time.Millisecond))
	near("a record was appended", ahead)
	c.note(ours, ours.Add(10*time.Minute), ours.Add(2*ahead))
	near("a long call says later, and the estimate is old", 2*ahead-5*time.Minute)
	c.note(ours.Add(10*time.Minute), ours.Add(10*time.Minute+time.Second), ours.Add(10*time.Minute+ahead))
	near("a short call is more exact", ahead)
	c.note(ours.Add(10*time.Minute), ours.Add(10*time.Minute+30*time.Second), ours.Add(2*ahead))
	near("a longer call soon after", ahead)
}
